"""Caffe's layers with windows or weights over a map: convolutions, poolings, fully connected layers, resizing, regions.

Source: BVLC/caffe 9b89154, src/caffe/layers: base_conv_layer.cpp, deconv_layer.cpp, pooling_layer.cpp,
inner_product_layer.cpp. Interp: the layer of DeepLab and PSPNet. Regions: rbgirshick/caffe-fast-rcnn.
"""

from __future__ import annotations

from typing import Any

from archcalc.importing.caffe_file import Caffe, Dropped, Record
from archcalc.importing.errors import MissingError, WrongValueError
from archcalc.importing.graph import Blob
from archcalc.importing.prototxt import Message

LETTERS = {1: ("w",), 2: ("h", "w"), 3: ("depth", "h", "w")}
REGIONS = 300
"""The regions of an image where a layer chooses them by their scores: py-faster-rcnn's RPN_POST_NMS_TOP_N at test."""


def sizes(params: Message, key: str, default: int, axes: int) -> int | list[int]:
    """A number for each axis: ``kernel_h`` and so on, or ``kernel_size`` for all axes, or once for each axis."""
    single = {"kernel": "kernel_size"}.get(key, key)
    listed = params.wholes(single)
    if len(listed) not in (0, 1, axes):
        raise WrongValueError(f"{single} is given {len(listed)} times, for a map with {axes} axes")
    found = listed * axes if len(listed) == 1 else listed or [default] * axes
    for at, letter in enumerate(LETTERS.get(axes, ())):
        found[at] = params.whole(f"{key}_{letter}", found[at])
    return found[0] if len(set(found)) == 1 else found


def axes_of(blob: Blob | None) -> int:
    """The number of axes of the map; WrongValueError for a vector."""
    if blob is not None and not blob.shape.axes:
        raise WrongValueError(f"needs a map, got a vector of {blob.shape}")
    return 2 if blob is None else len(blob.shape.axes)


def convolution(net: Caffe, record: Record, depthwise: bool = False) -> Blob | None:
    params, outputs = record.params("convolution_param"), list[Blob | None]()
    if params.whole("axis", 1) != 1:
        raise MissingError("channels on another axis have no counterpart")
    if len(record.bottoms) > 1:
        raise MissingError("one convolution of several maps has no counterpart; write one layer for each")
    blob = net.bottom()
    axes = axes_of(blob)
    settings: dict[str, Any] = {"out": params.whole("num_output", 0), "kernel": sizes(params, "kernel", 0, axes)}
    for key, name, default in (("stride", "stride", 1), ("pad", "pad", 0), ("dilation", "dilation", 1)):
        given = sizes(params, key, default, axes)
        if given != default:
            settings[name] = given
    groups = settings["out"] if depthwise else params.whole("group", 1)
    if groups != 1:
        settings["groups"] = groups
    if not params.flag("bias_term", True):
        settings["bias"] = False
    outputs.append(net.add_weighted("conv", blob, settings))
    return outputs[0]


def depthwise(net: Caffe, record: Record) -> Blob | None:
    """The layer of forks: a convolution with a group for each channel."""
    return convolution(net, record, depthwise=True)


def deconvolution(net: Caffe, record: Record) -> Blob | None:
    """deconv_layer.cpp: s (n - 1) + d (k - 1) + 1 - 2p."""
    params, blob = record.params("convolution_param"), net.bottom()
    axes = axes_of(blob)
    settings: dict[str, Any] = {"out": params.whole("num_output", 0), "kernel": sizes(params, "kernel", 0, axes)}
    for key, default in (("stride", 1), ("pad", 0), ("dilation", 1)):
        given = sizes(params, key, default, axes)
        if given != default:
            settings[key] = given
    if params.whole("group", 1) != 1:
        settings["groups"] = params.whole("group", 1)
    if not params.flag("bias_term", True):
        settings["bias"] = False
    return net.add_weighted("conv_transpose", blob, settings)


def pooling(net: Caffe, record: Record) -> Blob | list[Blob | Dropped | None] | None:
    """pooling_layer.cpp: rounds up, and drops a last window that begins behind the map and its padding in front."""
    params, blob = record.params("pooling_param"), net.bottom()
    axes = axes_of(blob)
    kinds = {"MAX": "max", "0": "max", "AVE": "avg", "1": "avg"}
    pool = params.text("pool", "MAX")
    if pool not in kinds:
        raise MissingError(f"pooling by {pool} has no counterpart")
    if params.flag("global_pooling", False):
        return net.add(f"global_{kinds[pool]}_pool", blob)
    kernel, stride = sizes(params, "kernel", 0, axes), sizes(params, "stride", 1, axes)
    settings: dict[str, Any] = {"kernel": kernel, "stride": stride}
    pad = sizes(params, "pad", 0, axes)
    if pad != 0:
        settings["pad"] = pad
    down = params.text("round_mode", "CEIL") in ("FLOOR", "1") or not params.flag("ceil_mode", True)
    if not down and stride != 1:
        settings["ceil_mode"] = "caffe"
    out = net.add(f"{kinds[pool]}_pool", blob, settings=settings)
    return [out, out] if len(record.tops) > 1 else out


def inner_product(net: Caffe, record: Record) -> Blob | None:
    """inner_product_layer.cpp: reads all values of the map."""
    params, blob = record.params("inner_product_param"), net.bottom()
    axes = 1 if blob is None else len(blob.shape.axes)
    axis = params.whole("axis", 1)
    settings: dict[str, Any] = {"out": params.whole("num_output", 0)}
    if not params.flag("bias_term", True):
        settings["bias"] = False
    if axis in (-1, axes + 1) and axes:
        return net.add_weighted("linear", blob, settings | {"axis": "last"})
    if axis != 1:
        raise MissingError(f"weights from axis {axis} on have no counterpart")
    if blob is not None and blob.shape.axes:
        blob = net.add("flatten", blob, name=f"{record.name}/flatten")
    return net.add_weighted("linear", blob, settings)


def interp(net: Caffe, record: Record) -> Blob | None:
    """interp_layer.cpp: bilinear, the first and the last unit on the first and the last position."""
    params, blob = record.params("interp_param"), net.bottom()
    settings: dict[str, Any] = {"mode": "bilinear", "align_corners": True}
    if params.whole("pad_beg", 0) or params.whole("pad_end", 0):
        raise MissingError("padding before interpolation has no counterpart")
    if len(record.bottoms) > 1:
        like = net.bottom(1)
        return None if like is None else net.add("upsample", blob, settings={"like": like, **settings})
    if blob is None:
        return None
    axes_of(blob)
    found = [int(n) for n in blob.shape.axes]
    if params.texts("shrink_factor"):
        found = [(n - 1) // max(params.whole("shrink_factor", 1), 1) + 1 for n in found]
    if params.texts("zoom_factor"):
        found = [n + (n - 1) * (params.whole("zoom_factor", 1) - 1) for n in found]
    if params.texts("height") and params.texts("width"):
        found = [params.whole("height", 0), params.whole("width", 0)]
    size = found[0] if len(set(found)) == 1 else found
    return net.add("upsample", blob, settings={"size": size, **settings})


def upsample(net: Caffe, record: Record) -> Blob | None:
    """upsample_layer.cpp of forks: with the indices of a max pooling (SegNet), or the nearest value."""
    params, blob = record.params("upsample_param"), net.bottom()
    if len(record.bottoms) > 1:
        pool = net.bottom(1)
        if blob is None or pool is None:
            return net.add("identity", None)
        if pool.name not in net.graph.poolings:
            raise MissingError("its second input is no output of a max pooling")
        return net.add("unpool", blob, settings={"of": pool})
    return net.add("upsample", blob, settings={"scale": params.whole("scale", 2)})


def regions_of(net: Caffe) -> int:
    """The number of regions of the boxes that the layer reads."""
    name = net.record.bottoms[1] if len(net.record.bottoms) > 1 else ""
    boxes = net.blobs.get(name)
    if not isinstance(boxes, Dropped):
        raise MissingError("its second input is no list of boxes")
    if boxes.regions > 1:
        return boxes.regions
    net.graph.remarks[f"{REGIONS} regions in an image, as py-faster-rcnn takes at test"] = None
    return REGIONS


def roi_pooling(net: Caffe, record: Record) -> Blob | None:
    params = record.params("roi_pooling_param")
    height, width = params.whole("pooled_h", 0), params.whole("pooled_w", 0)
    size = height if height == width else [height, width]
    return net.add("roi_pool", net.bottom(), settings={"size": size, "regions": regions_of(net)})


def psroi_pooling(net: Caffe, record: Record) -> Blob | None:
    params = record.params("psroi_pooling_param")
    settings = {"size": params.whole("group_size", 0), "regions": regions_of(net)}
    return net.add("ps_roi_pool", net.bottom(), settings=settings)
