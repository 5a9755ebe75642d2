"""Small layers of every kind, each a network of its own, whose times tell the constants of a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from archcalc.layers import registry
from archcalc.network import Network
from archcalc.sizes import Shape


class Small(NamedTuple):
    """A few equal layers in a row: their type and settings, the input, the batch and the memory order."""

    type: str
    settings: Mapping[str, Any]
    input: tuple[int, ...]
    batch: int = 1
    repeats: int = 1
    channels_last: bool = False

    @property
    def network(self) -> Network:
        channels, *axes = self.input
        made = Network(self.type, Shape(channels, tuple(axes)))
        for at in range(self.repeats):
            inputs = {"attention": (at, at, at), "add": (at, at)}.get(self.type, (at,))
            made.add(f"layer{at + 1}", registry[self.type](**self.settings), inputs)
        return made


def _conv(
    channels: int, side: int, batch: int, kernel: int = 3, *, groups: int = 1, out: int = 0, last: bool = False
) -> Small:
    settings = {"out": out or channels, "kernel": kernel, "pad": kernel // 2, "groups": groups, "bias": False}
    return Small("conv", settings, (channels, side, side), batch, channels_last=last)


SMALL: Sequence[Small] = (
    _conv(64, 56, 1),
    _conv(256, 14, 4),
    _conv(512, 7, 4),
    _conv(16, 56, 4),
    _conv(3, 112, 1, out=64, kernel=7),
    _conv(64, 56, 1, 1, out=256),
    _conv(512, 14, 4, 1),
    _conv(128, 28, 4, groups=32),
    _conv(128, 28, 4, groups=4),
    _conv(128, 56, 2, groups=128),
    _conv(240, 14, 4, 5, groups=240),
    _conv(128, 28, 2, 7, groups=128),
    _conv(128, 28, 2, 7, groups=128, last=True),
    _conv(128, 28, 2, 9, groups=128, last=True),
    Small("linear", {"out": 4096}, (4096,)),
    Small("linear", {"out": 1024}, (1024,), 256),
    Small("linear", {"out": 64}, (64,), 4096),
    Small("attention", {"heads": 12}, (768, 197)),
    Small("batch_norm", {}, (64, 56, 56), 4, 2),
    Small("layer_norm", {"axis": "channels"}, (384, 196), 8, 2),
    Small("softmax", {}, (256, 196), 8, 2),
    Small("max_pool", {"kernel": 3, "stride": 2, "pad": 1}, (64, 112, 112), 2),
    Small("global_avg_pool", {}, (512, 14, 14), 16),
    Small("sigmoid", {}, (16,), 1, 30),
    Small("add", {}, (64, 112, 112), 8, 2),
    Small("add", {}, (16, 28, 28), 1, 10),
    Small("channel_shuffle", {"groups": 8}, (64, 56, 56), 8, 2),
    Small("upsample", {"scale": 2, "mode": "bilinear"}, (64, 28, 28), 2),
)
