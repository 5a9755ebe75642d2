"""What PyTorch does with layers that make regions of maps: operators of torchvision, whose boxes are given.

The boxes belong to the caller, as the images do. The regions are sorted by the maps that they read. With several maps,
every map makes its regions, and the results are put one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.layers import Layer
from archcalc.layers.join import Add
from archcalc.layers.pool import GlobalAvgPool
from archcalc.layers.region import per_map
from archcalc.layers.resample import Upsample
from archcalc.pytorch.code import ModuleCode, Statements
from archcalc.pytorch.record import Record
from archcalc.pytorch.runner import FLOAT, Runner
from archcalc.pytorch.tape import PASSES, SCRATCH, BackwardRule, Extra, Made, Result, Role, Saves, TapeTensor
from archcalc.sizes import Shape

INT32 = 4


class RegionRecord(Record):
    """An operator of torchvision. A map in half precision is cast to the precision of the boxes, and the result back.

    ``indexed``: the operator also makes an index for every value, and the backward pass reads the index. Autograd then
    makes zeros in the place of a gradient of the index.
    """

    facts = (*Record.facts, "operator", "target", "indexed")

    operator: str
    target: str
    indexed: bool
    saves_input, saves_output = False, False
    in_place = False
    keeps_format = False

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        return ModuleCode(self.target, {"size": out.axes}, 1)

    def statements(self, layer: Any, inputs: Sequence[Shape], out: Shape, over: bool = False) -> Statements:
        return Statements((), self.code(layer, inputs[0], out))

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        whole, parts = tape.times, []
        shares = per_map(whole, len(xs))
        for x, shape, tape.times in zip(xs, shapes, shares, strict=True):
            parts.append(self.pool(tape, x, shape, out, last=len(xs) == 1))
        if len(xs) == 1:
            tape.times = whole
            return parts[0]
        size, held = max(part.itemsize for part in parts), list(parts)
        for at, part in enumerate(held):  # autocast casts to the highest precision
            tape.times = part.times
            if part.itemsize < size:
                parts[at] = tape.cast(part, size, "regions of one map in single precision", "scratch")
        tape.times = whole
        y = tape.run("cat", parts, out.values, Result(order="first", itemsize=size), rule=PASSES)
        for part in held:
            part.storage.until(tape.now)
        return y

    def pool(self, tape: Runner, x: TapeTensor, shape: Shape, out: Shape, *, last: bool) -> TapeTensor:
        """The regions of one map; ``last``: the result is the output of the layer."""
        size, times = x.itemsize, tape.times
        if size != FLOAT and tape.amp:
            tape.times = x.times
            x = tape.cast(x, FLOAT, "in single precision", "scratch")
            tape.times = times
        role: Role = "map" if last else "scratch"
        label = "" if last else "regions of one map"
        result = Result(order="first", role=role if x.itemsize == size else "scratch", label=label)
        extra, steps = [], [[Made(0, x.count * x.itemsize, 0)]]
        if self.indexed:
            extra = [Extra(out.values * INT32, 0, "indices", "the indices of its values")]
            steps = [[Made(SCRATCH, out.values * INT32, 0, 1)], *steps]
        rule = BackwardRule(steps, gradient_order="first")
        made = tape.run(self.operator, [x], out.values, result, Saves(extra=extra), rule)
        return made if x.itemsize == size else tape.cast(made, size, label, role)

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        """The whole map at every position: a region may lie anywhere."""
        return [Add(), GlobalAvgPool(), Upsample(size=out.axes)]


class RoiAlignRecord(RegionRecord, type="roi_align"):
    operator, target, indexed = "roi_align", "RoiAlign", False
    modules = ("RoIAlign", "MultiScaleRoIAlign")

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        aligned = {"aligned": layer.aligned}
        return ModuleCode(self.target, {"size": out.axes, "sampling": layer.sampling, **aligned}, 2, {"aligned": False})


class RoiPoolRecord(RegionRecord, type="roi_pool"):
    operator, target, indexed = "roi_pool", "RoiPool", True
    modules = ("RoIPool",)


class PsRoiPoolRecord(RegionRecord, type="ps_roi_pool"):
    operator, target, indexed = "ps_roi_pool", "PsRoiPool", True
    modules = ("PSRoIPool",)
