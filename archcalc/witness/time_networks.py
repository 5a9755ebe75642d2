"""The operators of timm's models, as the files of measured times ran them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from archcalc.capture.program import Program
from archcalc.named_inputs import INPUT
from archcalc.network import Network
from archcalc.sizes import Shape
from archcalc.timing.fusion import fused
from archcalc.timing.operators import Access, Operator
from archcalc.timing.products import Product
from archcalc.timing.time import Settings, updates
from archcalc.version import __version__
from archcalc.witness.long_run import Row

MODULES = (
    *(f"capture/{name}" for name in ("program", "noting", "without_values", "backward", "ran", "operators")),
    *("timing/operators", "timing/fusion", "witness/time_networks"),
)
"""What the operators depend on."""
KINDS = {
    "eager": Settings(2, amp=True, half_norms=True),
    "last": Settings(2, amp=True, half_norms=True, channels_last=True),
    "compiled": Settings(2, amp=True, half_norms=True, compiled=True),
    "cpu": Settings(1),
    "cpu compiled": Settings(1, compiled=True),
    "training": Settings(2, amp=True, training=True, optimizer="momentum", attention="math"),
    "training last": Settings(2, amp=True, training=True, optimizer="momentum", attention="math", channels_last=True),
}
"""The ways in which a model runs, each with a name for the file of results."""


def kind_of(settings: Settings, device: str) -> str:
    """The way in which a file ran its models. A batch of one image is recorded for CPUs."""
    if device == "cpu":
        return "cpu compiled" if settings.compiled else "cpu"
    if settings.training:
        return "training last" if settings.channels_last else "training"
    return "compiled" if settings.compiled else "last" if settings.channels_last else "eager"


def made_by() -> str:
    """The versions on which the operators depend; archcalc's with a digest of the modules that make them."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    for module in MODULES:
        digest.update((package / f"{module}.py").read_bytes())
    versions = [f"{name} {metadata.version(name)}" for name in ("torch", "timm")]
    return f"archcalc {__version__} (source code {digest.hexdigest()[:12]}), {', '.join(versions)}"


def work(item: str) -> Row:
    """The operators of an item such as ``infer resnet50 224`` in every way of running, equal ones once with their number."""
    phase, name, side = item.split(" ")
    module = _module(name, int(side), phase == "train")
    program, inputs = Program(module), {INPUT: Shape(3, (int(side), int(side)))}
    params, found = sum(one.numel() for one in module.parameters()), {}
    for kind, settings in KINDS.items():
        if settings.training == (phase == "train"):
            ran = program.run(inputs, settings, "cpu" if kind.startswith("cpu") else "gpu")
            operators = [one for _, one in ran.operators]
            if settings.compiled:
                operators = fused(operators, ran.outputs)
            if settings.training:
                operators += updates(0, params, settings.optimizer)
            found[kind] = [[*packed(one), n] for one, n in Counter(map(_plain, operators)).items()]
    return {"verdict": "recorded", "params": params, "operators": found}


def model(name: str, side: int, training: bool) -> tuple[Network, int]:
    """The network of a model of timm as a file of measurements ran it, and the number of its parameters."""
    from archcalc.capture.networks import network_from

    module = _module(name, side, training)
    plain = module if training else _module(name, side, training, half_norms=False)  # which runs on meta
    network = network_from(Network, plain, (3, side, side))
    network.program = Program(module)
    return network, sum(one.numel() for one in module.parameters())


def _module(name: str, side: int, training: bool, half_norms: bool = True) -> Any:
    """The model for inputs of this side. Inference runs it after reparameterisation, with fused
    attention and normalisations in half precision."""
    import timm
    from timm.layers.config import set_fused_attn
    from timm.layers.fast_norm import set_fast_norm
    from timm.utils.model import reparameterize_model

    from archcalc.capture.models import built

    set_fused_attn(not training)
    set_fast_norm(half_norms and not training)  # type: ignore[no-untyped-call]
    module = built(lambda: timm.create_model(name), name)
    more: dict[str, Any] = {}
    if module.default_cfg["input_size"][-1] != side:
        try:
            module = built(lambda: timm.create_model(name, img_size=side), name)
            more = {"img_size": side}
        except Exception:  # the model takes images of any size
            more = {}
    changes = ("reparameterize", "fuse", "switch_to_deploy")
    if not training and any(hasattr(one, change) for one in module.modules() for change in changes):
        module = reparameterize_model(timm.create_model(name, **more).eval())
    return module.eval()


def _plain(one: Operator) -> Operator:
    """An operator without its place."""
    reads, writes = (tuple(access._replace(storage=None) for access in side) for side in (one.reads, one.writes))
    return one._replace(node=0, reads=reads, writes=writes)


def packed(one: Operator) -> list[Any]:
    """An operator as JSON."""
    sides = [[access[1:] for access in side] for side in (one.reads, one.writes)]
    return [one.phase, one.name, one.kind, *sides, one.product, one.macs, one.itemsize, one.maps]


def unpacked(rows: Iterable[list[Any]]) -> list[tuple[Operator, int]]:
    """The operators of a row of results, with their numbers."""
    found = []
    for phase, name, kind, reads, writes, product, macs, itemsize, maps, count in rows:
        read, written = (tuple(Access(None, *access) for access in side) for side in (reads, writes))
        own = None if product is None else Product(*product)
        found.append((Operator(phase, 0, name, kind, read, written, own, macs, itemsize, maps), count))
    return found
