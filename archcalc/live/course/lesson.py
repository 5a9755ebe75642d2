"""What a lesson is made of: the numbers that a student may change, networks as texts, and questions.

A question is one function of a ``Case``: the numbers of the student, and the analyses of the networks with them. Every
number in a sentence comes from there. A sentence never holds a number of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from archcalc.analysis import Analysis, analyze
from archcalc.errors import ArchcalcError, Problem, unknown
from archcalc.layers.settings import message_text
from archcalc.live.documents import network_in
from archcalc.live.state import State

MOST_ANALYSES = 16
"""The analyses that are kept for the next question."""


class Number(NamedTuple):
    """A whole number that the student may change. ``odd``: only odd numbers fit."""

    key: str
    label: str
    default: int
    least: int
    most: int
    odd: bool = False

    def read(self, given: Any) -> int:
        """The number that was given; ArchcalcError with the range for anything else."""
        fits = type(given) is int and self.least <= given <= self.most and (given % 2 == 1 or not self.odd)
        if not fits:
            kind = "an odd number" if self.odd else "a whole number"
            raise ArchcalcError(
                f"{self.label}: expected {kind} from {self.least:,} to {self.most:,}, got {message_text(given)}"
            )
        return int(given)


class Choice(NamedTuple):
    """A word that the student may choose; the first one is the default."""

    key: str
    label: str
    choices: tuple[str, ...]

    @property
    def default(self) -> str:
        return self.choices[0]

    def read(self, given: Any) -> str:
        """The word that was given; ArchcalcError with the choices for anything else."""
        if not isinstance(given, str) or given not in self.choices:
            raise ArchcalcError(f"{self.label}: expected {', '.join(self.choices)}, got {message_text(given)}")
        return given


class Step(NamedTuple):
    """One line of the arithmetic: what is computed, from which numbers ('': a fact of the network), and the result."""

    label: str
    expression: str
    result: int | Fraction


class Mistake(NamedTuple):
    """A wrong answer that students give, computed, and the sentence that says what is wrong."""

    value: int | Fraction
    text: str


Unit = Literal["", "bytes", "%", "times"]


class Asked(NamedTuple):
    """A question with its answer.

    noun: what is counted, in the singular. formula: the first hint. steps: the second hint; the last step
    is the answer. because: what the answer means.
    """

    text: str
    value: int | Fraction
    noun: str
    formula: str
    steps: tuple[Step, ...]
    because: str
    mistakes: tuple[Mistake, ...] = ()
    unit: Unit = ""


class Source(NamedTuple):
    """A paper, or notes of a course, with the place in it that a lesson speaks of."""

    text: str
    link: str


Text = Callable[[Mapping[str, Any]], str]
"""The text of a network with the numbers of the student."""


class Drawn(NamedTuple):
    """A network that a lesson shows, and the pattern to compare it with in the editor."""

    title: str
    text: Text
    compare: Text | None = None


class Case:
    """A lesson with the numbers of a student. ``n``: the numbers by their keys."""

    def __init__(self, lesson: Lesson, numbers: Mapping[str, Any]) -> None:
        self.lesson = lesson
        self.n: Mapping[str, Any] = numbers

    def __getitem__(self, key: str) -> int:
        return int(self.n[key])

    def state(self, text: Text | None = None, **replaced: Any) -> State:
        """The state that shows a network (by default the first of the lesson), with some numbers replaced."""
        numbers = {**self.n, **replaced}
        choices = {key: numbers[key] for key in ("batch", "dtype", "optimizer") if key in numbers}
        return State((text or self.lesson.networks[0].text)(numbers), training="optimizer" in numbers, **choices)

    def analysis(self, text: Text | None = None, **replaced: Any) -> Analysis:
        """The analysis of a network; ArchcalcError in one sentence if the numbers do not fit."""
        state = self.state(text, **replaced)
        try:
            return _analysis(state.text, state.batch, state.dtype)
        except ArchcalcError as error:
            first = error.problems[0]
            layer = f"{first.path.rpartition(', layer ')[2]}: " if ", layer " in first.path else ""
            raise ArchcalcError(Problem(f"With these numbers there is no such network. {layer}{first.text}.")) from None


@lru_cache(maxsize=MOST_ANALYSES)
def _analysis(text: str, batch: int, dtype: str) -> Analysis:
    return analyze(network_in(State(text)), batch=batch, dtype=dtype)


class Question(NamedTuple):
    """A question of a lesson: its name in links, its title, and what is asked about a case."""

    key: str
    title: str
    of: Callable[[Case], Asked]


class Lesson(NamedTuple):
    """A lesson. intro: sentences before the questions. networks: the first one is that of most questions."""

    key: str
    title: str
    intro: Callable[[Case], tuple[str, ...]]
    sources: tuple[Source, ...]
    numbers: tuple[Number | Choice, ...]
    networks: tuple[Drawn, ...]
    questions: tuple[Question, ...]

    def case(self, given: Mapping[str, Any]) -> Case:
        """The case with the numbers that were given, and the defaults of the others; ArchcalcError with all problems."""
        known = {one.key: one for one in self.numbers}
        problems = [Problem(unknown("number of this lesson", str(key), known)) for key in given if key not in known]
        numbers: dict[str, Any] = {}
        for key, one in known.items():
            try:
                numbers[key] = one.read(given[key]) if key in given else one.default
            except ArchcalcError as error:
                problems += error.problems
        if problems:
            raise ArchcalcError(problems[:8])
        return Case(self, numbers)
