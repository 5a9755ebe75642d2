"""Patterns of data movement: the shapes they make, and the messages about patterns that do not fit."""

import pytest

from archcalc.errors import LayerError
from archcalc.layers.arrangement import read_pattern
from archcalc.layers.axes import axis_number
from archcalc.layers.move import root
from archcalc.sizes import Shape

SHAPES = [
    ("c (h 2) (w 2) -> (c 2 2) h w", (3, 8, 6), (12, 4, 3)),  # space to depth
    ("(c 2 3) h w -> c (h 2) (w 3)", (12, 4, 3), (2, 8, 9)),  # pixel shuffle by 2 and 3
    ("c h w -> c (h w)", (3, 8, 6), (3, 48)),  # tokens
    ("c (8 w) -> c 8 w", (3, 48), (3, 8, 6)),  # and back
    ("c (h 7) (w 7) -> c (h w) (7 7)", (96, 56, 28), (96, 32, 49)),  # windows
    ("(2 c) h -> (c 2) h", (6, 4), (6, 4)),  # channel shuffle
    ("c 1 1 -> c", (5, 1, 1), (5,)),
    ("c -> c () 1", (5,), (5, 1, 1)),
    ("c h w -> w c h", (2, 3, 4), (4, 2, 3)),
    ("c (h p) (w q) -> (q p c) h w, p=2, q=3", (3, 8, 6), (18, 4, 2)),
    ("c (h one) w -> c (one h) w,one = 1", (3, 8, 6), (3, 8, 6)),
]


@pytest.mark.parametrize(("pattern", "before", "after"), SHAPES)
def test_a_pattern_moves_sizes(pattern, before, after):
    arrangement = read_pattern(pattern).arranged(Shape(before[0], before[1:]))
    assert arrangement.shape == Shape(after[0], after[1:])
    parts = [sorted(part for group in side for part in group) for side in arrangement]
    assert parts[0] == parts[1]


def test_equal_numbers_correspond_in_their_order():
    before, after = read_pattern("c (h 2) (w 2) -> (c 2 2) h w").arranged(Shape(1, (4, 6)))
    assert (before[1][1], before[2][1]) == after[0][1:]


def test_named_sizes_swap_parts_that_are_equal():
    """Patches merged as in Swin: the columns outermost. With numbers, equal parts would keep their order."""
    named = read_pattern("c (h p) (w q) -> (q p c) h w, p=2, q=2").arranged(Shape(1, (4, 6)))
    numbers = read_pattern("c (h 2) (w 2) -> (2 2 c) h w").arranged(Shape(1, (4, 6)))
    (_, (_, row), (_, column)) = named.before
    assert named.after[0][:2] == (column, row)
    assert numbers.after[0][:2] == (numbers.before[1][1], numbers.before[2][1])


@pytest.mark.parametrize(
    ("pattern", "shape", "message"),
    [
        ("c h w - c h", (1, 2, 3), "expected a pattern with one arrow, such as 'c (h 2) (w 2) -> (c 2 2) h w'"),
        ("c h ->", (1, 2), "'c h ->': nothing on one side of the arrow"),
        ("c h) w -> c h w", (1, 2, 3), "')' is out of place"),
        ("c (h w -> c h w", (1, 2, 3), "a bracket is not closed"),
        ("c h h -> c h h", (1, 2, 3), "h stands twice before the arrow"),
        ("c h 0 -> c h", (1, 2, 3), "a size is a whole number from 1, got 0"),
        ("c h w -> c h", (1, 2, 3), "w has no counterpart after the arrow; reduce removes an axis"),
        ("c h -> c h 3", (1, 2), "3 has no counterpart before the arrow; expand repeats an axis of size 1"),
        ("c h -> c h", (1, 2, 3), "has 2 groups before the arrow, but the input 1x2x3 has 3 sizes"),
        ("c (h w) -> c h w", (1, 6), "in (h w), at most one part can have no number, got h, w"),
        ("c (h 7) w -> c h (7 w)", (1, 57, 3), "the height 57 of (h 7) is not divisible by 7; 56 and 63 would fit"),
        ("c (h 7) w -> c h (7 w)", (1, 5, 3), "the height 5 of (h 7) is not divisible by 7; 7 would fit"),
        ("c 4 w -> c (4 w)", (1, 5, 3), "the height of 4 must be 4, got 5"),
        (
            "c (h p) w -> c h (p w), p=7",
            (1, 57, 3),
            "the height 57 of (h p) is not divisible by 7; 56 and 63 would fit",
        ),
        ("c p w -> c (p w), p=4", (1, 5, 3), "the height of p must be 4, got 5"),
        ("c (h p) -> (p c) h, p", (1, 4), "expected the size of a part behind the comma, as in 'c (h p) (w q) -> "),
        ("c (h p) -> (p c) h, p=-2", (1, 4), "p=2, q=2', got 'p=-2'"),
        ("c (h p) -> (p c) h,", (1, 4), "p=2, q=2', got ''"),
        ("c (h p) -> (p c) h, p=2, p=2", (1, 4), "p has two sizes"),
        ("c (h p) -> (p c) h, p=0", (1, 4), "a size is a whole number from 1, got p=0"),
        ("c (h p) -> (p c) h, p=2, q=2", (1, 4), "q has a size, but is no part of the pattern"),
        ("c (h p) -> (c) h, p=2", (1, 4), "p has no counterpart after the arrow; reduce removes an axis"),
        ("c, p=2 -> c", (1, 4), "',' is out of place"),
        ("c " + "h" * 300 + " -> c", (1, 5), "a pattern has at most 200 characters, got 307"),
    ],
)
def test_a_pattern_that_does_not_fit_says_why(pattern, shape, message):
    with pytest.raises(LayerError) as error:
        read_pattern(pattern).arranged(Shape(shape[0], shape[1:]))
    assert message in str(error.value)


def test_an_axis_has_a_name():
    numbers = [axis_number(name, Shape(3, (4, 5)), "slice") for name in ("channels", "height", "width", "last")]
    assert numbers == [0, 1, 2, 2]
    with pytest.raises(LayerError, match=r"slice over the axis depth, but the input is 3x4x5: its axes are channels"):
        axis_number("depth", Shape(3, (4, 5)), "slice")


@pytest.mark.parametrize(
    ("positions", "degree", "size"), [(2**62, 2, 2**31), ((10**20 + 7) ** 2, 2, 10**20 + 7), (10**600, 3, 10**200)]
)
def test_the_size_of_a_window_is_computed_in_whole_numbers(positions, degree, size):
    """A number of 600 digits is larger than any float."""
    assert root(positions, degree) == size
    with pytest.raises(LayerError):
        root(positions - 1, degree)
