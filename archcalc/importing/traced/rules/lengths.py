"""Vectors divided by their length: the layer l2_norm, which PyTorch writes as three operators."""

from __future__ import annotations

from typing import Any, NamedTuple

from archcalc.importing.traced.calls import Call
from archcalc.importing.traced.mapping import UNFINISHED, Mapping, Unfinished, rule
from archcalc.importing.traced.steps import Shown, UnsupportedError


class Lengths(NamedTuple):
    """The lengths of the vectors along an axis of a tensor. ``eps``: the least length. ``sizes``: of the lengths."""

    sizes: tuple[int, ...]
    tensor: Shown
    axis: int
    eps: float = 0.0


@rule("linalg_vector_norm", "norm")
def length(mapping: Mapping, call: Call) -> Lengths:
    """The length of the vectors along one axis."""
    given = call.settings
    order, dims = given.get("ord", given.get("p", 2)), given.get("dim")
    tensor = mapping.shown(given["self"])
    dims = list(dims) if isinstance(dims, (list, tuple)) else [dims]
    if order not in (2, None) or len(dims) != 1 or dims[0] is None or not given.get("keepdim"):
        raise UnsupportedError("a norm other than the length of vectors along one axis")
    return Lengths(call.results[0].shape, tensor, dims[0] % len(tensor.view))


def on_lengths(mapping: Mapping, call: Call) -> Any:
    """What an operator makes of lengths."""
    operator = call.operator.rstrip("_")
    values = [mapping.of(tensor) for tensor in call.tensors]
    lengths = next(value for value in values if isinstance(value, Lengths))
    if operator in ("clamp_min", "clamp") and call.settings.get("max") is None:
        return lengths._replace(eps=float(call.settings["min"]))
    if operator in ("expand", "expand_as"):
        return lengths._replace(sizes=call.results[0].shape)
    if operator == "div" and values == [lengths.tensor, lengths]:
        return mapping.steps.layer(
            "l2_norm", _eps(lengths), lengths.tensor, lengths.tensor.sizes, channels=lengths.axis
        )
    raise UnsupportedError("the lengths of vectors are used in another way")


def _eps(lengths: Lengths) -> dict[str, Any]:
    return {} if lengths.eps == 1e-12 else {"eps": lengths.eps}


def _refused(mapping: Mapping, lengths: Lengths) -> Shown:
    raise UnsupportedError("the lengths of vectors are used in another way")


UNFINISHED[Lengths] = Unfinished(on_lengths, _refused)
