"""Activations, arithmetic, and what computes value by value."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

from archcalc.importing.errors import MissingError
from archcalc.importing.onnx.model import FLOATS, TYPES, Node
from archcalc.importing.onnx.sizes import together
from archcalc.importing.onnx.translation import Translation, node
from archcalc.importing.onnx.values import BY_ONE, computed
from archcalc.importing.traced.calls import Tensor

PLAIN = {
    "Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "HardSwish": "hardswish", "Softplus": "softplus",
    "Mish": "mish", "Softsign": "softsign", "Erf": "erf", "Sin": "sin", "Cos": "cos",
    "IsNaN": "isnan", "Sqrt": "sqrt", "Exp": "exp", "Log": "log", "Neg": "neg", "Abs": "abs", "Floor": "floor",
    "Ceil": "ceil", "Round": "round", "Not": "logical_not", "Reciprocal": "reciprocal", "Sign": "sign",
}  # fmt: skip
BINARY = {"Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Max": "maximum", "Min": "minimum", "Pow": "pow",
          "Sum": "add", "Mod": "remainder", "Equal": "eq", "Greater": "gt", "GreaterOrEqual": "ge", "Less": "lt",
          "LessOrEqual": "le", "And": "logical_and", "Or": "logical_or", "Xor": "logical_xor"}  # fmt: skip


@node(*PLAIN)
def plain(net: Translation, node: Node) -> Tensor:
    """A function without settings."""
    tensor = net.input(0)
    values = net.foldable(tensor) if net.is_fixed(tensor) and node.type in BY_ONE else None
    made = computed(node.type, [values]) if values else None
    if made:
        return net.constant(made.sizes, made.flat, tensor.type)
    return net.call(PLAIN[node.type], {"self": tensor}, tensor.shape)


def _like(net: Translation, operator: str, **settings: Any) -> Tensor:
    tensor = net.input(0)
    return net.call(operator, {"self": tensor, **settings}, tensor.shape)


@node("Elu")
def elu(net: Translation, node: Node) -> Tensor:
    return _like(net, "elu", alpha=net.get("alpha", 1.0), scale=1, input_scale=1)


@node("Selu")
def selu(net: Translation, node: Node) -> Tensor:
    if not (abs(net.get("alpha", 1.67326) - 1.67326) < 1e-4 and abs(net.get("gamma", 1.0507) - 1.0507) < 1e-4):
        raise MissingError("SELU with numbers of its own")
    return _like(net, "selu")


@node("LeakyRelu")
def leaky(net: Translation, node: Node) -> Tensor:
    return _like(net, "leaky_relu", negative_slope=_short(net.get("alpha", 0.01)))


@node("PRelu")
def prelu(net: Translation, node: Node) -> Tensor:
    tensor, slope = net.input(0), net.weight(1) or net.input(1)
    count = _count(slope.shape)
    if count not in (1, tensor.shape[1]):
        raise MissingError("slopes that are not one for each channel")
    return net.call("prelu", {"self": tensor, "weight": net.twin(slope, (count,))}, tensor.shape)


@node("Gelu")
def gelu(net: Translation, node: Node) -> Tensor:
    return _like(net, "gelu", approximate=net.get("approximate", "none"))


@node("Swish")
def swish(net: Translation, node: Node) -> Tensor:
    if net.get("alpha", 1.0) != 1.0:
        raise MissingError("swish with a factor")
    return _like(net, "silu")


@node("HardSigmoid")
def hard_sigmoid(net: Translation, node: Node) -> Tensor:
    """Only MobileNetV3's, with 1/6, has a layer of its own; others are a product, a sum and limits."""
    alpha, beta = net.get("alpha", 0.2), net.get("beta", 0.5)
    if abs(alpha - 1 / 6) < 1e-5 and beta == 0.5:
        return _like(net, "hardsigmoid")
    tensor = net.input(0)
    scaled = net.call("mul", {"self": tensor, "other": _short(alpha)}, tensor.shape)
    moved = net.call("add", {"self": scaled, "other": _short(beta)}, tensor.shape)
    return net.call("clamp", {"self": moved, "min": 0, "max": 1}, tensor.shape)


@node("Clip")
def clip(net: Translation, node: Node) -> Tensor:
    tensor = net.input(0)
    low, high = (net.numbers(at, name) for at, name in ((1, "min"), (2, "max")))
    limits = [None if not one or abs(one[0]) > 1e30 else _short(one[0]) for one in (low, high)]
    if limits == [None, None]:
        return tensor
    if net.is_fixed(tensor) and (values := net.foldable(tensor)) is not None:
        least, most = (given if given is not None else end for given, end in zip(limits, (-inf, inf), strict=True))
        return net.constant(values.sizes, [min(max(one, least), most) for one in values.flat], tensor.type)
    return net.call("clamp", {"self": tensor, "min": limits[0], "max": limits[1]}, tensor.shape)


@node("Softmax", "LogSoftmax")
def softmax(net: Translation, node: Node) -> Tensor:
    """Before operator set 13, over all axes from ``axis`` on."""
    tensor = net.input(0)
    count = len(tensor.shape)
    axis = net.get("axis", 1 if net.opset < 13 else -1) % max(count, 1)
    if net.opset < 13 and _count(tensor.shape[axis + 1 :]) > 1:
        raise MissingError("a soft-max over several axes together")
    return _like(net, "softmax" if node.type == "Softmax" else "log_softmax", dim=axis)


@node("Dropout")
def dropout(net: Translation, node: Node) -> list[Tensor]:
    """Off at inference, with its probability for the training."""
    given = net.get("ratio", None)
    if given is None:
        values = net.values(net.optional(1))
        given = values.flat[0] if values else 0.5
    return [_like(net, "dropout", p=_short(given))]


@node("Identity")
def same(net: Translation, node: Node) -> Tensor:
    """A file stores equal parameters once, and has a copy for each layer that trained its own."""
    tensor = net.input(0)
    return net.twin(tensor, tensor.shape, node.outputs[0]) if tensor.kind == "parameter" else tensor


@node("Cast", "CastLike")
def cast(net: Translation, node: Node) -> Tensor:
    """Another data type: the same map."""
    tensor = net.input(0)
    type = TYPES.get(net.get("to", 0), tensor.type) if node.type == "Cast" else net.input(1).type
    values = net.values(tensor) if net.is_fixed(tensor) and tensor.kind == "constant" else None
    if values is not None:
        flat = values.flat if type in FLOATS else [int(one) if abs(one) < 1e18 else 0 for one in values.flat]
        flat = (
            [float(one) for one in flat] if type in FLOATS else [int(bool(n)) for n in flat] if type == "bool" else flat
        )
        return net.constant(values.sizes, flat, type)
    return tensor


@node(*BINARY)
def binary(net: Translation, node: Node) -> Tensor:
    """A sum, a product and so on; of more than two tensors, one after the other."""
    tensors = [net.input(at) for at in range(len(node.inputs))]
    if all(map(net.is_fixed, tensors)):
        values = [net.foldable(one) for one in tensors]
        made = computed("Add" if node.type == "Sum" else node.type, values)
        if made:
            boolean = BINARY[node.type] in ("eq", "gt", "ge", "lt", "le") or tensors[0].type == "bool"
            return net.constant(made.sizes, made.flat, "bool" if boolean else tensors[0].type)
    result = tensors[0]
    for other in tensors[1:]:
        sizes = together(result.shape, other.shape)
        result = net.call(BINARY[node.type], {"self": _operand(net, result), "other": _operand(net, other)}, sizes)
    return result


def _operand(net: Translation, tensor: Tensor) -> Any:
    """A number where the values are one known number."""
    if net.is_fixed(tensor) and _count(tensor.shape) == 1:
        values = net.values(tensor)
        if values:
            return _short(values.flat[0])
    return net.relative(tensor)


@node("Where")
def choice(net: Translation, node: Node) -> Tensor:
    tensors = [net.input(at) for at in range(3)]
    values = [net.values(one) if one.kind == "constant" else None for one in tensors]
    made = computed("Where", values)
    if made:
        return net.constant(made.sizes, made.flat, tensors[1].type)
    if values[0] is not None and len(set(map(bool, values[0].flat))) == 1:
        return tensors[1] if values[0].flat[0] else tensors[2]
    settings = {"condition": tensors[0], "self": tensors[1], "other": tensors[2]}
    return net.call("where", settings, together(*(one.shape for one in tensors)))


@node("Mean")
def average(net: Translation, node: Node) -> Tensor:
    """The mean of several tensors, value by value."""
    result = net.input(0)
    for at in range(1, len(node.inputs)):
        other = net.input(at)
        result = net.call("add", {"self": result, "other": other}, together(result.shape, other.shape))
    return net.call("div", {"self": result, "other": len(node.inputs)}, result.shape)


def _count(sizes: Sequence[int]) -> int:
    count = 1
    for size in sizes:
        count *= size
    return count


def _short(number: float) -> float:
    """A float32 as a person writes it: 0.1 and not 0.10000000149."""
    if not isinstance(number, float):
        return number
    return float(f"{number:.7g}")
