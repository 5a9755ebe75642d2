"""The steps (entries under ``layers``) of a spec, before any number is known.

A value in a step is plain data or an ``Expression``; ``value`` evaluates it.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from archcalc.errors import Place, clipped
from archcalc.language.bounds import Spend, bounded_list, free
from archcalc.language.elementwise import single
from archcalc.language.expression import Expression, Scope, parse
from archcalc.language.grammar import ExpressionError
from archcalc.layers import Layer
from archcalc.layers.settings import message_text
from archcalc.letters import LAYER_SIGNS, MOST_LETTERS, is_name, normal

MAX_TEMPLATE = 300
"""The most characters in a name before its braces are filled."""


class Given(NamedTuple):
    """A value with its place in the spec."""

    value: Any
    place: Place


class Options:
    """The options that every step may have. Expressions are not evaluated yet."""

    name: Template | None = None
    label: Template | None = None
    when: Any = True
    repeat: Any = None
    counter: str = "i"
    sources: list[Template] | None = None
    weights: Template | None = None
    storage: Any = None
    regions: Any = None
    trained: Any = None


class Step:
    """An entry under ``layers`` of a spec."""

    def __init__(self, place: Place, options: Options) -> None:
        self.place, self.options = place, options


class LayerStep(Step):
    """One layer. ``cache`` holds the layers that were made, by the values of the step's expressions.

    ``references``: the settings that name another layer. ``constant``: the layer that was made, if the step has neither
    expressions nor references.
    """

    def __init__(self, place: Place, options: Options, layer: type[Layer], values: dict[str, Any]) -> None:
        super().__init__(place, options)
        self.layer = layer
        self.references = {key: given for key, given in values.items() if isinstance(given, Template)}
        self.values = {key: given for key, given in values.items() if key not in self.references}
        self.expressions = {key: given for key, given in values.items() if isinstance(given, Expression)}
        self.cache: dict[Any, Layer] = {}
        self.constant: Layer | None = None


class MergeStep(LayerStep):
    """Branches, each a list of steps on the same input, and the layer that joins the branches.

    ``numbered``: the spec does not name the branches, so archcalc names them b1, b2, ...
    ``order``: the numbers of the branches in the order of the layer's inputs, if the order is another one.
    """

    def __init__(
        self,
        place: Place,
        options: Options,
        layer: type[Layer],
        values: dict[str, Any],
        branches: list[tuple[str, list[Step]]],
        numbered: bool = False,
        order: tuple[int, ...] = (),
    ) -> None:
        super().__init__(place, options, layer, values)
        self.branches, self.numbered, self.order = branches, numbered, order


class BlockStep(Step):
    """A use of a block with its arguments."""

    def __init__(self, place: Place, options: Options, block: str, values: dict[str, Any]) -> None:
        super().__init__(place, options)
        self.block, self.values = block, values


class GroupStep(Step):
    """A group of steps that is repeated, named or conditional as a whole."""

    def __init__(self, place: Place, options: Options, steps: list[Step]) -> None:
        super().__init__(place, options)
        self.steps = steps


class SideStep(GroupStep):
    """A side head: steps that branch off the main path and run in training only."""


class Block:
    """A named list of steps with parameters. ``defaults``: the values of parameters that a use may leave out."""

    def __init__(self, place: Place, params: tuple[str, ...], defaults: dict[str, Given]) -> None:
        self.place, self.params, self.defaults = place, params, defaults
        self.let: dict[str, Given] = {}
        self.steps: list[Step] = []


def value(given: Any, scope: Scope, spend: Spend = free) -> Any:
    """A value of a step. An expression is evaluated; ExpressionError if the evaluation fails."""
    return given.evaluate(scope, spend) if isinstance(given, Expression) else given


def list_expression(values: list[Any]) -> Expression:
    """A list in which some values are expressions, as one expression."""
    names = frozenset[str]().union(*(v.names for v in values if isinstance(v, Expression)))
    return Expression(
        "[...]",
        names,
        lambda scope, spend: bounded_list([value(v, scope, spend) for v in values], spend),
        1,
    )


def text_expression(text: str) -> str | Expression:
    """A text whose braces hold expressions; the text itself if there are no braces."""
    if len(text) > MAX_TEMPLATE:
        raise ExpressionError(f"a text of {len(text):,} characters; {MAX_TEMPLATE} are the most")
    parts = [parse(piece) if at % 2 else piece for at, piece in enumerate(_BRACES.split(text))]
    if any("{" in part or "}" in part for part in parts if isinstance(part, str)):
        raise ExpressionError(f"unbalanced braces in {text!r}")
    names = frozenset[str]().union(*(part.names for part in parts if isinstance(part, Expression)))
    if len(parts) == 1:
        return text
    return Expression(text, names, lambda scope, spend: "".join([_word(value(p, scope, spend)) for p in parts]), 1)


_BRACES = re.compile(r"\{([^{}]*)\}")


class Range(NamedTuple):
    """The first and the last of whole numbers, as expressions."""

    first: Expression
    last: Expression

    def numbers(self, scope: Scope, spend: Spend) -> range:
        first, last = (_whole(one.evaluate(scope, spend)) for one in self)
        spend(max(last - first, 0))
        return range(first, last + 1)


class Template:
    """A name with expressions in braces: ``conv{stage}_{i}``.

    ``range``: the place of a range among the parts, such as ``{1..i - 1}``, which stands for several names; or None.
    """

    __slots__ = ("fixed", "names", "parts", "range", "text")

    def __init__(self, text: str) -> None:
        if len(text) > MAX_TEMPLATE:
            raise ExpressionError(f"a name of {len(text):,} characters; {MAX_TEMPLATE} are the most")
        self.text = text = normal(text)
        pieces = _BRACES.split(text)
        self.parts = [_part(piece) if at % 2 else piece for at, piece in enumerate(pieces)]
        ranges = [at for at, part in enumerate(self.parts) if isinstance(part, Range)]
        if len(ranges) > 1:
            raise ExpressionError(f"a name has at most one range, got {text!r}")
        self.range = ranges[0] if ranges else None
        inside = [one for part in self.parts if not isinstance(part, str) for one in _expressions(part)]
        self.names = frozenset[str]().union(*(one.names for one in inside))
        if any("{" in p or "}" in p for p in self.parts if isinstance(p, str)):
            raise ExpressionError(f"unbalanced braces in the name {text!r}")
        self.fixed = text if len(self.parts) == 1 else ""
        """The name if the template has no braces, so that the scope does not matter; else ''."""
        if self.fixed:
            check_name(text)

    def fill(self, scope: Scope, spend: Spend = free) -> str:
        if self.fixed:
            return self.fixed
        return self._filled(self.parts, scope, spend)

    def fill_all(self, scope: Scope, spend: Spend = free) -> list[str]:
        """The names that the template stands for: one, or one for each number of its range."""
        if self.range is None:
            return [self.fill(scope, spend)]
        at, given = self.range, self.parts[self.range]
        assert isinstance(given, Range)
        before, behind = self.parts[:at], self.parts[at + 1 :]
        return [self._filled([*before, str(number), *behind], scope, spend) for number in given.numbers(scope, spend)]

    def _filled(self, parts: list[str | Expression | Range], scope: Scope, spend: Spend) -> str:
        name = normal("".join([p if isinstance(p, str) else _word(value(p, scope, spend)) for p in parts]))
        check_name(name)
        return name


def _part(piece: str) -> Expression | Range:
    """What braces hold: an expression, or two with ``..`` between them."""
    first, dots, last = piece.partition("..")
    return Range(parse(first), parse(last)) if dots else parse(piece)


def _expressions(part: Expression | Range) -> tuple[Expression, ...]:
    return (*part,) if isinstance(part, Range) else (part,)


def _whole(value: Any) -> int:
    value = single(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ExpressionError(f"a range needs whole numbers, got {message_text(value)}")


def _word(value: Any) -> str:
    value = single(value)
    if isinstance(value, (int, str)) and not isinstance(value, bool):
        return str(value)[: MAX_TEMPLATE + 1]
    raise ExpressionError(f"braces need a whole number or a word, got {message_text(value)}")


def check_name(name: str) -> None:
    """ExpressionError if ``name`` cannot be the name of a layer or block."""
    if not is_name(name, MOST_LETTERS, LAYER_SIGNS):
        signs = " ".join("_" + LAYER_SIGNS)
        raise ExpressionError(
            f"a name is at most {MOST_LETTERS} letters, digits and {signs}, got {clipped(repr(name), 60)}"
        )
