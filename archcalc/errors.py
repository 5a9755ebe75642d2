"""The one exception type, and the sentences it carries.

Everything a user can get wrong ends in an ``ArchcalcError`` whose text is meant to be read by that user:
the place, what was given, what was expected and the nearest right name.
The layers raise ``LayerError`` with a bare sentence; whoever knows the place wraps it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong: a sentence, and where it was found."""

    text: str
    file: str = ""
    line: int = 0
    path: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        prefix = f"{place}: " if place else ""
        suffix = f" (at {self.path})" if self.path else ""
        return f"{prefix}{self.text}{suffix}"


class ArchcalcError(Exception):
    """Something archcalc was given cannot be right; ``problems`` says what, all at once."""

    def __init__(self, problems: str | Problem | Sequence[Problem]) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        if isinstance(problems, Problem):
            problems = [problems]
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class LayerError(ValueError):
    """A layer cannot be configured or applied so; the text holds the formula with its numbers."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like ``name``, or None when nothing is like it.

    >>> nearest("vgg61", ["vgg16", "vgg19"])
    'vgg16'
    """
    from difflib import SequenceMatcher

    def likeness(k: str) -> tuple[float, float]:
        """In order, and beside it in any order, so that swapped letters win a tie."""
        folded = k.lower().replace("-", "_")
        return (SequenceMatcher(None, wanted, folded).ratio(),
                SequenceMatcher(None, sorted(wanted), sorted(folded)).ratio())

    wanted = name.lower().replace("-", "_")[:100]
    best = max(((likeness(k), k) for k in known), default=((0.0, 0.0), ""))
    return best[1] if best[0][0] >= 0.6 else None


def unknown(what: str, name: str, known: Iterable[str], *, most: int = 12) -> str:
    """The sentence for a name that does not exist: the nearest known one, else the choices.

    >>> unknown("layer", "cnov", ["conv", "relu"])
    "unknown layer 'cnov'; did you mean 'conv'?"
    """
    known = list(known)
    shown = name if len(name) <= 60 else name[:57] + "..."
    close = nearest(name, known)
    if close is not None:
        return f"unknown {what} {shown!r}; did you mean {close!r}?"
    listed = ", ".join(known[:most]) + (", ..." if len(known) > most else "")
    return f"unknown {what} {shown!r}; known: {listed or 'none'}"
