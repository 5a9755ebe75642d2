"""The text of ``--help``, of one command or of the program, from the declared options."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap

from archcalc.cli.command import Command
from archcalc.cli.parsing import HELP_OPTION
from archcalc.cli.streams import columns

ABOUT = "Exact shapes, parameters, MACs, memory and receptive fields of convolutional networks."
EXAMPLES = (
    ("archcalc list", "every network of the zoo"),
    ("archcalc table vgg16", "the layers and totals of VGG-16"),
    ("archcalc table resnet50 --depth 1 --format markdown -o resnet50.md", ""),
    ("archcalc table my.yaml --input 3x320x320 --batch 8 --dtype float16", ""),
    ('archcalc table "INPUT 32x32x3 -> [CONV3-32 -> RELU -> POOL2]*2 -> FC-10"', ""),
    ("archcalc compare vgg16 resnet50 googlenet --baseline alexnet", ""),
    ("archcalc diff resnet50 resnet50_tv", "the layers that differ, aligned"),
    ("archcalc rf alexnet", "the receptive field of every layer"),
    ("archcalc memory resnet50 --fit 24GiB", "the largest batch, at inference and in training"),
    ("archcalc time resnet50 --on a100 --batch 64", "how long on a device, and how far to trust it"),
    ("archcalc audit googlenet", "published figures, checked"),
    ("archcalc explain resnet50_tv --as fvcore", "from archcalc's count to another tool's"),
    ("archcalc plot cost vgg16 -o vgg16.pdf", "pictures, for a paper or a slide"),
    ("archcalc report vgg16 resnet50 -o report", "a page per network, with an index"),
    ("archcalc live vgg16", "a page in the browser, edited live"),
    ("archcalc show googlenet", "the spec"),
    ("archcalc export resnet50 --to torch -o net.py", "the network as plain PyTorch source"),
    ("archcalc schema > archcalc.schema.json", "for editors that check YAML"),
)
"""Commands for a beginner, each with a short description."""
PROGRAM_OPTIONS = (HELP_OPTION.heading, HELP_OPTION.about), ("--version", "show the version")
WIDEST = 24
"""Maximum characters for the name of an option in its line. A longer name has a separate line."""


def command_help(command: Command) -> str:
    """The help of one command: its arguments, the options that only this command has, and the shared options."""
    own = [option for option in command.options if not option.shared]
    shared = [option for option in (*command.options, HELP_OPTION) if option.shared]
    parts = [
        [f"usage: {command.usage}"],
        _paragraph(command.sentence),
        _section("arguments", [(a.name, a.about) for a in command.arguments]),
        *(_section(f"{a.name} is one of", list(a.names().items())) for a in command.arguments if not a.free),
        _section("options", [(option.heading, option.about) for option in own]),
        _section("shared options" if own else "options", [(option.heading, option.about) for option in shared]),
        ["example:", f"  {command.example}"],
    ]
    return _joined(parts)


def program_help(commands: Iterable[Command]) -> str:
    """The help of the program: every command with a one-line description, and examples."""
    widest = max(len(line) for line, about in EXAMPLES if about)
    parts = [
        ["usage: archcalc COMMAND ...", "       archcalc help COMMAND"],
        _paragraph(ABOUT),
        _section("commands", [(command.name, command.about) for command in commands]),
        _section("options", PROGRAM_OPTIONS),
        ["examples:", *(f"  {line:<{widest}}  {about}".rstrip() for line, about in EXAMPLES)],
    ]
    return _joined(parts)


def _joined(parts: Iterable[Sequence[str]]) -> str:
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _paragraph(text: str) -> list[str]:
    return _wrapped(text, max(columns() - 2, 40))


def _wrapped(text: str, width: int) -> list[str]:
    return wrap(text, width, break_on_hyphens=False)


def _section(title: str, rows: Sequence[tuple[str, str]]) -> list[str]:
    """A title, and below the title two columns: names and their meanings."""
    if not rows:
        return []
    wide = min(WIDEST, max(len(name) for name, _ in rows))
    lines = [f"{title}:"]
    for name, about in rows:
        text = _wrapped(about, max(columns() - 2 - wide - 4, 20)) or [""]
        if len(name) > wide:
            lines.append(f"  {name}")
            name = ""
        lines.append(f"  {name:<{wide}}  {text[0]}".rstrip())
        lines += [f"  {'':<{wide}}  {line}" for line in text[1:]]
    return lines
