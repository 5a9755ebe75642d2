"""What the fields of a network mean at its input, in words, and the lines that explain the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archcalc.analysis import Analysis
from archcalc.field.axis import AxisField
from archcalc.field.propagation import FieldByAxis
from archcalc.field.summary import FieldSummary, LayerField
from archcalc.report.layers import field_of
from archcalc.sizes import AXES

SQUARE = {1: "", 2: "square ", 3: "cubic "}

MEANINGS: Mapping[str, str] = {
    "rf": "size of the receptive field in pixels, maps without borders",
    "rf_smallest": "field of the unit that sees least, where units differ; field is that of the unit that sees most",
    "step": "pixels between the fields of neighbouring units, on average where units differ; '-' or 'whole': every "
    "unit has the same field",
    "first": "first pixel of unit 0 (negative: in the padding)",
    "padding": "-first",
    "rf_least": "smallest field over all branches",
    "centred": "all branches have the same centre",
    "exact": "'bound': no unit has a larger field, some units may have a smaller one",
    "rf_with_gates": "field over all paths, the gates' own included",
}
"""The meaning of each column of fields."""


def column_meanings(names: Sequence[str], titles: Mapping[str, str] | None = None) -> list[str]:
    """One sentence for each of the columns."""
    called = {"rf": "field", "rf_smallest": "smallest", "rf_least": "least", "rf_with_gates": "with gates"} | dict(
        titles or {}
    )
    return [f"{called.get(name, name)}: {MEANINGS[name]}" for name in names if name in MEANINGS]


def branches(axis: AxisField) -> bool:
    """Whether some path to the layer has a smaller field than the largest path."""
    return axis.least != axis.field and not axis.field.whole


def units_differ(axis: AxisField) -> bool:
    """Whether the fields of the layer's units have several sizes."""
    return bool(axis.field.phases) and axis.field.smallest != axis.field.size


def sizes_text(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes))


def field_text(axes: FieldByAxis) -> str:
    """The size of the field, as HxW where the axes differ; a bound is marked."""
    return str(field_of(axes))


def changing(analysis: Analysis) -> list[LayerField]:
    """The layers whose field differs from the field of at least one input, without the layers of gates."""
    return [layer for layer in analysis.field.layers if layer.differs_from_input and not layer.gate]


def sentences(analysis: Analysis, layers: Sequence[LayerField], summary: FieldSummary | None = None) -> list[str]:
    """The sentences about a network's fields. ``layers`` are the layers that the table shows.

    ``summary``: the field summary, or a part of it.
    """
    return [
        *summary_lines(analysis, summary or analysis.field.summary),
        *units_line(layers),
        *field_notes(analysis, layers),
    ]


def summary_lines(analysis: Analysis, summary: FieldSummary) -> list[str]:
    """Lines on the first layer that covers the input, the idle layers, and the smallest input without idle layers."""
    lines = [_first(analysis, summary), _idle(analysis, summary)]
    if summary.least is not None:
        sides = [summary.least] * len(analysis.field.pixels)
        most = "" if summary.least_exact else "at most "
        lines.append(f"smallest {SQUARE[len(sides)]}input without idle layers: {most}{sizes_text(sides)}")
    return lines


def _first(analysis: Analysis, summary: FieldSummary) -> str:
    image = sizes_text(analysis.field.pixels)
    if summary.may_be_first or summary.may_be_everywhere:
        some, every = (
            _not_before(summary.first, summary.may_be_first),
            _not_before(summary.everywhere, summary.may_be_everywhere),
        )
        if some == every:
            return f"the first layer that covers the network input of {image}: {some}"
        return f"the first layer of which a unit covers the network input of {image}: {some}; every unit: {every}"
    if summary.first is None:
        widest = max(changing(analysis), key=lambda layer: [axis.field.size for axis in layer.field], default=None)
        largest = f"; the largest field is {field_text(widest.field)}, of {widest.node.name}" if widest else ""
        return f"no layer covers the network input of {image}{largest}"
    name, everywhere = summary.first.node.name, summary.everywhere
    if everywhere and everywhere.node is summary.first.node:
        return f"the first layer that covers the network input of {image}: {name}, in every unit"
    some = f"the first layer that covers the network input of {image}: {name} ({field_text(summary.first.field)}), in some units"
    return f"{some}; {everywhere.node.name}, in every unit" if everywhere else f"{some}; no layer in every unit"


def _not_before(known: LayerField | None, may: LayerField | None) -> str:
    """Text for the first layer that is known to cover the input.

    If an earlier layer may cover the input (its field is a bound), the text is a range.
    """
    if may is None:
        return f"{known.node.name} ({field_text(known.field)})" if known else "none"
    earliest = f"not before {may.node.name} ({field_text(may.field)})"
    return (
        f"{earliest}, at the latest {known.node.name} ({field_text(known.field)})" if known else f"{earliest}, if any"
    )


def _idle(analysis: Analysis, summary: FieldSummary) -> str:
    many, idle, at = len(summary.widening), summary.idle, f"at {sizes_text(analysis.field.pixels)}"
    if not many:
        return "no layer widens the field: every unit sees one pixel, or the whole map"
    may = _may_be_idle(summary)
    layers = "1 widening layer" if many == 1 else f"{many} widening layers"
    if not idle:
        if may:
            return f"none of {layers} is known to be idle {at}. {may}"
        return f"none of {layers} is idle {at}: {'it adds' if many == 1 else 'all add'} context"
    are, their = (
        ("is idle", "its input already covers") if len(idle) == 1 else ("are idle", "their input already covers")
    )
    text = f"{len(idle)} of {layers} {are} {at}: {their} the network input ({_from_to(idle)}). {_helping(idle)}"
    return f"{text} {may}" if may else text


def _may_be_idle(summary: FieldSummary) -> str:
    """Text for the layers that may be idle: the field of their input is a bound."""
    if not summary.may_idle:
        return ""
    more = " more" if summary.idle else ""
    return (
        f"{len(summary.may_idle)}{more} may be idle: the field of the input is a bound ({_from_to(summary.may_idle)})."
    )


def _from_to(layers: Sequence[LayerField]) -> str:
    return " to ".join(dict.fromkeys((layers[0].node.name, layers[-1].node.name)))


def _helping(idle: Sequence[LayerField]) -> str:
    """Text for the idle layers that still help. Units near the border see the whole input later than other units."""
    helping_none = sum(bool(layer.idle_everywhere) for layer in idle)
    helping = len(idle) - helping_none
    if len(idle) == 1:
        return "It helps no unit." if helping_none else "It still helps units near the border."
    if not helping_none:
        return "They still help units near the border."
    if not helping:
        return "They help no unit."
    return (
        f"{helping} of them still {'helps' if helping == 1 else 'help'} units near the border. "
        f"{helping_none} {'helps' if helping_none == 1 else 'help'} no unit."
    )


def gate_line(analysis: Analysis) -> list[str]:
    """A line on the paths that the fields follow, if the network has gates."""
    gate = next((layer for layer in analysis.field.layers if layer.gate), None)
    if gate is None:
        return []
    return [
        f"fields follow the paths past the gates. Through the gates (first: {gate.node.name}) every unit behind them sees "
        f"the whole input: column rf_with_gates"
    ]


def units_line(layers: Sequence[LayerField]) -> list[str]:
    """A line on the first layer whose units have fields of several sizes."""
    first = next((layer for layer in layers if any(map(units_differ, layer.field))), None)
    if first is None:
        return []
    return [
        f"from {first.node.name} on, units have fields of several sizes; --layer NAME --unit Y,X gives that of one unit"
    ]


def field_notes(analysis: Analysis, layers: Sequence[LayerField]) -> list[str]:
    """Notes on gates, on padding that depends on the input, and on pixels that strides leave over."""
    lines = gate_line(analysis)
    padded = [layer for layer in layers if layer.padded]
    if padded:
        lines.append(
            f"from {padded[0].node.name} on, first and padding are for this input alone: padding 'same' depends on its size"
        )
    left = next((layer for layer in changing(analysis) if _leaves_over(analysis, layer)), None)
    if left is not None:
        fields = zip(AXES[len(left.field)], (axis.field for axis in left.field), strict=True)
        pixels = ", ".join(f"{name} {field.start} to {field.start + field.size - 1}" for name, field in fields)
        lines.append(
            f"strides leave pixels over: {left.node.name}, which takes the whole map, sees {pixels} of the network input of "
            f"{sizes_text(analysis.field.pixels)}"
        )
    return lines


def _leaves_over(analysis: Analysis, layer: LayerField) -> bool:
    """Whether the layer reads a whole map, and its field is smaller than the network input."""
    return any(
        axis.exact and axis.field.whole and axis.field.size < n
        for axis, n in zip(layer.field, analysis.field.pixels, strict=True)
    )
