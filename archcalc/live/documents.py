"""The text of a page as a family of networks, and its analysis. The latest ones are kept, for the next question."""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from functools import lru_cache
from typing import Any, NamedTuple

from archcalc.analysis import Analysis, analyze
from archcalc.errors import ArchcalcError, Problem
from archcalc.importing.formats import is_model
from archcalc.language.expand import network_of
from archcalc.language.family import Family
from archcalc.language.pattern import PATTERN
from archcalc.language.reader import family_of
from archcalc.language.settings import read_setting
from archcalc.language.tree import parse
from archcalc.language.zoo import families, folder, is_path, is_pattern, load, read_text, text_of, zoo_family
from archcalc.letters import MOST_LETTERS, NETWORK_SIGNS, as_name
from archcalc.live.state import State, line_and_column
from archcalc.named_inputs import given_inputs
from archcalc.network import Network, Node
from archcalc.trees import Tree

MOST_ANALYSES = 3
UNNAMED = "network"
"""The name of a network in a text without a file."""


class Document(NamedTuple):
    """A text that was read. family and tree: None for a one-line pattern."""

    text: str
    family: Family | None
    tree: Tree | None


def is_pattern_text(text: str) -> bool:
    """Whether a text is a one-line pattern, and not a spec: a spec is a mapping, and begins with a key.

    >>> is_pattern_text("INPUT 32x32x3 -> FC-10"), is_pattern_text("input: [3, 8, 8]"), is_pattern_text("RELU -> FC-10")
    (True, False, True)
    """
    start = text.strip()[:6_000]
    if re.match(r"(?:[\w.-]+|\"[^\"\n]*\"|'[^'\n]*')\s*:(?:\s|$)|[{#%&!\"'-]", start):
        return False
    return bool(re.match(r"input\s", start, re.IGNORECASE)) or is_pattern(start.partition("\n")[0])


@lru_cache(maxsize=4)
def document(text: str, file: str) -> Document:
    """The family in a text; ArchcalcError with every problem and its line.

    The text of a network of the zoo is the zoo's own, so conventions know whose code it stands for.
    """
    if is_pattern_text(text):
        return Document(text, None, None)
    if not text.strip():
        raise ArchcalcError(Problem("the spec is empty", "", 1))
    stem = _zoo_stem(text)
    if stem:
        return Document(text, zoo_family(stem), parse(text, ""))
    name = as_name(os.path.splitext(os.path.basename(file))[0], MOST_LETTERS, NETWORK_SIGNS) or UNNAMED
    try:
        tree = parse(text, file)
        return Document(text, family_of(tree, file, name), tree)
    except ArchcalcError:
        read_text(text, file, name)  # says whose format it is, if it is another tool's
        raise


def _zoo_stem(text: str) -> str:
    """The name of the zoo's file that holds exactly this text; '' if there is none."""
    size = len(text.encode("utf-8", "surrogatepass"))
    for stem in families():
        path = os.path.join(folder(), f"{stem}.yaml")
        if os.stat(path).st_size == size and text_of(path) == text:
            return stem
    return ""


def chosen(family: Family, network: str) -> str:
    """The name of the chosen network, or of the first one if the text has no network of this name."""
    return network if network in family.networks else next(iter(family.networks))


def settings_of(family: Family, state: State) -> dict[str, Any]:
    """The settings of a state that the text knows. A text is read as on the command line, if the default is no word."""
    settings = {}
    for key, value in state.settings.items():
        if key in family.params:
            if isinstance(value, str) and not isinstance(family.params[key], str):
                value = read_setting(f"{key}={value}")[1]
            settings[key] = value
    return settings


def network_in(state: State) -> Network:
    """The network of a state, built."""
    sizes = given_inputs(state.input) if state.input.strip() else None
    found = document(state.text, state.file)
    if found.family is None:
        from archcalc.language.pattern import pattern_as

        network = pattern_as(Network, found.text, sizes)
    else:
        name = chosen(found.family, state.network)
        network = network_of(Network, found.family, name, settings_of(found.family, state), sizes)
    network.nodes  # noqa: B018  builds the layers, and raises their problems here
    return network


_analyses: OrderedDict[str, Analysis] = OrderedDict()
"""The latest analyses by their states."""


def analysis_of(state: State) -> Analysis:
    """The analysis of a state; ArchcalcError with every problem."""
    key = state._replace(optimizer="", compare="").key
    if key not in _analyses:
        _analyses[key] = analyze(
            network_in(state),
            batch=state.batch,
            dtype=state.dtype,
            convention=state.convention,
            training=state.training,
        )
        while len(_analyses) > MOST_ANALYSES:
            _analyses.popitem(last=False)
    _analyses.move_to_end(key)
    return _analyses[key]


def place_in_text(node: Node, text: str) -> tuple[int, int]:
    """The line and the column of a layer's step in a text, from 1; 0: no place. In a spec, a step has a line alone."""
    if node.place is None:
        return 0, 0
    if node.place.file == PATTERN:
        return line_and_column(text, int(node.place.path.rpartition(" ")[2]))
    return node.place.line, 0


def load_named(net: str, state: State | None = None) -> Network:
    """A network of the zoo with its settings, or a pattern. No file is read, and no code of a model is run."""
    refuse_files(net)
    sizes = None if state is None or not state.input.strip() else given_inputs(state.input)
    return load(net, input=sizes)


def refuse_files(net: str) -> None:
    """ArchcalcError if a text names a file or a model of Python instead of a network of the zoo or a pattern."""
    if not is_pattern(net) and (is_path(net) or is_model(net)):
        raise ArchcalcError(
            "the page reads networks of the zoo and one-line patterns by name, and files by dropping them"
        )
