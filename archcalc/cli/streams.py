"""Output to the standard streams, also if the disk is full, the pipe is closed, or there is no stream."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress

from archcalc.errors import ArchcalcError


def columns() -> int:
    """The width of the terminal in characters: from COLUMNS, else from the terminal, else 80."""
    with suppress(ValueError):
        width = int(os.environ.get("COLUMNS", ""))
        if width > 0:
            return width
    with suppress(AttributeError, ValueError, OSError):  # no stream, a closed stream, or no terminal
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]
    return 80


def say(message: str) -> None:
    """Print a line to standard error. If that is not possible, do nothing."""
    if sys.stderr is not None:
        with suppress(OSError):
            print(f"archcalc: {message}", file=sys.stderr)


def say_lines(error: BaseException) -> None:
    """Print the lines of code that an error comes from to standard error."""
    import traceback

    if sys.stderr is not None:
        with suppress(OSError):
            traceback.print_exception(error, chain=False, file=sys.stderr)


def print_text(text: str) -> None:
    """Print the whole text to standard output. BrokenPipeError if the reader is gone; ArchcalcError for other failures.

    Also works if standard output has no buffer.
    """
    stream = sys.stdout
    if stream is None:
        raise ArchcalcError("standard output is closed; -o FILE writes to a file")
    try:
        raw = getattr(stream, "buffer", None)
        if isinstance(raw, io.RawIOBase):  # without a buffer, a write can stop early without an error
            whole = io.BufferedWriter(raw)
            whole.write(text.encode(stream.encoding, stream.errors or "strict"))
            whole.flush()
            whole.detach()
        else:
            stream.write(text)
            stream.flush()
    except BrokenPipeError:
        raise
    except UnicodeEncodeError as error:
        raise ArchcalcError(
            f"standard output is {error.encoding} text and cannot hold {error.object[error.start]!r}; "
            f"-o FILE writes UTF-8, as does PYTHONIOENCODING=utf-8"
        ) from None
    except OSError as error:
        discard_output()
        raise ArchcalcError(f"standard output cannot be written: {(error.strerror or 'unknown').lower()}") from None


def discard_output() -> None:
    """Connect standard output with the null device, so that the flush at exit does not fail again."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
