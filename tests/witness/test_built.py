"""The module that is built from a spec: its names, its function, and what PyTorch has no layer for."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from archcalc import ArchcalcError, Network, Shape, load
from archcalc.export import torch_source
from archcalc.layers import registry
from archcalc.layers.base import per_axis
from archcalc.layers.convolution import Conv
from archcalc.layers.pool import AvgPool, MaxPool, Subsample
from archcalc.witness import build


def spec(tmp_path: Path, text: str) -> Network:
    file = tmp_path / "net.yaml"
    file.write_text(text)
    return load(str(file))


def test_it_has_the_names_of_the_spec() -> None:
    model = build(load("resnet18"), "meta")
    assert isinstance(model.get_submodule("conv1"), nn.Conv2d)
    assert isinstance(model.get_submodule("conv2_1.main.conv1"), nn.Conv2d)
    assert "(conv1): Conv2d(3, 64, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3), bias=False)" in repr(model)


def test_side_heads_are_returned_in_training() -> None:
    model = build(load("googlenet_tv"), "meta")
    image = torch.empty(2, 3, 224, 224, device="meta")
    assert [tuple(out.shape) for out in model.train()(image)] == [(2, 1000)] * 3
    assert tuple(model.eval()(image).shape) == (2, 1000)


def test_a_spec_is_the_function_that_is_written_by_hand(tmp_path: Path) -> None:
    """A shortcut, a gate and two poolings side by side, each as one would write it in PyTorch."""
    network = spec(
        tmp_path,
        """
        input: [4, 9, 7]
        layers:
          - add:
              main:
                - conv: {out: 4, kernel: 3, pad: same}
                - relu
              shortcut: []
          - multiply:
              features: []
              gate:
                - global_avg_pool
                - flatten
                - linear: {out: 4}
                - sigmoid
          - concat:
              largest:
                - max_pool: {kernel: 3, stride: 2, pad: 1}
              mean:
                - avg_pool: {kernel: 2, stride: 2, pad: same, count_include_pad: false}
        """,
    )
    torch.manual_seed(0)
    model, x = build(network).eval(), torch.randn(2, 4, 9, 7)
    kernel, bias, gate, gate_bias = model.parameters()
    y = x + F.relu(F.conv2d(x, kernel, bias, padding=1))
    y = y * torch.sigmoid(F.linear(y.mean((2, 3)), gate, gate_bias))[:, :, None, None]
    # TensorFlow's same with a 2x2 kernel of stride 2 on 9x7: a row and a column of zeros after
    summed, cells = (F.avg_pool2d(F.pad(v, (0, 1, 0, 1)), 2, 2) for v in (y, torch.ones_like(y)))
    torch.testing.assert_close(model(x), torch.cat((F.max_pool2d(y, 3, 2, 1), summed / cells), 1))


def test_a_connection_table_is_a_masked_convolution() -> None:
    """LeNet-5's C3: 60 of the 96 pairs of maps are connected (LeCun et al. 1998, Table I)."""
    network = load("lenet5")
    model = build(network)
    c3 = next(module for node, module in model.layers if node.layer.type == "conv_table")
    assert sum(p.numel() for p in c3.parameters()) == 60 * 25 + 16
    full = torch.zeros(16, 6, 5, 5)
    for out, (maps, conv) in enumerate(zip(c3.table, c3.maps, strict=True)):
        full[out, maps] = conv.weight.detach()[0]
    assert int((full.abs().sum((2, 3)) > 0).sum()) == 60
    x = torch.randn(2, 6, 14, 14)
    biases = torch.cat([conv.bias for conv in c3.maps])
    torch.testing.assert_close(c3(x), F.conv2d(x, full, biases))


def test_a_locally_connected_layer_is_a_convolution_at_every_position(tmp_path: Path) -> None:
    layer = "{locally_connected: {out: 4, kernel: [3, 2], stride: [1, 2], pad: [[0, 1], [2, 0]], dilation: [2, 1]}}"
    model = build(spec(tmp_path, f"input: [3, 7, 6]\nlayers: [{layer}]"))
    x = torch.randn(2, 3, 7, 6)
    y, padded = model(x), F.pad(x, (2, 0, 0, 1))
    weight, bias = model.parameters()
    assert y.shape == (2, 4, 4, 4)
    weights, biases = weight.view(4, 4, 4, 3, 3, 2), bias.view(4, 4, 4)
    for row in range(4):
        for column in range(4):
            window = padded[:, :, row : row + 5, 2 * column : 2 * column + 2]
            unit = F.conv2d(window, weights[row, column], biases[row, column], dilation=(2, 1))
            torch.testing.assert_close(y[:, :, row, column], unit[:, :, 0, 0])


def test_shared_weights_are_one_tensor(tmp_path: Path) -> None:
    network = spec(
        tmp_path,
        """
        input: [8, 16, 16]
        layers:
          - conv: {out: 8, kernel: 3, pad: 1}
            name: first
          - conv: {out: 8, kernel: 3, pad: 1}
            weights: first
            name: again
          - conv: {out: 8, kernel: 3, pad: 1, stride: 2}
            weights: first
            name: smaller
        """,
    )
    model = build(network)
    modules = {node.name: module for node, module in model.layers}
    assert modules["again"] is modules["first"]
    assert modules["smaller"].weight is modules["first"].weight
    assert sum(p.numel() for p in model.parameters()) == 8 * 8 * 9 + 8
    assert model(torch.zeros(1, 8, 16, 16)).shape == (1, 8, 8, 8)


def test_names_that_python_or_pytorch_takes() -> None:
    network = Network("odd", Shape(3, (8, 8)))
    for name in ("class", "forward", "layers", "1x1", "a/b", "a", "a.b", "a.b"):
        network.add(name, Conv(out=3, kernel=1))
    model = build(network)
    assert [path for path, _ in model.named_modules() if path and path != "a"] == [
        "class_",
        "forward_",
        "layers_",
        "_1x1",
        "a_b",
        "a_",
        "a.b",
        "a.b_",
    ]
    assert model(torch.zeros(1, 3, 8, 8)).shape == (1, 3, 8, 8)


def test_what_pytorch_has_no_layer_for() -> None:
    network = Network("four", Shape(1, (4, 4, 4, 4)))
    network.add("conv", Conv(out=1, kernel=(3, 1, 1, 1), pad=(1, 0, 0, 0)))
    message = (
        "four: conv cannot be built: PyTorch has no conv over 4 axes. It can put the first axis into the batch, but "
        "there the kernel and the stride must be 1, and the padding 0"
    )
    with pytest.raises(ArchcalcError, match=f"^{re.escape(message)}$"):
        build(network)


@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize(
    ("n", "k", "s", "p", "d"), [(9, 3, 2, 1, 1), (9, 4, 3, 1, 2), (7, 2, 2, 1, 2), (12, 5, 3, 2, 1)]
)
def test_windows_that_are_summed_by_hand(n: int, k: int, s: int, p: int, d: int, include: bool) -> None:
    """Average pooling with dilation, which torch.nn lacks, cell by cell."""
    network = Network("pool", Shape(1, (n,)))
    network.add("pool", AvgPool(kernel=k, stride=s, pad=p, dilation=d, count_include_pad=include))
    x = torch.arange(1.0, n + 1)
    padded = {i: float(x[i]) for i in range(n)} | dict.fromkeys((*range(-p, 0), *range(n, n + p)), 0.0)
    expected = []
    for out in range(network.nodes[-1].shape.axes[0]):
        cells = [out * s - p + j * d for j in range(k)]
        counted = len(cells) if include else sum(0 <= cell < n for cell in cells)
        expected.append(sum(padded[cell] for cell in cells) / counted)
    torch.testing.assert_close(build(network)(x[None, None])[0, 0], torch.tensor(expected))


POOLS = [
    # type, settings, axes: among them every way in which the windows are placed
    ("avg_pool", {"kernel": 2, "stride": 1, "pad": "same"}, (5, 6)),
    ("avg_pool", {"kernel": 2, "stride": 2, "pad": "same"}, (5, 7)),
    ("avg_pool", {"kernel": [3, 4], "stride": [1, 3], "pad": "same"}, (6, 7)),
    ("avg_pool", {"kernel": 2, "stride": 1, "pad": "same", "count_include_pad": True}, (5, 6)),
    ("avg_pool", {"kernel": 4, "stride": 1, "pad": "same"}, (9,)),
    ("avg_pool", {"kernel": 4, "stride": 1, "pad": "same"}, (3, 4, 3)),
    ("avg_pool", {"kernel": 3, "stride": 2, "pad": [[0, 1], [2, 1]]}, (6, 5)),
    ("avg_pool", {"kernel": 3, "stride": 2, "pad": [[0, 1], [2, 1]], "ceil_mode": True}, (6, 5)),
    ("avg_pool", {"kernel": 3, "stride": 2, "pad": [[0, 1], [2, 1]], "count_include_pad": False}, (6, 5)),
    ("avg_pool", {"kernel": 2, "stride": 2, "pad": 1, "ceil_mode": "caffe"}, (6, 5)),
    ("avg_pool", {"kernel": 2, "stride": 3, "ceil_mode": "caffe"}, (7, 7)),
    ("avg_pool", {"kernel": 3, "stride": 2, "pad": 2, "ceil_mode": "caffe", "count_include_pad": False}, (6, 5)),
    ("avg_pool", {"kernel": 2, "stride": 2, "pad": "same", "dilation": 2}, (7, 6)),
    ("avg_pool", {"kernel": 3, "stride": 1, "pad": 1}, (2, 6, 6)),
    ("avg_pool", {"kernel": 3, "stride": 2, "ceil_mode": True}, (4, 3, 4)),
    ("max_pool", {"kernel": 3, "stride": 2, "pad": "same"}, (6, 6)),
    ("max_pool", {"kernel": 2, "stride": 2, "pad": [[0, 1], 0]}, (6, 6)),
    ("subsample", {"kernel": 2, "stride": 2}, (6, 6)),
    ("subsample", {"kernel": 3, "stride": 2, "pad": "same"}, (6, 5)),
    ("subsample", {"kernel": 2, "stride": 2, "pad": 1, "ceil_mode": True, "dilation": 2}, (6, 5)),
    ("subsample", {"kernel": 2, "stride": 2, "pad": 1}, (5,)),
    ("subsample", {"kernel": 2, "stride": 2, "pad": 1}, (3, 4, 5)),
]


@pytest.mark.parametrize(("type", "settings", "axes"), POOLS, ids=lambda value: str(value)[:60])
def test_pooling_cell_by_cell(type: str, settings: dict[str, Any], axes: tuple[int, ...]) -> None:
    """The built and the exported model against the windows themselves: which cells are added, and which are counted."""
    network = Network("pool", Shape(2, axes))
    network.add("pool", registry[type](**settings))
    layer, out = network.nodes[1].layer, network.nodes[1].shape
    x, rows = torch.randn(2, *axes), list(layer.slides(Shape(2, axes)))
    dilations = per_axis(layer.dilation, Shape(2, axes), "dilation")
    expected = torch.zeros(2, *out.axes)
    for position in itertools.product(*map(range, out.axes)):
        cells, counted = [], 0
        starts = [p * stride - before for p, (_, _, stride, before, _) in zip(position, rows, strict=True)]
        steps = [range(0, span, d) for (_, span, *_), d in zip(rows, dilations, strict=True)]
        for step in itertools.product(*steps):
            cell = [start + s for start, s in zip(starts, step, strict=True)]
            inside = all(0 <= c < n for c, (n, *_) in zip(cell, rows, strict=True))
            padded = all(-before <= c < n + after for c, (n, _, _, before, after) in zip(cell, rows, strict=True))
            same = settings.get("pad") == "same"
            counted += padded if settings.get("count_include_pad", not same) else inside
            cells += [x[(slice(None), *cell)]] if inside else []
        values = torch.stack(cells or [torch.full((2,), float("-inf") if type == "max_pool" else 0.0)])
        value = values.max(0).values if type == "max_pool" else values.sum(0)
        expected[(slice(None), *position)] = value / counted if type == "avg_pool" else value
    space: dict[str, Any] = {"__name__": "exported"}
    exec(torch_source(network), space)
    for model in (build(network), space["Pool"]()):
        for p in model.parameters():
            torch.nn.init.constant_(p, float(p is next(model.parameters())))
        torch.testing.assert_close(model(x[None])[0], expected)


@pytest.mark.parametrize("settings", [{"stride": 1}, {"stride": 2}, {"stride": 2, "dilation": 2}])
def test_the_mean_of_ones_is_one(settings: dict[str, Any]) -> None:
    """TensorFlow's ``same`` average leaves the padding out of the divisor."""
    network = Network("pool", Shape(1, (5, 5)))
    network.add("pool", AvgPool(kernel=2, pad="same", **settings))
    assert set(build(network)(torch.ones(1, 1, 5, 5)).flatten().tolist()) == {1.0}


def test_caffes_rule_keeps_a_window_that_pytorch_drops() -> None:
    """n = 5, k = 1, s = 3 without padding: windows at 0 and 3, and at 6 outside; Caffe keeps the last."""
    network = Network("pool", Shape(1, (5,)))
    network.add("pool", MaxPool(kernel=1, stride=3, ceil_mode="caffe"))
    assert network.nodes[-1].shape.axes == (3,)
    out = build(network)(torch.arange(5.0)[None, None])[0, 0].tolist()
    assert out == [0, 3, float("-inf")]


def test_subsampling_is_a_scaled_sum() -> None:
    network = Network("s2", Shape(2, (4, 4)))
    network.add("s2", Subsample(kernel=2, stride=2))
    model = build(network)
    layer = model.get_submodule("s2")
    x = torch.randn(1, 2, 4, 4)
    with torch.no_grad():
        layer.weight.fill_(0.5)
        layer.bias.fill_(3.0)
    torch.testing.assert_close(model(x), F.avg_pool2d(x, 2) * 4 * 0.5 + 3)


@pytest.mark.parametrize("gamma", [1.0, 1.7881293296813965])
def test_a_scaled_convolution_is_that_of_timm(gamma: float) -> None:
    """timm's NF-RegNets have the gain of the activation, here that of SiLU, and an eps of 1e-5."""
    theirs = pytest.importorskip("timm").layers.ScaledStdConv2d(6, 4, 3, groups=2, gamma=gamma, eps=1e-5)
    network, settings = Network("one", Shape(6, (9, 8))), {"out": 4, "kernel": 3, "pad": 1, "groups": 2}
    network.add("layer", registry["conv"](**settings, weight_norm="scaled", gamma=gamma, eps=1e-5))
    ours = build(network)
    for mine, other in zip(ours.parameters(), (theirs.gain, theirs.weight, theirs.bias), strict=True):
        other.data.normal_()
        mine.data.copy_(other.data.view_as(mine))
    x = torch.randn(2, 6, 9, 8)
    assert torch.equal(ours(x), theirs(x))
