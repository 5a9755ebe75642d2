"""A spec after reading: a family of networks, before any number is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from archcalc.errors import Place
from archcalc.language.steps import Block, Given, Step
from archcalc.sizes import Shape
from archcalc.trees import Tree


class Entry:
    """One network of a family: its description, the spec parameters that it sets, and its own layers if it has any.

    ``formulas``: what analyses of the network with many numbers leave here (``Network.formulas``).
    """

    __slots__ = ("about", "axes", "budgets", "formulas", "inputs", "outputs", "place", "settings", "steps")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.about: dict[str, Any] = {}
        self.settings: dict[str, Any] = {}
        self.inputs: dict[str, Given] = {}
        self.outputs: Given | None = None
        self.axes: tuple[int, ...] = ()
        self.budgets: list[Given] = []
        self.steps: list[Step] | None = None
        self.formulas: dict[object, object] = {}


class Family:
    """A spec after reading: the networks of one family, and the steps that build each network.

    ``inputs``: the sizes of every input by name; a network without inputs has those of the family.
    ``axes``: the numbers of axes that an input may have; empty: the same number as the spec's own input.
    ``budgets``: conditions on the figures of every network, as text; those of a network come in addition.
    ``notes``: what every report says of the family. ``tree``, ``classes``, ``forms``, ``program`` and ``again`` are for an
    imported file: its tree, the classes of its modules by their paths, how its code writes layers (``Network.forms``) and
    runs (``Network.program``), and its family for other inputs.
    """

    in_zoo = False
    """Whether the spec belongs to the zoo. A file with the name of a zoo spec does not."""

    names_are_paths = False
    """Whether the names of layers are paths of modules, as ``layer1.0.conv1``, so that tables fold by them."""

    def __init__(self, file: str, name: str) -> None:
        self.file, self.name = file, name
        self.about: dict[str, Any] = {}
        self.inputs: dict[str, Given] = {}
        self.outputs: Given | None = None
        self.axes: tuple[int, ...] = ()
        self.params: dict[str, Any] = {}
        self.let: dict[str, Given] = {}
        self.checks: list[tuple[Given, str]] = []
        self.budgets: list[Given] = []
        self.blocks: dict[str, Block] = {}
        self.networks: dict[str, Entry] = {}
        self.steps: list[Step] = []
        self.notes: list[str] = []
        self.tree: Tree | None = None
        self.classes: Mapping[str, str] = {}
        self.forms: Mapping[str, str] = {}
        self.program: Any = None
        self.again: Callable[[Mapping[str, Shape]], Family] | None = None

    def scopes_of(self, name: str, blocks: tuple[str, ...]) -> tuple[str, ...]:
        """The labels around a layer: those of its blocks, or of the modules around it."""
        return tuple(name.split(".")[:-1]) if self.names_are_paths else blocks
