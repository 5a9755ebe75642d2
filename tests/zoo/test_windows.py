"""Transformers with windows over two and three axes at sizes that torchvision ships no weights for, on the same weights."""

from __future__ import annotations

from typing import Any

import pytest

from archcalc import load

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")

from torchvision.models.maxvit import MaxVit  # noqa: E402
from torchvision.models.swin_transformer import (  # noqa: E402
    PatchMergingV2,
    ShiftedWindowAttentionV2,
    SwinTransformer,
    SwinTransformerBlockV2,
)
from torchvision.models.video.swin_transformer import SwinTransformer3d  # noqa: E402

from archcalc.export.attention_layers import BiasedAttention  # noqa: E402
from archcalc.witness.built import Built  # noqa: E402
from archcalc.witness.counterpart import output_difference, pairs, take  # noqa: E402
from archcalc.witness.random_weights import fill  # noqa: E402


def swin3d(window: list[int]) -> Any:
    return SwinTransformer3d([2, 4, 4], 8, [2, 2, 2, 2], [1, 2, 2, 4], window, num_classes=5)


def swin_v2(window: int) -> Any:
    how = {"block": SwinTransformerBlockV2, "downsample_layer": PatchMergingV2}
    return SwinTransformer([4, 4], 8, [2, 2, 2, 2], [1, 2, 2, 4], [window, window], num_classes=5, **how)


def maxvit(side: int, partition: int) -> Any:
    return MaxVit((side, side), 8, partition, [32, 32, 64, 64], [1, 2, 1, 1], 32, 0.1, num_classes=5)


SWIN = {"dim": 8, "depths": [2, 2, 2, 2], "heads": [1, 2, 2, 4], "classes": 5}
SCALES = [32**-0.5, 32**-0.5, 0.125, 0.125]
MAXVIT = {"stem": 8, "channels_of_stages": [32, 32, 64, 64], "scales": SCALES, "depths": [1, 2, 1, 1], "classes": 5}
CASES = {
    "a shift along all axes": (
        "swin3d_t",
        {**SWIN, "frames": 16, "resolution": 64, "window": [4, 2, 2]},
        swin3d([4, 2, 2]),
    ),
    "a shift along the map": (
        "swin3d_t",
        {**SWIN, "frames": 8, "resolution": 64, "window": [4, 2, 2]},
        swin3d([4, 2, 2]),
    ),
    "cosine attention, windows of 2": ("swin_v2_t", {**SWIN, "resolution": 64, "window": 2}, swin_v2(2)),
    "cosine attention, windows of 3": ("swin_v2_t", {**SWIN, "resolution": 96, "window": 3}, swin_v2(3)),
    "windows of 2 and grids": ("maxvit_t", {**MAXVIT, "resolution": 64, "partition": 2}, maxvit(64, 2)),
    "windows of 3 and grids": ("maxvit_t", {**MAXVIT, "resolution": 96, "partition": 3}, maxvit(96, 3)),
}


@pytest.mark.parametrize("block", [(2, 2), (3, 5)])
def test_distances_and_index_of_a_continuous_bias(block: tuple[int, ...]) -> None:
    """On the same weights, models share these numbers; here each makes its own."""
    ours, theirs = BiasedAttention(2, block, continuous=True), ShiftedWindowAttentionV2(4, [*block], [0, 0], 2)
    assert torch.equal(ours.distances, theirs.relative_coords_table.flatten(0, -2))
    assert torch.equal(ours.index, theirs.relative_position_index)


@pytest.mark.parametrize("case", CASES)
def test_the_same_weights_give_the_same_outputs(case: str) -> None:
    name, settings, theirs = CASES[case]
    network: Any = load(name, **settings)
    ours = Built(network)
    images = torch.rand(2, network.input.channels, *network.input.axes, generator=torch.Generator().manual_seed(1))
    paired, problem = pairs(ours, theirs, images)
    assert not problem
    fill(theirs)
    take(ours, theirs, paired)
    assert output_difference(ours, theirs, images) < 1e-6
