"""Names of layers in a file of another tool, as names of a spec: allowed characters, and each name once."""

from __future__ import annotations

from archcalc.letters import LAYER_SIGNS, MOST_LETTERS, MOST_LETTERS_OF_BLOCKS, as_name, is_name
from archcalc.named_inputs import INPUT

ROOM = 6
"""The characters that a number behind a name may need."""


class Naming:
    """The names so far. The name of the only input of a network is no layer's name."""

    def __init__(self) -> None:
        self.taken = {INPUT}
        self.numbers: dict[str, int] = {}

    def of_input(self, wanted: str) -> str:
        """The name of an input, which has no signs."""
        base = as_name(wanted, MOST_LETTERS_OF_BLOCKS - ROOM) or "_"
        return f"_{base}" if base[0].isdigit() else base

    def new(self, wanted: str) -> str:
        """A name that is not taken: ``wanted``, or ``wanted`` with a number."""
        base = as_name(wanted, MOST_LETTERS - ROOM, LAYER_SIGNS)
        if not is_name(base, MOST_LETTERS, LAYER_SIGNS):
            base = f"_{base}"[: MOST_LETTERS - ROOM]
        name = base
        while name in self.taken:
            self.numbers[base] = self.numbers.get(base, 1) + 1
            name = f"{base}_{self.numbers[base]}"
        self.taken.add(name)
        return name
