"""A page as Markdown for a repository, short enough for a reader, and the index of all pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archcalc.pages.page import TIMED, Page
from archcalc.report.cells import pipe_table
from archcalc.report.escape import markdown_text
from archcalc.report.layers import layer_table
from archcalc.report.table import Heading, Table
from archcalc.units import counted

INDEX = "README.md"
MOST = 80
"""Maximum number of rows in the table of layers. A longer network is folded; its CSV file has every layer."""
BLOCKS = ("layer", "layers", "output", "params", "macs", "memory", "rf")
INDEX_WITHOUT = ("title", "saved", "weight_file")
"""Columns that only the CSV file of the index has."""

CARDS = (Heading("figure", "", "text"), Heading("value", "", "text"), Heading("more", "", "text"))
WITNESS = (Heading("figure", "figure", "text"), Heading("measured", "measured", "text"))


def markdown_page(page: Page, file: str) -> str:
    """The page as Markdown. ``file``: the name of the page, of its CSV file and of its pictures, without extension."""
    cards = Table("", CARDS, [[c.label, c.value, "; ".join(c.lines)] for c in page.cards])
    pictures = [p for p in page.pictures if p.svg]
    missing = [p for p in page.pictures if not p.svg]
    parts = [
        f"# {_line(page.title)}",
        *map(_line, page.about),
        f"{_line(page.input)}. [All networks]({INDEX}) · [every layer as CSV]({file}.csv)",
        _table(cards),
        "## Stages",
        _table(page.stages),
        *_layers(page, file),
    ]
    if pictures:
        parts += ["## Pictures", *(f"![{_line(p.about)}](figures/{file}-{p.kind}.svg)" for p in pictures)]
    parts += [f"{_line(p.about)}: not drawn: {_line(p.problem)}" for p in missing]
    parts += ["## Receptive field", _list(page.field), "## Memory", _list(page.memory)]
    if page.time:
        parts += ["## Time", _list(page.time)]
    parts += ["## Published figures", *_published(page), "## Measured with PyTorch", *_witness(page)]
    parts += ["## How layers are counted", _list(page.counting)]
    return "\n\n".join(parts) + "\n"


def _layers(page: Page, file: str) -> list[str]:
    """Every layer, or the finest folding by block with at most MOST rows. If there is no such folding: no table."""
    analysis = page.analysis
    if len(analysis.rows) <= MOST:
        return ["## Layers", _table(page.layers)]
    every = f"[{file}.csv]({file}.csv) has every layer."
    deepest = max(len(row.scopes) for row in analysis.rows)
    depth = next((d for d in range(deepest, 0, -1) if len(analysis.fold(d)) <= MOST), None)
    if depth is None:
        return ["## Layers", every]
    columns = (*BLOCKS, *(() if analysis.timed is None else TIMED))
    return ["## Blocks", every, _table(layer_table(analysis, columns, depth=depth))]


def _published(page: Page) -> list[str]:
    if not page.verdicts:
        return ["No published figures are known of this network with these settings and this input."]
    parts = [f"{counted(page.facts['figures'], 'figure')}: {page.verdicts}."]
    if page.differing.rows:
        parts += ["Figures that do not match:", _table(page.differing)]
    return [*parts, "\n".join(f"- {s.key}: [{_line(s.title)}]({s.link})" for s in page.sources)]


def _witness(page: Page) -> list[str]:
    if not page.witness:
        return ["Not run. `archcalc verify` compares every figure with a PyTorch module built from the spec."]
    return [_table(Table("", WITNESS, [list(row) for row in page.witness.items()]))]


def markdown_index(index: Table, files: Mapping[str, str]) -> str:
    """The page that compares all networks. ``files``: the file names of their pages, without extension."""
    table = index.selected([h.name for h in index.headings if h.name not in INDEX_WITHOUT])
    parts = [
        f"# {counted(len(index.rows), 'network')}",
        f"{_line(index.header.size)}. [As CSV](index.csv)",
        _table(table, {name: f"{file}.md" for name, file in files.items()}),
        _list(index.details),
    ]
    return "\n\n".join(parts) + "\n"


def _table(table: Table, links: Mapping[str, str] | None = None) -> str:
    """The table with rounded numbers. Cells are not padded with spaces."""
    return pipe_table(table, aligned=False, links=links).rstrip("\n")


def _line(text: str) -> str:
    """A text of a spec with the escapes that a paragraph needs: the reader sees the text unchanged."""
    return markdown_text(" ".join(text.split()))


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {_line(line)}" for line in lines)
