"""How calflops counts, read from its source and from runs of it."""

from __future__ import annotations

from archcalc.conventions.convention import Tally, Term, Use
from archcalc.conventions.counts import (
    BATCH_NORM,
    CONV,
    LAYER_NORM,
    POOLS,
    RELUS,
    affine_values,
    biased,
    input_values,
    normed,
    of,
    response,
    setting,
)
from archcalc.conventions.source_style import CALLED, FUNCTIONAL
from archcalc.layers.base import per_axis
from archcalc.sizes import Int, product


def _resized(use: Use) -> Int:
    """The values of the input; where an output size was given, its positions, whatever channels and batch."""
    size = setting(use, "size")
    return use.read if size is None else product(per_axis(size, use.inputs[0], "size"))


def _biases_elsewhere(use: Use) -> Int:
    """Biases of one group, at the output positions of a convolution with these settings, instead of ours."""
    x = use.inputs[0]
    settings = (per_axis(setting(use, name), x, name) for name in ("kernel", "stride", "pad", "dilation"))
    axes = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in zip(x.axes, *settings, strict=True)]
    group: Int = use.out.channels // setting(use, "groups")
    return int(setting(use, "bias")) * group * product(axes) * use.batch - biased(use)


def _one_group(use: Use) -> Int:
    """Multiply-adds with the output channels of a group divided by the groups again, instead of ours."""
    groups: Int = setting(use, "groups")
    per_group = use.out.channels // groups
    return use.work.mac // per_group * (per_group // groups) - use.work.mac


UNGROUPED = Term(
    "transposed convolutions with groups",
    of("conv_transpose"),
    _one_group,
    place="_conv_trans_flops_compute",
    bug="output channels are divided by the groups twice",
)
FLOPS = Tally(
    Term(
        "1 per biased output of a convolution",
        of(*CONV),
        biased,
        place="_conv_flops_compute",
        bug="but none of a linear layer, in _linear_flops_compute",
    ),
    Term(
        "transposed convolutions: biases at the output positions of a convolution",
        of("conv_transpose"),
        _biases_elsewhere,
        place="_conv_trans_flops_compute",
        bug="the output size is that of a convolution with the same settings; of groups, one is counted",
    ),
    UNGROUPED._replace(times=2),
    Term(BATCH_NORM, of("batch_norm"), affine_values, place="_batch_norm_flops_compute"),
    Term(LAYER_NORM, of("layer_norm"), normed, place="_layer_norm_flops_compute"),
    Term(
        "1 per activated value",
        of(*RELUS, "silu", "leaky_relu", forms=CALLED),
        input_values,
        place="_patch_functionals",
    ),
    Term(
        "1 per value of a ReLU6 called as a functional",
        of("relu6", forms=(FUNCTIONAL,)),
        input_values,
        place="_patch_functionals",
        bug="the module ReLU6 is not reached, and counts nothing",
    ),
    Term("1 per value that a pooling reads", of(*POOLS, forms=CALLED), input_values, place="_pool_flops_compute"),
    Term("1 per value of a soft-max", of("softmax", forms=CALLED), input_values, place="_softmax_flops_compute"),
    Term(
        "1 per value that an upsampling reads",
        of("upsample"),
        _resized,
        place="_upsample_flops_compute",
        bug="the product with the scale is computed and dropped; with an output size it is the product of that size",
    ),
    Term(
        "products, a sum and a pooling within a response normalisation",
        of("lrn"),
        response,
        place="_patch_tensor_methods",
    ),
    base=2,
)
MACS = Tally(UNGROUPED)
