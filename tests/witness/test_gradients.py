"""The receptive field against the support of a gradient, on whole networks."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings

import archcalc
from archcalc import Network, analyze
from archcalc.errors import LayerError
from archcalc.layers.convolution import Conv
from archcalc.sizes import Shape, Window
from archcalc.witness.enlarged import enlarged
from archcalc.witness.gradients import FieldCheck, check, support
from tests import random_nets as nets

from .networks import network

RANDOM = settings(
    max_examples=120, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def of(net, *axes):
    return nets.build(net, Shape(4, axes))


def conv(kernel, **given):
    return "conv", {"out": 4, "kernel": kernel, **given}


@pytest.mark.parametrize("name", ["alexnet", "vgg16", "resnet50", "googlenet"])
def test_every_layer_of(name):
    """Every layer and both axes, at the network's input and where the whole field lies inside a larger one."""
    network = archcalc.load(name)
    found = check(network, limit=None)
    assert found.layers == found.of == len(network.nodes) - 1
    assert [c for c in found.checks if not c.agree] == []
    # the engine has its word that ResNet-50's last layers see the whole input as a bound: they do
    equal = {(c.node, c.axis) for c in found.checks if c.exact or c.measured == (0, c.pixels - 1)}
    assert equal == {(node.name, axis) for node in network.nodes[1:] for axis in (0, 1)}


def test_the_field_of_vgg16_is_the_published_212_pixels():
    """The last pooling of VGG-16 (Araujo et al., Computing receptive fields of convolutional neural networks, 2019)."""
    (last,) = [c for c in check(archcalc.load("vgg16"), limit=None).checks if c.node == "pool5" and c.axis == 0]
    assert last.measured is not None
    assert last.measured[1] - last.measured[0] + 1 == 212


@RANDOM
@given(nets.networks(), nets.shapes)
def test_random_networks_with_branches_dilation_padding_by_side_and_upsampling(net, shape):
    try:
        network = nets.build(net, shape)
    except LayerError:
        assume(False)
    assert [c for c in check(network, limit=None).checks if not c.agree] == []


# The check fails where the engine is wrong.


class Shifted(Conv):
    """A convolution that claims another padding than it has."""

    def window(self, x: Shape) -> tuple[Window, ...]:
        return tuple(window._replace(before=window.before + 1) for window in super().window(x))


class Wide(Conv):
    """A convolution that claims a wider window than it has."""

    def window(self, x: Shape) -> tuple[Window, ...]:
        return tuple(window._replace(span=window.span + 2) for window in super().window(x))


class Strided(Conv):
    """A convolution that claims a larger stride than it has."""

    def window(self, x: Shape) -> tuple[Window, ...]:
        return tuple(window._replace(stride=window.stride + 1) for window in super().window(x))


@pytest.mark.parametrize("wrong", [Shifted, Wide, Strided])
def test_a_wrong_window_is_seen(wrong):
    for layer in (Conv, wrong):
        network = Network("wrong", Shape(3, (32, 32)))
        network.add("first", Conv(out=4, kernel=3, pad=1))
        network.add("second", layer(out=4, kernel=3, pad=1, dilation=2))
        network.add("third", Conv(out=4, kernel=3, stride=2))
        found = check(network)
        assert found.agree == (layer is Conv)
        assert {c.node for c in found.checks if not c.agree} == (set() if layer is Conv else {"second", "third"})


@pytest.mark.parametrize(("path", "other"), [("one", "two"), ("two", "one")])
def test_another_padding_or_dilation_in_the_model_is_seen(path, other):
    """Two networks of the same shapes: the fields of one are not what the gradient sees in the other."""
    layers = {"one": conv(3, pad=2, dilation=2), "two": conv(5, pad=[[3, 1], [1, 3]])}
    (claim,) = [c for c in check(of([layers[path]], 32, 32)).checks if c.axis == 0]
    seen = support(of([layers[other]], 32, 32), 0, [1])[1]
    assert claim.agree
    assert not claim._replace(measured=seen).agree


C = {"conv": {"out": 4, "kernel": 3, "pad": 1}}
HALVES = {
    "a": [{"slice": {"axis": "height", "stop": 4}}],
    "b": [{"slice": {"axis": "height", "start": 4}}, C],
}
MOVED = {
    "shifted windows": [
        C,
        {"roll": {"by": -2}},
        {"windows": {"size": 4}},
        {"linear": {"out": 16, "axis": "last"}},
        {"from_windows": {"size": [8, 8]}},
        {"roll": {"by": 2}},
        C,
    ],
    "halves": [C, {"concat": {"axis": "height", **HALVES}}, C, "flatten", {"linear": {"out": 2}}],
    "grid": [C, {"windows": {"size": [2, 4], "grid": True}}, "relu", "flatten"],
    "every second row": [C, {"slice": {"axis": "height", "start": 1, "stop": 7, "step": 2}}, C],
    "borders": [{"pad": {"by": [1, 2], "mode": mode}} for mode in ("reflect", "replicate", "circular")] + [C],
    "products over an axis of one value": [
        {"rearrange": "c (h 2) w -> c h 2 w"},
        {"adaptive_avg_pool": {"out": [5, 3, 1]}},
        {
            "layers": [{"matmul": {"transpose": "second", "a": [], "b": [{"adaptive_avg_pool": {"out": [5, 1, 1]}}]}}],
            "repeat": 2,
        },
    ],
    "four axes": [
        C,
        {"rearrange": "c (h 2) (w 4) -> c h 2 w 4"},
        {"layer_norm": {"axis": "last"}},
        {"l2_norm": {"axis": ["channels", "last"]}},
        {"multiply": [[], [{"reduce": {"by": "max", "axis": "last"}}], [{"softmax": {"axis": "last"}}]]},
        {"conv": {"out": 4, "kernel": [1, 1, 2, 1]}},
    ],
    "four axes, whole": [
        C,
        {"rearrange": "c (h 2) (w 4) -> c h 2 w 4"},
        {"group_norm": {"groups": 1}},
        "flatten",
    ],
    "repeated": [{"adaptive_avg_pool": {"out": [1, 8]}}, {"expand": {"size": 8}}, C],
    "shuffled": [
        C,
        {"space_to_depth": {"block": 2}},
        {"conv": {"out": 8, "kernel": 3}},
        {"pixel_shuffle": {"factor": 2}},
    ],
    "sampled": [
        C,
        {"grid_sample": {"map": [C], "grid": [{"conv": {"out": 2, "kernel": 3, "stride": 2}}]}},
        C,
    ],
    "unfolded": [
        C,
        {"unfold": {"kernel": 3, "stride": 2, "pad": 1}},
        {"conv": {"out": 8, "kernel": 1}},
        {"fold": {"kernel": 2, "dilation": 2, "stride": 2}},
    ],
}


@pytest.mark.parametrize("layers", MOVED.values(), ids=MOVED)
def test_positions_that_move(layers):
    found = check(network({"input": [3, 8, 8], "layers": layers}), limit=None)
    assert [c for c in found.checks if not c.agree] == []


# What a check says.


def test_one_check_written_out():
    """A 5x3 with stride 2 and one row of zeros before: row 3 of 7 reads 3*2 - 1 = 5 to 9, column 3 of 7 reads 6 to 8."""
    network = of([("conv", {"out": 4, "kernel": [5, 3], "stride": 2, "pad": [[1, 1], [0, 0]]})], 16, 16)
    assert check(network) == (
        [FieldCheck("n1", 0, 16, 3, (5, 9), (5, 9), True), FieldCheck("n1", 1, 16, 3, (6, 8), (6, 8), True)],
        1,
        1,
    )


def test_a_field_that_the_image_cuts_is_compared_in_a_larger_one():
    """Three dilated convolutions see 1 + 3*2*4 = 25 pixels of 12: cut to the image, and then in one four times as wide."""
    network = of([conv(3, pad=4, dilation=4)] * 3, 12)
    last = [c for c in check(network).checks if c.node == "n3"]
    # unit 6 of 12 sees -6 to 18, of which 2, 6 and 10 are pixels
    assert last == [
        FieldCheck("n3", 0, 12, 6, (2, 10), (2, 10), True),
        FieldCheck("n3", 0, 36, 18, (6, 30), (6, 30), True),
    ]


def test_the_other_axis_of_a_larger_input_is_small():
    """A field of 1 + 2*80 = 161 pixels around row 50 of 100 is too large, and lies inside 200 rows: 100 - 80 to 100 + 80.
    The field of AlexNet's conv5 lies inside its own input."""
    network = archcalc.load("alexnet")
    (conv5,) = (node.index for node in network.nodes if node.name == "conv5")
    assert enlarged(of([conv(3, pad=40, dilation=40)] * 2, 50, 60), 0, [2]).input.axes == (200, 32)
    assert enlarged(network, 0, [conv5]) is network


def test_units_that_differ():
    """Up by two and a 3x3: unit 8 of 16 reads positions 7 to 9, pixels 3 to 4."""
    (last,) = [c for c in check(of([("upsample", {"scale": 2}), conv(3, pad=1)], 8)).checks if c.node == "n2"]
    assert (last.computed, last.measured, last.exact, last.agree) == ((3, 4), (3, 4), True, True)
    assert not last._replace(computed=(3, 5)).agree


def test_a_whole_map_of_which_a_unit_reads_padding():
    """The convolution by two reads pixels 0 and 1 of three; the 3x3 around its only unit reads nothing more."""
    reader = [("conv", {"out": 4, "kernel": 2, "stride": 2}), ("conv", {"out": 4, "kernel": 3, "pad": 1})]
    wide = {"concat": {"axis": "length", "a": [{kind: given} for kind, given in reader[1:]], "b": []}}
    layers = [{kind: given} for kind, given in reader[:1]] + [wide, {"adaptive_avg_pool": {"out": 1}}]
    own = [c for c in check(network({"input": [4, 3], "layers": layers}), limit=None).checks if c.pixels == 3]
    assert [c.measured for c in own] == [(0, 1)] * 4
    assert all(c.agree and c.exact for c in own)


def test_a_whole_map_beside_single_pixels_on_many_positions():
    """Of 1,200 positions, the first half sees all 600 pixels, and the second half one pixel each: a bound for all."""
    whole = {"mean": [[{"adaptive_avg_pool": {"out": 1}}], []]}
    net = network({"input": [4, 600], "layers": [{"concat": {"axis": "length", "a": [whole], "b": []}}]})
    last = analyze(net).rows[-1].field[0]
    assert (last.field.first, last.field.last, last.exact) == (0, 599, False)
    assert all(c.agree for c in check(net, limit=None).checks)


def test_as_many_pixels_as_the_input_with_padding_among_them():
    """The stride reads pixels 0 and 2. The window of two with a zero before them is pixels -2 to 0: three, as the input has."""
    steps = [{"conv": {"out": 4, "kernel": 1, "stride": 2}}, {"subsample": {"kernel": 2, "stride": 4, "pad": 1}}]
    wide = [{"concat": {"axis": "length", "a": [], "b": []}}, {"adaptive_avg_pool": {"out": 1}}]
    net = network({"input": [4, 3], "layers": [*steps, {"subtract": [[], wide]}]})
    last = analyze(net).rows[-1].field[0]
    assert (last.field.first, last.field.last) == (-2, 0)
    assert all(c.agree for c in check(net, limit=None).checks)


def test_a_unit_beyond_a_map_that_leaves_pixels_unread():
    """The stride of 3 leaves the last pixel unread; the unit would see it through a position beyond the map."""
    up = {"conv_transpose": {"out": 4, "kernel": 1, "stride": 3}}
    steps = [
        up,
        {"conv": {"out": 4, "kernel": 2, "stride": 3}},
        {"conv_transpose": {"out": 4, "kernel": 3, "dilation": 2}},
    ]
    net = network({"input": [4, 8], "layers": [*steps, {"subsample": {"kernel": 2, "stride": 3}}]})
    found = [c for c in check(net, limit=None).checks if (c.node, c.pixels) == ("subsample", 8)]
    assert [(c.unit, c.computed, c.measured, c.exact) for c in found] == [(2, (2, 6), (2, 6), True)]


def test_a_unit_beyond_the_map_behind_an_unpooling():
    """Pixels 0, 3 and 6 lie among zeros; two units read 0 to 3 and 2 to 5, and a third one would read 4 to 7."""
    pool = {"max_pool": {"kernel": 1, "stride": 3}, "name": "pool"}
    last = [{"conv": {"out": 2, "kernel": 4, "stride": 2}}, {"conv": {"out": 2, "kernel": 4, "pad": 2}}]
    found = check(network({"input": [6, 7], "layers": [pool, {"unpool": {"of": "pool"}}, *last]}), limit=None).checks
    assert [(c.computed, c.measured) for c in found if (c.node, c.pixels) == ("conv2", 7)] == [((0, 3), (0, 3))]
    assert all(c.agree for c in found)


def test_the_mean_of_a_window_beyond_the_map():
    """By Caffe's rule positions 0, 4, 8 and 12 of 11 are read, the last of them beyond the map. Queries see themselves."""
    queries = [{"subsample": {"kernel": 1, "stride": 4, "ceil_mode": "caffe"}}, {"adaptive_avg_pool": {"out": 11}}]
    attention = {"heads": 1, "queries": queries, "keys": [], "values": []}
    found = check(network({"input": [4, 11], "layers": [{"attention": attention}]}), limit=None).checks
    assert [c.measured for c in found if (c.node, c.pixels) == ("attention", 11)] == [(0, 10)]
    assert all(c.agree for c in found)


def test_a_branch_that_reads_padding_alone_along_another_axis():
    """Both cells of the width lie beside the only column, so the branch reads no pixel of the height either."""
    blind = {"conv": {"out": 3, "kernel": [3, 2], "pad": "same", "dilation": 2}}
    found = check(network({"input": [3, 5, 1], "layers": [{"mean": [[], [blind]]}]}), limit=None).checks
    seen = {(c.node, c.axis, c.pixels): (c.computed, c.measured, c.exact) for c in found}
    assert seen["mean", 0, 5] == ((0, 4), (2, 2), False)
    assert seen["mean", 1, 1] == ((0, 0), (0, 0), True)
    assert all(c.agree for c in found)


def test_a_bound_holds_what_is_seen():
    """Five units of nine pixels are 9/5 of a pixel apart, and those of the stride 2: no one step is that of their sum."""
    apart = ("add", [[("adaptive_avg_pool", {"out": 5}), conv(1)], [conv(1, stride=2)]])
    (last,) = [c for c in check(of([apart], 9)).checks if c.node == "n4"]
    assert (last.computed, last.measured, last.exact, last.agree) == ((0, 8), (3, 5), False, True)
    assert not last._replace(computed=(4, 4)).agree


def test_a_gate_that_some_units_do_not_read():
    """The mean of all pixels is put at unit 0 of three; unit 1 sees the pixels 2 to 4 of its own pooling."""
    put = {"conv_transpose": {"out": 2, "kernel": 1, "stride": 3, "output_pad": 2}}
    layers = [{"add": {"a": [{"adaptive_avg_pool": {"out": 3}}], "b": ["global_avg_pool", put]}}]
    last = check(network({"input": [2, 7], "layers": layers}), limit=None).checks[-1]
    assert (last.node, last.unit, last.computed, last.measured, last.exact) == ("add", 1, (0, 6), (2, 4), False)


def test_a_vector_has_no_fields():
    assert check(of([("linear", {"out": 3}), ("relu", {})])) == ([], 0, 2)


def test_layers_that_see_different_things_are_chosen():
    found = check(archcalc.load("vgg16"), limit=5)
    assert found.layers == 5
    assert [c.node for c in found.checks if c.axis == 0] == ["conv1_1", "conv2_2", "pool3", "conv5_1", "fc6"]


POINTS = {"kernel": 1, "stride": 2}
APART = [
    {"max_pool": {"kernel": 1, "stride": 3}},
    {"conv": {"out": 4, **POINTS}},
    {
        "concat": {
            "axis": "last",
            "a": [{"conv": {"out": 4, **POINTS}}, {"upsample": {"size": [2], "mode": "bilinear"}}],
            "b": [],
        }
    },
    {"divide": [[{"adaptive_avg_pool": {"out": [1]}}], []]},
]
"""A mean over pixels 0 and 6 of 9."""
EMPTY = [
    {"rearrange": "a b (c 2) -> b c (a 2)"},
    {
        "subtract": {
            "a": [
                {"conv_transpose": {"out": 1, "kernel": 4, "stride": [2, 1], "dilation": 2}},
                {"upsample": {"size": [7, 6], "mode": "bilinear"}},
            ],
            "b": [{"locally_connected": {"out": 4, "kernel": 1}, "from": "input"}],
        }
    },
]
"""Every other row of the transposed convolution reads nothing, also of an axis that lies in the channels."""
BEHIND = [
    {
        "maximum": {
            "a": [],
            "b": [
                {"layer_norm": {"axis": ["width"], "affine": False}},
                {"avg_pool": {"kernel": 2, "stride": 4, "ceil_mode": "caffe", "count_include_pad": False}},
                {"adaptive_avg_pool": {"out": [1, 1, 4]}},
            ],
        }
    }
]
"""A window behind the end of a map that reads everything."""
MASKED = [
    {
        "attention": {
            "heads": 1,
            "causal": True,
            "scale": -1,
            "queries": [{"conv": {"out": 3, "kernel": 3, "stride": [1, 3, 2], "pad": 1}}],
            "keys": [{"upsample": {"size": [4, 1, 2], "mode": "bilinear"}}, {"conv": {"out": 3, "kernel": 1}}],
            "values": [{"adaptive_avg_pool": {"out": [4, 1, 2]}}],
        }
    }
]
"""PyTorch makes no number of a masked score and a negative scale."""


@pytest.mark.parametrize(
    ("sizes", "layers"), [([4, 9], APART), ([4, 7, 6], EMPTY), ([7, 3, 6, 4], BEHIND), ([6, 4, 1, 3], MASKED)]
)
def test_units_that_read_less_than_their_window(sizes, layers):
    found = check(network({"input": sizes, "layers": layers}), limit=None)
    assert [c for c in found.checks if not c.agree] == []
