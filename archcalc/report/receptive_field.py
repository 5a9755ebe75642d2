"""The table of receptive fields: layer by layer, with the verdict in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from archcalc.analysis import Analysis
from archcalc.analysis.pixels import layer
from archcalc.analysis.receptive_field import Sight, Verdict, sights, verdict
from archcalc.analysis.views import Views
from archcalc.report.layers import field_of, meta, origin, step_of
from archcalc.report.table import Heading, Table, column_names, kept, of_axis
from archcalc.sizes import AXES, View
from archcalc.version import __version__

SQUARE = {1: "", 2: "square ", 3: "cubic "}

FACTS = ("network", "input", "settings", "archcalc")


def _branches(view: View) -> bool:
    """Whether a smaller path leads to the layer beside the largest."""
    return view.least != view.field and view.field.step != 0


PER_AXIS: Mapping[str, tuple[Heading, Callable[[Sight, int, int], Any]]] = {
    heading.name: (heading, cell)
    for heading, cell in [
        (Heading("rf", "field", "number", 9), lambda s, axis, n: s.views[axis].field.size),
        (Heading("step", "step", "number", 8), lambda s, axis, n: step_of(s.views[axis])),
        (Heading("first", "first", "number", 5), lambda s, axis, n: s.views[axis].field.start),
        (Heading("padding", "padding", "number", 6), lambda s, axis, n: -s.views[axis].field.start),
        (
            Heading("rf_least", "least", "number", 4),
            lambda s, axis, n: s.views[axis].least.size if _branches(s.views[axis]) else None,
        ),
        (
            Heading("centred", "centred", "text", 3),
            lambda s, axis, n: ("yes" if s.centred[axis] else "no") if _branches(s.views[axis]) else "",
        ),
        (Heading("share", "% of input", "ratio", 6), lambda s, axis, n: 100 * s.views[axis].field.size / n),
        (Heading("exact", "exact", "text", 5), lambda s, axis, n: "exact" if s.views[axis].exact else "bound"),
    ]
}
OF_LAYER: Mapping[str, tuple[Heading, Callable[[Sight], Any]]] = {
    heading.name: (heading, cell)
    for heading, cell in [
        (Heading("layer", "layer", "text", 9), lambda s: s.node.name),
        (Heading("type", "type", "text", 4), lambda s: s.node.layer.type),
        (Heading("output", "output", "text", 7), lambda s: str(s.node.shape)),
    ]
}
HEADINGS = [heading for heading, _ in (*OF_LAYER.values(), *PER_AXIS.values())]
OF_BRANCHES = ("rf_least", "centred")
LEGEND = (
    "field, step and first: the pixels that a unit sees, from one unit to the next, and the first that unit 0 sees, "
    "as if the image went on; padding = -first; least: the smallest path where branches differ; centred: whether all "
    "paths to it have one centre; - in step: all units see the same"
)


def field_tables(
    analyses: Sequence[Analysis],
    columns: Sequence[str] | None = None,
    *,
    everything: bool = False,
    name: str | None = None,
    alike: bool = False,
) -> list[Table]:
    """A table of fields for each network: the layers that change it, every layer, or the one of that name.

    A table has both axes where they differ in a cell, and the columns of branches where the network has branches;
    with ``alike`` all tables have the columns that one of them needs. ArchcalcError for an unknown column or layer,
    or a network without spatial axes.
    """
    found = [(analysis, _chosen(sights(analysis), everything, name)) for analysis in analyses]
    together = [found] * len(found) if alike else [[one] for one in found]
    return [
        _table(*one, _names(columns, others), _split(others), columns)
        for one, others in zip(found, together, strict=True)
    ]


def _chosen(found: list[Sight], everything: bool, name: str | None) -> list[Sight]:
    if name is not None:
        return [layer(found, name)]
    return found if everything else [sight for sight in found if sight.changes and not sight.gate]


def _split(found: Sequence[tuple[Analysis, list[Sight]]]) -> tuple[str, ...]:
    """The axes to tell apart; none when they agree in every cell."""
    alike = all(
        len(set(zip(sight.views, sight.centred, analysis.input.axes, strict=True))) == 1
        for analysis, shown in found
        for sight in shown
    )
    return () if alike else AXES[max(len(analysis.input.axes) for analysis, _ in found)]


def _names(columns: Sequence[str] | None, found: Sequence[tuple[Analysis, list[Sight]]]) -> list[str]:
    branches = any(_branches(view) for _, shown in found for sight in shown for view in sight.views)
    if columns:
        return column_names(columns, HEADINGS)
    return [h.name for h in HEADINGS if branches or h.name not in OF_BRANCHES]


def _table(
    analysis: Analysis, shown: list[Sight], names: list[str], axes: tuple[str, ...], columns: Sequence[str] | None
) -> Table:
    sizes = analysis.input.axes
    headings, cells = [], []
    for name in names:
        if name in OF_LAYER:
            heading, of_layer = OF_LAYER[name]
            headings.append(heading)
            cells.append([of_layer(sight) for sight in shown])
            continue
        heading, cell = PER_AXIS[name]
        for axis, called in enumerate(axes or ("",)):
            here = axis - (len(axes) - len(sizes)) if axes else 0  # a sequence beside images has the last axis alone
            headings.append(of_axis(heading, called))
            cells.append([cell(sight, here, sizes[here]) if here >= 0 else None for sight in shown])
    said = verdict(analysis)
    return Table(
        title=analysis.network.title,
        headings=kept(headings, columns),
        rows=[list(row) for row in zip(*cells, strict=True)],
        header=header(analysis),
        footer=[*_verdict_text(analysis, said), *notes(analysis, shown), LEGEND],
        meta=facts(analysis),
        totals={
            "covers": _name(said.first),
            "covers_not_before": _name(said.may_be_first or said.first),
            "covers_everywhere": _name(said.everywhere),
            "covers_everywhere_not_before": _name(said.may_be_everywhere or said.everywhere),
            "widening": len(said.widening),
            "idle": [sight.node.name for sight in said.idle],
            "idle_everywhere": [sight.node.name for sight in said.idle if sight.spent],
            "may_be_idle": [sight.node.name for sight in said.may_idle],
            "smallest_input": said.least,
            "smallest_input_exact": None if said.least is None else "exact" if said.least_exact else "bound",
        },
    )


def header(analysis: Analysis) -> list[str]:
    axes = f" (channels x {' x '.join(AXES[len(analysis.input.axes)])})"
    return [*origin(analysis.network), f"input {analysis.input}{axes}", f"archcalc {__version__}"]


def facts(analysis: Analysis) -> dict[str, Any]:
    return {key: value for key, value in meta(analysis).items() if key in FACTS}


def sizes_text(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes))


def _name(sight: Sight | None) -> str | None:
    return sight.node.name if sight else None


def _verdict_text(analysis: Analysis, said: Verdict) -> list[str]:
    """The verdict in words: who sees the whole input, who comes after it, and what input all of them need."""
    lines = [_first(analysis, said), _idle(said)]
    if said.least is not None:
        sides = [said.least] * len(analysis.input.axes)
        most = "" if said.least_exact else "at most "
        lines.append(
            f"the smallest {SQUARE[len(sides)]}input from which on no layer is idle: {most}{sizes_text(sides)}"
        )
    return lines


def _idle(said: Verdict) -> str:
    many, idle = len(said.widening), said.idle
    if not many:
        return "no layer sees more than one position"
    all_of = f"{many} convolutions and poolings that widen the field"
    may = _may_be_idle(said)
    if not idle and may:
        return f"none of the {all_of} is known to be idle{may}" if many > 1 else may.removeprefix("; ")
    if not idle and many > 1:
        return f"each of the {all_of} adds context at this resolution: none is idle"
    who = "the one layer that widens the field" if many == 1 else f"{len(idle)} of the {all_of}"
    if not idle:
        return f"{who} adds context at this resolution"
    takes, adds = ("take", "add") if len(idle) > 1 else ("takes", "adds")
    return (
        f"{who} {takes} what has seen the whole input already, and {adds} no new context at this resolution: "
        f"{_from_to(idle)}; {_spent(idle)}{may}"
    )


def _may_be_idle(said: Verdict) -> str:
    """Those of which it cannot be told, since what they take has a bound for a field."""
    if not said.may_idle:
        return ""
    if len(said.widening) == 1:
        return "; the one layer that widens the field may be idle, since a bound is known of what it takes"
    many, takes = len(said.may_idle), "they take" if len(said.may_idle) > 1 else "it takes"
    more = " more" if said.idle else ""
    return f"; {many}{more} may be, since a bound is known of what {takes}: {_from_to(said.may_idle)}"


def _from_to(sights: Sequence[Sight]) -> str:
    return " to ".join(dict.fromkeys((sights[0].node.name, sights[-1].node.name)))


def _spent(idle: Sequence[Sight]) -> str:
    """Who gains from idle layers all the same: units near the border see all of the input later than others."""
    spent = sum(bool(sight.spent) for sight in idle)
    those = "it" if len(idle) == 1 else "them"
    if spent == len(idle):
        return f"no unit sees more by {those}"
    if not spent:
        return f"units near the border alone see more by {those}"
    return f"units near the border alone see more by {len(idle) - spent} of them, and no unit by {spent}"


def _first(analysis: Analysis, said: Verdict) -> str:
    image = sizes_text(analysis.input.axes)
    first = f"the first layer whose field covers the whole input of {image}"
    if said.may_be_first or said.may_be_everywhere:
        some, every = _not_before(said.first, said.may_be_first), _not_before(said.everywhere, said.may_be_everywhere)
        return (
            f"{first}: {some}" if some == every else f"{first}, for some of its units: {some}; for every unit: {every}"
        )
    if said.first is None:
        changed = [sight for sight in sights(analysis) if sight.changes and not sight.gate]
        widest = max(changed, key=lambda sight: _sizes(sight.views), default=None)
        largest = f"; the largest is {field_text(widest.views)}, of {widest.node.name}" if widest else ""
        return f"no layer's field covers the whole input of {image}{largest}"
    some = f"{first}: {said.first.node.name} ({field_text(said.first.views)}), for some of its units"
    if said.everywhere is None:
        return f"{some}; no layer's every unit sees all of it"
    if said.everywhere.node is said.first.node:
        return f"{first}: {said.first.node.name}, for every unit"
    return f"{some}; {said.everywhere.node.name}, for every unit"


def _not_before(known: Sight | None, may: Sight | None) -> str:
    """The first layer of which something is known, unless it is one before that of which it may be so."""
    if may is None:
        return f"{known.node.name} ({field_text(known.views)})" if known else "none"
    earliest = f"not before {may.node.name} ({field_text(may.views)})"
    return (
        f"{earliest}, at the latest {known.node.name} ({field_text(known.views)})" if known else f"{earliest}, if any"
    )


def _sizes(views: Views) -> list[int]:
    return [view.field.size for view in views]


def field_text(views: Views) -> str:
    """The size of the field, as HxW where the axes differ; a bound is marked."""
    return str(field_of(views))


def notes(analysis: Analysis, shown: Sequence[Sight]) -> list[str]:
    found = sights(analysis)
    lines = []
    gates = [sight for sight in found if sight.gate]
    if gates:
        lines.append(
            f"fields are those of the paths beside gates; through the gates ({gates[0].node.name} is the first of "
            f"their layers) everything behind sees the whole input"
        )
    padded = [sight for sight in shown if sight.padded]
    if padded:
        lines.append(
            f"from {padded[0].node.name} on, first and padding are for this input alone: padding 'same' depends on its size"
        )
    left = next((sight for sight in found if sight.changes and not sight.gate and _leaves_over(analysis, sight)), None)
    if left is not None:
        fields = zip(AXES[len(left.views)], left.views, strict=True)
        seen = ", ".join(
            f"{axis} {view.field.start} to {view.field.start + view.field.size - 1}" for axis, view in fields
        )
        lines.append(
            f"strides leave pixels over: {left.node.name}, which takes the whole map, sees {seen} of the image of "
            f"{sizes_text(analysis.input.axes)}"
        )
    if any(not view.exact for sight in shown for view in sight.views):
        lines.append("bound: no unit sees more, but some may see less")
    return lines


def _leaves_over(analysis: Analysis, sight: Sight) -> bool:
    """Whether the layer takes a whole map, and with it less than the whole image."""
    return any(
        view.exact and view.field.step == 0 and view.field.size < n
        for view, n in zip(sight.views, analysis.input.axes, strict=True)
    )
