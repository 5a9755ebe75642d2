"""Pyodide, the Python that runs in a browser, as npm installs it. It is taken from this machine, and never downloaded."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from archcalc.errors import ArchcalcError, Problem
from archcalc.files import reason

VERSION = "314.0.7"
"""The version that is tested. Others with the same first number have the same Python and the same files."""
FILES: Mapping[str, str] = {
    "pyodide.mjs": "pyodide.js",
    "pyodide.asm.mjs": "pyodide.asm.js",
    "pyodide.asm.wasm": "pyodide.asm.wasm",
    "python_stdlib.zip": "python_stdlib.zip",
    "pyodide-lock.json": "pyodide-lock.json",
}
"""The files that a page needs, with their names in a site: many web hosts send .mjs files with a type that is no script's."""
INSTALL = f"npm install pyodide@{VERSION}"


class Pyodide(NamedTuple):
    """A copy of Pyodide. files: by their names in a site."""

    version: str
    python: str
    files: Mapping[str, bytes]


def pyodide(folder: str | None) -> Pyodide:
    """The Pyodide in a folder, or (None) the one that npm installed. ArchcalcError if it is missing or does not suit."""
    place = _installed() if folder is None else folder
    found = {name: _read(place, name) for name in ("package.json", *FILES)}
    version = _text(found["package.json"], "version")
    if version.partition(".")[0] != VERSION.partition(".")[0]:
        raise ArchcalcError(
            Problem(f"is Pyodide {version or 'of an unknown version'}, and a site needs {VERSION}: {INSTALL}", place)
        )
    for name in ("pyodide.mjs", "pyodide.asm.mjs"):
        if f'"{version}"'.encode() not in found[name]:
            raise ArchcalcError(Problem(f"{name} is not of Pyodide {version}, as package.json says: {INSTALL}", place))
    python = re.search(rb'"python": *"([0-9.]+)"', found["pyodide-lock.json"][:4000])
    return Pyodide(
        version, python[1].decode() if python else "3", {FILES[name]: found[name] for name in found if name in FILES}
    )


def _installed() -> str:
    """The folder of npm's Pyodide: of the current folder, of a folder above it, or of ``live/`` in a checkout."""
    for folder in _above(os.getcwd()):
        place = os.path.join(folder, "node_modules", "pyodide")
        if os.path.isdir(place):
            return place
    checkout = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    place = os.path.join(checkout, "live", "node_modules", "pyodide")
    if os.path.isdir(place):
        return place
    raise ArchcalcError(
        f"a site needs Pyodide, which is not installed here: {INSTALL}; or name a folder that holds it: --pyodide DIR"
    )


def _above(folder: str) -> Iterator[str]:
    """A folder and the folders above it."""
    while True:
        yield folder
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above


def _read(place: str, name: str) -> bytes:
    try:
        with open(os.path.join(place, name), "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        raise ArchcalcError(
            Problem(f"has no {name} of Pyodide {VERSION} that can be read ({reason(error)}): {INSTALL}", place)
        ) from None


def _text(data: bytes, key: str) -> str:
    """A text in a JSON file; '' if there is none."""
    try:
        found = json.loads(data)
    except ValueError:
        return ""
    return str(found.get(key, "")) if isinstance(found, dict) else ""
