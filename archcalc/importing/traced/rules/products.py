"""Products of matrices that are no attention."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.importing.traced.factors import BATCH, Factor, Group, reshaped, size_of, whole
from archcalc.importing.traced.mapping import Mapping
from archcalc.importing.traced.rules.views import repeated
from archcalc.importing.traced.steps import Shown, UnsupportedError, with_batch
from archcalc.sizes import Shape


def matrix_product(mapping: Mapping, left: Shown, right: Shown) -> Shown:
    """The layer matmul of two tensors, whose last two axes are matrices."""
    count = max(len(left.view), len(right.view))
    left, right = (Shown(one.step, (*((),) * (count - len(one.view)), *one.view)) for one in (left, right))
    if count > 1:
        left, right = _alike(mapping, left, right), _alike(mapping, right, left)
    if left.sizes[-1] != right.sizes[-2]:
        raise UnsupportedError(f"a product of matrices of {list(left.sizes)} and {list(right.sizes)}")
    one_for_all = not (has_batch(left) and has_batch(right))
    frame = left if has_batch(left) else right
    batch = [_batch(mine, others, one_for_all) for mine, others in zip(left.view[:-2], right.view[:-2], strict=True)]
    images = [(), ()] if not one_for_all else [left.view[-2], right.view[-1]]
    ends = [tuple(factor for factor in group if factor.axis == BATCH) for group in images]
    reads = [_laid(mapping, left, *ends[:1]), _laid(mapping, right, *ends[1:])]
    rows, columns = (_size(one) for one in (left.view[-2], right.view[-1]))
    sizes = [*(size for size in batch if size > 1), rows, columns]
    step = mapping.steps.add("matmul", {}, reads, Shape(sizes[0], tuple(sizes[1:])))
    view: list[Group] = []
    axis = 0
    for size, group in zip(batch, frame.view, strict=False):
        view.append(with_batch(group, whole(axis, size)))
        axis += size > 1
    groups = [with_batch(left.view[-2], whole(axis, rows)), with_batch(right.view[-1], whole(axis + 1, columns))]
    return Shown(step, (*view, *groups))


def _alike(mapping: Mapping, tensor: Shown, other: Shown) -> Shown:
    """The tensor with axes before the matrix repeated where those of another tensor are longer."""
    sizes = zip(map(_size, tensor.view[:-2]), map(_size, other.view[:-2]), strict=True)
    counts = {at: theirs for at, (mine, theirs) in enumerate(sizes) if mine == 1 and theirs > 1}
    if not counts:
        return tensor
    view = tuple(() if at in counts else group for at, group in enumerate(tensor.view))
    made = repeated(mapping, Shown(tensor.step, view), counts)
    return Shown(
        made.step,
        tuple((*b, *m) if at in counts else m for at, (m, b) in enumerate(zip(made.view, tensor.view, strict=True))),
    )


def _size(group: Sequence[Factor]) -> int:
    """The size of an axis without the batch."""
    return size_of(factor for factor in group if factor.axis != BATCH)


def has_batch(tensor: Shown) -> bool:
    """Whether the tensor depends on the image."""
    return any(factor.axis == BATCH for group in tensor.view for factor in group)


def _batch(mine: Sequence[Factor], others: Sequence[Factor], one_for_all: bool) -> int:
    """The size of the map's axis for an axis of two tensors; 1 where the axis is the batch alone.

    ``one_for_all``: whether one of the tensors is the same for all images.
    """
    fronts = []
    for group in (mine, others):
        places = [at for at, factor in enumerate(group) if factor.axis == BATCH]
        fronts.append(size_of(group[: places[0]]) if places else 0)
    if (fronts[0] != fronts[1] and not one_for_all) or _size(mine) != _size(others):
        raise UnsupportedError("a product of matrices whose batches lie in different axes")
    return _size(mine)


def _laid(mapping: Mapping, tensor: Shown, images: Group) -> int:
    """The step whose channels and axes are the axes of a tensor, without the batch and axes of size 1 before the matrix.

    ``images``: the batch where it is a part of the rows of the product, or of its columns.
    """
    matrix = [tuple(factor for factor in group if factor not in images) for group in tensor.view[-2:]]
    if any(factor.axis == BATCH for group in matrix for factor in group):
        raise UnsupportedError("a product of matrices between the images of the batch")
    before = [[factor for factor in group if factor.axis != BATCH] for group in tensor.view[:-2]]
    return mapping.steps.arranged(tensor.step, [*(group for group in before if group), *matrix])


def product_over(
    mapping: Mapping,
    left: tuple[Shown, str],
    right: tuple[Shown, str],
    letters: tuple[list[str], list[str], list[str], list[str]],
    out: str,
) -> Shown:
    """A product of matrices whose rows, columns and sums may be several axes. The batch of one tensor is the other's too."""
    common, rows, summed, columns = letters
    images = [
        letter
        for (tensor, names), own in ((left, rows), (right, columns))
        for letter in own
        if any(factor.axis == BATCH for factor in tensor.view[names.index(letter)])
    ]
    common = [*images, *common]
    rows, columns = ([one for one in own if one not in images] for own in (rows, columns))
    sizes = {name: size for tensor, names in (left, right) for name, size in zip(names, tensor.sizes, strict=True)}

    def matrices(one: tuple[Shown, str], first: list[str], second: list[str]) -> Shown:
        tensor, names = one
        view = [tensor.view[names.index(letter)] if letter in names else () for letter in common]
        ends = [tuple(f for letter in part for f in tensor.view[names.index(letter)]) for part in (first, second)]
        return Shown(tensor.step, (*view, *ends))

    made = matrix_product(mapping, matrices(left, rows, summed), matrices(right, summed, columns))
    order = [*common, *rows, *columns]
    view = reshaped(made.view, [sizes[letter] for letter in order])
    if view is None:
        raise UnsupportedError("a product over axes that no view has")
    return ordered(Shown(made.step, view), order, out)


def ordered(tensor: Shown, letters: Sequence[str], order: Sequence[str]) -> Shown:
    """The tensor with its axes in another order of their letters."""
    return Shown(tensor.step, tuple(tensor.view[list(letters).index(letter)] for letter in order))
