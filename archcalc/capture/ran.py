"""The operators that a program ran, as plain data."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from archcalc.pytorch.tape import Phase, Storage


class Tensor(NamedTuple):
    """A tensor of a run: the bytes of a value, sizes and strides, and its storage.

    ``grows``: whether it grows with the batch.
    """

    itemsize: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    storage: Storage
    grows: bool

    @property
    def bytes(self) -> int:
        """The bytes of its values; values that are repeated by a stride of 0 count once."""
        return self.itemsize * prod(n for n, stride in zip(self.shape, self.strides, strict=True) if stride)


class Ran(NamedTuple):
    """An operator of a run: the phase, the path of the module that called it, its name, and its tensors."""

    phase: Phase
    path: str
    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    parts: int
    """How many gradients a backward convolution makes with products."""


class Run(NamedTuple):
    """The operators of a run, the storages of its outputs, and its batch."""

    ran: list[Ran]
    outputs: list[Storage]
    batch: int
