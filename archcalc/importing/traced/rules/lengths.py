"""Vectors divided by their length: the layer l2_norm, which PyTorch writes as three operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from archcalc.importing.traced.calls import Call
from archcalc.importing.traced.mapping import UNFINISHED, Mapping, Unfinished, rule
from archcalc.importing.traced.rules.pools import axes_of, reduced, square
from archcalc.importing.traced.steps import Shown, UnsupportedError


class Lengths(NamedTuple):
    """The lengths of the vectors along an axis of a tensor. ``eps``: the least length. ``sizes``: of the lengths."""

    sizes: tuple[int, ...]
    tensor: Shown
    axis: int
    eps: float = 0.0


@rule("linalg_vector_norm", "norm")
def length(mapping: Mapping, call: Call) -> Lengths | Shown:
    """The length of the vectors along axes."""
    given = call.settings
    order, dims = given.get("ord", given.get("p", 2)), given.get("dim")
    tensor = mapping.shown(given["self"])
    over = axes_of(dims, len(tensor.view))
    if order not in (2, None):
        raise UnsupportedError("a norm other than the length of vectors")
    if len(over) == 1 and given.get("keepdim"):
        return Lengths(call.results[0].shape, tensor, over[0])
    return root_of_squares(mapping, tensor, over, bool(given.get("keepdim")))


def root_of_squares(mapping: Mapping, tensor: Shown, over: Sequence[int], keepdim: bool) -> Shown:
    """The length of the vectors along axes, as a map."""
    made = reduced(mapping, "sum", square(mapping, tensor), over, keepdim)
    return mapping.steps.same("math", {"function": "sqrt"}, made)


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


def finished(mapping: Mapping, lengths: Lengths) -> Shown:
    """The lengths as a map."""
    if lengths.eps or lengths.sizes[lengths.axis] != 1:
        raise UnsupportedError("the lengths of vectors are used in another way")
    return root_of_squares(mapping, lengths.tensor, [lengths.axis], True)


UNFINISHED[Lengths] = Unfinished(on_lengths, finished)
