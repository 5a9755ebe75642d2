"""How tables of networks count that their authors keep beside a repository."""

from __future__ import annotations

from archcalc.conventions.convention import Convention, Tally, Term, Use
from archcalc.conventions.counts import (
    ADAPTIVE,
    CONV,
    SLIDING,
    biased,
    cells,
    input_values,
    of,
    setting,
    strides,
    transposed_area,
    values,
)
from archcalc.conventions.source_style import BIAS, RF_BENCHMARK, TIMES_ONE
from archcalc.sizes import Int


def _biases(use: Use) -> Int:
    return use.params.bias


def _shared_norms(use: Use) -> Int:
    """1 per value, and 2 + 2*channels per position."""
    return use.values + (2 + 2 * use.out.channels) * (use.values // use.out.channels)


def _squares(use: Use) -> Int:
    return use.values * int(setting(use, "size"))


def _groups_again(use: Use) -> Int:
    again: Int = use.work.mac * (setting(use, "groups") - 1)
    return again


def _group_weights(use: Use) -> Int:
    again: Int = use.params.weight * (setting(use, "groups") - 1)
    return again


def _transposed(use: Use) -> Int:
    """Input channels x output channels x output positions x kernel / stride, instead of our multiply-adds."""
    return use.inputs[0].channels * use.out.channels * transposed_area(use) * use.batch - use.work.mac


def _statistics(use: Use) -> Int:
    """Two numbers per channel, whether a scale and a shift are trained or not."""
    return use.params.buffers - use.params.weight - use.params.bias


def _scaled(use: Use) -> Int:
    """The values of the output, where a scale layer follows the normalisation."""
    return use.values * int(setting(use, "affine"))


def _in_place(use: Use) -> bool:
    return use.storage == "in_place"


def _two(use: Use) -> Int:
    return 2


UNGROUPED = "the setting group of a convolution is not read"
NO_BIASES = Term("biases of convolutions and linear layers", of(*CONV, "linear"), _biases, -1)

TABLES = (
    Convention(
        "convnet-burden",
        "fused multiply-adds, plus 1 per bias, 2 per rectified value and per cell that a pooling steps over; "
        "normalisation is merged at test time; memory is every output but in-place ones and the input",
        "albanie/convnet-burden, core/burden.m: computeFlops and computeMemory",
        version="commit 9c7f31b",
        counts="FLOPs (burden)",
        flops_per_mac=None,
        operations=Tally(
            Term("1 per biased output", of(*CONV, "linear"), biased, place="vl_nnconv"),
            Term(
                "2 per rectified value, a comparison and a product",
                of("relu", "leaky_relu"),
                values,
                2,
                "vl_nnrelu",
            ),
            Term(
                "2 per pooled output and cell of the stride",
                of("max_pool", "avg_pool"),
                strides,
                2,
                "vl_nnpool",
                "the window's size plays no part: 3x3 with stride 2 costs as much as 2x2",
            ),
            Term("1 per value that global pooling reads", of("global_avg_pool"), input_values, place="vl_nnglobalpool"),
            Term("1 per value of a sum", of("add"), values, place="vl_nnwsum"),
            Term("1 per gated value", of("multiply"), values, place="vl_nnscale"),
            Term(
                "response normalisation: 1 per value, 2 + 2 x channels per position",
                of("lrn"),
                _shared_norms,
                place="vl_nnnormalize",
            ),
            Term("4 per upsampled value", of("upsample"), values, 4, "vl_nninterp"),
        ),
        memory=Tally(without=(Term("the input", of("input"), place="computeBurden"),)),
        memory_name="Memory consumed by full feats",
        memory_unit=(2**20, "MB", 0),
        known=frozenset(
            (
                *("input", "conv", "linear", "relu", "leaky_relu", "max_pool", "avg_pool", "global_avg_pool"),
                *("batch_norm", "add", "multiply", "lrn", "upsample", "flatten", "identity", "concat", "dropout"),
                *("sigmoid", "softmax", "channel_shuffle", "crop"),
            )
        ),
        silence="burden.m stops with 'layer not recognised', or its rule was not checked",
    ),
    Convention(
        "netscope",
        "multiply-adds, plus 1 per value scaled after normalisation and the window of a response normalisation; groups "
        "are not read; parameters without biases; activations are the outputs of all of Caffe's layers, in place or not",
        "dgschwend/netscope, src/analyzer.coffee",
        version="commit 1f687cb",
        counts="MACC",
        flops_per_mac=None,
        operations=Tally(
            Term(
                "1 per value of the scale layer that Caffe puts after a batch normalisation",
                of("batch_norm"),
                _scaled,
                place='"scale"',
            ),
            Term("response normalisation: the window's squares", of("lrn"), _squares, place='"lrn"'),
            Term(
                "grouped convolutions as if they had one group",
                of("conv"),
                _groups_again,
                place='"convolution"',
                bug=UNGROUPED,
            ),
            Term(
                "transposed convolutions at output positions, kernel / stride, groups not read",
                of("conv_transpose"),
                _transposed,
                place='"deconvolution"',
                bug="the cells at the border of the output have fewer products",
            ),
        ),
        parameters=Tally(
            NO_BIASES._replace(place='"convolution"', bug="biases are left out without a word"),
            Term("a response normalisation's two constants", of("lrn"), _two, place='"lrn"'),
            Term(
                "weights of grouped convolutions as if they had one group",
                of("conv", "conv_transpose"),
                _group_weights,
                place='"convolution"',
                bug=UNGROUPED,
            ),
            Term(
                "two numbers per channel where nothing is trained", of("batch_norm"), _statistics, place='"batchnorm"'
            ),
        ),
        memory=Tally(
            Term("outputs of layers that work in place", _in_place, values, place='"relu", "dropout"'),
            Term(
                "the scale layer that Caffe puts after a batch normalisation",
                of("batch_norm"),
                _scaled,
                place='"scale"',
            ),
        ),
        memory_name="activations",
        memory_unit=(4, "values", 0),
        known=frozenset(
            (
                *("input", "conv", "conv_transpose", "linear", "max_pool", "avg_pool", "global_avg_pool"),
                *("batch_norm", "lrn", "concat", "relu", "leaky_relu", "dropout", "softmax", "flatten", "identity"),
                *("add", "crop"),
            )
        ),
        silence="analyzer.coffee has no such layer of Caffe, and reports 'Unknown Layer'",
    ),
    Convention(
        "rf-repo",
        "2 per multiply-add, 1 per bias, 1 per scaled or gated value, and the cells that each pooling reads; batch "
        "normalisation is free but in Inceptions and MobileNets, where a bias stands in for it at 1 per value",
        "google-research/receptive_field, RECEPTIVE_FIELD_TABLE.md, from TensorFlow's profiler; its figures end at the "
        "last feature map",
        version="commit f12ae8e",
        counts="FLOPs (rf)",
        flops_per_mac=None,
        operations=Tally(
            Term("1 per biased output", of(*CONV, "linear"), biased, place="BiasAdd"),
            Term(
                "1 per batch-normalised value, where a bias stands in for the normalisation",
                of("batch_norm", forms=(BIAS,)),
                values,
                place="BiasAdd",
            ),
            Term("1 per scaled or gated value", of("scale", "layer_scale", "multiply"), values, place="Mul"),
            Term("1 per value of a residual times 1", of("conv", forms=(TIMES_ONE,)), values, place="Mul"),
            Term("1 per cell that a pooling reads", of(*SLIDING, *ADAPTIVE), cells, place="AvgPool, MaxPool, Mean"),
            base=2,
        ),
        sees_code=RF_BENCHMARK,
        known=frozenset(
            (
                *("input", "conv", "linear", "relu", "relu6", "max_pool", "avg_pool", *ADAPTIVE, "batch_norm", "add"),
                *("scale", "layer_scale", "multiply", "concat", "flatten", "dropout", "identity"),
            )
        ),
        silence="none of the networks in its table has such a layer",
    ),
)
