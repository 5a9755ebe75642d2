"""A page as Markdown for a repository, small enough to be read, and the index of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archcalc.pages.page import Page
from archcalc.report.cells import pipe_table
from archcalc.report.escape import markdown_text
from archcalc.report.layers import layer_table
from archcalc.report.table import Heading, Table
from archcalc.units import counted

INDEX = "README.md"
MOST = 80
"""The most rows of the table of layers; a network of more is folded, and its file of CSV has every layer."""
BLOCKS = ("layer", "layers", "output", "params", "macs", "memory", "rf")


def markdown_page(page: Page, file: str) -> str:
    """The page; ``file`` is its name without extension, which its CSV and its pictures have too."""
    cards = Table("", CARDS, [[c.label, c.value, "; ".join(c.lines)] for c in page.cards])
    drawn = [p for p in page.pictures if p.svg]
    missing = [p for p in page.pictures if not p.svg]
    parts = [
        f"# {said(page.title)}",
        *map(said, page.about),
        f"{said(page.input)}. [All networks]({INDEX}) · [every layer as CSV]({file}.csv)",
        _table(cards),
        "## Stages",
        _table(page.stages),
        *_layers(page, file),
    ]
    if drawn:
        parts += ["## Pictures", *(f"![{said(p.about)}](figures/{file}-{p.kind}.svg)" for p in drawn)]
    parts += [f"{said(p.about)}: not drawn; {said(p.problem)}" for p in missing]
    parts += ["## Receptive field", _listed(page.field), "## Memory", _listed(page.memory)]
    parts += ["## Published figures", *_published(page), "## Seen by PyTorch", *_witness(page)]
    parts += ["## How things are counted", _listed(page.counting)]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


CARDS = (Heading("figure", "", "text"), Heading("value", "", "text"), Heading("more", "", "text"))
SEEN = (Heading("figure", "figure", "text"), Heading("seen", "as seen", "text"))


def _layers(page: Page, file: str) -> list[str]:
    """Every layer, or blocks folded as little as leaves no more than MOST rows, or none where stages are the finest."""
    analysis = page.analysis
    if len(analysis.rows) <= MOST:
        return ["## Layers", _table(page.layers)]
    every = f"[{file}.csv]({file}.csv) has every layer."
    deepest = max(len(row.scopes) for row in analysis.rows)
    depth = next((d for d in range(deepest, 0, -1) if len(analysis.fold(d)) <= MOST), None)
    if depth is None:
        return ["## Layers", every]
    return ["## Blocks", every, _table(layer_table(analysis, BLOCKS, depth=depth))]


def _published(page: Page) -> list[str]:
    if not page.verdicts:
        return ["No published figures are known of the network as it stands here."]
    parts = [f"{counted(page.facts['figures'], 'figure')}: {page.verdicts}."]
    if page.differing.rows:
        parts += ["Those that are no match:", _table(page.differing)]
    return [*parts, "\n".join(f"- {s.key}: [{said(s.title)}]({s.link})" for s in page.sources)]


def _witness(page: Page) -> list[str]:
    if not page.seen:
        return ["Not run; `archcalc verify` holds every figure against a PyTorch module built from the spec."]
    return [_table(Table("", SEEN, [list(row) for row in page.seen.items()]))]


def markdown_index(index: Table, files: dict[str, str]) -> str:
    """The page that compares all networks; ``files`` are the names of their pages without extension."""
    table = index.selected([h.name for h in index.headings if h.name not in ("title", "saved", "weight_file")])
    return (
        "\n\n".join(
            [
                f"# {counted(len(index.rows), 'network')}",
                f"{said(index.header.lines()[0])}. [As CSV](index.csv)",
                _table(table, {name: f"{file}.md" for name, file in files.items()}),
                _listed(index.details),
            ]
        )
        + "\n"
    )


def _table(table: Table, links: Mapping[str, str] | None = None) -> str:
    """A table whose columns are not filled up with blanks, which a renderer does not need."""
    return pipe_table(table, aligned=False, links=links).rstrip("\n")


def said(text: str) -> str:
    """A text of a spec in a paragraph, shown as it is."""
    return markdown_text(" ".join(text.split()))


def _listed(lines: Sequence[str]) -> str:
    return "\n".join(f"- {said(line)}" for line in lines)
