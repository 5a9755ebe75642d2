"""What a run says on its standard streams, whatever stands behind them: a full disk, a closed pipe, nothing."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from archcalc.errors import ArchcalcError


def say(message: str) -> None:
    """A line on standard error, where there is one that takes it."""
    if sys.stderr is not None:
        with suppress(OSError):
            print(f"archcalc: {message}", file=sys.stderr)


def print_text(text: str) -> None:
    """All of the text on standard output; ArchcalcError when it cannot be written, BrokenPipeError when nobody reads.

    Buffered or not: Python's own unbuffered stream drops what does not fit, without a word.
    """
    stream = sys.stdout
    ours = stream is sys.__stdout__
    if stream is None:
        raise ArchcalcError("standard output is closed; -o FILE writes to a file")
    try:
        if ours:
            from archcalc.report.files import send

            data = text.encode(stream.encoding, stream.errors or "strict")
            stream.flush()
            send(stream.fileno(), data)
        else:  # a stream of the caller's, which may have no descriptor
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
