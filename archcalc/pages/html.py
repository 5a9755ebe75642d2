"""A page as one HTML file that needs nothing but itself, and the index of many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from archcalc.analysis import Analysis
from archcalc.analysis.fold import fold
from archcalc.analysis.trace import Row
from archcalc.pages.html_parts import (
    HtmlRow,
    cell,
    document,
    inlined,
    link,
    named,
    picture_colours,
    section,
    sentences,
    table,
    table_of,
)
from archcalc.pages.page import LAYERS, Card, Page, Picture
from archcalc.report.escape import html_text
from archcalc.report.formats import cell_texts
from archcalc.report.layers import COLUMNS
from archcalc.report.table import Table
from archcalc.units import NOT_COUNTED, counted
from archcalc.version import __version__

INDEX = "index.html"
SECTIONS = {
    "stages": "Stage by stage",
    "layers": "Layer by layer",
    "pictures": "Pictures",
    "field": "Receptive field",
    "memory": "Memory",
    "published": "Published figures",
    "witness": "Seen by PyTorch",
    "counting": "How things are counted",
}


def html_page(page: Page) -> str:
    """The whole page; what comes from a spec is escaped."""
    contents = {
        "stages": table(page.stages, "stage-table", "A stage is a run of layers on maps of one size", sortable=False),
        "layers": _layers(page),
        "pictures": _pictures(page.pictures),
        "field": sentences(page.field),
        "memory": sentences(page.memory),
        "published": _published(page),
        "witness": _witness(page),
        "counting": sentences(page.counting),
    }
    shown = {name: content for name, content in contents.items() if content}
    links = "".join(f'<li><a href="#{name}">{SECTIONS[name]}</a></li>' for name in shown)
    about = "".join(f"<p>{html_text(line)}</p>\n" for line in page.about)
    body = (
        f'<header>\n<nav aria-label="Report"><ul><li><a href="{INDEX}">All networks of this report</a></li></ul></nav>\n'
        f'<h1>{html_text(page.title)}</h1>\n{about}<p class="soft">{html_text(page.input)}</p>\n'
        f'<nav aria-label="Sections of this page"><ul>{links}</ul></nav>\n</header>\n<main id="main">\n'
        f'<section aria-label="Figures"><dl class="cards">\n{"".join(map(_card, page.cards))}</dl></section>\n'
        + "".join(section(name, SECTIONS[name], content) for name, content in shown.items())
        + f"</main>\n<footer><p>archcalc {__version__}; every number follows from the network's spec.</p></footer>"
    )
    return document(page.title, body, picture_colours() if page.pictures else "")


def _card(card: Card) -> str:
    lines = "".join(f"<dd>{html_text(line)}</dd>" for line in card.lines)
    return f'<div><dt>{html_text(card.label)}</dt><dd class="figure">{html_text(card.value)}</dd>{lines}</div>\n'


def _layers(page: Page) -> str:
    titles, texts = cell_texts(page.layers, True)
    lines = list(_tree(page.analysis, page.analysis.rows))
    total = texts[-1] if page.layers.total else None
    n = len(page.analysis.rows)
    caption = f"{counted(n, 'layer')} in the order in which they run, with the input; a block's figures are their sum"
    return table_of(page.layers.headings, titles, lines, "layer-table", caption, what="layers", total=total)


def _tree(analysis: Analysis, rows: Sequence[Row], level: int = 0) -> Iterator[HtmlRow]:
    """The rows, each run of layers of one block below a row with their sums."""
    for scope, run in groupby(rows, lambda row: row.scopes[level] if len(row.scopes) > level else None):
        inside = list(run)
        if scope is None:
            yield from (HtmlRow(_cells(analysis, row), level) for row in inside)
            continue
        if len(inside) > 1:
            (block,) = fold(inside, depth=level + 1)
            name = f"{html_text(scope)} <small>{counted(len(inside), 'layer')}</small>"
            yield HtmlRow([named(name), *_cells(analysis, block)[1:]], level, block=True)
        yield from _tree(analysis, inside, level + 1)


def _cells(analysis: Analysis, row: Row) -> list[str]:
    cells = []
    for name in LAYERS[1:]:
        heading, of = COLUMNS[name]
        value = of(row, analysis)
        exact = isinstance(value, int) and heading.kind in ("count", "bytes")
        shown = NOT_COUNTED if value is None else f"{value:,}" if exact else str(value)
        cells.append(cell(heading, shown, _key(name, row, value)))
    return [named(html_text(row.name)), *cells]


def _key(column: str, row: Row, value: object) -> int | float | None:
    """The number by which a field or a step sorts that is shown as a text; None where there is none."""
    if column not in ("rf", "step") or str(value).isdecimal():
        return None
    views = [view.field for view in row.field if column == "rf" or view.field.step]
    if not views:
        return None
    largest = max(views, key=lambda field: field.size if column == "rf" else field.step)
    if column == "rf":
        return largest.size
    return largest.step // largest.per if largest.step > 2**53 else largest.step / largest.per


def _pictures(pictures: Sequence[Picture]) -> str:
    if not pictures:
        return ""
    return f'<div class="pictures">\n{"".join(map(_figure, pictures))}</div>\n'


def _figure(picture: Picture) -> str:
    about = html_text(picture.about[0].upper() + picture.about[1:])
    if not picture.svg:
        return f"<figure><figcaption>{about}: not drawn; {html_text(picture.problem)}</figcaption></figure>\n"
    svg = inlined(picture.svg, picture.kind)
    return f'<figure id="picture-{picture.kind}"><figcaption>{about}</figcaption><div tabindex="0" role="group" aria-label="{about}">{svg}</div></figure>\n'


def _published(page: Page) -> str:
    if not page.verdicts:
        return "<p>No published figures are known of the network as it stands here.</p>\n"
    links = {"source": {source.key: source.link for source in page.sources}}
    sources = "".join(f"<li>{html_text(s.key)}: {link(s.title, s.link)}</li>\n" for s in page.sources)
    differing, matching = page.differing, page.matching

    def shown(figures: Table, name: str, caption: str) -> str:
        return table(figures, name, caption, what="figures", links=links) if figures.rows else ""

    n = len(matching.rows)
    folded = shown(matching, "match-table", "What was printed, and what archcalc computes")
    return (
        f"<p>{counted(page.facts['figures'], 'figure')}: {html_text(page.verdicts)}. Each is computed anew, without a "
        "tolerance.</p>\n"
        + shown(differing, "figure-table", "What is no match: what was printed, what archcalc computes, and why")
        + (f"<details><summary>{counted(n, 'figure')} that match</summary>\n{folded}</details>\n" if n else "")
        + f'<h3>Sources</h3>\n<ul class="said">\n{sources}</ul>\n'
    )


def _witness(page: Page) -> str:
    if not page.seen:
        return "<p>Not run. <code>archcalc verify</code> holds every figure against a PyTorch module built from the spec.</p>\n"
    rows = "".join(
        f'<tr><th scope="row">{html_text(title)}</th><td class="wide">{html_text(text)}</td></tr>\n'
        for title, text in page.seen.items()
    )
    return (
        '<div class="scroll" tabindex="0" role="region" aria-labelledby="witness-caption"><table>\n'
        '<caption id="witness-caption">A PyTorch module built from the spec, and other people’s models where there are any</caption>\n'
        f'<thead><tr><th scope="col">figure</th><th scope="col">as seen</th></tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n'
    )


def html_index(index: Table, files: dict[str, str]) -> str:
    """The page that compares all networks; ``files`` are the names of their pages without extension."""
    links = {"network": {name: f"{file}.html" for name, file in files.items()}}
    n = len(index.rows)
    body = (
        f'<header>\n<h1>{counted(n, "network")}</h1>\n<p class="soft">{html_text(index.header[0])}</p>\n</header>\n'
        f'<main id="main">\n'
        + table(
            index,
            "networks",
            "Networks side by side; a title sorts by its column",
            exact=False,
            what="networks",
            links=links,
        )
        + section("counting", SECTIONS["counting"], sentences(index.header[1:]))
        + f"</main>\n<footer><p>archcalc {__version__}</p></footer>"
    )
    return document(f"archcalc: {counted(n, 'network')}", body)
