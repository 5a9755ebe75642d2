"""A file of networks that a user measured: in the format of timm's benchmark, or with a row for each network.

A row names a network as the command line does. The file is data: a row cannot name code of its own to run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from archcalc.errors import ArchcalcError, Problem
from archcalc.inputs import single
from archcalc.language import load
from archcalc.layers.settings import message_text
from archcalc.network import Network
from archcalc.timing.device import Device
from archcalc.timing.time import Settings
from archcalc.witness.time_files import device_of, lines_of, measurement, settings_of

TOLERANCE = 0.011
"""Millions of parameters by which a model may differ from the measured one: files of timm have two decimals."""
TIMES: Mapping[str, Callable[[float, int], float]] = {
    "seconds": lambda time, batch: time,
    "milliseconds": lambda time, batch: time / 1000,
    "images_per_second": lambda rate, batch: batch / rate,
}
"""Columns that say how long a batch took, and the seconds that follow. Of several, the first one counts."""
WAYS = ("amp", "compiled", "channels_last", "tf32", "training")
YES, NO = ("true", "1", "yes"), ("false", "0", "no", "")
MOST_PROBLEMS = 20
HEADINGS = f"the columns network, batch and one of {', '.join(TIMES)}"


class Run(NamedTuple):
    """A measured run: the network as the file names it, its input, the batch, and the seconds of a batch.

    network: makes the network. ArchcalcError if there is none
    """

    name: str
    input: str | None
    batch: int
    seconds: float
    network: Callable[[], Network]


class OwnFile(NamedTuple):
    """The file: its device, how the networks ran, and the runs. ``is_timm``: the format is that of timm's benchmark."""

    path: Path
    device: Device
    settings: Settings
    runs: list[Run]
    is_timm: bool


def read_own(path: Path, on: Device | None, asked: Mapping[str, Any]) -> OwnFile:
    """The file at a path. ``asked``: settings that the user gives; the name of a file of timm adds what it says.

    ArchcalcError with all that is wrong, each with its line.
    """
    rows = lines_of(path)
    columns = [name for name in (rows[0][1] if rows else {}) if name]
    if not rows:
        raise ArchcalcError(Problem(f"has no row; a file of measured networks has {HEADINGS}", str(path)))
    is_timm = "model" in columns and any(name.startswith(("infer_", "train_")) for name in columns)
    device = on or (device_of(path.stem.lower()) if is_timm else None)
    if device is None:
        raise ArchcalcError(
            Problem("nothing says which device was measured: add --on DEVICE; archcalc devices lists them", str(path))
        )
    if not is_timm:
        _need_columns(path, columns)
    settings = _settings(path, columns, asked) if is_timm else Settings(**{**_ways(path, rows), **asked})
    settings.check()
    runs: list[Run] = []
    problems: list[Problem] = []
    for line, row in rows:
        try:
            runs.append(_timm_run(row, settings, path, line) if is_timm else _run(row, path, line))
        except ArchcalcError as error:
            problems += error.problems
    _raise(problems)
    return OwnFile(path, device, settings, runs, is_timm)


def _settings(path: Path, columns: Iterable[str], asked: Mapping[str, Any]) -> Settings:
    """How the models of a file of timm ran: what its name says, and what the user asks for."""
    named = settings_of(path.stem.lower())
    training = named.training or bool(asked.get("training")) or not any(one.startswith("infer_") for one in columns)
    given = {name: value for name, value in asked.items() if value}
    return named._replace(**{**given, "training": training, "half_norms": not training})


def _ways(path: Path, rows: Sequence[tuple[int, Mapping[str, str]]]) -> dict[str, Any]:
    """How the networks of a file of one's own ran, where columns say it: as ``measure --summary`` writes them."""
    found: dict[str, Any] = {}
    for name in ("dtype", *WAYS):
        texts = {(row[name] or "").strip().lower(): line for line, row in rows if name in row}
        if not texts:
            continue
        if len(texts) > 1:
            text = f"all networks of a file run in one way, and {name} is {' and '.join(sorted(texts)[:2])}"
            raise ArchcalcError(Problem(text, str(path), max(texts.values())))
        [(text, line)] = texts.items()
        if name != "dtype" and text not in (*YES, *NO):
            raise ArchcalcError(Problem(f"{name} is true or false, got {message_text(text)}", str(path), line))
        found[name] = text or "float32" if name == "dtype" else text in YES
    return found


def _need_columns(path: Path, columns: list[str]) -> None:
    if missing := [name for name in ("network", "batch") if name not in columns]:
        text = f"there is no column {missing[0]}: expected {HEADINGS}; it has {', '.join(columns)}"
        raise ArchcalcError(Problem(text, str(path), 1))
    if not any(name in columns for name in TIMES):
        text = f"expected one of the columns {', '.join(TIMES)}; it has {', '.join(columns)}"
        raise ArchcalcError(Problem(text, str(path), 1))


def _run(row: Mapping[str, str], path: Path, line: int) -> Run:
    """A row of a file of one's own."""
    name, size = (row.get("network") or "").strip(), (row.get("input") or "").strip() or None

    def wrong(text: str) -> ArchcalcError:
        return ArchcalcError(Problem(text, str(path), line))

    if not name or name == "-":
        raise wrong("a row needs the name of a network")
    if name.partition(":")[0] == "torch":
        raise wrong(
            "a file cannot name code to run; archcalc import writes such a network as a spec, which it can name"
        )
    text = (row.get("batch") or "").strip()
    if not text.isascii() or not text.isdigit() or not 0 < len(text) < 10 or not int(text):
        raise wrong(f"batch is a whole number from 1, got {message_text(text)}")
    batch = single(int(text), "batch")
    column = next(name for name in TIMES if name in row)
    figure = (row[column] or "").strip()
    try:
        number = float(figure)
        seconds = TIMES[column](number, batch)
    except (ValueError, ZeroDivisionError):
        number = seconds = 0.0
    if not (0 < number < inf and 0 < seconds < inf):
        raise wrong(f"{column} is a number above zero, got {message_text(figure)}")

    def network() -> Network:
        try:
            return load(name, input=size)
        except ArchcalcError as error:
            raise wrong(str(error.problems[0])) from error

    return Run(name, size, batch, seconds, network)


def _timm_run(row: dict[str, str], settings: Settings, path: Path, line: int) -> Run:
    """A row of timm's benchmark: a model of timm."""
    found = measurement(row, settings.training, path, line)

    def network() -> Network:
        from archcalc.witness.time_networks import model

        made, count = model(found.model, found.side, settings.training)
        if found.params is not None and abs(count / 1e6 - found.params) > TOLERANCE:
            text = f"{found.model} has {found.params} M parameters in the file, and {count / 1e6:.2f} M here"
            raise ArchcalcError(Problem(f"another form of the network: {text}", str(path), line))
        return made

    return Run(found.model, str(found.side), found.batch, found.seconds, network)


def _raise(problems: list[Problem]) -> None:
    """ArchcalcError with the first problems, if there are any."""
    if problems:
        more = len(problems) - MOST_PROBLEMS
        raise ArchcalcError([*problems[:MOST_PROBLEMS], *[Problem(f"and {more:,} more lines are wrong")] * (more > 0)])
