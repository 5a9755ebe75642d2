"""The types of the arguments of public functions, for editors and type checkers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, SupportsIndex, TypeAlias

from archcalc.sizes import Shape


class Array(Protocol):
    """A NumPy int64 array, or a float64 array as a setting; archcalc itself imports no NumPy."""

    @property
    def dtype(self) -> object: ...

    @property
    def shape(self) -> tuple[int, ...]: ...


Size: TypeAlias = SupportsIndex | Array
"""A whole number, or an array of them."""

OneInput: TypeAlias = Shape | Sequence[Size] | str
"""The sizes of one input: channels and axes, as numbers, as a Shape, or as a text such as ``3x224x224``."""

InputSizes: TypeAlias = OneInput | Mapping[str, OneInput]
"""The input of a network; for several inputs a mapping by name, or a text: ``image=3x224x224,mask=1x56x56``."""

Setting: TypeAlias = bool | float | str | Sequence["Setting"] | Size | None
"""A value for a parameter of a spec."""

Varying: TypeAlias = Setting | OneInput | Iterable[Setting | OneInput]
"""The values of an axis of a space: one, several, or a text such as ``128:512:32``."""
