"""The quantities of figures: a function for every name, over the layers of the figure's subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase

from archcalc.analysis import Analysis
from archcalc.analysis.depth import depth
from archcalc.analysis.prepare import prepared
from archcalc.analysis.rows import Row
from archcalc.analysis.stochastic_depth import Survival, survival
from archcalc.errors import ArchcalcError, unknown
from archcalc.field.coverage import padding_varies
from archcalc.language.grammar import ExpressionError
from archcalc.language.zoo import find, is_pattern, load
from archcalc.layers.convolution import CONVOLUTIONS
from archcalc.layers.dense import Linear
from archcalc.network import Network
from archcalc.published.figure import Subject
from archcalc.published.formula import Formula, Quantity, Reference
from archcalc.sizes import Shape

WEIGHTED = {layer.type for layer in (*CONVOLUTIONS, Linear)}
POOLING = {"max_pool", "avg_pool", "adaptive_avg_pool", "global_avg_pool", "adaptive_max_pool", "global_max_pool"}


def _outputs(row: Row) -> int:
    return row.shape.values if row.shape is not None else 0


def _only(types: set[str], count: Callable[[Row], int]) -> Callable[[Row], int]:
    return lambda row: count(row) if row.type in types else 0


def _cells(row: Row) -> int:
    """The values that the windows of a pooling read.

    Per output value, a window reads one value more than it compares or adds.
    """
    return row.work.add + row.work.compare + (row.work.div or _outputs(row))


SUMS: Mapping[str, Callable[[Row], int]] = {
    "params": lambda row: row.params.weight + row.params.bias,
    "weights": lambda row: row.params.weight,
    "biases": lambda row: row.params.bias,
    "stored": lambda row: sum(row.params),  # running statistics included
    "statistics": lambda row: row.params.buffers,
    "kernels": _only(WEIGHTED, lambda row: row.params.weight),
    "kernels_and_biases": _only(WEIGHTED, lambda row: row.params.weight + row.params.bias),
    "macs": lambda row: row.work.mac,
    "macs_once": lambda row: row.node.layer.work_once(*row.inputs).mac if row.node else 0,  # whatever the batch
    "flops": lambda row: 2 * row.work.mac,
    "connections": lambda row: row.macs or 0,  # under the convention in COUNTED_AS
    "bias_adds": _only(WEIGHTED, lambda row: row.work.add),
    "normalised": _only({"batch_norm"}, _outputs),
    "rectified": _only({"relu"}, _outputs),
    "weighed": _only(WEIGHTED, _outputs),
    "responses": _only({"lrn"}, _outputs),
    "scaled": _only({"scale"}, _outputs),
    "pooled": _only(POOLING, _cells),
    "values": lambda row: row.values or 0,
    "pool_inputs": _only(POOLING, lambda row: row.inputs[0].values),
    "outputs": _outputs,  # outputs in place included
    "conv_inputs": lambda row: row.conv_inputs,
}
"""Quantities that add up over layers."""

COUNTED_AS: Mapping[str, str] = {"connections": "lecun98"}
"""Quantities that are counted under another convention than archcalc's."""


def _same_on_all_axes(axes: Sequence[int]) -> int:
    """The number that all axes share; 1 without axes. UnanswerableError if the axes differ."""
    if len(set(axes)) > 1:
        raise UnanswerableError("the axes differ")
    return axes[0] if axes else 1


def _of(axes: Sequence[int], at: int) -> int:
    return axes[at] if axes else 1


LASTS: Mapping[str, Callable[[Row], int]] = {
    "height": lambda row: _of(row.shape.axes, 0) if row.shape else 1,
    "width": lambda row: _of(row.shape.axes, -1) if row.shape else 1,
    "channels": lambda row: row.shape.channels if row.shape else 1,
    "receptive_field": lambda row: _same_on_all_axes([axis.field.size for axis in row.field]),
    "effective_stride": lambda row: _same_on_all_axes([axis.field.step for axis in row.field]),
    "effective_padding": lambda row: -_same_on_all_axes([axis.field.start for axis in row.field]),
}
"""Quantities of the last layer."""


def _survival(network: Network, rows: list[Row]) -> Survival:
    result = survival(network, rows)
    if result is None:
        raise UnanswerableError("no path of the network can be dropped")
    return result


def _fixed_padding(network: Network, rows: list[Row]) -> float:
    """The effective padding. UndefinedError if it depends on the input size."""
    if rows[-1].node is not None and padding_varies(network)[rows[-1].node.index]:
        raise UndefinedError
    return LASTS["effective_padding"](rows[-1])


OF_NETWORK: Mapping[str, Callable[[Network, list[Row]], float]] = {
    "depth": lambda network, _: depth(network),
    "fixed_padding": _fixed_padding,
    "largest_output": lambda _, rows: max(map(_outputs, rows)),
    "surviving": lambda network, rows: _survival(network, rows).surviving,  # paths that run on average
    "expected_macs": lambda network, rows: _survival(network, rows).macs,
}
"""Quantities of all the layers together."""


def _first_input(row: Row) -> Shape:
    """The shape of a layer's first input. For the network input: its own shape."""
    return (*row.inputs, *([] if row.shape is None else [row.shape]))[0]


FIRSTS: Mapping[str, Callable[[Row], int]] = {
    "in_height": lambda row: _of(_first_input(row).axes, 0),
    "in_width": lambda row: _of(_first_input(row).axes, -1),
    "in_channels": lambda row: _first_input(row).channels,
}
"""Quantities of the input of the first layer."""

QUANTITIES: Mapping[str, str] = {
    "output_size": "[height, width, channels]",
    "input_size": "[in_height, in_width, in_channels]",
    "map_size": "[height, width]",
    "neurons": "outputs",
    "filters": "channels",
}
"""Quantities that are formulas of others."""


class UnanswerableError(Exception):
    """archcalc has no number for the subject of a figure; the text says why."""


class UndefinedError(Exception):
    """There is no single number, because the number depends on a fact that the figure does not give."""


class Calculator:
    """Computes quantities of subjects. A network is analysed once for each of its settings and inputs."""

    def __init__(self) -> None:
        self._subjects: dict[str, Analysis] = {}
        self._traced: dict[tuple[str, str, str], Analysis] = {}

    def add(self, analysis: Analysis) -> Analysis:
        """The analysis. If the same network was analysed before at the same input, the earlier rows are used."""
        place = analysis.network.full_name, analysis.network.input_text, analysis.convention.name
        return self._traced.setdefault(place, analysis).with_side_heads(analysis.training)

    def analysis(self, subject: Subject, convention: str = "archcalc") -> Analysis:
        """The analysis of the subject's network. UnanswerableError if the zoo has no such network."""
        key = repr((subject.network, subject.input, subject.settings, subject.training, convention))
        if key not in self._subjects:
            if not is_pattern(subject.network):
                try:
                    find(subject.network)
                except ArchcalcError:
                    raise UnanswerableError(f"the zoo has no network {subject.network}") from None
            network = load(subject.network, **dict(subject.settings))
            self._subjects[key] = self.add(
                prepared(network, subject.input or None, training=subject.training, convention=convention)
            )
        return self._subjects[key]

    def value(self, formula: Formula, subject: Subject) -> Quantity:
        """The formula's value for the subject, or () if there is no single number.

        UnanswerableError if archcalc has no number.
        """
        try:
            return formula.value(lambda reference: self.number(reference, subject))
        except UndefinedError:
            return ()
        except ExpressionError as error:
            raise UnanswerableError(str(error)) from None

    def number(self, reference: Reference, subject: Subject) -> float:
        """A quantity over the reference's layers. UnanswerableError if archcalc does not compute the quantity."""
        if reference.network:
            subject = type(subject)(reference.network)
        if reference.layer:
            subject = subject._replace(layer=reference.layer)
        quantity = reference.quantity
        rows = self.rows(subject, COUNTED_AS.get(quantity, "archcalc"))
        if quantity in SUMS:
            return sum(map(SUMS[quantity], rows))
        if quantity in LASTS:
            return LASTS[quantity](rows[-1])
        if quantity in FIRSTS:
            return FIRSTS[quantity](rows[0])
        if quantity in OF_NETWORK:
            return OF_NETWORK[quantity](self.analysis(subject).network, rows)
        raise UnanswerableError(f"archcalc does not compute {quantity.replace('_', ' ')}")

    def rows(self, subject: Subject, convention: str = "archcalc") -> list[Row]:
        """The layers of the subject. UnanswerableError if the network has no layer of that name."""
        rows = self.analysis(subject, convention).rows
        if not subject.layer:
            return rows
        chosen = {id(row) for part in subject.layer.split(" + ") for row in _named(rows, part, subject.network)}
        return [row for row in rows if id(row) in chosen]


def _named(rows: list[Row], name: str, network: str) -> list[Row]:
    """A layer, a block, all layers like ``conv*``, or a run of layers such as ``..pool5``."""
    if ".." in name:
        first, last = name.split("..", 1)
        start = rows.index(_named(rows, first, network)[0]) if first else 0
        return rows[start : rows.index(_named(rows, last, network)[-1]) + 1 if last else None]
    named = (
        [row for row in rows if row.name == name]
        or [row for row in rows if name in row.scopes[:1] or row.name.startswith(f"{name}.")]
        or [row for row in rows if name in row.scopes]
        or [row for row in rows if fnmatchcase(row.name, name)]
    )
    if not named:
        raise UnanswerableError(
            unknown("layer", name, [row.name for row in rows]).replace("unknown layer", f"{network} has no layer")
        )
    return named
