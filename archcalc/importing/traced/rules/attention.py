"""Attention, fused or written as products."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product as product_of
from math import isqrt, prod, sqrt
from typing import Any, NamedTuple

from archcalc.importing.traced.calls import Call, Tensor
from archcalc.importing.traced.factors import BATCH, Group, reshaped, size_of, whole
from archcalc.importing.traced.mapping import UNFINISHED, Mapping, Unfinished, rule
from archcalc.importing.traced.rules.activations import over_axis
from archcalc.importing.traced.rules.arithmetic import joined, scaled, with_parameter
from archcalc.importing.traced.rules.products import matrix_product
from archcalc.importing.traced.steps import Fixed, Shown, Step, UnsupportedError
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
    if len(left.view) < 3 or left.sizes[:-2] != right.sizes[:-2] or not _heads(mapping, left):
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
        made = joined_values(mapping, left, _ordered(right, second, [*common, *summed, *columns]))
        return _ordered(made, [*common, *rows, *columns], out)
    left, right = (mapping.shown(tensor) for tensor in call.tensors)
    if (
        len(summed) == len(rows) == len(columns) == 1
        and [*out] == [*common, *rows, *columns]
        and common
        and _heads(mapping, _ordered(left, first, [*common, *rows, *summed]))
    ):
        queries = _ordered(left, first, [*common, *rows, *summed])
        return scored(mapping, shape, queries, _ordered(right, second, [*common, *columns, *summed]))
    return product_over(mapping, (left, first), (right, second), (common, rows, summed, columns), out)


def product_over(
    mapping: Mapping,
    left: tuple[Shown, str],
    right: tuple[Shown, str],
    letters: tuple[list[str], list[str], list[str], list[str]],
    out: str,
) -> Shown:
    """A product of matrices whose rows, columns and sums may be several axes. The batch of one tensor is the other's too."""
    common, rows, summed, columns = letters
    images = [
        letter
        for (tensor, names), own in ((left, rows), (right, columns))
        for letter in own
        if any(factor.axis == BATCH for factor in tensor.view[names.index(letter)])
    ]
    common = [*images, *common]
    rows, columns = ([one for one in own if one not in images] for own in (rows, columns))
    sizes = {name: size for tensor, names in (left, right) for name, size in zip(names, tensor.sizes, strict=True)}

    def matrices(one: tuple[Shown, str], first: list[str], second: list[str]) -> Shown:
        tensor, names = one
        view = [tensor.view[names.index(letter)] if letter in names else () for letter in common]
        ends = [tuple(f for letter in part for f in tensor.view[names.index(letter)]) for part in (first, second)]
        return Shown(tensor.step, (*view, *ends))

    made = matrix_product(mapping, matrices(left, rows, summed), matrices(right, summed, columns))
    order = [*common, *rows, *columns]
    view = reshaped(made.view, [sizes[letter] for letter in order])
    if view is None:
        raise UnsupportedError("a product over axes that no view has")
    return _ordered(Shown(made.step, view), order, out)


def _ordered(tensor: Shown, letters: Sequence[str], order: Sequence[str]) -> Shown:
    """The tensor with its axes in another order of their letters."""
    return Shown(tensor.step, tuple(tensor.view[list(letters).index(letter)] for letter in order))


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


def added(mapping: Mapping, queries: Shown, keys: Shown, terms: Iterable[Fixed]) -> tuple[dict[str, Any], list[Tensor]]:
    """The settings for what is added to the scores, and the parameters in it: a table of relative positions, a mask."""
    settings: dict[str, Any] = {}
    own: list[Tensor] = []
    roll, block = _windows(mapping, queries)
    for term in terms:
        for one in term.terms or (term,):
            if one.parameters:
                own += one.parameters
                numbers = prod(2 * side - 1 for side in block) * size_of(_heads(mapping, queries))
                whole_window = queries.sizes[-2] == keys.sizes[-2] == prod(block)
                if (
                    not whole_window
                    or sum(prod(part.shape) for part in one.parameters) != numbers
                    or "bias" in settings
                ):
                    raise UnsupportedError("a bias of attention that is no table of relative positions in a window")
                settings |= {"bias": "relative", "block": list(block)}
            elif one.value is not None and not one.value.any():
                continue
            elif one.value is None:
                raise UnsupportedError("a mask of attention whose values are not known")
            elif roll is not None and _apart(one.value) == _rolled(roll, block):
                by = roll.settings["by"]
                shift = [-step for step in (by if isinstance(by, list) else [by] * len(roll.shape.axes))]
                settings |= {"block": list(block), "shift": shift, "size": list(roll.shape.axes)}
            else:
                raise UnsupportedError("a mask of attention that no windows explain")
    return settings, own


def _windows(mapping: Mapping, queries: Shown) -> tuple[Step | None, list[int]]:
    """The roll of the map that was cut into the windows of the queries, if there is one, and the sides of a window."""
    steps = mapping.steps.steps
    step = steps[queries.step]
    while step.reads:
        if (step.targets and len(step.targets[-1]) > 1) or step.type == "windows":
            block = [factor.size for factor in step.targets[-1]]
            before = steps[step.reads[0]]
            while before.type in ("rearrange", "pad") and before.reads:
                before = steps[before.reads[0]]
            return (before if before.type == "roll" else None), block
        if len(step.reads) > 1:
            break
        step = steps[step.reads[0]]
    side = isqrt(queries.sizes[-2])
    return None, [side, side] if side * side == queries.sizes[-2] else [queries.sizes[-2]]


def _apart(mask: Any) -> list[list[list[bool]]]:
    """For every window, query and key, whether the mask hides the key."""
    windows = mask.tolist()
    while isinstance(windows[0][0][0], list):
        windows = [window for several in windows for window in several]
    return [[[number != 0 for number in row] for row in window] for window in windows]


def _rolled(roll: Step, block: Sequence[int]) -> list[list[list[bool]]]:
    """For every window of a rolled map, which positions come from different ends of the map."""
    by = roll.settings["by"]
    shifts = [-step for step in (by if isinstance(by, list) else [by] * len(block))]
    sizes = roll.shape.axes
    ends = [[int(at >= n - shift) if shift else 0 for at in range(n)] for n, shift in zip(sizes, shifts, strict=True)]
    found = []
    for window in product_of(*(range(n // side) for n, side in zip(sizes, block, strict=True))):
        cells = [
            tuple(end[w * side + at] for end, w, side, at in zip(ends, window, block, cell, strict=True))
            for cell in product_of(*map(range, block))
        ]
        found.append([[a != b for b in cells] for a in cells])
    return found


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
    heads = _heads(mapping, queries)
    maps = [_laid(mapping, tensor, heads) for tensor in (queries, keys, values)]
    count = size_of(heads)
    if any(size_of(_heads(mapping, tensor)) != count for tensor in (keys, values)):
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


def _heads(mapping: Mapping, tensor: Shown) -> Group:
    """The factors of the heads: the parts of the axes before the last two that are channels of the map."""
    return tuple(factor for group in tensor.view[:-2] for factor in group if factor.axis == 0)


def _laid(mapping: Mapping, tensor: Shown, heads: Group) -> int:
    """The step whose channels are heads and depth, and whose axes are windows and positions."""
    own = _heads(mapping, tensor)
    windows = [[factor for factor in group if factor.axis != BATCH and factor not in own] for group in tensor.view[:-2]]
    if any(factor.axis == BATCH for group in tensor.view[-2:] for factor in group):
        raise UnsupportedError("attention between images of the batch")
    groups = [[*own, *tensor.view[-1]], *(group for group in windows if group), tensor.view[-2]]
    return mapping.steps.arranged(tensor.step, groups)
