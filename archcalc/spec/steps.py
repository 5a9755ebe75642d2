"""What a spec says once it has been read: steps, before any number is known.

A value in a step is plain data, an ``Expression``, or a list holding either; ``value`` evaluates it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from archcalc.layers import Layer
from archcalc.network import Place
from archcalc.spec.expression import Expression, ExpressionError, Scope, parse


@dataclass(slots=True)
class Options:
    """What any step may carry."""

    name: Template | None = None
    label: Template | None = None
    when: Any = True
    repeat: Any = None
    counter: str = "i"
    sources: list[Template] | None = None
    weights: Template | None = None


@dataclass(slots=True)
class Step:
    place: Place
    options: Options


@dataclass(slots=True)
class LayerStep(Step):
    """One layer; ``cache`` keeps the layers already made from the same values."""

    layer: type[Layer]
    values: dict[str, Any]
    cache: dict[Any, Layer] = field(default_factory=dict)


@dataclass(slots=True)
class MergeStep(Step):
    """Branches, each a list of steps on the same input, and the layer in which they meet."""

    layer: type[Layer]
    values: dict[str, Any]
    branches: list[tuple[str, list[Step]]]


@dataclass(slots=True)
class BlockStep(Step):
    """A use of a block with its arguments."""

    block: str
    values: dict[str, Any]


@dataclass(slots=True)
class GroupStep(Step):
    """Steps kept together, to repeat them, to name them or to make them conditional."""

    steps: list[Step]


@dataclass(slots=True)
class SideStep(Step):
    """Steps that hang off the main path and run in training only."""

    steps: list[Step]


@dataclass(slots=True)
class Block:
    """A named list of steps with parameters; ``defaults`` holds those that need not be given."""

    place: Place
    params: tuple[str, ...]
    defaults: dict[str, Any]
    let: dict[str, Any]
    steps: list[Step]


def value(given: Any, scope: Scope) -> Any:
    """A step's value with its expressions evaluated; ExpressionError when that is impossible."""
    if isinstance(given, Expression):
        return given.evaluate(scope)
    if isinstance(given, list):
        return [value(item, scope) for item in given]
    return given


_BRACES = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+-]{0,79}$")


class Template:
    """A name with expressions in braces: ``conv{stage}_{i}``."""

    __slots__ = ("names", "parts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        pieces = _BRACES.split(text)
        self.parts = [parse(piece) if at % 2 else piece for at, piece in enumerate(pieces)]
        self.names = frozenset().union(*(p.names for p in self.parts if isinstance(p, Expression)))
        if any("{" in p or "}" in p for p in self.parts if isinstance(p, str)):
            raise ExpressionError(f"unbalanced braces in the name {text!r}")
        if len(self.parts) == 1:
            check_name(text)

    def fill(self, scope: Scope) -> str:
        if len(self.parts) == 1:
            return self.text
        name = "".join(p if isinstance(p, str) else _word(p.evaluate(scope)) for p in self.parts)
        check_name(name)
        return name


def _word(value: Any) -> str:
    if isinstance(value, (int, str)):
        return str(value)
    raise ExpressionError(f"a name needs a whole number or a word, got {value!r}"[:120])


def check_name(name: str) -> None:
    if not _NAME.match(name):
        raise ExpressionError(f"a name is made of letters, digits and _ . / + -, got {name[:60]!r}")
