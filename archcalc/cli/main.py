"""The entry point: what a run prints, where, and its exit status."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

from archcalc.cli.commands import settings_text
from archcalc.cli.options import HELP, ListedNames, output_of, refuse_file, settle_format
from archcalc.cli.parser import parser
from archcalc.cli.streams import discard_output, print_text, say
from archcalc.errors import ArchcalcError


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command: data to standard output, messages to standard error; 2 for bad usage or a bad spec."""
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        if words[:1] == ["__complete"]:  # the scripts of archcalc completion
            from archcalc.cli.complete import completed

            print_text(completed(words[1:]))
            return 0
        try:
            args = parser().parse_args(words)
        except ListedNames as names:
            refuse_file(output_of(words))
            print_text(str(names))
            return 0
        if args.command is None:
            raise ArchcalcError("no command given; see archcalc --help")
        if HELP in getattr(args, "set", ()):
            refuse_file(args.output)
            print_text(settings_text(args))
            return 0
        settle_format(args)
        _write(args.run(args), args.output)
    except ArchcalcError as error:
        for problem in error.problems:
            say(str(problem))
        return 2
    except BrokenPipeError:  # the reader has seen enough
        discard_output()
        return 0
    except KeyboardInterrupt:
        return 130
    return int(args.status)


def program() -> int:
    """``main`` as a process of its own.

    A command makes many objects and few cycles of them, and then ends. Python's collector of cycles looks through all of
    them again and again, for a third of the time of a network of 50,000 layers. Here it looks less often.
    """
    gc.set_threshold(200_000)
    return main()


def _write(content: str | bytes, path: str | None) -> None:
    """To standard output, or whole to a file."""
    if path in (None, "-") and isinstance(content, str):
        print_text(content)
        return
    from archcalc.files import write

    write(path or "", content)
