"""Attention, fused or written as products."""

from __future__ import annotations

from math import sqrt
from typing import Any, NamedTuple

from archcalc.importing.traced.calls import Call, Tensor
from archcalc.importing.traced.factors import BATCH, Group, reshaped, size_of, whole
from archcalc.importing.traced.mapping import UNFINISHED, Mapping, Unfinished, rule
from archcalc.importing.traced.rules.activations import over_axis
from archcalc.importing.traced.rules.arithmetic import joined, scaled, with_parameter
from archcalc.importing.traced.rules.masks import added, heads_of
from archcalc.importing.traced.rules.products import matrix_product, ordered, product_over
from archcalc.importing.traced.steps import Fixed, Shown, UnsupportedError
from archcalc.sizes import Shape


class Scores(NamedTuple):
    """The products of queries and keys, until the values join them: an attention that is written as products.

    ``added``: what is added to the scores. ``shape``: the sizes of the tensor.
    """

    shape: tuple[int, ...]
    queries: Shown
    keys: Shown
    scale: float = 1.0
    added: tuple[tuple[Fixed, Tensor], ...] = ()
    done: bool = False

    @property
    def sizes(self) -> tuple[int, ...]:
        return self.shape


@rule("matmul", "bmm", finishes=True)
def product(mapping: Mapping, call: Call) -> Any:
    """Products of queries and keys, or of scores and values; else of two maps."""
    first, second = call.tensors
    left, right = mapping.of(first), mapping.of(second)
    shape = call.results[0].shape
    if isinstance(left, Scores) and left.done and isinstance(right, Shown):
        try:
            return joined_values(mapping, left, right)
        except UnsupportedError:
            pass
    left, right = mapping.shown(first), mapping.shown(second)
    if len(left.view) < 3 or left.sizes[:-2] != right.sizes[:-2] or not heads_of(mapping, left):
        return matrix_product(mapping, left, right)
    return scored(mapping, shape, left, transposed(right))


def transposed(tensor: Shown) -> Shown:
    """The matrices of a tensor, transposed."""
    return Shown(tensor.step, (*tensor.view[:-2], tensor.view[-1], tensor.view[-2]))


def finished(mapping: Mapping, scores: Scores) -> Shown:
    """The scores as a map: products, and what was done with them."""
    made = matrix_product(mapping, scores.queries, transposed(scores.keys))
    made = scaled(mapping, "mul", made, scores.scale, swapped=False)
    for term, source in scores.added:
        made = with_parameter(mapping, "add", made, term, source)
    if scores.done:
        made = over_axis(mapping, "softmax", made, -1)
    view = reshaped(made.view, scores.shape)
    if view is None:
        raise UnsupportedError("scores of attention in another shape")
    return Shown(made.step, view)


@rule("einsum", finishes=True)
def einsum(mapping: Mapping, call: Call) -> Any:
    """Products of queries and keys, or of scores and values, written as sums over letters."""
    equation = call.settings["equation"].replace(" ", "")
    terms, _, out = equation.partition("->")
    first, _, second = terms.partition(",")
    left, right = (mapping.of(tensor) for tensor in call.tensors)
    common = [letter for letter in first if letter in second and letter in out]
    summed = [letter for letter in first if letter in second and letter not in out]
    rows = [letter for letter in first if letter not in second]
    columns = [letter for letter in second if letter not in first]
    shape = call.results[0].shape
    if (
        sorted(out) != sorted([*common, *rows, *columns])
        or not summed
        or any(len(set(one)) < len(one) for one in (first, second))
    ):
        raise UnsupportedError(f"the sum {equation}")
    plain = len(summed) == len(rows) == len(columns) == 1
    in_order = [*first] == [*common, *rows, *summed]
    if plain and in_order and isinstance(left, Scores) and isinstance(right, Shown) and left.done:
        made = joined_values(mapping, left, ordered(right, second, [*common, *summed, *columns]))
        return ordered(made, [*common, *rows, *columns], out)
    left, right = (mapping.shown(tensor) for tensor in call.tensors)
    if (
        len(summed) == len(rows) == len(columns) == 1
        and [*out] == [*common, *rows, *columns]
        and common
        and heads_of(mapping, ordered(left, first, [*common, *rows, *summed]))
    ):
        queries = ordered(left, first, [*common, *rows, *summed])
        return scored(mapping, shape, queries, ordered(right, second, [*common, *columns, *summed]))
    return product_over(mapping, (left, first), (right, second), (common, rows, summed, columns), out)


def scored(mapping: Mapping, shape: tuple[int, ...], left: Shown, keys: Shown) -> Scores:
    """The products of queries and keys, whose last axis is the depth of a head."""
    queries, scale = unscaled(mapping, left)
    keys, other = unscaled(mapping, keys)
    return Scores(shape, queries, keys, scale * other)


def unscaled(mapping: Mapping, tensor: Shown) -> tuple[Shown, float]:
    """A tensor before it was multiplied by a number, and the number."""
    step = mapping.steps.steps[tensor.step]
    if step.type == "scale" and not step.settings.get("shift"):
        return Shown(step.reads[0], tensor.view), step.settings["factor"]
    return tensor, 1.0


def joined_values(mapping: Mapping, scores: Scores, values: Shown) -> Shown:
    """The attention of scores and values."""
    queries = scores.queries
    settings: dict[str, Any] = {}
    if abs(scores.scale - 1 / sqrt(queries.sizes[-1])) > 1e-6:
        settings["scale"] = scores.scale
    more, own = added(mapping, queries, scores.keys, [term for term, _ in scores.added])
    return attended(mapping, queries, scores.keys, values, settings | more, own)


def on_scores(mapping: Mapping, call: Call) -> Any:
    """What an operator makes of scores; UnsupportedError if attention has no part for it."""
    operator = call.operator.rstrip("_")
    scores = next(value for value in map(mapping.of, call.tensors) if isinstance(value, Scores))
    shape = call.results[0].shape
    others = [(value, tensor) for tensor in call.tensors for value in [mapping.of(tensor)] if value is not scores]
    if operator in ("mul", "div") and not others and not scores.done:
        number = float(
            next(value for value in (call.settings["other"], call.settings["self"]) if isinstance(value, (int, float)))
        )
        return scores._replace(scale=scores.scale * (number if operator == "mul" else 1 / number))
    if operator == "add" and len(others) == 1 and isinstance(others[0][0], Fixed) and not scores.done:
        return scores._replace(added=(*scores.added, others[0]))
    if operator in ("softmax", "_softmax") and call.settings["dim"] % len(shape) == len(shape) - 1 and not scores.done:
        return scores._replace(done=True)
    if (
        operator
        in (
            "view",
            "reshape",
            "unsqueeze",
            "squeeze",
            "contiguous",
            "to",
            "_to_copy",
            "clone",
            "float",
            "type_as",
        )
        and shape[-2:] == scores.shape[-2:]
    ):
        return scores._replace(shape=shape)
    if operator == "dropout":
        return scores
    raise UnsupportedError("the scores of attention are used in another way")


UNFINISHED[Scores] = Unfinished(on_scores, finished)


@rule("scaled_dot_product_attention")
def attention(mapping: Mapping, call: Call) -> Shown:
    """The fused operator."""
    given = call.settings
    queries, keys, values = (mapping.shown(given[name]) for name in ("query", "key", "value"))
    if given.get("enable_gqa"):
        raise UnsupportedError("attention whose queries share keys")
    settings: dict[str, Any] = {}
    if given["is_causal"]:
        settings["causal"] = True
    scale = given.get("scale")
    if scale is not None and abs(scale - 1 / sqrt(queries.sizes[-1])) > 1e-12:
        settings["scale"] = scale
    mask = None if given["attn_mask"] is None else mapping.finish(given["attn_mask"])
    if mask is not None and given["attn_mask"].type == "bool":
        raise UnsupportedError("attention with a mask of true and false")
    try:
        return fused(mapping, queries, keys, values, settings, mask)
    except UnsupportedError:
        if given["is_causal"]:
            raise
    scores = Scores(
        (*queries.sizes[:-1], keys.sizes[-2]), queries, keys, scale or 1 / sqrt(queries.sizes[-1]), done=not mask
    )
    made = finished(mapping, scores)
    if isinstance(mask, Fixed):
        made = over_axis(mapping, "softmax", with_parameter(mapping, "add", made, mask, given["attn_mask"]), -1)
    elif mask is not None:
        made = over_axis(mapping, "softmax", joined(mapping, "add", made, mask, made.sizes), -1)
    return matrix_product(mapping, made, values)


def fused(mapping: Mapping, queries: Shown, keys: Shown, values: Shown, settings: dict[str, Any], mask: Any) -> Shown:
    """The layer attention, if it can do this."""
    own: list[Tensor] = []
    if isinstance(mask, Fixed):
        more, own = added(mapping, queries, keys, [mask])
        settings |= more
    elif mask is not None:
        raise UnsupportedError("a bias of attention that depends on the input")
    return attended(mapping, queries, keys, values, settings, own)


def attended(
    mapping: Mapping,
    queries: Shown,
    keys: Shown,
    values: Shown,
    settings: dict[str, Any],
    own: list[Tensor] | None = None,
) -> Shown:
    """The layer attention of three tensors, whose last two axes are positions and the depth of a head."""
    heads = heads_of(mapping, queries)
    maps = [_laid(mapping, tensor, heads) for tensor in (queries, keys, values)]
    count = size_of(heads)
    if any(size_of(heads_of(mapping, tensor)) != count for tensor in (keys, values)):
        raise UnsupportedError("queries, keys and values with different numbers of heads")
    queries_shape = mapping.steps.steps[maps[0]].shape
    depth = values.sizes[-1]
    shape = Shape(count * depth, queries_shape.axes)
    step = mapping.steps.add("attention", {"heads": count} | settings, maps, shape, own or ())
    axis, stride = 1, count * depth
    view: list[Group] = []
    for group in queries.view[:-2]:
        found: list[Any] = []
        for factor in group:
            if factor.axis == BATCH:
                found.append(factor)
            elif factor in heads:
                stride //= factor.size
                found.append(factor._replace(axis=0, stride=stride))
        view.append(tuple(found))
    rest = [tuple(f for f in group if f.axis != BATCH and f not in heads) for group in queries.view[:-2]]
    for at, group in enumerate(rest):
        if group:
            view[at] = (*view[at], *whole(axis, size_of(group)))
            axis += 1
    positions = whole(axis, queries.sizes[-2])
    return Shown(step, (*view, positions, tuple(f for f in whole(0, depth))))


def _laid(mapping: Mapping, tensor: Shown, heads: Group) -> int:
    """The step whose channels are heads and depth, and whose axes are windows and positions."""
    own = heads_of(mapping, tensor)
    windows = [[factor for factor in group if factor.axis != BATCH and factor not in own] for group in tensor.view[:-2]]
    if any(factor.axis == BATCH for group in tensor.view[-2:] for factor in group):
        raise UnsupportedError("attention between images of the batch")
    groups = [[*own, *tensor.view[-1]], *(group for group in windows if group), tensor.view[-2]]
    return mapping.steps.arranged(tensor.step, groups)
