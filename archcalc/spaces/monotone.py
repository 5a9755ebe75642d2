"""Figures that are proved to grow with the batch, and the conditions that can so be solved by bisection.

Three kinds of figures, by what they are computed from:

- Parameters, weights, the depth, the layers, the field and the sizes of one image do not depend on the batch.
- An operation runs once for every image or once in a run, and a feature map has as many values for every image. So counts
  of operations, values, ``activations`` and ``memory`` are a + b * batch, with a, b >= 0.
- A run of several images is one list of operators, whatever their number, and every tensor has f + p * batch bytes, with
  f, p >= 0 (``archcalc.memory.lifetime``). The bytes alive at one moment are a sum of these, and the peak is the largest of
  such sums: it grows with the batch. Weights and optimizer state are added, and training takes the larger of two such peaks.
  A single image is another list of operators, since PyTorch copies less. So a batch of 1 is computed apart.
- The time of a run of several images is a sum over its operators: the larger one of two limits, and what comes on top, each
  f + p * batch with f, p >= 0. Where a tensor outgrows the last-level cache, it takes the time of the memory, which is not
  shorter if the constant ``cached`` of the device is at most 1. A network that runs in PyTorch is recorded for every batch,
  so nothing is known about the time of its next batch.

No other variable has such a proof here. Sizes of maps grow with the input, but padding that depends on the size, crops
and conditions of a spec can make a larger input cheaper; and settings mean what a spec makes of them.
"""

from __future__ import annotations

from archcalc.conditions.figures import FUNCTIONS
from archcalc.language.grammar import Tree

RUNS = frozenset({"peak", "run_memory", "train_memory", "time"})
"""Figures of a run: of a single image they follow another list of operators."""
GROWING = frozenset(
    {"macs", "flops", "adds", "muls", "compares", "divs", "exps", "values", "activations", "memory", "batch", *RUNS}
)
FIXED = frozenset(
    {"params", "weights", "biases", "buffers", "weight_bytes", "field", "depth", "layers", "name", "input", "output"}
)
FIXED_OF_LAYER = frozenset(f"layer.{name}" for name in ("name", "type", "channels", "outputs", "params", "field"))


def ease(tree: Tree, written: bool) -> int | None:
    """How a condition changes with the batch. ``written``: the network is of a spec, and not recorded in PyTorch.

    1: if it holds for a batch, it holds for all larger batches. -1: for all smaller batches. 0: both. None: not known.
    """
    if tree.kind in ("and", "or"):
        return _joined([ease(part, written) for part in tree.parts])
    if tree.kind == "not":
        inner = ease(tree.parts[0], written)
        return -inner if inner is not None and tree.value else inner
    if tree.kind == "compare":
        left, right = (growth(part, written) for part in tree.parts)
        if tree.value in ("==", "!="):
            return 0 if left == right == 0 else None
        larger, smaller = (right, left) if tree.value in ("<", "<=") else (left, right)
        return _joined([larger, None if smaller is None else -smaller])
    if tree.kind == "call" and tree.value in ("any", "all"):
        return 0 if _fixed_layers(tree) else None
    return 0 if tree.kind == "word" else None


def growth(tree: Tree, written: bool) -> int | None:
    """1: a figure does not shrink if the batch grows. -1: it does not grow. 0: it is the same. None: not known."""
    kind, parts = tree.kind, tree.parts
    if kind in ("number", "text", "word"):
        return 0
    if kind == "name":
        return 0 if tree.value in FIXED else 1 if tree.value in GROWING else None
    if kind == "call":
        return _of_call(tree, written)
    if kind in ("negative", "positive"):
        inner = growth(parts[0], written)
        return -inner if inner is not None and kind == "negative" else inner
    if kind == "chain":
        return _of_chain(tree, written)
    return None


def _of_call(tree: Tree, written: bool) -> int | None:
    if tree.value in ("min", "max"):
        return _joined([growth(part, written) for part in tree.parts])
    if tree.value in ("any", "all", "count"):
        return 0 if _fixed_layers(tree) else None
    if tree.value in FUNCTIONS:
        given = any(part.kind == "option" and part.value == "batch" for part in tree.parts)
        grows = tree.value in RUNS and (tree.value != "time" or (written and _time_grows(tree)))
        return 0 if given else 1 if grows else None
    return None


def _time_grows(tree: Tree) -> bool:
    """Whether the memory of the device of a time is not faster than its cache."""
    from archcalc.timing.reading import device

    return device(str(tree.parts[0].value)).constants["cached"] <= 1


def _of_chain(tree: Tree, written: bool) -> int | None:
    """Sums of figures; products of figures that are not negative; and quotients by what does not depend on the batch."""
    found = growth(tree.parts[0], written)
    not_negative = _not_negative(tree.parts[0])
    for op, part in zip(tree.value, tree.parts[1:], strict=True):
        inner = growth(part, written)
        if op in ("+", "-"):
            found = _joined([found, -inner if inner is not None and op == "-" else inner])
            not_negative = not_negative and op == "+" and _not_negative(part)
        elif found == inner == 0:
            not_negative = not_negative and _not_negative(part)
        elif not (not_negative and _not_negative(part)) or (op != "*" and inner != 0) or op == "%":
            return None
        else:
            found = _joined([found, inner])
    return found


def _not_negative(tree: Tree) -> bool:
    """Whether a figure is at least 0: all figures of a network are."""
    if tree.kind == "chain":
        return "-" not in tree.value and all(map(_not_negative, tree.parts))
    if tree.kind == "call" and tree.value in ("min", "max"):
        return all(map(_not_negative, tree.parts))
    return tree.kind in ("number", "name", "call")


def _joined(directions: list[int | None]) -> int | None:
    """The direction of what has all of these directions; None if they are opposite, or if one is not known."""
    if None in directions:
        return None
    found = {one for one in directions if one}
    return None if len(found) > 1 else found.pop() if found else 0


def _fixed_layers(tree: Tree) -> bool:
    """Whether all names of a condition about layers are of figures that do not depend on the batch."""
    if tree.kind == "name":
        return tree.value in FIXED_OF_LAYER
    return all(map(_fixed_layers, tree.parts))


def names_of(tree: Tree) -> set[str]:
    """The figures that a condition names."""
    own = {tree.value} if tree.kind in ("name", "call") else set()
    return own.union(*(names_of(part) for part in tree.parts))
