"""Gives every part of a condition its unit and its function, before anything is computed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from archcalc.conditions.dimension import EXAMPLES, NUMBER, UNITS, Dimension
from archcalc.conditions.figures import FIGURES, FUNCTIONS, LAYER, Figure, Function
from archcalc.errors import unknown
from archcalc.language.grammar import ExpressionError, Tree

Unit = Dimension | str
"""The unit of a number; ``text`` for words, ``truth`` for what is true or false."""
MOST_POWER = 40
OVER_LAYERS: Mapping[str, Callable[[list[bool]], Any]] = {"any": any, "all": all, "count": sum}
"""What becomes of a condition that holds for some layers."""
OF_NUMBERS: Mapping[str, Callable[[list[Any]], Any]] = {"min": min, "max": max, "abs": lambda values: abs(values[0])}
OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: Fraction(a) / Fraction(b),
    "//": lambda a, b: Fraction(a) // Fraction(b),
    "%": lambda a, b: Fraction(a) % Fraction(b),
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class MissingError(Exception):
    """The network has no such figure; the text is its name."""


class Typed(NamedTuple):
    """A part of a condition: its text for messages, its unit, and the function from an analysis or a row to its value."""

    text: str
    unit: Unit
    value: Callable[[Any], Any]


class Reader:
    """Gives every part of a tree its unit. inside: within ``any``, ``all`` or ``count``, where names are of a layer."""

    def __init__(self, inside: bool = False) -> None:
        self.inside = inside
        self.figures: Mapping[str, Figure] = LAYER if inside else FIGURES

    def read(self, tree: Tree) -> Typed:
        reader: Callable[[Tree], Typed] | None = getattr(self, f"_{tree.kind}", None)
        if reader is None:
            raise ExpressionError(f"a {tree.kind} is no part of a condition")
        return reader(tree)

    def _number(self, tree: Tree) -> Typed:
        found = re.fullmatch(r"([0-9.]+)([eE][-+]?[0-9]+)?\s?([A-Za-z]*)", tree.value)
        assert found is not None  # as TOKEN has it
        number, power, unit = found[1], int((found[2] or "e0")[1:]), found[3]
        if abs(power) > MOST_POWER:
            raise ExpressionError(f"{tree.value} is beyond 10^{MOST_POWER} or below 10^-{MOST_POWER}")
        if unit and unit not in UNITS:
            raise ExpressionError(f"{tree.value}: {unknown('unit', unit, UNITS, most=30)}")
        size, dimension = UNITS[unit] if unit else (Fraction(1), NUMBER)
        value = Fraction(number) * Fraction(10) ** power * size
        constant = int(value) if value.denominator == 1 else value
        return Typed(tree.value, dimension, lambda _: constant)

    def _text(self, tree: Tree) -> Typed:
        return Typed(repr(tree.value), "text", lambda _: tree.value)

    def _word(self, tree: Tree) -> Typed:
        if tree.value is None:
            raise ExpressionError("none is no part of a condition: a figure that a network lacks meets no condition")
        return Typed(str(tree.value).lower(), "truth", lambda _: tree.value)

    def _name(self, tree: Tree) -> Typed:
        name: str = tree.value
        key, known = name, self.figures
        if self.inside:
            key = name.removeprefix("layer.")
            if key == name or key not in known:
                close = f"layer.{name}" if name in known else None
                raise ExpressionError(unknown("figure", name, [f"layer.{one}" for one in known], close))
        elif key not in known:
            if name.startswith("layer."):
                raise ExpressionError(
                    f"{name} is a figure of a layer: write any(...), all(...) or count(...) around its condition"
                )
            if name in FUNCTIONS:
                raise ExpressionError(f"{name} needs its options: {_example(name, FUNCTIONS[name])}")
            raise ExpressionError(unknown("figure", name, [*known, *FUNCTIONS, *OVER_LAYERS], most=40))
        figure = known[key]

        def value(of: Any) -> Any:
            found = figure.value(of)
            if found is None:
                raise MissingError(name)
            return found

        return Typed(name, figure.unit, value)

    def _call(self, tree: Tree) -> Typed:
        name: str = tree.value
        if name in OVER_LAYERS:
            return self._over_layers(name, tree.parts)
        if name in FUNCTIONS and not self.inside:
            return self._function(name, FUNCTIONS[name], tree.parts)
        if name in OF_NUMBERS:
            return self._numeric(name, tree.parts)
        raise ExpressionError(unknown("function", name, [*OVER_LAYERS, *FUNCTIONS, *OF_NUMBERS]))

    def _over_layers(self, name: str, parts: Sequence[Tree]) -> Typed:
        if self.inside or len(parts) != 1:
            raise ExpressionError(f"{name} takes one condition about a layer, such as {name}(layer.channels % 8 != 0)")
        inner = Reader(inside=True).read(parts[0])
        need(inner, "truth", f"{name} takes a condition about a layer")

        def met(row: Any) -> bool:
            try:
                return bool(inner.value(row))
            except MissingError:
                return False

        def value(analysis: Any) -> Any:
            found = [met(row) for row in analysis.rows if row.node is not None and row.node.inputs]
            return OVER_LAYERS[name](found)

        return Typed(f"{name}({inner.text})", NUMBER if name == "count" else "truth", value)

    def _function(self, name: str, function: Function, parts: Sequence[Tree]) -> Typed:
        first = [part for part in parts if part.kind == "text"]
        if len(first) != len(function.needs) or list(parts[: len(first)]) != first:
            wanted = f"a {function.needs[0]} in quotes first" if function.needs else "options alone"
            raise ExpressionError(f"{name} takes {wanted}: {_example(name, function)}")
        options = dict(function.options)
        for part in parts[len(first) :]:
            key, given = (part.value, part.parts[0]) if part.kind == "option" else (part.value, None)
            if part.kind not in ("option", "name") or key not in options:
                raise ExpressionError(f"{name}: {unknown('option', str(key), options)}")
            if (given is None) != isinstance(options[key], bool):
                raise ExpressionError(
                    f"{name}: {key} needs {'a number: ' + str(key) + '=4' if given is None else 'no value'}"
                )
            options[key] = True if given is None else _whole(name, key, given)
        given_first = [part.value for part in first]
        return Typed(name, function.unit, lambda analysis: function.value(analysis, *given_first, **options))

    def _numeric(self, name: str, parts: Sequence[Tree]) -> Typed:
        if not parts or (name == "abs" and len(parts) != 1):
            raise ExpressionError(f"{name} takes {'one number' if name == 'abs' else 'numbers'}")
        inner = [self.read(part) for part in parts]
        for one in inner:
            _need_number(one)
            _same(inner[0], one)
        run = OF_NUMBERS[name]
        return Typed(f"{name}(...)", inner[0].unit, lambda of: run([one.value(of) for one in inner]))

    def _chain(self, tree: Tree) -> Typed:
        total = self.read(tree.parts[0])
        for op, part in zip(tree.value, tree.parts[1:], strict=True):
            total = _arithmetic(op, total, self.read(part))
        return total

    def _positive(self, tree: Tree) -> Typed:
        inner = self.read(tree.parts[0])
        _need_number(inner)
        sign = -1 if tree.kind == "negative" else 1
        return Typed(f"{'-' if sign < 0 else ''}{inner.text}", inner.unit, lambda of: sign * inner.value(of))

    _negative = _positive

    def _compare(self, tree: Tree) -> Typed:
        left, right = (self.read(part) for part in tree.parts)
        _same(left, right)
        if left.unit in ("text", "truth") and tree.value not in ("==", "!="):
            raise ExpressionError(f"{left.text} {tree.value} {right.text}: words are compared by == and != alone")
        compare = OPERATORS[tree.value]
        return Typed(
            f"{left.text} {tree.value} {right.text}", "truth", lambda of: compare(left.value(of), right.value(of))
        )

    def _and(self, tree: Tree) -> Typed:
        left, right = (self.read(part) for part in tree.parts)
        for one in (left, right):
            need(one, "truth", f"{tree.kind} stands between conditions")
        if tree.kind == "and":
            return Typed(f"{left.text} and {right.text}", "truth", lambda of: left.value(of) and right.value(of))
        return Typed(f"{left.text} or {right.text}", "truth", lambda of: left.value(of) or right.value(of))

    _or = _and

    def _not(self, tree: Tree) -> Typed:
        inner = self.read(tree.parts[0])
        need(inner, "truth", "not stands before a condition")
        return Typed(f"not {inner.text}", "truth", lambda of: inner.value(of) != tree.value)

    def _if(self, tree: Tree) -> Typed:
        value, chosen, other = (self.read(part) for part in tree.parts)
        need(chosen, "truth", "if is followed by a condition")
        _same(value, other)
        return Typed(value.text, value.unit, lambda of: value.value(of) if chosen.value(of) else other.value(of))


def _arithmetic(op: str, left: Typed, right: Typed) -> Typed:
    _need_number(left)
    _need_number(right)
    a, b = left.unit, right.unit
    assert isinstance(a, Dimension)
    assert isinstance(b, Dimension)
    if op in ("+", "-", "%"):
        _same(left, right)
        unit = a
    else:
        sign = 1 if op == "*" else -1
        unit = Dimension(*(x + sign * y for x, y in zip(a, b, strict=True)))
    run, text = OPERATORS[op], f"{left.text} {op} {right.text}"

    def value(of: Any) -> Any:
        try:
            return run(left.value(of), right.value(of))
        except ZeroDivisionError:
            raise MissingError(text) from None

    return Typed(text, unit, value)


def _whole(name: str, key: str, tree: Tree) -> int:
    if tree.kind != "number" or not tree.value.isdigit() or not 0 < int(tree.value) < 10**9:
        raise ExpressionError(f"{name}: {key} must be a whole number from 1 on")
    return int(tree.value)


def _example(name: str, function: Function) -> str:
    options = [key if usual is not None else f"{key}=4" for key, usual in function.options.items()]
    return f"{name}({', '.join([*(repr('a100') for _ in function.needs), *options[:2]])})"


def _need_number(one: Typed) -> None:
    if not isinstance(one.unit, Dimension):
        raise ExpressionError(f"{one.text} is {named(one.unit)}, expected a number")


def need(one: Typed, unit: str, sentence: str) -> None:
    if one.unit != unit:
        raise ExpressionError(f"{sentence}; {one.text} is {named(one.unit)}")


def _same(left: Typed, right: Typed) -> None:
    """ExpressionError if two parts have unlike units. A zero has any unit."""
    if left.unit == right.unit or "0" in (left.text, right.text):
        return
    text = f"{left.text} is {named(left.unit)}, and {right.text} is {named(right.unit)}"
    for one, other in ((left, right), (right, left)):
        if one.text[:1].isdigit() and other.unit in EXAMPLES:
            text += f"; write {one.text} with a unit, such as {EXAMPLES[other.unit]}"
    raise ExpressionError(text)


def named(unit: Unit) -> str:
    """A unit in a sentence: what a figure is."""
    if isinstance(unit, str):
        return {"text": "a text", "truth": "a condition"}[unit]
    return "a number" if unit == NUMBER else f"in {unit}"
