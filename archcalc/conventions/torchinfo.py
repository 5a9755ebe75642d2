"""torchinfo: ``summary`` counts from the parameters and the output of every module."""

from __future__ import annotations

from archcalc.conventions.convention import Convention, Layers, Reuse, Tally, Term, Use, layer_types
from archcalc.conventions.counts import (
    CONV,
    NETWORK_OF_BIAS,
    NOT_IN_TORCH,
    SECOND_COPY,
    additions,
    bias_outputs,
    bias_params,
    continuous,
    has_params,
    no_framework_has,
    not_modules,
    parametrized,
    params_per_image,
    values,
    weights_per_image,
    weights_per_output_position,
)
from archcalc.conventions.source_style import EINSUM, MODULE, OPERATOR, TORCHVISION, WRITTEN
from archcalc.layers.move import MOVEMENTS
from archcalc.layers.region import REGIONS
from archcalc.sizes import Int


def _biases_per_image(use: Use) -> Int:
    return use.params.bias * use.batch


def _convolution(use: Use) -> bool:
    return use.type in CONV and not parametrized(use) and not no_framework_has(use)


def _no_module_with_params(use: Use) -> bool:
    """Whether no module with parameters returns the output. A module that returns a concat has parameters (MViT's)."""
    returned = use.type == "concat" and use.form == MODULE
    return not (has_params(use) or returned) or use.form in (OPERATOR, WRITTEN, EINSUM) or parametrized(use)


def _in_place_with_params(use: Use) -> bool:
    return use.storage != "new" and not _no_module_with_params(use)


CONVENTIONS = (
    Convention(
        "torchinfo",
        "parameters called weight or bias: those of a convolution once per output position, all others once per image",
        "torchinfo/layer_info.py, calculate_macs; model_statistics.py",
        "1.8.0",
        operations_name="mult-adds",
        flops_per_mac=None,
        multiply_adds=layer_types("conv conv_table conv_transpose locally_connected linear"),
        nothing=layer_types(
            """
            lrn scale layer_scale position class_token parameter index_select softmax attention matmul
            relu relu6 leaky_relu elu sigmoid hard_sigmoid silu hard_swish gelu tanh
            hard_tanh selu softplus mish glu log_softmax
            adaptive_max_pool global_max_pool l2_norm
            max_pool avg_pool adaptive_avg_pool global_avg_pool upsample unpool grid_sample add mean multiply reduce
            subtract divide maximum minimum math
            input identity flatten concat slice crop pad pad_channels dropout drop_path
            """
        )
        | MOVEMENTS
        | REGIONS,
        unknown_reason=NOT_IN_TORCH,
        operations=Tally(
            Term("biases of convolutions: 1 per output value", _convolution, additions, place="calculate_macs"),
            Term(
                "biases of linear layers: once per image",
                Layers("linear", forms=(MODULE,), without="weight_norm"),
                _biases_per_image,
                place="calculate_macs",
            ),
            Term(
                "weights of linear layers: once per image, not once per position",
                Layers("linear", forms=(MODULE,), without="weight_norm"),
                weights_per_image,
                place="calculate_macs",
                bug="a linear layer at many positions counts as if at one position",
            ),
            Term(
                "parameters of normalisation and PReLU: once per image",
                Layers("batch_norm", "group_norm", "instance_norm", "layer_norm", "rms_norm", "prelu"),
                params_per_image,
                place="calculate_macs",
                bug="counts the parameters, not the values that the parameters change",
            ),
            Term(
                "transposed convolutions: output positions, not input positions",
                Layers("conv_transpose", without="weight_norm"),
                weights_per_output_position,
                place="calculate_macs",
                bug="a transposed convolution multiplies at its input positions",
            ),
            Term(
                f"{NETWORK_OF_BIAS}: parameters once",
                continuous,
                bias_params,
                place="calculate_macs",
                bug="a linear layer at many positions counts as if at one position",
            ),
            omissions=(
                *not_modules("calculate_macs"),
                Term(
                    "layers with weight normalisation",
                    parametrized,
                    place="ModelStatistics",
                    bug="only a module without modules inside counts, and a parametrization is a module inside",
                ),
            ),
        ),
        memory=Tally(
            Term(
                "outputs in place of layers with parameters, with a second copy",
                _in_place_with_params,
                values,
                2,
                "ModelStatistics",
            ),
            Term(
                f"outputs of {NETWORK_OF_BIAS}, with a second copy",
                continuous,
                bias_outputs,
                2,
                "ModelStatistics",
            ),
            omissions=(
                Term("the input, and layers without parameters", _no_module_with_params, place="ModelStatistics"),
            ),
            factor=2,
            repetition=SECOND_COPY,
        ),
        memory_name="Forward/backward pass size",
        memory_unit=(10**6, "MB", 2),
        counts_side_heads=True,
        library=TORCHVISION,
        reuse=Reuse(ties=True, place="ModelStatistics"),
    ),
)
