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


ACTIVATIONS = (
    *("relu", "relu6", "leaky_relu", "prelu", "elu", "sigmoid", "hard_sigmoid", "silu", "hard_swish", "gelu", "tanh"),
)
RELUS = ("relu", "prelu", "elu", "gelu")
FREE = (
    *("input", "identity", "flatten", "concat", "slice", "crop", "pad", "pad_channels", "channel_shuffle"),
    *("dropout", "drop_path"),
)
"""Layers that compute nothing at inference."""

BATCH_NORM = "2 per batch-normalised value (1 where nothing is trained)"
LAYER_NORM = "5 per layer-normalised value (4 where nothing is trained)"


class Of:
    """Layers of these types, written in one of these forms, on maps of so many axes; any where none is given."""

    __slots__ = ("axes", "forms", "types")

    def __init__(self, types: tuple[str, ...], forms: tuple[str, ...], axes: int | None) -> None:
        self.types, self.forms, self.axes = types, forms, axes

    def __call__(self, use: Use) -> bool:
        fits = use.type in self.types and (not self.forms or use.form in self.forms)
        return fits and (self.axes is None or self.axes == len(use.inputs[0].axes))


def of(*types: str, forms: tuple[str, ...] = (), axes: int | None = None) -> Test:
    """Layers of these types: see ``Of``."""
    return Of(types, forms, axes)


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


def input_values(use: Use) -> Int:
    """Values of the input."""
    return use.read


def biased(use: Use) -> Int:
    """Values of the output where every one has a bias."""
    return use.work.add


def affine_values(use: Use) -> Int:
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


def transposed_area(use: Use) -> Int:
    """Output positions of a transposed convolution times kernel / stride, over all axes, rounded down."""
    kernel, stride = (per_axis(setting(use, name), use.inputs[0], name) for name in ("kernel", "stride"))
    return product(use.out.axes) * product(kernel) // product(stride)


def normed(use: Use) -> Int:
    """5 per value, 4 where nothing is trained."""
    return use.read * int(4 + setting(use, "affine"))


def response(use: Use) -> Int:
    """The calls within F.localresponse_norm: two products, a sum, and a pooling of the padded channels."""
    return 3 * use.read + use.read // use.out.channels * int(use.out.channels + setting(use, "size") - 1)
