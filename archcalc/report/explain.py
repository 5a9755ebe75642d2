"""From our count to a tool's: each term with the sum so far, and every tool side by side."""

from __future__ import annotations

from typing import Any

from archcalc.analysis import analyze
from archcalc.analysis.explanation import QUANTITIES, Explained, explained
from archcalc.conventions import Convention, convention, conventions
from archcalc.conventions.source_style import (
    ASSUMED,
    FORMS,
    MODULE,
    OPERATOR,
    RF_BENCHMARK,
    Extra,
    SourceStyle,
    source_style,
)
from archcalc.errors import ArchcalcError
from archcalc.network import Network
from archcalc.report.footer import incomplete_lines
from archcalc.report.layers import header, meta
from archcalc.report.table import Heading, Table
from archcalc.units import NOT_COUNTED
from archcalc.version import __version__

BYTES = 4
"""Tools take a value to be a float32."""

MOST_LAYERS = 6_000
"""The most layers of a network that every convention counts."""
BUG = "bug in {}"
UNKNOWN_TO_IT = "unknown to it: layer types that the tool's convention says nothing about; its totals are incomplete"
HEADINGS = (
    Heading("quantity", "quantity", "text", 8),
    Heading("term", "term", "text", 9),
    Heading("layers", "layers", "number", 4),
    Heading("amount", "amount", "count", 7),
    Heading("sum", "sum", "count", 8),
    Heading("place", "in its source", "text", 2),
)
ALL_HEADINGS = (
    Heading("tool", "tool", "text", 9),
    Heading("version", "version", "text", 3),
    Heading("operations", "operations", "count", 8),
    Heading("counts", "of", "text", 5),
    Heading("deviation", "from ours", "text", 7),
    Heading("params", "params", "count", 6),
    Heading("params_deviation", "from ours", "text", 4),
    Heading("memory", "memory", "text", 4),
    Heading("unknown", "unknown to it", "text", 3),
)
MEASURED_HEADINGS = (
    Heading("measured", "measured", "count", 8),
    Heading("remainder", "remainder", "count", 8),
    Heading("params_remainder", "params remainder", "count", 6),
    Heading("memory_remainder", "memory remainder", "count", 4),
)


def explain_table(network: Network, name: str, measured: bool = False) -> Table:
    """The terms that lead from our count to the one of the named convention; ``measured`` runs the tool itself."""
    how = convention(name)
    found = explained(network, how)
    rows: list[list[Any]] = []
    facts = _measure(network, how) if measured else None
    for quantity in QUANTITIES:
        if not found.counts(quantity.name):
            continue
        running = 0
        for step in found.ways[quantity.name]:
            running += step.amount
            label = step.label + (f" [{BUG.format(name)}]" if step.bug else "")
            rows.append([quantity.name, label, step.layers, step.amount, running, step.place])
        incomplete = " (incomplete)" if found.unknown and not quantity.tally(how).plain else ""
        rows.append([quantity.name, f"= {name}: {_called(how, quantity.name)}{incomplete}", "", "", running, ""])
        if facts is not None and facts.get(quantity.name) is not None:
            real = facts[quantity.name]
            rows.append([quantity.name, f"measured: {how.name} on torchvision's {facts['model']}", "", "", real, ""])
            rows.append([quantity.name, "remainder", "", "", real - running, ""])
    analysis = analyze(network, convention=how)
    return Table(
        title=f"{network.full_name} as {name}",
        headings=HEADINGS,
        rows=rows,
        footer=_footer(network, found),
        header=[
            *header(analysis)[:-1],
            f"{how.name}{' ' + how.version if how.version else ''}: {how.source}",
            f"archcalc {__version__}",
        ],
        meta=meta(analysis) | {"version": how.version, "source": how.source},
    )


def _called(how: Convention, quantity: str) -> str:
    return {"operations": how.counts, "parameters": "parameters", "memory": f"{how.memory_name}, in values"}[quantity]


def _footer(network: Network, found: Explained) -> list[str]:
    how, lines = found.how, []
    for steps in found.ways.values():
        lines += [f"{BUG.format(how.name)}: {step.label}: {step.bug}" for step in steps if step.bug]
    if found.left_out:
        lines.append(f"not counted by {how.name}: {', '.join(found.left_out)}")
    lines += incomplete_lines(how, found.unknown)
    if how.reuse.tied and not how.reuse.called and any(node.shares is not None for node in network.nodes):
        lines.append(
            "assumed: a layer that shares parameters is one module, called again; where settings differ, two modules "
            f"with tied parameters, which {how.name} counts twice"
        )
    if found.counts("memory"):
        values, said = f"{found.total('memory'):,} values", memory_text(found)
        lines.append(f"memory: {said}" + ("" if said == values else f", for {values} of {BYTES} bytes"))
    if how.side_params and network.side_problem:
        lines.append("side heads do not fit this input; their parameters are left out, though the model owns them")
    return lines + (_code(network, how) if how.sees_code else [])


def _code(network: Network, how: Convention) -> list[str]:
    """What is known, or assumed, of the code that the tool looks at."""
    code = source_style(network.zoo_name, how.sees_code)
    if not code.source:
        lines = [f"assumed: {ASSUMED[how.sees_code]}"]
        if how.sees_code != RF_BENCHMARK and any(node.layer.type == "conv_table" for node in network.nodes):
            lines.append("assumed: a conv_table is a convolution of torch.nn for every output map")
    else:
        forms = {
            form: None
            for node in network.nodes
            if not node.side
            for form in [code.form(node.layer.type, node.name)[0]]
            if form not in (MODULE, OPERATOR)
        }
        listed = [f"{', '.join(_types(network, code, form))} as {FORMS[form]}" for form in forms]
        said = "; ".join(listed) or ("" if how.sees_code == RF_BENCHMARK else "modules")
        assumed = f"assumed of {network.full_name}: " if network.settings_changed else ""
        lines = [f"{assumed}written as in {how.sees_code}, {code.source}" + (f": {said}" if said else "")]
        library = how.sees_code.split()[0]
        lines += [
            f"extra layer in {library}'s code: {extra.name} ({text})"
            for extra in code.extras
            for text in _text(network, extra)
        ]
    if how.name == "torchsummary" and not code.wraps:
        lines.append("assumed: no module contains other modules; torchsummary counts the output of each that does")
    return lines


def _text(network: Network, extra: Extra) -> list[str]:
    """The type of an extra layer, and the size that it makes of its input; nothing where the settings leave none."""
    before = [node for node in network.nodes if node.name == extra.before]
    made = [extra.layer.shape(*network.input_shapes(node)) for node in before[:1]]
    return [f"{extra.layer.type} to {'x'.join(map(str, shape.axes))}" for shape in made]


def _types(network: Network, code: SourceStyle, form: str) -> list[str]:
    return list(
        dict.fromkeys(
            node.layer.type
            for node in network.nodes
            if not node.side and code.form(node.layer.type, node.name)[0] == form
        )
    )


def memory_text(found: Explained) -> str:
    """The memory figure in the tool's own unit and with its decimals."""
    assert found.how.memory_unit is not None
    size, unit, decimals = found.how.memory_unit
    text = f"{found.total('memory') * BYTES / size:,.{decimals}f} {unit}"
    return text + (" (its MB is a MiB)" if unit == "MB" and size == 2**20 else "")


def _measure(network: Network, how: Convention) -> dict[str, Any]:
    from archcalc.witness.models import counterpart
    from archcalc.witness.tools import measure

    said = measure(how.name, network)
    values = None if said.memory is None else said.memory // BYTES
    return {"model": counterpart(network), "operations": said.operations, "parameters": said.params, "memory": values}


def overview_table(network: Network, measured: bool = False) -> Table:
    """Every convention side by side with ours, one row each; ``measured`` runs the tools that are installed."""
    all_found = [explained(network, how) for how in conventions.values()]
    base = all_found[0]
    rows, notes = [], []
    for found in all_found:
        row = _row(found, base)
        if measured:
            cells, note = _remainders(network, found)
            row += cells
            notes += [note] if note else []
        rows.append(row)
    analysis = analyze(network)
    footer = [
        f"'{NOT_COUNTED}': not counted by the tool",
        *([UNKNOWN_TO_IT] if any(found.unknown for found in all_found) else []),
        f"Details of one tool: archcalc explain {network.full_name} --as TOOL",
    ]
    return Table(
        title=f"{network.full_name} as counted by each",
        headings=ALL_HEADINGS + (MEASURED_HEADINGS if measured else ()),
        rows=rows,
        header=header(analysis),
        footer=footer + notes,
        meta=meta(analysis),
    )


def _row(found: Explained, base: Explained) -> list[Any]:
    how = found.how
    counted = how.counts_operations
    operations, params = found.total("operations"), found.total("parameters")
    return [
        how.name,
        how.version,
        operations if counted else None,
        how.counts if counted else "",
        deviation(operations, base.total("operations")) if counted else "",
        params,
        deviation(params, base.total("parameters")),
        memory_text(found) if found.counts("memory") else NOT_COUNTED,
        ", ".join(found.unknown),
    ]


def deviation(count: int, ours: int) -> str:
    """A count as a deviation from ours in percent.

    >>> deviation(4_111_512_576, 4_089_184_256), deviation(5, 5), deviation(5, 0)
    ('+0.55%', '0', '')
    >>> deviation(999_999, 1_000_000)
    '-<0.01%'
    """
    if count == ours or ours == 0:
        return "0" if count == ours else ""
    text = f"{(count - ours) / ours:+.2%}"
    return f"{text[0]}<0.01%" if text[1:] == "0.00%" else text


def _remainders(network: Network, found: Explained) -> tuple[list[Any], str]:
    from archcalc.witness.tools import TOOLS, missing, unfit

    if found.how.name not in TOOLS:
        return [None, None, None, None], ""
    said = missing(found.how.name) or unfit(found.how.name, network)
    if said:
        return ["not run", None, None, None], said
    real = _measure(network, found.how)
    names = [quantity.name for quantity in QUANTITIES]
    return [real["operations"], *(None if real[n] is None else real[n] - found.total(n) for n in names)], ""


def explain(network: Network, name: str | None, measured: bool) -> Table:
    """The way to the named convention, or all of them side by side; ArchcalcError for a name that is none."""
    if name is not None:
        return explain_table(network, name, measured)
    if len(network.nodes) > MOST_LAYERS:
        raise ArchcalcError(
            f"{network.full_name} has {len(network.nodes) - 1:,} layers; all tools are shown side by side up to "
            f"{MOST_LAYERS:,}, and --as TOOL shows one of them"
        )
    return overview_table(network, measured)
