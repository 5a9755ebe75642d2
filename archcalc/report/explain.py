"""The terms between archcalc's count and a tool's count, each with the sum so far; and all tools side by side."""

from __future__ import annotations

from typing import Any

from archcalc.analysis import analyze
from archcalc.analysis.explanation import QUANTITIES, ExplainedQuantity, Explanation, explain, extra_layers
from archcalc.conventions import Convention, convention, conventions
from archcalc.conventions.source_style import FORMS, MODULE, OPERATOR, RF_BENCHMARK, Library, SourceStyle, source_style
from archcalc.errors import ArchcalcError
from archcalc.network import Network
from archcalc.report.commands import command_text
from archcalc.report.footer import incomplete_lines
from archcalc.report.header import layer_header
from archcalc.report.table import Heading, Table
from archcalc.units import NOT_COUNTED

BYTES = 4
"""Bytes of a value. Tools compute memory for float32."""

MOST_LAYERS = 6_000
"""Largest number of layers of a network in the table of all conventions."""
BUG = "bug in {}"
UNKNOWN_LEGEND = (
    "unknown to it: layer types that the tool's convention says nothing about; the tool's totals are incomplete"
)
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


def explain_table(network: Network, name: str | None = None, measured: bool = False) -> Table:
    """The terms of the named convention, or all conventions side by side; ``measured`` runs the tools themselves.

    ArchcalcError for an unknown name, and for a network with too many layers to show all conventions.
    """
    if name is not None:
        return term_table(network, convention(name), measured)
    if len(network.nodes) > MOST_LAYERS:
        raise ArchcalcError(
            f"{network.full_name} has {len(network.after_inputs):,} layers; all tools are shown side by side up to "
            f"{MOST_LAYERS:,}, and --as TOOL shows one of them"
        )
    return overview_table(network, measured)


def term_table(network: Network, convention: Convention, measured: bool = False) -> Table:
    """The terms between archcalc's count and the convention's count, one per row. ``measured`` runs the tool itself."""
    explanation = explain(network, convention)
    measurement = _measure(network, convention) if measured else {}
    analysis = analyze(network, convention=convention)
    return Table(
        title=f"{network.full_name} as {convention.name}",
        headings=HEADINGS,
        rows=[row for quantity in QUANTITIES for row in _term_rows(explanation, quantity, measurement)],
        footer=_footer(network, explanation),
        header=layer_header(analysis)._replace(
            notes=(f"{' '.join(filter(None, (convention.name, convention.version)))}: {convention.source}",),
            options={"version": convention.version, "source": convention.source},
        ),
    )


def _term_rows(explanation: Explanation, quantity: ExplainedQuantity, measurement: dict[str, Any]) -> list[list[Any]]:
    """The terms of one quantity with the sum so far, the convention's total, and the remainder if the tool was run."""
    if not explanation.counts(quantity.name):
        return []
    how, name = explanation.convention, quantity.name
    rows: list[list[Any]] = []
    total = 0
    for term in explanation.terms[name]:
        total += term.amount
        label = term.label + (f" [{BUG.format(how.name)}]" if term.bug else "")
        rows.append([name, label, term.layers, term.amount, total, term.place])
    called = {"operations": how.operations_name, "memory": f"{how.memory_name}, in values"}.get(name, name)
    incomplete = " (incomplete)" if explanation.unknown_types and not quantity.tally(how).is_own else ""
    rows.append([name, f"= {how.name}: {called}{incomplete}", "", "", total, ""])
    if measurement.get(name) is not None:
        count = measurement[name]
        rows.append([name, f"measured: {how.name} on torchvision's {measurement['model']}", "", "", count, ""])
        rows.append([name, "remainder", "", "", count - total, ""])
    return rows


def _footer(network: Network, explanation: Explanation) -> list[str]:
    how, lines = explanation.convention, []
    for terms in explanation.terms.values():
        lines += [f"{BUG.format(how.name)}: {term.label}: {term.bug}" for term in terms if term.bug]
    if explanation.not_counted:
        lines.append(f"not counted by {how.name}: {', '.join(explanation.not_counted)}")
    lines += incomplete_lines(how, explanation.unknown_types)
    if how.reuse.ties and not how.reuse.calls and any(node.shares is not None for node in network.nodes):
        lines.append(
            "assumed: layers that share parameters are one module, called again. If their settings differ: two modules "
            f"with tied parameters, which {how.name} counts twice"
        )
    if explanation.counts("memory"):
        values, text = f"{explanation.total('memory'):,} values", memory_text(explanation)
        lines.append(f"memory: {text}" + ("" if text == values else f", for {values} of {BYTES} bytes"))
    if how.counts_side_heads and network.side_problem:
        lines.append("side heads do not fit this input: their parameters are left out, although the model owns them")
    return lines + (_style_lines(network, how, how.library) if how.library else [])


def _style_lines(network: Network, how: Convention, library: Library) -> list[str]:
    """What is known, or assumed, about the code that the tool measures."""
    style = source_style(network.zoo_name, library, network.forms)
    if not style.source:
        lines = [f"assumed: {library.assumption}"]
        if library is not RF_BENCHMARK and any(node.layer.type == "conv_table" for node in network.nodes):
            lines.append("assumed: a conv_table is a convolution of torch.nn for every output map")
    else:
        forms = _forms(network, style)
        text = "; ".join(f"{', '.join(types)} as {FORMS[form]}" for form, types in forms.items())
        text = text or ("" if library is RF_BENCHMARK else "every layer as a module or an operator")
        assumed = f"assumed of {network.full_name}: " if network.settings_changed else ""
        where = f"as in {library}, {style.source}" if not style.recorded else f"as in {style.source}"
        lines = [f"{assumed}written {where}" + (f": {text}" if text else "")]
        for extra, x in extra_layers(network, style):
            size = "x".join(map(str, extra.layer.shape(x).axes))
            lines.append(f"extra layer in {library.name}'s code: {extra.name} ({extra.layer.type} to {size})")
    if library is not RF_BENCHMARK and any(getattr(node.layer, "weight_norm", None) for node in network.nodes):
        lines.append(
            "assumed: weight normalisation is PyTorch's parametrization; weights are standardised in a subclass of the "
            "convolution, as in timm"
        )
    if how.name == "torchsummary" and not style.has_wrappers:
        lines.append(
            "assumed: no module contains other modules. torchsummary counts the output of every module that does"
        )
    return lines


def _forms(network: Network, style: SourceStyle) -> dict[str, list[str]]:
    """The layer types in each form, except modules and operators."""
    forms: dict[str, dict[str, None]] = {}
    for node in network.nodes:
        form, _ = style.form(node.layer.type, node.name)
        if not node.side and form not in (MODULE, OPERATOR):
            forms.setdefault(form, {})[node.layer.type] = None
    return {form: list(types) for form, types in forms.items()}


def memory_text(explanation: Explanation) -> str:
    """The memory figure in the tool's own unit and with its decimals."""
    assert explanation.convention.memory_unit is not None
    size, unit, decimals = explanation.convention.memory_unit
    text = f"{explanation.total('memory') * BYTES / size:,.{decimals}f} {unit}"
    return text + (" (its MB is a MiB)" if unit == "MB" and size == 2**20 else "")


def _measure(network: Network, how: Convention) -> dict[str, Any]:
    """The tool's figures by quantity, and the model that the tool was run on."""
    from archcalc.witness.models import counterpart
    from archcalc.witness.tools import measure

    measurement = measure(how.name, network)
    return {
        "model": counterpart(network),
        "operations": measurement.operations,
        "parameters": measurement.params,
        "memory": None if measurement.memory is None else measurement.memory // BYTES,
    }


def overview_table(network: Network, measured: bool = False) -> Table:
    """All conventions, one per row, compared with archcalc's counts. ``measured`` runs the tools that are installed."""
    explanations = [explain(network, how) for how in conventions.values()]
    rows, notes = [], []
    for explanation in explanations:
        row = _overview_row(explanation, explanations[0])
        if measured:
            cells, note = _remainders(network, explanation)
            row += cells
            notes += [note] if note else []
        rows.append(row)
    analysis = analyze(network)
    footer = [
        f"'{NOT_COUNTED}': not counted by the tool",
        *([UNKNOWN_LEGEND] if any(explanation.unknown_types for explanation in explanations) else []),
        f"Details of one tool: {command_text('explain', network, '--as TOOL')}",
    ]
    return Table(
        title=f"{network.full_name} as counted by each",
        headings=ALL_HEADINGS + (MEASURED_HEADINGS if measured else ()),
        rows=rows,
        header=layer_header(analysis),
        footer=footer + notes,
    )


def _overview_row(explanation: Explanation, ours: Explanation) -> list[Any]:
    how = explanation.convention
    counts = how.counts_operations
    operations, params = explanation.total("operations"), explanation.total("parameters")
    return [
        how.name,
        how.version,
        operations if counts else None,
        how.operations_name if counts else "",
        deviation(operations, ours.total("operations")) if counts else "",
        params,
        deviation(params, ours.total("parameters")),
        memory_text(explanation) if explanation.counts("memory") else NOT_COUNTED,
        ", ".join(explanation.unknown_types),
    ]


def deviation(count: int, ours: int) -> str:
    """The deviation of a count from archcalc's count, in percent.

    >>> deviation(4_111_512_576, 4_089_184_256), deviation(5, 5), deviation(5, 0)
    ('+0.55%', '0', '')
    >>> deviation(999_999, 1_000_000)
    '-<0.01%'
    """
    if count == ours or ours == 0:
        return "0" if count == ours else ""
    text = f"{(count - ours) / ours:+.2%}"
    return f"{text[0]}<0.01%" if text[1:] == "0.00%" else text


def _remainders(network: Network, explanation: Explanation) -> tuple[list[Any], str]:
    """The tool's count and the remainder of each quantity; and the reason if the tool was not run, else nothing."""
    from archcalc.witness.tools import TOOLS, install_hint, memory_problem

    name = explanation.convention.name
    if name not in TOOLS:
        return [None, None, None, None], ""
    problem = install_hint(name) or memory_problem(name, network)
    if problem:
        return ["not run", None, None, None], problem
    measurement = _measure(network, explanation.convention)
    remainders = [
        None if measurement[quantity.name] is None else measurement[quantity.name] - explanation.total(quantity.name)
        for quantity in QUANTITIES
    ]
    return [measurement["operations"], *remainders], ""
