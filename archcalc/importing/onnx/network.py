"""An ONNX file as a network. Reading it runs no code and needs no package, and a weight counts by its sizes.

Numbers of tensors are read where the graph computes with them: sizes, axes, limits, factors, and masks of attention.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping
from math import prod

from archcalc.errors import ArchcalcError, Problem, clipped, nearest
from archcalc.importing.errors import MissingError
from archcalc.importing.graph import Imported
from archcalc.importing.naming import Naming
from archcalc.importing.onnx import nodes as rules  # noqa: F401  the functions of NODES
from archcalc.importing.onnx.file import model_of
from archcalc.importing.onnx.inputs import LARGEST, sizes_of
from archcalc.importing.onnx.model import FLOATS, Model, Node
from archcalc.importing.onnx.names import path_of
from archcalc.importing.onnx.patterns import Calls
from archcalc.importing.onnx.translation import NODES, PRIMES, Translation
from archcalc.importing.traced.calls import Run, used_by
from archcalc.importing.traced.network import graph_of
from archcalc.sizes import Shape
from archcalc.units import counted

MISSING = {
    "a recurrent layer": ("LSTM", "GRU", "RNN"),
    "a part that runs on a condition": ("If",),
    "a loop": ("Loop", "Scan"),
    "numbers of eight bits": ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv",
                              "QLinearMatMul", "ConvInteger", "MatMulInteger"),
    "boxes that depend on the image": ("NonMaxSuppression", "RoiAlign", "MaxRoiPool"),
    "positions that depend on the image": ("GatherElements", "TopK"),
}  # fmt: skip
"""Operators without a counterpart, by what they do."""

OPEN_TABLES = "{} with one number as the bias of all pairs, whose table is not in the file: counted with all pairs"
SUMS_AND_VIEWS = ("Add", "Sum", "Cast", "Reshape", "Squeeze", "Transpose", "Unsqueeze")


def read(_text: str, file: str, inputs: Mapping[str, Shape], anew: bool, allow_missing: bool) -> Imported:
    """The network in an ONNX file. ``inputs``: the sizes of inputs that the file leaves open; with ``anew``, of all."""
    return read_model(model_of(file), file, inputs, anew, allow_missing)


def read_model(model: Model, file: str, inputs: Mapping[str, Shape], anew: bool, allow_missing: bool) -> Imported:
    """The network of a model: see ``read``."""
    net = translated(model, sizes_of(model, file, inputs, anew))
    run = run_of(net)
    if not run.outputs and not run.problems:
        raise ArchcalcError(Problem("no output depends on an input", file))
    graph = graph_of(run, file)
    graph.about["title"] = title_of(model, file)
    copies = net.copied + sum(
        node.type == "Identity" and bool(node.inputs) and node.inputs[0] in model.stored for node in model.nodes
    )
    if copies:
        text = f"{counted(copies, 'tensor')} that the file stores once counted for every layer"
        graph.remarks[text] = None
    angles = [one for name, one in model.stored.items() if name in net.angles and one.type in FLOATS]
    if count := sum(prod(one.sizes) for one in angles if prod(one.sizes) > 1):
        graph.remarks[f"{count:,} numbers whose sines are computed counted as constants, trained or not"] = None
    if net.open_tables:
        graph.remarks[OPEN_TABLES.format(counted(net.open_tables, "attention"))] = None
    return graph.finish(allow_missing)


def translated(model: Model, sizes: Mapping[str, tuple[int, ...] | str]) -> Translation:
    """The calls of a graph whose inputs have these sizes behind the batch, and what has no counterpart."""
    taken = [size for stored in model.stored.values() for size in stored.sizes]
    taken += [side for one in sizes.values() for side in one if isinstance(side, int)]
    net = Translation(model, next((p for p in PRIMES if all(size % p for size in taken if size)), PRIMES[0]))
    names = Naming()
    fixed = [one.sizes[0] for one in model.inputs if one.name in sizes and one.sizes]
    net.images = next((size for size in fixed if isinstance(size, int) and size > 0), 1)
    lost: set[str] = set()
    for name, sides in sizes.items():
        if isinstance(sides, str):
            net.problems.append(("input", f"the input {clipped(name, 40)!r} {sides}", 0, ""))
            lost.add(name)
        else:
            net.input_tensor(name, names.new(names.of_input(name)), sides)
    net.angles, net.scores = angles_of(model), scores_of(model)
    for name, stored in model.stored.items():
        net.tensors[name] = net.of_stored(stored, name)
    read_by = Counter(name for node in model.nodes for name in node.inputs)
    written = {name for node in model.nodes for name in node.outputs}
    for node in model.nodes:
        outputs, kind = [name for name in node.outputs if name], clipped(node.type, 40)
        try:
            _check(node, net, lost, written)
            if lost.isdisjoint(node.inputs):
                net.run(node)
                for name in outputs:
                    _check_output(name, net, read_by)
                continue
        except (MissingError, IndexError, TypeError, ZeroDivisionError, OverflowError) as error:
            text = str(error) if isinstance(error, MissingError) else "its inputs and attributes are not those of ONNX"
            net.problems.append((kind, f"{clipped(node.place, 80)} ({kind}): {text}", 0, ""))
        else:
            net.lost += 1
        net.lose(node)
        lost.update(outputs)
    return net


def angles_of(model: Model) -> set[str]:
    """The tensors of which alone the graph computes sines and cosines: constants, since a trained number is no angle."""
    makers = {name: node for node in model.nodes for name in node.outputs}
    found: set[str] = set()
    for node in model.nodes:
        behind, todo = set[str](), list(node.inputs) if node.type in ("Sin", "Cos") else []
        while todo:
            name = todo.pop()
            if name not in behind:
                behind.add(name)
                todo += makers[name].inputs if name in makers else ()
        if all(name in makers or name in model.stored or not name for name in behind):
            found |= behind
    return found


def scores_of(model: Model) -> set[str]:
    """The tensors that a soft-max reads, also after sums and views."""
    found: set[str] = set()
    for node in reversed(model.nodes):
        if node.type == "Softmax" or (node.type in SUMS_AND_VIEWS and not found.isdisjoint(node.outputs)):
            found.update(node.inputs)
    return found


def _check(node: Node, net: Translation, lost: set[str], written: set[str]) -> None:
    """MissingError if the operator is not known, or if an input of the node is not there yet."""
    if node.type not in NODES:
        reason = next((reason for reason, types in MISSING.items() if node.type in types), "")
        close = nearest(node.type, NODES)
        hint = f"; did you mean {close!r}?" if close else ""
        raise MissingError(f"{reason} has no counterpart" if reason else f"operators of this type are not known{hint}")
    for name in node.inputs:
        if name and name not in net.tensors and name not in lost:
            reason = "only a later node makes" if name in written else "nothing makes"
            raise MissingError(f"{reason} its input {clipped(name, 60)!r}")


def _check_output(name: str, net: Translation, read_by: Counter[str]) -> None:
    """MissingError if a node has no such output, and another node reads it, or if the output is too large."""
    tensor = net.tensors.get(name)
    if tensor is None:
        if read_by[name]:
            raise MissingError(f"its output {clipped(name, 40)!r} has no counterpart")
    elif max(tensor.shape, default=0) > LARGEST * net.batch or prod(tensor.shape) > 2**62:
        raise MissingError(f"a tensor of {prod(tensor.shape) // net.batch:,} values")


def run_of(net: Translation) -> Run:
    """The run that the calls are, with every pattern as one call."""
    outputs = {one.name: net.tensors.get(one.name) for one in net.model.outputs}
    found = {name: tensor for name, tensor in outputs.items() if tensor is not None and not net.is_fixed(tensor)}
    ends = [*found.values(), *net.ends]
    calls = Calls(net.calls, ends, net.fixed).fused()
    used = used_by(ends, calls)
    calls = [call for call in calls if id(call) in used or not all(map(net.is_fixed, call.results))]
    read_by = {id(tensor) for call in calls for tensor in call.tensors}
    given = {name: tensor for name, tensor in net.inputs.items() if id(tensor) in read_by}
    paths = {call.path for call in calls}
    around = {path[:at] for path in paths for at, letter in enumerate(path) if letter == "."}
    calls = [call._replace(leaf=bool(call.path) and call.path not in around) for call in calls]
    return Run(
        given,
        calls,
        found,
        net.batch,
        in_place_known=False,
        problems=tuple(net.problems),
        ends=tuple(net.ends),
        lost=net.lost,
    )


def title_of(model: Model, file: str) -> str:
    """The file's name, and whether its batch norms were folded into convolutions, or weights were computed beforehand."""
    name = os.path.splitext(os.path.basename(file))[0]
    if folded(model):
        return f"{name}, deployed (batch norms folded)"
    return f"{name}, deployed (computed weights stored)" if computed_before(model) else name


def computed_before(model: Model) -> bool:
    """Whether the newer exporter of PyTorch computed a weight while it wrote: the name is no place in the module."""
    inside = [node for node in model.nodes if node.type == "Conv" and node.scope and path_of(node)]
    return any("." not in name for node in inside for name in node.inputs[1:2] if name in model.stored)


def folded(model: Model) -> bool:
    """Whether an exporter of PyTorch folded batch norms: it renames the weights, or keeps the batch norm's place."""
    for node in model.nodes:
        if node.type in ("Conv", "ConvTranspose"):
            weights = node.inputs[1:3]
            renamed = len(weights) == 2 and all(re.fullmatch(r"onnx::Conv\w*_\d+", name) for name in weights)
            if renamed or (weights and weights[-1].endswith("weight_bias")) or "batch_norm" in node.scope:
                return True
    return False
