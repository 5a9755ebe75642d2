"""The run of a model: calls of operators on tensors, as plain data without torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple


class Tensor:
    """A tensor of a run: its sizes, and where it comes from.

    ``name``: the name of the parameter, buffer or input; '' for a result. ``kind``: input, parameter, buffer, constant,
    result or random. ``trained``: false for a frozen parameter. ``storage``: equal for tensors that share memory. ``type``: the type of its values, such as float32. ``value``: the
    values of a constant, with ``tolist()``, where they are known.
    """

    __slots__ = ("kind", "name", "shape", "storage", "trained", "type", "value")

    def __init__(self, shape: tuple[int, ...], kind: str, name: str = "", storage: int = 0, type: str = "") -> None:
        self.shape, self.kind, self.name, self.storage, self.type = shape, kind, name, storage, type
        self.value: Any = None
        self.trained = True

    def __repr__(self) -> str:
        return f"{self.name or self.kind} {'x'.join(map(str, self.shape)) or 'scalar'}"


class Call(NamedTuple):
    """One call of an operator of ATen.

    ``settings`` are the arguments by their names in the operator's schema, with defaults; tensors are ``Tensor`` objects.
    ``path`` and ``module``: the module that called it, by its path in the model and by its class. ``leaf``: whether the
    module has no modules inside. ``line``: the file and line of the model that called.
    """

    operator: str
    settings: dict[str, Any]
    results: tuple[Tensor, ...]
    path: str
    module: str
    line: str = ""
    leaf: bool = True

    @property
    def in_place(self) -> bool:
        """Whether the operator writes into its input."""
        return self.operator.endswith("_") and not self.operator.endswith("__")

    @property
    def tensors(self) -> list[Tensor]:
        """The tensors among the arguments, in order."""
        found: list[Tensor] = []
        for value in self.settings.values():
            found += [
                one for one in (value if isinstance(value, (list, tuple)) else [value]) if isinstance(one, Tensor)
            ]
        return found


def used_by(outputs: Iterable[Tensor], calls: Iterable[Call]) -> set[int]:
    """The calls, by their ids, on whose results tensors depend."""
    makers = {id(one): call for call in calls for one in call.results}
    found: set[int] = set()
    todo = list(outputs)
    while todo:
        call = makers.get(id(todo.pop()))
        if call is not None and id(call) not in found:
            found.add(id(call))
            todo += call.tensors
    return found


def without_inputs(outputs: Mapping[str, Tensor], calls: Sequence[Call]) -> dict[str, Tensor]:
    """The outputs that depend on no input."""
    found = {}
    for name, tensor in outputs.items():
        used = used_by([tensor], calls)
        reads = (one for call in calls if id(call) in used for one in call.tensors)
        if tensor.kind != "input" and not any(one.kind == "input" for one in reads):
            found[name] = tensor
    return found


def raw_outputs(calls: Sequence[Call]) -> dict[str, Tensor]:
    """What the last layers with parameters make, by the paths of their modules: no other layer with parameters follows."""
    weighted = [call for call in calls if any(one.kind == "parameter" for one in call.tensors)]
    before = used_by([one for call in weighted for one in call.tensors], calls)
    return {call.path or call.operator: call.results[0] for call in weighted if id(call) not in before}


class Run(NamedTuple):
    """A run of a model: its inputs, the calls in their order, and the outputs by name."""

    inputs: dict[str, Tensor]
    calls: list[Call]
    outputs: dict[str, Tensor]
    batch: int
    remarks: tuple[str, ...] = ()
    """What a report has to say of the run, such as where it was cut."""
    in_place_known: bool = True
    """Whether the operators say what is written in place."""
    problems: tuple[tuple[str, str, int, str], ...] = ()
    """What is no call because it has no counterpart: the operator, a sentence, the line, and the place."""
    ends: tuple[Tensor, ...] = ()
    """The tensors that were read there."""
    lost: int = 0
    """What stands behind, and is no call either."""
    repeated: tuple[str, ...] = ()
    """The outputs that depend on no input and whose first axis is the batch."""
    classes: Mapping[str, str] = MappingProxyType({})
    """The class of every module, by its path."""
