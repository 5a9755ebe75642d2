"""PyTorch modules as networks: names, storage, shared weights, several inputs and outputs, and what is refused."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

pytest.importorskip("torch")

import torch
from torch import nn

import archcalc
from archcalc.errors import ArchcalcError
from archcalc.witness import build
from archcalc.witness.counterpart import output_difference, pairs, take
from tests.capture import modules

IMAGE = (3, 16, 16)


def rows(net: archcalc.Network) -> list[tuple[str, str, str, str]]:
    """Name, type, shape and storage of every layer."""
    return [(node.name, node.layer.type, str(node.shape), node.storage) for node in net.after_inputs]


def test_names_and_storage_are_those_of_the_module() -> None:
    assert rows(archcalc.from_torch(modules.Plain(), input=IMAGE)) == [
        ("conv", "conv", "8x16x16", "new"),
        ("norm", "batch_norm", "8x16x16", "new"),
        ("relu", "relu", "8x16x16", "in_place"),
        ("scale", "scale", "8x16x16", "new"),
        ("relu_2", "relu", "8x16x16", "in_place"),
        ("global_avg_pool", "global_avg_pool", "8x1x1", "new"),
        ("drop", "dropout", "8x1x1", "new"),
        ("flatten", "flatten", "8", "view"),
        ("fc", "linear", "10", "new"),
    ]


def test_the_module_is_left_as_it_is() -> None:
    module = modules.Plain()
    module.norm.eval()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    archcalc.from_torch(module, input=IMAGE)
    assert (module.training, module.norm.training, module.conv.training) == (True, False, True)
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert module.conv.weight.device.type == "cpu"


def test_a_module_with_two_names() -> None:
    module = modules.Shared()
    net = archcalc.from_torch(module, input=IMAGE)
    assert [node.shares for node in net.after_inputs] == [None, None, 1]
    assert {one.device.type for one in module.b.parameters()} == {"cpu"}
    assert module.last == 0


def test_outputs_have_the_axes_of_the_model() -> None:
    net = archcalc.from_torch(modules.Mean(), input=IMAGE)
    assert [str(net.nodes[at].shape) for at in net.outputs] == ["3x16x16", "3x256"]


def test_outputs_in_a_named_tuple_and_a_dataclass() -> None:
    net = archcalc.from_torch(modules.Fields(), input=IMAGE)
    assert [net.nodes[at].name for at in net.outputs] == ["conv", "math"]


def test_training() -> None:
    """Other outputs in training: the network is the one in training. The same outputs: nothing changes."""
    both = archcalc.from_torch(modules.Distilled(), input=(5,), training=True)
    assert [both.nodes[at].name for at in both.outputs] == ["a", "b"]
    assert "as in training, whose outputs are others than at inference" in both.notes[0]
    one = archcalc.from_torch(modules.Distilled(), input=(5,))
    assert [one.nodes[at].layer.type for at in one.outputs] == ["scale"]
    plain = [archcalc.from_torch(modules.Plain(), input=IMAGE, training=training) for training in (False, True)]
    assert rows(plain[0]) == rows(plain[1])
    assert plain[0].notes == plain[1].notes
    assert rows(archcalc.from_torch(modules.Losses(), input=IMAGE)) == [("conv", "conv", "3x16x16", "new")]
    with pytest.raises(ArchcalcError, match="Losses fails for 2 images of 3x16x16: ValueError: targets are needed"):
        archcalc.from_torch(modules.Losses(), input=IMAGE, training=True)


def test_several_inputs_and_outputs_and_a_layer_that_runs_twice() -> None:
    net = archcalc.from_torch(modules.Two(), inputs={"image": IMAGE, "facts": (5,)})
    assert list(net.inputs) == ["image", "facts"]
    assert [net.nodes[at].name for at in net.outputs] == ["add_2", "linear"]
    assert net.analyze().totals.params == 3 * 8 * 9 + 8 + 5 * 8 + 8
    assert net.analyze().totals.macs == 2 * 16 * 16 * 8 * 27 + 5 * 8


def test_weights_that_are_computed() -> None:
    """The constants of timm's layer, and the length of each output feature."""
    scaled = pytest.importorskip("timm").layers.ScaledStdConv2d(3, 4, 3, gamma=1.5, eps=1e-5)
    module = nn.Sequential(scaled, nn.utils.parametrizations.weight_norm(nn.Linear(16, 5)))
    conv, linear = (node.layer for node in archcalc.from_torch(module, input=IMAGE).after_inputs)
    assert (conv.weight_norm, conv.gamma, conv.eps) == ("scaled", 1.5, 1e-5)
    assert (linear.weight_norm, linear.axis, linear.out) == ("channels", "last", 5)


def test_convolutions_with_one_gain_have_one_number() -> None:
    """The product of a gain and the root of 576, 1152 or 4608 weights is the product of other numbers too."""
    layer = pytest.importorskip("timm").layers.ScaledStdConv2d
    gain = 1.7139588594436646
    sizes = (3, 64, 128, 512, 8)
    module = nn.Sequential(*(layer(i, out, 3, gamma=gain) for i, out in pairwise(sizes)))
    net = archcalc.from_torch(module, input=IMAGE)
    assert [node.layer.gamma for node in net.after_inputs] == [gain] * 4


def test_mathematics() -> None:
    class Module(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 2 / (1 + x.abs().exp()) + x / x.square().sqrt() + x**3

    types = [
        node.layer.settings.get("function", node.layer.type)
        for node in archcalc.from_torch(Module(), input=IMAGE).after_inputs
    ]
    assert sorted(types) == ["abs", "add", "add", "divide", "exp", "power", "power", "power", "scale", "scale", "sqrt"]


def test_frozen_weights() -> None:
    module = modules.Plain()
    module.conv.weight.requires_grad_(False)
    assert [node.name for node in archcalc.from_torch(module, input=IMAGE).nodes if not node.trained] == ["conv"]


def test_constants_are_numbers() -> None:
    net = archcalc.from_torch(modules.Constants(), input=IMAGE)
    settings = [node.layer.settings for node in net.nodes if node.layer.type == "scale"]
    assert [(one["factor"], one["shift"]) for one in settings] == [(3.0, 0.0), (1.0, 2.0)]


def test_numbers_from_which_a_map_is_subtracted() -> None:
    module = modules.Anchors().eval()
    built = build(archcalc.from_torch(module, input=IMAGE)).eval()
    image = torch.randn(1, *IMAGE)
    found, problem = pairs(built, module, image)
    assert not problem
    take(built, module, found)
    assert output_difference(built, module, image) == 0


def test_another_input_is_another_run() -> None:
    net = archcalc.from_torch(nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(2)), input=(3, 9, 9))
    assert net.analyze(input=(3, 21, 21)).totals.macs == 19 * 19 * 4 * 27


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (modules.Loops, "Loops: Loops reads the values of a tensor, so that its layers depend on the image"),
        (
            modules.Random,
            f"tests/capture/modules.py:{modules.Random.forward.__code__.co_firstlineno + 1}: the model (Random): add of result 2x3x16x16, random 1: random numbers",
        ),
        (modules.RandomLike, "the model (RandomLike): randn_like of x 2x3x16x16: random numbers"),
        (modules.Shuffled, "the model (Shuffled): index of x 2x3x16x16, random 3: random numbers"),
        (modules.Wrong, "Wrong: conv (Conv2d) takes 3 channels and got 1, for an input of 3x16x16"),
        (modules.Fc, "Fc: fc (Linear) takes 100 features and got 16, for an input of 3x16x16"),
        (modules.Raises, "Raises: Raises fails for 2 images of 3x16x16: ValueError: the image is too small"),
        (modules.Exits, "Exits: Exits fails for 2 images of 3x16x16: SystemExit without a message"),
        (modules.Values, "Values: Values reads the values of a tensor, so that its layers depend on the image"),
        (modules.Batch, "Batch: the output result 1x1536: the batch is a part of an axis that is not the first"),
        (modules.Same, "Same: has no layer: nothing is computed from the input"),
        (modules.Lazy, "Lazy: conv.weight gets its sizes in the first run: run the model once, on an image, before"),
        (
            modules.Recurrent,
            "lstm (LSTM): lstm of result 2x16x16, result 1x2x4, result 1x2x4, lstm.weight_ih_l0 16x16, 3 more: a recurrent "
            "layer, which archcalc has none of",
        ),
        (modules.Shrunk, "_upsample_bilinear2d_aa of result 2x3x16x16: a map that becomes smaller, with antialias"),
        (modules.Text, "Text: forward returns a str without tensors; expected tensors, or a list or dict of them"),
        (modules.Odd, "erfinv of result 2x3x16x16: no layer does this\n"),
        (modules.Odd, "digamma of result 2x3x16x16: no layer does this\n"),
        (
            modules.Two,
            "Two: forward takes image, facts, unused, and got sizes of image; give --input image=..., --input facts=...",
        ),
    ],
)
def test_what_is_refused(module: type[nn.Module], text: str) -> None:
    with pytest.raises(ArchcalcError) as raised:
        archcalc.from_torch(module(), **{"inputs": {"image": IMAGE}} if module is modules.Two else {"input": IMAGE})
    assert text in str(raised.value)


def test_boxes_are_cut_off() -> None:
    net = archcalc.from_torch(modules.Boxes(), input=IMAGE)
    assert [node.name for node in net.after_inputs] == ["conv", "conv_2"]
    assert net.notes == [
        "import: parameters complete, multiply-adds complete, nothing dropped; cut before Boxes, where sizes depend on values"
    ]


def test_layers_that_nothing_reads() -> None:
    net = archcalc.from_torch(modules.Dead(), input=IMAGE)
    assert [node.name for node in net.after_inputs] == ["conv"]
    assert net.notes == [
        "import: parameters complete, multiply-adds complete, dropped: conv2d whose output is not used; parameters that no "
        "layer uses: 12 in other.weight and 1 more"
    ]


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a GPU")
def test_a_module_that_needs_a_gpu() -> None:
    with pytest.raises(ArchcalcError, match="Cuda needs a GPU, and archcalc runs models without one"):
        archcalc.from_torch(modules.Cuda(), input=IMAGE)


def test_without_the_layers_that_have_no_counterpart() -> None:
    net = archcalc.from_torch(modules.Odd(), input=IMAGE, allow_missing=True)
    assert [node.name for node in net.after_inputs] == ["conv", "conv_2"]
    assert net.notes == [
        "import: every count is a lower bound, and outputs are cut, without erfinv, digamma and 1 layer behind them; nothing dropped"
    ]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((3, IMAGE), "expected a torch.nn.Module, got 3"),
        ((modules.Plain(), None), "Plain: nothing says the size of its input: give input=(3, 224, 224), for one image"),
        ((modules.Plain(), (3, 0, 4)), "0"),
        (
            (modules.Plain(), (1, 3, 16, 16)),
            "conv (Conv2d) takes 3 channels and got 1, for an input of 1x3x16x16; sizes are those of one image, without the "
            "batch: 3x16x16",
        ),
    ],
)
def test_wrong_arguments(arguments: tuple[Any, Any], text: str) -> None:
    with pytest.raises(ArchcalcError) as raised:
        archcalc.from_torch(*arguments)
    assert text in str(raised.value)
