"""Runs cases in this process, each under its limits."""

from __future__ import annotations

import gc
import io
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from archcalc.cli import main as entry
from tests.fuzz.cases import Case, case
from tests.fuzz.checks import fault

SECONDS, BYTES = 5.0, 500_000_000
"""What a case may take of the processor's time, and of memory beyond what the process held before."""


class Outcome(NamedTuple):
    """How one case ended: ``fault`` says what was wrong with it."""

    number: int
    status: object
    seconds: float
    bytes: int
    fault: str


class TooLongError(BaseException):
    """No ``except Exception`` may swallow it."""


def drawn(seed: int, number: int) -> Case:
    """The case of that number."""
    return case(Random(f"{seed}/{number}"))


def run(seed: int, numbers: range) -> Iterator[Outcome]:
    """Run the cases of these numbers, one after another, in a folder of its own."""
    signal.signal(signal.SIGPROF, _stop)
    resource.setrlimit(resource.RLIMIT_AS, (_held("VmSize") + 4 * BYTES, resource.RLIM_INFINITY))
    before = Path.cwd()
    gc.collect()  # what others left behind is freed now, and not in a case whose memory is measured
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for number in numbers:
                yield outcome(seed, number)
        finally:
            os.chdir(before)


def outcome(seed: int, number: int) -> Outcome:
    """Run one case in the working directory, and judge how it ended."""
    given = drawn(seed, number)
    for name, text in given.files.items():
        Path(name).write_bytes(text.encode("utf-8", "surrogatepass"))
    _forget_peak()
    held, start = _held("VmRSS"), time.process_time()
    status, out, err, wrong = _called(given)
    seconds, used = time.process_time() - start, max(0, _held("VmHWM") - held)
    if not wrong and seconds > SECONDS:
        wrong = f"{seconds:.1f} seconds"
    if not wrong and used > BYTES:
        wrong = f"{used:,} bytes"
    written = _written()
    if not wrong:
        try:
            wrong = fault(given, status, out, err, written)
        except Exception as error:  # a fault of what was written, found while it was read
            wrong = f"the output: {type(error).__name__}: {error}"
    _clean()
    return Outcome(number, status, seconds, used, wrong)


def _called(given: Case) -> tuple[object, str, str, str]:
    """Status, output, messages and fault of a run of the command line."""
    out = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n")
    err = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n")
    streams = sys.stdin, sys.stdout, sys.stderr
    sys.stdin = io.TextIOWrapper(io.BytesIO(given.stdin.encode("utf-8", "surrogatepass")), "utf-8")
    sys.stdout, sys.stderr = out, err
    status: object = None
    wrong = ""
    try:
        signal.setitimer(signal.ITIMER_PROF, SECONDS * 1.5)
        status = entry(given.arguments)
    except TooLongError:
        wrong = f"more than {SECONDS * 1.5:g} seconds"
    except MemoryError:
        wrong = f"more than {4 * BYTES:,} bytes"
    except BaseException as error:  # whatever it is, a user would see a traceback
        last = traceback.extract_tb(error.__traceback__)[-1]
        wrong = f"{type(error).__name__}: {str(error)[:150]} ({Path(last.filename).name}:{last.lineno})"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdin, sys.stdout, sys.stderr = streams
    return status, _read(out), _read(err), wrong


def _read(stream: io.TextIOWrapper) -> str:
    with suppress(ValueError):
        stream.flush()
    buffer: Any = stream.buffer
    return str(buffer.getvalue().decode("utf-8", "replace"))


def _stop(*_: object) -> None:
    raise TooLongError


def _written() -> dict[str, str]:
    """The files that a run left, by name."""
    found = [path for path in Path().rglob("*") if path.is_file() and path.name not in ("case.yaml", "more.yaml")]
    return {path.name: path.read_text(encoding="utf-8", errors="replace") for path in found[:20]}


def _clean() -> None:
    for path in sorted(Path().rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()


def _held(what: str) -> int:
    """Bytes that this process holds (VmRSS), has held (VmHWM), or has addresses for (VmSize)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1]) * 1024
    return 0


def _forget_peak() -> None:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
