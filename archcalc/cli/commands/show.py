"""``archcalc show``: the spec of a network."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from archcalc.cli.command import Arguments, Command, Option
from archcalc.cli.networks import networks
from archcalc.cli.options import INPUT, NET, NET_OPTIONS, OUTPUT
from archcalc.errors import ArchcalcError, visible


def run(args: Arguments) -> str:
    from archcalc.language.expanded import expanded
    from archcalc.language.zoo import source, split_settings
    from archcalc.outputs import unused_lines

    if args.expanded:
        return "\n".join("".join(f"# {line}\n" for line in unused_lines(n)) + expanded(n) for n in networks(args))
    if args.set or args.input or any(split_settings(net)[1] for net in args.net):
        raise ArchcalcError("settings and --input change what is built, not the spec; add --expanded to see it")
    text = "\n".join(source(net) for net in args.net)
    if args.output or sys.stdout is None or not sys.stdout.isatty():
        return text
    return "\n".join(map(visible, text.split("\n")))  # escapes characters that control a terminal or reverse the text


def extensions(args: Arguments) -> Mapping[str, str]:
    """The formats by extension: a spec is YAML, but the spec of a JSON file stays JSON."""
    json = {"json": "json"} if not args.expanded and all(net.endswith(".json") for net in args.net) else {}
    return {"yaml": "yaml", "yml": "yaml", **json}


COMMAND = Command(
    "show",
    "the spec of a network, or the network after blocks and repeats",
    "archcalc show googlenet --expanded",
    run,
    arguments=(NET,),
    options=(
        *NET_OPTIONS,
        Option("--expanded", "every layer as an entry of its own, as a spec that loads to the same network"),
        INPUT,
        OUTPUT,
    ),
    extensions=extensions,
    usual="yaml",
    page="spec.md",
)
