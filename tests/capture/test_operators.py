"""What operators of PyTorch become, one small module for each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

import archcalc
from archcalc.layers.pool import MaxPool
from archcalc.layers.resample import Pooled
from archcalc.sizes import Shape

IMAGE = (4, 8, 10)
POOLED = repr(Pooled.of(MaxPool(kernel=2, stride=2), Shape(4, (8, 10)), Shape(4, (4, 5))))


class Does(nn.Module):
    """What a function of one map does."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.function(x)


def unpooled(x: Tensor) -> Tensor:
    pooled, indices = F.max_pool2d(x, 2, return_indices=True)
    return F.max_unpool2d(pooled.relu(), indices, 2)


def layers(function: Callable[[Tensor], Any]) -> list[str]:
    """Every layer of the import with its settings and its shape."""
    made = archcalc.from_torch(Does(function), input=IMAGE)
    return [f"{node.layer!r} {node.shape}".replace(POOLED, "the pooling") for node in made.after_inputs]


CASES: list[tuple[str, Callable[[Tensor], Any], list[str]]] = [
    ("a list chooses channels", lambda x: x[:, [2, 0]], ["index_select(count=2, axis='channels') 2x8x10"]),
    ("a list chooses rows", lambda x: x[:, :, [7, 0, 3]], ["index_select(count=3, axis='height') 4x3x10"]),
    ("a list chooses columns", lambda x: x[..., [7, 0, 3]], ["index_select(count=3) 4x8x3"]),
    ("responses of channels", lambda x: F.local_response_norm(x, 3, 3e-4, k=2.0), ["lrn(size=3) 4x8x10"]),
    ("indices that are not read", lambda x: F.max_pool2d(x, 2, return_indices=True)[0], ["max_pool(kernel=2, stride=2) 4x4x5"]),
    (
        "a pooling is undone",
        unpooled,
        ["max_pool(kernel=2, stride=2) 4x4x5", "relu() 4x4x5", "unpool(of=the pooling) 4x8x10"],
    ),
    ("a transposed matrix", lambda x: x.mT.relu(), ["relu() 4x8x10", "rearrange(pattern='c h w -> c w h') 4x10x8"]),
    (
        "a filter",
        lambda x: F.interpolate(x, (16, 20), mode="bicubic", antialias=True),
        ["upsample(scale=2, mode='bicubic', antialias=True) 4x16x20"],
    ),
    ("a sum with a number", lambda x: x + 0.5, ["scale(factor=1.0, shift=0.5) 4x8x10"]),
    # what comes out has the sizes of the tensor, with the channels first
    ("channels last stay", lambda x: x.relu().permute(0, 2, 3, 1), ["relu() 4x8x10"]),
    ("a flat output", lambda x: x.relu().flatten(1), ["relu() 4x8x10", "flatten() 320"]),
    ("an output of tokens", lambda x: x.relu().flatten(2), ["relu() 4x8x10", "to_tokens() 4x80"]),
    ("an axis of size 1", lambda x: x.relu()[:, :, None], ["relu() 4x8x10", "rearrange(pattern='c h w -> c 1 h w') 4x1x8x10"]),
    ("the input itself", lambda x: (x, x.relu()), ["relu() 4x8x10", "identity() 4x8x10"]),
    # the model makes a padded copy: equal sides are no padding of the layer, which copies nothing
    ("equal sides", lambda x: F.avg_pool2d(F.pad(x, (1, 1, 1, 1)), 3), ["pad(by=1) 4x10x12", "avg_pool(kernel=3, stride=3) 4x3x4"]),
    (
        "padding of TensorFlow",
        lambda x: F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=float("-inf")), 3, 2),
        ["max_pool(kernel=3, stride=2, pad='same') 4x4x5"],
    ),
    (
        "padding that no window has",
        lambda x: F.max_pool2d(F.pad(x, (0, 3, 0, 3), value=float("-inf")), 2),
        ["pad(by=((0, 3), (0, 3))) 4x11x13", "max_pool(kernel=2, stride=2) 4x5x6"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("function", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_rules(function: Callable[[Tensor], Any], expected: list[str]) -> None:
    assert layers(function) == expected


@pytest.mark.parametrize(("mode", "axes"), [("linear", 1), ("bilinear", 2), ("trilinear", 3)])
def test_upsampling_between_neighbours(mode: str, axes: int) -> None:
    module = nn.Upsample(scale_factor=2, mode=mode)
    (node,) = archcalc.from_torch(module, input=(3, *[4] * axes)).after_inputs
    assert (node.layer.type, node.layer.mode, node.shape.axes) == ("upsample", "bilinear", (8,) * axes)


def test_the_sum_of_a_scale_of_one_is_one_operator() -> None:
    """One map is made of 320 values of 4 bytes; a product before the sum would make a second one."""
    run = archcalc.from_torch(Does(lambda x: x + 0.5), input=IMAGE).analyze().memory().inference.of_batch(1)
    assert run.peak() == 320 * 4
