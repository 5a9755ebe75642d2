"""The Python files that a browser needs, in one archive: archcalc itself, and the two packages that it imports."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from typing import NamedTuple

from archcalc.errors import ArchcalcError
from archcalc.language.zoo import folder

LEFT_OUT = ("capture", "cli", "pages", "plot", "witness")
"""Rooms whose code no answer to a page needs: they run PyTorch, print or draw."""
NO_SPECS = ("published",)
"""Folders of the zoo that hold no networks."""
PACKAGES = {"yaml": "PyYAML", "tabulate": "tabulate"}
"""The modules that archcalc imports, with the names of their distributions."""


class Notice(NamedTuple):
    """A package: its name with the version, its licence in a word, and the text of the licence."""

    name: str
    licence: str
    text: str


def packed() -> bytes:
    """The archive, a gzipped tar, whose top folders Python can import. A third smaller than a zip."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    files = {f"archcalc/{name}": path for name, path in _files(package, ".py", (*LEFT_OUT, "specs"))}
    files |= {f"archcalc/specs/{name}": path for name, path in _files(folder(), ".yaml", NO_SPECS)}
    for module in PACKAGES:
        files |= dict(_module(module))
    data = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=data, mode="wb", compresslevel=9, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in sorted(files):
            with open(files[name], "rb") as file:
                content = file.read()
            entry = tarfile.TarInfo(name)  # without dates and owners: the same files make the same archive
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return data.getvalue()


def _files(top: str, extension: str, left_out: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """The files below a folder with an extension, by their names from there with /; without some folders at its top."""
    for place, folders, names in os.walk(top):
        if place == top:
            folders[:] = [name for name in folders if name not in left_out]
        for name in names:
            if name.endswith(extension):
                path = os.path.join(place, name)
                yield os.path.relpath(path, top).replace(os.sep, "/"), path


def _module(module: str) -> Iterator[tuple[str, str]]:
    """The Python files of a module that is installed. The compiled part of PyYAML is left out: PyYAML does without."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ArchcalcError(f"a site needs {PACKAGES[module]}, which is not installed: pip install {PACKAGES[module]}")
    if spec.submodule_search_locations is None:
        yield f"{module}.py", spec.origin
    else:
        for name, path in _files(os.path.dirname(spec.origin), ".py"):
            yield f"{module}/{name}", path


def notices() -> Iterator[Notice]:
    """The packages in the archive, archcalc first."""
    for name in ("archcalc", *PACKAGES.values()):
        try:
            found = distribution(name)
        except PackageNotFoundError:  # files without a record of their installation
            yield Notice(name, "MIT", "")
            continue
        texts = [
            file.read_text()
            for file in found.files or ()
            if file.name.upper().startswith(("LICENSE", "LICENCE", "COPYING"))
        ]
        about = found.metadata.json
        licence = about.get("license_expression") or about.get("license") or "MIT"
        yield Notice(f"{name} {found.version}", str(licence), "\n".join(filter(None, texts)))
