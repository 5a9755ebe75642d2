"""Published figures, read from specs/published and checked.

A file holds tables as printed: columns of quantities, rows of layers (or of networks, or a total), and in each cell the
text of the figure. Every figure has its source. A figure without a source is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from archcalc.errors import ArchcalcError, Problem, unknown
from archcalc.language.grammar import ExpressionError
from archcalc.language.tree import parse
from archcalc.language.zoo import specs, text_of
from archcalc.published.figure import CONFIDENCE, VERDICTS, Explanation, Figure, Place, Source, Subject
from archcalc.published.formula import Formula, formula
from archcalc.published.printed import read_number, unit
from archcalc.published.quantities import QUANTITIES
from archcalc.trees import Tree

NO_FIGURES = ("accuracy.yaml", "sources.yaml")
"""Files of the folder that contain no figures."""
TOTAL = "total"

TABLE = ("source", "where", "confidence", "note", "network", "input", "settings", "training", "columns", "rows")
COLUMN = ("quantity", "as", "unit", "digits", "binary", "input", "verdict")
CELL = ("printed", "digits", "verdict", "explained_by")
EXPLANATION = ("as", "binary", "network", "input", "settings", "training", "slip", "because")


class _Column(NamedTuple):
    """A column of a table: the quantity, its formula under the source's convention, and options for all its figures."""

    quantity: str
    formula: Formula
    unit: str
    digits: int | None
    binary: bool
    input: tuple[int, ...]
    verdict: str


def load_figures(folder: Path | None = None) -> list[Figure]:
    """Every figure of the folder (by default specs/published). ArchcalcError with every problem and its line."""
    folder = folder or specs() / "published"
    problems: list[Problem] = []
    sources = _sources(folder / "sources.yaml", problems)
    figures: list[Figure] = []
    for path in sorted(folder.glob("*.yaml")):
        if path.name not in NO_FIGURES:
            figures += _Reader(path, sources, problems).figures()
    if problems:
        raise ArchcalcError(problems)
    return figures


def of_networks(figures: list[Figure], patterns: Sequence[str]) -> list[Figure]:
    """The figures of the networks whose name matches one of the patterns; without patterns, all figures.

    ArchcalcError with the nearest name if no figure matches.
    """
    if not patterns:
        return figures
    matching = [f for f in figures if any(fnmatchcase(f.subject.network, pattern) for pattern in patterns)]
    if not matching:
        for pattern in patterns:
            if "@" in pattern:
                name = pattern.split("@")[0]
                raise ArchcalcError(f"{pattern}: figures were published of {name} without settings; audit {name}")
        names = dict.fromkeys(f.subject.network for f in figures)
        raise ArchcalcError(unknown("network with published figures", " ".join(patterns), names))
    return matching


def _sources(path: Path, problems: list[Problem]) -> dict[str, Source]:
    sources = {}
    for key, tree in _mapping(parse(text_of(str(path)), path.name)).items():
        values = _mapping(tree)
        if set(values) != {"title", "link"} or not all(isinstance(one.value, str) for one in values.values()):
            problems.append(Problem(f"{key}: a source has a title and a link", path.name, tree.line))
        else:
            sources[key] = Source(key, values["title"].text, values["link"].text)
    return sources


class _Reader:
    """Reads one file, and adds its problems to ``problems``."""

    def __init__(self, path: Path, sources: Mapping[str, Source], problems: list[Problem]) -> None:
        self.file, self.sources, self.problems = path.name, sources, problems
        self.tables = parse(text_of(str(path)), path.name)

    def figures(self) -> Iterator[Figure]:
        if not isinstance(self.tables.value, list):
            self.problem("expected a list of tables, each with a source, columns and rows", self.tables)
            return
        for table in self.tables.value:
            try:
                yield from self.table(table)
            except (ValueError, ExpressionError) as error:
                self.problem(str(error), table)

    def problem(self, text: str, tree: Tree) -> None:
        self.problems.append(Problem(text, self.file, tree.line))

    def values(self, tree: Tree, keys: tuple[str, ...], what: str) -> dict[str, Tree]:
        """The mapping in ``tree``. A key that is not one of ``keys`` is recorded as a problem."""
        for key in _mapping(tree):
            if key not in keys:
                self.problem(unknown(f"key of {what}", key, keys, most=20), tree.value[key])
        return _mapping(tree)

    def table(self, tree: Tree) -> Iterator[Figure]:
        values = self.values(tree, TABLE, "a table")
        place, subject = self.place(values), _subject(values)
        columns = [self.column(column) for column in values["columns"].value] if "columns" in values else []
        for name, row in _mapping(values["rows"]).items() if "rows" in values else ():
            cells = row.value if isinstance(row.value, list) else [row]
            if len(cells) != len(columns):
                self.problem(f"{name}: {len(cells)} figures in a table of {len(columns)} columns", row)
                continue
            about = _row_subject(subject, name)
            for column, cell in zip(columns, cells, strict=True):
                if cell.value is None:
                    continue
                try:
                    yield self.figure(cell.at(max(row.line, cell.line)), about, column, place)
                except (ValueError, ExpressionError) as error:
                    self.problem(f"{name}: {error}", cell)

    def place(self, values: dict[str, Tree]) -> Place:
        """The source of a table; ValueError if it is missing or unknown."""
        if "source" not in values:
            raise ValueError("a table of figures names its source")
        key = values["source"].text
        if key not in self.sources:
            raise ValueError(unknown("source", key, self.sources))
        where, confidence = _text(values, "where"), _text(values, "confidence")
        if not where or confidence not in CONFIDENCE:
            raise ValueError(f"a table says where in its source it stands, and a confidence: {', '.join(CONFIDENCE)}")
        return Place(self.sources[key], where, confidence, _text(values, "note"))

    def column(self, tree: Tree) -> _Column:
        values = self.values(tree, COLUMN, "a column") if isinstance(tree.value, dict) else {"quantity": tree}
        quantity, heading = _text(values, "quantity"), _text(values, "unit")
        if not quantity:
            raise ValueError("a column names its quantity")
        unit(heading)
        text = _text(values, "as") or QUANTITIES.get(quantity, quantity.replace(" ", "_"))
        return _Column(
            quantity,
            formula(text),
            heading,
            _whole(values, "digits"),
            _flag(values, "binary"),
            _input(values),
            _verdict(values, "match"),
        )

    def figure(self, tree: Tree, subject: Subject, column: _Column, place: Place) -> Figure:
        """The figure in one cell. ValueError or ExpressionError if it cannot be read."""
        values = self.values(tree, CELL, "a figure") if isinstance(tree.value, dict) else {"printed": tree}
        if column.input:
            subject = subject._replace(input=column.input)
        digits, text = _whole(values, "digits"), _text(values, "printed")
        return Figure(
            file=self.file,
            line=tree.line,
            place=place,
            subject=subject,
            quantity=column.quantity,
            formula=column.formula,
            printed=read_number(text, column.unit, digits if digits is not None else _at_most(column.digits, text)),
            binary=column.binary,
            verdict=_verdict(values, column.verdict),
            explanation=self.explanation(values["explained_by"], subject) if "explained_by" in values else None,
            heading=column.unit,
        )

    def explanation(self, tree: Tree, subject: Subject) -> Explanation:
        values = self.values(tree, EXPLANATION, "an explanation")
        because = _text(values, "because")
        if not because:
            raise ValueError("an explanation says in words what it claims (because)")
        other = subject
        if "network" in values:
            other = subject._replace(network=_text(values, "network"), input=(), settings=())
        if "input" in values:
            other = other._replace(input=_input(values))
        if "settings" in values:
            other = other._replace(settings=_settings(values))
        if "training" in values:
            other = other._replace(training=_flag(values, "training"))
        return Explanation(
            because,
            formula(_text(values, "as")) if "as" in values else None,
            _flag(values, "binary"),
            other if other != subject else None,
            formula(_text(values, "slip")) if "slip" in values else None,
        )


def _mapping(tree: Tree) -> dict[str, Tree]:
    return tree.value if isinstance(tree.value, dict) else {}


def _row_subject(subject: Subject, name: str) -> Subject:
    """The subject of a row: a layer of the table's network, or a network if the table names none."""
    if subject.network:
        return subject._replace(layer="" if name == TOTAL else name)
    return subject._replace(network=name)


def _at_most(digits: int | None, text: str) -> int | None:
    """The number of significant digits: the number for the column, or fewer if the figure has fewer digits."""
    return None if digits is None else min(digits, max(1, len([c for c in text.lstrip("0.") if c.isdigit()])))


def _subject(values: dict[str, Tree]) -> Subject:
    return Subject(_text(values, "network"), "", _input(values), _settings(values), _flag(values, "training"))


def _settings(values: dict[str, Tree]) -> tuple[tuple[str, Any], ...]:
    data = values["settings"].data() if "settings" in values else {}
    if not isinstance(data, dict):
        raise ValueError("settings are a mapping of a spec's parameters")
    return tuple(data.items())


def _text(values: dict[str, Tree], key: str) -> str:
    return values[key].text if key in values else ""


def _whole(values: dict[str, Tree], key: str) -> int | None:
    if key not in values:
        return None
    if not isinstance(values[key].value, int):
        raise ValueError(f"{key}: expected a whole number, got {values[key].text!r}")
    return int(values[key].value)


def _flag(values: dict[str, Tree], key: str) -> bool:
    if key in values and not isinstance(values[key].value, bool):
        raise ValueError(f"{key}: expected true or false, got {values[key].text!r}")
    return key in values and bool(values[key].value)


def _input(values: dict[str, Tree]) -> tuple[int, ...]:
    sizes = _text(values, "input").split("x") if "input" in values else []
    if not all(size.isdigit() for size in sizes):
        raise ValueError(f"input: expected CHANNELSxHEIGHTxWIDTH, got {_text(values, 'input')!r}")
    return tuple(map(int, sizes))


def _verdict(values: dict[str, Tree], default: str) -> str:
    verdict = _text(values, "verdict") or default
    if verdict not in VERDICTS:
        raise ValueError(unknown("verdict", verdict, VERDICTS))
    return verdict
