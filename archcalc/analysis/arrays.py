"""Evaluation on int64 arrays: which arrays are allowed, and a check that no number overflowed.

NumPy's int64 overflows silently. So the same code runs again in float64. There large numbers lose digits, but they do
not overflow. If a float64 total exceeds int64, the analysis is refused, because the int64 total is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archcalc.analysis.totals import sum_rows
from archcalc.errors import ArchcalcError, LayerError
from archcalc.field.field import Field
from archcalc.inputs import need_int64
from archcalc.sizes import Int, Shape, is_array, largest

if TYPE_CHECKING:
    from archcalc.analysis.analysis import Analysis

LIMIT = 2.0**63 * (1 - 2.0**-30)
"""The largest float64 total that is allowed: the limit of int64 minus a billionth, because float64 rounds."""


def refuse_overflow(analysis: Analysis) -> None:
    """ArchcalcError when a number of the analysis (FLOP, bytes or a field) exceeds int64."""
    network = analysis.network
    for name, value in network.settings.items():
        if is_array(value):
            try:
                need_int64(value)
            except LayerError as error:
                raise ArchcalcError(f"{name}: {error}") from None
    inputs = {name: Shape(_float(x.channels), tuple(map(_float, x.axes))) for name, x in network.inputs.items()}
    twin = network.at(inputs, {name: _float(value) for name, value in network.settings.items()})
    twins = type(analysis)(twin, _float(analysis.batch), analysis.dtype, analysis.convention, analysis.training)
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
        if is_array(number) and largest(number) >= LIMIT:
            raise ArchcalcError(
                f"{network.full_name}: {what} reach about {largest(number):.3g}, beyond int64 (9.22e+18); "
                f"evaluate such sizes one at a time, where numbers are exact without bound"
            )


def _numbers(field: Field) -> tuple[Int, ...]:
    return -field.first, field.last, field.step, field.per


def _float(value: Any) -> Any:
    return value.astype("float64") if is_array(value) else value
