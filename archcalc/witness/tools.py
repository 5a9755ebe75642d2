"""The tools themselves, run on models of torchvision.

Every run has its own model: thop, ptflops and calflops leave hooks or patches behind. A model on the meta device needs
no memory. Two tools cannot use that device: fvcore cannot trace there, and ptflops counts linear layers twice.
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
from archcalc.witness.models import build, counterpart, regions_of
from archcalc.witness.need import Room, of_run


class Measurement(NamedTuple):
    """The figures of a tool: operations, parameters, and bytes of memory. None: the tool has no such figure."""

    operations: int
    params: int | None = None
    memory: int | None = None


class Tool(NamedTuple):
    """A tool: its Python module, the extra of archcalc that installs it, and a run on a model and an image.

    ``meta``: the tool runs on the meta device.
    """

    module: str
    install: str
    run: Callable[[Any, Any], Measurement]
    meta: bool


def _torch(model: Any, image: Any) -> Measurement:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        model(image)
    return Measurement(counter.get_total_flops())


def _torch_with_gradients(model: Any, image: Any) -> Measurement:
    import torch

    with torch.enable_grad():
        return _torch(model, image)


def _fvcore(model: Any, image: Any) -> Measurement:
    from fvcore.nn import FlopCountAnalysis, parameter_count

    logging.getLogger("fvcore").setLevel(logging.ERROR)
    count = FlopCountAnalysis(model, image)
    count.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    return Measurement(_whole(count.total()), parameter_count(model)[""])


def _torchinfo(model: Any, image: Any) -> Measurement:
    from torchinfo import summary

    totals = summary(model, input_data=image, device=image.device, verbose=0)
    return Measurement(totals.total_mult_adds, totals.total_params, totals.total_output_bytes)


def _ptflops(backend: str) -> Callable[[Any, Any], Measurement]:
    def run(model: Any, image: Any) -> Measurement:
        from ptflops import get_model_complexity_info

        macs, params = get_model_complexity_info(
            model, tuple(image.shape[1:]), as_strings=False, backend=backend, print_per_layer_stat=False
        )
        if macs is None:
            raise RuntimeError("it returned None")
        return Measurement(_whole(macs), params)

    return run


def _thop(model: Any, image: Any) -> Measurement:
    from thop import profile

    macs, params = profile(model, inputs=(image,), verbose=False)
    return Measurement(_whole(macs), _whole(params))


def _calflops(which: int) -> Callable[[Any, Any], Measurement]:
    def run(model: Any, image: Any) -> Measurement:
        from calflops import calculate_flops

        figures = calculate_flops(model, tuple(image.shape), print_results=False, output_as_string=False)
        return Measurement(_whole(figures[which]), _whole(figures[2]))

    return run


TOOLS: Mapping[str, Tool] = {
    "fvcore": Tool("fvcore", "tools", _fvcore, meta=False),
    "torchinfo": Tool("torchinfo", "tools", _torchinfo, meta=True),
    "ptflops": Tool("ptflops", "tools", _ptflops("pytorch"), meta=False),
    "ptflops-aten": Tool("ptflops", "tools", _ptflops("aten"), meta=True),
    "thop": Tool("thop", "tools", _thop, meta=True),
    "torch": Tool("torch", "torch", _torch, meta=True),
    "torch-cpu": Tool("torch", "torch", _torch_with_gradients, meta=False),
    "torch-cpu-no-grad": Tool("torch", "torch", _torch, meta=False),
    "calflops-flops": Tool("calflops", "calflops", _calflops(0), meta=False),
    "calflops-macs": Tool("calflops", "calflops", _calflops(1), meta=False),
}
"""Every tool that can be run, by its convention's name."""


def install_hint(name: str) -> str:
    """How to install the tool of a convention; empty if the tool is installed."""
    tool = TOOLS[name]
    needed = (tool.module, "transformers") if tool.module == "calflops" else (tool.module,)
    absent = [module for module in needed if find_spec(module) is None]
    return f"{absent[0]} is not installed: pip install 'archcalc[{tool.install}]'" if absent else ""


def memory_problem(name: str, network: Network, room: Room | None = None) -> str:
    """Why the run of a tool does not fit into the free memory; empty if it fits. On the meta device every run fits."""
    if TOOLS[name].meta:
        return ""
    free = (Room.of("cpu") if room is None else room).host
    return of_run(network).problem(
        free, f"{network.full_name}: {name} at {network.input_text}", "take a smaller --input"
    )


def measure(name: str, network: Network, room: Room | None = None) -> Measurement:
    """The figures of a convention's tool for the network's model in torchvision and one image.

    ``room`` is the free memory, by default that of the machine. ArchcalcError if the tool is not one of TOOLS, is not
    installed or fails, if torchvision has no such model, or if the run does not fit into the free memory. In the last
    case nothing is allocated.
    """
    if name not in TOOLS:
        raise ArchcalcError(f"{name} cannot be run; archcalc can run {', '.join(TOOLS)}")
    model_name = counterpart(network)
    if install_hint("torch"):
        raise ArchcalcError("measuring needs torch and torchvision: pip install 'archcalc[torch]'")
    if hint := install_hint(name):
        raise ArchcalcError(hint)
    import torch

    from archcalc.witness.as_on_cpu import AsOnCpu

    tool = TOOLS[name]
    if problem := memory_problem(name, network, room):
        raise ArchcalcError(problem)
    model = build(model_name, meta=tool.meta, regions=regions_of(network))
    _check_same(model, model_name, network)
    image = torch.zeros(1, network.input.channels, *network.input.axes, device="meta" if tool.meta else "cpu")
    try:
        mode = AsOnCpu() if tool.meta else contextlib.nullcontext()  # type: ignore[no-untyped-call]
        with quiet(), torch.no_grad(), mode:
            return tool.run(model, image)
    except Exception as error:  # a tool may fail in any way
        text = f"{type(error).__name__}: {clipped(str(error).strip(), 160)}"
        raise ArchcalcError(f"{tool.module} failed on torchvision's {model_name}: {text}") from error


def _check_same(model: Any, name: str, network: Network) -> None:
    theirs = sum(p.numel() for p in model.parameters())
    analysis = analyze(network, training=not network.side_problem)
    if theirs != analysis.totals.params and not network.side_problem:
        raise ArchcalcError(
            f"torchvision's {name} is not {network.full_name} at {network.input_text}: it has {theirs:,} "
            f"parameters, the network {analysis.totals.params:,}"
        )


def _whole(number: Any) -> int:
    """A count as an integer. ValueError for a fraction."""
    whole = int(number)
    if whole != number:
        raise ValueError(f"{number} is no whole number")
    return whole


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Discards what a tool prints, and the warnings of the tool."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
