"""A published figure: its source, its subject, the number as printed, and the recorded verdict."""

from __future__ import annotations

from typing import Any, NamedTuple

from archcalc.published.formula import Formula
from archcalc.published.printed import PrintedNumber

CONFIDENCE = {
    "read": "read in the source",
    "quoted": "read in a text that quotes it",
    "memory": "from memory, not looked up",
}
VERDICTS = ("match", "truncated", "other convention", "other variant", "wrong", "unverifiable")


class Source(NamedTuple):
    """Where figures were printed."""

    key: str
    title: str
    link: str


class Subject(NamedTuple):
    """A network with its settings, at an input; or a layer or block of that network.

    If ``layer`` is empty, the subject is the whole network.
    """

    network: str
    layer: str = ""
    input: tuple[int, ...] = ()
    settings: tuple[tuple[str, Any], ...] = ()
    training: bool = False


class Explanation(NamedTuple):
    """A claim why a figure differs from the convention of its source. archcalc computes the claim.

    The claim is another formula (``convention``), K for 1024 (``binary``), another subject, or the formula of a
    ``slip``.
    """

    because: str
    convention: Formula | None = None
    binary: bool = False
    subject: Subject | None = None
    slip: Formula | None = None


class Place(NamedTuple):
    """Where a figure stands in its source, how it was read, and a note on its table."""

    source: Source
    where: str
    confidence: str
    note: str


class Figure(NamedTuple):
    """One published number with all that is needed to compute the number again.

    ``file`` and ``line`` are the figure's place in the data. ``verdict`` is the recorded verdict. ``heading`` is the
    unit in the title of the column. ``binary``: K, M and G are powers of 1024.
    """

    file: str
    line: int
    place: Place
    subject: Subject
    quantity: str
    formula: Formula
    printed: PrintedNumber
    binary: bool
    verdict: str
    explanation: Explanation | None
    heading: str

    @property
    def source(self) -> Source:
        return self.place.source
