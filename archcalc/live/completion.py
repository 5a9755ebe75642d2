"""Completions at a place of a text: layers, settings, values, parameters in scope and names of layers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from archcalc.errors import ArchcalcError
from archcalc.language.keywords import BLOCK, FAMILY, KINDS, LAYERS, NETWORK, OPTIONS, RESERVED
from archcalc.language.synonyms import LAYERS as SYNONYMS
from archcalc.language.synonyms import plain
from archcalc.layers.base import STORAGES
from archcalc.layers.settings import message_text
from archcalc.live.described import (
    FUNCTIONS,
    about_key,
    about_layer,
    about_option,
    default_text,
    names_layers,
    template,
    values_of,
)
from archcalc.live.documents import is_pattern_text
from archcalc.live.layer_names import layer_names
from archcalc.live.outline import Cursor, Outline
from archcalc.live.params import compared_words
from archcalc.live.pattern_words import INPUT, pattern_words
from archcalc.live.places import Place, Spec, block_around, place_of, scope
from archcalc.live.state import State

MOST_OPTIONS, MOST_SYNONYMS, LONGEST = 400, 8, 300


class Choice(NamedTuple):
    """A completion: the word shown, its kind, a short detail, its meaning, and the text to insert ("": the word)."""

    label: str
    kind: str
    detail: str = ""
    about: str = ""
    apply: str = ""


def completed(state: State, line: Any, column: Any) -> dict[str, Any]:
    """The answer of the operation ``complete``. Lines and columns begin with 1."""
    line, column = place_in(line, column)
    if is_pattern_text(state.text):
        first, last, words = pattern_words(state.text, line, column)
        return _answer(first, last, [Choice(*word) for word in words])
    outline = Outline(state.text, line, column)
    cursor = outline.cursor
    if cursor is None:
        return _answer(column - 1, column - 1, [])
    spec = Spec(outline)
    word = cursor.word.lower()
    choices = sorted(_choices(cursor, spec, state, line), key=lambda choice: not choice.label.lower().startswith(word))
    return _answer(cursor.first, cursor.last, choices)


def place_in(line: Any, column: Any) -> tuple[int, int]:
    """A place that a page sent; ArchcalcError if it is no place."""
    for name, number in (("line", line), ("column", column)):
        if type(number) is not int or not 1 <= number <= 10**7:
            raise ArchcalcError(f"{name}: expected a number from 1 on, got {message_text(number)}")
    return line, column


def _answer(first: int, last: int, choices: Sequence[Choice]) -> dict[str, Any]:
    known: dict[str, Choice] = {}
    for choice in choices:
        known.setdefault(choice.label, choice)
    options = [
        {**choice._asdict(), "about": choice.about[:LONGEST], "detail": choice.detail[:80]}
        for choice in list(known.values())[:MOST_OPTIONS]
    ]
    return {"from": first + 1, "to": last + 1, "options": options}


def _choices(cursor: Cursor, spec: Spec, state: State, line: int) -> Iterator[Choice]:
    place = place_of(cursor.path, cursor.key, spec)
    if cursor.quoted and place.kind in ("setting", "argument", "expression", "param", "text", "option", "sizes"):
        yield from _in_scope(cursor, spec)
        return
    if place.kind in ("steps", "step", "join") and not (cursor.key and place.kind == "join"):
        yield from _steps(cursor, place, spec)
    elif place.kind in ("spec", "network", "block", "params", "networks", "layer", "arguments") and not cursor.key:
        yield from _keys(cursor, place, spec)
        if not spec.keys:
            yield Choice("INPUT", "layer", "a one-line pattern", "a network in one line", INPUT)
    elif place.kind == "setting":
        yield from _setting(cursor, place, spec, state, line)
    elif place.kind == "names":
        yield from _names(cursor, spec, state, line)
    elif place.kind == "option":
        if place.name == "storage":
            yield from (Choice(word, "value", "storage of the output") for word in STORAGES)
    elif place.kind in ("expression", "argument", "sizes"):
        yield from _values(place, spec, state.text)
        yield from _in_scope(cursor, spec)
    elif place.kind == "param":
        yield from _values(place, spec, state.text)


# Steps and keys.


def _steps(cursor: Cursor, place: Place, spec: Spec) -> Iterator[Choice]:
    """The layers, blocks and options of a step, or the settings and branches of a join."""
    if place.kind == "join":
        yield from _fields(cursor, place.name)
        slots = LAYERS[place.name].slots or spec.branches(place.name)
        yield from (
            Choice(name, "key", "branch", "", _as_key(name, cursor)) for name in slots if name not in cursor.keys
        )
        return
    if place.kind == "step" and cursor.keys and not cursor.in_list:
        if not any(key in LAYERS or key in spec.blocks or key in KINDS for key in cursor.keys):
            yield from _layers(cursor, spec, "")
        for option in OPTIONS:
            if option not in cursor.keys:
                yield Choice(option, "key", "option", about_option(option), _as_key(option, cursor))
        return
    dash = "- " if place.kind == "steps" and not cursor.in_list else ""
    yield from _layers(cursor, spec, dash)
    for key in (*KINDS, *OPTIONS):
        yield Choice(
            key, "key", "option" if key in OPTIONS else "steps", about_option(key), dash + _as_key(key, cursor)
        )


def _layers(cursor: Cursor, spec: Spec, dash: str) -> Iterator[Choice]:
    for block in spec.blocks:
        params = spec.of_block(block, "params")
        needed = [name for name, value in params.items() if not value]
        text = f"{block}: {{{', '.join(f'{name}: ' for name in needed)}}}" if needed else block
        detail = f"block ({', '.join(params)})" if params else "block"
        yield Choice(block, "block", detail, "", dash + (block if _is_key(cursor) else text))
    for name, layer in LAYERS.items():
        text = name if _is_key(cursor) else template(name)
        yield Choice(name, "layer", "layer", about_layer(layer), dash + text)
    typed = plain(cursor.word)
    others = [(word, meant) for word, meant in SYNONYMS.items() if len(typed) > 1 and word.startswith(typed)]
    for word, meant in others[:MOST_SYNONYMS]:
        text = meant if _is_key(cursor) else template(meant)
        yield Choice(word, "layer", f"here: {meant}", about_layer(LAYERS[meant]), dash + text)


def _keys(cursor: Cursor, place: Place, spec: Spec) -> Iterator[Choice]:
    """The keys of a mapping that it does not have yet."""
    if place.kind == "layer":
        yield from _fields(cursor, place.name)
        return
    words: dict[str, tuple[str, str]] = {}
    if place.kind in ("spec", "network", "block"):
        known = {"spec": FAMILY, "network": NETWORK, "block": BLOCK}[place.kind]
        words = {key: ("key", about_key(key)) for key in known}
    if place.kind == "network":
        words = {**{key: (f"parameter, {value}", "") for key, value in spec.params.items()}, **words}
    if place.kind == "arguments":
        params = spec.of_block(place.name, "params")
        words = {key: (f"default {value}" if value else "required", "") for key, value in params.items()}
    for key, (detail, about) in words.items():
        if key not in cursor.keys:
            yield Choice(key, "key", detail, about, _as_key(key, cursor))


def _fields(cursor: Cursor, layer: str) -> Iterator[Choice]:
    fields = LAYERS[layer].fields
    for key, setting in sorted(fields.items(), key=lambda item: not item[1].required):
        if key not in cursor.keys:
            detail = default_text(setting)
            detail = detail if detail == "required" else f"default {detail}"
            yield Choice(key, "setting", detail, f"{setting.help} ({setting.allowed})", _as_key(key, cursor))


def _is_key(cursor: Cursor) -> bool:
    """Whether a colon follows already."""
    return bool(re.match(r"\s*:", cursor.behind))


def _as_key(key: str, cursor: Cursor) -> str:
    return key if _is_key(cursor) else f"{key}: "


# Values.


def _setting(cursor: Cursor, place: Place, spec: Spec, state: State, line: int) -> Iterator[Choice]:
    setting = LAYERS[place.name].fields.get(place.key)
    if setting is None:
        return
    for word in values_of(setting):
        detail = "default" if word == default_text(setting) else ""
        yield Choice(word, "value", detail, f"{place.key}: {setting.help}")
    if names_layers(setting):
        yield from _names(cursor, spec, state, line)
    else:
        yield from _in_scope(cursor, spec)


def _values(place: Place, spec: Spec, text: str) -> Iterator[Choice]:
    """The values of a parameter: true and false, or the words that the text compares it with."""
    value = spec.params.get(place.key, "")
    for word in compared_words(place.key, text):
        yield Choice(word, "value", "default" if word == value else "")
    if value in ("true", "false"):
        yield from (Choice(word, "value", "default" if word == value else "") for word in ("true", "false"))


def _in_scope(cursor: Cursor, spec: Spec) -> Iterator[Choice]:
    """The names and the functions of an expression."""
    for name, kind, value in scope(cursor.path, spec):
        yield Choice(name, "parameter", kind, value)
    if cursor.quoted:
        yield from (Choice(name, "function", "function", about, f"{name}(") for name, about in FUNCTIONS.items())
        yield from (Choice(word, "keyword", "") for word in RESERVED[1:6])


def _names(cursor: Cursor, spec: Spec, state: State, line: int) -> Iterator[Choice]:
    block = block_around(cursor.path)
    for name, detail in layer_names(state, spec, block, line):
        yield Choice(name, "name", detail)
    if cursor.quoted:
        yield from _in_scope(cursor, spec)
