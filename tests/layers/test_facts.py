"""Every layer type on one small input: what it makes, owns, does and sees, worked out by hand in each row.

``x`` has 6 channels of 5x7, 210 values. A window is (span, stride, before[, up]) per axis.
"""

from typing import NamedTuple

import pytest

from archcalc.errors import LayerError
from archcalc.layers import registry
from archcalc.layers.resample import Pooled
from archcalc.sizes import Params, Shape, Window, Work

x = Shape(6, (5, 7))
v = Shape(6)
gate = Shape(6, (1, 1))
windows = Shape(6, (6, 4))


class Case(NamedTuple):
    type: str
    settings: dict
    inputs: tuple
    out: Shape
    params: tuple = ()
    work: dict = {}
    window: tuple = ()


def cut(first: int) -> Window:
    """Unit o sees position o + first; the ends of the axis may be cut off, or lie in zeros."""
    return Window(1, 1, -first, reads_both_ends=False)


WHOLE = (Window(5, whole=True), Window(7, whole=True))
ANYWHERE = (Window(5, whole=True, exact=False), Window(7, whole=True, exact=False))

CASES = [
    # 3x3, stride 2, pad 1: (5 + 2 - 3)//2 + 1 = 3, (7 + 2 - 3)//2 + 1 = 4; fan-in 6*9 = 54
    Case(
        "conv",
        {"out": 8, "kernel": 3, "stride": 2, "pad": 1},
        (x,),
        Shape(8, (3, 4)),
        (8 * 54, 8),
        {"mac": 8 * 12 * 54, "add": 8 * 12},
        (Window(3, 2, 1), Window(3, 2, 1)),
    ),
    # weight normalisation: 8 lengths beside 8 * 6 weights; computing them once is no operation of an image
    Case(
        "conv",
        {"out": 8, "kernel": 1, "weight_norm": "channels"},
        (x,),
        Shape(8, (5, 7)),
        (8 * 6 + 8, 8),
        {"mac": 8 * 35 * 6, "add": 8 * 35},
        (Window(1), Window(1)),
    ),
    # the same of a linear layer on 6 features: 8 * 6 weights and 8 lengths
    Case("linear", {"out": 8, "weight_norm": "channels"}, (v,), Shape(8), (8 * 6 + 8, 8), {"mac": 48, "add": 8}),
    # constants are no parameters: 8 * 6 weights and 8 gains
    Case(
        "conv",
        {"out": 8, "kernel": 1, "weight_norm": "scaled", "gamma": 1.7, "eps": 1e-5, "bias": False},
        (x,),
        Shape(8, (5, 7)),
        (8 * 6 + 8,),
        {"mac": 8 * 35 * 6},
        (Window(1), Window(1)),
    ),
    # a length for each of the 3 columns of the kernel: 8 * 6 * 3 weights and 3 lengths
    Case(
        "conv",
        {"out": 8, "kernel": [1, 3], "weight_norm": "last", "bias": False},
        (x,),
        Shape(8, (5, 5)),
        (8 * 18 + 3,),
        {"mac": 8 * 25 * 18},
        (Window(1), Window(3)),
    ),
    # standardised weights with a gain for each output channel
    Case(
        "conv",
        {"out": 8, "kernel": 1, "weight_norm": "scaled", "bias": False},
        (x,),
        Shape(8, (5, 7)),
        (8 * 6 + 8,),
        {"mac": 8 * 35 * 6},
        (Window(1), Window(1)),
    ),
    # 3 positions of queries, 6 of keys: 2 * 6 - 1 vectors of 6 / 3 = 2 numbers; 18 output channels have a fan-in of 2
    Case(
        "conv",
        {"out": 18, "kernel": 1, "groups": 3, "relative": True, "bias": False},
        (x,),
        Shape(18, (5, 7)),
        (11 * 2,),
        {"mac": 18 * 35 * 2},
        (Window(1), Window(1)),
    ),
    # a blur: 6 channels, each on its own with 9 constants, which are buffers
    Case(
        "conv",
        {"out": 6, "kernel": 3, "stride": 2, "pad": 1, "groups": 6, "bias": False, "fixed": True},
        (x,),
        Shape(6, (3, 4)),
        (0, 0, 6 * 9),
        {"mac": 6 * 12 * 9},
        (Window(3, 2, 1), Window(3, 2, 1)),
    ),
    # 3x1, dilation 2x1, two groups of 3 channels, no bias: span 5x1, fan-in 3*3 = 9, output 1x7
    Case(
        "conv",
        {"out": 4, "kernel": [3, 1], "dilation": [2, 1], "groups": 2, "bias": False},
        (x,),
        Shape(4, (1, 7)),
        (4 * 9,),
        {"mac": 4 * 7 * 9},
        (Window(5, 1, 0, by=2), Window(1, 1, 0)),
    ),
    # per side: rows 5 + 0 + 1 - 2 = 4, columns 7 + 2 + 0 - 2 = 7; stride 1 gives 5x8, fan-in 6*4 = 24
    Case(
        "conv",
        {"out": 2, "kernel": 2, "pad": [[0, 1], [2, 0]]},
        (x,),
        Shape(2, (5, 8)),
        (48, 2),
        {"mac": 2 * 40 * 24, "add": 80},
        (Window(2, 1, 0), Window(2, 1, 2)),
    ),
    # mirrored positions instead of zeros: the same numbers
    Case(
        "conv",
        {"out": 8, "kernel": 3, "stride": 2, "pad": 1, "pad_mode": "reflect"},
        (x,),
        Shape(8, (3, 4)),
        (8 * 54, 8),
        {"mac": 8 * 12 * 54, "add": 8 * 12},
        (Window(3, 2, 1), Window(3, 2, 1)),
    ),
    # three maps see 1, 2 and 6 inputs: 9 links of 2x2 = 36 weights; output 4x6
    Case(
        "conv_table",
        {"kernel": 2, "table": [[0], [1, 5], [0, 1, 2, 3, 4, 5]]},
        (x,),
        Shape(3, (4, 6)),
        (36, 3),
        {"mac": 36 * 24, "add": 3 * 24},
        (Window(2, 1, 0), Window(2, 1, 0)),
    ),
    # rows 5 + 2 - 3 + 1 = 5, columns (7 - 3)//2 + 1 = 3: each of 15 positions has 4 * 6 * 9 weights and 4 biases
    Case(
        "locally_connected",
        {"out": 4, "kernel": 3, "stride": [1, 2], "pad": [1, 0]},
        (x,),
        Shape(4, (5, 3)),
        (15 * 4 * 54, 15 * 4),
        {"mac": 15 * 4 * 54, "add": 15 * 4},
        (Window(3, 1, 1), Window(3, 2, 0)),
    ),
    # (5-1)*2 - 2*1 + 3 + 1 = 10, (7-1)*2 - 2 + 3 + 1 = 14; every one of 35 input cells meets 6*4*9 weights
    # a length for each of the 6 input channels, beside 6 * 8/2 * 4 weights
    Case(
        "conv_transpose",
        {"out": 8, "kernel": 2, "groups": 2, "bias": False, "weight_norm": "channels"},
        (x,),
        Shape(8, (6, 8)),
        (6 * 4 * 4 + 6,),
        {"mac": 35 * 6 * 4 * 4},
        (Window(2, 1, 1), Window(2, 1, 1)),
    ),
    Case(
        "conv_transpose",
        {"out": 4, "kernel": 3, "stride": 2, "pad": 1, "output_pad": 1},
        (x,),
        Shape(4, (10, 14)),
        (6 * 4 * 9, 4),
        {"mac": 6 * 4 * 9 * 35, "add": 4 * 140},
        (Window(3, 1, 1, up=2, reads=((0, 0), (0, 1))),) * 2,  # even outputs read one input, odd ones two
    ),
    # three groups of two inputs and one output: 6*1*4 weights; (5-1)*1 + 2 = 6, 8
    Case(
        "conv_transpose",
        {"out": 3, "kernel": 2, "groups": 3, "bias": False},
        (x,),
        Shape(3, (6, 8)),
        (24,),
        {"mac": 24 * 35},
        (Window(2, 1, 1), Window(2, 1, 1)),
    ),
    Case("linear", {"out": 10}, (v,), Shape(10), (60, 10), {"mac": 60, "add": 10}),
    Case("linear", {"out": 10, "zero_bias": [4, 7]}, (v,), Shape(10), (60, 10), {"mac": 60, "add": 10}),
    Case("linear", {"out": 10, "bias": False, "axis": "channels"}, (x,), Shape(10, (5, 7)), (60,), {"mac": 60 * 35}),
    Case(
        "linear",
        {"out": 10, "axis": "last"},
        (x,),
        Shape(6, (5, 10)),
        (70, 10),
        {"mac": 30 * 70, "add": 300},
        (Window(1), Window(7, whole=True)),
    ),
    # 10 codes of 6 numbers: 6 differences, 6 squares, 5 sums each
    Case("rbf", {"out": 10}, (v,), Shape(10), (0, 0, 60), {"mul": 60, "add": 110}),
    # rows (5-2)//2 + 1 = 2, columns (7-2)//2 + 1 = 3; both leave the last cell over
    Case(
        "max_pool",
        {"kernel": 2, "stride": 2},
        (x,),
        Shape(6, (2, 3)),
        (),
        {"compare": 36 * 3},
        (Window(2, 2, 0), Window(2, 2, 0)),
    ),
    # rounded up: rows ceil(2/2) + 1 = 2, columns ceil(4/2) + 1 = 3; 36 windows of 9 cells
    Case(
        "avg_pool",
        {"kernel": 3, "stride": 2, "ceil_mode": True},
        (x,),
        Shape(6, (2, 3)),
        (),
        {"add": 36 * 8, "div": 36},
        (Window(3, 2, 0), Window(3, 2, 0)),
    ),
    # four cells summed (3 add), times a coefficient, plus a bias (1 add)
    Case(
        "subsample",
        {"kernel": 2, "stride": 2},
        (x,),
        Shape(6, (2, 3)),
        (6, 6),
        {"add": 36 * 4, "mul": 36},
        (Window(2, 2, 0), Window(2, 2, 0)),
    ),
    # rows 5 to 5: one cell each; columns 7 to 2: 0-3 and 3-6, 8 cells; 6*5*8 = 240 cells in 60 means
    Case(
        "adaptive_avg_pool",
        {"out": [5, 2]},
        (x,),
        Shape(6, (5, 2)),
        (),
        {"add": 240 - 60, "div": 60},
        (Window(1), Window(8, 7, 1, up=2, reads=((0, 3), (3, 6)))),
    ),
    # 5 to 2 and 7 to 3: windows of 3, 3 and of 3, 3, 3 cells, 6 x 9 cells a channel for 6 maxima
    Case(
        "adaptive_max_pool",
        {"out": [2, 3]},
        (x,),
        Shape(6, (2, 3)),
        (),
        {"compare": 6 * (6 * 9 - 6)},
        (Window(6, 5, 1, up=2, reads=((0, 2), (2, 4))), Window(9, 7, 2, up=3, reads=((0, 2), (2, 4), (4, 6)))),
    ),
    Case("global_max_pool", {}, (x,), gate, (), {"compare": 6 * 34}, WHOLE),
    Case("global_avg_pool", {}, (x,), gate, (), {"add": 6 * 34, "div": 6}, WHOLE),
    Case("batch_norm", {}, (x,), x, (6, 6, 12), {"mul": 210, "add": 210}),
    Case("batch_norm", {"scale": False}, (x,), x, (0, 6, 12), {"mul": 210, "add": 210}),
    Case("batch_norm", {"affine": False}, (x,), x, (0, 0, 12), {"mul": 210, "add": 210}),
    Case("batch_norm", {"frozen": True}, (x,), x, (0, 0, 24), {"mul": 210, "add": 210}),
    # 5 neighbours: x^2 and alpha*sum (2 mul), 4 sums and k (5 add), power, division
    Case("lrn", {"size": 5}, (x,), x, (), {"mul": 420, "add": 1050, "exp": 210, "div": 210}),
    # 3x3 positions of one channel: 8 sums and k (9 add)
    Case(
        "lrn",
        {"size": 3, "axis": "positions"},
        (x,),
        x,
        (),
        {"mul": 420, "add": 9 * 210, "exp": 210, "div": 210},
        (Window(3, 1, 1), Window(3, 1, 1)),
    ),
    # over 6 values at 35 places: mean 5+, difference 6+, variance 5+, eps 1+, shift 6+ = 23 add; squares, product,
    # scale = 18 mul; mean, variance, reciprocal = 3 div; one root
    Case("layer_norm", {"axis": "channels"}, (x,), x, (6, 6), {"add": 23 * 35, "mul": 18 * 35, "div": 105, "exp": 35}),
    # over 7 values at 30 places, no affine: 6 + 7 + 6 + 1 = 20 add, 14 mul
    Case(
        "layer_norm",
        {"axis": "last", "affine": False},
        (x,),
        x,
        (),
        {"add": 600, "mul": 420, "div": 90, "exp": 30},
        (Window(1), Window(7, whole=True)),
    ),
    # over all 210: 209 + 210 + 209 + 1 + 210 add, 3*210 mul
    # over 35 values of 6 channels: 34 + 35 + 34 + 1 + 35 = 139 add, 105 mul
    Case(
        "layer_norm",
        {"axis": ["height", "width"]},
        (x,),
        x,
        (35, 35),
        {"add": 139 * 6, "mul": 105 * 6, "div": 18, "exp": 6},
        WHOLE,
    ),
    Case(
        "layer_norm", {"axis": ["channels"]}, (x,), x, (6, 6), {"add": 23 * 35, "mul": 18 * 35, "div": 105, "exp": 35}
    ),
    Case("layer_norm", {"axis": "all"}, (x,), x, (210, 210), {"add": 839, "mul": 630, "div": 3, "exp": 1}, WHOLE),
    # two groups of 105: 104 + 105 + 104 + 1 + 105 = 419 add, 315 mul each
    Case("group_norm", {"groups": 2}, (x,), x, (6, 6), {"add": 838, "mul": 630, "div": 6, "exp": 2}, WHOLE),
    # 35 positions of 6 channels: 6 squares, 5 + 1 add, 2 div, a root; then two products a value
    Case("rms_norm", {"axis": "channels"}, (x,), x, (6,), {"mul": 630, "add": 210, "div": 70, "exp": 35}),
    Case(
        "rms_norm", {"axis": ["height", "width"]}, (x,), x, (35,), {"mul": 630, "add": 210, "div": 12, "exp": 6}, WHOLE
    ),
    Case("rms_norm", {"affine": False}, (v,), v, (), {"mul": 12, "add": 6, "div": 2, "exp": 1}),
    Case(
        "rms_norm",
        {"axis": "last"},
        (x,),
        x,
        (7,),
        {"mul": 630, "add": 210, "div": 60, "exp": 30},
        (Window(1), Window(7, whole=True)),
    ),
    # 35 lengths of 6 channels: 6 squares, 5 add, a root, a comparison; a quotient and with a scale a product a value
    Case("l2_norm", {}, (x,), x, (), {"mul": 210, "add": 175, "exp": 35, "compare": 35, "div": 210}),
    Case("l2_norm", {"scale": True}, (x,), x, (6,), {"mul": 420, "add": 175, "exp": 35, "compare": 35, "div": 210}),
    # 210 values of one length, and one scale
    Case(
        "l2_norm",
        {"axis": "all", "scale": True, "per_channel": False},
        (x,),
        x,
        (1,),
        {"mul": 420, "add": 209, "exp": 1, "compare": 1, "div": 210},
        WHOLE,
    ),
    # 5 lengths of 6 channels of 7 columns
    Case(
        "l2_norm",
        {"axis": ["channels", "width"]},
        (x,),
        x,
        (),
        {"mul": 210, "add": 205, "exp": 5, "compare": 5, "div": 210},
        (Window(1), Window(7, whole=True)),
    ),
    # one group of a vector: 5 + 6 + 5 + 1 add, 12 mul
    Case("group_norm", {"groups": 1, "affine": False}, (v,), v, (), {"add": 17, "mul": 12, "div": 3, "exp": 1}),
    # six channels of 35: 34 + 35 + 34 + 1 = 104 add, 70 mul each; affine 35 more of both
    Case("instance_norm", {}, (x,), x, (), {"add": 624, "mul": 420, "div": 18, "exp": 6}, WHOLE),
    Case("instance_norm", {"affine": True}, (x,), x, (6, 6), {"add": 834, "mul": 630, "div": 18, "exp": 6}, WHOLE),
    Case("math", {"function": "abs"}, (x,), x, (), {"compare": 210}),
    Case("math", {"function": "log"}, (x,), x, (), {"exp": 210}),
    Case("math", {"function": "sin"}, (x,), x, (), {"exp": 210}),
    Case("math", {"function": "power", "exponent": -0.5}, (x,), x, (), {"exp": 210}),
    Case("math", {"function": "power", "exponent": 2}, (x,), x, (), {"mul": 210}),
    # two quotients a value, the first of maps, the second by a gate
    Case("divide", {}, (x, x, gate), x, (), {"div": 420}),
    Case("scale", {"factor": 0.3}, (x,), x, (), {"mul": 210}),
    Case("scale", {"factor": 2, "shift": -1}, (x,), x, (), {"mul": 210, "add": 210}),
    Case("layer_scale", {}, (x,), x, (6,), {"mul": 210}),
    Case("layer_scale", {"bias": True}, (x,), x, (6, 6), {"mul": 210, "add": 210}),
    Case("position", {}, (x,), x, (210,), {"add": 210}),
    Case("position", {}, (v,), v, (6,), {"add": 6}),
    # 2 heads of 6 channels on a map of 4x5x6: 6 weights of 27 cells for both heads, 6 * 2 * 4*3*3 outputs
    Case(
        "conv",
        {"out": 6, "kernel": [1, 3, 3, 3], "stride": [1, 1, 2, 2], "pad": [0, 1, 1, 1], "groups": 6, "bias": False},
        (Shape(6, (2, 4, 5, 6)),),
        Shape(6, (2, 4, 3, 3)),
        (162,),
        {"mac": 11_664},
        (Window(1), Window(3, 1, 1), Window(3, 2, 1), Window(3, 2, 1)),
    ),
    # x is 6x5x7: a number for each of 6 channels and 5 rows, and for each of 6 channels and 7 columns
    Case("position", {"axes": ["height"]}, (x,), x, (30,), {"add": 210}),
    Case("position", {"axes": ["last"]}, (x,), x, (42,), {"add": 210}),
    Case("position", {"axes": ["width", "height"]}, (x,), x, (210,), {"add": 210}),
    # 4 channels at 3 positions: 12 numbers, whatever the input; with fixed, 12 buffers
    Case(
        "parameter", {"size": [4, 3]}, (x,), Shape(4, (3,)), (12,), {}, (Window(5, whole=True), Window(7, whole=True))
    ),
    Case("parameter", {"size": [4], "fixed": True}, (Shape(6),), Shape(4), (0, 0, 4), {}, ()),
    Case("index_select", {"count": 4}, (x,), Shape(6, (5, 4)), (), {}, (Window(1), Window(7, whole=True, exact=False))),
    Case(
        "index_select",
        {"count": 4, "axis": "height"},
        (x,),
        Shape(6, (4, 7)),
        (),
        {},
        (Window(5, whole=True, exact=False), Window(1)),
    ),
    Case("index_select", {"count": 4, "axis": "channels"}, (x,), Shape(4, (5, 7)), (), {}, ()),
    # unit 0 is the token, and unit 1 reads position 0
    Case("class_token", {}, (Shape(6, (5,)),), Shape(6, (6,)), (6,), {}, (Window(1, 1, 1, reads_both_ends=False),)),
    # two tokens of 6 channels, the same in each of the 5 windows
    Case(
        "class_token",
        {"tokens": 2},
        (x,),
        Shape(6, (5, 9)),
        (12,),
        {},
        (Window(1), Window(1, 1, 2, reads_both_ends=False)),
    ),
    Case("relu", {}, (x,), x, (), {"compare": 210}),
    Case("relu6", {}, (x,), x, (), {"compare": 420}),
    Case("leaky_relu", {}, (x,), x, (), {"compare": 210, "mul": 210}),
    Case("prelu", {}, (x,), x, (6,), {"compare": 210, "mul": 210}),
    Case("prelu", {"per_channel": False}, (x,), x, (1,), {"compare": 210, "mul": 210}),
    Case("elu", {}, (x,), x, (), {"compare": 210, "exp": 210, "add": 210, "mul": 210}),
    Case("gelu", {}, (x,), x, (), {"mul": 420, "add": 210, "exp": 210, "div": 210}),
    Case("sigmoid", {}, (x,), x, (), {"exp": 210, "add": 210, "div": 210}),
    Case("hard_sigmoid", {}, (x,), x, (), {"add": 210, "compare": 420, "div": 210}),
    Case("silu", {}, (x,), x, (), {"exp": 210, "add": 210, "div": 210, "mul": 210}),
    Case("hard_swish", {}, (x,), x, (), {"add": 210, "compare": 420, "div": 210, "mul": 210}),
    # x^3 by two products, 0.044715 and sqrt(2 / pi), 0.5 and x: six products; x and 1 added
    Case("gelu", {"approximate": "tanh"}, (x,), x, (), {"mul": 1260, "add": 420, "exp": 210}),
    Case("tanh", {}, (x,), x, (), {"exp": 210}),
    Case("hard_tanh", {"min": 0, "max": 6}, (x,), x, (), {"compare": 420}),
    Case("selu", {}, (x,), x, (), {"compare": 210, "exp": 210, "add": 210, "mul": 420}),
    Case("softplus", {}, (x,), x, (), {"exp": 420, "add": 210}),
    Case("mish", {}, (x,), x, (), {"exp": 630, "add": 210, "mul": 210}),
    # 3 of 6 channels: 105 sigmoids and products
    Case("glu", {}, (x,), Shape(3, (5, 7)), (), {"exp": 105, "add": 105, "div": 105, "mul": 105}),
    # at each of 35 places: 6 exp, 5 add, 6 div
    Case("softmax", {}, (x,), x, (), {"exp": 210, "add": 175, "div": 210}),
    Case("softmax", {}, (v,), v, (), {"exp": 6, "add": 5, "div": 6}),
    # at each of 6 x 5 rows: 7 exp, 6 add, 7 div; the last axis of a vector: its channels
    Case(
        "softmax",
        {"axis": "width"},
        (x,),
        x,
        (),
        {"exp": 210, "add": 180, "div": 210},
        (Window(1), Window(7, whole=True)),
    ),
    Case("softmax", {"axis": "last"}, (v,), v, (), {"exp": 6, "add": 5, "div": 6}),
    # in each of 6 x 7 columns: 5 exp and one logarithm, 4 add for the sum and 5 for its logarithm
    Case("log_softmax", {"axis": "height"}, (x,), x, (), {"exp": 252, "add": 378}, (Window(5, whole=True), Window(1))),
    # at each of 35 places: 6 exp and one logarithm, 5 add for the sum and 6 for its logarithm
    Case("log_softmax", {}, (x,), x, (), {"exp": 245, "add": 385}),
    # at each of 35 places: 5 add and 1 div of 6 channels; in each of 6 x 5 rows: 6 compares of 7; of 35 places: 34 add
    Case("reduce", {"by": "mean", "axis": "channels"}, (x,), Shape(1, (5, 7)), (), {"add": 175, "div": 35}),
    Case(
        "reduce",
        {"by": "max", "axis": "width"},
        (x,),
        Shape(6, (5, 1)),
        (),
        {"compare": 180},
        (Window(1), Window(7, whole=True)),
    ),
    Case(
        "reduce",
        {"by": "sum", "axis": "positions"},
        (x,),
        Shape(6, (1, 1)),
        (),
        {"add": 204},
        (Window(5, whole=True), Window(7, whole=True)),
    ),
    Case("reduce", {"by": "mean", "axis": "last"}, (v,), Shape(1), (), {"add": 5, "div": 1}),
    # every second position of 4x10x14, added to 4 of 6 channels: 4 * 35 sums
    Case("add", {"unequal": True}, (x, Shape(4, (10, 14))), x, (), {"add": 4 * 35}),
    # 8 channels of 2x3: 2 = 5//2 = 7//3, so 6 channels at positions 0, 2 of the rows and 0, 2, 4 of the columns
    Case("add", {"unequal": True}, (x, x, Shape(8, (2, 3))), x, (), {"add": 210 + 6 * 6}),
    Case("add", {}, (x, x, x), x, (), {"add": 420}),
    Case("subtract", {}, (x, x, x), x, (), {"add": 420}),
    Case("maximum", {}, (x, x, x), x, (), {"compare": 420}),
    Case("minimum", {}, (Shape(6, (5, 1)), Shape(1, (1, 7))), x, (), {"compare": 210}),
    Case("mean", {}, (x, x, x), x, (), {"add": 420, "div": 210}),
    # one channel, one position along an axis, a vector: 210 values each; 6x5x1 and 1x1x7 together make 6x5x7
    Case("add", {}, (Shape(1, (5, 7)), x), x, (), {"add": 210}),
    Case("add", {}, (x, v), x, (), {"add": 210}),
    Case("add", {}, (Shape(6, (5, 1)), Shape(1, (1, 7))), x, (), {"add": 210}),
    Case("mean", {}, (x, Shape(1, (1, 7))), x, (), {"add": 210, "div": 210}),
    # two gates of 6 first, then the map: 6 and 210 products; the other way round twice 210
    Case("multiply", {}, (gate, v, x), x, (), {"mul": 6 + 210}),
    Case("multiply", {}, (x, gate, Shape(1, (5, 7))), x, (), {"mul": 210 + 210}),
    Case("multiply", {}, (Shape(1, (5, 7)), x), x, (), {"mul": 210}),
    Case("multiply", {}, (Shape(1, (5, 1)), Shape(1, (1, 7))), Shape(1, (5, 7)), (), {"mul": 35}),
    Case("multiply", {}, (Shape(1, (1, 1)), v), Shape(6, (1, 1)), (), {"mul": 6}),
    Case("multiply", {}, (x, gate), x, (), {"mul": 210}),
    Case("multiply", {}, (v, x, x), x, (), {"mul": 420}),
    # a map of one position beside a vector stays a map, whichever comes first
    Case("multiply", {}, (v, gate), gate, (), {"mul": 6}),
    Case("multiply", {}, (gate, v), gate, (), {"mul": 6}),
    Case("concat", {}, (x, Shape(1, (5, 7)), x), Shape(13, (5, 7))),
    # 4 queries, 5 keys of 6 channels, values of 3: 4*5*6 + 4*5*3 products. 3 heads x 4 x 5 = 60 scores, scaled;
    # soft-max over 5 keys, 12 times: 60 exp, 12*4 additions, 60 divisions
    Case(
        "attention",
        {"heads": 3},
        (Shape(6, (4,)), Shape(6, (5,)), Shape(3, (5,))),
        Shape(3, (4,)),
        (),
        {"mac": 4 * 5 * 6 + 4 * 5 * 3, "mul": 60, "exp": 60, "add": 12 * 4, "div": 60},
        (Window(5, whole=True),),
    ),
    # 5 windows of 7 positions, 2 heads: 5*7*7*6 products twice, 5*2*7*7 = 490 scores, of which -inf is added to each
    Case(
        "attention",
        {"heads": 2, "causal": True},
        (x, x, x),
        x,
        (),
        {"mac": 2 * 5 * 7 * 7 * 6, "mul": 490, "exp": 490, "add": 490 + 5 * 2 * 7 * 6, "div": 490},
        (Window(1), Window(7, whole=True)),
    ),
    # 2 heads, 4 queries and 5 keys: 2*4*5 = 40 scores, to each of which the bias and 0 or -inf are added
    Case(
        "attention",
        {"heads": 2, "causal": True},
        (Shape(6, (4,)), Shape(6, (5,)), Shape(2, (5,)), Shape(2, (4, 5))),
        Shape(2, (4,)),
        (),
        {"mac": 4 * 5 * 6 + 4 * 5 * 2, "mul": 40, "exp": 40, "add": 2 * 40 + 2 * 4 * 4, "div": 40},
        (Window(5, whole=True),),
    ),
    # 6 windows of 2 x 2 positions, 3 heads: (3 * 3) * 3 numbers; 3*6*4*4 = 288 scores, to each of which two are added
    Case(
        "attention",
        {"heads": 3, "bias": "relative", "block": [2, 2], "shift": 1, "size": [4, 6]},
        (windows, windows, windows),
        windows,
        (27,),
        {"mac": 2 * 6 * 4 * 4 * 6, "mul": 288, "exp": 288, "add": 2 * 288 + 3 * 6 * 4 * 3, "div": 288},
        (Window(1), Window(4, whole=True)),
    ),
    # a window of 2 x 3 positions: (3 * 5) * 2 numbers
    Case(
        "attention",
        {"heads": 2, "bias": "relative", "block": [2, 3]},
        (Shape(4, (6,)),) * 3,
        Shape(4, (6,)),
        (30,),
        {"mac": 2 * 6 * 6 * 4, "mul": 72, "exp": 72, "add": 72 + 2 * 6 * 5, "div": 72},
        (Window(6, whole=True),),
    ),
    # the same window: 15 relative positions of 2 numbers; weights 2*512 + 512*2, 512 biases
    Case(
        "attention",
        {"heads": 2, "bias": "continuous", "block": [2, 3]},
        (Shape(4, (6,)),) * 3,
        Shape(4, (6,)),
        (2048, 512, 30),
        {"mac": 2 * 6 * 6 * 4, "mul": 72, "exp": 72, "add": 72 + 2 * 6 * 5, "div": 72},
        (Window(6, whole=True),),
    ),
    # lengths of 3*4 queries and 3*5 keys of 2 channels: 54 squares, 27 sums, roots and comparisons, 54 quotients
    Case(
        "attention",
        {"heads": 3, "cosine": True},
        (Shape(6, (4,)), Shape(6, (5,)), Shape(3, (5,))),
        Shape(3, (4,)),
        (3,),
        {"mac": 180, "mul": 54 + 60, "exp": 27 + 60, "compare": 27, "add": 27 + 12 * 4, "div": 54 + 60},
        (Window(5, whole=True),),
    ),
    # matrices of 6 x 7 and 7 x 4: 6*4 sums of 7 products
    Case(
        "matmul", {}, (Shape(6, (7,)), Shape(7, (4,))), Shape(6, (4,)), (), {"mac": 6 * 4 * 7}, (Window(7, whole=True),)
    ),
    # keys x queries: 5 keys and 7 queries of 6 channels
    Case(
        "matmul",
        {"transpose": "first"},
        (Shape(6, (5,)), Shape(6, (7,))),
        Shape(5, (7,)),
        (),
        {"mac": 5 * 7 * 6},
        (Window(5, whole=True),),
    ),
    # in each of 6 channels, 5 x 7 and the transposed 5 x 7: 5 x 5 sums of 7 products
    Case("matmul", {"transpose": "second"}, (x, x), Shape(6, (5, 5)), (), {"mac": 6 * 5 * 5 * 7}, WHOLE),
    # both transposed: 7 x 5 and 5 x 4
    Case(
        "matmul",
        {"transpose": "both"},
        (x, Shape(6, (4, 5))),
        Shape(6, (7, 4)),
        (),
        {"mac": 6 * 7 * 4 * 5},
        WHOLE,
    ),
    Case("flatten", {}, (x,), Shape(210), (), {}, WHOLE),
    Case("identity", {}, (x,), x),
    Case("dropout", {}, (x,), x),
    Case("drop_path", {"p": 0.2}, (x,), x),
    Case(
        "upsample",
        {"scale": 2},
        (x,),
        Shape(6, (10, 14)),
        (),
        {},
        (Window(2, 1, 1, up=2, reads=((0, 0), (0, 0))),) * 2,
    ),
    # 5 to 10 and 7 to 7 rows: per output four products and three sums
    Case(
        "upsample",
        {"size": [10, 7], "mode": "bilinear"},
        (x,),
        Shape(6, (10, 7)),
        (),
        {"mul": 4 * 420, "add": 3 * 420},
        (Window(5, 1, 3, up=2, reads=((-1, 0), (0, 1))), Window(3, 1, 1, reads=((0, 0),))),  # (2*o + 1)/4 - 1/2
    ),
    # over one axis two values meet, over three axes eight: 6 * 10 and 6 * 2 * 4 * 2 values
    Case(
        "upsample",
        {"scale": 2, "mode": "bilinear"},
        (Shape(6, (5,)),),
        Shape(6, (10,)),
        (),
        {"mul": 2 * 60, "add": 60},
        (Window(5, 1, 3, up=2, reads=((-1, 0), (0, 1))),),
    ),
    Case(
        "upsample",
        {"size": [2, 4, 2], "mode": "bilinear"},
        (Shape(6, (2, 4, 2)),),
        Shape(6, (2, 4, 2)),
        (),
        {"mul": 8 * 96, "add": 7 * 96},
        (Window(3, 1, 1, reads=((0, 0),)),) * 3,
    ),
    # unit 0 lies at 1/4 - 1/2, unit 1 at 3/4 - 1/2: two positions on each side; 16 products of 840 values
    Case(
        "upsample",
        {"like": (10, 14), "mode": "bicubic"},
        (x,),
        Shape(6, (10, 14)),
        (),
        {"mul": 16 * 840, "add": 15 * 840},
        (Window(9, 1, 5, up=2, reads=((-2, 1), (-1, 2))),) * 2,
    ),
    # the same windows with another constant
    Case(
        "upsample",
        {"like": (10, 14), "mode": "bicubic", "antialias": True},
        (x,),
        Shape(6, (10, 14)),
        (),
        {"mul": 16 * 840, "add": 15 * 840},
        (Window(9, 1, 5, up=2, reads=((-2, 1), (-1, 2))),) * 2,
    ),
    # corners aligned: rows at 0, 1/2, 1 ... 4; columns at 0, 2, 4 and 6
    Case(
        "upsample",
        {"size": [9, 4], "mode": "bilinear", "align_corners": True},
        (x,),
        Shape(6, (9, 4)),
        (),
        {"mul": 4 * 216, "add": 3 * 216},
        (Window(3, 1, 1, up=2, reads=((0, 0), (0, 1))), Window(1, 2, 0, reads=((0, 0),))),
    ),
    # rows at 0, 4/3, 8/3 and 4; a single column lies at 0
    Case(
        "upsample",
        {"size": [4, 1], "mode": "bicubic", "align_corners": True},
        (x,),
        Shape(6, (4, 1)),
        (),
        {"mul": 16 * 24, "add": 15 * 24},
        (
            Window(11, 4, 5, up=3, reads=((0, 0), (0, 3), (1, 4))),
            Window(3, 7, 1, reads=((0, 0),), reads_both_ends=False),
        ),
    ),
    # every unit of an axis that had one position reads this position
    Case(
        "upsample",
        {"scale": 3, "mode": "bilinear", "align_corners": True},
        (Shape(6, (1,)),),
        Shape(6, (3,)),
        (),
        {"mul": 2 * 18, "add": 18},
        (Window(1, whole=True),),
    ),
    # back to the size before 3x2 windows with stride 2: row 2 lies in windows 0 and 1, column 2 in window 1 alone
    Case(
        "unpool",
        {"of": Pooled([3, 2], 2, 0, 1, False, Shape(6, (11, 15)), x)},
        (x,),
        Shape(6, (11, 15)),
        (),
        {},
        (
            Window(3, 1, 2, up=2, reads=((-1, 0), (0, 0))),
            Window(2, 1, 1, up=2, reads=((0, 0), (0, 0)), reads_both_ends=False),
        ),
    ),
    Case("slice", {"start": 1, "stop": 4}, (x,), Shape(3, (5, 7))),
    Case("pad_channels", {"before": 1, "after": 3}, (x,), Shape(10, (5, 7))),
    # 5 - 1 - 1 and 7 - 1 - 1 positions; a field begins where the first position that is left lies
    Case("crop", {"by": 1}, (x,), Shape(6, (3, 5)), (), {}, (cut(1), cut(1))),
    Case("crop", {"by": [[2, 0], [0, 3]]}, (x,), Shape(6, (3, 4)), (), {}, (cut(2), cut(0))),
    # 5 to 4 and 7 to 4: the odd position is cut off at the end
    Case("crop", {"size": 4}, (x,), Shape(6, (4, 4)), (), {}, (cut(0), cut(1))),
    # FCN cuts a number of positions in front, and the rest behind
    Case("crop", {"size": [2, 6], "offset": [3, 0]}, (x,), Shape(6, (2, 6)), (), {}, (cut(3), cut(0))),
    Case("crop", {"by": 0}, (x,), x, (), {}, (Window(1), Window(1))),
    Case("crop", {"by": [1, 2, [0, 1]]}, (Shape(2, (4, 5, 6)),), Shape(2, (2, 1, 5)), (), {}, (cut(1), cut(2), cut(0))),
    Case("pad", {"by": 1}, (x,), Shape(6, (7, 9)), (), {}, (cut(-1), cut(-1))),
    Case("pad", {"by": [[0, 2], 0]}, (x,), Shape(6, (7, 7)), (), {}, (cut(0), Window(1))),
    # 5 to 8 and 7 to 8: the odd zeros stand at the end
    Case("pad", {"size": 8}, (x,), Shape(6, (8, 8)), (), {}, (cut(-1), cut(0))),
    Case("pad", {"by": [[3, 0]]}, (Shape(2, (4,)),), Shape(2, (7,)), (), {}, (cut(-3),)),
    Case("channel_shuffle", {"groups": 3}, (x,), x),
    # 4x3 positions of 6 channels, each of 4 products and 3 additions; beside 2 windows of 2 positions on three axes
    Case(
        "grid_sample",
        {},
        (x, Shape(2, (4, 3))),
        Shape(6, (4, 3)),
        (),
        {"mul": 72 * 4, "add": 72 * 3},
        ANYWHERE,
    ),
    Case("grid_sample", {"mode": "nearest"}, (x, Shape(2, (4, 3))), Shape(6, (4, 3)), (), {}, ANYWHERE),
    Case(
        "grid_sample",
        {"mode": "bicubic"},
        (x, Shape(2, (1, 1))),
        Shape(6, (1, 1)),
        (),
        {"mul": 6 * 16, "add": 6 * 15},
        ANYWHERE,
    ),
    Case(
        "grid_sample",
        {},
        (Shape(5, (2, 4, 3, 6)), Shape(3, (2, 1, 2, 1))),
        Shape(5, (2, 1, 2, 1)),
        (),
        {"mul": 20 * 8, "add": 20 * 7},
        tuple(Window(n, whole=True, exact=False) for n in (2, 4, 3, 6)),
    ),
    # 54 values of 2x2 samples, each of 4 products and 3 additions; 3 additions and a division for the mean of 4 samples
    Case(
        "roi_align",
        {"size": 3, "regions": 10},
        (x,),
        Shape(6, (3, 3)),
        (),
        {"mul": 54 * 4 * 4, "add": 54 * (4 * 3 + 3), "div": 54},
        ANYWHERE,
    ),
    Case(
        "roi_align",
        {"size": [1, 2], "sampling": 1},
        (x, Shape(6, (2, 3))),
        Shape(6, (1, 2)),
        (),
        {"mul": 12 * 4, "add": 12 * 3, "div": 12},
        ANYWHERE,
    ),
    # the rows 0-2, 2-4 and the columns 0-2, 2-4, 4-6 of a region as large as the map: 6 x 9 cells of every channel
    Case("roi_pool", {"size": [2, 3]}, (x,), Shape(6, (2, 3)), (), {"compare": 6 * (6 * 9 - 6)}, ANYWHERE),
    Case("ps_roi_pool", {"size": [2, 3]}, (x,), Shape(1, (2, 3)), (), {"add": 6 * 9 - 6, "div": 6}, ANYWHERE),
    # rows 1 and 3 of five: unit o reads position 2o + 1
    Case(
        "slice",
        {"axis": "height", "start": 1, "step": 2},
        (x,),
        Shape(6, (2, 7)),
        window=(Window(1, 2, -1, reads_both_ends=False), Window(1)),
    ),
    Case("slice", {"axis": "last", "stop": 3}, (x,), Shape(6, (5, 3)), window=(Window(1), cut(0))),
    Case("concat", {"axis": "height"}, (x, Shape(6, (2, 7))), Shape(6, (7, 7))),
    Case("expand", {"size": [3, 7]}, (Shape(6, (1, 7)),), Shape(6, (3, 7)), window=(Window(1, whole=True), Window(1))),
    Case("roll", {"by": [0, -2]}, (x,), x, window=(Window(1), Window(7, whole=True, exact=False))),
    Case("roll", {"by": [5, 7]}, (x,), x),  # a whole turn
    # 1 before and 2 after: a mirrored position is up to twice as far from where it would be, a repeated one as far
    Case(
        "pad",
        {"by": [[1, 2], 0], "mode": "reflect"},
        (x,),
        Shape(6, (8, 7)),
        window=(Window(7, 1, 5, exact=False), Window(1)),
    ),
    Case(
        "pad",
        {"by": [[1, 2], 0], "mode": "replicate"},
        (x,),
        Shape(6, (8, 7)),
        window=(Window(4, 1, 3, exact=False), Window(1)),
    ),
    Case(
        "pad",
        {"by": [0, 7], "mode": "circular"},
        (x,),
        Shape(6, (5, 21)),
        window=(Window(1), Window(7, whole=True, exact=False)),
    ),
    Case("rearrange", {"pattern": "(2 c) h w -> (c 2) h w"}, (x,), x),
    # 6 channels of 5x7: blocks of 5x1 leave 1x7, and 30 channels; 2x3 parts of the channels leave one
    Case("space_to_depth", {"block": [5, 1]}, (x,), Shape(30, (1, 7)), window=WHOLE),
    Case("pixel_shuffle", {"factor": [2, 3]}, (x,), Shape(1, (10, 21)), window=WHOLE),
    Case("to_tokens", {}, (x,), Shape(6, (35,)), window=WHOLE),
    Case("to_map", {"size": [5, 7]}, (Shape(6, (35,)),), x, window=(Window(35, whole=True),)),
    # windows of 5x1 positions: 1x7 of them; on a grid, too
    # 2x3 windows in steps of 2: (5 - 2)//2 + 1 = 2, (7 + 2 - 3)//2 + 1 = 4; 6 cells for each of 6 channels
    Case(
        "unfold",
        {"kernel": [2, 3], "stride": 2, "pad": [0, 1]},
        (x,),
        Shape(36, (2, 4)),
        window=(Window(2, 2), Window(3, 2, 1)),
    ),
    # back: (5 - 1)*2 + 1 = 9, (7 - 1)*1 + 6 = 12 positions of 6/6 channels; each of 6*35 values is added once
    Case(
        "fold",
        {"kernel": [1, 6], "stride": [2, 1]},
        (x,),
        Shape(1, (9, 12)),
        work={"add": 210},
        window=(Window(1, 1, 0, 2, reads=((0, 0), ())), Window(6, 1, 5)),
    ),
    Case("windows", {"size": [5, 1]}, (x,), Shape(6, (7, 5)), window=WHOLE),
    Case("windows", {"size": [1, 7], "grid": True}, (x,), Shape(6, (5, 7)), window=WHOLE),
    Case(
        "from_windows",
        {"size": [4, 6]},
        (Shape(2, (6, 4)),),
        Shape(2, (4, 6)),
        window=(Window(6, whole=True), Window(4, whole=True)),
    ),
    Case(
        "from_windows",
        {"size": [5, 7], "block": [5, 1]},
        (Shape(6, (7, 5)),),
        x,
        window=(Window(7, whole=True), Window(5, whole=True)),
    ),
    Case("rearrange", {"pattern": "c h w -> c w h"}, (x,), Shape(6, (7, 5)), window=WHOLE),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.type}-{case.settings}")
def test_a_layer_of_the_chosen_settings_is_the_same_layer(case):
    layer = registry[case.type](**case.settings)
    assert type(layer)(**layer.chosen).settings == layer.settings


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.type}-{case.settings}")
def test_facts(case):
    layer = registry[case.type](**case.settings)
    out = layer.shape(*case.inputs)
    assert out == case.out
    assert layer.params(*case.inputs) == Params(*case.params)
    assert layer.work(out, *case.inputs) == Work(**case.work)
    assert tuple(window._replace(over=None) for window in layer.window(*case.inputs)) == case.window


def test_every_layer_type_has_a_row():
    assert {case.type for case in CASES} == set(registry) - {"input"}


def test_the_input_costs_nothing():
    layer = registry["input"](x)
    assert (layer.shape(), layer.params(), layer.work(x), layer.window()) == (x, Params(), Work(), ())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.type}-{case.settings}")
def test_facts_are_plain_ints(case):
    layer = registry[case.type](**case.settings)
    out = layer.shape(*case.inputs)
    numbers = (out.channels, *out.axes, *layer.params(*case.inputs), *layer.work(out, *case.inputs))
    assert {type(n) for n in numbers} == {int}


@pytest.mark.parametrize(
    ("norm", "work"),
    [
        (None, Work()),
        # 8 rows of 6 weights: 48 squares, 8 * 5 sums, 8 roots, 8 quotients, 48 products
        ("channels", Work(mul=96, add=40, exp=8, div=8)),
        # one column, so one group of 48 weights
        ("last", Work(mul=96, add=47, exp=1, div=1)),
        # each of 8 rows: mean (5 add, 1 div), 6 differences, variance (6 mul, 5 add, 1 div), root (1 add, 1 exp, 1 div), 6 mul
        ("standardised", Work(mul=96, add=136, exp=8, div=24)),
        ("scaled", Work(mul=104, add=136, exp=8, div=24)),
    ],
)
def test_work_of_computed_weights(norm: str | None, work: Work) -> None:
    """The weights are computed once in a forward pass, whatever the batch."""
    assert registry["conv"](out=8, kernel=1, weight_norm=norm).work_once(x) == work


def test_a_linear_layer_computes_weights_for_each_output_feature():
    # 8 rows of 7 columns: 56 squares, 8 * 6 sums, 8 roots, 8 quotients, 56 products
    layer = registry["linear"](out=8, axis="last", weight_norm="channels")
    assert layer.work_once(x) == Work(mul=112, add=48, exp=8, div=8)
    assert registry["linear"](out=8, axis="last").work_once(x) == Work()


@pytest.mark.parametrize(
    ("settings", "work"),
    [
        ({}, Work()),
        ({"bias": "relative", "block": [2, 3]}, Work()),
        # the smaller of a number and log 100, and exp of it, for 2 heads
        ({"cosine": True}, Work(exp=2, compare=2)),
        # 15 positions: 512 x (2 + 2) products, 512 biases and comparisons, and 2 sigmoids (1 exp, add and div) times 16
        ({"bias": "continuous", "block": [2, 3]}, Work(30_720, add=7_710, compare=7_680, exp=30, div=30, mul=30)),
        (
            {"bias": "continuous", "block": [2, 3], "cosine": True},
            Work(30_720, add=7_710, compare=7_682, exp=32, div=30, mul=30),
        ),
    ],
)
def test_attention_computes_its_bias_and_scales_once(settings: dict[str, object], work: Work) -> None:
    assert registry["attention"](heads=2, **settings).work_once(*(Shape(4, (6,)),) * 3) == work


def test_a_transposed_convolution_computes_weights_for_each_input_channel():
    # 6 rows of 8 * 4 weights: 192 squares, 6 * 31 sums, 6 roots, 6 quotients, 192 products
    layer = registry["conv_transpose"](out=8, kernel=2, weight_norm="channels")
    assert layer.work_once(x) == Work(mul=384, add=186, exp=6, div=6)


@pytest.mark.parametrize(
    ("settings", "inputs", "message"),
    [
        ({"stride": 2, "relative": True}, x, "relative needs kernel 1, stride 1, no padding and no weight_norm"),
        (
            {"relative": True, "weight_norm": "last"},
            x,
            "relative needs kernel 1, stride 1, no padding and no weight_norm",
        ),
        (
            {"groups": 2, "relative": True},
            x,
            "2 groups and 3 output channels of each: one of both numbers must be a multiple of the other",
        ),
        ({"fixed": True}, x, "conv: fixed weights need bias: false, and no relative, no weight_norm and no pad_mode"),
        ({"groups": 6, "weight_norm": "standardised"}, x, "at least 2 weights for each output channel, got 1"),
        ({"gamma": 2}, x, "gamma 2 is the factor of weights that are scaled: say weight_norm: scaled"),
        ({"weight_norm": "channels", "eps": 1e-5}, x, "eps 1e-05 is added to the variance of weights"),
        ({"weight_norm": "channels", "pad": 1, "pad_mode": "circular"}, x, "put the layer pad before"),
    ],
)
def test_computed_weights_that_do_not_fit(settings: dict, inputs: Shape, message: str) -> None:
    with pytest.raises(LayerError, match=message):
        registry["conv"](out=6, kernel=1, **settings).shape(inputs)
