"""What PyTorch does with layers that make a map of another size from single values of the input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.errors import LayerError
from archcalc.layers import Layer
from archcalc.layers.axes import sizes_of
from archcalc.layers.base import per_axis
from archcalc.layers.border import Crop, Pad
from archcalc.layers.convolution import ConvTranspose
from archcalc.layers.windowed import Slide
from archcalc.pytorch.code import InlineCode, ModuleCode, TorchCode, alike
from archcalc.pytorch.placing import placement
from archcalc.pytorch.rearrange import MovingRecord, copied
from archcalc.pytorch.runner import Runner, dense, formatted
from archcalc.pytorch.tape import ORDERED, Saves, TapeTensor
from archcalc.sizes import Shape, positive

MODES = {
    "nearest": {1: "nearest", 2: "nearest", 3: "nearest"},
    "bilinear": {1: "linear", 2: "bilinear", 3: "trilinear"},
    "bicubic": {2: "bicubic"},
}
"""The name of a mode in PyTorch, by the number of axes."""


class UpsampleRecord(MovingRecord, type="upsample"):
    keeps_format = True

    def code(self, layer: Any, x: Shape, out: Shape) -> TorchCode:
        names, axes = MODES[layer.mode], len(x.axes)
        if axes not in names:
            known = "two axes only" if len(names) == 1 else "one to three"
            cubic = "bicubic upsampling" if len(names) == 1 else "upsampling"
            raise LayerError(f"PyTorch has no {cubic} over {axes} axes; it has {known}")
        if layer.antialias and axes != 2:
            raise LayerError(f"PyTorch has no upsampling with antialias over {axes} axes; it has two axes only")
        if layer.antialias:
            text = f'F.interpolate({{0}}, {{size}}, mode="{names[axes]}", antialias=True)'
            return InlineCode(text, {"size": out.axes})
        arguments = {"size": out.axes, "mode": names[axes], "align_corners": layer.align_corners or None}
        return ModuleCode("nn.Upsample", arguments, 0, {"mode": "nearest", "align_corners": None})

    def fvcore(self, layer: Any) -> str:
        return f"upsample_{layer.mode}2d"

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        return copied(tape, "upsample", xs[0], shapes[0], out, "first" if layer.mode == "bicubic" else None)

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [layer]


def _misses(slide: Slide, dilation: int) -> bool:
    """Whether a window that begins before the map has all its values in the padding."""
    n, span, stride, before, _ = slide
    return any(start % dilation >= min(n, start + span) for start in range(-before, 0, stride))


class UnpoolRecord(MovingRecord, type="unpool"):
    """Saves the indices of its pooling, which stay alive from the pooling on."""

    keeps_format = True

    def returns_view(self, layer: Any, out: Shape) -> bool:
        return len(out.axes) == 1

    def code(self, layer: Any, x: Shape, out: Shape) -> InlineCode:
        pool = layer.of.layer
        at = placement("max", pool, out, x)
        if at.pads:
            raise LayerError("PyTorch pads the map before this pooling, and so the indices are those of the padded map")
        if any(map(_misses, pool.slides(out), per_axis(pool.dilation, out, "dilation"))):
            raise LayerError("a window of this pooling has no value of the map, and so PyTorch has no index for it")
        kernel, stride = per_axis(pool.kernel, out, "kernel"), per_axis(pool.stride, out, "stride")
        for n, k, s, p, size in zip(x.axes, kernel, stride, at.own, out.axes, strict=True):
            usual = (n - 1) * s - 2 * p + k
            if abs(usual - size) >= s:
                raise LayerError(
                    f"PyTorch's max_unpool makes {usual} of {n} positions, or up to {s - 1} more or fewer, not {size}"
                )
        arguments = {"kernel": alike(kernel), "stride": alike(stride), "padding": alike(at.own), "size": out.axes}
        text = f"F.max_unpool{len(x.axes)}d({{0}}, {{1}}, {{kernel}}, {{stride}}, {{padding}}, {{size}})"
        return InlineCode(text, arguments)

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        x = tape.single(xs[0])
        assert tape.shares is not None
        indices = tape.indices[tape.shares]
        order = "first" if len(out.axes) == 3 else formatted(x, shapes[0])
        if len(out.axes) == 1:  # PyTorch adds an axis of size 1
            sizes, strides = (*sizes_of(shapes[0]), 1), (*dense(x, shapes[0]), 1)
            order = "unit" if tape.batch.order_of(sizes, strides, x.image, x.times)[0] in ("unit", "last") else "first"
        saves = Saves(tensors=[(indices.storage, "the indices of its pooling")])
        rule = tape.rule(x, "first")._replace(needs_order="positions", copies_inside=True, sizes=sizes_of(out))
        y = tape.run("max_unpool", [x], out.values, ORDERED[order], saves, rule)
        indices.storage.until(tape.now)
        return y

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        """The units of the windows that contain a unit, as a transposed convolution has them."""
        pool, after = layer.of.layer, layer.of.after
        windows = {name: per_axis(getattr(pool, name), out, name) for name in ("kernel", "stride", "dilation")}
        rows = zip(after.axes, pool.slides(out), out.axes, strict=True)
        sides = [(pad, (n - 1) * s + span - pad - size) for n, (_, span, s, pad, _), size in rows]
        cut = [(positive(before), positive(behind)) for before, behind in sides]
        put = [(0, positive(-behind)) for _, behind in sides]
        return [ConvTranspose(out=1, bias=False, **windows), Crop(by=cut), Pad(by=put)]
