"""The report on imported models: counts, refusals with reasons, and a table of all models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from archcalc.errors import clipped
from archcalc.units import counted
from archcalc.witness.more_reports import outputs, published, table_of
from archcalc.witness.printed import Printed

Row = dict[str, Any]
VERDICTS = ("exact", "refused", "wrong", "fails")
ALWAYS = ("Refused", "Wrong", "Failed")
"""The parts of the report that are there even if they are empty."""
QUOTED = 200
"""The most signs of a reason in the report."""
ABOUT = """\
Every model was imported, and was run itself without values (PyTorch's meta device). Exact means:

- **Parameters**: those of the layers are those of the module on which an output depends. This was found in the module's
  own run, by the storages that each operator reads and writes. All other parameters of the module are listed below.
- **Multiply-adds**: half of what PyTorch's `FlopCounterMode` counts.
- **Statistics** (running means and variances): as parameters. Other buffers of a module are constants, such as the index
  of relative positions or a mask. Layers write them in another way, so both numbers are given.
- **Shapes**: each layer that has the name of a module has as many values as the output of the module, and so has each
  output. The import itself compares the shape of every layer with that of the recorded run.
- **Side heads**: the parameters of a run in training.
- **Text**: the spec that `archcalc import` writes loads to the same network, layer for layer."""


def report(made: Mapping[str, list[Row]], printed: Mapping[str, list[Printed]], made_by: str) -> str:
    """The report, in Markdown. ``made``: the rows by kind: figures, outputs, published, fvcore."""
    rows = [{**row, "item": row["item"].partition(" ")[2]} for row in made["figures"]]
    lines = ["# Imports", "", f"Made by {made_by}.", "", *_counts(rows), "", ABOUT, "", *_texts(rows)]
    for title, part in (
        ("Refused", _reasons(rows, "refused")),
        ("Wrong", _reasons(rows, "wrong")),
        ("Failed", _reasons(rows, "fails")),
        ("Parameters that no output depends on", list(_unused(rows))),
        ("What else the imports say", list(_notes(rows))),
        ("The same outputs on the same weights", list(outputs(made.get("outputs", [])))),
        ("Figures that timm publishes", list(published(made.get("published", []), made.get("fvcore", []), printed))),
        ("All models", list(_table(rows))),
    ):
        lines += ["", f"## {title}", "", *(part or ["None."])] if part or title in ALWAYS else []
    return "\n".join([*lines, ""])


def _counts(rows: list[Row]) -> Iterator[str]:
    def of(own: list[Row]) -> list[Any]:
        found = Counter(row["verdict"] for row in own)
        return [len(own), *(found[one] for one in VERDICTS), round(sum(row["seconds"] for row in own))]

    libraries = list(dict.fromkeys(_library(row) for row in rows))
    parts = [[name, *of([row for row in rows if _library(row) == name])] for name in libraries]
    yield from table_of("library, models, exact, refused, wrong, failed, CPU seconds", [*parts, ["all", *of(rows)]])


def _library(row: Row) -> str:
    return str(row["item"].partition(":")[0])


def _texts(rows: list[Row]) -> Iterator[str]:
    """How long the specs are that ``archcalc import`` writes."""
    for library in dict.fromkeys(map(_library, rows)):
        own = [row for row in rows if _library(row) == library and row.get("lines")]
        if own:
            parts = sorted(row["lines"] / row["layers"] for row in own)
            shorter = sum(part <= 0.1 for part in parts)
            yield (
                f"The imported spec of a model of {library} has {median(row['lines'] for row in own):,.0f} lines "
                f"(the median), {median(parts):.3f} lines for each layer (the median; {parts[0]:.3f} to {parts[-1]:.3f}). "
                f"{shorter:,} of {len(own):,} have at most a tenth of their number of layers."
            )
            yield ""


def _reasons(rows: list[Row], verdict: str) -> list[str]:
    """The models of a verdict, each with its reasons in one sentence."""
    own = [row for row in rows if row["verdict"] == verdict]

    def sentence(row: Row) -> str:
        first, *more = (" ".join(reason.split()).replace("|", "/") for reason in row["reasons"])
        return clipped(first, QUOTED) + (f" (and {counted(len(more), 'other reason')})" if more else "")

    return list(table_of("model, reason", ([row["item"], sentence(row)] for row in own), 2)) if own else []


def _unused(rows: list[Row]) -> Iterator[str]:
    """The models whose outputs do not depend on all parameters."""
    known = [row for row in rows if "equal" in row]
    own = [row for row in known if row["module"]["parameters"] != _theirs(row)]
    yield (
        f"In {len(own):,} of {len(known):,} models. Their layers have the parameters of the module without the unused "
        f"ones, and nothing remains."
    )
    if own:
        yield ""
        numbers = (
            [row["item"], (all_ := row["module"]["parameters"]), all_ - _theirs(row), _theirs(row)] for row in own
        )
        yield from table_of("model, parameters of the module, unused, of the layers", numbers)


def _theirs(row: Row) -> int:
    return int(row["equal"]["parameters"][1])


def _notes(rows: list[Row]) -> Iterator[str]:
    """Side heads, cuts and other remarks."""
    notes = [[row["item"], clipped("; ".join(row["notes"]), QUOTED)] for row in rows if row.get("notes")]
    heads = [row for row in rows if "parameters in training" in row.get("equal", {})]
    if heads:
        yield f"{counted(len(heads), 'model')} with side heads: {', '.join(row['item'] for row in heads)}."
        yield ""
    if notes:
        yield from table_of("model, note", notes, 2)


def _table(rows: list[Row]) -> Iterator[str]:
    own = [row for row in rows if row["verdict"] == "exact"]
    numbers = (
        [
            row["item"],
            row["layers"],
            row["lines"],
            *(row["equal"][name][0] for name in ("parameters", "multiply-adds", "statistics")),
            *row["constants"],
            row["shapes"],
            row["seconds"],
        ]
        for row in own
    )
    columns = "model, layers, lines, parameters, multiply-adds, statistics, constants, of the module, shapes, s"
    yield from table_of(columns, numbers)
