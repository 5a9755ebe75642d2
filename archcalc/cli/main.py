"""The entry point: what a run prints, where, and its exit status."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from archcalc.cli.parser import parser
from archcalc.errors import ArchcalcError


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command: data to standard output, messages to standard error; 2 for bad usage or a bad spec."""
    try:
        args = _parsed(argv)
        if args.command is None:
            raise ArchcalcError("no command given; see archcalc --help")
        _write(args.run(args), args.output)
    except ArchcalcError as error:
        if sys.stderr is not None:
            for problem in error.problems:
                print(f"archcalc: {problem}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader has seen enough
        _discard_output()
        return 0
    except KeyboardInterrupt:
        return 130
    return int(args.status)


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    try:
        return parser().parse_args(argv)  # type: ignore[no-any-return]
    except SystemExit:  # after --help or --version: a closed pipe is noticed now, not by the interpreter's last flush
        if sys.stdout is not None:
            sys.stdout.flush()
        raise


def _discard_output() -> None:
    """Let nothing more be flushed to where standard output cannot be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write(content: str | bytes, path: str | None) -> None:
    """To standard output, or whole to a file: written beside it, then renamed."""
    if path in (None, "-") and isinstance(content, str):
        _print(content)
        return
    from archcalc.report.files import write

    write(path or "", content)


def _print(text: str) -> None:
    if sys.stdout is None:
        raise ArchcalcError("standard output is closed; -o FILE writes to a file")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except UnicodeEncodeError as error:
        raise ArchcalcError(
            f"standard output is {error.encoding} text and cannot hold {error.object[error.start]!r}; "
            f"-o FILE writes UTF-8, as does PYTHONIOENCODING=utf-8"
        ) from None
    except OSError as error:
        _discard_output()
        raise ArchcalcError(f"standard output cannot be written: {(error.strerror or 'unknown').lower()}") from None
