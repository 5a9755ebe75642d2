"""The receptive fields of the layers, and the field summary at one input. Fields follow the paths past the gates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

from archcalc.errors import ArchcalcError, unknown
from archcalc.field.coverage import adds_pixels, gate_nodes, padding_varies, unit_covers, units_cover
from archcalc.field.field import Field
from archcalc.field.grid import Grid
from archcalc.field.paths import followed
from archcalc.field.propagation import FieldByAxis
from archcalc.field.smallest_input import smallest_input
from archcalc.field.unit import UnitField, unit_fields
from archcalc.letters import normal
from archcalc.network import Network, Node
from archcalc.sizes import any_array


class LayerField(NamedTuple):
    """The receptive field of one layer along every axis, past the gates and over all paths, in pixels.

    centred: for every axis whether all paths to the layer have one centre and one step. differs_from_input: the field
    differs from the field of at least one input. widens: the layer's own window adds pixels. idle: a unit of the input
    already covers the network input (None: may be, because the input's field is a bound). idle_everywhere: every unit
    of the input covers the network input. padded: the padding on a path depends on the size of the network input
    (TensorFlow's 'same'). gate: the layer belongs to a gate.
    """

    node: Node
    field: FieldByAxis
    field_with_gates: FieldByAxis
    centred: tuple[bool, ...]
    differs_from_input: bool
    widens: bool
    idle: bool | None
    idle_everywhere: bool | None
    padded: bool
    gate: bool


class FieldSummary(NamedTuple):
    """What the fields mean at this input: the field summary.

    first: the first layer that covers the network input. everywhere: the first layer whose units all cover the network
    input. may_be_first, may_be_everywhere: the first earlier layer whose field is a bound that covers the input, if
    there is such a layer. widening: the widening layers. idle: the widening layers whose input already covers the
    network input. may_idle: the widening layers that may be idle, because the input's field is a bound. least: the side
    of the smallest square input without idle layers, in pixels; None if there is no such side, or if the side is
    unknown. least_exact: False if a smaller side may also have no idle layers.
    """

    first: LayerField | None
    everywhere: LayerField | None
    widening: list[LayerField]
    idle: list[LayerField]
    least: int | None
    may_be_first: LayerField | None = None
    may_be_everywhere: LayerField | None = None
    may_idle: Sequence[LayerField] = ()
    least_exact: bool = True


class NetworkField:
    """The receptive fields of a network at one of its inputs, layer by layer, and the field summary."""

    def __init__(
        self,
        network: Network,
        fields: Sequence[FieldByAxis],
        with_gates: Sequence[FieldByAxis],
        training: bool = False,
        source: int = 0,
    ) -> None:
        """``fields`` are the fields of the network's nodes past the gates, ``with_gates`` the fields over all paths.

        Side heads are included only if ``training``. The pixels are those of the input ``source``.
        """
        self.network, self.training, self.source = network, training, source
        self._fields, self._with_gates = fields, with_gates

    @cached_property
    def grid(self) -> Grid:
        """The grid of the network: where rearrangements moved the positions of each map."""
        return Grid(self.network, self.source)

    @property
    def pixels(self) -> tuple[int, ...]:
        """The size of the input along every axis."""
        return self.network.nodes[self.source].shape.axes

    @cached_property
    def _all_layers(self) -> list[LayerField]:
        network = self.network
        if not self.pixels:
            source, several = network.nodes[self.source], len(network.inputs) > 1
            raise ArchcalcError(
                f"{network.full_name} has no spatial axes: its input{f' {source.name}' if several else ''} is a vector of "
                f"{source.shape}, all of which every unit sees"
            )
        if any_array((self.pixels, *network.settings.values())):
            raise ArchcalcError("fields need single sizes; on arrays, read the fields of the rows")
        return _layers(network, self._fields, self._with_gates, self.grid)

    @cached_property
    def layers(self) -> list[LayerField]:
        """The fields of every layer that runs and depends on the network input, the input first.

        ArchcalcError if the network has no spatial axes.
        """
        running = {self.source, *(node.index for node in self.network.running(self.training))}
        return [layer for layer in self._all_layers if layer.node.index in running and layer.field]

    def layer(self, name: str) -> LayerField:
        """The layer ``name``, or the last layer of the block ``name``; ArchcalcError with the nearest name."""
        name = normal(name)
        named = [layer for layer in self.layers if layer.node.name == name] or [
            layer for layer in self.layers if layer.node.name.startswith(f"{name}.") or name in layer.node.scopes
        ]
        if not named:
            source = self.network.nodes[self.source].name
            if any(node.name == name for node in self.network.running(self.training)):
                raise ArchcalcError(f"{self.network.full_name}: {name} does not depend on the input {source}")
            raise ArchcalcError(unknown("layer", name, [layer.node.name for layer in self.layers]))
        return named[-1]

    def unit(self, name: str, unit: Sequence[int]) -> list[UnitField]:
        """The field of one unit of a layer along every axis, past the gates.

        ``name`` is a layer, or a block (then its last layer is used). ``unit`` is the unit's position: (row, column).
        ArchcalcError for an unknown layer, for a position outside the map, or for a layer without positions.
        """
        layer = self.layer(name)
        return unit_fields(self.grid, layer.node, layer.field, unit)

    @cached_property
    def summary(self) -> FieldSummary:
        """The field summary at this input, with the smallest input without idle layers. Errors: see ``layers``."""
        coverage = self.coverage
        least, exact = smallest_input(self.network, self._fields, self.source)
        return coverage._replace(least=least, least_exact=exact)

    @cached_property
    def coverage(self) -> FieldSummary:
        """The field summary without the smallest input, for which some networks are built hundreds of times.

        Richter et al., Should you go deeper?, 2021, arXiv:2106.12307: a layer cannot add context when the field of its
        input is the whole network input already. This rule is applied to convolutions and poolings. It is not applied
        to layers that always take the whole map (global and adaptive poolings, fully connected layers).
        """
        on_path = [layer for layer in self.layers if not layer.gate and not layer.node.side]
        widening = [layer for layer in on_path if layer.widens]
        asked = [layer for layer in on_path if not _passed_on(layer)]
        first, may_be_first = _first_covering(asked, self.grid, unit_covers)
        everywhere, may_be_everywhere = _first_covering(asked, self.grid, units_cover)
        return FieldSummary(
            first,
            everywhere,
            widening,
            [layer for layer in widening if layer.idle],
            None,
            may_be_first,
            may_be_everywhere,
            [layer for layer in widening if layer.idle is None],
        )


def _layers(
    network: Network, fields: Sequence[FieldByAxis], with_gates: Sequence[FieldByAxis], grid: Grid
) -> list[LayerField]:
    """The fields of every layer of the network, in its order."""
    gates = gate_nodes(network)
    layers: list[LayerField] = []
    of_nodes = zip(network.nodes, fields, with_gates, padding_varies(network), strict=True)
    for node, field, all_paths, padded in of_nodes:
        inputs = [layers[i] for i in followed(node, network) if layers[i].field] if field else []
        changed = [layer for layer in inputs if layer.field is not field]
        widens = any(adds_pixels(node, layer.field, field) for layer in changed)
        layers.append(
            LayerField(
                node,
                field,
                all_paths,
                _centred(inputs, len(field)),
                any(_differ(field, layer.field) for layer in changed),
                widens,
                unit_covers(inputs[0].field, inputs[0].node, grid) if widens else False,
                units_cover(inputs[0].field, inputs[0].node, grid) if widens else False,
                padded,
                node.index in gates,
            )
        )
    return layers


def _passed_on(layer: LayerField) -> bool:
    """Whether the layer's output is a vector whose values have the fields of single positions of a map."""
    return any(axis_field.together for axis_field in layer.field)


def _centred(inputs: Sequence[LayerField], axes: int) -> tuple[bool, ...]:
    """For every axis: whether all paths to the layer have the same centre and the same step."""
    if len(inputs) == 1:
        return inputs[0].centred
    return tuple(
        all(
            layer.centred[axis] and _same_centre(inputs[0].field[axis].field, layer.field[axis].field)
            for layer in inputs
        )
        for axis in range(axes)
    )


def _same_centre(a: Field, b: Field) -> bool:
    return a.step * b.per == b.step * a.per and (a.first + a.last) * b.per == (b.first + b.last) * a.per


def _differ(a: FieldByAxis, b: FieldByAxis) -> bool:
    return any((v.field, v.least, v.exact) != (w.field, w.least, w.exact) for v, w in zip(a, b, strict=True))


def _first_covering(
    layers: Sequence[LayerField], grid: Grid, covers: Callable[[FieldByAxis, Node, Grid], bool | None]
) -> tuple[LayerField | None, LayerField | None]:
    """The first layer that is known to cover the input, and the first earlier layer that may cover the input."""
    may = None
    for layer in layers:
        known = covers(layer.field, layer.node, grid)
        if known:
            return layer, may
        if known is None and may is None:
            may = layer
    return None, may
