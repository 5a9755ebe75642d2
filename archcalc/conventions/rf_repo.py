"""RECEPTIVE_FIELD_TABLE.md of google-research/receptive_field, computed by TensorFlow's profiler."""

from __future__ import annotations

from archcalc.conventions.convention import Convention, Layers, Tally, Term, layer_types
from archcalc.conventions.counts import ADAPTIVE, additions, values, window_cells
from archcalc.conventions.source_style import BIAS, RF_BENCHMARK, TIMES_ONE

CONVENTIONS = (
    Convention(
        "rf-repo",
        "2 per multiply-add, 1 per bias and output, 1 per value of a scale or of a product of maps, cells that "
        "poolings read",
        "google-research/receptive_field, RECEPTIVE_FIELD_TABLE.md, from TensorFlow's profiler; its figures end at the "
        "last feature map",
        version=RF_BENCHMARK.version,
        operations_name="FLOPs (rf)",
        flops_per_mac=None,
        multiply_adds=layer_types("conv linear"),
        nothing=layer_types("relu relu6 add input identity flatten concat dropout"),
        unknown_reason="none of the networks in its table has such a layer",
        operations=Tally(
            Term("biases: 1 per output value", Layers("conv", "linear"), additions, place="BiasAdd"),
            Term(
                "batch normalisation that the script builds as a bias: 1 per value",
                Layers("batch_norm", forms=(BIAS,)),
                values,
                place="BiasAdd",
            ),
            Term(
                "scales and products of maps: 1 per value",
                Layers("scale", "layer_scale", "multiply"),
                values,
                place="Mul",
            ),
            Term("a residual times 1: 1 per value", Layers("conv", forms=(TIMES_ONE,)), values, place="Mul"),
            Term(
                "pooling: 1 per cell that a window reads",
                Layers("max_pool", "avg_pool", *ADAPTIVE),
                window_cells,
                place="AvgPool, MaxPool, Mean",
            ),
            factor=2,
        ),
        library=RF_BENCHMARK,
        more=(
            "batch normalisation is free, except in Inceptions and MobileNets, where a bias takes its place at 1 per "
            "value"
        ),
    ),
)
