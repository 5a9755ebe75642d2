"""The axes of a feature map by name."""

from __future__ import annotations

from typing import Any

from archcalc.errors import LayerError, unknown
from archcalc.layers.settings import Choice, Setting, message_text
from archcalc.sizes import AXES, ITSELF, POINT, Int, Shape, Window

WORDS = ("channels", "depth", "height", "width", "length", "last")


class AxisName(Choice):
    """The name of an axis: ``channels``, a spatial axis by its name, or ``last``; ``axis_number`` finds the axis."""

    def __init__(self, help: str, default: str | None = None) -> None:
        super().__init__(help, (None, *WORDS) if default is None else WORDS, default)


class AxisNames(Setting):
    """A list of names of axes, such as [height, width]."""

    words: tuple[str, ...] = WORDS
    allowed = f"list of {', '.join(WORDS)}"

    def read(self, value: Any) -> Any:
        if not isinstance(value, (list, tuple)) or not value:
            raise LayerError(f"expected a list of names of axes, as in [height, width], got {message_text(value)}")
        for name in value:
            if not isinstance(name, str):
                raise LayerError(f"expected the name of an axis, got {message_text(name)}")
            if name not in WORDS:
                raise LayerError(unknown("axis", name, WORDS))
        return tuple(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"enum": list(WORDS)}, "minItems": 1, "description": self.help}


class AxisOrAxes(AxisNames):
    """One of a few words, or a list of names of axes."""

    def __init__(self, help: str, single: tuple[str, ...]) -> None:
        super().__init__(help, None)
        self.single = Choice(help, (None, *single), None)
        self.allowed = f"{', '.join(single)}, or a list of axes"
        self.words = tuple(dict.fromkeys((*WORDS, *single)))

    def read(self, value: Any) -> Any:
        return super().read(value) if isinstance(value, (list, tuple)) else self.single.read(value)

    def schema(self) -> dict[str, Any]:
        schema = super().schema()
        one = self.single.schema()
        return {**one, "anyOf": [*one["anyOf"], {**schema, "description": "a list of axes"}]}


def axis_number(name: str, x: Shape, what: str) -> int:
    """The number of the axis called ``name``: 0 for the channels, then 1, 2, ... for the axes of the map.

    LayerError, with ``what`` the layer type, if the map has no such axis.

    >>> axis_number("width", Shape(3, (4, 5)), "slice"), axis_number("last", Shape(3, (4,)), "slice")
    (2, 1)
    """
    names = ("channels", *axis_names(x))
    if name == "last":
        return len(names) - 1
    if name not in names:
        one = "a vector has channels only" if not x.axes else f"its axes are {', '.join(names)} and last"
        raise LayerError(f"{what} over the axis {name}, but the input is {x}: {one}")
    return names.index(name)


def axis_names(x: Shape) -> tuple[str, ...]:
    """The names of the spatial axes of x; a map with more than three axes has numbers from 1."""
    return AXES.get(len(x.axes)) or tuple(map(str, range(1, len(x.axes) + 1))) if x.axes else ()


def sizes_of(x: Shape) -> tuple[Int, ...]:
    """The channels and the sizes of all axes."""
    return (x.channels, *x.axes)


def axis_size(name: str, x: Shape, what: str) -> Int:
    return sizes_of(x)[axis_number(name, x, what)]


def whole_along(x: Shape, *axes: int) -> tuple[Window, ...]:
    """The windows of units that read the whole of some axes, by their numbers, and their own position along the others."""
    if not any(axes):
        return POINT
    return tuple(Window(n, whole=True) if at in axes else ITSELF for at, n in enumerate(x.axes, 1))
