"""The axes of a sweep and what stays fixed, from what a user gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, NamedTuple

from archcalc.analysis import Analysis
from archcalc.conditions.condition import named_figures
from archcalc.errors import ArchcalcError
from archcalc.layers.settings import message_text
from archcalc.network import Network
from archcalc.spaces.axes import Axis, axis
from archcalc.spaces.evaluate import How
from archcalc.spaces.points import points_of
from archcalc.spaces.sweep import USUAL, Request


class Asked(NamedTuple):
    """axes: what varies. settings: the parameters of the spec with one value. input, batch: if they have one value."""

    axes: tuple[Axis, ...]
    settings: dict[str, Any]
    input: Any = None
    batch: int | None = None


def asked(given: Mapping[str, Any], network: Network | None = None) -> Asked:
    """What is given by name: one value, several, or a text such as ``128:512:32``.

    network: a flat list is one value of a setting that is a list in this network. ArchcalcError for values that cannot be.
    """
    axes, fixed = [], dict[str, Any]()
    for name, values in given.items():
        own = None if network is None else network.settings.get(name)
        if isinstance(own, list) and isinstance(values, list) and not any(isinstance(one, list) for one in values):
            values = [values]
        one = axis(name, values)
        if len(one.values) > 1:
            axes.append(one)
        else:
            fixed[name] = one.values[0]
    input, batch = fixed.pop("input", None), fixed.pop("batch", None)
    return Asked(tuple(axes), fixed, input, batch)


def request_of(
    start: Network | Analysis, given: Mapping[str, Any], points: Any = None, columns: str | Sequence[str] | None = None
) -> Request:
    """The request for a network, or for the network of an analysis at its batch, dtype and convention.

    ArchcalcError for values that cannot be, and for points beside axes.
    """
    network = start.network if isinstance(start, Analysis) else start
    found = asked(given, network)
    if points is not None and found.axes:
        raise ArchcalcError(f"points has all that varies: leave out {', '.join(one.name for one in found.axes)}")
    how = How(found.batch or 1)
    if isinstance(start, Analysis):
        how = How(found.batch or start.batch, start.dtype, start.convention.name, start.training)
    if not isinstance(columns, (str, NoneType)):
        try:
            columns = ", ".join(columns)
        except TypeError:
            raise ArchcalcError(
                f"columns: expected figures such as ['macs', 'field'], got {message_text(columns)}"
            ) from None
    figures = USUAL if columns is None else named_figures(columns)
    return Request(
        network,
        found.axes if points is None else points_of(points),
        found.settings,
        found.input,
        figures,
        paired=points is not None,
        how=how,
    )
