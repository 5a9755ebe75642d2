"""The parser: every command with its options; the reference page is generated from it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from archcalc.cli import commands, names, options
from archcalc.plot.kinds import KINDS
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
  archcalc rf alexnet                             how far each layer sees
  archcalc memory resnet50 --fit 24GiB            the largest batch, for inference and training
  archcalc audit googlenet                        what was published of it, on trial
  archcalc explain resnet50_tv --as fvcore        the way from our count to another tool's
  archcalc plot cost vgg16 -o vgg16.pdf           pictures, for a paper or a slide
  archcalc report vgg16 resnet50 -o report        all of it on one page each, with an index
  archcalc show googlenet                         the spec itself
  archcalc export resnet50 --to torch -o net.py   the same as plain PyTorch source
  archcalc schema > archcalc.schema.json          for editors that check YAML"""


def spec_extensions(args: argparse.Namespace) -> Mapping[str, str]:
    """A spec is YAML; the text of a file of JSON stays JSON."""
    json = {"json": "json"} if not args.expanded and all(net.endswith(".json") for net in args.net) else {}
    return {"yaml": "yaml", "yml": "yaml", **json}


def parser() -> options.Parser:
    """The whole command line; the reference page is generated from it."""
    top = options.Parser(
        prog="archcalc",
        formatter_class=options.Formatter,
        allow_abbrev=False,
        epilog=EXAMPLES,
        description="Exact shapes, parameters, MACs, memory and receptive fields of convolutional networks.",
    )
    top.add_argument("--version", action="version", version=f"archcalc {__version__}")
    kinds = top.add_subparsers(metavar="COMMAND", dest="command", parser_class=options.Parser)

    def command(
        name: str, run: Callable[[argparse.Namespace], str | bytes], about: str, example: str
    ) -> options.Parser:
        made: options.Parser = kinds.add_parser(
            name,
            help=about,
            description=about[0].upper() + about[1:] + ".",
            epilog=f"example:\n  {example}",
            formatter_class=options.Formatter,
            allow_abbrev=False,
        )
        made.set_defaults(run=run, parser=made, output=None, format=None, extensions=None, status=0)
        return made

    one = command(
        "table",
        commands.table,
        "the layers of a network with their shapes, costs and receptive fields",
        "archcalc table vgg16 --as cs231n --format notes",
    )
    options.network(one)
    options.counting(one)
    one.add_argument("--depth", metavar="N", type=options.whole, help="fold blocks nested deeper than N")
    one.add_argument(
        "--by",
        metavar="type|stage",
        action=options.Named,
        names=names.folds,
        help="fold by layer type, or by stage (runs of one map size)",
    )
    options.printing(one, FORMATS + ", notes", columns=names.layer_columns, known=names.layer_formats)

    one = command("list", commands.list_, "the networks of the zoo", "archcalc list 'resnet*' --sort macs")
    options.patterns(one, "pattern", "names, with * and ? as wildcards")
    one.add_argument(
        "--sort", metavar="COLUMN", action=options.Named, names=names.list_columns, help="sort by a column"
    )
    options.printing(one, FORMATS, columns=names.list_columns)

    one = command(
        "compare",
        commands.compare,
        "networks side by side, one row each",
        "archcalc compare vgg16 resnet50 googlenet --baseline alexnet",
    )
    options.network(one)
    options.counting(one)
    one.add_argument(
        "--baseline",
        metavar="NET",
        action=options.Named,
        names=names.networks,
        listed=False,
        help="add ratios to this network's figures; NET@KEY=VALUE sets it, --set does not",
    )
    options.printing(one, FORMATS, columns=names.compare_columns)

    one = command(
        "diff",
        commands.diff,
        "the layers in which two networks differ, and the change of every total",
        "archcalc diff resnet50 resnet50_tv",
    )
    options.network(one)
    options.counting(one)
    options.printing(one, FORMATS)

    one = command(
        "rf",
        commands.rf,
        "the receptive field layer by layer, and what it means at this input",
        "archcalc rf alexnet --layer conv5 --unit 3,4",
    )
    options.network(one)
    options.at_input(one)
    one.add_argument("--all", action="store_true", help="the layers that leave the field as it is too")
    one.add_argument("--layer", metavar="NAME", help="one layer, or the last of a block")
    one.add_argument("--unit", metavar="Y,X", type=options.unit, help="the pixels that this unit of the layer sees")
    one.add_argument("--summary", action="store_true", help="a line for each network instead, with its parameters")
    options.printing(one, FORMATS, columns=names.field_columns)

    one = command(
        "memory",
        commands.memory,
        "what is alive when at inference, what training keeps and why, and what fits into a budget",
        "archcalc memory vgg16 --fit 24GiB --optimizer adam",
    )
    options.network(one)
    options.at_input(one)
    one.add_argument("--batch", metavar="N", type=options.whole, help="images at once (1)")
    options.dtype(one)
    one.add_argument("--training", action="store_true", help="a step of training instead of inference")
    options.optimizer(one, "sgd, momentum, adam or adamw (sgd): what it holds in training")
    one.add_argument("--amp", action="store_true", help="mixed precision, as autocast to bfloat16")
    one.add_argument(
        "--checkpoint", metavar="BLOCK,...", help="run these blocks again in the backward pass, and keep less"
    )
    one.add_argument(
        "--fold-bn", action="store_true", help="as deployed: batch normalisations folded into convolutions"
    )
    one.add_argument("--overhead", metavar="SIZE", help="what the framework and the device's context hold beside it")
    one.add_argument(
        "--fit", metavar="SIZE", help="the largest batch within so much, as in 24GiB; with --batch, the largest input"
    )
    one.add_argument("--batches", metavar="N,...", type=options.numbers, help="a table over these batch sizes")
    options.printing(one, FORMATS, columns=names.memory_columns)

    one = command(
        "audit",
        commands.audit,
        "published figures computed anew and judged; status 1 when a verdict is not as recorded",
        "archcalc audit vgg16 --all",
    )
    options.patterns(one, "net", "the figures of these networks, with * and ? as wildcards")
    one.add_argument("--all", action="store_true", help="the figures that match too")
    one.add_argument("--report", action="store_true", help="the readable report, in Markdown: reports/audit.md")
    options.printing(one, FORMATS)

    one = command(
        "explain",
        commands.explain,
        "the way from our count to the one of a tool, a paper or a course, term by term",
        "archcalc explain resnet50_tv --as fvcore",
    )
    options.network(one)
    options.at_input(one)
    one.add_argument(
        "--as",
        dest="convention",
        metavar="TOOL",
        action=options.Named,
        names=names.conventions,
        help="fvcore, torchinfo, ptflops, thop ...; all of them side by side when left out",
    )
    one.add_argument(
        "--measure",
        action="store_true",
        help="run the tool on torchvision's model and show the remainder (needs archcalc[torch,tools])",
    )
    options.printing(one, FORMATS)

    one = command(
        "verify",
        commands.verify,
        "the engine's figures next to real PyTorch models, layer by layer; status 1 where one differs",
        "archcalc verify resnet50_tv",
    )
    options.network(one, "*")
    one.add_argument("--all", action="store_true", help="every network of the zoo, a line each")
    one.add_argument(
        "--device",
        metavar="DEVICE",
        default="auto",
        action=options.Named,
        names=names.devices,
        help="cuda, cpu, meta or auto (auto)",
    )
    one.add_argument("--jobs", metavar="N", type=options.whole, default=2, help="networks at once, with --all (2)")
    options.at_input(one, "verify at this input")
    one.add_argument("--exact", action="store_true", help="all digits instead of K, M and G")
    one.add_argument("--csv", metavar="FILE", help="write the same as CSV to this file too")
    options.printing(one, FORMATS)

    one = command(
        "plot",
        commands.plot,
        "a picture of a network as PNG, SVG or PDF (needs archcalc[plot])",
        "archcalc plot cost vgg16 -o vgg16.pdf",
    )
    one.add_argument(
        "kind",
        metavar="KIND",
        action=options.Named,
        names=names.kinds,
        help="; ".join(f"{kind.name}: {kind.about}" for kind in KINDS.values()),
    )
    options.network(one, "*")
    options.counting(one)
    one.add_argument("--layers", metavar="NAME,...", type=options.names, help="rf-map: the layers whose fields to draw")
    one.add_argument("--depth", metavar="N", type=options.whole, help="graph: fold blocks nested deeper than N")
    one.add_argument("--kernel", metavar="K", type=options.whole, help="pattern: the size of the small kernel (3)")
    one.add_argument("--stack", metavar="N", type=options.whole, help="pattern: how many of them at most (3)")
    one.add_argument("--fit", metavar="SIZE", help="budget: the card's memory (24GiB)")
    options.optimizer(one, "budget: sgd, momentum, adam or adamw (sgd)")
    one.add_argument("--overhead", metavar="SIZE", help="budget: what the framework holds besides (0B)")
    one.add_argument("--amp", action="store_const", const=True, help="memory, budget: train in mixed precision")
    one.add_argument("--checkpoint", metavar="BLOCK,...", help="memory, budget: blocks that run again, not kept")
    one.add_argument("--width", metavar="WIDTH", help="inches, column (3.5) or page (7) (column)")
    one.add_argument("--title", metavar="TEXT", help="a title above the picture")
    one.add_argument(
        "--no-caption",
        dest="caption",
        action="store_const",
        const=False,
        help="leave the caption below the picture out",
    )
    one.add_argument(
        "--caption",
        dest="caption_file",
        metavar="FILE",
        help="write the caption to this file and not below the picture; as LaTeX where FILE ends in .tex",
    )
    one.add_argument("--dark", action="store_const", const=True, help="light lines on a dark ground")
    one.add_argument("--transparent", action="store_const", const=True, help="no ground")
    one.add_argument(
        "--format",
        metavar="FORMAT",
        action=options.Named,
        names=names.picture_formats,
        help="png, svg or pdf; otherwise the extension of FILE decides",
    )
    one.add_argument("-o", "--output", metavar="FILE", help="the file to write; - for SVG on standard output")

    one = command(
        "report",
        commands.report,
        "a page for each network with everything archcalc knows of it, and an index that compares them",
        "archcalc report alexnet vgg16 resnet50 -o report",
    )
    options.network(one, "*")
    one.add_argument("--all", action="store_true", help="every network of the zoo")
    options.at_input(one)
    one.add_argument(
        "--format",
        metavar="FORMAT",
        default="html",
        action=options.Named,
        names=names.page_formats,
        help="html, markdown (with CSV) or csv (html)",
    )
    one.add_argument(
        "--figures", metavar="NET,...", type=options.names, help="the networks to draw pictures of; none for none (all)"
    )
    one.add_argument("--verification", metavar="FILE", help="show what this table of archcalc verify --all says")
    one.add_argument("--jobs", metavar="N", type=options.whole, help="networks at once, with --all (one per core)")
    one.add_argument("-o", "--output", dest="folder", metavar="DIR", help="the directory to write the pages into")

    one = command(
        "show",
        commands.show,
        "the spec of a network, or the network after blocks and repeats",
        "archcalc show googlenet --expanded",
    )
    options.network(one)
    one.add_argument("--expanded", action="store_true", help="every layer on its own, as a spec that loads to the same")
    options.output(one, spec_extensions, "yaml")

    one = command(
        "export",
        commands.export,
        "a network as plain PyTorch source that needs no archcalc",
        "archcalc export vgg16 --to torch -o vgg16.py",
    )
    options.network(one, None)
    one.add_argument(
        "--to",
        metavar="FORMAT",
        default="torch",
        action=options.Named,
        names=names.targets,
        help="what to write: torch (torch)",
    )
    options.at_input(one, "for this input")
    options.output(one, lambda _: {"py": "torch"}, "torch")

    one = command(
        "schema",
        commands.schema,
        "the JSON Schema of the spec language, for editors",
        "archcalc schema -o spec.schema.json",
    )
    options.output(one, lambda _: {"json": "json"}, "json")

    one = command("help", commands.help_, "the help of archcalc or of one command", "archcalc help table")
    one.add_argument(
        "about",
        metavar="COMMAND",
        nargs="?",
        action=options.Named,
        names=names.commands,
        listed=False,
        help="a command",
    )

    one = command(
        "completion",
        commands.completion,
        "a completion script for a shell",
        "archcalc completion bash > ~/.local/share/bash-completion/completions/archcalc",
    )
    one.add_argument("shell", metavar="SHELL", action=options.Named, names=names.shells, help="bash, zsh or fish")
    return top
