"""The numbers of a state: the table of the command line, totals as cards, and the layers behind the rows."""

from __future__ import annotations

from typing import Any

from archcalc.analysis import Analysis
from archcalc.live.columns import headings_data
from archcalc.live.documents import analysis_of, chosen, document, place_in_text
from archcalc.live.params import params_data
from archcalc.live.state import State
from archcalc.network import Node
from archcalc.report.compare import network_field
from archcalc.report.formats import content
from archcalc.report.header import titled
from archcalc.report.layers import COLUMNS, layer_table
from archcalc.report.table import for_programs
from archcalc.sizes import Shape
from archcalc.units import bytes_text, count_text, counted


def analyzed(state: State) -> dict[str, Any]:
    """The answer of the operation ``analyze``."""
    analysis = analysis_of(state)
    network, found = analysis.network, document(state.text, state.file)
    table = layer_table(analysis, list(COLUMNS))
    (plain,) = for_programs([table])
    family = found.family
    name = "" if family is None else chosen(family, state.network)
    return {
        "title": titled(network),
        "about": table.header.lines(),
        "name": name,
        "networks": []
        if family is None
        else [
            {"name": key, "title": str((family.about | entry.about).get("title", key))}
            for key, entry in family.networks.items()
        ],
        "params": params_data(found, name, network.settings),
        "input": network.input_text,
        "inputs": {key: _shape(shape) for key, shape in network.inputs.items()},
        "cards": _cards(analysis),
        "table": content(plain),
        "headings": headings_data(plain),
        "footer": list(table.footer),
        "details": list(table.details),
        "layers": _layers(analysis, state.text),
        "notes": _notes(state, found.family),
    }


def _shape(shape: Shape) -> list[int]:
    return [shape.channels, *shape.axes]


def _notes(state: State, family: Any) -> list[str]:
    """What of the state did not apply to the text."""
    if family is None:
        return ["a one-line pattern has no parameters"] if state.settings else []
    strange = [key for key in state.settings if key not in family.params]
    notes = [f"the text has no network {state.network!r}"] if state.network not in ("", *family.networks) else []
    return notes + ([f"not in the text, so not set: {', '.join(strange[:12])}"] if strange else [])


def _cards(analysis: Analysis) -> list[dict[str, Any]]:
    """The totals, each with its exact number."""
    t, how = analysis.totals, analysis.convention
    values = t.values * analysis.itemsize
    cards = [_card("params", "parameters", count_text(t.params), t.params)]
    if how.counts_operations:
        cards.append(_card("macs", how.operations_name, count_text(t.macs), t.macs))
        if t.flops is not None:
            cards.append(_card("flops", "FLOPs", count_text(t.flops), t.flops))
    cards.append(_card("memory", how.memory_name, bytes_text(values), values, f"{t.values:,} values"))
    field = network_field(analysis)
    if field is not None:
        text = str(field)
        cards.append(_card("field", "largest field", f"{text} pixel{'' if text == '1' else 's'}", list(field.numbers)))
    layers = len(analysis.rows) - len(analysis.inputs)
    cards.append(_card("layers", "layers", f"{layers:,}", layers, f"input {analysis.network.input_text}"))
    if analysis.unknown_types:
        cards[1]["lines"].append(f"incomplete: {counted(len(analysis.unknown_types), 'unknown layer type')}")
    return cards


def _card(key: str, label: str, value: str, number: Any, *lines: str) -> dict[str, Any]:
    return {"key": key, "label": label, "value": value, "number": number, "lines": list(lines)}


def _layers(analysis: Analysis, text: str) -> list[dict[str, Any]]:
    """Every layer of the graph, the inputs first. ``row`` is its row in the table; -1: a side head at inference."""
    rows = {row.node.index: at for at, row in enumerate(analysis.rows) if row.node is not None}
    return [_layer(node, rows.get(node.index, -1), text) for node in analysis.network.nodes]


def _layer(node: Node, row: int, text: str) -> dict[str, Any]:
    line, column = place_in_text(node, text)
    return {
        "row": row,
        "name": node.name,
        "type": node.layer.type,
        "line": line,
        "column": column,
        "blocks": list(node.scopes),
        "inputs": list(node.inputs),
        "shape": _shape(node.shape),
        "side": node.side,
    }
