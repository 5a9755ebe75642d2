"""Help at a word of a text: its meaning, and the numbers of the layers that its line stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from archcalc.analysis import Analysis
from archcalc.errors import ArchcalcError
from archcalc.language.keywords import KINDS, LAYERS, OPTIONS
from archcalc.live.completion import place_in
from archcalc.live.described import (
    FUNCTIONS,
    about_key,
    about_layer,
    about_option,
    default_text,
    source_of,
)
from archcalc.live.documents import analysis_of, is_pattern_text, place_in_text
from archcalc.live.outline import Cursor, Outline
from archcalc.live.params import comment
from archcalc.live.places import Place, Spec, block_around, place_of, scope
from archcalc.live.state import State
from archcalc.live.worked import worked
from archcalc.network import Node
from archcalc.settings_text import setting_text

MOST_LAYERS = 6
"""The most layers of one line that are listed."""


def hovered(state: State, line: Any, column: Any) -> dict[str, Any]:
    """The answer of the operation ``hover``: lines about the word at a place; none where there is nothing to say."""
    line, column = place_in(line, column)
    if is_pattern_text(state.text):
        return _in_pattern(state, line, column)
    outline = Outline(state.text, line, column)
    cursor = outline.cursor
    rows = state.text.split("\n")
    if cursor is None or line > len(rows):
        return {"from": column, "to": column, "lines": []}
    word = rows[line - 1].rstrip("\r")[cursor.first : cursor.last].strip("\"'")
    lines = list(_lines(word, cursor, Spec(outline), state, line)) if word else []
    return {"from": cursor.first + 1, "to": cursor.last + 1, "lines": lines}


def _analysis(state: State) -> Analysis | None:
    try:
        return analysis_of(state)
    except ArchcalcError:
        return None


def _lines(word: str, cursor: Cursor, spec: Spec, state: State, line: int) -> Iterator[str]:
    place = place_of(cursor.path, cursor.key, spec)
    if cursor.key or cursor.quoted:
        yield from _value(word, cursor, place, spec, state)
    elif place.kind in ("steps", "step"):
        yield from _step(word, spec, state, line)
    elif place.kind in ("layer", "join") and word in LAYERS[place.name].fields:
        yield from _setting(place.name, word)
    elif place.kind == "arguments":
        value = spec.of_block(place.name, "params").get(word)
        if value is not None:
            yield f"{word}: parameter of the block {place.name}" + (f", by default {value}" if value else "")
    elif place.kind in ("params", "network") and word in spec.params:
        yield from _param(word, spec, state)
    elif place.kind in ("spec", "network", "block") and about_key(word):
        yield f"{word}: {about_key(word)}"
    elif place.kind == "names":
        yield from _name(word, state, block_around(cursor.path))


def _step(word: str, spec: Spec, state: State, line: int) -> Iterator[str]:
    """Help at the word of a step: a layer, a block or an option."""
    if word in spec.blocks:
        params = spec.of_block(word, "params")
        yield f"{word}: a block of this spec" + (f" with {', '.join(params)}" if params else "")
        yield from _uses(word, state)
    elif word in LAYERS:
        layer = LAYERS[word]
        yield f"{word}: {about_layer(layer)}"
        if source_of(layer):
            yield source_of(layer)
        analysis = _analysis(state)
        if analysis is not None:
            here = [node for node in analysis.network.nodes if place_in_text(node, state.text)[0] == line]
            yield from _numbers(analysis, [node for node in here if node.layer.type == word])
    elif word in (*OPTIONS, *KINDS):
        yield f"{word}: {about_option(word)}"


def _numbers(analysis: Analysis, nodes: list[Node]) -> Iterator[str]:
    """The first of the layers worked out, and the other ones with their shapes."""
    if not nodes:
        return
    yield from worked(analysis, nodes[0])
    for node in nodes[1:MOST_LAYERS]:
        row = analysis.all_rows[node.index]
        yield f"{node.name}: {node.output}, {row.param_count:,} parameters"
    if len(nodes) > MOST_LAYERS:
        yield f"and {len(nodes) - MOST_LAYERS} more layers of this line"


def _uses(block: str, state: State) -> Iterator[str]:
    analysis = _analysis(state)
    if analysis is None:
        return
    uses = [name for name, used in analysis.network.blocks.items() if used == block]
    for name in uses[:MOST_LAYERS]:
        rows = [row for row in analysis.all_rows if row.name.startswith(f"{name}.")]
        if rows:
            yield f"{name}: {rows[-1].output}, {sum(row.param_count for row in rows):,} parameters, {len(rows)} layers"
    if len(uses) > MOST_LAYERS:
        yield f"and {len(uses) - MOST_LAYERS} more uses"


def _setting(layer: str, key: str) -> Iterator[str]:
    setting = LAYERS[layer].fields[key]
    default = default_text(setting)
    yield f"{key} of {layer}: {setting.help}"
    yield f"{setting.allowed}; {'required' if default == 'required' else f'default {default}'}"


def _param(name: str, spec: Spec, state: State) -> Iterator[str]:
    """A spec parameter: its value in the chosen network, its default and its comment."""
    analysis = _analysis(state)
    default = spec.params[name]
    value = default
    if analysis is not None and name in analysis.network.settings:
        value = setting_text(analysis.network.settings[name])
    yield f"{name} = {value}" + (f" (default {default})" if value != default.replace(" ", "") else "")
    line = next(key.line for key in spec.keys if key.path == ("params",) and key.name == name)
    about = comment(state.text.splitlines(), line)
    if about:
        yield about


def _value(word: str, cursor: Cursor, place: Place, spec: Spec, state: State) -> Iterator[str]:
    """Help at a word of a value: a name in scope, a function, a layer, or the setting that is given."""
    if place.kind == "names":
        yield from _name(word, state, block_around(cursor.path))
        return
    if place.kind == "text" and cursor.path[:1] != ("check",):
        return
    found = next((one for one in scope(cursor.path, spec) if one[0] == word), None)
    if found is not None and found[1] == "parameter":
        yield from _param(word, spec, state)
    elif found is not None:
        name, kind, value = found
        yield (
            f"{name}: {value}"
            if kind in ("counter", "channels")
            else f"{name}: {kind}" + (f", {value}" if value else "")
        )
    elif word in FUNCTIONS and cursor.quoted:
        yield f"{word}: {FUNCTIONS[word]}"
    elif place.kind == "setting" and place.key in LAYERS[place.name].fields:
        yield from _setting(place.name, place.key)


def _name(word: str, state: State, block: str) -> Iterator[str]:
    """The layer that ``from``, ``weights`` or ``outputs`` names."""
    analysis = _analysis(state)
    if analysis is None:
        return
    uses = [name for name, used in analysis.network.blocks.items() if block and used == block]
    for name in (word, *(f"{use}.{word}" for use in uses)):
        inside = [node for node in analysis.network.nodes if node.name == name or node.name.startswith(f"{name}.")]
        if inside:
            yield f"{name}: {inside[-1].layer.type}, {inside[-1].output}"
            return


def _in_pattern(state: State, line: int, column: int) -> dict[str, Any]:
    """Help at a word of a one-line pattern."""
    rows = state.text.split("\n")
    row = rows[line - 1] if line <= len(rows) else ""
    word = next((m for m in re.finditer(r"[A-Za-z0-9-]+", row) if m.start() <= column - 1 <= m.end()), None)
    analysis = _analysis(state)
    if word is None or analysis is None:
        return {"from": column, "to": column, "lines": []}
    here = line, word.start() + 1
    nodes = [node for node in analysis.network.nodes if place_in_text(node, state.text) == here]
    lines = []
    if nodes:
        nodes = [node for node in nodes if node.layer.type == nodes[-1].layer.type]
        lines = [f"{nodes[0].layer.type}: {about_layer(type(nodes[0].layer))}", *_numbers(analysis, nodes)]
    return {"from": word.start() + 1, "to": word.end() + 1, "lines": lines}
