"""What PyTorch does with a layer that reads a map at positions of another map: F.grid_sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.layers import Layer
from archcalc.layers.join import Add
from archcalc.layers.reshape import Expand
from archcalc.pytorch.code import InlineCode, Statements
from archcalc.pytorch.leading import folding, unfolded
from archcalc.pytorch.rearrange import moved_by
from archcalc.pytorch.record import JoinRecord
from archcalc.pytorch.runner import Runner, dense
from archcalc.pytorch.tape import PASSES, SCRATCH, BackwardRule, Made, Result, Saves, TapeTensor
from archcalc.sizes import Shape


class GridSampleRecord(JoinRecord, type="grid_sample"):
    """F.grid_sample, whose grid has the coordinates last. Axes before the positions are put into the batch.

    That is a copy, if they do not lie as one axis with the batch. The backward pass always makes the gradient of the
    grid. Autocast casts both to single precision.
    """

    fvcore_operator = "grid_sampler"
    saves_input, saves_output = True, False
    in_place = False
    keeps_format = False

    def returns_view(self, layer: Any, out: Shape) -> bool:
        return len(out.axes) > 2  # or not, if the positions have three coordinates

    def write(self, ends: list[str], over: bool) -> list[InlineCode]:
        return [InlineCode("F.grid_sample({0}, {1})")]

    def statements(self, layer: Any, inputs: Sequence[Shape], out: Shape, over: bool = False) -> Statements:
        x, grid = inputs
        count = len(x.axes) - grid.channels
        given = "" if layer.mode == "bilinear" else f', mode="{layer.mode}"'
        given += "" if layer.pad_mode == "zeros" else f', padding_mode="{layer.pad_mode}"'
        given += ", align_corners={align_corners}"
        corners = {"align_corners": layer.align_corners}
        if not count:
            return Statements((), InlineCode(f"F.grid_sample({{0}}, {{1}}.movedim(1, -1){given})", corners))
        first = f"flatten(0, {count})"
        text = f"F.grid_sample({{0}}.movedim(1, {count + 1}).{first}, {{1}}.movedim(1, -1).{first}{given})"
        windows = {f"windows{at}": size for at, size in enumerate(x.axes[:count])}
        text += f".unflatten(0, (-1, {', '.join(f'{{{name}}}' for name in windows)})).movedim({count + 1}, 1)"
        return Statements((), InlineCode(text, {**corners, **windows}))

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        """At every position the sum of both inputs, each of which is a mean over all positions."""
        return [Add(), Expand(size=out.axes)]

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x, grid), (shape, positions) = xs, shapes
        count = len(shape.axes) - positions.channels
        if count:
            x = self._folded(tape, x, shape, count, "its map in order")
        grid = self._folded(tape, grid, positions, count, "its grid in order", channels_last=True)
        grid = tape.single(grid)
        x = tape.single(x)
        made = [
            Made(at if one.derived else SCRATCH, one.count * one.itemsize, 0, 0) for at, one in enumerate((x, grid))
        ]
        rule = BackwardRule([made if x.derived else made[1:]], gradient_order="first")
        saves = Saves(tensors=[(grid.storage, "its grid"), (x.storage, "its map")])
        y = tape.run(f"grid_sampler_{positions.channels}d", [x, grid], out.values, Result(order="first"), saves, rule)
        for one in (x, grid):
            one.storage.until(tape.now)
        return unfolded(tape, y, out, count) if count else y

    def _folded(
        self, tape: Runner, x: TapeTensor, shape: Shape, count: int, label: str, *, channels_last: bool = False
    ) -> TapeTensor:
        """A map with the first axes in the batch: a view or a copy."""
        moves = folding(shape, count, channels_last=channels_last)
        if tape.batch.merges(shape.axes[:count], dense(x, shape)[1 : 1 + count], x.image, x.times):
            return moved_by(tape, x, shape, moves)
        rule = PASSES._replace(moves=moves)
        return tape.run("clone", [x], x.count, Result(order="first", role="scratch", label=label), rule=rule)
