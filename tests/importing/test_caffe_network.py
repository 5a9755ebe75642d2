"""Layers of Caffe as layers of a spec. The sizes follow the rules of Caffe's source."""

from __future__ import annotations

import math

import pytest

from archcalc import analyze
from archcalc.errors import ArchcalcError
from tests.importing.files import DATA, LENET, caffe, layer


def conv(more: str) -> str:
    return f"convolution_param {{ {more} }}"


def pool(more: str) -> str:
    return f"pooling_param {{ {more} }}"


def test_a_network() -> None:
    """The layers of TEST; pooling rounds up; BatchNorm and Scale are one layer; losses and metrics are dropped."""
    net = caffe(LENET)
    assert (net.title, str(net.input)) == ("small LeNet", "1x28x28")
    assert [(node.name, node.layer.type, str(node.shape)) for node in net.after_inputs] == [
        ("conv1", "conv", "6x24x24"),
        ("pool1", "max_pool", "6x12x12"),
        ("bn1", "batch_norm", "6x12x12"),
        ("relu1", "relu", "6x12x12"),
        ("ip1/flatten", "flatten", "864"),
        ("ip1", "linear", "10"),
    ]
    assert analyze(net).totals.params == 6 * 25 + 6 + 12 + 8640 + 10
    assert net.notes == [
        "import: parameters complete, multiply-adds complete, dropped: 1 layer of the phase TRAIN, Data, Accuracy, "
        "SoftmaxWithLoss"
    ]


@pytest.mark.parametrize(
    ("text", "type", "settings", "shape"),
    [
        (layer("Convolution", "data", "a", conv("num_output: 4 kernel_size: 3")), "conv", {"stride": 1, "bias": True}, "4x11x10"),
        (layer("Convolution", "data", "a", conv("num_output: 4 kernel_h: 1 kernel_w: 5 pad_w: 2 bias_term: false")), "conv", {"kernel": (1, 5), "pad": (0, 2), "bias": False}, "4x13x12"),
        (layer("Convolution", "data", "a", conv("num_output: 4 kernel_size: 3 kernel_size: 2 stride: 2")), "conv", {"kernel": (3, 2), "stride": 2}, "4x6x6"),
        (layer("Convolution", "data", "a", conv("num_output: 4 kernel_size: 3 dilation: 2 pad: 2 group: 4")), "conv", {"dilation": 2, "groups": 4}, "4x13x12"),
        (layer("ConvolutionDepthwise", "data", "a", conv("num_output: 8 kernel_size: 3 pad: 1")), "conv", {"groups": 8}, "8x13x12"),
        (layer("Deconvolution", "data", "a", conv("num_output: 8 kernel_size: 4 stride: 2 pad: 1 group: 8")), "conv_transpose", {"groups": 8}, "8x26x24"),
        (layer("Pooling", "data", "a", pool("kernel_size: 3 stride: 2")), "max_pool", {"ceil_mode": "caffe"}, "8x6x6"),
        (layer("Pooling", "data", "a", pool("kernel_size: 3 stride: 2 round_mode: FLOOR")), "max_pool", {"ceil_mode": False}, "8x6x5"),
        (layer("Pooling", "data", "a", pool("kernel_size: 2 stride: 2 pad: 1")), "max_pool", {"pad": 1}, "8x7x7"),
        (layer("Pooling", "data", "a", pool("kernel_size: 2 stride: 3 pad: 1")), "max_pool", {"pad": 1}, "8x5x5"),
        (layer("Pooling", "data", "a", pool("pool: AVE kernel_size: 3 stride: 2 pad: 1")), "avg_pool", {"count_include_pad": None}, "8x7x7"),
        (layer("Pooling", "data", "a", pool("pool: AVE global_pooling: true")), "global_avg_pool", {}, "8x1x1"),
        (layer("Pooling", "data", "a", pool("global_pooling: true")), "global_max_pool", {}, "8x1x1"),
        (layer("InnerProduct", "data", "a", "inner_product_param { num_output: 5 bias_term: false }"), "linear", {"bias": False}, "5"),
        (layer("ReLU", "data", "a", "relu_param { negative_slope: 0.1 }"), "leaky_relu", {"slope": 0.1}, "8x13x12"),
        (layer("PReLU", "data", "a", "prelu_param { channel_shared: true }"), "prelu", {"per_channel": False}, "8x13x12"),
        (layer("ELU", "data", "a"), "elu", {"alpha": 1}, "8x13x12"),
        (layer("BNLL", "data", "a"), "softplus", {}, "8x13x12"),
        (layer("TanH", "data", "a"), "tanh", {}, "8x13x12"),
        (layer("Power", "data", "a", "power_param { scale: 2 shift: 1 }"), "scale", {"factor": 2, "shift": 1}, "8x13x12"),
        (layer("Power", "data", "a", "power_param { power: 2 }"), "math", {"function": "power", "exponent": 2}, "8x13x12"),
        (layer("AbsVal", "data", "a"), "math", {"function": "abs"}, "8x13x12"),
        (layer("Exp", "data", "a"), "math", {"function": "exp"}, "8x13x12"),
        (layer("Log", "data", "a"), "math", {"function": "log"}, "8x13x12"),
        (layer("Log", "data", "a", "log_param { base: 2 }"), "scale", {"factor": 1.4426950408889634}, "8x13x12"),
        (layer("Reduction", "data", "a", "reduction_param { axis: 1 }"), "reduce", {"by": "sum", "axis": "channels"}, "1"),
        (layer("Reduction", "data", "a", "reduction_param { axis: 2 operation: MEAN }"), "flatten", {}, "8"),
        (layer("Reduction", "data", "a", "reduction_param { axis: -2 operation: ASUM coeff: 0.5 }"), "scale", {"factor": 0.5}, "8"),
        (layer("MVN", "data", "a"), "instance_norm", {"affine": False, "eps": 1e-18}, "8x13x12"),
        (layer("MVN", "data", "a", "mvn_param { across_channels: true eps: 0.001 }"), "layer_norm", {"axis": "all", "affine": False, "eps": 1e-6}, "8x13x12"),
        (layer("MVN", "data", "a", "mvn_param { normalize_variance: false }"), "subtract", {}, "8x13x12"),
        (layer("Dropout", "data", "a", "dropout_param { dropout_ratio: 0.4 }"), "dropout", {"p": 0.4}, "8x13x12"),
        (layer("LRN", "data", "a", "lrn_param { alpha: 0.0001 }"), "lrn", {"size": 5, "alpha": 2e-05, "beta": 0.75, "k": 1}, "8x13x12"),
        (layer("LRN", "data", "a"), "lrn", {"alpha": 0.2, "k": 1}, "8x13x12"),
        (layer("LRN", "data", "a", "lrn_param { norm_region: WITHIN_CHANNEL local_size: 3 alpha: 0.0009 k: 2 }"), "lrn", {"size": 3, "alpha": 0.0001, "k": 1, "axis": "positions"}, "8x13x12"),
        (layer("BatchNorm", "data", "a", "batch_norm_param { eps: 0.001 }"), "batch_norm", {"affine": False, "eps": 0.001}, "8x13x12"),
        (layer("BN", "data", "a"), "batch_norm", {"affine": True}, "8x13x12"),
        (layer("Scale", "data", "a", "scale_param { bias_term: true }"), "layer_scale", {"init": 1, "bias": True}, "8x13x12"),
        (layer("Scale", "data data", "a"), "multiply", {}, "8x13x12"),
        (layer("Softmax", "data", "a", "softmax_param { axis: 3 }"), "softmax", {"axis": "last"}, "8x13x12"),
        (layer("Normalize", "data", "a", "norm_param { across_spatial: false channel_shared: false scale_filler { value: 20 } }"), "l2_norm", {"scale": True, "init": 20}, "8x13x12"),
        (layer("Normalize", "data", "a"), "l2_norm", {"axis": "all", "scale": True, "per_channel": False, "init": 1}, "8x13x12"),
        (layer("Normalize", "data", "a", "norm_param { channel_shared: false }"), "l2_norm", {"axis": "all", "per_channel": True}, "8x13x12"),
        (layer("Eltwise", "data data", "a"), "add", {}, "8x13x12"),
        (layer("Eltwise", "data data", "a", "eltwise_param { operation: PROD }"), "multiply", {}, "8x13x12"),
        (layer("Eltwise", "data data", "a", "eltwise_param { operation: MAX }"), "maximum", {}, "8x13x12"),
        (layer("Eltwise", "data data", "a", "eltwise_param { coeff: 1 coeff: -1 }"), "subtract", {}, "8x13x12"),
        (layer("Concat", "data data", "a"), "concat", {}, "16x13x12"),
        (layer("Concat", "data data", "a", "concat_param { axis: 2 }"), "concat", {"axis": "height"}, "8x26x12"),
        (layer("Flatten", "data", "a"), "flatten", {}, "1248"),
        (layer("Reshape", "data", "a", "reshape_param { shape { dim: 0 dim: 2 dim: -1 dim: 0 } }"), "rearrange", {"pattern": "(2 4) h w -> 2 (4 h) w"}, "2x52x12"),
        (layer("Reshape", "data", "a", "reshape_param { shape { dim: 0 dim: -1 } }"), "flatten", {}, "1248"),
        (layer("Permute", "data", "a", "permute_param { order: [0, 2, 3, 1] }"), "rearrange", {"pattern": "c h w -> h w c"}, "13x12x8"),
        (layer("ShuffleChannel", "data", "a", "shuffle_channel_param { group: 4 }"), "channel_shuffle", {"groups": 4}, "8x13x12"),
        (layer("Interp", "data", "a", "interp_param { zoom_factor: 2 }"), "upsample", {"size": (25, 23), "align_corners": True}, "8x25x23"),
        (layer("Interp", "data", "a", "interp_param { height: 20 width: 20 }"), "upsample", {"size": 20, "mode": "bilinear"}, "8x20x20"),
    ],
)  # fmt: skip
def test_a_layer(text: str, type: str, settings: dict[str, object], shape: str) -> None:
    node = caffe(DATA + layer("Dropout", "data", "data") + text).nodes[-1]
    assert (node.layer.type, str(node.shape)) == (type, shape)
    assert {key: node.layer.settings[key] for key in settings} == settings


def shapes(text: str) -> list[tuple[str, str]]:
    return [(node.name, str(node.shape)) for node in caffe(DATA + text).after_inputs]


def test_layers_with_several_outputs() -> None:
    sliced = layer("Slice", "data", "a b c", "slice_param { slice_point: 2 slice_point: 3 }")
    assert shapes(sliced) == [("a/1", "2x13x12"), ("a/2", "1x13x12"), ("a/3", "5x13x12")]
    assert shapes(layer("Slice", "data", "a b")) == [("a/1", "4x13x12"), ("a/2", "4x13x12")]
    split = layer("Split", "data", "a b") + layer("Eltwise", "a b", "sum")
    assert shapes(split) == [("sum", "8x13x12")]


def test_coefficients_of_a_sum() -> None:
    text = layer("ReLU", "data", "a") + layer("Eltwise", "data a", "sum", "eltwise_param { coeff: 1 coeff: 0.5 }")
    nodes = caffe(DATA + text).after_inputs
    assert [(node.name, node.layer.type) for node in nodes] == [("a", "relu"), ("sum/scale2", "scale"), ("sum", "add")]


def test_a_gate_with_a_sum() -> None:
    """Axpy: a factor for each channel, times a map, plus a map."""
    text = layer("Pooling", "data", "gate", pool("pool: AVE global_pooling: true")) + layer(
        "Axpy", "gate data data", "out"
    )
    assert [node.layer.type for node in caffe(DATA + text).after_inputs] == ["global_avg_pool", "multiply", "add"]


def test_unpooling_uses_the_indices_of_its_pooling() -> None:
    text = layer("Pooling", "data", "pool mask", pool("kernel_size: 2 stride: 2")) + layer(
        "Upsample", "pool mask", "up"
    )
    assert shapes(text) == [("pool", "8x7x6"), ("up", "8x13x12")]


def test_a_crop_to_another_map() -> None:
    text = layer("Convolution", "data", "small", conv("num_output: 2 kernel_size: 4")) + layer(
        "Crop", "data small", "crop", "crop_param { offset: 1 }"
    )
    node = caffe(DATA + text).nodes[-1]
    assert (str(node.shape), node.layer.settings["offset"]) == ("8x10x9", 1)


def test_a_blob_is_the_last_that_was_written() -> None:
    text = layer("Convolution", "data", "a", conv("num_output: 4 kernel_size: 1"))
    text += 'layer { name: "r" type: "ReLU" bottom: "a" top: "a" }\n' + layer("Sigmoid", "a", "b")
    net = caffe(DATA + text)
    assert [net.nodes[i].name for i in net.nodes[-1].inputs] == ["r"]
    assert [node.storage for node in net.after_inputs] == ["new", "in_place", "in_place"]


def test_a_layer_whose_input_is_read_twice_does_not_write_over_it() -> None:
    text = layer("Convolution", "data", "a", conv("num_output: 8 kernel_size: 1"))
    text += layer("ReLU", "a", "b") + layer("Eltwise", "a b", "sum")
    assert [node.storage for node in caffe(DATA + text).after_inputs] == ["new", "new", "new"]


def test_batch_norm_and_scale_are_one_layer_where_nothing_reads_between_them() -> None:
    norm = layer("BatchNorm", "data", "bn")
    scale = layer("Scale", "bn", "s", "scale_param { bias_term: true }")
    assert [node.layer.type for node in caffe(DATA + norm + scale).after_inputs] == ["batch_norm"]
    assert caffe(DATA + norm + scale).nodes[-1].layer.settings["affine"] is True
    read = norm + scale + layer("Eltwise", "bn s", "sum")
    assert [node.layer.type for node in caffe(DATA + read).after_inputs] == ["batch_norm", "layer_scale", "add"]
    factor = norm + layer("Scale", "bn", "s")
    assert [node.layer.type for node in caffe(DATA + factor).after_inputs] == ["batch_norm", "layer_scale"]


def test_weights_shared_by_name_and_frozen_weights() -> None:
    named = 'param { name: "w" } param { name: "b" } inner_product_param { num_output: 5 }'
    text = layer("InnerProduct", "data", "a", named) + layer("InnerProduct", "data", "b", named)
    net = caffe(DATA + text)
    assert [net.nodes[n.shares].name for n in net.after_inputs if n.shares is not None] == ["a"]
    frozen = layer(
        "Convolution", "data", "a", "param { lr_mult: 0 } param { lr_mult: 0.0 }" + conv("num_output: 4 kernel_size: 1")
    )
    assert caffe(DATA + frozen).nodes[-1].trained is False
    part = layer("InnerProduct", "data", "a", named) + layer("InnerProduct", "data", "b", named.replace('"b"', '"c"'))
    with pytest.raises(ArchcalcError, match="shares a part of its weights"):
        caffe(DATA + part)


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        ("", ["a"]),
        ("include { phase: TEST }", ["a"]),
        ("include { phase: TRAIN }", []),
        ("exclude { phase: TEST }", []),
        ("exclude { phase: TRAIN }", ["a"]),
        ("include { phase: TRAIN } include { phase: TEST }", ["a"]),
        ('include { stage: "deploy" }', []),
        ('include { not_stage: "deploy" }', ["a"]),
        ("include { min_level: 1 }", []),
    ],
)
def test_phases(rules: str, names: list[str]) -> None:
    net = caffe(DATA + layer("ReLU", "data", "a", rules) + layer("Sigmoid", "data", "b"))
    assert [node.name for node in net.after_inputs] == [*names, "b"]


def test_a_file_for_training_alone() -> None:
    text = 'layer { name: "data" type: "Data" top: "data" include { phase: TRAIN } transform_param { crop_size: 8 } }'
    assert str(caffe(text + layer("ReLU", "data", "a")).input) == "3x8x8"


@pytest.mark.parametrize(
    ("inputs", "size"),
    [
        ('input: "data" input_dim: 1 input_dim: 3 input_dim: 9 input_dim: 8\n', "3x9x8"),
        ('input: "data" input_shape { dim: [10, 7] }\n', "7"),
        ('layer { name: "x" type: "Input" top: "data" input_param { shape { dim: [1, 3, 9, 8] } } }\n', "3x9x8"),
        ('layer { name: "x" type: "DummyData" top: "data" dummy_data_param { shape { dim: [1, 3, 4, 9, 8] } } }\n', "3x4x9x8"),
        ('layer { name: "x" type: "MemoryData" top: "data" top: "label" memory_data_param { batch_size: 1 channels: 3 height: 9 width: 8 } }\n', "3x9x8"),
        ('layer { name: "x" type: "ImageData" top: "data" image_data_param { new_height: 9 new_width: 8 } }\n', "3x9x8"),
        ('layers { name: "x" type: DATA top: "data" top: "label" data_param { crop_size: 9 } }\n', "3x9x9"),
    ],
)  # fmt: skip
def test_inputs(inputs: str, size: str) -> None:
    assert str(caffe(inputs + layer("Sigmoid", "data", "a")).input) == size


def test_an_input_without_a_size() -> None:
    text = 'layer { name: "x" type: "HDF5Data" top: "data" }' + layer("Sigmoid", "data", "a")
    with pytest.raises(ArchcalcError, match="does not say the size of the input data; --input CxHxW gives it"):
        caffe(text)
    assert str(caffe(text, input=(3, 8, 9)).nodes[-1].shape) == "3x8x9"


def test_several_inputs_and_labels() -> None:
    text = 'input: "a" input: "b" input: "im_info" input_dim: [1, 2, 5, 5, 1, 3, 5, 5, 1, 3, 1, 1]\n'
    net = caffe(text + layer("Concat", "b a", "c") + layer("SoftmaxWithLoss", "c im_info", "loss"))
    assert {name: str(shape) for name, shape in net.inputs.items()} == {"a": "2x5x5", "b": "3x5x5"}


def test_regions() -> None:
    """A detector: the boxes come from outside, and what reads them runs for every region."""
    text = layer("Convolution", "data", "rpn", conv("num_output: 4 kernel_size: 1"))
    text += layer("Python", "rpn", "rois", "python_param { module: 'rpn.proposal_layer' layer: 'ProposalLayer' }")
    text += layer("ROIPooling", "data rois", "pool", "roi_pooling_param { pooled_h: 7 pooled_w: 7 }")
    text += layer("InnerProduct", "pool", "score", "inner_product_param { num_output: 21 }")
    net = caffe(DATA + text)
    assert [(node.name, node.regions, str(node.shape)) for node in net.after_inputs][1:] == [
        ("pool", 300, "8x7x7"),
        ("score/flatten", 300, "392"),
        ("score", 300, "21"),
    ]
    assert net.notes[0].endswith("dropped: ProposalLayer; 300 regions in an image, as py-faster-rcnn takes at test")


def test_weights_behind_a_dropped_layer_are_missing() -> None:
    text = layer("Python", "data", "x", "python_param { module: 'mine' layer: 'Mine' }") + layer("ReLU", "x", "y")
    text += layer("InnerProduct", "y", "fc", "inner_product_param { num_output: 2 }")
    with pytest.raises(
        ArchcalcError, match=r"net.prototxt:4: fc \(InnerProduct\): reads 'y', which a dropped layer writes"
    ):
        caffe(DATA + text)


def test_the_first_format() -> None:
    text = """
    input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
    layers { name: "conv" type: CONVOLUTION bottom: "data" top: "conv" blobs_lr: 1 blobs_lr: 2
      convolution_param { num_output: 4 kernel_size: 3 } }
    layers { name: "relu" type: RELU bottom: "conv" top: "conv" }
    layers { name: "fc" type: INNER_PRODUCT bottom: "conv" top: "fc" inner_product_param { num_output: 2 } }
    layers { name: "loss" type: SOFTMAX_LOSS bottom: "fc" bottom: "label" top: "loss" }
    """
    assert [node.layer.type for node in caffe(text).after_inputs] == ["conv", "relu", "flatten", "linear"]


def test_an_exponential_of_another_base_is_a_product_before_it() -> None:
    text = layer("Exp", "data", "a", "exp_param { base: 2 scale: 3 shift: 1 }")
    _, scale, exp = caffe(DATA + text).nodes
    assert (exp.layer.function, exp.name, scale.name) == ("exp", "a", "a/scale")
    assert (scale.layer.factor, scale.layer.shift) == (3 * math.log(2), math.log(2))


def test_sums_of_squares() -> None:
    """The squares, a vector of all values, their sum, and half of it."""
    text = layer("Reduction", "data", "a", "reduction_param { axis: 1 operation: SUMSQ coeff: 0.5 }")
    assert [(node.layer.type, str(node.shape)) for node in caffe(DATA + text).after_inputs] == [
        ("math", "8x13x12"),
        ("flatten", "1248"),
        ("reduce", "1"),
        ("scale", "1"),
    ]


def test_everything_without_counterpart_is_named_at_once() -> None:
    text = (
        layer("Embed", "data", "a")
        + layer("ReLU", "a", "b")
        + layer("Wobble", "data", "c")
        + layer("TanH", "data", "d")
    )
    with pytest.raises(ArchcalcError) as caught:
        caffe(DATA + text)
    assert [(problem.line, problem.text) for problem in caught.value.problems[:2]] == [
        (2, "a (Embed): an embedding has no counterpart"),
        (4, "c (Wobble): layers of the type 'Wobble' are not known"),
    ]
    net = caffe(DATA + text, allow_missing=True)
    assert [node.name for node in net.after_inputs] == ["d"]
    assert "without Embed, Wobble and 1 layer behind them" in net.notes[0]


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ('net: "train_val.prototxt"\nbase_lr: 0.1', 1, "the settings of a solver; the network is in 'train_val.prototxt'"),
        ("name: 1", 1, "the file has no layers"),
        (DATA + layer("ReLU", "dat", "a"), 2, "a (ReLU): no layer before it writes the blob 'dat'; did you mean 'data'?"),
        (DATA + layer("Convolution", "data", "a", conv("kernel_size: 3")), 2, "a: "),
        (DATA + layer("Convolution", "data", "a", conv("num_output: x kernel_size: 3")), 2, "a (Convolution): num_output must be a number, got 'x'"),
        (DATA + layer("Pooling", "data", "a", pool("kernel_size: 99")), 2, "a: "),
        (DATA + layer("Pooling", "data", "a", pool("kernel_size: 2 pool: STOCHASTIC")), 2, "a (Pooling): pooling by STOCHASTIC"),
        (DATA + layer("Reduction", "data", "a"), 2, "a (Reduction): a reduction over the images has no counterpart"),
        (DATA + layer("Power", "data", "a", "power_param { power: 0 }"), 2, "a (Power): a power of 0 has no counterpart"),
        (DATA + layer("Log", "data", "a", "log_param { base: 1 }"), 2, "a (Log): base must be -1 (which is e) or above 0"),
        (DATA + layer("LRN", "data", "a", "lrn_param { local_size: 4 }"), 2, "a (LRN): local_size 4 is even, and Caffe takes odd sizes alone"),
        (DATA + layer("Reshape", "data", "a", "reshape_param { shape { dim: 0 dim: 7 dim: -1 dim: 0 } }"), 2, "a (Reshape): 8x13x12 does not become"),
        (DATA + layer("Pooling", "data", "p", pool("kernel_size: 2 stride: 2")) + layer("Eltwise", "data p", "a"), 3, "a (Eltwise): the inputs differ in shape: 8x13x12, 8x7x6"),
        (DATA + layer("Relu", "data", "a"), 2, "a (Relu): layers of the type 'Relu' are not known; did you mean 'ReLU'?"),
        (DATA + layer("Accuracy", "data", "a"), 0, "has no layer: nothing is computed from the input"),
    ],
)  # fmt: skip
def test_what_is_wrong_has_a_line(text: str, line: int, problem: str) -> None:
    with pytest.raises(ArchcalcError) as caught:
        caffe(text)
    assert caught.value.problems[0].line == line
    assert caught.value.problems[0].text.startswith(problem)
