"""Results of a verification: figures as archcalc computes them and as a witness measured them, as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from archcalc.network import Network, Node
from archcalc.sizes import Params


class Comparison(NamedTuple):
    """One figure, computed by archcalc and measured by a witness; both None where it was not measured.

    ``column`` is the column of a ``Summary`` to which the figure belongs; several figures add up to one column.
    """

    name: str
    computed: Any
    measured: Any
    differs: bool = False
    column: str = ""

    @staticmethod
    def of(name: str, computed: Any, measured: Any, column: str = "") -> Comparison:
        """A figure that agrees where both are equal."""
        return Comparison(name, computed, measured, computed != measured, column)


class LayerFigures(NamedTuple):
    """A layer's figures by name; ``milliseconds`` where a GPU measured them."""

    node: Node
    figures: dict[str, Comparison]
    milliseconds: float | None = None


class OtherModel(NamedTuple):
    """A library's model of the same network, as in "torchvision's alexnet".

    tensors: its parameters and buffers, each of which is a tensor of the built model. modules: the calls of its modules
    that are a layer of the network (None where they were not compared). difference: the largest difference of the two
    outputs, in parts of the largest value (None where the device has no values).
    """

    name: str
    tensors: int
    modules: int | None
    difference: float | None


class Verification(NamedTuple):
    """All figures of one network on a device.

    totals: figures of the whole network. unsupported: the operators that fvcore has no rule for, and how often they ran.
    fields: of how many layers the receptive field was measured, and how many layers there are. allocated: the most bytes
    that the device's allocator held at inference, beyond weights and network input.
    """

    network: Network
    device: str
    layers: list[LayerFigures]
    totals: list[Comparison]
    other: OtherModel | None
    unsupported: dict[str, int]
    fields: tuple[int, int] | None
    allocated: int | None

    @property
    def problems(self) -> list[str]:
        """Every disagreement as a sentence, those of layers first and in their order."""
        named = [(f", {layer.node.name}", figure) for layer in self.layers for figure in layer.figures.values()]
        named += [("", figure) for figure in self.totals]
        return [
            f"{self.network.full_name}{layer}: {figure.name}: {figure_text(figure.computed)} computed, "
            f"{figure_text(figure.measured)} measured"
            for layer, figure in named
            if figure.differs
        ]


class Summary(NamedTuple):
    """The figures of one network among many, as data that processes can pass on.

    fields: of how many layers the receptive field was measured, and how many layers there are. failure: why the network
    could not be verified; it then has no figures.
    """

    network: str
    input: str = ""
    layers: int | None = None
    params: int | None = None
    macs: int | None = None
    fvcore: int | None = None
    saved_bytes: int | None = None
    peak_bytes: int | None = None
    training_peak_bytes: int | None = None
    fields: tuple[int, int] | None = None
    other: OtherModel | None = None
    milliseconds: float | None = None
    allocated: int | None = None
    unsupported: Mapping[str, int] | None = None
    problems: tuple[str, ...] = ()
    failure: str = ""


def summary_of(verification: Verification) -> Summary:
    """The figures that stand in a table of many networks."""
    sums: Counter[str] = Counter()
    for figure in verification.totals:
        if figure.column:
            sums[figure.column] += figure.measured
    times = [layer.milliseconds for layer in verification.layers if layer.milliseconds is not None]
    return Summary(
        verification.network.full_name,
        str(verification.network.input),
        len(verification.layers),
        sums["params"],
        sums["macs"],
        sums["fvcore"] if verification.fields else None,
        sums["saved_bytes"],
        sums["peak_bytes"],
        sums["training_peak_bytes"],
        verification.fields,
        verification.other,
        sum(times) if times else None,
        verification.allocated,
        dict(verification.unsupported),
        tuple(verification.problems),
    )


def figure_text(value: Any) -> str:
    """A figure as a sentence or a table shows it."""
    if value is None:
        return "nothing"
    if isinstance(value, Params):
        return f"{value.weight:,} weights, {value.bias:,} biases, {value.buffers:,} buffers"
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)
