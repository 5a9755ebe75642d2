"""Completion: what may stand where a command line is being typed, and the few lines that ask for it in each shell.

A shell's script calls ``archcalc __complete`` with the words so far, so that every shell completes the same, always
from what this installation has. What is not known here (a file, a number) the shell completes itself.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence

from archcalc.cli import names
from archcalc.cli.options import Named
from archcalc.cli.parser import parser
from archcalc.cli.reference import commands
from archcalc.errors import ArchcalcError, clipped

MOST = 60
"""The longest description of a candidate, in characters."""

BASH = """\
# archcalc for bash: source this file, or save it as ~/.local/share/bash-completion/completions/archcalc
_archcalc() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("${line%%$'\\t'*}")
    done < <("${COMP_WORDS[0]}" __complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
    return 0
}
complete -o bashdefault -o default -F _archcalc archcalc
"""
ZSH = """\
#compdef archcalc
# archcalc for zsh: save this file as _archcalc in a folder of $fpath, or source it after compinit
_archcalc() {
    local line
    local -a found about
    while IFS= read -r line; do
        found+=("${line%%$'\\t'*}")
        about+=("${line/$'\\t'/  }")
    done < <("${(Q)words[1]}" __complete zsh "${(@Q)words[2,CURRENT]}" 2>/dev/null)
    if (( ! $#found )); then
        _files
    elif [[ $found[1] == *= ]]; then
        compadd -l -S '' -d about -a found
    else
        compadd -l -d about -a found
    fi
}
if [[ $funcstack[1] == _archcalc ]]; then _archcalc "$@"; else compdef _archcalc archcalc; fi
"""
FISH = """\
# archcalc for fish: save this file as ~/.config/fish/completions/archcalc.fish
function __archcalc_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($words[1] __complete fish $words[2..-1] "$current" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path "$current"
    end
end
complete -c archcalc -f -a '(__archcalc_complete)'
"""
SCRIPTS: Mapping[str, str] = {"bash": BASH, "zsh": ZSH, "fish": FISH}
"""What each shell reads, by its name."""


def completed(arguments: Sequence[str]) -> str:
    """A line for each candidate, with a few words about it behind a tab.

    ``arguments`` are the shell, then the words after the program's name, the last of which is being typed; of bash, whose
    words are parts of words, the line and the signs at which it breaks words (of which @ belongs to what follows).
    """
    shell, *words = arguments
    cut = 0
    if shell == "bash":
        line, breaks = words
        words = _split(line)[1:]
        cut = max((words[-1].rfind(sign) + (sign != "@") for sign in breaks), default=0) if words else 0
    try:
        found = dict(candidates(words)) if words else {}
    except ArchcalcError:  # a network that does not load has no settings to offer
        found = {}
    return "".join(f"{name[cut:]}\t{_short(about)}".rstrip("\t") + "\n" for name, about in found.items())


def _short(about: str) -> str:
    """A few words of it, on one line."""
    return clipped(about if len(about) <= MOST else about[: MOST - 3] + "...", MOST)


def candidates(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What the last of the words may become, each with a few words about it."""
    *before, current = words
    known = commands(parser())
    at = next((i for i, word in enumerate(before) if not word.startswith("-")), None)
    if at is None:
        yield from _beginning(current, ((name, str(one.description)) for name, one in known.items()))
        yield from _beginning(current, [("--help", ""), ("--version", "")] if current.startswith("-") else [])
        return
    one = known.get(before[at])
    if one is None:
        return
    options = {name: action for action in one._actions for name in action.option_strings}
    place, awaited = _state(before[at + 1 :], options)
    option, equals, value = current.partition("=")
    if awaited is not None:
        yield from _values(awaited, current, before)
    elif equals and option in options:
        yield from ((f"{option}={name}", about) for name, about in _values(options[option], value, before))
    elif current.startswith("-"):
        yield from _beginning(
            current,
            (
                (n, str(a.help))
                for n, a in options.items()
                if n.startswith("--") and (n not in before or a.dest == "set")
            ),
        )
    else:
        places = [action for action in one._actions if not action.option_strings]
        if places and (place < len(places) or places[-1].nargs in ("+", "*")):
            yield from _values(places[min(place, len(places) - 1)], current, before)


def _state(words: Sequence[str], options: Mapping[str, argparse.Action]) -> tuple[int, argparse.Action | None]:
    """How many arguments there are without an option, and the option that waits for its value."""
    place, awaited = 0, None
    for word in words:
        if awaited is not None:
            awaited = None
        elif word in options:
            awaited = options[word] if options[word].nargs != 0 else None
        elif not word.startswith("-"):
            place += 1
    return place, awaited


def _values(action: argparse.Action, current: str, before: Sequence[str]) -> Iterable[tuple[str, str]]:
    """The values that an option or an argument may have, from what is typed of it."""
    if action.dest == "set":
        nets = [word for word in before[1:] if not word.startswith("-") and "=" not in word]
        return _beginning(current, (found for net in nets for found in _settings(net)))
    if not isinstance(action, Named):
        return ()
    if action.names is names.networks:
        net, at, settings = current.partition("@")
        if at:
            done, _, key = settings.rpartition(",")
            start = f"{net}@{done}," if done else f"{net}@"
            return ((start + name, about) for name, about in _beginning(key, _settings(net)))
        return _beginning(current, names.networks(current).items())
    if action.metavar == "NAME,...":
        *taken, last = current.split(",")
        start = "".join(f"{name}," for name in taken)
        found = _beginning(last, action.names().items())
        return ((start + name, about) for name, about in found if name not in taken)
    return _beginning(current, action.names().items())


def _settings(net: str) -> Iterable[tuple[str, str]]:
    """The parameters of a network's spec as they are set, with their defaults."""
    from archcalc.language import load
    from archcalc.settings_text import setting_text

    try:
        return [(f"{key}=", setting_text(value)) for key, value in load(net).settings.items()]
    except ArchcalcError:  # no network, but the value of another option
        return []


def _beginning(start: str, found: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return ((name, about) for name, about in found if name.startswith(start))


def _split(line: str) -> list[str]:
    """The words of a line that is not finished: a quote may be open, and the last word may be empty."""
    from shlex import split

    for ending in ("", "'", '"', "\\"):
        try:
            words = split(line + ending)
        except ValueError:
            continue
        return [*words, ""] if not words or (line[-1:].isspace() and not ending) else words
    return []
