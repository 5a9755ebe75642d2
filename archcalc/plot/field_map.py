"""The input image with the receptive fields of one unit of chosen layers, nested and to scale."""

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
BEYOND = 2
"""How many times the input's size is drawn; a field that is larger is named beside the picture."""

LINE = 0.15
"""Inches from one line of labels to the next."""

TALLEST = 4.5
"""The most inches that the frame of the input takes."""

NAME = 1.15
"""Inches for the name of a layer, the middle of which is left out where it is longer."""


def rf_map(
    analysis: Analysis, layers: Sequence[str] | None = None, ax: Axes | None = None, **look: Unpack[Looks]
) -> Axes:
    """The fields of the middle units of the layers, drawn on the frame of the input, in input pixels.

    Of a map of even size the middle unit is the one whose field lies nearest to the middle of the input. Fields are
    those past the gates. Without ``layers``: the last of each stage, and the first whose field covers the input.
    ArchcalcError for an input that is no image, an unknown layer, or more than MOST layers.
    """
    if len(analysis.input.axes) != 2:
        raise ArchcalcError(
            f"{analysis.network.full_name} has no field map: its input {analysis.input} has no height and width"
        )
    found = [analysis[name] for name in layers] if layers else _chosen(analysis)
    if len(found) > MOST:
        raise ArchcalcError(f"rf-map shows up to {MOST} layers, got {len(found)}")
    found.sort(key=_area)
    boxes = [_box(row, analysis) for row in found]
    with style.page(ax, look, analysis) as page:
        height, width = analysis.input.axes
        near = [box for box in boxes if max(box.width / width, box.height / height) <= BEYOND]
        told = _labels(found, boxes, [box in near for box in boxes])
        if ax is None:
            beside = max(map(labels.text_width, [*told, f"input {height}×{width}"])) + 0.4
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
        _told(ax, told, boxes, near, analysis)
        ax.set_xlabel("column [pixels]")
        ax.set_ylabel("row [pixels]")
        page.framed(ax, _caption(analysis, found, boxes, near))
    return ax


class Box(NamedTuple):
    """What a unit sees: the first column and row, and how many; in pixels of the input."""

    x: int
    y: int
    width: int
    height: int


def _area(row: Row) -> int:
    return int(row.field[0].field.size * row.field[1].field.size)


def _box(row: Row, analysis: Analysis) -> Box:
    """What the middle unit of a layer sees."""
    sizes = (row.shape.axes if row.shape else ()) or [1] * len(row.field)
    spans = [
        _middle(view.field, n, pixels) for view, n, pixels in zip(row.field, sizes, analysis.input.axes, strict=True)
    ]
    (top, bottom), (left, right) = spans
    return Box(left, top, right - left + 1, bottom - top + 1)


def _middle(field: Field, units: int, pixels: int) -> tuple[int, int]:
    """What the unit sees whose field lies nearest to the middle of the input; of two as near, the latter."""
    spans = [_span(field, unit) for unit in sorted({(units - 1) // 2, units // 2}, reverse=True)]
    return min(spans, key=lambda span: abs(span[0] + span[1] - (pixels - 1)))


def _span(field: Field, unit: int) -> tuple[int, int]:
    """The first and last pixel that a unit sees; the last before the first where it sees nothing."""
    return field.of(unit) or (0, -1)


def _told(ax: Axes, texts: Sequence[str], boxes: Sequence[Box], seen: Sequence[Box], analysis: Analysis) -> None:
    """The name and field of every layer beside the picture, from the largest at the top, each led to its corner."""
    height, width = analysis.input.axes
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    told = list(zip(texts, boxes, strict=True))
    told.append((f"input {height}×{width}", Box(0, 0, width, height)))
    told.sort(key=lambda one: (-one[1].height * one[1].width, not one[0].startswith("input")))
    corners = [max(top, min(bottom, box.y)) for _, box in told]
    line = (bottom - top) * LINE / (ax.get_window_extent().height / style.figure_of(ax).dpi)
    for at, (text, box) in zip(style.apart(corners, line, top + line / 2, bottom), told, strict=True):
        shown = box in seen or box == Box(0, 0, width, height)
        note = ax.annotate(
            text,
            (min(right, box.x + box.width), box.y),
            (right + 0.08 * (right - left), at),
            va="center",
            color=RED if text.startswith("input") else INK,
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


def _caption(analysis: Analysis, found: Sequence[Row], boxes: Sequence[Box], near: Sequence[Box]) -> str:
    height, width = analysis.input.axes
    beyond = any(b.x < 0 or b.y < 0 or b.x + b.width > width or b.y + b.height > height for b in near)
    gated = " Past the gates, which see the whole input." if gate_nodes(analysis.network) else ""
    even = any(n % 2 == 0 and view.field.step for row in found for n, view in _sizes(row))
    return (
        f"What the middle unit of a layer sees of the input, to scale: {labels.about(analysis, counted=False)}"
        + (" Of a map of even size: the unit nearest to the middle, half a step beside it." if even else "")
        + (" What lies outside of the frame is padding." if beyond else "")
        + gated
        + (" * larger than is drawn." if len(near) < len(boxes) else "")
    )


def _sizes(row: Row) -> list[tuple[int, AxisField]]:
    return list(zip(row.shape.axes if row.shape else (), row.field, strict=False))


def _chosen(analysis: Analysis) -> list[Row]:
    """The last layers of the stages that have positions of their own, and the first one that covers the input."""
    trunk = {node.index for node in analysis.stages.trunk}
    stage = analysis.stages.of
    local = [
        row
        for row in analysis.rows
        if row.node is not None
        and row.node.index in trunk
        and row.node.shape.axes
        and all(view.least.step != 0 for view in row.field)
    ]
    local = [row for row, before in zip(local, [None, *local], strict=False) if not before or row.field != before.field]
    last = {stage[row.node.index]: row for row in local if row.node is not None and _area(row) > 1}
    covering = [row for row in local if all(map(_covers, row.field, analysis.input.axes))]
    found = {row.name: row for row in [*last.values(), *covering[:1]]}
    largest: dict[int, Row] = {}
    for row in sorted(found.values(), key=local.index):
        largest.setdefault(_area(row), row)
    return list(largest.values())[:MOST]


def _covers(view: AxisField, pixels: int) -> bool:
    return bool(view.field.size >= pixels)


def _labels(found: Sequence[Row], boxes: Sequence[Box], near: Sequence[bool]) -> list[str]:
    """What the middle units see, and the names of the layers, no two of which are shortened to the same."""
    names = labels.told_apart([row.name for row in found], NAME)
    sizes = [
        [f"{'' if view.exact else '≤'}{n}" for view, n in zip(row.field, (box.height, box.width), strict=True)]
        for row, box in zip(found, boxes, strict=True)
    ]
    return [
        f"{labels.size_text(size)}{'' if shown else ' *'} {name}"
        for size, name, shown in zip(sizes, names, near, strict=True)
    ]
