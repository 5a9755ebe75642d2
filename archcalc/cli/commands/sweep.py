"""``archcalc sweep``: the figures of a network at many sizes, batches and settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from archcalc.cli import names, values
from archcalc.cli.command import Answer, Arguments, Command, Option
from archcalc.cli.networks import load_plugins, matching, timing
from archcalc.cli.options import CONVENTION, DTYPE, EXACT, NET, ON, PLUGIN, SET, TIMING, TRAINING, VERBOSE, WHERE
from archcalc.cli.printing import progress, tables_text
from archcalc.errors import ArchcalcError, unknown
from archcalc.units import counted


def run(args: Arguments) -> Answer:
    from archcalc.spaces.output import csv_text, json_text
    from archcalc.spaces.run import facts
    from archcalc.spaces.run import run as swept

    file = None if args.file == "-" else args.file
    format = _format(args, file)
    request = _request(args)
    outcome = swept(
        request, workers=args.workers, scheduler=args.scheduler, output=file, format=format, progress=_points
    )
    if outcome.columns is None:
        return Answer(f"{file}: {counted(outcome.kept, 'row')}\n", outcome.lines)
    if format == "csv":
        return Answer("".join(csv_text([outcome.columns])), outcome.lines)
    if format == "json":
        about = {**facts(outcome.sweep), "refused": sum(outcome.refused.values())}
        return Answer("".join(json_text([outcome.columns], about)), outcome.lines)
    from archcalc.report.sweep import sweep_table

    args.format, args.output = format, None
    return Answer(tables_text(args, [sweep_table(outcome)]))


def _format(args: Arguments, file: str | None) -> str:
    """The format of the rows: that of --format, of the file's extension, or text."""
    from archcalc.files import format_of
    from archcalc.spaces.output import FORMATS

    if file is None:
        format = args.format or "text"
        if format not in formats():
            raise ArchcalcError(unknown("format", format, formats()))
        if format == "parquet":
            raise ArchcalcError("parquet is not for standard output: add -o sweep.parquet")
        return str(format)
    format = args.format or ("parquet" if file.endswith("/") else format_of(file, FORMATS, "csv"))
    if format not in FORMATS.values():
        raise ArchcalcError(f"--format {format} is for standard output; a file of a sweep is {', '.join(FORMATS)}")
    return str(format)


def _request(args: Arguments) -> Any:
    """What the options ask for."""
    from archcalc.conditions.condition import named_figures
    from archcalc.spaces.asked import asked
    from archcalc.spaces.axes import read_axis
    from archcalc.spaces.evaluate import How
    from archcalc.spaces.points import read_points
    from archcalc.spaces.sweep import USUAL, Request

    if args.where is not None and not args.where.strip():
        raise ArchcalcError("--where: expected a condition, such as macs <= 300M, got nothing")
    if len(nets := matching(args.net)) > 1:
        raise ArchcalcError(
            f"a sweep is of one network, and {args.net} stands for {len(nets)}: {nets[0]}, {nets[1]}, ..."
        )
    varied = [read_axis(text) for text in args.vary]
    sizes = asked({name: getattr(args, name) for name in ("input", "batch") if getattr(args, name) is not None})
    axes = (*varied, *sizes.axes)
    if args.points is not None:
        if axes:
            raise ArchcalcError(f"--points has all that varies: leave out {', '.join(one.name for one in axes)}")
        axes = read_points(args.points)
    figures = USUAL if args.columns is None else named_figures(args.columns)
    options = timing(args)
    if args.on is not None:
        training = ["training"] if args.training else []
        figures += (("time", f"time({', '.join([repr(args.on), *options, *training])})"),)
    return Request(
        nets[0],
        axes,
        dict(args.set),
        sizes.input,
        figures,
        args.where or "",
        tuple(args.pareto or ()),
        args.sample,
        args.seed,
        args.points is not None,
        How(sizes.batch or 1, args.dtype, args.convention, args.training),
        partial(load_plugins, args.plugin) if args.plugin else None,
    )


def _points(blocks: Iterable[Any], done: int, count: int) -> Iterator[Any]:
    return progress(blocks, count, "point", done, lambda block: block[1].points)


def formats() -> Mapping[str, str]:
    from archcalc.spaces.output import FORMATS

    return {**names.formats(), **{format: "" for format in FORMATS.values() if format not in names.formats()}}


COMMAND = Command(
    "sweep",
    "the figures of a network at many sizes, batches and settings",
    "archcalc sweep resnet50 --input 128:512:32 --batch 1,8,64 -o sizes.csv",
    run,
    arguments=(NET._replace(most=1, shared=False),),
    options=(
        Option("--input", "sizes of the input: a number is the size of every axis", "RANGE"),
        Option("--batch", "numbers of images (1)", "RANGE"),
        Option(
            "--vary",
            "a parameter of the spec and its values: width=0.25:1.5:0.05, option=a,b,c, or depths[2]=1:20 for an item of a "
            "list; may be given several times",
            "KEY=RANGE",
            repeats=True,
        ),
        Option("--points", "the points, instead of ranges: a column for input, batch and each parameter", "FILE.csv"),
        SET,
        PLUGIN,
        WHERE._replace(
            shared=False,
            about="only the points that meet a condition, such as 'macs <= 300M'; --where help lists all figures",
        ),
        Option(
            "--pareto",
            "only the points that no other point beats in these columns; with a - before it, more is better",
            "COLUMN,...",
            values.names,
            signed=True,
        ),
        Option(
            "--columns",
            "the figures, as in a condition, such as params,macs/params,t=time('a100') (params,macs,flops,values,memory,field)",
            "FIGURE,...",
            names=names.figures,
            free=True,
        ),
        Option("--sample", "compute only this number of points, drawn at random", "N", values.whole),
        Option("--seed", "with --sample: which points are drawn (0)", "N", values.whole, 0),
        DTYPE,
        CONVENTION,
        TRAINING,
        ON._replace(about="a column time, on this device: a name, or a file of a device (FILE.yaml)", shared=False),
        *TIMING[1:],
        Option("--workers", "processes that compute at once (1)", "N", values.whole, 1),
        Option("--scheduler", "compute on the workers of this Dask scheduler, such as tcp://host:8786", "ADDRESS"),
        Option("--format", "csv, json, parquet, or a format of tables (text)", "FORMAT", names=formats),
        EXACT,
        VERBOSE,
        Option(
            "--output",
            "write all rows to FILE.csv, FILE.json or FILE.parquet, or to a folder of Parquet files (DIR/); a sweep that was "
            "stopped goes on",
            "FILE",
            key="file",
            short="-o",
        ),
    ),
    needs="sweep",
    page="sweeps.md",
)
