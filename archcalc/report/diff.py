"""Two networks aligned layer by layer: the differences, and the change of every total."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from archcalc.analysis import Analysis
from archcalc.analysis.alignment import aligned, reads
from archcalc.analysis.rows import Row
from archcalc.named_inputs import inputs_text
from archcalc.naming import same_network, told_apart
from archcalc.outputs import outputs_text, unused_of
from archcalc.report.compare import network_field
from archcalc.report.footer import incomplete_lines
from archcalc.report.header import Header, subject
from archcalc.report.table import Heading, Table
from archcalc.units import counted

HEADINGS = (
    Heading("layer", "layer", "text", 9),
    Heading("difference", "difference", "text", 9),
    Heading("params_delta", "params", "count", 7),
    Heading("macs_delta", "MACs", "count", 7),
    Heading("values_delta", "values", "count", 5),
)


class Change(int):
    """A difference: printed with its sign; a plain number in CSV and JSON.

    >>> f"{Change(231_211_008):,}", f"{Change(-5):,}", f"{Change(0):,}", str(Change(7))
    ('+231,211,008', '-5', '0', '7')
    """

    def __format__(self, spec: str) -> str:
        return super().__format__(f"+{spec}" if self else spec)


def diff_table(a: Analysis, b: Analysis) -> Table:
    """The layers of b that differ from those of a, with the change of each figure."""
    with told_apart([a.network, b.network]):
        return _table(_differences(a, b))


class _Differences(NamedTuple):
    """The differences between two analyses.

    partners: maps the index of a node of the first network to the index of its partner in the second network. rows: the
    layers that differ. names: the new name of every renamed layer. same: the number of equal layers. alike: whether the
    networks have the same structure.
    """

    a: Analysis
    b: Analysis
    partners: Mapping[int, int]
    rows: list[list[Any]]
    names: dict[str, str]
    same: int
    alike: bool


def _differences(a: Analysis, b: Analysis) -> _Differences:
    pairs, partners = aligned(a, b)
    rows: list[list[Any]] = []
    names: dict[str, str] = {}
    alike, targets = True, set(partners.values())
    for left, right in pairs:
        read = _rerouted(left, right, partners, targets, a, b)
        text = difference(left, right, _owner(left, partners, b)) or read
        renamed = left is not None and right is not None and left.name != right.name
        alike = alike and not read and left is not None and right is not None and left.type == right.type
        if renamed:
            names[left.name] = right.name  # type: ignore[union-attr]
        if text:
            name = (right or left).name  # type: ignore[union-attr]
            renaming = f"name {left.name} to {name}; " if renamed else ""  # type: ignore[union-attr]
            rows.append([name, renaming + text, *(Change(f(right) - f(left)) for f in (_params, _macs, _values))])
    return _Differences(a, b, partners, rows, names, len(pairs) - len(rows), alike)


def _table(differences: _Differences) -> Table:
    a, how, rows, names = differences.a, differences.a.convention, differences.rows, differences.names
    if names and not rows:
        rows = [[f"({counted(len(names), 'layer')})", _common(differences), Change(0), Change(0), Change(0)]]
    return Table(
        title="difference",
        headings=[h._replace(title=how.operations_name) if h.name == "macs_delta" else h for h in HEADINGS],
        rows=rows,
        header=_header(a, differences.b)._replace(options={"names": names} if names else {}),
        footer=_footer(differences),
    )


def _header(a: Analysis, b: Analysis) -> Header:
    networks = {"from": subject(a.network), "to": subject(b.network)}
    return Header(
        networks,
        about=" to ".join(f"{network.name} ({inputs_text(network.inputs)})" for network in networks.values()),
        batch=a.batch,
        dtype=a.dtype,
        convention=a.convention,
        unknown_types=None
        if a.convention.nothing is None
        else tuple(dict.fromkeys((*a.unknown_types, *b.unknown_types))),
        notes=(
            *(f"{network.name}: {network.variant}" for network in networks.values() if network.variant),
            *unused_of(x.network for x in (a, b)),
        ),
    )


def _footer(differences: _Differences) -> list[str]:
    """How many layers differ, what the networks have in common, and the change of every total."""
    a, b, differ, same = differences.a, differences.b, len(differences.rows), differences.same
    one_network, common = same_network(a.network, b.network), _common(differences)
    lines = []
    if one_network:
        one_side = ". To set one of the two: archcalc diff NET NET@KEY=VALUE" if a.network.settings else ""
        lines.append(f"both are the same network, {a.network.full_name}: nothing differs{one_side}")
    lines.append(
        f"{counted(differ, 'layer')} {'differs' if differ == 1 else 'differ'}, "
        f"{same} {'is' if same == 1 else 'are'} the same in kind, settings, shape and costs"
    )
    lines += [common] if common and not one_network else []
    for what, old, new in (
        ("parameters", a.totals.params, b.totals.params),
        ("buffers", a.totals.buffers, b.totals.buffers),
        (a.convention.operations_name, a.totals.macs, b.totals.macs),
        ("feature-map values", a.totals.values, b.totals.values),
    ):
        lines.append(f"{what}: {old:,} to {new:,} ({Change(new - old):,})")
    for analysis in (a, b):
        lines += incomplete_lines(analysis.convention, analysis.unknown_types, analysis.network.full_name)
    if [differences.partners.get(i) for i in a.network.outputs] != list(b.network.outputs):
        lines.append(f"outputs: {outputs_text(a.network)} to {outputs_text(b.network)}")
    return [*lines, f"largest field of a layer with positions: {network_field(a)} to {network_field(b)}"]


def _common(differences: _Differences) -> str:
    """Says whether the networks are the same or have the same structure, and how many names differ."""
    what = "the same network" if not differences.rows else "one structure with other sizes" if differences.alike else ""
    names = len(differences.names)
    text = f"{counted(names, 'name')} {'differs' if names == 1 else 'differ'}" if names else ""
    return ", ".join(part for part in (what, text) if part)


def _owner(left: Row | None, partners: Mapping[int, int], b: Analysis) -> str | None:
    """The layer of the second network whose weights a layer of the first network uses, by name.

    None without a partner.
    """
    if left is None or left.node is None or left.node.shares is None or left.node.shares not in partners:
        return None
    return b.network.nodes[partners[left.node.shares]].name


def difference(left: Row | None, right: Row | None, owner: str | None = None) -> str:
    """The differences of two layers in words, except the name. Empty if there is no difference.

    ``owner`` is the second network's name of the layer whose weights the first network's layer uses.

    Receptive fields are compared in the totals only, because one change of a field changes every later field.
    """
    if left is None or right is None:
        row, word = (right, "new") if left is None else (left, "gone")
        assert row is not None
        return f"{word}: {row.type} {row.output}"
    changes = []
    if left.type != right.type:
        changes.append(f"{left.type} to {right.type}")
    elif left.node and right.node:
        before, after = left.node.layer.settings, right.node.layer.settings
        changed = [key for key in before if before[key] != after[key]]
        changes += [f"{key} {_written(before[key])} to {_written(after[key])}" for key in changed]
        if left.node.storage != right.node.storage:
            changes.append(f"storage {left.node.storage} to {right.node.storage}")
    if left.output != right.output:
        changes.append(f"output {left.output} to {right.output}")
    if (left.shared if owner is None else owner) != right.shared:
        changes.append(f"weights of {left.shared or 'its own'} to {right.shared or 'its own'}")
    if not changes and (_params(left), left.macs, left.values) != (_params(right), right.macs, right.values):
        changes.append(f"input {' '.join(map(str, left.inputs))} to {' '.join(map(str, right.inputs))}")
    return "; ".join(changes)


def _rerouted(
    left: Row | None, right: Row | None, partners: Mapping[int, int], targets: set[int], a: Analysis, b: Analysis
) -> str:
    """The change of a layer's inputs in words, if all inputs have partners.

    Empty if the layer reads the same layers.
    """
    if left is None or right is None or left.node is None or right.node is None:
        return ""
    if not all(i in partners for i in left.node.inputs):
        return ""
    before = reads(left.type, (partners[i] for i in left.node.inputs))
    after = reads(right.type, right.node.inputs)
    if before == after or not targets.issuperset(after):
        return ""
    names = [", ".join(x.network.nodes[i].name for i in node.inputs) for x, node in ((a, left.node), (b, right.node))]
    return f"from {names[0]} to {names[1]}"


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value).replace(" ", "")[:40]


def _params(row: Row | None) -> int:
    return 0 if row is None else row.param_count


def _macs(row: Row | None) -> int:
    return 0 if row is None or row.macs is None else row.macs


def _values(row: Row | None) -> int:
    return 0 if row is None or row.values is None else row.values
