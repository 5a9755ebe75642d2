"""How a paper, a course or a tool counts, as data.

The engine states every operation by kind and every parameter by kind; a convention says which of them
make up "the number". ``None`` from a convention means *not counted here*, which is not zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from archcalc.errors import ArchcalcError, unknown
from archcalc.layers import Layer
from archcalc.sizes import Int, Params, Work, largest

Weights = Mapping[str, int]


class Convention(NamedTuple):
    """A way to count.

    ``macs`` weighs each kind of operation, ``macs_by_type`` overrules it for a layer type, ``params``
    lists the kinds of parameters that count. ``counts`` names what the MAC column holds, and
    ``flops_per_mac`` is None where that is no multiply-add and so has no FLOP.
    """

    name: str
    about: str
    source: str
    params: tuple[str, ...] = ("weight", "bias")
    macs: Weights = MappingProxyType({"mac": 1})
    macs_by_type: Mapping[str, Weights] = MappingProxyType({})
    counts: str = "MACs"
    flops_per_mac: int | None = 2

    def count_macs(self, layer: Layer, work: Work) -> Int | None:
        """Multiply-accumulates; None where the layer works, but in kinds that are not counted."""
        weights = self.macs_by_type.get(layer.type, self.macs)
        done = [kind for kind, n in zip(Work._fields, work, strict=True) if largest(n) > 0]
        if done and not any(kind in weights for kind in done):
            return None
        done_in: dict[str, Int] = work._asdict()
        return sum(done_in[kind] * weight for kind, weight in weights.items())

    def flops(self, macs: Int | None) -> Int | None:
        """FLOP for that many MACs; None where the convention has none."""
        return None if macs is None or self.flops_per_mac is None else self.flops_per_mac * macs

    def count_params(self, params: Params) -> Int:
        owned: dict[str, Int] = params._asdict()
        return sum(owned[kind] for kind in self.params)


_CONVENTIONS = [
    Convention(
        "archcalc",
        "parameters are trained weights and biases; a MAC is one product of a weight and an input added to a sum, "
        "1 MAC = 2 FLOP; biases, normalisation, activations and pooling add no MACs",
        "archcalc's documentation, page counting",
    ),
    Convention(
        "cs231n",
        "parameters are weights without biases; memory is the sum of all volumes that are not overwritten in place",
        "CS231n, Convolutional Networks, VGGNet in detail",
        params=("weight",),
    ),
    Convention(
        "lecun98",
        "connections: every link between a unit and its inputs, the bias being one of them; fixed codes are not parameters",
        "LeCun et al., Gradient-based learning applied to document recognition, Proc. IEEE 86(11), 1998, section II.B",
        macs={"mac": 1, "add": 1},
        macs_by_type={"subsample": {"add": 1, "mul": 1}, "rbf": {"mul": 1}},
        counts="connections",
        flops_per_mac=None,
    ),
]

conventions: Mapping[str, Convention] = {c.name: c for c in _CONVENTIONS}


def convention(name: str) -> Convention:
    """The convention of that name; ArchcalcError with the nearest one when there is none."""
    if name not in conventions:
        raise ArchcalcError(unknown("convention", name, conventions))
    return conventions[name]
