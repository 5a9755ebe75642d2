"""A command as data: the parser, the help, the reference page and completion read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

Arguments = SimpleNamespace
"""The values of a command line: an attribute for each option and argument of the command."""
Names = Callable[[], Mapping[str, str]]
"""Gives the names that exist, with a few words about each."""


class Option(NamedTuple):
    """An option of a command.

    value: what stands for the value in the help; an option without one is a flag.
    read: makes the value from the text; ArchcalcError if the text is not right.
    names: the names that exist, for completion; ``help`` in place of a name lists them, unless ``free`` says that other
        texts, such as a file, may be right too.
    key: the attribute of ``Arguments``; by default the option's name.
    repeats: the option may be given several times; the value is a list.
    shared: several commands have the option, so the reference page describes it once.
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

    @property
    def attribute(self) -> str:
        return self.key or self.name.strip("-").replace("-", "_")

    @property
    def unset(self) -> Any:
        """The value if the option is not given."""
        return [] if self.repeats else self.default if self.value else False

    @property
    def heading(self) -> str:
        """The option as the help shows it: ``-o, --output FILE``."""
        return ", ".join(filter(None, (self.short, self.name))) + (f" {self.value}" if self.value else "")


class Argument(NamedTuple):
    """A word of a command line that is not an option: ``most`` of them at most (None: any number), ``least`` at least."""

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
    """What a command prints; problems go to standard error, and ``status`` is the exit status."""

    content: str | bytes
    problems: Sequence[str] = ()
    status: int = 0


class Command(NamedTuple):
    """A command: ``run`` makes the text that is printed, or an Answer where something may be wrong.

    extensions: the format for each extension of an output file; ``usual`` is the format without one.
    needs: the optional packages that the command needs, as in ``pip install 'archcalc[plot]'``.
    page: the page of docs/ that explains the output.
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

    @property
    def usage(self) -> str:
        """``archcalc table NET ... [options]``"""
        return " ".join(
            ["archcalc", self.name, *(a.heading for a in self.arguments), *["[options]"] * bool(self.options)]
        )

    @property
    def parts(self) -> list[Argument | Option]:
        """The arguments, then the options."""
        return [*self.arguments, *self.options]

    @property
    def sentence(self) -> str:
        return f"{self.about[0].upper()}{self.about[1:]}."
