"""Files of other tools, recognised by name or first bytes. archcalc cannot read these files, and says so."""

from __future__ import annotations

import re
from collections.abc import Mapping

from archcalc.errors import ArchcalcError, Problem

EXTENSIONS: Mapping[str, str] = {
    ".caffemodel": "weights of Caffe",
    ".weights": "weights of Darknet",
    ".pt": "a model of PyTorch",
    ".pth": "weights of PyTorch",
    ".ckpt": "a checkpoint",
    ".safetensors": "weights in safetensors",
    ".py": "Python source",
    ".ipynb": "a notebook",
    ".h5": "a model in HDF5",
    ".hdf5": "a model in HDF5",
    ".keras": "a model of Keras",
    ".pb": "a model of TensorFlow",
    ".tflite": "a model of TensorFlow Lite",
    ".mlmodel": "a model of Core ML",
    ".pkl": "a pickle",
    ".npz": "arrays of NumPy",
    ".zip": "a zip archive",
}
PICKLES = (".pt", ".pth", ".ckpt", ".pkl")
"""Extensions of files that Python reads by running what they say."""
_MAGIC: Mapping[bytes, str] = {
    b"PK\x03\x04": "a zip archive, as PyTorch and Keras write models",
    b"\x80": "a pickle, as PyTorch wrote models",
    b"\x89HDF": "a model in HDF5",
    b"\x93NUMPY": "arrays of NumPy",
    b"\x08": "a protocol buffer, as ONNX and TensorFlow write models",
}
_TEXT: Mapping[str, str] = {
    r"(import|from) +\w+.*|class +\w+.*:|def +\w+\(.*": "Python source",
    r'[ {]*"?(class_name|keras_version)"? *:.*': "a model of Keras",
    r'[ {]*"?(architectures|model_type|transformers_version)"? *:.*': "a configuration of Hugging Face",
    r'[ {]*"?(depth_multiple|width_multiple|backbone)"? *:.*': "a network of YOLO",
    r'[ {]*"?(nbformat|cells)"? *:.*': "a notebook",
}
"""Patterns, from the first letter of a line, that do not occur in a spec."""


def refuse_name(path: str) -> None:
    """ArchcalcError if the name of the file shows that another tool wrote the file."""
    extension = extension_of(path)
    if extension in PICKLES:
        text = (
            f"{EXTENSIONS[extension]}, whose reading would run its code: archcalc takes the model itself, as "
            f"torch:MODULE:NAME or in Python as archcalc.from_torch(model, input=...)"
        )
        raise ArchcalcError(Problem(text, path))
    if extension:
        raise ArchcalcError(Problem(_said(EXTENSIONS[extension]), path))


def extension_of(path: str) -> str:
    """The extension of the path if it is an extension of another tool; '' otherwise."""
    return next((extension for extension in EXTENSIONS if path.lower().endswith(extension)), "")


def refuse_bytes(raw: bytes, file: str) -> None:
    """ArchcalcError if the file begins like a file of another tool."""
    for magic, what in _MAGIC.items():
        if raw.startswith(magic):
            onnx = f"{what}; ONNX is read from a file whose name ends in .onnx"
            raise ArchcalcError(Problem(onnx if "ONNX" in what else _said(what), file))


def refuse_text(text: str, file: str) -> None:
    """ArchcalcError if the text, which is not a readable spec, has lines of another tool's format."""
    for line in text[:20_000].splitlines()[:200]:
        for pattern, what in _TEXT.items():
            if re.fullmatch(pattern, line[:200].rstrip(), re.IGNORECASE):
                raise ArchcalcError(Problem(_said(what), file))


def _said(what: str) -> str:
    return (
        f"{what}, which archcalc does not read; it reads specs (.yaml, .yml or .json, see docs/spec.md), names of the "
        f"zoo (archcalc list), one-line patterns and PyTorch models (torch:MODULE:NAME)"
    )
