"""Networks against all their budgets: those of their specs, of a file, of the command line, and of growth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from archcalc.analysis import Analysis
from archcalc.budgets.baseline import Baseline
from archcalc.budgets.checking import findings
from archcalc.budgets.finding import Budget, Checked
from archcalc.budgets.growth import Growth, grown
from archcalc.budgets.reading import BudgetFile
from archcalc.budgets.targets import Target
from archcalc.errors import ArchcalcError, Problem
from archcalc.network import Network


class Question(NamedTuple):
    """What is checked: budgets for all networks, those of a file, and growth since a baseline."""

    required: Sequence[Budget] = ()
    file: BudgetFile | None = None
    baseline: Baseline | None = None
    limits: Sequence[Growth] = ()


def check(
    targets: Sequence[Target], question: Question, analysis: Callable[[Network], Analysis], input: Any
) -> list[Checked]:
    """The result for every network. ArchcalcError with all problems of specs, budgets and the baseline at once.

    A network that the baseline lacks is new. ArchcalcError if the baseline has none of the networks.
    """
    settings = {name for target in targets for name in target.network.settings}
    found, problems = [], list[Problem]()
    for target in targets:
        try:
            found.append(_checked(target, question, analysis, input, settings))
        except ArchcalcError as error:
            problems += error.problems
    if question.baseline is not None and not problems and all(one.new for one in found):
        names = ", ".join([one.network for one in found][:5])
        problems = question.baseline.absent or [Problem(f"the baseline has no network of the name {names}")]
    if problems:
        raise ArchcalcError(list(dict.fromkeys(problems)))
    return found


def _checked(
    target: Target, question: Question, analysis: Callable[[Network], Analysis], input: Any, settings: set[str]
) -> Checked:
    network = target.network
    budgets = [Budget(text, place) for text, place in network.budgets]
    budgets += question.file.of_network(network) if question.file else []
    budgets += question.required
    now = analysis(network)
    over, older = findings(now, budgets, settings), None
    if question.baseline is not None:
        older = question.baseline.of(network, target.settings, input)
        if older is not None:
            over += grown(analysis(older), now, question.limits)
            budgets += [one.budget for one in question.limits]
    file = network.file if network.origin == "file" else ""
    return Checked(
        network.full_name, file, tuple(budgets), tuple(over), question.baseline is not None and older is None
    )
