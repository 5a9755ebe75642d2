"""The receptive fields of a network, node by node: past the gates, or along all paths.

A gate (squeeze and excitation) sees the whole input through its pooling, but scales channels alone: behind the first
one every field is the whole input along all paths, and nothing could be told of the layers after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from operator import is_
from typing import TYPE_CHECKING, Any, TypeAlias

from archcalc.errors import LayerError
from archcalc.field.axis import AxisField, Field, join, same_for_all
from archcalc.field.paths import followed
from archcalc.layers.join import Concat
from archcalc.layers.join import seen as windows_of
from archcalc.network import Network, Node
from archcalc.sizes import MOST_READS, POINT, Int, Window, is_array, smallest

if TYPE_CHECKING:
    from archcalc.field.pixels_read import Positions

AxisFields: TypeAlias = tuple[AxisField, ...]

MAX_STEP = 10**1000
"""The most that strides and upsampling factors on one path may multiply to; beyond it numbers cannot be printed."""

ITSELF = Window(1, over=0)
"""What a unit reads that reads its own position."""

PHASES = 100_000
"""How many units of all layers together are told apart: of each layer that number over the number of layers."""


class Fields:
    """The views of the nodes that were added so far, in the network's order."""

    def __init__(self, network: Network, *, gates: bool = False, cut: bool = True) -> None:
        """Past the gates, or with ``gates`` along all paths; without ``cut`` whole maps are not looked into."""
        self.network, self.gates, self.cut = network, gates, cut
        axes = network.input.axes
        self.pixels = axes if any(map(is_array, axes)) else same(axes)
        self.most = max(4, min(MOST_READS, PHASES // len(network.nodes)))
        self.views: list[AxisFields] = []
        self._maps: dict[int, tuple[Int, ...]] = {}  # of a vector that was made of a map, the map's axes

    @cached_property
    def _positions(self) -> Positions:
        from archcalc.field.pixels_read import Positions

        return Positions(self.network, gates=self.gates)

    def add(self, node: Node, windows: tuple[Window, ...]) -> AxisFields:
        """The views of the next node; LayerError where numbers become too large."""
        views = self._seen(node, windows)
        self.views.append(views)
        return views

    def _seen(self, node: Node, windows: tuple[Window, ...]) -> AxisFields:
        if not node.inputs:
            return (AxisField(),) * len(self.pixels)
        inputs = node.inputs if self.gates or not node.layer.joins else followed(node, self.network)
        behind = self.views[inputs[0]] if len(inputs) == 1 else self._met(node, inputs)
        axes = node.shape.axes
        if windows is POINT:
            return behind if axes else self._vector(node, inputs[0], behind)
        seen = self._through(windows, behind)
        if any(window.whole for window in windows):
            seen = self._of_whole_maps(self.network.nodes[inputs[0]], windows, behind, seen)
        if not axes and self.network.nodes[inputs[0]].shape.axes:
            self._maps[node.index] = self.network.nodes[inputs[0]].shape.axes
            return tuple(
                a if same_for_all(a.field) else a._replace(together=b) for a, b in zip(behind, seen, strict=True)
            )
        in_turns, last = False, None
        for view in seen:
            if view is last:  # alike along both axes
                continue
            last, field = view, view.field
            in_turns = in_turns or bool(field.phases)
            if isinstance(field.step, int) and isinstance(field.per, int) and max(field.step, field.per) > MAX_STEP:
                raise LayerError(f"{node.name}: the strides on the way here multiply to more than 10^1000")
        return tuple(map(_on, seen, axes)) if in_turns else seen

    def _through(self, windows: tuple[Window, ...], views: AxisFields) -> AxisFields:
        found: list[AxisField] = []
        last: tuple[Any, ...] = (None, None, None)
        for at in zip(views, windows, self.pixels, strict=True):
            alike = all(map(is_, at, last))
            found.append(found[-1] if alike else at[0].through(at[1], at[2], self.most))
            last = at
        return tuple(found)

    def _vector(self, node: Node, before: int, behind: AxisFields) -> AxisFields:
        """A vector of a vector: where each value is made of all of them, it sees what they see together."""
        if before not in self._maps:
            return behind
        if node.layer.mixes:
            return tuple(view.together or view for view in behind)
        map_axes = self._maps[node.index] = self._maps[before]
        if smallest(node.shape.values - self.network.nodes[before].shape.values) >= 0:
            return behind
        return tuple(_part(view, one_map=bool(map_axes)) for view in behind)

    def _met(self, node: Node, inputs: Sequence[int]) -> AxisFields:
        """Where paths meet. A vector beside a map serves all its positions; vectors lie one after another, or are added."""
        ends = [self.views[i] for i in inputs]
        axes = node.shape.axes
        if axes:
            met = self._joined([self._beside(i, node) for i in inputs])
            return tuple(map(_on, met, axes)) if any(view.field.phases for view in met) else met
        if not any(i in self._maps for i in inputs):
            return self._joined(ends)
        whole = self._joined([_together(views) for views in ends])
        maps = [self._maps.get(i) for i in inputs]
        if isinstance(node.layer, Concat):
            self._maps[node.index] = ()
            return tuple(_one_after_another(at, all_) for *at, all_ in zip(*ends, whole, strict=True))
        if any(views != ends[0] for views in ends) and (not all(maps) or len(set(maps)) > 1):
            return tuple(view._replace(exact=False) for view in whole)
        self._maps[node.index] = maps[0] or ()
        return tuple(a._replace(together=b) for a, b in zip(self._joined(ends), whole, strict=True))

    def _beside(self, index: int, node: Node) -> AxisFields:
        """What a position of a joined map sees of an input: its own position, or all of an axis that has a single one."""
        source = self.network.nodes[index]
        views = self.views[index]
        if index in self._maps:
            return _together(views)
        if all(map(is_, source.shape.axes, node.shape.axes)):
            return views
        windows = windows_of(source.shape, node.shape)
        if windows is POINT:
            return views
        return self._of_whole_maps(source, windows, views, self._through(windows, views))

    def _joined(self, ends: Sequence[AxisFields]) -> AxisFields:
        most = self.most
        return _per_axis(lambda *at: join(at[:-1], at[-1], most), *ends, self.pixels)

    def _of_whole_maps(
        self, source: Node, windows: Sequence[Window], behind: AxisFields, seen: AxisFields
    ) -> AxisFields:
        """The views ``seen`` through windows that take the whole map, cut to the pixels that are read of it.

        ``behind`` are the views of the map ``source``. What is exact, or was a bound before, stays as it is; so do
        arrays.
        """
        if not self.cut:
            return seen
        cut: list[AxisField] = []
        for axis, (was, now, window) in enumerate(zip(behind, seen, windows, strict=True)):
            if axis and now is seen[axis - 1] and was is behind[axis - 1]:  # alike in every layer on the way here
                cut.append(cut[-1])
                continue
            asked = window.whole and was.exact and not now.exact
            if asked and not any(map(is_array, (*source.shape.axes, *was.field[:4]))):
                ends = self._positions.of_map(source, axis)
                now = now._replace(field=Field(*ends, 0, 1), exact=True) if ends else now
            cut.append(now)
        return tuple(cut)


def fields(network: Network, *, gates: bool = False, cut: bool = True) -> list[AxisFields]:
    """The views of every node, past the gates or along all paths."""
    found = Fields(network, gates=gates, cut=cut)
    known: dict[Any, tuple[Window, ...]] = {}
    for node in network.nodes:
        key = node.layer, *network.input_shapes(node)  # layers repeat
        if key not in known:
            known[key] = passed(node.layer.window(*key[1:]))
        found.add(node, known[key])
    return found.views


def has_gates(network: Network) -> bool:
    """Whether some paths pass a gate."""
    return any(len(followed(node, network)) < len(node.inputs) for node in network.nodes if node.layer.joins)


def _on(view: AxisField, units: Int) -> AxisField:
    """The view on a map of so many units; a bound on arrays of sizes, some of which have fewer units than phases."""
    if is_array(units):
        few = smallest(units) < view.field.per
        return view._replace(field=view.field.line(), least=view.least.line(), exact=False) if few else view
    return view._replace(field=view.field.on(units), least=view.least.on(units))


def _together(views: AxisFields) -> AxisFields:
    return tuple(view.together or view for view in views)


def _part(view: AxisField, *, one_map: bool) -> AxisField:
    """Some values of a vector: which of its units they are is not followed, so that what they see together is a bound."""
    together = view.together and view.together._replace(exact=False)
    return view._replace(exact=view.exact and one_map and not view.field.phases, together=together)


def _one_after_another(views: Sequence[AxisField], together: AxisField) -> AxisField:
    """The units of several vectors: the largest and the smallest field among them."""
    largest = max(views, key=lambda view: view.field.size)
    least = min(views, key=lambda view: view.least.size).least
    exact = all(view.exact or view.field.size <= largest.field.size for view in views) and largest.exact
    return AxisField(largest.field, least, exact, together=together)


def _per_axis(compute: Callable[..., AxisField], *columns: tuple[Any, ...]) -> AxisFields:
    """compute for each axis; an axis with the very values of the one before, as on square maps, shares its view."""
    views: list[AxisField] = []
    before: tuple[Any, ...] = ()
    for values in zip(*columns, strict=True):
        views.append(views[-1] if before and all(map(is_, values, before)) else compute(*values))
        before = values
    return tuple(views)


def passed(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    """The windows as fields pass them: POINT where each output reads just its own position, as in a 1x1 convolution."""
    itself = all(window.over == 0 and window == ITSELF for window in windows)  # over is a number where all are
    return POINT if itself else same(windows)


def same(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values, those that equal the first being the first itself."""
    return tuple(values[0] if value == values[0] else value for value in values)
