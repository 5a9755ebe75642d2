"""The inputs of a network by name. A network with one input calls it ``input``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from archcalc.errors import ArchcalcError, Problem, clipped, unknown
from archcalc.inputs import Sizes, Takes, given_sizes, looks_swapped, read_sizes
from archcalc.letters import normal
from archcalc.sizes import Int, Shape, divide, equal

INPUT = "input"
"""The name of the input of a network that has one input."""


def inputs_text(inputs: Mapping[str, Shape], between: str = ",", of: str = "=") -> str:
    """The sizes of a network's inputs. Names are needed if there are several.

    >>> inputs_text({"image": Shape(3, (8, 8)), "mask": Shape(1, (4, 4))}), inputs_text({"input": Shape(784)})
    ('image=3x8x8,mask=1x4x4', '784')
    """
    if len(inputs) == 1:
        return str(*inputs.values())
    return between.join(f"{name}{of}{shape}" for name, shape in inputs.items())


def numbers_of(shapes: Iterable[Shape]) -> list[Int]:
    """All sizes of some shapes."""
    return [size for shape in shapes for size in (shape.channels, *shape.axes)]


def chosen_inputs(network: str, takes: Mapping[str, Takes], given: Sizes | Mapping[str, Sizes]) -> dict[str, Shape]:
    """The inputs that a user gives, by name. ArchcalcError if a network has no such input or does not take its sizes.

    Sizes without a name are for the one input with as many axes, or with as many axes and channels.
    """
    if not isinstance(given, Mapping):
        given = {_meant(network, takes, given): given}
    if (strange := next((name for name in given if name not in takes), None)) is not None:
        raise ArchcalcError(f"{network}: {unknown('input', strange, takes)}")
    several = len(takes) > 1
    return {
        name: takes[name].shape(f"the input {name} of {network}" if several else network, sizes)
        for name, sizes in given.items()
    }


def _meant(network: str, takes: Mapping[str, Takes], given: Sizes) -> str:
    """The name of the input that sizes without a name are for."""
    if len(takes) == 1:
        return next(iter(takes))
    channels, *axes = (given.channels, *given.axes) if isinstance(given, Shape) else given
    fitting = [name for name, one in takes.items() if len(axes) in one.axes]
    if len(fitting) > 1:
        fitting = [name for name in fitting if (own := takes[name].own) and equal(own.channels, channels)]
    if len(fitting) == 1:
        return fitting[0]
    shown = Shape(channels, tuple(axes))
    names = ", ".join(f"{name} ({one.own})" for name, one in takes.items())
    raise ArchcalcError(
        f"{network} has the inputs {names}; name the one that is {shown}, as in {next(iter(takes))}={shown}"
    )


def with_axes(inputs: Mapping[str, Shape], axes: Sequence[int], at: int = 0) -> dict[str, Shape]:
    """The inputs if the input number ``at`` has these axes. Inputs with as many axes change in proportion.

    LayerError if a size is then not a whole number.

    >>> with_axes({"image": Shape(3, (8, 8)), "mask": Shape(1, (4, 4)), "age": Shape(1)}, (16, 10))["mask"].axes
    (8, 5)
    """
    own = list(inputs.values())[at].axes
    result = dict(inputs)
    for name, shape in inputs.items():
        if len(shape.axes) == len(axes):
            sizes = zip(shape.axes, axes, own, strict=True)
            sides = [divide(n * new, old, f"size of {name}") for n, new, old in sizes]
            result[name] = Shape(shape.channels, tuple(sides))
    return result


def misfit(network: str, takes: Mapping[str, Takes], inputs: Mapping[str, Shape]) -> list[Problem]:
    """The problems of the inputs of a network that cannot be built; an empty list for the spec's own inputs."""
    problems = []
    for name, shape in inputs.items():
        own, meant = takes[name].own, looks_swapped(shape)
        in_place = own is not None and own is not shape and equal(own.channels, shape.channels)
        if meant is not None and not in_place:
            text = f"the input {shape} is read as channels x height x width; did you mean {meant}?"
            problems.append(Problem(f"{network}: {text}"))
    if problems or all(takes[name].own is shape for name, shape in inputs.items()):
        return problems
    return [Problem(f"{network} does not take the input{'s' if len(inputs) > 1 else ''} {inputs_text(inputs)}")]


def read_inputs(text: str) -> Sizes | dict[str, Sizes]:
    """The sizes of one input, or of several with their names: ``image=3x224x224,mask=1x56x56``.

    >>> read_inputs("image=3x8x8,mask=1x4x4")
    {'image': (3, 8, 8), 'mask': (1, 4, 4)}
    """
    if "=" not in text:
        return read_sizes(text)
    named: dict[str, Sizes] = {}
    for part in re.split(r",(?=[^,=]*=)", text):
        before, _, sizes = part.partition("=")
        name = normal(before.strip())
        if name in named:
            raise ArchcalcError(f"the input {clipped(name, 60)} is given twice")
        named[name] = read_sizes(sizes)
    return named


def given_inputs(given: Any) -> Sizes | dict[str, Sizes]:
    """The sizes that a user gives for one input, or for several by name. ArchcalcError if the value is not sizes."""
    if isinstance(given, str):
        given = read_inputs(given)
    if not isinstance(given, Mapping):
        return given_sizes(given)
    return {normal(str(name)): given_sizes(sizes, f"input {clipped(str(name), 60)}") for name, sizes in given.items()}
