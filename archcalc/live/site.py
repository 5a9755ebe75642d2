"""The page as a folder for any web host: the same page, with archcalc and its Python in the browser.

The folder is made beside its place and moved there whole. What archcalc did not write is never replaced.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

from archcalc.errors import ArchcalcError, Problem
from archcalc.files import refuse_link, unwritable
from archcalc.live.course.asked import LESSONS
from archcalc.live.desk import Desk, Opened
from archcalc.live.files import EDITOR, NOTICES, POLICY, config, index, page_files
from archcalc.live.packed import notices, packed
from archcalc.live.pyodide import Pyodide, pyodide

LIST = "files.txt"
"""The list of the files of a site with their sums, by which a second run knows them."""
LICENCES = "licences.txt"
SITE_POLICY = f"{POLICY}; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:"


def write_site(folder: str, opened: Opened, pyodide_folder: str | None) -> str:
    """Write the site, whole or not at all, and return a sentence. ArchcalcError if something is missing or in the way."""
    target = _target(folder)
    _check(target, folder)
    files = site_files(opened, pyodide(pyodide_folder))
    try:
        _replace(target, files)
    except (OSError, ValueError) as error:
        raise unwritable(folder, error) from None
    size = sum(map(len, files.values())) / 1e6
    return (
        f"{folder}: {len(files)} files, {size:.1f} MB. Any web host can serve this folder; on this machine: "
        f"python -m http.server --directory {folder}\n"
    )


def site_files(opened: Opened, engine: Pyodide) -> dict[str, bytes]:
    """The files of a site by their names with /."""
    page = dict(page_files())
    large = {f"pyodide/{name}": data for name, data in engine.files.items()} | {"archcalc.data": packed()}
    own = {
        "index.html": index(
            f'<meta http-equiv="Content-Security-Policy" content="{SITE_POLICY}">',
            '<link rel="preload" href="first.json" as="fetch" crossorigin>',
        ),
        "config.json": config(
            "worker",
            licences=LICENCES,
            bytes=sum(len(data) for name, data in large.items() if not name.endswith(".js")),
        ),
        "first.json": _first(opened).encode(),
        LICENCES: _licences(engine, page).encode(),
    }
    files = {**page, **large, **own}
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()))
    return {**files, LIST: sums.encode()}


def _first(opened: Opened) -> str:
    """What a page asks first, with the answers of this machine: the page shows them while Python starts.

    A list of pairs: a question, as the page asks it, and the answer.
    """
    desk = Desk(opened._replace(path="", name=""))  # no server saves a file
    questions: list[dict[str, Any]] = [
        {"op": "start"},
        {"op": "zoo"},
        {"op": "analyze", "state": desk.first()._asdict()},
        {"op": "course"},
        *({"op": "course", "lesson": lesson, "numbers": {}} for lesson in LESSONS),
    ]
    pairs = [[question, json.loads(desk.ask(json.dumps(question).encode()))] for question in questions]
    return json.dumps(pairs, separators=(",", ":"))


def _licences(engine: Pyodide, page: Mapping[str, bytes]) -> str:
    """The third parties in the site, with the texts of their licences or the place of the text."""
    release = ".".join(engine.python.split(".")[:2])
    parts = [
        "What this site is made of, and the licences of all parts.",
        f"Pyodide {engine.version}, the folder pyodide without python_stdlib.zip: Mozilla Public License 2.0,\n"
        f"https://www.mozilla.org/MPL/2.0/\nIts source: https://github.com/pyodide/pyodide, version {engine.version}\n"
        "It contains parts of Emscripten, MIT licence, https://emscripten.org",
        f"Python {engine.python}, in pyodide.asm.wasm and python_stdlib.zip: PSF License Version 2.\n"
        f"The licence, and those of the libraries in Python: https://docs.python.org/{release}/license.html",
        *(f"{name}, in archcalc.data: {licence}.\n\n{text.strip()}".strip() for name, licence, text in notices()),
    ]
    if NOTICES in page:
        parts.append(f"The editor, {EDITOR}:\n\n{page[NOTICES].decode().strip()}")
    return f"\n\n{'-' * 80}\n\n".join(parts) + "\n"


def _target(folder: str) -> str:
    """The absolute path of the folder to write. ArchcalcError if there cannot be a site at this path."""
    if not folder:
        raise ArchcalcError("a site needs the name of a folder: --site DIR")
    path = os.path.abspath(folder)
    refuse_link(path)
    if os.path.exists(path) and not os.path.isdir(path):
        raise ArchcalcError(Problem("is a file, expected a folder to write the site into", folder))
    if os.getcwd().startswith(os.path.join(path, "")) or path == os.getcwd():
        raise ArchcalcError(Problem("is the current folder, which cannot be replaced; choose a folder in it", folder))
    return path


def _check(target: str, folder: str) -> None:
    """ArchcalcError if the folder holds anything that is not of a site as archcalc wrote it."""
    sums = _sums(target)
    for name in _names(target):
        if name != LIST and sums.get(name) != _sum(os.path.join(target, *name.split("/"))):
            raise ArchcalcError(
                Problem(
                    f"has {name}, which is not a file of a site as archcalc wrote it; choose another folder", folder
                )
            )


def _names(target: str) -> Iterator[str]:
    """The files and links below a folder."""
    for place, folders, files in os.walk(target):
        for name in (*files, *(name for name in folders if os.path.islink(os.path.join(place, name)))):
            yield os.path.relpath(os.path.join(place, name), target).replace(os.sep, "/")


def _sums(target: str) -> dict[str, str]:
    """The sums by file in the list of a site; none if there is no list."""
    try:
        with open(os.path.join(target, LIST), encoding="utf-8") as file:
            return {name: sum for sum, _, name in (line.rstrip("\n").partition("  ") for line in file)}
    except (OSError, ValueError):
        return {}


def _sum(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return "unreadable"


def _replace(target: str, files: Mapping[str, bytes]) -> None:
    """Write the files into a new folder beside the target, and put it in the target's place."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    beside = os.path.join(os.path.dirname(target), f".archcalc-{os.urandom(6).hex()}")
    new, old = f"{beside}-new", f"{beside}-old"
    try:
        for name, data in files.items():
            path = os.path.join(new, *name.split("/"))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)
        if os.path.exists(target):
            os.rename(target, old)
        try:
            os.rename(new, target)
        except OSError:
            if os.path.exists(old):
                os.rename(old, target)
            raise
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(new, ignore_errors=True)
