"""The frame of the network input with the receptive field of one unit of each layer, to scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Unpack

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from archcalc.analysis import Analysis
from archcalc.analysis.rows import Row
from archcalc.errors import ArchcalcError
from archcalc.field.axis import AxisField
from archcalc.field.coverage import gate_nodes
from archcalc.field.field import Field
from archcalc.plot import labels, style
from archcalc.plot.colours import GREY, INK, RED
from archcalc.plot.look import Looks

MOST = 8
"""Maximum number of layers."""
BEYOND = 2
"""A field that is larger than BEYOND times the network input has a label but no box."""

LINE = 0.15
"""Inches from one line of the labels to the next line."""

TALLEST = 4.5
"""Maximum inches for the frame of the network input."""

NAME = 1.15
"""Maximum inches for the name of a layer."""


def rf_map(
    analysis: Analysis, layers: Sequence[str] | None = None, ax: Axes | None = None, **look: Unpack[Looks]
) -> Axes:
    """The fields of the layers' middle units on the frame of the network input, in pixels. Gates do not count.

    The middle unit is the unit whose field lies nearest to the middle of the network input. Default ``layers``: the
    last layer of each stage, and the first layer whose field is as large as the network input. ArchcalcError for a
    network input without height and width, an unknown layer, or more than MOST layers.
    """
    if len(analysis.input.axes) != 2:
        raise ArchcalcError(
            f"{analysis.network.full_name} has no field map: its input {analysis.input} has no height and width"
        )
    rows = [analysis[name] for name in layers] if layers else _usual_rows(analysis)
    if len(rows) > MOST:
        raise ArchcalcError(f"rf-map shows up to {MOST} layers, got {len(rows)}")
    rows.sort(key=_area)
    boxes = [_box(row, analysis) for row in rows]
    with style.page(ax, look, analysis) as page:
        height, width = analysis.input.axes
        near = [box for box in boxes if max(box.width / width, box.height / height) <= BEYOND]
        texts = _labels(rows, boxes, [box in near for box in boxes])
        if ax is None:
            beside = max(map(labels.text_width, [*texts, f"input {height}×{width}"])) + 0.4
            room = max(page.width - beside, LINE)
            figure = page.figure(min(room, TALLEST))
            ax = figure.add_subplot(figure.add_gridspec(1, 2, width_ratios=(room, beside))[0])
        left, right = min([0, *(b.x for b in near)]), max([width, *(b.x + b.width for b in near)])
        top, bottom = min([0, *(b.y for b in near)]), max([height, *(b.y + b.height for b in near)])
        margin = 0.03 * max(right - left, bottom - top)
        ax.set_aspect("equal", anchor="E")
        ax.set_xlim(left - margin, right + margin)
        ax.set_ylim(bottom + margin, top - margin)
        for nth, box in reversed(list(enumerate(near))):
            colour = colormaps["cividis"](0.05 + 0.9 * nth / max(1, len(near) - 1))
            ax.add_patch(
                Rectangle((box.x, box.y), box.width, box.height, facecolor=colour, edgecolor="white", linewidth=0.7)
            )
        ax.add_patch(Rectangle((0, 0), width, height, fill=False, linewidth=1.6, linestyle="--", edgecolor=RED))
        _name_boxes(ax, texts, boxes, near, analysis)
        ax.set_xlabel("column [pixels]")
        ax.set_ylabel("row [pixels]")
        page.framed(ax, _caption(analysis, rows, boxes, near))
    return ax


class Box(NamedTuple):
    """The field of a unit, in pixels: the first column and row, and the numbers of columns and rows."""

    x: int
    y: int
    width: int
    height: int


def _area(row: Row) -> int:
    return int(row.field[0].field.size * row.field[1].field.size)


def _box(row: Row, analysis: Analysis) -> Box:
    """The field of the middle unit of a layer."""
    sizes = _units(row, analysis)
    spans = [
        _middle(along.field, n, pixels) for along, n, pixels in zip(row.field, sizes, analysis.input.axes, strict=True)
    ]
    (top, bottom), (left, right) = spans
    return Box(left, top, right - left + 1, bottom - top + 1)


def _middle(field: Field, units: int, pixels: int) -> tuple[int, int]:
    """First and last pixel of the field nearest to the middle of the input. If two are equally near: the later."""
    spans = [_span(field, unit) for unit in sorted({(units - 1) // 2, units // 2}, reverse=True)]
    return min(spans, key=lambda span: abs(span[0] + span[1] - (pixels - 1)))


def _span(field: Field, unit: int) -> tuple[int, int]:
    """The first and last pixel of a unit's field. If the field is empty, last is smaller than first."""
    return field.of(unit) or (0, -1)


def _name_boxes(ax: Axes, texts: Sequence[str], boxes: Sequence[Box], near: Sequence[Box], analysis: Analysis) -> None:
    """Write the texts next to the frame, the largest box first. A line joins each text and the corner of its box."""
    height, width = analysis.input.axes
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    named = list(zip(texts, boxes, strict=True))
    image = (f"input {height}×{width}", Box(0, 0, width, height))
    named.append(image)
    named.sort(key=lambda one: (-one[1].height * one[1].width, one is not image))
    corners = [max(top, min(bottom, box.y)) for _, box in named]
    line = (bottom - top) * LINE / (ax.get_window_extent().height / style.figure_of(ax).dpi)
    for at, one in zip(style.spread(corners, line, top + line / 2, bottom), named, strict=True):
        text, box = one
        shown = box in near or box == image[1]
        note = ax.annotate(
            text,
            (min(right, box.x + box.width), box.y),
            (right + 0.08 * (right - left), at),
            va="center",
            color=RED if one is image else INK,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "linewidth": 0.5,
                "shrinkA": 1,
                "shrinkB": 0,
                "relpos": (0, 0.5),
                "color": GREY,
            }
            if shown
            else None,
        )
        note.set_in_layout(False)


def _caption(analysis: Analysis, rows: Sequence[Row], boxes: Sequence[Box], near: Sequence[Box]) -> str:
    height, width = analysis.input.axes
    beyond = any(b.x < 0 or b.y < 0 or b.x + b.width > width or b.y + b.height > height for b in near)
    gated = " Past the gates: through a gate, every unit sees the whole input." if gate_nodes(analysis.network) else ""
    even = any(
        n % 2 == 0 and along.field.step
        for row in rows
        for n, along in zip(_units(row, analysis), row.field, strict=True)
    )
    return (
        f"Receptive field of the middle unit of each layer, to scale: {labels.about(analysis)}."
        + (" A map of even size has no middle unit: the unit nearest to the middle is drawn." if even else "")
        + (" Outside the frame is padding." if beyond else "")
        + gated
        + (" *: too large to be drawn." if len(near) < len(boxes) else "")
    )


def _units(row: Row, analysis: Analysis) -> Sequence[int]:
    """The size of the layer's map along the axes of the network input."""
    return analysis.field.grid.axes(row.node.index) if row.node else (1,) * len(row.field)


def _usual_rows(analysis: Analysis) -> list[Row]:
    """The last layer of each stage, and the first layer whose field is as large as the network input."""
    trunk = {node.index for node in analysis.stages.trunk}
    stage = analysis.stages.of
    local = [
        row
        for row in analysis.rows
        if row.node is not None
        and row.node.index in trunk
        and row.node.shape.axes
        and row.field
        and all(along.least.step != 0 for along in row.field)
    ]
    local = [row for row, before in zip(local, [None, *local], strict=False) if not before or row.field != before.field]
    last = {stage[row.node.index]: row for row in local if row.node is not None and _area(row) > 1}
    large = [row for row in local if all(map(_as_large, row.field, analysis.input.axes))]
    chosen = {row.name: row for row in [*last.values(), *large[:1]]}
    largest: dict[int, Row] = {}
    for row in sorted(chosen.values(), key=local.index):
        largest.setdefault(_area(row), row)
    return list(largest.values())[:MOST]


def _as_large(along: AxisField, pixels: int) -> bool:
    return bool(along.field.size >= pixels)


def _labels(rows: Sequence[Row], boxes: Sequence[Box], near: Sequence[bool]) -> list[str]:
    """A text for each field: its size and the name of the layer. All texts are different."""
    names = labels.short_names([row.name for row in rows], NAME)
    sizes = [
        [f"{'' if along.exact else '≤'}{n}" for along, n in zip(row.field, (box.height, box.width), strict=True)]
        for row, box in zip(rows, boxes, strict=True)
    ]
    return [
        f"{labels.size_text(size)}{'' if shown else ' *'} {name}"
        for size, name, shown in zip(sizes, names, near, strict=True)
    ]
