"""calflops: calculate_flops patches functionals and tensor methods. The rules come from its source and from runs."""

from __future__ import annotations

from archcalc.conventions.convention import Convention, Layers, Tally, Term, Use, layer_types
from archcalc.conventions.counts import (
    CONV,
    NOT_IN_TORCH,
    POOLS,
    STANDARDISING,
    additions,
    affine_values,
    input_values,
    layer_norm_operations,
    response_norm_operations,
    setting,
)
from archcalc.conventions.source_style import CALLED, EINSUM, FUNCTIONAL, TORCHVISION
from archcalc.layers.base import per_axis
from archcalc.layers.move import MOVEMENTS
from archcalc.layers.region import REGIONS
from archcalc.sizes import Int, product

VERSION = "0.3.2"
MULTIPLY_ADDS = layer_types("conv conv_table conv_transpose locally_connected linear matmul")


def _upsampling(use: Use) -> Int:
    """Values of the input. With an output size: positions of the output, without channels and batch."""
    return use.input_values if setting(use, "scale") is not None else product(use.out.axes)


def _biases_of_convolution(use: Use) -> Int:
    """Biases of one group, at the output positions of a convolution with these settings, minus archcalc's count."""
    x = use.inputs[0]
    settings = (per_axis(setting(use, name), x, name) for name in ("kernel", "stride", "pad", "dilation"))
    axes = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in zip(x.axes, *settings, strict=True)]
    group: Int = use.out.channels // setting(use, "groups")
    return int(setting(use, "bias")) * group * product(axes) * use.batch - additions(use)


def _groups_twice(use: Use) -> Int:
    """Multiply-adds after a second division of the output channels by the groups, minus archcalc's multiply-adds."""
    groups: Int = setting(use, "groups")
    per_group = use.out.channels // groups
    return use.work.mac // per_group * (per_group // groups) - use.work.mac


GROUPS_TWICE = Term(
    "transposed convolutions with groups",
    Layers("conv_transpose"),
    _groups_twice,
    place="_conv_trans_flops_compute",
    bug="output channels are divided by the groups twice",
)
FLOPS = Tally(
    Term(
        "biases of convolutions: 1 per output value",
        Layers(*CONV),
        additions,
        place="_conv_flops_compute",
        bug="biases of linear layers are not counted, in _linear_flops_compute",
    ),
    Term(
        "transposed convolutions: biases at the output positions of a convolution",
        Layers("conv_transpose"),
        _biases_of_convolution,
        place="_conv_trans_flops_compute",
        bug="the output size is the size of a convolution with the same settings, and one group is counted",
    ),
    GROUPS_TWICE._replace(times=2),
    Term(
        "batch normalisation: 2 per value (1 without scale and shift)",
        Layers("batch_norm", without="frozen"),
        affine_values,
        place="_batch_norm_flops_compute",
    ),
    STANDARDISING._replace(place="_batch_norm_flops_compute"),
    Term(
        "layer normalisation: 5 per value (4 without scale and shift)",
        Layers("layer_norm"),
        layer_norm_operations,
        place="_layer_norm_flops_compute",
    ),
    Term(
        "group and instance normalisation: 5 per value (4 without scale and shift)",
        Layers("group_norm", "instance_norm"),
        layer_norm_operations,
        place="_group_norm_flops_compute, _instance_norm_flops_compute",
    ),
    Term(
        "activations: 1 per value",
        Layers("relu", "prelu", "elu", "gelu", "silu", "leaky_relu", forms=CALLED),
        input_values,
        place="_patch_functionals",
    ),
    Term(
        "ReLU6 called as a functional: 1 per value",
        Layers("relu6", forms=(FUNCTIONAL,)),
        input_values,
        place="_patch_functionals",
        bug="the module ReLU6 does not call the patched functional, and counts nothing",
    ),
    Term("pooling: 1 per input value", Layers(*POOLS, forms=CALLED), input_values, place="_pool_flops_compute"),
    Term("soft-max: 1 per value", Layers("softmax", forms=CALLED), input_values, place="_softmax_flops_compute"),
    Term(
        "upsampling: 1 per input value",
        Layers("upsample"),
        _upsampling,
        place="_upsample_flops_compute",
        bug="the product with the scale is computed and dropped; with an output size, only that size is counted",
    ),
    Term(
        "response normalisation: its products, sum and pooling",
        Layers("lrn"),
        response_norm_operations,
        place="_patch_tensor_methods",
    ),
    factor=2,
)

CONVENTIONS = (
    Convention(
        "calflops-flops",
        "2 per multiply-add, 2 per value of batch normalisation and 5 of layer, group and instance normalisation, 1 per "
        "activation and per input value of pooling",
        "calflops/pytorch_ops.py, calculate_flops()[0]",
        VERSION,
        operations_name="FLOPs (calflops)",
        flops_per_mac=None,
        multiply_adds=MULTIPLY_ADDS,
        nothing=layer_types(
            """
            scale layer_scale position class_token parameter index_select sigmoid hard_sigmoid hard_swish tanh unpool grid_sample add mean multiply reduce
            subtract divide maximum minimum math
            hard_tanh selu softplus mish glu log_softmax rms_norm l2_norm
            input identity flatten concat slice crop pad pad_channels dropout drop_path
            """
        )
        | MOVEMENTS
        | REGIONS,
        unknown_reason=NOT_IN_TORCH,
        operations=FLOPS,
        counts_side_heads=True,
        library=TORCHVISION,
        more="1 per bias and output of a convolution; biases of linear layers count nothing",
    ),
    Convention(
        "calflops-macs",
        "multiply-adds of convolutions, linear layers and matmul",
        "calflops/pytorch_ops.py, calculate_flops()[1]",
        VERSION,
        multiply_adds=MULTIPLY_ADDS,
        nothing=layer_types(
            """
            batch_norm group_norm instance_norm layer_norm lrn scale layer_scale position class_token parameter index_select softmax
            relu relu6 leaky_relu prelu elu sigmoid hard_sigmoid silu hard_swish gelu tanh
            adaptive_max_pool global_max_pool
            hard_tanh selu softplus mish glu log_softmax rms_norm l2_norm
            max_pool avg_pool adaptive_avg_pool global_avg_pool upsample unpool grid_sample add mean multiply reduce
            subtract divide maximum minimum math
            input identity flatten concat slice crop pad pad_channels dropout drop_path
            """
        )
        | MOVEMENTS
        | REGIONS,
        unknown_reason=NOT_IN_TORCH,
        operations=Tally(
            GROUPS_TWICE,
            omissions=(
                Term(
                    "products written as torch.einsum",
                    Layers("matmul", forms=(EINSUM,)),
                    place="_einsum_flops_compute",
                    bug="the function returns operations, and no multiply-adds",
                ),
            ),
        ),
        counts_side_heads=True,
    ),
)
