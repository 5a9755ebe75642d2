"""Where the volumes of a block diagram stand: columns along the trunk, branches above each other, rows like text.

All lengths are inches; y grows downwards. Height and width of a map have one scale, channels another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from archcalc.errors import clipped
from archcalc.plot.folding import Item
from archcalc.plot.style import size_text, text_width
from archcalc.sizes import Shape, product

MAP, SLAB, BAR = 0.62, 0.4, 0.8
"""The most a map's height, a map's channels, and a vector's channels take."""

SLANT, RISE = 0.32, 0.2
"""How far a map's width goes to the right and up, of its true length."""

THICK, GAP, TEXT = 0.06, 0.06, 0.125
"""The width of a vector's bar, the room between columns, and the height of a line of text."""


class Scale(NamedTuple):
    """Inches per pixel of height and width, and per channel."""

    pixel: float
    channel: float


class Box(NamedTuple):
    """A volume's measures: its front (channels by height), and how far its width goes to the right and up."""

    front: float
    height: float
    slant: float
    rise: float


class Placed(NamedTuple):
    """An item, its measures, the left and the middle of its front, and whether it is of the trunk."""

    item: Item
    box: Box
    x: float
    y: float
    trunk: bool

    @property
    def right(self) -> float:
        """Where a line leaves it: the middle of its side."""
        return self.x + self.box.front + self.box.slant / 2

    @property
    def top(self) -> float:
        return self.y - self.box.height / 2 - self.box.rise


class Label(NamedTuple):
    """A text over or under the columns from left to right."""

    text: str
    left: float
    right: float


class Group(NamedTuple):
    """The branches between two items of the trunk, as slots of columns each, and the item where they meet."""

    branches: Sequence[Sequence[Sequence[int]]]
    end: int
    bypass: bool


class Line(NamedTuple):
    """One row of the diagram: its volumes, its labels, its height, and where its trunk runs."""

    placed: Sequence[Placed]
    sizes: Sequence[Label]
    names: Sequence[Label]
    above: float
    below: float


def is_bar(shape: Shape) -> bool:
    """Whether it is a vector, or a map of one position."""
    return bool(product(shape.axes) == 1)


def scale_for(shapes: Iterable[Shape]) -> Scale:
    """The scale at which the largest of the shapes take MAP, SLAB or BAR."""
    shapes = list(shapes)
    maps = [shape for shape in shapes if not is_bar(shape)]
    tall = max((n for shape in maps for n in shape.axes), default=1)
    channels = [SLAB / shape.channels for shape in maps] + [BAR / s.channels for s in shapes if is_bar(s)]
    return Scale(MAP / tall, min(channels))


def box_of(shape: Shape, scale: Scale) -> Box:
    """A vector stands upright; a map shows channels by height, with its width going back."""
    if is_bar(shape):
        return Box(THICK, shape.channels * scale.channel, 0, 0)
    height, width = (*shape.axes, 1)[:2]
    back = width * scale.pixel
    return Box(shape.channels * scale.channel, height * scale.pixel, back * SLANT, back * RISE)


def groups_of(items: Sequence[Item]) -> list[Group]:
    """The items cut behind each that everything later comes from."""
    last_use = list(range(len(items)))
    for at, item in enumerate(items):
        for i in item.inputs:
            last_use[i] = at
    found, waiting, reach, before = [], [], 0, -1
    for at in range(len(items)):
        waiting.append(at)
        if reach <= at:
            *inner, end = waiting
            found.append(Group(_branches(items, inner), end, bool(inner) and before in items[end].inputs))
            waiting, before = [], end
        reach = max(reach, last_use[at])
    return found


def _branches(items: Sequence[Item], inner: Sequence[int]) -> list[list[list[int]]]:
    """The items that hang together, branch by branch, each as columns of items that may run at once."""
    branch: dict[int, list[int]] = {}
    for at in inner:
        joined = [at]
        for other in {id(branch[i]): branch[i] for i in items[at].inputs if i in branch}.values():
            joined = other + joined
        branch |= dict.fromkeys(joined, joined)
    column: dict[int, int] = {}
    for at in inner:
        column[at] = 1 + max((column[i] for i in items[at].inputs if i in column), default=-1)
    distinct = {id(members): members for at in inner for members in [branch[at]]}.values()
    return [
        [list(run) for _, run in groupby(sorted(members, key=lambda at: (column[at], at)), lambda at: column[at])]
        for members in distinct
    ]


def lines_of(items: Sequence[Item], scale: Scale, width: float) -> list[Line]:
    """The diagram in as few rows of at most that width as it takes, none much longer than the others."""
    few = _wrapped(items, scale, width)
    narrower = (_wrapped(items, scale, width * share / 20) for share in range(10, 20))
    return next((lines for lines in narrower if len(lines) == len(few)), few)


def _wrapped(items: Sequence[Item], scale: Scale, width: float) -> list[Line]:
    """The diagram in rows of at most that width, broken between blocks where that is possible."""
    boxes = [box_of(item.shape, scale) for item in items]
    row: list[Group] = []
    lines: list[Line] = []
    for _, run in groupby(groups_of(items), lambda group: name_of(items[group.end])):
        block = list(run)
        for part in [block] if _line(items, boxes, block)[1] <= width else [[group] for group in block]:
            if row and _line(items, boxes, [*row, *part])[1] > width:
                lines.append(_line(items, boxes, row)[0])
                row = []
            row += part
    return [*lines, _line(items, boxes, row)[0]]


def name_of(item: Item) -> str:
    """The outermost block around an item, or its own name, with how often what it consists of repeats."""
    name = item.scopes[0] if item.scopes else item.name
    return clipped(name, 20) + (f" ×{item.repeats}" if item.repeats > 1 else "")


def _line(items: Sequence[Item], boxes: Sequence[Box], groups: Sequence[Group]) -> tuple[Line, float]:
    """The groups from left to right, and the width they take with their labels."""
    widths = [_width(items, boxes, group) for group in groups]
    names = _runs([name_of(items[group.end]) for group in groups])
    sizes = _runs([size_text(items[group.end].shape.axes) for group in groups])
    for run in (*names, *sizes):
        text, first, last = run
        widths[last] += max(0.0, text_width(text) + GAP - sum(widths[first : last + 1]))
    starts = [sum(widths[:at]) for at in range(len(widths) + 1)]
    placed = [spot for group, x in zip(groups, starts, strict=False) for spot in _spots(items, boxes, group, x)]

    def labels(runs: Sequence[tuple[str, int, int]]) -> list[Label]:
        return [Label(text, starts[first], starts[last + 1] - GAP) for text, first, last in runs]

    above = max(-spot.top for spot in placed)
    above = max([above, *(_tall(boxes, group) / 2 + GAP for group in groups if group.bypass)])
    below = max(spot.y + spot.box.height / 2 for spot in placed) + TEXT
    return Line(placed, labels(sizes), labels(names), above, below), starts[-1]


def _runs(texts: Sequence[str]) -> list[tuple[str, int, int]]:
    """Each run of the same text with its first and last place."""
    found = []
    for text, run in groupby(range(len(texts)), lambda at: texts[at]):
        places = list(run)
        found.append((text, places[0], places[-1]))
    return found


def _overhang(item: Item, box: Box) -> float:
    """How far the number of channels, in the middle below the front, sticks out on each side of it."""
    return max(0.0, (text_width(str(item.shape.channels)) - box.front) / 2)


def _cell(item: Item, box: Box) -> float:
    over = _overhang(item, box)
    return over + box.front + max(over, box.slant) + GAP


def _columns(items: Sequence[Item], boxes: Sequence[Box], group: Group) -> list[float]:
    """The widths of the columns of a group's branches."""
    most = max((len(branch) for branch in group.branches), default=0)
    cells = [
        max(_cell(items[at], boxes[at]) for branch in group.branches if nth < len(branch) for at in branch[nth])
        for nth in range(most)
    ]
    return [GAP / 2, *cells, GAP / 2] if cells else []  # with room for the lines that part and meet


def _width(items: Sequence[Item], boxes: Sequence[Box], group: Group) -> float:
    return sum(_columns(items, boxes, group)) + _cell(items[group.end], boxes[group.end])


def _heights(boxes: Sequence[Box], branch: Sequence[Sequence[int]]) -> list[float]:
    """The heights of a branch's slots, labels included."""
    most = max(map(len, branch))
    return [
        max(boxes[column[slot]].height + boxes[column[slot]].rise for column in branch if slot < len(column)) + TEXT
        for slot in range(most)
    ]


def _tall(boxes: Sequence[Box], group: Group) -> float:
    return sum(sum(_heights(boxes, branch)) for branch in group.branches)


def _spots(items: Sequence[Item], boxes: Sequence[Box], group: Group, x: float) -> list[Placed]:
    columns = _columns(items, boxes, group)
    slots = [(branch, slot, height) for branch in group.branches for slot, height in enumerate(_heights(boxes, branch))]
    y, found = -_tall(boxes, group) / 2, []
    for branch, slot, height in slots:
        for nth, column in enumerate(branch):
            if slot < len(column):
                at = column[slot]
                left = x + sum(columns[: nth + 1]) + _overhang(items[at], boxes[at])
                middle = y + height - TEXT - boxes[at].height / 2 if len(slots) > 1 else 0
                found.append(Placed(items[at], boxes[at], left, middle, False))
        y += height
    end, box = items[group.end], boxes[group.end]
    return [*found, Placed(end, box, x + sum(columns) + _overhang(end, box), 0, True)]
