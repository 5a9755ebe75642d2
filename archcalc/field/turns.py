"""The field after a turn of a repeat that some elements of arrays lack: there it is the field before the turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from archcalc.errors import DiffersError
from archcalc.field.axis import AxisField
from archcalc.field.field import mixed
from archcalc.field.layout import Layout
from archcalc.network import Node
from archcalc.sizes import Int, alike


def where_present(
    node: Node,
    field: tuple[AxisField, ...],
    fields: Sequence[tuple[AxisField, ...]],
    places: Sequence[Callable[[int], Any]],
) -> tuple[AxisField, ...]:
    """The field of the last node of a turn: ``field`` where the turn is present, else that of the node before the turn.

    ``places`` give what must be equal for both nodes, by index. Where it is not, positions lie in another order behind the
    turn: DiffersError.
    """
    for present, before in node.instead:
        other = fields[before]
        if len(field) != len(other) or not all(_same(place(node.index), place(before)) for place in places):
            raise DiffersError(
                "some elements of arrays lack a turn of a repeat that changes where values lie in the map; "
                "such networks are evaluated apart",
                present == 1,
            )
        if field is not other:
            field = _per_axis(present, field, other)
    return field


def _per_axis(present: Int, field: tuple[AxisField, ...], other: tuple[AxisField, ...]) -> tuple[AxisField, ...]:
    result: list[AxisField] = []
    for at, (one, instead) in enumerate(zip(field, other, strict=True)):
        shared = at and one is field[at - 1] and instead is other[at - 1]
        result.append(result[-1] if shared else _where(present, one, instead))
    return tuple(result)


def _where(present: Int, field: AxisField, other: AxisField) -> AxisField:
    """The field ``field`` where ``present`` is 1, else ``other``; a bound if one of both is."""
    exact = field.exact and other.exact and not (field.field.phases or other.field.phases)
    ends = min(field.ends[0], other.ends[0]), min(field.ends[1], other.ends[1])
    together = field.together and other.together and _where(present, field.together, other.together)
    line, least = mixed(other.field, field.field, present), mixed(other.least, field.least, present)
    return AxisField(line, least, exact, ends, together)


def _same(a: Any, b: Any) -> bool:
    """Whether two layouts, or two descriptions of maps, are equal, also with arrays of sizes."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, Layout) and isinstance(b, Layout):
        return alike(a.key, b.key)
    return a is b or (a is not None and b is not None and alike(a, b))
