"""Evaluates the values of a spec within one budget of operations, and collects the problems."""

from __future__ import annotations

from typing import Any

from archcalc.errors import ArchcalcError, DiffersError, Place, Problem
from archcalc.language.expression import Expression
from archcalc.language.grammar import ExpressionError
from archcalc.language.keywords import MAX_PROBLEMS
from archcalc.language.operations import UNKNOWN, UnknownValueError
from archcalc.language.value_reader import reported
from archcalc.layers.settings import message_text
from archcalc.sizes import refused_of

MAX_OPERATIONS = 2_500_000
"""The budget of operations for the expansion of a spec.

Words and signs of expressions, values of lists, inputs and letters of names count. The budget is 50 operations for each
step of the largest network (``replay.MAX_STEPS``).
"""


class UsedUpError(Exception):
    """The budget is used up."""


class Evaluator:
    """Evaluates values. Keeps one problem per place, because a wrong block is wrong in every use."""

    def __init__(self) -> None:
        self.problems: dict[tuple[int, str], Problem] = {}
        self.wheres: list[Any] = []
        """For every problem, the elements of arrays that have it."""
        self.within: Any = True
        """The elements of arrays that have the current step."""
        self.left = MAX_OPERATIONS
        self.turns: list[tuple[str, int]] = []
        """The counters of the repeats around the current step, with their turns."""

    def fail_if_any(self) -> None:
        if self.problems:
            raise ArchcalcError(reported(self.problems.values()), refused_of(self.wheres))

    def problem(
        self,
        text: str,
        place: Place,
        *,
        key: str = "",
        name: str = "",
        turns: list[tuple[str, int]] | None = None,
        where: Any = None,
    ) -> None:
        path = f"{place.path}.{key}" if key else place.path
        if (place.line, path) in self.problems:
            return
        self.problems[place.line, path] = self.placed(text, place, path, name, self.turns if turns is None else turns)
        self.wheres.append(None if where is None else where & self.within)
        if len(self.problems) == MAX_PROBLEMS:
            self.fail_if_any()

    def placed(self, text: str, place: Place, path: str, name: str, turns: list[tuple[str, int]]) -> Problem:
        """A problem at a path of the spec, in a layer and in turns of repeats."""
        where = [path] if path else []
        where += [f"layer {name}"] if name else []
        where += [f"{counter} = {turn}" for counter, turn in turns[-4:]]
        return Problem(text, place.file, place.line, ", ".join(where))

    def differs(self, error: DiffersError, place: Place, key: str) -> DiffersError:
        """The error with its place in the spec."""
        path = f"{place.path}.{key}" if key else place.path
        return DiffersError(self.placed(error.problems[0].text, place, path, "", self.turns), error.holds)

    def spend(self, operations: int) -> None:
        """Subtract the operations from the budget; UsedUpError if the budget is used up."""
        self.left -= operations
        if self.left < 0:
            raise UsedUpError

    def spend_at(self, operations: int, place: Place) -> None:
        """Subtract the operations of the step at ``place``. If the budget is used up, end the expansion."""
        self.left -= operations
        if self.left < 0:
            self.used_up(place)

    def used_up(self, place: Place, key: str = "") -> None:
        """Report the problems so far. If there are none, report that the budget is used up at ``place``."""
        self.fail_if_any()
        self.problem(
            f"writing out the spec takes more than {MAX_OPERATIONS:,} operations, used up here; "
            "fewer repeats, shorter expressions or shorter lists take less",
            place,
            key=key,
        )
        self.fail_if_any()

    def evaluate(self, given: Any, scope: dict[str, Any], place: Place, key: str = "") -> Any:
        if not isinstance(given, Expression):
            return given
        self.left -= given.cost
        try:
            if self.left < 0:
                raise UsedUpError
            return given.compute(scope, self.spend)
        except UnknownValueError:
            return UNKNOWN
        except ExpressionError as error:
            self.failed(place)
            self.problem(str(error), place, key=key)
            return UNKNOWN
        except DiffersError as error:
            raise self.differs(error, place, key) from None
        except UsedUpError:
            self.used_up(place, key)

    def failed(self, place: Place) -> None:
        """Count a failure: a failure takes longer than a value, and can happen in every turn of a repeat."""
        self.spend_at(200, place)

    def holds(self, condition: Any, scope: dict[str, Any], place: Place, key: str = "") -> bool | None:
        """Whether the condition is true; None if the condition is unknown or not a condition."""
        answer = self.evaluate(condition, scope, place, key)
        if answer is UNKNOWN or isinstance(answer, bool):
            return None if answer is UNKNOWN else answer
        self.failed(place)
        self.problem(f"{key or 'a condition'} must be true or false, got {message_text(answer)}", place, key=key)
        return None
