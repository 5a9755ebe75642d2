"""Pictures for a paper or a slide; every kind is a function of an analysis, and loads matplotlib when it is used.

    archcalc.plot.save("cost", [archcalc.load("vgg16").analyze()], "vgg16.pdf")
    archcalc.plot.rf(archcalc.load("vgg16").analyze(), ax=axes)

Without ``ax`` a function makes a figure of its own, with a caption; with it, it draws there and leaves the
caption to the caller. Both return the axes. Every function takes ``width``, ``title``, ``caption``, ``dark`` and
``transparent`` too, as ``archcalc.plot.look.Look`` describes them.
"""

from typing import TYPE_CHECKING, Any

from archcalc.plot.kinds import FORMATS, KINDS, Kind, Picture, figure, picture, save, svg

if TYPE_CHECKING:
    from archcalc.plot.accuracy import compare
    from archcalc.plot.budgets import budget
    from archcalc.plot.costs import cost
    from archcalc.plot.field_growth import rf
    from archcalc.plot.field_map import rf_map
    from archcalc.plot.kernel_pattern import pattern
    from archcalc.plot.layer_graph import graph
    from archcalc.plot.memory_timeline import memory
    from archcalc.plot.volumes import shape

__all__ = [
    "FORMATS",
    "KINDS",
    "Kind",
    "Picture",
    "budget",
    "compare",
    "cost",
    "figure",
    "graph",
    "memory",
    "pattern",
    "picture",
    "rf",
    "rf_map",
    "save",
    "shape",
    "svg",
]


def __getattr__(name: str) -> Any:
    kind = KINDS.get(name.replace("_", "-"))
    if kind is None:
        raise AttributeError(f"module 'archcalc.plot' has no attribute {name!r}")
    return kind.draw


def __dir__() -> list[str]:
    return sorted(__all__)
