"""archcalc: exact shapes, parameters, MACs, memory and receptive fields of convolutional networks.

>>> import archcalc
>>> analysis = archcalc.load("vgg16").analyze()
>>> analysis.totals.params, analysis.totals.macs
(138357544, 15470264320)

load(net)                     a network: a name in the zoo, a file, or a one-line pattern
from_torch(module, input=...) a network: a PyTorch module of your own
network.analyze(...)          an analysis: the numbers of every layer, and their totals; also analyze(network, ...)
solve(net, maximize=..., where=...)
                              the largest or smallest input, batch or setting under a condition
networks()                    the networks of the zoo
sweep(net, input=...)         the figures of a network at many sizes, batches and settings: a data frame
conventions, convention(name) the conventions for counting: of papers, courses and tools
Shape(channels, axes)         the shape of an input or of a feature map, for one image
ArchcalcError                 every mistake of a user, with all problems at once

Parameters, operations and values are exact integers, memory is in bytes, receptive fields are in pixels. Sizes and batch
can be NumPy int64 arrays. Only the data frame needs pandas, and only ``from_torch`` and ``archcalc.witness`` need torch.
"""

from typing import TYPE_CHECKING

from archcalc.version import __version__

if TYPE_CHECKING:
    from archcalc.analysis.totals import Totals
    from archcalc.conventions import Convention, convention, conventions
    from archcalc.errors import ArchcalcError, Problem
    from archcalc.front import Analysis, Network, analyze, from_torch, load, solve, sweep
    from archcalc.language import networks
    from archcalc.sizes import Shape
    from archcalc.spaces.solve import Solution
    from archcalc.types import InputSizes, Setting, Size

_HOMES = {
    "Analysis": "archcalc.front",
    "ArchcalcError": "archcalc.errors",
    "Convention": "archcalc.conventions",
    "InputSizes": "archcalc.types",
    "Network": "archcalc.front",
    "Problem": "archcalc.errors",
    "Setting": "archcalc.types",
    "Shape": "archcalc.sizes",
    "Size": "archcalc.types",
    "Solution": "archcalc.spaces.solve",
    "Totals": "archcalc.analysis.totals",
    "analyze": "archcalc.front",
    "convention": "archcalc.conventions",
    "conventions": "archcalc.conventions",
    "from_torch": "archcalc.front",
    "load": "archcalc.front",
    "networks": "archcalc.language",
    "solve": "archcalc.front",
    "sweep": "archcalc.front",
}

__all__ = [
    "Analysis",
    "ArchcalcError",
    "Convention",
    "InputSizes",
    "Network",
    "Problem",
    "Setting",
    "Shape",
    "Size",
    "Solution",
    "Totals",
    "__version__",
    "analyze",
    "convention",
    "conventions",
    "from_torch",
    "load",
    "networks",
    "solve",
    "sweep",
]


if not TYPE_CHECKING:  # a checker sees the names above, and none that do not exist

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module 'archcalc' has no attribute {name!r}")
        from importlib import import_module

        found = getattr(import_module(_HOMES[name]), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted(__all__)
