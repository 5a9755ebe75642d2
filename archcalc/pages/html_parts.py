"""The parts of an HTML page: the document around it, tables, lists and pictures. Every text is escaped here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from archcalc.plot.colours import DARK, INK, WHITE
from archcalc.report.escape import html_text
from archcalc.report.formats import cell_texts
from archcalc.report.table import Heading, Known, Table
from archcalc.version import __version__

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""A page may use what stands in it and nothing else."""

NUMBERS = ("number", "count", "bytes", "ratio", "printed")
WIDE = ("reason", "where", "title")
"""Columns of sentences, which are broken into lines."""


class HtmlRow(NamedTuple):
    """A row of a table as it is shown: its cells, how deep it is nested, and whether it stands for a block."""

    cells: Sequence[str]
    level: int = 0
    block: bool = False


@lru_cache(maxsize=2)
def asset(name: str) -> str:
    """The text of a file that is put into every page."""
    return resources.files("archcalc.pages").joinpath("assets", name).read_text(encoding="utf-8")


def document(title: str, body: str, style: str = "") -> str:
    """A page that needs nothing but itself."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="archcalc {__version__}">
<title>{html_text(title)}</title>
<link rel="icon" href="data:,">
<style>
{asset("report.css")}{style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
{body}
<script>
{asset("report.js")}</script>
</body>
</html>
"""


def section(name: str, title: str, content: str) -> str:
    return f'<section id="{name}" aria-labelledby="{name}-title">\n<h2 id="{name}-title">{html_text(title)}</h2>\n{content}</section>\n'


def sentences(lines: Sequence[str]) -> str:
    return '<ul class="said">\n' + "".join(f"<li>{html_text(line)}</li>\n" for line in lines) + "</ul>\n"


def link(text: str, target: str) -> str:
    """A link; one that is not of the web is shown as its text."""
    safe = target.startswith(("https://", "http://")) or re.fullmatch(r"[\w.-]+", target)
    return f'<a href="{html_text(target)}">{html_text(text)}</a>' if safe else html_text(text)


def table(
    made: Table,
    name: str,
    caption: str,
    *,
    exact: bool = True,
    what: str = "rows",
    sortable: bool = True,
    links: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """A table with its total; columns in ``links`` have a link for a cell of that text.

    Where cells are rounded (not ``exact``), they sort by the exact number all the same.
    """
    titles, texts = cell_texts(made, exact)
    body = texts[: len(made.rows)]
    lines = []
    for row, shown in zip(made.rows, body, strict=True):
        first, *others = zip(made.headings, row, shown, strict=True)
        lines.append(
            HtmlRow([named(_linked(first[0], first[2], links or {})), *(_cell(*one, links or {}) for one in others)])
        )
    total = texts[len(made.rows)] if made.total else None
    return table_of(made.headings, titles, lines, name, caption, what=what, sortable=sortable, total=total)


def table_of(
    headings: Sequence[Heading],
    titles: Sequence[str],
    lines: Sequence[HtmlRow],
    name: str,
    caption: str,
    *,
    what: str = "rows",
    sortable: bool = True,
    total: Sequence[str] | None = None,
) -> str:
    """Lines under headings in a frame of their own, with the search and the buttons that the script brings to life."""
    head = "".join(
        f'<th scope="col"{_class(heading)}>{html_text(title)}</th>'
        for heading, title in zip(headings, titles, strict=True)
    )
    rows = "".join(_row(line) for line in lines)
    foot = ""
    if total:
        cells = "".join(
            f"<td{_class(heading)}>{html_text(text)}</td>"
            for heading, text in zip(headings[1:], total[1:], strict=True)
        )
        foot = f'<tfoot><tr><th scope="row">{html_text(total[0])}</th>{cells}</tr></tfoot>\n'
    kind = ' class="sortable"' if sortable else ""
    folds = any(line.block for line in lines)
    return (
        (_tools(name, what, folds) if sortable else "")
        + f'<div class="scroll" tabindex="0" role="region" aria-labelledby="{name}-caption">\n'
        + f'<table id="{name}"{kind}>\n<caption id="{name}-caption">{html_text(caption)}</caption>\n'
        + f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n{foot}</table>\n</div>\n"
    )


def cell(heading: Heading, shown: str, key: Any = None) -> str:
    """A cell of a column, with the number that it sorts by where that is not what it shows."""
    by = "" if key is None else f' data-v="{html_text(str(key))}"'
    return f"<td{_class(heading)}{by}>{html_text(shown)}</td>"


def named(text: str) -> str:
    """The cell that names its row."""
    return f'<th scope="row">{text}</th>'


def _cell(heading: Heading, value: Any, shown: str, links: Mapping[str, Mapping[str, str]]) -> str:
    number = max(value.numbers, default=None) if isinstance(value, Known) else value
    by = f' data-v="{number}"' if isinstance(number, int) and str(number) != shown.replace(",", "") else ""
    return f"<td{_class(heading)}{by}>{_linked(heading, shown, links)}</td>"


def _linked(heading: Heading, shown: str, links: Mapping[str, Mapping[str, str]]) -> str:
    target = links.get(heading.name, {}).get(shown)
    return link(shown, target) if target else html_text(shown)


def _row(line: HtmlRow) -> str:
    kind = ' class="block"' if line.block else ""
    level = f' data-level="{line.level}"' if line.level or line.block else ""
    return f"<tr{kind}{level}>{''.join(line.cells)}</tr>\n"


def _class(heading: Heading) -> str:
    if heading.kind in NUMBERS:
        return ' class="n"'
    return ' class="wide"' if heading.name in WIDE else ""


def _tools(name: str, what: str, folds: bool) -> str:
    buttons = (
        '<button type="button" data-fold="none">Unfold all</button><button type="button" data-fold="all">Fold all</button>'
        if folds
        else ""
    )
    return (
        f'<div class="tools" data-for="{name}" hidden><label for="{name}-search">Search</label>'
        f'<input type="search" id="{name}-search" autocomplete="off" spellcheck="false">{buttons}'
        f'<span role="status" data-what="{what}"></span></div>\n'
    )


@lru_cache(maxsize=1)
def _variables() -> Mapping[str, str]:
    """A name of a page's style for every colour of a picture."""
    return {colour: f"--c{nth}" for nth, colour in enumerate(sorted(DARK))}


def picture_colours() -> str:
    """The colours of pictures for a page's style: on a dark screen every one is its counterpart."""
    light = " ".join(f"{name}: {colour};" for colour, name in _variables().items())
    dark = " ".join(f"{name}: {DARK[colour]};" for colour, name in _variables().items())
    return (
        f"figure svg {{ {light} fill: var({_variables()[INK]}); }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ figure svg {{ {dark} }} }}\n"
    )


def inlined(svg: str, prefix: str) -> str:
    """An SVG with its names made unique in a page, and its colours those of the page's style.

    The black and white text on the nodes of a graph is left to the style sheet: nodes are light on a dark screen too.
    """
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'((?:xlink:)?href=")#', rf"\1#{prefix}-", svg)
    svg = re.sub(r"url\(#", f"url(#{prefix}-", svg)
    svg = re.sub(r'\b(fill|stroke)="(white|black)"', lambda at: f'{at[1]}="{WHITE if at[2] == "white" else INK}"', svg)
    svg = re.sub(
        r'<g class="node">.*?</g>',
        lambda node: re.sub(r'(<text [^>]*fill="#)(0|f)\2{5}"', r'\1\2\2\2"', node[0]),
        svg,
        flags=re.DOTALL,
    )
    names = _variables()
    return re.sub(
        r"((?:fill|stroke)(?:: |=\"))(#[0-9a-f]{6})\b",
        lambda at: f"{at[1]}var({names[at[2]]})" if at[2] in names else at[0],
        svg,
    )
