"""What is known of a network before its layers are made: its name, its settings, and the inputs that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from archcalc.inputs import Takes
from archcalc.named_inputs import inputs_text, numbers_of
from archcalc.settings_text import changed, full_name
from archcalc.sizes import Shape, any_array, arrays_in

if TYPE_CHECKING:
    from archcalc.types import Setting

Origin = Literal["zoo", "file", "pattern", "code"]
"""Where a network came from: a spec of the zoo, of a file (or standard input), a one-line pattern, or Python code."""


class Described:
    """The name, the settings and the inputs of a network: see ``archcalc.network.Network``."""

    called = ""
    """The name in an output with several networks, if full names do not tell the networks apart."""

    name: str
    title: str
    inputs: dict[str, Shape]
    input: Shape
    about: dict[str, str | float]
    notes: list[str]
    origin: Origin
    file: str
    takes: Mapping[str, Takes]
    settings: dict[str, Setting]
    defaults: dict[str, Setting]

    @property
    def settings_changed(self) -> dict[str, Setting]:
        """The settings that differ from the spec."""
        return changed(self.settings, self.defaults)

    @property
    def full_name(self) -> str:
        """The name with the settings that were changed, as NET takes it: ``resnet50@option=c``."""
        return self.called or full_name(self.name, self.settings_changed)

    @property
    def zoo_name(self) -> str:
        """The name of a network of the zoo; '' for any other network, even if its name is in the zoo."""
        return self.name if self.origin == "zoo" else ""

    @property
    def as_in_zoo(self) -> bool:
        """Whether the network is of the zoo, with the settings and the input of its spec."""
        return self.origin == "zoo" and not self.settings_changed and self.at_own_input

    @property
    def at_own_input(self) -> bool:
        """Whether every input has the sizes of the spec."""
        own = {key: takes.own for key, takes in self.takes.items()}
        shapes = [*self.inputs.values(), *(shape for shape in own.values() if shape)]
        return not any_array(numbers_of(shapes)) and self.inputs == own

    @property
    def input_text(self) -> str:
        """The sizes of the input, or of every input by name, as ``--input`` takes them."""
        return inputs_text(self.inputs)

    @property
    def arrays(self) -> list[Any]:
        """The arrays among the sizes of all inputs and the settings."""
        return list(arrays_in((*numbers_of(self.inputs.values()), *self.settings.values())))
