"""thop: ``profile`` hooks modules whose class is in its table. Modules of other classes count as nothing."""

from __future__ import annotations

from archcalc.conventions.convention import Convention, Layers, Reuse, Tally, Term, Use, layer_types
from archcalc.conventions.counts import (
    ADAPTIVE,
    NETWORK_OF_BIAS,
    NOT_IN_TORCH,
    UNHOOKED,
    affine_values,
    bias_params,
    bias_products,
    continuous,
    has_params,
    input_values,
    not_modules,
    setting,
    unhooked,
    values,
    weight_norm,
    weights_per_output_position,
)
from archcalc.conventions.source_style import EINSUM, MODULE, OPERATOR, SUBCLASS, TORCHVISION, WRITTEN
from archcalc.layers.axes import axis_size
from archcalc.layers.move import MOVEMENTS
from archcalc.layers.region import REGIONS
from archcalc.sizes import Int

HOOKED = (MODULE,)
NOTHING = (
    layer_types(
        """
    group_norm lrn scale layer_scale position class_token parameter index_select attention matmul
    relu relu6 leaky_relu elu sigmoid hard_sigmoid silu hard_swish gelu tanh
    hard_tanh selu softplus mish glu log_softmax
    adaptive_max_pool global_max_pool rms_norm l2_norm
    max_pool unpool grid_sample add mean multiply reduce
    subtract divide maximum minimum math
    input identity flatten concat slice crop pad pad_channels dropout drop_path
    """
    )
    | MOVEMENTS
    | REGIONS
)


def _softmax(use: Use) -> Int:
    """3n - 1 for n classes."""
    n = axis_size(setting(use, "axis"), use.out, use.type)
    return 3 * use.input_values - use.input_values // n


def _input_and_output_values(use: Use) -> Int:
    return use.input_values + use.values


def _upsampling(use: Use) -> Int:
    """1 per output value. Linear: 5. Bilinear: 11. Bicubic: 224 + 35. Trilinear: 0 (thop prints a warning)."""
    linear = {1: 5, 2: 11}.get(len(use.out.axes), 0)
    return use.values * {"nearest": 1, "bilinear": linear, "bicubic": 259}[setting(use, "mode")]


def _no_hook(use: Use) -> bool:
    """Whether the parameters have no hooked module: parameters of a block, a subclass, or a class without a hook."""
    no_hook = use.form in (OPERATOR, SUBCLASS, WRITTEN, EINSUM) or use.type in NOTHING or weight_norm(use) is not None
    return has_params(use) and no_hook


CONVENTIONS = (
    Convention(
        "thop",
        "multiply-adds without biases, 4 per normalised value, input and output values of average pooling",
        "thop/profile.py and thop/vision/basic_hooks.py",
        "0.1.1.post2209072238",
        operations_name="MACs (thop)",
        flops_per_mac=None,
        multiply_adds=layer_types("conv conv_table conv_transpose locally_connected linear"),
        nothing=NOTHING,
        unknown_reason=NOT_IN_TORCH,
        operations=Tally(
            Term(
                "batch normalisation: 4 per value (2 without scale and shift)",
                Layers("batch_norm", without="frozen"),
                affine_values,
                2,
                "count_normalization",
            ),
            Term(
                "layer normalisation: 4 per value (2 without scale and shift)",
                Layers("layer_norm", forms=HOOKED),
                affine_values,
                2,
                "count_normalization",
            ),
            Term(
                "instance normalisation: 4 per value (2 without scale and shift)",
                Layers("instance_norm", forms=HOOKED),
                affine_values,
                2,
                "count_normalization",
            ),
            Term(
                "average pooling: 1 per output value",
                Layers("avg_pool", forms=HOOKED),
                values,
                place="count_avgpool",
            ),
            Term(
                "adaptive average pooling: 1 per input value and 1 per output value",
                Layers(*ADAPTIVE, forms=HOOKED),
                _input_and_output_values,
                place="count_adap_avgpool",
            ),
            Term("PReLU: 1 per value", Layers("prelu"), input_values, place="count_prelu"),
            Term("soft-max: 3 x classes - 1", Layers("softmax", forms=HOOKED), _softmax, place="count_softmax"),
            Term(
                "upsampling: 1 per output value (11 if bilinear, 5 if linear, 259 if bicubic)",
                Layers("upsample", forms=HOOKED),
                _upsampling,
                place="count_upsample",
            ),
            Term(
                "transposed convolutions: output positions, not input positions",
                Layers("conv_transpose", without="weight_norm"),
                weights_per_output_position,
                place="count_convNd",
                bug="a transposed convolution multiplies at its input positions",
            ),
            Term(NETWORK_OF_BIAS, continuous, bias_products, place="count_linear"),
            omissions=(
                *not_modules("register_hooks"),
                Term(
                    UNHOOKED,
                    unhooked,
                    place="profile",
                    bug="a subclass of a hooked class has no hook, and counts as nothing",
                ),
            ),
        ),
        parameters=Tally(
            Term(NETWORK_OF_BIAS, continuous, bias_params, place="profile"),
            omissions=(
                Term(
                    "parameters of a block, and parameters of modules without a hook",
                    _no_hook,
                    place="profile",
                    bug="a module without a hook counts as if it had no parameters",
                ),
            ),
        ),
        library=TORCHVISION,
        reuse=Reuse(ties=True, place="profile"),
        more="modules of a class without a hook count nothing, and their parameters do not count",
    ),
)
