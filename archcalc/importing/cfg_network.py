"""A darknet cfg as a network, by the rules of darknet's parser. ``cfg_layers`` has a rule for each kind of section.

Layers are called after their type and the number of their section, which darknet prints: ``conv12``, ``max_pool5``.
A section that only passes its input on (box decoding, losses) is dropped, and the section behind it reads its input.

Source: AlexeyAB/darknet 59596d7 and pjreddie/darknet f6afaab, src/parser.c.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.errors import ArchcalcError, Problem, clipped, unknown
from archcalc.importing.darknet import Section, parse
from archcalc.importing.errors import MissingError, WrongValueError
from archcalc.importing.graph import Blob, Graph, Imported
from archcalc.sizes import Shape


def read(text: str, file: str, allow_missing: bool, input: Any = None) -> Imported:
    """The network in the text of a cfg."""
    from archcalc.importing.cfg_layers import DROPPED, RULES

    sections = parse(text, file)
    if not sections or sections[0].kind not in ("net", "network"):
        line = sections[0].line if sections else 0
        raise ArchcalcError(Problem("the first section of a cfg must be [net]", file, line))
    cfg = Cfg(file, sections)
    for index, section in enumerate(sections[1:]):
        cfg.index, cfg.section = index, section
        blob = cfg.current
        try:
            if section.whole("stopbackward", 0) == 1:
                cfg.frozen = section.line
            if section.kind in RULES:
                blob = RULES[section.kind](cfg, section)
            elif section.kind in DROPPED:
                cfg.graph.dropped[section.kind] += 1
            else:
                raise MissingError(unknown("section", section.kind, [*RULES, *DROPPED]))
        except WrongValueError as error:
            cfg.graph.problem(f"[{clipped(section.kind, 40)}]: {error}", section.line)
            blob = None
        except MissingError as error:
            cfg.graph.lacks(clipped(section.kind, 40), f"[{clipped(section.kind, 40)}]: {error}", section.line)
            blob = None
        cfg.outputs.append(blob)
        cfg.current = blob
    cfg.freeze()
    return cfg.graph.finish(allow_missing)


WEIGHTED = ("conv", "batch_norm", "linear", "conv_transpose")
"""The layers with weights that a section of a cfg may become."""


class Cfg:
    """A cfg while it is read: the outputs of the sections so far, and the output that the next section reads."""

    def __init__(self, file: str, sections: Sequence[Section]) -> None:
        self.graph = Graph(file)
        self.section, self.index = sections[0], -1
        self.outputs: list[Blob | None] = []
        self.owners: dict[int, str] = {}
        """The name of the convolution of each section that has one."""
        self.frozen = 0
        """The number of sections whose weights are frozen (stopbackward)."""
        self.current: Blob | None = self.network_input(sections)

    def network_input(self, sections: Sequence[Section]) -> Blob:
        """The input by [net]; a [crop] that comes first cuts the image to its own size, which is the network's input."""
        net, first = sections[0], sections[1] if len(sections) > 1 else sections[0]
        try:
            sizes = [net.whole(key, 0) for key in ("channels", "height", "width")]
            inputs = net.whole("inputs", 0)
            if first.kind == "crop":
                sizes[1:] = [first.whole("crop_height", 1), first.whole("crop_width", 1)]
        except WrongValueError as error:
            raise ArchcalcError(Problem(f"[net]: {error}", self.graph.file, net.line)) from None
        if min(sizes) < 1:
            sizes = [inputs]
        if min(sizes) < 1 or max(sizes) > 2**31 - 1:
            text = "[net] gives no size of an input: it needs channels, height and width, or inputs"
            raise ArchcalcError(Problem(text, self.graph.file, net.line))
        return self.graph.input("input", Shape(sizes[0], tuple(sizes[1:])), net.line)

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
