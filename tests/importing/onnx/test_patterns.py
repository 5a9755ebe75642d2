"""Layers that are written as several nodes: the forms that exporters and converters write."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from math import pi, sqrt
from pathlib import Path
from typing import Any

import pytest

from archcalc.errors import ArchcalcError
from tests.importing.onnx.files import FLOAT, helper, layers, model, network, node

NUMBERS: dict[str, Any] = {
    "zero": 0.0, "half": 0.5, "one": 1.0, "two": 2.0, "three": 3.0, "six": 6.0, "sixth": 1 / 6, "root2": sqrt(2),
    "cube": 0.044715, "root": sqrt(2 / pi), "eps": 1e-5,
}  # fmt: skip
W8 = {"w": (8,), "b": (8,)}
HARD = [node("Add", "x three", "a"), node("Clip", "a zero six", "c")]
TANH = [
    node("Pow", "x three", "p"), node("Mul", "p cube", "q"), node("Add", "x q", "r"), node("Mul", "r root", "s"),
    node("Tanh", "s", "t"), node("Add", "t one", "u"),
]  # fmt: skip
CENTRED = [node("ReduceMean", "x", "mu", axes=[-1]), node("Sub", "x mu", "d")]
DEVIATION = [
    node("Pow", "d two", "q"), node("ReduceMean", "q", "v", axes=[-1]), node("Add", "v eps", "e"), node("Sqrt", "e", "s"),
]  # fmt: skip
MAP = "8x6x6"

CASES: dict[str, tuple[list[Any], dict[str, Any], list[str]]] = {
    "hard swish, divided last": ([*HARD, node("Mul", "x c", "m"), node("Div", "m six", "y")], {}, [f"hard_swish {MAP}"]),
    "hard swish, divided first": ([*HARD, node("Div", "c six", "h"), node("Mul", "h x", "y")], {}, [f"hard_swish {MAP}"]),
    "hard swish with a factor": ([*HARD, node("Mul", "c sixth", "h"), node("Mul", "x h", "y")], {}, [f"hard_swish {MAP}"]),
    "hard swish of two nodes": (
        [node("HardSigmoid", "x", "h", alpha=1 / 6), node("Mul", "x h", "y")], {}, [f"hard_swish {MAP}"],
    ),
    "a hard sigmoid": ([*HARD, node("Div", "c six", "y")], {}, [f"hard_sigmoid {MAP}"]),
    "SiLU": ([node("Sigmoid", "x", "s"), node("Mul", "x s", "y")], {}, [f"silu {MAP}"]),
    "Mish": ([node("Softplus", "x", "s"), node("Tanh", "s", "t"), node("Mul", "x t", "y")], {}, [f"mish {MAP}"]),
    "a gate that is no SiLU": (
        [node("Relu", "x", "r"), node("Sigmoid", "r", "s"), node("Mul", "x s", "y")],
        {}, [f"relu {MAP}", f"sigmoid {MAP}", f"multiply {MAP}"],
    ),
    "GELU": (
        [node("Div", "x root2", "d"), node("Erf", "d", "e"), node("Add", "e one", "a"), node("Mul", "x a", "m"),
         node("Mul", "m half", "y")],
        {}, [f"gelu {MAP}"],
    ),
    "GELU, halved first": (
        [node("Mul", "x half", "h"), node("Div", "x root2", "d"), node("Erf", "d", "e"), node("Add", "e one", "a"),
         node("Mul", "h a", "y")],
        {}, [f"gelu {MAP}"],
    ),
    "GELU by tanh": (
        [*TANH, node("Mul", "x half", "h"), node("Mul", "h u", "y")], {}, [f"gelu (approximate tanh) {MAP}"],
    ),
    "layer normalisation": (
        [node("Transpose", "z", "x", perm=[0, 2, 3, 1]), *CENTRED, *DEVIATION, node("Div", "d s", "n"),
         node("Mul", "n w", "m"), node("Add", "m b", "y")],
        W8, [f"layer_norm (axis channels) {MAP}"],
    ),
    "layer normalisation whose difference is computed twice": (
        [node("Transpose", "z", "x", perm=[0, 2, 3, 1]), *CENTRED, node("Sub", "x mu", "d2"), *DEVIATION,
         node("Div", "d2 s", "y")],
        {}, [f"layer_norm (axis channels, affine False) {MAP}"],
    ),
    "normalisation by the mean square": (
        [node("Transpose", "z", "d", perm=[0, 2, 3, 1]), *DEVIATION, node("Reciprocal", "s", "r"), node("Mul", "d r", "n"),
         node("Mul", "n w", "y")],
        {"w": (8,)}, [f"rms_norm (axis channels, eps 1e-05) {MAP}"],
    ),
    "group normalisation": (
        [node("Reshape", "x g", "r"), node("InstanceNormalization", "r ones zeros", "i"), node("Shape", "x", "n"),
         node("Reshape", "i n", "j"), node("Mul", "j w", "m"), node("Add", "m b", "y")],
        {"g": [0, 4, -1], "ones": (4,), "zeros": (4,), "w": (8, 1, 1), "b": (8, 1, 1)},
        [f"group_norm (groups 4) {MAP}"],
    ),
    "a length": (
        [node("ReduceL2", "x", "l", axes=[1]), node("Clip", "l eps", "c"), node("Expand", "c n", "e"), node("Div", "x e", "y")],
        {"n": [1, 8, 6, 6]}, [f"l2_norm {MAP}"],
    ),
    "a roll along both axes": (
        [node("Slice", "x from2 end h", "a"), node("Slice", "x from0 from2 h", "b"), node("Concat", "a b", "c", axis=2),
         node("Slice", "c from5 end w", "d"), node("Slice", "c from0 from5 w", "e"), node("Concat", "d e", "y", axis=3)],
        {"from0": [0], "from2": [2], "from5": [5], "end": [2**63 - 1], "h": [2], "w": [3]},
        [f"roll (by (-2, -5)) {MAP}"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_pattern(case: str, tmp_path: Path) -> None:
    nodes, weights, expected = CASES[case]
    first = "z" if any("z" in one.input for one in nodes) else "x"
    made = model(nodes, NUMBERS | weights, {first: ["N", 8, 6, 6]})
    assert layers(network(tmp_path, made)) == expected


def attention(scaled: str, fixed: bool, side: int = 3, more: Any = None) -> Any:
    """Two heads of depth 4 on the positions of a map. ``scaled``: queries, both or scores. ``more``: a node on the scores."""
    count = side**2
    shape = [1 if fixed else 0, count, 3, 2, 4]
    scores = {"q": "q1 k1", "both": "q1 k2", "scores": "q k"}[scaled]
    return model(
        [
            node("Reshape", "x flat", "x1"), node("Transpose", "x1", "x2", perm=[0, 2, 1]), node("MatMul", "x2 w", "m"), node("Add", "b m", "n"), node("Reshape", "n shape", "r"),
            node("Transpose", "r", "t", perm=[2, 0, 3, 1, 4]), node("Gather", "t i0", "q"), node("Gather", "t i1", "k0"),
            node("Gather", "t i2", "v"), node("Transpose", "k0", "k", perm=[0, 1, 3, 2]), node("Mul", "q s", "q1"),
            node("Identity", "k", "k1"), node("Mul", "k s", "k2"), node("MatMul", scores, "z"),
            more or node("Mul" if scaled == "scores" else "Identity", "z s" if scaled == "scores" else "z", "u"),
            node("Softmax", "u", "p"), node("MatMul", "p v", "o"), node("Transpose", "o", "f", perm=[0, 2, 1, 3]),
            node("Reshape", "f back", "g"), node("MatMul", "g w2", "y"),
        ],
        {
            "w": (8, 24), "b": (24,), "w2": (8, 8), "shape": shape, "back": [1 if fixed else 0, count, 8], "flat": [0, 8, -1],
            "i0": 0, "i1": 1, "i2": 2, "s": 0.5 if scaled != "both" else sqrt(0.5),
        },
        {"x": [1 if fixed else "N", 8, side, side]},
    )  # fmt: skip


@pytest.mark.parametrize("scaled", ["q", "both", "scores"])
@pytest.mark.parametrize("fixed", [True, False])
def test_attention_in_products(scaled: str, fixed: bool, tmp_path: Path) -> None:
    net = network(tmp_path, attention(scaled, fixed))
    found = [line for line in layers(net) if not line.startswith(("slice", "rearrange"))]
    assert found == [
        "to_tokens 8x9",
        "linear (out 24, axis channels) 24x9",
        "attention (heads 2) 8x9",
        "linear (out 8, bias False, axis channels) 8x9",
    ]
    macs = 9 * 8 * 24 + 2 * 9 * 9 * 8 + 9 * 8 * 8  # by hand: projections, products of queries and keys and of values
    assert net.analyze().totals.macs == macs


def relative(distance: Callable[[int], int] = int) -> list[float]:
    """Numbers for every pair of positions in a window of 2x2, for two heads, from a table of 3x3 distances, or of 2x2."""
    pairs = [(distance(q // 2 - k // 2), distance(q % 2 - k % 2)) for q in range(4) for k in range(4)]
    return [float(100 * head + 10 * rows + columns) for head in range(2) for rows, columns in pairs]


def test_a_bias_by_distance_counts_as_its_table(tmp_path: Path) -> None:
    made = attention("q", fixed=False, side=2, more=node("Add", "z table", "u"))
    made.graph.initializer.append(helper.make_tensor("table", FLOAT, [1, 2, 4, 4], relative()))
    net = network(tmp_path, made)
    assert "attention (heads 2, bias relative, block (2, 2)) 8x4" in layers(net)
    assert net.analyze().totals.params == (8 * 24 + 24) + 8 * 8 + 2 * 3 * 3


def test_a_bias_that_is_the_same_in_both_directions_counts_as_its_table(tmp_path: Path) -> None:
    """A table of 2x2 distances for each of 2 heads."""
    made = attention("q", fixed=False, side=2, more=node("Add", "z table", "u"))
    made.graph.initializer.append(helper.make_tensor("table", FLOAT, [1, 2, 4, 4], relative(abs)))
    net = network(tmp_path, made)
    assert net.analyze().totals.params == (8 * 24 + 24) + 8 * 8 + 2 * 2 * 2
    assert "parameter (size (2, 4)) 2x4" in layers(net)


def test_a_bias_of_one_number_has_an_unknown_table(tmp_path: Path) -> None:
    """As a network without training has it: the file cannot say which table it was made of, so the report does."""
    made = attention("q", fixed=False, side=2, more=node("Add", "z table", "u"))
    made.graph.initializer.append(helper.make_tensor("table", FLOAT, [2, 4, 4], [0.0] * 32))
    net = network(tmp_path, made)
    assert net.analyze().totals.params == (8 * 24 + 24) + 8 * 8 + 32
    assert net.notes == [
        "import: parameters complete, multiply-adds complete, nothing dropped; 1 attention with one number as the bias of "
        "all pairs, whose table is not in the file: counted with all pairs"
    ]


def standardised(gain: list[float], folded: bool) -> Any:
    """A convolution, as the exporters write timm's ScaledStdConv2d: the weights have mean 0 and variance 1.

    ``folded``: the means are computed of a transposed copy, as the older exporter stores one.
    """
    copy, axes = ("copy", [1]) if folded else ("v", [0, 2])
    nodes = [
        *([] if folded else [node("Reshape", "w rows", "v")]),
        node("ReduceMean", f"{copy} axes", "mean", keepdims=0), node("ReduceMean", f"{copy} axes", "m", keepdims=1),
        node("Sub", f"{copy} m", "d"), node("Mul", "d d", "s"), node("ReduceMean", "s axes", "t", keepdims=0),
        *([node("Reshape", "t out", "var"), node("Reshape", "mean out", "mu")] if folded else [node("Identity", "t", "var"), node("Identity", "mean", "mu")]),
        node("BatchNormalization", f"{'w1' if folded else 'v'} gain shift mu var", "n", epsilon=1e-6),
        node("Reshape", "n back", "k"), node("Conv", "x k b", "y"),
    ]  # fmt: skip
    weights = {
        "rows": [1, 4, -1],
        "axes": axes,
        "back": [4, 8, 3, 3],
        "gain": gain,
        "shift": [0.0] * 4,
        "b": (4,),
        "out": [4],
    }
    stored = {"w1": (1, 4, 72), "copy": (1, 72, 4)} if folded else {"w": (4, 8, 3, 3)}
    return model(nodes, weights | stored, opset=18)


@pytest.mark.parametrize("folded", [False, True])
def test_standardised_weights(folded: bool, tmp_path: Path) -> None:
    """288 weights, 4 trained numbers that multiply them, and 4 biases; numbers that are all 1 are not trained."""
    net = network(tmp_path, standardised([0.5, 0.25, 0.5, 1.5], folded))
    assert net.analyze().totals.params == 288 + 4 + 4
    (conv,) = (node.layer for node in net.after_inputs)
    assert (conv.weight_norm, conv.eps, conv.gamma * 72**-0.5) == ("scaled", 1e-6, 1)
    assert net.notes == ["import: parameters complete, multiply-adds complete, nothing dropped"]
    assert network(tmp_path, standardised([1.0] * 4, folded)).analyze().totals.params == 288 + 4


def test_weights_that_are_standardised_and_shifted_are_refused(tmp_path: Path) -> None:
    made = standardised([0.5] * 4, folded=False)
    shift = next(one for one in made.graph.initializer if one.name == "shift")
    shift.float_data[:] = [1.0] * 4
    with pytest.raises(ArchcalcError, match="weights that are standardised and shifted"):
        network(tmp_path, made)


def test_another_bias_is_no_table(tmp_path: Path) -> None:
    """It is refused, or counts with all its numbers."""
    made = attention("q", fixed=False, side=2, more=node("Add", "z table", "u"))
    made.graph.initializer.append(helper.make_tensor("table", FLOAT, [1, 2, 4, 4], [float(n) for n in range(32)]))
    params = None
    with suppress(ArchcalcError):
        params = network(tmp_path, made).analyze().totals.params
    assert params in (None, (8 * 24 + 24) + 8 * 8 + 32)


def test_a_mask_is_no_parameter(tmp_path: Path) -> None:
    made = attention("q", fixed=False, side=2, more=node("Add", "z table", "u"))
    hidden = [0.0 if query >= key else -100.0 for _ in range(2) for query in range(4) for key in range(4)]
    made.graph.initializer.append(helper.make_tensor("table", FLOAT, [1, 2, 4, 4], hidden))
    assert network(tmp_path, made).analyze().totals.params == (8 * 24 + 24) + 8 * 8


def test_what_sines_are_computed_of_is_no_parameter(tmp_path: Path) -> None:
    nodes = [node("Mul", "a two", "b"), node("Sin", "b", "s"), node("Conv", "s w", "t"), node("Add", "x t", "y")]
    made = model(nodes, {"a": (1, 2, 6, 6), "two": [2.0, 3.0, 4.0, 5.0, 6.0, 7.0], "w": (8, 2, 1, 1)})
    net = network(tmp_path, made)
    assert net.analyze().totals.params == 8 * 2
    assert net.notes[0].endswith("; 78 numbers whose sines are computed counted as constants, trained or not")
