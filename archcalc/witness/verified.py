"""What witnesses said of a network: figures as computed and as seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from archcalc.network import Network, Node
from archcalc.sizes import Params


class Comparison(NamedTuple):
    """One figure as the engine computes it and as a witness saw it; both None where it was not measured."""

    name: str
    computed: Any
    measured: Any
    differs: bool = False

    @staticmethod
    def of(name: str, computed: Any, seen: Any) -> Comparison:
        """A figure that agrees where both are equal."""
        return Comparison(name, computed, seen, computed != seen)


class LayerSeen(NamedTuple):
    """A layer's figures by name; ``milliseconds`` where a GPU measured them."""

    node: Node
    figures: dict[str, Comparison]
    milliseconds: float | None = None


class Other(NamedTuple):
    """A model that others wrote, as in "torchvision's alexnet".

    ``tensors`` are its parameters and buffers, each of which is one of ours, ``modules`` the calls of its modules
    that have a layer (None where they were not compared), and ``difference`` is that of the two outputs, in parts
    of the largest value (None where the device has no values).
    """

    name: str
    tensors: int
    modules: int | None
    difference: float | None


class Verified(NamedTuple):
    """What the witnesses said of one network on a device.

    ``totals`` are figures of the whole network; ``unsupported`` are the operators that fvcore has no rule for,
    with how often they ran; ``fields`` says of how many layers the receptive field was seen, and how many there
    are; ``allocated`` is what the device's allocator held at most at inference, beyond weights and image.
    """

    network: Network
    device: str
    layers: list[LayerSeen]
    totals: list[Comparison]
    other: Other | None
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
            f"{figure_text(figure.measured)} seen"
            for layer, figure in named
            if figure.differs
        ]


class Summary(NamedTuple):
    """What the witnesses said of one network among many, as data that processes can pass on.

    ``fields``: of how many layers the receptive field was seen, and how many there are. ``failure`` says why a network
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
    other: Other | None = None
    milliseconds: float | None = None
    allocated: int | None = None
    unsupported: Mapping[str, int] | None = None
    problems: tuple[str, ...] = ()
    failure: str = ""


def summary_of(found: Verified) -> Summary:
    """The figures that stand in a table of many networks."""
    figures = {figure.name: figure for figure in found.totals}
    times = [layer.milliseconds for layer in found.layers if layer.milliseconds is not None]
    return Summary(
        found.network.full_name,
        str(found.network.input),
        len(found.layers),
        figures["params"].measured,
        figures["macs of convolutions"].measured + figures["macs of matrix products"].measured,
        sum(f.measured for name, f in figures.items() if name.startswith("fvcore")) if found.fields else None,
        next(f.measured for name, f in figures.items() if name.startswith("bytes saved")),
        next(f.measured for name, f in figures.items() if name.startswith("inference peak")),
        next(f.measured for name, f in figures.items() if name.startswith("training peak")),
        found.fields,
        found.other,
        sum(times) if times else None,
        found.allocated,
        dict(found.unsupported),
        tuple(found.problems),
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
