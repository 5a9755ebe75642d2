"""The parameters of a class: which arguments share one parameter, and the names of the parameters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from keyword import iskeyword
from typing import Any, NamedTuple

from archcalc.errors import LayerError

CHANNELS = (
    *("in_channels", "out_channels", "in_features", "out_features", "num_features", "channels", "normalized_shape"),
    *("num_parameters", "features", "start", "stop", "before", "after"),
)
"""Arguments that are numbers of channels. Such arguments may share one parameter."""
MISSING = object()
MOST_PARAMETERS = 1000
"""The most parameters of a class. A class with more parameters is not readable."""
GENERAL = ("conv", "linear", "main")
"""Names of layers that do not identify the layer."""
RESERVED = ("self", "nn", "torch", "F", "super", "tie", "l", "I", "O")
"""Names that the exported file already uses, and letters that look like digits."""


class Parameter(NamedTuple):
    """A parameter of a class. kind: arguments of one kind may share a parameter. default: MISSING if there is none."""

    name: str
    kind: str
    type: str
    default: Any


class Argument(NamedTuple):
    """One argument of one layer in a block. ``path`` is empty if the layer is an expression."""

    path: str
    name: str
    kind: str
    value: Any
    default: Any


class Column(NamedTuple):
    """The same argument in every block of a class: its value and its default in each block."""

    path: str
    argument: str
    kind: str
    values: tuple[Any, ...]
    defaults: tuple[Any, ...]

    @staticmethod
    def of(same: tuple[Argument, ...]) -> Column:
        path, argument, kind, value, default = same[0]
        if len(same) == 1:
            return Column(path, argument, kind, (value,), (default,))
        return Column(path, argument, kind, tuple([a.value for a in same]), tuple([a.default for a in same]))

    @property
    def key(self) -> str:
        """A key that is equal for columns with equal values of equal types."""
        return repr(self.values)

    @property
    def fixed(self) -> bool:
        """Whether the value is equal in all blocks."""
        return len(self.values) == 1 or len(set(map(repr, self.values))) == 1

    @property
    def left_out(self) -> bool:
        """Whether the argument is omitted, because all blocks have the default."""
        return self.defaults[0] is not MISSING and self.key == repr(self.defaults)


def literal(value: Any) -> str:
    """A value as Python text."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' * (len(value) == 1)})"
    text = repr(value)
    return f'float("{text}")' if text in ("inf", "-inf", "nan") else text


class Parameters:
    """The parameters of a class, from all arguments in its blocks. ``joined``: the block contains a concatenation.

    An argument with the same value in every block is written as a value. Other arguments become parameters. Arguments
    of one kind that have equal values in every block share one parameter. If a number of channels is a multiple or a
    fraction of another number of channels, it is written as a product or a quotient.
    """

    def __init__(self, columns: list[Column], joined: bool) -> None:
        """LayerError if the blocks differ in more than MOST_PARAMETERS numbers."""
        self.columns = columns
        self.varying: dict[tuple[str, str], list[Column]] = {}
        """The columns that are not fixed, by kind and key. The columns of one entry share one parameter."""
        self.at_path: dict[str, list[Column]] = {}
        self.telling: dict[str, set[str]] = {}
        """The paths of layers, grouped by the path without general words (``GENERAL``)."""
        for column in columns:
            if not column.fixed:
                self.varying.setdefault((column.kind, column.key), []).append(column)
                self.at_path.setdefault(column.path, []).append(column)
                if column.path:
                    self.telling.setdefault(telling(column.path), set()).add(column.path)
        if len(self.varying) > MOST_PARAMETERS:
            raise LayerError(
                f"blocks of one structure that differ in {len(self.varying):,} numbers; a class is written with at most "
                f"{MOST_PARAMETERS:,} parameters"
            )
        self.all: list[Parameter] = []
        self.values: list[tuple[Any, ...]] = []
        self.locals: dict[str, str] = {}
        """Names for numbers that are computed from parameters, with their expressions."""
        self.taken = set(RESERVED)
        self.written: dict[tuple[str, str], str] = {}
        self.name_channels(joined)
        self.name_others()

    @property
    def texts(self) -> list[str]:
        """The text of each argument."""
        return [literal(c.values[0]) if c.fixed else self.written[c.kind, c.key] for c in self.columns]

    def add(self, name: str, column: Column, default: Any = MISSING) -> None:
        name = self.free(name)
        self.all.append(Parameter(name, column.kind, annotation(column.values), default))
        self.values.append(column.values)
        self.written[column.kind, column.key] = name

    def free(self, name: str) -> str:
        """The name, with underscores added if the name is already used; ``value`` if the name is no identifier."""
        name = name if re.fullmatch(r"\w+", name) else "value"
        while name in self.taken or iskeyword(name):
            name += "_"
        self.taken.add(name)
        return name

    def name_channels(self, joined: bool) -> None:
        """Name the numbers of channels: the input first, then in order. Inside the block: see ``inner_name``."""
        layers = [column for column in self.columns if column.kind == "channels"]
        outside = any(not column.path for column in layers)  # an expression may read only some of the input channels
        first = "" if outside or not layers else layers[0].key
        last = "" if joined or not layers else layers[-1].key
        different = {key: columns[0] for (kind, key), columns in self.varying.items() if kind == "channels"}
        following = products(list(different.values()), (first, last))
        local = [key for key in following if len(self.varying["channels", key]) > 2]  # used often enough for a name
        inner = [key for key in different if key not in (*following, first, last)] + local
        for key in sorted(different, key=lambda key: key != first):
            column = different[key]
            features = column.argument in ("in_features", "out_features")
            if key in following:
                continue
            if key == first == last:
                self.add("channels", column)
            elif key == first:
                self.add("in_features" if features else "in_channels", column)
            elif key == last:
                self.add("out_features" if features else "out_channels", column)
            else:
                self.add(self.inner_name(column, inner), column)
        for key, (base, text) in following.items():
            value = text.format(self.written["channels", base])
            self.written["channels", key] = value
            if key in local:
                name = self.free(self.inner_name(different[key], inner))
                self.locals[name] = value
                self.written["channels", key] = name

    def name_others(self) -> None:
        """Name the other arguments: kernel sizes first, arguments with a default last. Expressions: ``derived``."""
        rest = {key: columns[0] for key, columns in self.varying.items() if key[0] != "channels"}
        alike = Counter(kind for kind, _ in rest)
        for key, column in sorted(rest.items(), key=lambda pair: (pair[0][0] != "kernel_size", _default(pair[1])[0])):
            derived = self.derived(column)
            if derived:
                self.written[key] = derived
                continue
            name = column.argument if alike[column.kind] == 1 else f"{self.path_name(column)}_{column.kind}"
            self.add(name, column, _default(column)[1])

    def derived(self, column: Column) -> str:
        """The expression for a padding that is half the kernel size, or for groups that divide channels; else empty."""
        if column.kind == "padding":
            for other in self.at_path[column.path]:
                if other.kind == "kernel_size" and _ints(other.values):
                    text = self.written.get((other.kind, other.key), "")
                    if text.isidentifier() and tuple(k // 2 for k in other.values) == column.values:
                        return f"{text} // 2"
        if column.kind == "groups":
            for (kind, key), (other, *_) in self.varying.items():
                text = self.written.get((kind, key), "")
                factor = ratio(other.values, column.values) if kind == "channels" else 0
                if factor == 1 or (factor and text.isidentifier()):
                    return text if factor == 1 else f"{text} // {factor}"
        return ""

    def inner_name(self, column: Column, inner: list[str]) -> str:
        """A name for channels inside a block: ``width``, or if there are several, the layer that makes them."""
        if len(inner) == 1:
            return "width"
        alike = self.varying["channels", column.key]
        return self.path_name(next((other for other in alike if other.argument.startswith("out_")), column))

    def path_name(self, column: Column) -> str:
        """A name from the path of the layer, without general words if the name stays unique."""
        if not column.path:
            return column.argument
        short = telling(column.path)
        return short if short and len(self.telling[short]) == 1 else column.path.replace(".", "_")


def telling(path: str) -> str:
    """A path as a name, without general words (``GENERAL``).

    >>> telling("main.b3.conv"), telling("b3.reduce")
    ('b3', 'b3_reduce')
    """
    return "_".join(word for word in path.split(".") if word not in GENERAL)


def products(columns: list[Column], ends: tuple[str, str]) -> dict[str, tuple[str, str]]:
    """The columns that are a multiple or a fraction of a base column: the key of the base, and an expression with {}.

    The name of the base replaces {}. The input and the output channels of a block (``ends``) are always bases. The
    other columns use these bases if possible.
    """
    following: dict[str, tuple[str, str]] = {}
    bases = sorted((c for c in columns if c.key in ends), key=lambda c: ends.index(c.key))
    inner = [c for c in columns if c.key not in ends and _ints(c.values)]
    for column in sorted(inner, key=lambda c: sum(c.values)):
        for base in bases:
            times, part = ratio(column.values, base.values), ratio(base.values, column.values)
            if times > 1 or (part > 1 and base.key in ends):
                following[column.key] = base.key, f"{times} * {{}}" if times > 1 else f"{{}} // {part}"
                break
        else:
            bases.append(column)
    return following


def ratio(these: Sequence[Any], those: Sequence[Any]) -> int:
    """The whole number n with first = n * second for every pair of numbers; 0 if there is no such number.

    >>> ratio((256, 512), (64, 128)), ratio((256, 512), (64, 64))
    (4, 0)
    """
    pairs = zip(these, those, strict=True)
    if type(these[0]) is not int or type(those[0]) is not int or not those[0]:
        return 0
    factor = these[0] // those[0]
    return factor if factor and all(type(a) is type(b) is int and b and a == factor * b for a, b in pairs) else 0


def _default(column: Column) -> tuple[bool, Any]:
    """Whether the argument has a default that is equal in every block, and the default."""
    default = column.defaults[0]
    if column.kind == "kernel_size" or default is MISSING or len(set(map(repr, column.defaults))) > 1:
        return False, MISSING
    return True, default


def _ints(values: Sequence[Any]) -> bool:
    return all(type(value) is int for value in values)


def annotation(values: Sequence[Any]) -> str:
    """The type annotation of a parameter with these values."""
    kinds = dict.fromkeys(
        f"tuple[{', '.join(type(v).__name__ for v in value)}]" if isinstance(value, tuple) else type(value).__name__
        for value in values
    )
    return "float" if set(kinds) == {"int", "float"} else " | ".join(sorted(kinds))
