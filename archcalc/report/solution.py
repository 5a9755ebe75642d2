"""The table of ``archcalc solve``: the answer, the neighbour that breaks the limit, and why no better value fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archcalc.analysis import Analysis
from archcalc.conditions.dimension import NUMBER, SIZE, TIME
from archcalc.report.header import layer_header
from archcalc.report.table import Heading, Kind, Table
from archcalc.settings_text import setting_text
from archcalc.spaces.axes import kind_of, value_text
from archcalc.spaces.requirements import Compared
from archcalc.spaces.solve import Point, Solution
from archcalc.units import counted, ratio_text, seconds_text

BEST: Mapping[str, str] = {"maximize": "largest", "minimize": "smallest"}
BETTER: Mapping[str, str] = {"maximize": "larger", "minimize": "smaller"}
KINDS: Mapping[Any, Kind] = {SIZE: "bytes", TIME: "seconds", "text": "text"}
MOST_REASONS = 3


def solution_table(analysis: Analysis, found: Solution) -> Table:
    """The table of a solution for the network of an analysis."""
    roles = {f"{BEST[found.goal]} that fits": found.answer, "does not fit": found.neighbour, "nearest": found.nearest}
    points = {role: point for role, point in roles.items() if point is not None}
    figures = {one.figure: _kind(one) for point in points.values() for one in point.compared}
    header = layer_header(analysis)._replace(mode=(f"the {BEST[found.goal]} {found.variable} where {found.where}",))
    if found.variable in ("input", "batch"):
        header = header._replace(input=None) if found.variable == "input" else header._replace(batch=None)
    return Table(
        title=analysis.network.title,
        headings=[
            Heading("fit", "fit", "text", 9),
            Heading(found.variable, found.variable, "text" if found.variable == "input" else "number", 9),
            *(Heading(name, name, kind, 8) for name, kind in figures.items()),
        ],
        rows=[[role, *_cells(found.variable, point, figures)] for role, point in points.items()],
        header=header,
        footer=[*_answer(found), *_proof(found), *_refusals(found)],
        totals=_facts(found),
    )


def _cells(variable: str, point: Point, figures: Mapping[str, Kind]) -> list[Any]:
    values = {one.figure: one.value for one in point.compared}
    cells = [values.get(name) for name in figures]
    place = point.network.input_text if variable == "input" else point.value
    return [place, *(cell if isinstance(cell, (int, str)) or cell is None else float(cell) for cell in cells)]


def _kind(one: Compared) -> Kind:
    if one.unit == NUMBER:
        return "count" if isinstance(one.value, int) else "ratio"
    return KINDS.get(one.unit, "ratio")


def _answer(found: Solution) -> list[str]:
    """The answer, and what breaks the limit next to it."""
    name, best, better = found.variable, BEST[found.goal], BETTER[found.goal]

    def shown(point: Point) -> str:
        return value_text(point.value, kind_of(name))

    if found.answer is None:
        if found.lacking:
            return [f"nothing fits: {found.network} has no figure {', '.join(found.lacking)}"]
        if found.nearest is None:
            return [f"nothing fits: the network refuses all values of {name}"]
        value = shown(found.nearest)
        return [f"nothing fits. {name} = {value} comes nearest: {_broken(found.nearest, found.where)}"]
    value = shown(found.answer)
    if found.neighbour is None:
        return [f"{name} = {value} fits, and no {better} value was tried: it is at the end of the values"]
    beside = shown(found.neighbour)
    return [
        f"{name} = {value} is the {best} that fits. The next, {beside}, does not: {_broken(found.neighbour, found.where)}"
    ]


def _broken(point: Point, where: str) -> str:
    """The comparisons that do not hold, and by how much."""
    return "; ".join(_over(one) for one in point.compared if not one.holds) or f"it does not meet {where}"


def _over(one: Compared) -> str:
    value = _figure(one.value, one)
    if one.over is None or one.limit_text[:2] in ("==", "!="):
        return f"{one.figure} is {value}, expected {one.limit_text}"
    if not one.over:
        return f"{one.figure} is {value}, expected {one.limit_text}"
    part = f" ({float(100 * one.over / abs(one.limit)):.3g} %)" if one.limit else ""
    side = "above" if one.limit_text[0] == "<" else "below"
    return f"{one.figure} is {value}, {_figure(one.over, one)}{part} {side} {one.limit_text.lstrip('<>= ')}"


def _figure(value: Any, one: Compared) -> str:
    if one.unit == TIME:
        return seconds_text(float(value))
    if isinstance(value, (str, bool)):
        return setting_text(value)
    if one.unit == SIZE:
        return f"{round(value):,} bytes"
    return f"{value:,}" if isinstance(value, int) else ratio_text(float(value))


def _proof(found: Solution) -> list[str]:
    """The values that were tried, and why no better value fits."""
    tried = f"values of {found.variable}: {found.values}"
    if found.monotone:
        return [
            f"{tried}. Figures of this condition are proved to grow with the batch: {counted(found.computed, 'value')} computed"
        ]
    if found.answer is None:
        return [f"{tried}. {counted(found.computed, 'value')} computed, and none fits"] if found.computed else [tried]
    better = found.computed - 1
    if not better:
        return [tried]
    side = "above" if found.goal == "maximize" else "below"
    if better == 1:
        return [f"{tried}. The one value {side} the answer that the network accepts was computed: it does not fit"]
    return [f"{tried}. All {better:,} values {side} the answer that the network accepts were computed: none fits"]


def _refusals(found: Solution) -> list[str]:
    """The values that the network refuses, by reason."""
    lines = [
        f"{counted(one.number, 'value')} refused by the network: {one.reason}" for one in found.refused[:MOST_REASONS]
    ]
    others = sum(one.number for one in found.refused[MOST_REASONS:])
    return lines + ([f"{counted(others, 'value')} refused for other reasons"] if others else [])


def _facts(found: Solution) -> dict[str, Any]:
    """The solution for programs."""
    values = {role: getattr(found, role) for role in ("answer", "neighbour", "nearest")}
    return {
        "variable": found.variable,
        "goal": found.goal,
        "where": found.where,
        **{role: None if point is None else point.value for role, point in values.items()},
        "values": found.values,
        "monotone": found.monotone,
        "computed": found.computed,
        "refused": sum(one.number for one in found.refused),
    }
