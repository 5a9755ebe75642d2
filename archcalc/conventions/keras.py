"""Keras: Model.count_params, as summary() prints it."""

from __future__ import annotations

from archcalc.conventions.convention import NO_OPERATIONS, Convention, Layers, Tally, Term, layer_types
from archcalc.conventions.counts import buffers
from archcalc.layers.move import MOVEMENTS

CONVENTIONS = (
    Convention(
        "keras",
        "parameters with the moving mean and variance of batch normalisation; operations are not counted",
        "keras.Model.count_params",
        "3",
        operations_name="operations",
        flops_per_mac=None,
        multiply_adds=frozenset(),
        nothing=layer_types(
            """
            conv conv_transpose linear batch_norm group_norm layer_norm lrn scale layer_scale position class_token parameter index_select softmax attention matmul
            relu relu6 leaky_relu elu sigmoid hard_sigmoid silu hard_swish gelu tanh
            hard_tanh selu softplus mish glu log_softmax
            max_pool avg_pool adaptive_avg_pool global_avg_pool upsample add mean multiply reduce
            subtract divide maximum minimum math
            adaptive_max_pool global_max_pool rms_norm
            input identity flatten concat slice crop pad pad_channels dropout drop_path
            """
        )
        | MOVEMENTS,
        unknown_reason="Keras has no such layer, or its layer has other weights",
        operations=NO_OPERATIONS,
        parameters=Tally(
            Term(
                "moving means and variances, not trained",
                Layers("batch_norm"),
                buffers,
                place="BatchNormalization.build",
            ),
        ),
    ),
)
