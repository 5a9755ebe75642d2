"""Pictures for a paper or a slide. Each kind of picture is a function of analyses, or of a table; matplotlib loads at the first call.

    archcalc.plot.save("cost", [archcalc.load("vgg16").analyze()], "vgg16.pdf")
    archcalc.plot.rf(archcalc.load("vgg16").analyze(), ax=axes)

Without ``ax``, the function makes a new figure with a caption. With ``ax``, the function draws on these axes and adds
no caption. The function returns the axes in both cases. Every function also takes ``width``, ``title``, ``caption``,
``dark`` and ``transparent``: see ``archcalc.plot.look.Look``.
"""

from typing import TYPE_CHECKING, Any

from archcalc.plot.kinds import FORMATS, KINDS, Kind, Picture, figure, picture, save, svg

if TYPE_CHECKING:
    from archcalc.plot.accuracy import compare
    from archcalc.plot.budgets import budget
    from archcalc.plot.costs import cost
    from archcalc.plot.field_growth import rf
    from archcalc.plot.field_map import rf_map
    from archcalc.plot.fronts import pareto
    from archcalc.plot.kernel_pattern import pattern
    from archcalc.plot.layer_graph import graph
    from archcalc.plot.memory_timeline import memory
    from archcalc.plot.rooflines import roofline
    from archcalc.plot.sweeps import sweep
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
    "pareto",
    "pattern",
    "picture",
    "rf",
    "rf_map",
    "roofline",
    "save",
    "shape",
    "svg",
    "sweep",
]


def __getattr__(name: str) -> Any:
    kind = KINDS.get(name.replace("_", "-"))
    if kind is None:
        raise AttributeError(f"module 'archcalc.plot' has no attribute {name!r}")
    return kind.draw


def __dir__() -> list[str]:
    return sorted(__all__)
