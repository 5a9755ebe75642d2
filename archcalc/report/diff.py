"""Two networks aligned layer by layer: what differs, and what that makes of every total."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Any

from archcalc.analysis import Analysis
from archcalc.analysis.trace import Row
from archcalc.naming import same_network, told_apart
from archcalc.report.compare import largest_field
from archcalc.report.footer import incomplete_lines
from archcalc.report.layers import meta, unknown_fact
from archcalc.report.outputs import outputs_text, unused_of
from archcalc.report.table import Heading, Table
from archcalc.report.units import counted
from archcalc.version import __version__

HEADINGS = (
    Heading("layer", "layer", "text", 9),
    Heading("difference", "difference", "text", 9),
    Heading("params_delta", "params", "count", 7),
    Heading("macs_delta", "MACs", "count", 7),
    Heading("values_delta", "values", "count", 5),
)


class Change(int):
    """A difference: written with its sign in print, a number like any other in CSV and JSON.

    >>> f"{Change(231_211_008):,}", f"{Change(-5):,}", f"{Change(0):,}", str(Change(7))
    ('+231,211,008', '-5', '0', '7')
    """

    def __format__(self, spec: str) -> str:
        return super().__format__(f"+{spec}" if self else spec)


def diff_table(a: Analysis, b: Analysis) -> Table:
    """The layers of b that differ from those of a, aligned by name, with the change of each figure."""
    with told_apart([a.network, b.network]):
        return _differing(a, b)


def _differing(a: Analysis, b: Analysis) -> Table:
    rows, same = [], 0
    for left, right in aligned(a.rows, b.rows):
        said = difference(left, right) or _rerouted(left, right, a, b)
        if said:
            name = (right or left).name  # type: ignore[union-attr]
            rows.append([name, said, *(Change(f(right) - f(left)) for f in (_params, _macs, _values))])
        else:
            same += 1
    facts = {"from": a.network.full_name, "to": b.network.full_name} | {
        key: value for key, value in meta(a).items() if key in ("batch", "dtype", "convention", "archcalc")
    }
    types = dict.fromkeys((*a.unknown_types, *b.unknown_types))
    facts |= unknown_fact(a.convention, list(types))
    header = [
        f"{a.network.full_name} ({a.input}) to {b.network.full_name} ({b.input}), batch {a.batch}",
        *(f"{x.network.full_name}: {x.network.about['note']}" for x in (a, b) if "note" in x.network.about),
        *unused_of(x.network for x in (a, b)),
        f"convention {a.convention.name}: {a.convention.about}",
        f"archcalc {__version__}",
    ]
    footer = [
        f"{counted(len(rows), 'layer')} {'differs' if len(rows) == 1 else 'differ'}, {same} are the same in kind, settings, shape and costs"
    ]
    if same_network(a.network, b.network):
        said = f"both are the same network, {a.network.full_name}: nothing differs"
        one_side = ". To set one of the two: archcalc diff NET NET@KEY=VALUE" if a.network.settings else ""
        footer.insert(0, said + one_side)
    t, u = a.totals, b.totals
    for what, old, new in (
        ("parameters", t.params, u.params),
        ("buffers", t.buffers, u.buffers),
        (a.convention.counts, t.macs, u.macs),
        ("feature-map values", t.values, u.values),
    ):
        footer.append(f"{what}: {old:,} to {new:,} ({Change(new - old):,})")
    for analysis in (a, b):
        footer += incomplete_lines(analysis.convention, analysis.unknown_types, analysis.network.full_name)
    if outputs_text(a.network) != outputs_text(b.network):
        footer.append(f"outputs: {outputs_text(a.network)} to {outputs_text(b.network)}")
    before, after = largest_field(a), largest_field(b)
    footer.append(f"field of the last layer that does not see everything at once: {before} to {after}")
    headings = [h._replace(title=a.convention.counts) if h.name == "macs_delta" else h for h in HEADINGS]
    return Table(title="difference", headings=headings, rows=rows, header=header, footer=footer, meta=facts)


def aligned(left: list[Row], right: list[Row]) -> list[tuple[Row | None, Row | None]]:
    """The rows in pairs, by name and in order; one without a partner is paired with None."""
    pairs: list[tuple[Row | None, Row | None]] = []
    matcher = SequenceMatcher(None, [r.name for r in left], [r.name for r in right], autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            pairs += zip(left[i:j], right[k:m], strict=True)
        else:
            pairs += [(row, None) for row in left[i:j]]
            pairs += [(None, row) for row in right[k:m]]
    return pairs


def difference(left: Row | None, right: Row | None) -> str:
    """What differs, in words; empty when nothing does.

    The receptive field is left to the totals: one change of it goes on through every later layer.
    """
    if left is None or right is None:
        row, word = (right, "new") if left is None else (left, "gone")
        assert row is not None
        return f"{word}: {row.type} {row.shape}"
    said = []
    if left.type != right.type:
        said.append(f"{left.type} to {right.type}")
    elif left.node and right.node:
        before, after = left.node.layer.settings, right.node.layer.settings
        changed = [key for key in before if before[key] != after[key]]
        said += [f"{key} {_written(before[key])} to {_written(after[key])}" for key in changed]
        if left.node.storage != right.node.storage:
            said.append(f"storage {left.node.storage} to {right.node.storage}")
    if left.shape != right.shape:
        said.append(f"output {left.shape} to {right.shape}")
    if left.shared != right.shared:
        said.append(f"weights of {left.shared or 'its own'} to {right.shared or 'its own'}")
    if not said and (_params(left), left.macs, left.values) != (_params(right), right.macs, right.values):
        said.append(f"input {' '.join(map(str, left.inputs))} to {' '.join(map(str, right.inputs))}")
    return "; ".join(said)


def _rerouted(left: Row | None, right: Row | None, a: Analysis, b: Analysis) -> str:
    """How a layer takes another input among those that both networks have; empty where it does not."""
    if left is None or right is None or left.node is None or right.node is None:
        return ""
    before = [a.network.nodes[i].name for i in left.node.inputs]
    after = [b.network.nodes[i].name for i in right.node.inputs]
    common = {node.name for node in a.network.nodes} & {node.name for node in b.network.nodes}
    if before == after or not common.issuperset({*before, *after}):
        return ""
    return f"from {', '.join(before)} to {', '.join(after)}"


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value).replace(" ", "")[:40]


def _params(row: Row | None) -> int:
    return 0 if row is None else row.param_count


def _macs(row: Row | None) -> int:
    return 0 if row is None or row.macs is None else row.macs


def _values(row: Row | None) -> int:
    return 0 if row is None or row.values is None else row.values
