"""The counting rule of the LeNet-5 paper: connections."""

from __future__ import annotations

from archcalc.conventions.convention import Convention, Layers, Tally, Term, Use, layer_types
from archcalc.conventions.counts import ADAPTIVE, CONV, additions, products
from archcalc.layers.move import MOVEMENTS
from archcalc.sizes import Int


def _links_of_pooling(use: Use) -> Int:
    return use.work.add + use.work.mul


CONVENTIONS = (
    Convention(
        "lecun98",
        "connections: links between a unit and its inputs; the bias is an input",
        "LeCun et al., Gradient-based learning applied to document recognition, Proc. IEEE 86(11), 1998, section II.B",
        operations_name="connections",
        flops_per_mac=None,
        multiply_adds=layer_types("conv conv_table conv_transpose locally_connected linear"),
        nothing=layer_types(
            """
            relu relu6 leaky_relu prelu elu sigmoid hard_sigmoid silu hard_swish gelu tanh
            hard_tanh selu softplus mish
            input identity flatten concat slice crop pad pad_channels dropout drop_path
            """
        )
        | MOVEMENTS,
        unknown_reason="the paper defines links of units that add up their inputs, and has no such layer",
        operations=Tally(
            Term("biases: 1 link per unit", Layers(*CONV, "linear"), additions),
            Term("subsampling: links to the cells and to the bias", Layers("subsample"), _links_of_pooling),
            Term("radial basis functions: links to the code", Layers("rbf"), products),
            Term("sums and average pooling: links", Layers("add", "mean", "avg_pool", *ADAPTIVE), additions),
        ),
        more="fixed codes are not parameters",
    ),
)
