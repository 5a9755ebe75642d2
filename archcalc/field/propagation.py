"""The receptive fields of a network, node by node: past the gates, or along all paths.

A gate (squeeze and excitation) sees the whole network input through its pooling, but only scales channels. After the
first gate, every field along all paths is the whole network input. So this field does not describe the layers there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, reduce
from operator import and_, is_, or_
from typing import TYPE_CHECKING, Any, TypeAlias

from archcalc.errors import LayerError
from archcalc.field.axis import AxisField, join
from archcalc.field.field import Field, mixed
from archcalc.field.grid import Grid
from archcalc.field.paths import followed
from archcalc.field.vectors import of_the_vector, one_after_another, part, together_of, with_together
from archcalc.layers.join import Concat
from archcalc.layers.join import broadcast_windows as windows_of
from archcalc.network import Network, Node
from archcalc.sizes import ITSELF, MOST_READS, POINT, Int, Window, alike, is_array, largest, settled, smallest

if TYPE_CHECKING:
    from archcalc.field.map_reader import MapReader

FieldByAxis: TypeAlias = tuple[AxisField, ...]
"""The receptive field of a node, along every axis of the network input; () if the node does not depend on this input."""

MAX_STEP = 10**1000
"""The largest product of the strides and upsampling factors on one path. Larger numbers cannot be printed."""

PHASES = 100_000
"""The most phases of all layers together. The most phases of one layer: this number / number of layers."""


class Propagation:
    """The fields of the nodes that were added so far, in the network's order."""

    def __init__(self, network: Network, *, gates: bool = False, cut: bool = True, grid: Grid | None = None) -> None:
        """Past the gates, or along all paths (``gates``). ``cut``: find the pixels that a whole map reads.

        ``grid`` says of which input of the network the pixels are; default: the first.
        """
        self.network, self.gates, self.cut = network, gates, cut
        self.grid = grid or Grid(network)
        axes = self.grid.pixels
        self.pixels = axes if any(map(is_array, axes)) else same(axes)
        self.most = max(4, min(MOST_READS, PHASES // len(network.nodes)))
        self.fields: list[FieldByAxis] = []
        self._read: dict[tuple[int, int], tuple[Any, FieldByAxis]] = {}
        self._maps: dict[int, tuple[Any, ...]] = {}
        """For a vector that was made from a map: the axes of the map."""

    @cached_property
    def _map_reader(self) -> MapReader:
        from archcalc.field.map_reader import MapReader

        return MapReader(self.network, gates=self.gates, grid=self.grid)

    def add(self, node: Node, windows: tuple[Window, ...]) -> FieldByAxis:
        """The field of the next node, whose layer has the windows; LayerError if numbers become too large."""
        own = windows is POINT and self.grid.plain and len(node.inputs) == 1 and not node.layer.makes_regions
        if own and node.shape.axes:  # as most layers; the rest of the code says the same, more slowly
            field = self.fields[node.inputs[0]]
        else:
            field = self._of_pixels(node, self._field(node, windows))
        if node.instead:
            from archcalc.field.turns import where_present

            field = where_present(node, field, self.fields, (self._maps.get, self.grid.layout))
        self.fields.append(field)
        return field

    def _of_pixels(self, node: Node, field: FieldByAxis) -> FieldByAxis:
        """A field that is the whole input along an axis is a bound if units read the padding alone along another axis."""
        if not self.cut or any(field is self.fields[i] for i in node.inputs):
            return field
        whole, none = reduce(or_, [one.exact & one.field.whole for one in field], False), False
        for axis, one in enumerate(field if largest(whole) else ()):
            unsure = _except(whole, one.reads_ends | one.some | none)
            if largest(unsure):
                none = none | self._map_reader.pixels(node, axis, unsure).none
        if not largest(none):
            return field
        return tuple([one._replace(exact=_except(one.exact, one.field.whole & none)) for one in field])

    def _field(self, node: Node, windows: tuple[Window, ...]) -> FieldByAxis:
        grid = self.grid
        if node.index == grid.source:
            return (AxisField(),) * len(self.pixels)
        if grid.plain and node.layer.makes_regions:
            return _per_axis(_anywhere, self.pixels)
        joins, axes = node.layer.joins, node.shape.axes
        inputs = node.inputs if self.gates or not joins else followed(node, self.network)
        if not grid.plain:
            places = [(at, i) for at, i in enumerate(node.inputs) if i in inputs and self.fields[i]]
            if not places or not grid.has_field(node.index):
                return ()
            if joins and (axes or len(places) > 1):
                return self._joined(node, places)
            ((at, source),) = places
            inputs, windows = [source], grid.windows(node, at)
            if axes and source in self._maps:
                return of_the_vector(self.fields[source])
        before = self.fields[inputs[0]] if len(inputs) == 1 else self._joined(node, list(enumerate(inputs)))
        if windows is POINT:
            return before if axes else self._vector(node, inputs[0], before)
        field = self._through(windows, before, grid.axes(node.index) if axes else ())
        if any(window.whole for window in windows):
            field = self._of_whole_maps(inputs[0], windows, before, field)
        if not axes and self.network.nodes[inputs[0]].shape.axes:
            self._maps[node.index] = grid.map_of(inputs[0])
            return tuple(map(with_together, before, field))
        in_turns, last = False, None
        for axis_field in field:
            if axis_field is last:  # the axis before has the same field
                continue
            last, line = axis_field, axis_field.field
            in_turns = in_turns or bool(line.phases)
            if isinstance(line.step, int) and isinstance(line.per, int) and max(line.step, line.per) > MAX_STEP:
                raise LayerError(f"{node.name}: the strides on the way here multiply to more than 10^1000")
        return on_map(field, grid.axes(node.index)) if in_turns and axes else field

    def _through(self, windows: tuple[Window, ...], field: FieldByAxis, units: Sequence[Int]) -> FieldByAxis:
        result: list[AxisField] = []
        last: tuple[Any, ...] = (None,) * 4
        for at in zip(field, windows, self.pixels, units or self.pixels, strict=True):
            alike = all(map(is_, at, last))
            result.append(result[-1] if alike else at[0].through(at[1], at[2], self.most, at[3]))
            last = at
        return tuple(result)

    def _vector(self, node: Node, source: int, before: FieldByAxis) -> FieldByAxis:
        """The field of a vector made from a vector. If each value depends on all values: the field of all values."""
        if source not in self._maps:
            return before
        if node.layer.mixes:
            return together_of(before)
        map_axes = self._maps[node.index] = self._maps[source]
        if smallest(node.shape.values - self.network.nodes[source].shape.values) >= 0:
            return before
        return tuple(part(axis_field, one_map=bool(map_axes)) for axis_field in before)

    def _joined(self, node: Node, places: Sequence[tuple[int, int]]) -> FieldByAxis:
        """The field at a join.

        ``places``: the number of each input among the inputs of the join, and its node. If a vector and a map are
        joined, the vector is used at all positions of the map. Vectors are added or concatenated.
        """
        if node.shape.axes:
            paths = [self._beside(at, i, node) for at, i in places]
            joined = self._hull(paths, self.grid.axes(node.index))
            placed = self.grid.side_by_side(node)
            if placed is not None:
                each = enumerate(zip(joined, *paths, strict=True))
                joined = tuple(along[0] if axis == placed else _of_parts(*along) for axis, along in each)
            in_turns = any(axis_field.field.phases for axis_field in joined)
            return on_map(joined, self.grid.axes(node.index)) if in_turns else joined
        inputs = [i for _, i in places]
        paths = [self.fields[i] for i in inputs]
        if not any(i in self._maps for i in inputs):
            return self._hull(paths)
        whole = self._hull([together_of(path) for path in paths])
        maps = [self._maps.get(i) for i in inputs]
        if isinstance(node.layer, Concat):
            self._maps[node.index] = ()
            return tuple(one_after_another(at, all_) for *at, all_ in zip(*paths, whole, strict=True))
        if not alike(paths, paths[:1] * len(paths)) and not (all(maps) and alike(maps, maps[:1] * len(maps))):
            return tuple(axis_field._replace(exact=False) for axis_field in whole)
        self._maps[node.index] = maps[0] or ()
        return tuple(a._replace(together=b) for a, b in zip(self._hull(paths), whole, strict=True))

    def _beside(self, at: int, index: int, node: Node) -> FieldByAxis:
        """The field of a position after a join, through one input: the same position, or an axis of size 1."""
        source = self.network.nodes[index]
        field = self.fields[index]
        if index in self._maps:
            return together_of(field)
        if self.grid.plain:
            if all(map(is_, source.shape.axes, node.shape.axes)):
                return field
            windows = windows_of(source.shape, node.shape)
        else:
            windows = self.grid.windows(node, at)
        if windows is POINT:
            return field
        key = id(field), id(windows)
        if key not in self._read:  # keys and values of attention are often read in the same way
            after = self._through(windows, field, self.grid.axes(node.index))
            self._read[key] = windows, self._of_whole_maps(index, windows, field, after)
        return self._read[key][1]

    def _hull(self, paths: Sequence[FieldByAxis], units: Sequence[Int] = ()) -> FieldByAxis:
        most, sizes = self.most, units or (0,) * len(self.pixels)
        return _per_axis(lambda *at: join(at[:-2], at[-2], most, at[-1]), *paths, self.pixels, sizes)

    def _of_whole_maps(
        self, source: int, windows: Sequence[Window], before: FieldByAxis, after: FieldByAxis
    ) -> FieldByAxis:
        """The field ``after`` windows that take the whole map ``source``, cut to the pixels that this map reads.

        ``before`` is the field of the source. A field does not change where it is exact, and where ``before`` is a bound.
        """
        if not self.cut:
            return after
        result: list[AxisField] = []
        for axis, (old, new, window) in enumerate(zip(before, after, windows, strict=True)):
            if axis and new is after[axis - 1] and old is before[axis - 1]:  # the axis before has the same fields
                result.append(result[-1])
                continue
            bound = window.whole & window.exact & _except(old.exact, new.exact)
            if largest(bound):
                first, last, some, _ = self._map_reader.pixels(self.network.nodes[source], axis, bound)
                cut = mixed(new.field, Field(first, last, 0, 1), some)
                new = new._replace(field=cut, exact=settled(new.exact | some), some=settled(new.some | some))
            result.append(new)
        return tuple(result)


def _except(holds: Any, other: Any) -> Any:
    """Whether something holds and another thing does not, of every element."""
    return settled(holds & (other ^ True))


def has_gates(network: Network) -> bool:
    """Whether the network has a gate."""
    return any(len(followed(node, network)) < len(node.inputs) for node in network.nodes if node.layer.joins)


def _anywhere(pixels: Int) -> AxisField:
    """The field of a unit of a region, which may lie anywhere: the whole input, as a bound."""
    return AxisField(Field(0, pixels - 1, 0, 1), Field(0, pixels - 1, 0, 1), exact=False, some=False)


def _of_parts(joined: AxisField, *parts: AxisField) -> AxisField:
    """The field of maps that lie next to each other, along another axis: a bound if the fields of the maps differ."""
    return joined if all(alike(part.field, parts[0].field) for part in parts) else joined._replace(exact=False)


def on_map(field: FieldByAxis, axes: Sequence[Int]) -> FieldByAxis:
    """The field on a map of these sizes: see ``Field.on``."""
    there = _per_axis(_on, field, axes)
    return field if all(map(is_, there, field)) else there


def _on(field: AxisField, units: Int) -> AxisField:
    """The field on an axis of ``units`` units. On arrays, a bound where a map has fewer units than phases."""
    if is_array(units):
        lines = [line for line in (field.field, field.least) if line.phases]
        return field._replace(exact=settled(reduce(and_, [units >= line.per for line in lines], field.exact)))
    return field.on(units)


def _per_axis(compute: Callable[..., AxisField], *columns: Sequence[Any]) -> FieldByAxis:
    """Call ``compute`` for each axis. If the values are the same objects as on the axis before, its field is shared."""
    result: list[AxisField] = []
    before: tuple[Any, ...] = ()
    for values in zip(*columns, strict=True):
        result.append(result[-1] if before and all(map(is_, values, before)) else compute(*values))
        before = values
    return tuple(result)


def passed(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    """The windows in their shortest form: POINT if each output reads only its own position, as in a 1x1 convolution."""
    if any(is_array(n) for window in windows for n in window):
        return windows
    itself = all(window.over == 0 and window == ITSELF for window in windows)
    return POINT if itself else same(windows)


def same(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values. If a value equals the first value, it is replaced by the same object."""
    try:
        return tuple(values[0] if value == values[0] else value for value in values)
    except ValueError:  # windows with arrays have no single answer
        return values
