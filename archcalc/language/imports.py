"""Networks of other tools as families: the tree comes from the file, and the language reads it like a spec."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from archcalc.importing.graph import Imported
from archcalc.inputs import Sizes
from archcalc.language.family import Family
from archcalc.language.reader import family_of
from archcalc.named_inputs import INPUT
from archcalc.sizes import Shape


def import_text(
    text: str,
    file: str,
    name: str,
    module: str,
    input: Sizes | Mapping[str, Sizes] | None = None,
    allow_missing: bool = False,
) -> Family:
    """The family in the text of another tool, which ``module`` reads.

    ArchcalcError with every layer that has no counterpart. With ``allow_missing``, such layers and the layers behind
    them are left out, and the notes say so. ``input`` is the size of an input whose size the file leaves open.
    """
    given = input if isinstance(input, Mapping) or input is None else {INPUT: input}
    sizes = {key: _shape(one) for key, one in (given or {}).items()}
    family = _family(text, file, name, module, sizes, allow_missing)
    family.again = lambda inputs: _family(text, file, name, module, inputs, allow_missing, anew=True)
    return family


def _shape(sizes: Sizes) -> Shape:
    return sizes if isinstance(sizes, Shape) else Shape(sizes[0], tuple(sizes[1:]))


def _family(
    text: str,
    file: str,
    name: str,
    module: str,
    inputs: Mapping[str, Shape],
    allow_missing: bool,
    *,
    anew: bool = False,
) -> Family:
    read = import_module(f"archcalc.{module}").read
    imported: Imported = read(text, file, inputs, anew, allow_missing)
    family = family_of(imported.tree, file, name)
    family.notes, family.tree = imported.notes, imported.tree
    return family
