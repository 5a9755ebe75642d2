"""A command as data. The parser, the help, the reference page and completion use this data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

Arguments = SimpleNamespace
"""The values of a command line: an attribute for each option and argument of the command."""
Names = Callable[[], Mapping[str, str]]
"""A function that returns the existing names, each with a short description."""


class Option(NamedTuple):
    """An option of a command.

    value: the word for the value in the help, such as FILE. An option without such a word is a flag.
    read: a function that reads the value from the text. ArchcalcError if the text is not valid.
    names: the existing names, for completion. If the user gives ``help`` instead of a name, the names are listed.
    free: other texts, such as a file, are valid too. Then ``help`` does not list the names.
    key: the attribute of ``Arguments``; by default the option's name.
    repeats: the option can be given several times. Then the value is a list.
    shared: several commands have the option, so the reference page describes it once.
    signed: the value may begin with a minus, as in ``--sort -macs``.
    """

    name: str
    about: str
    value: str = ""
    read: Callable[[str], Any] = str
    default: Any = None
    names: Names | None = None
    free: bool = False
    key: str = ""
    short: str = ""
    repeats: bool = False
    shared: bool = False
    signed: bool = False

    @property
    def attribute(self) -> str:
        return self.key or self.name.strip("-").replace("-", "_")

    @property
    def unset(self) -> Any:
        """The value if the user does not give the option."""
        return [] if self.repeats else self.default if self.value else False

    @property
    def heading(self) -> str:
        """The option as the help shows it: ``-o, --output FILE``."""
        return ", ".join(filter(None, (self.short, self.name))) + (f" {self.value}" if self.value else "")


class Argument(NamedTuple):
    """A word that is not an option. The user gives from ``least`` to ``most`` words (None: no maximum)."""

    name: str
    about: str
    names: Names
    least: int = 1
    most: int | None = 1
    free: bool = True
    shared: bool = False

    @property
    def attribute(self) -> str:
        return self.name.lower()

    @property
    def heading(self) -> str:
        """The argument as the usage line shows it: ``NET ...``, ``[COMMAND]``."""
        text = self.name if self.most == 1 else f"{self.name} ..."
        return text if self.least else f"[{text}]"


class Answer(NamedTuple):
    """The output of a command. ``problems`` go to standard error; ``status`` is the exit status."""

    content: str | bytes
    problems: Sequence[str] = ()
    status: int = 0


class Command(NamedTuple):
    """A command. ``run`` returns the text to print, or an Answer if there can be problems.

    extensions: the format for each extension of an output file. usual: the format without an output file.
    needs: the optional packages that the command needs, as in ``pip install 'archcalc[plot]'``.
    page: the page of docs/ that explains the output.
    waits: the command runs until the user stops it.
    """

    name: str
    about: str
    example: str
    run: Callable[[Arguments], str | Answer]
    arguments: Sequence[Argument] = ()
    options: Sequence[Option] = ()
    extensions: Callable[[Arguments], Mapping[str, str]] | None = None
    usual: str = ""
    needs: str = ""
    page: str = ""
    waits: bool = False

    @property
    def usage(self) -> str:
        """The usage line: ``archcalc table NET ... [options]``."""
        return " ".join(
            ["archcalc", self.name, *(a.heading for a in self.arguments), *["[options]"] * bool(self.options)]
        )

    @property
    def parts(self) -> list[Argument | Option]:
        """All arguments, then all options."""
        return [*self.arguments, *self.options]

    @property
    def sentence(self) -> str:
        return f"{self.about[0].upper()}{self.about[1:]}."
