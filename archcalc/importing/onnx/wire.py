"""The encoding of protocol buffers: numbered fields in bytes, read where they lie, so that no weight is loaded.

Source: https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from mmap import mmap
from typing import NamedTuple

VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5
Data = mmap | bytes


MOST_FIELDS = 1_500_000
"""The most fields that are read of a file: a graph of 50,000 nodes has about 1,250,000."""


class WireError(ValueError):
    """Bytes that are no protocol buffer."""


class TooManyFieldsError(WireError):
    """A file of more fields than a network has."""


class Reading:
    """How much of a file was read."""

    __slots__ = ("fields",)

    def __init__(self) -> None:
        self.fields = 0

    def one(self) -> None:
        """One more field, or one more number of a packed list."""
        self.fields += 1
        if self.fields > MOST_FIELDS:
            raise TooManyFieldsError


class Part(NamedTuple):
    """A part of the data, from ``start`` up to ``stop``: a message, a text or an array."""

    data: Data
    start: int
    stop: int
    reading: Reading

    def text(self) -> str:
        return self.data[self.start : self.stop].decode("utf-8", "replace")

    def raw(self) -> bytes:
        return self.data[self.start : self.stop]

    def __len__(self) -> int:
        return self.stop - self.start

    def fields(self) -> Iterator[tuple[int, int | Part]]:
        """The fields of a message: the number, and the value of a number or the part of the data."""
        data, at, stop, reading = self.data, self.start, self.stop, self.reading
        while at < stop:
            reading.one()
            key, at = varint(data, at, stop)
            number, kind = key >> 3, key & 7
            if not number:
                raise WireError("a field without a number")
            if kind == VARINT:
                value, at = varint(data, at, stop)
                yield number, value
                continue
            if kind == BYTES:
                length, at = varint(data, at, stop)
            elif kind in (EIGHT_BYTES, FOUR_BYTES):
                length = 8 if kind == EIGHT_BYTES else 4
            else:
                raise WireError(f"a field of the kind {kind}")
            if at + length > stop:
                raise WireError("a field that ends behind the data")
            yield number, Part(data, at, at + length, reading)
            at += length

    def whole_numbers(self) -> list[int]:
        """The numbers of a packed list."""
        found, at = [], self.start
        while at < self.stop:
            self.reading.one()
            value, at = varint(self.data, at, self.stop)
            found.append(signed(value))
        return found

    def array(self, code: str) -> array[float] | array[int]:
        """The numbers of an array of a fixed size each, as they lie in the file: the lowest byte first."""
        return numbers(self.raw(), code)


def numbers(raw: bytes, code: str) -> array[float] | array[int]:
    """The numbers in bytes, the lowest byte first."""
    made = array(code)
    made.frombytes(raw[: len(raw) - len(raw) % made.itemsize])
    if struct.pack("=H", 1) != struct.pack("<H", 1):
        made.byteswap()
    return made


def varint(data: Data, at: int, stop: int) -> tuple[int, int]:
    """The number that begins at a place, and the place behind it."""
    value = shift = 0
    while at < stop:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
        if shift > 63:
            raise WireError("a number of more than 64 bits")
    raise WireError("a number that ends behind the data")


def signed(value: int) -> int:
    """The signed number of 64 bits."""
    return value - (1 << 64) if value >> 63 else value
