"""Products of matrices that are no attention."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.importing.traced.factors import BATCH, Factor, Group, size_of, whole
from archcalc.importing.traced.mapping import Mapping
from archcalc.importing.traced.rules.views import repeated
from archcalc.importing.traced.steps import Shown, UnsupportedError, with_batch
from archcalc.sizes import Shape


def matrix_product(mapping: Mapping, left: Shown, right: Shown) -> Shown:
    """The layer matmul of two tensors, whose last two axes are matrices."""
    if len(left.view) == len(right.view):
        left, right = _alike(mapping, left, right), _alike(mapping, right, left)
    if len(left.view) != len(right.view) or left.sizes[:-2] != right.sizes[:-2]:
        raise UnsupportedError("a product of matrices whose axes before the last two differ")
    if left.sizes[-1] != right.sizes[-2]:
        raise UnsupportedError(f"a product of matrices of {list(left.sizes)} and {list(right.sizes)}")
    batch = [_batch(mine, others) for mine, others in zip(left.view[:-2], right.view[:-2], strict=True)]
    rows, columns = left.sizes[-2], right.sizes[-1]
    reads = [_laid(mapping, tensor) for tensor in (left, right)]
    sizes = [*(size for size in batch if size > 1), rows, columns]
    step = mapping.steps.add("matmul", {}, reads, Shape(sizes[0], tuple(sizes[1:])))
    view: list[Group] = []
    axis = 0
    for size, group in zip(batch, left.view, strict=False):
        view.append(with_batch(group, whole(axis, size)))
        axis += size > 1
    return Shown(step, (*view, whole(axis, rows), whole(axis + 1, columns)))


def _alike(mapping: Mapping, tensor: Shown, other: Shown) -> Shown:
    """The tensor with axes before the matrix repeated where those of another tensor are longer."""
    sizes = zip(tensor.sizes[:-2], other.sizes[:-2], strict=True)
    counts = {at: theirs for at, (mine, theirs) in enumerate(sizes) if mine == 1 and theirs > 1}
    return repeated(mapping, tensor, counts) if counts else tensor


def _batch(mine: Sequence[Factor], others: Sequence[Factor]) -> int:
    """The size of the map's axis for an axis of two tensors; 1 where the axis is the batch alone."""
    fronts = []
    for group in (mine, others):
        places = [at for at, factor in enumerate(group) if factor.axis == BATCH]
        fronts.append(size_of(group[: places[0]]) if places else 0)
    if fronts[0] != fronts[1]:
        raise UnsupportedError("a product of matrices whose batches lie in different axes")
    return size_of(factor for factor in mine if factor.axis != BATCH)


def _laid(mapping: Mapping, tensor: Shown) -> int:
    """The step whose channels and axes are the axes of a tensor, without the batch and axes of size 1 before the matrix."""
    if any(factor.axis == BATCH for group in tensor.view[-2:] for factor in group):
        raise UnsupportedError("a product of matrices along the batch")
    before = [[factor for factor in group if factor.axis != BATCH] for group in tensor.view[:-2]]
    return mapping.steps.arranged(tensor.step, [*(group for group in before if group), *tensor.view[-2:]])
