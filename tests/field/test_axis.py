"""Fields of units that differ: phases through windows and joins, and a U-Net followed by sets, unit by unit."""

from fractions import Fraction
from functools import cache
from math import ceil, floor

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archcalc import load
from archcalc.field.axis import AxisField, join
from archcalc.field.field import Field, in_turns
from archcalc.layers import registry
from archcalc.sizes import Shape, Window, smallest

NEAREST = Window(2, 1, 1, 2, reads=((0, 0), (0, 0)))
TRANSPOSED = Window(3, 1, 1, 2, reads=((0, 0), (0, 1)))  # kernel 3, stride 2, pad 1


def seen(view, units):
    return [view.field.of(unit) for unit in range(units)]


@pytest.mark.parametrize(
    ("windows", "spans"),
    [
        # two units see what one saw
        ([NEAREST], [(0, 0), (0, 0), (1, 1), (1, 1)]),
        # then 3 wide, pad 1: units -1 to 1, 0 to 2, 1 to 3
        ([NEAREST, Window(3, 1, 1)], [(-1, 0), (0, 1), (0, 1), (1, 2)]),
        # then every second: the phases are gone
        ([NEAREST, Window(2, 2)], [(0, 0), (1, 1), (2, 2), (3, 3)]),
        # dilated by 2: units -2, 0 and 2, and so on
        ([NEAREST, Window(5, 1, 2, by=2)], [(-1, 1), (-1, 1), (0, 2), (0, 2)]),
        ([TRANSPOSED], [(0, 0), (0, 1), (1, 1), (1, 2)]),
        # a 3 wide on steps of 2 before: 0-2 and 2-4, and both
        ([Window(3, 2), TRANSPOSED], [(0, 2), (0, 4), (2, 4), (2, 6)]),
        # kernel 1, stride 2: every other output reads nothing; a 2 wide behind it always reads one
        ([Window(1, 1, 0, 2, reads=((0, 0), ()))], [(0, 0), (), (1, 1), ()]),
        ([Window(1, 1, 0, 2, reads=((0, 0), ())), Window(2)], [(0, 0), (1, 1), (1, 1), (2, 2)]),
        # 5 positions to 3: 0-1, 1-3, 3-4, and again 5 further on
        ([Window(7, 5, 2, 3, reads=((0, 1), (1, 3), (3, 4)))], [(0, 1), (1, 3), (3, 4), (5, 6)]),
    ],
)
def test_units_through_windows(windows, spans):
    view = AxisField()
    for window in windows:
        view = view.through(window, 64)
    assert view.exact
    assert seen(view, 4) == spans
    sizes = [span[1] - span[0] + 1 if span else 0 for span in spans]
    assert (view.field.size, view.field.smallest) == (max(sizes), min(sizes))


def test_phases_that_are_alike_are_one():
    assert in_turns([(0, 1), (2, 3)], 4) == Field(0, 1, 2)
    assert in_turns([(0, 1), (2, 4), (4, 5), (6, 8)], 8) == in_turns([(0, 1), (2, 4)], 4)


def test_a_join_takes_the_hull_of_each_unit():
    up = AxisField().through(Window(2, 2), 64).through(NEAREST, 64)  # 0-1, 0-1, 2-3, 2-3
    joined = join([up, AxisField()], 64)
    assert joined.exact
    assert seen(joined, 4) == [(0, 1), (0, 1), (2, 3), (2, 3)]
    assert seen(join([up, AxisField().through(Window(3, 1, 1), 64)], 64), 4) == [(-1, 1), (0, 2), (1, 3), (2, 4)]


def test_too_many_phases_are_a_bound():
    many = AxisField().through(NEAREST, 64, most=1)
    assert not many.exact
    assert all(span[0] <= unit // 2 <= span[1] for unit, span in enumerate(seen(many, 8)))


def test_a_map_of_fewer_units_than_phases():
    """Units 0 and 1 of three that differ: 0-1 and 1-3, of which the larger is 3 pixels and the smaller 2."""
    view = AxisField().through(Window(7, 5, 2, 3, reads=((0, 1), (1, 3), (3, 3))), 64)
    assert (view.field.size, view.field.smallest) == (3, 1)
    assert (view.field.on(2).size, view.field.on(2).smallest) == (3, 2)


def test_a_line_of_several_sizes_is_the_same_on_every_map():
    per = pytest.importorskip("numpy").array([1, 2])
    assert Field(0, 1, 2, per).on(1) == Field(0, 1, 2, per)


@pytest.mark.parametrize(
    ("layers", "read"),
    [  # a 1x1 of stride 2 on 8 pixels reads up to 6; the 3x3 before it, which overlaps, up to 7
        ([{"kernel": 1, "stride": 2}], (0, 6)),
        ([{"kernel": 3, "pad": 1}, {"kernel": 1, "stride": 2}], (0, 7)),
        ([{"kernel": 3, "pad": 1}, {"kernel": 1, "stride": 3}], (0, 7)),  # unit 6 reads 5 to 7
        ([{"kernel": 3, "pad": 1}, {"kernel": 1, "stride": 4}], (0, 5)),  # unit 4 reads 3 to 5
        ([{"kernel": 3, "dilation": 3, "pad": 3}, {"kernel": 1, "stride": 3}], (0, 6)),  # 0, 3 and 6 read 0, 3 and 6
    ],
)
def test_how_many_units_at_the_ends_still_read_the_edges(layers, read):
    from archcalc import Network

    network = Network("edges", Shape(1, (8,)))
    for chosen in layers:
        network.add("", registry["conv"](out=1, **chosen))
    network.add("all", registry["global_avg_pool"]())
    (view,) = network.analyze().rows[-1].field
    assert (view.field.first, view.field.last, view.exact) == (*read, True)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(*(st.integers(0, 5),) * 2, *(st.integers(1, 4),) * 3), min_size=3, max_size=3),
        min_size=1,
        max_size=3,
    )
)
def test_windows_of_arrays_are_those_of_their_elements(layers):
    """Windows of arrays of padding, kernels, strides and dilations, on maps of 24 pixels at first."""
    np = pytest.importorskip("numpy")

    def behind(columns):
        field, size = AxisField(), 24
        for before, after, kernel, stride, by in columns:
            span, there = (kernel - 1) * by + 1, size
            size = (size + before + after - span) // stride + 1
            assume(smallest(size) > 0)
            over = (size - 1) * stride - before + span - there
            field = field.through(Window(span, stride, before, by=by, over=over), 24, units=size)
        return field, field.through(Window(size, whole=True), 24)

    arrays = behind([np.array(rows).T for rows in layers])
    for i in range(3):
        for found, single in zip(arrays, behind([rows[i] for rows in layers]), strict=True):
            numbers = [np.broadcast_to(n, 3)[i] for n in (*found.field[:4], *found.ends, found.exact)]
            assert numbers == [*single.field[:4], *single.ends, single.exact]


UNET = """input: [1, 256, 256]
params: {up: transposed}
blocks:
  double:
    layers:
      - conv: {out: 4, kernel: 3, pad: 1}
        repeat: 2
  up:
    layers:
      - conv_transpose: {out: 4, kernel: 2, stride: 2}
        when: up == 'transposed'
      - upsample: {scale: 2, mode: "'nearest' if up == 'nearest' else 'bilinear'"}
        when: up != 'transposed'
layers:
"""
UNET += "".join(
    f"  - double:\n    name: d{i}\n" + ("  - max_pool: {kernel: 2, stride: 2}\n" if i < 5 else "") for i in range(1, 6)
)
UNET += "".join(
    f"  - up:\n    name: up{i}\n  - concat:\n    from: [d{i}, up{i}]\n  - double:\n    name: u{i}\n"
    for i in range(4, 0, -1)
)


def followed(up):
    """Per unit the set of pixels of an endless image, by what each kind of layer reads; none of archcalc's formulas."""

    def conv(source):
        return cache(lambda o: source(o - 1) | source(o) | source(o + 1))

    def pool(source):
        return cache(lambda o: source(2 * o) | source(2 * o + 1))

    def doubled(source):
        if up != "bilinear":  # kernel 2 with stride 2 spreads each position over two
            return cache(lambda o: source(o // 2))

        def both(o):
            at = Fraction(2 * o + 1, 4) - Fraction(1, 2)
            return source(floor(at)) | source(ceil(at))

        return cache(both)

    def joined(a, b):
        return cache(lambda o: a(o) | b(o))

    down, at = [], lambda o: frozenset([o])
    for level in range(5):
        at = conv(conv(pool(at) if level else at))
        down.append(at)
    found = {"d5": at}
    for level in range(3, -1, -1):
        at = conv(conv(joined(down[level], doubled(at))))
        found[f"u{level + 1}"] = at
    return found


@pytest.mark.parametrize(
    ("up", "largest", "middle"), [("transposed", 204, 188), ("nearest", 204, 188), ("bilinear", 236, None)]
)
def test_a_unet_unit_by_unit(tmp_path, up, largest, middle):
    """140 pixels at the bottom: 5, 6, 14, 16, 32, 36, 68, 76, 140 by +2*2*step, and +step for a pooling."""
    path = tmp_path / "unet.yaml"
    path.write_text(UNET)
    analysis = load(str(path), up=up).analyze()
    assert analysis["d5.conv2"].field[0].field.size == 140
    sets = followed(up)
    for block in ("u4", "u3", "u2", "u1"):
        row = analysis[f"{block}.conv2"]
        (n, _), (view, other) = row.shape.axes, row.field
        hulls = [(min(sets[block](o)), max(sets[block](o))) for o in range(n)]
        assert view == other
        assert view.exact
        assert [view.field.of(o) for o in range(n)] == hulls
        sizes = [high - low + 1 for low, high in hulls]
        assert (view.field.size, view.field.smallest) == (max(sizes), min(sizes))
    assert max(sizes) == largest
    assert middle is None or sizes[128] == middle
