"""The fields of vectors: each value of a vector that was made from a map has the field of a position of the map."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from archcalc.field.axis import AxisField, chosen
from archcalc.field.field import narrower
from archcalc.sizes import is_array, settled


def of_the_vector(field: tuple[AxisField, ...]) -> tuple[AxisField, ...]:
    """The field of a map made from a vector, whose values have single fields: of all values together, as a bound."""
    return tuple(one if one.together is None else one.together._replace(exact=False) for one in field)


def together_of(field: tuple[AxisField, ...]) -> tuple[AxisField, ...]:
    return tuple(axis_field.together or axis_field for axis_field in field)


def with_together(field: AxisField, together: AxisField) -> AxisField:
    """The field of a value of a vector. Where all values have the same field, it is that of all together."""
    same = settled(field.field.whole)
    if same is True:
        return field
    return field._replace(together=chosen(same, field, together) if is_array(same) else together)


def part(field: AxisField, *, one_map: bool) -> AxisField:
    """The field of some values of a vector. The code does not track which values, so ``together`` is a bound."""
    together = field.together and field.together._replace(exact=False)
    return field._replace(exact=settled(field.exact & one_map & (not field.field.phases)), together=together)


def one_after_another(fields: Sequence[AxisField], together: AxisField) -> AxisField:
    """The field of concatenated vectors: the largest and the smallest field of a vector."""
    widest, least = reduce(_wider, fields), reduce(narrower, [one.least for one in fields])
    return AxisField(widest.field, least, widest.exact, together=together, some=False)


def _wider(a: AxisField, b: AxisField) -> AxisField:
    larger: Any = settled(b.field.size > a.field.size)
    return chosen(larger, b, a) if is_array(larger) else b if larger else a
