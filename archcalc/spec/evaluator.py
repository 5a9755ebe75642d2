"""Values of a spec evaluated, and what goes wrong with them collected."""

from __future__ import annotations

from typing import Any

from archcalc.errors import ArchcalcError, Problem
from archcalc.layers.fields import shown
from archcalc.network import Place
from archcalc.spec.language import MAX_PROBLEMS
from archcalc.spec.operations import UNKNOWN, ExpressionError, UnknownValueError
from archcalc.spec.step_reader import in_order
from archcalc.spec.steps import value


class Evaluator:
    """Keeps one problem for every place, for a block that is used often is wrong once."""

    def __init__(self) -> None:
        self.problems: dict[tuple[int, str], Problem] = {}

    def fail_if_any(self) -> None:
        if self.problems:
            raise ArchcalcError(in_order(self.problems.values()))

    def problem(self, text: str, place: Place, *, key: str = "", name: str = "") -> None:
        path = f"{place.path}.{key}" if key else place.path
        if (place.line, path) in self.problems:
            return
        where = f"{path}, layer {name}" if name else path
        self.problems[place.line, path] = Problem(text, place.file, place.line, where)
        if len(self.problems) == MAX_PROBLEMS:
            self.problems[0, "more"] = Problem("there may be more problems; these are the first", place.file)
            self.fail_if_any()

    def evaluate(self, given: Any, scope: dict[str, Any], place: Place, key: str = "") -> Any:
        try:
            return value(given, scope)
        except UnknownValueError:
            return UNKNOWN
        except ExpressionError as error:
            self.problem(str(error), place, key=key)
            return UNKNOWN

    def holds(self, condition: Any, scope: dict[str, Any], place: Place, key: str = "") -> bool | None:
        """Whether the condition is true; None when that is unknown."""
        answer = self.evaluate(condition, scope, place, key)
        if answer is UNKNOWN or isinstance(answer, bool):
            return None if answer is UNKNOWN else answer
        self.problem(f"{key or 'a condition'} must be true or false, got {shown(answer)}", place, key=key)
        return None
