"""The kinds of setting a layer can have: how each is checked, and its JSON Schema."""

from __future__ import annotations

from typing import Any

from archcalc.errors import LayerError, unknown
from archcalc.sizes import MAX_SIZE, equal, int_text, is_array, largest, smallest

REQUIRED: Any = object()
INFINITY = float("inf")
EXPRESSION = {"type": "string", "description": "an arithmetic expression over the parameters in scope"}


class Setting:
    """A setting: its help, its default (none when it must be given), and how a value is read."""

    words: tuple[str, ...] = ()
    """Strings that are words; any other string in a spec is an expression."""
    allowed = ""
    """The values that a spec may write here, in words."""

    def __init__(self, help: str, default: Any = REQUIRED) -> None:
        self.help, self.default = help, default

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    def read(self, value: Any) -> Any:
        """The checked value; LayerError that says what was expected."""
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of what a spec may write here."""
        raise NotImplementedError

    def __get__(self, layer: object, owner: type) -> Any:
        return self if layer is None else self.default


def whole_number(value: Any, least: int, most: int = MAX_SIZE, instead: str = "") -> Any:
    """``value`` as an Int from least to most; LayerError otherwise.

    ``instead`` ends the message about a smaller number, and says what to do. Whole numbers in a float64 array become
    an int64 array.
    """
    if hasattr(value, "dtype") and value.ndim == 0:
        value = value.item()  # a NumPy scalar wraps around, a Python int does not
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if is_array(value):
        if str(value.dtype) not in ("int64", "float64"):
            raise LayerError(f"expected an int64 array, got {value.dtype}")
        if value.size == 0:
            raise LayerError("expected numbers, got an empty array")
        if str(value.dtype) == "float64":
            if not equal(value % 1, 0):
                raise LayerError(f"expected whole numbers, got {message_text(value.tolist())}", value % 1 != 0)
            if largest(abs(value)) < 2**63:
                value = value.astype("int64")
        low, high = smallest(value), largest(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        low = high = value
    else:
        raise LayerError(f"expected a whole number, got {message_text(value)}")
    if low < least:
        raise LayerError(f"must be at least {least}, got {message_text(int(low))}{instead}", value < least)
    if high > most:
        raise LayerError(f"{message_text(int(high))} is larger than {most:,}, the largest size there is", value > most)
    return value


def message_text(value: Any) -> str:
    """A value as an error message shows it, cut when it is long."""
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else _start(value, 70)
    return text if len(text) <= 60 else text[:57] + "..."


def _number_text(value: Any) -> str:
    return int_text(value) if is_array(value) else message_text(value)


def _start(value: Any, room: int) -> str:
    """How repr(value) starts, in so many letters and a few: a list may be long, and so may its repr."""
    if isinstance(value, (list, tuple)):
        text = "["
        for at, item in enumerate(value):
            text += (", " if at else "") + _start(item, room - len(text))
            if len(text) > room:
                return text
        return text + "]"
    if isinstance(value, int) and value.bit_length() > 300:
        return f"a number of {value.bit_length():,} bits"
    return repr(value[:room] if isinstance(value, str) else value)


class WholeNumber(Setting):
    """A whole number of something, at least ``least``; ``instead`` ends the message about a smaller one."""

    def __init__(self, help: str, default: Any = REQUIRED, *, least: int = 1, instead: str = "") -> None:
        super().__init__(help, default)
        self.least, self.instead = least, instead
        self.allowed = f"whole number from {least}"

    def read(self, value: Any) -> Any:
        return whole_number(value, self.least, instead=self.instead)

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "integer", "minimum": self.least}, EXPRESSION], "description": self.help}


class PerAxis(WholeNumber):
    """A whole number for every axis, or a list with one for each: [height, width]."""

    def __init__(self, help: str, default: Any = REQUIRED, *, least: int = 1, instead: str = "") -> None:
        super().__init__(help, default, least=least, instead=instead)
        self.allowed += " or [height, width]"

    def read(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            if not value:
                raise LayerError("expected a number for every axis, got an empty list")
            return tuple(whole_number(v, self.least) for v in value)
        return whole_number(value, self.least)

    def schema(self) -> dict[str, Any]:
        one = {"anyOf": [{"type": "integer", "minimum": self.least}, EXPRESSION]}
        return {"anyOf": [*one["anyOf"], {"type": "array", "items": one, "minItems": 1}], "description": self.help}


class Shifts(PerAxis):
    """A whole number of any sign for every axis, or a list with one for each."""

    def __init__(self, help: str, default: Any = REQUIRED) -> None:
        super().__init__(help, default, least=-MAX_SIZE)
        self.allowed = "whole number or [height, width]"


class Sides(Setting):
    """Positions on every side, per axis or per side; ``instead`` says what to do instead of a negative number."""

    allowed = "a number, [height, width] or [[top, bottom], [left, right]]"

    def __init__(self, help: str, default: Any = REQUIRED, *, instead: str = "") -> None:
        super().__init__(help, default)
        self.instead = instead

    def read(self, value: Any) -> Any:
        if isinstance(value, str):
            raise LayerError(f"expected {self.allowed}, got {message_text(value)}")
        if isinstance(value, (list, tuple)):
            if not value:
                raise LayerError("expected a number for every axis, got an empty list")
            return tuple(self._axis(v) for v in value)
        return self._number(value)

    def _axis(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            if len(value) != 2:
                raise LayerError(f"expected [before, after] for an axis, got {len(value)} numbers")
            return tuple(self._number(v) for v in value)
        return self._number(value)

    def _number(self, value: Any) -> Any:
        return whole_number(value, 0, instead=self.instead)

    def schema(self) -> dict[str, Any]:
        number = [{"type": "integer", "minimum": 0}, EXPRESSION]
        sides = {"type": "array", "items": {"anyOf": number}, "minItems": 2, "maxItems": 2}
        axes = {"type": "array", "items": {"anyOf": [*number, sides]}, "minItems": 1}
        return {"anyOf": [*number, axes], "description": self.help}


class Padding(Sides):
    """Zeros on every side, per axis, per side, or the words ``same`` and ``valid`` in TensorFlow's sense."""

    words = ("same", "valid")
    allowed = "a number, [height, width], [[top, bottom], [left, right]], same or valid"

    def read(self, value: Any) -> Any:
        if isinstance(value, str) and value in self.words:
            return 0 if value == "valid" else value
        return super().read(value)

    def schema(self) -> dict[str, Any]:
        schema = super().schema()
        return {**schema, "anyOf": [{"enum": list(self.words)}, *schema["anyOf"]]}


class Like(Setting):
    """The name of a layer; when a network is built, the sizes of that layer's map replace the name."""

    allowed = "name of a layer"

    def read(self, value: Any) -> Any:
        if not isinstance(value, tuple):
            raise LayerError(f"expected the name of a layer in a spec, got {message_text(value)}; size takes numbers")
        return tuple(whole_number(n, 1) for n in value)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "description": self.help}


class Text(Setting):
    """A text. In a spec, braces in the text hold expressions."""

    allowed = "text"

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "description": f"{self.help}; braces hold expressions"}


class Number(Setting):
    """A number from ``low`` to ``high``, or an array of such numbers."""

    def __init__(self, help: str, default: Any = REQUIRED, *, low: float = 0.0, high: float = float("inf")) -> None:
        super().__init__(help, default)
        self.low, self.high = low, high
        self.allowed = (
            "number" + (f" from {low:g}" if low > -INFINITY else "") + (f" to {high:g}" if high < INFINITY else "")
        )

    def read(self, value: Any) -> Any:
        if isinstance(value, bool) or not (isinstance(value, (int, float)) or is_array(value)):
            raise LayerError(f"expected a number, got {message_text(value)}")
        if not largest(abs(value)) < INFINITY:  # as NaN is not
            raise LayerError(f"expected a finite number, got {message_text(value)}")
        if largest(wrong := (value < self.low) | (value > self.high)):
            most = f"to {self.high:g}" if self.high < INFINITY else "on"
            raise LayerError(f"must be from {self.low:g} {most}, got {_number_text(value)}", wrong)
        return value

    def schema(self) -> dict[str, Any]:
        bounds = {"minimum": self.low, "maximum": self.high}
        bounds = {name: bound for name, bound in bounds.items() if abs(bound) != float("inf")}
        return {"anyOf": [{"type": "number"} | bounds, EXPRESSION], "description": self.help}


class Flag(Setting):
    """True or false."""

    allowed = "true or false"

    def read(self, value: Any) -> Any:
        if not isinstance(value, bool):
            raise LayerError(f"expected true or false, got {message_text(value)}")
        return value

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "boolean"}, EXPRESSION], "description": self.help}


class Choice(Setting):
    """One of a few values; a word stands for itself."""

    def __init__(self, help: str, choices: tuple[Any, ...], default: Any = REQUIRED) -> None:
        super().__init__(help, default)
        self.choices = choices
        self.words = tuple(c for c in choices if isinstance(c, str))
        self.allowed = ", ".join(
            message_text(c) if c is None or isinstance(c, bool) else c for c in choices if c is not None
        )

    def read(self, value: Any) -> Any:
        for choice in self.choices:
            if value is choice or (isinstance(value, str) and value == choice):
                return choice
        names = [message_text(c) if c is None or isinstance(c, bool) else c for c in self.choices]
        if isinstance(value, str):
            raise LayerError(unknown("choice", value, names))
        raise LayerError(f"expected one of {', '.join(names)}, got {message_text(value)}")

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [{"enum": list(self.choices)}, EXPRESSION], "description": self.help}


class Connections(Setting):
    """For each output map, the list of the input maps (from 0) that it is connected to."""

    allowed = "list of lists of input maps"

    def read(self, value: Any) -> Any:
        if not isinstance(value, (list, tuple)) or not value:
            raise LayerError(f"expected a list of lists of input maps, got {message_text(value)}")
        rows = []
        for number, row in enumerate(value):
            if not isinstance(row, (list, tuple)) or not row:
                raise LayerError(f"output map {number}: expected a list of input maps, got {message_text(row)}")
            maps = tuple(whole_number(m, 0) for m in row)
            if len(set(maps)) != len(maps):
                raise LayerError(f"output map {number}: an input map is listed twice in {list(maps)}")
            rows.append(maps)
        return tuple(rows)

    def schema(self) -> dict[str, Any]:
        maps = {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1}
        return {"type": "array", "items": maps, "minItems": 1, "description": self.help}
