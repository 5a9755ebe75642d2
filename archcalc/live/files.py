"""The files of the page, which lie beside this module. Nothing else is read."""

from __future__ import annotations

import os
import re

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page")
TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
    "png": "image/png",
    "ico": "image/x-icon",
    "txt": "text/plain; charset=utf-8",
    "woff2": "font/woff2",
}
"""The type of a file by its extension. Other files are not served."""
_PATH = re.compile(r"(?:/[a-z0-9_][a-z0-9_-]*){0,3}/[a-z0-9_][a-z0-9_.-]*\.([a-z0-9]+)")


def page_file(path: str) -> tuple[str, bytes] | None:
    """The type and the bytes of a file of the page; None if the page has no such file."""
    found = _PATH.fullmatch(path)
    if found is None or found[1] not in TYPES or len(path) > 200:
        return None
    full = os.path.join(FOLDER, *path[1:].split("/"))
    if os.path.realpath(full) != os.path.join(os.path.realpath(FOLDER), *path[1:].split("/")):
        return None
    try:
        with open(full, "rb") as file:
            return TYPES[found[1]], file.read()
    except OSError:
        return None
