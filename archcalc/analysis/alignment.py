"""Which layer of one network corresponds to which layer of another network, by name or by structure.

By name: layers with equal names are partners. By structure, partners are found in three steps. First: layers that have
the same layers on all paths before them. Second: layers that have the same layers on all paths behind them. Third:
layers between these partners that have the same neighbours, in running order. Every step sorts or looks up keys, so the
time grows as n log n for n layers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from archcalc.analysis.analysis import Analysis
from archcalc.analysis.rows import Row
from archcalc.layers import Layer

COMMUTING = ("add", "mean", "multiply", "maximum", "minimum")
"""Joins whose inputs may stand in any order."""
SURROUNDINGS = 2
"""How many layers before and behind a layer are compared if the networks differ on both sides of the layer."""
EXACT = 50
"""The most comparisons per layer for an exact search. The search looks for the longest common part between partners."""
Partners: TypeAlias = dict[int, int]
"""Maps the position of a row of the first network to the position of its partner in the second network."""


class Numbers(dict[Hashable, int]):
    """Gives every key a number. Equal keys have equal numbers."""

    def __call__(self, key: Hashable) -> int:
        return self.setdefault(key, len(self))


class Side(NamedTuple):
    """One network as a graph of rows.

    own: a number per row, equal for layers with equal settings and sizes. types: a number per row, equal for layers of
    one type. inputs: the rows that each row reads. uses: the rows that read each row, and at which input.
    """

    rows: list[Row]
    own: list[int]
    types: list[int]
    inputs: list[tuple[int, ...]]
    uses: list[list[tuple[int, int]]]
    outputs: frozenset[int]

    @staticmethod
    def of(analysis: Analysis, number: Numbers) -> Side:
        rows = analysis.rows
        at = {row.node.index: position for position, row in enumerate(rows) if row.node is not None}
        inputs = [tuple(at[i] for i in row.node.inputs) if row.node is not None else () for row in rows]
        uses: list[list[tuple[int, int]]] = [[] for _ in rows]
        for position, read in enumerate(inputs):
            commutes = rows[position].type in COMMUTING
            for place, i in enumerate(read):
                uses[i].append((position, 0 if commutes else place))
        outputs = frozenset(at[i] for i in analysis.network.outputs if i in at)
        settings: dict[Layer, tuple[str, ...]] = {}  # many nodes have equal layers
        own, types = [number(_own(row, settings)) for row in rows], [number(row.type) for row in rows]
        return Side(rows, own, types, inputs, uses, outputs)


class Alignment(NamedTuple):
    """The rows of two analyses in pairs, in running order. A row without a partner is paired with None.

    ``partners`` maps the node of a row of the first network to the node of its partner.
    """

    pairs: list[tuple[Row | None, Row | None]]
    partners: dict[int, int]


def aligned(a: Analysis, b: Analysis) -> Alignment:
    """Partners by name. Partners by structure (with or without sizes) are taken if fewer layers differ."""
    number = Numbers()
    left, right = Side.of(a, number), Side.of(b, number)
    partners = by_name(left, right)
    least = _differing(left, right, partners)
    for sizes in (True, False):
        if least:
            other = by_structure(left, right, number, sizes)
            count = _differing(left, right, other)
            partners, least = (other, count) if count < least else (partners, least)
    nodes = {_node(left.rows[i]): _node(right.rows[j]) for i, j in partners.items()}
    return Alignment(_in_order(left.rows, right.rows, partners), nodes)


def by_name(left: Side, right: Side) -> Partners:
    at = {row.name: j for j, row in enumerate(right.rows)}
    return {i: at[row.name] for i, row in enumerate(left.rows) if row.name in at}


def by_structure(left: Side, right: Side, number: Numbers, sizes: bool) -> Partners:
    """Pair layers by their neighbours. If ``sizes``, settings and sizes are compared first. Then types are compared."""
    own, types = (left.own, right.own), (left.types, right.types)
    partners: Partners = {}
    for keys in (own, types) if sizes else (types,):
        for around in (_before, _behind):
            _pair_equal(partners, *(around(side, one, number) for side, one in zip((left, right), keys, strict=True)))
        if len(partners) == min(len(left.rows), len(right.rows)):
            break
        levels: list[Sequence[Sequence[int]]] = [keys]
        for _ in range(SURROUNDINGS):
            levels.append([_beside(side, one, number) for side, one in zip((left, right), levels[-1], strict=True)])
        for level in reversed(levels):
            _pair_between(partners, level[0], level[1], exact=level is levels[0])
    return partners


def _own(row: Row, settings: dict[Layer, tuple[str, ...]]) -> Hashable:
    """The type, settings, storage and sizes of a layer, without its place in the graph."""
    assert row.node is not None
    layer = row.node.layer
    if layer not in settings:
        settings[layer] = tuple(map(str, layer.settings.values()))
    return row.type, settings[layer], row.node.storage, row.inputs, row.shape, bool(row.shared)


def _before(side: Side, keys: Sequence[int], number: Numbers) -> list[int]:
    """A number for each row; equal numbers mean equal graphs before the row."""
    ids: list[int] = []
    for position, (key, read) in enumerate(zip(keys, side.inputs, strict=True)):
        numbers = [ids[i] for i in read]
        order = sorted(numbers) if side.rows[position].type in COMMUTING else numbers
        ids.append(number(("before", key, *order)))
    return ids


def _behind(side: Side, keys: Sequence[int], number: Numbers) -> list[int]:
    """A number for each row; equal numbers mean equal graphs behind the row."""
    ids = [0] * len(keys)
    for position in range(len(keys) - 1, -1, -1):
        uses = sorted([(ids[user], place) for user, place in side.uses[position]])
        ids[position] = number(("behind", keys[position], position in side.outputs, *uses))
    return ids


def _beside(side: Side, keys: Sequence[int], number: Numbers) -> list[int]:
    """A number for each row; equal numbers mean equal keys of the row, of its inputs and of its readers."""
    return [
        number(("beside", key, tuple([keys[i] for i in read]), *sorted([(keys[user], place) for user, place in uses])))
        for key, read, uses in zip(keys, side.inputs, side.uses, strict=True)
    ]


def _pair_equal(partners: Partners, left: Sequence[int], right: Sequence[int]) -> None:
    """Pair rows without a partner that have the same number, if both networks have equally many rows of this number."""
    taken = set(partners.values())
    ours: defaultdict[int, list[int]] = defaultdict(list)
    theirs: defaultdict[int, list[int]] = defaultdict(list)
    for i, key in enumerate(left):
        if i not in partners:
            ours[key].append(i)
    for j, key in enumerate(right):
        if j not in taken:
            theirs[key].append(j)
    for key, places in ours.items():
        if len(places) == len(theirs.get(key, ())):
            partners.update(zip(places, theirs[key], strict=True))


def _pair_between(partners: Partners, left: Sequence[int], right: Sequence[int], exact: bool) -> None:
    """Pair rows that have the same number and no partner, between two partners in running order."""
    taken = set(partners.values())
    fixed = [(-1, -1), *_increasing(sorted(partners.items())), (len(left), len(right))]
    for (i, j), (k, m) in pairwise(fixed):
        ours = [at for at in range(i + 1, k) if at not in partners]
        theirs = [at for at in range(j + 1, m) if at not in taken]
        if not ours or not theirs:
            continue
        if exact and len(ours) * len(theirs) <= EXACT * (len(ours) + len(theirs)):
            partners.update(_longest(ours, left, theirs, right))
        else:
            forward = _increasing(_numbered(ours, left, theirs, right))
            backward = _increasing(_numbered(ours[::-1], left, theirs[::-1], right))
            partners.update(forward if len(forward) >= len(backward) else backward)


def _longest(
    ours: Sequence[int], left: Sequence[int], theirs: Sequence[int], right: Sequence[int]
) -> list[tuple[int, int]]:
    """The longest common subsequence, found exactly by dynamic programming."""
    lengths = [[0] * (len(theirs) + 1) for _ in range(len(ours) + 1)]
    for a in range(len(ours) - 1, -1, -1):
        row, below, key = lengths[a], lengths[a + 1], left[ours[a]]
        for b in range(len(theirs) - 1, -1, -1):
            row[b] = below[b + 1] + 1 if key == right[theirs[b]] else max(below[b], row[b + 1])
    common, a, b = [], 0, 0
    while a < len(ours) and b < len(theirs):
        if left[ours[a]] == right[theirs[b]]:
            common.append((ours[a], theirs[b]))
            a, b = a + 1, b + 1
        elif lengths[a + 1][b] >= lengths[a][b + 1]:
            a += 1
        else:
            b += 1
    return common


def _numbered(
    ours: Sequence[int], left: Sequence[int], theirs: Sequence[int], right: Sequence[int]
) -> list[tuple[int, int]]:
    """Pairs of rows with the same number: the first rows of both networks, the second rows, and so on."""
    places: defaultdict[int, list[int]] = defaultdict(list)
    for j in reversed(theirs):
        places[right[j]].append(j)
    return sorted((i, places[left[i]].pop()) for i in ours if places.get(left[i]))


def _increasing(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest subsequence of the pairs in which the second number grows. The pairs are sorted by the first number.

    >>> _increasing([(0, 1), (1, 5), (2, 2), (3, 3), (4, 0)])
    [(0, 1), (2, 2), (3, 3)]
    """
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for at, (_, j) in enumerate(pairs):
        place = bisect_left(ends, j)
        before.append(last[place - 1] if place else -1)
        ends[place : place + 1], last[place : place + 1] = [j], [at]
    longest, at = [], last[-1] if last else -1
    while at >= 0:
        longest.append(pairs[at])
        at = before[at]
    return longest[::-1]


def _differing(left: Side, right: Side, partners: Partners) -> int:
    """The number of layers that differ in themselves or in their inputs, or that have no partner."""
    same = sum(
        1
        for i, j in partners.items()
        if left.own[i] == right.own[j]
        and reads(left.rows[i].type, (partners.get(k, -1) for k in left.inputs[i]))
        == reads(right.rows[j].type, right.inputs[j])
    )
    return len(left.rows) + len(right.rows) - len(partners) - same


def reads(type: str, inputs: Iterable[int]) -> list[int]:
    """The inputs of a layer for the comparison; the inputs of a sum have no order."""
    return sorted(inputs) if type in COMMUTING else list(inputs)


def _node(row: Row) -> int:
    assert row.node is not None
    return row.node.index


def _in_order(left: list[Row], right: list[Row], partners: Partners) -> list[tuple[Row | None, Row | None]]:
    """Pairs in the order of the second network. A layer that this network lacks follows the layer before."""
    partner = {j: i for i, j in partners.items()}
    gone: defaultdict[int, list[Row]] = defaultdict(list)
    behind = -1
    for i, row in enumerate(left):
        behind = partners.get(i, behind)
        if i not in partners:
            gone[behind].append(row)
    pairs: list[tuple[Row | None, Row | None]] = [(row, None) for row in gone[-1]]
    for j, row in enumerate(right):
        pairs.append((left[partner[j]] if j in partner else None, row))
        pairs += [(other, None) for other in gone[j]]
    return pairs
