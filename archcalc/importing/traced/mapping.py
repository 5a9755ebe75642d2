"""From the graph of a model's run to the steps of a spec."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from archcalc.errors import ArchcalcError, Problem
from archcalc.importing.traced.calls import Call, Run, Tensor
from archcalc.importing.traced.factors import BATCH, Group, merged, size_of, split
from archcalc.importing.traced.steps import Fixed, Shown, Steps, UnsupportedError
from archcalc.importing.traced.writes import OVERWRITTEN

FACTORIES = ("new_zeros", "new_ones", "new_full", "zeros_like", "ones_like", "full_like")
"""Operators that read the sizes of a tensor alone."""
SHAPES = ("view", "reshape", "unsqueeze", "squeeze", "expand", "repeat", "contiguous", "clone", "to", "_to_copy")

FAULT = "a mistake of archcalc, so that there is no network; please report it"

MOST = 4
"""The most tensors that the sentence of a refusal names."""
REFUSED = dict.fromkeys(("lstm", "gru", "rnn_tanh", "rnn_relu"), "a recurrent layer, which archcalc has none of")
"""Why operators have no rule, where this can be said."""

Rule = Callable[["Mapping", Call], Any]
RULES: dict[str, Rule] = {}
"""How a call of an operator becomes layers, by the operator's name without the underscore of its form in place."""


class Unfinished(NamedTuple):
    """Values that are no map yet, such as the scores of an attention.

    ``rule``: what an operator makes of them; UnsupportedError if they must be a map first. ``finish``: the map.
    """

    rule: Rule
    finish: Callable[[Mapping, Any], Shown]


UNFINISHED: dict[type, Unfinished] = {}
"""By the class of the values."""
FINISHING: set[str] = set()
"""The operators whose own rule takes such values."""


OPERANDS: list[Callable[[Mapping, Tensor], Shown]] = []
"""What makes layers of a parameter or a constant that a map meets (``archcalc.importing.traced.operands``)."""


def rule(*operators: str, finishes: bool = False) -> Callable[[Rule], Rule]:
    """Register the rule of operators. ``finishes``: it takes values that are no map yet."""

    def register(function: Rule) -> Rule:
        for operator in operators:
            RULES[operator] = function
        FINISHING.update(operators if finishes else ())
        return function

    return register


class Mapping:
    """The steps so far, and what every tensor of the run shows."""

    def __init__(self, run: Run, used: Collection[int]) -> None:
        self.recorded, self.used = run, used
        self.apart: set[int] = set()
        """Parameters that several layers read, so that each is a layer of its own."""
        while self.start():
            pass

    def start(self) -> bool:
        """Map all calls. True if a parameter turned out to be read by several layers, so that they are mapped again."""
        self.steps = Steps(self.recorded.batch)
        self.values: dict[int, Any] = {}
        self.operands: dict[int, Shown] = {}
        """What is made of parameters and constants alone."""
        self.repeated: list[tuple[Call, int]] = []
        """The calls on parameters and constants that became layers, and the images of their results."""
        self.problems: list[tuple[str, str, int, str]] = []
        """For every call without a layer: the operator, a sentence, 0, and the line of the model."""
        self.ends: list[int] = []
        """The steps that calls without a layer read."""
        self.lost = 0
        """The calls behind calls without a layer."""
        self.last: set[int] = set()
        """The last step of every call."""
        for name, tensor in self.recorded.inputs.items():
            self.values[id(tensor)] = self.steps.input(name, tensor.shape[1:])
        for call in self.recorded.calls:
            if id(call) in self.used:
                self.map(call)
        known, owners = len(self.apart), dict[int, set[str]]()
        for step in self.steps.steps:
            for one in step.own:
                owners.setdefault(id(one), set()).add(step.type)
        self.apart |= {key for key, types in owners.items() if len(types) > 1 and "parameter" in types}
        return len(self.apart) > known

    def map(self, call: Call) -> None:
        """Map one call. What cannot be mapped is noted, and so is nothing that follows from it."""
        given = [self.of(tensor) for tensor in call.tensors]
        overwritten = any(tensor.kind == OVERWRITTEN for tensor in call.tensors)
        if all(value is None or isinstance(value, Fixed) for value in given) and not overwritten:
            self.computed(call, given)
            self.lost += None in given
            return
        if call.operator in FACTORIES:
            self.values[id(call.results[0])] = Fixed(call.results[0].shape, (), (), (), call.results[0].value)
            return
        made: Any = None
        if any(0 in result.shape for result in call.results):
            made = [Fixed(result.shape, ()) for result in call.results]
        elif None not in given:
            made = self.made(call, given)
        else:
            self.lost += 1
            self.ends += [value.step for value in given if isinstance(value, Shown)]
        made = made if isinstance(made, list) else [made] * len(call.results)
        for result, value in zip(call.results, made, strict=False):
            if value is not None and not isinstance(value, Fixed) and value.sizes != result.shape:
                text = f"{call.path}: {call.operator} gives {value.sizes}, and the model {result.shape}: {FAULT}"
                raise ArchcalcError(Problem(text, call.line))
            self.values[id(result)] = value

    def computed(self, call: Call, given: Sequence[Fixed | None]) -> None:
        """Note a tensor that does not depend on the inputs."""
        known = [value for value in given if value is not None]
        sources = tuple(dict.fromkeys(source for value in known for source in value.sources))
        calls = (*(one for value in known for one in value.calls), call)
        terms = tuple(term for value in known for term in value.terms or (value,))
        summed = call.operator in ("add", "add_", *SHAPES) and len(terms) > 1
        sources = (*sources, *(result for result in call.results if result.kind == "random"))
        for result in call.results:
            made = Fixed(result.shape, sources, calls, terms if summed else (), result.value)
            self.values[id(result)] = made if len(known) == len(given) else None

    def made(self, call: Call, given: Sequence[Any]) -> Any:
        """What a call shows; None if it cannot be mapped, which is noted."""
        self.steps.call = call
        operator = call.operator if call.operator in RULES else call.operator.rstrip("_")
        unfinished = [value for value in given if type(value) in UNFINISHED]
        try:
            if any(tensor.kind == OVERWRITTEN for tensor in call.tensors):
                raise UnsupportedError("its input was written in place through another view")
            if any(one.kind == "random" for value in given if isinstance(value, Fixed) for one in value.sources):
                raise UnsupportedError("random numbers")
            if unfinished and operator not in FINISHING:
                try:
                    return UNFINISHED[type(unfinished[0])].rule(self, call)
                except UnsupportedError:
                    for tensor in call.tensors:
                        self.finish(tensor)
            if operator not in RULES:
                random = any(one.kind == "random" for one in call.results)
                raise UnsupportedError("random numbers" if random else REFUSED.get(operator, "no layer does this"))
            before = len(self.steps.steps)
            made = RULES[operator](self, call)
            if len(self.steps.steps) > before:
                self.last.add(len(self.steps.steps) - 1)
            return made
        except UnsupportedError as error:
            place = f"{call.path or 'the model'} ({call.module})"
            of = [str(one) for one in call.tensors[:MOST]]
            of += [f"{len(call.tensors) - MOST} more"] if len(call.tensors) > MOST else []
            self.lacks(call.operator, f"{place}: {call.operator} of {', '.join(of)}: {error}", call.line)
            self.ends += [value.step for value in given if isinstance(value, Shown)]
            return None

    def lacks(self, operator: str, text: str, line: str = "") -> None:
        """Note a call that no layer stands for."""
        self.problems.append((operator, text, 0, line))

    def of(self, tensor: Tensor) -> Any:
        """What a tensor shows: a ``Shown``, a ``Fixed``, or None if it was lost."""
        if id(tensor) not in self.values:
            self.values[id(tensor)] = Fixed(tensor.shape, (tensor,), (), (), tensor.value)
        return self.values[id(tensor)]

    def finish(self, tensor: Tensor) -> Any:
        """What a tensor shows, as a map if it is none yet."""
        value = self.of(tensor)
        if type(value) in UNFINISHED:
            self.values[id(tensor)] = value = UNFINISHED[type(value)].finish(self, value)
        return value

    def shown(self, tensor: Tensor) -> Shown:
        """The view of a tensor: of a map, or of a parameter that is repeated for every image."""
        value = self.finish(tensor)
        if isinstance(value, Shown):
            return value
        return OPERANDS[0](self, tensor)

    def fixed(self, tensor: Tensor | None) -> list[Tensor]:
        """The parameters of an argument that is a weight; none for None."""
        if tensor is None:
            return []
        value = self.of(tensor)
        if not isinstance(value, Fixed):
            raise UnsupportedError("a weight that is computed from the input")
        return list(value.sources)

    def onto(self, tensor: Shown, frame: Shown) -> int:
        """The step whose map lies as the map of another tensor, for a join with it value by value."""
        offset = len(frame.view) - len(tensor.view)
        if offset < 0:
            raise UnsupportedError("a join of maps with different numbers of axes")
        parts: dict[int, list[tuple[int, Group]]] = {}
        for at, group in enumerate(frame.view):
            own = tensor.view[at - offset] if at >= offset else ()
            if not own:
                continue
            pieces = split(own, [factor.size for factor in group])
            if pieces is None:
                raise UnsupportedError("a join of maps whose axes are split in different ways")
            for factor, piece in zip(group, pieces, strict=True):
                if (factor.axis == BATCH) != (bool(piece) and piece[0].axis == BATCH):
                    raise UnsupportedError("a join of the batch with another axis")
                parts.setdefault(factor.axis, []).append((factor.stride, piece))
        source = self.steps.steps[frame.step]
        groups = [
            merged(factor for _, piece in sorted(parts.get(axis, ()), reverse=True) for factor in piece)
            for axis in range(len(source.sizes))
        ]
        for group, whole_axis in zip(groups, source.sizes, strict=True):
            if size_of(group) not in (1, whole_axis):
                raise UnsupportedError("a join of a part of an axis")
        step = self.steps.steps[tensor.step]
        if not any(groups[1:]) and not step.shape.axes and groups[0] == step.natural[0]:
            return tensor.step
        return self.steps.arranged(tensor.step, groups)


def pair(value: Any, count: int) -> tuple[Any, ...]:
    """A setting for every axis, as operators have it: one number, or a list with one number or one for each axis."""
    values = list(value) if isinstance(value, (list, tuple)) else [value]
    return tuple(values * count if len(values) == 1 else values)


def short(values: Sequence[Any]) -> Any:
    """A setting as a person writes it: one number if all axes have the same."""
    return values[0] if len(set(values)) == 1 else list(values)


def settings_of(**values: Any) -> dict[str, Any]:
    """Settings without those that are None."""
    return {name: value for name, value in values.items() if value is not None}
