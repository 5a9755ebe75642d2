"""Caffe's layers of several blobs: sums, products, concatenations, slices, crops.

Source: BVLC/caffe 9b89154, src/caffe/layers: eltwise_layer.cpp, concat_layer.cpp, slice_layer.cpp, crop_layer.cpp.
Axpy: hujie-frank/SENet.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from archcalc.importing.caffe_file import Caffe, Dropped, Record
from archcalc.importing.errors import MissingError, WrongValueError
from archcalc.importing.graph import Blob

AXES = {1: "channels", 2: "height", 3: "width"}


def axis_name(axis: int, blob: Blob | None) -> str:
    """The name of an axis of Caffe's blob, whose axis 0 counts images."""
    if blob is None:
        return "channels"
    names = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}.get(len(blob.shape.axes), ())
    known = ("images", "channels", *names)
    if not -len(known) <= axis < len(known) or known[axis] == "images":
        raise MissingError(f"axis {axis} of {blob.shape} has no counterpart")
    return known[axis]


def eltwise(net: Caffe, record: Record) -> Blob | None:
    """eltwise_layer.cpp: the sum of the inputs, each times a coefficient, or their product or maximum."""
    params = record.params("eltwise_param")
    kind, factors, blobs = params.text("operation", "SUM"), params.numbers("coeff"), net.bottoms()
    kind = {"0": "PROD", "1": "SUM", "2": "MAX"}.get(kind, kind)
    if kind not in ("PROD", "SUM", "MAX"):
        raise WrongValueError(f"unknown operation {kind}")
    if len(blobs) < 2:
        raise WrongValueError("needs two bottoms")
    same_shapes(blobs)
    if kind != "SUM" or not factors:
        return net.add({"PROD": "multiply", "SUM": "add", "MAX": "maximum"}[kind], *blobs)
    if len(factors) != len(blobs):
        raise WrongValueError(f"{len(factors)} coefficients for {len(blobs)} bottoms")
    if factors == [1, -1]:
        return net.add("subtract", *blobs)
    scaled = [
        blob if factor == 1 else net.add("scale", blob, settings={"factor": factor}, name=f"{record.name}/scale{at}")
        for at, (blob, factor) in enumerate(zip(blobs, factors, strict=True), 1)
    ]
    return net.add("add", *scaled)


def same_shapes(blobs: Sequence[Blob | None]) -> None:
    """WrongValueError unless all maps have one shape: Caffe does not broadcast."""
    shapes = list(dict.fromkeys(blob.shape for blob in blobs if blob is not None))
    if len(shapes) > 1:
        raise WrongValueError(f"the inputs differ in shape: {', '.join(map(str, shapes))}")


def product(net: Caffe, blobs: Sequence[Blob | None], name: str = "") -> Blob | None:
    """A map times a factor for each channel, or times a map."""
    return net.add("multiply", *blobs, name=name)


def axpy(net: Caffe, record: Record) -> Blob | None:
    """A factor for each channel times a map, plus another map."""
    blobs = net.bottoms()
    if len(blobs) != 3:
        raise WrongValueError(f"needs three bottoms, got {len(blobs)}")
    scaled = product(net, [blobs[1], blobs[0]], f"{record.name}/multiply")
    return net.add("add", scaled, blobs[2])


def concat(net: Caffe, record: Record) -> Blob | None:
    params, blobs = record.params("concat_param"), net.bottoms()
    axis = params.whole("axis", params.whole("concat_dim", 1))
    if len(blobs) == 1:
        return blobs[0]
    name = axis_name(axis, blobs[0])
    return net.add("concat", *blobs, settings={} if name == "channels" else {"axis": name})


def sliced(net: Caffe, record: Record) -> list[Blob | Dropped | None]:
    """slice_layer.cpp: parts between the points, or equal parts."""
    params, blob, count = record.params("slice_param"), net.bottom(), len(record.tops)
    axis = axis_name(params.whole("axis", params.whole("slice_dim", 1)), blob)
    if blob is None:
        return [None] * count
    names = (
        "channels",
        *{1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}.get(len(blob.shape.axes), ()),
    )
    size = int((blob.shape.channels, *blob.shape.axes)[names.index(axis)])
    points = params.wholes("slice_point")
    if not points:
        if size % count:
            raise WrongValueError(f"{size} {axis} are not divisible into {count} parts")
        points = [size // count * at for at in range(1, count)]
    if len(points) != count - 1:
        raise WrongValueError(f"{len(points)} points for {count} parts")
    edges, parts = [0, *points, size], list[Blob | Dropped | None]()
    for at, (start, stop) in enumerate(pairwise(edges)):
        settings: dict[str, Any] = {"start": start} if start else {}
        settings |= {"stop": stop} if stop != size else {}
        settings |= {} if axis == "channels" else {"axis": axis}
        parts.append(net.add("slice", blob, settings=settings, name=f"{record.name}/{at + 1}" if count > 1 else ""))
    return parts


def split(net: Caffe, record: Record) -> list[Blob | Dropped | None]:
    blob = net.bottom()
    return [blob] * len(record.tops)


def crop(net: Caffe, record: Record) -> Blob | None:
    """crop_layer.cpp: to the size of the second blob, from an offset on, along the axes from ``axis`` on."""
    params, blob, like = record.params("crop_param"), net.bottom(), net.bottom(1)
    if blob is None or like is None:
        return net.add("crop", None)
    axes = len(blob.shape.axes)
    axis, offsets = params.whole("axis", 2), params.wholes("offset")
    first = axis if axis >= 0 else axis + axes + 2
    offsets = offsets or [0]
    offsets = offsets * (axes + 2 - first) if len(offsets) == 1 else offsets
    if first != 2 or len(offsets) != axes:
        raise MissingError(f"a crop from axis {axis} on with {len(offsets)} offsets has no counterpart")
    offset = offsets[0] if len(set(offsets)) == 1 else offsets
    return net.add("crop", blob, settings={"like": like, "offset": offset})
