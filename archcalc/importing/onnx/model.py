"""The model in an ONNX file as plain data: nodes, and tensors with their sizes. Values are read when they are asked for.

Source of the field numbers: onnx/onnx.proto of onnx 1.23.
"""

from __future__ import annotations

import os
from math import prod
from typing import Any, NamedTuple

from archcalc.importing.onnx.wire import Part, WireError, numbers, signed

TYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool",
    10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128", 16: "bfloat16",
}  # fmt: skip
"""The name of a data type by its number; other numbers are types of eight bits or fewer."""
FLOATS = ("float32", "float16", "float64", "bfloat16")
_CODES = {"float32": "f", "float64": "d", "uint8": "B", "int8": "b", "uint16": "H", "int16": "h", "int32": "i",
          "int64": "q", "bool": "B", "uint32": "I", "uint64": "Q"}  # fmt: skip
MOST_AXES = 64
MOST_VALUES = 4_000_000
"""The most values of a constant that are read."""


class Stored:
    """A tensor in the file: an initializer, or the value of a constant. Its numbers may be in another file of ``folder``, unless that is None."""

    __slots__ = ("elsewhere", "external", "folder", "name", "parts", "sizes", "type")

    def __init__(self, part: Part | None = None, folder: str | None = "") -> None:
        self.name, self.type, self.external, self.folder = "", "float32", False, folder
        self.elsewhere: dict[str, str] = {}
        self.sizes: tuple[int, ...] = ()
        self.parts: dict[int, Any] = {}
        sizes: list[int] = []
        for number, value in part.fields() if part else ():
            if number == 1:
                sizes += ints(value)
            elif number == 2 and isinstance(value, int):
                self.type = TYPES.get(value, "eight bits or fewer")
            elif number == 8:
                self.name = text(value)
            elif number == 13:
                entry = {n: text(v) for n, v in message(value).fields() if n in (1, 2)}
                self.elsewhere[entry.get(1, "")] = entry.get(2, "")
            elif number == 14 and value == 1:
                self.external = True
            elif number in (4, 5, 7, 9, 10, 11):
                self.parts.setdefault(number, []).append(value)
        if len(sizes) > MOST_AXES:
            raise WireError(f"a tensor of more than {MOST_AXES} axes")
        self.sizes = tuple(sizes)

    def values(self) -> list[float] | list[int] | None:
        """The values in their order; None if they are not known, or too many to be read."""
        try:
            return self._read() if prod(self.sizes) <= MOST_VALUES else None
        except (WireError, OverflowError, OSError, ValueError):
            return None

    def _read(self) -> list[float] | list[int] | None:
        found: list[Any] = []
        if self.external:
            raws = [self._outside()]
        else:
            raws = [part.raw() for part in self.parts.get(9, ()) if isinstance(part, Part)]
        for raw in raws:
            if self.type == "float16":
                found += [half(int(n)) for n in numbers(raw, "H")]
            elif self.type not in _CODES:
                return None
            else:
                found += numbers(raw, _CODES[self.type])
        for number, code in ((4, "f"), (10, "d")):
            for part in self.parts.get(number, ()):
                if not isinstance(part, Part):
                    return None
                found += part.array(code)
        for number in (5, 7, 11):
            for part in self.parts.get(number, ()):
                found += ints(part)
        return found if len(found) == prod(self.sizes) else None

    def _outside(self) -> bytes:
        """The bytes in another file, which is in the model's folder or below; none if the model has no folder."""
        if self.folder is None:
            return b""
        place = os.path.normpath(self.elsewhere.get("location", ""))
        if os.path.isabs(place) or place.split(os.sep)[0] == os.pardir:
            return b""
        with open(os.path.join(self.folder, place), "rb") as opened:
            opened.seek(int(self.elsewhere.get("offset") or 0))
            return opened.read(min(int(self.elsewhere.get("length") or 0), 8 * MOST_VALUES))


def half(bits: int) -> float:
    """The number of a float16."""
    import struct

    return float(struct.unpack("<e", bits.to_bytes(2, "little"))[0])


class Node(NamedTuple):
    """A node: the operator's type with its domain, its name, the names of inputs and outputs, and its attributes."""

    type: str
    name: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]
    scope: str

    @property
    def place(self) -> str:
        """What a message calls the node."""
        return self.name or next(filter(None, self.outputs), "a node")


class Declared(NamedTuple):
    """An input or output: its name and its sizes; a size that is left open is a text. None: no tensor, or no sizes."""

    name: str
    sizes: list[int | str] | None
    type: str


class Model:
    """The graph of a model with its operator set."""

    def __init__(self, part: Part, folder: str | None = "") -> None:
        self.folder = folder
        self.opset, self.producer, self.graphs = 0, "", list[Part]()
        self.functions: list[str] = []
        self.nodes: list[Node] = []
        self.stored: dict[str, Stored] = {}
        self.inputs: list[Declared] = []
        self.outputs: list[Declared] = []
        self.version = 0
        for number, value in part.fields():
            if number == 1 and isinstance(value, int):
                self.version = value
            elif number == 2:
                self.producer = text(value)
            elif number == 7:
                self.graphs.append(message(value))
            elif number == 8:
                self._operators(message(value))
            elif number == 25:
                self.functions.append(next((text(v) for n, v in message(value).fields() if n == 1), ""))
        for graph in self.graphs:
            self._graph(graph)

    def _operators(self, part: Part) -> None:
        domain, version = "", 0
        for number, value in part.fields():
            if number == 1:
                domain = text(value)
            elif number == 2 and isinstance(value, int):
                version = value
        if domain in ("", "ai.onnx"):
            self.opset = version

    def _graph(self, part: Part) -> None:
        for number, value in part.fields():
            if number == 1:
                self.nodes.append(_node(message(value)))
            elif number == 5:
                stored = Stored(message(value), self.folder)
                self.stored[stored.name] = stored
            elif number == 11:
                self.inputs.append(_declared(message(value)))
            elif number == 12:
                self.outputs.append(_declared(message(value)))


def _node(part: Part) -> Node:
    type, name, domain, scope = "", "", "", ""
    inputs, outputs = list[str](), list[str]()
    attributes: dict[str, Any] = {}
    for number, value in part.fields():
        if number == 1:
            inputs.append(text(value))
        elif number == 2:
            outputs.append(text(value))
        elif number == 3:
            name = text(value)
        elif number == 4:
            type = text(value)
        elif number == 7:
            domain = text(value)
        elif number == 5:
            key, attribute = _attribute(message(value))
            attributes[key] = attribute
        elif number == 9:
            pair = {n: text(v) for n, v in message(value).fields() if n in (1, 2)}
            if pair.get(1) == "namespace":
                scope = pair.get(2, "")
    full = type if domain in ("", "ai.onnx") else f"{domain}.{type}"
    return Node(full, name, inputs, outputs, attributes, scope)


def _attribute(part: Part) -> tuple[str, Any]:
    """The name and the value of an attribute."""
    name, kind = "", 0
    one: dict[int, Any] = {}
    many: dict[int, list[Any]] = {}
    for number, value in part.fields():
        if number == 1:
            name = text(value)
        elif number == 20 and isinstance(value, int):
            kind = value
        elif number == 2:
            one[number] = message(value).array("f")[0]
        elif number == 3 and isinstance(value, int):
            one[number] = signed(value)
        elif number == 4:
            one[number] = text(value)
        elif number == 5:
            one[number] = Stored(message(value))
        elif number == 6:
            one[number] = value
        elif number == 7:
            many.setdefault(number, []).extend(message(value).array("f"))
        elif number == 8:
            many.setdefault(number, []).extend(ints(value))
        elif number == 9:
            many.setdefault(number, []).append(text(value))
    usual = {1: 0.0, 2: 0, 3: ""}
    if kind in (6, 7, 8):
        return name, many.get({6: 7, 7: 8, 8: 9}[kind], [])
    if one or many:
        return name, next(iter([*one.values(), *many.values()]))
    return name, usual.get(kind)


def _declared(part: Part) -> Declared:
    name, sizes, type = "", None, ""
    for number, value in part.fields():
        if number == 1:
            name = text(value)
        elif number == 2:
            for kind, inner in message(value).fields():
                if kind == 1:
                    sizes, type = _tensor_type(message(inner))
    return Declared(name, sizes, type)


def _tensor_type(part: Part) -> tuple[list[int | str] | None, str]:
    sizes, type = None, ""
    for number, value in part.fields():
        if number == 1 and isinstance(value, int):
            type = TYPES.get(value, "")
        elif number == 2:
            sizes = [_size(message(size)) for n, size in message(value).fields() if n == 1]
    return sizes, type


def _size(part: Part) -> int | str:
    for number, value in part.fields():
        if number == 1 and isinstance(value, int):
            return signed(value)
        if number == 2:
            return text(value)
    return ""


def message(value: int | Part) -> Part:
    if not isinstance(value, Part):
        raise WireError("a number where a message is expected")
    return value


def text(value: int | Part) -> str:
    return message(value).text()


def ints(value: int | Part) -> list[int]:
    """Whole numbers, one at a time or packed."""
    return value.whole_numbers() if isinstance(value, Part) else [signed(value)]
