"""What each command does: a few lines over the library, from parsed arguments to the text it prints."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from archcalc.cli.names import listing
from archcalc.cli.streams import columns, say
from archcalc.errors import ArchcalcError, Problem, unknown, visible

if TYPE_CHECKING:
    from archcalc.network import Network


def table(args: argparse.Namespace) -> str:
    from archcalc.report import render
    from archcalc.report.formats import render_table
    from archcalc.report.layers import layer_table
    from archcalc.report.table import for_programs

    if args.format == "csv":  # one file, whose rows are of one kind
        tables = [layer_table(a, args.columns, depth=args.depth, by=args.by) for a in _analyses(args)]
        return _joined([render_table(t, "csv") for t in for_programs(tables)], "csv")
    parts = [
        render(
            analysis,
            args.format,
            columns=args.columns,
            depth=args.depth,
            by=args.by,
            exact=args.exact,
            width=_width(args),
        )
        for analysis in _analyses(args)
    ]
    return _joined(parts, args.format)


def _joined(parts: list[str], format: str) -> str:
    """Several tables one after another: a JSON array, one CSV, or texts with a line between."""
    if format == "json" and len(parts) > 1:
        return "[\n" + ",\n".join(part.rstrip("\n") for part in parts) + "\n]\n"
    if format == "csv":
        return parts[0] + "".join(part.split("\n", 1)[1] for part in parts[1:])
    return "\n".join(parts)


def list_(args: argparse.Namespace) -> str:
    from archcalc.report.formats import render_table
    from archcalc.report.zoo import list_table

    return render_table(
        list_table(args.pattern, args.columns, args.sort), args.format, exact=args.exact, width=_width(args)
    )


def compare(args: argparse.Namespace) -> str:
    from archcalc.language import load
    from archcalc.report.compare import compare_table
    from archcalc.report.formats import render_table

    analyses = _analyses(args)
    baseline = _analysis(args, load(args.baseline, input=args.input)) if args.baseline else None
    return render_table(
        compare_table(analyses, args.columns, baseline), args.format, exact=args.exact, width=_width(args)
    )


def diff(args: argparse.Namespace) -> str:
    from archcalc.report.diff import diff_table
    from archcalc.report.formats import render_table

    if len(args.net) != 2:
        raise ArchcalcError(f"diff takes two networks, got {len(args.net)}")
    return render_table(diff_table(*_analyses(args)), args.format, exact=True, width=_width(args))


def rf(args: argparse.Namespace) -> str:
    from archcalc.analysis import analyze
    from archcalc.report.formats import render_table
    from archcalc.report.growth import summary_table
    from archcalc.report.receptive_field import field_tables
    from archcalc.report.unit import unit_table

    analyses = [analyze(network) for network in _networks(args)]
    if args.summary:
        if args.layer is not None or args.unit or args.all or args.columns:
            raise ArchcalcError("--summary has one line per network; it takes no --layer, --unit, --all or --columns")
        tables = [summary_table(analyses)]
    elif args.unit:
        if args.layer is None or args.all or args.columns:
            raise ArchcalcError("--unit is of one layer: it needs --layer NAME, and takes no --all or --columns")
        tables = [unit_table(analysis, args.layer, args.unit) for analysis in analyses]
    else:
        one_file = args.format == "csv"
        tables = field_tables(analyses, args.columns, everything=args.all, name=args.layer, alike=one_file)
        if len(tables) > 1 and args.format not in ("csv", "json"):  # whose rows are of one kind
            tables.append(summary_table(analyses))
    return _joined([render_table(t, args.format, exact=args.exact, width=_width(args)) for t in tables], args.format)


def memory(args: argparse.Namespace) -> str:
    from archcalc.report.budget import memory_table
    from archcalc.report.formats import render_table

    tables = [
        memory_table(
            network,
            batch=args.batch,
            dtype=args.dtype,
            training=args.training,
            optimizer=args.optimizer,
            amp=args.amp,
            checkpoint=args.checkpoint,
            fold_bn=args.fold_bn,
            overhead=args.overhead,
            fit=args.fit,
            batches=args.batches,
            columns=args.columns,
        )
        for network in _networks(args)
    ]
    return _joined([render_table(t, args.format, exact=args.exact, width=_width(args)) for t in tables], args.format)


def show(args: argparse.Namespace) -> str:
    from archcalc.language.expanded import expanded
    from archcalc.language.zoo import source, split_settings
    from archcalc.outputs import unused_lines

    if args.expanded:
        networks = _networks(args)
        return "\n".join("".join(f"# {line}\n" for line in unused_lines(x)) + expanded(x) for x in networks)
    if args.set or any(split_settings(net)[1] for net in args.net):
        raise ArchcalcError("settings change what is built, not the spec; add --expanded to see it")
    text = "\n".join(source(net) for net in args.net)
    if args.output or sys.stdout is None or not sys.stdout.isatty():
        return text
    return "\n".join(map(visible, text.split("\n")))  # what would run on a terminal, or turn the text there


def export(args: argparse.Namespace) -> str:
    from archcalc.export import torch_source

    if args.to != "torch":
        raise ArchcalcError(unknown("export format", args.to, ["torch"]))
    return torch_source(_network(args, args.net))


def _analyses(args: argparse.Namespace) -> list[Any]:
    return [_analysis(args, network) for network in _networks(args)]


def _analysis(args: argparse.Namespace, network: Network) -> Any:
    from archcalc.analysis import analyze

    return analyze(network, batch=args.batch, dtype=args.dtype, convention=args.convention, training=args.training)


def _networks(args: argparse.Namespace) -> list[Network]:
    """The networks of a command, of which no two are called the same."""
    from archcalc.naming import call, distinct

    found = [_network(args, net) for net in args.net]
    call(found, distinct(found))
    return found


def _network(args: argparse.Namespace, net: str) -> Network:
    """The network with the command's settings, built at the input that is asked for and at no other."""
    from archcalc.language import load

    return load(net, input=getattr(args, "input", None), **dict(args.set))


def settings_text(args: argparse.Namespace) -> str:
    """The parameters of each network's spec with their defaults, as ``--set help`` lists them."""
    from archcalc.language import load
    from archcalc.settings_text import setting_text

    if not args.net:
        raise ArchcalcError("--set help lists the parameters of a network: name one")
    parts = []
    for net in args.net if isinstance(args.net, list) else [args.net]:
        network = load(net)
        values = {key: setting_text(value) for key, value in network.settings.items()}
        about = f"{network.full_name}: {len(values) or 'no'} parameter{'' if len(values) == 1 else 's'} to set"
        parts.append(f"{about}\n{listing(values)}")
    return "\n".join(parts)


def schema(args: argparse.Namespace) -> str:
    from json import dumps

    from archcalc.language.schema import schema

    return dumps(schema(), indent=2) + "\n"


def audit(args: argparse.Namespace) -> str:
    from archcalc.published.figures import load_figures, of_networks
    from archcalc.published.verdict import judge_all
    from archcalc.report.audit import audit_table, differences
    from archcalc.report.audit_page import audit_page
    from archcalc.report.formats import render_table

    if args.report and (args.net or args.all):
        raise ArchcalcError("--report is about all figures; it takes no networks and no --all")
    if args.report and args.format not in ("text", "markdown"):
        raise ArchcalcError(f"--report is written in Markdown, not {args.format}; -o FILE.md writes it to a file")
    judgements = judge_all(of_networks(load_figures(), args.net))
    _report_problems(args, differences(judgements))
    if args.report:
        return audit_page(judgements)
    return render_table(audit_table(judgements, args.all), args.format, width=_width(args))


def explain(args: argparse.Namespace) -> str:
    from archcalc.report.explain import explain_table
    from archcalc.report.formats import render_table

    parts = []
    for network in _networks(args):
        table = explain_table(network, args.convention, args.measure)
        parts.append(render_table(table, args.format, exact=True, width=_width(args)))
    return _joined(parts, args.format)


def verify(args: argparse.Namespace) -> str:
    from archcalc.files import check_writable, write
    from archcalc.language import networks
    from archcalc.report.formats import check_format, render_table
    from archcalc.report.verification import layer_tables, summary_tables
    from archcalc.witness import verify_many

    device = verify_many.device_named(args.device)
    if args.all == bool(args.net):
        raise ArchcalcError("verify takes networks, or --all for the whole zoo")
    if args.jobs < 1:
        raise ArchcalcError(f"--jobs must be at least 1, got {args.jobs}")
    check_format(args.format)
    if args.csv == "-":
        raise ArchcalcError("--csv writes a file beside the output; --format csv prints CSV on standard output")
    for path in (args.output, args.csv):
        if path not in (None, "-"):
            check_writable(path)
    if args.all:
        if args.set or args.input is not None:
            raise ArchcalcError("--all verifies every network as it stands; --set and --input are for single ones")
        names = list(networks())
        found = verify_many.outcomes(names, device.name, min(args.jobs, len(names)))
        tables, problems = summary_tables(_progress(found, len(names)), device.about)
    else:
        nets = _networks(args)
        from archcalc.witness.verify import verify as verified

        found_each = (verified(network, device) for network in _progress(nets, len(nets)))
        tables, problems = layer_tables(found_each, device.about)
    _report_problems(args, problems)
    layers = tables if args.all else tables[: len(args.net)]  # in a CSV all rows are of one kind
    if args.csv is not None:
        write(args.csv, _joined([render_table(t, "csv") for t in layers], "csv"))
    if args.format == "csv":
        tables = layers
    return _joined([render_table(t, args.format, exact=args.exact, width=_width(args)) for t in tables], args.format)


def _progress(steps: Iterable[Any], count: int) -> Iterable[Any]:
    """The steps, with a progress bar on a terminal once they take longer than a second."""
    try:
        from tqdm import tqdm
    except ImportError:  # a plain install does without
        return steps
    return tqdm(steps, total=count, unit="network", delay=1, disable=None)


def _report_problems(args: argparse.Namespace, problems: Sequence[object], status: int = 1) -> None:
    """Each on standard error; they make the exit status: 1 where figures differ, 2 where work could not be done."""
    for line in problems:
        args.status = status
        say(str(line))


def plot(args: argparse.Namespace) -> str | bytes:
    from archcalc.plot.kinds import KINDS, chosen, element, format_of, picture
    from archcalc.plot.look import Look

    kind = chosen(args.kind)
    given = {*Look._fields, *(name for other in KINDS.values() for name in other.options)}
    options = {name: getattr(args, name) for name in sorted(given) if getattr(args, name) is not None}
    if not args.output:
        raise ArchcalcError(f"a picture goes to a file: add -o FILE, such as -o {kind.name}.svg; -o - prints SVG")
    if args.output == "-" and args.format not in (None, "svg"):
        raise ArchcalcError(f"standard output takes SVG alone, not {args.format}; -o FILE writes to a file")
    format = "svg" if args.output == "-" else args.format or format_of(args.output)
    if args.caption_file is not None:
        options["caption"] = False
    with _warnings():
        made = picture(kind.name, _analyses(args), format, **options)
    if args.caption_file is not None:
        _write_caption(args, made.caption)
    return element(made.content) if args.output == "-" else made.content


def _write_caption(args: argparse.Namespace, caption: str) -> None:
    from archcalc.files import write
    from archcalc.report.escape import latex_text

    if args.caption_file in ("-", args.output):
        raise ArchcalcError("--caption: expected a file of its own")
    write(args.caption_file, (latex_text(caption) if args.caption_file.endswith(".tex") else caption) + "\n")


@contextmanager
def _warnings() -> Iterator[None]:
    """What pictures warn of, on standard error, each sentence once."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always", UserWarning)
        yield
    for text in dict.fromkeys(str(one.message) for one in found):
        say(text)


def report(args: argparse.Namespace) -> str:
    from archcalc.language import networks
    from archcalc.pages import folder

    if not args.folder:
        raise ArchcalcError("a report goes into a directory: add -o DIR, such as -o report")
    if args.folder == "-":
        raise ArchcalcError("a report is several files: -o takes a directory, such as -o report, not standard output")
    if args.all == bool(args.net):
        raise ArchcalcError("report takes networks, or --all for the whole zoo")
    if args.all and (args.set or args.input is not None):
        raise ArchcalcError("--all reports every network as it stands; --set and --input are for single ones")
    if args.jobs is not None and args.jobs < 1:
        raise ArchcalcError(f"--jobs: expected at least 1, got {args.jobs}")
    nets = _networks(args)
    names = list(networks()) if args.all else [net.full_name for net in nets]
    how = folder.plan(args.folder, args.format, names, _drawn(args.figures, nets), args.verification)
    jobs = min(args.jobs or os.cpu_count() or 1, len(names))
    steps = folder.write_pages(names, how, jobs) if args.all else folder.write_pages(nets, how)
    with _warnings():
        found = list(_progress(steps, len(names)))
    _report_problems(args, [Problem(f"{one.network}: {one.problem}") for one in found if one.problem], 2)
    if all(one.problem for one in found):  # an index of nothing would look like a report
        return ""
    return f"{folder.write_index(found, how)}\n"


def _drawn(figures: list[str] | None, nets: list[Network]) -> list[str] | None:
    """The networks to draw by their full names; a name without settings stands for all networks of that name."""
    if figures is None:
        return None
    named: dict[str, list[str]] = {}
    for net in nets:
        named.setdefault(net.name, []).append(net.full_name)
    return [name for figure in figures for name in named.get(figure, [figure])]


def help_(args: argparse.Namespace) -> str:
    from archcalc.cli.parser import parser
    from archcalc.cli.reference import commands

    top = parser()
    known = commands(top)
    if args.about is None:
        return top.format_help()
    if args.about not in known:
        raise ArchcalcError(unknown("command", args.about, known, most=40))
    return known[args.about].format_help()


def completion(args: argparse.Namespace) -> str:
    from archcalc.cli.complete import SCRIPTS

    if args.shell not in SCRIPTS:
        raise ArchcalcError(unknown("shell", args.shell, SCRIPTS))
    return SCRIPTS[args.shell]


def _width(args: argparse.Namespace) -> int | None:
    """The terminal's width when a table is read there; no bound in a file or a pipe."""
    if args.output or sys.stdout is None or not (sys.stdout.isatty() or "COLUMNS" in os.environ):
        return None
    return columns()
