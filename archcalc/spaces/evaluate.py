"""The figures of the points of a block: many at once through arrays, and the points that the network refuses.

A group of points is one evaluation on arrays. If a condition of the spec differs within the group, the group is split
along the condition. If the network refuses points of the group, and the error says which, they are split off; otherwise the
group is halved. Points that are refused together have one reason, which is that of the first of them, run alone.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from archcalc.analysis import Analysis, analyze
from archcalc.analysis.elements import narrowed
from archcalc.conditions.parts import MissingError
from archcalc.errors import ArchcalcError, DiffersError
from archcalc.layers import BUILT_IN, registry
from archcalc.sizes import Shape, is_array
from archcalc.spaces.groups import Group
from archcalc.spaces.refusals import merged, reason_of
from archcalc.spaces.space import Block, item_of

if TYPE_CHECKING:
    from archcalc.network import Network

Columns = Mapping[str, Any]
"""Arrays of one length by the names of the columns."""


class Found(NamedTuple):
    """The points of a block that meet the condition: their places in the block, and a column for every figure.

    refused: the reasons of the points that the network refuses, each with the number of points. lacking: the number of
    points without a figure of the condition.
    """

    places: Any
    figures: Columns
    refused: Mapping[str, int]
    lacking: int


class How(NamedTuple):
    """How a network is analyzed. batch: if the batch does not vary."""

    batch: int = 1
    dtype: str = "float32"
    convention: str = "archcalc"
    training: bool = False


AS_USUAL = How()


MOST_NUMBERS = 2**25
"""About the most numbers of layers that are in memory: layers times points. Each takes some 10 bytes."""
MANY_LAYERS = 2**10
"""The layers of a network before the first one is made."""


class Evaluation:
    """Computes the figures of blocks of points of one network.

    names: of the axes. figures: the function of every column. holds: the condition; None: every point is kept.
    """

    def __init__(
        self,
        network: Network,
        names: Sequence[str],
        figures: Mapping[str, Callable[[Analysis], Any]],
        holds: Callable[[Analysis], Any] | None = None,
        how: How = AS_USUAL,
    ) -> None:
        self.network, self.names, self.figures, self.holds, self.how = network, names, figures, holds, how
        self._layers = self._numbers = 0
        """The most layers of a network so far, and the numbers of layers that may still be in memory."""

    def block(self, block: Block) -> Found:
        """The points of the block that meet the condition."""
        import numpy as np

        whole = Group(block.values, np.arange(block.points).reshape(block.sides), block.paired)
        refused = list[Mapping[str, int]]()
        lacking, found, waiting = 0, [], list(reversed(self._alike(whole)))
        while waiting:
            group, network = waiting.pop(), None
            parts = self._fitting(group)
            if len(parts) > 1:
                waiting += reversed(parts)
                continue
            self._free()
            try:
                network = self._network(group)
                if group.places.size > 1:
                    self._layers = max(self._layers, len(network.nodes))
                    self._numbers += len(network.nodes) * self._elements(group)
                kept, missing = self._computed(group, network)
            except DiffersError as error:
                waiting += reversed(group.split(error.holds))
            except ArchcalcError as error:  # a network that is refused is refused for every batch
                reason, parts = self._refused(group, error, besides="" if network else "batch")
                if reason is not None:
                    refused.append({reason: group.places.size})
                waiting += reversed(parts)
            except (TypeError, ValueError):  # a layer type of a plugin may decide by numbers, which no array can
                axis = self._longest(group)
                if axis is None or registry.keys() <= BUILT_IN:
                    raise
                waiting += reversed(group.halves(axis))
            else:
                lacking += missing
                found += kept
        return _joined(found, list(self.figures), merged(refused), lacking)

    def _elements(self, group: Group) -> int:
        """About how many elements the arrays of layers have: most of them are the same for all batches."""
        apart = "batch" in self.names and not group.paired
        return int(group.places.size) // (len(group.values[self.names.index("batch")]) if apart else 1)

    def _fitting(self, group: Group) -> list[Group]:
        """The halves of a group along its longest axis, if its layers may not fit in the memory; else the group alone."""
        if (self._layers or MANY_LAYERS) * self._elements(group) <= MOST_NUMBERS:
            return [group]
        sides = [
            0 if name == "batch" and not group.paired else len(group.values[i]) for i, name in enumerate(self.names)
        ]
        longest = max(sides)
        return group.by(sides.index(longest), [2 * at < longest for at in range(longest)])

    def _free(self) -> None:
        """Free the networks that were computed. Each refers to itself, so that its arrays stay until a collection."""
        if self._numbers > MOST_NUMBERS:
            gc.collect()
            self._numbers = 0

    def _refused(self, group: Group, error: ArchcalcError, besides: str) -> tuple[str | None, list[Group]]:
        """Why the network refuses all points of the group; or the parts of the group, if it may accept some of them.

        besides: an axis whose values are refused together.
        """
        if is_array(error.where):
            return None, group.split(error.where)
        axis = self._longest(group, besides)
        if axis is None:
            return reason_of(error), []
        if error.where is True:
            try:
                self.point(group.first)
            except ArchcalcError as alone:
                return reason_of(alone), []
        return None, group.halves(axis)

    def point(self, values: Sequence[Any]) -> Analysis:
        """The analysis at a single point, given by its value on every axis. ArchcalcError if the network refuses it."""
        import numpy as np

        group = Group(tuple([value] for value in values), np.zeros([1] * len(values)), False)
        return self._analysis(group, self._network(group))

    def _longest(self, group: Group, besides: str = "") -> int | None:
        """The axis with the most values; None if no axis has several. besides: an axis that is not looked at."""
        counts = {
            axis: len(set(map(repr, group.values[axis]))) for axis, name in enumerate(self.names) if name != besides
        }
        longest = max(counts, key=lambda axis: counts[axis], default=None)
        return longest if longest is not None and counts[longest] > 1 else None

    def _alike(self, group: Group) -> list[Group]:
        """The parts of a group in which every axis is an array of numbers of one kind, or has one value.

        So is every part of such a part.
        """
        for axis, values in enumerate(group.values):
            kinds = [self._kind(axis, value) for value in values]
            if len(set(kinds)) > 1 or (kinds[0] is None and len(values) > 1):
                parts = group.by(
                    axis, [repr(value) if kind is None else kind for kind, value in zip(kinds, values, strict=True)]
                )
                if len(parts) > 1:
                    return [one for part in parts for one in self._alike(part)]
        return [group]

    def _kind(self, axis: int, value: Any) -> Any:
        """What values of an axis become an array together; None: such a value is alone."""
        name = self.names[axis]
        own = self.network.settings.get(name)
        if isinstance(value, float):
            return None if type(own) is int else float
        if type(value) is int:
            return int if abs(value) < 2**63 else None
        if isinstance(value, list) and name not in ("input", "batch") and value:
            kinds = {self._kind(axis, item) if type(item) in (int, float) else None for item in value}
            return (len(value), *kinds) if len(kinds) == 1 and None not in kinds else None
        return None

    def _computed(self, group: Group, network: Network) -> tuple[list[tuple[Any, Columns]], int]:
        """The points of a group that meet the condition, with their figures; and how many lack a figure of it."""
        import numpy as np

        analysis = self._analysis(group, network)
        if self.holds is not None:
            try:
                met = np.broadcast_to(self.holds(analysis), group.places.shape)
            except MissingError:
                return [], group.places.size
            if not met.any():
                return [], 0
            if not met.all():
                group = group.where(met)
                analysis = self._analysis(group, self._network(group))
        return [
            (
                group.places.ravel(),
                {name: _column(figure, analysis, group.places.shape) for name, figure in self.figures.items()},
            )
        ], 0

    def _network(self, group: Group) -> Network:
        """The network of a group, in which every axis with several values is an array with a dimension of its own."""
        settings, inputs = dict(self.network.settings), dict(self.network.inputs)
        main = next(iter(inputs))
        for axis, name in enumerate(self.names):
            if name == "batch":
                continue
            value = group.array(axis)
            if name == "input":
                inputs[main] = self._input(value)
            else:
                key, at = item_of(name)
                own: Any = settings[key]
                settings[key] = value if at is None else [value if i == at else item for i, item in enumerate(own)]
        several = group.places.size > 1
        return self.network.at(inputs if "input" in self.names else None, settings, build=several)

    def _input(self, value: Any) -> Shape:
        """The main input: a number is the size of every axis."""
        name, own = next(iter(self.network.inputs.items()))
        if isinstance(value, (tuple, Shape)):
            return self.network.takes[name].shape(self.network.full_name, value)
        return Shape(own.channels, (value,) * len(own.axes))

    def _analysis(self, group: Group, network: Network) -> Analysis:
        batch = group.array(self.names.index("batch")) if "batch" in self.names else self.how.batch
        return analyze(
            network, batch=batch, dtype=self.how.dtype, convention=self.how.convention, training=self.how.training
        )


def _column(figure: Callable[[Analysis], Any], analysis: Analysis, sides: tuple[int, ...]) -> Any:
    """A figure of every point, in one row; None where the network has none."""
    import numpy as np

    try:
        value = figure(analysis)
    except MissingError:
        value = None
    array = np.asarray(value, dtype=object if isinstance(value, (str, list, type(None))) else None)
    return np.broadcast_to(narrowed(array) if array.dtype == object else array, sides).ravel()


def _joined(
    found: Sequence[tuple[Any, Columns]], names: Sequence[str], refused: Mapping[str, int], lacking: int
) -> Found:
    """The points of all groups, in the order of the block."""
    import numpy as np

    if not found:
        return Found(np.array([], dtype=int), {name: np.array([], dtype=int) for name in names}, refused, lacking)
    places = np.concatenate([places for places, _ in found])
    order = places.argsort()
    columns = {name: together([figures[name] for _, figures in found])[order] for name in names}
    return Found(places[order], columns, refused, lacking)


def together(arrays: Sequence[Any]) -> Any:
    """Arrays, one after another. Numbers of unlike types stay as they are: int64 as float64 would lose digits."""
    import numpy as np

    full = [array for array in arrays if len(array)] or arrays[:1]
    if len({array.dtype for array in full}) > 1:
        full = [array.astype(object) for array in full]
    return np.concatenate(full)
