"""The parser: reads the values of a command's options and arguments from the words of a command line.

The parser knows only the declared options, so every error can name the options that exist. Options and arguments can
have any order. As in other programs, ``--name=value`` and ``-oFILE`` work, and after ``--`` there are no options.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from archcalc.cli.command import Argument, Arguments, Command, Names, Option
from archcalc.errors import ArchcalcError, nearest
from archcalc.layers.settings import message_text

HELP_OPTION = Option("--help", "show this help", short="-h", shared=True)


class Parsed(NamedTuple):
    """The values of a command line. ``listing``: the names to list, if ``help`` stands instead of a name."""

    args: Arguments
    listing: Names | None


def is_option(word: str) -> bool:
    """Whether the word is an option. ``-3GiB``, ``-1,2``, ``-:NAME``, ``-`` and a text with spaces are values."""
    return len(word) > 1 and word[0] == "-" and word[1] not in "0123456789.:@" and " " not in word.partition("=")[0]


def wants_help(words: Sequence[str]) -> bool:
    """Whether the words contain the option --help."""
    options = words[: words.index("--")] if "--" in words else words
    return "-h" in options or "--help" in options


def parse(command: Command, words: Sequence[str]) -> Parsed:
    """Read the values of the command from the words. ArchcalcError for words that the command does not accept."""
    try:
        return _parse(command, words)
    except ArchcalcError as error:
        raise ArchcalcError(f"{error}; see archcalc {command.name} --help") from None


def _parse(command: Command, words: Sequence[str]) -> Parsed:
    args = Arguments(**{option.attribute: option.unset for option in command.options})
    listing, places = None, []
    for option, text in _pairs(command, words):
        if option is None:
            places.append(text or "")
        elif text is None:
            setattr(args, option.attribute, True)
        elif text == "help" and option.names is not None and not option.free:
            listing = listing or option.names
        elif option.repeats:
            getattr(args, option.attribute).append(_value(option, text))
        else:
            setattr(args, option.attribute, _value(option, text))
    for argument in command.arguments:
        values, places = _taken(argument, places)
        if not argument.free and values[:1] == ["help"]:
            listing = listing or argument.names
        if listing is None and len(values) < argument.least:
            raise ArchcalcError(f"{command.name} needs {argument.name}")
        setattr(args, argument.attribute, next(iter(values), None) if argument.most == 1 else values)
    if places:
        raise ArchcalcError(f"unexpected argument {message_text(places[0])}")
    return Parsed(args, listing)


def _taken(argument: Argument, places: list[str]) -> tuple[list[str], list[str]]:
    """The words of this argument, and the remaining words."""
    count = len(places) if argument.most is None else argument.most
    return places[:count], places[count:]


def _value(option: Option, text: str) -> object:
    try:
        return option.read(text)
    except ArchcalcError as error:
        raise ArchcalcError(f"{option.name}: {error}") from None


def _is_signed(text: str) -> bool:
    """Whether a text is a word with a minus before it, and no option."""
    return not text.startswith("--") and len(text) > 2


def _pairs(command: Command, words: Sequence[str]) -> Iterator[tuple[Option | None, str | None]]:
    """Pairs of option and text: (option, text); (flag, None); for any other word, (None, word)."""
    rest = iter(words)
    for word in rest:
        if word == "--":
            yield from ((None, other) for other in rest)
        elif not is_option(word):
            yield None, word
        else:
            option, text = _split(command, word)
            if option.value and text is None:
                text = next(rest, None)
                if text is None or (is_option(text) and not (option.signed and _is_signed(text))):
                    raise ArchcalcError(f"{option.name} needs a value: {option.name} {option.value}")
            elif text is not None and not option.value:
                raise ArchcalcError(f"{option.name} takes no value, got {message_text(text)}")
            yield option, text


def _split(command: Command, word: str) -> tuple[Option, str | None]:
    """The option that a word names, and the text after the name if the word contains a text."""
    name, equals, text = word.partition("=")
    known = (*command.options, HELP_OPTION)
    for option in known:
        if name in (option.name, option.short):
            return option, text if equals else None
        if option.short and word.startswith(option.short) and not word.startswith("--"):
            return option, word.removeprefix(option.short)
    close = nearest(name, [option.name for option in known])
    raise ArchcalcError(f"unknown option {name}" + (f"; did you mean {close}?" if close else ""))
