"""The names of an expansion: one thing by one name.

Names that a spec gives are kept as they are. Those that are made up, for blocks, branches and layers without a name,
keep out of their way; where a given name comes after a block or branch that has it, the network is expanded again.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from itertools import count

from archcalc.letters import prefixes
from archcalc.network import Node

ONE_NAME = "give the block or repeat around them a name, or put {i} into this one"


class TakenError(Exception):
    """A spec gives a name that was made up for something before it, as was seen after so many operations.

    ``reserved`` are the names to keep free.
    """

    def __init__(self, reserved: frozenset[str], operations: int) -> None:
        super().__init__(reserved, operations)
        self.reserved, self.operations = reserved, operations


class Names:
    """The names so far. ``reserved`` are names that must not be made up; with ``last`` no other expansion follows.

    ``outputs`` has what every name of a layer, block, group or join stands for: the index of a node, or None where
    that is unknown.
    """

    def __init__(self, reserved: frozenset[str], last: bool) -> None:
        self.reserved, self.last = reserved, last
        self.outputs: dict[str, int | None] = {"input": 0}
        self._clash = False
        self._given: set[str] = set()
        self._branches: set[str] = set()
        self._blocks: set[str] = set()
        """Names made up for blocks."""
        self._made_up: set[str] = set()
        """Names made up for blocks and branches."""
        self._numbers: dict[str, Iterator[int]] = {}
        self._unnamed: dict[str, list[int]] = {}

    def give(self, prefix: str, name: str) -> bool:
        """Note a name that the spec gives to a layer, block, group or join; False where something else has it."""
        full = prefix + name
        self._given.add(full)
        if "." in name:
            self._given.update(prefix + around for around in prefixes(name))
        made_up, taken = full in self._made_up, full in self.outputs or full in self._branches
        return not (made_up or taken) or self._freed(full, made_up)

    def give_branch(self, full: str) -> bool:
        """Note the name of a branch, which branches of other joins may have; False where something else has it."""
        self._given.add(full)
        self._branches.add(full)
        made_up, taken = full in self._blocks, full in self.outputs
        return not (made_up or taken) or self._freed(full, made_up)

    def _freed(self, full: str, made_up: bool) -> bool:
        """Whether a given name that something else has can be its own: where one is made up that is it or around it."""
        if not self.last and full not in self.reserved and (made_up or not self._made_up.isdisjoint(prefixes(full))):
            self._clash = True
            return True
        return False

    def block(self, prefix: str, block: str) -> str:
        """A name for a block that has none: unit1, unit2, ..."""
        numbers = self._numbers.setdefault(prefix + block, count(1))
        name = self._make_up(prefix, (f"{block}{number}" for number in numbers), self._branches, self._made_up)
        self._blocks.add(prefix + name)
        return name

    def branches(self, prefix: str, number: int) -> list[str]:
        """Names for branches that have none: b1, b2, ..., as in every other join."""
        names = (f"b{number}" for number in count(1))
        return [self._make_up(prefix, names) for _ in range(number)]

    def _make_up(self, prefix: str, names: Iterator[str], *others: Set[str]) -> str:
        for name in names:
            full = prefix + name
            if not any(full in taken for taken in (self.outputs, self.reserved, *others)):
                self._made_up.add(full)
                return name
        raise AssertionError("names without end")

    def check(self, operations: int) -> None:
        """TakenError where the spec gives a name that was made up for something before it."""
        if self._clash:
            raise TakenError(self.reserved | self._given, operations)

    def unnamed(self, base: str, index: int) -> None:
        """Note a layer without a name, in the scope and of the type that ``base`` says."""
        self._unnamed.setdefault(base, []).append(index)

    def unnamed_before(self, base: str) -> int:
        """How many layers of a type in a scope have no name so far."""
        return len(self._unnamed.get(base, ()))

    def resolve(self, nodes: list[Node]) -> None:
        """Give the unnamed layers their type as a name, numbered where a scope has several."""
        known, taken = (self.outputs, self._given, self._made_up), set[str]()
        for base, indices in self._unnamed.items():
            numbers = count(1)
            for index in indices:
                name = base if len(indices) == 1 else f"{base}{next(numbers)}"
                while name in taken or any(name in names for names in known):
                    name = f"{base}{next(numbers)}"
                taken.add(name)
                nodes[index].name = name
