"""A stand-in of a network: one channel, and only layers that read positions or move positions."""

from __future__ import annotations

from archcalc.errors import ArchcalcError
from archcalc.layers import Layer
from archcalc.layers.arrangement import Arrangement, Group, Part, Pattern
from archcalc.layers.axes import axis_number
from archcalc.layers.dense import Linear
from archcalc.layers.join import Add, Concat
from archcalc.layers.matmul import Matmul
from archcalc.layers.move import Movement, Rearrange
from archcalc.layers.reduce import Reduce
from archcalc.layers.resample import Upsample
from archcalc.layers.reshape import Expand
from archcalc.layers.sample import GridSample
from archcalc.network import Network, Node
from archcalc.pytorch.record import records
from archcalc.sizes import Shape, product


class Moved(Rearrange):
    """A rearrangement whose parts are given, and not read from a pattern."""

    def __init__(self, arrangement: Arrangement) -> None:
        super().__init__(pattern="c -> c")
        before, after = (tuple(tuple(part.name for part in group) for group in side) for side in arrangement)
        sizes = {part.name: part.size for group in arrangement.before for part in group}
        self.parts = Pattern("a stand-in", before, after, sizes)

    def pattern_on(self, x: Shape) -> Pattern:
        return self.parts


def narrow(network: Network, source: int = 0) -> tuple[Network, dict[int, int]]:
    """A network with one channel that has only windows and sums, and for each node the index of its stand-in.

    A vector becomes a map with a single position.
    """
    small = Network(network.name, {name: Shape(1, shape.axes) for name, shape in network.inputs.items()})
    ones = (1,) * len(network.nodes[source].shape.axes)
    at = {i: _with_axes(small, i, shape.axes or ones) for i, shape in enumerate(network.inputs.values())}
    for node in network.running():
        inputs = [at[i] for i in node.inputs]
        if node.layer.type == "attention":
            inputs = [_attention(small, node.layer, *inputs)]
        elif isinstance(node.layer, Matmul):
            inputs = [_product(small, node.layer, inputs, node.shape.axes)]
        elif isinstance(node.layer, GridSample):  # a position may lie anywhere
            inputs = [small.add(f"n{len(small.nodes)}", Reduce(by="mean", axis="positions"), [i]) for i in inputs]
        elif node.layer.joins and not (_along_positions(node) or _unequal(node)):
            inputs = [_widened(small, i, node.shape) for i in inputs]
        for layer in _stand_in(network, node, ones):
            inputs = [small.add(f"n{len(small.nodes)}", layer, inputs)]
        axes = node.shape.axes or ones
        at[node.index] = _with_axes(small, inputs[0], axes)
        if small.nodes[at[node.index]].shape.axes != axes:
            raise ArchcalcError(f"{network.name}: {node.name} cannot be followed with one channel")
    return small, at


def _stand_in(network: Network, node: Node, ones: tuple[int, ...]) -> list[Layer]:
    if node.layer.type in ("attention", "matmul"):
        return []
    if isinstance(node.layer, Movement):
        before, after = node.layer.arrangement(*network.input_shapes(node))
        none: tuple[Group, ...] = ((),) * len(ones)
        return moved((before[0], *(before[1:] or none)), (after[0], *(after[1:] or none)))
    if _along_positions(node):
        return [node.layer]
    return list(records[node.layer.type].stand_in(node.layer, node.shape))


def _along_positions(node: Node) -> bool:
    """Whether a layer puts the positions of its inputs one after the other."""
    return isinstance(node.layer, Concat) and axis_number(node.layer.axis, node.shape, "concat") > 0


def _unequal(node: Node) -> bool:
    """Whether a layer adds maps of other sizes to a part of its first input."""
    return isinstance(node.layer, Add) and node.layer.unequal


def _attention(small: Network, layer: Layer, queries: int, keys: int, values: int, *bias: int) -> int:
    """Attention to the sum of the keys and the values, plus the queries and the rows of the bias.

    The network input of the stand-in is 0. So all scores are equal, and only masks decide which values are read. A
    negative scale would turn a mask of PyTorch into no number.
    """
    settings = {name: value for name, value in layer.chosen.items() if name not in ("bias", "scale")}
    one = type(layer)(**{**settings, "heads": 1})
    read = small.add(f"n{len(small.nodes)}", Add(), [keys, values])
    seen = small.add(f"n{len(small.nodes)}", one, [queries, keys, read])
    return small.add(f"n{len(small.nodes)}", Add(), [seen, queries, *(_rows(small, one) for one in bias)])


def _rows(small: Network, bias: int) -> int:
    """The mean of every row of a bias, at the position of its query."""
    axes = small.nodes[bias].shape.axes[:-1]
    mean = small.add(f"n{len(small.nodes)}", Reduce(by="mean", axis="last"), [bias])
    parts = tuple((Part(str(at), n),) for at, n in enumerate(axes))
    return small.add(f"n{len(small.nodes)}", Moved(Arrangement(((), *parts, ()), ((), *parts))), [mean])


def _product(small: Network, layer: Matmul, inputs: list[int], axes: tuple[int, ...]) -> int:
    """The mean of every row of the first matrix, plus the mean of every column of the second, at every position."""
    terms = []
    for at, (x, swap) in enumerate(zip(inputs, layer.swaps, strict=True)):
        alone = len(axes) == 1  # rows are channels
        if not alone and swap != bool(at):
            x = _turned(small, x)
        if not alone or at == 0 or swap:
            x = small.add(f"n{len(small.nodes)}", Reduce(by="mean", axis="last"), [x])
        if not alone and at:
            x = _turned(small, x)
        terms.append(small.add(f"n{len(small.nodes)}", Expand(size=axes), [x]))
    return small.add(f"n{len(small.nodes)}", Add(), terms)


def _turned(small: Network, x: int) -> int:
    """A map whose last two axes are swapped."""
    *batch, rows, columns = ((Part(str(at), n),) for at, n in enumerate(small.nodes[x].shape.axes))
    turned = Arrangement(((), *batch, rows, columns), ((), *batch, columns, rows))
    return small.add(f"n{len(small.nodes)}", Moved(turned), [x])


def moved(before: tuple[Group, ...], after: tuple[Group, ...]) -> list[Layer]:
    """A rearrangement of one channel: parts that leave the channels are copies, parts that enter them are added."""
    ours, theirs = set(before[0]), set(after[0])
    out_of = tuple(part for part in before[0] if part not in theirs)
    into = tuple(part for part in after[0] if part not in ours)
    layers: list[Layer] = [Moved(Arrangement((out_of, *before[1:]), (into, *after[1:])))]
    if out_of:
        layers.insert(0, Linear(out=product(part.size for part in out_of), bias=False, axis="channels"))
    if into:
        layers.append(Linear(out=1, bias=False, axis="channels"))
    return layers


def _with_axes(small: Network, index: int, axes: tuple[int, ...]) -> int:
    """A map of one position with another number of axes."""
    there = small.nodes[index].shape.axes
    if len(there) == len(axes) or product(there) != 1:
        return index
    before, after = ((),) * (1 + len(there)), ((),) * (1 + len(axes))
    return small.add(f"n{len(small.nodes)}", Moved(Arrangement(before, after)), [index])


def _widened(small: Network, index: int, out: Shape) -> int:
    """An input of a join, enlarged to the size of the output. A gate, for example, has one position."""
    if small.nodes[index].shape.axes == out.axes or not out.axes:
        return index
    index = _with_axes(small, index, out.axes)
    layer = Upsample(size=out.axes) if len(out.axes) <= 3 else Expand(size=out.axes)
    return small.add(f"n{len(small.nodes)}", layer, [index])
