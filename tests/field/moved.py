"""Random networks whose layers move positions; and the pixels of single units, measured by gradients."""

from __future__ import annotations

import random
from itertools import product
from typing import NamedTuple

import torch

from archcalc import Network
from archcalc.errors import ArchcalcError, LayerError
from archcalc.field.grid import Grid
from archcalc.field.pixels_read import PixelReader, Run
from archcalc.layers import registry
from archcalc.layers.arrangement import Arrangement, Part
from archcalc.sizes import Shape
from archcalc.witness.gradients import TINY, _run
from archcalc.witness.narrow import Moved, narrow

MOST_VALUES, MOST_AXES = 6000, 4
UNITS = 10
"""The units of each layer that are measured."""


def network(seed: int) -> Network:
    """A network of up to seven layers on one or two axes."""
    chance = random.Random(seed)
    axes = tuple(chance.choice([4, 6, 8, 9, 12]) for _ in range(chance.choice([1, 2, 2])))
    net = Network(f"moved{seed}", Shape(chance.choice([1, 2, 4]), axes))
    for _ in range(chance.randint(2, 7)):
        for _ in range(20):
            before = len(net.nodes)
            try:
                LAYERS[chance.choice(list(LAYERS))](net, chance)
            except (ArchcalcError, LayerError, IndexError):  # a layer or a join that does not fit
                continue
            added = net.nodes[before:]
            if added and all(x.shape.values <= MOST_VALUES and len(x.shape.axes) <= MOST_AXES for x in added):
                break
            del net.nodes[before:]
    return net


def _add(net: Network, layer, *inputs: int) -> None:
    net.add(f"n{len(net.nodes)}", layer, inputs or None)


def _pieces(n: int, chance: random.Random) -> list[int]:
    """Factors of n in any order."""
    pieces = []
    while n > 1 and chance.random() < 0.6:
        pieces.append(chance.choice([d for d in range(2, n + 1) if n % d == 0]))
        n //= pieces[-1]
    pieces.append(n)
    chance.shuffle(pieces)
    return pieces


def arrangement(x: Shape, chance: random.Random) -> Arrangement:
    """Any rearrangement of x; in half of the cases, the channels stay."""
    names = iter("abcdefghijklmnopqrstuvwxyz")
    before = tuple(tuple(Part(next(names), n) for n in _pieces(size, chance)) for size in (x.channels, *x.axes))
    stays = chance.random() < 0.5
    parts = [part for group in before[stays:] for part in group]
    if chance.random() < 0.7:
        chance.shuffle(parts)
    cuts = sorted(chance.randint(0, len(parts)) for _ in range(chance.choice([1, 1, 2]) - stays + 1))
    groups = [tuple(parts[a:b]) for a, b in zip([0, *cuts], [*cuts, len(parts)], strict=True)]
    return Arrangement(before, (before[0], *groups) if stays else tuple(groups))


def _rearrange(net, chance):
    _add(net, Moved(arrangement(net.nodes[-1].shape, chance)))


def _linear(net, chance):
    axis = chance.choice(["channels", "last"])
    same = net.nodes[-1].shape.axes[-1:] or (4,)
    _add(net, registry["linear"](out=chance.choice([2, 4, 8] if axis == "channels" else [3, 4, *same]), axis=axis))


def _conv(net, chance):
    kernel = chance.choice([1, 2, 3])
    settings = {"stride": chance.choice([1, 1, 2]), "pad": chance.choice([0, kernel // 2])}
    _add(net, registry["conv"](out=chance.choice([2, 4, 8]), kernel=kernel, **settings))


def _crop(net, chance):
    sides = tuple((chance.choice([0, 1]), chance.choice([0, 0, 1])) for _ in net.nodes[-1].shape.axes)
    _add(net, registry["crop"](by=sides))


def _roll(net, chance):
    _add(net, registry["roll"](by=tuple(chance.randint(-3, 3) for _ in net.nodes[-1].shape.axes)))


def _slice(net, chance):
    start, step = chance.choice([0, 0, 1, 2]), chance.choice([1, 1, 2])
    stop = chance.choice([None, start + 1, start + 2])
    _add(net, registry["slice"](axis=chance.choice(["last", "height", "width"]), start=start, stop=stop, step=step))


def _tokens(net, chance):
    """Class tokens; in a list of positions, as they are used."""
    if len(net.nodes[-1].shape.axes) > 1:
        _add(net, registry["to_tokens"]())
    _add(net, registry["class_token"](tokens=chance.choice([1, 2])))


def _apart(net, chance):
    """The first positions apart from the others, with a layer for the others; and side by side again."""
    start, count = net.nodes[-1].index, chance.choice([1, 1, 2])
    _add(net, registry["slice"](axis="last", start=count), start)
    LAYERS[chance.choice(["conv", "rearrange0", "attention", "roll"])](net, chance)
    rest = net.nodes[-1].index
    _add(net, registry["slice"](axis="last", stop=count), start)
    _add(net, registry["concat"](axis="last"), *chance.sample([rest + 1, rest], 2))


def _pad(net, chance):
    if len(net.nodes[-1].shape.axes) > 3:
        raise LayerError("no code for padding over more than three axes")
    sides = tuple((chance.choice([0, 1]), chance.choice([0, 0, 1])) for _ in net.nodes[-1].shape.axes)
    _add(net, registry["pad"](by=sides, mode=chance.choice(["zeros", "zeros", "replicate", "circular"])))


def _side_by_side(net, chance):
    last = net.nodes[-1]
    axis = chance.choice(["last", "height", "width", "length"])
    alike = [x for x in net.nodes if x.shape.channels == last.shape.channels]
    _add(net, registry["concat"](axis=axis), *chance.sample([last.index, chance.choice(alike).index], 2))


def _join(net, chance):
    *others, last = net.nodes
    alike = [x for x in others if len(x.shape.axes) == len(last.shape.axes)]
    _add(net, registry[chance.choice(["add", "concat"])](), last.index, chance.choice(alike).index)


def _attention(net, chance):
    last = net.nodes[-1].shape
    fit = [x for x in net.nodes if x.shape.axes[:-1] == last.axes[:-1] and x.shape.channels == last.channels]
    queries, keys = chance.choice([(net.nodes[-1], chance.choice(fit)), (chance.choice(fit), net.nodes[-1])])
    values = chance.choice([x for x in fit if x.shape.axes == keys.shape.axes])
    layer = registry["attention"](heads=1, causal=chance.random() < 0.25)
    _add(net, layer, queries.index, keys.index, values.index)


def _biased(net, chance):
    """Attention with a bias that is made of an earlier map."""
    last = net.nodes[-1].shape
    fit = [x for x in net.nodes if x.shape.axes[:-1] == last.axes[:-1] and x.shape.channels == last.channels]
    keys, source = chance.choice(fit), chance.choice([x for x in fit if x.shape.axes == last.axes])
    values, queries = chance.choice([x for x in fit if x.shape.axes == keys.shape.axes]), len(net.nodes) - 1
    n = keys.shape.axes[-1]
    net.add(f"n{len(net.nodes)}", registry["linear"](out=n, axis="channels"), [source.index])
    parts = [(Part(f"p{at}", size),) for at, size in enumerate((n, *last.axes))]
    _add(net, Moved(Arrangement(tuple(parts), ((), *parts[1:], parts[0]))))
    if chance.random() < 0.3:
        _conv(net, chance)
    layer = registry["attention"](heads=1, causal=chance.random() < 0.2)
    _add(net, layer, queries, keys.index, values.index, len(net.nodes) - 1)


def _product(net, chance):
    fit = [x for x in net.nodes if len(x.shape.axes) == len(net.nodes[-1].shape.axes)]
    layer = registry["matmul"](transpose=chance.choice([None, "first", "second", "both"]))
    _add(net, layer, *chance.sample([len(net.nodes) - 1, chance.choice(fit).index], 2))


def _shifted(net, chance):
    """Attention in the windows of a map that is rolled, and rolled back; the mask may be of another roll."""
    axes = net.nodes[-1].shape.axes
    sides = tuple(chance.choice([side for side in range(1, n + 1) if n % side == 0]) for n in axes)
    by = tuple(chance.randint(0, side - 1) for side in sides)
    _add(net, registry["roll"](by=tuple(-n for n in by)))
    _add(net, registry["windows"](size=sides, grid=chance.random() < 0.1))
    shift = by if chance.random() < 0.8 else tuple(chance.randint(0, side - 1) for side in sides)
    layer = registry["attention"](heads=1, block=sides, shift=shift, size=axes)
    _add(net, layer, *(len(net.nodes) - 1,) * 3)
    _add(net, registry["from_windows"](size=axes, block=sides))
    _add(net, registry["roll"](by=by))


LAYERS = {
    **{f"rearrange{i}": _rearrange for i in range(5)},
    "linear": _linear,
    "conv": _conv,
    "crop": _crop,
    "roll": _roll,
    "slice": _slice,
    "pad": _pad,
    "side by side": _side_by_side,
    **{f"tokens {i}": _tokens for i in range(2)},
    **{f"apart {i}": _apart for i in range(2)},
    "join": _join,
    "join again": _join,
    **({"attention": _attention, "attention again": _attention} if "attention" in registry else {}),
    "biased": _biased,
    "product": _product,
    **{f"shifted {i}": _shifted for i in range(2)},
    **{
        name: lambda net, chance, name=name: _add(net, registry[name]())
        for name in ("instance_norm", "global_avg_pool", "softmax")
    },
}


class Measured(NamedTuple):
    """A unit of a layer: the pixels along an axis as they are computed and as a gradient has them; (): none."""

    layer: str
    unit: tuple[int, ...]
    axis: int
    field: tuple[int, ...]
    read: tuple[int, ...]
    measured: tuple[int, ...]
    exact: bool

    @property
    def agrees(self) -> bool:
        return self.read == self.measured if self.exact else _inside(self.measured, self.read)

    @property
    def in_field(self) -> bool:
        """Whether the pixels lie in the field of the formula, which has no border."""
        return _inside(self.measured, self.field)


def _inside(a, b) -> bool:
    return not a or bool(b and b[0] <= a[0] and a[1] <= b[1])


def measured(net: Network, seed: int = 0) -> list[Measured]:
    """Units of every layer, along every axis."""
    chance, grid = random.Random(seed), Grid(net)
    small, stand_ins = narrow(net)
    image = torch.zeros(1, 1, *grid.pixels, dtype=torch.float64, requires_grad=True)
    outputs, reader, found = _run(small, [image]), PixelReader(net, gates=True, grid=grid), []
    for row in net.analyze().rows[1:]:
        sizes = row.node.shape.axes
        units = list(product(*map(range, sizes)))
        for unit in chance.sample(units, min(UNITS, len(units))):
            out = outputs[stand_ins[row.node.index]]
            value = out[(0, 0, *unit)] if sizes else out.sum()
            (gradient,) = torch.autograd.grad(value, image, retain_graph=True, allow_unused=True)
            there = grid.position(row.node.index, unit) if sizes else (0,) * len(grid.pixels)
            if there is None and grid.tokens_see_all(row.node.index):
                there = (0,) * len(grid.pixels)
            fields = [along.together or along for along in row.field_with_gates]
            reads = [()] * len(fields)
            if there is not None and grid.has_field(row.node.index):
                each = ((Run(at, at), axis) for axis, at in enumerate(there))
                reads = [reader.of(row.node, *one) if sizes else reader.of_map(row.node, one[1]) for one in each]
            for axis, along in enumerate(fields):
                seen = () if gradient is None else _hull(gradient, axis)
                read = reads[axis] if all(reads) else ()  # without a row, there is no column
                formula = along.field.of(there[axis]) if there else ()
                found.append(Measured(row.name, unit, axis, formula, read, seen, all(x.exact for x in fields)))
    return found


def _hull(gradient: torch.Tensor, axis: int) -> tuple[int, ...]:
    (pixels,) = (gradient > TINY).movedim(2 + axis, 0).flatten(1).any(1).nonzero(as_tuple=True)
    return (int(pixels[0]), int(pixels[-1])) if len(pixels) else ()
