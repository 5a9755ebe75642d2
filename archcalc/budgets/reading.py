"""A file of budgets: names of networks, with wildcards, and the conditions that they must meet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase

from archcalc.budgets.checking import read
from archcalc.budgets.finding import Budget
from archcalc.errors import ArchcalcError, Problem, clipped, unknown
from archcalc.language.tree import parse
from archcalc.language.value_reader import ValueReader
from archcalc.language.zoo import text_of
from archcalc.network import Network
from archcalc.trees import Tree

WHAT = "the file of budgets"


class BudgetFile(ValueReader):
    """The budgets of a file, by the names of networks that they are for. ArchcalcError with all problems at once."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        tree = parse(text_of(path, WHAT), path, WHAT)
        if not isinstance(tree.value, dict):
            hint = "names of networks with their budgets, such as 'resnet*: [macs < 4G]'"
            raise ArchcalcError(Problem(f"expected {hint}", path, tree.line))
        self.lines = {name: child.line for name, child in tree.value.items()}
        self.of = {
            name: [Budget(one.value, one.place) for one in self.budgets(child, clipped(name, 60))]
            for name, child in tree.value.items()
        }
        self.fail_if_any()

    def of_network(self, network: Network) -> list[Budget]:
        """The budgets of every name that is the network's, or that matches it, with or without its settings."""
        return [budget for name, budgets in self.of.items() if matches(name, network) for budget in budgets]

    def check(self, networks: Sequence[Network], others: Callable[[], Iterable[str]]) -> None:
        """ArchcalcError for a name that no network has, neither of ``networks`` nor of ``others``, and for a budget of such a
        name that cannot be read."""
        unused = [name for name in self.of if not any(matches(name, network) for network in networks)]
        known = [*(network.name for network in networks), *others()] if unused else []
        settings = {name for network in networks for name in network.settings}
        for name in unused:
            bare = name.partition("@")[0]
            if not any(fnmatchcase(other, bare) for other in known):
                self.problem(unknown("network", name, known), Tree(None, self.lines[name]), "")
            for budget in self.of[name]:
                read(budget, settings)
        self.fail_if_any()


def matches(name: str, network: Network) -> bool:
    return any(fnmatchcase(own, name) for own in (network.name, network.full_name))
