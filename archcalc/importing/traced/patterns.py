"""The layer that moves values as a view of a tensor does, and its pattern."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from archcalc.errors import LayerError
from archcalc.importing.traced.factors import Factor, Group, merged, refined
from archcalc.layers import registry
from archcalc.sizes import Shape

LETTERS = {0: (), 1: ("l",), 2: ("h", "w"), 3: ("d", "h", "w")}


def movement(shape: Shape, natural: Sequence[Group], targets: Sequence[Group]) -> tuple[str, dict[str, Any]]:
    """The layer that moves the values of a map into other channels and axes, with its settings."""
    if len(targets) == 1 and targets[0] == merged(factor for group in natural for factor in group):
        return "flatten", {}
    for type, settings in sorted(_candidates(shape, targets), key=_listed):
        try:
            layer: Any = registry[type](**settings)
            before, after = layer.arrangement(shape)
        except LayerError:
            continue
        factors: dict[str, Factor] = {}
        for axis, group in enumerate(before):
            stride = 1
            for part in reversed(group):
                factors[part.name] = Factor(axis, stride, part.size)
                stride *= part.size
        if [merged(factors[part.name] for part in group) for group in after] == list(targets):
            return type, settings
    return "rearrange", {"pattern": pattern(natural, targets)}


def _listed(candidate: tuple[str, dict[str, Any]]) -> bool:
    """Whether the sides of a window differ: another movement is what was meant, if one fits."""
    return candidate[0] == "windows" and isinstance(candidate[1]["size"], list)


def _candidates(shape: Shape, targets: Sequence[Group]) -> list[tuple[str, dict[str, Any]]]:
    """Movements with a name that may fit."""
    found: list[tuple[str, dict[str, Any]]] = []
    sizes = [[factor.size for factor in group] for group in targets]
    count = len(shape.axes)
    if count > 1 and len(targets) == 2:
        found.append(("to_tokens", {}))
    if len(sizes[0]) == 2 and count + 1 == len(targets):
        found.append(("channel_shuffle", {"groups": sizes[0][1]}))
    if len(targets) == 3 and count > 1 and len(sizes[2]) == count:
        block = sizes[2]
        found.append(("windows", {"size": block[0] if len(set(block)) == 1 else block}))
        found.append(("windows", {"size": block[0] if len(set(block)) == 1 else block, "grid": True}))
    if count == 1 and len(targets) > 2 and len(targets[1:]) == sum(bool(group) for group in targets[1:]):
        size = [n[0] if n else 1 for n in sizes[1:]]
        found.append(("to_map", {"size": size}))
    if count == 2 and len(targets) > 2:
        total = [1 if not n else prod(n) for n in sizes[1:]]
        found.append(("from_windows", {"size": total}))
        found.append(("from_windows", {"size": total, "grid": True}))
    if count == len(targets) - 1 and len(sizes[0]) == count + 1:
        block = sizes[0][1:]
        found.append(("space_to_depth", {"block": block[0] if len(set(block)) == 1 else block}))
    return found


def pattern(natural: Sequence[Group], targets: Sequence[Group]) -> str:
    """The pattern of einops for a movement."""
    cuts = [factor for group in targets for factor in group]
    for _ in range(8):  # a cut of one group cuts others of the same axis
        finer = refined(cuts, cuts)
        if finer == cuts:
            break
        cuts = finer
    before = [refined(group, cuts) for group in natural]
    after = [refined(group, cuts) for group in targets]
    letters = ("c", *LETTERS.get(len(natural) - 1, tuple(f"a{n}" for n in range(1, len(natural)))))
    words: dict[Any, str] = {}
    named: dict[Any, str] = {}
    for letter, group in zip(letters, before, strict=True):
        for at, factor in enumerate(group):
            words[factor] = letter if at == 0 else str(factor.size)
            named[factor] = letter if at == 0 else f"{letter}{at}"
    order = [factor for group in before for factor in group if not words[factor].isalpha()]
    moved = [factor for group in after for factor in group if not words[factor].isalpha()]
    sizes: list[str] = []
    for size in {factor.size for factor in order}:
        if [f for f in order if f.size == size] != [f for f in moved if f.size == size]:
            for factor in order:
                if factor.size == size:
                    words[factor] = named[factor]
                    sizes.append(f"{named[factor]}={size}")

    def text(group: Sequence[Any]) -> str:
        inside = " ".join(words[factor] for factor in group) or "1"
        return f"({inside})" if len(group) > 1 else inside

    return f"{' '.join(map(text, before))} -> {' '.join(map(text, after))}" + "".join(f", {size}" for size in sizes)
