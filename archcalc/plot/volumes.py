"""The block diagram of textbooks: feature maps are volumes, drawn to scale, with the branches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon

from archcalc.analysis import Analysis
from archcalc.field.grid import MapSize, map_sizes, regroups
from archcalc.plot import labels, style
from archcalc.plot.boxes import Box, Scale, box_of, scale_for
from archcalc.plot.colours import (
    BLUE,
    DEEP,
    GREY,
    IMAGE,
    INK,
    PLAIN,
    PURPLE,
    RED,
    SHADED,
    SKY,
    YELLOW,
    shade,
)
from archcalc.plot.colours import OTHER as GREY_VOLUME
from archcalc.plot.folding import BLOCK, OTHER, Item, finest
from archcalc.plot.layout import GAP, TEXT, DiagramRow, Placed, groups_of, left_of, lines_of, overhang, skips_of
from archcalc.plot.look import Looks
from archcalc.sizes import Shape

MOST, ROWS, TALL = 100, 5, 4.5
"""Maximum number of volumes, of rows, and of inches for all rows. A network that needs more is folded further."""

COLOURS = {
    "input": IMAGE,
    "convolution": SKY,
    "pooling": RED,
    "merge": YELLOW,
    "fully connected": BLUE,
    BLOCK: PURPLE,
    OTHER: GREY_VOLUME,
}
LETTER: dict[str, Any] = {"color": RED, "weight": "bold"}
NAME: dict[str, Any] = {"color": INK}
LINE: dict[str, Any] = {"color": INK, "linewidth": 0.6, "zorder": 1, "clip_on": False}


def shape(analysis: Analysis, ax: Axes | None = None, **look: Unpack[Looks]) -> Axes:
    """Each feature map is a box of height × width × channels, to scale. Vectors are bars. Branches are stacked.

    Height and width have one scale, channels have another scale; the caption states both. An activation is drawn with
    the layer before. Blocks are folded until the picture is legible. The data units of the axes are inches: ``ax``
    should be as wide as a column. Tokens and windows are drawn as the map that they are parts of, and of a map with a
    depth, one frame is drawn.
    """
    with style.page(ax, look, analysis) as page:
        width = page.width - 0.1
        items, lines, scale = _fitting(analysis, width)
        heights = [_height(line) for line in lines]
        sorts = [sort for sort in COLOURS if any(item.sort == sort for item in items)]
        legend = [Patch(facecolor=COLOURS[sort], edgecolor=INK, linewidth=0.5, label=sort) for sort in sorts]
        ax = page.axes(sum(heights) + 0.15 * -(-len(sorts) // 3) + 0.1, scaled=False)
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
        page.framed(ax, _caption(analysis, items, scale))
    return ax


def _fitting(analysis: Analysis, width: float) -> tuple[list[Item], list[DiagramRow], Scale]:
    """The finest folding with at most ROWS rows that take at most TALL inches."""
    most, maps = MOST, map_sizes(analysis.network)
    while True:
        items = [_on_grid(item, maps) for item in finest(analysis, most)]
        scale = scale_for(item.shape for item in items)
        lines = lines_of(items, scale, width)
        fits = len(lines) <= ROWS and sum(map(_height, lines)) <= TALL
        if fits or len(items) > most:  # more items than ``most``: no further folding is possible
            return items, lines, scale
        most = len(items) - 1


def _on_grid(item: Item, maps: Sequence[MapSize]) -> Item:
    """The item with the size of its map as if the positions had not been moved."""
    nodes = [row.node for row in reversed(item.rows) if row.node is not None and row.node.shape == item.shape]
    return item._replace(shape=Shape(item.shape.channels, maps[nodes[0].index].axes))


def _height(line: DiagramRow) -> float:
    """The inches of a row, with the sizes above and the names below."""
    return TEXT + line.above + line.below + TEXT + GAP


def _volume(ax: Axes, placed: Placed, middle: float) -> None:
    """Draw front, top and side of a volume, and write its channels below. The side has no shade, as it can be large."""
    item, box, x, *_ = placed
    y = middle + placed.y
    top, bottom, right = y - box.height / 2, y + box.height / 2, x + box.front
    faces = [([(x, top), (right, top), (right, bottom), (x, bottom)], SHADED if box.slant else PLAIN)]
    if box.slant:
        back = (box.slant, -box.rise)
        faces.append(([(x, top), (right, top), _moved((right, top), back), _moved((x, top), back)], DEEP))
        faces.append(
            ([(right, top), (right, bottom), _moved((right, bottom), back), _moved((right, top), back)], PLAIN)
        )
    for corners, light in faces:
        colour = shade(COLOURS[item.sort], light)
        ax.add_artist(Polygon(corners, facecolor=colour, edgecolor=INK, linewidth=0.4, zorder=2, joinstyle="round"))
    ax.text(x + box.front / 2, bottom + 0.015, str(item.shape.channels), ha="center", va="top", zorder=1.5)
    if box.cut:
        _line(ax, [x - 0.03, right + 0.03], [y + 0.03, y - 0.03], color="white", linewidth=2, zorder=2.5)
    if box.above:
        at = x + (box.front + box.slant) / 2
        _line(ax, [at, at], [top - box.rise / 2, top - box.rise - 0.03], **LINE)
        ax.text(
            at,
            top - box.rise - 0.035,
            box.above,
            ha="center",
            va="bottom",
            **(NAME if item.sort == "input" else LETTER),
        )
    if box.left:
        _line(ax, [x - 0.06, x], [y, y], **LINE)
        ax.text(x - 0.08, y, box.left, ha="right", va="center_baseline", color=RED, weight="bold")


def _line(ax: Axes, x: Sequence[float], y: Sequence[float], **look: Any) -> None:
    """Draw a line. As for the faces of volumes, no limits are computed from it: the limits of the axes are set."""
    ax.add_artist(Line2D(x, y, **look))


def _moved(point: tuple[float, float], by: tuple[float, float]) -> tuple[float, float]:
    return point[0] + by[0], point[1] + by[1]


def _labels(ax: Axes, line: DiagramRow, top: float, middle: float) -> None:
    """Write map sizes above the row, and block names with brackets below the row."""
    for label in line.sizes:
        ax.text(label.left, top, label.text, ha="left", va="top", color=INK, style="italic")
    foot = middle + line.below
    for label in line.names:
        _line(ax, [label.left, label.right], [foot + 0.01, foot + 0.01], color=GREY, linewidth=0.6)
        ax.text((label.left + label.right) / 2, foot + 0.02, label.text, ha="center", va="top")


def _edges(
    ax: Axes, items: Sequence[Item], spots: dict[int, tuple[int, Placed, float]], lines: Sequence[DiagramRow]
) -> None:
    """Draw a line from each volume to the volumes that read its output. Skips have no line."""
    skips = skips_of(items, groups_of(items))
    for at, item in enumerate(items):
        row, end, middle = spots[at]
        for source in item.inputs:
            if (source, at) in skips:
                continue
            row_before, start, middle_before = spots[source]
            if row != row_before:  # one line ends the source's row, another line starts this row
                _line(ax, [start.right, start.right + start.box.slant / 2 + GAP], [middle_before + start.y] * 2, **LINE)
                start = start._replace(x=-GAP, box=Box(0, 0, 0, 0))
            route = _route(start, end, lines[row])
            _line(ax, [x for x, _ in route], [middle + y for _, y in route], **LINE)


def _route(start: Placed, end: Placed, line: DiagramRow) -> list[tuple[float, float]]:
    """The points of a line: horizontal along trunk and branches, slanted between. A bypass runs above the branches."""
    between = [spot.top for spot in line.placed if start.x < spot.x < end.x and not spot.trunk]
    leave = (
        start.x + start.box.front + max(start.box.slant / 2, overhang(start.item, start.box) if start.box.front else 0)
    )
    arrive = end.x - overhang(end.item, end.box)
    if start.trunk and end.trunk and between:
        over = min(between) - 0.03
        route = [(leave, 0), (leave + 0.05, over), (arrive - 0.05, over), (arrive, 0)]
    elif start.trunk and not end.trunk:
        route = [(leave, 0), (min(leave + 2 * GAP, end.x - left_of(end.box)), end.y)]
    elif end.trunk and not start.trunk:
        route = [(max(start.right, arrive - 2 * GAP), start.y), (arrive, 0)]
    else:
        route = [] if start.y == end.y else [(leave, start.y)]
    return [(start.right, start.y), *route, (end.x - (0 if end.trunk else left_of(end.box)), end.y)]


def _caption(analysis: Analysis, items: Sequence[Item], scale: Scale) -> str:
    per_cm = 1 / 2.54
    folded = " A folded block is drawn as its output." if any(item.sort == BLOCK for item in items) else ""
    cut = (
        " A broken volume is too long to be drawn in full."
        if any(box_of(item.shape, scale).cut for item in items)
        else ""
    )
    regions = " Of a block with regions, one region is drawn." if any(item.rows[-1].regions for item in items) else ""
    depth = any(len(item.shape.axes) > 2 for item in items)
    frames = " Of a map with a depth, one frame is drawn." if depth else ""
    moved = " Tokens and windows are drawn as their map." if regroups(analysis.network) else ""
    skips = " A letter marks both ends of a skip." if skips_of(items, groups_of(items)) else ""
    lone = any(len(item.shape.axes) == 1 for item in items)
    sizes, sides = (
        ("height×width, or length", "height, width and length") if lone else ("height×width", "height and width")
    )
    return (
        f"Feature maps of {labels.about(analysis)}. Below each volume: channels. Above each row: "
        f"{'depth×' if depth else ''}{sizes}. "
        f"To scale: 1 cm is {per_cm / scale.pixel:,.0f} pixels of {sides}, or {per_cm / scale.channel:,.0f} "
        f"channels.{folded}{frames}{moved}{regions}{cut}{skips}"
    )
