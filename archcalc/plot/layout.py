"""The positions of the volumes of a block diagram: columns along the trunk, branches stacked, rows like lines of text.

A skip across other volumes has no line. Instead, both ends have the same letter. All lengths are inches; y grows
downwards. Height and width of a map have one scale, channels have another scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from string import ascii_lowercase
from typing import NamedTuple

from archcalc.analysis.stages import HEADS
from archcalc.plot.boxes import Box, Scale, box_of
from archcalc.plot.folding import Item
from archcalc.plot.labels import one_line, size_text, text_width

GAP, TEXT = 0.06, 0.125
"""GAP: inches between columns. TEXT: height of a line of text in inches."""

WIDER = 0.35
"""Maximum extra inches between groups."""


class Placed(NamedTuple):
    """An item, its box, the left edge and the middle of its front, and whether the item belongs to the trunk."""

    item: Item
    box: Box
    x: float
    y: float
    trunk: bool

    @property
    def right(self) -> float:
        """The x at which a line leaves the volume: the middle of its side face."""
        return self.x + self.box.front + self.box.slant / 2

    @property
    def top(self) -> float:
        return self.y - self.box.height / 2 - self.box.rise - (TEXT if self.box.above else 0)


class Label(NamedTuple):
    """A text above or below some columns; ``left`` and ``right`` are the ends."""

    text: str
    left: float
    right: float


class Group(NamedTuple):
    """The branches between two items of the trunk, and the item ``end`` at which the branches meet.

    A branch is a list of columns. A column is a list of items. ``bypass``: ``end`` also reads the trunk item before.
    ``heads``: ``end`` is an output of the network, and a branch ends in another output.
    """

    branches: Sequence[Sequence[Sequence[int]]]
    end: int
    bypass: bool
    heads: bool


class DiagramRow(NamedTuple):
    """One row of the diagram: its volumes, its labels, and its height above and below the trunk."""

    placed: Sequence[Placed]
    sizes: Sequence[Label]
    names: Sequence[Label]
    above: float
    below: float


def groups_of(items: Sequence[Item]) -> list[Group]:
    """The items in groups. A group ends with an item of the trunk. Items after the trunk are one more group."""
    groups: list[Group] = []
    waiting: list[int] = []
    before, last = -1, max((at for at, item in enumerate(items) if item.trunk), default=-1)
    read = {i for item in items for i in item.inputs}
    for at, item in enumerate(items):
        waiting.append(at)
        if item.trunk or (at > last and at == len(items) - 1):
            *inner, end = waiting
            bypass = bool(inner) and before in items[end].inputs
            heads = end not in read and not read.issuperset(inner)
            groups.append(Group(_branches(items, inner), end, bypass, heads))
            waiting, before = [], end
    return groups


def skips_of(items: Sequence[Item], groups: Sequence[Group]) -> set[tuple[int, int]]:
    """Edges without a line, as (source, reader). The source lies further back than the end of the previous group."""
    skips: set[tuple[int, int]] = set()
    before = -1
    for group in groups:
        here = {at for branch in group.branches for column in branch for at in column}
        for at in (*here, group.end):
            skips.update((source, at) for source in items[at].inputs if source != before and source not in here)
        before = group.end
    return skips


def boxes_of(items: Sequence[Item], scale: Scale) -> list[Box]:
    """The boxes of all items with the letters of skips: above items of the trunk, left of other items.

    An input that does not belong to the trunk has its name above.
    """
    groups = groups_of(items)
    ends = {group.end for group in groups}
    letters: dict[int, str] = {}
    above = {at: [one_line(item.name, 20)] for at, item in enumerate(items) if item.sort == "input" and not item.trunk}
    left: dict[int, list[str]] = {}
    for source, at in sorted(skips_of(items, groups)):
        if source not in letters:
            turn, nth = divmod(len(letters), len(ascii_lowercase))
            letters[source] = ascii_lowercase[nth] + (str(turn + 1) if turn else "")
            above.setdefault(source, []).append(letters[source])
        (above if at in ends else left).setdefault(at, []).append(letters[source])
    return [
        box_of(item.shape, scale)._replace(above=",".join(above.get(at, ())), left=",".join(left.get(at, ())))
        for at, item in enumerate(items)
    ]


def _branches(items: Sequence[Item], inner: Sequence[int]) -> list[list[list[int]]]:
    """The branches: sets of connected items. A column of a branch has the items that do not depend on each other."""
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


def lines_of(items: Sequence[Item], scale: Scale, width: float) -> list[DiagramRow]:
    """The diagram in as few rows of at most ``width`` inches as possible. The rows have similar lengths."""
    boxes, groups = boxes_of(items, scale), groups_of(items)
    few = _wrapped(items, boxes, groups, width)
    narrower = (_wrapped(items, boxes, groups, width * share / 20) for share in range(10, 20))
    rows = next((rows for rows in narrower if len(rows) == len(few)), few)
    room = min((width - _line(items, boxes, row)[1]) / len(row) for row in rows)
    return [_line(items, boxes, row, max(0.0, min(room, WIDER)))[0] for row in rows]


def _wrapped(items: Sequence[Item], boxes: Sequence[Box], groups: Sequence[Group], width: float) -> list[list[Group]]:
    """The groups in rows of at most ``width`` inches. A new row starts at a block if possible."""
    row: list[Group] = []
    rows: list[list[Group]] = []
    for _, run in groupby(groups, lambda group: _name(items, group)):
        block = list(run)
        for part in [block] if _line(items, boxes, block)[1] <= width else [[group] for group in block]:
            if row and _line(items, boxes, [*row, *part])[1] > width:
                rows.append(row)
                row = []
            row = row + part
    return [*rows, row]


def _name(items: Sequence[Item], group: Group) -> str:
    return HEADS if group.heads else name_of(items[group.end])


def name_of(item: Item) -> str:
    """The name of the outermost block around an item, or the name of the item, with the number of repeats."""
    name = item.scopes[0] if item.scopes else item.name
    return one_line(name, 20) + (f" ×{item.repeats}" if item.repeats > 1 else "")


def _line(
    items: Sequence[Item], boxes: Sequence[Box], groups: Sequence[Group], room: float = 0.0
) -> tuple[DiagramRow, float]:
    """A row with the groups from left to right and ``room`` inches after each, and the width of the row with labels."""
    widths = [_width(items, boxes, group) + room for group in groups]
    names = _runs([_name(items, group) for group in groups])
    sizes = _runs(["" if group.heads else size_text(items[group.end].shape.axes) for group in groups])
    for run in (*names, *sizes):
        text, first, last = run
        widths[last] += max(0.0, text_width(text) + GAP - sum(widths[first : last + 1]))
    starts = [sum(widths[:at]) for at in range(len(widths) + 1)]
    placed = [spot for group, x in zip(groups, starts, strict=False) for spot in _spots(items, boxes, group, x)]

    def labels(runs: Sequence[tuple[str, int, int]]) -> list[Label]:
        return [Label(text, starts[first], starts[last + 1] - GAP - room) for text, first, last in runs]

    above = max(-spot.top for spot in placed)
    above = max([above, *(_tall(boxes, group) / 2 + GAP for group in groups if group.bypass)])
    below = max(spot.y + spot.box.height / 2 for spot in placed) + TEXT
    return DiagramRow(placed, labels(sizes), labels(names), above, below), starts[-1]


def _runs(texts: Sequence[str]) -> list[tuple[str, int, int]]:
    """Each run of equal texts, with the indices of its first and last text."""
    runs = []
    for text, run in groupby(range(len(texts)), lambda at: texts[at]):
        places = list(run)
        runs.append((text, places[0], places[-1]))
    return runs


def overhang(item: Item, box: Box) -> float:
    """Inches by which the number of channels, or the text above, is wider than the front on each side."""
    texts = (str(item.shape.channels), box.above if item.sort == "input" else f"{box.above} ")  # letters are bold
    return max(0.0, (max(map(text_width, texts)) - box.front) / 2)


def _before(item: Item, box: Box) -> float:
    """Inches left of a front, for the number below the front or for the letters of skips."""
    return max(overhang(item, box), left_of(box))


def left_of(box: Box) -> float:
    """Inches left of a front for the letters of skips."""
    return text_width(box.left) + 0.12 if box.left else 0.0


def _cell(item: Item, box: Box) -> float:
    return _before(item, box) + box.front + max(overhang(item, box), box.slant) + GAP


def _columns(items: Sequence[Item], boxes: Sequence[Box], group: Group) -> list[float]:
    """The widths of the columns of a group's branches, in inches."""
    most = max((len(branch) for branch in group.branches), default=0)
    cells = [
        max(_cell(items[at], boxes[at]) for branch in group.branches if nth < len(branch) for at in branch[nth])
        for nth in range(most)
    ]
    return [GAP, *cells, GAP] if cells else []  # GAP: room for the lines to the branches and from the branches


def _width(items: Sequence[Item], boxes: Sequence[Box], group: Group) -> float:
    return sum(_columns(items, boxes, group)) + _cell(items[group.end], boxes[group.end])


def _height(box: Box) -> float:
    return box.height + box.rise + (TEXT if box.above else 0)


def _heights(boxes: Sequence[Box], branch: Sequence[Sequence[int]]) -> list[float]:
    """The heights in inches of the items of a branch that lie below each other, with labels."""
    most = max(map(len, branch))
    return [max(_height(boxes[column[slot]]) for column in branch if slot < len(column)) + TEXT for slot in range(most)]


def _tall(boxes: Sequence[Box], group: Group) -> float:
    return sum(sum(_heights(boxes, branch)) for branch in group.branches)


def _spots(items: Sequence[Item], boxes: Sequence[Box], group: Group, x: float) -> list[Placed]:
    columns = _columns(items, boxes, group)
    slots = [(branch, slot, height) for branch in group.branches for slot, height in enumerate(_heights(boxes, branch))]
    y, spots = -_tall(boxes, group) / 2, []
    for branch, slot, height in slots:
        for nth, column in enumerate(branch):
            if slot < len(column):
                at = column[slot]
                left = x + sum(columns[: nth + 1]) + _before(items[at], boxes[at])
                middle = y + height - TEXT - boxes[at].height / 2 if len(slots) > 1 else 0
                spots.append(Placed(items[at], boxes[at], left, middle, False))
        y += height
    end, box = items[group.end], boxes[group.end]
    return [*spots, Placed(end, box, x + sum(columns) + _before(end, box), 0, True)]
