"""Budgets in a test suite.

>>> from archcalc.testing import assert_fits
>>> assert_fits("resnet18", "macs < 2G", "params < 12M")
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from archcalc.analysis import Analysis
from archcalc.analysis import analyze as _analyze
from archcalc.analysis.elements import arrays_in
from archcalc.budgets.checking import findings
from archcalc.budgets.finding import Budget
from archcalc.errors import ArchcalcError
from archcalc.front import from_torch, load
from archcalc.layers.settings import message_text
from archcalc.network import Network
from archcalc.report.check_formats import finding_lines

if TYPE_CHECKING:
    from torch.nn import Module

    from archcalc.types import InputSizes

__all__ = ["assert_fits"]


def assert_fits(
    model: Module | Network | Analysis | str | os.PathLike[str],
    *conditions: str,
    input: InputSizes | None = None,
    batch: int = 1,
    dtype: str = "float32",
    convention: str = "archcalc",
    training: bool = False,
) -> None:
    """Fail a test if a network does not meet all ``conditions``, such as ``"macs < 4G"``, and the budgets of its spec.

    ``model`` is a PyTorch module, a network, an analysis, or a text as ``archcalc.load`` takes it. A module needs
    ``input``: (channels, height, width), without the batch. An analysis has its own input, batch, dtype and convention.

    AssertionError names the figure, the limit, by how much it is over, and the layers that have most of it. ArchcalcError
    if a condition cannot be read, or if there is none.
    """
    __tracebackhide__ = True
    if isinstance(model, Analysis):
        analysis = model
    else:
        if isinstance(model, (str, os.PathLike)):
            network: Network = load(model, input=input)
        elif isinstance(model, Network):
            network = model
        elif hasattr(model, "named_modules"):
            network = from_torch(model, input, training=training)
        else:
            raise ArchcalcError(f"assert_fits takes a module, a network or a name, got {message_text(model)}")
        analysis = _analyze(network, input=input, batch=batch, dtype=dtype, convention=convention, training=training)
    budgets = [*(Budget(*one) for one in analysis.network.budgets), *map(Budget, conditions)]
    if not budgets:
        raise ArchcalcError("assert_fits needs a condition, such as 'macs < 4G'")
    if arrays_in(analysis):
        raise ArchcalcError("assert_fits takes single sizes, not arrays")
    found = findings(analysis, budgets)
    if found:
        raise AssertionError("\n".join(line for one in found for line in finding_lines(one)))
