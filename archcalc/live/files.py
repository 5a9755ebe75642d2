"""The files of the page, which lie beside this module. Nothing else is read."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator

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


EDITOR, NOTICES = "vendor/editor.js", "vendor/LICENSES.txt"
"""CodeMirror in one file, and the licences of what is in it. Both are missing where nobody bundled them."""
HEAD = '<meta charset="utf-8">\n'
"""The line of index.html behind which the lines stand that are made here."""
MAIN, WORKER, WHOLE = "main.js", "worker.js", "vendor/page.js"
"""The module that starts the page, the module of a site's worker, and one file with all modules of the page."""
POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'"
"""What the page may load, wherever it is served from: its own files."""


def config(calculator: str, **more: str | int) -> bytes:
    """The file config.json: how the page reaches its calculator ("server" or "worker"), and what lies beside the page."""
    editor = os.path.exists(os.path.join(FOLDER, EDITOR))
    licences = NOTICES if editor else ""
    return json.dumps({"calculator": calculator, "editor": editor, "licences": licences, **more}).encode()


def index(*first: str) -> bytes:
    """The file index.html, with the ``first`` lines at its top, and a line for each file that the page needs.

    So a browser loads all files at once. Otherwise a file is loaded after the file that names it.
    """
    with open(os.path.join(FOLDER, "index.html"), encoding="utf-8") as file:
        text = file.read()
    modules = sorted(name for name in os.listdir(FOLDER) if name.endswith(".js"))
    needed = [name for name in modules if name not in (MAIN, WORKER)]
    if _is_whole(modules):
        text, needed = text.replace(f'src="{MAIN}"', f'src="{WHOLE}"'), []
    if os.path.exists(os.path.join(FOLDER, EDITOR)):
        needed.append(EDITOR)
    before, line, after = text.partition(HEAD)
    preload = '<link rel="preload" href="config.json" as="fetch" crossorigin>'
    lines = [*first, preload, *(f'<link rel="modulepreload" href="{name}">' for name in needed)]
    return f"{before}{line}{''.join(f'{line}{chr(10)}' for line in lines)}{after}".encode()


def _is_whole(modules: list[str]) -> bool:
    """Whether the one file was made from the modules as they are now: its first line has their sum."""
    import hashlib

    sum = hashlib.sha256()
    for name in modules:
        with open(os.path.join(FOLDER, name), "rb") as file:
            sum.update(file.read())
    try:
        with open(os.path.join(FOLDER, WHOLE), encoding="utf-8") as file:
            return file.readline() == f"// {sum.hexdigest()}\n"
    except OSError:
        return False


def page_files() -> Iterator[tuple[str, bytes]]:
    """All files of the page by their names with /."""
    for place, folders, names in os.walk(FOLDER):
        folders.sort()
        for name in sorted(names):
            path = os.path.relpath(os.path.join(place, name), FOLDER).replace(os.sep, "/")
            found = page_file(f"/{path}")
            if found is not None:
                yield path, found[1]


def page_file(path: str) -> tuple[str, bytes] | None:
    """The type and the bytes of a file of the page; None if the page has no such file."""
    if path == "/config.json":
        return TYPES["json"], config("server")
    if path == "/index.html":
        return TYPES["html"], index()
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
