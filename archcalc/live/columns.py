"""What every column of the table of layers means, for the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archcalc.report.field_summary import MEANINGS
from archcalc.report.layers import COLUMNS, DEFAULT
from archcalc.report.table import Table
from archcalc.sizes import Work

_WORK = {
    "mac": "multiply-adds: one product that is summed",
    "mul": "multiplications that are not part of a multiply-add",
    "add": "additions that are not part of a multiply-add",
    "compare": "comparisons of two values",
    "div": "divisions",
    "exp": "exponentials, roots, logarithms and the like",
}
ABOUT: Mapping[str, str] = {
    "layer": "the name of the layer",
    "type": "the layer type",
    "layers": "the number of layers in the row",
    "shared": "the layer whose weights this layer uses",
    "input": "the shapes of the inputs: channels x height x width",
    "output": "the shape of the output: channels x height x width",
    "params": "parameters under the convention",
    "weights": "trained weights",
    "biases": "trained biases",
    "buffers": "running means and variances, which are not trained",
    "macs": "multiply-adds under the convention",
    "flops": "floating-point operations under the convention",
    "values": "values of the output in new storage; none: in place, or a view",
    "memory": "bytes of the output in new storage; none: in place, or a view",
    **{kind: _WORK.get(kind, f"operations of the kind {kind}") for kind in Work._fields},
    **MEANINGS,
    "exact_with_gates": "'bound': no unit has a larger field over all paths, some units may have a smaller one",
}
"""The meaning of each column, by its name."""


def columns() -> list[dict[str, Any]]:
    """The columns of the table, in their order. ``shown``: in the table of the command line by default."""
    return [
        {"key": name, "title": heading.title, "about": ABOUT[name], "shown": name in DEFAULT}
        for name, (heading, _) in COLUMNS.items()
    ]


def headings_data(table: Table) -> list[dict[str, Any]]:
    """The columns of a table for programs."""
    return [
        {
            "key": heading.name,
            "title": heading.title,
            "kind": heading.kind,
            "about": ABOUT.get(heading.name) or ABOUT.get(heading.name.rpartition("_")[0], ""),
        }
        for heading in table.headings
    ]
