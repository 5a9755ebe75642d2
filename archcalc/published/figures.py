"""Published figures: read from specs/published, checked as they are read.

A file holds tables as they were printed: columns of quantities, rows of layers (or of networks, or a total), and in
each cell the figure's text. Every figure has its source; one without does not load.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from archcalc.errors import ArchcalcError, Problem, unknown
from archcalc.language.operations import ExpressionError
from archcalc.language.tree import Tree, parse
from archcalc.language.zoo import specs, text_of
from archcalc.published.formula import Formula, formula
from archcalc.published.printed import Printed, printed, unit
from archcalc.published.quantities import QUANTITIES
from archcalc.published.subject import Subject

CONFIDENCE = {
    "read": "read in the source",
    "quoted": "read in a text that quotes it",
    "memory": "recalled, not looked up",
}
VERDICTS = ("match", "truncated", "other convention", "other variant", "wrong", "unverifiable")
NOT_FIGURES = ("accuracy.yaml", "sources.yaml")
TOTAL = "total"

TABLE = ("source", "where", "confidence", "note", "network", "input", "settings", "training", "columns", "rows")
COLUMN = ("quantity", "as", "unit", "digits", "binary", "input", "verdict")
CELL = ("printed", "digits", "verdict", "explained_by")
EXPLANATION = ("as", "binary", "network", "input", "settings", "training", "slip", "because")


class Source(NamedTuple):
    """Where figures were printed."""

    key: str
    title: str
    link: str


class Explanation(NamedTuple):
    """A claim why a figure is not what the source's convention gives; the engine checks it.

    Either another formula (``convention``), K for 1024 (``binary``), another subject, or the formula of a ``slip``.
    """

    because: str
    convention: Formula | None = None
    binary: bool = False
    subject: Subject | None = None
    slip: Formula | None = None


class Figure(NamedTuple):
    """One published number with all that is needed to compute it anew.

    ``verdict`` is the recorded one; ``heading`` the unit in its column's title.
    """

    file: str
    line: int
    source: Source
    where: str
    confidence: str
    subject: Subject
    quantity: str
    formula: Formula
    printed: Printed
    binary: bool
    verdict: str
    explained: Explanation | None
    note: str
    heading: str


class _Column(NamedTuple):
    quantity: str
    formula: Formula
    unit: str
    digits: int | None
    binary: bool
    input: tuple[int, ...]
    verdict: str


def load_figures(folder: Path | None = None) -> list[Figure]:
    """Every figure of the folder (specs/published); ArchcalcError with all that is wrong in it, by line."""
    folder = folder or specs() / "published"
    problems: list[Problem] = []
    known = _sources(folder / "sources.yaml", problems)
    figures: list[Figure] = []
    for path in sorted(folder.glob("*.yaml")):
        if path.name not in NOT_FIGURES:
            figures += _Reader(path, known, problems).figures()
    if problems:
        raise ArchcalcError(problems)
    return figures


def of_networks(figures: list[Figure], patterns: Sequence[str]) -> list[Figure]:
    """The figures of the networks whose name matches one of the patterns; all where there are none.

    ArchcalcError with the nearest name when no figure is left.
    """
    if not patterns:
        return figures
    found = [f for f in figures if any(fnmatchcase(f.subject.network, pattern) for pattern in patterns)]
    if not found:
        for pattern in patterns:
            if "@" in pattern:
                name = pattern.split("@")[0]
                raise ArchcalcError(f"{pattern}: figures were published of {name} without settings; audit {name}")
        known = dict.fromkeys(f.subject.network for f in figures)
        raise ArchcalcError(unknown("network with published figures", " ".join(patterns), known))
    return found


def _sources(path: Path, problems: list[Problem]) -> dict[str, Source]:
    found = {}
    for key, tree in _mapping(parse(text_of(str(path)), path.name)).items():
        given = _mapping(tree)
        if set(given) != {"title", "link"} or not all(isinstance(one.value, str) for one in given.values()):
            problems.append(Problem(f"{key}: a source has a title and a link", path.name, tree.line))
        else:
            found[key] = Source(key, given["title"].text, given["link"].text)
    return found


def _mapping(tree: Tree) -> dict[str, Tree]:
    return tree.value if isinstance(tree.value, dict) else {}


class _Reader:
    """Reads one file; what is wrong is added to ``problems``."""

    def __init__(self, path: Path, sources: Mapping[str, Source], problems: list[Problem]) -> None:
        self.file, self.sources, self.problems = path.name, sources, problems
        self.tables = parse(text_of(str(path)), path.name)

    def figures(self) -> Iterable[Figure]:
        if not isinstance(self.tables.value, list):
            self.wrong("expected a list of tables, each with a source, columns and rows", self.tables)
            return
        for table in self.tables.value:
            try:
                yield from self.table(table)
            except (ValueError, ExpressionError) as error:
                self.wrong(str(error), table)

    def wrong(self, text: str, tree: Tree) -> None:
        self.problems.append(Problem(text, self.file, tree.line))

    def given(self, tree: Tree, keys: tuple[str, ...], what: str) -> dict[str, Tree]:
        """The mapping in tree; a key that is not one of the keys is a problem."""
        for key in _mapping(tree):
            if key not in keys:
                self.wrong(unknown(f"key of {what}", key, keys, most=20), tree.value[key])
        return _mapping(tree)

    def table(self, tree: Tree) -> Iterable[Figure]:
        given = self.given(tree, TABLE, "a table")
        source = self.sources.get(given["source"].text) if "source" in given else None
        if source is None:
            named = given["source"].text if "source" in given else ""
            raise ValueError(unknown("source", named, self.sources) if named else "a table of figures names its source")
        where, confidence = _text(given, "where"), _text(given, "confidence")
        if not where or confidence not in CONFIDENCE:
            raise ValueError(f"a table says where in its source it stands, and a confidence: {', '.join(CONFIDENCE)}")
        subject = _subject(given)
        columns = [self.column(column) for column in given["columns"].value] if "columns" in given else []
        for name, row in _mapping(given["rows"]).items() if "rows" in given else ():
            cells = row.value if isinstance(row.value, list) else [row]
            if len(cells) != len(columns):
                self.wrong(f"{name}: {len(cells)} figures in a table of {len(columns)} columns", row)
                continue
            about = (
                subject._replace(layer="" if name == TOTAL else name)
                if subject.network
                else Subject(name, "", subject.input, subject.settings, subject.training)
            )
            for column, cell in zip(columns, cells, strict=True):
                if cell.value is None:
                    continue
                at = about._replace(input=column.input) if column.input else about
                try:
                    yield self.figure(
                        cell.at(row.line) if cell.line < row.line else cell,
                        at,
                        column,
                        source,
                        where,
                        confidence,
                        _text(given, "note"),
                    )
                except (ValueError, ExpressionError) as error:
                    self.wrong(f"{name}: {error}", cell)

    def column(self, tree: Tree) -> _Column:
        given = self.given(tree, COLUMN, "a column") if isinstance(tree.value, dict) else {"quantity": tree}
        quantity, heading = _text(given, "quantity"), _text(given, "unit")
        if not quantity:
            raise ValueError("a column names its quantity")
        unit(heading)
        how = _text(given, "as") or QUANTITIES.get(quantity, quantity.replace(" ", "_"))
        return _Column(
            quantity,
            formula(how),
            heading,
            _whole(given, "digits"),
            _flag(given, "binary"),
            _input(given),
            _verdict(given, "match"),
        )

    def figure(
        self, tree: Tree, subject: Subject, column: _Column, source: Source, where: str, confidence: str, note: str
    ) -> Figure:
        given = self.given(tree, CELL, "a figure") if isinstance(tree.value, dict) else {"printed": tree}
        digits = _whole(given, "digits")
        text = _text(given, "printed")
        number = printed(text, column.unit, digits if digits is not None else _at_most(column.digits, text))
        explained = self.explanation(given["explained_by"], subject) if "explained_by" in given else None
        return Figure(
            self.file,
            tree.line,
            source,
            where,
            confidence,
            subject,
            column.quantity,
            column.formula,
            number,
            column.binary,
            _verdict(given, column.verdict),
            explained,
            note,
            column.unit,
        )

    def explanation(self, tree: Tree, subject: Subject) -> Explanation:
        given = self.given(tree, EXPLANATION, "an explanation")
        because = _text(given, "because")
        if not because:
            raise ValueError("an explanation says in words what it claims (because)")
        other = subject
        if "network" in given:
            other = subject._replace(network=_text(given, "network"), input=(), settings=())
        if "input" in given:
            other = other._replace(input=_input(given))
        if "settings" in given:
            other = other._replace(settings=_settings(given))
        if "training" in given:
            other = other._replace(training=_flag(given, "training"))
        return Explanation(
            because,
            formula(_text(given, "as")) if "as" in given else None,
            _flag(given, "binary"),
            other if other != subject else None,
            formula(_text(given, "slip")) if "slip" in given else None,
        )


def _at_most(digits: int | None, text: str) -> int | None:
    """A column's digits, for a figure that may have fewer."""
    return None if digits is None else min(digits, max(1, len([c for c in text.lstrip("0.") if c.isdigit()])))


def _subject(given: dict[str, Tree]) -> Subject:
    return Subject(_text(given, "network"), "", _input(given), _settings(given), _flag(given, "training"))


def _settings(given: dict[str, Tree]) -> tuple[tuple[str, Any], ...]:
    data = given["settings"].data() if "settings" in given else {}
    if not isinstance(data, dict):
        raise ValueError("settings are a mapping of a spec's parameters")
    return tuple(data.items())


def _text(given: dict[str, Tree], key: str) -> str:
    return given[key].text if key in given else ""


def _whole(given: dict[str, Tree], key: str) -> int | None:
    if key not in given:
        return None
    if not isinstance(given[key].value, int):
        raise ValueError(f"{key}: expected a whole number, got {given[key].text!r}")
    return int(given[key].value)


def _flag(given: dict[str, Tree], key: str) -> bool:
    if key in given and not isinstance(given[key].value, bool):
        raise ValueError(f"{key}: expected true or false, got {given[key].text!r}")
    return key in given and bool(given[key].value)


def _input(given: dict[str, Tree]) -> tuple[int, ...]:
    sizes = _text(given, "input").split("x") if "input" in given else []
    if not all(size.isdigit() for size in sizes):
        raise ValueError(f"input: expected CHANNELSxHEIGHTxWIDTH, got {_text(given, 'input')!r}")
    return tuple(map(int, sizes))


def _verdict(given: dict[str, Tree], default: str) -> str:
    verdict = _text(given, "verdict") or default
    if verdict not in VERDICTS:
        raise ValueError(unknown("verdict", verdict, VERDICTS))
    return verdict
