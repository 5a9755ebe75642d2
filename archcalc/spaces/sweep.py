"""A sweep: the figures of all points of a space, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any, NamedTuple

from archcalc.analysis import Analysis
from archcalc.conditions.condition import condition, figure
from archcalc.conditions.elementwise import plain
from archcalc.conditions.figures import FIGURES
from archcalc.conventions import convention
from archcalc.dtypes import itemsize
from archcalc.errors import ArchcalcError
from archcalc.language import load
from archcalc.named_inputs import chosen_inputs, given_inputs
from archcalc.network import Network
from archcalc.settings_text import setting_text
from archcalc.sizes import Shape
from archcalc.spaces.axes import Axis, value_text
from archcalc.spaces.evaluate import AS_USUAL, Columns, Evaluation, How, together
from archcalc.spaces.pareto import front, objective
from archcalc.spaces.refusals import merged
from archcalc.spaces.space import Block, Space

USUAL = tuple((name, name) for name in ("params", "macs", "flops", "values", "memory", "field"))
"""The figures of a sweep for which no columns are named, each with its column."""


class Request(NamedTuple):
    """What a sweep computes, as data that another process can read.

    net, settings, input    the network, with what does not vary; an int is the size of every axis of the main input
    axes, paired            the points: see ``Space``
    sample, seed            how many of them are drawn at random, and which
    figures                 the names of the columns, each with a figure as in a condition
    where                   the condition of a point; '': none
    pareto                  the columns whose Pareto set is kept
    prepare                 a function that is called before the network is loaded, as to import layer types of a user
    """

    net: str | Network
    axes: tuple[Axis, ...]
    settings: Mapping[str, Any]
    input: Any = None
    figures: tuple[tuple[str, str], ...] = USUAL
    where: str = ""
    pareto: tuple[str, ...] = ()
    sample: int | None = None
    seed: int = 0
    paired: bool = False
    how: How = AS_USUAL
    prepare: Callable[[], None] | None = None


class Result(NamedTuple):
    """The points that are kept, as columns of settings, sizes and figures.

    points: that were computed. refused: the reasons of the points that the network refuses, each with the number of
    points. lacking: the number of points without a figure of the condition.
    """

    columns: Columns
    points: int
    refused: Mapping[str, int]
    lacking: int

    @property
    def kept(self) -> int:
        """The number of rows."""
        return len(next(iter(self.columns.values())))


class Sweep:
    """The points of a request, computed in blocks.

    ArchcalcError if the network, the space or a figure of the request cannot be.
    """

    def __init__(self, request: Request) -> None:
        if find_spec("numpy") is None:
            raise ArchcalcError("a sweep needs numpy: pip install 'archcalc[sweep]'")
        if request.prepare is not None:
            request.prepare()
        itemsize(request.how.dtype)
        convention(request.how.convention)
        self.request = request
        network = _network(request)
        self.space = Space(request.axes, sample=request.sample, seed=request.seed, paired=request.paired)
        self.space.check(network)
        names = [axis.name for axis in self.space.axes]
        if both := next((name for name in names if name in request.settings), None):
            raise ArchcalcError(
                f"{both} varies, and has one value too: leave out {both}={setting_text(request.settings[both])}"
            )
        settings, texts = list(network.settings), dict[str, str]()
        for name, text in request.figures:
            if texts.setdefault(name, text) != text:
                raise ArchcalcError(f"{name} is the name of two columns, {texts[name]} and {text}: write NAME={text}")
            if name in names and (text != name or (name in settings and text in FIGURES)):
                raise ArchcalcError(
                    f"{name} varies, and a column has its name too: write NAME={text} with another name"
                )
        figures = {name: figure(text, settings) for name, text in request.figures if name not in names}
        for text in request.pareto:
            objective(text, [*names, *figures])
        holds = condition(request.where, settings).holds if request.where else None
        self.network = network
        self.units = {name: one.unit for name, one in figures.items()}
        values = {name: partial(_value, one.value) for name, one in figures.items()}
        self.evaluation = Evaluation(network, names, values, holds, request.how)

    def block(self, number: int) -> Result:
        """The points of a block, by its number."""
        block = self.space.block(number)
        found = self.evaluation.block(block)
        columns = _front({**_varying(self.space, block, found.places), **found.figures}, self.request.pareto)
        return Result(columns, block.points, found.refused, found.lacking)

    def joined(self, results: Iterable[Result]) -> Result:
        """The results of several blocks, one after another."""
        results = list(results)
        points, lacking = sum(one.points for one in results), sum(one.lacking for one in results)
        columns = {name: together([one.columns[name] for one in results]) for name in results[0].columns}
        return Result(_front(columns, self.request.pareto), points, merged(one.refused for one in results), lacking)


def _network(request: Request) -> Network:
    """The network with the settings and the input that do not vary."""
    if isinstance(request.input, int):
        name, own = next(iter(_network(request._replace(input=None)).inputs.items()))
        request = request._replace(input={name: Shape(own.channels, (request.input,) * len(own.axes))})
    if isinstance(request.net, str):
        return load(request.net, input=request.input, **request.settings)
    if not request.settings and request.input is None:
        return request.net
    inputs = request.net.inputs
    if request.input is not None:
        inputs = {**inputs, **chosen_inputs(request.net.full_name, request.net.takes, given_inputs(request.input))}
    return request.net.at(inputs, {**request.net.settings, **request.settings})


def _value(exact: Callable[[Analysis], Any], analysis: Analysis) -> Any:
    """A figure as users have it: an int or a float."""
    return plain(exact(analysis))


def _varying(space: Space, block: Block, places: Any) -> Columns:
    """The columns of what varies: numbers where all values of an axis are of one type, and texts elsewhere."""
    import numpy as np

    columns = {}
    for at, axis in enumerate(space.axes):
        values = block.column(at, places)
        kinds = {type(value) for value in axis.values}
        if kinds <= {int, float}:
            columns[axis.name] = np.array(values, dtype="float64" if float in kinds else None)
        else:
            columns[axis.name] = np.array([value_text(value, axis.kind) for value in values], dtype=object)
    return columns


def _front(columns: Columns, objectives: Sequence[str]) -> Columns:
    """The points that no other point beats in the objectives; all points if there are none."""
    if not objectives or not len(next(iter(columns.values()))):
        return columns
    kept = front(columns, objectives)
    return {name: array[kept] for name, array in columns.items()}
