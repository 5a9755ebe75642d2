"""Evaluation on int64 arrays: a check that no number overflowed.

NumPy's int64 overflows silently. So the layers run again in float64, on the sizes of the inputs and with the settings
that the spec gave them, which are bounded. There large numbers lose digits, but they do not overflow. If a float64 total
exceeds int64, the analysis is refused, because the int64 total is wrong.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from archcalc.analysis.totals import sum_rows
from archcalc.errors import ArchcalcError, LayerError
from archcalc.field.field import Field
from archcalc.layers import Layer
from archcalc.network import Network
from archcalc.sizes import Int, any_array, is_array, largest

if TYPE_CHECKING:
    from archcalc.analysis.analysis import Analysis

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
    twins = type(analysis)(twin, batch, analysis.dtype, analysis.convention, analysis.training)
    rows = twins.rows if twins.training else [*twins.rows, *twins.side_rows]
    sums = sum_rows(rows, twins.convention)
    for what, number in (
        ("FLOP", 2 * sum(sums.work)),
        ("parameter bytes", (sums.weights + sums.biases + sums.buffers) * analysis.itemsize),
        ("feature-map bytes", (sums.values + sums.conv_inputs) * analysis.itemsize),
        *(
            ("receptive fields", number)
            for row in rows
            for axis_field in row.field_with_gates
            for number in _numbers(axis_field.field)
        ),
    ):
        if type(number) is not int and largest(number) >= LIMIT:
            raise ArchcalcError(
                f"{network.full_name}: {what} reach about {largest(number):.3g}, beyond int64 (9.22e+18); "
                f"evaluate such sizes one at a time, where numbers are exact without bound"
            )


def _numbers(field: Field) -> tuple[Int, ...]:
    return -field.first, field.last, field.step, field.per


def _in_floats(network: Network) -> Network:
    """The layers of the network on float64 arrays."""
    inputs = {name: _floats(shape) for name, shape in network.inputs.items()}
    twin = Network(network.name, inputs, rebuild=network.at)
    for node in network.after_inputs:
        place = node.scopes, node.side, node.shares, node.place, node.storage
        index = twin.append(node.name, _layer_in_floats(node.layer), node.inputs, *place)
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
