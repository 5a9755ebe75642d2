"""Whether a layer can use the parameters of another layer."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.errors import LayerError
from archcalc.layers.base import Layer, per_axis
from archcalc.layers.convolution import LocallyConnected
from archcalc.layers.pool import MaxPool
from archcalc.layers.resample import Pooled, Unpool
from archcalc.sizes import Shape, alike, equal, largest

ARRANGED = ("out", "kernel", "groups", "table", "weight_norm", "relative")
"""Settings in which the arrangement of parameters shows."""


def check_shared(
    layer: Layer, shapes: Sequence[Shape], owner: Layer, owner_shapes: Sequence[Shape], owner_name: str
) -> None:
    """LayerError unless a layer can use the parameters of the layer ``owner``: as many, and in the same arrangement.

    ``shapes`` and ``owner_shapes`` are the input shapes of both.
    """
    if isinstance(layer, Unpool):
        used = isinstance(owner, MaxPool) and Pooled.of(owner, owner_shapes[0], owner.shape(*owner_shapes))
        if not used or not alike(used, layer.of):
            raise LayerError(f"unpool takes the indices of {owner_name}, which is not the max_pool of its setting")
        return
    ours, theirs = layer.params(*shapes), owner.params(*owner_shapes)
    if layer.type != owner.type or not all(map(equal, ours, theirs)):
        raise LayerError(
            f"cannot use the weights of {owner_name}: {owner.type} with {theirs.weight} weights and "
            f"{theirs.bias} biases there, {layer.type} with {ours.weight} and {ours.bias} here"
        )
    before, x = owner_shapes[0], shapes[0]
    differ = [
        f"{key} {getattr(owner, key)} there, {getattr(layer, key)} here"
        for key in (*ARRANGED, *(("heads", "cosine") if largest(ours.weight) else ()))
        if key in layer.fields and not _alike(key, owner, before, layer, x)
    ]
    if differ and not equal(before.channels, x.channels):
        differ.append(f"{before.channels} input channels there, {x.channels} here")
    if isinstance(layer, LocallyConnected):
        there, here = owner.shape(before), layer.shape(x)
        if not all(map(equal, there.axes, here.axes)):
            differ.append(f"output {there} there, {here} here")
    if differ:
        raise LayerError(f"cannot use the weights of {owner_name}: {'; '.join(differ)}")


def _alike(key: str, a: Layer, x: Shape, b: Layer, y: Shape) -> bool:
    """Whether two layers have a setting in common; a kernel may be written once, or once per axis."""
    ours, theirs = getattr(a, key), getattr(b, key)
    if key == "kernel":
        ours, theirs = per_axis(ours, x, key), per_axis(theirs, y, key)
    return alike(ours, theirs)
