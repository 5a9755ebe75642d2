"""Pareto sets: against the definition, row by row, in random tables with many equal values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc import ArchcalcError
from archcalc.spaces.pareto import front


def by_definition(rows: list[tuple[float, ...]]) -> list[int]:
    """The rows that no other row beats: at least as good in all objectives, and better in one."""
    return [
        at
        for at, row in enumerate(rows)
        if not any(all(a <= b for a, b in zip(other, row, strict=True)) and other != row for other in rows)
    ]


@given(st.data())
def test_the_set_is_that_of_the_definition(data: st.DataObject):
    count = data.draw(st.integers(1, 5))
    most = data.draw(st.sampled_from([1, 3, 9, 10**20]))
    rows = data.draw(st.lists(st.tuples(*[st.integers(-most, most)] * count), max_size=60))
    more = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    columns = {f"c{at}": [row[at] for row in rows] for at in range(count)}
    signed = [tuple(-value if turned else value for value, turned in zip(row, more, strict=True)) for row in rows]
    objectives = [f"{'-' * turned}c{at}" for at, turned in enumerate(more)]
    assert front(columns, objectives) == by_definition(signed)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_blocks_do_not_change_the_set(count: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("archcalc.spaces.pareto.CELLS", 4096)
    table = np.random.default_rng(count).integers(0, 12, (700, count))
    assert front({f"c{at}": table[:, at] for at in range(count)}, [f"c{at}" for at in range(count)]) == by_definition(
        list(map(tuple, table.tolist()))
    )


@pytest.mark.parametrize(("count", "length"), [(2, 1_000_000), (3, 100_000), (4, 100_000)])
def test_a_long_table_has_the_set_of_its_parts(count: int, length: int):
    """The set of all rows is the set of the sets of its parts, whatever the parts are."""
    table = np.random.default_rng(7).random((length, count))
    names = [f"c{at}" for at in range(count)]
    whole = front(dict(zip(names, table.T, strict=True)), names)
    parts = [
        np.array(front(dict(zip(names, part.T, strict=True)), names)) + 1000 * at
        for at, part in enumerate(table.reshape(-1, 1000, count))
    ]
    last = np.concatenate(parts)
    rows = table[last]
    assert whole == last[front(dict(zip(names, rows.T, strict=True)), names)].tolist()
    chosen = table[whole]
    assert all(not ((chosen <= row).all(axis=1) & (chosen < row).any(axis=1)).any() for row in chosen)


def test_numbers_beyond_float64_are_compared_exactly():
    """2^53 + 1 is no float64."""
    assert front({"a": [2**53, 2**53 + 1], "b": [1.5, 1.5]}, ["a", "b"]) == [0]
    assert front({"a": [2**70 + 1, 2**70], "b": [1, 1]}, ["a", "b"]) == [1]


def test_rows_without_a_value_are_left_out():
    assert front({"a": [1, None, 3], "b": [3, 0, 1]}, ["a", "b"]) == [0, 2]
    assert front({"a": [1.0, float("nan"), 3.0], "b": [3, 0, 1]}, ["a", "b"]) == [0, 2]
    assert front({"a": [None], "b": [1]}, ["a", "b"]) == []
    assert front({"a": [], "b": []}, ["a", "b"]) == []


WRONG: list[tuple[dict[str, Any], list[str], str]] = [
    ({"macs": [1]}, ["mcas"], "unknown column 'mcas'; did you mean 'macs'?"),
    ({"macs": [1]}, ["+macs"], "+macs: write macs if less is better, and -macs if more is better"),
    ({"macs": [1]}, [], "a Pareto set needs objectives, such as macs,params"),
    ({"option": ["a", "b"]}, ["option"], "option is no column of numbers: it has 'a'"),
    ({"depths": [[3, 4], 5]}, ["depths"], "depths is no column of numbers: it has '[3, 4]'"),
]


@pytest.mark.parametrize(("columns", "objectives", "message"), WRONG, ids=[message for *_, message in WRONG])
def test_what_has_no_set_is_refused_with_a_sentence(columns: dict[str, Any], objectives: list[str], message: str):
    with pytest.raises(ArchcalcError) as error:
        front(columns, objectives)
    assert str(error.value) == message
