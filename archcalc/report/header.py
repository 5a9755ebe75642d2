"""What the numbers of a table depend on, as data: sentences for readers and facts for programs are made of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from archcalc.analysis import Analysis
from archcalc.conventions import Convention
from archcalc.network import Network
from archcalc.outputs import unused_lines
from archcalc.settings_text import settings_text
from archcalc.sizes import AXES, Shape
from archcalc.version import __version__

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Subject(NamedTuple):
    """A network that a table is about: its names, where it was published, and how it differs from the publication.

    ``name`` is the full name, with the settings; ``settings`` are those that differ from the spec's defaults, as text.
    ``notes`` are further sentences about the network.
    """

    name: str
    title: str
    input: Shape
    settings: str = ""
    source: str = ""
    variant: str = ""
    notes: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        """A sentence for each of the title, the source, the variant and the notes."""
        variant = f"variant{' (before the settings)' if self.settings else ''}: {self.variant}"
        return [self.title, *([self.source] if self.source else []), *([variant] if self.variant else []), *self.notes]


def titled(network: Network) -> str:
    """The title of a network with its full name, or the name alone where that is the title."""
    return network.full_name if network.title == network.name else f"{network.title} ({network.full_name})"


def subject(network: Network) -> Subject:
    """The network as the head of a table names it."""
    about = network.about
    source = [str(about[key]) for key in ("paper", "table") if key in about]
    if "page" in about:
        page = str(about["page"])
        source.append(f"pages {page}" if " " in page else f"page {page}")
    return Subject(
        network.full_name,
        titled(network),
        network.input,
        settings_text(network.settings_changed),
        ", ".join(source),
        str(about.get("note", "")),
        (*network.notes, *unused_lines(network)),
    )


class Header(NamedTuple):
    """What all numbers of a table depend on.

    ``networks`` has the networks by the part that each plays: ``network``, or ``from`` and ``to``, or ``baseline``.
    ``about`` says what a table of other things shows ("3 networks"). ``input`` is a text where the rows have inputs of
    their own. ``counts`` says whether cells hold counts: the convention is then explained. ``mode`` has the settings of
    a run, ``notes`` are further sentences, and ``options`` further facts for programs. What a table does not depend on
    is None or empty. ``unknown_types`` are None where the convention's definition covers every layer type.
    """

    networks: Mapping[str, Subject] = NOTHING
    about: str = ""
    input: Shape | str | None = None
    batch: Any = None
    dtype: str = ""
    side_heads: bool = False
    mode: tuple[str, ...] = ()
    convention: Convention | None = None
    counts: bool = True
    unknown_types: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    options: Mapping[str, Any] = NOTHING
    version: str = __version__

    @property
    def network(self) -> Subject | None:
        """The network of a table that is about one."""
        return self.networks.get("network")

    def lines(self, verbose: bool = False) -> list[str]:
        """The sentences for readers; with ``verbose`` the whole rule of the convention."""
        lines = self.network.lines if self.network else []
        size = ", ".join(part for part in (self.about, self.size) if part)
        mode = ", ".join(self.mode)
        return [*lines, *([size] if size else []), *([mode] if mode else []), *self.notes, self.rules(verbose)]

    @property
    def size(self) -> str:
        """The input with the names of its axes, the batch, the dtype and whether side heads run."""
        parts = []
        if self.input is not None:
            parts.append(f"input {self.input}{_axes(self.network.input) if self.network else ''}")
        if self.batch is not None:
            parts.append(f"batch {self.batch}")
        return ", ".join([*parts, *([self.dtype] if self.dtype else []), *(["side heads included"] * self.side_heads)])

    def rules(self, verbose: bool = False) -> str:
        """The version, and the convention with what it counts."""
        how = self.convention
        if how is None:
            return f"archcalc {self.version}"
        about = f": {how.about}" if self.counts else ""
        more = f"; {how.more}" if self.counts and verbose and how.more else ""
        return f"archcalc {self.version}, convention {how.name}{about}{more}"

    @property
    def facts(self) -> dict[str, Any]:
        """The same for programs: a value for every key of JSON, and for every column of CSV but lists and mappings."""
        facts: dict[str, Any] = {part: network.name for part, network in self.networks.items()}
        if isinstance(self.input, Shape):
            facts["input"] = str(self.input)
        if self.batch is not None:
            facts["batch"] = self.batch
        if self.dtype:
            facts["dtype"] = self.dtype
        if self.network:
            facts["settings"] = self.network.settings
        if self.convention is not None:
            facts["convention"] = self.convention.name
        if self.unknown_types is not None:
            facts["unknown"] = " ".join(self.unknown_types)
        return {**facts, **({"archcalc": self.version} if self.version else {}), **self.options}


def _axes(shape: Shape) -> str:
    names = AXES.get(len(shape.axes), ())
    return f" ({' x '.join(('channels', *names))})" if names else ""


def layer_header(analysis: Analysis, counts: bool = True) -> Header:
    """The header of a table of an analysis; the convention is explained where cells hold ``counts``."""
    side_heads = analysis.training and any(node.side for node in analysis.network.nodes)
    return Header(
        {"network": subject(analysis.network)},
        input=analysis.input,
        batch=analysis.batch,
        dtype=analysis.dtype,
        side_heads=side_heads,
        convention=analysis.convention,
        counts=counts,
        unknown_types=None if analysis.convention.nothing is None else analysis.unknown_types,
    )


def network_header(network: Network) -> Header:
    """The header of a table that depends on the network and its input alone."""
    return Header({"network": subject(network)}, input=network.input)
