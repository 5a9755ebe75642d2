"""Files of measured times, as timm publishes them: what the name of a file says, and its rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from archcalc.errors import ArchcalcError, Problem
from archcalc.timing.device import Device
from archcalc.timing.reading import devices
from archcalc.timing.time import Settings

PHASES = ("infer", "train")
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

    @property
    def phase(self) -> str:
        return "train" if self.settings.training else "infer"


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
    settings = Settings(
        amp="amp" in words,
        dtype=next(
            (dtype for word, dtype in PRECISIONS.items() if dtype and re.search(rf"\b{word}\b", words)), "float32"
        ),
        training=re.search(r"\btrain\b", words) is not None,
        optimizer="momentum",
        compiled="dynamo" in words or "compile" in words,
        channels_last="nhwc" in words,
        half_norms=re.search(r"\btrain\b", words) is None,
        attention="math" if re.search(r"\bpt1\d\d\b", words) else "flash",
    )
    if settings.amp:
        settings = settings._replace(dtype="float32")
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [
                _row(row, "train" if settings.training else "infer", path, at)
                for at, row in enumerate(csv.DictReader(file), 2)
            ]
    except (OSError, UnicodeDecodeError) as error:
        raise ArchcalcError(Problem(f"cannot be read: {error}", str(path))) from None
    return MeasuredFile(path.name, on or device_of(words), settings, rows)


def _row(row: dict[str, str], phase: str, path: Path, line: int) -> Measurement:
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
    if not found.seconds > 0 or found.side < 1:
        raise ArchcalcError(Problem("sizes, batch and samples per second are numbers above zero", str(path), line))
    return found


def device_of(words: str) -> Device | None:
    """The device whose name a file name holds: the longest one."""
    text = re.sub(r"[^a-z0-9]", "", words)
    found = [(len(name), one) for one in devices() for name in (one.name, *one.also) if _plain(name) in text]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
