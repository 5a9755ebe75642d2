"""The rules of darknet's sections: which layers a section is.

Source: AlexeyAB/darknet 59596d7, src: parser.c, and the file of each layer that a rule names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archcalc.importing.cfg_activations import activated
from archcalc.importing.cfg_file import Cfg
from archcalc.importing.darknet import Section
from archcalc.importing.errors import MissingError, WrongValueError
from archcalc.importing.graph import Blob
from archcalc.importing.reorg import reorganised

DROPPED = ("yolo", "gaussian_yolo", "region", "detection", "iseg", "cost", "contrastive", "crop", "empty", "silence")
"""Sections that pass their input on: box decoding, losses, and the crop of an image."""


def positive(section: Section, key: str, default: int) -> int:
    """A whole number from 1; WrongValueError if the file has another one."""
    number = section.whole(key, default)
    if number < 1:
        raise WrongValueError(f"{key} must be 1 or more, got {number}")
    return number


def both(vertical: int, horizontal: int) -> int | list[int]:
    """Numbers of both axes, as a spec writes them: one number if they are equal."""
    return vertical if vertical == horizontal else [vertical, horizontal]


def convolutional(cfg: Cfg, section: Section) -> Blob | None:
    """convolutional_layer.c: ``pad=1`` means size / 2 and wins over ``padding``; the dilation multiplies the padding."""
    size, stride = positive(section, "size", 1), positive(section, "stride", 1)
    strides = [section.whole(key, -1) for key in ("stride_y", "stride_x")]
    dilation = 1 if size == 1 else positive(section, "dilation", 1)
    padding = size // 2 if section.whole("pad", 0) else section.whole("padding", 0)
    if section.whole("antialiasing", 0):
        raise MissingError("antialiasing, a fixed blur behind the convolution, has no counterpart")
    for key in ("sway", "rotate", "stretch", "stretch_sway", "coordconv"):
        if section.whole(key, 0):
            raise MissingError(f"{key} has no counterpart")
    if dilation > 1 and 2 * padding != size - 1:
        raise MissingError("darknet has no consistent output size for dilation unless the padding is (size - 1) / 2")
    if section.whole("xnor", 0) or section.whole("binary", 0):
        cfg.graph.dropped["binary weights (counted as float)"] += 1
    settings: dict[str, Any] = {"out": positive(section, "filters", 1), "kernel": size}
    settings |= {"stride": both(*[stride if given < 1 else given for given in strides])}
    settings |= {"pad": padding * dilation, "dilation": dilation}
    settings |= {"groups": 1 if section.whole("xnor", 0) else max(section.whole("groups", 1), 1)}
    return weighted(cfg, section, "conv", cfg.current, settings)


def weighted(cfg: Cfg, section: Section, type: str, source: Blob | None, settings: dict[str, Any]) -> Blob | None:
    """A layer with weights, then its normalisation and its activation. Normalisation replaces the bias."""
    norm = bool(section.whole("batch_normalize", 0) or section.whole("cbn", 0))
    defaults = {"stride": 1, "pad": 0, "dilation": 1, "groups": 1}
    settings = {key: value for key, value in settings.items() if defaults.get(key) != value}
    options: dict[str, Any] = {}
    norms: dict[str, Any] = {}
    shared = section.whole("share_index", -1_000_000_000)
    if shared != -1_000_000_000:
        shared = shared + cfg.index if shared < 0 else shared
        if shared not in cfg.owners and source is not None:
            raise WrongValueError(f"share_index: layer {shared} is no earlier convolution")
        owner = cfg.owners.get(shared, "")
        options["weights"], norms["weights"] = owner, owner.replace("conv", "batch_norm", 1)
    if norm:
        settings["bias"] = False
    blob = cfg.add(type, source, settings=settings, **options)
    if blob is not None:
        cfg.owners[cfg.index] = blob.name
    if norm:
        blob = cfg.add("batch_norm", blob, **norms)
    return activated(cfg, section, blob, "logistic")


def deconvolutional(cfg: Cfg, section: Section) -> Blob | None:
    size = positive(section, "size", 1)
    padding = size // 2 if section.whole("pad", 0) else section.whole("padding", 0)
    settings = {"out": positive(section, "filters", 1), "kernel": size, "stride": positive(section, "stride", 1)}
    return weighted(cfg, section, "conv_transpose", cfg.current, settings | {"pad": padding})


def local(cfg: Cfg, section: Section) -> Blob | None:
    """local_layer.c: ``pad`` is a number of positions, and the output size is that of 1 for a kernel of 3."""
    size, pad = positive(section, "size", 1), section.whole("pad", 0)
    if pad not in (0, 1) or (pad and size != 3):
        raise MissingError(f"darknet has no consistent output size for a local layer of size {size} and padding {pad}")
    settings = {"out": positive(section, "filters", 1), "kernel": size, "stride": positive(section, "stride", 1)}
    return weighted(cfg, section, "locally_connected", cfg.current, settings | {"pad": pad})


def connected(cfg: Cfg, section: Section) -> Blob | None:
    """connected_layer.c: reads all values of the map before it."""
    return weighted(cfg, section, "linear", vector(cfg), {"out": positive(section, "output", 1)})


def vector(cfg: Cfg) -> Blob | None:
    """The current map as a vector."""
    blob = cfg.current
    return cfg.add("flatten", blob) if blob is not None and blob.shape.axes else blob


def pooling(type: str) -> Callable[[Cfg, Section], Blob | None]:
    """maxpool_layer.c: ``padding`` is the sum of both sides, and the first window begins at -(padding / 2)."""

    def rule(cfg: Cfg, section: Section) -> Blob | None:
        stride = positive(section, "stride", 1)
        size = positive(section, "size", stride)
        padding = section.whole("padding", size - 1)
        strides = [section.whole(key, stride) for key in ("stride_y", "stride_x")]
        for key in ("maxpool_depth", "antialiasing"):
            if section.whole(key, 0):
                raise MissingError(f"{key} has no counterpart")
        settings: dict[str, Any] = {"kernel": size, "stride": both(*strides)}
        default = padding == size - 1 and (strides == [1, 1] or (size == 2 and strides == [2, 2]))
        if size > 1 and default:  # the same positions at every size of the map
            settings["pad"] = "same"
        elif padding:
            before, behind = padding // 2, padding - padding // 2
            settings["pad"] = before if before == behind else [[before, behind], [before, behind]]
        if type == "avg_pool" and settings.get("pad", "same") != "same":
            settings["count_include_pad"] = False
        return cfg.add(type, cfg.current, settings=settings)

    return rule


def reorg(cfg: Cfg, section: Section) -> Blob | None:
    """blas.c, reorg_cpu: the memory of the map, read as a quarter of the channels and twice the positions (stride 2)."""
    blob, s = cfg.current, positive(section, "stride", 1)
    extra = section.whole("extra", 0)
    if extra > 0:  # all values as a vector, and so many zeros behind them
        return cfg.add("pad_channels", vector(cfg), settings={"after": extra})
    for key in ("reverse", "flatten"):
        if section.whole(key, 0):
            raise MissingError(f"{key} has no counterpart")
    return reorganised(lambda *sources, settings: cfg.add("rearrange", *sources, settings=settings), blob, s)


def reorg3d(cfg: Cfg, section: Section) -> Blob | None:
    """reorg_layer.c: blocks of positions into the channels, the place in the block outermost."""
    s = positive(section, "stride", 1)
    if section.whole("reverse", 0):
        raise MissingError("reverse has no counterpart")
    return cfg.add("rearrange", cfg.current, settings={"pattern": f"c (h {s}) (w {s}) -> ({s} {s} c) h w"})


def route(cfg: Cfg, section: Section) -> Blob | None:
    """route_layer.c: maps one after the other; with ``groups``, one of the equal parts of each."""
    numbers, groups, group = section.wholes("layers"), max(section.whole("groups", 1), 1), section.whole("group_id", 0)
    if not numbers:
        raise WrongValueError("a route names layers")
    blobs = [cfg.output(number) for number in numbers]
    if groups > 1:
        blobs = [part(cfg, blob, groups, group) for blob in blobs]
    return blobs[0] if len(blobs) == 1 else cfg.add("concat", *blobs)


def part(cfg: Cfg, blob: Blob | None, groups: int, group: int) -> Blob | None:
    if blob is None:
        return None
    size = blob.shape.channels // groups
    if not 0 <= group < groups or size * groups != blob.shape.channels:
        raise WrongValueError(f"part {group} of {groups} of {blob.shape.channels} channels")
    edges = {"start": size * group} if group else {}
    return cfg.add("slice", blob, settings=edges | ({"stop": size * (group + 1)} if group + 1 < groups else {}))


def shortcut(cfg: Cfg, section: Section) -> Blob | None:
    """shortcut_layer.c: the map before, plus earlier maps; the output has the size of the map before."""
    numbers = section.wholes("from")
    if not numbers:
        raise WrongValueError("a shortcut names a layer in from=")
    if section.word("weights_type", "none") != "none":
        raise MissingError("a sum with trained factors (weights_type) has no counterpart")
    blobs = [cfg.current, *[cfg.output(number) for number in numbers]]
    unequal = len({blob.shape for blob in blobs if blob is not None}) > 1
    return activated(cfg, section, cfg.add("add", *blobs, settings={"unequal": True} if unequal else {}), "linear")


def gate(cfg: Cfg, section: Section) -> Blob | None:
    """scale_channels_layer.c, sam_layer.c: an earlier map times the map before."""
    numbers = section.wholes("from")
    if len(numbers) != 1:
        raise WrongValueError("names one layer in from=")
    return activated(cfg, section, cfg.add("multiply", cfg.output(numbers[0]), cfg.current), "linear")


def upsample(cfg: Cfg, section: Section) -> Blob | None:
    stride, scale = section.whole("stride", 2), section.number("scale", 1)
    if stride < 1:
        raise MissingError("a negative stride has no counterpart")
    blob = cfg.add("upsample", cfg.current, settings={"scale": stride})
    return blob if scale == 1 else cfg.add("scale", blob, settings={"factor": scale})


def softmax(cfg: Cfg, section: Section) -> Blob | None:
    """softmax_layer.c: over all values, unless ``spatial``."""
    blob = cfg.current
    if section.word("tree"):
        cfg.graph.dropped["softmax along a tree"] += 1
        return blob
    if section.whole("groups", 1) > 1:
        raise MissingError("a softmax in groups has no counterpart")
    if blob is not None and not section.number("spatial", 0) and any(n > 1 for n in blob.shape.axes):
        blob = vector(cfg)
    return cfg.add("softmax", blob)


def lrn(cfg: Cfg, section: Section) -> Blob | None:
    alpha, beta = section.number("alpha", 0.0001), section.number("beta", 0.75)
    settings = {"size": positive(section, "size", 5), "alpha": alpha, "beta": beta, "k": section.number("kappa", 1)}
    return cfg.add("lrn", cfg.current, settings=settings)


def dropout(cfg: Cfg, section: Section) -> Blob | None:
    p = section.number("probability", 0.5)
    return cfg.add("dropout", cfg.current, settings={} if p == 0.5 else {"p": p})


RULES: dict[str, Callable[[Cfg, Section], Blob | None]] = {
    "convolutional": convolutional,
    "deconvolutional": deconvolutional,
    "connected": connected,
    "local": local,
    "maxpool": pooling("max_pool"),
    "local_avgpool": pooling("avg_pool"),
    "avgpool": lambda cfg, section: cfg.add("global_avg_pool", cfg.current),
    "reorg": reorg,
    "reorg3d": reorg3d,
    "route": route,
    "shortcut": shortcut,
    "scale_channels": gate,
    "sam": gate,
    "upsample": upsample,
    "softmax": softmax,
    "normalization": lrn,
    "batchnorm": lambda cfg, section: cfg.add("batch_norm", cfg.current),
    "dropout": dropout,
    "activation": lambda cfg, section: activated(cfg, section, cfg.current, "linear"),
    "l2norm": lambda cfg, section: cfg.add("l2_norm", cfg.current),
}
SHORT = {"conv": "convolutional", "deconv": "deconvolutional", "conn": "connected", "max": "maxpool", "avg": "avgpool"}
SHORT |= {"local_avg": "local_avgpool", "lrn": "normalization", "soft": "softmax"}
RULES |= {short: RULES[kind] for short, kind in SHORT.items()}

MISSING = {
    "rnn": "a recurrent layer",
    "gru": "a recurrent layer",
    "lstm": "a recurrent layer",
    "crnn": "a recurrent layer",
    "conv_lstm": "a recurrent layer",
    "history": "a history of frames",
    "implicit": "a map of trained numbers",
}
"""What has no counterpart, by the kind of a section."""
