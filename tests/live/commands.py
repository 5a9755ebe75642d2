"""What a command prints, without a new process."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

from archcalc.cli import main


def printed(*words: str) -> str:
    """The standard output of a command that succeeds."""
    with redirect_stdout(io.StringIO()) as out:
        assert main(words) == 0
    return out.getvalue()
