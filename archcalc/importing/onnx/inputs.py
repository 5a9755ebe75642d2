"""The inputs of an ONNX graph: their sizes in the file, and those that are given where the file leaves sizes open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archcalc.errors import ArchcalcError, Problem, clipped
from archcalc.importing.naming import Naming
from archcalc.importing.onnx.model import Declared, Model
from archcalc.named_inputs import INPUT
from archcalc.sizes import Shape

LARGEST = 2**31 - 1


class NoMapError(ValueError):
    """An input that is no map of channels."""


def sizes_of(model: Model, file: str, given: Mapping[str, Shape], anew: bool) -> dict[str, tuple[int, ...] | str]:
    """The sizes of every input that a node reads, without the batch; for an input that is no map, the end of a sentence.

    ``anew``: the given sizes replace those of the file.
    """
    read = {name for node in model.nodes for name in node.inputs}
    names = Naming()
    found: dict[str, tuple[int, ...] | str] = {}
    problems: list[Problem] = []
    for declared in model.inputs:
        if declared.name not in read or declared.name in model.stored:
            continue
        wanted = given.get(names.of_input(declared.name), given.get(INPUT))
        try:
            found[declared.name] = _sizes(declared, wanted, anew)
        except NoMapError as error:
            found[declared.name] = str(error)
        except ValueError as error:
            problems.append(Problem(f"the input {clipped(declared.name, 40)!r} {error}", file))
    if not found and not problems:
        problems.append(Problem("the graph has no input that a node reads", file))
    if problems:
        raise ArchcalcError(problems)
    return found


def _sizes(declared: Declared, given: Shape | None, anew: bool) -> tuple[int, ...]:
    """The sizes of an input behind the batch. ValueError, with the end of a sentence, if they are not known."""
    sizes = declared.sizes
    if sizes is None:
        raise NoMapError("is no tensor, or says nothing of its sizes")
    if len(sizes) < 2:
        raise NoMapError(f"has no channels behind the batch: its sizes are {_text(sizes)}")
    known = [size if isinstance(size, int) and size > 0 else None for size in sizes[1:]]
    if given is not None and (anew or None in known):
        sides = (given.channels, *given.axes)
        fits = len(sides) == len(known) and all(own in (None, side) for own, side in zip(known, sides, strict=True))
        if not fits and not anew:
            raise ValueError(f"is {_text(sizes)} with the batch in front, so it cannot be {'x'.join(map(str, sides))}")
    elif None in known:
        letters = {1: "C", 2: "CL", 3: "CHW", 4: "CDHW"}.get(len(known), "N" * len(known))
        asked = "x".join(str(own or letter) for own, letter in zip(known, letters, strict=True))
        raise ValueError(f"has open sizes, {_text(sizes)} with the batch in front: --input {asked} gives them")
    else:
        sides = tuple(size for size in known if size)
    if max(sides) > LARGEST:
        raise ValueError(f"has the sizes {_text(sizes)}")
    return sides


def _text(sizes: Sequence[int | str]) -> str:
    return "x".join(clipped(str(size), 20) if size not in ("", -1, 0) else "?" for size in sizes) or "none"
