"""The names of layers, settings and keys in other tools. Only the messages for unknown names use them.

A known name with the same letters comes first, then the name in these tables. For a layer that archcalc does not have,
the message says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from archcalc.errors import clipped, nearest, unknown

WHERE = "docs/spec.md and archcalc schema list the layers"

LAYERS: Mapping[str, str] = {
    # name in other tools (small letters, no signs, no 1d, 2d, 3d): name in archcalc
    **dict.fromkeys(("dense", "fc", "fullyconnected", "innerproduct", "affine", "gemm"), "linear"),
    **dict.fromkeys(("convolution", "convolutional", "depthwiseconv", "dwconv", "separableconv"), "conv"),
    **dict.fromkeys(("pointwise", "pointwiseconv", "groupconv", "dilatedconv", "atrousconv"), "conv"),
    **dict.fromkeys(("deconv", "deconvolution", "convtransposed", "transposeconv", "transposedconv"), "conv_transpose"),
    **dict.fromkeys(("upconv", "upconvolution"), "conv_transpose"),
    **dict.fromkeys(
        ("local", "localconv", "convlocal", "spatialconvolutionlocal", "unsharedconv"), "locally_connected"
    ),
    **dict.fromkeys(("bn", "batchnorm", "batchnormalization", "batchnormalisation", "syncbn"), "batch_norm"),
    **dict.fromkeys(("frozenbatchnorm", "frozenbn"), "batch_norm"),
    **dict.fromkeys(("ln", "layernormalization", "layernormalisation"), "layer_norm"),
    **dict.fromkeys(("rmsnormalization", "rmsnormalisation"), "rms_norm"),
    **dict.fromkeys(("normalize", "normalise", "l2normalize"), "l2_norm"),
    **dict.fromkeys(("gn", "groupnormalization", "groupnormalisation"), "group_norm"),
    **dict.fromkeys(("instancenormalization", "instancenormalisation"), "instance_norm"),
    **dict.fromkeys(("localresponsenorm", "localresponsenormalization"), "lrn"),
    **dict.fromkeys(("maxpool", "maxpooling", "pool", "pooling", "mp"), "max_pool"),
    **dict.fromkeys(("avgpool", "averagepool", "averagepooling", "avgpooling", "meanpool"), "avg_pool"),
    **dict.fromkeys(("gap", "globalavgpooling", "globalaveragepool", "globalaveragepooling"), "global_avg_pool"),
    **dict.fromkeys(("roi", "regionofinterest", "multiscaleroialign", "cropandresize"), "roi_align"),
    **dict.fromkeys(("roipooling", "roimaxpool"), "roi_pool"),
    **dict.fromkeys(("psroipooling", "psroialign", "positionsensitiveroipool"), "ps_roi_pool"),
    **dict.fromkeys(("globalpool", "globalpooling", "meanpooling"), "global_avg_pool"),
    **dict.fromkeys(("adaptivepool", "adaptiveaveragepool", "adaptiveaveragepooling"), "adaptive_avg_pool"),
    **dict.fromkeys(("gmp", "globalmaxpooling"), "global_max_pool"),
    **dict.fromkeys(("adaptivemaxpooling",), "adaptive_max_pool"),
    **dict.fromkeys(("reducemean", "reducesum", "reducemax", "reduction", "amax", "channelpool"), "reduce"),
    **dict.fromkeys(("skip", "skipconnection", "residual", "residualconnection", "shortcut"), "add"),
    **dict.fromkeys(("sum", "plus", "addition", "eltwise", "elementwise", "elementwiseadd", "elemadd"), "add"),
    **dict.fromkeys(("cat", "concatenate", "concatenation", "route", "join", "merge", "stack"), "concat"),
    **dict.fromkeys(("mul", "times", "product", "elementwisemul", "gate", "gating"), "multiply"),
    **dict.fromkeys(("selfattention", "multiheadattention", "multiheadselfattention", "mha", "mhsa"), "attention"),
    **dict.fromkeys(("gridsampler", "spatialtransformer", "stn", "warp", "remap", "bilinearsampler"), "grid_sample"),
    **dict.fromkeys(("bmm", "dot", "matrixproduct", "matrixmultiply", "einsum"), "matmul"),
    **dict.fromkeys(("crossattention", "scaleddotproductattention", "sdpa"), "attention"),
    **dict.fromkeys(("positionembedding", "positionalembedding", "posembed", "positional"), "position"),
    **dict.fromkeys(("param", "constant", "buffer", "query", "learned", "trainedmap", "sincos"), "parameter"),
    **dict.fromkeys(("index", "gather", "take", "lookup", "indexselect"), "index_select"),
    **dict.fromkeys(("clstoken", "cls", "registertokens", "distillationtoken"), "class_token"),
    **dict.fromkeys(("sub", "minus", "difference", "subtraction"), "subtract"),
    **dict.fromkeys(("div", "quotient", "division", "truediv"), "divide"),
    **dict.fromkeys(("max", "elementwisemax"), "maximum"),
    **dict.fromkeys(("min", "elementwisemin"), "minimum"),
    **dict.fromkeys(("average", "avg"), "mean"),
    **dict.fromkeys(("view", "reshape", "tovector"), "flatten"),
    **dict.fromkeys(("swish",), "silu"),
    **dict.fromkeys(("hswish",), "hard_swish"),
    **dict.fromkeys(("hsigmoid",), "hard_sigmoid"),
    **dict.fromkeys(("clamp", "clip"), "hard_tanh"),
    **dict.fromkeys(("abs", "absval", "absolute", "exp", "exponential", "log", "logarithm"), "math"),
    **dict.fromkeys(
        ("sqrt", "squareroot", "sin", "sine", "cos", "cosine", "square", "pow", "power", "maths", "unary"), "math"
    ),
    **dict.fromkeys(("lrelu", "leaky"), "leaky_relu"),
    **dict.fromkeys(("logistic", "sigm"), "sigmoid"),
    **dict.fromkeys(("rectifier", "rectifiedlinear"), "relu"),
    **dict.fromkeys(("drop", "spatialdropout"), "dropout"),
    **dict.fromkeys(("droppath", "stochasticdepth", "dropconnect"), "drop_path"),
    **dict.fromkeys(("interpolate", "resize", "upsampling", "bilinear", "bicubic"), "upsample"),
    **dict.fromkeys(("unpooling", "maxunpool", "maxunpooling"), "unpool"),
    **dict.fromkeys(("zeropad", "zeropadding", "padding", "reflectionpad", "replicationpad", "circularpad"), "pad"),
    **dict.fromkeys(("cropping", "centercrop", "narrow"), "crop"),
    **dict.fromkeys(("noop", "passthrough", "nothing"), "identity"),
    **dict.fromkeys(("shuffle", "shufflechannels"), "channel_shuffle"),
    **dict.fromkeys(("permute", "transpose", "einops", "reorg"), "rearrange"),
    **dict.fromkeys(("im2col", "extractpatches", "unfolding"), "unfold"),
    **dict.fromkeys(("col2im", "folding"), "fold"),
    **dict.fromkeys(("depthtospace", "subpixel"), "pixel_shuffle"),
    **dict.fromkeys(("pixelunshuffle", "patchify"), "space_to_depth"),
    **dict.fromkeys(("cyclicshift", "shift"), "roll"),
    **dict.fromkeys(("repeat", "tile", "broadcast", "repeatpositions"), "expand"),
    **dict.fromkeys(("tokens", "sequence"), "to_tokens"),
    **dict.fromkeys(("windowpartition", "partition"), "windows"),
    **dict.fromkeys(("windowreverse", "unwindow"), "from_windows"),
    **dict.fromkeys(("split", "chunk"), "slice"),
}

MISSING = frozenset(
    # well-known layers that archcalc does not have
    [
        "transformer",
        "transformerencoder",
        "transformerblock",
        "encoder",
        "decoder",
        "embedding",
        "embed",
        "positionalencoding",
        "patchembed",
        "patchembedding",
        "lstm",
        "gru",
        "rnn",
        "bilstm",
        "convlstm",
        "recurrent",
        "celu",
        "softsign",
        "softshrink",
        "hardshrink",
        "geglu",
        "swiglu",
        "maxout",
        "spectralnorm",
        "spectralnormalization",
        "spectralnormalisation",
        "lppool",
        "fractionalmaxpool",
        "deformableconv",
        "deformconv",
        "graphconv",
        "gcn",
        "spp",
        "capsule",
        "argmax",
        "nms",
        "detect",
        "detection",
        "loss",
        "crossentropy",
    ]
)

SETTINGS: Mapping[str, tuple[str, ...]] = {
    # name in other tools: candidates in archcalc; the first setting that the layer has is used
    **dict.fromkeys(("kernelsize", "ksize", "size", "filtersize", "poolsize", "window", "k", "kernels"), ("kernel",)),
    **dict.fromkeys(("filters", "nfilters", "outchannels", "channels", "numoutput", "units", "width"), ("out",)),
    **dict.fromkeys(("outfeatures", "features", "numfilters", "neurons", "outdim", "depth", "planes"), ("out",)),
    **dict.fromkeys(("outputsize", "output"), ("out", "size")),
    **dict.fromkeys(("padding", "pads", "paddings"), ("pad",)),
    **dict.fromkeys(("paddingmode", "padtype", "padmode"), ("pad_mode", "mode")),
    **dict.fromkeys(("strides", "step", "subsample"), ("stride",)),
    **dict.fromkeys(("dilations", "dilationrate", "rate", "atrous"), ("dilation", "p")),
    **dict.fromkeys(("group", "numgroups", "ngroups"), ("groups",)),
    **dict.fromkeys(("usebias", "biasterm", "hasbias", "biases"), ("bias",)),
    **dict.fromkeys(("outputpadding",), ("output_pad",)),
    **dict.fromkeys(("normweight", "normalizeweights", "normaliseweights", "parametrization"), ("weight_norm",)),
    **dict.fromkeys(("prob", "dropprob", "probability", "droprate", "dropoutratio", "ratio"), ("p",)),
    **dict.fromkeys(("negativeslope", "alpha", "leak"), ("slope",)),
    **dict.fromkeys(("scalefactor", "factor", "times"), ("scale",)),
    **dict.fromkeys(("interpolation", "method", "type"), ("mode",)),
    **dict.fromkeys(("epsilon",), ("eps",)),
    **dict.fromkeys(("dim", "dims", "normalizedshape"), ("axis",)),
    **dict.fromkeys(("normregion", "withinchannel", "acrossspatial"), ("axis",)),
    **dict.fromkeys(("channelshared",), ("per_channel",)),
    **dict.fromkeys(("relpos", "relativeposition", "relativepositions"), ("relative", "bias")),
    **dict.fromkeys(("ceil", "rounding"), ("ceil_mode",)),
    **dict.fromkeys(("inplanes", "begin", "from"), ("start",)),
    **dict.fromkeys(("end",), ("stop",)),
}
COMPUTED: Mapping[str, str] = {
    # layers and settings in other tools: what the setting weight_norm says of them
    **dict.fromkeys(("weightnorm", "weightnormalization", "weightnormalisation", "wn"), "channels"),
    **dict.fromkeys(("weightstandardization", "weightstandardisation", "weightstandardized", "ws"), "standardised"),
    **dict.fromkeys(("stdconv", "wsconv", "standardizedconv", "standardisedconv"), "standardised"),
    **dict.fromkeys(("scaledstdconv", "scaledwsconv", "scaledweightstandardization"), "scaled"),
}
INFERRED = frozenset(
    ["inchannels", "infeatures", "inputchannels", "inputdim", "inputshape", "inputsize", "numinput", "cin"]
)
SEPARATE = frozenset(["activation", "act", "nonlinearity", "norm", "normalization", "batchnorm", "bn"])

OPTIONS: Mapping[str, str] = {
    **dict.fromkeys(("repeats", "count", "n", "number", "num", "loop", "for"), "repeat"),
    **dict.fromkeys(("if", "condition", "only", "unless"), "when"),
    **dict.fromkeys(("input", "inputs", "bottom", "source", "sources", "inboundnodes"), "from"),
    **dict.fromkeys(("id", "top", "call", "called"), "name"),
    **dict.fromkeys(("share", "shared", "shares", "weight", "tied"), "weights"),
    **dict.fromkeys(("counter", "index", "var"), "as"),
    **dict.fromkeys(("trainable", "frozen", "freeze", "requiresgrad", "lrmult"), "trained"),
}

KEYS: Mapping[str, str] = {
    **dict.fromkeys(("net", "model", "architecture", "backbone", "head", "body", "steps", "sequence"), "layers"),
    **dict.fromkeys(("inputshape", "inputsize", "shape", "inputdim", "image"), "input"),
    **dict.fromkeys(("parameters", "args", "config", "settings", "hyperparameters", "variables"), "params"),
    **dict.fromkeys(("modules", "functions", "definitions", "defs"), "blocks"),
    **dict.fromkeys(("name", "label"), "title"),
    **dict.fromkeys(("description", "comment", "notes"), "note"),
    **dict.fromkeys(("models", "variants", "nets"), "networks"),
}


def plain(name: str) -> str:
    """A name as the tables spell it: small letters, no signs, no number of axes.

    >>> plain("nn.MaxPool2d"), plain("batch_normalization"), plain("kernel-size")
    ('maxpool', 'batchnormalization', 'kernelsize')
    """
    return re.sub(r"[^a-z0-9]|[123]d$", "", re.sub(r"layer$", "", name[:80].rpartition(".")[2].lower()))


def unknown_layer(name: str, known: Iterable[str], what: str = "layer or block") -> str:
    """The sentence for a layer or block that does not exist.

    >>> unknown_layer("dense", ["linear", "conv"])
    "unknown layer or block 'dense'; did you mean 'linear'?"
    >>> unknown_layer("lstm", ["linear", "conv"])
    "archcalc has no layer 'lstm'; docs/spec.md and archcalc schema list the layers"
    """
    known = list(known)
    meant = _meant(plain(name), LAYERS.get(plain(name)), known)
    if meant is None and plain(name) in COMPUTED:
        value = COMPUTED[plain(name)]
        of = "conv and linear" if value == "channels" else "conv"
        return f"archcalc has no layer {clipped(name, 60)!r}; it is a setting of {of}: weight_norm: {value}"
    if meant is None and plain(name) in MISSING:
        return f"archcalc has no layer {clipped(name, 60)!r}; {WHERE}"
    meant = meant or nearest(name, known)
    if meant is not None:
        return f"unknown {what} {clipped(name, 60)!r}; did you mean {clipped(meant, 60)!r}?"
    return f"unknown {what} {clipped(name, 60)!r}; {WHERE}"


def unknown_setting(what: str, name: str, known: Iterable[str]) -> str:
    """The sentence for a setting that a layer or block does not have.

    >>> unknown_setting("conv", "kernel_size", ["out", "kernel"])
    "unknown setting of conv 'kernel_size'; did you mean 'kernel'?"
    """
    known = list(known)
    word = plain(name)
    meant = next((one for one in SETTINGS.get(word, ()) if one in known), None)
    meant = _meant(word, meant, known)
    if meant is None and word in COMPUTED and "weight_norm" in known:
        meant = f"weight_norm: {COMPUTED[word]}"
    if meant is None and word.startswith("spectralnorm"):
        return f"{what} has no setting {clipped(name, 60)!r}; archcalc has no spectral normalisation"
    if meant is None and word in INFERRED:
        return f"{what} has no setting {clipped(name, 60)!r}; what reaches a layer is inferred, and never written"
    if meant is None and word in SEPARATE:
        return f"{what} has no setting {clipped(name, 60)!r}; it is a layer of its own, with a dash of its own"
    if meant is not None:
        return f"unknown setting of {what} {clipped(name, 60)!r}; did you mean {clipped(meant, 60)!r}?"
    return unknown(f"setting of {what}", name, known)


def unknown_option(name: str, layers: Iterable[str], options: Iterable[str]) -> str:
    """The sentence for a key of a step that is not a layer, a block or an option."""
    options = list(options)
    meant = _meant(plain(name), OPTIONS.get(plain(name)), options)
    if meant is not None:
        return f"unknown layer, block or option {clipped(name, 60)!r}; did you mean {meant!r}?"
    return unknown_layer(name, [*layers, *options], "layer, block or option")


def unknown_key(what: str, name: str, known: Iterable[str]) -> str:
    """The sentence for a key that a spec, network or block does not have."""
    known = list(known)
    meant = _meant(plain(name), KEYS.get(plain(name)), known)
    if meant is not None:
        return f"unknown key of {what} {clipped(name, 60)!r}; did you mean {clipped(meant, 60)!r}?"
    return unknown(f"key of {what}", name, known)


def _meant(word: str, meant: str | None, known: list[str]) -> str | None:
    """The known name with the same letters, signs left out; else ``meant``, if ``meant`` is a known name."""
    return next((one for one in known if plain(one) == word and word), meant if meant in known else None)
