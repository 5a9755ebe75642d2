"""Evidence for networks of the zoo: published figures with their verdicts, and results of ``archcalc verify``."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType

from archcalc.analysis import Analysis
from archcalc.errors import ArchcalcError, Problem
from archcalc.network import Network
from archcalc.published.figure import Figure
from archcalc.published.figures import load_figures
from archcalc.published.quantities import Calculator
from archcalc.published.verdict import Judgement, judge
from archcalc.report.verification import SUMMARY_HEADINGS

REQUIRED = ("device", "network", "agrees")
MOST_BYTES = 10_000_000
NOTHING: Mapping[str, str] = MappingProxyType({})


class Evidence:
    """Published figures, judged on demand, and the rows of a file of ``archcalc verify --all``."""

    def __init__(self, verification: str | None = None) -> None:
        self._verification = read_verification(verification) if verification is not None else {}
        self._calculator = Calculator()

    @cached_property
    def _figures(self) -> dict[str, list[Figure]]:
        figures: dict[str, list[Figure]] = {}
        for figure in load_figures():
            figures.setdefault(figure.subject.network, []).append(figure)
        return figures

    def judgements(self, analysis: Analysis) -> list[Judgement]:
        """The judgements of a network's published figures; none for a network outside of the zoo or with settings.

        Figures at the input of the analysis are judged by the rows of the analysis.
        """
        network = analysis.network
        figures = self._figures.get(network.name, []) if network.as_in_zoo else []
        if figures:
            self._calculator.add(analysis)
        return [judge(figure, self._calculator) for figure in figures]

    def verification(self, network: Network) -> Mapping[str, str]:
        """The row of ``archcalc verify --all`` for a network of the zoo, by column title. Empty if there is no row."""
        return self._verification.get(network.name, NOTHING) if network.as_in_zoo else NOTHING


def read_verification(path: str) -> dict[str, Mapping[str, str]]:
    """The rows of ``archcalc verify --all --format csv`` by network. Each row maps column titles to cells.

    ArchcalcError, with the line, if the file cannot be read or is another table.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            text = file.read(MOST_BYTES)
    except OSError as error:
        raise ArchcalcError(Problem(f"cannot be read: {(error.strerror or 'unknown reason').lower()}", path)) from None
    except ValueError:
        raise ArchcalcError(Problem("is not UTF-8 text", path)) from None
    reader = csv.reader(io.StringIO(text), strict=True)
    by_network: dict[str, Mapping[str, str]] = {}
    try:
        titles = next(reader, [])
        missing = [name for name in REQUIRED if name not in titles]
        if missing:
            raise ArchcalcError(
                Problem(
                    f"expected the table of archcalc verify --all --format csv; it has no column {missing[0]}", path, 1
                )
            )
        for row in reader:
            if len(row) != len(titles):
                raise ArchcalcError(
                    Problem(f"expected {len(titles)} cells, as in line 1, got {len(row)}", path, reader.line_num)
                )
            cells = dict(zip(titles, row, strict=True))
            shown = {"device": "device", **{heading.name: heading.title for heading in SUMMARY_HEADINGS[1:]}}
            by_network[cells["network"]] = MappingProxyType(
                {title: _readable(cells[name]) for name, title in shown.items() if cells.get(name)}
            )
    except csv.Error as error:
        raise ArchcalcError(Problem(f"is not CSV: {error}", path, reader.line_num)) from None
    return by_network


def _readable(text: str) -> str:
    """A cell of CSV as a page shows it: whole numbers with thousands separators."""
    return f"{int(text):,}" if text.isascii() and text.isdecimal() else text
