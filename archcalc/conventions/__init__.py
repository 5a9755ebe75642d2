"""The counting rules of papers, courses and tools, as data: one file for each tool or paper.

A layer states its operations and parameters by kind. A convention selects the kinds that add up to the number of a
tool. ``convention.py`` defines a convention, ``counts.py`` has the counts that a term can use, and ``source_style.py``
describes differences between the codes of models. Every other file describes a tool or a paper: the layer types that
count, and the types that count as nothing. All other types are unknown. A convention is loaded at its first use.
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
        "darknet": "darknet",
        "rf-repo": "rf_repo",
        "fvcore": "fvcore",
        "torchinfo": "torchinfo",
        "ptflops": "ptflops",
        "ptflops-aten": "ptflops",
        "thop": "thop",
        "calflops-flops": "calflops",
        "calflops-macs": "calflops",
        "torch": "torch_counter",
        "torch-cpu": "torch_counter",
        "torch-cpu-no-grad": "torch_counter",
        "torchvision": "torchvision",
        "timm": "timm",
        "keras": "keras",
        "torchsummary": "torchsummary",
    }
)
"""The file of each convention, in the order in which conventions are listed."""


def convention(name: str) -> Convention:
    """The convention with this name. ArchcalcError with the nearest name if there is no such convention."""
    if name not in FILES:
        raise ArchcalcError(unknown("convention", name, FILES, most=len(FILES)))
    (one,) = [one for one in import_module(f"{__name__}.{FILES[name]}").CONVENTIONS if one.name == name]
    assert isinstance(one, Convention)
    return one


def is_own(one: Convention) -> bool:
    """Whether a convention is one of archcalc's, and not made by a user."""
    return one.name in FILES and convention(one.name) is one


def __getattr__(name: str) -> Mapping[str, Convention]:
    if name != "conventions":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    all_of_them = globals()[name] = MappingProxyType({name: convention(name) for name in FILES})
    return all_of_them
