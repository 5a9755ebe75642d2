"""How papers, courses and tools count, as data: a file per tool or paper.

The layers state every operation and every parameter by kind. A convention says which of them make up the number of a
tool. ``convention.py`` says what a convention is, ``counts.py`` what a term can count of a layer, and
``source_style.py`` what depends on a model's code. Every other file is a tool or a paper: what it counts, what it counts
as nothing, and so what it does not know. A convention is loaded when it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from archcalc.conventions.convention import Convention, Use
from archcalc.errors import ArchcalcError, unknown

__all__ = ["Convention", "Use", "convention", "conventions"]

if TYPE_CHECKING:
    conventions: Mapping[str, Convention]
    """Every convention by its name."""

FILES: Mapping[str, str] = MappingProxyType(
    {
        "archcalc": "archcalc",
        "paper": "paper",
        "cs231n": "cs231n",
        "lecun98": "lecun98",
        "convnet-burden": "convnet_burden",
        "netscope": "netscope",
        "rf-repo": "rf_repo",
        "fvcore": "fvcore",
        "torchinfo": "torchinfo",
        "ptflops": "ptflops",
        "ptflops-aten": "ptflops",
        "thop": "thop",
        "calflops-flops": "calflops",
        "calflops-macs": "calflops",
        "torch": "torch_counter",
        "torchvision": "torchvision",
        "timm": "timm",
        "keras": "keras",
        "torchsummary": "torchsummary",
    }
)
"""The file of each convention, in the order in which conventions are listed."""


def convention(name: str) -> Convention:
    """The convention of that name. ArchcalcError with the nearest name if there is none."""
    if name not in FILES:
        raise ArchcalcError(unknown("convention", name, FILES, most=len(FILES)))
    (one,) = [one for one in import_module(f"{__name__}.{FILES[name]}").CONVENTIONS if one.name == name]
    assert isinstance(one, Convention)
    return one


def __getattr__(name: str) -> Mapping[str, Convention]:
    if name != "conventions":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    all_of_them = globals()[name] = MappingProxyType({name: convention(name) for name in FILES})
    return all_of_them
