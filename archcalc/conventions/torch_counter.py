"""FlopCounterMode of PyTorch: convolutions and matrix products.

The mode counts operators. On a CPU, attention runs as operators without a rule, so the same model has three figures.
"""

from __future__ import annotations

from archcalc.conventions.convention import Convention, Layers, Tally, Term, layer_types
from archcalc.conventions.counts import NETWORK_OF_BIAS, NO_ATTENTION, NOT_IN_TORCH, bias_products, unseen
from archcalc.conventions.source_style import NOT_WRITTEN, OPERATOR, TORCHVISION
from archcalc.layers.move import MOVEMENTS
from archcalc.layers.region import REGIONS

MULTIPLY_ADDS = layer_types("conv conv_table conv_transpose locally_connected linear attention matmul")
NOTHING = (
    layer_types(
        """
    batch_norm group_norm instance_norm layer_norm lrn scale layer_scale position class_token parameter index_select softmax
    relu relu6 leaky_relu prelu elu sigmoid hard_sigmoid silu hard_swish gelu tanh
    hard_tanh selu softplus mish glu log_softmax
    adaptive_max_pool global_max_pool rms_norm l2_norm
    max_pool avg_pool adaptive_avg_pool global_avg_pool upsample unpool grid_sample add mean multiply reduce
    subtract divide maximum minimum math
    input identity flatten concat slice crop pad pad_channels dropout drop_path
    """
    )
    | MOVEMENTS
    | REGIONS
)

ON_CPU = NO_ATTENTION._replace(
    where=Layers("attention", forms=NOT_WRITTEN),
    place="flop_registry",
    bug="no rule for _scaled_dot_product_flash_attention_for_cpu",
)
IN_BIAS = Term(NETWORK_OF_BIAS, unseen, bias_products, 2, "flop_registry")
WITHOUT_GRADIENTS = Term(
    "linear layers inside nn.MultiheadAttention",
    Layers("linear", forms=(OPERATOR,)),
    place="flop_registry",
    bug="no rule for _native_multi_head_attention, which runs without gradients",
)


def _counter(name: str, where: str, omissions: tuple[Term, ...] = ()) -> Convention:
    return Convention(
        name,
        "2 per multiply-add of convolutions and matrix products" + where,
        "torch/utils/flop_counter.py, FlopCounterMode",
        "2.14.1",
        operations_name="FLOPs",
        flops_per_mac=None,
        multiply_adds=MULTIPLY_ADDS,
        nothing=NOTHING,
        unknown_reason=NOT_IN_TORCH,
        operations=Tally(*((IN_BIAS,) if omissions else ()), factor=2, omissions=omissions),
        counts_side_heads=True,
        library=TORCHVISION,
        more="operators without a formula count nothing",
    )


CONVENTIONS = (
    _counter("torch", ""),
    _counter("torch-cpu", "; of a run on the CPU with gradients", (ON_CPU,)),
    _counter("torch-cpu-no-grad", "; of a run on the CPU without gradients", (ON_CPU, WITHOUT_GRADIENTS)),
)
