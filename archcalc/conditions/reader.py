"""Gives every part of a condition its unit and its function, before anything is computed."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from archcalc.analysis.elements import filled
from archcalc.conditions.dimension import NUMBER, UNITS
from archcalc.conditions.elementwise import Truths
from archcalc.conditions.figures import FIELD, FIGURES, FUNCTIONS, LAYER, Figure, Function, has_bounds
from archcalc.conditions.functions import OF_LISTS, OF_NUMBERS, OVER_LAYERS, of_setting
from archcalc.conditions.options import given_options
from archcalc.conditions.parts import (
    MissingError,
    Share,
    Subject,
    Typed,
    alike,
    arithmetic,
    comparison,
    either,
    exact,
    joined,
    later,
    need,
    need_number,
    negated,
)
from archcalc.conditions.shares import SHARES
from archcalc.errors import nearest, unknown
from archcalc.language.grammar import ExpressionError, Tree
from archcalc.sizes import is_array

MOST_POWER = 40
SETTING = "setting."
"""Stands before a setting that has the name of a figure."""


class Reader:
    """Gives every part of a tree its unit.

    settings: the settings that a condition can name. inside: within ``any``, ``all`` or ``count``, where names are of a
    layer.
    """

    def __init__(self, settings: Collection[str] = (), inside: bool = False) -> None:
        self.settings, self.inside = settings, inside
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

    def _list(self, tree: Tree) -> Typed:
        items = [self.read(part) for part in tree.parts]
        return Typed(
            f"[{', '.join(item.text for item in items)}]",
            "list",
            lambda of: [item.value(of) for item in items],
            max((item.cost for item in items), default=0),
        )

    def _index(self, tree: Tree) -> Typed:
        inner, index = self.read(tree.parts[0]), tree.parts[1]
        if inner.unit != "setting" or index.kind != "number" or not index.value.isdigit():
            raise ExpressionError(f"{inner.text}[...]: an index from 0 on follows a setting that is a list")
        at, text = int(index.value), f"{inner.text}[{index.value}]"

        def value(of: Any) -> Any:
            items = inner.value(of)
            if not isinstance(items, (list, tuple)) or at >= len(items):
                raise MissingError(text)
            return items[at]

        return Typed(text, "setting", value)

    def _name(self, tree: Tree) -> Typed:
        name: str = tree.value
        key, known = name, self.figures
        setting = name.removeprefix(SETTING)
        if self.inside:
            key = name.removeprefix("layer.")
            if setting in self.settings and name not in known:
                raise ExpressionError(f"{name} is a setting of the network, and not of a layer")
            if key == name or key not in known:
                close = f"layer.{name}" if name in known else None
                raise ExpressionError(unknown("figure", name, [f"layer.{one}" for one in known], close))
        elif setting in self.settings and (setting != name or name not in known):
            return Typed(name, "setting", lambda analysis: _setting(analysis, setting, name))
        elif key not in known:
            if name.startswith("layer."):
                raise ExpressionError(
                    f"{name} is a figure of a layer: write any(...), all(...) or count(...) around its condition"
                )
            if name in FUNCTIONS:
                return self._function(name, FUNCTIONS[name], ())
            if name in OVER_LAYERS or name in OF_LISTS:
                return self._call(tree)
            if setting != name:
                raise ExpressionError(unknown("setting", setting, sorted(self.settings)))
            names = [*known, *FUNCTIONS, *OVER_LAYERS, *self.settings]
            close = nearest(name, names)
            more = "" if close else "; archcalc list --where help lists all figures"
            raise ExpressionError(unknown("figure", name, names, close) + more)
        figure = known[key]

        def value(of: Any) -> Any:
            found = figure.value(of)
            return found if is_array(found) and figure.unit == "text" else exact(found, name)

        shares = SHARES.get(name)
        subject = None if shares is None or self.inside else Subject(name, figure.unit, shares)
        return Typed(name, figure.unit, value, figure.cost, subject)

    def _call(self, tree: Tree) -> Typed:
        name: str = tree.value
        if name in OVER_LAYERS:
            return self._over_layers(name, tree.parts)
        if name in FUNCTIONS and not self.inside:
            return self._function(name, FUNCTIONS[name], tree.parts)
        if name in OF_LISTS:
            return self._numeric(name, tree.parts)
        raise ExpressionError(unknown("function", name, [*OVER_LAYERS, *FUNCTIONS, *OF_LISTS]))

    def _over_layers(self, name: str, parts: Sequence[Tree]) -> Typed:
        if self.inside or len(parts) != 1:
            raise ExpressionError(f"{name} takes one condition about a layer, such as {name}(layer.channels % 8 != 0)")
        inner = Reader(self.settings, inside=True).read(parts[0])
        inner = need(inner, "truth", f"{name} takes a condition about a layer")

        def met(row: Any) -> Any:
            try:
                found = inner.value(row)
            except MissingError:
                return False
            return Truths(found.definite) if isinstance(found, Truths) else found

        def of_layers(analysis: Any) -> Any:
            rows = [row for row in analysis.rows if row.node is not None and row.node.inputs]
            return OVER_LAYERS[name]([_of_present(met(row), row.present, name == "all") for row in rows])

        def value(analysis: Any) -> Any:
            if inner.cost < FIELD or not has_bounds(analysis):
                return of_layers(analysis)
            found = filled(analysis, 0, 1, lambda one: int(of_layers(one)))
            return exact(found, name) if name == "count" else Truths(found == 1)

        text = f"{name}({inner.text})"

        def shares(analysis: Any) -> list[Share]:
            """The layers that count: those that meet the condition, or of ``all``, those that do not."""
            rows = [row for row in analysis.rows if row.node is not None and row.node.inputs]
            return [Share(row.name, 1) for row in rows if met(row) != (name == "all")]

        unit = NUMBER if name == "count" else "truth"
        return Typed(text, unit, value, inner.cost, Subject(text, NUMBER, shares))

    def _function(self, name: str, function: Function, parts: Sequence[Tree]) -> Typed:
        given_first, options, text = given_options(name, function, parts)
        function.check(*given_first)

        def value(analysis: Any) -> Any:
            return exact(function.value(analysis, *given_first, **options), name)

        subject = Subject(text, function.unit, lambda analysis: SHARES[name](analysis, *given_first, **options))
        return Typed(text, function.unit, value, function.cost, subject)

    def _numeric(self, name: str, parts: Sequence[Tree]) -> Typed:
        if not parts or (name == "abs" and len(parts) != 1):
            raise ExpressionError(f"{name} takes {'one number' if name == 'abs' else 'numbers'}")
        inner = [self.read(part) for part in parts]
        if len(inner) == 1 and inner[0].unit == "setting" and name != "abs":
            return of_setting(name, inner[0])
        if name not in OF_NUMBERS:
            raise ExpressionError(f"{name} takes a setting that is a list")
        for i, one in enumerate(inner):
            inner[i] = alike(inner[0], need_number(one))[1]
        run = OF_NUMBERS[name]
        return Typed(
            f"{name}(...)",
            inner[0].unit,
            lambda of: run([one.value(of) for one in inner]),
            max(one.cost for one in inner),
            next((one.subject for one in inner if one.subject), None),
        )

    def _chain(self, tree: Tree) -> Typed:
        total = self.read(tree.parts[0])
        for op, part in zip(tree.value, tree.parts[1:], strict=True):
            other = self.read(part)
            if op in ("/", "//", "%") and is_constant(part) and other.value(None) == 0:
                raise ExpressionError(f"{total.text} {op} {other.text} is a division by zero")
            total = arithmetic(op, total, other)
        return total

    def _positive(self, tree: Tree) -> Typed:
        inner = need_number(self.read(tree.parts[0]))
        sign = -1 if tree.kind == "negative" else 1
        return inner._replace(text=f"{'-' if sign < 0 else ''}{inner.text}", value=lambda of: sign * inner.value(of))

    _negative = _positive

    def _compare(self, tree: Tree) -> Typed:
        return comparison(tree.value, *map(self.read, tree.parts))

    def _and(self, tree: Tree) -> Typed:
        kind: str = tree.kind
        parts = [need(self.read(part), "truth", f"{kind} stands between conditions") for part in _flat(tree)]
        values = [part.value for part in sorted(parts, key=lambda part: part.cost)]
        return Typed(
            f" {kind} ".join(part.text for part in parts),
            "truth",
            lambda of: joined([partial(value, of) for value in values], kind == "or"),
            max(part.cost for part in parts),
            next((part.subject for part in parts if part.subject), None),
            parts=tuple(parts) if kind == "and" else (),
        )

    _or = _and

    def _not(self, tree: Tree) -> Typed:
        inner = need(self.read(tree.parts[0]), "truth", "not stands before a condition")
        return inner._replace(
            sides=None,
            parts=(),
            text=f"not {inner.text}",
            value=lambda of: negated(inner.value(of)) if tree.value else inner.value(of),
        )

    def _if(self, tree: Tree) -> Typed:
        value, chosen, other = (self.read(part) for part in tree.parts)
        chosen = need(chosen, "truth", "if is followed by a condition")
        value, other = alike(value, other)
        return Typed(
            value.text,
            value.unit,
            lambda of: either(chosen.value(of), lambda: value.value(of), lambda: other.value(of)),
            max(value.cost, chosen.cost, other.cost),
            value.subject or other.subject,
        )


def is_constant(tree: Tree) -> bool:
    """Whether a part of a condition is the same for every network."""
    return tree.kind in ("number", "text", "word") or (
        tree.kind not in ("name", "call", "option") and all(map(is_constant, tree.parts))
    )


def _of_present(found: Any, present: Any, absent: bool) -> Any:
    """What holds for a layer where it is present; ``absent`` where some elements of arrays lack the layer."""
    if not is_array(present):
        return found
    lacks = Truths(present != 1)
    return joined(map(later, (found, lacks if absent else lacks.negated())), absent)


def _flat(tree: Tree) -> list[Tree]:
    """The parts of a chain of ``and``, or of ``or``."""
    left, right = tree.parts
    return [*(_flat(left) if left.kind == tree.kind else [left]), right]


def _setting(analysis: Any, key: str, text: str) -> Any:
    found = analysis.network.settings.get(key)
    if found is None:
        raise MissingError(text)
    return found
