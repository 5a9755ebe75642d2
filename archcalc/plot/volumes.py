"""The network drawn as its volumes: the block diagram of textbooks, to scale, with its branches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch, Polygon

from archcalc.analysis import Analysis
from archcalc.errors import ArchcalcError
from archcalc.plot import style
from archcalc.plot.folding import BLOCK, OTHER, Item, finest
from archcalc.plot.layout import GAP, TEXT, Box, Line, Placed, Scale, lines_of, scale_for

MOST, ROWS, TALL = 100, 5, 4.5
"""The most volumes, rows of them, and inches of rows; a network that needs more is folded further."""

COLOURS = {
    "input": "#e6e6e6",
    "convolution": style.SKY,
    "pooling": style.RED,
    "merge": style.YELLOW,
    "fully connected": style.BLUE,
    BLOCK: style.PURPLE,
    OTHER: "#c0c0c0",
}
CLEAR: dict[str, Any] = {"facecolor": "white", "linewidth": 0, "pad": 0.4}
LINE: dict[str, Any] = {"color": style.INK, "linewidth": 0.6, "zorder": 1, "clip_on": False}


def shape(analysis: Analysis, ax: Axes | None = None) -> Axes:
    """Every volume as a box of height × width × channels to scale, vectors as bars, branches above each other.

    Height and width have one scale, channels another; both are in the caption. Layers that treat every
    value by itself are drawn with the layer before; blocks are folded until the picture is legible.
    The axes' data are inches: an ``ax`` should be as wide as a column.
    """
    if any(row.shape is not None and len(row.shape.axes) > 2 for row in analysis.rows):
        raise ArchcalcError(f"{analysis.network.name} has maps of three axes; shape draws height and width")
    width = (style.COLUMN if ax is None else ax.get_window_extent().width / style.figure_of(ax).dpi) - 0.1
    with style.applied():
        items, lines, scale = _fitting(analysis, width)
        heights = [_height(line) for line in lines]
        sorts = [sort for sort in COLOURS if any(item.sort == sort for item in items)]
        legend = [Patch(facecolor=COLOURS[sort], edgecolor=style.INK, linewidth=0.5, label=sort) for sort in sorts]
        made = ax is None
        if ax is None:
            ax = style.new_axes(sum(heights) + 0.15 * -(-len(sorts) // 3) + 0.1)
        ax.set_axis_off()
        ax.set_aspect("equal")
        ax.set_xlim(0, width)
        ax.set_ylim(sum(heights), 0)
        spots: dict[int, tuple[int, Placed, float]] = {}
        top = 0.0
        for nth, (line, height) in enumerate(zip(lines, heights, strict=True)):
            middle = top + TEXT + line.above
            _labels(ax, line, top, middle)
            for placed in line.placed:
                _volume(ax, placed, middle)
                spots[items.index(placed.item)] = (nth, placed, middle)
            top += height
        _edges(ax, items, spots, lines)
        ax.legend(handles=legend, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=3, handlelength=1, borderpad=0)
        if made:
            style.captioned(ax, _caption(analysis, items, scale))
    return ax


def _fitting(analysis: Analysis, width: float) -> tuple[list[Item], list[Line], Scale]:
    """The finest folding that takes no more than ROWS rows and is no taller than TALL."""
    most = MOST
    while True:
        items = finest(analysis, most)
        scale = scale_for(item.shape for item in items)
        lines = lines_of(items, scale, width)
        fits = len(lines) <= ROWS and sum(map(_height, lines)) <= TALL
        if fits or len(items) > most:  # the latter: it cannot be folded further
            return items, lines, scale
        most = len(items) - 1


def _height(line: Line) -> float:
    """The inches of a row with the sizes above and the names below it."""
    return TEXT + line.above + line.below + TEXT + GAP


def _volume(ax: Axes, placed: Placed, middle: float) -> None:
    """The front, top and side of a volume, the latter two in darker shades, and its channels below."""
    item, box, x, *_ = placed
    y = middle + placed.y
    top, bottom, right = y - box.height / 2, y + box.height / 2, x + box.front
    faces = [([(x, top), (right, top), (right, bottom), (x, bottom)], 1.0)]
    if box.slant:
        back = (box.slant, -box.rise)
        faces.append(([(x, top), (right, top), _moved((right, top), back), _moved((x, top), back)], 0.9))
        faces.append(([(right, top), (right, bottom), _moved((right, bottom), back), _moved((right, top), back)], 0.75))
    for corners, light in faces:
        colour = tuple(light * part for part in to_rgb(COLOURS[item.sort]))
        ax.add_patch(
            Polygon(corners, facecolor=colour, edgecolor=style.INK, linewidth=0.4, zorder=2, joinstyle="round")
        )
    ax.text(x + box.front / 2, bottom + 0.015, str(item.shape.channels), ha="center", va="top", zorder=1.5, bbox=CLEAR)


def _moved(point: tuple[float, float], by: tuple[float, float]) -> tuple[float, float]:
    return point[0] + by[0], point[1] + by[1]


def _labels(ax: Axes, line: Line, top: float, middle: float) -> None:
    """Map sizes above the row, block names with a bracket below it."""
    for label in line.sizes:
        ax.text(label.left, top, label.text, ha="left", va="top", color=style.INK, style="italic")
    foot = middle + line.below
    for label in line.names:
        ax.plot([label.left, label.right], [foot + 0.01, foot + 0.01], color=style.GREY, linewidth=0.6)
        ax.text((label.left + label.right) / 2, foot + 0.02, label.text, ha="center", va="top")


def _edges(ax: Axes, items: Sequence[Item], spots: dict[int, tuple[int, Placed, float]], lines: Sequence[Line]) -> None:
    """A line from every volume to those that take it."""
    for at, item in enumerate(items):
        row, end, middle = spots[at]
        for source in item.inputs:
            row_before, start, middle_before = spots[source]
            if row != row_before:  # on from the end of one row, and from the start of the next
                ax.plot([start.right, start.right + start.box.slant / 2 + GAP], [middle_before + start.y] * 2, **LINE)
                start = start._replace(x=-GAP, box=Box(0, 0, 0, 0))
            way = _way(start, end, lines[row])
            ax.plot([x for x, _ in way], [middle + y for _, y in way], **LINE)


def _way(start: Placed, end: Placed, line: Line) -> list[tuple[float, float]]:
    """Level along the trunk or a branch and slanted between them; over the branches between two of the trunk."""
    between = [spot.top for spot in line.placed if start.x < spot.x < end.x and not spot.trunk]
    if start.trunk and end.trunk and between:
        over = min(between) - 0.03
        way = [(start.right + 0.05, over), (end.x - 0.05, over)]
    elif start.trunk and not end.trunk:
        way = [(min(start.right + GAP, end.x), end.y)]
    elif end.trunk and not start.trunk:
        way = [(max(start.right, end.x - 1.5 * GAP), start.y)]
    else:
        way = []
    return [(start.right, start.y), *way, (end.x, end.y)]


def _caption(analysis: Analysis, items: Sequence[Item], scale: Scale) -> str:
    per_cm = 1 / 2.54
    folded = " Blocks are folded to their output." if any(item.sort == BLOCK for item in items) else ""
    return (
        f"Volumes of {style.about(analysis, counted=False)} Below each its channels, above the rows height×width. "
        f"To scale: 1 cm is {per_cm / scale.pixel:,.0f} pixels of height and width, or {per_cm / scale.channel:,.0f} "
        f"channels.{folded}"
    )
