"""What PyTorch does with a layer type: one record, a small class beside the layer's four facts.

    code(layer, x, out)             how PyTorch writes the layer: a module, or an expression
    run(tape, layer, xs, shapes, out)   how PyTorch runs it: operators, and what each makes, saves and frees
    saves_input, saves_output       whether its backward pass can read its input, and its output
    in_place                        whether PyTorch can write the output over an input
    keeps_format                    whether it makes a map in the memory format of its input
    stand_in(layer, out)            layers of one channel that see the same pixels

None has a default. Subclassing with a ``type`` registers the record; a duplicate or a missing fact is refused when the
module is imported, and ``gaps`` says which layer types have no record. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from archcalc.errors import ArchcalcError
from archcalc.layers import Layer, registry
from archcalc.pytorch.code import InlineCode, ModuleCode, Statements, TorchCode, padding
from archcalc.pytorch.placing import Sides
from archcalc.pytorch.runner import Runner
from archcalc.pytorch.tape import Saves, TapeTensor
from archcalc.sizes import Shape


class Records(dict[str, "Record"]):
    """Records by layer type; a layer type without one is refused in a sentence."""

    def __missing__(self, type: str) -> Record:
        raise ArchcalcError(_no_record(type))


_records = Records()
records: Mapping[str, Record] = MappingProxyType(_records)
"""What PyTorch does with a layer, by its type."""


class Record:
    """What PyTorch does with the layers of one type; ``layer`` is always a layer of that type.

    ``fvcore_operator`` is the operator under which fvcore counts it, where it is not called as the type is, and
    ``modules`` are the classes of torch and torchvision that are such a layer.
    """

    facts: ClassVar[tuple[str, ...]] = (
        "code",
        "run",
        "saves_input",
        "saves_output",
        "in_place",
        "keeps_format",
        "stand_in",
    )
    """What a record has to state."""
    type: ClassVar[str] = ""
    saves_input: ClassVar[bool]
    saves_output: ClassVar[bool]
    in_place: ClassVar[bool]
    keeps_format: ClassVar[bool]
    fvcore_operator: ClassVar[str] = ""
    modules: ClassVar[tuple[str, ...]] = ()
    pads: ClassVar[bool] = False
    """Whether something may stand around the map before the layer runs."""
    saves: ClassVar[Saves]
    """What an operator saves, as it takes it: its input and its output, where the record says so."""
    padding_value: ClassVar[str] = ""
    """What ``around`` puts around a map, as a further argument of F.pad; empty for zeros."""

    code: Callable[[Any, Shape, Shape], TorchCode]
    run: Callable[[Runner, Any, list[TapeTensor], list[Shape], Shape], TapeTensor]
    """Runs the layer on a tape: its inputs, their shapes, and the shape of its output, which it returns.

    The list of inputs has what is alive until the layer is done; one that is freed before is taken out of it.
    """
    stand_in: Callable[[Any, Shape], Sequence[Layer]]

    def __init_subclass__(cls, type: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not type:
            return
        missing = [fact for fact in cls.facts if not hasattr(cls, fact)]
        if missing:
            raise TypeError(f"the PyTorch record of {type!r} does not state its {', '.join(missing)}")
        first = _records.get(type)
        if first is not None:
            kind = first.__class__
            if (kind.__module__, kind.__qualname__) != (cls.__module__, cls.__qualname__):
                raise TypeError(f"two PyTorch records are of {type!r}: {kind.__name__} and {cls.__name__}")
        cls.type = type
        cls.pads = cls.around is not Record.around
        cls.saves = Saves(cls.saves_input * "its input", cls.saves_output * "its output")
        _records[type] = cls()

    def around(self, layer: Any, x: Shape) -> Sides:
        """What stands around x before the layer runs, since PyTorch's layer cannot pad so; empty where nothing does.

        Padding is a statement of its own: once it has run, the map is freed if no other layer reads it.
        """
        return ()

    def returns_view(self, layer: Any, out: Shape) -> bool:
        """Whether PyTorch returns the result as a view of a tensor, even where the output is no view of its input."""
        return False

    def fvcore(self, layer: Any) -> str:
        """The operator under which fvcore counts the layer."""
        return self.fvcore_operator or self.type

    def code_in_place(self, layer: Any, x: Shape) -> TorchCode:
        """How PyTorch writes the layer over its input."""
        module = self.code(layer, x, x)
        assert isinstance(module, ModuleCode)
        return module._replace(arguments={**module.arguments, "inplace": True})

    def statements(self, layer: Any, inputs: Sequence[Shape], out: Shape, over: bool = False) -> Statements:
        """The layer in PyTorch, for inputs of these shapes; with ``over`` it writes over the first of them.

        LayerError when PyTorch has no such layer.
        """
        (x,) = inputs
        if over:
            return Statements((), self.code_in_place(layer, x))
        itself = self.code(layer, x, out)
        around = self.around(layer, x)
        return Statements((padding(x, around, self.padding_value),) if around else (), itself)


class JoinRecord(Record):
    """What PyTorch does with a layer of several inputs: it is written one statement after another."""

    facts: ClassVar[tuple[str, ...]] = (
        "write",
        "run",
        "saves_input",
        "saves_output",
        "in_place",
        "keeps_format",
        "stand_in",
    )

    write: Callable[[list[str], bool], list[InlineCode]]
    """The statements, by what follows each input where it is read, and whether the first input is written over."""

    def statements(self, layer: Any, inputs: Sequence[Shape], out: Shape, over: bool = False) -> Statements:
        *before, last = self.write(operands(out, inputs), over)
        return Statements(tuple(before), last)


def operands(out: Shape, xs: Sequence[Shape]) -> list[str]:
    """What follows each input of a join where it is read: a vector gets the axes that it lacks."""
    axes = "[:, :" + ", None" * len(out.axes) + "]"
    return [axes if out.axes and not x.axes else "" for x in xs]


def gaps(types: Iterable[str]) -> list[str]:
    """What is missing: layer types without a record, and records without a layer type; a sentence for each."""
    without = [_no_record(type) for type in types if type not in _records and type != "input"]
    alone = [
        f"the PyTorch record {record.__class__.__name__} is of {type!r}, and no layer is called so"
        for type, record in _records.items()
        if type not in registry
    ]
    return [*without, *alone]


def _no_record(type: str) -> str:
    name = registry[type].__name__ if type in registry else ""
    layer = f"the layer type {type!r} ({name})" if name else f"the layer type {type!r}"
    return f"{layer} has no PyTorch record: add class {name or 'Mine'}Record(Record, type={type!r})"
