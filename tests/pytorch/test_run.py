"""How PyTorch runs each layer type, operator by operator, worked out by hand: the bytes that each operator makes.

The layer reads a map of 4x8x8 floats (MAP bytes) that a convolution made, or a linear layer where its channels lie last
in memory. A row has the operators of the forward pass, then those of the backward pass. Views make nothing.
"""

from __future__ import annotations

import pytest

from archcalc import Network
from archcalc.layers import registry
from archcalc.memory.training import Training, training
from archcalc.sizes import Shape

MAP = 4 * 8 * 8 * 4
QUARTER = MAP // 4
"""A map of 4x4x4."""
WEIGHTS = 4 * 4 * 9 * 4
"""The weights of a 3x3 convolution of 4 channels; its bias has 16 bytes, as every number per channel."""
PADDED = 4 * 9 * 9 * 4
"""The map with one row and one column more."""
CONV = ("conv", {"out": 4, "kernel": 3, "pad": 1})
LAST = ("linear", {"out": 4, "axis": "channels", "bias": False})
"""A layer whose map has its channels last in memory."""
POOL = {"kernel": 2, "stride": 2}


def made(schedule: Training, node: int) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """The operators of a layer in each pass, with the bytes of each per image, several images at once; the loss apart."""
    schedule = schedule.of_batch(2)
    passes: dict[str, list[tuple[str, int]]] = {"forward": [], "backward": []}
    for at, moment in enumerate(schedule.moments):
        if moment.node == node and moment.operator != "loss backward":
            size = sum(storage.bytes(1) for storage in schedule.storages if storage.born == at)
            passes[moment.phase].append((moment.operator.removesuffix(" backward"), size))
    return passes["forward"], passes["backward"]


def run(layer, before=CONV, storage="new", inputs=(1,), **how):
    net = Network("net", Shape(4, (8, 8)))
    net.add("before", registry[before[0]](**before[1]))
    net.add("gate", registry["global_avg_pool"](), [1])
    type, settings = layer
    net.add("layer", registry[type](**settings), inputs, storage=storage)
    return made(training(net, **how), 3)


ROWS = [
    # Pooling. The indices of maxima are int64.
    ("max_pool", POOL, [("max_pool_with_indices", 3 * QUARTER)], [("max_pool_with_indices", MAP)]),
    (  # same: 8 positions need 3*2 + 3 = 9, one zero at the end, which PyTorch's pooling cannot put there
        "max_pool",
        {"kernel": 3, "stride": 2, "pad": "same"},
        [("constant_pad_nd", PADDED), ("max_pool_with_indices", 3 * QUARTER)],
        [("max_pool_with_indices", PADDED), ("constant_pad_nd", MAP)],
    ),
    ("avg_pool", POOL, [("avg_pool", QUARTER)], [("avg_pool", MAP)]),
    (  # a mean over the map alone: its size rounded up does the same
        "avg_pool",
        {"kernel": 3, "stride": 2, "pad": "same"},
        [("avg_pool", QUARTER)],
        [("avg_pool", MAP)],
    ),
    (  # zeros that count on one side: padded first
        "avg_pool",
        {"kernel": 3, "stride": 2, "pad": [[0, 2], 0]},
        [("constant_pad_nd", 4 * 10 * 8 * 4), ("avg_pool", 4 * 4 * 3 * 4)],
        [("avg_pool", 4 * 10 * 8 * 4), ("constant_pad_nd", MAP)],
    ),
    (  # two cells of three, on each axis; 3x3 windows, each divided by the ones that it holds
        "avg_pool",
        {**POOL, "dilation": 2},
        [
            ("new_ones", 8 * 8 * 4),
            *[("unfold", 0), ("slice", 0)] * 2,
            ("sum", 4 * 9 * 4),
            ("sum", 9 * 4),
            ("div", 4 * 9 * 4),
        ],
        [
            ("div", 4 * 9 * 4),
            ("slice", 4 * (3 * 2) * (3 * 3) * 4),
            ("unfold", 4 * (3 * 2) * 8 * 4),
            ("slice", 4 * (3 * 3) * 8 * 4),
            ("unfold", MAP),
        ],
    ),
    ("adaptive_avg_pool", {"out": 2}, [("_adaptive_avg_pool", 4 * 4 * 4)], [("_adaptive_avg_pool", MAP)]),
    ("global_avg_pool", {}, [("mean", 16)], [("mean", MAP)]),
    (  # the sums, a copy for the coefficient's gradient, and both numbers in place
        "subsample",
        POOL,
        [("avg_pool", QUARTER), ("clone", QUARTER), ("mul_", 0), ("add_", 0)],
        [("add_", 16), ("mul_", QUARTER), ("mul_", QUARTER), ("mul_", 16), ("avg_pool", MAP)],
    ),
    # Activations
    ("relu", {}, [("relu", MAP)], [("relu", MAP)]),
    ("gelu", {}, [("gelu", MAP)], [("gelu", MAP)]),
    ("softmax", {}, [("_softmax", MAP)], [("_softmax", MAP)]),
    # a gradient of the input, and one per value of the slopes before they are summed to one per channel
    ("prelu", {}, [("_prelu_kernel", MAP)], [("_prelu_kernel", 2 * MAP), ("_prelu_kernel", 16)]),
    # Normalisation: two statistics of 4 channels, 64 positions, 2 groups; gradients of scale and shift
    ("batch_norm", {}, [("native_batch_norm", MAP + 32)], [("native_batch_norm", MAP + 32)]),
    ("batch_norm", {"affine": False}, [("native_batch_norm", MAP + 32)], [("native_batch_norm", MAP)]),
    (  # variance + eps, its root, the factor, the scaled mean, the shift; a product and a sum
        "batch_norm",
        {"frozen": True},
        [*[(name, 16) for name in ("add", "rsqrt", "mul", "mul", "sub")], ("mul", MAP), ("add", MAP)],
        [("mul", MAP)],
    ),
    (
        "layer_norm",
        {"axis": "channels"},
        [("native_layer_norm", MAP + 2 * 64 * 4)],
        [("native_layer_norm", MAP + 32)],
    ),
    ("group_norm", {"groups": 2}, [("native_group_norm", MAP + 2 * 2 * 4)], [("native_group_norm", MAP + 32)]),
    ("instance_norm", {}, [("view", 0), ("native_batch_norm", MAP + 32), ("view", 0)], [("native_batch_norm", MAP)]),
    (  # scale and shift are repeated for every image, and their gradients summed over the images
        "instance_norm",
        {"affine": True},
        [("repeat", 16), ("repeat", 16), ("view", 0), ("native_batch_norm", MAP + 32), ("view", 0)],
        [("native_batch_norm", MAP + 32), ("repeat", 16), ("repeat", 16)],
    ),
    (  # squares, with a channel of zeros on both sides, their mean, alpha * mean + k, the power, the quotient
        "lrn",
        {"size": 3},
        [
            ("mul", MAP),
            ("constant_pad_nd", 6 * 64 * 4),
            ("avg_pool3d", MAP),
            *[("mul", MAP), ("add", MAP), ("pow", MAP), ("div", MAP)],
        ],
        [
            *[("div", MAP)] * 5,
            *[("pow", MAP)] * 3,
            *[("mul", MAP), ("avg_pool3d", 6 * 64 * 4), ("constant_pad_nd", MAP)],
            *[("mul", MAP)] * 2,
        ],
    ),
    ("layer_scale", {}, [("mul", MAP)], [("mul", MAP), ("mul", MAP), ("mul", 16)]),
    ("scale", {"factor": 2}, [("mul", MAP)], [("mul", MAP)]),
    # Weights
    ("conv", {"out": 4, "kernel": 3, "pad": 1}, [("convolution", MAP)], [("convolution", MAP + WEIGHTS + 16)]),
    (  # same, kernel 2: one zero at the end, which PyTorch's convolution cannot put there alone
        "conv",
        {"out": 4, "kernel": 2, "pad": "same"},
        [("constant_pad_nd", PADDED), ("convolution", MAP)],
        [("convolution", PADDED + 4 * 4 * 4 * 4 + 16), ("constant_pad_nd", MAP)],
    ),
    (
        "conv_transpose",
        {"out": 2, "kernel": 2, "stride": 2, "bias": False},
        [("convolution", 2 * 16 * 16 * 4)],
        [("convolution", MAP + 4 * 2 * 4 * 4)],
    ),
    (  # a convolution per output map, on a copy of its input maps; the numbers of the maps are int64
        "conv_table",
        {"kernel": 3, "pad": 1, "table": [[0], [1, 3]]},
        [
            *[("_to_copy", 8), ("index", QUARTER), ("convolution", QUARTER)],
            *[("_to_copy", 16), ("index", 2 * QUARTER), ("convolution", QUARTER)],
            ("cat", 2 * QUARTER),
        ],
        [
            *[("convolution", 2 * QUARTER + 2 * 9 * 4 + 4), ("index", MAP), ("index", MAP)],
            *[("convolution", QUARTER + 9 * 4 + 4), ("index", MAP), ("index", MAP)],
        ],
    ),
    (  # channels moved to the end and copied into order, a product, a view, the bias; the loss's gradient is moved too
        "linear",
        {"out": 4, "axis": "channels"},
        [("permute", 0), ("clone", MAP), ("mm", MAP), ("view", 0), ("add_", 0)],
        [("add_", 16), ("view", MAP), ("mm", 64), ("mm", MAP)],
    ),
    (  # rows in order: the bias is a part of the product
        "linear",
        {"out": 4, "axis": "last"},
        [("addmm", MAP // 2), ("view", 0)],
        [("addmm", MAP), ("addmm", 8 * 4 * 4), ("addmm", 16)],
    ),
    # What computes nothing or nearly nothing
    ("identity", {}, [], []),
    ("flatten", {}, [("view", 0)], []),
    ("upsample", {"scale": 2}, [("upsample", 4 * MAP)], [("upsample", MAP)]),
    ("slice", {"stop": 2}, [("slice", 0)], [("slice", MAP)]),
    ("crop", {"by": 1}, [("slice", 0), ("slice", 0)], [("slice", 4 * 6 * 8 * 4), ("slice", MAP)]),
    ("crop", {"by": 0}, [], []),
    ("pad", {"by": 1}, [("constant_pad_nd", 4 * 10 * 10 * 4)], [("constant_pad_nd", MAP)]),
    ("pad_channels", {"after": 1}, [("constant_pad_nd", 5 * 64 * 4)], [("constant_pad_nd", MAP)]),
    ("pad_channels", {}, [], []),
    ("channel_shuffle", {"groups": 2}, [("clone", MAP)], [("clone", MAP)]),
    ("channel_shuffle", {"groups": 1}, [], []),
    # the gradient of the tokens is read as a map again; windows are copied, and so is their gradient
    ("to_tokens", {}, [("view", 0)], []),
    ("windows", {"size": 4}, [("clone", MAP)], [("clone", MAP)]),
    ("rearrange", {"pattern": "c h w -> c w h"}, [("view", 0)], []),
    ("space_to_depth", {"block": 2}, [("pixel_unshuffle", MAP)], [("pixel_unshuffle", MAP)]),
    (  # 36 channels at 4x4 positions; the gradient of the map is first made as large as that
        "unfold",
        {"kernel": 3, "stride": 2, "pad": 1},
        [("im2col", 36 * 16 * 4), ("view", 0)],
        [("im2col", 36 * 16 * 4)],
    ),
    ("fold", {"kernel": 2, "stride": 2}, [("view", 0), ("col2im", MAP)], [("col2im", MAP)]),
    ("roll", {"by": 1}, [("roll", MAP)], [("roll", MAP)]),
    ("roll", {"by": 8}, [], []),
    ("slice", {"axis": "height", "step": 2}, [("slice", 0)], [("slice", MAP)]),
    ("pad", {"by": 1, "mode": "reflect"}, [("reflection_pad", 4 * 10 * 10 * 4)], [("reflection_pad", MAP)]),
    (  # the map and one row are copied into new storage; each copy has a gradient of the whole and of its part
        "pad",
        {"by": [[0, 1], 0], "mode": "circular"},
        [("slice", 0), ("slice", 0), ("copy_", PADDED - 4 * 9 * 4), ("slice", 0), ("copy_", 0)],
        [
            *[("copy_", PADDED - 4 * 9 * 4), ("copy_", 4 * 8 * 4), ("copy_", 4 * 8 * 4)],
            *[
                ("slice", PADDED - 4 * 9 * 4),
                ("copy_", PADDED - 4 * 9 * 4),
                ("copy_", MAP),
                ("slice", MAP),
                ("slice", MAP),
            ],
        ],
    ),
    ("dropout", {}, [("bernoulli_", MAP), ("mul", MAP)], [("mul", MAP)]),
    ("dropout", {"p": 0}, [], []),
    (  # one number per image: 4 bytes random, 1 byte which to keep, 4 bytes as a float
        "drop_path",
        {"p": 0.5},
        [("rand", 4), ("ge", 1), ("_to_copy", 4), ("mul", MAP), ("div", MAP)],
        [("div", MAP), ("mul", MAP)],
    ),
]


@pytest.mark.parametrize(("type", "settings", "forward", "backward"), ROWS, ids=lambda v: str(v)[:40])
def test_the_operators_of_a_layer(type, settings, forward, backward):
    assert run((type, settings)) == (forward, backward)


IN_PLACE = [
    ("relu", {}, [("relu_", 0)], [("relu", MAP)]),
    ("sigmoid", {}, [("sigmoid_", 0)], [("sigmoid", MAP)]),
    ("leaky_relu", {}, [("leaky_relu_", 0)], [("leaky_relu", MAP)]),
    ("silu", {}, [("clone", MAP), ("silu_", 0)], [("silu", MAP)]),  # its gradient needs the input
    ("scale", {"factor": 2}, [("mul_", 0)], [("mul", MAP)]),
]


@pytest.mark.parametrize(("type", "settings", "forward", "backward"), IN_PLACE)
def test_the_operators_of_a_layer_in_place(type, settings, forward, backward):
    net = Network("net", Shape(4, (8, 8)))
    for at, (kind, given) in enumerate([CONV, (type, settings), CONV]):
        net.add(f"n{at}", registry[kind](**given), storage="in_place" if at == 1 else "new")
    there, back = made(training(net), 2)
    assert (there, [(operator.removesuffix("_"), size) for operator, size in back]) == (forward, backward)


JOINS = [
    # where a map is read twice, its two gradients are added: here both are one tensor, or two parts of one
    ("add", (1, 1), [("add", MAP)], [("add", MAP)]),
    ("add", (1, 2), [("add", MAP)], [("add", 16)]),  # the gradient of the gate is summed
    ("add", (1, 1, 2), [("add", MAP), ("add", MAP)], [("add", 16), ("add", MAP)]),
    ("mean", (1, 1), [("add", MAP), ("div", MAP)], [("div", MAP), ("add", MAP)]),
    ("multiply", (1, 2), [("mul", MAP)], [("mul", MAP), ("mul", MAP), ("mul", 16)]),  # both whole, then one summed
    ("concat", (1, 1), [("cat", 2 * MAP)], [("add", MAP)]),
    ("concat/axis", (1, 1), [("cat", 2 * MAP)], [("add", MAP)]),
]


@pytest.mark.parametrize(("type", "inputs", "forward", "backward"), JOINS)
def test_the_operators_of_a_join(type, inputs, forward, backward):
    type, _, axis = type.partition("/")
    assert run((type, {"axis": "height"} if axis else {}), inputs=inputs) == (forward, backward)


def test_a_position_that_is_repeated_is_a_view_whose_gradient_is_summed():
    forward, backward = run(("expand", {"size": 8}), inputs=(2,))
    assert (forward, backward) == ([("expand", 0)], [("expand", 16)])


CHANNELS_LAST = [
    # what needs the order of the shape copies the map; what keeps its order does not
    (("flatten", {}), [("clone", MAP)], []),
    (("to_tokens", {}), [("view", 0)], []),
    (("rearrange", {"pattern": "c h w -> h (w c)"}), [("view", 0)], []),
    (("instance_norm", {}), [("clone", MAP), ("view", 0), ("native_batch_norm", MAP + 32), ("view", 0)], 1),
    (("group_norm", {"groups": 2}), [("native_group_norm", MAP + 16)], 1),
    (("global_avg_pool", {}), [("mean", 16), ("as_strided_", 0)], 2),
    (LAST, [("permute", 0), ("mm", MAP), ("view", 0)], 3),
]


@pytest.mark.parametrize(("layer", "forward", "steps"), CHANNELS_LAST, ids=str)
def test_a_map_whose_channels_lie_last(layer, forward, steps):
    there, back = run(layer, before=LAST)
    assert there == forward
    assert len(back) == (steps or 0)


def test_a_weight_gradient_in_another_order_is_copied():
    """The gradient of a convolution's weights has the order of the map, and is copied into the order of the weights."""
    _, back = run(CONV, before=LAST)
    assert back == [("convolution", MAP + WEIGHTS + 16), ("copy", WEIGHTS)]


def test_a_gradient_in_another_order_is_copied():
    """Soft-max gives a gradient in the order of the shape; the product before it needs the channels last."""
    net = Network("net", Shape(4, (8, 8)))
    for at, (type, settings) in enumerate([CONV, LAST, ("softmax", {})]):
        net.add(f"n{at}", registry[type](**settings))
    assert made(training(net), 2)[1] == [("view", MAP), ("mm", 64), ("mm", MAP)]


@pytest.mark.parametrize(("in_place", "sums"), [(True, []), (False, [("add", MAP)])])
def test_where_two_gradients_meet(in_place, sums):
    """Autograd adds the second in place, where nothing else refers to the first."""
    net = Network("net", Shape(4, (8, 8)))
    net.add("conv", registry["conv"](out=4, kernel=1))
    net.add("a", registry["gelu"](), [1])
    net.add("b", registry["silu"](), [1], storage="new")
    net.add("sum", registry["add"](), [2, 3])
    schedule = training(net, sums_in_place=in_place)
    assert made(schedule, 3)[1] == [("silu", MAP)]
    assert made(schedule, 2)[1] == [("gelu", MAP), *sums]


def test_mixed_precision():
    """Weights and maps in half precision; the gradients of weights are cast to single precision."""
    forward = [("_to_copy", 8), ("_to_copy", WEIGHTS // 2), ("convolution", MAP // 2)]
    backward = [("convolution", (MAP + WEIGHTS + 16) // 2), ("_to_copy", WEIGHTS), ("_to_copy", 16)]
    assert run(CONV, amp=True) == (forward, backward)


def test_squared_distances_to_codes():
    """Four numbers and three codes: 12 differences, their squares, and three sums."""
    net = Network("net", Shape(4))
    net.add("before", registry["linear"](out=4))
    net.add("rbf", registry["rbf"](out=3))
    forward = [("sub", 48), ("pow", 48), ("sum", 12)]
    assert made(training(net), 2) == (forward, [*[("pow", 48)] * 3, ("sub", 16)])


@pytest.mark.parametrize(
    ("before", "forward", "backward"),
    [
        # the coordinates are the last axis of the grid: a view
        ([], [("view", 0), ("grid_sampler_2d", MAP)], [("grid_sampler_2d", MAP + MAP // 2)]),
        # two windows of both maps are put before the channels: a copy, and back a copy of the gradient
        (
            [("rearrange", {"pattern": "c (n h) w -> c n h w, n=2"})],
            [("clone", MAP), ("clone", MAP // 2), ("grid_sampler_2d", MAP), ("view", 0), ("view", 0)],
            [("view", MAP), ("grid_sampler_2d", MAP + MAP // 2)],
        ),
    ],
)
def test_positions_on_a_map(before, forward, backward):
    """The gradient of the grid is made with that of the map."""
    net = Network("net", Shape(4, (8, 8)))
    ends = []
    for out in (4, 2):
        net.add(f"conv{out}", registry["conv"](out=out, kernel=1), [0])
        for type, settings in before:
            net.add(f"{type}{out}", registry[type](**settings))
        ends.append(len(net.nodes) - 1)
    net.add("layer", registry["grid_sample"](), ends)
    assert made(training(net), len(net.nodes) - 1) == (forward, backward)


REGION = 4 * 2 * 2 * 4
"""A region of 4x2x2."""


@pytest.mark.parametrize(
    ("layer", "inputs", "forward", "backward"),
    [
        # torchvision: roi_align keeps nothing; the poolings make an int32 for every value, and autograd zeros of it
        ("roi_align", (1,), [("roi_align", 3 * REGION)], [("roi_align", MAP)]),
        ("roi_pool", (1,), [("roi_pool", 6 * REGION)], [("roi_pool", 3 * REGION), ("roi_pool", MAP)]),
        ("ps_roi_pool", (1,), [("ps_roi_pool", 6 * REGION // 4)], [("ps_roi_pool", 48), ("ps_roi_pool", MAP)]),
        # two of the three regions read the first map, one the second; the gradient of the whole is that of the parts
        (
            "roi_align",
            (1, 2),
            [("roi_align", 2 * REGION), ("roi_align", REGION), ("cat", 3 * REGION)],
            [("roi_align", 16), ("roi_align", MAP)],
        ),
    ],
)
def test_three_regions(layer, inputs, forward, backward):
    assert run((layer, {"size": 2, "regions": 3}), inputs=inputs) == (forward, backward)


def test_layers_of_regions():
    """A layer behind makes everything of its own three times, but the gradients of weights once."""
    net = Network("net", Shape(4, (8, 8)))
    net.add("before", registry["conv"](out=4, kernel=1))
    net.add("regions", registry["roi_align"](size=2, regions=3))
    net.add("conv", registry["conv"](out=4, kernel=3, pad=1))
    net.add("norm", registry["group_norm"](groups=2))
    net.add("dropout", registry["dropout"]())
    schedule = training(net)
    assert made(schedule, 3) == ([("convolution", 3 * REGION)], [("convolution", 3 * REGION + WEIGHTS + 16)])
    assert made(schedule, 4)[0] == [("native_group_norm", 3 * (REGION + 2 * 2 * 4))]
    assert made(schedule, 5) == ([("bernoulli_", 3 * REGION), ("mul", 3 * REGION)], [("mul", 3 * REGION)])
    assert schedule.saved_bytes(2) == 2 * 3 * (3 * REGION + 2 * 2 * 4)  # two maps and a mask, mean and deviation


def test_half_precision_of_regions():
    """torchvision has no half precision on the CPU: the map is cast to single precision, and the regions back."""
    forward = [("_to_copy", MAP), ("roi_align", 3 * REGION), ("_to_copy", 3 * REGION // 2)]
    backward = [("_to_copy", 3 * REGION), ("roi_align", MAP), ("_to_copy", MAP // 2)]
    assert run(("roi_align", {"size": 2, "regions": 3}), amp=True) == (forward, backward)
