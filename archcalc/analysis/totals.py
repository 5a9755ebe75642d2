"""Sums over rows and layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from archcalc.analysis.rows import Counter, Facts, Row, work_parts
from archcalc.conventions import Convention
from archcalc.layers.convolution import CONVOLUTIONS
from archcalc.layers.dense import Linear
from archcalc.network import Network, Node
from archcalc.sizes import NO_WORK, Int, Params, Work, equal

MAKERS = (*CONVOLUTIONS, Linear)
"""The layers whose outputs are activations, as RegNet's paper and fvcore count."""


class Totals(NamedTuple):
    """Sums over the rows of an analysis; operations and values are for the whole batch.

    frozen: the parameters of layers with ``trained: false``, which ``params`` contains.
    values: the values of the network input and of every output in new storage (not in place, and not a view).
    conv_inputs: the values of a second copy of the input of every convolution. unknown_types: the layer types that the
    convention says nothing about. If there is such a type, ``macs`` is incomplete.
    """

    params: Int
    weights: Int
    biases: Int
    buffers: Int
    macs: Int
    flops: Int | None
    work: Work
    values: Int
    conv_inputs: Int
    unknown_types: tuple[str, ...] = ()
    frozen: Int = 0


def sum_rows(rows: Sequence[Row], convention: Convention) -> Totals:
    """The sums over the rows."""
    return _sums(rows, [row for row in rows if row.node is not None and not row.node.trained], convention)


def sum_network(network: Network, batch: Int, convention: Convention, training: bool) -> Totals:
    """The sums over the layers, without rows and fields. Layers of the same numbers are counted, and summed once."""
    counter = Counter(network, batch, convention)
    found: dict[Any, tuple[Facts, Int]] = {}
    for node, many in counted(network, training, each=counter.by_name):
        facts = counter.facts(node, tuple(network.input_shapes(node)))
        key = id(facts), node.trained
        if node.shares is not None:
            params, count, _ = counter.params(node, facts)
            key, facts = (node.index, node.trained), facts._replace(params=params, param_count=count)
        found[key] = facts, many + (found[key][1] if key in found else 0)
    sums = [(facts.times(many), trained) for (_, trained), (facts, many) in found.items()]
    return _sums([facts for facts, _ in sums], [facts for facts, trained in sums if not trained], convention)


def counted(network: Network, training: bool, each: bool = False) -> Iterable[tuple[Node, Int]]:
    """The first of all layers that have one layer object, on maps of the same shape objects, and their number.

    ``each``: every layer by itself, because its name matters.
    """
    nodes = network.nodes
    found: dict[Any, tuple[Node, Int]] = {}
    for node in nodes:
        if node.side and not training:
            continue
        inputs = node.inputs
        read: Any = id(nodes[inputs[0]].shape) if len(inputs) == 1 else tuple([id(nodes[i].shape) for i in inputs])
        key: Any = id(node.layer), read, node.storage, id(node.regions), node.trained
        if each or node.shares is not None:
            key = node.index
        found[key] = (found[key][0], found[key][1] + node.present) if key in found else (node, node.present)
    return found.values()


def _sums(rows: Sequence[Row | Facts], frozen: Iterable[Row | Facts], convention: Convention) -> Totals:
    params = Params(*map(sum, zip(Params(), *(row.params for row in rows), strict=True)))
    macs = sum(row.macs for row in rows if row.macs is not None)
    return Totals(
        params=sum(row.param_count for row in rows),
        weights=params.weight,
        biases=params.bias,
        buffers=params.buffers,
        macs=macs,
        flops=convention.flops(macs),
        work=Work.sum(row.work for row in rows),
        values=sum(row.values for row in rows if row.values is not None),
        conv_inputs=sum(row.conv_inputs for row in rows),
        unknown_types=unknown_types(rows),
        frozen=sum(row.param_count for row in frozen),
    )


def at_batches(one: Totals, two: Totals, batch: Int) -> Totals:
    """The totals of any batch, from those of one image and of two: all counts of archcalc's conventions are affine."""
    return Totals(*[_line(a, b, batch) for a, b in zip(one, two, strict=True)])


def _line(one: Any, two: Any, batch: Int) -> Any:
    if isinstance(one, Work):
        return Work(*[_line(a, b, batch) for a, b in zip(one, two, strict=True)])
    if one is None or isinstance(one, tuple):
        return one
    per_image = two - one
    once = one - per_image
    if equal(per_image, 0):
        return one
    return per_image * batch if equal(once, 0) else per_image * batch + once


def node_activations(node: Node) -> Int:
    """The values that a convolution or a linear layer makes for one image; 0 for any other layer."""
    return node.shape.values * node.times if isinstance(node.layer, MAKERS) else 0


def sum_activations(network: Network, batch: Int, training: bool) -> Int:
    """The values that convolutions and linear layers make, for the batch: what RegNet's paper and fvcore call activations."""
    layers = counted(network, training and not network.side_problem)
    return sum(node.shape.values * node.parts * many for node, many in layers if isinstance(node.layer, MAKERS)) * batch


def part_sums(rows: Iterable[Row], batch: Int) -> dict[str, dict[str, Work]]:
    """The work of every layer type whose work has parts, by part, for the whole batch."""
    sums: dict[str, dict[str, Work]] = {}
    for row in rows:
        for part, work in work_parts(row, batch).items():
            parts = sums.setdefault(row.type, {})
            parts[part] = Work.sum((parts.get(part, NO_WORK), work))
    return sums


def unknown_types(rows: Iterable[Row | Facts]) -> tuple[str, ...]:
    """The layer types that the convention says nothing about, each once."""
    return tuple(dict.fromkeys(type for row in rows if row.unknown_types for type in row.unknown_types))
