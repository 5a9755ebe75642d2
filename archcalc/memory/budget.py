"""What a whole run holds, at any batch: weights, optimizer, image and schedule; and what fits in a budget."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from itertools import count
from math import isqrt, lcm
from typing import TYPE_CHECKING, NamedTuple

from archcalc.dtypes import itemsize
from archcalc.errors import ArchcalcError, LayerError, clipped, nearest, unknown
from archcalc.field.propagation import node_fields
from archcalc.inputs import any_array, single
from archcalc.layers import Layer
from archcalc.layers.convolution import ConvTable
from archcalc.layers.settings import shown
from archcalc.layers.windowed import Windowed
from archcalc.memory.lifetime import Schedule, inference
from archcalc.network import Network
from archcalc.pytorch.tape import Storage
from archcalc.sizes import Params, Shape, ceil_div

if TYPE_CHECKING:
    from archcalc.memory.training import Training

UNITS: Mapping[str, int] = {
    "B": 1,
    **{f"{letter}B": 1000**power for power, letter in enumerate("KMGT", 1)},
    **{f"{letter}iB": 1024**power for power, letter in enumerate("KMGT", 1)},
}
"""Bytes of each unit of memory."""
MAX_BUDGET = 2**60
"""The most bytes that a size may be, 1 EiB."""
TRIED, MAX_SIDE = 64, 2**20
"""TRIED: how many consecutive sizes are tried to find a size that the network accepts. MAX_SIDE: largest side that is
tried, in pixels."""
MOST_LAYERS = 8_000
"""The most layers of a network that is built for one size after another."""
TRAINABLE = ("float64", "float32", "float16", "bfloat16")
"""The dtypes for which PyTorch has gradients."""


class Optimizer(NamedTuple):
    """What an optimizer of PyTorch holds: so many numbers per weight, and whether it counts its steps.

    A step counter is a float32 for every tensor of weights. While Adam takes its step for a tensor it holds two
    more of that size, the root and the root divided, and the latter of the tensor before, whose variable is not
    yet assigned anew (torch/optim/adam.py, _single_tensor_adam).
    """

    per_weight: int
    counts_steps: bool


OPTIMIZERS: Mapping[str, Optimizer] = {
    "sgd": Optimizer(0, False),
    "momentum": Optimizer(1, False),
    "adam": Optimizer(2, True),
    "adamw": Optimizer(2, True),
}


class Parts(NamedTuple):
    """The bytes alive at one moment, by what they are."""

    weights: int
    buffers: int
    optimizer: int
    gradients: int
    network_input: int
    activations: int
    overhead: int

    @property
    def total(self) -> int:
        return sum(self)


class Budget:
    """What inference and training of a network hold, for every batch.

    ``overhead`` are bytes of the framework and the device's context, which are not the network's and have to be
    given, as sizes are everywhere here: in bytes, or as a text such as 24GiB. The image is the caller's; it is counted
    here since it lies in the same memory. ArchcalcError for an unknown dtype, optimizer or block, for sizes that are
    arrays, and where PyTorch cannot train in the dtype.
    """

    network: Network
    dtype: str
    itemsize: int
    optimizer: str
    amp: bool
    checkpoint: str | None
    overhead: int

    def __init__(
        self,
        network: Network,
        dtype: str = "float32",
        *,
        optimizer: str = "sgd",
        amp: bool = False,
        checkpoint: str | None = None,
        overhead: int | str = 0,
    ) -> None:
        if optimizer not in OPTIMIZERS:
            raise ArchcalcError(unknown("optimizer", optimizer, OPTIMIZERS))
        self.network, self.dtype, self.itemsize = network, dtype, itemsize(dtype)
        self.optimizer, self.amp, self.checkpoint = optimizer, amp, checkpoint
        self.overhead = in_bytes(overhead)
        self._gradients_at: dict[int, int] = {}
        if any_array((network.input.channels, *network.input.axes, *network.settings.values())):
            raise ArchcalcError(f"{network.full_name}: memory needs single sizes, not arrays")
        if amp and dtype != "float32":
            raise ArchcalcError(f"mixed precision keeps its weights in float32; it cannot be asked for with {dtype}")
        if checkpoint is not None:
            from archcalc.memory.checkpoint import block_runs

            block_runs(network, network.running(), checkpoint)

    def at(self, network: Network) -> Budget:
        """The same for another network."""
        return Budget(
            network,
            self.dtype,
            optimizer=self.optimizer,
            amp=self.amp,
            checkpoint=self.checkpoint,
            overhead=self.overhead,
        )

    @cached_property
    def inference(self) -> Schedule:
        return inference(self.network, self.dtype, amp=self.amp)

    @cached_property
    def training(self) -> Training:
        """The schedule of training; ArchcalcError where PyTorch cannot train in the dtype."""
        if self.dtype not in TRAINABLE:
            raise ArchcalcError(
                f"PyTorch cannot train in {self.dtype}: it has gradients for {', '.join(TRAINABLE)} only"
            )
        from archcalc.memory.training import training

        return training(self.network, self.dtype, amp=self.amp, checkpoint=self.checkpoint)

    @cached_property
    def tensors(self) -> list[int]:
        """The bytes of every tensor of weights, those that are built but do not run included."""
        found = []
        for layer, params in self._owned:
            rows = [len(row) for row in layer.table] if isinstance(layer, ConvTable) else [1]
            found += [params.weight * row // sum(rows) * self.itemsize for row in rows if params.weight]
            found += [params.bias // len(rows) * self.itemsize for _ in rows if params.bias]
        return found

    @cached_property
    def _owned(self) -> list[tuple[Layer, Params]]:
        """Every layer with parameters of its own, and these."""
        known: dict[tuple[Layer, tuple[Shape, ...]], Params] = {}
        found = []
        for node in self.network.running():
            if node.shares is None:
                key = node.layer, tuple(self.network.input_shapes(node))
                if key not in known:
                    known[key] = node.layer.params(*key[1])
                found.append((node.layer, known[key]))
        return [(layer, params) for layer, params in found if any(params)]

    @cached_property
    def weights(self) -> int:
        """The bytes of all weights; in training their gradients take as many."""
        return sum(self.tensors)

    @cached_property
    def buffers(self) -> int:
        """The bytes of moving means and variances, and of the int64 that counts a normalisation's batches."""
        return sum(
            params.buffers * self.itemsize + (8 if layer.type == "batch_norm" else 0) for layer, params in self._owned
        )

    @cached_property
    def optimizer_bytes(self) -> int:
        """What the optimizer keeps from step to step."""
        kind = OPTIMIZERS[self.optimizer]
        return kind.per_weight * self.weights + (4 * len(self.tensors) if kind.counts_steps else 0)

    @cached_property
    def step_scratch(self) -> int:
        """What the optimizer holds for a moment while it takes its step, on the CPU."""
        if not OPTIMIZERS[self.optimizer].counts_steps:
            return 0
        return max(
            (before + 2 * size for before, size in zip([0, *self.tensors], self.tensors, strict=False)), default=0
        )

    def image(self, batch: int) -> int:
        return single(batch, "batch") * self.network.input.values * self.itemsize

    def inference_parts(self, batch: int) -> Parts:
        """The moment of inference that holds most."""
        peak = self.inference.peak(batch)
        return Parts(self.weights, self.buffers, 0, 0, self.image(batch), peak, self.overhead)

    def training_parts(self, batch: int) -> Parts:
        """The moment of training that holds most: in the two passes, or while the optimizer takes its step.

        The optimizer's state is there from its first step on. Gradients of weights are made anew by every
        backward pass; all are there at its end. Gradients of tensors are among the activations.
        """
        gradients = self._gradients(self.training.peak_moment(batch))
        rest = self.training.peak(batch) - gradients
        held = self.weights, self.buffers, self.optimizer_bytes
        in_passes = Parts(*held, gradients, self.image(batch), rest, self.overhead)
        in_step = Parts(*held, self.weights, self.image(batch), self._outputs(batch) + self.step_scratch, self.overhead)
        return max(in_passes, in_step, key=lambda parts: parts.total)

    def largest_inference(self, budget: int | str) -> int:
        """The largest batch for which inference needs no more than the budget; 0 where not even one image fits."""
        free = in_bytes(budget) - self.weights - self.buffers - self.overhead
        return self.inference.largest_batch(free, self.image(1))

    def largest_training(self, budget: int | str) -> int:
        """The largest batch for which training needs no more than the budget; 0 where not even one image fits."""
        free = in_bytes(budget) - self.weights - self.buffers - self.optimizer_bytes - self.overhead
        each = self.image(1) + self._outputs(1)
        in_step = max(0, free - self.weights - self.step_scratch) // each
        return min(self.training.largest_batch(free, self.image(1)), in_step)

    def _gradients(self, moment: int) -> int:
        """The bytes of gradients of weights that are there at a moment of training."""
        if moment not in self._gradients_at:
            alive = self.training.alive(moment)
            self._gradients_at[moment] = sum(s.fixed for s in alive if s.role == "weight gradient")
        return self._gradients_at[moment]

    def _outputs(self, batch: int) -> int:
        """The outputs, which are there until the next step."""
        return sum(storage.bytes(batch) for storage in self._output_storages)

    @cached_property
    def _output_storages(self) -> list[Storage]:
        storages = dict.fromkeys(self.training.outputs[index] for index in self.network.results())
        return [storage for storage in storages if storage.role == "map"]


def in_bytes(size: int | str) -> int:
    """A size in bytes, or a text such as 24GiB, in bytes; ArchcalcError when it is neither."""
    if isinstance(size, str):
        return read_size(size)
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ArchcalcError(f"expected a size in bytes or a text such as 24GiB, got {shown(size)}")
    return size


def read_size(text: str) -> int:
    """A size such as 24GiB, 512 MB or 1.5GB in bytes; ArchcalcError with the nearest unit when it is none."""
    found = re.fullmatch(r"\s*([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*([A-Za-z]*)\s*", text)
    if not found:
        raise ArchcalcError(f"expected a size such as 24GiB or 512MB, got {text[:40]!r}")
    number, unit = found[1], found[2]
    if not unit:
        raise ArchcalcError(f"the size {number} needs a unit, as in {number}GiB; known: {', '.join(UNITS)}")
    if unit not in UNITS:
        close = next((name for name in UNITS if name.lower() == unit.lower()), None) or nearest(unit, UNITS)
        hint = f"did you mean {close!r}?" if close else f"known: {', '.join(UNITS)}"
        raise ArchcalcError(f"unknown unit {unit!r} in {text.strip()[:40]!r}; {hint}")
    whole, _, part = number.partition(".")
    size = int(whole + part) * UNITS[unit] // int(10 ** len(part))
    if size > MAX_BUDGET:
        most = MAX_BUDGET // UNITS["TiB"]
        raise ArchcalcError(f"the size {text.strip()} is larger than {most}TiB, the most that is looked at")
    return size


def largest_input(network: Network, budget: int, bytes_of: Callable[[Network], int]) -> Network | None:
    """The network at the largest square input for which ``bytes_of`` it are within the budget; None without one.

    Sizes that the network does not take are passed over: of every size asked for, the largest below it that is
    taken stands for it, if it is one of the next TRIED. ArchcalcError for a network without spatial axes, and where
    an input of MAX_SIDE fits.
    """
    if not network.input.axes:
        raise ArchcalcError(f"{network.full_name} has no spatial axes: its input {network.input} cannot be made larger")
    if len(network.nodes) > MOST_LAYERS:
        raise ArchcalcError(
            f"{network.full_name} has {len(network.nodes) - 1:,} layers; the largest input is searched for up to "
            f"{MOST_LAYERS:,}"
        )
    seen: list[tuple[int, int]] = []
    best, low, high = None, 0, 0
    size = max(network.input.axes)
    for step in count(1):
        there = _taken(network, size)
        if there is not None:
            seen.append((there.input.axes[-1], bytes_of(there)))
        if there is not None and seen[-1][1] > budget:
            high = size
        else:
            low, best = size, there or best
            if size >= MAX_SIDE:
                if there is not None:
                    raise ArchcalcError(f"an input of {there.input} still fits; larger ones are not tried")
                return best
        if high - low == 1:
            break
        between = (low + high) // 2 if high else 2 * low
        guess = between if step % 3 == 0 or not seen else _meeting(seen, budget)
        size = min(max(guess, low + 1), high - 1 if high else MAX_SIDE)
    period = _period(network)

    def fitting(size: int) -> Network | None:
        there = at_side(network, size)
        return there if there is not None and bytes_of(there) <= budget else None

    size = low + 1
    while size <= low + period:
        there, stride = fitting(size), period
        while there is not None:  # sizes a period apart grow: on in ever longer steps
            low, best = there.input.axes[-1], there
            there, stride = fitting(low + stride), 2 * stride
        size = max(size, low) + 1
    return best


def _taken(network: Network, size: int) -> Network | None:
    """The network at the largest size from the given one down that it takes."""
    sizes = range(size, max(0, size - TRIED), -1)
    return next((there for n in sizes if (there := at_side(network, n)) is not None), None)


def _meeting(seen: list[tuple[int, int]], budget: int) -> int:
    """The size at which bytes meet the budget that grow with the square of the size as the last two did."""
    (a, before), (b, now) = seen[-2] if len(seen) > 1 else (0, 0), seen[-1]
    square = a * a + (budget - before) * (b * b - a * a) // (now - before) if now != before else 4 * b * b
    return isqrt(max(0, square))


def _period(network: Network) -> int:
    """How many sizes in a row may take less than a smaller one.

    With ``same`` padding and a stride the zeros that are needed come and go with the size, and so does a padded copy
    of the map. Their number is the same again after every step of the network as a whole.
    """
    layers = [node.layer for node in network.nodes if getattr(node.layer, "pad", None) == "same"]
    if not any(isinstance(layer, Windowed) and layer.stride != 1 for layer in layers):
        return 0
    lines = {axis.field for axes in node_fields(network) for axis in axes}
    period = lcm(*(ceil_div(line.step, line.per) for line in lines if line.step))
    most = max(TRIED, 10 * MOST_LAYERS // len(network.nodes))
    if period > most:
        raise ArchcalcError(
            f"{network.full_name} takes as much memory again only {clipped(str(period), 30)} pixels on; the largest "
            f"input is searched where it is so {most:,} pixels on at most"
        )
    return period


def with_side(network: Network, side: int) -> Network:
    """The network at a square input; its number of channels, and of frames, stay."""
    axes = network.input.axes
    return network.at(Shape(network.input.channels, (*axes[:-2], *(side for _ in axes[-2:]))))


def at_side(network: Network, side: int) -> Network | None:
    """The network at a square input, or None where it does not take that."""
    with suppress(ArchcalcError, LayerError):
        return with_side(network, side)
    return None
