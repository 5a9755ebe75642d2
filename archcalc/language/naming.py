"""The names of an expansion: no two things have the same name.

A name in the spec stays as written. archcalc makes up names for blocks, branches and layers that have no name, and
avoids the names in the spec. If a later step of the spec has a made-up name of a block or branch, the network is
expanded again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from itertools import count

from archcalc.letters import prefixes
from archcalc.network import Node

ONE_NAME = "give the block or repeat around them a name, or put {i} into this one"


class TakenError(Exception):
    """The spec has a name that archcalc made up earlier in the same expansion.

    ``reserved``: names that the next expansion must not make up. ``operations``: the cost of this expansion.
    """

    def __init__(self, reserved: frozenset[str], operations: int) -> None:
        super().__init__(reserved, operations)
        self.reserved, self.operations = reserved, operations


class Names:
    """The names so far. ``reserved``: names that must not be made up. ``last``: no other expansion follows.
    ``inputs``: the names of the network's inputs.

    ``outputs``: the index of a node for every name of a layer, block, group or join; None: the output is unknown.
    ``placed``: its names in their order. ``bases``: of every layer without a name, the prefix of its scope and its type.
    """

    def __init__(self, reserved: frozenset[str], last: bool, inputs: Iterable[str]) -> None:
        self.reserved, self.last = reserved, last
        self.outputs: dict[str, int | None] = {name: index for index, name in enumerate(inputs)}
        self.placed = list(self.outputs)
        self.bases: dict[int, str] = {}
        self.noted: list[tuple[set[str], str]] = []
        """The names given and made up so far, in order, each with the set that holds it."""
        self.apart = not reserved
        """Whether a name begins with the name of a scope only if it is a name of that scope."""
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
        """Note a name in the spec for a layer, block, group or join; False if the name is already in use."""
        full = prefix + name
        self.note(self._given, full)
        if "." in name:
            self.apart = False
            self._given.update(prefix + around for around in prefixes(name))
        made_up, taken = full in self._made_up, full in self.outputs or full in self._branches
        return not (made_up or taken) or self._freed(full, made_up)

    def give_branch(self, full: str) -> bool:
        """Note the name of a branch; False if the name is in use. Branches of other joins may have the same name."""
        self.note(self._given, full)
        self.note(self._branches, full)
        made_up, taken = full in self._blocks, full in self.outputs
        return not (made_up or taken) or self._freed(full, made_up)

    def _freed(self, full: str, made_up: bool) -> bool:
        """Whether another expansion can free a name in use: the name, or a name around it, is made up."""
        if not self.last and full not in self.reserved and (made_up or not self._made_up.isdisjoint(prefixes(full))):
            self._clash, self.apart = True, False
            return True
        return False

    def block(self, prefix: str, block: str) -> str:
        """A name for a use of a block without a name: unit1, unit2, ..."""
        numbers = self._numbers.setdefault(prefix + block, count(1))
        name = self._make_up(prefix, (f"{block}{number}" for number in numbers), self._branches, self._made_up)
        self.note(self._blocks, prefix + name)
        return name

    def branches(self, prefix: str, number: int) -> list[str]:
        """Names for branches without names: b1, b2, ... Every join begins with b1."""
        names = (f"b{number}" for number in count(1))
        return [self._make_up(prefix, names) for _ in range(number)]

    def _make_up(self, prefix: str, names: Iterator[str], *others: Set[str]) -> str:
        for name in names:
            full = prefix + name
            if not any(full in taken for taken in (self.outputs, self.reserved, *others)):
                self.note(self._made_up, full)
                return name
        raise AssertionError("names without end")

    def place(self, full: str, index: int | None) -> None:
        """Note the output of a name."""
        if full not in self.outputs:
            self.placed.append(full)
        self.outputs[full] = index

    def note(self, names: set[str], full: str) -> None:
        """Note a name in one of the sets of names."""
        names.add(full)
        self.noted.append((names, full))

    def check(self, operations: int) -> None:
        """TakenError if the spec has a name that archcalc made up earlier in this expansion."""
        if self._clash:
            raise TakenError(self.reserved | self._given, operations)

    def unnamed(self, base: str, index: int) -> None:
        """Note a layer without a name. ``base`` is the scope's prefix and the layer's type."""
        self._unnamed.setdefault(base, []).append(index)
        self.bases[index] = base

    def unnamed_before(self, base: str) -> int:
        """How many layers without a name have this ``base`` so far."""
        return len(self._unnamed.get(base, ()))

    def resolve(self, nodes: list[Node]) -> None:
        """Name every layer without a name by its type, with a number if a scope has several such layers."""
        known, taken = (self.outputs, self._given, self._made_up), set[str]()
        for base, indices in self._unnamed.items():
            numbers = count(1)
            for index in indices:
                name = base if len(indices) == 1 else f"{base}{next(numbers)}"
                while name in taken or any(name in names for names in known):
                    name = f"{base}{next(numbers)}"
                taken.add(name)
                nodes[index].name = name
