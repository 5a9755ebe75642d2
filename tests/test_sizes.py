"""The helpers on ints and arrays alike, and fields through windows and joins."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.errors import LayerError
from archcalc.field.axis import AxisField, join
from archcalc.field.field import Field
from archcalc.sizes import (
    NO_WORK,
    Shape,
    Window,
    Work,
    ceil_div,
    divide,
    equal,
    gcd,
    greater,
    int_text,
    is_array,
    largest,
    lesser,
    positive,
    product,
    smallest,
)

ints = st.integers(-(10**6), 10**6)
naturals = st.integers(1, 10**6)


@given(ints, ints, naturals, naturals)
def test_helpers_on_ints(a, b, m, n):
    assert positive(a) == max(a, 0)
    assert (lesser(a, b), greater(a, b)) == (min(a, b), max(a, b))
    assert ceil_div(a, n) == math.ceil(a / n)  # below 2**53 the float quotient rounds up right
    assert gcd(m, n) == math.gcd(m, n)
    assert product([a, b, n]) == a * b * n
    assert divide(a * n, n, "a / n") == a


@given(st.lists(st.tuples(ints, ints, naturals, naturals), min_size=1, max_size=5))
def test_helpers_on_arrays_equal_those_on_ints(rows):
    a, b, m, n = np.array(rows).T
    for function, xs in [(positive, (a,)), (lesser, (a, b)), (greater, (a, b)), (ceil_div, (a, n)), (gcd, (m, n))]:
        assert function(*xs).dtype == "int64"
        assert function(*xs).tolist() == [function(*map(int, row)) for row in zip(*xs, strict=True)]
    # one of the two a plain int
    assert gcd(m, 12).tolist() == [math.gcd(int(k), 12) for k in m]
    assert gcd(12, m).tolist() == [math.gcd(int(k), 12) for k in m]
    assert lesser(a, 3).tolist() == [min(int(k), 3) for k in a]


@given(st.lists(st.tuples(naturals, naturals), min_size=1, max_size=5))
def test_gcd_in_float64_is_exact_below_2_to_the_53(rows):
    """The overflow proof runs the engine in float64."""
    m, n = np.array(rows, "float64").T
    assert gcd(m, n).tolist() == [math.gcd(int(a), int(b)) for a, b in rows]


def test_python_ints_have_no_bound():
    big = 10**30
    assert ceil_div(big + 1, 10) == 10**29 + 1  # a float would give 10**29
    assert product([big, big]) == 10**60
    assert gcd(6 * big, 4 * big) == 2 * big
    assert lesser(big, big + 1) == big


def test_product_of_nothing():
    assert product([]) == 1


@pytest.mark.parametrize(("a", "text"), [(7, "7"), (np.array([6, 7, 9]), r"\[6\.\.9\]")])
def test_divide_refuses_a_remainder(a, text):
    with pytest.raises(LayerError, match=f"^channels: {text} is not divisible by 3$"):
        divide(a, 3, "channels")


def test_equal_looks_at_every_element():
    assert equal(3, 3)
    assert not equal(3, 4)
    assert equal(np.array([3, 3]), 3)
    assert not equal(np.array([3, 4]), 3)
    assert type(equal(np.array([3, 3]), 3)) is bool


def test_extremes_and_arrays():
    numbers = np.array([[3, 1], [2, 5]])
    assert (smallest(numbers), largest(numbers), smallest(7), largest(7)) == (1, 5, 7, 7)
    assert is_array(numbers)
    assert not is_array(7)
    assert not is_array(np.int64(7))
    assert (int_text(numbers), int_text(7)) == ("[1..5]", "7")


def test_shape():
    assert Shape(3, (4, 5)).values == 60
    assert Shape(3).values == 3
    assert (str(Shape(3, (4, 5))), str(Shape(3))) == ("3x4x5", "3")
    assert str(Shape(3, (np.array([4, 8]), 5))) == "3x[4..8]x5"


def test_work():
    assert Work(mac=1, exp=2).times(3) == Work(mac=3, exp=6)
    assert Work.sum([Work(1, 2), Work(3, 4, 5)]) == Work(4, 6, 5)
    assert Work.sum([]) == NO_WORK


# first, last, step, per of a field before; a window; and after, by the pixels that unit i sees
THROUGH = [
    # 3 wide, pad 1: unit i sees i-1 to i+1
    (Field(), Window(3, 1, 1), Field(-1, 1, 1)),
    # then 2 wide, stride 2: units 2i and 2i+1, so pixels 2i-1 to 2i+2
    (Field(-1, 1, 1), Window(2, 2, 0), Field(-1, 2, 2)),
    # on steps of 2, 3 wide, dilation 2 (span 5), pad 2: units i-2 to i+2, pixels 2i-4-1 to 2i+4+2
    (Field(-1, 2, 2), Window(5, 1, 2), Field(-5, 6, 2)),
    # transposed, kernel 2, stride 2: unit o reads input (o - t)/2 for t in 0, 1: from (o-1)/2 to o/2
    (Field(), Window(2, 1, 1, up=2), Field(-1, 0, 1, 2)),
    # the same on steps of 4: pixels 4*(o-1)/2 to 4*o/2, in halves: 4*o-4 to 4*o
    (Field(0, 0, 4), Window(2, 1, 1, up=2), Field(-4, 0, 4, 2)),
    # halves again: quarters
    (Field(-1, 0, 1, 2), Window(2, 1, 1, up=2), Field(-3, 0, 1, 4)),
    # a whole window over 8 units from -1 to 7+1, cut to pixels 0 to 7
    (Field(-1, 1, 1), Window(8, whole=True), Field(0, 7, 0)),
    # over 3 units of step 3, pixels 0, 3 and 6: nothing to cut
    (Field(0, 0, 3), Window(3, whole=True), Field(0, 6, 0)),
    # over 2 halves: 1/2 to 3/2 and 1 to 2: the pixels from 1 to 2
    (Field(1, 3, 1, 2), Window(2, whole=True), Field(1, 2, 0)),
    # behind a whole window the steps are 0, whatever follows
    (Field(0, 7, 0), Window(3, 2, 1), Field(0, 7, 0)),
]


@pytest.mark.parametrize(("before", "window", "after"), THROUGH)
def test_field_through_a_window(before, window, after):
    assert AxisField(before, before).through(window, 8).field == after


def test_field_size_and_start():
    assert (Field(-3, 5, 2).size, Field(-3, 5, 2).start) == (9, -3)
    # in halves: -1/2 to 3/2 are the pixels 0 and 1; two positions apart are at most 2 pixels' centres
    assert (Field(-1, 3, 1, 2).size, Field(-1, 3, 1, 2).start) == (3, 0)
    assert Field(-1, 3, 1, 2).over(6) == Field(-3, 9, 3, 6)


def test_join_is_the_hull_with_the_smallest_path():
    wide, narrow = AxisField(Field(-3, 3, 2), Field(-3, 3, 2)), AxisField(Field(0, 4, 2), Field(0, 4, 2))
    assert join([wide, narrow], 32) == AxisField(Field(-3, 4, 2), Field(0, 4, 2))
    assert join([narrow, wide], 32) == AxisField(Field(-3, 4, 2), Field(0, 4, 2))
    assert join([narrow], 32) is narrow


def test_join_over_different_denominators():
    halves = AxisField(Field(-1, 0, 2, 2), Field(-1, 0, 2, 2), exact=False)  # -1/2 to 0 in steps of 1
    joined = join([AxisField(), halves], 32)
    assert (joined.field, joined.exact) == (Field(-1, 0, 2, 2), False)


def test_join_of_different_steps_is_the_whole_input():
    local, strided = AxisField(), AxisField(Field(0, 2, 2), Field(0, 2, 2))
    assert join([local, strided], 32) == AxisField(Field(0, 31, 0), Field(), exact=False)


def test_join_with_a_path_that_sees_everything_is_exact():
    everything = AxisField(Field(0, 31, 0), Field(0, 31, 0))
    assert join([AxisField(), everything], 32) == AxisField(Field(0, 31, 0), Field())
    bound = everything._replace(exact=False)
    part = AxisField(Field(0, 30, 0), Field(0, 30, 0))
    assert not join([AxisField(), bound], 32).exact
    assert not join([AxisField(), part], 32).exact


def test_join_of_arrays_whose_steps_agree_in_places():
    """Elementwise what the scalars give."""
    steps = np.array([1, 2])
    joined = join([AxisField(Field(-1, 1, steps)), AxisField()], 32)
    scalars = [join([AxisField(Field(-1, 1, step)), AxisField()], 32) for step in (1, 2)]
    for name in ("first", "last", "step"):
        assert getattr(joined.field, name).tolist() == [getattr(view.field, name) for view in scalars]
    assert joined.exact.tolist() == [view.exact for view in scalars] == [True, False]


def test_denominators_do_not_multiply_where_paths_meet_again_and_again():
    # Two resolutions that exchange their maps, as in HRNet: each fusion has the step 1 again, over 2 and not over 2^n.
    fine, coarse = AxisField(), AxisField().through(Window(1, 2), 64)
    for _ in range(12):
        fine, coarse = (
            join([fine, coarse.through(Window(2, 1, 1, up=2, exact=False), 64)], 64),
            join([coarse, fine.through(Window(3, 2, 1), 64)], 64),
        )
    assert fine.field.per <= 2**13
