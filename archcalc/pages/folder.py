"""A folder of pages: every network's files, and the index over them."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from typing import Any, NamedTuple

from archcalc.conventions import convention
from archcalc.errors import ArchcalcError, Problem, unknown
from archcalc.files import refuse_link, unwritable, write_in_folder
from archcalc.language import load
from archcalc.letters import as_name
from archcalc.network import Network
from archcalc.pages.html import html_index, html_page
from archcalc.pages.markdown import markdown_index, markdown_page
from archcalc.pages.page import HEADINGS, PICTURES, page
from archcalc.report.evidence import Evidence
from archcalc.report.formats import render_table
from archcalc.report.header import Header
from archcalc.report.table import Table

FORMATS = ("html", "markdown", "csv")
INDEXES = {"html": "index.html", "markdown": "README.md", "csv": "index.csv"}
LONGEST = 100


class Plan(NamedTuple):
    """What is written of every network: where, in which format, which of them have pictures, and what witnesses saw."""

    folder: str
    format: str
    drawn: frozenset[str]
    verification: str | None


class WrittenPage(NamedTuple):
    """A network whose files are there, with its row in the index; or why they are not."""

    network: str
    file: str
    facts: Mapping[str, Any] | None
    problem: str = ""


def plan(
    folder: str, format: str, names: Sequence[str], drawn: Sequence[str] | None = None, verification: str | None = None
) -> Plan:
    """What is asked for of the networks; ``drawn`` are those with pictures, ["none"] for none, without it all.

    ArchcalcError, before any work, when it cannot be done.
    """
    if format not in FORMATS:
        raise ArchcalcError(unknown("format", format, FORMATS))
    chosen = frozenset(names if drawn is None else () if list(drawn) == ["none"] else drawn)
    for name in sorted(chosen.difference(names)):
        raise ArchcalcError(f"pictures: {unknown('network of this report', name, names)}")
    if format == "html" and find_spec("jinja2") is None:
        raise ArchcalcError(
            "HTML pages need jinja2: pip install 'archcalc[report]'; or write Markdown: --format markdown"
        )
    if format != "csv" and chosen and find_spec("matplotlib") is None:
        raise ArchcalcError("pictures need matplotlib: pip install 'archcalc[plot]'; or leave them out: --figures none")
    file_names(names)
    Evidence(verification)
    writable(folder)
    return Plan(folder, format, chosen, verification)


def figure_names(figures: Sequence[str] | None, nets: Sequence[Network]) -> list[str] | None:
    """The full names of the networks with pictures; a name without settings stands for all networks of that name."""
    if figures is None:
        return None
    named: dict[str, list[str]] = {}
    for net in nets:
        named.setdefault(net.name, []).append(net.full_name)
    return [name for figure in figures for name in named.get(figure, [figure])]


def writable(folder: str) -> None:
    """Make the folder where there is none; ArchcalcError when nothing can be written there."""
    if not folder:
        raise ArchcalcError("an output directory needs a name")
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise ArchcalcError(Problem("is a file, expected a directory to write pages into", folder))
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:
        raise unwritable(folder, error) from None


def file_names(names: Iterable[str]) -> dict[str, str]:
    """A file's name for each network, without extension; ArchcalcError when two would have the same."""
    found: dict[str, str] = {}
    taken = {"index": "the index", "readme": "the index", "figures": "the folder of pictures"}
    for name in names:
        if name in found:
            raise ArchcalcError(f"{name} is named twice; a report has one page for each network")
        file = as_name(name, LONGEST, ".+-").encode()[:LONGEST].decode(errors="ignore").strip("._") or "network"
        if file.lower() in taken:
            raise ArchcalcError(
                f"{name}: its page would be called {file}, as that of {taken[file.lower()]}; report them apart"
            )
        taken[file.lower()] = found[name] = file
    return found


def write_network(network: Network, file: str, how: Plan, records: Evidence) -> Mapping[str, Any]:
    """Write a network's files and return its row in the index."""
    drawn = how.format != "csv" and network.full_name in how.drawn
    kinds = (*PICTURES, *(["graph"] if how.format == "html" else [])) if drawn else ()
    made = page(network, records, kinds)
    path = os.path.join(how.folder, file)
    if how.format == "html":
        write_in_folder(f"{path}.html", html_page(made))
        return made.facts
    write_in_folder(f"{path}.csv", render_table(made.layers._replace(header=Header(version="")), "csv"))
    if how.format == "markdown":
        for picture in made.pictures:
            if picture.svg:
                figures = os.path.join(how.folder, "figures")
                refuse_link(figures)
                writable(figures)
                write_in_folder(os.path.join(figures, f"{file}-{picture.kind}.svg"), picture.svg)
        write_in_folder(f"{path}.md", markdown_page(made, file))
    return made.facts


def write_pages(nets: Sequence[Network | str], how: Plan, jobs: int = 1) -> Iterator[WrittenPage]:
    """Write the networks, or those of the zoo with these names, in their order; ``jobs`` names at once.

    What goes wrong with one does not stop the others.
    """
    files = list(file_names([_name(net) for net in nets]).values())
    if jobs == 1:
        records = Evidence(how.verification)
        yield from (_attempt(net, file, how, records) for net, file in zip(nets, files, strict=True))
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (how,)) as pool:
        try:
            yield from pool.map(_in_process, nets, files, chunksize=2)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _name(net: Network | str) -> str:
    return net if isinstance(net, str) else net.full_name


_shared: list[tuple[Plan, Evidence]] = []
"""What all networks of a process of the pool have in common."""


def _begin(how: Plan) -> None:
    gc.set_threshold(100_000, 20, 100)  # pages make millions of small objects, few of which are garbage: a tenth faster
    _shared.append((how, Evidence(how.verification)))


def _in_process(name: str, file: str) -> WrittenPage:
    return _attempt(name, file, *_shared[0])


def _attempt(net: Network | str, file: str, how: Plan, records: Evidence) -> WrittenPage:
    try:
        network = load(net) if isinstance(net, str) else net
        return WrittenPage(network.full_name, file, write_network(network, file, how, records))
    except ArchcalcError as error:
        problem = "; ".join(map(str, error.problems))
    except Exception as error:  # a bug in one network's page must not cost the other pages
        problem = f"{type(error).__name__}: {error}"
    return WrittenPage(_name(net), file, None, problem)


def write_index(found: Sequence[WrittenPage], how: Plan) -> str:
    """Write the index of the networks whose files are there, and return its path."""
    good = [one for one in found if one.facts is not None]
    index = index_table([one.facts for one in good if one.facts is not None])
    files = {one.network: one.file for one in good}
    texts = {"csv": render_table(index, "csv")} if how.format != "html" else {}
    if how.format == "html":
        texts["html"] = html_index(index, files)
    elif how.format == "markdown":
        texts["markdown"] = markdown_index(index, files)
    for format, text in texts.items():
        write_in_folder(os.path.join(how.folder, INDEXES[format]), text)
    return os.path.join(how.folder, INDEXES[how.format])


def index_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """One row per network."""
    return Table(
        title="networks",
        headings=HEADINGS,
        rows=[[row[heading.name] for heading in HEADINGS] for row in rows],
        header=Header(batch=1, dtype="float32", convention=convention("archcalc")),
        details=[
            "parameters are trained weights and biases; a MAC is one product of a weight and an input added to a sum",
            "depth: weighted layers on the longest path; feature maps: every output that is held, added up, with the input",
            "inference peak: the most bytes alive at once, weights and image apart; saved for training: what the forward "
            "pass keeps for the backward pass; weight file: parameters and buffers in float32",
            "field: pixels of the largest field of a layer, past the gates",
            "top-1 and top-5: published errors in percent; a network's page names the source",
            "published figures: how many were computed anew, and how many of them match; PyTorch agrees: whether a "
            "module built from the spec has the same figures",
        ],
    )
