"""The text of a network in another form, for the clipboard or a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from archcalc.errors import ArchcalcError, unknown
from archcalc.letters import as_name
from archcalc.live.documents import analysis_of, is_pattern_text
from archcalc.live.state import State


def exported(state: State, format: Any) -> dict[str, str]:
    """The answer of the operation ``export``: the name of a file, its type and its text."""
    if not isinstance(format, str) or format not in FORMATS:
        raise ArchcalcError(unknown("format", str(format), FORMATS))
    extension, type, write = FORMATS[format]
    text = write(state)
    name = as_name(analysis_of(state).network.name, 60, ".-") if format != "yaml" else ""
    stem = name or state.file.rpartition(".")[0] or state.network or "network"
    return {"file": f"{as_name(stem, 60, '.-') or 'network'}.{extension}", "type": type, "text": text}


def _yaml(state: State) -> str:
    """The text itself; a pattern is written out as a spec."""
    if not is_pattern_text(state.text):
        return state.text
    from archcalc.language.expanded import expanded

    return expanded(analysis_of(state).network)


def _table(format: str) -> Callable[[State], str]:
    def write(state: State) -> str:
        from archcalc.report import render

        return render(analysis_of(state), format)

    return write


def _torch(state: State) -> str:
    from archcalc.export import torch_source

    return torch_source(analysis_of(state).network)


FORMATS: Mapping[str, tuple[str, str, Callable[[State], str]]] = {
    "yaml": ("yaml", "application/yaml", _yaml),
    "markdown": ("md", "text/markdown", _table("markdown")),
    "csv": ("csv", "text/csv", _table("csv")),
    "latex": ("tex", "application/x-tex", _table("latex")),
    "json": ("json", "application/json", _table("json")),
    "text": ("txt", "text/plain", _table("text")),
    "torch": ("py", "text/x-python", _torch),
}
"""The extension and the type of each format, and the function that writes it."""
