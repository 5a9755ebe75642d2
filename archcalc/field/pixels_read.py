"""Which positions units read, followed back layer by layer on maps with borders. Padding does not count.

A field is a formula for maps without borders. Units of real maps may read fewer pixels: after a stride, some pixels at
the border may stay unread. So if a layer takes the whole map, its field is computed here. Positions are stored as runs.
So the time depends on the number of layers and not on the sizes. On arrays, many elements are followed at once, in lanes
(``archcalc.lanes``).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import reduce
from heapq import heappop, heappush
from math import lcm
from typing import Any, NamedTuple

from archcalc.field.grid import Grid
from archcalc.field.listed import on_ring
from archcalc.field.paths import followed
from archcalc.network import Network, Node
from archcalc.sizes import POINT, Span, Window, alike, ceil_div, greater, lesser, positive

MOST_RUNS = 1000
"""The most runs of positions that are followed on one map. If more are needed, the field stays a bound."""

PER_LAYER, AT_LEAST = 40, 200_000
"""The most runs that are followed in total: PER_LAYER for each layer of the network, or AT_LEAST if this is larger."""


class Run(NamedTuple):
    """The positions low, low + by, ... up to high."""

    low: int
    high: int
    by: int = 1

    def __hash__(self) -> int:
        """Of lanes too, by their bytes."""
        return hash(tuple([n if type(n) is int else bytes(n) for n in self]))


class PixelReader:
    """Finds the pixels of the network input that units read, past the gates or over all paths (``gates``).

    The pixels that a whole map reads are stored for the next layer that takes this map. ``lanes`` makes lanes of the arrays
    of the network; these are followed.
    """

    def __init__(
        self,
        network: Network,
        *,
        gates: bool = False,
        grid: Grid | None = None,
        lanes: Callable[[Any], Any] | None = None,
    ) -> None:
        self.network, self.gates, self.grid, self._lanes = network, gates, grid or Grid(network), lanes
        self.runs_left = max(AT_LEAST, PER_LAYER * len(network.nodes))
        self.cut = False
        """Whether units of the last answer have windows beyond the border of a map."""
        self._windows: dict[Any, tuple[Window, ...]] = {}
        self._whole: dict[tuple[int, int], tuple[Span, bool]] = {}

    def of_map(self, node: Node, axis: int) -> Span | None:
        """The first and last pixel that all units of a map read together along an axis; see ``of``."""
        return self.of(node, Run(0, self._size(node, axis) - 1), axis)

    def of(self, node: Node, units: Run, axis: int) -> Span | None:
        """The first and last pixel that units of a layer read; () if the units read padding alone.

        None if the search takes too long. If a window on the way is a bound, the result is a bound.
        """
        self.cut = False
        waiting, order, whole_maps = {node.index: {units}}, [-node.index], []
        pixels: Span = ()
        while order:
            at = -heappop(order)
            here, runs = self.network.nodes[at], _merged(waiting.pop(at))
            self.runs_left -= len(runs)
            if len(runs) > MOST_RUNS or self.runs_left < 0:
                return None
            if not runs:
                continue
            whole = (at, axis) if alike(runs, [Run(0, self._size(here, axis) - 1)]) else None
            if not order and not pixels and whole:
                whole_maps.append(whole)  # all pixels are read through this map
            known, cut = self._whole.get(whole, ((), False)) if whole else ((), False)
            if known or at == self.grid.source:
                self.cut = self.cut | cut
                ends = known or (reduce(lesser, [run.low for run in runs]), reduce(greater, [run.high for run in runs]))
                pixels = (lesser(pixels[0], ends[0]), greater(pixels[1], ends[1])) if pixels else ends
                continue
            for i, positions in self._inputs_read(here, runs, axis):
                if positions is None:
                    return None
                if positions and i not in waiting:
                    heappush(order, -i)
                    waiting[i] = set()
                if positions:
                    waiting[i].update(positions)
        self._whole.update(dict.fromkeys(whole_maps, (pixels, self.cut)))
        return pixels

    def _inputs_read(self, node: Node, runs: Sequence[Run], axis: int) -> Iterable[tuple[int, set[Run] | None]]:
        """The inputs of a node, each with the positions that the units in ``runs`` read; None if these are too many."""
        for present, before in reversed(node.instead):
            if self._lanes and self._lanes(present) == 0:  # the turn of a repeat that ends here is not there
                return [(before, set(runs))]
        windows = self._windows_of(node) if self.grid.plain else POINT
        inputs = node.inputs if self.gates else followed(node, self.network)
        reads: list[tuple[int, set[Run] | None]] = []
        for number, i in enumerate(node.inputs):
            if i not in inputs or not self.grid.has_field(i):
                continue
            if not self.grid.plain:
                windows = self.grid.windows(node, number)
            size = self._size(self.network.nodes[i], axis)
            reads.append((i, self._read(self._window(windows, axis), runs, size, self._size(node, axis))))
        return reads

    def _windows_of(self, node: Node) -> tuple[Window, ...]:
        inputs = self.network.input_shapes(node)
        key: Hashable = (node.layer, *inputs)  # many nodes have equal layers
        try:
            hash(key)
        except TypeError:  # numbers of channels that are arrays
            key = node.index
        if key not in self._windows:
            self._windows[key] = node.layer.window(*inputs)
        return self._windows[key]

    def _window(self, windows: Sequence[Window], axis: int) -> Window | None:
        """The window along an axis; None if every unit reads its own position."""
        if not windows:
            return None
        return Window(*map(self._lanes, windows[axis])) if self._lanes else windows[axis]

    def _read(self, window: Window | None, runs: Sequence[Run], size: int, units: int) -> set[Run] | None:
        """The positions of a map of ``size`` positions that the outputs in ``runs`` read; None if too many."""
        if window is None:
            return set(runs) if size == units else {Run(0, size - 1)}  # all outputs read one position
        if window.whole:
            return {Run(0, size - 1)}
        result: set[Run] = set()
        for run in runs:
            for positions in _through(window, run):
                self.runs_left -= 1
                if self.runs_left < 0 or len(result) > MOST_RUNS:
                    return None
                if window.wraps:
                    pieces = on_ring((positions.low, positions.high), positions.by, size)
                    result.update(Run(*piece, positions.by) for piece in pieces)
                    continue
                within = _within(positions, size)
                self.cut = self.cut | (positions.low < 0) | (positions.high >= size)
                if within:
                    result.add(within)
        return result

    def _size(self, node: Node, axis: int) -> int:
        size = self.grid.axes(node.index)[axis]
        return self._lanes(size) if self._lanes else int(size)


def _through(window: Window, run: Run) -> Iterable[Run]:
    """The positions that a window reads for a run of outputs; a bound if the window is a bound."""
    low, high, by = run
    if window.up != 1 and not window.reads:
        start, end = low * window.stride - window.before, high * window.stride - window.before + window.span - 1
        yield Run(ceil_div(start, window.up), end // window.up)
        return
    reads = window.reads or ((-window.before, window.span - 1 - window.before),)
    period = lcm(len(reads), by)
    for place in range(min((high - low) // by + 1, period // by)):  # outputs ``period`` apart read the same pattern
        unit = low + place * by
        turn, phase = divmod(unit, len(reads))
        span = reads[phase]
        if span:
            first = span[0] + turn * window.stride
            cells = (span[1] - span[0]) // window.by + 1
            yield from _sums(first, (high - unit) // period + 1, period // len(reads) * window.stride, cells, window.by)


def _sums(first: int, many: int, step: int, cells: int, by: int) -> Iterable[Run]:
    """The positions first + i*step + j*by, for i below ``many`` and j below ``cells``."""
    if not step:
        many, step = 1, 1
    across, along = (cells - 1) * by, (many - 1) * step
    if cells == 1 or (many > 1 and by % step == 0 and by <= many * step):
        return [Run(first, first + along + across, step)]
    if many == 1 or (step % by == 0 and step <= cells * by):
        return [Run(first, first + along + across, by)]
    if many < cells:
        return (Run(first + i * step, first + i * step + across, by) for i in range(many))
    return (Run(first + j * by, first + j * by + along, step) for j in range(cells))


def _within(run: Run, size: int) -> Run | None:
    """The part of a run that lies on a map."""
    low, high, by = run
    low = low + positive(ceil_div(-low, by)) * by
    high = high - positive(ceil_div(high - size + 1, by)) * by
    if low > high:
        return None
    return Run(low, high, by if low < high else 1)


def _merged(runs: Iterable[Run]) -> list[Run]:
    """The runs. Runs that overlap, or follow each other without a gap, are joined."""
    merged: list[Run] = []
    runs = list(runs)
    dense = max((run for run in runs if run.by == 1), key=lambda run: run.high - run.low, default=None)
    if dense:
        runs = [run for run in runs if run is dense or run.low < dense.low or run.high > dense.high]
    for run in sorted(runs, key=lambda run: (run.by, run.low % run.by, run.low)):
        before = merged[-1] if merged else None
        if before and before.by == run.by and (run.low - before.low) % run.by == 0 and run.low <= before.high + run.by:
            merged[-1] = Run(before.low, max(before.high, run.high), run.by)
        else:
            merged.append(run)
    return merged
