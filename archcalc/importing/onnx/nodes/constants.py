"""Constants, and the sizes of tensors as numbers."""

from __future__ import annotations

from math import prod
from typing import Any

from archcalc.importing.errors import MissingError
from archcalc.importing.onnx.model import FLOATS, Node, Stored
from archcalc.importing.onnx.translation import Translation, node
from archcalc.importing.onnx.values import MOST, Values, nonzero, scattered, summed
from archcalc.importing.traced.calls import Tensor


@node("Constant")
def constant(net: Translation, node: Node) -> Tensor:
    """A tensor, a number or a list."""
    for key, value in node.attributes.items():
        if isinstance(value, Stored):
            return net.of_stored(value, node.outputs[0] if node.outputs else "")
        if key in ("value_int", "value_float"):
            return net.constant((), [value], "int64" if key == "value_int" else "float32")
        if key in ("value_ints", "value_floats"):
            return net.constant((len(value),), list(value), "int64" if key == "value_ints" else "float32")
    raise MissingError("a constant without a value that is read")


@node("ConstantOfShape")
def filled(net: Translation, node: Node) -> Tensor:
    """A tensor of equal numbers. Some files stand for their weights so."""
    sizes = net.numbers(0) or []
    value = node.attributes.get("value")
    given = value.values() if isinstance(value, Stored) else [0.0]
    type = value.type if isinstance(value, Stored) else "float32"
    if any(size < 0 for size in sizes) or not given:
        raise MissingError("a constant of sizes that are not known")
    many = prod(sizes) > 1 and type in FLOATS and _is_weight(net, node)
    flat = [given[0]] * prod(sizes) if prod(sizes) <= MOST else None
    made = net.constant(sizes, flat, type, "parameter" if many else "constant", node.outputs[0])
    if many and flat is not None:
        net.filled.add(id(made))
    return made


def _is_weight(net: Translation, node: Node) -> bool:
    return len(node.inputs) == 1 and node.inputs[0] in net.model.stored


@node("Shape")
def shape(net: Translation, node: Node) -> Tensor:
    """The sizes of a tensor."""
    sizes = list(net.input(0).shape)[net.get("start", 0) : net.get("end", None)]
    return net.constant((len(sizes),), sizes, "int64")


@node("Size")
def size(net: Translation, node: Node) -> Tensor:
    """The number of values of a tensor."""
    return net.constant((), [prod(net.input(0).shape)], "int64")


@node("Range")
def numbers(net: Translation, node: Node) -> Tensor:
    """Numbers at equal distances."""
    (start, *_), (stop, *_), (step, *_) = (net.numbers(at) or [0] for at in range(3))
    count = max(0, int(-(-(stop - start) // step))) if step else 0
    flat = [start + n * step for n in range(count)] if count <= MOST else None
    return net.constant((count,), flat, net.input(0).type)


def _several(net: Translation, function: Any, *inputs: int) -> Tensor:
    given = [net.values(net.input(at)) for at in inputs]
    made: Values | None = None if any(one is None for one in given) else function(*given)
    if made is None:
        raise MissingError("an operation on the image that has no counterpart")
    return net.constant(made.sizes, made.flat, net.input(inputs[0]).type)


@node("ScatterND")
def scatter(net: Translation, node: Node) -> Tensor:
    """Some numbers of a constant replaced."""
    return _several(net, scattered, 0, 1, 2)


@node("CumSum")
def sums(net: Translation, node: Node) -> Tensor:
    """Running sums of a constant."""
    if net.get("exclusive", 0) or net.get("reverse", 0):
        raise MissingError("running sums that are exclusive or reversed")
    axis = (net.numbers(1) or [0])[0]
    return _several(net, lambda values: summed(values, axis % len(values.sizes)), 0)


@node("NonZero")
def places(net: Translation, node: Node) -> Tensor:
    """The places of the numbers of a constant that are not zero."""
    return _several(net, nonzero, 0)
