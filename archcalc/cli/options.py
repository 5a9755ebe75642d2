"""The options that commands share, and how their values are read."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar, cast

from archcalc.cli import names as names_of
from archcalc.cli.names import Names, listing
from archcalc.cli.streams import columns, print_text
from archcalc.errors import ArchcalcError, nearest
from archcalc.inputs import read_sizes
from archcalc.layers.settings import shown
from archcalc.sizes import Shape

_T = TypeVar("_T")


class Formatter(argparse.RawDescriptionHelpFormatter):
    """argparse's, which is made for every option, without the module that it loads to ask for the terminal's width."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=columns() - 2)


class Parser(argparse.ArgumentParser):
    """argparse with archcalc's own error: one sentence, with the nearest right name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._negative_number_matcher = re.compile("-[0-9.:@]")  # -3GiB, -1,2 and -:NAME are no options

    def _print_message(self, message: str, file: Any = None) -> None:
        """--help and --version, whose output can fail as all output can."""
        print_text(message)

    def error(self, message: str) -> NoReturn:
        raise ArchcalcError(f"{self._said(message)}; see {self.prog} --help")

    def _said(self, message: str) -> str:
        wrong = re.match(r"unrecognized arguments: (.*)", message)
        if wrong:
            word = next(iter(wrong[1].split()), "")
            close = nearest(word, [o for action in self._actions for o in action.option_strings if o.startswith("--")])
            hint = f"; did you mean {close}?" if close and word.startswith("-") else ""
            return f"unknown option {word}{hint}" if word.startswith("-") else f"unexpected argument {word!r}"
        choice = re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message)
        if choice:
            known = re.findall(r"[\w-]+", choice[2])
            close = nearest(choice[1], known)
            what = "command" if "COMMAND" in message else message.split(":")[0].removeprefix("argument ")
            return f"unknown {what} {choice[1]!r}; " + (
                f"did you mean {close!r}?" if close else f"known: {', '.join(known)}"
            )
        return message

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        found, extra = self.parse_known_args(args, namespace)
        if extra:
            sub = getattr(found, "parser", self)
            sub.error(f"unrecognized arguments: {' '.join(extra)}")
        return found


def input_size(text: str) -> Shape | tuple[int, ...]:
    """CxHxW as numbers, or a Shape where the text says the order of its sizes."""
    return _read(read_sizes, text)


def _read(read: Callable[[str], _T], text: str) -> _T:
    """What a function makes of the text; its error is the option's."""
    try:
        return read(text)
    except ArchcalcError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def whole(text: str) -> int:
    """A whole number."""
    if not re.fullmatch(r"[-+]?[0-9]+", text):
        raise argparse.ArgumentTypeError(f"expected a whole number, got {shown(text)}")
    if len(text) > 18:
        raise argparse.ArgumentTypeError(f"expected a whole number of at most 18 digits, got {shown(text)}")
    return int(text)


def numbers(text: str) -> list[int]:
    """Whole numbers with commas between, each at least 1."""
    found = [whole(part.strip()) for part in text.split(",")]
    if min(found) < 1 or len(found) > 1000:
        raise argparse.ArgumentTypeError(f"expected up to 1000 numbers from 1 on, such as 1,8,32, got {shown(text)}")
    return found


HELP = ("help", ...)
"""What ``--set help`` sets: the wish to see what could be set."""


def setting(text: str) -> tuple[str, Any]:
    """key=value, the value as a spec would write it."""
    if text == "help":
        return HELP
    from archcalc.language.settings import read_setting

    return _read(read_setting, text)


def unit(text: str) -> tuple[int, ...]:
    """The position of a unit in a map: Y,X."""
    if not re.fullmatch(r"-?[0-9]{1,18}([,x]-?[0-9]{1,18}){0,2}", text.strip().lower()):
        raise argparse.ArgumentTypeError(f"expected a position such as 3,4 (row, column), got {shown(text)}")
    return tuple(map(int, re.split("[,x]", text.strip().lower())))


def names(text: str) -> list[str]:
    """Comma-separated names."""
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found:
        raise argparse.ArgumentTypeError(f"expected names with commas between, got {shown(text)}")
    return found


class ListedNames(Exception):  # noqa: N818  no error: the answer to ``help`` in place of a name
    """The names that an option takes, in place of a run of the command."""


class Named(argparse.Action):
    """A value that is one of the names that exist; ``help`` in its place prints them.

    Arguments for which any text may be right, such as a file, have names for completion alone: they are not ``listed``.
    """

    def __init__(self, *args: Any, names: Names, listed: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names, self.listed = names, listed

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        if self.listed and values in ("help", ["help"]):
            raise ListedNames(listing(self.names()))
        setattr(namespace, self.dest, values)


def refuse_file(output: str | None) -> None:
    """ArchcalcError where the names that an option takes are to be written to a file."""
    if output not in (None, "-"):
        raise ArchcalcError(f"help lists names on standard output and writes no file: leave out -o {output}")


def output_of(words: Sequence[str]) -> str | None:
    """What -o says in the words of a command line, wherever it stands."""
    alone = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    alone.add_argument("-o", "--output", nargs="?")
    return cast("str | None", alone.parse_known_args(words)[0].output)


def settle_format(args: argparse.Namespace) -> None:
    """The format of the output: as --format says, else as the file's extension says, else the command's own.

    ArchcalcError for an extension that stands for none.
    """
    if args.extensions is None or args.format is not None:
        return
    args.format = args.usual
    if args.output is not None:
        from archcalc.files import format_of

        args.format = format_of(args.output, args.extensions(args), args.usual)


def network(parser: argparse.ArgumentParser, count: str | None = "+") -> None:
    parser.add_argument(
        "net",
        metavar="NET",
        nargs=count,
        action=Named,
        names=names_of.networks,
        listed=False,
        help="a name in the zoo, a spec file (FILE.yaml, or FILE.yaml:NAME where it holds several), "
        "- for a spec on standard input, or a one-line pattern; with settings as in resnet50@option=c,classes=10",
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        type=setting,
        action="append",
        default=[],
        help="set a parameter of the spec, for every network; may be given again; help lists them",
    )


def patterns(parser: argparse.ArgumentParser, dest: str, help: str) -> None:
    """Networks of the zoo by names with wildcards."""
    parser.add_argument(
        dest, metavar=dest.upper(), nargs="*", action=Named, names=names_of.networks, listed=False, help=help
    )


def at_input(parser: argparse.ArgumentParser, what: str = "compute at this input") -> None:
    parser.add_argument("--input", metavar="CxHxW", type=input_size, help=f"{what}, as in 3x320x320")


def counting(parser: argparse.ArgumentParser) -> None:
    at_input(parser)
    parser.add_argument("--batch", metavar="N", type=whole, default=1, help="images at once (1)")
    dtype(parser)
    parser.add_argument(
        "--as",
        dest="convention",
        metavar="CONVENTION",
        default="archcalc",
        action=Named,
        names=names_of.conventions,
        help="how to count: cs231n, fvcore, thop ... (archcalc); help lists all",
    )
    parser.add_argument("--training", action="store_true", help="count side heads too, which run in training only")


def dtype(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dtype",
        metavar="TYPE",
        default="float32",
        action=Named,
        names=names_of.dtypes,
        help="type of a value in memory (float32); help lists all",
    )


def optimizer(parser: argparse.ArgumentParser, help: str) -> None:
    parser.add_argument("--optimizer", metavar="NAME", action=Named, names=names_of.optimizers, help=help)


def printing(
    parser: argparse.ArgumentParser, formats: str, *, columns: Names | None = None, known: Names = names_of.formats
) -> None:
    """How a table is printed; ``columns`` are those that it can have, where they can be chosen."""
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        action=Named,
        names=known,
        help=f"{formats}; otherwise the extension of FILE decides (text)",
    )
    if columns is not None:
        parser.add_argument(
            "--columns",
            metavar="NAME,...",
            type=names,
            action=Named,
            names=columns,
            help="the columns to show, in order, by name or heading; help lists all",
        )
        parser.add_argument("--exact", action="store_true", help="all digits instead of K, M and G")
    output(parser, lambda _: table_extensions(), "text")


def output(
    parser: argparse.ArgumentParser, extensions: Callable[[argparse.Namespace], Mapping[str, str]], usual: str
) -> None:
    """The file to write, and the formats that its extension stands for."""
    parser.add_argument("-o", "--output", metavar="FILE", help="write to a file instead of standard output")
    parser.set_defaults(extensions=extensions, usual=usual)


def table_extensions() -> Mapping[str, str]:
    from archcalc.report.formats import EXTENSIONS

    return EXTENSIONS
