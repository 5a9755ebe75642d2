"""Writes a file completely or not at all. Only a regular file is ever replaced.

The data goes to a temporary file in the same folder, which is then renamed. So the old file survives a full disk or an
interrupt. A device, a pipe or an open descriptor such as ``/dev/stdout`` is not a regular file, and gets the data
directly. If a user names a link, archcalc follows the link. In a folder of many files archcalc refuses links, because
somebody else may have made them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import PurePath
from typing import NamedTuple

from archcalc.errors import ArchcalcError, Problem

MOST_LINKS = 40


def format_of(path: str | None, known: Mapping[str, str], default: str) -> str:
    """The format of the path's extension in ``known``.

    ``default`` if there is no path or no extension, or if the path leads to a device, a pipe or a descriptor.
    ArchcalcError with the known extensions if the extension is unknown.
    """
    extension = PurePath(path or "").suffix.lower().removeprefix(".")
    if path in (None, "-") or not extension or written_through(str(path)):
        return default
    if extension not in known:
        raise ArchcalcError(
            Problem(
                f"unknown extension .{extension}; known: {', '.join('.' + name for name in known)}"
                + ("; --format names the format whatever the extension" if len(set(known.values())) > 1 else ""),
                str(path),
            )
        )
    return known[extension]


def check_writable(path: str) -> None:
    """ArchcalcError if no file can be written at ``path``. Called before long work, so that the work is not lost."""
    _check_name(path)
    try:
        if written_through(path):
            return
        target = _followed(path)
        _check_permission(target)
        handle, beside = _beside(target)
        os.close(handle)
        os.unlink(beside)
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from None


class Generated(NamedTuple):
    """A part of a page, between two markers, that is generated."""

    begin: str
    end: str
    text: Callable[[], str]

    def fresh(self, page: str) -> str:
        """The page with the part as it is generated now."""
        before, _, rest = page.partition(self.begin)
        return f"{before}{self.begin}\n\n{self.text()}\n{self.end}{rest.partition(self.end)[2]}"

    def write(self, path: str) -> None:
        """Generate the part in the file of the page."""
        with open(path, encoding="utf-8") as page:
            text = page.read()
        write(path, self.fresh(text))


def write(path: str, content: str | bytes) -> None:
    """Write text (as UTF-8) or bytes to a path that a user named; ArchcalcError if the file cannot be written."""
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    _check_name(path)
    try:
        if written_through(path):
            _through(path, data)
        else:
            _replace(_followed(path), data)
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from None


def append(path: str, content: str) -> None:
    """Add text (as UTF-8) to the end of a file, or make the file; ArchcalcError if it cannot be written."""
    data = content.encode("utf-8", "backslashreplace")
    _check_name(path)
    try:
        if written_through(path):
            _through(path, data)
            return
        opened = os.open(_followed(path), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            send(opened, data)
        finally:
            os.close(opened)
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from None


def write_in_folder(path: str, content: str | bytes) -> None:
    """Write one of many files of a folder. If the path exists, it must be a regular file and not a link."""
    refuse_link(path)
    _check_name(path)
    if os.path.lexists(path) and not os.path.isfile(path):
        raise ArchcalcError(Problem("cannot be written: is no regular file", path))
    try:
        _replace(path, content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content)
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from None


def refuse_link(path: str) -> None:
    """ArchcalcError if the path is a link, because another user may have made the link."""
    if os.path.islink(path):
        raise ArchcalcError(Problem("is a link, which is not followed here; remove it, or choose another folder", path))


def send(descriptor: int, data: bytes) -> None:
    """Write all bytes to an open descriptor, in several parts if needed; OSError if it accepts no more bytes."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            import select

            select.select([], [descriptor], [])


def unwritable(path: str, error: Exception) -> ArchcalcError:
    """The error for a file that the system cannot write."""
    return ArchcalcError(Problem(f"cannot be written: {reason(error)}", path))


def reason(error: Exception) -> str:
    """The system's message for an error, in small letters."""
    return (getattr(error, "strerror", None) or "not a path").lower()


def _check_name(path: str) -> None:
    if not path:
        raise ArchcalcError("an output file needs a name")
    if os.path.isdir(path):
        raise ArchcalcError(Problem("cannot be written: is a directory", path))


def _check_permission(target: str) -> None:
    """PermissionError for a write-protected file: archcalc does not replace such a file either."""
    if os.path.exists(target) and not os.access(target, os.W_OK):
        raise PermissionError(13, "Permission denied")


def _followed(path: str) -> str:
    """The target of the path's links, which need not exist; OSError if the links form a circle."""
    target = os.path.realpath(path)
    if os.path.islink(target):
        raise OSError(40, "Too many levels of symbolic links")
    return target


def written_through(path: str) -> bool:
    """Whether the path leads to a device, a pipe or an open descriptor, which archcalc writes to and never replaces."""
    return _descriptor(path) is not None or (os.path.exists(path) and not os.path.isfile(path))


def _descriptor(path: str) -> int | None:
    """The descriptor of this process that the path names, as /dev/stdout and /dev/fd/3 do. Links are followed.

    The descriptor may lead to a regular file that other programs write to as well. A second opening of the file would
    overwrite their data.
    """
    for _ in range(MOST_LINKS):
        try:
            place = os.path.join(os.path.realpath(os.path.dirname(path) or "."), os.path.basename(path))
        except (OSError, ValueError):
            return None
        found = re.fullmatch(rf"(?:/proc/(?:self|{os.getpid()})|/dev)/fd/([0-9]+)", place)
        if found:
            return int(found[1])
        if not os.path.islink(place):
            return None
        path = os.path.join(os.path.dirname(place), os.readlink(place))
    return None


def _through(path: str, data: bytes) -> None:
    descriptor = _descriptor(path)
    if descriptor is not None:
        send(descriptor, data)
        return
    opened = os.open(path, os.O_WRONLY)  # neither created nor cut
    try:
        send(opened, data)
    finally:
        os.close(opened)


def _replace(target: str, data: bytes) -> None:
    """Replace ``target`` by a new file with the data. The new file gets the old file's permissions and owner."""
    _check_permission(target)
    handle, beside = _beside(target)
    try:
        try:
            send(handle, data)
        finally:
            os.close(handle)
        if os.path.exists(target):
            before = os.stat(target)
            with suppress(OSError):  # only root may change the owner
                os.chown(beside, before.st_uid, before.st_gid)
            os.chmod(beside, before.st_mode & 0o777)
        os.replace(beside, target)
    finally:
        if os.path.lexists(beside):
            os.unlink(beside)


def _beside(target: str) -> tuple[int, str]:
    """A new file in the target's folder, open for writing, and its path."""
    path = os.path.join(os.path.dirname(target), f".archcalc-{os.urandom(6).hex()}")
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), path
