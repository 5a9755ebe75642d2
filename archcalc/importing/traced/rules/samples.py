"""Values of a map at computed positions."""

from __future__ import annotations

from archcalc.importing.traced.calls import Call
from archcalc.importing.traced.factors import BATCH, around_batch, size_of, whole, without_batch
from archcalc.importing.traced.mapping import Mapping, rule
from archcalc.importing.traced.operands import for_every_image
from archcalc.importing.traced.steps import Shown, UnsupportedError, with_batch
from archcalc.sizes import Shape

MODES = ("bilinear", "nearest", "bicubic")
BEYOND = ("zeros", "border", "reflection")


@rule("grid_sampler")
def grid_sample(mapping: Mapping, call: Call) -> Shown:
    """Values of a map at the positions of a grid. What is like a batch is the first axis of both."""
    given = call.settings
    tensor, grid = mapping.shown(given["input"]), for_every_image(mapping, given["grid"])
    fronts = [size_of(around_batch(one.view[0])[0]) for one in (tensor, grid)]
    if fronts[0] != fronts[1] or any(
        factor.axis == BATCH for one in (tensor, grid) for g in one.view[1:] for factor in g
    ):
        raise UnsupportedError("a map and positions whose images lie in different places")
    several = [without_batch(one.view[0]) for one in (tensor, grid)]
    if size_of(several[0]) != size_of(several[1]):
        raise UnsupportedError("a map and positions of which one is the same for all images")
    first = whole(1, size_of(several[0]))
    laid = [
        mapping.steps.arranged(one.step, [one.view[channels], *([group] if first else []), *positions])
        for one, channels, group, positions in (
            (tensor, 1, several[0], tensor.view[2:]),
            (grid, -1, several[1], grid.view[1:-1]),
        )
    ]
    channels, *axes = call.results[0].shape[1:]
    settings = {
        name: value
        for name, value, usual in (
            ("mode", MODES[given["interpolation_mode"]], MODES[0]),
            ("pad_mode", BEYOND[given["padding_mode"]], BEYOND[0]),
            ("align_corners", given["align_corners"], False),
        )
        if value != usual
    }
    before = [size_of(first)] if first else []
    step = mapping.steps.add("grid_sample", settings, laid, Shape(channels, (*before, *axes)))
    ends = (whole(axis, size) for axis, size in enumerate(axes, 1 + len(before)))
    return Shown(step, (with_batch(tensor.view[0], first), whole(0, channels), *ends))
