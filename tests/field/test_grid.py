"""Fields behind rearrangements: where positions went, worked by hand; and against gradients."""

import pytest

from archcalc import Network
from archcalc.field.grid import Grid
from archcalc.field.layout import Digit, split
from archcalc.layers import registry
from archcalc.sizes import Shape


def net(axes, *layers, channels=4):
    network = Network("moved", Shape(channels, axes))
    for name, settings in layers:
        network.add(f"n{len(network.nodes)}", registry[name](**settings))
    return network


def move(pattern):
    return "rearrange", {"pattern": pattern}


def conv(kernel, **settings):
    return "conv", {"out": 4, "kernel": kernel, **settings}


WINDOWS = move("c (h 4) (w 4) -> c (h w) (4 4)")
GRIDS = move("c (4 h) (4 w) -> c (h w) (4 4)")
READS_ALL = "linear", {"out": 16, "axis": "last"}
TOKENS = move("c h w -> c (h w)")


@pytest.mark.parametrize(
    ("layers", "spans"),
    [
        # positions move, and keep what they see
        ([conv(2, stride=2), TOKENS], [(0, 1), (2, 3), (4, 5)]),
        ([conv(3, pad=1), TOKENS, move("c (16 16) -> c 16 16"), conv(3, pad=1)], [(-2, 2), (-1, 3), (0, 4)]),
        # 2x2 positions become channels: patches of 2 pixels; a 3x3 after it sees 6 pixels
        ([move("c (h 2) (w 2) -> (c 2 2) h w")], [(0, 1), (2, 3), (4, 5)]),
        ([move("c (h 2) (w 2) -> (c 2 2) h w"), conv(3, pad=1)], [(-2, 3), (0, 5), (2, 7)]),
        # the outer part: position 0 reads 0 and 8, position 1 reads 1 and 9
        ([move("c (2 h) (2 w) -> (c 2 2) h w")], [(0, 8), (1, 9), (2, 10)]),
        # channels become positions: every position twice
        ([conv(2, stride=2), move("(c 2 2) h w -> c (h 2) (w 2)")], [(0, 1), (0, 1), (2, 3)]),
        ([move("(c 2 2) h w -> c (h 2) (w 2)"), conv(3, pad=1)], [(-1, 0), (0, 1), (0, 1), (1, 2)]),
        # a unit reads the 4 positions of its window
        ([WINDOWS, READS_ALL], [(0, 3), (0, 3), (0, 3), (0, 3), (4, 7)]),
        # every fourth position of 16
        ([GRIDS, READS_ALL], [(0, 12), (1, 13), (2, 14), (3, 15), (0, 12)]),
        # within windows of 4, then over the grid: windows 0, 4, 8 and 12 together, the whole map
        ([WINDOWS, READS_ALL, move("c (a 4) (b 4) -> c (a b) (4 4)"), GRIDS, READS_ALL], [(0, 15)] * 3),
        # all windows together: 4 positions, one in each
        ([WINDOWS, move("c a b -> c b a"), READS_ALL], [(0, 12), (1, 13), (2, 14)]),
        # the mean of a window
        ([WINDOWS, READS_ALL, move("c a b -> (c b) a")], [(0, 3), (4, 7), (8, 11)]),
        ([TOKENS, ("linear", {"out": 5, "axis": "last"})], [(0, 15)]),
        # rolled and rolled back
        ([("roll", {"by": 3}), conv(1), ("roll", {"by": -3}), conv(3, pad=1)], [(-1, 1), (0, 2), (1, 3)]),
        # windows of the rolled map hold 14, 15, 0 and 1; then 2 to 5
        ([("roll", {"by": -2}), WINDOWS, READS_ALL], [(0, 15), (0, 15), (2, 5), (2, 5), (2, 5), (2, 5), (6, 9)]),
        ([("slice", {"start": 1, "axis": "height"}), ("slice", {"start": 1, "axis": "width"})], [(1, 1), (2, 2)]),
        ([("global_avg_pool", {}), ("expand", {"size": [5, 5]}), conv(3)], [(0, 15)] * 3),
    ],
)
def test_fields_behind_rearrangements(layers, spans):
    network = net((16, 16), *layers)
    layer = network.analyze().field.layers[-1]
    for along in layer.field:
        assert along.exact
        assert [along.field.of(unit) for unit in range(len(spans))] == spans


@pytest.mark.parametrize(
    "layers",
    [
        [TOKENS, conv(3, pad=1)],  # three tokens in a row lie in one row of the map, or in two
        [WINDOWS, conv(3, pad=1)],
        [("roll", {"by": 3}), conv(3, pad=1)],
        [TOKENS, ("slice", {"start": 5, "axis": "length"})],
        [WINDOWS, ("slice", {"stop": 1, "axis": "width"})],
        # channels carry all of the 4 positions, and no layer has read the channels together
        [move("c (h 2) (w 2) -> (c 2 2) h w"), move("(c 2 2) h w -> c (h 2) (w 2)")],
        [move("c (h 2) w -> c h (2 w)"), conv(3, pad=1)],
        [("flatten", {}), move("(c 4 64) -> c 4 64")],
    ],
)
def test_what_no_layout_describes_is_a_bound(layers):
    *_, layer = net((16, 16), *layers).analyze().field.layers
    assert not all(along.exact for along in layer.field)


def test_a_vector_that_becomes_a_map_sees_what_the_vector_sees():
    network = net((8, 8), conv(3, pad=1), ("flatten", {}), ("linear", {"out": 64}), move("(c 4 4) -> c 4 4"), conv(3))
    *_, last = network.analyze().field.layers
    assert [(along.field.first, along.field.last, along.exact) for along in last.field] == [(0, 7, True)] * 2


def test_maps_side_by_side():
    network = net((8,), conv(3, pad=1), conv(5, stride=2, pad=2))
    network.add("both", registry["concat"](axis="length"), [1, 2])
    ((along,),) = (row.field for row in network.analyze().rows[-1:])
    assert along.exact
    assert [along.field.of(unit) for unit in (0, 7, 8, 9, 11)] == [(-1, 1), (6, 8), (-3, 3), (-1, 5), (3, 9)]


def test_a_token_knows_nothing_until_it_reads_the_map():
    network = Network("tokens", {"image": Shape(4, (4, 4)), "token": Shape(4, (1,))})
    network.add("patches", registry["conv"](out=4, kernel=2, stride=2), [0])
    network.add("tokens", registry["to_tokens"]())
    network.add("all", registry["concat"](axis="length"), [1, 3])
    network.add("early", registry["slice"](stop=1, axis="length"))
    network.add("mixed", registry["linear"](out=5, axis="last"), [4])
    network.add("late", registry["slice"](stop=1, axis="length"))
    field = network.analyze().field
    assert [layer.node.name for layer in field.layers] == ["image", "patches", "tokens", "all", "mixed", "late"]
    assert [unit.inside for unit in field.unit("all", (0,))] == [(), ()]
    assert [unit.inside for unit in field.unit("all", (2,))] == [(0, 1), (2, 3)]
    assert [unit.inside for unit in field.unit("mixed", (0,))] == [(0, 3), (0, 3)]
    assert [(along.field.size, along.exact) for along in field.layer("late").field] == [(4, True)] * 2


def test_tokens_between_tokens_and_a_map():
    """A token that read everything knows everything, also beside other patches. A new token knows nothing."""
    network = Network("tokens", {"image": Shape(4, (4, 4)), "token": Shape(4, (1,))})
    network.add("patches", registry["conv"](out=4, kernel=2, stride=2), [0])
    network.add("tokens", registry["to_tokens"]())
    network.add("read", registry["attention"](heads=1), [3, 3, 3])
    network.add("new", registry["concat"](axis="length"), [1, 4])
    network.add("told", registry["attention"](heads=1), [5, 5, 5])
    network.add("token told", registry["slice"](stop=1, axis="last"), [6])
    network.add("patches told", registry["slice"](start=1, axis="last"), [6])
    network.add("map", registry["to_map"](size=[2, 2]))
    network.add("wide", registry["conv"](out=4, kernel=[2, 1], stride=[2, 1]))
    network.add("pooled", registry["to_tokens"]())
    network.add("again", registry["concat"](axis="last"), [7, 11])
    field = network.analyze().field
    assert [unit.inside for unit in field.unit("new", (0,))] == [(), ()]
    for unit in range(3):
        assert [(along.inside, along.exact) for along in field.unit("again", (unit,))] == [((0, 3), True)] * 2
    assert Grid(network).axes(12) == (1, 2)


def test_the_unit_of_a_window():
    """Window 5 of 16 is in row 1 and column 1 of the windows; its position 6 in row 1 and column 2 of the window."""
    network = net((16, 16), WINDOWS)
    assert Grid(network).position(1, (5, 6)) == (5, 6)
    assert [field.inside for field in network.analyze().field.unit("n1", (4, 3))] == [(4, 4), (3, 3)]


def test_parts_of_digits():
    assert split([Digit(0, 8), Digit(1, 6)], [16, 3]) == [[Digit(0, 8), Digit(1, 2, 3)], [Digit(1, 3)]]
    assert split([Digit(0, 6)], [4]) is None


def test_networks_without_rearrangements_have_no_layouts():
    assert Grid(net((16, 16), conv(3), ("channel_shuffle", {"groups": 2}))).plain


@pytest.mark.parametrize("seed", range(60))
def test_every_unit_sees_the_pixels_of_its_gradient(seed):
    pytest.importorskip("torch")
    from tests.field.moved import measured, network

    for unit in measured(network(seed)):
        assert unit.agrees, unit
        assert unit.in_field, unit


def attention(network, **settings):
    """Attention of the last map to itself."""
    at = len(network.nodes) - 1
    network.add(f"n{at + 1}", registry["attention"](heads=1, **settings), [at, at, at])
    return network.analyze().field.layers[-1].field[0]


def spans(along, units):
    assert along.exact
    return [along.field.of(unit) for unit in units]


def test_a_vision_transformer_sees_a_patch_and_then_everything():
    network = net((64, 64), conv(16, stride=16))
    assert spans(network.analyze().field.layers[-1].field[0], (0, 3)) == [(0, 15), (48, 63)]
    network.add("tokens", registry["to_tokens"]())
    assert spans(attention(network), (0, 3)) == [(0, 63), (0, 63)]


def test_maxvit_sees_a_window_and_then_the_grid():
    """Windows of 2 of 8 positions. Position 3 of the grid attention reads 1, 3, 5 and 7, each with its window."""
    network = net((16,), conv(2, stride=2))
    network.add("windows", registry["windows"](size=2))
    assert spans(attention(network), (0, 1, 2, 7)) == [(0, 3), (0, 3), (4, 7), (12, 15)]
    network.add("map", registry["from_windows"](size=[8]))
    network.add("grid", registry["windows"](size=4, grid=True))
    assert spans(attention(network), (0, 1, 3)) == [(0, 15), (0, 15), (0, 15)]


def test_causal_attention():
    assert spans(attention(net((6,), conv(3, pad=1)), causal=True), (0, 2, 5)) == [(-1, 1), (-1, 3), (-1, 6)]


def test_a_bias_is_read_row_by_row():
    """The bias is made of 3 x 4 pixels: a query sees 3 rows, its own and one on each side, and all columns."""
    network = Network("biased", {"map": Shape(3, (5, 6)), "tokens": Shape(4, (5,))})
    network.add("rows", registry["conv"](out=2, kernel=(1, 3), pad=(0, 1)), [0])
    network.add("bias", registry["conv"](out=2, kernel=(3, 2), pad=(1, 0)), [2])
    network.add("attention", registry["attention"](heads=2), [1, 1, 1, 3])
    height, width = network.analyze().field.layers[-1].field
    assert spans(height, (0, 2)) == [(-1, 1), (1, 3)]
    assert spans(width, (0, 2)) == [(0, 5), (0, 5)]


def test_attention_to_another_map():
    """A unit sees its own position of the queries, 0 to 5 of 8, and all that the keys and values see."""
    network = net((8,), ("crop", {"by": [[0, 2]]}), channels=4)
    network.add("wide", registry["attention"](heads=1), [1, 0, 0])
    assert spans(network.analyze().field.layers[-1].field[0], (0, 5)) == [(0, 7), (0, 7)]
    network.add("narrow", registry["attention"](heads=1), [0, 1, 1])
    assert not network.analyze().field.layers[-1].field[0].exact
    assert [field.inside for field in network.analyze().field.unit("narrow", (7,))] == [(0, 7)]
    assert [field.inside for field in network.analyze().field.unit("narrow", (1,))] == [(0, 5)]


def test_patches_that_leave_pixels_over():
    """Patches of 4 of 18 pixels: attention reads 16 pixels, in which every patch lies."""
    network = net((18,), conv(4, stride=4))
    assert spans(attention(network), (0, 3)) == [(0, 15), (0, 15)]


def swin_block(network, size, shift):
    """Attention in windows of 7 positions; of the map that is rolled by ``shift``, with a mask."""
    layer = registry["attention"](heads=1, block=7, shift=shift, size=size)
    start = len(network.nodes) - 1
    network.add("", registry["roll"](by=-shift))
    at = network.add("", registry["windows"](size=7))
    network.add("", layer, [at, at, at])
    network.add("", registry["from_windows"](size=[size]))
    at = network.add("", registry["roll"](by=shift))
    network.add(f"block {size} {shift}", registry["add"](), [start, at])


def test_swin_t_stage_by_stage():
    """Patches of 4 pixels; block 1 sees 7 of them. A window of block 2 starts at position 3, 10, ...: it lies in two
    windows of block 1. Two merged positions can lie in two windows of block 2, which overlap by 28 pixels.
    """
    network = net((224,), conv(4, stride=4))
    swin_block(network, 56, 0)
    swin_block(network, 56, 3)
    network.add("merging", registry["space_to_depth"](block=2))
    swin_block(network, 28, 0)
    swin_block(network, 28, 3)
    field = network.analyze().field
    expected = {
        "block 56 0": (28, [(0, 27)] * 7 + [(28, 55)]),
        "block 56 3": (56, [(-28, 27)] * 3 + [(0, 55)] * 7 + [(28, 83)]),
        "merging": (84, [(-28, 27), (-28, 55), (0, 55)]),
        "block 28 0": (112, [(-28, 83)] * 7 + [(28, 139)]),
        "block 28 3": (168, [(-84, 83)] * 3 + [(-28, 139)] * 7 + [(28, 195)]),
    }
    for name, (size, first) in expected.items():
        (along,) = field.layer(name).field
        assert spans(along, range(len(first))) == first, name
        assert along.field.size == size, name
    assert field.unit("block 56 3", (0,))[0].inside == (0, 27)


def test_shifted_windows_without_a_mask_see_both_ends():
    network = net((28,), ("roll", {"by": -3}), ("windows", {"size": 7}))
    assert spans(attention(network), (0, 2, 3, 9, 10, 25)) == [(0, 27)] * 2 + [(3, 9)] * 2 + [(10, 16), (0, 27)]


def test_a_mask_of_another_shift_is_a_bound():
    network = net((28,), ("roll", {"by": -2}), ("windows", {"size": 7}))
    layer = registry["attention"](heads=1, block=7, shift=3, size=28)
    network.add("masked", layer, [2, 2, 2])
    (along,) = network.analyze().field.layers[-1].field
    assert (along.field.first, along.field.last, along.exact) == (0, 27, False)


def test_on_arrays_of_sizes_a_field_contains_those_of_the_single_sizes():
    np = pytest.importorskip("numpy")
    layers = [conv(3, pad=1), ("space_to_depth", {"block": 2}), ("windows", {"size": 2}), TOKENS, ("roll", {"by": 3})]

    def rows(n):
        network = net((n, n), *layers)
        network.add("attention", registry["attention"](heads=1), [5, 5, 5])
        network.add("rest", registry["slice"](axis="length", start=1))
        return network.analyze().rows

    sizes = np.array([8, 16, 24])
    for row, *single in zip(rows(sizes), *map(rows, map(int, sizes)), strict=True):
        most = np.broadcast_to(row.field[0].field.size, 3)
        assert all(one.field[0].field.size <= size for one, size in zip(single, most, strict=True)), row.name
