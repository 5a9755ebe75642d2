"""The receptive field against brute force: every unit's pixels, one by one.

The pixels are found by a propagation of sets, written without archcalc's formulas. First it is held against
torch's gradients layer by layer; then archcalc is held against it on random networks.
"""

from fractions import Fraction
from functools import cache
from math import ceil, floor

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from archcalc import load
from archcalc.errors import LayerError
from archcalc.layers import registry
from archcalc.sizes import Shape
from tests import random_nets as nets

RANDOM = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)


def takes_all(kind, given, axis):
    """Whether an output of a layer reads the whole axis."""
    if kind == "reduce":
        return given["axis"] in (("height", "width")[axis], "last" if axis == 1 else "")
    return kind in ("global_avg_pool", "global_max_pool")


def taps(kind, given, axis, n, m):
    """The input positions that output o of one layer reads, as a function of o, padding included.

    ``n`` and ``m`` are the sizes of the input and the output along the axis.
    """

    def at(name, default):
        value = given.get(name, default)
        return value[axis] if isinstance(value, list) else value

    if kind in ("conv", "max_pool", "avg_pool", "unfold"):
        k, s, d, pad = at("kernel", 1), at("stride", 1), at("dilation", 1), at("pad", 0)
        if pad == "same":
            pad = max((m - 1) * s + (k - 1) * d + 1 - n, 0) // 2
        before = pad[0] if isinstance(pad, list) else pad
        return lambda o: {o * s - before + t * d for t in range(k)}
    if kind in ("conv_transpose", "fold"):  # input i is spread to o = i*s - p + t*d
        k, s, d, p = at("kernel", 1), at("stride", 1), at("dilation", 1), at("pad", 0)
        return lambda o: {(o + p - t * d) // s for t in range(k) if (o + p - t * d) % s == 0}
    if kind in ("adaptive_avg_pool", "adaptive_max_pool"):
        return lambda o: set(range(o * n // m, -(-(o + 1) * n // m)))
    if takes_all(kind, given, axis):
        return lambda o: set(range(n))
    if kind == "upsample" and given.get("mode", "nearest") == "nearest":
        return lambda o: {o * n // m}
    if kind == "upsample":  # half-pixel centres; before the first and after the last position is the border

        def read(o):
            source = Fraction((2 * o + 1) * n, 2 * m) - Fraction(1, 2)
            if given.get("align_corners"):
                source = Fraction(o * (n - 1), m - 1) if m > 1 else Fraction(o * n)
            more = given["mode"] == "bicubic" and source.denominator > 1
            return set(range(floor(source) - more, ceil(source) + more + 1))

        return read
    return lambda o: {o}


def follow(network, net, axis, real):
    """For each unit of the last layer the pixels it sees along an axis, and the same of every step's layer.

    ``real`` leaves padding out at every layer; else the maps go on for ever, and pixels may be negative.
    """
    nodes = iter(network.nodes[1:])

    def run(net, source, n):
        for kind, what in net:
            if registry[kind].joins:
                ends = [run(branch, source, n) for branch in what]
                sizes, ends = [end[1] for end in ends], [end[0] for end in ends]
                m = next(nodes).shape.axes[axis]
                source = joined(ends, sizes, m)
            else:
                m = next(nodes).shape.axes[axis]
                source = applied(source, taps(kind, what, axis, n, m), n, takes_all(kind, what, axis))
            n = m
        return source, n

    def applied(source, read, n, whole):
        return cache(lambda o: frozenset().union(*(source(i) for i in read(o) if not (real or whole) or 0 <= i < n)))

    def joined(ends, sizes, m):
        # a gate has one position, which every unit sees
        return cache(
            lambda o: frozenset().union(
                *(end(0 if size == 1 and m > 1 else o) for end, size in zip(ends, sizes, strict=True))
            )
        )

    pixels = network.input.axes[axis]
    source, m = run(net, lambda i: frozenset([i] if not real or 0 <= i < pixels else []), pixels)
    return [source(o) for o in range(m)]


def hulls(view, m):
    """First and last pixel of each unit by archcalc."""
    return [view.field.of(unit) for unit in range(m)]


# The brute force itself, against torch: positive weights, and averages in place of maxima.

LAYERS = (
    [
        ("conv", {"out": 1, "kernel": k, "stride": s, "pad": p, "dilation": d})
        for k in (1, 2, 3)
        for s in (1, 2, 3)
        for p in (0, 1, 2)
        for d in (1, 2)
    ]
    + [
        ("conv_transpose", {"out": 1, "kernel": k, "stride": s, "pad": p, "dilation": d})
        for k in (1, 2, 3)
        for s in (1, 2, 3)
        for p in (0, 1)
        for d in (1, 2)
    ]
    + [
        ("avg_pool", {"kernel": k, "stride": s, "pad": p, "ceil_mode": c})
        for k in (2, 3)
        for s in (1, 2, 3)
        for p in (0, 1)
        for c in (False, True)
    ]
    + [("adaptive_avg_pool", {"out": m}) for m in range(1, 10)]
    + [("upsample", {"size": m, "mode": mode}) for m in range(1, 16) for mode in ("nearest", "bilinear")]
)


def gradients(kind, given, n):
    """The set of pixels with a gradient, for every output unit, as torch computes it on one axis."""
    torch = pytest.importorskip("torch")
    F = torch.nn.functional  # noqa: N806
    x = torch.ones(1, 1, n, requires_grad=True)
    if kind == "conv":
        out = F.conv1d(x, torch.ones(1, 1, given["kernel"]), None, given["stride"], given["pad"], given["dilation"])
    elif kind == "conv_transpose":
        out = F.conv_transpose1d(
            x, torch.ones(1, 1, given["kernel"]), None, given["stride"], given["pad"], dilation=given["dilation"]
        )
    elif kind == "avg_pool":
        out = F.avg_pool1d(x, given["kernel"], given["stride"], given["pad"], given["ceil_mode"])
    elif kind == "adaptive_avg_pool":
        out = F.adaptive_avg_pool1d(x, given["out"])
    elif given["mode"] == "nearest":
        out = F.interpolate(x, given["size"])
    else:
        out = F.interpolate(x[..., None], (given["size"], 1), mode="bilinear")[..., 0]
    # torch's bilinear positions are floats: a position that is a whole pixel may come with a weight of 1e-7 beside it
    return [
        frozenset((torch.autograd.grad(o, x, retain_graph=True)[0].flatten() > 1e-5).nonzero().flatten().tolist())
        for o in out.flatten()
    ]


@pytest.mark.parametrize(("kind", "given"), LAYERS, ids=str)
@pytest.mark.parametrize("n", [5, 8])
def test_the_brute_force_sees_what_torch_sees(kind, given, n):
    expected = gradients(kind, given, n)
    network = nets.build([(kind, given)], Shape(1, (n,)))
    assert follow(network, [(kind, given)], 0, real=True) == expected


# archcalc against the brute force.


def check(network, net, axis):
    """Every claim that the last layer's view makes about an axis."""
    node = network.nodes[-1]
    row = network.analyze().rows[-1]
    if not node.shape.axes:
        return None
    view, m = row.field_with_gates[axis], node.shape.axes[axis]
    seen = follow(network, net, axis, real=True)
    endless = follow(network, net, axis, real=False)
    for ends, real, wide in zip(hulls(view, m), seen, endless, strict=True):
        assert all(ends[0] <= pixel <= ends[1] for pixel in real)  # true of every view, exact or a bound
        if not view.exact:
            continue
        if view.field.step == 0 and real:  # behind a whole window: cut to the input; a unit may see just padding
            assert ends == (min(real), max(real))
        elif view.field.step != 0:
            assert ends == ((min(wide), max(wide)) if wide else ())
    if view.exact and view.field.step != 0:
        sizes = [max(wide) - min(wide) + 1 if wide else 0 for wide in endless]
        assert (view.field.size, view.field.smallest) == (max(sizes), min(sizes))
    return view


@RANDOM
@given(nets.networks(), nets.shapes)
def test_every_unit_of_a_random_network(net, shape):
    try:
        network = nets.build(net, shape)
    except LayerError:
        assume(False)
    for axis in range(2):
        view = check(network, net, axis)
        event("exact" if view.exact else "a bound")


@RANDOM
@given(nets.exact_networks, nets.shapes)
def test_windows_on_whole_positions_are_exact(net, shape):
    """Of these steps just joins of different steps may give a bound, and a whole map that reads padding alone on an axis."""
    try:
        network = nets.build(net, shape)
    except LayerError:
        assume(False)
    kinds = {node.layer.type for node in network.nodes}
    nothing = not all(any(follow(network, net, axis, real=True)) for axis in range(2))
    for axis in range(2):
        view = check(network, net, axis)
        assert view.exact or kinds & {"upsample", "multiply"} or (view.field.step == 0 and nothing)


@RANDOM
@given(nets.exact_networks, nets.shapes)
def test_least_is_the_smallest_path(net, shape):
    """All paths written out, each followed alone; joins of one step only, where least is a minimum for sure."""
    try:
        network = nets.build(net, shape)
    except LayerError:
        assume(False)
    assume(
        not {"global_avg_pool", "global_max_pool", "reduce", "upsample"} & {node.layer.type for node in network.nodes}
    )
    nodes = iter(network.nodes[1:])

    def sizes(net, before, n, axis):
        """(size, jump) of every path through the steps, one layer after another."""
        for kind, what in net:
            if registry[kind].joins:
                before = [path for branch in what for path in sizes(branch, before, n, axis)]
                next(nodes)
                continue
            m = next(nodes).shape.axes[axis]
            read = taps(kind, what, axis, n, m)
            span, stride = max(read(0)) - min(read(0)), min(read(1)) - min(read(0))
            before, n = [(size + span * jump, jump * stride) for size, jump in before], m
        return before

    for axis in range(2):
        nodes = iter(network.nodes[1:])
        paths = sizes(net, [(1, 1)], shape.axes[axis], axis)
        assert network.analyze().rows[-1].field[axis].least.size == min(size for size, _ in paths)


def view(net, *axes):
    return nets.build(net, Shape(4, axes)).analyze().rows[-1].field


def all_paths(net, *axes):
    return nets.build(net, Shape(4, axes)).analyze().rows[-1].field_with_gates


def conv(kernel, **settings):
    return ("conv", {"out": 4, "kernel": kernel, **settings})


def test_one_formula_written_out():
    """VGG's first stages on one axis: 3x3, 3x3, pool, 3x3: 1, 3, 5, 6, then 6 + 2*2 = 10 pixels in steps of 2."""
    pool = ("max_pool", {"kernel": 2, "stride": 2})
    (seen,) = view([conv(3, pad=1), conv(3, pad=1), pool, conv(3, pad=1)], 32)
    # unit 0: -1-1 = -2 to 2, pool to -2..3, then one step of 2 to either side
    assert (seen.field.first, seen.field.last, seen.field.step, seen.field.per) == (-4, 5, 2, 1)
    assert (seen.field.size, seen.field.start, seen.exact) == (10, -4, True)


def test_a_shortcut_is_the_smallest_path():
    (seen,) = view([("add", [[conv(3, pad=1), conv(5, pad=2)], []]), conv(3)], 32)
    assert (seen.field.size, seen.least.size) == (1 + 2 + 4 + 2, 1 + 2)


def test_a_global_pool_sees_the_whole_input_and_no_more():
    (seen,) = view([conv(3, pad=1), conv(3, pad=1), ("global_avg_pool", {})], 8)
    assert (seen.field.first, seen.field.last, seen.field.step, seen.exact) == (0, 7, 0, True)


def test_a_global_pool_of_a_cropping_stride_sees_what_is_left():
    # 1x1 with stride 3 on 8 pixels reads 0, 3, 6; nothing reads 7
    (seen,) = view([conv(1, stride=3), ("global_avg_pool", {})], 8)
    assert (seen.field.first, seen.field.last, seen.exact) == (0, 6, True)


def test_a_whole_window_over_padding_sees_what_is_read():
    """1x1 with stride 2 on 6 pixels reads 0, 2, 4. The zeros of a 3x3 after it would be pixel 6, cut to 5, which
    nothing reads: the field is 0 to 4."""
    net = [conv(1, stride=2), conv(3, pad=1), ("global_avg_pool", {})]
    (seen,) = view(net, 6)
    assert follow(nets.build(net, Shape(4, (6,))), net, 0, real=True) == [{0, 2, 4}]
    assert (seen.field.first, seen.field.last, seen.exact) == (0, 4, True)


def test_dilation_that_straddles_the_border():
    """Kernel 2, dilation 4, 3 zeros before 4 pixels: outputs 0 to 2 read 1, 2, 3; pixel 0 is never read."""
    net = [conv(2, dilation=4, pad=[[3, 0]]), ("global_avg_pool", {})]
    (seen,) = view(net, 4)
    assert follow(nets.build(net, Shape(4, (4,))), net, 0, real=True) == [{1, 2, 3}]
    assert (seen.field.first, seen.field.last, seen.exact) == (1, 3, True)


def test_a_whole_window_that_reads_nothing_is_a_bound():
    """1x1 with stride 3 and a zero around one pixel reads the zero alone."""
    net = [conv(1, stride=3, pad=1), ("global_avg_pool", {})]
    (seen,) = view(net, 1)
    assert follow(nets.build(net, Shape(4, (1,))), net, 0, real=True) == [set()]
    assert not seen.exact


@pytest.mark.parametrize(
    ("name", "read"),
    [
        # 11x11 with stride 4 makes (224 - 11)//4 + 1 = 54 positions, and 3x3 with stride 2 26 of those, up to position
        # 2*25 + 2 = 52, which reads up to pixel 4*52 + 10 = 218
        ("alexnet_slim", 219),
        ("nin", 4 * ((224 - 11) // 4) + 11),  # 11x11 with stride 4: 222; pooling rounds up and leaves nothing over
        ("squeezenet1_0", 2 * ((224 - 7) // 2) + 7),  # 7x7 with stride 2
        ("resnet50", 224),  # 7x7 with stride 2 and 3 zeros: 2*111 - 3 + 6 = 225
    ],
)
def test_what_a_whole_map_leaves_over(name, read):
    """The layers that see the whole map see no more than is read of the image."""
    last = load(name).analyze().rows[-1]
    assert {(view.field.first, view.field.size, view.exact) for view in last.field} == {(0, read, True)}


def test_a_whole_map_is_followed_whatever_its_size():
    """Every second pixel is read, up to 4 of 0 to 5, and up to 1,999,998 of 0 to 1,999,999."""
    (seen,) = view([conv(1, stride=2), conv(3_000_001, pad=1_500_000), ("global_avg_pool", {})], 6)
    assert (seen.field.size, seen.exact) == (5, True)
    (seen,) = view([conv(1, stride=2), conv(3, pad=1), ("global_avg_pool", {})], 2_000_000)
    assert (seen.field.size, seen.exact) == (1_999_999, True)


def test_one_branch_that_reads_the_edges_is_enough():
    """A residual block with stride 2 on 8 pixels: the projection reads 0 to 6, the 3x3 beside it reads 7 too."""
    block = ("add", [[conv(3, stride=2, pad=1)], [conv(1, stride=2)]])
    (seen,) = view([block, ("global_avg_pool", {})], 8)
    assert (seen.field.first, seen.field.last, seen.exact) == (0, 7, True)


def test_a_gate_sees_everything():
    gated = ("multiply", [[conv(3, pad=1)], nets.gate])
    row = nets.build([gated], Shape(4, (8,))).analyze().rows[-1]
    (seen,), (past,) = row.field_with_gates, row.field
    assert (seen.field.first, seen.field.last, seen.field.step, seen.exact, seen.least.size) == (0, 7, 0, True, 3)
    assert (past.field.first, past.field.last, past.exact) == (-1, 1, True)


@pytest.mark.parametrize(
    ("net", "first", "size"),
    [
        ([conv(3), ("crop", {"by": 2})], 2, 3),  # position 0 of the crop is position 2, which sees pixels 2 to 4
        ([conv(3), ("pad", {"by": [[2, 0]]}), conv(3)], -2, 5),  # two positions before the map
        ([conv(3, stride=2), ("crop", {"by": 1}), conv(2)], 2, 5),  # positions 1 and 2, from pixel 2 to 4 + 2
        ([("pad", {"by": 1}), conv(3)], -1, 3),  # as the padding of the convolution itself
        ([("crop", {"by": 1}), ("pad", {"by": 1})], 0, 1),
        ([("crop", {"size": 6}), ("crop", {"size": 3})], 2, 1),  # 3 off 9: one before; 3 off 6: one more
    ],
)
def test_crop_and_pad_move_a_field(net, first, size):
    (seen,) = view(net, 9)
    assert (seen.field.first, seen.field.size, seen.exact) == (first, size, True)


def test_a_whole_map_that_was_cropped():
    """Of 9 pixels 1 and 2 are cut off, and stride 2 reads positions 0, 2 and 4 of 6: pixels 1 to 5."""
    (seen,) = view([("crop", {"by": [[1, 2]]}), conv(1, stride=2), ("global_avg_pool", {})], 9)
    assert (seen.field.first, seen.field.last, seen.exact) == (1, 5, True)


@pytest.mark.parametrize("join", ["add", "multiply", "mean", "subtract", "maximum"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_single_position_is_seen_from_everywhere(join, turned):
    """A kernel of 9 on 9 pixels makes one position, and all nine units beside it see what it sees, with no step."""
    branches = [[conv(3, pad=1)], [conv(9)]]
    (seen,) = all_paths([(join, branches[::-1] if turned else branches)], 9)
    assert (seen.field.first, seen.field.last, seen.field.step, seen.exact) == (0, 8, 0, True)
    (seen,) = all_paths([(join, [[], [conv(3, stride=9)]])], 9)  # one position, which sees pixels 0 to 2: none sees all
    assert (seen.field.first, seen.field.last, seen.field.step, seen.exact) == (0, 8, 0, False)


def test_a_field_behind_channels_is_that_of_the_map():
    """Channels are not told apart: a slice of a concat is taken to see what the whole concat sees."""
    (seen,) = view([("concat", [[], [conv(5, pad=2)]]), ("slice", {"stop": 4})], 9)
    assert (seen.field.size, seen.least.size) == (5, 1)


def test_fields_of_a_vector_stay():
    net = nets.build([conv(3), ("flatten", {}), ("linear", {"out": 3}), ("relu", {})], Shape(4, (5, 6)))
    assert [(v.field.first, v.field.last) for v in net.analyze().rows[-1].field] == [(0, 4), (0, 5)]


@given(st.integers(1, 9), st.integers(1, 9))
def test_upsampling_is_within_the_two_nearest_pixels(n, m):
    """Nearest reads one pixel and bilinear two: the bounds are no wider than 1 and 3 pixels when enlarging."""
    for mode, most in (("nearest", 1), ("bilinear", 3)):
        (seen,) = view([("upsample", {"size": m, "mode": mode})], n)
        assert seen.field.size <= most or m < n
