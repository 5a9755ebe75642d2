"""What nodes become: one small graph for each case, worked by hand from the definitions of the operators of ONNX."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.importing.onnx.files import FLOAT, INT64, helper, layers, model, network, node

W = {"w": (4, 8, 3, 3), "b": (4,)}
CONV = "conv (kernel 3, out 4, bias False) 4x4x4"


def _chain(*types: str) -> list[Any]:
    return [node(kind, "x" if not at else f"t{at}", f"t{at + 1}") for at, kind in enumerate(types)]


CASES: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "a padding on every side": (
        lambda: model([node("Conv", "x w b", "y", pads=[1, 2, 1, 2])], W),
        ["conv (kernel 3, pad (1, 2), out 4) 4x6x8"],
    ),
    "a padding that differs on the sides": (
        lambda: model([node("Conv", "x w", "y", pads=[0, 1, 2, 3])], W),
        ["conv (kernel 3, pad ((0, 2), (1, 3)), out 4, bias False) 4x6x8"],
    ),
    "the padding of TensorFlow": (
        lambda: model([node("Conv", "x w", "y", auto_pad="SAME_UPPER", strides=[2, 2])], W),
        ["conv (kernel 3, stride 2, pad same, out 4, bias False) 4x3x3"],
    ),
    "the padding of TensorFlow with more in front": (
        lambda: model([node("Conv", "x w", "y", auto_pad="SAME_LOWER", strides=[2, 2])], W),
        ["conv (kernel 3, stride 2, pad ((1, 0), (1, 0)), out 4, bias False) 4x3x3"],
    ),
    "groups and dilation": (
        lambda: model([node("Conv", "x w", "y", group=8, dilations=[2, 2])], {"w": (8, 1, 3, 3)}),
        ["conv (kernel 3, dilation 2, out 8, groups 8, bias False) 8x2x2"],
    ),
    "a weight of one number": (
        lambda: model([node("Conv", "x w b", "y")], {"w": (1, 1, 1, 1), "b": (1,)}, {"x": [1, 1, 4, 4]}),
        ["conv (kernel 1, out 1) 1x4x4"],
    ),
    "a transposed convolution": (
        lambda: model(
            [node("ConvTranspose", "x w b", "y", strides=[2, 2], pads=[1, 1, 0, 0])], {"w": (8, 4, 3, 3), "b": (4,)}
        ),
        ["conv_transpose (out 4, kernel 3, stride 2, pad 1, output_pad 1) 4x12x12"],
    ),
    "a bias that is added": (
        lambda: model([node("Conv", "x w", "c"), node("Add", "c b", "y")], W | {"b": (1, 4, 1, 1)}),
        ["conv (kernel 3, out 4) 4x4x4"],
    ),
    "a pooling that rounds up": (
        lambda: model([node("MaxPool", "x", "y", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)]),
        ["max_pool (kernel 3, stride 2, ceil_mode True) 8x3x3"],
    ),
    "an average without its padding": (
        lambda: model([node("AveragePool", "x", "y", kernel_shape=[3, 3], pads=[1, 1, 1, 1])]),
        ["avg_pool (kernel 3, stride 1, pad 1, count_include_pad False) 8x6x6"],
    ),
    "an average with TensorFlow's padding": (
        lambda: model([node("AveragePool", "x", "y", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")]),
        ["avg_pool (kernel 3, stride 2, pad same, count_include_pad False) 8x3x3"],
    ),
    "poolings of the whole map": (
        lambda: model([*_chain("GlobalMaxPool", "Relu", "GlobalAveragePool")], outputs=["t3"]),
        ["global_max_pool 8x1x1", "relu 8x1x1", "global_avg_pool 8x1x1"],
    ),
    "response normalisation, whose alpha is divided by the size": (
        lambda: model([node("LRN", "x", "y", size=4, alpha=0.5, bias=1.0)]),
        ["lrn (size 4, alpha 0.125, k 1.0) 8x6x6"],
    ),
    "batch normalisation": (
        lambda: model(
            [node("BatchNormalization", "x s h m v", "y", epsilon=1e-3)], {"s": (8,), "h": (8,), "m": (8,), "v": (8,)}
        ),
        ["batch_norm (eps 0.001) 8x6x6"],
    ),
    "a linear layer of two nodes": (
        lambda: model(
            [node("Flatten", "x", "f"), node("MatMul", "f w", "m"), node("Add", "m b", "y")],
            {"w": (288, 5), "b": (5,)},
        ),
        ["flatten 288", "linear (out 5) 5"],
    ),
    "Gemm with the weights as they are multiplied": (
        lambda: model([node("Flatten", "x", "f"), node("Gemm", "f w b", "y")], {"w": (288, 5), "b": (5,)}),
        ["flatten 288", "linear (out 5) 5"],
    ),
    "limits as inputs": (
        lambda: model([node("Clip", "x lo hi", "y")], {"lo": 0.0, "hi": 6.0}),
        ["relu6 8x6x6"],
    ),
    "limits as attributes": (
        lambda: model([node("Clip", "x", "y", min=-2.0, max=3.0)], opset=9),
        ["hard_tanh (min -2.0, max 3.0) 8x6x6"],
    ),
    "MobileNetV3's hard sigmoid": (lambda: model([node("HardSigmoid", "x", "y", alpha=1 / 6)]), ["hard_sigmoid 8x6x6"]),
    "another hard sigmoid": (
        lambda: model([node("HardSigmoid", "x", "y")]),
        ["scale (factor 0.2) 8x6x6", "scale (factor 1.0, shift 0.5) 8x6x6", "hard_tanh (min 0.0) 8x6x6"],
    ),
    "a map twice as large": (
        lambda: model([node("Resize", "x _ s", "y", mode="nearest")], {"s": [1.0, 1.0, 2.0, 2.0]}),
        ["upsample (scale 2) 8x12x12"],
    ),
    "a map of another size": (
        lambda: model(
            [node("Resize", "x _ _ s", "y", mode="linear", coordinate_transformation_mode="align_corners")],
            {"s": [1, 8, 9, 10]},
        ),
        ["upsample (size (9, 10), mode bilinear, align_corners True) 8x9x10"],
    ),
    "a filter": (
        lambda: model([node("Resize", "x _ s", "y", mode="cubic", antialias=1)], {"s": [1.0, 1.0, 2.0, 2.0]}, opset=18),
        ["upsample (scale 2, mode bicubic, antialias True) 8x12x12"],
    ),
    "positions on a map": (
        lambda: model(
            [
                node("Conv", "x w", "c"),
                node("Transpose", "c", "g", perm=[0, 2, 3, 1]),
                node("GridSample", "x g", "y", mode="cubic", padding_mode="border", align_corners=1),
            ],
            {"w": (2, 8, 3, 3)},
            opset=20,
        ),
        [
            "conv (kernel 3, out 2, bias False) 2x4x4",
            "grid_sample (mode bicubic, pad_mode border, align_corners True) 8x4x4",
        ],
    ),
    "positions that are stored for one image": (
        lambda: model([node("GridSample", "x g", "y", mode="nearest")], {"g": (1, 3, 2, 2)}, opset=20),
        ["parameter (size (3, 2, 2)) 3x2x2", "rearrange (pattern c h w -> w c h) 2x3x2", "grid_sample (mode nearest) 8x3x2"],
    ),
    "an older upsampling": (
        lambda: model([node("Upsample", "x s", "y", mode="linear")], {"s": [1.0, 1.0, 3.0, 3.0]}, opset=9),
        ["upsample (scale 3, mode bilinear) 8x18x18"],
    ),
    "padding and cutting": (
        lambda: model(
            [node("Pad", "x p", "t"), node("Slice", "t s e a", "y")],
            {"p": [0, 0, 1, 0, 0, 0, 2, 0], "s": [1], "e": [-1], "a": [3]},
        ),
        ["pad (by ((1, 2), (0, 0))) 8x9x6", "slice (start 1, stop 5, axis width) 8x9x4"],
    ),
    "parts of the channels, in another order": (
        lambda: model([node("Split", "x s", "a b", axis=1), node("Concat", "b a", "y", axis=1)], {"s": [2, 6]}),
        ["slice (stop 2) 2x6x6", "slice (start 2) 6x6x6", "concat 8x6x6"],
    ),
    "one position": (
        lambda: model([node("Gather", "x i", "g", axis=3), node("Relu", "g", "y")], {"i": 2}),
        ["slice (start 2, stop 3, axis width) 8x6x1", "relu 8x6x1", "to_tokens 8x6"],
    ),
    "rows of a table": (
        lambda: model([node("Constant", "", "i", value=helper.make_tensor("i", INT64, [8, 2], [*range(4)] * 4)),
                       node("GatherND", "t i", "g"), node("Add", "x g", "y")],
                      {"t": (3, 4, 6, 6)}),
        ["parameter (size (12, 6, 6)) 12x6x6", "index_select (count 8, axis channels) 8x6x6", "add 8x6x6"],
    ),
    "channels that change places": (
        lambda: model(
            [node("Reshape", "x a", "t"), node("Transpose", "t", "u", perm=[0, 2, 1, 3, 4]), node("Reshape", "u b", "s"),
             node("Conv", "s w", "y")],
            {"a": [1, 2, 4, 6, 6], "b": [1, 8, 6, 6], "w": (4, 8, 3, 3)},
        ),
        ["channel_shuffle (groups 2) 8x6x6", CONV],
    ),
    "sizes that the graph computes": (
        lambda: model(
            [
                node("Shape", "x", "s"), node("Gather", "s zero", "n"), node("Gather", "s one", "c"),
                node("Div", "c two", "h"), node("Concat", "n two h six six", "t", axis=0), node("Reshape", "x t", "u"),
                node("Transpose", "u", "v", perm=[0, 2, 1, 3, 4]), node("Reshape", "v s", "r"),
                node("Conv", "r w", "y"),
            ],
            {"zero": [0], "one": [1], "two": [2], "six": [6], "w": (4, 8, 3, 3)},
        ),
        ["channel_shuffle (groups 2) 8x6x6", CONV],
    ),
    "blocks of positions, the block before the channels": (
        lambda: model([node("DepthToSpace", "x", "d", blocksize=2), node("Conv", "d w", "y")], {"w": (4, 2, 3, 3)}),
        ["rearrange (pattern (c c1 c2) h w -> c2 (h c) (w c1), c1=2, c2=2) 2x12x12", "conv (kernel 3, out 4, bias False) 4x10x10"],
    ),
    "blocks of positions, the channels first": (
        lambda: model([node("DepthToSpace", "x", "y", blocksize=2, mode="CRD")]),
        ["pixel_shuffle (factor 2) 2x12x12"],
    ),
    "means": (
        lambda: model([node("ReduceMean", "x", "t", axes=[2, 3]), node("ReduceMean", "x", "u", axes=[1]),
                       node("Mul", "x u", "v"), node("Mul", "v t", "y")]),
        ["global_avg_pool 8x1x1", "reduce (by mean, axis channels) 1x6x6", "multiply 8x6x6", "multiply 8x6x6"],
    ),
    "sums of three": (lambda: model([node("Sum", "x x x", "y")]), ["add 8x6x6", "add 8x6x6"]),
    "soft-max before operator set 13": (
        lambda: model([node("Flatten", "x", "f"), node("Softmax", "f", "y")], opset=11),
        ["flatten 288", "softmax 288"],
    ),
    "equal numbers in a row": (
        lambda: model([node("Constant", "", "n", value_floats=[2.0] * 6), node("Mul", "x n", "y")]),
        ["scale (factor 2.0) 8x6x6"],
    ),
    "numbers and other types": (
        lambda: model([node("Mul", "x two", "t"), node("Sub", "one t", "u"), node("Cast", "u", "y", to=FLOAT)],
                      {"two": 2.0, "one": 1.0}),
        ["scale (factor 2.0) 8x6x6", "scale (factor -1.0, shift 1.0) 8x6x6"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_graph(case: str, tmp_path: Path) -> None:
    made, expected = CASES[case]
    assert layers(network(tmp_path, made())) == expected
