"""A network of another tool as the text of a spec. The text is read again, and must give the same network."""

from __future__ import annotations

import os
from collections.abc import Mapping

from archcalc.errors import ArchcalcError, Problem, clipped
from archcalc.importing.formats import is_model
from archcalc.inputs import Sizes
from archcalc.language.expand import expand
from archcalc.language.family import Family
from archcalc.language.keywords import KINDS, OPTIONS
from archcalc.language.reader import family_of
from archcalc.language.spec_text import spec_text
from archcalc.language.tree import parse
from archcalc.language.zoo import is_path, read_file, read_model
from archcalc.network import Network
from archcalc.version import __version__

WRONG = "the text is not the imported network, which is a mistake of archcalc; --flat may help"
FACTS = ("inputs", "shape", "side", "shares", "storage", "regions", "trained")
"""What every layer of the text has in common with the imported layer."""


def import_spec(
    path: str, input: Sizes | Mapping[str, Sizes] | None = None, allow_missing: bool = False, *, flat: bool = False
) -> str:
    """The spec of the network in a file of another tool, as text that loads to the same network, layer for layer.

    With ``flat``, one entry for each layer. ArchcalcError if the file is a spec already.
    """
    if not is_path(path) and not is_model(path):
        raise ArchcalcError(
            f"{clipped(path, 120)} is no file: import takes FILE.prototxt (Caffe), FILE.cfg (darknet), FILE.onnx, "
            f"torchvision:NAME, timm:NAME or torch:MODULE:NAME"
        )
    family = (read_model if is_model(path) else read_file)(path, input, allow_missing)
    source = "standard input" if path == "-" else path if is_model(path) else path.rpartition(os.sep)[2]
    return text_of(family, source, flat=flat)


def text_of(family: Family, source: str, *, flat: bool = False) -> str:
    """The spec of an imported family; its first line names the source."""
    tree = family.tree
    if tree is None:
        raise ArchcalcError(Problem("is a spec already; archcalc show prints it", family.file))
    comments = [f"imported from {source} by archcalc {__version__}", *family.notes]
    network = expand(family, family.name)
    if flat:
        text = spec_text(tree, comments)
        check_same(network, text)
        return text
    from archcalc.importing.blocks import recovered

    channels = {node.name: int(network.nodes[node.inputs[0]].shape.channels) for node in network.after_inputs}
    for variants in (True, False):  # a text that is another network is not written: blocks of equal uses are simpler
        try:
            text = spec_text(recovered(tree, channels, family.classes, (*KINDS, *OPTIONS), variants), comments)
            check_same(network, text)
            break
        except ArchcalcError:
            if not variants:
                raise
    return text


def check_same(network: Network, text: str) -> None:
    """ArchcalcError if the text does not load to the same network, layer for layer."""
    family = family_of(parse(text, "the spec"), "the spec", network.name)
    written = expand(family, next(iter(family.networks)))
    if written.inputs != network.inputs:
        raise ArchcalcError(f"{WRONG}: it has other inputs")
    if len(written.nodes) != len(network.nodes):
        raise ArchcalcError(f"{WRONG}: {len(written.nodes)} layers, not {len(network.nodes)}")
    for one, other in zip(network.after_inputs, written.after_inputs, strict=True):
        same = one.layer.type == other.layer.type and one.layer.settings == other.layer.settings
        if not same or any(getattr(one, key) != getattr(other, key) for key in FACTS):
            raise ArchcalcError(f"{WRONG}: {other.name} is not {one.name}")
    if written.outputs != network.outputs:
        raise ArchcalcError(f"{WRONG}: it has other outputs")
