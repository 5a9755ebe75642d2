"""The time of a network on a device: a lower bound, an estimate and its error, in sum and layer by layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property, reduce
from operator import add
from typing import Any, Literal, NamedTuple

from archcalc.dtypes import itemsize
from archcalc.errors import ArchcalcError, unknown
from archcalc.memory.budget import OPTIMIZERS, TRAINABLE
from archcalc.memory.lifetime import Schedule, inference
from archcalc.memory.training import training
from archcalc.network import Network, Node
from archcalc.pytorch.layout import MANY, Batch
from archcalc.pytorch.runner import AttentionForm
from archcalc.sizes import greater
from archcalc.timing.device import Device, Measured
from archcalc.timing.fusion import fused
from archcalc.timing.limits import Mode, bound, limits, operations, seconds
from archcalc.timing.merging import half_norms, merged, single_norms, written_out
from archcalc.timing.operators import Access, Operator, operators
from archcalc.timing.placing import placed
from archcalc.timing.written import as_written
from archcalc.units import bytes_text

Bound = Literal["arithmetic", "memory", "launch", ""]
UPDATES = {
    "sgd": (12,),
    "momentum": (8, 12, 12),
    "adam": (12, 8, 12, 8, 8, 8, 16),
    "adamw": (8, 12, 8, 12, 8, 8, 8, 16),
}
"""The bytes that each operator of an optimizer's step reads and writes for a weight in float32.

sgd: p -= lr * g reads p and g, and writes p: 12. momentum: b *= m (8), b += g (12), p -= lr * b (12). adam: m.lerp_(g) (12),
v *= beta (8), v += g * g (12), sqrt (8), / correction (8), + eps (8), p -= m / denominator (16). adamw: p *= decay (8) first.
Source: torch/optim/sgd.py and adam.py, the functions _multi_tensor_sgd and _multi_tensor_adam.
"""
FAST = 4.0
"""How many times fewer multiplications Winograd's algorithm takes for a 3x3 convolution, in tiles of 4x4 outputs."""


class Settings(NamedTuple):
    """How a network runs: see ``archcalc time --help``.

    half_norms: under autocast, normalisations run in half precision, as with timm's ``--fast-norm``
    attention:  ``flash`` (one fused operator) or ``math`` (the scores are stored)
    """

    batch: int = 1
    dtype: str = "float32"
    amp: bool = False
    training: bool = False
    optimizer: str = "sgd"
    compiled: bool = False
    channels_last: bool = False
    tf32: bool = False
    half_norms: bool = False
    attention: AttentionForm = "flash"

    def check(self) -> None:
        """ArchcalcError for settings that exclude each other."""
        itemsize(self.dtype)
        if self.optimizer not in OPTIMIZERS:
            raise ArchcalcError(unknown("optimizer", self.optimizer, OPTIMIZERS))
        if self.amp and self.dtype != "float32":
            raise ArchcalcError(
                f"mixed precision keeps its weights in float32; it cannot be asked for with {self.dtype}"
            )
        if self.tf32 and self.dtype != "float32":
            raise ArchcalcError(f"TF32 is a way to multiply float32; it cannot be asked for with {self.dtype}")
        if self.training and self.dtype not in TRAINABLE:
            raise ArchcalcError(
                f"PyTorch cannot train in {self.dtype}: it has gradients for {', '.join(TRAINABLE)} only"
            )

    @property
    def mode(self) -> Mode:
        """The dtypes of matrix products."""
        half = self.dtype if self.dtype in ("float16", "bfloat16") else "float16"
        return Mode(self.batch, "tf32" if self.tf32 else "float32", half)

    @property
    def name(self) -> str:
        """The mode by the name that the errors of a device have: ``inference amp``, ``training amp channels last``."""
        precision = "amp" if self.amp else "tf32" if self.tf32 else self.dtype
        parts = ["training" if self.training else "inference", precision]
        return " ".join([*parts, *["compiled"] * self.compiled, *["channels last"] * self.channels_last])


class OperatorTime(NamedTuple):
    """The time of one operator: its limits, what comes on top, and the lower bound, in seconds."""

    operator: Operator
    arithmetic: float
    traffic: float
    always: float
    lower_bound: float

    @property
    def estimate(self) -> float:
        return greater(self.arithmetic, self.traffic) + self.always

    @property
    def bound(self) -> Bound:
        """What most of the time goes to."""
        if self.always > max(self.arithmetic, self.traffic):
            return "launch"
        return "arithmetic" if self.arithmetic > self.traffic else "memory"


class LayerTime(NamedTuple):
    """The time of one layer, in seconds for the batch, in all passes.

    bound:      what most of its time goes to: arithmetic, memory, launch; '' if it runs no operator
    macs, bytes: multiply-adds, and bytes that its operators read and write
    estimates of the forward and the backward pass and of the optimizer's step
    """

    name: str
    type: str
    estimate: float
    lower_bound: float
    bound: Bound
    macs: int
    bytes: int
    forward: float
    backward: float
    step: float

    @property
    def intensity(self) -> float:
        """Operations of matrix products for every byte."""
        return 2 * self.macs / self.bytes if self.bytes else 0.0


class Time:
    """The time of a network on a device, for a batch: see ``archcalc.Analysis.time``."""

    def __init__(self, network: Network, device: Device, settings: Settings) -> None:
        settings.check()
        self.network, self.device, self.settings = network, device, settings
        if network.program is None:
            self.network = as_written(network)
        for dtype in self._dtypes:
            device.peak(dtype)

    @property
    def _dtypes(self) -> list[str]:
        """The dtypes of matrix products that the run uses."""
        single = "tf32" if self.settings.tf32 else self.settings.dtype
        return [single, "float16"] if self.settings.amp else [single]

    @cached_property
    def operators(self) -> list[OperatorTime]:
        """Every operator that runs, in running order."""
        mode = self.settings.mode
        return [self._timed(one, mode) for one in recorded(self.network, self.settings, self.device.kind)]

    def _timed(self, one: Operator, mode: Mode) -> OperatorTime:
        arithmetic, traffic, always = (
            seconds(terms, self.device.constants) for terms in limits(one, self.device, mode)
        )
        return OperatorTime(one, arithmetic, traffic, always, bound(one, self.device, mode))

    @cached_property
    def estimate(self) -> float:
        """Seconds for the batch."""
        return _total(_total(one.estimate for one in times) for _, times in self._layers)

    @cached_property
    def lower_bound(self) -> float:
        """Seconds for the batch that no run can beat, but for fast algorithms (``lower_bound_fast``)."""
        return sum(row.lower_bound for row in self.rows)

    @cached_property
    def lower_bound_fast(self) -> float:
        """The lower bound where 3x3 convolutions of step 1 take Winograd's algorithm, with a quarter of the products."""
        return sum(one.lower_bound / (FAST if self._is_fast(one.operator) else 1) for one in self.operators)

    def _is_fast(self, one: Operator) -> bool:
        product, layer = one.product, self.network.nodes[one.node].layer
        dense = one.kind == "convolution" and product is not None and product.groups == 1
        return dense and product is not None and product.cells == 9 and getattr(layer, "stride", 1) in (1, (1, 1))

    @property
    def mode(self) -> str:
        """The mode by the name that the errors of a device have."""
        return self.settings.name

    @property
    def error(self) -> Measured | None:
        """How far estimates lay from measurements on this device in this mode; None if nothing was measured."""
        return next((one for one in self.device.errors if one.mode == self.mode), None)

    @cached_property
    def rows(self) -> list[LayerTime]:
        """The layers in running order."""
        return [self._layer(node.name, node.layer.type, times) for node, times in self._layers]

    @cached_property
    def _layers(self) -> list[tuple[Node, list[OperatorTime]]]:
        """The layers in running order, with the times of their operators."""
        of: dict[int, list[OperatorTime]] = {}
        for one in self.operators:
            of.setdefault(one.operator.node, []).append(one)
        nodes = self.network.running(training=self.settings.training)
        return [(node, of.get(node.index, [])) for node in nodes if node.inputs]

    def _layer(self, name: str, type: str, times: Sequence[OperatorTime]) -> LayerTime:
        phases = {"forward": 0.0, "backward": 0.0, "step": 0.0}
        bounds: dict[Bound, float] = {}
        for one in times:
            phases[one.operator.phase] += one.estimate
            bounds[one.bound] = bounds.get(one.bound, 0.0) + one.estimate
        batch = self.settings.batch
        return LayerTime(
            name,
            type,
            _total(one.estimate for one in times),
            _total(one.lower_bound for one in times),
            max(bounds, key=lambda what: bounds[what], default=""),
            sum(operations(one.operator, self.settings.mode) for one in times) // 2,
            sum(one.operator.bytes(batch) for one in times),
            **phases,
        )


def _total(seconds: Iterable[float]) -> float:
    """The sum, one after another: for arrays as for floats, which ``sum`` adds otherwise from Python 3.12 on."""
    return reduce(add, seconds, 0.0)


def recorded(network: Network, settings: Settings, kind: str) -> list[Operator]:
    """The operators that run for a network, in running order, after fusion if they are compiled.

    A compiler for GPUs lays out the maps of convolutions channels last, whatever the order of the input.
    """
    if network.program is not None:
        program: Any = network.program(network.inputs, settings, kind)
        if program is not None:
            found = placed(network, program.operators)
            found = fused(found, program.outputs) if settings.compiled else found
            return [*found, *(_updates(network, settings.optimizer) if settings.training else ())]
    network = as_written(network)
    batch = Batch(1 if settings.batch == 1 else MANY)
    last = settings.channels_last or (settings.compiled and kind == "gpu")
    schedule: Schedule
    if settings.training:
        schedule = training(network, settings.dtype, amp=settings.amp, channels_last=last, batch=batch)
    else:
        schedule = inference(network, settings.dtype, amp=settings.amp, channels_last=last, batch=batch)
    found = operators(network, schedule)
    found = merged(found) if settings.attention == "flash" else written_out(found)
    if settings.amp and kind == "gpu":
        found = half_norms(found) if settings.half_norms else single_norms(found)
    if settings.compiled:
        found = fused(found, [schedule.outputs[index] for index in network.results(settings.training)])
    return [*found, *(_updates(network, settings.optimizer) if settings.training else ())]


def _updates(network: Network, optimizer: str) -> list[Operator]:
    """The optimizer's step: each of its operators runs over the weights of each layer."""
    found = []
    for node in network.running():
        if node.shares is None and not network.frozen(node):
            params = node.layer.params(*network.input_shapes(node))
            found += updates(node.index, params.weight + params.bias, optimizer)
    return found


def updates(node: int, count: int, optimizer: str) -> list[Operator]:
    """The operators of an optimizer's step for so many weights."""
    return [
        Operator(
            "step",
            node,
            f"{optimizer} step",
            "elementwise",
            (Access(None, 0, (size - 4) * count),),
            (Access(None, 0, 4 * count),),
        )
        for size in (UPDATES[optimizer] if count else ())
    ]


def need_memory(device: Device, total: int, batch: int, most: int) -> None:
    """ArchcalcError if a run needs more bytes than the device has; ``most``: the largest batch that fits."""
    if total > device.memory.value:
        fits = f"at most {most:,} images fit" if most else "not even one image fits"
        raise ArchcalcError(
            f"a batch of {batch:,} needs {bytes_text(total)}, and {device.title} has "
            f"{bytes_text(int(device.memory.value))}; {fits}"
        )
