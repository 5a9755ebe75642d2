"""What PyTorch does with layers that make a map of another size from single values of the input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.errors import LayerError
from archcalc.layers import Layer
from archcalc.pytorch.code import ModuleCode
from archcalc.pytorch.rearrange import MovingRecord, copied
from archcalc.pytorch.runner import Runner
from archcalc.pytorch.tape import TapeTensor
from archcalc.sizes import Shape

MODES = {
    "nearest": {1: "nearest", 2: "nearest", 3: "nearest"},
    "bilinear": {1: "linear", 2: "bilinear", 3: "trilinear"},
    "bicubic": {2: "bicubic"},
}
"""The name of a mode in PyTorch, by the number of axes."""


class UpsampleRecord(MovingRecord, type="upsample"):
    keeps_format = True

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        names, axes = MODES[layer.mode], len(x.axes)
        if axes not in names:
            known = "two axes only" if len(names) == 1 else "one to three"
            cubic = "bicubic upsampling" if len(names) == 1 else "upsampling"
            raise LayerError(f"PyTorch has no {cubic} over {axes} axes; it has {known}")
        arguments = {"size": out.axes, "mode": names[axes], "align_corners": layer.align_corners or None}
        return ModuleCode("nn.Upsample", arguments, 0, {"mode": "nearest", "align_corners": None})

    def fvcore(self, layer: Any) -> str:
        return f"upsample_{layer.mode}2d"

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        return copied(tape, "upsample", xs[0], shapes[0], out)

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [layer]
