"""Every byte that the engine names, against PyTorch: what autograd keeps, and what is alive after every operator.

On the meta device, whose storages have the right size and take no memory, a whole network costs what its Python
does; a few run on the CPU to show that it makes no difference. ARCHCALC_MEMORY=all runs the whole zoo.
"""

from __future__ import annotations

import operator
import os

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import fx, nn
from torch.fx.experimental.optimization import fuse
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

from archcalc import Network, analyze, load
from archcalc import networks as zoo
from archcalc.export import torch_source
from archcalc.language.expand import expand
from archcalc.language.zoo import read_text
from archcalc.layers import registry
from archcalc.memory.budget import OPTIMIZERS, Budget
from archcalc.memory.checkpoint import block_runs
from archcalc.memory.deployed import fold_batch_norm
from archcalc.memory.lifetime import inference, overwritten
from archcalc.memory.training import training
from archcalc.sizes import Shape
from archcalc.witness import memory
from archcalc.witness.built import Built
from archcalc.witness.device import allocated
from archcalc.witness.models import build as torchvision_model

BATCH = 2
FAMILIES = [
    "alexnet_tv",
    "alexnet",
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "fractalnet20",
    "googlenet_tv",
    "inception_v3",
    "inception_resnet_v2",
    "lenet5",
    "mobilenet_v1_slim",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "preact_resnet164",
    "regnet_y_400mf",
    "resnet_cifar20",
    "resnet50_tv",
    "shufflenet_v2_x1_0",
    "squeezenet1_0",
    "stochastic_depth110",
    "vgg16",
]
NEEDS_A_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
NETS = [net for net in zoo() if len(load(net).nodes) < 1500] if os.environ.get("ARCHCALC_MEMORY") == "all" else FAMILIES


def module_of(network, device="meta"):
    with torch.device(device):
        return Built(network, overwritten(network))


def image_of(network, device="meta", batch=BATCH):
    return torch.zeros(batch, network.input.channels, *network.input.axes, device=device)


@pytest.mark.parametrize("net", NETS)
def test_networks_of_the_zoo(net):
    network = load(net)
    module, image = module_of(network), image_of(network)
    assert memory.inference_peak(module, image) == inference(network, sums_in_place=False).peak(BATCH), (
        memory.peak_difference(network, module, image)
    )
    schedule = training(network, sums_in_place=False)  # under a dispatch mode autograd adds nothing in place
    assert memory.saved_bytes(module, image) == schedule.saved_bytes(BATCH), memory.saved_difference(
        network, module, image
    )
    if net == "lenet5":  # whose lists of numbers PyTorch does not show on the meta device
        module, image = module_of(network, "cpu"), image_of(network, "cpu")
    assert_every_moment(schedule, memory.training_live(module, image))


def assert_every_moment(schedule, live, batch=BATCH):
    assert memory.moment_difference(schedule, live, batch) == ""
    assert memory.peak(live) == schedule.peak(batch)


@pytest.mark.parametrize("net", ["resnet_cifar20", "squeezenet1_0", "mobilenet_v3_small"])
@pytest.mark.parametrize("batch", [1, 3])
def test_on_the_cpu(net, batch):
    network = load(net)
    network = network.at(network.input._replace(axes=(64, 64)))
    module, image = module_of(network, "cpu"), image_of(network, "cpu", batch)
    assert memory.inference_peak(module, image) == inference(network, sums_in_place=False).peak(batch)
    if batch > 1:  # a normalisation of one value per channel cannot be trained
        assert memory.saved_bytes(module, image) == training(network).saved_bytes(batch)
        assert_every_moment(training(network, sums_in_place=False), memory.training_live(module, image), batch)


C = "{conv: {out: 4, kernel: 3, pad: 1}}"
MAP = 4 * 6 * 6 * 4
"""Bytes of the 4x6x6 floats that C makes of a small input."""
PEAKS = [
    # The crop is a view of the map, which stays alive beside the 4x4x4 that the next convolution makes.
    ("crop", f"layers: [{C}, {{crop: {{by: 1}}}}, {{conv: {{out: 4, kernel: 1}}}}]", MAP + 4 * 4 * 4 * 4),
    # Zeros around make a new map of 4x8x9; the next convolution makes 4x8x9 too, and the first map is gone.
    ("pad", f"layers: [{C}, {{pad: {{by: [1, [1, 2]]}}}}, {{conv: {{out: 4, kernel: 1}}}}]", 2 * 4 * 8 * 9 * 4),
    ("no pad", f"layers: [{C}, {{pad: {{by: 0}}}}, {{pad_channels: }}, {{crop: {{by: 0}}}}, {C}]", 2 * MAP),
    # The last slice has a single row: its values lie together, so flatten copies nothing; else it copies 4x4x4 values.
    ("crop, flat", f"layers: [{C}, {{slice: {{stop: 1}}}}, {{crop: {{by: [[2, 3], 1]}}}}, flatten]", MAP),
    ("crop, copied flat", f"layers: [{C}, {{crop: {{by: 1}}}}, flatten]", MAP + 4 * 4 * 4 * 4),
    # Channels moved last: a crop is no matrix of positions.
    (
        "crop of a moved map",
        f"layers: [{C}, {{linear: {{out: 4, axis: channels}}}}, {{crop: {{by: [1, 0]}}}}, "
        "{linear: {out: 4, axis: channels}}, {crop: {by: [0, 1]}}, {linear: {out: 2, axis: channels}}]",
        None,
    ),
    # A map, a gate of one channel, their product.
    (
        "one channel",
        f"layers: [{C}, {{multiply: {{x: [], g: [{{conv: {{out: 1, kernel: 1}}}}]}}}}]",
        2 * MAP + 6 * 6 * 4,
    ),
    ("one channel first", f"layers: [{C}, {{add: {{g: [{{conv: {{out: 1, kernel: 1}}}}], x: []}}}}, {C}]", None),
    # A row and a column make a map of 4x6x6 values: 4x6 + 4x6 + 4x6x6 floats, while the map they come from is gone.
    (
        "a row and a column",
        f"layers: [{C}, {{multiply: {{r: [{{adaptive_avg_pool: {{out: [1, 6]}}}}], "
        f"c: [{{adaptive_avg_pool: {{out: [6, 1]}}}}]}}}}]",
        MAP + 2 * 4 * 6 * 4,
    ),
    # The sum may be written over the map, not over the vector: map and vector alone.
    (
        "a vector, in place",
        f"layers: [{C}, {{add: {{v: [global_avg_pool, flatten], x: [{C}]}}, storage: in_place}}, {C}]",
        None,
    ),
    ("three", f"layers: [{C}, {{mean: {{a: [global_avg_pool], b: [], c: [{{conv: {{out: 1, kernel: 1}}}}]}}}}]", None),
]


@pytest.mark.parametrize("bias", ["true", "false"])
@pytest.mark.parametrize("axis", ["last", "channels"])
def test_a_matrix_seen_as_a_map_is_not_written_over(axis, bias):
    """In place on a view, autograd copies the whole gradient (CopySlices); without a bias there is no view."""
    spec = f"input: [3, 4, 6]\nlayers: [{{linear: {{out: 4, axis: {axis}, bias: {bias}}}}}, silu, {C}]\n"
    network = expand(read_text(spec, "spec.yaml", "spec"), "spec")
    assert bool(overwritten(network)) == (axis == "last" and bias == "false")
    assert_every_moment(
        training(network, sums_in_place=False), memory.training_live(module_of(network), image_of(network))
    )


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize(("text", "peak"), [row[1:] for row in PEAKS], ids=[row[0] for row in PEAKS])
def test_parts_borders_and_what_is_smaller(text, peak, axes, two_threads):
    """Two axes by hand; one and three, where the rows of numbers fit them, against PyTorch alone."""
    if axes != 2:
        text = text.replace("[1, 6]", str([1, 6, 6][:axes])).replace("[6, 1]", str([6, 1, 1][:axes]))
        text = text.replace("[1, 0]", str([1, 0, 0][:axes])).replace("[0, 1]", str([0, 1, 0][:axes]))
        text = text.replace("[[2, 3], 1]", str([[2, 3], 1, 1][:axes])).replace(
            "[1, [1, 2]]", str([[1, 2], 1, 0][:axes])
        )
    spec = f"input: {[3, *[6] * axes]}\n{text}\n"
    network = expand(read_text(spec, "spec.yaml", "spec"), "spec")
    if axes == 2 and peak is not None:
        assert inference(network).peak() == peak
    module, image = module_of(network, "cpu"), image_of(network, "cpu")
    assert_every_moment(inference(network, sums_in_place=False), memory.inference_live(module, image))
    assert memory.saved_difference(network, module, image) == ""
    assert_every_moment(training(network, sums_in_place=False), memory.training_live(module, image))


S2 = 4 * (6 * 28 * 28 + 6 * 14 * 14)
"""LeNet-5's first subsampling pools 28x28 by 2x2 without padding: what it reads and what it makes."""


def test_lenet5_pools_without_padding():
    assert inference(load("lenet5")).peak() == S2 == 23_520
    assert memory.inference_peak(module_of(load("lenet5")), image_of(load("lenet5"), batch=1)) == S2


@pytest.mark.parametrize(
    ("pool", "peak"),
    [
        # windows of a pooling: the map of 4x6x6 and what is made of it, 4x3x3
        ("avg_pool: {kernel: 2, stride: 2}", MAP + MAP // 4),
        ("subsample: {kernel: 2, stride: 2}", MAP + MAP // 4),
        # an average that leaves padding out takes the pooling's own, and rounds up: 7x7 to 4x4 in one operator
        ("avg_pool: {kernel: 4, stride: 3, pad: same}", MAP + 4 * 2 * 2 * 4),
        # padding that the windows do not reach is not made
        ("max_pool: {kernel: 2, stride: 2, pad: [[0, 1], 0]}", MAP + MAP // 4 + 4 * 3 * 3 * 8),
        # pad, then pool: the map padded to 7x7 beside the map, which then is freed, or beside 4x6x6 once more
        ("avg_pool: {kernel: 2, stride: 1, pad: [[0, 1], [0, 1]]}", 4 * 7 * 7 * 4 + MAP),
        # the same, and divided by the 6x6 means of ones, for which 1x6x6 ones are padded to 1x7x7
        ("avg_pool: {kernel: 2, stride: 1, pad: same}", None),
        ("avg_pool: {kernel: 3, stride: 2, pad: [[0, 1], [2, 1]], ceil_mode: true}", None),
        ("avg_pool: {kernel: 2, stride: 2, pad: 1, dilation: 2}", None),
        ("avg_pool: {kernel: 2, stride: 1, dilation: 2, count_include_pad: false}", None),
        ("subsample: {kernel: 3, stride: 2, pad: same}", None),
        ("subsample: {kernel: 2, stride: 1, dilation: 2}", None),
        ("max_pool: {kernel: 3, stride: 2, pad: same}", None),
    ],
)
def test_poolings_and_what_is_made_before_them(pool, peak, two_threads):
    spec = f"input: [3, 6, 6]\nlayers: [{C}, {{{pool}}}]\n"
    network = expand(read_text(spec, "spec.yaml", "spec"), "spec")
    if peak is not None:
        assert inference(network).peak() == peak
    module, image = module_of(network, "cpu"), image_of(network, "cpu")
    assert_every_moment(inference(network, sums_in_place=False), memory.inference_live(module, image))
    assert memory.saved_difference(network, module, image) == ""
    assert_every_moment(training(network, sums_in_place=False), memory.training_live(module, image))


class Form(nn.Module):
    """A function of one image as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, image):
        return self.function(image)


def one_expression(image):
    a, b, c = image + 1, image + 1, image + 1
    return (a + b + c) / 3


def one_module(image):
    x = image + 1
    return nn.Sequential(nn.ConstantPad2d((0, 1, 0, 1), float("-inf")), nn.MaxPool2d(3, 2))(x)


def crop_copied(image):
    x = image + 1
    return x[:, :, 88:480, 88:480].contiguous()


def coefficient(image):
    x = image + 1
    return F.avg_pool2d(x, 2, divisor_override=1) * 0.5 + 0.25


@pytest.mark.parametrize(
    ("image", "spec", "here", "form", "there"),
    [
        ((64, 56, 56), "{mean: {a: [C], b: [C], c: [C]}}", 3_211_264, one_expression, 4_014_080),
        ((64, 112, 112), "C, {max_pool: {kernel: 3, stride: 2, pad: same}}", 6_480_128, one_module, 8_888_576),
        (
            (64, 112, 112),
            "C, {max_pool: {kernel: 3, stride: 2, pad: same}}",
            6_480_128,
            lambda image: F.max_pool2d(image + 1, 3, 2, ceil_mode=True),
            5_619_712,
        ),
        ((6, 28, 28), "C, {subsample: {kernel: 2, stride: 2}}", 23_520, coefficient, 28_224),
    ],
)
def test_what_other_forms_hold(image, spec, here, form, there):
    """The figures of docs/memory.md, Whose program."""
    text = spec.replace("C", f"{{conv: {{out: {image[0]}, kernel: 1}}}}")
    network = expand(read_text(f"input: {list(image)}\nlayers: [{text}]\n", "spec.yaml", "spec"), "spec")
    assert inference(network).peak() == here
    assert memory.inference_peak(module_of(network), image_of(network, batch=1)) == here
    assert memory.inference_peak(Form(form), image_of(network, batch=1)) == there


B = "{conv: {out: 4, kernel: 1}}"
FREED = [
    # Beside the sums are the inputs that are still to be added: most is at the first sum, 3 maps and the sum.
    ("add of three", f"{{add: {{a: [{B}], b: [{B}], c: [{B}]}}}}", 4 * MAP),
    ("mean of two", f"{{mean: {{a: [{B}], b: [{B}]}}}}", 3 * MAP),
    ("mean of four", f"{{mean: {{a: [{B}], b: [{B}], c: [{B}], d: [{B}]}}}}", 5 * MAP),
    ("multiply of three", f"{{multiply: {{a: [{B}], b: [{B}], c: [{B}]}}}}", 4 * MAP),
    # Twice the same map, and a map that is read again: 4 maps at the second sum.
    ("one twice", f"{B}, {{mean: {{a: [], b: [{B}], c: []}}}}", 3 * MAP),
    ("read again", f"{B}, {{concat: {{x: [], y: [{{mean: {{a: [], b: [{B}], c: [{B}]}}}}]}}}}", 4 * MAP),
    # A gate of 4x1x1 values, a map, and a vector of 4.
    ("gate and vector", f"{B}, {{multiply: {{g: [global_avg_pool], x: [], v: [global_avg_pool, flatten]}}}}", None),
    ("vector first", f"{B}, {{mean: {{v: [global_avg_pool, flatten], g: [global_avg_pool], x: []}}}}", None),
    ("in place", f"{{add: {{a: [{B}], b: [{B}], c: [{B}]}}, storage: in_place}}, {B}", 3 * MAP),
    ("over the second", f"{B}, relu, {{add: {{x: [], b: [{B}], c: [{B}]}}, storage: in_place}}, {B}", 3 * MAP),
    # 6x6 padded to 7x7, then 4x3x3.
    ("conv", f"{B}, {{conv: {{out: 4, kernel: 3, stride: 2, pad: same}}}}", 4 * 7 * 7 * 4 + MAP),
    ("conv by side", f"{B}, {{conv: {{out: 4, kernel: 2, pad: [[0, 1], [0, 1]], bias: false}}}}", 4 * 7 * 7 * 4 + MAP),
    (
        "conv twice",
        f"{B}, {{conv: {{out: 4, kernel: 2, pad: same}}}}, relu, {{conv: {{out: 4, kernel: 2, pad: same}}}}",
        None,
    ),
    # The map is padded for both branches and read by the second alone: map, padded map, result of the first.
    (
        "padded and read again",
        f"{B}, {{concat: {{x: [{{conv: {{out: 4, kernel: 2, pad: same}}}}], y: []}}}}",
        None,
    ),
    ("the input itself", "{conv: {out: 4, kernel: 2, pad: same}}", 3 * 7 * 7 * 4 + MAP),
    ("max_pool", f"{B}, {{max_pool: {{kernel: 3, stride: 2, pad: same}}}}", None),
    ("avg_pool", f"{B}, {{avg_pool: {{kernel: 3, stride: 1, pad: [[0, 1], [2, 1]]}}}}", None),
    ("divided", f"{B}, {{avg_pool: {{kernel: 2, stride: 1, pad: same}}}}", None),
    (
        "divided, ones around",
        f"{B}, {{avg_pool: {{kernel: 3, stride: 2, pad: [[1, 2], [0, 1]], ceil_mode: true}}}}",
        None,
    ),
    ("divided, dilated", f"{B}, {{avg_pool: {{kernel: 2, stride: 1, dilation: 2, pad: 1}}}}", None),
    ("subsample", f"{B}, {{subsample: {{kernel: 3, stride: 2, pad: same}}}}", None),
    ("table", f"{B}, {{conv_table: {{table: [[0, 1], [2, 3], [0, 3]], kernel: 2, pad: same}}}}", None),
]


@pytest.mark.parametrize(("layers", "peak"), [row[1:] for row in FREED], ids=[row[0] for row in FREED])
def test_an_input_is_freed_once_it_was_read(layers, peak, two_threads):
    """Joins of several inputs and padding are statements of their own, in the engine as in PyTorch."""
    network = expand(read_text(f"input: [3, 6, 6]\nlayers: [{layers}]\n", "spec.yaml", "spec"), "spec")
    if peak is not None:
        assert inference(network).peak() == peak
    module, image = module_of(network, "cpu"), image_of(network, "cpu")
    assert_every_moment(inference(network, sums_in_place=False), memory.inference_live(module, image))
    assert_every_moment(
        inference(network, amp=True, sums_in_place=False), memory.inference_live(module, image, amp=True)
    )
    assert memory.saved_difference(network, module, image) == ""
    assert memory.saved_difference(network, module, image, amp=True) == ""
    assert_every_moment(training(network, sums_in_place=False), memory.training_live(module, image))
    assert_every_moment(training(network, amp=True, sums_in_place=False), memory.training_live(module, image, amp=True))


LAST = "{linear: {out: 4, axis: channels}}"
"""Makes a map whose channels come last in memory."""
ROW, COLUMN = "{adaptive_avg_pool: {out: [1, 6]}}", "{adaptive_avg_pool: {out: [6, 1]}}"


@pytest.mark.parametrize(
    ("size", "layers"),
    [
        # A row and a column with the channels last make a map with the channels last; its mean changes strides.
        ([6, 6], f"{LAST}, {{add: {{r: [{ROW}], c: [{COLUMN}]}}}}, {{conv: {{out: 2, kernel: 3}}}}, global_avg_pool"),
        ([6, 6], f"{LAST}, {{multiply: {{c: [{COLUMN}], r: [{ROW}], v: [global_avg_pool]}}}}, global_avg_pool"),
        ([6, 6], f"{LAST}, {{mean: {{c: [{COLUMN}], r: [{ROW}], x: []}}}}, {{conv: {{out: 2, kernel: 3}}}}"),
        ([6, 6], f"{B}, {{add: {{r: [{ROW}], c: [{COLUMN}]}}}}, {{conv: {{out: 2, kernel: 3}}}}, global_avg_pool"),
        # A row with the channels last and a column with the channels first.
        ([6, 6], f"{{add: {{r: [{LAST}, {ROW}], c: [{B}, {COLUMN}]}}}}, {{conv: {{out: 2, kernel: 3}}}}"),
        ([6, 6], f"{{add: {{c: [{B}, {COLUMN}], r: [{LAST}, {ROW}]}}}}, {{conv: {{out: 2, kernel: 3}}}}"),
        # A map of one channel, made of a map and of its mean, has strides that its next mean undoes.
        (
            [4, 6],
            "{linear: {out: 1, axis: channels}}, {subtract: {a: [global_avg_pool], b: []}}, "
            "{minimum: {a: [], b: [global_avg_pool]}}",
        ),
        # A layer that computes one position in new strides, before a convolution whose gradient of weights has them.
        *(
            ([1, 1], f"{LAST}, {layer}, {C}, {LAST}")
            for layer in (
                "relu6",
                "hard_tanh",
                "layer_scale",
                "position",
                "batch_norm",
                "{scale: {factor: 0.1}}",
                "{subsample: {kernel: 1, stride: 1}}",
                "{drop_path: {p: 0.1}}",
            )
        ),
        # A gradient that is repeated along the width, plus one that is not, which says where the width lies in the sum.
        *(
            ([4, 6], f"{LAST}, {{add: {{b: [{other}], a: [{{reduce: {{by: sum, axis: width}}}}, {LAST}]}}}}, {LAST}")
            for other in ("{avg_pool: {kernel: [1, 6], stride: 1}}", f"{{conv: {{out: 4, kernel: [1, 6]}}}}, {LAST}")
        ),
        # Over one axis a map of one position, or of one channel, can have its channels last.
        ([6], f"{LAST}, {{max_pool: {{kernel: 1, stride: 6}}}}, {{conv_transpose: {{out: 7, kernel: 3}}}}, {LAST}"),
        ([6], f"{LAST}, {{max_pool: {{kernel: 1, stride: 6}}}}, {{conv: {{out: 7, kernel: 3, pad: 1}}}}, gelu"),
        ([6], f"{LAST}, {{max_pool: {{kernel: 1, stride: 6}}}}, {{conv: {{out: 7, kernel: 2, pad: same}}}}, gelu"),
        ([6], "{linear: {out: 1, axis: channels}}, {conv: {out: 7, kernel: 3}}, {conv: {out: 2, kernel: 2}}"),
        ([6], f"{LAST}, {{conv: {{out: 7, kernel: 3}}}}, {{conv_transpose: {{out: 2, kernel: 2}}}}"),
    ],
)
def test_orders_in_memory(size, layers, two_threads):
    network = expand(read_text(f"input: {[3, *size]}\nlayers: [{layers}]\n", "spec.yaml", "spec"), "spec")
    module, image = module_of(network, "cpu"), image_of(network, "cpu")
    assert_every_moment(inference(network, sums_in_place=False), memory.inference_live(module, image))
    assert memory.saved_difference(network, module, image) == ""
    assert_every_moment(training(network, sums_in_place=False), memory.training_live(module, image))


@pytest.mark.parametrize(
    "layers",
    [
        f"{B}, {{conv: {{out: 4, kernel: 3, stride: 2, pad: same}}}}",
        f"{B}, {{max_pool: {{kernel: 3, stride: 2, pad: same}}}}",
        f"{B}, {{avg_pool: {{kernel: 2, stride: 1, pad: same}}}}",
        f"{{mean: {{a: [{B}, {B}], b: [{B}, {B}], c: [{B}, {B}]}}}}",
        f"{{add: {{a: [{B}], b: [{B}], c: [{B}], d: [{B}]}}}}",
    ],
)
def test_the_exported_file_frees_as_much(layers):
    network = expand(read_text(f"input: [3, 6, 6]\nlayers: [{layers}]\n", "spec.yaml", "spec"), "spec")
    space = {"__name__": "exported"}
    exec(torch_source(network), space)
    with torch.device("meta"):
        module = space["Spec"]()
    assert memory.inference_peak(module, image_of(network)) == inference(network).peak(BATCH)


@pytest.mark.parametrize(
    ("block", "after"),
    [
        # The block ends with the last layer that keeps something: in it the second run stops, the map padded.
        ("[{conv: {out: 4, kernel: 3, pad: 1}}, gelu, {conv: {out: 4, kernel: 2, pad: same}}]", "gelu"),
        ("[gelu, {max_pool: {kernel: 3, stride: 2, pad: same}}]", "gelu"),
        ("[{mean: {a: [gelu], b: [C], c: [gelu]}}, {conv: {out: 4, kernel: 2, pad: same}}]", "C"),
        ("[{multiply: {a: [C], b: [gelu], c: [sigmoid]}}]", "C"),
        ("[{conv: {out: 4, kernel: 2, pad: same}}, {add: {a: [C], b: [gelu], c: []}}]", "C"),
    ],
)
def test_checkpoint_of_what_is_freed_inside(block, after):
    spec = f"""
input: [3, 6, 6]
blocks:
  unit:
    layers: {block}
layers: [C, unit, {after}, unit, C]
"""
    network = expand(read_text(spec.replace("C", B), "spec.yaml", "spec"), "spec")
    assert_checkpoint(network, "unit", 2)


def test_a_crop_keeps_its_map():
    """The first skip of Ronneberger et al. 2015, Figure 1: 64x568x568, cropped to 392x392."""
    image = torch.zeros(1, 64, 568, 568, device="meta")
    copied = crop_copied(image)
    assert copied.untyped_storage().nbytes() == 64 * 392 * 392 * 4 == 39_337_984
    assert (image + 1)[:, :, 88:480, 88:480].untyped_storage().nbytes() == 64 * 568 * 568 * 4 == 82_591_744


@pytest.fixture
def two_threads():
    """With one thread PyTorch runs kernels of one cell over three axes in another way than docs/memory.md describes."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_indices_that_only_a_side_head_reads_are_freed_at_inference():
    side = "{side: [{unpool: {of: pool}}], name: head}"
    text = f"input: [3, 8, 8]\nlayers: [{C}, {{max_pool: {{kernel: 2, stride: 2}}, name: pool}}, {side}, {C}, {C}]\n"
    network = expand(read_text(text, "spec.yaml", "spec"), "spec")
    assert_both_passes(network, module_of(network), [image_of(network)], "flash")


@pytest.mark.parametrize("form", ["flash", "math"])
def test_forms_of_attention(form):
    network = load("deit_tiny")
    assert_both_passes(network, module_of(network), [image_of(network)], form)


def assert_both_passes(network, module, images, form):
    schedule, live = (
        inference(network, sums_in_place=False, attention=form),
        memory.inference_live(module, *images, attention=form),
    )
    assert_every_moment(schedule, live, len(images[0]))
    assert memory.saved_difference(network, module, *images, attention=form) == ""
    schedule = training(network, sums_in_place=False, attention=form)
    assert_every_moment(schedule, memory.training_live(module, *images, attention=form), len(images[0]))


@pytest.mark.parametrize(
    ("net", "side"),
    [
        ("alexnet_tv", 64),
        ("convnext_tiny", 64),
        ("densenet_cifar_40_12@layers=13", 32),  # the processor may lack bfloat16, and a large network takes a minute
        ("lenet5", 64),
        ("mobilenet_v3_small", 64),
        ("resnet18", 64),
        ("squeezenet1_0", 64),
        ("vgg11_lrn", 32),
    ],
)
def test_mixed_precision(net, side):
    """CPU autocast to bfloat16, at a small input."""
    network = load(net)
    network = network.at(network.input._replace(axes=(side, side)))
    module, image = module_of(network, "cpu"), image_of(network, "cpu")
    assert memory.peak(memory.inference_live(module, image, amp=True)) == inference(
        network, amp=True, sums_in_place=False
    ).peak(BATCH)
    schedule = training(network, amp=True, sums_in_place=False)
    assert memory.saved_difference(network, module, image, amp=True) == ""
    assert sum(held.bytes for held in memory.saved(module, image, amp=True)) == schedule.saved_bytes(BATCH)
    assert_every_moment(schedule, memory.training_live(module, image, amp=True))


@pytest.mark.parametrize(
    ("forward", "made"),
    [(lambda h: h * 3 + h * 5, 3), (lambda h: (h + h) * 3, 3)],  # two products, added in place; or a product and a sum
)
def test_gradients_are_added_in_place_where_nothing_else_refers_to_them(forward, made):
    """No dispatch mode sees it, but the allocator: how many tensors of the size the backward pass makes, x.grad one."""
    x = torch.ones(1000, requires_grad=True)
    y, gradient = forward(x * 2), torch.ones(1000)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        y.backward(gradient)
    events = profile.profiler.kineto_results.events()
    assert sum(event.name() == "[memory]" and event.nbytes() == 4000 for event in events) == made


class Checkpointed(nn.Module):
    """A built network whose blocks run under torch.utils.checkpoint."""

    def __init__(self, built, runs):
        super().__init__()
        self.built = built
        self.begins = {run[0].index: run for run in runs}
        self.inside = {node.index for run in runs for node in run}
        self.modules_of = {node.index: module for node, module in built.layers}

    def forward(self, image):
        last = {i: node.index for node, _ in self.built.layers for i in node.inputs}
        outputs = self.built.network.results()
        for output in outputs:
            last.pop(output, None)
        self.rois = {-1 - at: rois for at, rois in enumerate(self.built.default_rois(image))}
        values, done = {0: image, **self.rois}, 0
        for node, _ in self.built.layers:
            run = self.begins.get(node.index)
            if run is not None:
                taken = sorted({i for inner in run for i in inner.inputs} - {inner.index for inner in run})
                done = run[-1].index
                given = [node.index for node in run if node.index in outputs or last[node.index] > done]
                made = checkpoint(
                    self.block(run, taken, given),
                    *(values[i] for i in taken),
                    use_reentrant=False,
                    preserve_rng_state=False,
                )
                values.update(zip(given, made, strict=True))
                del made
            elif node.index not in self.inside:
                values[node.index], done = self.run(node, values, last), node.index
            values = {i: value for i, value in values.items() if last.get(i, done + 1) > done}
        return tuple(values[output] for output in outputs)

    def run(self, node, values, last):
        """A layer, which alone holds the inputs that it is the last to read."""
        inputs = [values[i] for i in self.built.takes[node.index]]
        for i in set(node.inputs):
            if last.get(i) == node.index:
                del values[i]
        return self.built.run(node, self.modules_of[node.index], inputs)

    def block(self, run, taken, given):
        last = {i: node.index for node in run for i in node.inputs if i not in given}

        def forward(*inputs):
            values = {**dict(zip(taken, inputs, strict=True)), **self.rois}
            del inputs
            for node in run:
                values[node.index] = self.run(node, values, last)
                values = {i: value for i, value in values.items() if last.get(i, node.index + 1) > node.index}
            return tuple(values[i] for i in given)

        return forward


@pytest.mark.parametrize("inputs", [(2, 1), (1, 2), (3, 2, 1)])
def test_a_sum_over_one_of_its_inputs(inputs):
    """The sum takes the place of the second or third convolution's map; the first one's is kept by the ReLU."""
    network = Network("sum", Shape(4, (8, 8)))
    network.add("relu", registry["relu"]())
    for name in ("conv2", "conv3"):
        network.add(name, registry["conv"](out=4, kernel=3, pad=1), (1,))
    network.add("sum", registry["add"](), inputs, storage="in_place")
    network.add("last", registry["conv"](out=4, kernel=1))
    assert overwritten(network) == {4: max(inputs, key=lambda i: (i > 1, -inputs.index(i)))}
    module, image = module_of(network), image_of(network)
    assert memory.inference_peak(module, image) == inference(network, sums_in_place=False).peak(BATCH)
    schedule = training(network, sums_in_place=False)
    assert memory.saved_bytes(module, image) == schedule.saved_bytes(BATCH)
    assert memory.training_peak(module, image) == schedule.peak(BATCH)


@pytest.mark.parametrize(
    ("net", "block", "blocks"),
    [
        ("resnet_cifar20", "main", 9),
        ("resnet18", "conv3_1, conv4_x", 2),
        ("resnet18", "conv2_x", 1),
        ("resnet50", "conv4_2", 1),
        ("convnext_tiny", "block", 18),
        ("googlenet_tv", "inception", 9),
        ("mobilenet_v3_small", "squeeze_excite", 9),
    ],
)
def test_checkpoint(net, block, blocks):
    network = load(net)
    assert_checkpoint(network.at(network.input._replace(axes=(64, 64))), block, blocks)


def assert_checkpoint(network, block, blocks):
    runs = block_runs(network, network.running(), block)
    assert len(runs) == blocks
    schedule = training(network, checkpoint=block, sums_in_place=False)
    inside = {node.index for run in runs for node in run}
    takes = {node.index for run in runs for node in run if not set(node.inputs) <= inside}
    with torch.device("meta"):
        module = Checkpointed(Built(network, {n: i for n, i in overwritten(network).items() if n not in takes}), runs)
    image = image_of(network)
    assert memory.saved_bytes(module, image) == schedule.saved_bytes(BATCH)
    assert_every_moment(schedule, memory.training_live(module, image))
    macs = {row.name: row.macs or 0 for row in analyze(network, batch=BATCH).rows}
    assert 2 * sum(macs[node.name] for node in schedule.again) == operations(module, image) - operations(
        module.built, image
    )


def operations(module, image):
    with FlopCounterMode(display=False) as counter:
        out = module.train()(image)
        sum(one.sum() for one in (out if isinstance(out, tuple) else (out,))).backward()
    return counter.get_total_flops()


def test_torchvisions_own_forward_holds_a_variable_longer():
    """``x`` of ResNet's forward and of its first block is the stem's output, and lives until both have returned."""
    module, image = torchvision_model("resnet50", meta=True), torch.zeros(1, 3, 224, 224, device="meta")
    stem = 64 * 56 * 56 * 4
    assert memory.inference_peak(module, image) == 10_436_608 == inference(load("resnet50_tv")).peak() + stem
    assert memory.inference_peak(Interpreted(fx.symbolic_trace(module)), image) == inference(load("resnet50_tv")).peak()


class Interpreted(nn.Module):
    """A traced module run node by node, each value freed after its last use."""

    def __init__(self, traced):
        super().__init__()
        self.traced = traced

    def forward(self, image):
        return fx.Interpreter(self.traced).run(image)


def test_resnet50_as_deployed():
    """Normalisations fused into convolutions by PyTorch itself; sums in place, as torchvision's ``out += identity``."""
    fused = fuse(torchvision_model("resnet50", meta=False).eval())
    for node in fused.graph.nodes:
        if node.target is operator.add:  # which is how a trace writes +=
            node.target = operator.iadd
    assert memory.inference_peak(Interpreted(fused), torch.zeros(1, 3, 224, 224)) == 7_225_344
    assert inference(fold_batch_norm(load("resnet50_tv"))).peak() == 7_225_344


def test_torchvisions_vgg16():
    module, image = torchvision_model("vgg16", meta=True), torch.zeros(1, 3, 224, 224, device="meta")
    assert memory.saved_bytes(module, image) == 72_753_152


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_an_optimizer_holds(name):
    network = load("resnet_cifar20")
    network = network.at(network.input._replace(axes=(8, 8)))
    module, image = module_of(network, "cpu"), image_of(network, "cpu")
    make = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    optimizer = (
        torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
        if name == "momentum"
        else make[name](module.parameters(), lr=0.1)
    )
    for _ in range(2):
        module.train()(image).sum().backward()
        state = [t for held in optimizer.state.values() for t in held.values() if isinstance(t, torch.Tensor)]
        gradients = [p.grad for p in module.parameters()]
        known = [*module.parameters(), *module.buffers(), *state, *gradients]
        with memory.Live(known, memory._Layers(module)) as live:
            optimizer.step()
        optimizer.zero_grad()
    budget = Budget(network, optimizer=name)
    assert sum(t.numel() * t.element_size() for t in state) == budget.optimizer_bytes
    assert memory.peak(live.operators) == budget.step_scratch
    assert sum(b.numel() * b.element_size() for b in module.buffers()) == budget.buffers
    assert sum(p.numel() * p.element_size() for p in module.parameters()) == budget.weights


def test_a_disagreement_names_the_first_operator():
    """Where ResNet-20 goes on to 2 x 32x16x16 floats, ResNet-32 makes 2 x 16x32x32 once more."""
    net = load("resnet_cifar20")
    other = memory.training_live(module_of(load("resnet_cifar32")), image_of(net))
    schedule = training(net, sums_in_place=False)
    said = memory.moment_difference(schedule, other, BATCH)
    assert said.startswith("conv3_1.main.conv1, convolution makes 65,536 of ")
    assert " here, convolution.default makes 131,072 of " in said
    assert said.endswith(" alive in PyTorch")
    same = memory.training_live(module_of(net), image_of(net))
    assert memory.moment_difference(schedule, same[:-9], BATCH).endswith("no more in PyTorch")


def test_a_disagreement_names_the_first_tensor():
    network, other = load("resnet_cifar20"), load("resnet_cifar32")
    module, image = module_of(other), image_of(other)
    said = memory.saved_difference(network, module, image)
    assert said.endswith("in PyTorch")
    assert " keeps " in said
    smaller = torch.zeros(2, 3, 64, 64, device="meta")
    assert memory.peak_difference(load("resnet18"), module_of(load("resnet18")), smaller) == (
        f"conv1: {2 * 64 * 112 * 112 * 4:,} bytes alive here, {2 * 64 * 32 * 32 * 4:,} in PyTorch"
    )
    assert memory.saved_difference(other, module, image) == memory.peak_difference(other, module, image) == ""


def rounded_peak(network, block):
    """The peak where the allocator rounds every tensor up to blocks of so many bytes."""
    schedule = inference(network)
    return max(
        sum(-(-storage.bytes(BATCH) // block) * block for storage in schedule.alive(moment))
        for moment in range(schedule.last + 1)
    )


@pytest.mark.parametrize(("device", "block"), [("cpu", 1), pytest.param("cuda", 512, marks=NEEDS_A_GPU)])
def test_what_the_allocator_held(device, block):
    """Three layers that take nothing for a while: two maps of two images, of which the first is let go."""
    network = Network("pointwise", Shape(3, (5, 7)))
    for name in ("softmax", "gelu", "softmax"):
        network.add(name, registry[name]())
    one = BATCH * 3 * 5 * 7 * 4  # 840 bytes, which a GPU rounds up to 1024
    held = allocated(module_of(network, device).eval(), image_of(network, device))
    assert held == rounded_peak(network, block) == 2 * -(-one // block) * block


def test_the_allocator_sees_the_columns_of_a_convolution():
    """oneDNN has no float64: there a 3x3 convolution unfolds an image into 9 values for each of 4x8x8."""
    network = Network("conv", Shape(4, (8, 8)))
    network.add("conv", registry["conv"](out=4, kernel=3, pad=1, bias=False))
    module, image = module_of(network, "cpu").eval().double(), image_of(network, "cpu", batch=1).double()
    assert allocated(module, image) == inference(network, "float64").peak() + 9 * 4 * 8 * 8 * 8


@NEEDS_A_GPU
@pytest.mark.parametrize("net", ["alexnet_tv", "vgg16", "resnet50_tv"])
def test_on_a_gpu(net):
    """The tensors are the same; the allocator's maximum has its rounding to 512 bytes and cuDNN's scratch on top."""
    network = load(net)
    module, image = module_of(network, "cuda").eval(), image_of(network, "cuda")
    peak = inference(network).peak(BATCH)
    assert memory.inference_peak(module, image) == peak
    assert allocated(module, image) >= rounded_peak(network, 512)
