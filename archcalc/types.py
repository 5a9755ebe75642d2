"""The types of the arguments of public functions, for editors and type checkers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, SupportsIndex, TypeAlias

from archcalc.sizes import Shape


class Array(Protocol):
    """A NumPy int64 array; archcalc itself imports no NumPy."""

    @property
    def dtype(self) -> object: ...

    @property
    def shape(self) -> tuple[int, ...]: ...


Size: TypeAlias = SupportsIndex | Array
"""A whole number, or an array of them."""

InputSizes: TypeAlias = Shape | Sequence[Size] | str
"""The input of a network: channels and axes, as numbers, as a Shape, or as a text such as ``3x224x224``."""

Setting: TypeAlias = bool | float | str | Sequence["Setting"] | Size | None
"""A value for a parameter of a spec."""
