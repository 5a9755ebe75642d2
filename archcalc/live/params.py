"""The spec parameters of a network, with the range of a slider or the choices of a list.

A range follows from the conditions under ``check``, with the other parameters as they are. Values are tried outward from
the current one, a bounded number of them; the range of a parameter without conditions is a suggestion.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from math import floor, log10
from typing import Any, NamedTuple

from archcalc.errors import ArchcalcError
from archcalc.language.evaluator import Evaluator, UsedUpError
from archcalc.language.expression import Expression
from archcalc.language.family import Family
from archcalc.language.steps import Given
from archcalc.live.documents import Document

NEAR, LINE, DOUBLINGS, TIMES = 20, 24, 12, 4
"""Steps that are tried, values in a line, then doublings of the distance, and the largest multiple of a value."""
MOST_CHOICES = 20
LONGEST_ABOUT = 200


class Range(NamedTuple):
    """The smallest and the largest value, the distance of two values, or all values; None or empty: unknown."""

    least: Any = None
    most: Any = None
    step: Any = None
    choices: tuple[Any, ...] = ()


def params_data(found: Document, network: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every spec parameter with its default, its value, its kind, its range and its comment in the text."""
    family = found.family
    if family is None:
        return []
    defaults = family.params | family.networks[network].settings
    conditions = _Conditions(family, values)
    lines = found.text.splitlines()
    tree = found.tree.value.get("params") if found.tree is not None else None
    trees = tree.value if tree is not None and isinstance(tree.value, dict) else {}
    data = []
    for name, default in defaults.items():
        value = values.get(name, default)
        found_range = range_of(value, default, conditions.about(name), found.text)
        about = comment(lines, trees[name].line) if name in trees else ""
        data.append(
            {
                "name": name,
                "default": default,
                "value": list(value) if isinstance(value, tuple) else value,
                "kind": kind(default),
                **found_range._asdict(),
                "choices": list(found_range.choices),
                "about": about,
            }
        )
    return data


def kind(value: Any) -> str:
    """The kind of a value: bool, int, float, word, list or any."""
    kinds = {bool: "bool", int: "int", float: "float", str: "word", list: "list"}
    return kinds.get(type(value), "any")


def comment(lines: list[str], line: int) -> str:
    """The comment at the end of a line of YAML, such as the meaning of a parameter; '' if there is none.

    >>> comment(["growth: 32   # feature maps per layer"], 1), comment(["title: 'a # b'"], 1)
    ('feature maps per layer', '')
    """
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    found = re.fullmatch(r"(?:[^#'\"]|'[^']*'|\"[^\"]*\"|(?<=\S)#)*\s#\s*(.{1,1000})", text[:2_000])
    return found[1].strip()[:LONGEST_ABOUT] if found else ""


class _Conditions:
    """The conditions of a family, for trying values of one parameter."""

    def __init__(self, family: Family, values: Mapping[str, Any]) -> None:
        self.family, self.values = family, dict(values)
        self.checks = [(given, self._reached(given.value)) for given, _ in family.checks]

    def _reached(self, given: Any) -> set[str]:
        """The names that a condition reads, and those that their values under ``let`` read."""
        reached, left = set[str](), [given]
        while left:
            one = left.pop()
            for name in one.names - reached if isinstance(one, Expression) else ():
                reached.add(name)
                left += [self.family.let[name].value] if name in self.family.let else []
        return reached

    def about(self, name: str) -> _About:
        """The conditions that read a parameter."""
        checks = [(given, names) for given, names in self.checks if name in names]
        names = set[str]().union(*(names for _, names in checks))
        let = {key: given for key, given in self.family.let.items() if key in names}
        return _About(name, self.values, let, [given for given, _ in checks])


class _About(NamedTuple):
    """The conditions that read one parameter, the names under ``let`` that they need, and all values."""

    name: str
    values: Mapping[str, Any]
    let: Mapping[str, Given]
    checks: Sequence[Given]

    def hold(self, value: Any) -> bool:
        """Whether the conditions hold with another value of the parameter."""
        evaluator, scope = Evaluator(), {**self.values, self.name: value}
        try:
            for key, given in self.let.items():
                scope[key] = evaluator.evaluate(given.value, scope, given.place)
            return all(evaluator.holds(given.value, scope, given.place) is True for given in self.checks)
        except (ArchcalcError, UsedUpError):
            return False

    def numbers(self, pattern: str) -> list[int]:
        """The whole numbers of a pattern in the texts of the conditions."""
        texts = [given.value.text for given in self.checks if isinstance(given.value, Expression)]
        return sorted({int(found) for text in texts for found in re.findall(pattern, text)})[:MOST_CHOICES]


def range_of(value: Any, default: Any, about: _About, text: str) -> Range:
    """The range or the choices of a parameter."""
    if isinstance(default, str):
        return Range(choices=_words(default, about, text))
    if isinstance(default, list):
        numbers = [n for n in (*default, *(value if isinstance(value, (list, tuple)) else ())) if type(n) is int]
        whole = numbers and all(type(n) is int for n in default)
        return Range(min(1, *numbers), max(16, TIMES * max(numbers)), 1) if whole and min(numbers) >= 0 else Range()
    if isinstance(default, bool) or not isinstance(default, (int, float)) or not isinstance(value, (int, float)):
        return Range()
    unit = 1 if isinstance(default, int) else _unit(default or value)
    bottom = min(1 if isinstance(default, int) and default > 0 else 0, value, default)
    top = max(16 * unit, TIMES * max(abs(default), abs(value)), *about.numbers(r"\b[0-9]{1,9}\b"))
    if not about.checks:
        return Range(bottom, _tidy(top, unit), unit)
    return _tried(value, unit, bottom, top, about)


def _tried(value: Any, unit: Any, bottom: Any, top: Any, about: _About) -> Range:
    """The range around a value in which the conditions hold."""

    def holds(at: Any) -> bool:
        return bool(bottom <= at <= top) and about.hold(_tidy(at, unit))

    steps = (*range(1, NEAR + 1), *(n for n in about.numbers(r"%\s*([0-9]{1,9})\b") if n > NEAR))
    near = next((k for k in steps if holds(value + k * unit) or holds(value - k * unit)), None)
    equal = [n for n in about.numbers(rf"\b{re.escape(about.name)}\s*==\s*([0-9]{{1,9}})\b") if about.hold(n)]
    if len(equal) > 1 and value in equal:
        return Range(choices=tuple(equal))
    if near is None:
        return Range()
    step = near * unit
    least, most = (_tidy(_end(holds, value, by), unit) for by in (-step, step))
    return Range(least, most, _tidy(step, unit))


def _end(holds: Callable[[Any], bool], value: Any, step: Any) -> Any:
    """The last value in a direction for which the conditions hold, if they hold up to it."""
    far, distance = 0, 1
    while far < LINE and holds(value + (far + 1) * step):
        far += 1
    if far < LINE:
        return value + far * step
    for _ in range(DOUBLINGS):
        if not holds(value + (far + distance) * step):
            break
        far, distance = far + distance, 2 * distance
    while distance > 1:
        distance //= 2
        if holds(value + (far + distance) * step):
            far += distance
    return value + far * step


def _unit(value: float) -> float:
    """The step of a slider for a number that is no whole number: 0.05 for 1.0 and for 0.2."""
    if not value:
        return 0.05
    return float(f"5e{floor(log10(abs(value))) - (2 if abs(value) >= 1 else 1)}")


def _tidy(value: Any, unit: Any) -> Any:
    """A number without the dust of binary fractions."""
    if not isinstance(value, float):
        return value
    return 0.0 if abs(value) < unit / 1000 else float(f"{value:.9g}")


def _words(default: str, about: _About, text: str) -> tuple[str, ...]:
    """The words that the text compares a parameter with, if the conditions hold for them."""
    words = sorted({default, *compared_words(about.name, text)})[:MOST_CHOICES]
    words = [word for word in words if about.hold(word)]
    return tuple(words) if len(words) > 1 else ()


def compared_words(name: str, text: str) -> list[str]:
    """The words that expressions of a text compare a parameter with.

    >>> compared_words("option", "when: option == 'a' or 'b' == option")
    ['a', 'b']
    """
    quoted, name = r"'([\w.+-]{1,40})'", re.escape(name)
    compared = rf"\b{name}\s*[!=]=\s*{quoted}|{quoted}\s*[!=]=\s*{name}\b"
    return list(dict.fromkeys(a or b for a, b in re.findall(compared, text)))
