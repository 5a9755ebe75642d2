"""fvcore: FlopCountAnalysis traces a model and has a handle for each operator. Parameters are from parameter_count."""

from __future__ import annotations

from archcalc.conventions.convention import Convention, Layers, Tally, Term, Use, layer_types
from archcalc.conventions.counts import (
    ADAPTIVE,
    IN_ATTENTION,
    NETWORK_OF_BIAS,
    NO_ATTENTION,
    NOT_IN_TORCH,
    STANDARDISING,
    bias_products,
    input_values,
    layer_norm_operations,
    setting,
    unseen,
)
from archcalc.conventions.source_style import CALLED, EINSUM, NOT_WRITTEN, OPERATOR, TORCHVISION
from archcalc.layers.move import MOVEMENTS
from archcalc.layers.region import REGIONS
from archcalc.sizes import Int


def _batch_norm(use: Use) -> Int:
    """1 per value, or 2 with a trained scale. The handle checks the scale, not the shift."""
    return use.input_values * int(1 + (setting(use, "affine") and setting(use, "scale")))


def _upsampling(use: Use) -> Int:
    """Bicubic upsampling has no handle, and none has antialias."""
    if setting(use, "antialias"):
        return 0
    return use.values * {"nearest": 1, "bilinear": 4, "bicubic": 0}[setting(use, "mode")]


def _grid_sampling(use: Use) -> Int:
    """As if it were bilinear on two axes."""
    return 4 * use.values


def _einsum(use: Use) -> bool:
    """Whether the products are written as torch.einsum."""
    return use.form == EINSUM


def _rounding(use: Use) -> Int:
    """What fvcore reads too much in the text of np.einsum_path, which has 2 per multiply-add, in four digits."""
    parts = use.layer.work_parts(use.out, *use.inputs).values()
    products = [part.mac * use.batch for part in parts] or [use.work.mac]
    return sum(_four_digits(2 * n) // 2 - n for n in products)


def _four_digits(n: Int) -> Int:
    """n, rounded to four digits; half goes to the even digit.

    >>> _four_digits(9_999), _four_digits(11_800_950), _four_digits(11_805_000)
    (9999, 11800000, 11800000)
    """
    step: Int = 1 + sum(9 * 10**at * (n >= 10 ** (at + 4)) for at in range(14))
    whole, rest = n // step, n % step
    return (whole + (2 * rest + whole % 2 > step)) * step


MULTIPLY_ADDS = layer_types("conv conv_table conv_transpose locally_connected linear matmul")
NOTHING = (
    layer_types(
        """
    lrn scale layer_scale position class_token parameter index_select softmax attention
    relu relu6 leaky_relu prelu elu sigmoid hard_sigmoid silu hard_swish gelu tanh
    hard_tanh selu softplus mish glu log_softmax
    adaptive_max_pool global_max_pool rms_norm l2_norm
    max_pool avg_pool unpool add mean multiply reduce
    subtract divide maximum minimum math
    input identity flatten concat slice crop pad pad_channels dropout drop_path
    """
    )
    | MOVEMENTS
    | REGIONS
)
OPERATIONS = Tally(
    Term(
        "batch normalisation: 2 per value (1 without a trained scale)",
        Layers("batch_norm", without="frozen"),
        _batch_norm,
        place="batchnorm_flop_jit",
    ),
    STANDARDISING._replace(place="batchnorm_flop_jit"),
    Term(
        "layer normalisation: 5 per value (4 without scale and shift)",
        Layers("layer_norm"),
        layer_norm_operations,
        place="norm_flop_counter",
    ),
    Term(
        "group and instance normalisation: 5 per value (4 without scale and shift)",
        Layers("group_norm", "instance_norm"),
        layer_norm_operations,
        place="norm_flop_counter",
    ),
    Term(
        "torch.einsum: rounding of its products",
        _einsum,
        _rounding,
        place="einsum_flop_jit",
        bug="np.einsum_path prints the count in four digits",
    ),
    Term(NETWORK_OF_BIAS, unseen, bias_products, place="linear_flop_jit"),
    # these two handles exist for two axes only: with one or three axes, both layers count as nothing
    Term(
        "adaptive average pooling: 1 per input value",
        Layers(*ADAPTIVE, forms=CALLED, axes=2),
        input_values,
        place="_DEFAULT_SUPPORTED_OPS",
    ),
    Term(
        "upsampling: 1 per output value (4 if bilinear, 0 if bicubic or with antialias)",
        Layers("upsample", axes=2),
        _upsampling,
        place="_DEFAULT_SUPPORTED_OPS",
    ),
    Term("grid sampling: 4 per output value", Layers("grid_sample"), _grid_sampling, place="_DEFAULT_SUPPORTED_OPS"),
    omissions=(
        NO_ATTENTION._replace(where=Layers("attention", forms=NOT_WRITTEN), place="_DEFAULT_SUPPORTED_OPS"),
        IN_ATTENTION._replace(
            label="linear layers inside nn.MultiheadAttention",
            where=Layers("linear", forms=(OPERATOR,)),
            place="_DEFAULT_SUPPORTED_OPS",
            bug="no rule for _native_multi_head_attention, which runs without gradients",
        ),
    ),
)

CONVENTIONS = (
    Convention(
        "fvcore",
        "multiply-adds, 2 per value of batch normalisation and 5 of layer, group and instance normalisation, 1 per input "
        "value of adaptive pooling",
        "fvcore/nn/flop_count.py and jit_handles.py",
        "0.1.5.post20221221",
        operations_name="flops (fvcore)",
        flops_per_mac=None,
        multiply_adds=MULTIPLY_ADDS,
        nothing=NOTHING,
        unknown_reason=NOT_IN_TORCH,
        operations=OPERATIONS,
        counts_side_heads=True,
        library=TORCHVISION,
        more="biases, activations and other poolings count nothing",
    ),
)
