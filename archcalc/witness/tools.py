"""The tools themselves, run on torchvision's models.

Every tool gets a model of its own: thop, ptflops and calflops leave hooks or patches behind. Where a tool can
do without memory it gets the meta device; fvcore cannot trace there, and ptflops counts linear layers twice.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any, NamedTuple

from archcalc.analysis import analyze
from archcalc.errors import ArchcalcError, clipped
from archcalc.network import Network
from archcalc.witness.models import build, counterpart
from archcalc.witness.need import Room, of_run


class Measured(NamedTuple):
    """What a tool said, as whole numbers: operations, parameters, and bytes; None for what it does not say."""

    operations: int
    params: int | None = None
    memory: int | None = None


class Tool(NamedTuple):
    """A tool by its module, what installs it, and how it is run on a model and an image."""

    module: str
    install: str
    run: Callable[[Any, Any], Measured]
    meta: bool


def _torch(model: Any, image: Any) -> Measured:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        model(image)
    return Measured(counter.get_total_flops())


def _fvcore(model: Any, image: Any) -> Measured:
    from fvcore.nn import FlopCountAnalysis, parameter_count

    logging.getLogger("fvcore").setLevel(logging.ERROR)
    count = FlopCountAnalysis(model, image)
    count.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    return Measured(_whole(count.total()), parameter_count(model)[""])


def _torchinfo(model: Any, image: Any) -> Measured:
    from torchinfo import summary

    found = summary(model, input_data=image, device=image.device, verbose=0)
    return Measured(found.total_mult_adds, found.total_params, found.total_output_bytes)


def _ptflops(backend: str) -> Callable[[Any, Any], Measured]:
    def run(model: Any, image: Any) -> Measured:
        from ptflops import get_model_complexity_info

        macs, params = get_model_complexity_info(
            model, tuple(image.shape[1:]), as_strings=False, backend=backend, print_per_layer_stat=False
        )
        if macs is None:
            raise RuntimeError("it returned None")
        return Measured(_whole(macs), params)

    return run


def _thop(model: Any, image: Any) -> Measured:
    from thop import profile

    macs, params = profile(model, inputs=(image,), verbose=False)
    return Measured(_whole(macs), _whole(params))


def _calflops(which: int) -> Callable[[Any, Any], Measured]:
    def run(model: Any, image: Any) -> Measured:
        from calflops import calculate_flops

        found = calculate_flops(model, tuple(image.shape), print_results=False, output_as_string=False)
        return Measured(_whole(found[which]), _whole(found[2]))

    return run


TOOLS: Mapping[str, Tool] = {
    "fvcore": Tool("fvcore", "tools", _fvcore, meta=False),
    "torchinfo": Tool("torchinfo", "tools", _torchinfo, meta=True),
    "ptflops": Tool("ptflops", "tools", _ptflops("pytorch"), meta=False),
    "ptflops-aten": Tool("ptflops", "tools", _ptflops("aten"), meta=True),
    "thop": Tool("thop", "tools", _thop, meta=True),
    "torch": Tool("torch", "torch", _torch, meta=True),
    "calflops-flops": Tool("calflops", "calflops", _calflops(0), meta=False),
    "calflops-macs": Tool("calflops", "calflops", _calflops(1), meta=False),
}
"""Every tool that can be run, by its convention's name."""


def missing(name: str) -> str:
    """How to install the tool of a convention; nothing where it is installed."""
    tool = TOOLS[name]
    needed = (tool.module, "transformers") if tool.module == "calflops" else (tool.module,)
    absent = [module for module in needed if find_spec(module) is None]
    return f"{absent[0]} is not installed: pip install 'archcalc[{tool.install}]'" if absent else ""


def unfit(name: str, network: Network, room: Room | None = None) -> str:
    """Why the run of a tool does not fit into the free memory; nothing where it fits, as all do on the meta device."""
    if TOOLS[name].meta:
        return ""
    free = (Room.of("cpu") if room is None else room).host
    return of_run(network).problem(free, f"{network.full_name}: {name} at {network.input}", "take a smaller --input")


def measure(name: str, network: Network, room: Room | None = None) -> Measured:
    """What the tool of that convention says of the torchvision model that the network is, for one image.

    ``room`` is the free memory, which is asked of the machine by default. ArchcalcError where the tool is not one of
    TOOLS, is not installed or fails, where torchvision has no such model, or where the run does not fit into the free
    memory (before anything is allocated).
    """
    if name not in TOOLS:
        raise ArchcalcError(f"{name} is no tool that can be run; these can: {', '.join(TOOLS)}")
    model_name = counterpart(network)
    if missing("torch"):
        raise ArchcalcError("measuring needs torch and torchvision: pip install 'archcalc[torch]'")
    if missing(name):
        raise ArchcalcError(missing(name))
    import torch

    tool = TOOLS[name]
    if said := unfit(name, network, room):
        raise ArchcalcError(said)
    model = build(model_name, meta=tool.meta)
    _check_same(model, model_name, network)
    image = (
        torch.empty(1, network.input.channels, *network.input.axes, device="meta")
        if tool.meta
        else torch.zeros(1, network.input.channels, *network.input.axes)
    )
    try:
        with _quiet(), torch.no_grad():
            return tool.run(model, image)
    except Exception as error:  # a tool may fail in any way
        said = f"{type(error).__name__}: {clipped(str(error).strip(), 160)}"
        raise ArchcalcError(f"{tool.module} failed on torchvision's {model_name}: {said}") from error


def _check_same(model: Any, name: str, network: Network) -> None:
    theirs = sum(p.numel() for p in model.parameters())
    analysis = analyze(network, training=not network.side_problem)
    if theirs != analysis.totals.params and not network.side_problem:
        raise ArchcalcError(
            f"torchvision's {name} is not {network.full_name} at {network.input}: it has {theirs:,} "
            f"parameters, the network {analysis.totals.params:,}"
        )


def _whole(number: Any) -> int:
    """A count as the integer that it is, exactly."""
    whole = int(number)
    if whole != number:
        raise ValueError(f"{number} is no whole number")
    return whole


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Nothing of what tools print and warn."""
    unheard = io.StringIO()
    with contextlib.redirect_stdout(unheard), contextlib.redirect_stderr(unheard), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
