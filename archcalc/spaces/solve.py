"""The largest or the smallest value of an input, a batch or a setting at which a condition holds, exactly.

If the condition is proved to be monotone (``archcalc.spaces.monotone``), the value is found by bisection. Otherwise the values
are computed one after another, the best first: every value that is better than the answer was computed and does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import Any, Literal, NamedTuple, TypeAlias

from archcalc.analysis import Analysis
from archcalc.errors import ArchcalcError
from archcalc.network import Network
from archcalc.spaces.line import Line
from archcalc.spaces.monotone import RUNS, ease, names_of
from archcalc.spaces.refusals import merged
from archcalc.spaces.requirements import Compared, Requirements
from archcalc.spaces.space import MOST_IN_BLOCK

Goal = Literal["maximize", "minimize"]
Progress: TypeAlias = Callable[[Iterable[Any], int], Iterable[Any]]
MOST_SLOW = 100_000
"""About the most values whose slow figures are computed: those of fields and of runs."""
FIRST_BLOCK = 64
"""The number of values that are computed first, through arrays; then twice as many, and so on."""


class Point(NamedTuple):
    """A value, the network there, and every comparison of the condition."""

    value: Any
    network: Network
    compared: tuple[Compared, ...]


class Refusal(NamedTuple):
    """Values that the network refuses: how many, and the reason."""

    number: int
    reason: str


class Solution(NamedTuple):
    """The answer to ``solve``: ``value`` is the largest or smallest value of ``variable`` at which ``where`` holds.

    answer     the point there; None: nothing fits
    neighbour  the next better value that the network accepts, where the condition does not hold; None: no better one was
               tried
    nearest    if nothing fits: the value that misses the condition by least
    values     the values that were tried
    monotone   the condition is proved to be monotone; otherwise every value better than the answer was computed
    computed   the number of values whose figures were computed, the answer included
    refused    the better values that the network does not accept, by reason
    lacking    figures of the condition that the network does not have
    """

    network: str
    variable: str
    goal: Goal
    where: str
    values: str
    answer: Point | None
    neighbour: Point | None
    nearest: Point | None
    monotone: bool
    computed: int
    refused: tuple[Refusal, ...]
    lacking: tuple[str, ...]

    @property
    def value(self) -> Any:
        """The value of the answer; None if nothing fits."""
        return None if self.answer is None else self.answer.value


def solve(
    analysis: Analysis,
    *,
    where: str,
    maximize: str | None = None,
    minimize: str | None = None,
    over: Any = None,
    progress: Progress = lambda values, count: values,
) -> Solution:
    """The best value of a variable at which a condition holds: see ``archcalc.solve``.

    progress: a function that passes on what is computed value by value, given the most values that there are.
    """
    if (maximize is None) == (minimize is None):
        raise ArchcalcError("expected either maximize or minimize, and the name of an input, a batch or a setting")
    goal: Goal = "minimize" if maximize is None else "maximize"
    variable = str(minimize if maximize is None else maximize).strip()
    requirements = Requirements(where, analysis.network.settings)
    search = _Search(Line(analysis, variable, over, requirements), requirements, goal, progress)
    answer, neighbour, nearest = search.by_bisection() if search.monotone else search.from_the_best()
    return Solution(
        network=analysis.network.full_name,
        variable=variable,
        goal=goal,
        where=where,
        values=search.line.grid.text,
        answer=search.point(answer),
        neighbour=search.point(neighbour),
        nearest=search.point(nearest),
        monotone=search.monotone,
        computed=search.computed,
        refused=tuple(Refusal(number, reason) for reason, number in search.refused.items()),
        lacking=tuple(search.requirements.lacking),
    )


class _Found(NamedTuple):
    """The values of the answer, of its neighbour, and of what comes nearest if there is no answer."""

    answer: Any = None
    neighbour: Any = None
    nearest: Any = None


class _Search:
    """The search for the first value, in the order from the best to the worst, at which a condition holds."""

    def __init__(self, line: Line, requirements: Requirements, goal: Goal, progress: Progress) -> None:
        self.line, self.requirements, self.progress = line, requirements, progress
        self.order: Sequence[Any] = line.grid.values[::-1] if goal == "maximize" else line.grid.values
        self.computed = 0
        self._found: dict[Any, Analysis] = {}
        self._slow = 0
        self.refused: dict[str, int] = {}
        later = -1 if goal == "maximize" else 1
        written = line.network.program is None
        eases = [ease(tree, written) if line.name == "batch" else None for tree in requirements.parts]
        self.easier_later = [None if one is None else one * later for one in eases]

    @property
    def monotone(self) -> bool:
        return None not in self.easier_later

    def from_the_best(self) -> _Found:
        """The first value that fits, and the value before it that the network accepts."""
        before = None
        for value, fits in self.progress(self._tried(), len(self.order)):
            if fits is None:
                continue
            self.computed += 1
            if fits:
                return _Found(value, before)
            before = value
        nearest: tuple[float, Any] = (inf, None)
        for block in self._blocks() if self.computed else ():
            distance, place = self.line.nearest(block)
            if place is not None and (nearest[1] is None or distance < nearest[0]):
                nearest = distance, block[place]
        return _Found(nearest=nearest[1])

    def _tried(self) -> Iterator[tuple[Any, bool | None]]:
        """The values, the best first, and whether they fit; None: the network refuses the value."""
        for block in self._blocks():
            found, refused = self.line.along(block), list[Any]()
            for value, holds in zip(block, found.holds, strict=True):
                if holds is None:
                    refused.append(value)
                    yield value, None
                    continue
                if holds and refused:
                    self._refuse(self.line.along(refused).refused)
                yield value, holds
            self._refuse(found.refused)
            self._slow += found.slow
            if self._slow > MOST_SLOW:
                raise ArchcalcError(
                    f"{self._slow:,} values of {self.line.name} were computed, and none of them fits: give fewer values "
                    "(over), with a larger step or a nearer end"
                )

    def _blocks(self) -> Iterator[Sequence[Any]]:
        """The values, the best first, in blocks."""
        done, length = 0, FIRST_BLOCK
        while done < len(self.order):
            yield self.order[done : done + length]
            done += length
            length = min(2 * length, MOST_IN_BLOCK)

    def _refuse(self, reasons: Mapping[str, int]) -> None:
        """Note values that the network refuses."""
        self.refused = merged([self.refused, reasons])

    def by_bisection(self) -> _Found:
        """The first value at which the parts hold that become easier along the order.

        The other parts must hold there too: if they do not, they hold at no later value. A batch of 1 is computed apart.
        """
        apart = [1] if 1 in self.order and RUNS & names_of(self.requirements.tree) else []
        order = [value for value in self.order if value not in apart]
        pairs = zip(self.requirements.parts, self.easier_later, strict=True)
        easier = [tree for tree, later in pairs if later is not None and later >= 0]
        low, high = 0, len(order)
        most = high.bit_length()
        for _ in self.progress(range(most), most):
            if low == high:
                break
            middle = (low + high) // 2
            if self.requirements.holds(easier, self._at(order[middle])):
                high = middle
            else:
                low = middle + 1
        fitting = [value for value in (*order[low : low + 1], *apart) if self._holds(value)]
        if fitting:
            place = min(map(self.order.index, fitting))
            return _Found(self.order[place], self.order[place - 1] if place else None)
        around = [*order[max(0, low - 1) : low + 1], *apart]
        return _Found(nearest=min(around, key=self._distance))

    def _holds(self, value: Any) -> bool:
        return bool(self.requirements.holds(self.requirements.parts, self._at(value)))

    def _distance(self, value: Any) -> float:
        return float(self.requirements.distance(self.requirements.parts, self._at(value)))

    def _at(self, value: Any) -> Analysis:
        if value not in self._found:
            self._found[value] = self.line.at(value)
            self.computed += 1
        return self._found[value]

    def point(self, value: Any) -> Point | None:
        if value is None:
            return None
        there = self.line.at(value)
        return Point(value, there.network, self.requirements.compared(there))
