"""The options of a figure, such as ``train_memory(batch=4, adam, amp)``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.conditions.figures import OPTIMIZERS, Function
from archcalc.errors import unknown
from archcalc.language.grammar import ExpressionError, Tree


def given_options(name: str, function: Function, parts: Sequence[Tree]) -> tuple[list[str], dict[str, Any], str]:
    """What stands first (a device), the options with their values, and the text of the whole figure."""
    first = [part for part in parts if part.kind == "text"]
    if len(first) != len(function.needs) or list(parts[: len(first)]) != first:
        wanted = f"a {function.needs[0]} in quotes first" if function.needs else "options alone"
        raise ExpressionError(f"{name} takes {wanted}: {example(name, function)}")
    options, stated = dict(function.options), set[str]()
    for part in parts[len(first) :]:
        key, given = (part.value, part.parts[0]) if part.kind == "option" else (part.value, None)
        if part.kind not in ("option", "name") or key not in options:
            raise ExpressionError(f"{name}: {unknown('option', str(key), options)}")
        if (given is None) != isinstance(options[key], bool):
            raise ExpressionError(
                f"{name}: {key} needs {'a number: ' + str(key) + '=4' if given is None else 'no value'}"
            )
        if key in stated:
            raise ExpressionError(f"{name}: {key} is given twice")
        stated.add(key)
        options[key] = True if given is None else _whole(name, key, given)
    if len(chosen := sorted(stated & set(OPTIMIZERS))) > 1:
        raise ExpressionError(f"{name}: expected one optimizer, got {' and '.join(chosen)}")
    text = f"{name}({', '.join(_source(part) for part in parts)})" if parts else name
    return [part.value for part in first], options, text


def example(name: str, function: Function) -> str:
    """How the figure can be written, for messages."""
    options = [key if usual is not None else f"{key}=4" for key, usual in function.options.items()]
    return f"{name}({', '.join([*(repr('a100') for _ in function.needs), *options[:2]])})"


def _source(part: Tree) -> str:
    """An option or a device as it was written."""
    if part.kind == "option":
        return f"{part.value}={part.parts[0].value}"
    return repr(part.value) if part.kind == "text" else str(part.value)


def _whole(name: str, key: str, tree: Tree) -> int:
    if tree.kind != "number" or not tree.value.isdigit() or not 0 < int(tree.value) < 10**9:
        raise ExpressionError(f"{name}: {key} must be a whole number from 1 on")
    return int(tree.value)
