"""Normalisation, and reductions along axes."""

from __future__ import annotations

from math import prod
from typing import Any

from archcalc.importing.errors import MissingError
from archcalc.importing.onnx.model import Node
from archcalc.importing.onnx.translation import Translation, node
from archcalc.importing.onnx.values import Values, reduced
from archcalc.importing.traced.calls import Tensor

REDUCTIONS = {"ReduceMean": "mean", "ReduceSum": "sum", "ReduceMax": "amax", "ReduceMin": "amin", "ReduceProd": "prod",
              "ReduceL2": "norm", "ReduceSumSquare": "sum_square"}  # fmt: skip
_BY: dict[str, Any] = {"ReduceSum": sum, "ReduceMax": max, "ReduceMin": min, "ReduceProd": prod,
                       "ReduceMean": lambda row: sum(row) / len(row)}  # fmt: skip


def _eps(net: Translation) -> float:
    return float(f"{net.get('epsilon', 1e-5):.7g}")


def _result(net: Translation, operator: str, settings: dict[str, Any], tensor: Tensor) -> Tensor:
    return net.call(operator, settings, tensor.shape)


@node("BatchNormalization")
def batch_norm(net: Translation, node: Node) -> list[Tensor]:
    tensor = net.input(0)
    each = tensor.shape[1:2]
    if net.is_fixed(tensor) and net.is_fixed(net.input(3)) and net.input(3).kind == "result":
        return [standardised(net, tensor)]
    settings = {
        "input": tensor, "weight": net.weight(1, each), "bias": net.weight(2, each),
        "running_mean": net.weight(3, each, "buffer"), "running_var": net.weight(4, each, "buffer"), "eps": _eps(net),
    }  # fmt: skip
    return [_result(net, "batch_norm", settings, tensor)]


def standardised(net: Translation, weights: Tensor) -> Tensor:
    """The weights of a convolution with mean 0 and variance 1 for each output channel, times a trained number.

    PyTorch computes them by ``batch_norm`` in training: the graph has the mean and the variance of the weights. A constant
    factor is part of the trained numbers in the file, and 1 stands for it. Numbers that are all 1 are no trained numbers.
    """
    gain, shift = net.input(1), net.values(net.input(2))
    if shift is None or shift.any():
        raise MissingError("weights that are standardised and shifted")
    ones = net.values(gain)
    scaled = ones is None or set(ones.flat) != {1.0}
    settings = {
        "input": weights,
        "weight": net.call("mul", {"self": gain, "other": 1.0}, gain.shape) if scaled else None,
        "bias": None,
        "running_mean": None,
        "running_var": None,
        "eps": _eps(net),
    }
    return _result(net, "batch_norm", settings, weights)


@node("InstanceNormalization")
def instance_norm(net: Translation, node: Node) -> Tensor:
    tensor = net.input(0)
    settings = {
        "input": tensor,
        "weight": net.weight(1) or net.input(1),
        "bias": net.weight(2) or net.input(2),
        "eps": _eps(net),
    }
    return _result(net, "instance_norm", settings, tensor)


@node("LayerNormalization", "RMSNormalization")
def layer_norm(net: Translation, node: Node) -> list[Tensor]:
    tensor, weight, bias = net.input(0), net.weight(1), net.weight(2)
    axis = net.get("axis", -1) % len(tensor.shape)
    settings = {"input": tensor, "normalized_shape": list(tensor.shape[axis:]), "weight": weight, "eps": _eps(net)}
    if node.type == "RMSNormalization":
        return [_result(net, "rms_norm", settings, tensor)]
    return [_result(net, "layer_norm", settings | {"bias": bias}, tensor)]


@node("GroupNormalization")
def group_norm(net: Translation, node: Node) -> Tensor:
    tensor = net.input(0)
    groups = net.get("num_groups", 1)
    weight, bias = (net.weight(at, tensor.shape[1:2]) for at in (1, 2))  # operator set 18 had one for each group
    settings = {"input": tensor, "num_groups": groups, "weight": weight, "bias": bias, "eps": _eps(net)}
    return _result(net, "group_norm", settings, tensor)


@node("LRN")
def lrn(net: Translation, node: Node) -> Tensor:
    given = {"alpha": net.get("alpha", 1e-4), "beta": net.get("beta", 0.75), "k": net.get("bias", 1.0)}
    short = {key: float(f"{value:.7g}") for key, value in given.items()}
    tensor = net.input(0)
    return _result(net, "local_response_norm", {"input": tensor, "size": net.get("size", 5), **short}, tensor)


@node("LpNormalization")
def length(net: Translation, node: Node) -> Tensor:
    tensor = net.input(0)
    if net.get("p", 2) != 2:
        raise MissingError("a length other than the Euclidean one")
    return _result(net, "normalize", {"input": tensor, "dim": net.get("axis", -1), "eps": 0.0}, tensor)


@node(*REDUCTIONS)
def reduction(net: Translation, node: Node) -> Tensor:
    tensor = net.input(0)
    count = len(tensor.shape)
    given = net.numbers(1, "axes")
    if not given and net.get("noop_with_empty_axes", 0):
        return tensor
    axes = sorted({axis % count for axis in given or range(count)})
    keep = bool(net.get("keepdims", 1))
    values: Values | None = net.values(tensor) if tensor.kind == "constant" else None
    if values and values.flat and node.type in _BY:
        made = reduced(values, axes, keep, _BY[node.type])
        return net.constant(made.sizes, made.flat, tensor.type)
    sizes = [1 if at in axes else size for at, size in enumerate(tensor.shape) if keep or at not in axes]
    settings: dict[str, Any] = {"self": tensor, "dim": axes, "keepdim": keep}
    return net.call(REDUCTIONS[node.type], settings, sizes)


@node("ArgMax", "ArgMin")
def place(net: Translation, node: Node) -> Tensor:
    tensor = net.input(0)
    axis, keep = net.get("axis", 0) % len(tensor.shape), bool(net.get("keepdims", 1))
    sizes = [1 if at == axis else size for at, size in enumerate(tensor.shape) if keep or at != axis]
    return net.call(node.type.lower(), {"self": tensor, "dim": axis, "keepdim": keep}, sizes)
