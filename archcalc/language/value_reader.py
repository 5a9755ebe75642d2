"""From trees to values: reads settings, expressions, names and parameters, and collects every problem."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from archcalc.errors import ArchcalcError, Place, Problem, clipped, unknown
from archcalc.language.expression import Expression, parse
from archcalc.language.grammar import ExpressionError
from archcalc.language.keywords import (
    MAX_BUDGETS,
    MAX_EXPRESSIONS,
    MAX_LISTED,
    MAX_NAMES,
    MAX_PROBLEMS,
    MAX_VALUES,
    NETWORK,
    OPTIONS,
    PARAM,
    RESERVED,
)
from archcalc.language.operations import UNKNOWN
from archcalc.language.steps import (
    Given,
    Template,
    list_expression,
    text_expression,
)
from archcalc.layers.settings import Like, Text
from archcalc.trees import Tree

UNREADABLE = Expression("", frozenset(), lambda scope, spend: UNKNOWN, 0)
"""Replaces a value that could not be read. The problem is already reported."""


class ValueReader:
    """Reads values. ``scope`` holds the names that an expression may use at the current position."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: dict[Problem, None] = {}
        self.strange: set[tuple[str, int, str]] = set()
        """The reported unknown names, with line and path. An alias can repeat the same name many times."""
        self.scope: frozenset[str] = frozenset()

    def problem(self, text: str, tree: Tree, path: str) -> None:
        self.problems[Problem(text, self.file, tree.line, path)] = None
        if len(self.problems) == MAX_PROBLEMS:
            self.fail_if_any()

    def fail_if_any(self) -> None:
        if self.problems:
            raise ArchcalcError(reported(self.problems))

    def settings(self, tree: Tree, path: str, what: str, known: Mapping[str, Any]) -> dict[str, Any]:
        """The settings of a layer or block, with parsed expressions. Unknown settings are reported."""
        if tree.value is None:
            return {}
        if not isinstance(tree.value, dict):
            self.problem(
                f"the settings of {what} must be a mapping ({', '.join(known) or 'it has none'}), got {kind(tree)}",
                tree,
                path,
            )
            return {}
        values = {}
        for key, child in tree.value.items():
            inside = f"{path}.{clipped(key, 60)}"
            if isinstance(known.get(key), Like):
                template = self.template(child, inside)
                values[key] = UNREADABLE if template is None else template
            elif isinstance(known.get(key), Text):
                values[key] = self.text(child, inside)
            elif key in known:
                values[key] = self.value(child, inside, getattr(known[key], "words", ()))
            elif key in OPTIONS:
                self.problem(f"{key} stands beside {path.rpartition('.')[2]}:, not below it", child, inside)
            elif known:
                from archcalc.language.synonyms import unknown_setting

                self.problem(unknown_setting(what, key, known), child, inside)
            else:
                self.problem(f"{what} has no settings, got {clipped(key, 60)!r}", child, inside)
        return values

    def templates(self, tree: Tree, path: str, what: str) -> list[Template]:
        """The templates of one name, or of a list of names."""
        names = tree.value if isinstance(tree.value, list) else [tree]
        if not names:
            self.problem(f"{what} names no layer", tree, path)
        return [t for t in (self.template(name, path, several=True) for name in names) if t is not None]

    def template(self, tree: Tree, path: str, *, several: bool = False) -> Template | None:
        if isinstance(tree.value, (dict, list, bool)) or tree.value is None:
            self.problem(f"expected a name, got {kind(tree)}", tree, path)
            return None
        try:
            template = Template(tree.text)
        except ExpressionError as error:
            self.problem(str(error), tree, path)
            return None
        self.names_known(template.names, tree, path)
        if template.range is not None and not several:
            self.problem(f"one name stands here, and {tree.text!r} has a range", tree, path)
            return None
        return template

    def text(self, tree: Tree, path: str) -> Any:
        """A text, or an expression if the text has braces; anything else as it stands."""
        if isinstance(tree.value, (list, dict)):
            self.problem(f"expected a text, got {kind(tree)}", tree, path)
            return UNREADABLE
        if not isinstance(tree.value, str):
            return tree.value
        try:
            text = text_expression(tree.value)
        except ExpressionError as error:
            self.problem(str(error), tree, path)
            return UNREADABLE
        known = isinstance(text, str) or self.names_known(text.names, tree, path)
        return text if known else UNREADABLE

    def names_known(self, names: frozenset[str], tree: Tree, path: str, words: tuple[str, ...] = ()) -> bool:
        strange = sorted(names - self.scope)
        for name in strange:
            if (name, tree.line, path) not in self.strange:
                self.strange.add((name, tree.line, path))
                self.problem(unknown("name", name, dict.fromkeys([*sorted(self.scope), *words])), tree, path)
        return not strange

    def value(self, tree: Tree, path: str, words: tuple[str, ...] = ()) -> Any:
        """Plain data, or an expression if a string stands for a number."""
        if isinstance(tree.value, dict):
            self.problem(f"expected a value, got {kind(tree)}", tree, path)
            return UNREADABLE
        if isinstance(tree.value, list):
            values = [self.value(child, path, words) for child in tree.value]
            if not any(isinstance(v, Expression) for v in values):
                return values
            if tree.size > MAX_EXPRESSIONS:
                self.problem(
                    f"a list with expressions has at most {MAX_EXPRESSIONS} values, got {tree.size - 1}", tree, path
                )
            return list_expression(values)
        if not isinstance(tree.value, str) or tree.value in words:
            return tree.value
        try:
            expression = parse(tree.value)
            if not self.names_known(expression.names, tree, path, words):
                return UNREADABLE
            return expression if expression.names else expression.evaluate({})
        except ExpressionError as error:
            self.problem(str(error), tree, path)
            return UNREADABLE

    def check_param(self, name: str, tree: Tree, path: str, taken: Iterable[str] = ()) -> None:
        """Report a name that cannot be the name of a parameter, of a counter or of an entry under ``let``."""
        shown = clipped(name, 60) if isinstance(tree.value, str) or name else kind(tree)
        if not PARAM.fullmatch(name):
            self.problem(f"a parameter is called by at most 40 letters, digits and _, got {shown!r}", tree, path)
        elif name in RESERVED:
            self.problem(f"a parameter cannot be called {name}, a word of the expression language", tree, path)
        elif name in taken:
            self.problem(f"the name {name} is already taken", tree, path)

    # Parameters of a spec.

    def named(self, tree: Tree, path: str, what: str) -> dict[str, Tree]:
        """The mapping in tree, with at most MAX_NAMES names."""
        if not isinstance(tree.value, dict):
            self.problem(f"{what}, got {kind(tree)}", tree, path)
            return {}
        if len(tree.value) > MAX_NAMES:
            self.problem(f"{len(tree.value):,} names; {MAX_NAMES} are the most", tree, path)
            return {}
        return tree.value

    def params(self, tree: Tree) -> dict[str, Any]:
        named = self.named(tree, "params", "params must be a mapping of names to default values")
        for name, child in named.items():
            self.check_param(name, child, "params")
            if name in NETWORK and name != "layers":
                self.problem(f"a parameter cannot be called {name}, a key of a network", child, "params")
        return {name: self.data(child, f"params.{clipped(name, 60)}") for name, child in named.items()}

    def data(self, tree: Tree, path: str) -> Any:
        """A parameter's value: a number, true or false, a word, or lists of these."""
        if tree.size > MAX_VALUES:
            self.problem(f"{tree.size:,} values; a parameter holds at most {MAX_VALUES:,}", tree, path)
            return None
        if isinstance(tree.value, dict):
            self.problem(
                f"a parameter is a number, true or false, a word or a list of these, got {kind(tree)}", tree, path
            )
            return None
        return tree.value if not isinstance(tree.value, list) else [self.data(t, path) for t in tree.value]

    def let(self, tree: Tree, path: str, params: Iterable[str]) -> dict[str, Given]:
        values = {}
        for name, child in self.named(tree, path, "let must be a mapping of names to expressions").items():
            self.check_param(name, child, path, params)
            inside = f"{path}.{clipped(name, 60)}"
            values[name] = Given(self.value(child, inside), Place(self.file, child.line, inside))
            self.scope |= {name}
        return values

    def checks(self, tree: Tree) -> list[tuple[Given, str]]:
        """The conditions on the parameters, each with the message if the condition does not hold."""
        checks = []
        for text, child in self.named(tree, "check", "check must be a mapping of conditions to what to say").items():
            path = f"check.{clipped(text, 60)}"
            if not isinstance(child.value, str):
                self.problem(f"expected what to say where the condition does not hold, got {kind(child)}", child, path)
                continue
            condition = self.value(Tree(text, child.line), path)
            checks.append((Given(condition, Place(self.file, child.line, path)), child.value))
        return checks

    def budgets(self, tree: Tree, path: str) -> list[Given]:
        """Conditions on the figures of networks, as texts with their lines: a text, or a list of texts."""
        listed = tree.value if isinstance(tree.value, list) else [tree]
        found = []
        for i, child in enumerate(listed[:MAX_BUDGETS]):
            inside = f"{path}[{i}]" if isinstance(tree.value, list) else path
            if isinstance(child.value, str):
                found.append(Given(child.value, Place(self.file, child.line, inside)))
            else:
                hint = "a condition such as 'macs < 4G', or a list of conditions"
                self.problem(f"budgets must be {hint}, got {kind(child)}", child, inside)
        if len(listed) > MAX_BUDGETS:
            self.problem(f"more than {MAX_BUDGETS} budgets", tree, path)
        return found


def reported(problems: Iterable[Problem]) -> list[Problem]:
    """The first MAX_LISTED problems by line (problems without a line last), and the number of further problems."""
    ordered = sorted(problems, key=lambda p: (p.line or 10**9, p.path))
    if len(ordered) <= MAX_LISTED:
        return ordered
    more = len(ordered) - MAX_LISTED
    at_least = "at least " if len(ordered) >= MAX_PROBLEMS else ""
    return [*ordered[:MAX_LISTED], Problem(f"and {at_least}{more} more", ordered[0].file)]


def kind(tree: Tree) -> str:
    """The kind of a tree in words, for messages."""
    value = tree.value
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping" + (f" with {clipped(next(iter(value)), 40)!r}" if value else "")
    if isinstance(value, list):
        return f"a list of {len(value)}"
    shown = str(value).lower() if isinstance(value, bool) else repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
