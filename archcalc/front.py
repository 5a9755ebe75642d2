"""Network and Analysis as users hold them: with tables, and as the public functions make them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from archcalc import analysis, network
from archcalc.analysis.analyze import computed, prepared_as
from archcalc.conventions import Convention
from archcalc.language.zoo import load_as
from archcalc.layers import BUILT_IN, registry

if TYPE_CHECKING:
    from archcalc.report import DataFrame
    from archcalc.types import InputSizes, Setting, Size


class Analysis(analysis.Analysis):
    """What a network costs at one input, batch, dtype and convention, row by row; it shows itself as a table."""

    def to_dataframe(self, columns: Sequence[str] | None = None) -> DataFrame:
        """The exact per-layer table as a pandas data frame; needs pandas."""
        from archcalc.report import dataframe

        return dataframe(self, columns)

    def _repr_html_(self) -> str:
        from archcalc.report import shown

        return shown(self, "html")

    def __str__(self) -> str:
        from archcalc.report import shown

        return shown(self, "text")


class Network(network.Network):
    """A graph of layers for one input, as ``load`` returns it."""

    def analyze(
        self,
        input: InputSizes | None = None,
        batch: Size = 1,
        dtype: str = "float32",
        convention: str | Convention = "archcalc",
        training: bool = False,
    ) -> Analysis:
        """The network's numbers: see ``archcalc.analyze``."""
        return analyze(self, input=input, batch=batch, dtype=dtype, convention=convention, training=training)


def load(net: str | os.PathLike[str], /, *, input: InputSizes | None = None, **settings: Setting) -> Network:
    """The network called ``net``: a name in the zoo, a path, ``-`` for standard input, or a one-line pattern.

    Settings overrule the parameters of its spec, as ``settings`` or in the name: ``resnet50@option=c,classes=10``.
    A file that holds several networks takes the name of one after a colon: ``my.yaml:small``. ``input`` is used in
    place of the spec's own. The layers are built when they are first looked at. ArchcalcError says what is wrong,
    and where.
    """
    if len(registry) != len(BUILT_IN):
        from archcalc.plugins import check_plugins

        check_plugins()
    return load_as(Network, net, input, settings)


def analyze(
    network: network.Network,
    *,
    input: InputSizes | None = None,
    batch: Size = 1,
    dtype: str = "float32",
    convention: str | Convention = "archcalc",
    training: bool = False,
) -> Analysis:
    """The network's numbers for an input of (channels, height, width), a batch, a dtype and a convention.

    Sizes that are likely to stand in another order are refused; a ``Shape``, and a text that says its order
    (``"224x224x3 (HxWxC)"``), are taken as they are.

    Sizes and batch may be NumPy int64 arrays that broadcast together: every number is then an array,
    elementwise what the scalars would give. ArchcalcError when a size does not fit the network, when
    an array is not int64, or when a number would not fit into int64.
    """
    return computed(prepared_as(Analysis, network, input, batch, dtype, convention, training))
