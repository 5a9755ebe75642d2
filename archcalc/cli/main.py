"""The entry point: the output of a run, the stream or file for the output, and the exit status."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

from archcalc.cli.command import Answer, Arguments, Command, Names
from archcalc.cli.networks import load_plugins
from archcalc.cli.options import TRACEBACK
from archcalc.cli.parsing import parse, wants_help
from archcalc.cli.registry import command
from archcalc.cli.streams import discard_output, print_text, say, say_lines
from archcalc.cli.values import HELP
from archcalc.errors import ArchcalcError, foreign
from archcalc.version import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. Data goes to standard output, messages go to standard error. Status 2: wrong usage or bad spec."""
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        return _run(words)
    except ArchcalcError as error:
        if TRACEBACK.name in words:
            say_lines(foreign(error))
        for problem in error.problems:
            say(str(problem))
        return 2
    except BrokenPipeError:  # the reader closed the pipe
        discard_output()
        return 0
    except KeyboardInterrupt as stopped:
        if str(stopped):  # what is kept
            say(str(stopped))
        return 130


def program() -> int:
    """``main`` in a new process.

    A command makes many objects, but few reference cycles, and then ends. For a network of 50,000 layers, Python's
    garbage collector would take a third of the time. So the collector runs less often here.
    """
    gc.set_threshold(200_000)
    return main()


def _run(words: Sequence[str]) -> int:
    name, *rest = words or [""]
    if name == "__complete":  # the scripts of ``archcalc completion`` call this
        from archcalc.cli.complete import completed

        print_text(completed(rest))
        return 0
    if name.startswith("-") or not name:
        print_text(_program_text(words))
        return 0
    chosen = command(name)
    if wants_help(rest):
        from archcalc.cli.help_text import command_help

        print_text(command_help(chosen))
        return 0
    args, names = parse(chosen, rest)
    load_plugins(getattr(args, "plugin", ()))
    if names is not None or HELP in getattr(args, "set", ()):
        print_text(_listing(chosen, args, names))
        return 0
    _settle_format(chosen, args)
    answer = chosen.run(args)
    if not isinstance(answer, Answer):
        answer = Answer(answer)
    for problem in answer.problems:
        say(problem)
    try:
        _write(answer.content, getattr(args, "output", None))
    except BrokenPipeError:  # the reader closed the pipe, which is no answer to what was checked
        discard_output()
    return answer.status


def _program_text(words: Sequence[str]) -> str:
    """The output of the program without a command: its help or its version."""
    if wants_help(words):
        from archcalc.cli.help_text import program_help
        from archcalc.cli.registry import commands

        return program_help(commands())
    if words[:1] == ["--version"]:
        return f"archcalc {__version__}\n"
    problem = f"unknown option {words[0]}" if words and words[0] else "no command given"
    raise ArchcalcError(f"{problem}; see archcalc --help")


def _listing(chosen: Command, args: Arguments, names: Names | None) -> str:
    """The list that the user asks for with ``help`` instead of a name or of a setting."""
    from archcalc.cli.names import listing
    from archcalc.cli.networks import settings_text

    file = next((getattr(args, option.attribute) for option in chosen.options if option.short == "-o"), None)
    if file not in (None, "-"):
        raise ArchcalcError(f"help lists names on standard output and writes no file: leave out -o {file}")
    return listing(names()) if names is not None else settings_text(args)


def _settle_format(chosen: Command, args: Arguments) -> None:
    """Set the format of the output: --format, else the file's extension, else the usual format of the command.

    ArchcalcError if no format has this extension.
    """
    if chosen.extensions is None or getattr(args, "format", None) is not None:
        return
    args.format = chosen.usual
    if args.output is not None:
        from archcalc.files import format_of

        args.format = format_of(args.output, chosen.extensions(args), chosen.usual)


def _write(content: str | bytes, path: str | None) -> None:
    """Write to standard output, or to a file. After an error, there is no partial file."""
    if path in (None, "-") and isinstance(content, str):
        print_text(content)
        return
    from archcalc.files import write

    write(path or "", content)
