"""Figures whose code takes single sizes, for analyses of arrays: many elements at once in lanes, or one after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archcalc import sizes
from archcalc.analysis.analysis import Analysis
from archcalc.errors import ArchcalcError, DiffersError
from archcalc.sizes import Shape, is_array

MOST_LANES = 1024
"""The most elements that are computed at once, so that their tensors fit in memory."""

ByAnalysis = Callable[[Analysis], Any]


def arrays_in(analysis: Analysis) -> list[Any]:
    """The arrays among the sizes of the input, the batch and the settings; none if the analysis is of single sizes."""
    return [*analysis.network.arrays, *sizes.arrays_in([analysis.batch])]


def in_lanes(figure: ByAnalysis) -> ByAnalysis:
    """A figure of single sizes, a number, that takes arrays too: then it is an array, with the figure of every element.

    The code of the figure runs on lanes (``archcalc.lanes``). Elements for which the code decides otherwise run apart.
    """

    def value(analysis: Analysis) -> Any:
        if not arrays_in(analysis):
            return figure(analysis)
        from archcalc.lanes import apart

        elements = _Elements(analysis)
        program = analysis.network.program is not None  # PyTorch itself, which takes single sizes

        def of(places: Any) -> Any:
            try:
                return figure(elements.at(places))
            except DiffersError:
                raise
            except ArchcalcError as error:
                raise elements.refused(places, error) from None

        return narrowed(apart(of, elements.count, 1 if program else MOST_LANES).reshape(elements.blank.shape))

    return value


def of_images(figure: ByAnalysis) -> ByAnalysis:
    """A figure of single sizes that does not depend on the batch, for arrays too: the elements one after another."""

    def value(analysis: Analysis) -> Any:
        of_an_image = analysis.at_batch(1)
        return filled(of_an_image, 0, 1, figure) if arrays_in(of_an_image) else figure(of_an_image)

    return value


def filled(analysis: Analysis, known: Any, wanted: Any, figure: ByAnalysis) -> Any:
    """The array ``known``, with the figures of single sizes where ``wanted`` is true. Equal elements are computed once."""
    elements = _Elements(analysis)
    found, computed = (known + elements.blank).astype(object), dict[str, Any]()
    for place in (wanted + elements.blank).ravel().nonzero()[0]:
        key = repr(elements.numbers([place]))
        if key not in computed:
            computed[key] = figure(elements.at([place]))
        found.flat[place] = computed[key]
    return narrowed(found)


def narrowed(found: Any) -> Any:
    """An array of objects as int64 or float64, if all its values are such numbers; any other array unchanged."""
    if found.dtype != object:
        return found
    kinds = {type(value) for value in found.flat}
    if kinds == {int} and all(-(2**63) <= value < 2**63 for value in found.flat):
        return found.astype("int64")
    return found.astype("float64") if kinds == {float} else found


class _Elements:
    """The elements of an analysis of arrays, in one row.

    blank: zeros in the shape of the arrays. count: the number of elements.
    """

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.blank = sum(array * 0 for array in arrays_in(analysis)).astype(int)
        self.count: int = self.blank.size
        inputs = {name: [x.channels, *x.axes] for name, x in analysis.inputs.items()}
        self._rows = self._in_a_row([inputs, analysis.network.settings, analysis.batch])

    def _in_a_row(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._in_a_row(item) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._in_a_row(item) for item in value]
        return (value + self.blank).ravel() if is_array(value) else value

    def refused(self, places: Any, error: ArchcalcError) -> ArchcalcError:
        """The error about some of these places, as one about the arrays."""
        if not is_array(error.where):
            return error
        where = self.blank != 0
        where.flat[places[error.where]] = True
        return ArchcalcError(error.problems, where)

    def numbers(self, places: Any) -> Any:
        """The sizes of the inputs, the settings and the batch at some places: lanes where they differ."""
        return _at(self._rows, places)

    def at(self, places: Any) -> Analysis:
        """The analysis at some places: of lanes, or of single sizes at a single place."""
        inputs, settings, batch = self.numbers(places)
        whole, network = self.analysis, self.analysis.network
        if network.arrays:
            network = network.at({name: Shape(n[0], tuple(n[1:])) for name, n in inputs.items()}, settings)
        return type(whole)(network, batch, whole.dtype, whole.convention, whole.training)


def _at(value: Any, places: Any) -> Any:
    from archcalc.lanes import lanes_of

    if isinstance(value, dict):
        return {name: _at(item, places) for name, item in value.items()}
    if isinstance(value, list):
        return [_at(item, places) for item in value]
    return lanes_of(value[places]) if is_array(value) else value
