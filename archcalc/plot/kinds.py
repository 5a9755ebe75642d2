"""The kinds of picture, and functions that draw, save or embed a picture. Only drawing imports matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from archcalc.errors import ArchcalcError, unknown
from archcalc.sizes import is_array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from archcalc.analysis import Analysis
    from archcalc.spaces.sheet import Sheet

FORMATS = ("png", "svg", "pdf")


class Kind(NamedTuple):
    """A kind of picture.

    about: what the picture shows. module: the module of the drawing function. least, most: number of networks. options:
    names of options that only this kind has. needs: a program that must be installed. of_table: it shows a table, such as
    that of a sweep, instead of networks.
    """

    name: str
    about: str
    module: str
    least: int = 1
    most: int = 1
    options: tuple[str, ...] = ()
    needs: str = ""
    of_table: bool = False

    @property
    def listed(self) -> str:
        """What the picture shows, and the program that must be installed."""
        return f"{self.about} (needs {self.needs})" if self.needs else self.about

    @property
    def draw(self) -> Callable[..., Any]:
        """The function that draws the kind. ArchcalcError if matplotlib or graphviz is not installed."""
        try:
            return getattr(import_module(f"archcalc.plot.{self.module}"), self.name.replace("-", "_"))  # type: ignore[no-any-return]
        except ModuleNotFoundError as error:
            missing = (error.name or "").split(".")[0]
            if missing not in ("matplotlib", "graphviz"):
                raise
            raise ArchcalcError(f"pictures need {missing}: pip install 'archcalc[plot]'") from None


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind("rf", "the receptive field against depth", "field_growth", most=7),
            Kind("rf-map", "the input with the fields of layers, to scale", "field_map", options=("layers",)),
            Kind("cost", "parameters, MACs and feature maps layer by layer", "costs"),
            Kind("shape", "the network as its volumes, to scale", "volumes"),
            Kind("graph", "the graph of layers and blocks", "layer_graph", options=("depth",), needs="Graphviz"),
            Kind("compare", "published accuracy against MACs, area by parameters", "accuracy", most=30),
            Kind(
                "pattern",
                "a stack of small kernels against one large kernel",
                "kernel_pattern",
                least=0,
                most=0,
                options=("kernel", "stack"),
            ),
            Kind("memory", "the tensors alive at every moment", "memory_timeline", options=("amp", "checkpoint")),
            Kind(
                "budget",
                "the memory of training against the batch",
                "budgets",
                options=("fit", "optimizer", "amp", "checkpoint", "overhead"),
            ),
            Kind(
                "roofline",
                "layers below the roofs of a device: bound by arithmetic or by memory",
                "rooflines",
                most=7,
                options=("on", "amp", "compiled", "channels_last", "tf32"),
            ),
            Kind(
                "pareto",
                "the rows of a table that no other row beats in two columns",
                "fronts",
                options=("x", "y", "label", "log"),
                of_table=True,
            ),
            Kind(
                "sweep", "figures of a sweep along one axis", "sweeps", options=("x", "y", "by", "log"), of_table=True
            ),
        )
    }
)
"""Every kind of picture by its name."""


def kind_named(name: str) -> Kind:
    """The kind with this name. ArchcalcError with the nearest name if there is no such kind."""
    if name not in KINDS:
        raise ArchcalcError(unknown("kind of picture", name, KINDS))
    return KINDS[name]


class Picture(NamedTuple):
    """A picture as the bytes of a file, and its caption as text. A notebook displays the formats SVG and PNG."""

    content: bytes
    caption: str

    def __repr__(self) -> str:
        return f"<Picture: {self.caption}>"

    def _repr_svg_(self) -> str | None:
        return element(self.content) if b"<svg" in self.content[:2000] else None

    def _repr_png_(self) -> bytes | None:
        return self.content if self.content.startswith(b"\x89PNG") else None


def figure(kind: str, analyses: Sequence[Analysis | Sheet], **options: Any) -> Figure:
    """A new matplotlib figure of this kind, of analyses or of a table. ArchcalcError for what does not suit the kind.

    Options: the options of the kind, and the options of every picture (see ``Look``).
    """
    draw = _checked(kind, analyses, options)
    if kind == "graph":
        raise ArchcalcError("Graphviz draws the graph: there is no matplotlib figure; use plot.save or plot.graph")
    axes = draw(*analyses, **options)
    first = axes if hasattr(axes, "get_figure") else axes[0]
    drawing: Figure = first.get_figure()
    return drawing


def picture(kind: str, analyses: Sequence[Analysis | Sheet], format: str, **options: Any) -> Picture:
    """The picture in one of FORMATS, with its caption as text. The same input gives the same bytes."""
    if format not in FORMATS:
        raise ArchcalcError(unknown("picture format", format, FORMATS))
    draw = _checked(kind, analyses, options)
    from archcalc.analysis import Analysis

    if kind == "graph":
        from archcalc.plot.layer_graph import caption, piped

        text = caption(*(a for a in analyses if isinstance(a, Analysis)))
        return Picture(piped(draw(*analyses, **options), format, text), text)
    from archcalc.plot.labels import one_line
    from archcalc.plot.style import applied, file_of

    with applied(" ".join([kind, *(one_line(a.network.full_name) for a in analyses if isinstance(a, Analysis))])):
        drawing = figure(kind, analyses, **options)
        return Picture(file_of(drawing, format), str(drawing.get_label()))


def file(kind: str, analyses: Sequence[Analysis | Sheet], format: str, **options: Any) -> bytes:
    """The picture as the bytes of a file in one of FORMATS. The same input gives the same bytes."""
    return picture(kind, analyses, format, **options).content


def svg(kind: str, analyses: Sequence[Analysis | Sheet], **options: Any) -> str:
    """The picture as an SVG element. A page can contain several such elements."""
    return element(file(kind, analyses, "svg", **options))


def element(content: bytes) -> str:
    """The content of an SVG file as an element for an HTML page."""
    text = content.decode()
    return text[text.index("<svg") :]


def save(kind: str, analyses: Sequence[Analysis | Sheet], path: str, **options: Any) -> None:
    """Write the picture to a file. The extension gives the format. After an error, there is no partial file."""
    from archcalc.files import write

    write(path, file(kind, analyses, format_of(path), **options))


def format_of(path: str) -> str:
    """The format that the file's extension names; SVG for a device. ArchcalcError with the nearest format otherwise."""
    from pathlib import PurePath

    from archcalc.files import written_through

    extension = "svg" if written_through(path) else PurePath(path).suffix.lower().removeprefix(".")
    if not extension:
        raise ArchcalcError(f"{path}: a picture's file ends in {', '.join('.' + f for f in FORMATS)}")
    if extension not in FORMATS:
        raise ArchcalcError(f"{path}: {unknown('picture format', extension, FORMATS)}")
    return extension


def _checked(kind: str, analyses: Sequence[Any], options: Mapping[str, Any]) -> Callable[..., Any]:
    """The function that draws the kind. ArchcalcError for networks or options that do not suit the kind."""
    from archcalc.plot.look import Look

    known = kind_named(kind)
    for name in options:
        if name not in (*known.options, *Look._fields):
            owners = ", ".join(other.name for other in KINDS.values() if name in other.options)
            other = f"{name} is an option of {owners}, not of {kind}"
            raise ArchcalcError(
                other if owners else f"{kind}: {unknown('option', name, [*known.options, *Look._fields])}"
            )
    if not known.least <= len(analyses) <= known.most:
        raise ArchcalcError(f"{kind} takes {_how_many(known)}, got {len(analyses)}")
    for a in () if known.of_table else analyses:
        if is_array(a.totals.values) or is_array(a.totals.params) or is_array(a.batch):
            raise ArchcalcError("a picture needs single sizes; on arrays, read the rows and totals of the analysis")
    return known.draw


def _how_many(kind: Kind) -> str:
    if kind.of_table:
        return "one file of a sweep, such as sweep.csv"
    if kind.least == kind.most:
        return {0: "no networks", 1: "one network"}.get(kind.least, f"{kind.least} networks")
    return f"{kind.least} to {kind.most} networks"
