"""Caffe's layers that move values or name them anew: flatten, reshape, permute, shuffle.

Source: BVLC/caffe 9b89154, src/caffe/layers: flatten_layer.cpp, reshape_layer.cpp. Permute: weiliu89/caffe (SSD).
"""

from __future__ import annotations

from archcalc.importing.caffe_file import Caffe, Record
from archcalc.importing.errors import MissingError, WrongValueError
from archcalc.importing.graph import Blob

AXES = ("c", "h", "w", "d")


def flatten(net: Caffe, record: Record) -> Blob | None:
    params, blob = record.params("flatten_param"), net.bottom()
    if blob is None or not blob.shape.axes:
        return blob
    if params.whole("axis", 1) != 1 or params.whole("end_axis", -1) not in (-1, len(blob.shape.axes) + 1):
        raise MissingError("flattening a part of the axes has no counterpart")
    return net.add("flatten", blob)


def reshape(net: Caffe, record: Record) -> Blob | None:
    """reshape_layer.cpp: 0 keeps a size, -1 is what remains. The values keep their order."""
    params, blob = record.params("reshape_param"), net.bottom()
    if params.whole("axis", 0) or params.whole("num_axes", -1) != -1:
        raise MissingError("a reshape of a part of the axes has no counterpart")
    dims = params.message("shape").wholes("dim")
    if blob is None:
        return net.add("identity", None)
    before = [int(n) for n in (blob.shape.channels, *blob.shape.axes)]
    after = new_sizes(before, dims)
    while len(after) > 1 and after[-1] == 1 and len(after) != len(before):
        after.pop()
    if after == before:
        return blob
    if len(after) == 1:
        return net.add("flatten", blob)
    if len(after) > 4:
        raise MissingError(f"a reshape to {len(after)} sizes has no counterpart")
    movement = pattern(before, after)
    if movement:
        return net.add("rearrange", blob, settings={"pattern": movement})
    values = net.add("flatten", blob, name=f"{record.name}/flatten")
    return net.add("rearrange", values, settings={"pattern": apart(after)})


def new_sizes(before: list[int], dims: list[int]) -> list[int]:
    """The sizes after a reshape, without the number of images; WrongValueError if they do not fit."""
    total = 1
    for n in before:
        total *= n
    after, known = list[int](), 1
    for at, dim in enumerate(dims[1:]):
        if dim == 0 and at >= len(before):
            raise WrongValueError(f"keeps axis {at + 1}, which a map of {'x'.join(map(str, before))} does not have")
        after.append(before[at] if dim == 0 else dim)
        known *= 1 if dim == -1 else after[-1]
    if after.count(-1) > 1 or (dims and dims[0] not in (0, -1, 1)) or not after:
        raise MissingError(f"a reshape to {dims} has no counterpart")
    if -1 in after and dims[0] != -1 and known > 0 and total % known == 0:
        after[after.index(-1)] = total // known
    product = 1
    for n in after:
        product *= n
    if product != total or min(after) < 1:
        raise WrongValueError(f"{'x'.join(map(str, before))} does not become {dims}")
    return after


def pattern(before: list[int], after: list[int]) -> str:
    """The pattern of a reshape; '' if it needs two. A last axis that keeps its size stays open for another input."""
    if len(before) == len(after) == 3 and before[2] == after[2]:
        large, small = max(before[0], after[0]), min(before[0], after[0])
        if large % small == 0:
            k = large // small
            return f"({small} {k}) h w -> {small} ({k} h) w" if after[0] == small else f"c ({k} h) w -> (c {k}) h w"
    return apart(after) if len(before) == 1 else ""


def apart(sizes: list[int]) -> str:
    """The pattern that makes a map of the values of a vector."""
    return f"({' '.join(map(str, sizes))}) -> {' '.join(map(str, sizes))}"


def permute(net: Caffe, record: Record) -> Blob | None:
    """permute_layer.cpp: the axes in another order; axis 0 counts images and stays."""
    order, blob = record.params("permute_param").wholes("order"), net.bottom()
    if blob is None:
        return net.add("identity", None)
    names = AXES[: len(blob.shape.axes) + 1]
    order += [at for at in range(len(names) + 1) if at not in order]
    if order[:1] != [0] or sorted(order) != list(range(len(names) + 1)):
        raise MissingError(f"axes in the order {order} have no counterpart")
    after = " ".join(names[at - 1] for at in order[1:])
    return net.add("rearrange", blob, settings={"pattern": f"{' '.join(names)} -> {after}"})


def shuffle(net: Caffe, record: Record) -> Blob | None:
    groups = record.params("shuffle_channel_param").whole("group", 1)
    return net.add("channel_shuffle", net.bottom(), settings={"groups": groups})


def reorg(net: Caffe, record: Record) -> Blob | None:
    """The layer of MobileNet-YOLO, which copies darknet's."""
    from archcalc.importing.reorg import reorganised

    params = record.params("reorg_param")
    if params.flag("reverse", False):
        raise MissingError("reverse has no counterpart")
    return reorganised(
        lambda *sources, settings: net.add("rearrange", *sources, settings=settings),
        net.bottom(),
        params.whole("stride", 2),
    )
