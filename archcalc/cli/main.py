"""The parser, and the commands."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from archcalc.cli import options
from archcalc.errors import ArchcalcError
from archcalc.version import __version__

FORMATS = "text, markdown, csv, latex, html, json"

EXAMPLES = """examples:
  archcalc list                                   every network of the zoo
  archcalc table vgg16                            its layers and totals
  archcalc table resnet50 --depth 1 --format markdown -o resnet50.md
  archcalc table my.yaml --input 3x320x320 --batch 8 --dtype float16
  archcalc table "INPUT 32x32x3 -> [CONV3-32 -> RELU -> POOL2]*2 -> FC-10"
  archcalc compare vgg16 resnet50 googlenet --baseline alexnet
  archcalc diff resnet50 resnet50_tv              where they differ, aligned
  archcalc audit googlenet                        what was published of it, on trial
  archcalc explain resnet50_tv --as fvcore        the way from our count to another tool's
  archcalc show googlenet                         the spec itself
  archcalc schema > archcalc.schema.json          for editors that check YAML"""


def table(args: argparse.Namespace) -> str:
    from archcalc.report import render

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
    from archcalc.report.compare import compare_table
    from archcalc.report.formats import render_table

    analyses = _analyses(args)
    baseline = _analysis(args, args.baseline, {}) if args.baseline else None
    return render_table(
        compare_table(analyses, args.columns, baseline), args.format, exact=args.exact, width=_width(args)
    )


def diff(args: argparse.Namespace) -> str:
    from archcalc.report.diff import diff_table
    from archcalc.report.formats import render_table

    if len(args.net) != 2:
        raise ArchcalcError(f"diff takes two networks, got {len(args.net)}")
    return render_table(diff_table(*_analyses(args)), args.format, exact=True, width=_width(args))


def show(args: argparse.Namespace) -> str:
    from archcalc.spec import load
    from archcalc.spec.expanded import expanded
    from archcalc.spec.zoo import source

    if args.expanded:
        return "\n".join(expanded(load(net, **dict(args.set))) for net in args.net)
    if args.set:
        raise ArchcalcError("--set changes what is built, not the spec; add --expanded to see it")
    return "\n".join(source(net) for net in args.net)


def _analyses(args: argparse.Namespace) -> list[Any]:
    return [_analysis(args, net, dict(args.set)) for net in args.net]


def _analysis(args: argparse.Namespace, net: str, settings: dict[str, Any]) -> Any:
    from archcalc.spec import load

    return load(net, **settings).analyze(
        input=args.input, batch=args.batch, dtype=args.dtype, convention=args.convention, training=args.training
    )


def schema(args: argparse.Namespace) -> str:
    from json import dumps

    from archcalc.spec.schema import schema

    return dumps(schema(), indent=2) + "\n"


def audit(args: argparse.Namespace) -> str:
    from archcalc.published.figures import load_figures, of_networks
    from archcalc.published.verdict import judge_all
    from archcalc.report.audit import audit_report, audit_table, differences
    from archcalc.report.formats import render_table

    if args.report and (args.net or args.all):
        raise ArchcalcError("--report is about all figures; it takes no networks and no --all")
    judgements = judge_all(of_networks(load_figures(), args.net))
    for line in differences(judgements):
        args.status = 1
        if sys.stderr is not None:
            print(f"archcalc: {line}", file=sys.stderr)
    if args.report:
        return audit_report(judgements)
    return render_table(audit_table(judgements, args.all), args.format, width=_width(args))


def explain(args: argparse.Namespace) -> str:
    from archcalc.report.explain import explain
    from archcalc.report.formats import render_table
    from archcalc.spec import load

    parts = []
    for net in args.net:
        network = load(net, **dict(args.set))
        if args.input is not None:
            network = network.analyze(input=args.input).network
        table = explain(network, args.convention, args.measure)
        parts.append(render_table(table, args.format, exact=True, width=_width(args)))
    return _joined(parts, args.format)


def completion(args: argparse.Namespace) -> str:
    try:
        import shtab
    except ImportError:
        raise ArchcalcError("shell completion needs shtab: pip install 'archcalc[completion]'") from None
    return str(shtab.complete(parser(), args.shell)) + "\n"


def _width(args: argparse.Namespace) -> int | None:
    """The terminal's width when a table is read there; no bound in a file or a pipe."""
    if args.output or sys.stdout is None or not (sys.stdout.isatty() or "COLUMNS" in os.environ):
        return None
    from shutil import get_terminal_size

    return get_terminal_size().columns


def parser() -> options.Parser:
    """The whole command line; the reference page is generated from it."""
    top = options.Parser(
        prog="archcalc",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        epilog=EXAMPLES,
        description="Exact shapes, parameters, MACs, memory and receptive fields of convolutional networks.",
    )
    top.add_argument("--version", action="version", version=f"archcalc {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", dest="command", parser_class=options.Parser)

    def command(name: str, run: Callable[[argparse.Namespace], str], about: str, example: str) -> options.Parser:
        made: options.Parser = commands.add_parser(
            name,
            help=about,
            description=about[0].upper() + about[1:] + ".",
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        made.set_defaults(run=run, parser=made, output=None, status=0)
        return made

    one = command(
        "table",
        table,
        "the layers of a network with their shapes, costs and receptive fields",
        "archcalc table vgg16 --as cs231n --format notes",
    )
    options.network(one)
    options.counting(one)
    one.add_argument("--depth", metavar="N", type=options.whole, help="fold blocks nested deeper than N")
    one.add_argument("--by", metavar="type|stage", help="fold by layer type, or by stage (runs of one map size)")
    options.printing(one, FORMATS + ", notes")

    one = command("list", list_, "the networks of the zoo", "archcalc list 'resnet*' --sort macs")
    one.add_argument("pattern", metavar="PATTERN", nargs="*", help="names, with * and ? as wildcards")
    one.add_argument("--sort", metavar="COLUMN", help="sort by a column")
    options.printing(one, FORMATS)

    one = command(
        "compare",
        compare,
        "networks side by side, one row each",
        "archcalc compare vgg16 resnet50 googlenet --baseline alexnet",
    )
    options.network(one)
    options.counting(one)
    one.add_argument("--baseline", metavar="NET", help="add ratios to this network's figures")
    options.printing(one, FORMATS)

    one = command(
        "diff",
        diff,
        "the layers in which two networks differ, and the change of every total",
        "archcalc diff resnet50 resnet50_tv",
    )
    options.network(one)
    options.counting(one)
    options.printing(one, FORMATS, columns=False)

    one = command(
        "audit",
        audit,
        "published figures computed anew and judged; status 1 when a verdict is not as recorded",
        "archcalc audit vgg16 --all",
    )
    one.add_argument("net", metavar="NET", nargs="*", help="the figures of these networks, with * and ? as wildcards")
    one.add_argument("--all", action="store_true", help="the figures that match too")
    one.add_argument("--report", action="store_true", help="the readable report, in Markdown: reports/audit.md")
    options.printing(one, FORMATS, columns=False)

    one = command(
        "explain",
        explain,
        "the way from our count to the one of a tool, a paper or a course, term by term",
        "archcalc explain resnet50_tv --as fvcore",
    )
    options.network(one)
    one.add_argument("--input", metavar="CxHxW", type=options.input_size, help="compute at this input, as in 3x320x320")
    one.add_argument(
        "--as",
        dest="convention",
        metavar="TOOL",
        help="fvcore, torchinfo, ptflops, thop ...; all of them side by side when left out",
    )
    one.add_argument(
        "--measure",
        action="store_true",
        help="run the tool on torchvision's model and show the remainder (needs archcalc[torch,tools])",
    )
    options.printing(one, FORMATS, columns=False)

    one = command(
        "show",
        show,
        "the spec of a network, or the network after blocks and repeats",
        "archcalc show googlenet --expanded",
    )
    options.network(one)
    one.add_argument("--expanded", action="store_true", help="every layer on its own, as a spec that loads to the same")
    one.add_argument("-o", "--output", metavar="FILE", help="write to a file instead of standard output")

    one = command(
        "schema", schema, "the JSON Schema of the spec language, for editors", "archcalc schema -o spec.schema.json"
    )
    one.add_argument("-o", "--output", metavar="FILE", help="write to a file instead of standard output")

    one = command(
        "completion",
        completion,
        "a completion script for a shell",
        "archcalc completion bash > ~/.local/share/bash-completion/completions/archcalc",
    )
    one.add_argument("shell", choices=("bash", "zsh", "tcsh"), metavar="SHELL", help="bash, zsh or tcsh")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command: data to standard output, messages to standard error; 2 for bad usage or a bad spec."""
    try:
        args = _parsed(argv)
        if args.command is None:
            raise ArchcalcError("no command given; see archcalc --help")
        _write(args.run(args), args.output)
    except ArchcalcError as error:
        if sys.stderr is not None:
            for problem in error.problems:
                print(f"archcalc: {problem}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader has seen enough
        _discard_output()
        return 0
    except KeyboardInterrupt:
        return 130
    return int(args.status)


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    try:
        return parser().parse_args(argv)  # type: ignore[no-any-return]
    except SystemExit:  # after --help or --version: a closed pipe is noticed now, not by the interpreter's last flush
        if sys.stdout is not None:
            sys.stdout.flush()
        raise


def _discard_output() -> None:
    """Let nothing more be flushed to where standard output cannot be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write(text: str, path: str | None) -> None:
    """To standard output, or whole to a file: written beside it, then renamed."""
    if path is None:
        _print(text)
        return
    from archcalc.report.files import write

    write(path, text)


def _print(text: str) -> None:
    if sys.stdout is None:
        raise ArchcalcError("standard output is closed; -o FILE writes to a file")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except UnicodeEncodeError as error:
        raise ArchcalcError(
            f"standard output is {error.encoding} text and cannot hold {error.object[error.start]!r}; "
            f"-o FILE writes UTF-8, as does PYTHONIOENCODING=utf-8"
        ) from None
    except OSError as error:
        _discard_output()
        raise ArchcalcError(f"standard output cannot be written: {(error.strerror or 'unknown').lower()}") from None
