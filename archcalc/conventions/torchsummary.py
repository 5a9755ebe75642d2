"""torchsummary: ``summary`` hooks every module except the root, nn.Sequential and nn.ModuleList."""

from __future__ import annotations

from archcalc.conventions.convention import NO_OPERATIONS, Convention, Reuse, Tally, Term, Use, layer_types
from archcalc.conventions.counts import (
    NETWORK_OF_BIAS,
    NOT_IN_TORCH,
    SECOND_COPY,
    bias_params,
    continuous,
    hidden_and_bias_outputs,
    parametrized,
    setting,
    values,
    weight_norm,
)
from archcalc.conventions.source_style import MODULE, SUBCLASS, TORCHVISION
from archcalc.layers.base import agreed
from archcalc.layers.move import MOVEMENTS
from archcalc.layers.region import REGIONS
from archcalc.sizes import Int


def _outputs_of_wrappers(use: Use) -> Int:
    return use.wrappers * use.values


def _has_wrappers(use: Use) -> bool:
    return use.wrappers > 0


def _in_place(use: Use) -> bool:
    return use.storage == "in_place" and use.form == MODULE


def _frozen(use: Use) -> bool:
    return use.type == "batch_norm" and bool(setting(use, "frozen"))


def _scale_and_shift(use: Use) -> Int:
    return 2 * use.out.channels


def _computes_weights(use: Use) -> bool:
    return weight_norm(use) is not None


def _factors(use: Use) -> Int:
    count: Int = setting(use, "factors")(use.inputs[0])
    return count


def _computed_five_times(use: Use) -> Int:
    """The weights without their first size. They are computed once for the layer, and at four looks at ``weight``."""
    x = use.inputs[0]
    weights: Int = setting(use, "kernel_weights")(x)
    first = x.channels if use.type == "conv_transpose" else setting(use, "out")
    return 5 * (weights // first) * use.batch


def _no_module(use: Use) -> bool:
    return use.form not in (MODULE, SUBCLASS)


def _has_regions(use: Use) -> bool:
    return agreed(use.times > 1) and not _no_module(use)


def _further_regions(use: Use) -> Int:
    """The outputs of all regions but one, once for each time that the output counts."""
    counted = use.wrappers + (use.storage == "new") + _in_place(use)
    return counted * (use.values - use.values // use.times)


CONVENTIONS = (
    Convention(
        "torchsummary",
        "memory is every module's output, in place or not, twice (for gradients); operations are not counted",
        "torchsummary/torchsummary.py, summary",
        "1.5.1",
        operations_name="operations",
        flops_per_mac=None,
        multiply_adds=frozenset(),
        nothing=layer_types(
            """
            conv conv_table conv_transpose locally_connected linear scale layer_scale position class_token parameter index_select softmax attention matmul
            batch_norm group_norm instance_norm layer_norm lrn
            relu relu6 leaky_relu prelu elu sigmoid hard_sigmoid silu hard_swish gelu tanh
            hard_tanh selu softplus mish glu log_softmax
            adaptive_max_pool global_max_pool rms_norm l2_norm
            max_pool avg_pool adaptive_avg_pool global_avg_pool upsample unpool grid_sample add mean multiply reduce
            subtract divide maximum minimum math
            input identity flatten concat slice crop pad pad_channels dropout drop_path
            """
        )
        | MOVEMENTS
        | REGIONS,
        unknown_reason=NOT_IN_TORCH,
        operations=NO_OPERATIONS,
        parameters=Tally(
            Term(
                "scale and shift of frozen batch normalisation",
                _frozen,
                _scale_and_shift,
                place="register_hook",
                bug="a buffer that is called weight or bias counts as a parameter",
            ),
            Term(
                "lengths of weights and gains",
                _computes_weights,
                _factors,
                -1,
                "register_hook",
                "a parameter that is not called weight or bias does not count",
            ),
            Term(NETWORK_OF_BIAS, continuous, bias_params, place="register_hook"),
            omissions=(Term("parameters of a block itself", _no_module, place="register_hook"),),
        ),
        memory=Tally(
            Term(
                "outputs of modules that work in place, with a second copy",
                _in_place,
                values,
                2,
                "register_hook",
                "an output in place has no storage of its own",
            ),
            Term(
                "outputs of modules that contain modules, with a second copy",
                _has_wrappers,
                _outputs_of_wrappers,
                2,
                "register_hook",
                "the output of a block is the output of its last layer, and counts again",
            ),
            Term(
                "outputs of all regions of an image but one, with a second copy",
                _has_regions,
                _further_regions,
                -2,
                "register_hook",
                "the first size of an output is replaced by the batch, and the regions are lost",
            ),
            Term(
                "weights that a parametrization computes, five times, with a second copy",
                parametrized,
                _computed_five_times,
                2,
                "register_hook",
                "every look at the weights computes them again in a module, and their first size is replaced by the batch",
            ),
            Term(
                f"outputs of {NETWORK_OF_BIAS} and of their ReLU, with a second copy",
                continuous,
                hidden_and_bias_outputs,
                2,
                "register_hook",
            ),
            omissions=(Term("the input, and layers that are no module", _no_module, place="register_hook"),),
            factor=2,
            repetition=SECOND_COPY,
        ),
        memory_name="Forward/backward pass size",
        memory_unit=(2**20, "MB", 2),
        library=TORCHVISION,
        reuse=Reuse(calls=True, ties=True, place="register_hook"),
        more="an output counts again for each module that contains its module",
    ),
)
