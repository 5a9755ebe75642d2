"""The steps of an imported network: layers on maps, and tensors that show these maps.

Operators become layers in ``archcalc.importing.traced.operators``. A step has the shape of its map; a ``Shown`` is a tensor of the model
as a view of the map of a step (``archcalc.importing.traced.factors``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any, NamedTuple

from archcalc.importing.traced.calls import Call, Tensor
from archcalc.importing.traced.factors import BATCH, Factor, Group, View, merged, size_of, split, whole
from archcalc.importing.traced.patterns import movement
from archcalc.sizes import Shape


class UnsupportedError(Exception):
    """An operator that has no layer; the text says what is not understood."""


class Step:
    """One layer: its type and settings, the steps that it reads, and the shape of its map for one image."""

    __slots__ = ("groups", "name", "own", "reads", "settings", "shape", "targets", "type", "value")

    def __init__(self, type: str, settings: dict[str, Any], reads: list[int], shape: Shape, own: list[Tensor]) -> None:
        self.type, self.settings, self.reads, self.shape, self.own = type, settings, reads, shape, own
        self.name = ""
        self.value = 0.0  # of a padding: what is put around
        self.targets: list[Group] = []  # of a movement: the groups of its input
        self.groups: list[Group] = []  # of a trained map that is added: its axes, as groups of the map

    @property
    def sizes(self) -> tuple[int, ...]:
        return self.shape.channels, *self.shape.axes

    @property
    def natural(self) -> list[Group]:
        """The whole sizes of the map."""
        return [whole(axis, size) for axis, size in enumerate(self.sizes)]


class Shown(NamedTuple):
    """A tensor of the model that shows the map of a step."""

    step: int
    view: View

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(map(size_of, self.view))


class Indices(NamedTuple):
    """Where a max pooling found its maxima: the step of the pooling, and the sizes of the tensor."""

    step: int
    sizes: tuple[int, ...]


class Fixed(NamedTuple):
    """A tensor that does not depend on the inputs: a parameter, a buffer, a constant, or computed from them.

    ``terms``: the tensors of which this is the sum. ``value``: its values, where they are known.
    """

    shape: tuple[int, ...]
    sources: tuple[Tensor, ...]
    calls: tuple[Call, ...] = ()
    terms: tuple[Fixed, ...] = ()
    value: Any = None

    @property
    def sizes(self) -> tuple[int, ...]:
        return self.shape

    @property
    def parameters(self) -> list[Tensor]:
        return [one for one in self.sources if one.kind == "parameter"]


class Map(NamedTuple):
    """A step whose channels are one axis of a tensor. ``axes``: for every axis of the tensor, the axis of the map.

    ``groups``: the factors of every axis of the tensor before, among them those of the batch.
    """

    step: int
    axes: tuple[int, ...]
    groups: View


class Steps:
    """The steps of a network in their order."""

    def __init__(self, batch: int) -> None:
        self.steps: list[Step] = []
        self.batch = batch
        self.call: Call | None = None
        self.callers: dict[int, Call] = {}

    def add(
        self, type: str, settings: dict[str, Any], reads: Sequence[int], shape: Shape, own: Iterable[Tensor] = ()
    ) -> int:
        """The number of a new step."""
        self.steps.append(Step(type, settings, list(reads), shape, list(own)))
        at = len(self.steps) - 1
        if self.call is not None:
            self.callers[at] = self.call
        return at

    def input(self, name: str, sizes: Sequence[int]) -> Shown:
        """A new input; its tensor has the batch in front of the sizes."""
        at = self.add("input", {}, [], Shape(sizes[0], tuple(sizes[1:])))
        self.steps[at].name = name
        return Shown(at, ((Factor(BATCH, 1, self.batch),), *self.steps[at].natural))

    def arranged(self, step: int, groups: Sequence[Sequence[Any]]) -> int:
        """A step whose channels and axes are these groups of factors of the map of a step."""
        source = self.steps[step]
        targets = [merged(group) for group in groups]
        sizes = [size_of(group) for group in targets]
        if targets == source.natural and len(sizes) == len(source.sizes):
            return step
        if prod(sizes) != prod(source.sizes):
            raise UnsupportedError(f"a view that shows {prod(sizes):,} of {prod(source.sizes):,} values")
        type, settings = movement(source.shape, source.natural, targets)
        made = self.add(type, settings, [step], Shape(sizes[0], tuple(sizes[1:])))
        self.steps[made].targets = targets
        return made

    def as_map(self, tensor: Shown, channels: int, part: bool = False) -> Map:
        """The tensor as a map whose channels are the tensor's axis of that number; the other axes keep their order.

        ``part``: the channels may be a part of an axis, beside the batch.
        """
        view = tensor.view
        channels %= len(view)
        groups = [[factor for factor in group if factor.axis != BATCH] for group in view]
        batch = [len(kept) < len(group) for kept, group in zip(groups, view, strict=True)]
        if batch[channels] and not (part and groups[channels]):
            raise UnsupportedError("the batch is a part of the channels")
        axes, number = [], 1
        kept = [groups[channels]]
        for at, group in enumerate(groups):
            if at == channels:
                axes.append(0)
            elif group or not batch[at]:
                axes.append(number)
                kept.append(group)
                number += 1
            else:
                axes.append(BATCH)
        return Map(self.arranged(tensor.step, kept), tuple(axes), view)

    def shown(self, step: int, map: Map) -> Shown:
        """The tensor that a layer makes of a map: its axes lie as those of the layer's input."""
        sizes = self.steps[step].sizes
        view = tuple(
            with_batch(group, whole(axis, sizes[axis]) if axis != BATCH else ())
            for axis, group in zip(map.axes, map.groups, strict=True)
        )
        return Shown(step, view)

    def shape_of(self, map: Map, sizes: Sequence[int]) -> Shape:
        """The shape of a map for the sizes of a tensor."""
        found = {
            axis: size // size_of(factor for factor in group if factor.axis == BATCH)
            for axis, group, size in zip(map.axes, map.groups, sizes, strict=True)
        }
        return Shape(found[0], tuple(found[axis] for axis in sorted(found) if axis > 0))

    def layer(
        self,
        type: str,
        settings: dict[str, Any],
        tensor: Shown,
        sizes: Sequence[int],
        own: Iterable[Tensor] = (),
        channels: int = 1,
    ) -> Shown:
        """The tensor of the given sizes that a layer makes; the channels are the input's axis of that number."""
        map = self.as_map(tensor, channels)
        step = self.add(type, settings, [map.step], self.shape_of(map, sizes), own)
        return self.shown(step, map)

    def same(self, type: str, settings: dict[str, Any], tensor: Shown, own: Iterable[Tensor] = ()) -> Shown:
        """The tensor that a layer makes which computes value by value: in the axes of its input."""
        step = self.add(type, settings, [tensor.step], self.steps[tensor.step].shape, own)
        return Shown(step, tensor.view)


def with_batch(before: Group, axis: Group) -> Group:
    """The factors of an axis of a map, with the batch between them where it was before."""
    places = [at for at, factor in enumerate(before) if factor.axis == BATCH]
    if not places:
        return axis
    front, back = before[: places[0]], before[places[-1] + 1 :]
    if not front or not back:
        batch = tuple(factor for factor in before if factor.axis == BATCH)
        return (*axis, *batch) if front else (*batch, *axis)
    pieces = split(axis, [size_of(front), size_of(back)])
    if pieces is None or len(places) > 1:
        raise UnsupportedError("the batch lies between parts of an axis")
    return (*pieces[0], before[places[0]], *pieces[1])
