"""A folder of pages: the files of every network, and the index of all networks."""

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
from archcalc.report.time import TimeRequest
from archcalc.timing.reading import device

FORMATS = ("html", "markdown", "csv")
INDEXES = {"html": "index.html", "markdown": "README.md", "csv": "index.csv"}
LONGEST = 100


class Plan(NamedTuple):
    """What to write: the folder, the format, the networks with pictures, the file of ``archcalc verify``, and the time."""

    folder: str
    format: str
    with_pictures: frozenset[str]
    verification: str | None
    time: TimeRequest | None = None


class WrittenPage(NamedTuple):
    """A network with the name of its files and its row in the index. If there are no files: the problem."""

    network: str
    file: str
    facts: Mapping[str, Any] | None
    problem: str = ""


def plan(
    folder: str,
    format: str,
    names: Sequence[str],
    with_pictures: Sequence[str] | None = None,
    verification: str | None = None,
    time: TimeRequest | None = None,
) -> Plan:
    """The plan of a report on the networks. ``with_pictures``: None for all networks, ["none"] for no network.

    Before any work, ArchcalcError for an unknown format, network or device, a missing package, two pages with the same name, an
    invalid verification file, or a folder in which no file can be written.
    """
    if format not in FORMATS:
        raise ArchcalcError(unknown("format", format, FORMATS))
    chosen = frozenset(names if with_pictures is None else () if list(with_pictures) == ["none"] else with_pictures)
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
    if time is not None:
        device(time.on)
    writable(folder)
    return Plan(folder, format, chosen, verification, time)


def figure_names(figures: Sequence[str] | None, nets: Sequence[Network]) -> list[str] | None:
    """The full names of the networks with pictures. A name without settings selects all networks with this name."""
    if figures is None:
        return None
    named: dict[str, list[str]] = {}
    for net in nets:
        named.setdefault(net.name, []).append(net.full_name)
    return [name for figure in figures for name in named.get(figure, [figure])]


def writable(folder: str) -> None:
    """Make the folder if it does not exist. ArchcalcError if no file can be written in the folder."""
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
    """The file name of each network, without extension. ArchcalcError if two networks have the same file name."""
    files: dict[str, str] = {}
    taken = {"index": "the index", "readme": "the index", "figures": "the folder of pictures"}
    for name in names:
        if name in files:
            raise ArchcalcError(f"{name} is named twice; a report has one page for each network")
        file = as_name(name, LONGEST, ".+-").encode()[:LONGEST].decode(errors="ignore").strip("._") or "network"
        if file.lower() in taken:
            raise ArchcalcError(
                f"{name}: its page would be called {file}, as that of {taken[file.lower()]}; write the two into different directories"
            )
        taken[file.lower()] = files[name] = file
    return files


def write_network(network: Network, file: str, how: Plan, records: Evidence) -> Mapping[str, Any]:
    """Write the files of a network and return its row in the index."""
    has_pictures = how.format != "csv" and network.full_name in how.with_pictures
    kinds = (*PICTURES, *(["graph"] if how.format == "html" else [])) if has_pictures else ()
    content = page(network, records, kinds, how.time)
    path = os.path.join(how.folder, file)
    if how.format == "html":
        write_in_folder(f"{path}.html", html_page(content))
        return content.facts
    write_in_folder(f"{path}.csv", render_table(content.layers._replace(header=Header(version="")), "csv"))
    if how.format == "markdown":
        for picture in content.pictures:
            if picture.svg:
                figures = os.path.join(how.folder, "figures")
                refuse_link(figures)
                writable(figures)
                write_in_folder(os.path.join(figures, f"{file}-{picture.kind}.svg"), picture.svg)
        write_in_folder(f"{path}.md", markdown_page(content, file))
    return content.facts


def write_pages(nets: Sequence[Network | str], how: Plan, jobs: int = 1) -> Iterator[WrittenPage]:
    """Write the pages of the networks, in order, in ``jobs`` processes. A string names a network of the zoo.

    A network that fails does not stop the others.
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
"""In a process of the pool: the plan and the evidence."""


def _begin(how: Plan) -> None:
    gc.set_threshold(100_000, 20, 100)  # saves a tenth of the time: few of a page's objects are garbage
    _shared.append((how, Evidence(how.verification)))


def _in_process(name: str, file: str) -> WrittenPage:
    return _attempt(name, file, *_shared[0])


def _attempt(net: Network | str, file: str, how: Plan, records: Evidence) -> WrittenPage:
    try:
        network = load(net) if isinstance(net, str) else net
        return WrittenPage(network.full_name, file, write_network(network, file, how, records))
    except ArchcalcError as error:
        problem = "; ".join(map(str, error.problems))
    except Exception as error:  # after a bug in one page, the other pages are still written
        problem = f"{type(error).__name__}: {error}"
    return WrittenPage(_name(net), file, None, problem)


def write_index(pages: Sequence[WrittenPage], how: Plan) -> str:
    """Write the index of the networks that have files, and return its path."""
    index = index_table(how, [page.facts for page in pages if page.facts is not None])
    files = {page.network: page.file for page in pages if page.facts is not None}
    texts = {"csv": render_table(index, "csv")} if how.format != "html" else {}
    if how.format == "html":
        texts["html"] = html_index(index, files)
    elif how.format == "markdown":
        texts["markdown"] = markdown_index(index, files)
    for format, text in texts.items():
        write_in_folder(os.path.join(how.folder, INDEXES[format]), text)
    return os.path.join(how.folder, INDEXES[how.format])


def index_table(how: Plan, rows: Sequence[Mapping[str, Any]]) -> Table:
    """The index as a table with one row for each network."""
    headings = [heading for heading in HEADINGS if heading.name != "estimate" or how.time is not None]
    on = "" if how.time is None else device(how.time.on).title
    return Table(
        title="networks",
        headings=headings,
        rows=[[row[heading.name] for heading in headings] for row in rows],
        header=Header(batch=1, dtype="float32", convention=convention("archcalc")),
        details=[
            "params: trained weights and biases. MAC: one product of a weight and an input, added to a sum.",
            "depth: weighted layers on the longest path. feature maps: sum of all outputs in new storage, network input "
            "included.",
            "inference peak: the most bytes alive at one moment, without weights and network input. saved for training: "
            "bytes that the forward pass saves for the backward pass. weight file: parameters and buffers in float32.",
            "field: the largest receptive field of a layer, in pixels, past the gates.",
            *[f"time: the estimate for one image on {on}; the page of the network says how it runs, and the error."]
            * bool(on),
            "top-1, top-5: published errors in percent; the page of the network names the source.",
            "published figures: the number of figures from sources. matching: how many of them match. PyTorch agrees: "
            "whether a PyTorch module built from the spec has the same figures as archcalc.",
        ],
    )
