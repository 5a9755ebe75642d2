"""The int64-array path equals the scalar path, element by element, and refuses what would wrap around."""

import itertools
import pickle
import re
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from archcalc import Network, analyze, load
from archcalc.analysis.depth import depth
from archcalc.conventions import conventions
from archcalc.conventions.convention import Layers, Tally, Term
from archcalc.errors import ArchcalcError, DiffersError, LayerError
from archcalc.layers import registry
from archcalc.sizes import Shape, Work, arrays_in
from tests import random_nets as nets

np = pytest.importorskip("numpy")

RANDOM = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)


def says(text):
    return pytest.raises(ArchcalcError, match=f"^{re.escape(text)}$")


def at(number, index, shape):
    """The element of a broadcast number, as a Python int."""
    return None if number is None else int(np.broadcast_to(number, shape)[index])


def numbers(row):
    """Every number of a row but its views."""
    return (
        row.param_count,
        *row.params,
        *row.work,
        row.macs,
        row.values,
        row.conv_inputs,
        row.shape.channels,
        *row.shape.axes,
    )


def same_row(array, scalar, index, shape):
    if array.macs is None and not any(scalar.work):  # no operations of a layer that has some at another size
        scalar = scalar._replace(macs=None)
    assert [at(n, index, shape) for n in numbers(array)] == list(numbers(scalar))
    for a, s in zip(array.field, scalar.field, strict=True):
        exact = bool(at(a.exact, index, shape))
        assert s.exact or not exact
        for f, g in ((a.field, s.field), (a.least, s.least)):
            first, last, step = (Fraction(at(n, index, shape), at(f.per, index, shape)) for n in f[:3])
            if exact:
                assert (first, last, step) == tuple(Fraction(n, g.per) for n in g[:3])
            elif f is a.field and g.first <= g.last:  # units that differ are found for single sizes alone
                assert first <= Fraction(g.first, g.per)  # of a map read in the padding alone the field is empty
                assert Fraction(g.last, g.per) <= last


def same(array, scalar, index, shape):
    for a, s in zip(array.rows, scalar.rows, strict=True):
        same_row(a, s, index, shape)
    flat = lambda t: [*t[:6], *t.work, t.values, t.conv_inputs]  # noqa: E731
    assert [at(n, index, shape) for n in flat(array.totals)] == flat(scalar.totals)


@RANDOM
@given(
    nets.networks(),
    st.lists(st.integers(1, 16), min_size=1, max_size=3),
    st.lists(st.integers(1, 16), min_size=1, max_size=3),
    st.lists(st.integers(1, 5), min_size=1, max_size=2),
)
def test_random_networks(net, heights, widths, batches):
    """Heights down, widths across, batches behind: they broadcast."""
    h, w, b = (np.array(n).reshape(axes) for n, axes in ((heights, (-1, 1, 1)), (widths, (-1, 1)), (batches, (-1,))))
    try:
        network = nets.build(net, Shape(2, (h, w)))
    except LayerError:
        assume(False)
    array = analyze(network, batch=b)
    shape = (len(heights), len(widths), len(batches))
    for index in itertools.product(*map(range, shape)):
        i, j, k = index
        same(array, analyze(nets.build(net, Shape(2, (heights[i], widths[j]))), batch=batches[k]), index, shape)


def the_same_fields(array, scalar, index, shape):
    """The fields of all rows and whether they are exact, past the gates and over all paths."""
    for a, s in zip(array.rows, scalar.rows, strict=True):
        for ours, theirs in zip((*a.field, *a.field_with_gates), (*s.field, *s.field_with_gates), strict=True):
            assert at(ours.exact, index, shape) == theirs.exact, a.name
            if theirs.exact:
                for f, g in ((ours.field, theirs.field), (ours.least, theirs.least)):
                    assert tuple(at(n, index, shape) for n in f[:4]) == g[:4], a.name
                    assert f.phases == g.phases


@settings(RANDOM, max_examples=40)
@given(
    nets.exact_networks.filter(lambda net: "upsample" not in repr(net)),
    st.lists(st.tuples(st.integers(1, 20), st.integers(1, 20)), min_size=2, max_size=4),
)
def test_what_whole_maps_read_is_found_for_every_element(net, sizes):
    """Strides, padding and dilation leave pixels over at some sizes; arrays find them as single sizes do."""
    try:
        array = analyze(nets.build(net, Shape(2, tuple(np.array(sizes).T))))
    except LayerError:
        assume(False)
    for i, size in enumerate(sizes):
        the_same_fields(array, analyze(nets.build(net, Shape(2, size))), (i,), (len(sizes),))


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("vgg16", [32, 33, 47, 95, 224]),
        ("alexnet", [67, 68, 69, 70, 99, 224, 227, 301]),  # strides of 4 leave up to 3 pixels over
        ("mobilenet_v3_small", [1, 33, 224]),  # gates pool whole maps
        ("mlp_mixer_s32", [224, 225, 239]),
        ("segnet", [33, 64, 241]),  # units differ, in the same turns at all sizes
        ("deit_tiny", [112, 224, 225]),
    ],
)
def test_fields_of_networks_at_many_sizes(name, sizes):
    network, n = load(name), np.array(sizes)
    array = network.analyze(input=(3, n, n))
    for i, size in enumerate(sizes):
        the_same_fields(array, network.analyze(input=(3, size, size)), (i,), n.shape)


TURNS = """
input: [1, 16, 16]
params: {turns: 2}
layers:
  - conv: {out: 1, kernel: 3, pad: 1}
    repeat: turns
  - conv: {out: 1, kernel: 1, stride: 5}
  - global_avg_pool
"""


def test_whole_maps_behind_turns_that_some_elements_lack(tmp_path):
    """Units 0, 5, 10, 15 of 16 to 19 read ``turns`` pixels more on both sides: to pixel 15 + turns, or to the last."""
    path = tmp_path / "turns.yaml"
    path.write_text(TURNS)
    turns, sizes = np.array([1, 2, 3]), np.array([16, 18, 19, 20])
    array = load(str(path), turns=turns[:, None]).analyze(input=(1, sizes, 16))
    field = array.rows[-1].field[0]
    assert np.all(field.exact)
    expected = [[min(size - 1, 15 + more) for size in sizes.tolist()] for more in turns.tolist()]
    assert np.broadcast_to(field.field.last, (3, 4)).tolist() == expected
    for index in np.ndindex(3, 4):
        single = load(str(path), turns=int(turns[index[0]])).analyze(input=(1, int(sizes[index[1]]), 16))
        assert single.rows[-1].field[0].field.last == expected[index[0]][index[1]]


C = ("conv", {"out": 4, "kernel": 3, "pad": 1})
MOVED = {
    "tokens": [C, ("to_tokens", {}), ("linear", {"out": 3, "axis": "channels"})],
    "windows": [C, ("windows", {"size": 4}), ("relu", {})],
    "grid": [("windows", {"size": [2, 4], "grid": True}), ("flatten", {})],
    "shuffled": [("space_to_depth", {"block": 2}), C, ("pixel_shuffle", {"factor": 2}), C],
    "rolled": [C, ("roll", {"by": -2}), C],
    "every second row": [C, ("slice", {"axis": "height", "start": 1, "step": 2}), C],
    "borders": [("pad", {"by": 1, "mode": mode}) for mode in ("reflect", "circular", "replicate")] + [C],
    "repeated": [("adaptive_avg_pool", {"out": 1}), ("expand", {"size": [8, 12]}), C],
    "turned": [C, ("rearrange", {"pattern": "c h w -> c w h"}), C],
}


@pytest.mark.parametrize("net", MOVED.values(), ids=MOVED)
def test_positions_that_move(net):
    heights, widths = [8, 16, 24], [8, 16]
    array = analyze(nets.build(net, Shape(4, (np.array(heights).reshape(-1, 1), np.array(widths)))))
    for i, j in itertools.product(range(3), range(2)):
        same(array, analyze(nets.build(net, Shape(4, (heights[i], widths[j])))), (i, j), (3, 2))


@pytest.mark.parametrize(
    "branch", [[], [("conv", {"out": 4, "kernel": 1})], [("conv", {"out": 4, "kernel": 3, "pad": 1})]]
)
def test_a_gate_is_one_on_a_map_of_one_position_too(branch):
    """Squeeze and excitation on a map of 1x1: both inputs of the product have one position, one of them is the gate."""
    net = [("conv", {"out": 4, "kernel": 1}), ("multiply", [branch, nets.gate])]
    array = analyze(nets.build(net, Shape(2, (np.array([1]), np.array([1, 2])))))
    for at, width in enumerate((1, 2)):
        same(array, analyze(nets.build(net, Shape(2, (1, width)))), (at,), (2,))
    assert depth(nets.build(net, Shape(2, (1, 1)))) == depth(nets.build(net, Shape(2, (8, 8)))) == 1 + len(branch)


@RANDOM
@given(nets.networks(), st.lists(st.tuples(st.integers(1, 16), st.integers(1, 16)), min_size=1, max_size=4))
def test_what_arrays_refuse_some_scalar_refuses(net, sizes):
    h, w = np.array(sizes).T

    def fits(*axes):
        try:
            nets.build(net, Shape(2, axes))
        except LayerError:
            return False
        return True

    # but joins choose which of two maps is the gate for the whole array
    assume(not any(kind == "multiply" for kind, _ in net))
    assert fits(h, w) == all(fits(*axes) for axes in sizes)


@pytest.mark.parametrize("name", conventions)
@pytest.mark.parametrize("net", ["mobilenet_v3_small", "swin_t", "googlenet", "keypointrcnn_resnet50_fpn"])
def test_totals_of_every_convention_over_batches(net, name):
    """Totals of arrays of batches are drawn as a line through those of one and two images."""
    network, batches = load(net), [1, 2, 9]
    found = network.analyze(batch=np.array(batches), convention=name).totals
    for at_, batch in enumerate(batches):
        alone = network.analyze(batch=batch, convention=name).totals
        for ours, theirs in zip(found, alone, strict=True):
            if isinstance(theirs, Work):
                assert [at(n, at_, (3,)) for n in ours] == list(theirs)
            else:
                assert ours == theirs if isinstance(theirs, tuple) else at(ours, at_, (3,)) == theirs


def test_a_layer_with_shared_weights_that_only_some_elements_call_again(tmp_path):
    """One module with another dilation is another module, whose parameters torchinfo counts again."""
    spec = tmp_path / "net.yaml"
    spec.write_text(
        "input: [8, 8, 8]\nparams: {w: 1}\nlayers:\n  - conv: {out: 8, kernel: 3, pad: 1}\n    name: a\n"
        "  - conv: {out: 8, kernel: 3, pad: [w, w + 1], dilation: [w, w + 1]}\n    weights: a\n"
        "  - conv: {out: 8, kernel: 3, pad: w, dilation: w}\n    weights: a\n"
    )
    own = 8 * 8 * 3 * 3 + 8

    def params(widths, convention):
        return load(str(spec), w=np.array(widths)).analyze(convention=convention).totals.params

    assert np.all(params([2, 3], "torchinfo") == 3 * own)
    assert np.all(params([1, 1], "torchinfo") == 2 * own)
    assert np.all(params([1, 2], "archcalc") == own)
    with pytest.raises(DiffersError):
        params([1, 2], "torchinfo")


def test_a_convention_of_a_user_need_not_be_a_line():
    """Counts as a user defines them: 1, 4 and 9 for batches of 1, 2 and 3."""
    squares = Term("squares", Layers("input"), lambda use: use.batch * use.batch)
    own = conventions["archcalc"]._replace(name="squares", operations=Tally(squares, factor=0), nothing=None)
    assert load("lenet5").analyze(batch=np.array([1, 2, 3]), convention=own).totals.macs.tolist() == [1, 4, 9]


def test_equal_arrays_are_one_object():
    """So the twelve equal blocks of a ResNet are computed once."""
    sizes = np.array([64, 96])
    array = load("resnet50").analyze(input=(3, sizes, sizes))
    shapes = {name: array[name].shape for name in ("conv3_2.main.conv2", "conv3_3.main.conv2", "conv3_4.main.conv2")}
    assert len({id(shape.axes[0]) for shape in shapes.values()}) == 1


def test_vgg16_over_resolutions_and_batches():
    network, sizes, batches = load("vgg16"), [32, 224, 321], [1, 64]
    n = np.array(sizes)
    array = network.analyze(input=(3, n[:, None], n[:, None]), batch=np.array(batches))
    for i, j in itertools.product(range(3), range(2)):
        scalar = network.analyze(input=(3, sizes[i], sizes[i]), batch=batches[j])
        same(array, scalar, (i, j), (3, 2))
    # the printed number at 224 and batch 1, which no broadcasting can have made
    assert array.totals.macs[1, 0] == 15_470_264_320
    assert {number.dtype.name for row in array.rows for number in numbers(row) if isinstance(number, np.ndarray)} == {
        "int64"
    }


SPEC = """
title: Widths
input: [3, 16, 16]
params: {width: 8, groups: 1}
layers:
  - conv: {out: 2*width, kernel: 3, pad: same, groups: groups}
  - batch_norm
  - add:
      main:
        - conv: {out: 2*width, kernel: 3, pad: 1, groups: width}
        - prelu
      shortcut: []
  - layer_norm: {axis: channels}
  - max_pool: {kernel: 2, stride: 2}
  - flatten
  - linear: {out: width // 2 + 10}
"""


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "widths.yaml"
    path.write_text(SPEC)
    return str(path)


def test_an_array_of_widths(spec):
    widths = [4, 7, 32]
    array = load(spec, width=np.array(widths)).analyze(input=(3, np.array([[15], [40]]), 16), batch=2)
    for (i, height), (j, width) in itertools.product(enumerate((15, 40)), enumerate(widths)):
        same(array, load(spec, width=width).analyze(input=(3, height, 16), batch=2), (i, j), (2, 3))


REFUSED = [
    ({"input": (3, np.array([8, 9], "int32"), 8)}, "input height: expected an int64 array, got int32"),
    ({"input": (3, np.array([8, 9], "uint64"), 8)}, "input height: expected an int64 array, got uint64"),
    ({"input": (3, 8, np.array([8.0]))}, "input width: expected an int64 array, got float64"),
    ({"input": (3, 8, np.array([True]))}, "input width: expected an int64 array, got bool"),
    ({"input": (3, 8, np.array([8], "O"))}, "input width: expected an int64 array, got object"),
    ({"input": (np.array([], "int64"), 8, 8)}, "input channels: expected numbers, got an empty array"),
    ({"input": (3, np.array([8, 0]), 8)}, "input height: must be at least 1, got 0"),
    ({"input": (3, np.array([8, -8]), 8)}, "input height: must be at least 1, got -8"),
    (
        {"input": (3, np.array([8, 2**31]), 8)},
        "input height: 2147483648 is larger than 2,147,483,647, the largest size there is",
    ),
    ({"input": (3, 0, 8)}, "input height: must be at least 1, got 0"),
    ({"input": (3, -1, 8)}, "input height: must be at least 1, got -1"),
    ({"input": (3, 8.0, 8)}, "input height: expected a whole number, got 8.0"),
    ({"input": (3, True, 8)}, "input height: expected a whole number, got true"),
    ({"input": (3, "8", 8)}, "input height: expected a whole number, got '8'"),
    ({"input": (3, None, 8)}, "input height: expected a whole number, got nothing"),
    ({"input": "3x8y8"}, "expected CHANNELSxHEIGHTxWIDTH such as 3x224x224, got '3x8y8'"),
    ({"input": ()}, "input: expected (channels, height, width), got []"),
    ({"input": (1, 2, 3, 4, 5)}, "net takes channels x height x width, got 1x2x3x4x5; the input of its spec is 3x8x8"),
    (
        {"input": (3, np.array([8, 9, 10]), np.array([8, 9]))},
        "input: the arrays of 3x[8..10]x[8..9] do not broadcast together",
    ),
    ({"batch": 0}, "batch: must be at least 1, got 0"),
    ({"batch": 1.0}, "batch: expected a whole number, got 1.0"),
    ({"batch": False}, "batch: expected a whole number, got false"),
    ({"batch": np.array([1, 0])}, "batch: must be at least 1, got 0"),
    ({"batch": np.array([1.0])}, "batch: expected an int64 array, got float64"),
    ({"dtype": "float23"}, "unknown dtype 'float23'; did you mean 'float32'?"),
    ({"convention": "cs213n"}, "unknown convention 'cs213n'; did you mean 'cs231n'?"),
    (
        {"input": (3, np.array([1, 8]), 8)},
        "net at input 3x[1..8]x8: the kernel spans 3 but the padded input is only [1..8] + 0 + 0 = [1..8]",
    ),
]


@pytest.mark.parametrize(("how", "text"), REFUSED, ids=lambda v: str(v)[:60])
def test_refused(how, text):
    network = Network("net", Shape(3, (8, 8)))
    network.add("conv", registry["conv"](out=4, kernel=3))
    with says(text):
        network.analyze(**how)


def test_a_tensor_is_not_an_int64_array():
    torch = pytest.importorskip("torch")
    with says("batch: expected an int64 array, got torch.int64"):
        Network("net", Shape(3, (8, 8))).analyze(batch=torch.tensor([1, 2]))


def test_numpy_scalars_count_as_python_ints():
    """Else 2**62 sums would wrap around: as Python ints they do not."""
    network = Network("net", Shape(3, (8, 8)))
    for _ in range(3):
        network.add("conv", registry["conv"](out=3, kernel=1))
    batch, side = np.int64(2**31 - 1), np.int32(2**20)
    analysis = network.analyze(input=(3, side, side), batch=batch)
    assert analysis.totals.macs == 3 * 9 * 2**40 * (2**31 - 1)
    assert type(analysis.totals.macs) is int


@pytest.mark.parametrize(
    ("widths", "text"),
    [
        (np.array([4.0, 8.0]), "width=[4.0..8.0]: expected a whole number as in width=8"),
        (np.array([4, 8], "int32"), "width: expected an int64 or a float64 array, got int32"),
        (np.array([True, False]), "width: expected finite numbers, got "),
        (
            np.array([4, 10**16]),
            "width: numbers in arrays are at most 1,000,000,000,000,000, got [4..10000000000000000]",
        ),
        (np.array([4.0, float("nan")]), "width: expected finite numbers, got "),
        ([np.array([4, 8], "uint8")], "width: expected an int64 or a float64 array, got uint8"),
    ],
)
def test_widths_that_are_no_numbers_of_64_bits_are_refused(spec, widths, text):
    with pytest.raises(ArchcalcError, match="^" + re.escape(text)):
        load(spec, width=widths)


# Overflow. One 1x1 convolution without bias on a 1-channel map does out*h*w products: 2*out*h*w FLOP.


def one_by_one(out):
    network = Network("net", Shape(1, (8, 8)))
    network.add("conv", registry["conv"](out=out, kernel=1, bias=False))
    network.add("pool", registry["global_avg_pool"]())
    return network


def totals_at(network, height, width, batch):
    return network.analyze(input=(1, np.array([8, height]), width), batch=batch).totals


def test_just_below_int64_is_exact():
    """Feature-map bytes, 4*(h*w + 8*h*w + 8) and 4*h*w for the convolution's input, a batch of them:
    40*h*w*batch is 0.9995 * 2**63 here, and every number equals Python's."""
    height, width, batch = 2**24, 2**24 - 7, 819
    network = one_by_one(8)
    array = totals_at(network, height, width, batch)
    scalar = network.analyze(input=(1, height, width), batch=batch).totals
    assert 0.999 * 2**63 < 40 * height * width * batch < 2**63
    assert array.macs.tolist()[1] == scalar.macs == 8 * height * width * batch
    assert array.values.tolist()[1] == scalar.values == (9 * height * width + 8) * batch
    assert [n.tolist()[1] for n in array.work if isinstance(n, np.ndarray)] == [
        n for n, m in zip(scalar.work, array.work, strict=True) if isinstance(m, np.ndarray)
    ]


def test_feature_map_bytes_beyond_int64_are_refused():
    # 40 * 2**24 * 2**24 * 820 = 9.2323e18, and 2**63 = 9.2234e18; the int64 product would be negative
    assert 40 * 2**48 * 820 > 2**63
    with says(
        "net: feature-map bytes reach about 9.23e+18, beyond int64 (9.22e+18); evaluate such sizes one at a "
        "time, where numbers are exact without bound"
    ):
        totals_at(one_by_one(8), 2**24, 2**24, 820)
    assert one_by_one(8).analyze(input=(1, 2**24, 2**24), batch=820).totals.macs == 8 * 2**48 * 820


def test_flop_beyond_int64_are_refused():
    # a 1024x1024 kernel on 2**16 + 1023 pixels a side: 2**20 * 2**32 products; a batch of 2**10: 2**63 FLOP
    network = Network("net", Shape(1, (2048, 2048)))
    network.add("conv", registry["conv"](out=1, kernel=1024, bias=False))
    side = 2**16 + 1023
    with pytest.raises(ArchcalcError, match=r"^net: FLOP reach about 9\.22e\+18, beyond int64"):
        network.analyze(input=(1, np.array([side]), side), batch=2**10)
    below = network.analyze(input=(1, np.array([side]), side), batch=2**10 - 1).totals
    assert below.flops.tolist() == [2 * 2**52 * (2**10 - 1)]


def test_parameter_bytes_beyond_int64_are_refused():
    # no batch here: 2**30 features to 2**31 - 1, 4 bytes each, is just under 2**63; to float64's 8 it is over
    network = Network("net", Shape(8))
    network.add("fc", registry["linear"](out=2**31 - 1, bias=False))
    features = np.array([2**29])
    assert network.analyze(input=(features,)).totals.params.tolist() == [2**29 * (2**31 - 1)]
    with pytest.raises(ArchcalcError, match=r"^net: parameter bytes reach about 9\.22e"):
        network.analyze(input=(features,), dtype="float64")


def test_a_side_head_beyond_int64_is_refused():
    network = Network("net", Shape(1, (8, 8)))
    network.add("main", registry["identity"]())
    network.add("aux", registry["conv"](out=2**31 - 1, kernel=1, bias=False), [0], side=True)
    with pytest.raises(ArchcalcError, match=r"^net: FLOP reach"):
        network.analyze(input=(1, np.array([2**16]), 2**17))


STRIDES = """
input: [1, 8, 8]
params: {stride: 2}
layers:
  - conv: {out: 1, kernel: 1, stride: stride}
    repeat: 3
"""


def test_steps_beyond_int64_are_refused(tmp_path):
    """On one pixel a stride costs nothing, so that no total shows that 2**22 cubed is 2**66."""
    path = tmp_path / "strides.yaml"
    path.write_text(STRIDES)
    fine = load(str(path), stride=np.array([2, 2**20])).analyze()
    assert fine.rows[-1].field[0].field.step.tolist() == [8, 2**60]
    with pytest.raises(ArchcalcError, match=r"receptive fields reach about 7\.38e"):
        load(str(path), stride=np.array([2, 2**22])).analyze()
    assert load(str(path), stride=2**22).analyze().rows[-1].field[0].field.step == 2**66


def test_batches_and_settings_that_do_not_broadcast_are_refused():
    with pytest.raises(ArchcalcError, match="vgg16: the arrays of input, batch and settings do not broadcast together"):
        load("vgg16").analyze(input=(3, np.array([64, 96]), 64), batch=np.array([1, 2, 3]))
    with pytest.raises(ArchcalcError, match="do not broadcast together"):
        load("vgg16", classes=np.array([10, 100])).analyze(batch=np.array([1, 2, 3]))


def in_groups(name, settings):
    """The elements of arrays of settings, in groups of one structure, each with its analysis."""
    (count,) = {array.size for array in arrays_in(settings.values())}
    left, groups = [np.arange(count)], []
    while left:
        group = left.pop()
        try:
            groups.append((group, load(name, **chosen(settings, group)).analyze()))
        except DiffersError as error:
            holds = np.broadcast_to(error.holds, group.shape)
            left += [group[holds], group[~holds]]
    return groups


def chosen(settings, which):
    """The settings of some elements, or of one as Python numbers."""
    pick = lambda array: array[which].item() if isinstance(which, int) else array[which]  # noqa: E731
    return {
        key: [pick(n) for n in value] if isinstance(value, list) else pick(value) for key, value in settings.items()
    }


RANDOM_WIDTHS = np.random.default_rng(1).uniform(0.1, 2, 40)


@pytest.mark.parametrize(
    ("name", "settings", "groups"),
    [
        ("mobilenet_v2", {"width": RANDOM_WIDTHS}, 3),  # narrow ones have further shortcuts: of 8 to 8 channels
        ("mnasnet_a1", {"width": RANDOM_WIDTHS}, 2),
        ("efficientnet_b0", {"width": RANDOM_WIDTHS, "drop_path": RANDOM_WIDTHS / 2}, 3),
        ("mobilenet_v1", {"width": RANDOM_WIDTHS}, 1),
    ],
)
def test_widths_of_the_zoo(name, settings, groups):
    found = in_groups(name, settings)
    assert len(found) <= groups
    for group, array in found:
        for at in (0, group.size // 2):
            scalar = load(name, **chosen(settings, int(group[at]))).analyze()
            same(array, scalar, (at,), group.shape)
            for row, alone in zip(array.rows, scalar.rows, strict=True):
                assert [one.exact for one in row.field] == [one.exact for one in alone.field]


def test_numbers_that_change_no_count(tmp_path):
    """A square has one product for each value, any other power one exponential."""
    path = tmp_path / "power.yaml"
    path.write_text(
        "input: [1, 4]\nparams: {power: 2.0, by: 1.0}\nlayers:\n"
        "  - math: {function: power, exponent: power}\n  - scale: {factor: by, shift: 1}\n"
    )
    work = load(str(path), power=np.array([2.0, 3.0, 0.5]), by=np.array([1.0, 1.0, 2.0])).analyze().totals.work
    assert work.mul.tolist() == [4, 0, 4]
    assert work.exp.tolist() == [0, 4, 4]
    with pytest.raises(ArchcalcError, match="power with the exponent 0 makes every value 1"):
        load(str(path), power=np.array([2.0, 0.0])).analyze()


BRANCHING = """
input: [3, 16, 16]
params: {width: 8, deep: 2}
let: {wide: width > 8}
check: {width > deep: width must be above deep}
layers:
  - conv: {out: width, kernel: 3, stride: "2 if width > 8 else 1"}
  - conv: {out: 8, kernel: 1}
    when: width > 16
  - relu
"""


@pytest.mark.parametrize(
    ("given", "holds", "at"),
    [
        ({"width": [4, 9, 9]}, [False, True, True], "4: {} (at let.wide)"),
        ({"deep": [7, 8, 9]}, [True, False, False], "5: {} (at check.width > deep)"),
        ({"width": [9, 16, 17]}, [False, False, True], "8: {} (at layers[1].conv.when)"),
    ],
)
def test_conditions_that_differ_say_for_which_elements(tmp_path, given, holds, at):
    path = tmp_path / "branching.yaml"
    path.write_text(BRANCHING)
    given = {key: np.array(values)[:, None] for key, values in given.items()}
    with pytest.raises(DiffersError) as caught:
        load(str(path), **given).nodes  # noqa: B018  builds the layers
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert error.holds.tolist() == [[one] for one in holds]
        sentence = "a condition holds for some numbers of an array and not for others; networks of different structure"
        assert str(error).startswith(f"{path}:{at.format(sentence + ' are evaluated apart')}\n")
    with pytest.raises(DiffersError) as again:
        load(str(path)).at({}, load(str(path)).settings | given)
    assert again.value.holds.tolist() == caught.value.holds.tolist()


def test_numbers_of_regions(tmp_path):
    """The parameter of a spec as an array, element by element."""
    path = tmp_path / "head.yaml"
    path.write_text(
        "input: [3, 8, 8]\nparams: {n: 4}\nlayers:\n"
        "  - {regions: n, layers: [{roi_align: {size: 2}}, {conv: {out: 5, kernel: 2}}, flatten]}\n"
    )
    array = load(str(path), n=np.array([1, 10, 300])).analyze(batch=2)
    assert [row.output for row in array.rows][1:] == [f"[1..300] x {shape}" for shape in ("3x2x2", "5x1x1", "5")]
    for index, count in enumerate((1, 10, 300)):
        scalar = load(str(path), n=count).analyze(batch=2)
        for ours, theirs in zip(array.rows, scalar.rows, strict=True):
            assert [at(n, index, (3,)) for n in numbers(ours)] == list(numbers(theirs))
    with pytest.raises(ArchcalcError, match="regions: must be at least 1, got 0"):
        load(str(path), n=np.array([1, 0])).analyze()


@pytest.mark.parametrize("size", [10**6, np.array([10**6, 32]), np.array([[32], [10**6]])])
@pytest.mark.parametrize("batch", [10**6, np.array([1, 10**6])])
def test_an_overflow_is_refused_whatever_varies(size, batch):
    """VGG-16 has 3.1e17 multiply-adds on an image of 10^6 x 10^6 pixels: 3.1e23 for a batch of 10^6."""
    vgg = load("vgg16")
    if not isinstance(size, np.ndarray) and not isinstance(batch, np.ndarray):
        assert vgg.analyze(input=(3, size, size), batch=batch).totals.macs == 307904000020873216 * 10**6
        return
    with pytest.raises(ArchcalcError, match="beyond int64"):
        vgg.analyze(input=(3, size, size), batch=batch)
