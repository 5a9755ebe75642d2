"""Memory that PyTorch uses: bytes saved for the backward pass, and bytes alive during a run, tensor by tensor.

Each storage counts once, even if several tensors share the storage. Parameters, buffers and the network inputs do
not count. On the meta device, a tensor has a storage of the right size that takes no memory, and the same operators run. So
a whole network can be measured on the meta device.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import zip_longest
from typing import Any, NamedTuple
from weakref import ref

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from archcalc.memory.lifetime import Schedule, inference
from archcalc.memory.training import training
from archcalc.network import Network
from archcalc.pytorch.layout import Batch
from archcalc.pytorch.runner import AttentionForm
from archcalc.witness import as_on_cpu
from archcalc.witness.as_on_cpu import AsOnCpu
from archcalc.witness.attention import InForm
from archcalc.witness.built import Built


class SavedStorage(NamedTuple):
    """A storage that is saved for the backward pass: the layer that saved the storage first, and the bytes."""

    layer: str
    bytes: int


class OperatorBytes(NamedTuple):
    """An operator: the layer that ran, the operator's name, the bytes of its new storages, and all bytes alive then."""

    layer: str
    operator: str
    new_bytes: int
    bytes: int


def saved_bytes(module: nn.Module, *images: Tensor, attention: AttentionForm = "flash") -> int:
    """Bytes that a forward pass of the module in training saves for its backward pass."""
    return sum(storage.bytes for storage in saved(module, *images, attention=attention))


def inference_peak(module: nn.Module, *images: Tensor, attention: AttentionForm = "flash") -> int:
    """The most bytes alive after any operator while the module runs in evaluation mode without gradients."""
    return peak(inference_live(module, *images, attention=attention))


def training_peak(module: nn.Module, *images: Tensor, attention: AttentionForm = "flash") -> int:
    """The most bytes alive after any operator of a forward and a backward pass, without weights and network input."""
    return peak(training_live(module, *images, attention=attention))


def peak(live: Iterable[OperatorBytes]) -> int:
    """The most bytes alive after any operator."""
    return max((after.bytes for after in live), default=0)


def saved_difference(
    network: Network, module: nn.Module, *images: Tensor, amp: bool = False, attention: AttentionForm = "flash"
) -> str:
    """The first saved tensor that differs between archcalc and PyTorch, as text. Empty if there is none."""
    batch = len(images[0])
    schedule = training(network, amp=amp, attention=attention, batch=Batch(batch)).of_batch(batch)
    ours = [own for own in schedule.saved_once() if own.storage.bytes(batch)]
    theirs = [other for other in saved(module, *images, amp=amp, attention=attention) if other.bytes]
    for own, other in zip_longest(ours, theirs):
        here = f"{network.nodes[own.node].name} keeps {own.storage.bytes(batch):,} ({own.why})" if own else "no more"
        there = f"{other.layer} keeps {other.bytes:,}" if other else "no more"
        if own is None or other is None or own.storage.bytes(batch) != other.bytes:
            return f"{here} here, {there} in PyTorch"
    return ""


def peak_difference(network: Network, module: nn.Module, *images: Tensor, attention: AttentionForm = "flash") -> str:
    """The first layer whose peak at inference differs between archcalc and PyTorch, as text. Empty if there is none."""
    batch = len(images[0])
    schedule = inference(network, attention=attention, sums_in_place=False).of_batch(batch)
    ours: dict[str, int] = {}
    for moment, live in zip(schedule.moments, schedule.live(batch), strict=True):
        name = network.nodes[moment.node].name
        ours[name] = max(ours.get(name, 0), live)
    theirs: dict[str, int] = {}
    for after in inference_live(module, *images, attention=attention):
        theirs[after.layer] = max(theirs.get(after.layer, 0), after.bytes)
    for name, live in theirs.items():
        if name in ours and ours[name] != live:
            return f"{name}: {ours[name]:,} bytes alive here, {live:,} in PyTorch"
    return ""


def moment_difference(schedule: Schedule, live: Iterable[OperatorBytes], batch: int) -> str:
    """The first operator whose bytes differ between archcalc and PyTorch, as text. Empty if there is none.

    The bytes of new storages and the bytes alive afterwards are compared. Only operators that make a storage are
    compared; views and operators that write in place make no storage.
    """
    schedule = schedule.of_batch(batch)
    born_bytes = [0] * len(schedule.moments)
    for storage in schedule.storages:
        born_bytes[storage.born] += storage.bytes(batch)
    names = [schedule.network.nodes[moment.node].name for moment in schedule.moments]
    rows = zip(names, schedule.moments, born_bytes, schedule.live(batch), strict=True)
    ours = [OperatorBytes(name, moment.operator, born, alive) for name, moment, born, alive in rows if born]
    for here, there in zip_longest(ours, (after for after in live if after.new_bytes)):
        if here is None or there is None or here[2:] != there[2:]:
            layer = (here or there).layer
            return f"{layer + ', ' if layer else ''}{_text(here)} here, {_text(there)} in PyTorch"
    return ""


def _text(after: OperatorBytes | None) -> str:
    return f"{after.operator} makes {after.new_bytes:,} of {after.bytes:,} alive" if after else "no more"


def saved(
    module: nn.Module, *images: Tensor, amp: bool = False, attention: AttentionForm = "flash"
) -> list[SavedStorage]:
    """The storages that a forward pass in training saves, in the order of saving.

    With ``amp``, the pass runs under autocast to bfloat16. The copies of weights are then saved storages, too.
    """
    known, storages, references = _storages([*images, *_owned(module, images[0])]), [], []
    layers = _Layers(module)

    def pack(tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage._cdata not in known:
            known.add(storage._cdata)
            references.append(tensor)
            storages.append(SavedStorage(layers.now, storage.nbytes()))

    # No backward pass runs, so nothing is unpacked. A tensor saved in its own graph would never be freed.
    hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda nothing: nothing)
    cast = torch.autocast("cpu", torch.bfloat16, enabled=amp)
    orders = AsOnCpu() if images[0].is_meta else nullcontext()  # type: ignore[no-untyped-call]
    with _mode(module, training=True), layers, hooks, orders, InForm(attention), cast:
        references.append(module(*images))
    references.clear()  # breaks a cycle that Python cannot find: list, output, graph, hooks, list
    return storages


def inference_live(
    module: nn.Module, *images: Tensor, amp: bool = False, attention: AttentionForm = "flash"
) -> list[OperatorBytes]:
    """Every operator of a run in evaluation mode without gradients."""
    layers = _Layers(module)
    cast = torch.autocast("cpu", torch.bfloat16, enabled=amp)
    with (
        _mode(module, training=False),
        torch.no_grad(),
        layers,
        Live([*images, *_owned(module, images[0])], layers) as live,
        cast,
        InForm(attention),
    ):
        module(*images)
    operators: list[OperatorBytes] = live.operators
    return operators


def training_live(
    module: nn.Module, *images: Tensor, amp: bool = False, attention: AttentionForm = "flash"
) -> list[OperatorBytes]:
    """Every operator of a forward and a backward pass. The outputs have a gradient as from a loss."""
    layers = _Layers(module)
    with _mode(module, training=True), layers, Live([*images, *_owned(module, images[0])], layers) as live:
        with torch.autocast("cpu", torch.bfloat16, enabled=amp), InForm(attention):
            out = module(*images)
        layers.now = ""
        outputs = [tensor for tensor in tree_leaves(out) if tensor.requires_grad]
        if outputs:
            loss = Loss.apply(*outputs)
            loss.backward(torch.empty_like(loss))
    module.zero_grad(set_to_none=True)
    operators: list[OperatorBytes] = live.operators
    return operators


class Loss(torch.autograd.Function):
    """A stand-in for any loss: saves no tensor, and gives every output a gradient."""

    @staticmethod
    def forward(ctx: Any, *outputs: Tensor) -> Tensor:
        ctx.like = [(out.shape, out.dtype, out.device) for out in outputs]
        return outputs[0].new_empty(0)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, ...]:
        return tuple(torch.ones(shape, dtype=dtype, device=device) for shape, dtype, device in ctx.like)


class Live(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows every storage that an operator makes until the storage is freed."""

    def __init__(self, known: Iterable[Tensor], layers: _Layers) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.known, self.layers = _storages(known), layers
        self.alive: dict[int, ref[torch.UntypedStorage]] = {}
        self.bytes = 0
        self.operators: list[OperatorBytes] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = as_on_cpu.run(func, args, kwargs)
        outputs = out[:1] if _evaluates_norm(func, args) else _asked_for(func, args, out)
        before = self.bytes
        for tensor in tree_leaves(outputs):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                if storage._cdata not in self.known and storage._cdata not in self.alive:
                    self._follow(storage, storage._cdata, storage.nbytes())
        self.operators.append(OperatorBytes(self.layers.now, func.__name__, self.bytes - before, self.bytes))
        return out

    def _follow(self, storage: torch.UntypedStorage, at: int, size: int) -> None:
        """Count a storage until the storage is freed. Its Python object is freed at the same moment."""

        def gone(_: object) -> None:
            del self.alive[at]
            self.bytes -= size

        self.alive[at] = ref(storage, gone)
        self.bytes += size


def _evaluates_norm(func: Any, args: Any) -> bool:
    """Whether this is batch normalisation with running statistics.

    The operator makes one tensor, but returns three on the meta device.
    """
    return func is torch.ops.aten.native_batch_norm.default and not args[5]


def _asked_for(func: Any, args: Any, out: Any) -> Any:
    """The gradients that a batch normalisation was asked for. On the meta device, the operator makes all three."""
    if func is not torch.ops.aten.native_batch_norm_backward.default:
        return out
    return [gradient for gradient, asked in zip(out, args[-1], strict=True) if asked]


class _Layers:
    """The layer of a module that runs now: the last layer that was entered.

    Layers of a built model have the spec's names.
    """

    def __init__(self, module: nn.Module) -> None:
        self.now = ""
        self._modules = (
            [(node.name, part) for node, layer in module.layers for part in (*module.before[node.index], layer)]
            if isinstance(module, Built)
            else list(module.named_modules())[1:]
        )
        self._handles: list[Any] = []

    def __enter__(self) -> None:
        for name, module in self._modules:
            self._handles.append(module.register_forward_pre_hook(self._entering(name)))

    def __exit__(self, *error: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _entering(self, name: str) -> Any:
        def hook(module: nn.Module, inputs: Any) -> None:
            self.now = name

        return hook


def _owned(module: nn.Module, image: Tensor) -> list[Tensor]:
    """The parameters and buffers of a module, and the regions that a built model reads."""
    rois = [part.default_rois(image) for part in module.modules() if isinstance(part, Built)]
    return [*module.parameters(), *module.buffers(), *tree_leaves(rois)]


def _storages(tensors: Iterable[Tensor]) -> set[int]:
    return {tensor.untyped_storage()._cdata for tensor in tensors}


@contextmanager
def _mode(module: nn.Module, *, training: bool) -> Iterator[None]:
    """Sets the module to training or evaluation mode, and restores the earlier mode at the end."""
    before = module.training
    module.train(training)
    try:
        yield
    finally:
        module.train(before)
