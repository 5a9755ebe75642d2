"""The numbers of a network at one input, batch, dtype and convention: rows, totals, folds, fields and memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING

from archcalc.analysis.folding import fold_rows
from archcalc.analysis.rows import Row, Seconds, trace_rows
from archcalc.analysis.totals import Totals, at_batches, part_sums, sum_activations, sum_network, sum_rows
from archcalc.conventions import Convention, is_own
from archcalc.dtypes import itemsize
from archcalc.errors import ArchcalcError, LayerError, unknown
from archcalc.letters import normal
from archcalc.named_inputs import inputs_text
from archcalc.network import Network
from archcalc.sizes import Int, Shape, Work, is_array

if TYPE_CHECKING:
    from archcalc.analysis.stages import Stages
    from archcalc.field.summary import NetworkField
    from archcalc.memory.budget import Budget
    from archcalc.timing.device import Device
    from archcalc.timing.time import Time

MOST_BUDGETS = 8
"""The most recordings of memory that an analysis stores."""


class Analysis:
    """The numbers of a network at one input, batch, dtype and convention, row by row."""

    network: Network
    batch: Int
    dtype: str
    convention: Convention
    itemsize: int
    timed: Time | None = None
    """The time that the rows have; see ``with_time``."""

    def __init__(
        self, network: Network, batch: Int, dtype: str, convention: Convention, training: bool = False
    ) -> None:
        self.network, self.batch, self.dtype, self.convention = network, batch, dtype, convention
        self.itemsize = itemsize(dtype)
        self.training = training

    @cached_property
    def all_rows(self) -> list[Row]:
        """The rows of all layers, side heads included."""
        with at_input(self.network, self.network.inputs):
            return trace_rows(self.network, self.batch, self.convention)

    @cached_property
    def rows(self) -> list[Row]:
        """A row for every layer that runs."""
        return (
            self.all_rows if self.training else [row for row in self.all_rows if row.node is None or not row.node.side]
        )

    @cached_property
    def side_rows(self) -> list[Row]:
        """The rows of the side heads, if the side heads accept the input."""
        fit = not self.network.side_problem
        return [row for row in self.all_rows if fit and row.node is not None and row.node.side]

    def with_side_heads(self, training: bool) -> Analysis:
        """The analysis of training (side heads run) or of inference. No row is computed again."""
        if training == self.training:
            return self
        other = type(self)(self.network, self.batch, self.dtype, self.convention, training)
        other.all_rows = self.all_rows
        return other

    def at_batch(self, batch: int) -> Analysis:
        """The analysis of a batch of another size. Recordings of memory are for any batch, and are shared."""
        if batch is self.batch:
            return self
        other = type(self)(self.network, batch, self.dtype, self.convention, self.training)
        other._budgets = self._budgets
        return other

    @property
    def input(self) -> Shape:
        """The main input."""
        return self.network.input

    @property
    def inputs(self) -> dict[str, Shape]:
        """Every input by name."""
        return self.network.inputs

    @cached_property
    def totals(self) -> Totals:
        """The sums over the layers. Rows and fields are not computed for them."""
        if is_array(self.batch) and is_own(self.convention):
            return at_batches(self.at_batch(1).totals, self.at_batch(2).totals, self.batch)
        if "all_rows" in vars(self):
            return sum_rows(self.rows, self.convention)
        with at_input(self.network, self.network.inputs):
            return sum_network(self.network, self.batch, self.convention, self.training)

    @cached_property
    def activations(self) -> Int:
        """The values that convolutions and linear layers make, as RegNet's paper and fvcore count, for the batch."""
        return sum_activations(self.network, self.batch, self.training)

    @cached_property
    def parts(self) -> dict[str, dict[str, Work]]:
        """The work of every layer type whose work has parts, by part."""
        return part_sums(self.rows, self.batch)

    @cached_property
    def stages(self) -> Stages:
        """The trunk of the network, and its stages: runs of layers on maps of one size."""
        from archcalc.analysis.stages import stages

        return stages(self.network)

    @property
    def unknown_types(self) -> tuple[str, ...]:
        """The layer types of the network that the convention says nothing about. If any, the totals are incomplete."""
        return self.totals.unknown_types

    def fold(self, depth: int | None = None, by: str | None = None) -> list[Row]:
        """The rows folded to a depth of blocks, or ``by`` type or stage."""
        return fold_rows(self.rows, depth, by, self.stages if by == "stage" else None)

    @cached_property
    def field(self) -> NetworkField:
        """The receptive fields of the network: ``layers``, ``summary``, ``layer(name)``, ``unit(name, position)``.

        If the network has several inputs, the pixels are those of the main input; see ``from_input``.
        """
        from archcalc.field.summary import NetworkField

        rows = self.all_rows
        return NetworkField(
            self.network, [row.field for row in rows], [row.field_with_gates for row in rows], self.training
        )

    def from_input(self, name: str) -> Analysis:
        """The same analysis with a ``field`` in pixels of another input. ArchcalcError if there is no such input."""
        inputs = list(self.inputs)
        if normal(name) not in inputs:
            raise ArchcalcError(f"{self.network.full_name}: {unknown('input', name, inputs)}")
        source = inputs.index(normal(name))
        if source == self.field.source:
            return self
        from archcalc.field.node_fields import node_fields
        from archcalc.field.propagation import has_gates
        from archcalc.field.summary import NetworkField

        with at_input(self.network, self.inputs):
            fields = node_fields(self.network, source=source)
            all_paths = node_fields(self.network, gates=True, source=source) if has_gates(self.network) else fields
        other = type(self)(self.network, self.batch, self.dtype, self.convention, self.training)
        other.all_rows, other.field = (
            self.all_rows,
            NetworkField(self.network, fields, all_paths, self.training, source),
        )
        return other

    def memory(
        self,
        optimizer: str = "sgd",
        *,
        amp: bool = False,
        checkpoint: str | None = None,
        overhead: int | str = 0,
        attention: str = "flash",
    ) -> Budget:
        """The memory of inference and training, at any batch: see ``archcalc.memory.budget.Budget``."""
        return self._budgets(
            optimizer=optimizer, amp=amp, checkpoint=checkpoint, overhead=overhead, attention=attention
        )

    def time(
        self,
        on: str | Device,
        *,
        amp: bool = False,
        training: bool | None = None,
        optimizer: str = "sgd",
        compiled: bool = False,
        channels_last: bool = False,
        tf32: bool = False,
    ) -> Time:
        """How long a run takes on a device: ``estimate``, ``lower_bound``, ``error`` and ``rows``, in seconds.

        ``on`` is a device: a name, a file, or a Device. ``training``: a step of training, with the backward pass and the
        optimizer's step; by default that of the analysis. ``amp``: autocast to half precision. ``compiled``: operators
        are fused as by torch.compile. ``channels_last``: maps and weights are channels-last. ``tf32``: products of
        float32 run in TF32.

        ArchcalcError for an unknown device, a dtype that it lacks, and settings that exclude each other.
        """
        from archcalc.inputs import single
        from archcalc.timing.reading import device
        from archcalc.timing.time import Settings, Time

        self.network.need_single("a time")
        batch = single(self.batch, "batch")
        trains = self.training if training is None else training
        settings = Settings(batch, self.dtype, amp, trains, optimizer, compiled, channels_last, tf32)
        return Time(self.network, device(on) if isinstance(on, str) else on, settings)

    def with_time(self, time: Time) -> Analysis:
        """The analysis with the time of every row. A layer that runs as a part of another layer takes no time."""
        other = type(self)(self.network, self.batch, self.dtype, self.convention, self.training)
        times = {row.name: Seconds(row.estimate, row.lower_bound) for row in time.rows}
        none = Seconds(0.0, 0.0)
        layers = {node.name for node in self.network.after_inputs}
        other.all_rows = [
            row._replace(time=times.get(row.name, none)) if row.name in layers else row for row in self.all_rows
        ]
        other.timed = time
        return other

    @cached_property
    def _budgets(self) -> Callable[..., Budget]:
        from archcalc.memory.budget import Budget

        return lru_cache(MOST_BUDGETS)(partial(Budget, self.network, self.dtype))

    def __getitem__(self, name: str) -> Row:
        for row in self.rows:
            if row.name == normal(name):
                return row
        raise ArchcalcError(unknown("layer", name, [row.name for row in self.rows]))

    def __repr__(self) -> str:
        return f"<Analysis of {self.network.full_name}: input {self.network.input_text}, batch {self.batch}, {self.convention.name}>"


@contextmanager
def at_input(network: Network, inputs: Mapping[str, Shape]) -> Iterator[None]:
    """Turn an error of a layer or of NumPy into an error about the network at its input."""
    try:
        yield
    except LayerError as error:
        raise ArchcalcError(f"{network.full_name} at input {inputs_text(inputs)}: {error}", error.where) from error
    except OverflowError as error:  # NumPy raises this error if an int does not fit into int64
        raise ArchcalcError(
            f"{network.full_name} at input {inputs_text(inputs)}: a number does not fit into int64"
        ) from error
