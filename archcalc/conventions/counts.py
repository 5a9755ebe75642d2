"""Building blocks of conventions: groups of layer types, and counts of a layer for terms.

Every function takes the use of a layer and returns a count for the whole batch.
"""

from __future__ import annotations

from typing import Any

from archcalc.conventions.convention import Layers, Term, Use
from archcalc.conventions.source_style import NOT_WRITTEN, OPERATOR, SUBCLASS, WRITTEN
from archcalc.layers.attention import HIDDEN
from archcalc.layers.base import per_axis
from archcalc.layers.computed import STANDARDISED
from archcalc.sizes import Int, largest, product

CONV = ("conv", "conv_table", "conv_transpose", "locally_connected")
ADAPTIVE = ("adaptive_avg_pool", "global_avg_pool")
SLIDING = ("max_pool", "avg_pool", "subsample")
POOLS = ("max_pool", "avg_pool", "adaptive_max_pool", "global_max_pool", *ADAPTIVE)

NOT_IN_TORCH = "torch.nn has no such layer, or the tool was not tried on the layer"
"""Why a layer type is unknown to a tool for PyTorch."""
NO_ATTENTION = Term(
    "the two products of attention", Layers("attention"), bug="no rule for scaled_dot_product_attention"
)
"""The omission of a tool that has no rule for attention."""
NO_MATMUL = Term("products of two maps", Layers("matmul"), bug="only modules are counted")
"""The omission of a tool that counts modules."""
NETWORK_OF_BIAS = "linear layers that compute the bias of attention"
"""The name of terms for a continuous bias, whose linear layers are modules."""
IN_ATTENTION = Term(
    "linear layers without a module, such as those of nn.MultiheadAttention",
    Layers("linear", forms=(OPERATOR, WRITTEN)),
    bug="the module's own parameters are no linear layers to the tool",
)
"""The omission of a tool that does not see the projections of attention."""
UNHOOKED = "convolutions of a class without a hook"
"""The name of the layers that ``unhooked`` selects."""
SECOND_COPY = "a second copy, for gradients"


def any_layer(use: Use) -> bool:
    return True


def setting(use: Use, name: str) -> Any:
    """The value of a setting of the layer."""
    return getattr(use.layer, name)


def has_params(use: Use) -> bool:
    return bool(largest(use.params.weight + use.params.bias) > 0)


def weight_norm(use: Use) -> str | None:
    """How the weights of the layer are computed; None if they are trained themselves."""
    norm: str | None = getattr(use.layer, "weight_norm", None)
    return norm


def scores(use: Use) -> Int:
    """The scores of attention: one for every query, key and head."""
    queries, keys = use.inputs[:2]
    count: Int = setting(use, "heads") * product(queries.axes) * keys.axes[-1] * use.batch
    return count


def scores_and_outputs(use: Use) -> Int:
    return scores(use) + use.values


def cosine(use: Use) -> bool:
    """Whether queries and keys have length 1."""
    return use.type == "attention" and bool(setting(use, "cosine"))


def continuous(use: Use) -> bool:
    """Whether linear layers compute the bias of attention."""
    return use.type == "attention" and setting(use, "bias") == "continuous"


def unseen(use: Use) -> bool:
    """Whether linear layers compute the bias of an attention whose products are not seen."""
    return continuous(use) and use.form in NOT_WRITTEN


def bias_products(use: Use) -> Int:
    """Multiply-adds of the linear layers that compute the bias of attention. The batch does not matter."""
    return use.once.mac


def hidden(use: Use) -> Int:
    """Hidden features of the relative positions, between the linear layers that compute the bias of attention."""
    count: Int = setting(use, "relative_positions") * HIDDEN
    return count


def bias_outputs(use: Use) -> Int:
    """Values of the linear layers that compute the bias of attention."""
    count: Int = hidden(use) + setting(use, "relative_positions") * setting(use, "heads")
    return count


def hidden_and_bias_outputs(use: Use) -> Int:
    """The same, and the values of the ReLU between them."""
    return hidden(use) + bias_outputs(use)


def bias_params(use: Use) -> Int:
    """Parameters of the linear layers that compute the bias of attention."""
    scales: Int = setting(use, "heads") * int(setting(use, "cosine"))
    return use.params.weight + use.params.bias - scales


def standardised(use: Use) -> bool:
    """Whether the weights are standardised, by F.batch_norm in a subclass of nn.Conv2d."""
    return weight_norm(use) in STANDARDISED


def parametrized(use: Use) -> bool:
    """Whether the weights are normalised, by a module inside the layer's own: a parametrization of PyTorch."""
    return weight_norm(use) is not None and not standardised(use)


def unhooked(use: Use) -> bool:
    """Whether the module is not of the class that torch.nn has, but of a class that is derived from this class."""
    return use.type in (*CONV, "linear") and (use.form == SUBCLASS or weight_norm(use) is not None)


def no_framework_has(use: Use) -> bool:
    """Whether the weights of a convolution are vectors of relative positions, or constants: no framework has a module."""
    return use.type == "conv" and bool(setting(use, "relative") or setting(use, "fixed"))


def standardising(use: Use) -> Int:
    """F.batch_norm of the weights, in training: 4 per weight, or 5 with a trained gain."""
    weights: Int = setting(use, "kernel_weights")(use.inputs[0])
    return weights * int(4 + (weight_norm(use) == "scaled"))


def values(use: Use) -> Int:
    """Values of the output."""
    return use.values


def input_values(use: Use) -> Int:
    """Values of the input."""
    return use.input_values


def additions(use: Use) -> Int:
    """Additions of the layer. A convolution or linear layer adds its biases, one per output value."""
    return use.work.add


def products(use: Use) -> Int:
    """Products that are not part of a multiply-add."""
    return use.work.mul


def affine_values(use: Use) -> Int:
    """1 per input value. With a trained scale and shift: 2 per input value."""
    return use.input_values * int(1 + setting(use, "affine"))


def biases(use: Use) -> Int:
    """Biases. The batch does not matter."""
    return use.params.bias


def buffers(use: Use) -> Int:
    """Buffers (stored numbers that are not trained). The batch does not matter."""
    return use.params.buffers


def params_per_image(use: Use) -> Int:
    """Each parameter once per image."""
    return (use.params.weight + use.params.bias) * use.batch


def weights_per_image(use: Use) -> Int:
    """Each weight once per image, minus archcalc's multiply-adds."""
    return use.params.weight * use.batch - use.work.mac


def weights_per_output_position(use: Use) -> Int:
    """Each weight once per output position, minus archcalc's multiply-adds.

    The difference is zero except for transposed convolutions, which multiply at input positions.
    """
    return use.params.weight * product(use.out.axes) * use.batch - use.work.mac


def window_cells(use: Use) -> Int:
    """Number of values in all windows, with padding. An adaptive pooling reads each input value once."""
    if use.type in SLIDING:
        return use.values * product(per_axis(setting(use, "kernel"), use.inputs[0], "kernel"))
    return use.input_values


def layer_norm_operations(use: Use) -> Int:
    """5 per value, or 4 without a trained scale and shift."""
    return use.input_values * int(4 + setting(use, "affine"))


def response_norm_operations(use: Use) -> Int:
    """The calls inside F.local_response_norm: two products, a sum, and a pooling of the padded channels.

    Over positions, the pooling has the padding itself.
    """
    if setting(use, "within"):
        return 4 * use.input_values
    channels = use.out.channels
    return 3 * use.input_values + use.input_values // channels * int(channels + setting(use, "size") - 1)


STANDARDISING = Term(
    "standardisation of weights: 4 per weight (5 with a trained gain)",
    standardised,
    standardising,
)
"""The standardisation of weights, for a tool that counts F.batch_norm. It runs as in training, always."""


OTHER_WEIGHTS = Term(
    "convolutions whose weights are vectors of relative positions, or constants",
    no_framework_has,
    bug="a function that is no module counts as nothing",
)


def not_modules(place: str) -> tuple[Term, ...]:
    """The omissions of a tool that counts modules: products that no module has. ``place``: the place in its source."""
    omissions = (NO_ATTENTION, NO_MATMUL, IN_ATTENTION, OTHER_WEIGHTS)
    return tuple(omission._replace(place=place) for omission in omissions)
