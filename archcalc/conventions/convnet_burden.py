"""The table of albanie/convnet-burden, computed by its core/burden.m."""

from __future__ import annotations

from archcalc.conventions.convention import Convention, Layers, Tally, Term, Use, layer_types
from archcalc.conventions.counts import additions, input_values, setting, values
from archcalc.layers.base import per_axis
from archcalc.sizes import Int, product


def _stride_cells(use: Use) -> Int:
    """Output values times the area of the stride."""
    return use.values * product(per_axis(setting(use, "stride"), use.inputs[0], "stride"))


def _response_norm(use: Use) -> Int:
    """1 per value, and 2 + 2*channels per position."""
    return use.values + (2 + 2 * use.out.channels) * (use.values // use.out.channels)


CONVENTIONS = (
    Convention(
        "convnet-burden",
        "multiply-adds, 1 per bias and output, 2 per ReLU value and per cell of a pooling's stride; memory without "
        "outputs in place and the input",
        "albanie/convnet-burden, core/burden.m: computeFlops and computeMemory",
        version="commit 9c7f31b",
        operations_name="FLOPs (burden)",
        flops_per_mac=None,
        multiply_adds=layer_types("conv linear"),
        nothing=layer_types("input batch_norm flatten identity concat dropout sigmoid softmax channel_shuffle crop"),
        unknown_reason="burden.m stops with 'layer not recognised', or its rule was not checked",
        operations=Tally(
            Term("biases: 1 per output value", Layers("conv", "linear"), additions, place="vl_nnconv"),
            Term("ReLU: a comparison and a product per value", Layers("relu", "leaky_relu"), values, 2, "vl_nnrelu"),
            Term(
                "pooling: 2 per output value and cell of the stride",
                Layers("max_pool", "avg_pool"),
                _stride_cells,
                2,
                "vl_nnpool",
                "the size of the window does not count: 3x3 with stride 2 costs as much as 2x2",
            ),
            Term("global pooling: 1 per input value", Layers("global_avg_pool"), input_values, place="vl_nnglobalpool"),
            Term("sums: 1 per value", Layers("add"), values, place="vl_nnwsum"),
            Term("products of maps: 1 per value", Layers("multiply"), values, place="vl_nnscale"),
            Term(
                "response normalisation: 1 per value, 2 + 2 x channels per position",
                Layers("lrn", without="within"),
                _response_norm,
                place="vl_nnnormalize",
            ),
            Term("upsampling: 4 per output value", Layers("upsample"), values, 4, "vl_nninterp"),
        ),
        memory=Tally(omissions=(Term("the input", Layers("input"), place="computeBurden"),)),
        memory_name="Memory consumed by full feats",
        memory_unit=(2**20, "MB", 0),
        more="normalisation is folded at test time",
    ),
)
