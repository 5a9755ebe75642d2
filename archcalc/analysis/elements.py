"""Figures of arrays that need single sizes: the analysis of every element, one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from archcalc import sizes
from archcalc.analysis.analysis import Analysis
from archcalc.named_inputs import numbers_of
from archcalc.sizes import Shape, is_array


def arrays_in(analysis: Analysis) -> list[Any]:
    """The arrays among the sizes of the input, the batch and the settings; none if the analysis is of single sizes."""
    return list(
        sizes.arrays_in([*numbers_of(analysis.inputs.values()), analysis.batch, *analysis.network.settings.values()])
    )


def of_each(figure: Callable[[Analysis], Any]) -> Callable[[Analysis], Any]:
    """A figure of single sizes that takes arrays too: then it is an array, with the figure of every element."""

    def value(analysis: Analysis) -> Any:
        if not (arrays := arrays_in(analysis)):
            return figure(analysis)
        blank = sum(array * 0 for array in arrays).astype(int)
        found = blank.astype(object)
        for at, one in _elements(analysis, blank, range(blank.size)):
            found.flat[at] = figure(one)
        return narrowed(found)

    return value


def filled(analysis: Analysis, known: Any, wanted: Any, figure: Callable[[Analysis], Any]) -> Any:
    """The array ``known``, with the figures of single sizes where ``wanted`` is true."""
    blank = sum(array * 0 for array in arrays_in(analysis)).astype(int)
    found, places = (known + blank).astype(object), (wanted + blank).ravel().nonzero()[0].tolist()
    for at, one in _elements(analysis, blank, places):
        found.flat[at] = figure(one)
    return narrowed(found)


def narrowed(found: Any) -> Any:
    """An array of objects as int64 or float64, if all its values are such numbers."""
    kinds = {type(value) for value in found.flat}
    if kinds == {int} and all(-(2**63) <= value < 2**63 for value in found.flat):
        return found.astype("int64")
    return found.astype("float64") if kinds == {float} else found


def _elements(analysis: Analysis, blank: Any, places: Any) -> Iterator[tuple[int, Analysis]]:
    """The analyses of single sizes at these places. Places that differ in the batch alone share a network and its memory."""
    network = analysis.network
    inputs = {name: _spread((x.channels, *x.axes), blank) for name, x in analysis.inputs.items()}
    settings = {name: _spread(value, blank) for name, value in network.settings.items()}
    batches = _spread(analysis.batch, blank)
    alike: dict[str, list[int]] = defaultdict(list)
    for at in places:
        alike[repr((_at(inputs, at), _at(settings, at)))].append(at)
    for group in alike.values():
        sizes = {name: Shape(n[0], tuple(n[1:])) for name, n in _at(inputs, group[0]).items()}
        there = network.at(sizes, _at(settings, group[0]))
        first = type(analysis)(there, _at(batches, group[0]), analysis.dtype, analysis.convention, analysis.training)
        for at in group:
            yield at, first.at_batch(_at(batches, at))


class _Spread(list[Any]):
    """The values of an array, one for every element of the analysis."""


def _spread(value: Any, blank: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_spread(item, blank) for item in value]
    return _Spread((value + blank).ravel().tolist()) if is_array(value) else value


def _at(value: Any, at: int) -> Any:
    if isinstance(value, _Spread):
        return value[at]
    if isinstance(value, dict):
        return {name: _at(item, at) for name, item in value.items()}
    return [_at(item, at) for item in value] if isinstance(value, list) else value
