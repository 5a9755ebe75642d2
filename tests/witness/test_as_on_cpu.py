"""Results of the same operators on the meta device and on a CPU, in maps of both memory formats."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

import archcalc  # noqa: E402
from archcalc.witness import as_on_cpu  # noqa: E402
from archcalc.witness.as_on_cpu import AsOnCpu  # noqa: E402
from archcalc.witness.built import Built  # noqa: E402
from archcalc.witness.memory import inference_live, saved, training_live  # noqa: E402

from .test_memory import two_threads as two_threads  # noqa: E402

FORMATS = [(sizes, last) for sizes in ((5, 7), (1, 1), (4, 5, 7)) for last in (False, True)]


def results(device, sizes, last):
    """A convolution, a depthwise convolution, two rolls and normalisations with their gradients."""
    ops, axes = torch.nn.functional, tuple(range(2, 2 + len(sizes)))
    x = torch.zeros(2, *sizes, 8, device=device).movedim(-1, 1) if last else torch.zeros(2, 8, *sizes, device=device)
    conv = (ops.conv2d, ops.conv3d)[len(sizes) - 2]
    weight = torch.zeros(6, 8, *(1 for _ in sizes), device=device)
    depthwise = torch.zeros(8, 1, *(3 for _ in sizes), device=device)
    yield conv(x, weight)
    yield conv(x, depthwise, padding=1, groups=8)
    if min(sizes) > 1:  # a layer that rolls nothing is left out
        yield x.roll(1, 2)
        yield x.roll((1,) * len(sizes), axes)
    x.requires_grad_()
    y = ops.layer_norm(x, x.shape[-1:])
    y.backward(torch.zeros_like(y))
    yield x.grad
    for training in (True, False):
        scale = torch.ones(8, device=device)
        x = x.detach().requires_grad_()
        y = ops.batch_norm(x, scale.clone(), scale.clone(), scale, scale, training)
        yield y
        y.backward(torch.zeros_like(y))
        yield x.grad


ACTIVATIONS = (
    "hardswish",
    "hardsigmoid",
    "hardtanh",
    "elu",
    "softplus",
    "silu",
    "gelu",
    "leaky_relu",
    "relu",
    "sigmoid",
)
ORDERS = [(0, 1, 2, 3), (0, 2, 1, 3), (0, 2, 3, 1)]


def in_order(device, order):
    """A map whose axes lie in memory in an order."""
    sizes = (2, 8, 5, 7)
    back = [order.index(axis) for axis in range(4)]
    return torch.zeros([sizes[axis] for axis in order], device=device).permute(back)


@pytest.mark.parametrize("name", [*ACTIVATIONS, "group_norm"])
def test_orders_of_gradients(name):
    """A map and the gradient of a layer's output lie in two orders."""

    def orders(device):
        for x, gradient in ((a, b) for a in ORDERS for b in ORDERS):
            x = in_order(device, x).requires_grad_()
            y = getattr(torch.nn.functional, name)(x, *([2] if name == "group_norm" else []))
            y.backward(in_order(device, gradient))
            yield tuple(y.stride())
            yield tuple(x.grad.stride())

    with AsOnCpu():
        theirs = list(orders("meta"))
    assert theirs == list(orders("cpu"))


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_storages_of_windows(stride):
    """im2col and col2im make a tensor of the size of their input first, and never a smaller storage."""

    def sizes(device):
        columns = torch.nn.functional.unfold(torch.zeros(2, 3, 7, 7, device=device), 3, stride=stride)
        yield columns.untyped_storage().nbytes()
        yield torch.nn.functional.fold(columns, (7, 7), 3, stride=stride).untyped_storage().nbytes()

    with AsOnCpu():
        theirs = list(sizes("meta"))
    assert theirs == list(sizes("cpu"))


@pytest.mark.parametrize(("sizes", "last"), FORMATS)
def test_memory_order(two_threads, sizes, last):
    with AsOnCpu():
        theirs = [tuple(y.stride()) for y in results("meta", sizes, last)]
    assert theirs == [tuple(y.stride()) for y in results("cpu", sizes, last)]


def test_without_the_mode_the_orders_differ():
    """PyTorch of the day in which the mode is no longer needed."""
    orders = [[tuple(y.stride()) for y in results(device, (5, 7), True)] for device in ("meta", "cpu")]
    assert [mine != other for mine, other in zip(*orders, strict=True)][:4] == [True] * 4


@pytest.mark.parametrize("name", ["squeezenet1_1", "mobilenet_v3_small", "shufflenet_v2_x0_5", "swin_t", "vit_b_32"])
def test_results_made_again_are_the_results(name, monkeypatch):
    """A second run makes nearly all results again. A run without known results has the same storages at every moment."""
    with torch.device("meta"):
        model = Built(archcalc.load(name))
        images = torch.zeros(2, model.network.input.channels, *model.network.input.axes)
    runs = [[run(model, images) for run in (saved, inference_live, training_live)] for _ in range(2)]
    monkeypatch.setattr(as_on_cpu, "_key", lambda *call: None)
    assert runs == [[run(model, images) for run in (saved, inference_live, training_live)]] * 2


def test_what_is_never_made_again():
    """A view keeps its storage, an operator that writes in place returns its input, and an unequal call is another call."""
    x = torch.zeros(2, 3, device="meta")
    with AsOnCpu():
        for _ in range(2):
            assert x.t().untyped_storage()._cdata == x.untyped_storage()._cdata
            assert x.add_(1) is x
            assert [(x + 1).dtype, (x.int() + 1).dtype, (x.int() + 1.0).dtype] == [
                torch.float32,
                torch.int32,
                torch.float32,
            ]
            first, second = x.exp(), x.exp()
            assert first.untyped_storage()._cdata != second.untyped_storage()._cdata
            assert torch.zeros(2, 3).exp().device.type == "cpu"
