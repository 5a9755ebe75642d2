"""Small modules, each with one thing that an import has to get right or to refuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn


class Plain(nn.Module):
    """One of each usual layer; the ReLU runs twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.relu = nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(True)
        self.drop, self.fc = nn.Dropout(0.2), nn.Linear(8, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.norm(self.conv(x)))
        x = self.relu(x + 1)
        return self.fc(self.drop(x.mean((2, 3))))


class Two(nn.Module):
    """Two inputs, a layer that runs twice, and outputs in a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.linear = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(5, 8)

    def forward(self, image: torch.Tensor, facts: torch.Tensor, unused: object = None) -> dict[str, torch.Tensor]:
        both = self.conv(image) + self.conv(image)
        vector = self.linear(facts)
        return {"map": both + vector[:, :, None, None], "vector": vector}


class One(nn.Module):
    """A convolution, and something else."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)


class Loops(One):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        while x.sum() > 0:
            x = self.conv(x)
        return x


class Random(One):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x) + torch.rand(1)


class Cuda(One):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x.cuda())


class RandomLike(One):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x) + torch.randn_like(x)


class Shuffled(One):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x[:, torch.randperm(3)])


class Wrong(One):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(self.conv(x)[:, :1])


class Raises(One):
    """The first error is one that the model catches."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Sequential(Wrong())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        try:
            self.head(x)
        except RuntimeError:
            raise ValueError("the image\n  is too small") from None
        return x


class Exits(One):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise SystemExit


class Values(One):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(self.conv(x).numpy())


class Words(One):
    """Prints, and takes its image by name alone."""

    def forward(self, *, image: torch.Tensor) -> torch.Tensor:
        print(image)
        return self.conv(image)


class Batch(One):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x).reshape(1, -1)


class Varying(One):
    """Computes something else with weights that have values."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x) * (1 + self.conv.weight.is_meta)


class Same(One):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv.weight


class Lazy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.LazyConv2d(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


class Fc(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(100, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(x)


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(16, 4, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.lstm(x[:, 0])[0]


class Shrunk(One):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.interpolate(self.conv(x), size=(8, 8), mode="bilinear", antialias=True)


class Text(One):
    def forward(self, x: torch.Tensor) -> str:
        return "no tensor"


class Constants(One):
    """A tensor of PyTorch and a tensor of equal numbers are one number each; the buffer has several."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x) * torch.tensor(3.0) + torch.full((3, 1, 1), 2.0)


class Angles(One):
    """A product of constants."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        places = torch.arange(6.0, device=x.device)
        return self.conv(x) * (places[:, None] @ places[None]).cos()


class Anchors(One):
    """Numbers from which a map is subtracted, as in the boxes of a detector."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("anchors", torch.arange(16.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.anchors - self.conv(x)


class Odd(One):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.erfinv(self.conv(x)) + torch.digamma(self.conv(x))


class Boxes(One):
    """A detector: what follows the second convolution chooses positions."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores = self.conv(self.conv(x)).sigmoid()
        return scores[scores > 0.5]


class Dead(One):
    def __init__(self) -> None:
        super().__init__()
        self.other = nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.conv(x)
        return self.conv(x)


class Shared(nn.Module):
    """A module under two names, weights of one linear layer under two, and something that ``forward`` stores."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 3, 1)
        self.b = self.a
        self.last = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.last = x = self.b(self.a(x).relu())
        return x


class Mean(One):
    """The mean of stacked maps, which is one map, and the map as tokens."""

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        return [torch.stack([x, self.conv(x)], 1).mean(1), x.exp().flatten(2)]


class Fields(One):
    """A named tuple in a dataclass."""

    def forward(self, x: torch.Tensor) -> Outputs:
        return Outputs(Pair(self.conv(x), x.abs()), None)


class Pair(NamedTuple):
    first: torch.Tensor
    second: torch.Tensor


@dataclass
class Outputs:
    pair: Pair
    loss: object


class Distilled(nn.Module):
    """Two heads: their mean at inference, and both in training."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(5, 2), nn.Linear(5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        a, b = self.a(x), self.b(x)
        return (a, b) if self.training else (a + b) / 2


class Losses(One):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            raise ValueError("targets are needed")
        return self.conv(x)


def build() -> nn.Module:
    return Plain()


def width(out: int) -> nn.Module:
    return nn.Conv2d(3, out, 3)


def nothing() -> None:
    return None


def ends() -> nn.Module:
    raise SystemExit(3)


def gpu() -> nn.Module:
    return Plain().to("cuda")


def fails() -> nn.Module:
    raise OSError("no such file")


number = 3
