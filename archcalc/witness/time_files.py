"""Files of measured times, as timm publishes them: what the name of a file says, and its rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import NamedTuple

from archcalc.errors import ArchcalcError, Problem
from archcalc.timing.device import Device
from archcalc.timing.reading import devices
from archcalc.timing.time import Settings

MAX_BYTES = 10_000_000
"""The largest file of measurements that is read."""
PRECISIONS = {"amp": "", "fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}


class Measurement(NamedTuple):
    """A row of a file: the model, the side of its input, the batch, the seconds of a batch, and millions of parameters.

    ``params`` is None if the file does not say them.
    """

    model: str
    side: int
    batch: int
    seconds: float
    params: float | None


class MeasuredFile(NamedTuple):
    """A file of measurements: its device (None: none of archcalc's), how the models ran, and its rows."""

    name: str
    device: Device | None
    settings: Settings
    rows: Sequence[Measurement]


def read_folder(folder: Path) -> list[MeasuredFile]:
    """Every file of measurements in a folder. ArchcalcError if there is none."""
    found = [read_file(path) for path in sorted(folder.glob("*.csv"))]
    if not found:
        raise ArchcalcError(
            f"{folder}: no file of measurements (.csv) is there; timm publishes them in its folder results/"
        )
    return found


def read_file(path: Path, on: Device | None = None) -> MeasuredFile:
    """One file. Its name says the precision, the memory order, the device, and whether the models were compiled."""
    words = path.stem.lower()
    settings = settings_of(words)
    rows = [measurement(row, settings.training, path, line) for line, row in lines_of(path)]
    return MeasuredFile(path.name, on or device_of(words), settings, rows)


def settings_of(words: str) -> Settings:
    """How the models of a file ran, from its name in small letters."""
    training = re.search(r"\btrain\b", words) is not None
    named = [dtype for word, dtype in PRECISIONS.items() if dtype and re.search(rf"\b{word}\b", words)]
    return Settings(
        amp="amp" in words,
        dtype="float32" if "amp" in words or not named else named[0],
        training=training,
        optimizer="momentum",
        compiled="dynamo" in words or "compile" in words,
        channels_last="nhwc" in words,
        half_norms=not training,
        attention="math" if re.search(r"\bpt1\d\d\b", words) else "flash",
    )


def lines_of(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows of a CSV file by their columns, each with its line. ArchcalcError if the file is no CSV file."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ArchcalcError(Problem(f"a file of measurements has at most {MAX_BYTES:,} bytes", str(path)))
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            return [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise ArchcalcError(Problem(f"cannot be read: {error.strerror or error}", str(path))) from None
    except UnicodeDecodeError:
        raise ArchcalcError(Problem("is not text in UTF-8", str(path))) from None
    except csv.Error as error:
        raise ArchcalcError(Problem(f"is no CSV file: {error}", str(path))) from None


def measurement(row: dict[str, str], training: bool, path: Path, line: int) -> Measurement:
    """A row of timm's benchmark."""
    phase = "train" if training else "infer"
    try:
        batch, rate = int(row[f"{phase}_batch_size"]), float(row[f"{phase}_samples_per_sec"])
        params = float(row["param_count"]) if row.get("param_count") else None
        found = Measurement(row["model"], int(row[f"{phase}_img_size"]), batch, batch / rate, params)
    except KeyError as error:
        text = f"a file of measurements has the columns model, {phase}_img_size, {phase}_batch_size and {phase}_samples_per_sec"
        raise ArchcalcError(Problem(f"{text}; {error} is missing", str(path), 1)) from None
    except (ValueError, ZeroDivisionError, TypeError):
        raise ArchcalcError(
            Problem("sizes, batch and samples per second are numbers above zero", str(path), line)
        ) from None
    if not 0 < found.seconds < inf or found.side < 1:
        raise ArchcalcError(Problem("sizes, batch and samples per second are numbers above zero", str(path), line))
    return found


def device_of(words: str) -> Device | None:
    """The device whose name a file name holds: the longest one."""
    text = re.sub(r"[^a-z0-9]", "", words)
    found = [(len(name), one) for one in devices() for name in (one.name, *one.also) if _plain(name) in text]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
