"""The operations that darknet prints for every layer of a cfg, and their sum: BFLOPs."""

from __future__ import annotations

from archcalc.conventions.convention import Convention, Layers, Tally, Term, Use, layer_types
from archcalc.conventions.counts import window_cells
from archcalc.sizes import Int


def _shortcut(use: Use) -> Int:
    """1 per value of the output for each further map, however many of its values are added."""
    return use.values * (len(use.inputs) - 1)


CONVENTIONS = (
    Convention(
        "darknet",
        "2 per multiply-add of convolutions, 1 per value that a pooling reads, 1 per added value of a shortcut",
        "AlexeyAB/darknet, src: bflops in convolutional_layer.c, maxpool_layer.c and shortcut_layer.c",
        version="commit 59596d7",
        operations_name="FLOPs (darknet)",
        flops_per_mac=None,
        multiply_adds=layer_types("conv"),
        nothing=layer_types(
            """
            linear locally_connected batch_norm relu leaky_relu elu selu sigmoid tanh mish softmax
            global_avg_pool concat upsample space_to_depth
            input identity flatten dropout crop
            """
        ),
        unknown_reason="darknet has no such layer, or its rule was not checked",
        operations=Tally(
            Term(
                "poolings: the cells of every window",
                Layers("max_pool", "avg_pool"),
                window_cells,
                place="make_maxpool_layer",
            ),
            Term("shortcuts: 1 per added map and value", Layers("add"), _shortcut, place="make_shortcut_layer"),
            factor=2,
            omissions=(
                Term(
                    "fully and locally connected layers",
                    Layers("linear", "locally_connected"),
                    place="make_connected_layer",
                ),
            ),
        ),
        more="fully and locally connected layers, biases and normalisation count nothing",
    ),
)
