"""A darknet cfg while it is read: the outputs of the sections so far, and the input of the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.errors import ArchcalcError, Problem
from archcalc.importing.darknet import Section
from archcalc.importing.errors import WrongValueError
from archcalc.importing.graph import Blob, Graph
from archcalc.named_inputs import INPUT
from archcalc.sizes import Shape

WEIGHTED = ("conv", "batch_norm", "linear", "conv_transpose", "locally_connected")
"""The layers with weights that a section of a cfg may become."""


class Cfg:
    """A cfg while it is read: the outputs of the sections so far, and the output that the next section reads."""

    def __init__(self, file: str, sections: Sequence[Section], inputs: Mapping[str, Shape]) -> None:
        self.graph = Graph(file)
        self.section, self.index = sections[0], -1
        self.outputs: list[Blob | None] = []
        self.owners: dict[int, str] = {}
        """The name of the convolution of each section that has one."""
        self.frozen = 0
        """The number of sections whose weights are frozen (stopbackward)."""
        self.current: Blob | None = self.network_input(sections, inputs)

    def network_input(self, sections: Sequence[Section], inputs: Mapping[str, Shape]) -> Blob:
        """The input by [net]; a [crop] that comes first cuts the image to its own size, which is the network's input."""
        net, first = sections[0], sections[1] if len(sections) > 1 else sections[0]
        try:
            sizes = [net.whole(key, 0) for key in ("channels", "height", "width")]
            count = net.whole("inputs", 0)
            if first.kind == "crop":
                sizes[1:] = [first.whole("crop_height", 1), first.whole("crop_width", 1)]
        except WrongValueError as error:
            raise ArchcalcError(Problem(f"[net]: {error}", self.graph.file, net.line)) from None
        if min(sizes) < 1:
            sizes = [count]
        if min(sizes) < 1 or max(sizes) > 2**31 - 1:
            text = "[net] gives no size of an input: it needs channels, height and width, or inputs"
            raise ArchcalcError(Problem(text, self.graph.file, net.line))
        return self.graph.input(INPUT, inputs.get(INPUT) or Shape(sizes[0], tuple(sizes[1:])), net.line)

    def add(
        self, type: str, *sources: Blob | None, settings: dict[str, Any] | None = None, **options: Any
    ) -> Blob | None:
        """Append a layer of the current section."""
        return self.graph.add(type, sources, f"{type}{self.index}", self.section.line, settings, **options)

    def output(self, number: int) -> Blob | None:
        """The output of a section: from 0 on, or back from the current section if negative."""
        index = number + self.index if number < 0 else number
        if not 0 <= index < self.index:
            raise WrongValueError(
                f"there is no earlier layer {number}; this is layer {self.index}, and the first one is 0"
            )
        return self.outputs[index]

    def freeze(self) -> None:
        """Mark the weights of all sections before the last one with ``stopbackward=1``."""
        for step in self.graph.steps:
            if step.line < self.frozen and step.type in WEIGHTED and "weights" not in step.options:
                step.options["trained"] = False
