"""A network at an input, a batch, a dtype and a convention: what is wrong with them is said here."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from archcalc.analysis.analysis import Analysis, at_input
from archcalc.analysis.arrays import refuse_overflow
from archcalc.conventions import Convention, convention
from archcalc.dtypes import itemsize
from archcalc.errors import ArchcalcError
from archcalc.inputs import any_array, checked, given_sizes
from archcalc.network import Network
from archcalc.sizes import Shape, broadcast

if TYPE_CHECKING:
    from archcalc.types import InputSizes, Size

AnyAnalysis = TypeVar("AnyAnalysis", bound=Analysis)
"""An analysis, or one with more methods, as `archcalc.front` has it."""


def analyze(
    network: Network,
    *,
    input: InputSizes | None = None,
    batch: Size = 1,
    dtype: str = "float32",
    convention: str | Convention = "archcalc",
    training: bool = False,
) -> Analysis:
    """The network's numbers: see ``archcalc.analyze``."""
    return computed(prepared(network, input, batch, dtype, convention, training))


def computed(analysis: AnyAnalysis) -> AnyAnalysis:
    """The analysis with its rows, where what is wrong is said."""
    network = analysis.network
    if any_array((analysis.batch, analysis.input.channels, *analysis.input.axes, *network.settings.values())):
        refuse_overflow(analysis)
    analysis.rows  # noqa: B018  what is wrong is said here
    return analysis


def prepared(
    network: Network,
    input: InputSizes | None = None,
    batch: Size = 1,
    dtype: str = "float32",
    convention: str | Convention = "archcalc",
    training: bool = False,
) -> Analysis:
    """The analysis before a number is computed: rows and totals are when they are first asked for."""
    return prepared_as(Analysis, network, input, batch, dtype, convention, training)


def prepared_as(
    kind: type[AnyAnalysis],
    network: Network,
    input: InputSizes | None,
    batch: Size,
    dtype: str,
    convention: str | Convention,
    training: bool,
) -> AnyAnalysis:
    """``prepared``, as an object of a class."""
    how = _convention(convention)
    shape = network.input if input is None else network.takes.shape(network.full_name, given_sizes(input))
    images = checked(batch, "batch")
    itemsize(dtype)
    if not broadcast((images, shape.channels, *shape.axes, *network.settings.values())):
        raise ArchcalcError(f"{network.full_name}: the arrays of input, batch and settings do not broadcast together")
    with at_input(network, shape):
        there = network if _same(shape, network.input) else network.at(shape)
        there.nodes  # noqa: B018  what is wrong with a network is said before its numbers are asked for
    if training and there.side_problem:
        raise ArchcalcError(f"{network.full_name} at input {shape}: a side head does not fit: {there.side_problem}")
    return kind(there, images, dtype, how, training)


def _same(a: Shape, b: Shape) -> bool:
    """Whether two inputs are one; arrays are not compared."""
    return a is b or (not any_array((a.channels, *a.axes, b.channels, *b.axes)) and a == b)


def _convention(name: str | Convention) -> Convention:
    return name if isinstance(name, Convention) else convention(name)
