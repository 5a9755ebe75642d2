"""Evaluation on int64 arrays: a check that no number overflowed.

NumPy's int64 overflows silently. So the layers run again in float64, on the sizes of the inputs and with the settings
that the spec gave them, which are bounded. There large numbers lose digits, but they do not overflow. If a float64 total
exceeds int64, the analysis is refused, because the int64 total is wrong.
"""

from __future__ import annotations

from copy import copy
from typing import Any

from archcalc.analysis.analysis import Analysis, at_input
from archcalc.analysis.totals import sum_network
from archcalc.errors import ArchcalcError, LayerError
from archcalc.field.field import Field
from archcalc.field.grid import regroups
from archcalc.layers import Layer
from archcalc.network import Network
from archcalc.sizes import Int, any_array, is_array, largest

LIMIT = 2.0**63 * (1 - 2.0**-30)
"""The largest float64 total that is allowed: the limit of int64 minus a billionth, because float64 rounds."""


def refuse_overflow(analysis: Analysis) -> None:
    """ArchcalcError when a number of the analysis (FLOP, bytes or a field) exceeds int64."""
    network = analysis.network
    try:
        twin = _in_floats(network)
    except LayerError as error:  # a size beyond 2**53, which has lost digits in float64
        raise ArchcalcError(f"{network.full_name}: sizes are too large for arrays: {error}") from None
    batch = analysis.batch
    if is_array(batch):  # every number grows with the batch
        batch = float(largest(batch))  # type: ignore[assignment]
    twins = type(analysis)(twin, batch, analysis.dtype, analysis.convention, training=not analysis.network.side_problem)
    with at_input(network, network.inputs):
        sums = sum_network(twin, batch, analysis.convention, twins.training)
    numbers = [
        ("FLOP", 2 * sum(sums.work)),
        ("parameter bytes", (sums.weights + sums.biases + sums.buffers) * analysis.itemsize),
        ("feature-map bytes", (sums.values + sums.conv_inputs) * analysis.itemsize),
    ]
    if not _fields_are_small(twin):
        rows = twins.rows
        numbers += [
            ("receptive fields", n) for row in rows for one in row.field_with_gates for n in _numbers(one.field)
        ]
    for what, number in numbers:
        if largest(number) >= LIMIT:
            raise ArchcalcError(
                f"{network.full_name}: {what} reach about {largest(number):.3g}, beyond int64 (9.22e+18); "
                f"evaluate such sizes one at a time, where numbers are exact without bound"
            )


def _numbers(field: Field) -> tuple[Int, ...]:
    return -field.first, field.last, field.step, field.per


def _fields_are_small(network: Network) -> bool:
    """Whether it is certain, without the fields, that their numbers do not exceed int64.

    A window moves the ends of a field by its span or its padding, in steps, and multiplies the step by its stride and the
    denominator by ``up``. So no step exceeds the product of all strides, and no denominator the product of all ``up``.
    The fields of vectors behind turns that some elements lack are computed, because turns can change what a value sees.
    """
    if (
        len(network.inputs) > 1
        or regroups(network)
        or any(node.instead and not node.shape.axes for node in network.nodes)
    ):
        return False
    known: dict[Any, tuple[float, float, float]] = {}
    steps = ups = 1.0
    spans = sum(map(float, map(largest, network.input.axes)))
    for node in network.after_inputs:
        shapes = network.input_shapes(node)
        key = node.layer, network.interned.key(shapes)
        if key not in known:
            each = [
                [float(largest(abs(n))) for n in (w.stride, w.up, w.span, w.before)] for w in node.layer.window(*shapes)
            ]
            stride, up, span, before = map(max, zip(*each, (1.0, 1.0, 0.0, 0.0), strict=True))
            known[key] = stride, up, span + before
        stride, up, span = known[key]
        steps, ups, spans = steps * stride, ups * up, spans + span
    return steps * ups * ups * spans < LIMIT / 4


def _in_floats(network: Network) -> Network:
    """The layers of the network on float64 arrays."""
    inputs = {name: _floats(shape) for name, shape in network.inputs.items()}
    twin = Network(network.name, inputs, rebuild=network.at)
    layers: dict[Layer, Layer] = {}
    for node in network.after_inputs:
        place = node.scopes, node.side, node.shares, node.place, node.storage
        layer = layers[node.layer] if node.layer in layers else _layer_in_floats(node.layer)
        layers[node.layer] = layer
        index = twin.append(node.name, layer, node.inputs, *place)
        there = twin.nodes[index]
        there.trained, there.present, there.instead = node.trained, node.present, node.instead
    twin.chosen, twin.side_problem, twin.settings = network.chosen, network.side_problem, network.settings
    twin.origin, twin.forms = network.origin, network.forms
    return twin


def _layer_in_floats(layer: Layer) -> Layer:
    """The layer with float64 arrays as settings; the layer itself if its settings are single values."""
    values = {name: value for name, value in vars(layer).items() if not name.startswith("_")}
    if not any_array(values.values()):
        return layer
    twin = copy(layer)
    vars(twin).clear()
    vars(twin).update({name: _floats(value) for name, value in values.items()})
    return twin


def _floats(value: Any) -> Any:
    """A value with float64 arrays in the place of its arrays."""
    if isinstance(value, tuple):
        items = map(_floats, value)
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    return value.astype("float64") if is_array(value) else value
