"""Axes of a space: the values that a range or a list stands for, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc import ArchcalcError, Shape
from archcalc.spaces.axes import MOST_VALUES, Axis, axis, read_axis, read_range

VALUES = [
    ("128:512:128", (128, 256, 384, 512)),
    ("128:500:128", (128, 256, 384)),
    ("3:5", (3, 4, 5)),
    ("7:7", (7,)),
    ("8:2:-3", (8, 5, 2)),
    ("-2:2:2", (-2, 0, 2)),
    ("1,8,64", (1, 8, 64)),
    (" 1 , 8 ", (1, 8)),
    ("1:3,8,16:32:16", (1, 2, 3, 8, 16, 32)),
    ("0.25:1:0.25", (0.25, 0.5, 0.75, 1.0)),
    ("0.1:0.3:0.1", (0.1, 0.2, 0.3)),
    ("1:2:.5", (1.0, 1.5, 2.0)),
    ("1e-3:3e-3:1e-3", (0.001, 0.002, 0.003)),
    ("1e2:3e2:1e2", (100.0, 200.0, 300.0)),
    ("a,b,c", ("a", "b", "c")),
    ("'a:b',c", ("a:b", "c")),
    ("true,false", (True, False)),
    ("0,false", (0, False)),
    ("[3,4,6,3],[3,4,23,3]", ([3, 4, 6, 3], [3, 4, 23, 3])),
    ("null,2", (None, 2)),
]


@pytest.mark.parametrize(("text", "values"), VALUES, ids=[text for text, _ in VALUES])
def test_a_range_stands_for_its_values(text: str, values: tuple[object, ...]):
    found = read_range(text)
    assert found == values
    assert list(map(type, found)) == list(map(type, values))


@given(st.integers(0, 400), st.integers(1, 40), st.integers(0, 200), st.integers(0, 4))
def test_each_value_of_a_range_is_the_float_nearest_to_the_decimal_number(
    start: int, step: int, turns: int, places: int
):
    unit = Decimal(1).scaleb(-places)
    texts = [f"{number * unit:f}" + "." * (places == 0) for number in (start, start + turns * step, step)]
    expected = [float(str((start + i * step) * unit)) for i in range(turns + 1)]
    assert list(read_range(":".join(texts))) == expected


def test_the_usual_widths_are_those_that_a_user_would_type():
    assert read_range("0.25:1.5:0.05")[:4] == (0.25, 0.3, 0.35, 0.4)
    assert read_range("0.25:1.5:0.05")[-1] == 1.5


def test_an_axis_has_a_name_a_kind_and_values():
    assert read_axis("width=0.5,1") == Axis("width", "setting", (0.5, 1))
    assert read_axis("batch=1:3") == Axis("batch", "batch", (1, 2, 3))
    assert read_axis("input=96:128:32") == Axis("input", "input", (96, 128))
    assert read_axis("input=3x224x224, 1x28x28 ,64") == Axis("input", "input", ((3, 224, 224), (1, 28, 28), 64))
    assert read_axis("input=224x160x3 (HxWxC)").values == (Shape(3, (224, 160)),)


def test_python_values_make_the_same_axis_as_text():
    assert axis("input", range(128, 513, 32)) == read_axis("input=128:512:32")
    assert axis("batch", np.array([1, 8, 64])) == axis("batch", [1, 8, 64]) == axis("batch", "1,8,64")
    assert axis("batch", 8) == read_axis("batch=8")
    assert axis("input", (3, 224, 224)) == axis("input", [(3, 224, 224)]) == read_axis("input=3x224x224")
    assert axis("input", ["3x224x224", 64]) == read_axis("input=3x224x224,64")
    assert axis("depths", [[3, 4], [3, 6]]) == read_axis("depths=[3,4],[3,6]")
    assert axis("depths", (3, 4)).values == ((3, 4),)
    assert axis("option", "a,b") == axis("option", ["a", "b"])


def test_a_range_may_have_ten_million_values_and_no_more():
    assert MOST_VALUES == 10_000_000
    assert len(read_range("1:1000000")) == 1_000_000
    with pytest.raises(
        ArchcalcError, match=r"^batch: 1:10000001 has 10,000,001 values; an axis has 10,000,000 values at most$"
    ):
        read_axis("batch=1:10000001")
    with pytest.raises(ArchcalcError, match=r"^width: 0:1:1e-18 has 1,000,000,000,000,000,001 values"):
        read_axis("width=0:1:1e-18")


REFUSED = [
    ("batch", "expected KEY=RANGE such as width=0.25:1.5:0.05 or depth=18,34, got 'batch'"),
    ("=1", "expected KEY=RANGE such as width=0.25:1.5:0.05 or depth=18,34, got '=1'"),
    ("batch=", "batch: expected a range such as 128:512:32, or values such as 1,8,64, got no value"),
    ("batch=1,,2", "batch: a value is missing beside a comma of '1,,2'"),
    ("batch=1,", "batch: a value is missing beside a comma of '1,'"),
    ("batch=8,8", "batch: the value 8 is given twice"),
    ("width=1:3,2.0", "width: the value 2.0 is given twice"),
    ("depths=[3,4],[3, 4]", "depths: the value [3,4] is given twice"),
    ("batch=1:", "batch: 1: has no end; a range is START:STOP:STEP, such as 128:512:32"),
    ("batch=1::2", "batch: 1::2 has no end; a range is START:STOP:STEP, such as 128:512:32"),
    ("batch=1:inf:2", "batch: 1:inf:2 has no end; a range is START:STOP:STEP, such as 128:512:32"),
    ("batch=:8", "batch: :8: a range START:STOP:STEP has numbers, got ''"),
    ("batch=1:2:3:4", "batch: 1:2:3:4 has more than two colons; a range is START:STOP:STEP, such as 128:512:32"),
    ("batch=1:8:0", "batch: 1:8:0: the step is 0; the third number of START:STOP:STEP is a step other than 0"),
    ("width=1:2:0.0", "width: 1:2:0.0: the step is 0; the third number of START:STOP:STEP is a step other than 0"),
    ("batch=8:1", "batch: 8:1 is empty: steps of 1 lead away from 1; did you mean 1:8:1?"),
    ("batch=512:128:32", "batch: 512:128:32 is empty: steps of 32 lead away from 128; did you mean 128:512:32?"),
    ("batch=1:8:-1", "batch: 1:8:-1 is empty: steps of -1 lead away from 8; did you mean 1:8:1?"),
    ("option=a:c", "option: a:c: a range START:STOP:STEP has numbers, got 'a'"),
    ("width=nan:1:0.1", "width: nan:1:0.1: a range START:STOP:STEP has numbers, got 'nan'"),
    ("batch=0:8", "batch: expected whole numbers from 1 to 2,147,483,647, got 0"),
    ("batch=1:2:0.5", "batch: expected whole numbers from 1 on, got 1.0"),
    ("batch=a", "batch: expected whole numbers from 1 on, got 'a'"),
    ("batch=true", "batch: expected whole numbers from 1 on, got true"),
    ("batch=3x224x224", "batch: expected whole numbers from 1 on, got '3x224x224'"),
    ("input=a", "input: expected whole numbers from 1 on or sizes such as 3x224x224, got 'a'"),
    ("input=3000000000", "input: expected whole numbers from 1 to 2,147,483,647, got 3000000000"),
    ("width={a: 1}", "width: expected numbers, words or lists, got {'a': 1}"),
    (
        "width=1:1.00000000000000002:0.00000000000000001",
        "width: 1:1.00000000000000002:0.00000000000000001: the step is smaller than the distance of two floats",
    ),
    ("width=0:1:1e99", "width: expected numbers of at most 18 digits and 10^40, got '1e99'"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[text for text, _ in REFUSED])
def test_what_is_no_axis_is_refused_with_a_sentence(text: str, message: str):
    with pytest.raises(ArchcalcError) as error:
        read_axis(text)
    assert str(error.value) == message


def test_endless_and_empty_python_values_are_refused():
    with pytest.raises(ArchcalcError, match="batch: an axis has 10,000,000 values at most"):
        axis("batch", count(1))
    with pytest.raises(
        ArchcalcError, match="batch: expected a range such as 128:512:32, or values such as 1,8,64, got no value"
    ):
        axis("batch", [])
    with pytest.raises(ArchcalcError, match="got no value"):
        axis("batch", range(5, 1))
