"""Evaluation on int64 arrays: what may come in, and a proof that nothing wrapped around.

NumPy's int64 wraps silently. So the same code runs once more in float64, where large numbers lose
digits but never wrap: a total beyond int64 there is refused, since its int64 twin would be wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import index
from typing import TYPE_CHECKING, Any

from archcalc.errors import ArchcalcError, LayerError
from archcalc.layers.fields import shown, whole_number
from archcalc.network import Network
from archcalc.sizes import Int, Shape, is_array, largest

if TYPE_CHECKING:
    from archcalc.analysis import Analysis

LIMIT = 2.0**63


def checked(value: Any, what: str) -> Int:
    """A positive whole number or int64 array; ArchcalcError otherwise."""
    try:
        if is_array(value):
            if value.dtype.name != "int64":
                raise LayerError(f"expected an int64 array, got {value.dtype.name}")
            if value.size == 0:
                raise LayerError("expected numbers, got an empty array")
            return whole_number(value, 1)
        if isinstance(value, bool):
            raise LayerError(f"expected a whole number, got {shown(value)}")
        try:
            value = index(value)
        except TypeError:
            raise LayerError(f"expected a whole number, got {shown(value)}") from None
        return whole_number(value, 1)
    except LayerError as error:
        raise ArchcalcError(f"{what}: {error}") from None


def checked_shape(sizes: Any) -> Shape:
    """(channels, height, width) as a Shape; ArchcalcError when it is not one."""
    if isinstance(sizes, Shape):
        sizes = (sizes.channels, *sizes.axes)
    if not isinstance(sizes, (tuple, list)) or not 1 <= len(sizes) <= 4:
        raise ArchcalcError(f"input: expected (channels, height, width), got {shown(sizes)}")
    names = ("channels", "height", "width") if len(sizes) == 3 else tuple(f"size {i}" for i in range(len(sizes)))
    channels, *axes = (checked(n, f"input {name}") for n, name in zip(sizes, names, strict=True))
    return Shape(channels, tuple(axes))


def any_array(values: Iterable[Any]) -> bool:
    return any(is_array(v) for v in values)


def refuse_overflow(analysis: Analysis, run: Callable[[Network, Int], Analysis]) -> None:
    """ArchcalcError when a total of the analysis, in operations, FLOP or bytes, exceeds int64.

    ``run`` analyses a network at a batch.
    """
    network = analysis.network
    shape = Shape(_float(network.input.channels), tuple(map(_float, network.input.axes)))
    twin = network.at(shape, {name: _float(value) for name, value in network.settings.items()})
    totals = run(twin, _float(analysis.batch)).totals
    for what, number in (
        ("FLOP", 2 * sum(totals.work)),
        ("parameter bytes", (totals.weights + totals.biases + totals.buffers) * analysis.itemsize),
        ("feature-map bytes", (totals.values + totals.conv_inputs) * analysis.itemsize),
    ):
        if largest(number) >= LIMIT:
            raise ArchcalcError(f"{network.name}: {what} reach about {largest(number):.3g}, beyond int64 (9.22e+18); "
                                f"evaluate such sizes one at a time, where numbers are exact without bound")


def _float(value: Any) -> Any:
    return value.astype("float64") if is_array(value) else value
