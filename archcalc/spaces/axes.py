"""An axis of a space: a name, and the values that it takes, such as ``width=0.25:1.5:0.05`` or ``batch=1,8,64``.

A range START:STOP:STEP includes STOP. Its values are START + i * STEP in decimal arithmetic, each rounded once: the nearest
float of 0.3 stands in 0.1:0.5:0.1, and not the sum of three floats.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from math import isfinite
from typing import Any, Literal, NamedTuple, TypeAlias

from archcalc.errors import ArchcalcError, clipped
from archcalc.inputs import given_sizes, read_sizes
from archcalc.language.settings import parts, read_setting
from archcalc.layers.settings import message_text
from archcalc.settings_text import setting_text
from archcalc.sizes import MAX_SIZE, Shape, is_array

Kind: TypeAlias = Literal["input", "batch", "setting"]
MOST_VALUES = 10_000_000
"""The largest number of values of an axis."""
MOST_DIGITS, MOST_POWER = 18, 40
"""The most digits of a number of a range, and its largest power of ten."""

_NUMBER = r"\s*([-+]?)([0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([-+]?[0-9]{1,3}))?\s*"
_SIZES = r"\s*[0-9]+\s*[xX×*].*"
_TOO_MANY = f"an axis has {MOST_VALUES:,} values at most"
_EXAMPLE = "a range such as 128:512:32, or values such as 1,8,64"


class Axis(NamedTuple):
    """An axis: its name, what varies along it, and its values in their order.

    A value of ``input`` is the size of every axis of the input (its channels stay), or all sizes of one input.
    """

    name: str
    kind: Kind
    values: tuple[Any, ...]


def read_axis(text: str) -> Axis:
    """The axis in ``KEY=RANGE``; ArchcalcError for any other text.

    >>> read_axis("batch=1,8,64")
    Axis(name='batch', kind='batch', values=(1, 8, 64))
    """
    name, equals, values = text.partition("=")
    if not equals or not name.strip():
        raise ArchcalcError(f"expected KEY=RANGE such as width=0.25:1.5:0.05 or depth=18,34, got {message_text(text)}")
    return axis(name.strip(), values)


def axis(name: str, given: Any) -> Axis:
    """The axis with this name: its values as a text, as one value, or as several (a list, a range, an array)."""
    kind = kind_of(name)
    try:
        if isinstance(given, str):
            return Axis(name, kind, read_range(given, kind))
        return Axis(name, kind, _several(given, kind))
    except ArchcalcError as error:
        raise ArchcalcError(f"{clipped(name, 60)}: {error}") from None


def kind_of(name: str) -> Kind:
    """What varies along an axis with this name."""
    return "input" if name == "input" else "batch" if name == "batch" else "setting"


def read_range(text: str, kind: Kind = "setting") -> tuple[Any, ...]:
    """The values in a text: ranges, numbers, words, lists and sizes of an input, with commas between.

    >>> read_range("0.1:0.5:0.1"), read_range("1:3,8"), read_range("[3,4,6,3],[3,4,23,3]")
    ((0.1, 0.2, 0.3, 0.4, 0.5), (1, 2, 3, 8), ([3, 4, 6, 3], [3, 4, 23, 3]))
    >>> read_range("96,3x128x96", "input")
    (96, (3, 128, 96))
    """
    if not text.strip():
        raise ArchcalcError(f"expected {_EXAMPLE}, got no value")
    found: list[Any] = []
    for part in parts(text):
        if not part.strip():
            raise ArchcalcError(f"a value is missing beside a comma of {message_text(text)}")
        if ":" in part and part.strip()[0] not in "\"'[{":
            found += _of_range(_range(part.strip()), kind)
        else:
            found.append(checked_value(value_of(part.strip(), kind), kind))
        if len(found) > MOST_VALUES:
            raise ArchcalcError(_TOO_MANY)
    return _distinct(found) if len(parts(text)) > 1 else tuple(found)


def _of_range(values: Sequence[int | float], kind: Kind) -> Sequence[int | float]:
    """The values of a range, of which the first and the last are checked."""
    for end in (values[0], values[-1]):
        checked_value(end, kind)
    return values


def _range(text: str) -> Sequence[int | float]:
    """The values of START:STOP:STEP, or of START:STOP in steps of 1."""
    ends = [end.strip() for end in text.split(":")]
    shown = clipped(text, 60)
    if len(ends) > 3:
        raise ArchcalcError(f"{shown} has more than two colons; a range is START:STOP:STEP, such as 128:512:32")
    if not ends[1] or re.fullmatch(r"[-+]?\.?inf(inity)?", ends[1], re.IGNORECASE):
        raise ArchcalcError(f"{shown} has no end; a range is START:STOP:STEP, such as 128:512:32")
    if len(ends) < 3:
        ends.append("1")
    wrong = next((end for end in ends if not re.fullmatch(_NUMBER, end)), None)
    if wrong is not None:
        raise ArchcalcError(f"{shown}: a range START:STOP:STEP has numbers, got {message_text(wrong)}")
    digits = [_decimal(end) for end in ends]
    least = min(power for _, power in digits)
    start, stop, step = (number * 10 ** (power - least) for number, power in digits)
    if step == 0:
        raise ArchcalcError(f"{shown}: the step is 0; the third number of START:STOP:STEP is a step other than 0")
    if (stop - start) * step < 0:
        meant = f"{ends[1]}:{ends[0]}:{ends[2]}" if step > 0 else ":".join((*ends[:2], ends[2].lstrip("-")))
        raise ArchcalcError(f"{shown} is empty: steps of {ends[2]} lead away from {ends[1]}; did you mean {meant}?")
    count = (stop - start) // step + 1
    if count > MOST_VALUES:
        raise ArchcalcError(f"{shown} has {count:,} values; an axis has {MOST_VALUES:,} values at most")
    numbers = range(start, start + count * step, step)
    if all(re.fullmatch(r"[-+]?[0-9]+", end) for end in ends):
        return numbers
    up, down = 10 ** max(least, 0), 10 ** max(-least, 0)
    values = [number * up / down for number in numbers]
    if count > 1 and (values[0] == values[1] or values[-1] == values[-2]):
        raise ArchcalcError(f"{shown}: the step is smaller than the distance of two floats")
    return values


def _decimal(text: str) -> tuple[int, int]:
    """A number as a whole number and the power of ten that it is multiplied by.

    >>> _decimal("-0.25"), _decimal("3e2")
    ((-25, -2), (3, 2))
    """
    found = re.fullmatch(_NUMBER, text)
    assert found is not None
    whole, _, part = found[2].partition(".")
    power = int(found[3] or 0) - len(part)
    if len(whole + part) > MOST_DIGITS or abs(power) > MOST_POWER:
        raise ArchcalcError(
            f"expected numbers of at most {MOST_DIGITS} digits and 10^{MOST_POWER}, got {message_text(text)}"
        )
    return int(f"{found[1]}{whole}{part}"), power


def value_of(text: str, kind: Kind) -> Any:
    """One value of a list, as in a spec."""
    if kind == "input" and re.fullmatch(_SIZES, text):
        return read_sizes(text)
    try:
        return read_setting(f"value={text}")[1]
    except ArchcalcError as error:
        raise ArchcalcError(str(error).removeprefix("value: ")) from None


def checked_value(value: Any, kind: Kind) -> Any:
    """A value of an axis; ArchcalcError if the kind of axis has no such values."""
    if kind == "setting":
        if isinstance(value, Mapping) or is_array(value):
            raise ArchcalcError(f"expected numbers, words or lists, got {message_text(value)}")
        if isinstance(value, float) and not isfinite(value):
            raise ArchcalcError(f"expected finite numbers, got {value}")
        return value
    if kind == "input" and (isinstance(value, (Shape, tuple, list)) or (isinstance(value, str) and "x" in value)):
        return given_sizes(value)
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        sizes = " or sizes such as 3x224x224" if kind == "input" else ""
        raise ArchcalcError(f"expected whole numbers from 1 on{sizes}, got {message_text(value)}")
    number = int(value)
    if not 1 <= number <= MAX_SIZE:
        raise ArchcalcError(f"expected whole numbers from 1 to {MAX_SIZE:,}, got {message_text(number)}")
    return number


def value_text(value: Any, kind: Kind) -> str:
    """A value of an axis, as the user may type it.

    >>> value_text((3, 224, 224), "input"), value_text([3, 4], "setting")
    ('3x224x224', '[3,4]')
    """
    if kind == "input" and isinstance(value, tuple):
        return str(value if isinstance(value, Shape) else Shape(value[0], value[1:]))
    return value if isinstance(value, str) else setting_text(value)


def _several(given: Any, kind: Kind) -> tuple[Any, ...]:
    """The values of an axis from Python: of a list, a range, an array or an iterator. A tuple is one value."""
    if is_array(given):
        given = given.tolist()
    if isinstance(given, range) and 0 < len(given) <= MOST_VALUES:
        return tuple(_of_range(given, kind))
    if isinstance(given, (Shape, Mapping, tuple)) or not isinstance(given, Iterable):
        given = [given]
    found = list(islice(given, MOST_VALUES + 1))
    if len(found) > MOST_VALUES:
        raise ArchcalcError(_TOO_MANY)
    return _distinct([checked_value(value, kind) for value in found])


def _distinct(values: Sequence[Any]) -> tuple[Any, ...]:
    """The values; ArchcalcError if there are none, or if one stands twice."""
    if not values:
        raise ArchcalcError(f"expected {_EXAMPLE}, got no value")
    known: set[Any] = set()
    for value in values:
        key = value if type(value) in (int, float) else repr(value)
        if key in known:
            raise ArchcalcError(f"the value {setting_text(value)} is given twice")
        known.add(key)
    return tuple(values)
