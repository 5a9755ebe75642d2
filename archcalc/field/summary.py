"""How far layers see, by which paths, and what that means at an input's size. Fields follow the paths past the gates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

from archcalc.errors import ArchcalcError, unknown
from archcalc.field.axis import Field
from archcalc.field.coverage import adds_pixels, gate_nodes, padding_varies, unit_covers, units_cover
from archcalc.field.paths import followed
from archcalc.field.propagation import AxisFields
from archcalc.field.smallest_input import smallest_input
from archcalc.field.unit import UnitField, unit_fields
from archcalc.letters import normal
from archcalc.network import Network, Node
from archcalc.sizes import is_array


class LayerField(NamedTuple):
    """What one layer sees: a view for every axis, and for every axis whether all paths to it have one centre.

    differs_from_input: the field differs from the field of at least one input. widens: the layer's own window adds pixels.
    idle: a unit of the input already sees the whole network input (None: the input's field is a bound, so it may).
    idle_everywhere: every unit of the input already does. padded: the padding on the way depends on the size of the network input
    (TensorFlow's 'same'). gate: the layer belongs to a gate.
    """

    node: Node
    field: AxisFields
    field_with_gates: AxisFields
    centred: tuple[bool, ...]
    differs_from_input: bool
    widens: bool
    idle: bool | None
    idle_everywhere: bool | None
    padded: bool
    gate: bool


class FieldSummary(NamedTuple):
    """What the fields mean at this input: the field summary.

    ``first`` is the first layer of which a unit is known to see the whole input, ``everywhere`` the first of which every
    unit is. Where an earlier one may, since its field is a bound, ``may_be_first`` and ``may_be_everywhere`` are the
    first of those. Of the ``widening`` layers the ``idle`` ones are known to take what has seen the whole input already,
    and those of ``may_idle`` may. From the square input of side ``least`` on none is idle; None when there is none, or
    none can be told. It is the smallest such side unless fields are bounds: then ``least_exact`` is False.
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
    """The receptive fields of a network at its input, layer by layer, and what they mean there."""

    def __init__(
        self,
        network: Network,
        views: Sequence[AxisFields],
        with_gates: Sequence[AxisFields],
        training: bool = False,
    ) -> None:
        """``views`` are those of the network's nodes, past the gates; side heads count in ``training`` alone."""
        self.network, self.training = network, training
        self._views, self._with_gates = views, with_gates

    @cached_property
    def _all_layers(self) -> list[LayerField]:
        network = self.network
        if not network.input.axes:
            raise ArchcalcError(
                f"{network.full_name} has no spatial axes: its input is a vector of {network.input}, all of which every "
                f"unit sees"
            )
        if any(map(is_array, network.input.axes)):
            raise ArchcalcError("fields need single sizes; on arrays, read the fields of the rows")
        return _layers(network, self._views, self._with_gates)

    @cached_property
    def layers(self) -> list[LayerField]:
        """The fields of every layer that runs, the input first; ArchcalcError when the network has no spatial axes."""
        running = {0, *(node.index for node in self.network.running(self.training))}
        return [layer for layer in self._all_layers if layer.node.index in running]

    def layer(self, name: str) -> LayerField:
        """The layer of that name, or the last layer of the block; ArchcalcError with the nearest name."""
        name = normal(name)
        named = [layer for layer in self.layers if layer.node.name == name] or [
            layer for layer in self.layers if layer.node.name.startswith(f"{name}.") or name in layer.node.scopes
        ]
        if not named:
            raise ArchcalcError(unknown("layer", name, [layer.node.name for layer in self.layers]))
        return named[-1]

    def unit(self, name: str, unit: Sequence[int]) -> list[UnitField]:
        """What one unit of a layer sees along every axis, past the gates.

        ``name`` is a layer, or a block for its last layer; ``unit`` is the unit's position, as (row, column).
        ArchcalcError for an unknown layer, a position that is not in its map, or a layer without positions.
        """
        layer = self.layer(name)
        return unit_fields(self.network, layer.node, layer.field, unit)

    @cached_property
    def summary(self) -> FieldSummary:
        """What the fields mean at this input, and at which they would all count; ArchcalcError as ``layers``.

        Richter et al., Should you go deeper?, 2021, arXiv:2106.12307: a layer cannot add context when the field of what
        it takes is the whole image already. Convolutions and poolings are asked; layers that see everything by their
        nature (global and adaptive poolings, fully connected ones) are not.
        """
        network = self.network
        on_path = [sight for sight in self.layers if not sight.gate and not sight.node.side]
        widening = [sight for sight in on_path if sight.widens]
        seeing = [sight for sight in on_path if not _passed_on(sight)]
        first, may_be_first = _firsts(seeing, network, unit_covers)
        everywhere, may_be_everywhere = _firsts(seeing, network, units_cover)
        least, least_exact = smallest_input(network, self._views)
        return FieldSummary(
            first,
            everywhere,
            widening,
            [sight for sight in widening if sight.idle],
            least,
            may_be_first,
            may_be_everywhere,
            [sight for sight in widening if sight.idle is None],
            least_exact,
        )


def _layers(network: Network, views: Sequence[AxisFields], all_with_gates: Sequence[AxisFields]) -> list[LayerField]:
    """What every layer of the network sees, in its order."""
    gates = gate_nodes(network)
    found: list[LayerField] = []
    of_nodes = zip(network.nodes, views, all_with_gates, padding_varies(network), strict=True)
    for node, seen, with_gates, padded in of_nodes:
        inputs = followed(node, network)
        before = [found[i] for i in inputs]
        widens = any(adds_pixels(node, sight.field, seen) for sight in before if sight.field is not seen)
        idle = unit_covers(before[0].field, before[0].node, network) if widens else False
        spent = units_cover(before[0].field, before[0].node, network) if widens else False
        found.append(
            LayerField(
                node,
                seen,
                with_gates,
                _centred(before, len(seen)),
                any(_differ(seen, sight.field) for sight in before if sight.field is not seen),
                widens,
                idle,
                spent,
                padded,
                node.index in gates,
            )
        )
    return found


def _passed_on(sight: LayerField) -> bool:
    """Whether the layer makes a vector whose values see no more than their positions of the map did."""
    return any(view.together for view in sight.field)


def _centred(before: Sequence[LayerField], axes: int) -> tuple[bool, ...]:
    """For every axis whether all paths that meet have one centre and one step."""
    if len(before) == 1:
        return before[0].centred
    return tuple(
        all(
            sight.centred[axis] and _same_centre(before[0].field[axis].field, sight.field[axis].field)
            for sight in before
        )
        for axis in range(axes)
    )


def _same_centre(a: Field, b: Field) -> bool:
    return a.step * b.per == b.step * a.per and (a.first + a.last) * b.per == (b.first + b.last) * a.per


def _differ(a: AxisFields, b: AxisFields) -> bool:
    return any((v.field, v.least, v.exact) != (w.field, w.least, w.exact) for v, w in zip(a, b, strict=True))


def _firsts(
    seeing: Sequence[LayerField], network: Network, asked: Callable[[AxisFields, Node, Network], bool | None]
) -> tuple[LayerField | None, LayerField | None]:
    """The first layer of which it is known, and the first before that of which it may be so."""
    may = None
    for layer in seeing:
        known = asked(layer.field, layer.node, network)
        if known:
            return layer, may
        if known is None and may is None:
            may = layer
    return None, may
