"""``archcalc schema``: the JSON Schema of the spec language."""

from __future__ import annotations

from archcalc.cli.command import Arguments, Command
from archcalc.cli.options import OUTPUT, PLUGIN


def run(args: Arguments) -> str:
    from json import dumps

    from archcalc.language.schema import schema

    return dumps(schema(), indent=2) + "\n"


COMMAND = Command(
    "schema",
    "the JSON Schema of the spec language, for editors",
    "archcalc schema",
    run,
    options=(PLUGIN, OUTPUT),
    extensions=lambda _: {"json": "json"},
    usual="json",
    page="spec.md",
)
