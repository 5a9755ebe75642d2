"""The memory of a whole run at any batch (weights, optimizer state, network input, schedule), and the largest batch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any, NamedTuple

from archcalc.dtypes import itemsize
from archcalc.errors import ArchcalcError, nearest, unknown
from archcalc.inputs import single
from archcalc.layers import Layer
from archcalc.layers.convolution import ConvTable
from archcalc.layers.settings import message_text
from archcalc.memory.lifetime import Schedule, inference
from archcalc.network import Network
from archcalc.pytorch.runner import ATTENTION_FORMS, AttentionForm
from archcalc.sizes import Params, greater

if TYPE_CHECKING:
    from archcalc.memory.training import Training

UNITS: Mapping[str, int] = {
    "B": 1,
    **{f"{letter}B": 1000**power for power, letter in enumerate("KMGT", 1)},
    **{f"{letter}iB": 1024**power for power, letter in enumerate("KMGT", 1)},
}
"""Bytes of each unit of memory."""
MAX_BUDGET = 2**60
"""The largest size that is accepted, in bytes (1 EiB)."""
TRAINABLE = ("float64", "float32", "float16", "bfloat16")
"""The dtypes for which PyTorch has gradients."""


class Optimizer(NamedTuple):
    """What an optimizer of PyTorch stores: numbers per weight, and whether it counts its steps.

    A step counter is one float32 for every weight tensor. To update a weight tensor, Adam makes two tensors of the
    same size, the root and the divided root. The divided root of the previous weight tensor is still alive then,
    because its variable is assigned later (torch/optim/adam.py, _single_tensor_adam).
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
    """The bytes alive at one moment, by kind."""

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
    """The memory of inference and training of a network, for every batch.

    ``overhead``: the bytes of the framework and the GPU context, which do not follow from the network. Every size is a
    number of bytes, or a text such as 24GiB. The network input belongs to the caller, but counts because the input lies
    in the same memory. ``attention``: how PyTorch runs attention, ``flash`` or ``math``. ArchcalcError for an unknown dtype, optimizer or block, for sizes that are arrays, and for a
    dtype in which PyTorch cannot train.
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
        attention: AttentionForm = "flash",
    ) -> None:
        if optimizer not in OPTIMIZERS:
            raise ArchcalcError(unknown("optimizer", optimizer, OPTIMIZERS))
        if attention not in ATTENTION_FORMS:
            raise ArchcalcError(unknown("form of attention", attention, ATTENTION_FORMS))
        self.attention: AttentionForm = attention
        self.network, self.dtype, self.itemsize = network, dtype, itemsize(dtype)
        self.optimizer, self.amp, self.checkpoint = optimizer, amp, checkpoint
        self.overhead = in_bytes(overhead)
        self._gradients_at: dict[tuple[bool, int], int] = {}
        network.need_single("memory")
        if amp and dtype != "float32":
            raise ArchcalcError(f"mixed precision keeps its weights in float32; it cannot be asked for with {dtype}")
        if checkpoint is not None:
            from archcalc.memory.checkpoint import block_runs

            block_runs(network, network.running(), checkpoint)

    def at(self, network: Network) -> Budget:
        """The budget of another network, with the same settings."""
        return Budget(
            network,
            self.dtype,
            optimizer=self.optimizer,
            amp=self.amp,
            checkpoint=self.checkpoint,
            overhead=self.overhead,
            attention=self.attention,
        )

    @cached_property
    def inference(self) -> Schedule:
        return inference(self.network, self.dtype, amp=self.amp, attention=self.attention)

    @cached_property
    def training(self) -> Training:
        """The schedule of training; ArchcalcError if PyTorch cannot train in the dtype."""
        if self.dtype not in TRAINABLE:
            raise ArchcalcError(
                f"PyTorch cannot train in {self.dtype}: it has gradients for {', '.join(TRAINABLE)} only"
            )
        from archcalc.memory.training import training

        return training(self.network, self.dtype, amp=self.amp, checkpoint=self.checkpoint, attention=self.attention)

    @cached_property
    def tensors(self) -> list[int]:
        """The bytes of every trained weight tensor, including those of layers that PyTorch builds but does not run."""
        found = []
        for layer, params, trained in self._owned:
            rows = [len(row) for row in layer.table] if isinstance(layer, ConvTable) else [1]
            found += [params.weight * row // sum(rows) * self.itemsize for row in rows if params.weight and trained]
            found += [params.bias // len(rows) * self.itemsize for _ in rows if params.bias and trained]
        return found

    @cached_property
    def _owned(self) -> list[tuple[Layer, Params, bool]]:
        """Every layer with parameters, the parameters, and whether they are trained.

        Layers that share another layer's weights are left out.
        """
        known: dict[Any, Params] = {}
        found = []
        for node in self.network.running():
            if node.shares is None:
                shapes = self.network.input_shapes(node)
                key = node.layer, self.network.interned.key(shapes)
                if key not in known:
                    known[key] = node.layer.params(*shapes)
                found.append((node.layer, known[key], node.trained))
        return [one for one in found if any(one[1])]

    @cached_property
    def weights(self) -> int:
        """The bytes of all weights."""
        return sum(params.weight + params.bias for _, params, _ in self._owned) * self.itemsize

    @cached_property
    def gradients(self) -> int:
        """The bytes of the gradients of all weights, at the end of a backward pass. Frozen weights have none."""
        return sum(self.tensors)

    @cached_property
    def buffers(self) -> int:
        """The bytes of running means and variances, and of the int64 batch counter of each batch normalisation."""
        return sum(
            params.buffers * self.itemsize + 8 * (layer.type == "batch_norm" and not layer.settings["frozen"])
            for layer, params, _ in self._owned
        )

    @cached_property
    def optimizer_bytes(self) -> int:
        """The bytes of the optimizer state."""
        kind = OPTIMIZERS[self.optimizer]
        return kind.per_weight * self.gradients + (4 * len(self.tensors) if kind.counts_steps else 0)

    @cached_property
    def step_scratch(self) -> int:
        """The largest scratch of the optimizer during its step on the CPU, in bytes."""
        if not OPTIMIZERS[self.optimizer].counts_steps:
            return 0
        steps = (before + 2 * size for before, size in zip([0, *self.tensors], self.tensors, strict=False))
        return reduce(greater, steps, 0)

    def image(self, batch: int) -> int:
        """The bytes of the network input, or of all its inputs."""
        return single(batch, "batch") * sum(shape.values for shape in self.network.inputs.values()) * self.itemsize

    def inference_parts(self, batch: int) -> Parts:
        """The parts of the peak memory of inference."""
        peak = self.inference.peak(batch)
        return Parts(self.weights, self.buffers, 0, 0, self.image(batch), peak, self.overhead)

    def training_parts(self, batch: int) -> Parts:
        """The parts of the peak memory of training. The peak is in the two passes, or in the optimizer's step.

        The optimizer state exists from the first step of the optimizer on. Every backward pass makes the gradients of
        weights again, and all of them are alive at its end. Gradients of other tensors count as activations.
        """
        gradients, in_step = self._gradients(batch), self._outputs(batch) + self.step_scratch
        activations = self.training.peak(batch) - gradients
        if self.gradients + in_step > gradients + activations:
            gradients, activations = self.gradients, in_step
        held = self.weights, self.buffers, self.optimizer_bytes
        return Parts(*held, gradients, self.image(batch), activations, self.overhead)

    def training_total(self, batch: int) -> int:
        """The sum of ``training_parts``. This method takes arrays too: the moment of the peak may differ between elements."""
        in_step = self.gradients + self._outputs(batch) + self.step_scratch
        held = self.weights + self.buffers + self.optimizer_bytes + self.image(batch) + self.overhead
        return held + greater(self.training.peak(batch), in_step)

    def largest_inference(self, budget: int | str) -> int:
        """The largest batch for which inference fits into the budget; 0 if one image does not fit."""
        free = in_bytes(budget) - self.weights - self.buffers - self.overhead
        return self.inference.largest_batch(free, self.image(1))

    def largest_training(self, budget: int | str) -> int:
        """The largest batch for which training fits into the budget; 0 if one image does not fit."""
        free = in_bytes(budget) - self.weights - self.buffers - self.optimizer_bytes - self.overhead
        each = self.image(1) + self._outputs(1)
        in_step = max(0, free - self.gradients - self.step_scratch) // each
        return min(self.training.largest_batch(free, self.image(1)), in_step)

    def _gradients(self, batch: int) -> int:
        """The bytes of the weight gradients that are alive at the peak of training."""
        run = self.training.of_batch(batch)
        at = batch == 1, run.peak_moment(batch)
        if at not in self._gradients_at:
            self._gradients_at[at] = sum(s.fixed for s in run.alive(at[1]) if s.role == "weight gradient")
        return self._gradients_at[at]

    def _outputs(self, batch: int) -> int:
        """The bytes of the network's outputs, which stay alive until the next step."""
        outputs = self.training.of_batch(batch).outputs
        storages = dict.fromkeys(outputs[index] for index in self.network.results())
        return sum(storage.bytes(batch) for storage in storages if storage.role == "map")


def in_bytes(size: int | str) -> int:
    """The number of bytes of a size that is a number or a text such as 24GiB; ArchcalcError for any other value."""
    if isinstance(size, str):
        return read_size(size)
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ArchcalcError(f"expected a size in bytes or a text such as 24GiB, got {message_text(size)}")
    return size


def read_size(text: str) -> int:
    """The bytes of a text such as 24GiB, 512 MB or 1.5GB; ArchcalcError, with the nearest unit, for other texts."""
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
