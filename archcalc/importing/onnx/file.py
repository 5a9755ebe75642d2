"""An ONNX file as a model: the file is mapped into memory, so that only what is read is loaded."""

from __future__ import annotations

import os
from collections import Counter
from mmap import ACCESS_READ, mmap

from archcalc.errors import ArchcalcError, Problem, clipped
from archcalc.importing.onnx.model import Model
from archcalc.importing.onnx.wire import MOST_FIELDS, Data, Part, Reading, TooManyFieldsError, WireError

OLDEST, NEWEST = 7, 28
"""The operator sets that are understood. 28 is that of onnx 1.23."""
MOST_NODES = 50_000
SIGNS = {
    b"PK\x03\x04": "it is a zip archive",
    b"\x80": "it is a pickle, which archcalc does not read, because reading it would run code",
    b"\x89HDF": "it is a model in HDF5",
    b"\x93NUMPY": "it holds arrays of NumPy",
    b"version https://git-lfs": "it is a pointer of Git LFS, and the model is elsewhere",
}
"""What other files begin with."""


def model_of(path: str) -> Model:
    """The model in a file; ArchcalcError if there is none, or one that cannot be read."""
    return model_in(_mapped(path), path, os.path.dirname(path))


def model_in(data: Data, file: str, folder: str | None = None) -> Model:
    """The model in the bytes of a file, called ``file``; its other files are in ``folder``, None: they are not read."""
    try:
        model = Model(Part(data, 0, len(data), Reading()), folder)
    except TooManyFieldsError:
        text = f"has more than {MOST_FIELDS:,} fields, which no network of up to {MOST_NODES:,} nodes needs"
        raise ArchcalcError(Problem(text, file)) from None
    except (WireError, IndexError, OverflowError):
        raise ArchcalcError(Problem(_kind(data), file)) from None
    if len(model.graphs) != 1 or not model.version:
        raise ArchcalcError(Problem(_kind(data), file))
    text = _wrong(model)
    if text:
        raise ArchcalcError(Problem(text, file))
    return model


def _mapped(path: str) -> Data:
    """The bytes of the file, which are loaded where they are read."""
    try:
        with open(path, "rb") as opened:
            if not os.fstat(opened.fileno()).st_size:
                raise ArchcalcError(Problem("the file is empty", path))
            return mmap(opened.fileno(), 0, access=ACCESS_READ)
    except IsADirectoryError:
        raise ArchcalcError(Problem("is a directory, expected an ONNX file", path)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "unknown reason"
        raise ArchcalcError(Problem(f"cannot be read: {reason.lower()}", path)) from None


def _kind(data: Data) -> str:
    """What a file is that is no ONNX file, as far as its first bytes say so."""
    begin = data[:200]
    known = next((what for sign, what in SIGNS.items() if begin.startswith(sign)), "")
    if not known and all(byte in (9, 10, 13) or 31 < byte < 127 for byte in begin):
        known = "it is a text"
    return f"is no ONNX file: {known}" if known else "is no ONNX file, or not a whole one"


def _wrong(model: Model) -> str:
    """Why a model cannot be read; '' if it can."""
    if not model.nodes:
        return "the graph has no nodes"
    if len(model.nodes) > MOST_NODES:
        return f"more than {MOST_NODES:,} nodes"
    if not OLDEST <= model.opset <= NEWEST:
        known = f"archcalc knows the operator sets {OLDEST} to {NEWEST} of ONNX"
        return f"{known}; this file has {model.opset or 'none of them'}"
    if model.functions:
        names = ", ".join(clipped(name, 40) for name in model.functions[:3])
        return f"defines functions of its own ({names}); onnx.inliner inlines them"
    writers = Counter(name for node in model.nodes for name in node.outputs if name)
    twice = [name for name, count in writers.items() if count > 1]
    return f"several nodes write {clipped(twice[0], 60)!r}" if twice else ""
