"""Devices in files: those of archcalc, and those of a user."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from archcalc.dtypes import DTYPES
from archcalc.errors import ArchcalcError, Problem, nearest, unknown
from archcalc.language.tree import parse
from archcalc.language.zoo import folder
from archcalc.timing.constants import CONSTANTS, usual
from archcalc.timing.device import KINDS, Device, Figure, Measured
from archcalc.trees import MAX_BYTES, Tree

RATES = {"GFLOPS": 1e9, "TFLOPS": 1e12, "PFLOPS": 1e15, "GOPS": 1e9, "TOPS": 1e12}
SPEEDS = {"MB/s": 1e6, "GB/s": 1e9, "TB/s": 1e12}
SIZES = {"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "TiB": 2.0**40}
CLOCKS = {"MHz": 1e6, "GHz": 1e9}
HOW = ("read", "recalled", "measured")
NEEDED = ("title", "kind", "vector", "bandwidth", "cache", "memory")
KNOWN = (*NEEDED, "matrix", "clock", "highest_clock", "sources", "constants", "fitted", "errors", "note", "also")
MOST = 1e21
"""The largest figure that is accepted, in operations, bytes, bytes per second or hertz."""
TEXTS = ("title", "fitted", "note")
SUFFIXES = (".yaml", ".yml", ".json")


def names() -> list[str]:
    """The names of archcalc's devices."""
    place = os.path.join(folder(), "devices")
    return sorted(name.removesuffix(".yaml") for name in os.listdir(place) if name.endswith(".yaml"))


def device(name: str) -> Device:
    """The device of this name, or of this file. ArchcalcError names the nearest device, and all that is wrong in a file."""
    text = name.strip()
    if text.lower() in names():
        return _known(text.lower())
    if text.lower().endswith(SUFFIXES) or os.sep in text:
        return read_device(text, os.path.basename(text).rpartition(".")[0] or text)
    raise ArchcalcError(unknown("device", text, names(), most=40))


@lru_cache(maxsize=64)
def _known(name: str) -> Device:
    return read_device(os.path.join(folder(), "devices", f"{name}.yaml"), name)


def devices() -> list[Device]:
    """All devices of archcalc."""
    return [device(name) for name in names()]


def read_device(path: str, name: str) -> Device:
    """The device in a file; ArchcalcError with all that is wrong, each with its line."""
    try:
        if os.path.getsize(path) > MAX_BYTES:
            raise ArchcalcError(Problem(f"a file of a device has at most {MAX_BYTES:,} bytes", path))
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise ArchcalcError(Problem(f"cannot be read: {error.strerror or error}", path)) from None
    except UnicodeDecodeError:
        raise ArchcalcError(Problem("is not text in UTF-8", path)) from None
    return _Reader(parse(text, path, "the file of the device"), path).device(name)


class _Reader:
    """Reads the tree of a device, and collects what is wrong."""

    def __init__(self, tree: Tree, file: str) -> None:
        self.tree, self.file = tree, file
        self.problems: list[Problem] = []
        self.sources: dict[str, str] = {}

    def wrong(self, text: str, tree: Tree) -> None:
        self.problems.append(Problem(text, self.file, tree.line))

    def device(self, name: str) -> Device:
        keys = self.tree.value
        if not isinstance(keys, dict):
            raise ArchcalcError(
                Problem("expected the keys of a device, such as title and bandwidth", self.file, self.tree.line)
            )
        for key in [key for key in keys if key not in KNOWN]:
            self.wrong(unknown("key of a device", key, KNOWN), keys[key])
        for key in [key for key in NEEDED if key not in keys]:
            self.wrong(f"a device needs {key}", self.tree)
        for key in [key for key in TEXTS if key in keys and not (keys[key].text and keys[key].text.isprintable())]:
            self.wrong(f"{key} is a line of signs that can be printed", keys[key])
        if "highest_clock" in keys and "clock" not in keys:
            self.wrong("highest_clock needs clock, the clock of the peaks", keys["highest_clock"])
        self.sources = {key: tree.text for key, tree in self._mapping("sources").items()}
        kind = keys["kind"].text if "kind" in keys else KINDS[0]
        if kind not in KINDS:
            self.wrong(f"kind is {' or '.join(KINDS)}, got {kind[:40]!r}", keys["kind"])
        vector, matrix = (self._peaks(key) for key in ("vector", "matrix"))
        if "vector" in keys and "float32" not in vector and not self.problems:
            self.wrong("vector needs float32, in which every device computes", keys["vector"])
        sheet = self._figure("clock", CLOCKS) if "clock" in keys else Figure(1.0)
        highest = self._figure("highest_clock", CLOCKS) if "highest_clock" in keys else sheet
        found = Device(
            name,
            keys["title"].text if "title" in keys else name,
            kind,
            vector,
            matrix,
            self._figure("bandwidth", SPEEDS),
            self._figure("cache", SIZES),
            self._figure("memory", SIZES),
            (sheet, highest),
            {**usual(kind), **self._constants()},
            keys["fitted"].text if "fitted" in keys else "",
            self._errors(),
            keys["note"].text if "note" in keys else "",
            tuple(one.text for one in self._listed("also")),
        )
        if self.problems:
            raise ArchcalcError(self.problems)
        return found

    def _listed(self, key: str) -> list[Tree]:
        tree = self.tree.value.get(key)
        if tree is not None and not isinstance(tree.value, list):
            self.wrong(f"{key} is a list of names", tree)
        return tree.value if tree is not None and isinstance(tree.value, list) else []

    def _mapping(self, key: str) -> Mapping[str, Tree]:
        tree = self.tree.value.get(key)
        if tree is None:
            return {}
        if not isinstance(tree.value, dict):
            self.wrong(f"{key} holds names with values, got {tree.text[:40]!r}", tree)
            return {}
        found: Mapping[str, Tree] = tree.value
        return found

    def _peaks(self, key: str) -> dict[str, Figure]:
        found = {}
        for dtype, tree in self._mapping(key).items():
            if dtype not in DTYPES and dtype != "tf32":
                self.wrong(unknown("dtype", dtype, [*DTYPES, "tf32"]), tree)
            found[dtype] = self._value(f"{key} {dtype}", tree, RATES)
        return found

    def _figure(self, key: str, units: Mapping[str, float]) -> Figure:
        tree = self.tree.value.get(key)
        return Figure(1.0) if tree is None else self._value(key, tree, units)

    def _value(self, what: str, tree: Tree, units: Mapping[str, float]) -> Figure:
        """A figure: 82.6 TFLOPS, or a list of it, its source and how it is known."""
        parts = tree.value if isinstance(tree.value, list) else [tree]
        texts = [part.text for part in parts if isinstance(part, Tree)]
        if not texts or len(texts) > 3 or isinstance(tree.value, dict):
            self.wrong(
                f"{what} is a figure, or a list of a figure, its source and how it is known ({', '.join(HOW)})", tree
            )
            return Figure(1.0)
        number = re.fullmatch(r"\s*(-?[0-9]+(?:\.[0-9]+)?(?:e[0-9]+)?)\s*([A-Za-z/]*)\s*", texts[0])
        example = f"{next(iter(units))}"
        if not number:
            self.wrong(f"{what} is a number with a unit, as in 1.5 {example}, got {texts[0][:40]!r}", tree)
            return Figure(1.0)
        value, unit = float(number[1]), number[2]
        if unit not in units:
            close = nearest(unit, units) if unit else None
            hint = f"did you mean {close!r}?" if close else f"known: {', '.join(units)}"
            self.wrong(f"{what} has {'the unit ' + repr(unit) if unit else 'no unit'}; {hint}", tree)
            return Figure(1.0)
        if value <= 0:
            self.wrong(f"{what} must be above zero, got {texts[0]}", tree)
            return Figure(1.0)
        if value * units[unit] > MOST:
            self.wrong(f"{what} is more than any device has, got {texts[0][:40]!r}", tree)
            return Figure(1.0)
        source = texts[1] if len(texts) > 1 else ""
        how = texts[2] if len(texts) > 2 else ""
        if source and self.sources and source not in self.sources:
            self.wrong(unknown("source", source, list(self.sources)), tree)
        if how and how not in HOW:
            self.wrong(f"a figure is {', '.join(HOW[:-1])} or {HOW[-1]}, got {how[:40]!r}", tree)
        return Figure(value * units[unit], self.sources.get(source, source), how)

    def _constants(self) -> dict[str, float]:
        found = {}
        for name, tree in self._mapping("constants").items():
            if name not in CONSTANTS:
                self.wrong(unknown("constant", name, CONSTANTS), tree)
                continue
            constant, value = CONSTANTS[name], tree.value
            if (
                not isinstance(value, (int, float))
                or isinstance(value, bool)
                or not constant.low <= value <= constant.high
            ):
                text = f"{name} is from {constant.low:g} to {constant.high:g} {constant.unit}, got {tree.text[:40]!r}"
                self.wrong(text, tree)
                continue
            found[name] = float(value)
        return found

    def _errors(self) -> tuple[Measured, ...]:
        """How far estimates lay from measurements, by mode."""
        found = []
        for mode, tree in self._mapping("errors").items():
            row: Any = tree.value if isinstance(tree.value, list) else []
            try:
                networks, *numbers = (one.value for one in row[:4])
                median, ninety, spearman = (float(n) for n in numbers)
                if not (networks >= 1 and 0 <= median <= ninety < MOST and -1 <= spearman <= 1):
                    raise ValueError
                found.append(Measured(mode, int(networks), median, ninety, spearman, row[4].text))
            except (TypeError, ValueError, IndexError):
                text = "is a list: the number of networks, the median error, the error of 90 %, Spearman's rank, the source"
                self.wrong(f"errors {mode[:60]} {text}", tree)
        return tuple(found)
