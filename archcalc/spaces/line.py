"""A network along one axis: the values that are tried there, the analysis at each, and where a condition holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from math import inf, prod
from typing import Any, NamedTuple

from archcalc.analysis import Analysis
from archcalc.errors import ArchcalcError, unknown
from archcalc.settings_text import setting_text
from archcalc.sizes import Shape, is_array
from archcalc.spaces.axes import Axis, axis, read_range, value_text
from archcalc.spaces.evaluate import Evaluation, How
from archcalc.spaces.requirements import Requirements
from archcalc.spaces.space import Block
from archcalc.units import counted

MOST_BATCH, LARGEST_SIDE, LEAST_END, TIMES_OWN = 2**20, 4096, 100, 4
"""The ends of the usual values: batches up to MOST_BATCH, sides up to LARGEST_SIDE or TIMES_OWN times the own side, whole
numbers up to LEAST_END or TIMES_OWN times the spec's value, and other numbers up to TIMES_OWN times the spec's value."""


class Grid(NamedTuple):
    """The values that are tried, in ascending order, and a text that describes them."""

    values: tuple[Any, ...]
    text: str


class Along(NamedTuple):
    """Where a condition holds among some values: None where the network refuses the value.

    refused: the reasons, each with the number of values. slow: the number of values whose slow figures were computed.
    """

    holds: list[bool | None]
    refused: Mapping[str, int]
    slow: int


class Line:
    """An analysis, and the axis along which its network varies: the input, the batch or a setting that is a number."""

    def __init__(self, analysis: Analysis, name: str, over: Any, requirements: Requirements) -> None:
        """ArchcalcError if the network has no such axis, or if the values of ``over`` have no order."""
        if find_spec("numpy") is None:
            raise ArchcalcError("solve needs numpy: pip install 'archcalc[sweep]'")
        network, self.name = analysis.network, name
        if name not in ("input", "batch") and name not in network.settings:
            known = ["input", "batch", *network.settings]
            raise ArchcalcError(f"{network.full_name}: {unknown('variable', name, known)}")
        if name == "input" and not network.input.axes and over is None:
            raise ArchcalcError(f"{network.full_name} has no spatial axes: its input {network.input} has one size")
        if is_array(analysis.batch):
            raise ArchcalcError("solve needs a single batch, not an array")
        self.grid = _usual(analysis, name) if over is None else _grid(axis(name, over), over)
        how = How(analysis.batch, analysis.dtype, analysis.convention.name, analysis.training)
        self.network = network
        self._quick, self._slow = (
            Evaluation(network, [name], {"holds": partial(requirements.holds, parts)}, None, how) if parts else None
            for parts in (requirements.quick, requirements.slow)
        )
        distance = partial(requirements.distance, requirements.parts)
        self._distance = Evaluation(network, [name], {"distance": distance}, None, how)

    def at(self, value: Any) -> Analysis:
        """The analysis at a value. ArchcalcError if the network refuses the value."""
        return self._distance.point([value])

    def along(self, values: Sequence[Any]) -> Along:
        """Where the condition holds among these values. The slow parts are computed only where the quick parts hold."""
        holds: list[bool | None] = [None] * len(values)
        refused: Counter[str] = Counter()
        places, slow = list(range(len(values))), 0
        for evaluation in (self._quick, self._slow):
            if evaluation is None or not places:
                continue
            found = evaluation.block(Block(([values[place] for place in places],), False))
            refused.update(found.refused)
            slow = len(places) if evaluation is self._slow else 0
            for place in places:
                holds[place] = None
            for place, one in zip(found.places.tolist(), found.figures["holds"].tolist(), strict=True):
                holds[places[place]] = bool(one)
            places = [place for place in places if holds[place]]
        return Along(holds, refused, slow)

    def nearest(self, values: Sequence[Any]) -> tuple[float, Any]:
        """The smallest distance of a value from the condition, and the place of the first value with it."""
        found = self._distance.block(Block((values,), False))
        distances = found.figures["distance"].tolist()
        return min(
            ((distance, place) for distance, place in zip(distances, found.places.tolist(), strict=True)),
            default=(inf, None),
        )


def _usual(analysis: Analysis, name: str) -> Grid:
    """The values that are tried if the user gives none."""
    if name == "batch":
        return Grid(tuple(range(1, MOST_BATCH + 1)), f"1 to {MOST_BATCH:,}, whole numbers")
    if name == "input":
        last = max(LARGEST_SIDE, TIMES_OWN * max(analysis.network.input.axes))
        return Grid(tuple(range(1, last + 1)), f"1 to {last:,} pixels, every size")
    own = analysis.network.settings[name]
    if isinstance(own, bool) or not isinstance(own, (int, float)):
        raise ArchcalcError(
            f"{name}={setting_text(own)} of {analysis.network.full_name} is no number: only numbers have a largest and a "
            "smallest value"
        )
    if isinstance(own, int):
        last = max(LEAST_END, TIMES_OWN * own)
        return Grid(tuple(range(1, last + 1)), f"1 to {last:,}, whole numbers")
    last = max(1, int(own)) * TIMES_OWN
    return Grid(read_range(f"0.01:{last}:0.01"), f"0.01 to {last} in steps of 0.01")


def _grid(axis: Axis, given: Any) -> Grid:
    """The values that the user gives, in ascending order: numbers, or sizes of an input by their number of values."""
    text = given if isinstance(given, str) else _text(axis)
    if axis.kind == "input" and all(isinstance(value, tuple) for value in axis.values):
        sizes = {tuple(_sizes(value)): value for value in axis.values}
        return Grid(tuple(sizes[key] for key in sorted(sizes, key=prod)), text)
    wrong = [value for value in axis.values if isinstance(value, bool) or not isinstance(value, (int, float))]
    if wrong:
        what = (
            "all values are numbers, or all are sizes"
            if axis.kind == "input"
            else "only numbers have a largest and a smallest value"
        )
        raise ArchcalcError(f"{axis.name}: {what}, got {value_text(wrong[0], axis.kind)}")
    return Grid(tuple(sorted(axis.values)), text)


def _sizes(value: tuple[Any, ...]) -> Sequence[int]:
    return (value.channels, *value.axes) if isinstance(value, Shape) else value


def _text(axis: Axis) -> str:
    values = [value_text(value, axis.kind) for value in axis.values]
    return ", ".join(values) if len(values) < 4 else f"{values[0]} to {values[-1]}, {counted(len(values), 'value')}"
