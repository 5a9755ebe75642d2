"""The public functions and classes: load a network, analyze it, and show the analysis as a table."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from archcalc import analysis, network
from archcalc.conventions import Convention
from archcalc.errors import ArchcalcError
from archcalc.language.zoo import load_as
from archcalc.layers import BUILT_IN, registry

if TYPE_CHECKING:
    from torch.nn import Module

    from archcalc.report import DataFrame
    from archcalc.spaces.solve import Solution
    from archcalc.types import InputSizes, Setting, Size, Varying


class Analysis(analysis.Analysis):
    """The numbers of a network at one input, batch, dtype and convention; in a notebook it shows itself as a table.

    ``rows`` has one row per layer, ``analysis["conv1"]`` is the row of that name, and ``totals`` are the sums. ``field``
    has the receptive fields in pixels, and ``memory()`` the bytes that are alive at every moment of a run.
    """

    @classmethod
    def of(cls, numbers: analysis.Analysis) -> Analysis:
        """The same analysis, with its tables."""
        same = cls(numbers.network, numbers.batch, numbers.dtype, numbers.convention, numbers.training)
        same.__dict__.update(numbers.__dict__)  # what is computed already
        return same

    def to_dataframe(self, columns: Sequence[str] | None = None) -> DataFrame:
        """The table as a pandas data frame with exact numbers, one row per layer; ``columns`` chooses columns.

        ArchcalcError if pandas is not installed, or if there is no such column.
        """
        from archcalc.report import dataframe

        return dataframe(self, columns)

    def _repr_html_(self) -> str:
        from archcalc.report import display_text

        return display_text(self, "html")

    def __str__(self) -> str:
        from archcalc.report import display_text

        return display_text(self, "text")


class Network(network.Network):
    """A graph of layers for one input, as ``load`` returns it.

    ``nodes`` are the layers in the order in which they run, each with its ``shape`` for one image. The layers are made
    when they are first used.
    """

    def analyze(
        self,
        input: InputSizes | None = None,
        batch: Size = 1,
        dtype: str = "float32",
        convention: str | Convention = "archcalc",
        training: bool = False,
    ) -> Analysis:
        """The numbers of the network: see ``archcalc.analyze``."""
        return analyze(self, input=input, batch=batch, dtype=dtype, convention=convention, training=training)


def load(
    net: str | os.PathLike[str],
    /,
    *,
    input: InputSizes | None = None,
    allow_missing: bool = False,
    **settings: Setting,
) -> Network:
    """The network called ``net``: a name in the zoo, a path, ``-`` for standard input, or a one-line pattern.

    A path is a spec (.yaml, .yml, .json), a network of Caffe (.prototxt), darknet (.cfg) or ONNX (.onnx). Reading it
    runs no code. ``torchvision:NAME``, ``timm:NAME`` and ``torch:MODULE:NAME`` are PyTorch models: their code is
    imported and run. With ``allow_missing``, layers of such a network that have no counterpart are left out, and
    ``notes`` says so.

    ``settings`` replace spec parameters; the name can hold settings too: ``resnet50@option=c,classes=10``. If a file
    holds several networks, the name of one follows a colon: ``my.yaml:small``. ``input`` is (channels, height, width)
    and replaces the input of the spec. The layers are built when they are first used.

    ArchcalcError lists everything that is wrong, with file and line: an unknown name or setting, a mistake in the spec,
    or an input that does not fit.
    """
    if len(registry) != len(BUILT_IN):
        from archcalc.plugins import check_plugins

        check_plugins()
    return load_as(Network, net, input, settings, allow_missing)


def from_torch(
    module: Module,
    input: InputSizes | None = None,
    *,
    inputs: Mapping[str, InputSizes] | None = None,
    training: bool = False,
    allow_missing: bool = False,
) -> Network:
    """The network of a PyTorch module: what ``load`` returns for a spec.

    ``input`` is (channels, height, width), without the batch. ``inputs`` are the sizes of several inputs, by the names of
    the arguments of ``forward``. The module runs once, without values, and is not changed. With ``training``, it also runs
    in training: layers that lead to outputs which training alone has are side heads, and if training lacks an output of
    inference, the network is that of training. Without ``training``, side heads are looked for if the module has weights
    that it does not use at inference. ``allow_missing`` is that of ``load``.

    ArchcalcError names everything that has no layer in archcalc, with the path of its module and the line of its code.
    """
    from archcalc.capture.networks import network_from

    return network_from(Network, module, inputs if input is None else input, training, allow_missing)


def analyze(
    network: network.Network,
    *,
    input: InputSizes | None = None,
    batch: Size = 1,
    dtype: str = "float32",
    convention: str | Convention = "archcalc",
    training: bool = False,
) -> Analysis:
    """The numbers of a network, layer by layer: parameters, operations, values in memory and receptive fields.

    ``input`` is (channels, height, width), or a text such as ``"3x224x224"``; the default is the input of the network.
    ``batch`` is a number of images. ``dtype`` is a type of value such as ``"float16"``. ``convention`` says how to
    count. ``training`` adds the side heads.

    Sizes in a likely wrong order are refused. A ``Shape``, and a text with its order (``"224x224x3 (HxWxC)"``), are
    accepted as they are.

    Sizes and ``batch`` can be NumPy int64 arrays that broadcast together, also with arrays of settings (``load``). Every
    number is then an array, and each element is the number that single sizes give.

    Rows, fields and totals are computed at their first use. ArchcalcError if a size does not fit the network, if an array is
    not int64, if a number exceeds int64, or if there is no such dtype or convention.
    """
    return Analysis.of(
        analysis.analyze(network, input=input, batch=batch, dtype=dtype, convention=convention, training=training)
    )


def sweep(
    net: str | os.PathLike[str] | network.Network | analysis.Analysis,
    /,
    points: Mapping[str, Sequence[Setting]] | DataFrame | None = None,
    *,
    where: str = "",
    columns: str | Sequence[str] | None = None,
    pareto: str | Sequence[str] = (),
    sample: int | None = None,
    seed: int = 0,
    workers: int = 1,
    **axes: Varying,
) -> DataFrame:
    """The figures of a network at many points: a data frame with a row for each.

    ``axes`` are ``input``, ``batch`` and spec parameters. Each is one value, several values (a list, a range, an array), or a
    text such as ``"128:512:32"``. A number as ``input`` is the size of every axis; a tuple is all sizes. The points are all
    combinations, of which the last axis varies fastest; or those of ``points``, with a column for each axis.

    ``columns`` are figures as in a condition: ``["params", "macs / params", "t=time('a100')"]``. ``where`` keeps the points
    that meet a condition, such as ``"macs <= 300M"``, and ``pareto`` those that no other point beats in these columns (with
    a - before it, more is better). ``sample`` is a number of points to draw at random, and ``seed`` says which. ``workers`` is the
    number of processes. ``net`` is what ``load`` accepts, a network, or an analysis, whose batch, dtype and convention apply.

    ``frame.attrs["left_out"]`` has sentences on points that the network refuses, or that lack a figure of the condition.

    ArchcalcError for a name that does not exist, values that cannot be, a condition that cannot be read, and a space of
    more than 10^9 points.
    """
    from archcalc.report.sweep import sweep_frame
    from archcalc.spaces.asked import request_of
    from archcalc.spaces.run import run

    start = net if isinstance(net, (network.Network, analysis.Analysis)) else load(net)
    request = request_of(start, axes, points, columns)
    pareto = [name.strip() for name in pareto.split(",")] if isinstance(pareto, str) and pareto else pareto
    request = request._replace(where=where, pareto=tuple(pareto), sample=sample, seed=seed)
    return sweep_frame(run(request, workers=workers))


def solve(
    net: str | os.PathLike[str] | network.Network | analysis.Analysis,
    /,
    *,
    where: str,
    maximize: str | None = None,
    minimize: str | None = None,
    over: Varying | None = None,
    input: InputSizes | None = None,
    **settings: Setting,
) -> Solution:
    """The largest or the smallest value of a variable at which a condition holds: ``value``, ``neighbour``, ``computed``.

    ``net`` is what ``load`` accepts, with its ``settings`` and its ``input``; a network; or an analysis, whose batch, dtype
    and convention then apply. ``maximize`` or ``minimize`` names the variable: ``"input"`` (the size of every axis, in
    pixels), ``"batch"``, or a spec parameter that is a number. ``where`` is a condition such as ``"macs <= 150M"``.
    ``over`` has the values to try: a text such as ``"0.25:2:0.05"``, a range or a list; by default whole numbers, or
    steps of 0.01. The answer is exact: every better value was tried, or follows from a proof.

    ArchcalcError for an unknown variable, a condition that cannot be read, and values without an order.
    """
    from archcalc.spaces.solve import solve as solved

    if isinstance(net, analysis.Analysis):
        start = net
    elif isinstance(net, network.Network):
        start = analysis.prepared(net, input)
    else:
        start = analysis.prepared(load_as(Network, net, input, settings))
    if settings and isinstance(net, (network.Network, analysis.Analysis)):
        raise ArchcalcError(
            f"settings such as {next(iter(settings))} are for a name or a file: load it with them first"
        )
    return solved(start, where=where, maximize=maximize, minimize=minimize, over=over)
