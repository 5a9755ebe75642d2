"""PyTorch code of a layer: the constructor of a module, or an expression over the layer's inputs.

The records of layer types give the code. ``witness.built`` makes modules of the code, and ``export`` Python text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from archcalc.errors import LayerError
from archcalc.sizes import Shape

NO_ARGUMENTS: Mapping[str, Any] = MappingProxyType({})


class ModuleCode(NamedTuple):
    """A module: its class and its arguments; the first ``positional`` arguments are written without names.

    An argument that equals its default is not written. The class is in torch.nn (``nn.Conv2d``) or in
    ``export``. An argument may be a ModuleCode itself.
    """

    target: str
    arguments: Mapping[str, Any] = NO_ARGUMENTS
    positional: int = 0
    defaults: Mapping[str, Any] = NO_ARGUMENTS


class InlineCode(NamedTuple):
    """Python text over the inputs ``{0}``, ``{1}`` ... and over arguments by name."""

    text: str
    arguments: Mapping[str, Any] = NO_ARGUMENTS


TorchCode: TypeAlias = ModuleCode | InlineCode
ITSELF = InlineCode("{0}")
"""The input."""


class Statements(NamedTuple):
    """A layer as Python statements: expressions that run before the layer, and the layer itself.

    Each statement takes its inputs from the front of the list of the layer's inputs, and puts its result there. So an
    input is freed after the last statement that reads the input, unless another layer reads the input.
    """

    before: tuple[InlineCode, ...]
    layer: TorchCode


def takes(expression: InlineCode) -> int:
    """How many inputs an expression has.

    >>> takes(InlineCode("{0} + {1}")), takes(InlineCode("{0}[:, :{stop}]", {"stop": 3}))
    (2, 1)
    """
    return len(set(re.findall(r"\{(\d+)\}", expression.text)))


def dims(kind: str, x: Shape) -> str:
    """The class of torch.nn for the axes of x, such as nn.Conv2d; LayerError if torch.nn has no such class."""
    if not 1 <= len(x.axes) <= 3:
        raise LayerError(f"PyTorch has no {kind} over {len(x.axes)} axes; it has one to three")
    return f"nn.{kind}{len(x.axes)}d"


def alike(values: Any) -> Any:
    """One number if all axes have the same number, else a tuple."""
    values = tuple(values)
    return values[0] if len(set(values)) == 1 else values


def sides(pads: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """The padding before and after each axis, in the order of torch.nn.functional.pad: the last axis first."""
    return tuple(n for pair in reversed(pads) for n in pair)


def sequence(*calls: ModuleCode) -> ModuleCode:
    return ModuleCode("nn.Sequential", {str(i): call for i, call in enumerate(calls)}, len(calls))


ENDS = ("front", "back"), ("top", "bottom"), ("left", "right")
"""The names of the two ends of each of the last three axes."""


def ends(x: Shape) -> tuple[tuple[str, str], ...]:
    """The names of the two ends of each axis of x."""
    first = ((f"before{at}", f"after{at}") for at in range(1, len(x.axes) - 2))
    return (*first, *ENDS)[-len(x.axes) :]


def padding(x: Shape, around: Sequence[tuple[int, int]], value: str = "") -> InlineCode:
    """Code that pads x before and after each axis, with zeros or another value."""
    pairs = list(zip(ends(x), around, strict=True))
    widths = {name: width for names, sides in pairs for name, width in zip(names, sides, strict=True)}
    order = [f"{{{name}}}" for names, _ in reversed(pairs) for name in names]
    return InlineCode(f"F.pad({{0}}, ({', '.join(order)}){value})", widths)
