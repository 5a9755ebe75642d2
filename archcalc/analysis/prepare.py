"""Make the analysis of a network at an input, batch, dtype and convention. Errors in these are raised here.

One error is raised at the first use of rows and fields: strides that multiply to more than can be printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from archcalc.analysis.analysis import Analysis, at_input
from archcalc.analysis.arrays import refuse_overflow
from archcalc.analysis.formulas import Case, learn, sums_of
from archcalc.conventions import Convention, convention
from archcalc.dtypes import itemsize
from archcalc.errors import ArchcalcError
from archcalc.inputs import checked
from archcalc.named_inputs import chosen_inputs, given_inputs, inputs_text, numbers_of
from archcalc.network import Network
from archcalc.sizes import Shape, any_array, broadcast, is_array

if TYPE_CHECKING:
    from archcalc.types import InputSizes, Size


def analyze(
    network: Network,
    *,
    input: InputSizes | None = None,
    batch: Size = 1,
    dtype: str = "float32",
    convention: str | Convention = "archcalc",
    training: bool = False,
) -> Analysis:
    """The network's numbers: see ``archcalc.analyze``."""
    built = network.built
    analysis = prepared(network, input, batch, dtype, convention, training)
    if is_array(analysis.batch) or analysis.network.arrays:
        refuse_overflow(analysis)  # and errors are raised here, because all numbers are computed in float64
    elif network.origin == "code":  # layers may be added later
        analysis.rows  # noqa: B018
    elif analysis.network.built and not (built and analysis.network is network):  # now no user has changed a layer
        learn(Case(analysis.network, analysis.batch, analysis.convention, training), analysis.totals)
    return analysis


def prepared(
    network: Network,
    input: InputSizes | None = None,
    batch: Size = 1,
    dtype: str = "float32",
    convention: str | Convention = "archcalc",
    training: bool = False,
) -> Analysis:
    """The analysis before a number is computed. Rows and totals are computed at their first use."""
    how = _convention(convention)
    given = {} if input is None else chosen_inputs(network.full_name, network.takes, given_inputs(input))
    inputs = network.inputs | given
    images = checked(batch, "batch")
    itemsize(dtype)
    if not broadcast((images, *numbers_of(inputs.values()), *network.settings.values())):
        raise ArchcalcError(f"{network.full_name}: the arrays of input, batch and settings do not broadcast together")
    with at_input(network, inputs):
        same = all(_same(x, network.inputs[name]) for name, x in given.items())
        there = network if same else network.at(inputs, build=False)
        analysis = Analysis(there, images, dtype, how, training)
        sums = None if there.built else sums_of(Case(there, images, how, training))
        if sums is None:
            there.nodes  # noqa: B018  errors of a network are raised before its numbers are used
        else:
            analysis.totals, analysis.activations = sums
    if training and there.built and there.side_problem:
        raise ArchcalcError(
            f"{network.full_name} at input {inputs_text(inputs)}: a side head does not fit: {there.side_problem}"
        )
    return analysis


def _same(a: Shape, b: Shape) -> bool:
    """Whether two inputs are equal; arrays are not compared."""
    return a is b or (not any_array((a.channels, *a.axes, b.channels, *b.axes)) and a == b)


def _convention(name: str | Convention) -> Convention:
    return name if isinstance(name, Convention) else convention(name)
