"""Measures how long a network takes here, in PyTorch, in whole and layer by layer."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from archcalc.errors import ArchcalcError
from archcalc.inputs import single
from archcalc.memory.lifetime import inference
from archcalc.network import Network
from archcalc.witness.times import MOST_SECONDS, Measurement, Span

if TYPE_CHECKING:
    from archcalc.witness.device import Device


def measuring_device(asked: str) -> Device:
    """The device of that name. ArchcalcError if PyTorch or the device is missing, or if the device has no values."""
    if find_spec("torch") is None:
        raise ArchcalcError("measuring needs torch: pip install 'archcalc[torch]'")
    from archcalc.witness.device import device, keep_freed_memory

    found = device(asked)
    if not found.has_values:
        raise ArchcalcError(f"--device {asked} computes no values, so a run takes no time; use cpu or cuda")
    keep_freed_memory()
    return found


def measure(
    network: Network,
    device: Device,
    batch: int = 1,
    channels_last: bool = False,
    *,
    layers: bool = True,
    most: float = MOST_SECONDS,
) -> Measurement:
    """The time of inference in float32, eager, in whole and of the ``layers``. ``most``: seconds of runs in whole.

    ArchcalcError if the run needs more memory than is free.
    """
    import torch

    from archcalc.witness.clock import layer_runs, whole_runs
    from archcalc.witness.device import out_of_memory

    if not network.after_inputs:
        raise ArchcalcError(f"{network.full_name} has no layers to run")
    _need(network, device.name, single(batch, "batch"))
    model, images = ready(network, device.name, batch, channels_last)
    try:
        whole = whole_runs(lambda: model(*images), device.name, most)
        parts = layer_runs(model, images, device.name) if layers else []
    except (RuntimeError, MemoryError) as error:
        if text := out_of_memory(error):
            raise ArchcalcError(f"{network.full_name} at batch {batch:,}: out of memory: {text}") from None
        raise
    nodes = [node for node, _ in model.layers if not node.side]
    spans = {
        node.name: Span.of(times) for node, times in zip(nodes if layers else (), zip(*parts, strict=True), strict=True)
    }
    threads = f", {torch.get_num_threads()} threads" if device.name == "cpu" else ""
    return Measurement(network, f"{device.about}{threads}", batch, channels_last, len(whole), Span.of(whole), spans)


def ready(network: Network, device: str, batch: int, channels_last: bool) -> tuple[Any, list[Any]]:
    """The model on the device, and random images."""
    import torch

    from archcalc.witness import build

    torch.backends.cudnn.allow_tf32 = False  # float32, as the estimate takes it
    model = build(network, device).eval()
    images = [torch.rand(batch, shape.channels, *shape.axes, device=device) for shape in network.inputs.values()]
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
        images = [one.to(memory_format=torch.channels_last) if one.dim() == 4 else one for one in images]
    return model, images


def _need(network: Network, device: str, batch: int) -> None:
    """ArchcalcError if the batch needs more memory than is free."""
    from archcalc.witness.need import Need, Room, of_run

    one = of_run(network).parts
    growing = {name: batch * one[name] for name in ("input", "copies in an operator")}
    need = Need({**one, **growing, "feature maps": inference(network).peak(batch)})
    need.check(Room.of(device).device, f"{network.full_name} at batch {batch:,}", "use a smaller --batch")
