"""``archcalc plot``: pictures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from archcalc.cli import names, values
from archcalc.cli.command import Answer, Argument, Arguments, Command, Option
from archcalc.cli.networks import analyses
from archcalc.cli.options import COUNTING, NET, NET_OPTIONS, ON, OUTPUT, RUNNING
from archcalc.cli.printing import progress, warnings_said
from archcalc.errors import ArchcalcError


def run(args: Arguments) -> Answer:
    from archcalc.plot.kinds import element, format_of, kind_named, picture

    kind = kind_named(args.kind)
    if not args.output:
        raise ArchcalcError(f"a picture goes to a file: add -o FILE, such as -o {kind.name}.svg; -o - prints SVG")
    if args.output == "-" and args.format not in (None, "svg"):
        raise ArchcalcError(f"standard output takes SVG alone, not {args.format}; -o FILE writes to a file")
    format = "svg" if args.output == "-" else args.format or format_of(args.output)
    with warnings_said():
        drawing = picture(kind.name, _subjects(args, kind.of_table), format, **_settings(args))
    if args.caption is not None:
        _write_caption(args, drawing.caption)
    return Answer(element(drawing.content) if args.output == "-" else drawing.content)


def _subjects(args: Arguments, of_table: bool) -> list[Any]:
    """What the picture shows: analyses, or the table in a file."""
    if not of_table:
        return analyses(args)
    from archcalc.spaces.sheet import read_sheet

    return [read_sheet(path, _bytes) for path in args.net]


def _bytes(lines: Iterable[str], count: int) -> Iterable[str]:
    return progress(lines, count, "byte", size=len)


def _settings(args: Arguments) -> dict[str, Any]:
    """The settings of the picture from the command line."""
    from archcalc.plot.kinds import KINDS
    from archcalc.plot.look import Look

    known = {*Look._fields, *(name for kind in KINDS.values() for name in kind.options)} - {"caption"}
    settings = {name: getattr(args, name) for name in sorted(known) if getattr(args, name) not in (None, False)}
    if args.no_caption or args.caption is not None:
        settings["caption"] = False
    return settings


def _write_caption(args: Arguments, caption: str) -> None:
    from archcalc.files import write
    from archcalc.report.escape import latex_text

    if args.caption in ("-", args.output):
        raise ArchcalcError("--caption: expected a file of its own")
    write(args.caption, (latex_text(caption) if args.caption.endswith(".tex") else caption) + "\n")


KIND = Argument("KIND", "the kind of picture", names.kinds, free=False)

COMMAND = Command(
    "plot",
    "a picture of a network, or of a sweep, as PNG, SVG or PDF (needs archcalc[plot])",
    "archcalc plot cost vgg16 -o vgg16.pdf",
    run,
    arguments=(KIND, NET._replace(least=0)),
    options=(
        *NET_OPTIONS,
        *COUNTING,
        Option("--layers", "rf-map: the layers whose fields are drawn", "NAME,...", values.names),
        Option("--depth", "graph: fold blocks nested deeper than N", "N", values.whole),
        Option("--kernel", "pattern: the size of the small kernel (3)", "K", values.whole),
        Option("--stack", "pattern: the largest number of small kernels (3)", "N", values.whole),
        Option("--fit", "budget: the memory of the GPU (24GiB)", "SIZE"),
        Option("--optimizer", "budget: sgd, momentum, adam or adamw (sgd)", "NAME", names=names.optimizers),
        Option("--overhead", "budget: add SIZE for the framework and the GPU context (0B)", "SIZE"),
        Option("--amp", "memory, budget, roofline: run in mixed precision"),
        Option("--checkpoint", "memory, budget: blocks that run a second time in the backward pass", "BLOCK,..."),
        ON._replace(about="roofline: the device, by its name or as a file (FILE.yaml)", shared=False),
        *(option._replace(about=f"roofline: {option.about}", shared=False) for option in RUNNING),
        Option(
            "--x",
            "pareto, sweep: the column across; with a - before it in pareto, more is better",
            "COLUMN",
            signed=True,
        ),
        Option(
            "--y",
            "pareto: the column upwards; sweep: the columns, each with axes of its own (macs)",
            "COLUMN,...",
            signed=True,
        ),
        Option("--by", "sweep: the columns that tell the lines apart (all others that vary)", "COLUMN,..."),
        Option("--label", "pareto: the columns of the names beside the marks, or none (those that vary)", "COLUMN,..."),
        Option("--log", "pareto, sweep: the logarithmic axes, x, y, xy or none (those with a wide range)", "AXES"),
        Option("--width", "a number of inches, column (3.5) or page (7) (column)", "WIDTH"),
        Option("--title", "a title above the picture", "TEXT"),
        Option("--no-caption", "leave out the caption below the picture"),
        Option(
            "--caption",
            "write the caption to this file and not below the picture; as LaTeX if the name of FILE ends in .tex",
            "FILE",
        ),
        Option("--dark", "light lines on a dark background"),
        Option("--transparent", "no background"),
        Option(
            "--format",
            "png, svg or pdf; without --format, the extension of FILE decides",
            "FORMAT",
            names=names.picture_formats,
        ),
        OUTPUT._replace(about="the file to write; - for SVG on standard output", shared=False),
    ),
    needs="plot",
    page="plots.md",
)
