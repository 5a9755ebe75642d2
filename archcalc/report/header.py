"""The facts that the numbers of a table depend on, as data. Readers get sentences, and programs get key-value pairs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from archcalc.analysis import Analysis
from archcalc.conventions import Convention
from archcalc.named_inputs import inputs_text
from archcalc.network import Network
from archcalc.outputs import unused_lines
from archcalc.settings_text import settings_text
from archcalc.sizes import AXES, Shape
from archcalc.version import __version__

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Subject(NamedTuple):
    """A network that a table is about: its names, its publication, and its differences from the publication.

    ``name`` is the full name, with the settings. ``settings`` are the settings that differ from the spec's defaults, as
    text. ``notes`` are further sentences about the network.
    """

    name: str
    title: str
    inputs: Mapping[str, Shape]
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
    """The title of a network with its full name. If the title is the name: the full name alone."""
    return network.full_name if network.title == network.name else f"{network.title} ({network.full_name})"


def subject(network: Network) -> Subject:
    """The network as data for the header of a table."""
    about = network.about
    source = [str(about[key]) for key in ("paper", "table") if key in about]
    if "page" in about:
        page = str(about["page"])
        source.append(f"pages {page}" if " " in page else f"page {page}")
    return Subject(
        network.full_name,
        titled(network),
        network.inputs,
        settings_text(network.settings_changed),
        ", ".join(source),
        str(about.get("note", "")),
        (*network.notes, *unused_lines(network)),
    )


class Header(NamedTuple):
    """The facts that all numbers of a table depend on.

    ``networks`` has the networks by role: ``network``, or ``from`` and ``to``, or ``baseline``. ``about`` says what a
    table of several things shows ("3 networks"). ``input`` has the sizes by name; it is a text if the rows have different inputs. ``counts``:
    cells contain counts, so the convention is explained. ``mode`` has the settings of a run. ``notes`` are further
    sentences. ``options`` are further facts for programs. A fact is None or empty if the table does not depend on the
    fact. ``unknown_types`` is None if the convention's definition covers every layer type.
    """

    networks: Mapping[str, Subject] = NOTHING
    about: str = ""
    input: Mapping[str, Shape] | str | None = None
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
        """The network, if the table is about a single network."""
        return self.networks.get("network")

    def lines(self, verbose: bool = False) -> list[str]:
        """The sentences for readers. With ``verbose``: also the whole rule of the convention."""
        lines = self.network.lines if self.network else []
        size = ", ".join(part for part in (self.about, self.size) if part)
        mode = ", ".join(self.mode)
        return [*lines, *([size] if size else []), *([mode] if mode else []), *self.notes, self.rules(verbose)]

    @property
    def size(self) -> str:
        """The input with the names of its axes, the batch, the dtype and whether side heads run."""
        parts = []
        if self.input is not None:
            parts.append(_inputs(self.input, self.network.inputs if self.network else {}))
        if self.batch is not None:
            parts.append(f"batch {self.batch}")
        return ", ".join([*parts, *([self.dtype] if self.dtype else []), *(["side heads included"] * self.side_heads)])

    def rules(self, verbose: bool = False) -> str:
        """The version, and the convention with its rule."""
        how = self.convention
        if how is None:
            return f"archcalc {self.version}"
        about = f": {how.about}" if self.counts else ""
        more = f"; {how.more}" if self.counts and verbose and how.more else ""
        return f"archcalc {self.version}, convention {how.name}{about}{more}"

    @property
    def facts(self) -> dict[str, Any]:
        """The facts for programs: one value per key of JSON.

        CSV has a column for each value, except lists and mappings.
        """
        facts: dict[str, Any] = {part: network.name for part, network in self.networks.items()}
        if isinstance(self.input, Mapping):
            facts["input"] = inputs_text(self.input)
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


def _inputs(shown: Mapping[str, Shape] | str, own: Mapping[str, Shape]) -> str:
    """The sizes of the inputs, with the names of their axes if all inputs of the network have the same axes."""
    names = {AXES.get(len(shape.axes), ()) for shape in own.values()}
    axes = f" ({' x '.join(('channels', *names.pop()))})" if len(names) == 1 and any(names) else ""
    sizes = shown if isinstance(shown, str) else inputs_text(shown, ", ", " ")
    return f"input{'s' if len(own) > 1 else ''} {sizes}{axes}"


def layer_header(analysis: Analysis, counts: bool = True) -> Header:
    """The header of a table of an analysis. The convention is explained if cells contain ``counts``."""
    side_heads = analysis.training and any(node.side for node in analysis.network.nodes)
    return Header(
        {"network": subject(analysis.network)},
        input=analysis.inputs,
        batch=analysis.batch,
        dtype=analysis.dtype,
        side_heads=side_heads,
        convention=analysis.convention,
        counts=counts,
        unknown_types=None if analysis.convention.nothing is None else analysis.unknown_types,
    )


def network_header(network: Network) -> Header:
    """The header of a table that depends only on the network and its input."""
    return Header({"network": subject(network)}, input=network.inputs)


def field_header(analysis: Analysis) -> Header:
    """The header of a table of receptive fields: it names the input whose pixels are meant, if there are several."""
    network, source = analysis.network, analysis.field.source
    header = network_header(network)
    if len(network.inputs) == 1:
        return header
    name = network.nodes[source].name
    others = " or ".join(other for other, shape in network.inputs.items() if shape.axes and other != name)
    mode = f"fields in pixels of the input {name}" + (
        f"; --from-input {others} shows those of another" if others else ""
    )
    return header._replace(mode=(mode,), options={"from_input": name})
