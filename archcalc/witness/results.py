"""Results of a verification: figures as archcalc computes them and as a witness measured them, as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from archcalc.network import Network, Node
from archcalc.sizes import Params


class Comparison(NamedTuple):
    """One figure, computed by archcalc and measured by a witness. Both are None if the figure was not measured.

    ``column`` is the column of a ``Summary`` to which the figure belongs. The figures of one column are added.
    """

    name: str
    computed: Any
    measured: Any
    differs: bool = False
    column: str = ""

    @staticmethod
    def of(name: str, computed: Any, measured: Any, column: str = "") -> Comparison:
        """A figure that differs if the two values are not equal."""
        return Comparison(name, computed, measured, computed != measured, column)


class LayerFigures(NamedTuple):
    """A layer's figures by name. ``milliseconds`` is None if no GPU measured the layer."""

    node: Node
    figures: dict[str, Comparison]
    milliseconds: float | None = None


class OtherModel(NamedTuple):
    """A library's model of the same network, as in "torchvision's alexnet".

    tensors: number of its parameters and buffers, each of which is a tensor of the built model. modules: number of its
    module calls that are a layer of the network (None: not compared). difference: the largest difference between the
    two outputs, divided by the largest value (None: the device has no values).
    """

    name: str
    tensors: int
    modules: int | None
    difference: float | None


class Verification(NamedTuple):
    """All figures of one network on a device.

    totals: figures of the whole network. unsupported: the operators that fvcore has no rule for, and how often each
    operator ran. fields: the number of layers whose receptive field was measured, and the number of all layers.
    allocated: the peak of the device's allocator at inference in bytes, without weights and network input.
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
        """Every disagreement as a sentence: first of the layers, in their order, then of the totals."""
        named = [(f", {layer.node.name}", figure) for layer in self.layers for figure in layer.figures.values()]
        named += [("", figure) for figure in self.totals]
        return [
            f"{self.network.full_name}{layer}: {figure.name}: {figure_text(figure.computed)} computed, "
            f"{figure_text(figure.measured)} measured"
            for layer, figure in named
            if figure.differs
        ]


class Summary(NamedTuple):
    """The figures of one network in a table of many networks, as data that a process can send.

    fields: the number of layers whose receptive field was measured, and the number of all layers. failure: the reason
    if the network could not be verified. The network then has no figures.
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
    """The figures of a network in a table of many networks."""
    sums: Counter[str] = Counter()
    for figure in verification.totals:
        if figure.column:
            sums[figure.column] += figure.measured
    times = [layer.milliseconds for layer in verification.layers if layer.milliseconds is not None]
    return Summary(
        verification.network.full_name,
        verification.network.input_text,
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
    """A figure as text, for a sentence or a table."""
    if value is None:
        return "nothing"
    if isinstance(value, Params):
        return f"{value.weight:,} weights, {value.bias:,} biases, {value.buffers:,} buffers"
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)
