"""The parameters of a class: which arguments are one and the same number, and what it is called."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from keyword import iskeyword
from typing import Any, NamedTuple

CHANNELS = (
    *("in_channels", "out_channels", "in_features", "out_features", "num_features", "channels", "normalized_shape"),
    *("num_parameters", "features", "start", "stop", "before", "after"),
)
"""Arguments that are numbers of channels, and so may be one and the same number."""
MISSING = object()
GENERAL = ("conv", "linear", "main")
"""Names of layers that say nothing about which of them it is."""
RESERVED = ("self", "nn", "torch", "F", "super", "tie", "l", "I", "O")
"""Names that a file uses itself, and letters that look like digits."""


class Parameter(NamedTuple):
    """A parameter of a class: ``kind`` says which others may be the same number; MISSING is no default."""

    name: str
    kind: str
    type: str
    default: Any


class Argument(NamedTuple):
    """One argument of one layer in a block; ``path`` is empty for a layer that is an expression."""

    path: str
    name: str
    kind: str
    value: Any
    default: Any


class Column(NamedTuple):
    """The same argument in every block of a class."""

    path: str
    argument: str
    kind: str
    values: tuple[Any, ...]
    defaults: tuple[Any, ...]

    @staticmethod
    def of(same: tuple[Argument, ...]) -> Column:
        path, name, kind, *_ = same[0]
        return Column(path, name, kind, tuple([a.value for a in same]), tuple([a.default for a in same]))

    @property
    def key(self) -> str:
        """Equal for columns whose values are the same, and of the same types."""
        return repr(self.values)

    @property
    def fixed(self) -> bool:
        return len(self.values) == 1 or len(set(map(repr, self.values))) == 1

    @property
    def left_out(self) -> bool:
        return self.key == repr(self.defaults)


def literal(value: Any) -> str:
    """A value as Python text."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' * (len(value) == 1)})"
    text = repr(value)
    return f'float("{text}")' if text in ("inf", "-inf", "nan") else text


class Parameters:
    """The parameters of a class, from all arguments in its blocks; ``joined`` where the block ends in a concatenation.

    Arguments that are the same in every block are written as they are. Of the others, those of one kind that agree
    in every block are one parameter. A number of channels that is a multiple or part of another is written so.
    """

    def __init__(self, columns: list[Column], joined: bool) -> None:
        self.columns = columns
        self.varying = [column for column in columns if not column.fixed]
        self.all: list[Parameter] = []
        self.values: list[tuple[Any, ...]] = []
        self.locals: dict[str, str] = {}
        """Names for what follows from parameters, and how."""
        self.written: dict[tuple[str, str], str] = {}
        self.name_channels(joined)
        self.name_others()

    @property
    def texts(self) -> list[str]:
        """How each argument is written."""
        return [literal(c.values[0]) if c.fixed else self.written[c.kind, c.key] for c in self.columns]

    def add(self, name: str, column: Column, default: Any = MISSING) -> None:
        name = self.free(name)
        self.all.append(Parameter(name, column.kind, annotation(column.values), default))
        self.values.append(column.values)
        self.written[column.kind, column.key] = name

    def free(self, name: str) -> str:
        """The name, with an underscore where it is taken; another one for a name with marks of its own."""
        name = name if re.fullmatch(r"\w+", name) else "value"
        taken = {*RESERVED, *self.locals, *(parameter.name for parameter in self.all)}
        while name in taken or iskeyword(name):
            name += "_"
        return name

    def name_channels(self, joined: bool) -> None:
        """Channels: those that come in first, then in order; by what makes them, or as ``width`` if there is one."""
        layers = [column for column in self.columns if column.kind == "channels"]
        outside = any(not column.path for column in layers)  # an expression may take a part of what comes in
        first = "" if outside or not layers else layers[0].key
        last = "" if joined or not layers else layers[-1].key
        different: dict[str, Column] = {}
        for column in layers:
            if not column.fixed:
                different.setdefault(column.key, column)
        following = products(list(different.values()), (first, last))
        uses = Counter(column.key for column in layers)
        local = [key for key in following if uses[key] > 2]  # often enough for a name of its own
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
        """Kernels, which have no default; what follows from kernel or channels; then the rest, defaults last."""
        rest: dict[tuple[str, str], Column] = {}
        for column in self.varying:
            if column.kind != "channels":
                rest.setdefault((column.kind, column.key), column)
        for key, column in sorted(rest.items(), key=lambda pair: (pair[0][0] != "kernel_size", _default(pair[1])[0])):
            derived = self.derived(column)
            if derived:
                self.written[key] = derived
                continue
            alone = sum(kind == column.kind for kind, _ in rest) == 1
            name = column.argument if alone else f"{self.path_name(column)}_{column.kind}"
            self.add(name, column, _default(column)[1])

    def derived(self, column: Column) -> str:
        """A padding that is half the kernel, or groups that share out channels; empty where it is neither."""
        if column.kind == "padding":
            for other in self.varying:
                if (other.path, other.kind) == (column.path, "kernel_size") and _ints(other.values):
                    text = self.written.get((other.kind, other.key), "")
                    if text.isidentifier() and tuple(k // 2 for k in other.values) == column.values:
                        return f"{text} // 2"
        if column.kind == "groups":
            for other in self.varying:
                text = self.written.get((other.kind, other.key), "")
                factor = ratio(other.values, column.values) if other.kind == "channels" else 0
                if factor == 1 or (factor and text.isidentifier()):
                    return text if factor == 1 else f"{text} // {factor}"
        return ""

    def inner_name(self, column: Column, inner: list[str]) -> str:
        """A name for channels inside a block: width, or where there are several after the layer that makes them."""
        if len(inner) == 1:
            return "width"
        alike = [other for other in self.varying if (other.kind, other.key) == ("channels", column.key)]
        return self.path_name(next((other for other in alike if other.argument.startswith("out_")), column))

    def path_name(self, column: Column) -> str:
        """A name after the layer at a path, without words that say nothing where that is clear."""
        if not column.path:
            return column.argument
        short = telling(column.path)
        alike = {other.path for other in self.varying if other.path and telling(other.path) == short}
        return short if short and len(alike) == 1 else column.path.replace(".", "_")


def telling(path: str) -> str:
    """A path as a name, without its words that say nothing.

    >>> telling("main.b3.conv"), telling("b3.reduce")
    ('b3', 'b3_reduce')
    """
    return "_".join(word for word in path.split(".") if word not in GENERAL)


def products(columns: list[Column], ends: tuple[str, str]) -> dict[str, tuple[str, str]]:
    """The columns that follow from another: its key, and how they are written with its name in the place of {}.

    What comes into a block and goes out of it are never written by each other, and the rest is by these if it can be.
    """
    found: dict[str, tuple[str, str]] = {}
    bases = sorted((c for c in columns if c.key in ends), key=lambda c: ends.index(c.key))
    inner = [c for c in columns if c.key not in ends and _ints(c.values)]
    for column in sorted(inner, key=lambda c: sum(c.values)):
        for base in bases:
            times, part = ratio(column.values, base.values), ratio(base.values, column.values)
            if times > 1 or (part > 1 and base.key in ends):
                found[column.key] = base.key, f"{times} * {{}}" if times > 1 else f"{{}} // {part}"
                break
        else:
            bases.append(column)
    return found


def ratio(these: Sequence[Any], those: Sequence[Any]) -> int:
    """How many times larger every number is than its counterpart; 0 where there is no such whole number.

    >>> ratio((256, 512), (64, 128)), ratio((256, 512), (64, 64))
    (4, 0)
    """
    if not _ints((*these, *those)) or not all(those):
        return 0
    factor = int(these[0] // those[0])
    return factor if all(a == factor * b for a, b in zip(these, those, strict=True)) else 0


def _default(column: Column) -> tuple[bool, Any]:
    """Whether the layer has a default for the argument, the same in every block, and which."""
    default = column.defaults[0]
    if column.kind == "kernel_size" or default is MISSING or len(set(map(repr, column.defaults))) > 1:
        return False, MISSING
    return True, default


def _ints(values: Sequence[Any]) -> bool:
    return all(type(value) is int for value in values)


def annotation(values: Sequence[Any]) -> str:
    """The annotation for a parameter that takes these values."""
    kinds = dict.fromkeys(
        f"tuple[{', '.join(type(v).__name__ for v in value)}]" if isinstance(value, tuple) else type(value).__name__
        for value in values
    )
    return "float" if set(kinds) == {"int", "float"} else " | ".join(sorted(kinds))
