"""Windows that overlap, as channels: Unfold, Fold, and Tensor.unfold."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")

import torch
from torch import nn
from torch.nn import functional

import archcalc
from archcalc.errors import ArchcalcError
from tests.capture.modules import One


class Outlook(One):
    """Windows of values, a sum over each window's cells, and back."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        windows = functional.unfold(self.conv(x), 3, padding=1, stride=2).reshape(-1, 3, 9, 12)
        return functional.fold((windows * windows).reshape(-1, 27, 12), (6, 8), 3, padding=1, stride=2)


class Halo(One):
    """Windows of 4x4 in steps of 2, along one axis after the other."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        windows = functional.pad(self.conv(x), (1, 1, 1, 1)).unfold(2, 4, 2).unfold(3, 4, 2)
        return windows.reshape(-1, 3, 12, 16).softmax(1)


class Apart(One):
    """Windows that lie side by side: a movement."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.unfold(self.conv(x), 2, stride=2).relu() + self.conv(x).unfold(2, 2, 2).unfold(
            3, 2, 2
        ).permute(0, 1, 4, 5, 2, 3).reshape(-1, 12, 12)


def layers(module: nn.Module) -> list[tuple[str, dict[str, Any]]]:
    return [
        (node.layer.type, {key: value for key, value in node.layer.settings.items() if value not in (0, 1, (1, 1))})
        for node in archcalc.from_torch(module, input=(3, 6, 8)).after_inputs
        if node.layer.type not in ("conv", "rearrange")
    ]


def test_windows_and_their_sums() -> None:
    """From 6 to 3 windows: 2*3 - 2 + 3 - 2 = 5, and one position at the end."""
    window = {"kernel": 3, "stride": 2}
    assert layers(Outlook()) == [
        ("unfold", window),
        ("multiply", {}),
        ("fold", window),
    ]
    fold = archcalc.from_torch(Outlook(), input=(3, 6, 8)).nodes[-1]
    assert (fold.layer.pad, fold.layer.output_pad, str(fold.shape)) == (1, 1, "3x6x8")


def test_windows_along_two_axes_are_one_layer() -> None:
    types = [one for one in layers(Halo()) if one[0] == "unfold"]
    assert types == [("unfold", {"kernel": (4, 4), "stride": (2, 2)})]


def test_windows_side_by_side_are_moved() -> None:
    assert [type for type, _ in layers(Apart())] == ["relu", "add"]


class Clip(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.unfold(2, 3, 1).sum(-1)


def test_windows_of_a_clip_are_refused() -> None:
    with pytest.raises(ArchcalcError, match="unfold of x 2x3x4x4x4: windows of a map that has more axes than height"):
        archcalc.from_torch(Clip(), input=(3, 4, 4, 4))
