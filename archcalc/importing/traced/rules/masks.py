"""What is added to the scores of an attention: a table of relative positions in a window, and a mask of shifted windows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product as product_of
from math import isqrt, prod
from typing import Any

from archcalc.importing.traced.calls import Tensor
from archcalc.importing.traced.factors import Group, size_of
from archcalc.importing.traced.mapping import Mapping
from archcalc.importing.traced.products import products
from archcalc.importing.traced.steps import Fixed, Shown, Step, UnsupportedError


def added(mapping: Mapping, queries: Shown, keys: Shown, terms: Iterable[Fixed]) -> tuple[dict[str, Any], list[Tensor]]:
    """The settings for what is added to the scores, and the parameters in it: a table of relative positions, a mask."""
    settings: dict[str, Any] = {}
    own: list[Tensor] = []
    roll, block = _windows(mapping, queries)
    for term in terms:
        for one in term.terms or (term,):
            if one.parameters and any(map(products, one.calls)):
                raise UnsupportedError("a bias of attention that products compute")
            if one.parameters:
                own += one.parameters
                numbers = prod(2 * side - 1 for side in block) * size_of(heads_of(mapping, queries))
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


def heads_of(mapping: Mapping, tensor: Shown) -> Group:
    """The factors of the heads: the parts of the axes before the last two that are channels of the map."""
    return tuple(factor for group in tensor.view[:-2] for factor in group if factor.axis == 0)
