"""Products of matrices: linear layers, and the products of two maps."""

from __future__ import annotations

from archcalc.importing.errors import MissingError
from archcalc.importing.onnx.model import Node
from archcalc.importing.onnx.sizes import together
from archcalc.importing.onnx.translation import Translation, node
from archcalc.importing.traced.calls import Tensor


@node("MatMul")
def matmul(net: Translation, node: Node) -> Tensor:
    """With a matrix that does not depend on the image: a linear layer."""
    left, right = net.input(0), net.input(1)
    if net.is_fixed(right) and len(right.shape) == 2:
        right = net.weight(1) or right
    if net.is_fixed(right) and not net.is_fixed(left) and len(right.shape) == 2:
        return linear(net, left, net.twin(right, right.shape[::-1], "transposed"), None)
    if min(len(left.shape), len(right.shape)) < 2 or left.shape[-1] != right.shape[-2]:
        raise MissingError(f"the product of matrices of {_text(left)} and {_text(right)}")
    sizes = (*together(left.shape[:-2], right.shape[:-2]), left.shape[-2], right.shape[-1])
    return net.call("matmul", {"self": left, "other": right}, sizes)


def linear(net: Translation, tensor: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    if tensor.shape[-1] != weight.shape[1]:
        raise MissingError(f"weights of the sizes {_text(weight)} for {tensor.shape[-1]} features")
    sizes = (*tensor.shape[:-1], weight.shape[0])
    return net.call("linear", {"input": tensor, "weight": weight, "bias": bias}, sizes)


@node("Gemm")
def gemm(net: Translation, node: Node) -> Tensor:
    tensor, weight, bias = net.input(0), net.weight(1) or net.input(1), net.weight(2)
    if len(tensor.shape) != 2 or len(weight.shape) != 2:
        raise MissingError(f"a product of {_text(tensor)} and {_text(weight)}, which are no matrices")
    if net.get("transA", 0):
        tensor = net.call("permute", {"self": tensor, "dims": [1, 0]}, tensor.shape[::-1])
    if not net.get("transB", 0):
        weight = net.twin(weight, weight.shape[::-1], "transposed")
    if not net.is_fixed(weight):
        raise MissingError("the product of two maps")
    if net.get("alpha", 1.0) != 1.0 or (bias is not None and net.get("beta", 1.0) != 1.0):
        raise MissingError("a linear layer with a factor")
    if bias is None or bias.shape == (weight.shape[0],):
        return linear(net, tensor, weight, bias)
    if net.is_fixed(bias) and bias.shape == (1, weight.shape[0]):
        return linear(net, tensor, weight, net.twin(bias, (weight.shape[0],)))
    made = linear(net, tensor, weight, None)
    return net.call("add", {"self": made, "other": bias}, made.shape)


@node("Einsum")
def einsum(net: Translation, node: Node) -> Tensor:
    equation = net.get("equation", "").replace(" ", "")
    terms, arrow, out = equation.partition("->")
    tensors = [net.input(at) for at in range(len(node.inputs))]
    letters = terms.split(",")
    if not arrow or "." in equation or [len(one) for one in letters] != [len(one.shape) for one in tensors]:
        raise MissingError(f"the sum {equation}")
    sizes: dict[str, int] = {}
    for term, tensor in zip(letters, tensors, strict=True):
        for letter, size in zip(term, tensor.shape, strict=True):
            sizes[letter] = max(size, sizes.get(letter, 1))
    return net.call("einsum", {"equation": equation, "tensors": tensors}, [sizes[one] for one in out])


def _text(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a number"
