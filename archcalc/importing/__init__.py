"""Files of other tools as trees of a spec: networks of Caffe (.prototxt) and of darknet (.cfg).

A parser reads the text of a format, and the rules of the format add steps to a ``Graph``. The tree has the lines of
the file, and the language reads it like the tree of a spec: every check names the file's own line.
"""

from __future__ import annotations

import re
from typing import Any

from archcalc.importing.graph import Imported

FORMATS = {".prototxt": "caffe_network", ".cfg": "cfg_network"}
"""The module that reads a file, by the file's extension."""
_SIGNS = (
    (re.compile(r"^[ \t]*\[[ \t]*(?:net|network)[ \t]*\]", re.MULTILINE | re.IGNORECASE), "cfg_network"),
    (re.compile(r"^[ \t]*(?:layers?[ \t]*\{|input(?:_dim|_shape|_param)?[ \t]*[:{])", re.MULTILINE), "caffe_network"),
)


def format_of(path: str) -> str:
    """The module that reads a file of this name; '' if the name is not of a known format."""
    return next((module for extension, module in FORMATS.items() if path.lower().endswith(extension)), "")


def format_of_text(text: str) -> str:
    """The module that reads this text, which has no name; '' if it shows no sign of a known format."""
    return next((module for sign, module in _SIGNS if sign.search(text[:20_000])), "")


def imported(text: str, file: str, module: str, *, allow_missing: bool = False, input: Any = None) -> Imported:
    """The network in a file of another tool; ArchcalcError with every layer that has no counterpart.

    With ``allow_missing``, such layers and the layers behind them are left out, and the notes say so. ``input`` is the
    size of the input, which counts if the file leaves the size open.
    """
    from importlib import import_module

    read = import_module(f"archcalc.importing.{module}").read
    result: Imported = read(text, file, allow_missing, input)
    return result
