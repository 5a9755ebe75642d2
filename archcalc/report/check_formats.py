"""What a check found, as text, Markdown, JSON, JUnit's XML, and annotations at the lines of files."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from archcalc.budgets.finding import Checked, Finding
from archcalc.conditions.dimension import NUMBER
from archcalc.errors import Place, visible
from archcalc.report.cells import padded
from archcalc.report.check import Results, change, part_cells, place_of, place_text, sentence
from archcalc.report.escape import html_text, json_text, markdown_cell


def text(results: Results) -> str:
    """The findings one after another, for a terminal."""
    lines = [results.summary, *(visible(line) for line in results.header.lines())]
    for finding in results.findings:
        lines += ["", *finding_lines(finding)]
    if results.notes:
        lines += ["", *map(visible, results.notes)]
    return "\n".join(lines) + "\n"


def finding_lines(finding: Finding) -> list[str]:
    """A finding as lines: the budget, the sentence, and the layers."""
    place = place_text(finding.budget.place)
    lines = [f"{finding.network}: {finding.part}" + (f" ({place})" if place else ""), f"  {sentence(finding)}"]
    if finding.parts:
        titles, rows = part_cells(finding)
        sides = ["left", *["right"] * (len(titles) - 1)]
        if titles[-1] == "difference":
            sides[-1] = "left"
        lines += [f"    {'  '.join(row)}".rstrip() for row in padded([titles, *rows], sides)]
    return [visible(line) for line in lines]


def markdown(results: Results) -> str:
    """Tables of the findings and of their layers, as for the summary of a step of CI."""
    parts = [f"### archcalc check: {results.summary}", ", ".join(results.header.lines())]
    if results.findings:
        rows = [
            [
                finding.network,
                finding.part,
                sentence(finding),
                place_text(finding.budget.place),
            ]
            for finding in results.findings
        ]
        parts.append(_table(["network", "budget", "result", "stated at"], rows))
    for finding in results.findings:
        if finding.parts:
            titles, cells = part_cells(finding)
            summary = f"<summary>{html_text(f'{finding.network}: {finding.part}')}</summary>"
            parts.append(f"<details>{summary}\n\n{_table(titles, cells)}\n\n</details>")
    parts += [markdown_cell(note) for note in results.notes]
    return "\n\n".join(parts) + "\n"


def _table(titles: list[str], rows: list[list[str]]) -> str:
    lines = [titles, ["-"] * len(titles), *([markdown_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def json(results: Results) -> str:
    """The findings as objects. Whole numbers are exact; values are in units, bytes or seconds."""
    found = [_object(finding, one) for one in results.checked for finding in one.findings]
    content = {
        **results.header.facts,
        "networks": len(results.checked),
        "budgets": sum(len(one.budgets) for one in results.checked),
        "over": len(found),
        "findings": found,
        "not_in_baseline": [one.network for one in results.checked if one.new],
        "without_budget": [one.network for one in results.checked if not one.budgets],
    }
    return json_text(content) + "\n"


def _object(finding: Finding, checked: Checked) -> dict[str, Any]:
    place = place_of(finding, checked)
    return {
        "network": finding.network,
        "budget": finding.budget.text,
        "stated_at": place_text(finding.budget.place),
        "part": finding.part,
        "figure": finding.figure,
        "unit": "" if finding.unit == NUMBER else str(finding.unit),
        "value": _plain(finding.value),
        "limit": _plain(finding.limit),
        "over": _plain(finding.over),
        "over_percent": None if finding.ratio is None else float(finding.ratio * 100),
        "baseline": _plain(finding.before),
        "missing": finding.missing,
        "layers": [
            {"name": part.name, "value": _plain(part.amount)}
            | ({} if part.before is None else {"baseline": _plain(part.before), "difference": change(part)})
            for part in finding.parts
        ],
        "file": _path(place),
        "line": place.line,
        "message": sentence(finding),
    }


def _plain(value: Any) -> Any:
    """A number as JSON has it."""
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else float(value)
    return value


def junit(results: Results) -> str:
    """A test case for every budget of every network, in the XML that CI reads test results from."""
    from xml.etree.ElementTree import Element, SubElement, indent, tostring

    count, failed = sum(len(one.budgets) for one in results.checked), 0
    suites = Element("testsuites", name="archcalc check")
    suite = SubElement(suites, "testsuite", name="archcalc check")
    for one in results.checked:
        for budget in one.budgets:
            over = [finding for finding in one.findings if finding.budget == budget]
            case = SubElement(suite, "testcase", classname=visible(one.network), name=visible(budget.text), time="0")
            if one.file:
                case.set("file", _path(Place(one.file)))
            if over:
                failed += 1
                lines = [line for finding in over for line in finding_lines(finding)]
                message = visible("; ".join(map(sentence, over)))
                SubElement(case, "failure", type="budget", message=message).text = "\n".join(lines)
    for element in (suites, suite):
        for key, number in {"tests": count, "failures": failed, "errors": 0, "skipped": 0, "time": 0}.items():
            element.set(key, str(number))
    indent(suites)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(suites, encoding="unicode")}\n'


def github(results: Results) -> str:
    """A workflow command for every finding, which GitHub shows at the file and line."""
    lines = []
    for one in results.checked:
        for finding in one.findings:
            place = place_of(finding, one)
            found = {"file": _path(place), "line": str(place.line or ""), "title": f"{finding.network}: {finding.part}"}
            properties = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in found.items() if value)
            message = sentence(finding)
            if finding.parts:
                message += "\n" + "\n".join(line.strip() for line in finding_lines(finding)[2:])
            lines.append(f"::error {properties}::{_escaped(message)}\n")
    return "".join(lines)


def _escaped(text: str, more: str = "") -> str:
    """Text of a workflow command. Percent signs and line ends are written as codes, and ``more`` signs too."""
    return "".join(f"%{ord(sign):02X}" if sign in "%\r\n" + more else sign for sign in text)


def _path(place: Place) -> str:
    """A path as CI shows it: from the working directory, with slashes."""
    path = os.path.relpath(place.file) if os.path.isabs(place.file) else os.path.normpath(place.file or "")
    return "" if not place.file else place.file if path.startswith("..") else path.replace(os.sep, "/")


FORMATS: Mapping[str, Callable[[Results], str]] = {
    "text": text,
    "markdown": markdown,
    "json": json,
    "junit": junit,
    "github": github,
}
EXTENSIONS: Mapping[str, str] = {
    "txt": "text",
    "md": "markdown",
    "markdown": "markdown",
    "json": "json",
    "xml": "junit",
}
"""The format for each file extension."""


def render(results: Results, format: str) -> str:
    return FORMATS[format](results)
