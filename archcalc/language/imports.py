"""Networks of other tools as families: the tree comes from the file, and the language reads it like a spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from archcalc.errors import ArchcalcError, DiffersError, Problem
from archcalc.importing.graph import Imported
from archcalc.inputs import Sizes
from archcalc.language.family import Family
from archcalc.language.reader import family_of
from archcalc.named_inputs import INPUT
from archcalc.sizes import Shape, arrays_in


def import_text(
    text: str,
    file: str,
    name: str,
    module: str,
    input: Sizes | Mapping[str, Sizes] | None = None,
    allow_missing: bool = False,
) -> Family:
    """The family in the text of another tool, which ``module`` reads; '' for a file that is no text.

    ArchcalcError with every layer that has no counterpart. With ``allow_missing``, such layers and the layers behind
    them are left out, and the notes say so. ``input`` is the size of an input whose size the file leaves open.
    """
    read = reader_module(module, file).read
    return import_by(lambda inputs, anew: read(text, file, inputs, anew, allow_missing), file, name, input)


def reader_module(module: str, net: str) -> Any:
    """A module of archcalc that needs an optional package. ArchcalcError about ``net`` if the package is missing."""
    try:
        return import_module(f"archcalc.{module}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("archcalc"):
            raise
        text = f"needs {error.name}, which is not installed: pip install 'archcalc[torch]'"
        raise ArchcalcError(Problem(text, net)) from None


def import_by(
    read: Callable[[Mapping[str, Shape], bool], Imported],
    file: str,
    name: str,
    input: Sizes | Mapping[str, Sizes] | None = None,
) -> Family:
    """The family that ``read`` gives for the sizes of inputs; its second argument says whether they are other ones."""
    given = input if isinstance(input, Mapping) or input is None else {INPUT: input}

    def family_at(inputs: Mapping[str, Shape], anew: bool) -> Family:
        _one_by_one(inputs, file)
        return _family(read(inputs, anew), file, name)

    family = family_at({key: _shape(one) for key, one in (given or {}).items()}, False)
    family.again = lambda inputs: family_at(inputs, True)
    return family


def _one_by_one(inputs: Mapping[str, Shape], file: str) -> None:
    """DiffersError for arrays: the network of another tool is read for every size, because sizes may decide what it is."""
    array = next(arrays_in(inputs.values()), None)
    if array is not None:
        distinct = sorted({*array.ravel().tolist()})
        holds = array < distinct[len(distinct) // 2]
        raise DiffersError(Problem("is read for one size of the input at a time, and not for arrays", file), holds)


def _shape(sizes: Sizes) -> Shape:
    return sizes if isinstance(sizes, Shape) else Shape(sizes[0], tuple(sizes[1:]))


def _family(imported: Imported, file: str, name: str) -> Family:
    family = family_of(imported.tree, file, name)
    family.notes, family.tree, family.names_are_paths = imported.notes, imported.tree, imported.names_are_paths
    family.classes, family.forms, family.program = imported.classes, imported.forms, imported.program
    return family
