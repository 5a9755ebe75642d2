"""How far layers see, by which paths, and what that means at an input's size. Fields follow the paths past the gates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from archcalc.analysis import Analysis
from archcalc.analysis.depth import followed
from archcalc.analysis.fields import Views
from archcalc.analysis.smallest_input import smallest_input
from archcalc.analysis.trace import Row
from archcalc.analysis.views import adds_pixels, gate_nodes, padding_varies, unit_covers, units_cover
from archcalc.errors import ArchcalcError
from archcalc.field import Field
from archcalc.network import Network, Node
from archcalc.sizes import is_array, product


class Sight(NamedTuple):
    """What one layer sees: a view for every axis, and for every axis whether all paths to it have one centre.

    changes: the field differs from the field of at least one input. widens: the layer's own window adds pixels.
    idle: a unit of the input already sees the whole network input (None: the input's field is a bound, so it may).
    spent: every unit of the input already does. padded: the padding on the way depends on the size of the network input
    (TensorFlow's 'same'). gate: the layer belongs to a gate.
    """

    node: Node
    views: Views
    views_with_gates: Views
    centred: tuple[bool, ...]
    changes: bool
    widens: bool
    idle: bool | None
    spent: bool | None
    padded: bool
    gate: bool


class Verdict(NamedTuple):
    """What the fields mean at this input: the field summary.

    ``first`` is the first layer of which a unit is known to see the whole input, ``everywhere`` the first of which every
    unit is. Where an earlier one may, since its field is a bound, ``may_be_first`` and ``may_be_everywhere`` are the
    first of those. Of the ``widening`` layers the ``idle`` ones are known to take what has seen the whole input already,
    and those of ``may_idle`` may. From the square input of side ``least`` on none is idle; None when there is none, or
    none can be told. It is the smallest such side unless fields are bounds: then ``least_exact`` is False.
    """

    first: Sight | None
    everywhere: Sight | None
    widening: list[Sight]
    idle: list[Sight]
    least: int | None
    may_be_first: Sight | None = None
    may_be_everywhere: Sight | None = None
    may_idle: Sequence[Sight] = ()
    least_exact: bool = True


@lru_cache(maxsize=8)  # a table asks several times
def sights(analysis: Analysis) -> Sequence[Sight]:
    """What every layer of the analysis sees; ArchcalcError when the network has no spatial axes."""
    network = analysis.network
    if not network.input.axes:
        raise ArchcalcError(
            f"{network.full_name} has no spatial axes: its input is a vector of {network.input}, all of which every unit sees"
        )
    if any(map(is_array, network.input.axes)):
        raise ArchcalcError("fields need single sizes; on arrays, read the views of the rows")
    shown = {row.node.index for row in analysis.rows if row.node is not None}
    return [sight for sight in _sights(network, analysis.all_rows) if sight.node.index in shown]


def _sights(network: Network, rows: Sequence[Row]) -> list[Sight]:
    gates = gate_nodes(network)
    found: list[Sight] = []
    for node, row, padded in zip(network.nodes, rows, padding_varies(network), strict=True):
        seen = row.views
        inputs = followed(node, network)
        before = [found[i] for i in inputs]
        widens = any(adds_pixels(node, sight.views, seen) for sight in before if sight.views is not seen)
        idle = unit_covers(before[0].views, before[0].node, network) if widens else False
        spent = units_cover(before[0].views, before[0].node, network) if widens else False
        found.append(
            Sight(
                node,
                seen,
                row.views_with_gates,
                _centred(before, len(seen)),
                any(_differ(seen, sight.views) for sight in before if sight.views is not seen),
                widens,
                idle,
                spent,
                padded,
                node.index in gates,
            )
        )
    return found


def largest_field(rows: Iterable[Row]) -> Row | None:
    """The row with the largest field of those with positions of their own; None where all see everything at once."""
    local = [row for row in rows if row.views and all(view.least.step != 0 for view in row.views)]
    return max(local, key=lambda row: product(view.field.size for view in row.views), default=None)


def _passed_on(sight: Sight) -> bool:
    """Whether the layer makes a vector whose values see no more than their positions of the map did."""
    return any(view.together for view in sight.views)


def _centred(before: Sequence[Sight], axes: int) -> tuple[bool, ...]:
    """For every axis whether all paths that meet have one centre and one step."""
    if len(before) == 1:
        return before[0].centred
    return tuple(
        all(
            sight.centred[axis] and _same_centre(before[0].views[axis].field, sight.views[axis].field)
            for sight in before
        )
        for axis in range(axes)
    )


def _same_centre(a: Field, b: Field) -> bool:
    return a.step * b.per == b.step * a.per and (a.first + a.last) * b.per == (b.first + b.last) * a.per


def _differ(a: Views, b: Views) -> bool:
    return any((v.field, v.least, v.exact) != (w.field, w.least, w.exact) for v, w in zip(a, b, strict=True))


@lru_cache(maxsize=8)
def verdict(analysis: Analysis) -> Verdict:
    """What the fields mean at this input, and at which they would all count; ArchcalcError as ``sights``.

    Richter et al., Should you go deeper?, 2021, arXiv:2106.12307: a layer cannot add context when the field of what
    it takes is the whole image already. Convolutions and poolings are asked; layers that see everything by their
    nature (global and adaptive poolings, fully connected ones) are not.
    """
    network = analysis.network
    on_path = [sight for sight in sights(analysis) if not sight.gate and not sight.node.side]
    widening = [sight for sight in on_path if sight.widens]
    seeing = [sight for sight in on_path if not _passed_on(sight)]
    first, may_be_first = _firsts(seeing, network, unit_covers)
    everywhere, may_be_everywhere = _firsts(seeing, network, units_cover)
    least, least_exact = smallest_input(network, [row.views for row in analysis.all_rows])
    return Verdict(
        first,
        everywhere,
        widening,
        [sight for sight in widening if sight.idle],
        least,
        may_be_first,
        may_be_everywhere,
        [sight for sight in widening if sight.idle is None],
        least_exact,
    )


def _firsts(
    seeing: Sequence[Sight], network: Network, asked: Callable[[Views, Node, Network], bool | None]
) -> tuple[Sight | None, Sight | None]:
    """The first layer of which it is known, and the first before that of which it may be so."""
    may = None
    for sight in seeing:
        known = asked(sight.views, sight.node, network)
        if known:
            return sight, may
        if known is None and may is None:
            may = sight
    return None, may
