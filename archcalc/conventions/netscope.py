"""dgschwend/netscope, which analyses networks of Caffe in the browser."""

from __future__ import annotations

from archcalc.conventions.convention import Convention, Layers, Tally, Term, Use, layer_types
from archcalc.conventions.counts import CONV, biases, setting, values
from archcalc.layers.base import per_axis
from archcalc.sizes import Int, product


def _squares(use: Use) -> Int:
    return use.values * int(setting(use, "size"))


def _missing_groups(use: Use) -> Int:
    """Extra multiply-adds if the convolution had one group."""
    count: Int = use.work.mac * (setting(use, "groups") - 1)
    return count


def _weights_of_missing_groups(use: Use) -> Int:
    """Extra weights if the convolution had one group."""
    count: Int = use.params.weight * (setting(use, "groups") - 1)
    return count


def _transposed(use: Use) -> Int:
    """Input channels x output channels x (output positions x kernel / stride, rounded down), minus archcalc's count."""
    kernel, stride = (per_axis(setting(use, name), use.inputs[0], name) for name in ("kernel", "stride"))
    area = product(use.out.axes) * product(kernel) // product(stride)
    return use.inputs[0].channels * use.out.channels * area * use.batch - use.work.mac


def _statistics(use: Use) -> Int:
    """Two numbers per channel minus trained parameters."""
    return 2 * use.out.channels - use.params.weight - use.params.bias


def _scale_layer(use: Use) -> Int:
    """Values of the scale layer: the output values, or 0 without a trained scale and shift."""
    return use.values * int(setting(use, "affine"))


def _in_place(use: Use) -> bool:
    return use.storage == "in_place"


def _two(use: Use) -> Int:
    return 2


UNGROUPED = "the setting group of a convolution is not read"
SCALE_LAYER = "the scale layer that Caffe puts after a batch normalisation"

CONVENTIONS = (
    Convention(
        "netscope",
        "multiply-adds as if every convolution had one group, Caffe's scale layers, response normalisation; "
        "parameters without biases",
        "dgschwend/netscope, src/analyzer.coffee",
        version="commit 1f687cb",
        operations_name="MACC",
        flops_per_mac=None,
        multiply_adds=layer_types("conv conv_transpose linear"),
        nothing=layer_types(
            """
            max_pool avg_pool global_avg_pool relu leaky_relu softmax add
            input identity flatten concat crop dropout
            """
        ),
        unknown_reason="analyzer.coffee has no such layer of Caffe, and reports 'Unknown Layer'",
        operations=Tally(
            Term(f"{SCALE_LAYER}: 1 per value", Layers("batch_norm"), _scale_layer, place='"scale"'),
            Term("response normalisation: the size, per value", Layers("lrn"), _squares, place='"lrn"'),
            Term(
                "grouped convolutions as if with one group",
                Layers("conv"),
                _missing_groups,
                place='"convolution"',
                bug=UNGROUPED,
            ),
            Term(
                "transposed convolutions: output positions x kernel / stride, groups not read",
                Layers("conv_transpose"),
                _transposed,
                place='"deconvolution"',
                bug="the cells at the border of the output have fewer products",
            ),
        ),
        parameters=Tally(
            Term(
                "biases of convolutions and linear layers",
                Layers(*CONV, "linear"),
                biases,
                -1,
                '"convolution"',
                "biases are left out, and the page does not say so",
            ),
            Term("two constants per response normalisation", Layers("lrn"), _two, place='"lrn"'),
            Term(
                "weights of grouped convolutions as if with one group",
                Layers("conv", "conv_transpose"),
                _weights_of_missing_groups,
                place='"convolution"',
                bug=UNGROUPED,
            ),
            Term(
                "batch normalisation: two numbers per channel, also without trained parameters",
                Layers("batch_norm"),
                _statistics,
                place='"batchnorm"',
            ),
        ),
        memory=Tally(
            Term("outputs of layers that work in place", _in_place, values, place='"relu", "dropout"'),
            Term(SCALE_LAYER, Layers("batch_norm"), _scale_layer, place='"scale"'),
        ),
        memory_name="activations",
        memory_unit=(4, "values", 0),
        more="activations are the outputs of all of Caffe's layers, in place or not",
    ),
)
