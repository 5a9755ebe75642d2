"""Files written whole or not at all."""

from __future__ import annotations

import os
import tempfile

from archcalc.errors import ArchcalcError, Problem


def write(path: str, text: str) -> None:
    """Write text to path by way of a file beside it; ArchcalcError when that is impossible."""
    if os.path.isdir(path):
        raise ArchcalcError(Problem("cannot be written: is a directory", path))
    if os.path.exists(path) and not os.path.isfile(path):  # a device such as /dev/stdout cannot be replaced
        _plainly(path, text)
        return
    beside = ""
    try:
        handle, beside = tempfile.mkstemp(dir=os.path.dirname(path) or ".", prefix=".archcalc-")
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(beside, os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o666 & ~_umask())
        os.replace(beside, path)
    except OSError as error:
        if beside and os.path.exists(beside):
            os.unlink(beside)
        raise ArchcalcError(Problem(f"cannot be written: {(error.strerror or 'unknown reason').lower()}", path)) from None


def _plainly(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ArchcalcError(Problem(f"cannot be written: {(error.strerror or 'unknown reason').lower()}", path)) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
