"""Published accuracy against computed MACs. The area of a disc shows the parameters. Every accuracy has a source."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase
from typing import Unpack

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from archcalc.analysis import Analysis
from archcalc.errors import ArchcalcError
from archcalc.language.accuracy import Accuracy
from archcalc.plot import labels, style
from archcalc.plot.colours import INK
from archcalc.plot.look import Looks
from archcalc.plot.points import name_discs
from archcalc.report.compare import published
from archcalc.units import COUNTS, count_text, unit_for

LARGEST = 420
"""The area of the largest disc, in square points."""

NAMED, KEY_COLUMNS = 8, 2
"""NAMED: maximum number of networks with names at the discs. For more: numbers, and a legend in KEY_COLUMNS columns."""

PLACES = 3
"""The most tables of one paper, or weights of one library, that a caption names."""


def compare(*analyses: Analysis, ax: Axes | None = None, **look: Unpack[Looks]) -> Axes:
    """Top-1 accuracy against MACs. A disc's area shows the parameters.

    If a network has no top-1 figure, all networks are shown with top-5 accuracy.

    ArchcalcError if a network has no accuracy with a source, or if the figures were measured on different data.
    """
    accuracies = _sourced(analyses)
    pairs = list(zip(analyses, accuracies, strict=True))
    which = "top1" if all(a.top1 for a in accuracies) else "top5"
    lacking = {
        name: [a.network.full_name for a, one in pairs if getattr(one, name) is None] for name in ("top1", "top5")
    }
    if lacking[which]:
        raise ArchcalcError(
            f"{lacking['top1'][0]} has no top-1 error and {lacking['top5'][0]} no top-5 error: no error is known of all networks"
        )
    if not all(a.totals.macs for a in analyses):
        raise ArchcalcError(f"convention {analyses[0].convention.name} counts no operations to compare by")
    protocols = list(dict.fromkeys(one.how for one in accuracies))
    with style.page(ax, look, *analyses) as page:
        names = [
            f"{name} {_mark(protocols, one)}".strip()
            for name, one in zip(labels.names(analyses), accuracies, strict=True)
        ]
        key = 0.14 * -(-len(names) // KEY_COLUMNS) if len(names) > NAMED else 0
        ax = page.axes(page.look.tall(2.9) + key, scaled=False)
        macs = [a.totals.macs for a in analyses]
        right = [100 - float(getattr(one, which)) for one in accuracies]
        most = max(a.totals.params for a in analyses)
        areas = [LARGEST * a.totals.params / most for a in analyses]
        colours = [style.LINES[protocols.index(one.how) % len(style.LINES)][0] for one in accuracies]
        ax.set_xscale("log")
        ax.scatter(macs, right, areas, c=colours, alpha=0.55, edgecolors=INK, linewidths=0.5, zorder=2)
        _limits(ax, macs, right)
        size, unit = unit_for(macs, COUNTS)
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n / size:,.6g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_xlabel(f"{analyses[0].convention.operations_name} for one forward pass [{unit}]")
        ax.set_ylabel(f"top-{which[-1]} accuracy [%]")
        if len(names) > NAMED:
            _key(ax, names)
        page.framed(ax, _caption(analyses, accuracies, protocols, most))
        texts = names if len(names) <= NAMED else [str(nth) for nth in range(1, len(names) + 1)]
        name_discs(ax, texts, list(zip(macs, right, strict=True)), areas)
    return ax


def _sourced(analyses: Sequence[Analysis]) -> list[Accuracy]:
    by_name = [(a.network.full_name, published(a)) for a in analyses]
    missing = [name for name, one in by_name if one is None]
    if missing:
        raise ArchcalcError(
            f"no accuracy with a source for {', '.join(missing)}: compare shows networks of the zoo as they were published"
        )
    sourced = [one for _, one in by_name if one is not None]
    data: dict[str, list[str]] = {}
    for (name, _), one in zip(by_name, sourced, strict=True):
        data.setdefault("ILSVRC" if one.on.startswith("ILSVRC") else one.on, []).append(name)
    if len(data) > 1:
        groups = "; ".join(f"{on}: {', '.join(names)}" for on, names in data.items())
        raise ArchcalcError(f"accuracies on different data cannot be compared: {groups}")
    return sourced


def _mark(protocols: Sequence[str], one: Accuracy) -> str:
    return f"({ascii_lowercase[protocols.index(one.how) % 26]})" if len(protocols) > 1 else ""


def _limits(ax: Axes, macs: Sequence[int], right: Sequence[float]) -> None:
    ax.set_xlim(min(macs) / 1.8, max(macs) * 2.6)
    room = max(0.18 * (max(right) - min(right)), 0.5)
    ax.set_ylim(min(right) - room, max(right) + room)


def _key(ax: Axes, names: Sequence[str]) -> None:
    """Draw a legend below the axes: each name with its number."""
    numbered = [Line2D([], [], linestyle="none", label=f"{nth}  {name}") for nth, name in enumerate(names, 1)]
    ax.legend(
        handles=numbered,
        ncols=KEY_COLUMNS,
        loc="upper center",
        bbox_to_anchor=(0.45, -0.2),
        handlelength=0,
        handletextpad=0,
        columnspacing=1,
        labelspacing=0.25,
    )


def _caption(analyses: Sequence[Analysis], accuracies: Sequence[Accuracy], protocols: Sequence[str], most: int) -> str:
    first = analyses[0]
    marked = "; ".join(f"{_mark(protocols, one)} {one.how}".strip() for one in {o.how: o for o in accuracies}.values())
    inputs = ", ".join(dict.fromkeys(labels.inputs_text(a).removeprefix("input ") for a in analyses))
    return (
        f"Published accuracy on {', '.join(dict.fromkeys(one.on for one in accuracies))}, {marked}, against computed "
        f"{first.convention.operations_name} at input {inputs}, batch {first.batch}. Areas are parameters; the largest is "
        f"{count_text(most)}. Convention {first.convention.name}.{labels.incomplete(analyses)} Sources: {_sources(accuracies)}."
    )


def _sources(accuracies: Sequence[Accuracy]) -> str:
    """All sources. Tables of one paper, or weights of one library, follow its name; more than PLACES are left out."""
    places: dict[str, dict[str, None]] = {}
    for one in accuracies:
        work, comma, place = one.source.rpartition(", ")
        places.setdefault(work + comma, {})[place] = None
    return "; ".join(
        (work + ", ".join(each) if len(each) <= PLACES else work.removesuffix(", ")) for work, each in places.items()
    )
