"""Files written whole or not at all."""

from __future__ import annotations

import os
import tempfile

from archcalc.errors import ArchcalcError, Problem


def check_writable(path: str) -> None:
    """ArchcalcError when no file can be written at path: to be known before long work, not after it."""
    _check_name(path)
    if os.path.exists(path) and not os.path.isfile(path):
        return
    try:
        with tempfile.TemporaryFile(dir=os.path.dirname(os.path.realpath(path))):
            pass
    except OSError as error:
        raise _unwritable(path, error) from None


def _check_name(path: str) -> None:
    if not path:
        raise ArchcalcError("an output file needs a name")
    if os.path.isdir(path):
        raise ArchcalcError(Problem("cannot be written: is a directory", path))


def write(path: str, content: str | bytes) -> None:
    """Write text, as UTF-8, or bytes to path by way of a file beside it; ArchcalcError when that is impossible."""
    data = content.encode() if isinstance(content, str) else content
    _check_name(path)
    if os.path.exists(path) and not os.path.isfile(path):  # a device such as /dev/stdout cannot be replaced
        _plainly(path, data)
        return
    target, beside = os.path.realpath(path), ""  # through a link, to the file itself
    try:
        handle, beside = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".archcalc-")
        with open(handle, "wb") as file:
            file.write(data)
        os.chmod(beside, os.stat(target).st_mode & 0o777 if os.path.exists(target) else 0o666 & ~_umask())
        os.replace(beside, target)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        if beside and os.path.exists(beside):
            os.unlink(beside)


def _plainly(path: str, data: bytes) -> None:
    try:
        with open(path, "wb") as file:
            file.write(data)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: str, error: OSError) -> ArchcalcError:
    return ArchcalcError(Problem(f"cannot be written: {(error.strerror or 'unknown reason').lower()}", path))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
