"""The command-line reference, generated from the parser: ``python -m archcalc.cli.reference > docs/cli.md``."""

from __future__ import annotations

import argparse
import sys

from archcalc.cli.parser import parser


def reference() -> str:
    """docs/cli.md: every command with its options and example, as ``--help`` has them."""
    top = parser()
    parts = [
        "# Command line",
        "",
        f"Generated from the parser by `python -m archcalc.cli.reference`. {top.description}",
        "",
        *_described(top),
    ]
    for name, command in commands(top).items():
        parts += ["", f"## archcalc {name}", "", str(command.description), "", *_described(command)]
    return "\n".join(parts) + "\n"


def commands(top: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Every command's parser by name."""
    return next(dict(a.choices) for a in top._actions if isinstance(a, argparse._SubParsersAction))


def _described(one: argparse.ArgumentParser) -> list[str]:
    rows = []
    for action in one._actions:
        if isinstance(action, argparse._SubParsersAction):
            rows += [f"| `{choice.dest}` | {choice.help} |" for choice in action._choices_actions]
        elif action.help != argparse.SUPPRESS:
            names = ", ".join(action.option_strings) or str(action.metavar)
            value = f" {action.metavar}" if action.option_strings and action.nargs != 0 else ""
            rows.append(f"| `{_cell(names + value)}` | {_cell(str(action.help))} |")
    examples = (one.epilog or "").split("\n", 1)[1:]
    return [
        "| | |",
        "|---|---|",
        *rows,
        "",
        "```text",
        *(line.strip() for text in examples for line in text.split("\n")),
        "```",
    ]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(reference())
