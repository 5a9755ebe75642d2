"""Fields at an input's size: paths, centres, and the field summary; small cases worked by hand."""

from itertools import product

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from archcalc import ArchcalcError, Network, load
from archcalc.errors import LayerError
from archcalc.field.coverage import padding_varies
from archcalc.field.node_fields import node_fields
from archcalc.language.zoo import networks
from archcalc.published.figures import load_figures
from archcalc.sizes import Shape
from tests import random_nets as nets

from .test_receptive_field import RANDOM, conv, follow

POOL = ("max_pool", {"kernel": 2, "stride": 2})
STACK = [conv(3, pad=1)] * 4


def build(net, *axes):
    """The network, of which each layer is called after its type and index."""
    return nets.build(net, Shape(4, axes))


def found(net, *axes):
    said = build(net, *axes).analyze().field.summary
    name = lambda layer: layer and layer.node.index  # noqa: E731
    return name(said.first), name(said.everywhere), [*map(name, said.idle)], len(said.widening), said.least


# Fields 3, 5, 7, 9. Seven pixels: unit 3 of the third sees -0 to 6; unit 0 of the fourth sees up to 4.
# From 8 pixels on what goes into the fourth (7) is too small to cover them; at 7 it is not.
def test_a_stack_on_seven_pixels():
    assert found(STACK, 7, 7) == (3, None, [4], 4, 8)


def test_the_longer_axis_decides():
    assert found(STACK, 7, 8) == (4, None, [], 4, 8)
    assert found(STACK, 9) == (4, None, [], 4, 8)
    assert found(STACK, 10) == (None, None, [], 4, 8)


def test_every_unit_sees_all_of_four_pixels():
    """Unit 0 of the third sees up to 3; the second's units 1 and 2 see -1 to 3 and 0 to 4: all four pixels."""
    assert found(STACK, 4) == (2, 3, [3, 4], 4, 8)


def test_a_field_as_large_as_the_input_may_lie_beside_it():
    """1x1 with stride 4 on 8 pixels reads 0 and 4. 3x3 without zeros has no unit; with one zero units see -4 to 4 and
    0 to 8: nine pixels, and the second sees all eight. With both zeros before, they see -8 to 0 and -4 to 4."""
    stride = conv(1, stride=4)
    assert found([stride, conv(3, pad=1)], 8)[0] == 2
    assert found([stride, conv(3, pad=[[2, 0]])], 8)[0] is None


def test_a_layer_that_sees_everything_by_nature_is_never_idle():
    net = [conv(3, pad=1), conv(3, pad=1), ("global_avg_pool", {}), ("flatten", {}), ("linear", {"out": 2})]
    assert found(net, 5, 5) == (2, 3, [], 2, 4)
    assert found(net, 9, 9) == (3, 3, [], 2, 4)


def test_flatten_passes_on_and_linear_sees():
    net = [conv(3, pad=1), ("flatten", {}), ("dropout", {}), ("linear", {"out": 2}), ("relu", {})]
    network = build(net, 9, 9)
    assert [sight.node.index for sight in network.analyze().field.layers if sight.differs_from_input] == [1, 4]
    assert found(net, 9, 9)[:2] == (4, 4)


def test_layers_of_one_position_never_widen():
    assert found([conv(1), ("relu", {})], 3) == (None, None, [], 0, None)


def test_a_network_that_takes_no_smaller_input():
    """5x5, pool, 5x5, pool leave 5 of 32 pixels and 4 of 31; the last 5x5 needs 5."""
    assert found([conv(5), POOL, conv(5), POOL, conv(5)], 32, 32) == (5, 5, [], 5, 32)


@pytest.mark.parametrize(
    ("name", "least"),
    [
        # What goes into the last window has size r, step t and padding p: unit i sees all n pixels when
        # n - r + p <= i*t <= p, so some unit does as long as n <= r - p + t*(p // t).
        ("vgg16", 196 - 90 + 16 * (90 // 16) + 1),  # conv5_3 before pool5
        ("alexnet", 163 - 64 + 16 * (64 // 16) + 1),  # conv5 before pool3
        ("resnet50", 419 - 209 + 32 * (209 // 32) + 1),  # conv5_2 before the 3x3 of conv5_3
    ],
)
def test_the_smallest_input_at_which_no_layer_is_idle(name, least):
    network = load(name)
    assert network.analyze().field.summary.least == least
    assert not network.analyze(input=(3, least, least)).field.summary.idle
    assert network.analyze(input=(3, least - 1, least - 1)).field.summary.idle


@pytest.mark.parametrize("name", ["alexnet_tv", "bn_inception", "googlenet", "lenet5", "resnet50_slim"])
def test_no_layer_is_idle_from_there_on(name):
    """Adaptive pooling, sizes that do not fit, branches, valid padding, and padding that depends on the size."""
    network = load(name)
    least = network.analyze().field.summary.least
    idle = []
    for side in range(max(1, least - 1), least + 40):
        try:
            other = network.analyze(input=(network.input.channels, side, side))
        except ArchcalcError:
            assert name in ("bn_inception", "lenet5")
            continue
        idle += [(side, sight.node.name) for sight in other.field.layers if sight.idle and not sight.gate]
    assert {side for side, _ in idle} <= {least - 1}
    assert idle or name == "lenet5"


def test_fields_that_grow_with_the_input_have_no_smallest_one():
    """A pooling to 4 makes a step of n/4 pixels: the second 3x3 behind it sees 5/4 of any input, and idles the third."""
    net = [("adaptive_avg_pool", {"out": 4}), *[conv(3, pad=1)] * 3]
    for n in (8, 16, 400):
        assert found(net, n)[2:] == ([4], 3, None)


def test_resnet_50_at_its_own_input():
    """Fields of the 3x3 of stage 4: 99 + 32i, so 227 in the fourth unit is the first above 224; 5 more 3x3 come after."""
    said = load("resnet50").analyze().field.summary
    assert said.first.node.name == "conv4_4.main.conv2"
    assert [sight.node.name for sight in said.idle] == [
        f"{unit}.main.conv2" for unit in ("conv4_5", "conv4_6", "conv5_1", "conv5_2", "conv5_3")
    ]
    assert len(said.widening) == 2 + 3 + 4 + 6 + 3  # conv1, pool1 and a 3x3 in every unit


@RANDOM
@given(nets.exact_networks, st.integers(1, 9))
def test_who_covers_against_the_brute_force(net, n):
    """A unit of the last layer that sees all pixels, found by following every unit one by one."""
    try:
        network = nets.build(net, Shape(2, (n, n)))
    except LayerError:
        assume(False)
    last = network.analyze().field.layers[-1]
    assume("multiply" not in {node.layer.type for node in network.nodes} and last.node.shape.axes)
    assume(all(view.exact and view.field.step for view in last.field))
    hulls = [[(min(seen), max(seen)) for seen in follow(network, net, axis, real=False)] for axis in range(2)]
    covering = [all(low <= 0 and high >= n - 1 for low, high in unit) for unit in product(*hulls)]
    network.add("after", nets.registry["conv"](out=1, kernel=3, pad=1))
    said = network.analyze().field.summary
    names = [sight.node.name for sight in said.idle]
    assert ("after" in names) == any(covering)
    spent = [sight.node.name for sight in said.idle if sight.idle_everywhere]
    assert ("after" in spent) == all(covering)


@RANDOM
@given(nets.networks(), st.integers(1, 9))
def test_what_bounds_are_known_to_say(net, n):
    """Where it is known that a unit covers or that none does, the brute force says so too; else it may say either."""
    try:
        network = nets.build(net, Shape(2, (n, n)))
        last = network.analyze().field.layers[-1]
        assume("multiply" not in {node.layer.type for node in network.nodes} and last.node.shape.axes)
        network.add("after", nets.registry["conv"](out=1, kernel=3, pad=1))
    except LayerError:
        assume(False)
    assume(all(view.field.step for view in last.field))
    before = network.nodes[:-1]
    without = nets.build(net, Shape(2, (n, n)))
    assert len(without.nodes) == len(before)
    hulls = [[seen and (min(seen), max(seen)) for seen in follow(without, net, axis, real=False)] for axis in range(2)]
    covering = [all(ends and ends[0] <= 0 and ends[1] >= n - 1 for ends in unit) for unit in product(*hulls)]
    after = network.analyze().field.layers[-1]
    assert after.widens
    if after.idle is not None:
        assert after.idle == any(covering)
    if after.idle_everywhere is not None:
        assert after.idle_everywhere == all(covering)
    event("known" if after.idle is not None else "a bound")


@pytest.mark.parametrize(
    ("layer", "widens"),
    [  # an output reads the cells of the kernel that are s/gcd(s, d) apart: more than one where k is larger than that
        (("conv_transpose", {"out": 4, "kernel": 2, "stride": 2}), False),
        (("conv_transpose", {"out": 4, "kernel": 3, "stride": 2}), True),
        (("conv_transpose", {"out": 4, "kernel": 2, "stride": 2, "dilation": 2}), True),
        (("conv_transpose", {"out": 4, "kernel": 2, "stride": 2, "dilation": 3}), False),
        (("conv_transpose", {"out": 4, "kernel": 1}), False),
        (("upsample", {"scale": 2}), False),
        (("upsample", {"scale": 2, "mode": "bilinear"}), False),  # neither a convolution nor a pooling
    ],
    ids=str,
)
def test_who_widens_behind_a_stride(layer, widens):
    """Followed by the brute force: the largest number of positions of the map that one of its outputs reads."""
    kind, _ = layer
    network = build([conv(3, stride=2), layer], 9)
    assert network.analyze().field.layers[-1].widens is widens
    if kind == "conv_transpose":
        alone = build([layer], 4)
        assert (max(map(len, follow(alone, [layer], 0, real=True))) > 1) is widens


def test_a_bound_that_does_not_cover_is_as_good_as_a_field():
    """Units see 3 of 9 pixels; doubled, 4 at most, and a 3x3 after it 6: none sees all 9."""
    net = [conv(3, stride=2), ("upsample", {"scale": 2}), conv(3, pad=1), conv(3, pad=1)]
    said = build(net, 9).analyze().field.summary
    assert not said.idle
    assert not said.may_idle
    assert (said.first, said.may_be_first) == (None, None)


def test_gates_are_left_out():
    net = [("multiply", [[conv(3, pad=1)], nets.gate]), conv(3, pad=1)]
    network = build(net, 9)
    assert [view.field.size for (view,) in node_fields(network)][-1] == 5
    assert network.analyze().rows[-1].field_with_gates[0].field.size == 9
    shown = network.analyze().field.layers
    assert [sight.node.layer.type for sight in shown if sight.gate] == ["global_avg_pool", "conv", "sigmoid"]
    assert found(net, 5)[0] == 6


def test_without_gates_the_views_are_those_of_the_rows():
    for name in ("googlenet", "resnet50_slim", "densenet121", "lenet5"):
        analysis = load(name).analyze()
        assert [row.field for row in analysis.rows] == [sight.field for sight in analysis.field.layers]


def test_centres():
    """Zeros (0, 2), (2, 0) and (1, 1) around a 3x3 put its centre one after, one before, and on its position."""
    after, before, on = (conv(3, pad=[[k, 2 - k]]) for k in (0, 2, 1))
    for branches, alike in [
        ([[on], []], True),
        ([[on], [conv(5, pad=2)], []], True),
        ([[after], []], False),
        ([[after], [before]], False),  # the hull of both has the right centre
        ([[after], [after]], True),
    ]:
        network = build([("add", [[conv(1), *branch] for branch in branches]), conv(1)], 9)
        assert network.analyze().field.layers[-1].centred == (alike,), branches


OFF_CENTRE = {
    # the beginning of the names: why branches with other centres meet
    "bn_inception": "in Caffe's form, the strided 3x3 pads by one, and the pooling beside it starts at the first position",
    "xception": "TensorFlow pads a pooling of an even map behind only, and the 1x1 beside it starts at the first position",
    "nasnet_a": "every second position is joined with the positions between",
    "deeplabv3": "one branch pools the whole map",
    "lraspp": "a map that is made larger joins a map of twice the size",
    "yolov3": "a map that is made larger joins a map of twice the size",
    "fasterrcnn_resnet50": "a map that is made larger joins a map of twice the size",
    "fpn": "a map that is made larger joins a map of twice the size",
    "fcos": "a map that is made larger joins a map of twice the size",
    "keypointrcnn": "a map that is made larger joins a map of twice the size",
    "maskrcnn": "a map that is made larger joins a map of twice the size",
    "retinanet": "a map that is made larger joins a map of twice the size",
    **dict.fromkeys(
        ("mlp_mixer", "vit", "deit", "swin", "maxvit", "mvit"), "a token sees all tokens beside a path that sees one"
    ),
    "tcn": "causal convolutions read what came before",
    "wavenet": "causal convolutions read what came before",
}
CENTRED = ("xception_timm", "bn_inception_slim", "bn_inception_slim_full")
"""Networks of those families whose branches have one centre."""


def test_networks_off_centre():
    off = {
        name
        for name in networks()
        if not all(all(sight.centred) for sight in load(name).analyze().field.layers if not sight.gate)
    }
    assert off == {name for name in networks() if name.startswith(tuple(OFF_CENTRE)) and name not in CENTRED}


@pytest.mark.parametrize("pixels", [224, 321])
def test_the_published_table_has_networks_that_are_aligned(pixels):
    """google-research/receptive_field refuses a network whose paths have other centres; it printed all of these."""
    for name in {figure.subject.network for figure in load_figures() if figure.source.key == "rf_repo"}:
        before_pooling = [
            s for s in load(name).analyze(input=(3, pixels, pixels)).field.layers if s.field[0].field.step
        ]
        assert all(all(sight.centred) for sight in before_pooling), name


def test_once_off_centre_always_off_centre():
    off = ("add", [[conv(3, pad=[[0, 2]])], []])
    network = build([conv(1), off, ("add", [[conv(3, pad=1)], []])], 9)
    assert [sight.centred for sight in network.analyze().field.layers][-3:] == [(False,)] * 3


@pytest.mark.parametrize(
    ("layer", "varies"),
    [  # zeros before: max(k - r, 0) // 2 for r = n mod s, from 1 to s
        (conv(3, pad="same"), False),
        (conv(3, stride=2, pad="same"), True),  # 1 and 0
        (conv(2, stride=2, pad="same"), False),  # 0 and 0: just the zero after depends on the size
        (conv(4, stride=2, pad="same"), False),  # 1 and 1
        (conv(7, stride=2, pad="same"), True),  # 3 and 2
        (conv(1, stride=2, pad="same"), False),
        (conv(3, stride=2, pad=1), False),
        (conv(2, stride=2, dilation=2, pad="same"), True),  # spans 3
    ],
)
def test_padding_that_depends_on_the_size(layer, varies):
    assert padding_varies(build([layer, conv(3)], 12))[-1] is varies
    starts = {build([layer], n).analyze().rows[-1].field[0].field.start for n in range(8, 12)}
    assert (len(starts) > 1) is varies


def test_what_has_no_axes():
    network = Network("dense", Shape(784))
    network.add("fc", nets.registry["linear"](out=10))
    with pytest.raises(ArchcalcError, match="dense has no spatial axes: its input is a vector of 784"):
        _ = network.analyze().field.layers


def test_arrays_have_no_verdict():
    np = pytest.importorskip("numpy")
    with pytest.raises(ArchcalcError, match="fields need single sizes"):
        _ = load("vgg11").analyze(input=(3, np.array([64, 96]), 64)).field.summary
