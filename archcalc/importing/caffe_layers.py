"""The rules of Caffe's layers: which layers of a spec a layer of a prototxt is.

Source: BVLC/caffe 9b89154, src/caffe/proto/caffe.proto (defaults) and src/caffe/layers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from archcalc.importing import caffe_joins as joins
from archcalc.importing import caffe_maths as maths
from archcalc.importing import caffe_moves as moves
from archcalc.importing import caffe_windows as windows
from archcalc.importing.caffe_file import Caffe, Dropped, Record
from archcalc.importing.errors import MissingError, WrongValueError
from archcalc.importing.graph import Blob

Rule: TypeAlias = "Callable[[Caffe, Record], Blob | list[Blob | Dropped | None] | None]"

DROPPED = frozenset(
    (
        *("Accuracy", "SegAccuracy", "SegmentationEvaluate", "Silence", "HDF5Output", "ArgMax", "BoxAnnotatorOHEM"),
        *("Python", "Proposal", "ProposalLayer", "PriorBox", "DetectionOutput", "DetectionEvaluate", "EvalDetection"),
        *("Region", "Yolov3", "YoloSeg", "YoloDetectionOutput", "Yolov3DetectionOutput", "DetectionOutputYolo"),
    )
)
"""Metrics, losses (whose names end in Loss too) and box decoding: they own no weights."""


def activation(type: str, **settings: Any) -> Rule:
    def rule(net: Caffe, record: Record) -> Blob | None:
        return net.add(type, net.bottom(), settings=settings)

    return rule


def relu(net: Caffe, record: Record) -> Blob | None:
    slope = record.params("relu_param").number("negative_slope", 0)
    if slope:
        return net.add("leaky_relu", net.bottom(), settings={} if slope == 0.01 else {"slope": slope})
    return net.add("relu", net.bottom())


def relu6(net: Caffe, record: Record) -> Blob | None:
    return net.add("relu6", net.bottom())


def prelu(net: Caffe, record: Record) -> Blob | None:
    shared = record.params("prelu_param").flag("channel_shared", False)
    return net.add_weighted("prelu", net.bottom(), {"per_channel": False} if shared else {})


def elu(net: Caffe, record: Record) -> Blob | None:
    alpha = record.params("elu_param").number("alpha", 1)
    return net.add("elu", net.bottom(), settings={} if alpha == 1 else {"alpha": alpha})


def dropout(net: Caffe, record: Record) -> Blob | None:
    ratio = record.params("dropout_param").number("dropout_ratio", 0.5)
    return net.add("dropout", net.bottom(), settings={} if ratio == 0.5 else {"p": ratio})


def lrn(net: Caffe, record: Record) -> Blob | None:
    """lrn_layer.cpp: alpha is divided by the values of the window. Within a channel, k is 1 whatever the file says."""
    params = record.params("lrn_param")
    region = params.text("norm_region", "ACROSS_CHANNELS")
    if region not in ("ACROSS_CHANNELS", "0", "WITHIN_CHANNEL", "1"):
        raise WrongValueError(f"unknown norm_region {region}")
    within = region in ("WITHIN_CHANNEL", "1")
    size, alpha, k = params.whole("local_size", 5), params.number("alpha", 1), params.number("k", 1)
    if size % 2 == 0:
        raise WrongValueError(f"local_size {size} is even, and Caffe takes odd sizes alone")
    settings: dict[str, Any] = {"size": size, "alpha": _short(alpha / size ** (1 + within))}
    settings |= {"beta": params.number("beta", 0.75), "k": 1 if within else k}
    settings |= {"axis": "positions"} if within else {}
    return net.add("lrn", net.bottom(), settings=settings)


def _short(value: float) -> float:
    """The value with as many digits as it needs: 2e-05 and not 2.0000000000000002e-05."""
    rounded = float(f"{value:.12g}")
    return rounded if abs(rounded - value) <= abs(value) * 1e-14 else value


def batch_norm(net: Caffe, record: Record) -> Blob | None:
    """batch_norm_layer.cpp: no trained numbers; a layer Scale behind it has them. Forks have a filler for both."""
    params = record.params("batch_norm_param")
    eps = params.number("eps", 1e-5)
    settings: dict[str, Any] = {} if params.messages("scale_filler") else {"affine": False}
    return net.add("batch_norm", net.bottom(), settings=settings | ({} if eps == 1e-5 else {"eps": eps}))


def bn(net: Caffe, record: Record) -> Blob | None:
    """The layer BN of forks, which trains a scale and a shift."""
    return net.add_weighted("batch_norm", net.bottom(), {})


def scale(net: Caffe, record: Record) -> Blob | None:
    """scale_layer.cpp: trained factors and shifts, or the product of two maps. One with a BatchNorm before it."""
    params = record.params("scale_param")
    bias = params.flag("bias_term", False)
    if len(record.bottoms) > 1:
        if bias:
            raise MissingError("a product of two maps with a bias has no counterpart")
        return joins.product(net, net.bottoms())
    if params.whole("axis", 1) != 1 or params.whole("num_axes", 1) != 1:
        raise MissingError("a scale over other axes than the channels has no counterpart")
    blob = net.bottom()
    step = net.graph.steps[-1] if net.graph.steps else None
    fits = blob is not None and step is not None and step.name == blob.name and step.type == "batch_norm"
    if (
        fits
        and step is not None
        and bias
        and step.settings.get("affine") is False
        and net.read_alone(record.bottoms[0])
    ):
        step.settings = {key: value for key, value in step.settings.items() if key != "affine"}
        if record.frozen:
            step.options["trained"] = False
        return blob
    return net.add_weighted("layer_scale", blob, {"init": 1.0} | ({"bias": True} if bias else {}))


def softmax(net: Caffe, record: Record) -> Blob | None:
    axis = record.params("softmax_param").whole("axis", 1)
    blob = net.bottom()
    if axis in (1, -3 if blob is None or len(blob.shape.axes) == 2 else 1):
        return net.add("softmax", blob)
    if blob is not None and axis in (-1, len(blob.shape.axes) + 1) and blob.shape.axes:
        return net.add("softmax", blob, settings={"axis": "last"})
    if blob is None:
        return net.add("softmax", None)
    raise MissingError(f"a softmax over axis {axis} has no counterpart")


def normalize(net: Caffe, record: Record) -> Blob | None:
    """normalize_layer.cpp of SSD: all values, or the channels at each position, times one trained scale or many."""
    params = record.params("norm_param")
    settings: dict[str, Any] = {"axis": "all"} if params.flag("across_spatial", True) else {}
    settings |= {"scale": True} | ({"per_channel": False} if params.flag("channel_shared", True) else {})
    init = params.message("scale_filler").number("value", 1)
    return net.add_weighted("l2_norm", net.bottom(), settings | {"init": init})


RULES: dict[str, Rule] = {
    "Convolution": windows.convolution,
    "ConvolutionDepthwise": windows.depthwise,
    "DepthwiseConvolution": windows.depthwise,
    "Deconvolution": windows.deconvolution,
    "Pooling": windows.pooling,
    "InnerProduct": windows.inner_product,
    "Interp": windows.interp,
    "Upsample": windows.upsample,
    "ROIPooling": windows.roi_pooling,
    "PSROIPooling": windows.psroi_pooling,
    "ReLU": relu,
    "ReLU6": relu6,
    "PReLU": prelu,
    "ELU": elu,
    "SeLu": activation("selu"),
    "SELU": activation("selu"),
    "Sigmoid": activation("sigmoid"),
    "TanH": activation("tanh"),
    "BNLL": activation("softplus"),
    "Swish": activation("silu"),
    "Mish": activation("mish"),
    "Power": maths.power,
    "Exp": maths.exponential,
    "Log": maths.logarithm,
    "AbsVal": maths.absolute,
    "Reduction": maths.reduction,
    "MVN": maths.mean_variance,
    "Dropout": dropout,
    "SeLuDropout": dropout,
    "LRN": lrn,
    "BatchNorm": batch_norm,
    "BN": bn,
    "Scale": scale,
    "Softmax": softmax,
    "Normalize": normalize,
    "Eltwise": joins.eltwise,
    "Concat": joins.concat,
    "Axpy": joins.axpy,
    "Slice": joins.sliced,
    "Split": joins.split,
    "Crop": joins.crop,
    "Flatten": moves.flatten,
    "Reshape": moves.reshape,
    "Permute": moves.permute,
    "ShuffleChannel": moves.shuffle,
    "Reorg": moves.reorg,
}

MISSING = {
    "Bias": "a trained shift alone",
    "Embed": "an embedding",
    "Im2col": "Im2col",
    "LSTM": "a recurrent layer",
    "RNN": "a recurrent layer",
    "SPP": "spatial pyramid pooling",
    "Threshold": "a threshold",
    "Tile": "a repetition",
}
"""What has no counterpart, by the type of a layer."""

WEIGHTED = frozenset(
    (
        *("Convolution", "ConvolutionDepthwise", "DepthwiseConvolution", "Deconvolution", "InnerProduct", "PReLU"),
        *("BN", "Scale", "Normalize", "Embed", "Bias", "LSTM", "RNN"),
    )
)
"""Layers that own weights: none of them is dropped because a dropped layer feeds it."""


def data(net: Caffe, record: Record) -> list[Blob | Dropped | None]:
    """A layer that reads images: its first blob is an input, the others are labels."""
    net.graph.dropped[record.kind] += 1
    if not record.tops:
        return []
    return [net.new_input(record.tops[0], _data_dims(record), record.message.line)]


def _data_dims(record: Record) -> list[int]:
    """The size of the images: as the layer crops or resizes them; empty if the file does not say it."""
    params = [
        record.params(name) for name in ("transform_param", "data_param", "image_data_param", "window_data_param")
    ]
    crop = next((one.whole("crop_size", 0) for one in params if one.whole("crop_size", 0)), 0)
    gray = any(one.flag("force_gray", False) for one in params)
    memory, image = record.params("memory_data_param"), record.params("image_data_param")
    if memory.texts("channels"):
        return [1, *(memory.whole(key, 1) for key in ("channels", "height", "width"))]
    if crop:
        return [1, 1 if gray else 3, crop, crop]
    if image.whole("new_height", 0) and image.whole("new_width", 0):
        colour = image.flag("is_color", True)
        return [1, 3 if colour else 1, image.whole("new_height", 0), image.whole("new_width", 0)]
    return []


def inputs(net: Caffe, record: Record) -> list[Blob | Dropped | None]:
    """A layer Input or DummyData: a shape for all blobs, or one for each."""
    params = record.params("dummy_data_param" if record.kind == "DummyData" else "input_param")
    shapes = [one.wholes("dim") for one in params.messages("shape")]
    if not shapes and params.texts("num"):
        rows = [params.wholes(key) for key in ("num", "channels", "height", "width")]
        shapes = [list(sizes) for sizes in zip(*rows, strict=False)]
    shapes = shapes * len(record.tops) if len(shapes) == 1 else shapes
    shapes += [[]] * (len(record.tops) - len(shapes))
    return [net.new_input(top, shape, record.message.line) for top, shape in zip(record.tops, shapes, strict=False)]


INPUTS: dict[str, Callable[[Caffe, Record], list[Blob | Dropped | None]]] = {
    **dict.fromkeys(("Input", "DummyData"), inputs),
    **dict.fromkeys(
        (
            "Data",
            "ImageData",
            "HDF5Data",
            "WindowData",
            "MemoryData",
            "ImageSegData",
            "AnnotatedData",
            "PythonData",
            "DenseImageData",
            "VideoData",
        ),
        data,
    ),
}
"""The layers that make the inputs of a network."""
