"""What each tool adds up, term by term: operations, parameters and memory.

The tools themselves, each with its tallies, are in ``tools``; calflops, which has the most of its own, is a file by itself.
"""

from __future__ import annotations

from archcalc.conventions.convention import Tally, Term, Use
from archcalc.conventions.counts import (
    ADAPTIVE,
    BATCH_NORM,
    CONV,
    LAYER_NORM,
    POOLS,
    RELUS,
    affine_values,
    at_outputs,
    biased,
    has_params,
    input_values,
    no_params,
    normed,
    of,
    once,
    response,
    setting,
    values,
    weights_once,
)
from archcalc.conventions.source_style import CALLED, FUNCTIONAL, MODULE, OPERATOR, SUBCLASS
from archcalc.sizes import Int


def _upsampled(use: Use) -> Int:
    return use.values * {"nearest": 1, "bilinear": 4}[setting(use, "mode")]


def _upsampled_thop(use: Use) -> Int:
    linear = {1: 5, 2: 11, 3: 0}  # for the trilinear mode it warns that it counts nothing
    return use.values * {"nearest": 1, "bilinear": linear.get(len(use.out.axes), 0)}[setting(use, "mode")]


def _scaled_by_scale(use: Use) -> Int:
    """1 per value, and 1 more where a scale is trained: fvcore looks at the scale alone."""
    return use.read * int(1 + (setting(use, "affine") and setting(use, "scale")))


def _softmax(use: Use) -> Int:
    """3n - 1 for n classes."""
    return 3 * use.read - use.read // use.out.channels


def _read_and_made(use: Use) -> Int:
    return use.read + use.values


def _biases_once(use: Use) -> Int:
    return use.params.bias * use.batch


def _buffers(use: Use) -> Int:
    return use.params.buffers


def _wrapped(use: Use) -> Int:
    return use.wrapped * use.values


def _in_place(use: Use) -> bool:
    return use.storage == "in_place" and use.form == MODULE


def _owner_in_place(use: Use) -> bool:
    return use.storage != "new" and not _owns_nothing(use)


def _is_wrapped(use: Use) -> bool:
    return use.wrapped > 0


def _no_module(use: Use) -> bool:
    return use.form != MODULE and use.form != SUBCLASS


def _owns_nothing(use: Use) -> bool:
    return no_params(use) or use.form == OPERATOR


def _unhooked(use: Use) -> bool:
    """Parameters of what is no module, or a module of another class than those that are hooked."""
    return has_params(use) and use.form in (OPERATOR, SUBCLASS)


TWICE = "the module's hook counts it, and so does the patched functional that the module calls"
TRANSPOSED = "a transposed convolution multiplies its input positions"
HOOKED = (MODULE,)

BIASES = Term("1 per biased output", of(*CONV, "linear"), biased)
NORMS = (
    Term(BATCH_NORM, of("batch_norm"), _scaled_by_scale, place="batchnorm_flop_jit"),
    Term(LAYER_NORM, of("layer_norm"), normed, place="norm_flop_counter"),
)

FVCORE = Tally(
    *NORMS,
    # fvcore counts these two over two axes alone, and has nothing for one axis or three
    Term(
        "1 per value that adaptive average pooling reads",
        of(*ADAPTIVE, forms=CALLED, axes=2),
        input_values,
        place="_DEFAULT_SUPPORTED_OPS",
    ),
    Term(
        "1 per upsampled value, 4 where bilinear",
        of("upsample", axes=2),
        _upsampled,
        place="_DEFAULT_SUPPORTED_OPS",
    ),
)
TORCHINFO = Tally(
    Term("1 per biased output of a convolution", of(*CONV), biased, place="calculate_macs"),
    Term("biases of linear layers once per image", of("linear"), _biases_once, place="calculate_macs"),
    Term(
        "weights of linear layers once per image instead of once per position",
        of("linear"),
        weights_once,
        place="calculate_macs",
        bug="a linear layer that is applied at many positions counts as if at one",
    ),
    Term(
        "scales and shifts of normalisations once per image",
        of("batch_norm", "layer_norm", "prelu"),
        once,
        place="calculate_macs",
        bug="counts the parameters, not the values that they are applied to",
    ),
    Term(
        "transposed convolutions at output positions",
        of("conv_transpose"),
        at_outputs,
        place="calculate_macs",
        bug=TRANSPOSED,
    ),
)
TORCHINFO_MEMORY = Tally(
    Term("outputs in place of layers that own parameters", _owner_in_place, values, 2, "ModelStatistics"),
    without=(Term("the input, and what owns no parameters", _owns_nothing, place="ModelStatistics"),),
    base=2,
    again="a second time, for gradients",
)
PTFLOPS = Tally(
    BIASES._replace(place="conv_flops_counter_hook, linear_flops_counter_hook"),
    Term(BATCH_NORM, of("batch_norm"), affine_values, place="bn_flops_counter_hook"),
    Term("1 per layer-normalised value", of("layer_norm", forms=HOOKED), input_values, place="MODULES_MAPPING"),
    Term(
        "1 per rectified value",
        of(*RELUS, "relu6", "leaky_relu", forms=HOOKED),
        values,
        place="relu_flops_counter_hook",
    ),
    Term(
        "1 per value that a pooling module reads",
        of(*POOLS, forms=HOOKED),
        input_values,
        place="pool_flops_counter_hook",
    ),
    Term(
        "activation outputs counted a second time",
        of(*RELUS, forms=HOOKED),
        values,
        place="patch_functional",
        bug=TWICE,
    ),
    Term(
        "inputs of pooling modules counted a second time",
        of(*POOLS, forms=HOOKED),
        input_values,
        place="patch_functional",
        bug=TWICE,
    ),
    Term(
        "1 per value of a rectifier called as a functional",
        of(*RELUS, "relu6", forms=(FUNCTIONAL,)),
        input_values,
        place="patch_functional",
    ),
    Term(
        "1 per value that a pooling called as a functional reads",
        of(*POOLS, forms=(FUNCTIONAL,)),
        input_values,
        place="patch_functional",
    ),
    Term(
        "1 per value of SiLU and soft-max, whose modules are not hooked",
        of("silu", "softmax", forms=CALLED),
        input_values,
        place="patch_functional",
    ),
    Term("1 per upsampled value", of("upsample"), values, place="upsample_flops_counter_hook"),
    Term("upsampled values counted a second time", of("upsample"), values, place="patch_functional", bug=TWICE),
    Term(
        "products, a sum and a pooling within a response normalisation", of("lrn"), response, place="patch_tensor_ops"
    ),
)
THOP = Tally(
    Term(
        "4 per batch-normalised value (2 where nothing is trained)",
        of("batch_norm"),
        affine_values,
        2,
        "count_normalization",
    ),
    Term(
        "4 per layer-normalised value (2 where nothing is trained)",
        of("layer_norm", forms=HOOKED),
        affine_values,
        2,
        "count_normalization",
    ),
    Term("1 per value that average pooling makes", of("avg_pool", forms=HOOKED), values, place="count_avgpool"),
    Term(
        "1 per value that adaptive average pooling reads and makes",
        of(*ADAPTIVE, forms=HOOKED),
        _read_and_made,
        place="count_adap_avgpool",
    ),
    Term("1 per value of PReLU", of("prelu"), input_values, place="count_prelu"),
    Term("3 x classes - 1 per soft-max", of("softmax", forms=HOOKED), _softmax, place="count_softmax"),
    Term(
        "1 per upsampled value, 11 where bilinear, 5 where linear",
        of("upsample"),
        _upsampled_thop,
        place="count_upsample",
    ),
    Term(
        "transposed convolutions at output positions",
        of("conv_transpose"),
        at_outputs,
        place="count_convNd",
        bug=TRANSPOSED,
    ),
)
THOP_PARAMS = Tally(
    without=(
        Term(
            "parameters of a block itself, and of classes derived from hooked ones",
            _unhooked,
            place="profile",
            bug="what thop has no rule for counts as owning nothing",
        ),
    )
)
KERAS_PARAMS = Tally(
    Term("moving means and variances, not trained", of("batch_norm"), _buffers, place="BatchNormalization.build"),
)
TORCHSUMMARY_PARAMS = Tally(without=(Term("parameters that a block itself owns", _no_module, place="register_hook"),))
TORCHSUMMARY_MEMORY = Tally(
    Term(
        "outputs of modules that overwrite their input",
        _in_place,
        values,
        2,
        "register_hook",
        "an output that overwrites its input takes no memory of its own",
    ),
    Term(
        "modules that contain modules",
        _is_wrapped,
        _wrapped,
        2,
        "register_hook",
        "a block's output is that of its last layer, counted again",
    ),
    without=(Term("the input, and what is no module", _no_module, place="register_hook"),),
    base=2,
    again="a second time, for gradients",
)
MACTS = Tally(
    Term("outputs of convolutions and linear layers", of(*CONV, "linear"), values, place="ActivationCountAnalysis"),
    base=0,
)
