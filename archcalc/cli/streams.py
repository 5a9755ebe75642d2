"""What a run says on its standard streams, whatever stands behind them: a full disk, a closed pipe, nothing."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress

from archcalc.errors import ArchcalcError


def columns() -> int:
    """The width of the terminal: what COLUMNS says, else the terminal itself, else 80."""
    with suppress(ValueError):
        width = int(os.environ.get("COLUMNS", ""))
        if width > 0:
            return width
    with suppress(AttributeError, ValueError, OSError):  # no stream, a closed one, or none of a terminal
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]
    return 80


def say(message: str) -> None:
    """A line on standard error, where there is one that takes it."""
    if sys.stderr is not None:
        with suppress(OSError):
            print(f"archcalc: {message}", file=sys.stderr)


def print_text(text: str) -> None:
    """All of the text on standard output; ArchcalcError when it cannot be written, BrokenPipeError when nobody reads.

    Buffered or not makes no difference.
    """
    stream = sys.stdout
    if stream is None:
        raise ArchcalcError("standard output is closed; -o FILE writes to a file")
    try:
        raw = getattr(stream, "buffer", None)
        if isinstance(raw, io.RawIOBase):  # unbuffered, which takes a part of the text and says nothing of the rest
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
    """Let nothing more be flushed to where standard output cannot be written."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
