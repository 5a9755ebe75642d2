"""What the library says of a state of the page, and what the page shows: both as plain texts, to be compared."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from archcalc import ArchcalcError, Network, analyze
from archcalc.errors import Problem, clipped
from archcalc.language.expand import network_of
from archcalc.language.family import Family
from archcalc.language.pattern import PATTERN, pattern_as
from archcalc.language.settings import read_setting
from archcalc.language.zoo import read_text, specs, zoo_family
from archcalc.letters import MOST_LETTERS, NETWORK_SIGNS, as_name
from archcalc.live.documents import is_pattern_text
from archcalc.live.state import State, line_and_column
from archcalc.named_inputs import given_inputs
from archcalc.report.formats import content
from archcalc.report.header import titled
from archcalc.report.layers import COLUMNS, layer_table
from archcalc.report.table import for_programs
from archcalc.units import counted

SHOWN = """() => {
    const text = (place) => document.querySelector(place).textContent;
    const all = (place) => [...document.querySelectorAll(place)].map(one => one.textContent);
    if (!document.getElementById('problems').hidden) return {problem: all('#problems li')[0]};
    const titles = [...document.querySelectorAll('#layer-table thead button')].map(one => one.dataset.key);
    const totals = [...document.querySelectorAll('#layer-table tr.total > *')].slice(1).map((cell, at) => [titles[at], cell.textContent]);
    return {title: text('#title'), totals: Object.fromEntries(totals), footer: all('#footer li'),
        layers: text('#layers-status').match(/[0-9,]+ layers?/)?.[0],
        stale: document.getElementById('results').classList.contains('stale')};
}"""


def expected(state: Mapping[str, Any]) -> dict[str, Any]:
    """What the page has to show: the title, the totals and the footer, or else the first problem."""
    try:
        network = _network(State(**state))
        network.nodes  # noqa: B018  the problems of the text come before those of the choices
        analysis = analyze(
            network,
            batch=state["batch"],
            dtype=state["dtype"],
            convention=state["convention"],
            training=state["training"],
        )
        table = layer_table(analysis, list(COLUMNS))
        totals = content(for_programs([table])[0])["totals"]
    except ArchcalcError as error:
        return {"problem": _sentence(error.problems[0], state["text"])}
    except (RecursionError, MemoryError):
        return {"problem": "the network is too large to be computed here"}
    return {
        "title": titled(analysis.network),
        "totals": {key: _grouped(number) for key, number in totals.items()},
        "footer": list(table.footer),
        "layers": counted(len(table.rows), "layer"),
        "stale": False,
    }


def differences(wanted: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    """What the page shows otherwise, by its name. A total is compared where its column is shown."""
    if set(wanted) != set(shown):
        return {"expected": wanted, "shown": shown}
    if "problem" in wanted:
        return {} if wanted == shown else {"problem": (wanted["problem"], shown["problem"])}
    wanted, shown = dict(wanted), dict(shown)
    totals = wanted.pop("totals")
    found = {
        key: (totals.get(key, ""), text)
        for key, text in shown.pop("totals").items()
        if key != "layer" and text != totals.get(key, "")
    }
    return found | {key: (wanted[key], shown[key]) for key in wanted if wanted[key] != shown[key]}


def _network(state: State) -> Network:
    """The network of a state, read as the command line reads a file, a pattern or a network of the zoo."""
    sizes = given_inputs(state.input) if state.input.strip() else None
    if is_pattern_text(state.text):
        return pattern_as(Network, state.text, sizes)
    family = _family(state)
    name = state.network if state.network in family.networks else next(iter(family.networks))
    settings = {key: _setting(key, value, family) for key, value in state.settings.items() if key in family.params}
    return network_of(Network, family, name, settings, sizes)


def _family(state: State) -> Family:
    if not state.text.strip():
        raise ArchcalcError(Problem("the spec is empty", "", 1))
    if state.text in _zoo():
        return zoo_family(_zoo()[state.text])
    name = as_name(os.path.splitext(state.file)[0], MOST_LETTERS, NETWORK_SIGNS) or "network"
    return read_text(state.text, state.file, name)


@cache
def _zoo() -> dict[str, str]:
    """The names of the zoo's files by their texts."""
    return {path.read_text(encoding="utf-8"): path.stem for path in specs().glob("*.yaml")}


def _setting(key: str, value: Any, family: Family) -> Any:
    """A setting. A text is read as on the command line, unless the spec parameter is a word."""
    is_text = isinstance(value, str) and not isinstance(family.params[key], str)
    return read_setting(f"{key}={value}")[1] if is_text else value


def _sentence(problem: Problem, text: str) -> str:
    """A problem as the page lists it."""
    line = problem.line
    if problem.file.startswith(f"{PATTERN}, column "):
        line, _ = line_and_column(text, int(problem.file.rpartition(" ")[2]))
    path = f" ({clipped(problem.path, 90)})" if problem.path else ""
    return f"{f'line {line} ' if line else ''}{clipped(problem.text, 320)}{path}"


def _grouped(number: Any) -> str:
    if not isinstance(number, int | float):
        return ""
    return f"{number:,}" if isinstance(number, int) else f"{number:,.6f}".rstrip("0").rstrip(".")
