"""Files that are dropped on the page: specs, and networks of other tools as specs. Nothing on this machine is read."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from typing import Any

from archcalc.errors import ArchcalcError, Problem
from archcalc.importing.formats import ONNX, format_of, format_of_text
from archcalc.language.family import Family
from archcalc.language.foreign import refuse_bytes, refuse_name
from archcalc.language.imports import import_by, import_text
from archcalc.language.written import text_of
from archcalc.language.zoo import decoded
from archcalc.layers.settings import message_text
from archcalc.letters import MOST_LETTERS, NETWORK_SIGNS, as_name
from archcalc.live.state import LONGEST, State
from archcalc.named_inputs import given_inputs
from archcalc.sizes import Shape


def dropped(request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of the operation ``drop``: the state that shows the file, and what the import has to say."""
    text, coded = request.get("text"), request.get("base64")
    if isinstance(text, str):
        data = text.encode("utf-8", "surrogatepass")
    elif isinstance(coded, str):
        try:
            data = base64.b64decode(coded, validate=True)
        except (binascii.Error, ValueError):
            raise ArchcalcError("base64: expected the bytes of a file in base64") from None
    else:
        raise ArchcalcError("a file is dropped as a text, or as bytes in base64")
    input = request.get("input", "")
    return dropped_file(request.get("name"), data, input, request.get("allow_missing") is True)


def dropped_file(name: Any, data: bytes, input: Any = "", allow_missing: bool = False) -> dict[str, Any]:
    """The state that shows a file with this name and these bytes; ArchcalcError if it is no network.

    ``input``: the sizes of an input that the file leaves open. ``allow_missing``: leave out what has no counterpart.
    """
    if not isinstance(name, str) or not name or len(name) > LONGEST:
        raise ArchcalcError(f"name: expected the name of a file, got {message_text(name)}")
    if not isinstance(input, str) or len(input) > LONGEST:
        raise ArchcalcError(f"input: expected sizes such as 3x224x224, got {message_text(input)}")
    file = os.path.basename(name.replace("\\", "/")) or "file"
    module = format_of(file)
    if module == ONNX:
        return _state(_onnx(data, file, input, allow_missing), file)
    refuse_name(file)
    refuse_bytes(data, file)
    text = decoded(data, file)
    module = module or format_of_text(text)
    if not module:
        return {"state": State(text, file)._asdict(), "notes": []}
    sizes = given_inputs(input) if input.strip() else None
    return _state(import_text(text, file, _name(file), module, sizes, allow_missing), file)


def _onnx(data: bytes, file: str, input: str, allow_missing: bool) -> Family:
    """The family of an ONNX model in memory. Numbers that lie in other files are not read."""
    from archcalc.importing.onnx.file import model_in
    from archcalc.importing.onnx.network import read_model

    if not data:
        raise ArchcalcError(Problem("the file is empty", file))
    model = model_in(data, file)

    def read(inputs: Mapping[str, Shape], anew: bool) -> Any:
        return read_model(model, file, inputs, anew, allow_missing)

    return import_by(read, file, _name(file), given_inputs(input) if input.strip() else None)


def _name(file: str) -> str:
    return as_name(os.path.splitext(file)[0], MOST_LETTERS, NETWORK_SIGNS) or "network"


def _state(family: Family, file: str) -> dict[str, Any]:
    """The state that shows the spec of an imported family."""
    text = text_of(family, file)
    return {"state": State(text, f"{_name(file)}.yaml")._asdict(), "notes": list(family.notes)}
