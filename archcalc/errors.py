"""The one exception type, and its sentences.

Every mistake of a user ends in an ``ArchcalcError``. Its text is for this user: the place, the value, the expected value
and the nearest right name. The layers raise ``LayerError`` with a sentence alone; the code that knows the place wraps it
once. A message is one line of bounded length, whatever the value: a name must not forge a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

MOST_NAMES, LONGEST = 500, 40
"""So many known names, and so many letters of each, are looked at for the nearest one."""

MOST_LISTED = 270
"""The letters of the known names that a sentence lists."""

BLANKS = "\u00a0\u2002\u2003\u2007\u2009\u200a\u202f\u3000"
"""Blanks of print, shown as plain ones."""


class Problem(NamedTuple):
    """One mistake: a sentence, and its place (file, line from 1, path inside the spec); 0 or '' where there is none."""

    text: str
    file: str = ""
    line: int = 0
    path: str = ""

    def __str__(self) -> str:
        file = clipped(self.file, 255)
        place = f"{file}:{self.line}" if self.line else file
        prefix = f"{place}: " if place else ""
        suffix = f" (at {clipped(self.path, 90)})" if self.path else ""
        return f"{prefix}{clipped(self.text, 320)}{suffix}"


class Place:
    """Where in a spec something was written: file, line from 1 and path, as in ``Problem``."""

    __slots__ = ("file", "line", "path")

    file: str
    line: int
    path: str

    def __init__(self, file: str = "", line: int = 0, path: str = "") -> None:
        self.file, self.line, self.path = file, line, path


class ArchcalcError(Exception):
    """A mistake of the user: ``problems`` has all mistakes at once, and the text one line for each.

    ``where``: for arrays, elements with a problem that the others do not have; True: all elements have all problems; None: not
    known.
    """

    problems: tuple[Problem, ...]

    def __init__(self, problems: str | Problem | Sequence[Problem], where: Any = None) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        if isinstance(problems, Problem):
            problems = [problems]
        self.problems, self.where = tuple(problems), where
        super().__init__("\n".join(map(str, self.problems)))

    def also(self, *problems: Problem) -> ArchcalcError:
        """The same error with more problems."""
        return ArchcalcError([*self.problems, *problems], self.where)


class DiffersError(ArchcalcError):
    """A condition of a spec holds for some elements of arrays and not for others, so that the networks differ.

    ``holds`` says for which elements: an array of bool that broadcasts with the arrays of sizes and settings.
    """

    def __init__(self, problems: str | Problem | Sequence[Problem], holds: Any) -> None:
        super().__init__(problems)
        self.holds = holds

    def also(self, *problems: Problem) -> DiffersError:
        return DiffersError([*self.problems, *problems], self.holds)

    def __reduce__(self) -> tuple[type[DiffersError], tuple[Any, ...]]:
        return type(self), (
            self.problems,
            self.holds,
        )  # an exception in another process: Exception keeps its text alone


def foreign(error: BaseException) -> BaseException:
    """The error of other code, such as that of a PyTorch model, that an error is about; else the error itself."""
    return error if error.__cause__ is None else foreign(error.__cause__)


class LayerError(ValueError):
    """A layer that does not fit its settings or its inputs; the text shows the formula with its numbers.

    ``where``: for arrays, the elements for which the layer does not fit, as a bool or an array of bool; None: not known.
    """

    def __init__(self, text: str, where: Any = None) -> None:
        super().__init__(text)
        self.where = where


def clipped(text: str, most: int) -> str:
    """text on one line: what cannot be printed escaped, and the middle of what is too long left out.

    >>> clipped("a\\nb", 60), clipped("abcdefghijkl", 9)
    ('a\\\\nb', 'abc...jkl')
    """
    return _cut(visible(_cut(text, most)), most)


def visible(text: str) -> str:
    """text on one line, with what cannot be printed escaped: line ends, terminal codes, marks that turn its direction.

    >>> visible("a\\x1b[31m\\u202eb"), visible("10\\u00a0km")
    ('a\\\\x1b[31m\\\\u202eb', '10 km')
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c in BLANKS else c.encode("unicode_escape").decode() for c in text)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: (most - 2) // 2]}...{text[-((most - 3) // 2) :]}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that ``name`` is a slip of, or begins; None when there is none.

    A slip is one letter too many, too few or wrong, or two swapped: one in every three letters at most.

    >>> nearest("vgg61", ["vgg16", "vgg19"]), nearest("densenet", ["resnet18", "densenet121"])
    ('vgg16', 'densenet121')
    """
    wanted = _folded(name)
    most = (len(wanted) + 1) // 3
    alike = sorted((_missing(wanted, _folded(k)), at, k) for at, k in enumerate(islice(known, MOST_NAMES)))
    slips = [(_slips(wanted, _folded(k)), missing, at, k) for missing, at, k in alike[:8]]
    near = min(slips, default=None)
    return near[-1] if near is not None and near[0] <= most else None


def _folded(name: str) -> str:
    return name[:LONGEST].lower().replace("-", "_")


def _missing(a: str, b: str) -> tuple[int, int]:
    """How many letters of a are not in b, and how much longer one is: no slip that few can be more than a guess."""
    return len(a) - sum(min(a.count(letter), b.count(letter)) for letter in set(a)), abs(len(a) - len(b))


def _slips(a: str, b: str) -> int:
    """The slips between two words (optimal string alignment); a word that another begins with is one slip from it."""
    earlier: list[int] = []
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        earlier, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            slips = min(before[j] + 1, row[-1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2]:
                slips = min(slips, earlier[j - 2] + 1)
            row.append(slips)
    return min(row[-1], min(row) + 1) if len(a) > 2 else row[-1]


def unknown(what: str, name: str, known: Iterable[str], close: str | None = None, *, most: int = 12) -> str:
    """The sentence for a name that does not exist: the nearest known one (``close`` if that is known), else the choices.

    >>> unknown("layer", "cnov", ["conv", "relu"])
    "unknown layer 'cnov'; did you mean 'conv'?"
    """
    known = list(known)
    close = close or nearest(name, known)
    if close is not None:
        return f"unknown {what} {_cut(name, 60)!r}; did you mean {_cut(close, 60)!r}?"
    listed = ", ".join(_cut(k, 40) for k in known[:most])
    if len(known) > most or len(listed) > MOST_LISTED:
        listed = listed[:MOST_LISTED].rpartition(", ")[0] + ", ..." if len(listed) > MOST_LISTED else listed + ", ..."
    return f"unknown {what} {_cut(name, 60)!r}; known: {listed or 'none'}"
