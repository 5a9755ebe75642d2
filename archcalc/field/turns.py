"""The field after a turn of a repeat that some elements of arrays lack: there it is the field before the turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from archcalc.errors import DiffersError
from archcalc.field.axis import AxisField, chosen
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
        result.append(result[-1] if shared else chosen(present, one, instead))
    return tuple(result)


def _same(a: Any, b: Any) -> bool:
    """Whether two layouts, or two descriptions of maps, are equal, also with arrays of sizes."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, Layout) and isinstance(b, Layout):
        return alike(a.key, b.key)
    return a is b or (a is not None and b is not None and alike(a, b))
