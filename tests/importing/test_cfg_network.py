"""Sections of darknet as layers. The sizes are those that darknet prints."""

from __future__ import annotations

import pytest

from archcalc import analyze
from archcalc.errors import ArchcalcError
from tests.importing.files import NET, TINY_YOLO, darknet

CONV = "[convolutional]\nfilters=16\nsize=3\npad=1\nactivation=linear\n"


def test_a_network() -> None:
    net = darknet(TINY_YOLO)
    assert [(node.name, node.layer.type, str(node.shape)) for node in net.after_inputs] == [
        ("conv0", "conv", "8x64x64"),
        ("batch_norm0", "batch_norm", "8x64x64"),
        ("leaky_relu0", "leaky_relu", "8x64x64"),
        ("max_pool1", "max_pool", "8x32x32"),
        ("conv2", "conv", "16x32x32"),
        ("batch_norm2", "batch_norm", "16x32x32"),
        ("leaky_relu2", "leaky_relu", "16x32x32"),
        ("add3", "add", "16x32x32"),
        ("conv4", "conv", "21x32x32"),
        ("upsample7", "upsample", "16x64x64"),
        ("concat8", "concat", "24x64x64"),
    ]
    assert [net.nodes[i].name for i in net.outputs] == ["conv4", "concat8"]
    assert net.notes == ["import: parameters complete, multiply-adds complete, dropped: yolo"]
    assert analyze(net).totals.params == 3 * 8 * 9 + 16 + 8 * 16 * 9 + 32 + 16 * 21 + 21


@pytest.mark.parametrize(
    ("section", "type", "settings", "shape"),
    [
        ("[conv]\nfilters=16\nsize=3\npad=1\n", "sigmoid", {}, "16x13x12"),
        ("[convolutional]\nfilters=16\nsize=3\nactivation=linear", "conv", {"pad": 0}, "16x11x10"),
        (
            "[convolutional]\nfilters=16\nsize=4\nstride=2\npad=1\npadding=9\nactivation=linear",
            "conv",
            {"pad": 2},
            "16x7x7",
        ),
        (
            "[convolutional]\nfilters=16\nsize=3\nstride_x=1\nstride_y=2\npad=1\nactivation=linear",
            "conv",
            {"stride": (2, 1)},
            "16x7x12",
        ),
        (
            "[convolutional]\nfilters=16\nsize=3\npad=1\ndilation=2\nactivation=linear",
            "conv",
            {"pad": 2, "dilation": 2},
            "16x13x12",
        ),
        ("[convolutional]\nfilters=16\nsize=1\ndilation=2\nactivation=linear", "conv", {"dilation": 1}, "16x13x12"),
        ("[convolutional]\nfilters=16\ngroups=8\nactivation=relu", "relu", {}, "16x13x12"),
        ("[maxpool]\nsize=2\nstride=2", "max_pool", {"pad": "same"}, "8x7x6"),
        ("[maxpool]\nsize=2\nstride=1", "max_pool", {"pad": "same"}, "8x13x12"),
        ("[maxpool]\nsize=3\nstride=2", "max_pool", {"pad": 1}, "8x7x6"),
        ("[maxpool]\nsize=2\nstride=2\npadding=0", "max_pool", {"pad": 0}, "8x6x6"),
        ("[maxpool]\nsize=4\nstride=2", "max_pool", {"pad": ((1, 2), (1, 2))}, "8x7x6"),
        ("[maxpool]\nstride=2", "max_pool", {"kernel": 2}, "8x7x6"),
        ("[avgpool]", "global_avg_pool", {}, "8x1x1"),
        ("[local_avgpool]\nsize=3\nstride=1", "avg_pool", {"pad": "same"}, "8x13x12"),
        ("[connected]\noutput=5\nactivation=linear", "linear", {"out": 5}, "5"),
        ("[local]\nfilters=4\nsize=3\npad=1\nstride=2\nactivation=linear", "locally_connected", {"pad": 1}, "4x7x6"),
        ("[upsample]\nstride=3", "upsample", {"scale": 3}, "8x39x36"),
        ("[dropout]\nprobability=.25", "dropout", {"p": 0.25}, "8x13x12"),
        ("[softmax]", "softmax", {}, "1248"),
        ("[softmax]\nspatial=1", "softmax", {}, "8x13x12"),
        ("[normalization]", "lrn", {"k": 1, "alpha": 0.0001}, "8x13x12"),
        ("[batchnorm]", "batch_norm", {}, "8x13x12"),
        ("[activation]\nactivation=mish", "mish", {}, "8x13x12"),
        ("[activation]\nactivation=ramp", "scale", {"factor": 1.1}, "8x13x12"),
        ("[reorg3d]\nstride=1", "rearrange", {}, "8x13x12"),
        ("[route]\nlayers=-1\ngroups=2\ngroup_id=1", "slice", {"start": 4}, "4x13x12"),
        ("[route]\nlayers=-1,-1", "concat", {}, "16x13x12"),
        ("[shortcut]\nfrom=-1", "add", {}, "8x13x12"),
        ("[shortcut]\nfrom=-1\nactivation=leaky", "leaky_relu", {"slope": 0.1}, "8x13x12"),
        ("[sam]\nfrom=-1", "multiply", {}, "8x13x12"),
        (
            "[deconvolutional]\nfilters=4\nsize=4\nstride=2\npadding=1\nactivation=linear",
            "conv_transpose",
            {"pad": 1},
            "4x26x24",
        ),
        ("[l2norm]", "l2_norm", {}, "8x13x12"),
    ],
)
def test_a_section(section: str, type: str, settings: dict[str, object], shape: str) -> None:
    net = darknet(f"{NET}[dropout]\n{section}\n")
    node = net.nodes[-1]
    assert (node.layer.type, str(node.shape)) == (type, shape)
    assert {key: node.layer.settings[key] for key in settings} == settings


def test_a_reorg_reads_the_memory_anew() -> None:
    """Position (c, y, x) of the output comes from where reorg_cpu of darknet's blas.c takes it."""
    numpy = pytest.importorskip("numpy")
    c, h, w, s = 8, 4, 6, 2
    net = darknet(f"[net]\nheight={h}\nwidth={w}\nchannels={c}\n[reorg]\nstride={s}\n")
    assert [node.layer.settings["pattern"] for node in net.after_inputs] == [
        "c h w -> (c h w)",
        f"(c {h} {s} {w} {s}) -> ({s} {s} c {h} {w})",
        f"(c {h // s} {w // s}) -> c {h // s} {w // s}",
    ]
    image = numpy.arange(c * h * w).reshape(c // s**2, h, s, w, s).transpose(2, 4, 0, 1, 3)
    flat, out_c = numpy.zeros(c * h * w, int), c // s**2
    for k in range(c):
        for j in range(h):
            for i in range(w):
                c2, offset = k % out_c, k // out_c
                row, column = j * s + offset // s, i * s + offset % s
                flat[i + w * (j + h * k)] = column + w * s * (row + h * s * c2)
    assert (image.ravel() == flat).all()
    assert str(net.nodes[-1].shape) == f"{c * s**2}x{h // s}x{w // s}"


def test_unequal_shortcuts_add_what_both_maps_have() -> None:
    larger = (
        "[net]\nheight=12\nwidth=12\nchannels=8\n[dropout]\n[convolutional]\nfilters=16\nstride=2\nactivation=linear\n"
    )
    node = darknet(f"{larger}[shortcut]\nfrom=0\n").nodes[-1]
    assert (str(node.shape), node.layer.settings["unequal"]) == ("16x6x6", True)


def test_a_crop_at_the_start_is_the_input() -> None:
    net = darknet(f"{NET}[crop]\ncrop_height=10\ncrop_width=9\n{CONV}")
    assert str(net.input) == "8x10x9"
    assert net.notes == ["import: parameters complete, multiply-adds complete, dropped: crop"]


def test_shared_and_frozen_weights() -> None:
    norm = CONV.replace("filters=16", "filters=8").replace("[conv", "[conv") + "batch_normalize=1\n"
    net = darknet(f"{NET}{norm}{norm}share_index=0\n{norm}stopbackward=1\n")
    nodes = net.after_inputs
    assert [node.shares for node in nodes] == [None, None, 1, 2, None, None]
    assert [node.trained for node in nodes if node.shares is None] == [False, False, True, True]


def test_everything_without_counterpart_is_named_at_once() -> None:
    text = f"{NET}{CONV}[rnn]\noutput=3\n{CONV}[wobble]\n"
    with pytest.raises(ArchcalcError) as caught:
        darknet(text)
    first, second, last = caught.value.problems
    assert (first.line, first.text) == (10, "[rnn]: a recurrent layer has no counterpart")
    assert second.line == 17
    assert second.text.startswith("[wobble]: unknown section 'wobble'; known: convolutional")
    assert last.text.startswith("layers without a counterpart in archcalc: rnn, wobble. --allow-missing")
    net = darknet(text, allow_missing=True)
    assert [node.layer.type for node in net.after_inputs] == ["conv"]
    assert net.notes == [
        "import: every count is a lower bound, and outputs are cut, without rnn, wobble and 1 layer behind them; "
        "nothing dropped"
    ]


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("[convolutional]\n", 1, "the first section of a cfg must be [net]"),
        ("[net]\nwidth=3\n", 1, "[net] gives no size of an input: it needs channels, height and width, or inputs"),
        (f"{NET}[maxpool]\nsize=x\n", 5, "[maxpool]: size must be a whole number, got 'x'"),
        (f"{NET}[maxpool]\nsize=0\n", 5, "[maxpool]: size must be 1 or more, got 0"),
        (f"{NET}[route]\nlayers=-2\n", 5, "[route]: there is no earlier layer -2; this is layer 0, and the first one is 0"),
        (f"{NET}[route]\nlayers=3\n", 5, "[route]: there is no earlier layer 3; this is layer 0, and the first one is 0"),
        (f"{NET}[shortcut]\n", 5, "[shortcut]: a shortcut names a layer in from="),
        (f"{NET}[activation]\nactivation=leeky\n", 5, "[activation]: unknown activation 'leeky'; known: linear, logistic"),
        (f"{NET}{CONV}".replace("size=3", "size=99"), 5, "conv0: "),
        (f"{NET}[yolo]\n", 0, "has no layer: nothing is computed from the input"),
    ],
)  # fmt: skip
def test_what_is_wrong_has_a_line(text: str, line: int, problem: str) -> None:
    if "size=99" in text:
        text = text.replace("pad=1", "pad=0")
    with pytest.raises(ArchcalcError) as caught:
        darknet(text)
    assert caught.value.problems[0].line == line
    assert caught.value.problems[0].text.startswith(problem)


def test_another_input_reads_the_file_anew() -> None:
    """A reorg has the sizes of its map in its pattern, so the rules of the file decide again."""
    net = darknet("[net]\nheight=8\nwidth=8\nchannels=4\n[reorg]\nstride=2\n")
    assert str(net.at(type(net.input)(4, (12, 8))).nodes[-1].shape) == "16x6x4"


def test_bflops_as_darknet_prints_them() -> None:
    """2 for each multiply of convolutions, 4 for each value of a 2x2 pooling, 1 for each sum; connected layers none."""
    text = f"{NET}{CONV}[shortcut]\nfrom=-1\n[maxpool]\nsize=2\nstride=2\n[connected]\noutput=5\n"
    total = analyze(darknet(text), convention="darknet").totals.macs
    assert total == 2 * 16 * 8 * 9 * 13 * 12 + 16 * 13 * 12 + 4 * 16 * 7 * 6


def test_the_number_of_layers_is_bounded() -> None:
    with pytest.raises(ArchcalcError, match="more than 12,500 layers"):
        darknet(NET + "[dropout]\n" * 12_501)
