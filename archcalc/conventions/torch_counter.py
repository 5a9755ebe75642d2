"""FlopCounterMode of PyTorch: convolutions and matrix products."""

from __future__ import annotations

from archcalc.conventions.convention import Convention, Tally, layer_types
from archcalc.conventions.counts import NOT_IN_TORCH
from archcalc.layers.move import MOVEMENTS
from archcalc.layers.region import REGIONS

MULTIPLY_ADDS = layer_types("conv conv_table conv_transpose linear attention")
NOTHING = (
    layer_types(
        """
    batch_norm group_norm instance_norm layer_norm lrn scale layer_scale position class_token softmax
    relu relu6 leaky_relu prelu elu sigmoid hard_sigmoid silu hard_swish gelu tanh
    hard_tanh selu softplus mish glu log_softmax
    adaptive_max_pool global_max_pool rms_norm l2_norm
    max_pool avg_pool adaptive_avg_pool global_avg_pool upsample unpool add mean multiply reduce
    subtract maximum minimum
    input identity flatten concat slice crop pad pad_channels dropout drop_path
    """
    )
    | MOVEMENTS
    | REGIONS
)

CONVENTIONS = (
    Convention(
        "torch",
        "2 per multiply-add of convolutions and matrix products",
        "torch/utils/flop_counter.py, FlopCounterMode",
        "2.14.1",
        operations_name="FLOPs",
        flops_per_mac=None,
        multiply_adds=MULTIPLY_ADDS,
        nothing=NOTHING,
        unknown_reason=NOT_IN_TORCH,
        operations=Tally(factor=2),
        counts_side_heads=True,
        more="operators without a formula count nothing",
    ),
)
