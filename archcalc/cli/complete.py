"""Completion: the words that can follow while the user types a command line.

A shell's script calls ``archcalc __complete`` with the words so far. So all shells offer the same candidates, from the
installed version. If there is no candidate (a file, a number), the shell completes the word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from archcalc.cli import names
from archcalc.cli.command import Argument, Command, Option
from archcalc.cli.networks import load_plugins
from archcalc.cli.options import PLUGIN, SET
from archcalc.cli.parsing import HELP_OPTION
from archcalc.cli.registry import NAMES, command
from archcalc.errors import ArchcalcError, clipped

MOST = 60
"""Maximum length of the description of a candidate, in characters."""


def completed(arguments: Sequence[str]) -> str:
    """A line for each candidate: the word, a tab, and a short description.

    ``arguments``: the shell, then the words after the program's name. The user is typing the last word. bash splits
    words at more characters than spaces, so bash sends the whole line and these characters instead. The character @
    belongs to the part that follows; the other characters belong to the part before.
    """
    shell, *words = arguments
    cut = 0
    if shell == "bash":
        line, breaks = words
        words = _split(line)[1:]
        cut = max((words[-1].rfind(sign) + (sign != "@") for sign in breaks), default=0) if words else 0
    try:
        pairs = dict(candidates(words)) if words else {}
    except ArchcalcError:  # no settings can be offered if the network does not load
        pairs = {}
    return "".join(f"{name[cut:]}\t{_short(about)}".rstrip("\t") + "\n" for name, about in pairs.items())


def _short(about: str) -> str:
    """A short form of the description, on one line."""
    return clipped(about if len(about) <= MOST else about[: MOST - 3] + "...", MOST)


class _Line(NamedTuple):
    """The typed part of a command: arguments, options, the option that still needs a value, and the plugins."""

    arguments: Sequence[str]
    options: Sequence[Option]
    awaited: Option | None
    plugins: Sequence[str]


def candidates(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The candidates for the last word, each with a short description."""
    *before, current = words
    at = next((i for i, word in enumerate(before) if not word.startswith("-")), None)
    if at is None:
        yield from _beginning(current, names.commands().items())
        yield from _beginning(current, [("--help", ""), ("--version", "")] if current.startswith("-") else [])
    elif before[at] in NAMES:
        chosen = command(before[at])
        yield from _of_command(chosen, _line(chosen, before[at + 1 :]), current)


def _line(chosen: Command, words: Sequence[str]) -> _Line:
    """The typed words after the command's name, as a _Line."""
    known = {name: option for option in chosen.options for name in (option.name, option.short) if name}
    arguments, options, plugins = [], [], []
    awaited = None
    for word in words:
        if awaited is not None:
            plugins += [word] if awaited == PLUGIN else []
            awaited = None
        elif word in known:
            options.append(known[word])
            awaited = known[word] if known[word].value else None
        elif word.startswith(f"{PLUGIN.name}="):
            plugins.append(word.partition("=")[2])
        elif not word.startswith("-"):
            arguments.append(word)
    return _Line(arguments, options, awaited, plugins)


def _of_command(chosen: Command, line: _Line, current: str) -> Iterable[tuple[str, str]]:
    """The candidates for the current word, after the name of a command."""
    name, equals, value = current.partition("=")
    named = next((option for option in chosen.options if option.name == name), None)
    if line.awaited is not None:
        return _values(line.awaited, current, line)
    if equals and named is not None:
        return ((f"{name}={text}", about) for text, about in _values(named, value, line))
    if current.startswith("-"):
        left = (o for o in (*chosen.options, HELP_OPTION) if o.repeats or o not in line.options)
        return _beginning(current, ((option.name, option.about) for option in left))
    place = len(line.arguments)
    for argument in chosen.arguments:
        if argument.most is None or place < argument.most:
            return _values(argument, current, line)
        place -= argument.most
    return ()


def _values(taker: Option | Argument, current: str, line: _Line) -> Iterable[tuple[str, str]]:
    """The candidates for the value of an option or an argument, from its typed part."""
    if taker == SET:
        load_plugins(line.plugins)
        return _beginning(current, (pair for net in line.arguments for pair in _settings(net)))
    if taker.names is None:
        return ()
    if taker.names is names.networks:
        net, at, settings = current.partition("@")
        if at:
            load_plugins(line.plugins)
            done, _, key = settings.rpartition(",")
            start = f"{net}@{done}," if done else f"{net}@"
            return ((start + name, about) for name, about in _beginning(key, _settings(net)))
        return _beginning(current, names.networks(current).items())
    if isinstance(taker, Option) and taker.value == "NAME,...":
        *taken, last = current.split(",")
        start = "".join(f"{name}," for name in taken)
        pairs = _beginning(last, taker.names().items())
        return ((start + name, about) for name, about in pairs if name not in taken)
    return _beginning(current, taker.names().items())


def _settings(net: str) -> Iterable[tuple[str, str]]:
    """The spec parameters of a network as settings, each with its default."""
    try:
        return [(f"{key}=", default) for key, default in names.settings(net).items()]
    except ArchcalcError:  # the argument is no network
        return ()


def _beginning(start: str, pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return ((name, about) for name, about in pairs if name.startswith(start))


def _split(line: str) -> list[str]:
    """The words of an unfinished line. A quote can be open, and the last word can be empty."""
    from shlex import split

    for ending in ("", "'", '"', "\\"):
        try:
            words = split(line + ending)
        except ValueError:
            continue
        return [*words, ""] if not words or (line[-1:].isspace() and not ending) else words
    return []
