"""The input image with the receptive fields of one unit of chosen layers, nested and to scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from archcalc.analysis import Analysis
from archcalc.analysis.trace import Row
from archcalc.errors import ArchcalcError, clipped
from archcalc.plot import style
from archcalc.sizes import View

MOST = 8
BEYOND = 2
"""How many times the input's size is drawn; a field that is larger is named beside the picture."""

LINE = 0.15
"""Inches from one line of labels to the next."""


def rf_map(analysis: Analysis, layers: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
    """The fields of the middle units of the layers, drawn on the frame of the input, in input pixels.

    Without ``layers``: the last of each stage, and the first whose field covers the input. ArchcalcError
    for an input that is no image, an unknown layer, or more than MOST layers.
    """
    if len(analysis.input.axes) != 2:
        raise ArchcalcError(
            f"{analysis.network.name} has no field map: its input {analysis.input} has no height and width"
        )
    rows = [analysis[name] for name in layers] if layers else _chosen(analysis)
    if len(rows) > MOST:
        raise ArchcalcError(f"rf-map shows up to {MOST} layers, got {len(rows)}")
    rows = sorted(rows, key=_area)
    with style.applied():
        made = ax is None
        drawn = [_box(row) for row in rows]
        height, width = analysis.input.axes
        seen = [box for box in drawn if max(box.width / width, box.height / height) <= BEYOND]
        labels = [_label(row, box not in seen) for row, box in zip(rows, drawn, strict=True)]
        if ax is None:
            beside = max(map(style.text_width, [*labels, f"input {height}×{width}"])) + 0.4
            figure = style.new_figure(style.COLUMN - beside)
            ax = figure.add_subplot(figure.add_gridspec(1, 2, width_ratios=(style.COLUMN - beside, beside))[0])
        left, right = min([0, *(b.x for b in seen)]), max([width, *(b.x + b.width for b in seen)])
        top, bottom = min([0, *(b.y for b in seen)]), max([height, *(b.y + b.height for b in seen)])
        margin = 0.03 * max(right - left, bottom - top)
        ax.set_aspect("equal")
        ax.set_xlim(left - margin, right + margin)
        ax.set_ylim(bottom + margin, top - margin)
        for nth, box in reversed(list(enumerate(seen))):
            colour = colormaps["cividis"](0.05 + 0.9 * nth / max(1, len(seen) - 1))
            ax.add_patch(
                Rectangle((box.x, box.y), box.width, box.height, facecolor=colour, edgecolor="white", linewidth=0.7)
            )
        ax.add_patch(Rectangle((0, 0), width, height, fill=False, linewidth=1.6, linestyle="--", edgecolor=style.RED))
        _told(ax, labels, drawn, seen, analysis)
        ax.set_xlabel("column [pixels]")
        ax.set_ylabel("row [pixels]")
        if made:
            style.captioned(ax, _caption(analysis, len(seen) < len(rows)))
    return ax


class Box(NamedTuple):
    """What a unit sees: the first column and row, and how many; in pixels of the input."""

    x: int
    y: int
    width: int
    height: int


def _box(row: Row) -> Box:
    """What the middle unit of a row sees."""
    axes = row.shape.axes if row.shape else ()
    middle = [n // 2 for n in axes] or [0] * len(row.views)
    fields = [view.field for view in row.views]
    y, x = (-(-(field.first + unit * field.step) // field.per) for field, unit in zip(fields, middle, strict=True))
    return Box(x, y, fields[1].size, fields[0].size)


def _told(ax: Axes, labels: Sequence[str], boxes: Sequence[Box], seen: Sequence[Box], analysis: Analysis) -> None:
    """The name and field of every layer beside the picture, from the largest at the top, each led to its corner."""
    height, width = analysis.input.axes
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    told = list(zip(labels, boxes, strict=True))
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
            color=style.RED if text.startswith("input") else style.INK,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "linewidth": 0.5,
                "shrinkA": 1,
                "shrinkB": 0,
                "relpos": (0, 0.5),
                "color": style.GREY,
            }
            if shown
            else None,
        )
        note.set_in_layout(False)


def _caption(analysis: Analysis, left_out: bool) -> str:
    return (
        f"What the middle unit of a layer sees of the input, to scale: {style.about(analysis, counted=False)} "
        "Padding counts as pixels." + (" * larger than is drawn." if left_out else "")
    )


def _chosen(analysis: Analysis) -> list[Row]:
    rows = {row.node.index: row for row in analysis.rows if row.node is not None}
    trunk = [rows[node.index] for node in analysis.stages.trunk]
    local = [row for row in trunk if row.shape and row.shape.axes and all(v.least.step != 0 for v in row.views)]
    local = [row for row, before in zip(local, [None, *local], strict=False) if not before or row.views != before.views]
    ends = [row for row, after in zip(local, [*local[1:], None], strict=True) if not after or after.shape != row.shape]
    last = {row.shape.axes: row for row in ends if row.shape and _area(row) > 1}
    covering = [row for row in local if all(map(_covers, row.views, analysis.input.axes))]
    found = {row.name: row for row in [*last.values(), *covering[:1]]}
    largest: dict[int, Row] = {}
    for row in sorted(found.values(), key=lambda row: local.index(row)):
        largest.setdefault(_area(row), row)
    return list(largest.values())[:MOST]


def _area(row: Row) -> int:
    return int(row.views[0].field.size * row.views[1].field.size)


def _covers(view: View, pixels: int) -> bool:
    return bool(view.field.size >= pixels)


def _label(row: Row, left_out: bool) -> str:
    """The field and the layer's name, which is cut where it is long."""
    size = style.size_text([f"{'' if view.exact else '≤'}{view.field.size}" for view in row.views])
    return f"{size}{' *' if left_out else ''} {clipped(row.name, 22)}"
