"""The words that conventions are written in: which layers, and what is counted of each."""

from __future__ import annotations

from typing import Any

from archcalc.conventions.convention import Test, Use
from archcalc.layers.base import per_axis
from archcalc.sizes import Int, largest, product

CONV = ("conv", "conv_table", "conv_transpose")
ADAPTIVE = ("adaptive_avg_pool", "global_avg_pool")
SLIDING = ("max_pool", "avg_pool", "subsample")
POOLS = (*SLIDING, *ADAPTIVE)


def of(*types: str, forms: tuple[str, ...] = (), axes: int | None = None) -> Test:
    """Layers of these types, written in one of these forms, on maps of so many axes; any where none is given."""
    return lambda use: (
        use.type in types and (not forms or use.form in forms) and (axes is None or axes == len(use.inputs[0].axes))
    )


def any_layer(use: Use) -> bool:
    return True


def setting(use: Use, name: str) -> Any:
    """A setting of the layer."""
    return getattr(use.layer, name)


def has_params(use: Use) -> bool:
    return bool(largest(use.params.weight + use.params.bias) > 0)


def no_params(use: Use) -> bool:
    return not has_params(use)


def values(use: Use) -> Int:
    """Values of the output."""
    return use.values


def read(use: Use) -> Int:
    """Values of the input."""
    return use.read


def biased(use: Use) -> Int:
    """Values of the output where every one has a bias."""
    return use.work.add


def scaled(use: Use) -> Int:
    """1 per value, and 1 more where a scale and a shift are trained."""
    return use.read * int(1 + setting(use, "affine"))


def params(use: Use) -> Int:
    return use.params.weight + use.params.bias


def once(use: Use) -> Int:
    """Parameters once per image."""
    return params(use) * use.batch


def weights_once(use: Use) -> Int:
    """Weights once per image, instead of the multiply-adds that they take part in."""
    return use.params.weight * use.batch - use.work.mac


def at_outputs(use: Use) -> Int:
    """The weights of a transposed convolution once per output position, instead of once per input position."""
    return use.params.weight * product(use.out.axes) * use.batch - use.work.mac


def cells(use: Use) -> Int:
    """Cells that a sliding window reads, padding included; an adaptive one reads its input."""
    if use.type in SLIDING:
        return use.values * product(per_axis(setting(use, "kernel"), use.inputs[0], "kernel"))
    return use.read


def strides(use: Use) -> Int:
    """The output's values times the stride's area."""
    return use.values * product(per_axis(setting(use, "stride"), use.inputs[0], "stride"))
