"""The blocks of a sweep in files beside its output, so that a sweep that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import sys
from contextlib import suppress
from typing import Any
from zipfile import BadZipFile

from archcalc.errors import ArchcalcError, Problem
from archcalc.files import refuse_link, write_in_folder
from archcalc.language.zoo import STDIN, text_of
from archcalc.layers import registry
from archcalc.spaces.sweep import Request, Result
from archcalc.version import __version__

SUFFIX = ".parts"
"""What the folder's name has behind the name of the output."""


class Store:
    """A folder with a file for every block that is done.

    ArchcalcError if the folder has blocks of another sweep, or if it cannot be written.
    """

    def __init__(self, output: str, request: Request, spec: str) -> None:
        """spec: the file of the network, as the network names it."""
        self.folder = f"{output.rstrip('/')}{SUFFIX}"
        refuse_link(self.folder)
        made_by, file = digest(request, spec), os.path.join(self.folder, "sweep.json")
        try:
            os.makedirs(self.folder, exist_ok=True)
        except OSError as error:
            raise ArchcalcError(
                Problem(f"cannot be made: {(error.strerror or 'not a path').lower()}", self.folder)
            ) from None
        if os.path.exists(file):
            with open(file, encoding="utf-8") as opened:
                known = opened.read()
            if known != made_by:
                raise ArchcalcError(
                    Problem(
                        "has blocks of another sweep that was stopped; remove it, or name another output", self.folder
                    )
                )
        elif os.listdir(self.folder):
            raise ArchcalcError(
                Problem("has files that are not of a sweep; remove it, or name another output", self.folder)
            )
        write_in_folder(file, made_by)

    def done(self, number: int) -> bool:
        """Whether the block of this number is there."""
        return os.path.exists(self._file(number))

    def put(self, number: int, result: Result) -> None:
        """Write a block."""
        write_in_folder(self._file(number), packed(result))

    def get(self, number: int) -> Result:
        """Read a block. ArchcalcError if its file is damaged."""
        try:
            with open(self._file(number), "rb") as file:
                return unpacked(file.read())
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            text = "is no block of a sweep; remove it, and give the same command again"
            raise ArchcalcError(Problem(text, self._file(number))) from None

    def remove(self) -> None:
        """Remove the folder: the output is written."""
        shutil.rmtree(self.folder)

    def _file(self, number: int) -> str:
        return os.path.join(self.folder, f"{number:08d}.npz")


def digest(request: Request, spec: str) -> str:
    """What a sweep's numbers depend on: the request, the version, the spec, files of devices, and the code of layer types."""
    text = hashlib.sha256(repr(request._replace(prepare=None)).encode())
    if spec == STDIN:
        text.update(text_of("-").encode())
    named = re.findall(r"'(.+?)'|\"(.+?)\"", " ".join([request.where, *(figure for _, figure in request.figures)]))
    code = {str(sys.modules[layer.__module__].__file__) for layer in registry.values()}
    for path in (spec, *("".join(one) for one in named), *sorted(code)):
        with suppress(OSError, ValueError), open(path, "rb") as file:
            text.update(file.read())
    return json.dumps({"archcalc": __version__, "sweep": text.hexdigest()})


def packed(result: Result) -> bytes:
    """A block as the bytes of a file: its arrays, and its other values as JSON."""
    import numpy as np

    arrays, texts = {}, {}
    for at, (name, array) in enumerate(result.columns.items()):
        if array.dtype == object:
            texts[name] = array.tolist()
        else:
            arrays[str(at)] = array
    about = [list(result.columns), texts, result.points, dict(result.refused), result.lacking]
    file = io.BytesIO()
    np.savez(file, about=np.frombuffer(json.dumps(about).encode(), dtype="uint8"), **arrays)
    return file.getvalue()


def unpacked(data: bytes) -> Result:
    """The block in the bytes of a file."""
    import numpy as np

    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        names, texts, points, refused, lacking = json.loads(file["about"].tobytes())
        columns: dict[str, Any] = {}
        for at, name in enumerate(names):
            if name in texts:
                columns[name] = np.array([*texts[name], None], dtype=object)[:-1]
            else:
                columns[name] = file[str(at)]
    return Result(columns, points, refused, lacking)
