"""Network to numbers: rows, totals and folds, for one input or for arrays of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from archcalc.analysis import arrays
from archcalc.analysis.fold import fold
from archcalc.analysis.memory import itemsize
from archcalc.analysis.totals import Totals, totals
from archcalc.analysis.trace import Row, trace
from archcalc.conventions import Convention, convention
from archcalc.errors import ArchcalcError, LayerError, unknown
from archcalc.inputs import checked, given_sizes
from archcalc.letters import normal
from archcalc.network import Network
from archcalc.sizes import Int, Shape, broadcast

if TYPE_CHECKING:
    from archcalc.analysis.budget import Budget
    from archcalc.analysis.stages import Stages
    from archcalc.report import DataFrame
    from archcalc.types import InputSizes, Size


class Analysis:
    """What a network costs at one input, batch, dtype and convention, row by row."""

    network: Network
    batch: Int
    dtype: str
    convention: Convention
    itemsize: int

    def __init__(
        self, network: Network, batch: Int, dtype: str, convention: Convention, training: bool = False
    ) -> None:
        self.network, self.batch, self.dtype, self.convention = network, batch, dtype, convention
        self.itemsize = itemsize(dtype)
        self.training = training

    @cached_property
    def all_rows(self) -> list[Row]:
        """The rows of all layers, side heads included."""
        with _at_input(self.network, self.input):
            return trace(self.network, self.batch, self.convention)

    @cached_property
    def rows(self) -> list[Row]:
        """A row for every layer that runs."""
        return (
            self.all_rows if self.training else [row for row in self.all_rows if row.node is None or not row.node.side]
        )

    @cached_property
    def side_rows(self) -> list[Row]:
        """The rows of the side heads, where they fit the input."""
        fit = not self.network.side_problem
        return [row for row in self.all_rows if fit and row.node is not None and row.node.side]

    @property
    def input(self) -> Shape:
        return self.network.input

    @cached_property
    def totals(self) -> Totals:
        return totals(self.rows, self.convention)

    @cached_property
    def stages(self) -> Stages:
        """The trunk of the network, and its runs of layers on maps of one size."""
        from archcalc.analysis.stages import stages

        return stages(self.network)

    @cached_property
    def unknown_types(self) -> tuple[str, ...]:
        """The layer types of the network that the convention says nothing about; its totals are then incomplete."""
        return tuple(dict.fromkeys(row.type for row in self.rows if not self.convention.knows(row.type)))

    def fold(self, depth: int | None = None, by: str | None = None) -> list[Row]:
        """The rows folded to a depth of blocks, or ``by`` type or stage."""
        return fold(self.rows, depth, by, self.stages if by == "stage" else None)

    def memory(
        self, optimizer: str = "sgd", *, amp: bool = False, checkpoint: str | None = None, overhead: int | str = 0
    ) -> Budget:
        """What inference and training hold, at any batch: see ``archcalc.analysis.budget.Budget``."""
        from archcalc.analysis.budget import Budget

        return Budget(self.network, self.dtype, optimizer=optimizer, amp=amp, checkpoint=checkpoint, overhead=overhead)

    def __getitem__(self, name: str) -> Row:
        for row in self.rows:
            if row.name == normal(name):
                return row
        raise ArchcalcError(unknown("layer", name, [row.name for row in self.rows]))

    def to_dataframe(self, columns: Sequence[str] | None = None) -> DataFrame:
        """The exact per-layer table as a pandas data frame; needs pandas."""
        from archcalc.report import dataframe

        return dataframe(self, columns)

    def _repr_html_(self) -> str:
        from archcalc.report import shown

        return shown(self, "html")

    def __str__(self) -> str:
        from archcalc.report import shown

        return shown(self, "text")

    def __repr__(self) -> str:
        return f"<Analysis of {self.network.full_name}: input {self.input}, batch {self.batch}, {self.convention.name}>"


def analyze(
    network: Network,
    *,
    input: InputSizes | None = None,
    batch: Size = 1,
    dtype: str = "float32",
    convention: str | Convention = "archcalc",
    training: bool = False,
) -> Analysis:
    """The network's numbers for an input of (channels, height, width), a batch, a dtype and a convention.

    Sizes that are likely to stand in another order are refused; a ``Shape``, and a text that says its order
    (``"224x224x3 (HxWxC)"``), are taken as they are.

    Sizes and batch may be NumPy int64 arrays that broadcast together: every number is then an array,
    elementwise what the scalars would give. ArchcalcError when a size does not fit the network, when
    an array is not int64, or when a number would not fit into int64.
    """
    analysis = prepared(network, input, batch, dtype, convention, training)
    if arrays.any_array((analysis.batch, analysis.input.channels, *analysis.input.axes, *network.settings.values())):
        arrays.refuse_overflow(analysis)
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
    how = _convention(convention)
    shape = network.input if input is None else network.takes.shape(network.full_name, given_sizes(input))
    images = checked(batch, "batch")
    itemsize(dtype)
    if not broadcast((images, shape.channels, *shape.axes, *network.settings.values())):
        raise ArchcalcError(f"{network.full_name}: the arrays of input, batch and settings do not broadcast together")
    with _at_input(network, shape):
        there = network if _same(shape, network.input) else network.at(shape)
        there.nodes  # noqa: B018  what is wrong with a network is said before its numbers are asked for
    if training and there.side_problem:
        raise ArchcalcError(f"{network.full_name} at input {shape}: a side head does not fit: {there.side_problem}")
    return Analysis(there, images, dtype, how, training)


def _same(a: Shape, b: Shape) -> bool:
    """Whether two inputs are one; arrays are not compared."""
    return a is b or (not arrays.any_array((a.channels, *a.axes, b.channels, *b.axes)) and a == b)


@contextmanager
def _at_input(network: Network, shape: Shape) -> Iterator[None]:
    """What a layer or NumPy refuses, said of the network at its input."""
    try:
        yield
    except LayerError as error:
        raise ArchcalcError(f"{network.full_name} at input {shape}: {error}") from error
    except OverflowError as error:  # NumPy's word for an int that does not fit beside an int64 array
        raise ArchcalcError(f"{network.full_name} at input {shape}: a number does not fit into int64") from error


def _convention(name: str | Convention) -> Convention:
    return name if isinstance(name, Convention) else convention(name)
