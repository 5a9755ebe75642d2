"""Files whose bytes or messages are changed end in a network or in one error, in bounded time."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from archcalc.errors import ArchcalcError
from archcalc.importing.onnx.file import model_in
from archcalc.importing.onnx.wire import MOST_FIELDS, Part, Reading, WireError, signed, varint
from tests.importing.onnx.files import model, network, node
from tests.importing.onnx.test_patterns import CASES, NUMBERS, attention


def _made() -> list[Any]:
    nodes, weights, _ = CASES["group normalisation"]
    conv = [node("Conv", "x w b", "c", pads=[1, 1, 1, 1]), node("MaxPool", "c", "y", kernel_shape=[2, 2])]
    return [
        attention("q", fixed=True),
        model(nodes, NUMBERS | weights),
        model(conv, {"w": (4, 8, 3, 3), "b": (4,)}, opset=9),
    ]


def _changed(made: Any, chance: random.Random) -> bytes:
    """The bytes of a model with a few changes of its messages, or of its bytes."""
    copy = type(made)()
    copy.CopyFrom(made)
    graph = copy.graph
    for _ in range(chance.randrange(1, 4)):
        kind, one = chance.randrange(6), graph.node[chance.randrange(len(graph.node))]
        if kind == 0 and one.attribute:
            given = one.attribute[chance.randrange(len(one.attribute))]
            given.ints[:] = [chance.choice([0, -1, 1, 2**40, -(2**62)]) for _ in range(chance.randrange(6))]
        elif kind == 1:
            one.op_type = graph.node[chance.randrange(len(graph.node))].op_type
        elif kind == 2 and one.input:
            one.input[chance.randrange(len(one.input))] = chance.choice([*graph.node[0].output, "w", "x", "", "none"])
        elif kind == 3 and graph.initializer:
            given = graph.initializer[chance.randrange(len(graph.initializer))]
            given.dims[:] = [chance.choice([0, 1, 3, 2**33, -2]) for _ in range(chance.randrange(5))]
        elif kind == 4 and graph.initializer:
            given = graph.initializer[chance.randrange(len(graph.initializer))]
            given.int64_data[:] = [chance.choice([0, -1, 1, 2**40, -(2**62)]) for _ in range(chance.randrange(6))]
        else:
            graph.node.insert(0, one)
    raw = bytearray(copy.SerializeToString())
    if chance.random() < 0.5:
        for _ in range(chance.randrange(1, 6)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
    return bytes(raw[: chance.randrange(len(raw))] if chance.random() < 0.1 else raw)


@pytest.mark.parametrize("seed", range(30))
def test_changed_files(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    begin = time.process_time()
    for made in _made():
        for _ in range(6):
            with suppress(ArchcalcError):
                network(tmp_path, _changed(made, chance), allow_missing=chance.random() < 0.5).nodes  # noqa: B018
    assert time.process_time() - begin < 10


@pytest.mark.parametrize(
    ("raw", "value"), [(b"\x05", 5), (b"\xac\x02", 300), (b"\xff" * 9 + b"\x01", 2**64 - 1)], ids=["5", "300", "-1"]
)
def test_varints(raw: bytes, value: int) -> None:
    assert varint(raw, 0, len(raw)) == (value, len(raw))


def test_signed_numbers() -> None:
    assert (signed(2**64 - 1), signed(7)) == (-1, 7)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\x0a\x05ab", "ends behind the data"),
        (b"\x08", "ends behind the data"),
        (b"\xff" * 11, "more than 64 bits"),
        (b"\x0b", "kind 3"),
        (b"\x00\x00", "without a number"),
    ],
)
def test_bytes_that_are_no_message(raw: bytes, text: str) -> None:
    with pytest.raises(WireError, match=text):
        list(Part(raw, 0, len(raw), Reading()).fields())


TINY = b"\x78\x00" * (MOST_FIELDS + 1)
"""Fields of two bytes: number 15, which nothing reads."""


def field(number: int, content: bytes) -> bytes:
    length, size = b"", len(content)
    while True:
        length += bytes([size & 127 | (128 if size > 127 else 0)])
        size >>= 7
        if not size:
            return bytes([number << 3 | 2]) + length + content


@pytest.mark.parametrize(
    "raw",
    [field(7, field(1, TINY)), field(7, field(5, field(1, TINY)))],
    ids=["fields of a node", "sizes of a tensor"],
)
def test_a_file_of_tiny_fields_is_refused(raw: bytes) -> None:
    with pytest.raises(
        ArchcalcError, match=r"^tiny.onnx: has more than 1,500,000 fields, which no network of up to 50,000"
    ):
        model_in(raw, "tiny.onnx")
