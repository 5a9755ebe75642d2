"""What PyTorch does with a layer type: one record, a small class beside the layer's four facts.

    code(layer, x, out)             how PyTorch code writes the layer: a module, or an expression
    run(tape, layer, xs, shapes, out)   how PyTorch runs the layer: operators, and what each makes, saves and frees
    saves_input, saves_output       whether the layer's backward pass can read the layer's input, and its output
    in_place                        whether PyTorch can write the output in place, into the storage of an input
    keeps_format                    whether the output has the memory format of the input
    stand_in(layer, out)            layers of one channel that read the same pixels

No fact has a default. A subclass with a ``type`` is registered. The import of a module fails if a record is a duplicate
or lacks a fact. ``gaps`` says which layer types have no record. Nothing here imports torch.
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
    """Records by layer type; ArchcalcError for a layer type without a record."""

    def __missing__(self, type: str) -> Record:
        raise ArchcalcError(_no_record(type))


_records = Records()
records: Mapping[str, Record] = MappingProxyType(_records)
"""The record of each layer type."""


class Record:
    """What PyTorch does with the layers of one type; ``layer`` is always a layer of that type.

    fvcore_operator: the operator under which fvcore counts the layer, if its name differs from the type
    modules:         the classes of torch and torchvision that are such a layer
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
    """The facts that every record must state."""
    type: ClassVar[str] = ""
    saves_input: ClassVar[bool]
    saves_output: ClassVar[bool]
    in_place: ClassVar[bool]
    keeps_format: ClassVar[bool]
    fvcore_operator: ClassVar[str] = ""
    modules: ClassVar[tuple[str, ...]] = ()
    pads: ClassVar[bool] = False
    """Whether the map may need padding before the layer runs."""
    saves: ClassVar[Saves]
    """What an operator saves, as an argument of ``Tape.run``: its input and its output, if the record says so."""
    padding_value: ClassVar[str] = ""
    """The value of the padding ``around`` a map, as a further argument of F.pad; empty for zeros."""

    code: Callable[[Any, Shape, Shape], TorchCode]
    run: Callable[[Runner, Any, list[TapeTensor], list[Shape], Shape], TapeTensor]
    """Runs the layer on a tape; arguments: tape, layer, inputs, shapes of the inputs, shape of the output.

    Returns the output. The inputs in the list stay alive until the layer is done. ``run`` takes an input out of the
    list if the input is freed earlier.
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
        """The padding that PyTorch's layer cannot do itself and that is put around x before the layer; empty if none.

        This padding is a separate statement. After it, the unpadded map is freed if no other layer reads the map.
        """
        return ()

    def returns_view(self, layer: Any, out: Shape) -> bool:
        """Whether PyTorch returns the result as a view of a tensor, even if the output is not a view of the input."""
        return False

    def keeps(self, layer: Any) -> bool:
        """Whether the output has the memory format of the input, for the layer's settings."""
        return self.keeps_format

    def fvcore(self, layer: Any) -> str:
        """The operator under which fvcore counts the layer."""
        return self.fvcore_operator or self.type

    def code_in_place(self, layer: Any, x: Shape) -> TorchCode:
        """The code of the layer that writes in place, into the storage of its input."""
        module = self.code(layer, x, x)
        assert isinstance(module, ModuleCode)
        return module._replace(arguments={**module.arguments, "inplace": True})

    def statements(self, layer: Any, inputs: Sequence[Shape], out: Shape, over: bool = False) -> Statements:
        """The layer as PyTorch code, for inputs of these shapes; with ``over``, the layer overwrites the first input.

        LayerError if PyTorch has no such layer.
        """
        (x,) = inputs
        if over:
            return Statements((), self.code_in_place(layer, x))
        itself = self.code(layer, x, out)
        around = self.around(layer, x)
        return Statements((padding(x, around, self.padding_value),) if around else (), itself)


class JoinRecord(Record):
    """What PyTorch does with a layer of several inputs, whose code is one or more statements."""

    facts: ClassVar[tuple[str, ...]] = ("write", *Record.facts[1:])  # in place of "code"

    write: Callable[[list[str], bool], list[InlineCode]]
    """Returns the statements. Arguments: the index text that follows each input (see ``operands``), and whether the
    first input is overwritten."""

    def statements(self, layer: Any, inputs: Sequence[Shape], out: Shape, over: bool = False) -> Statements:
        *before, last = self.write(operands(out, inputs), over)
        return Statements(tuple(before), last)


def operands(out: Shape, xs: Sequence[Shape]) -> list[str]:
    """The index text that follows each input of a join: a vector gets the axes that the vector lacks."""
    axes = "[:, :" + ", None" * len(out.axes) + "]"
    return [axes if out.axes and not x.axes else "" for x in xs]


def gaps(types: Iterable[str]) -> list[str]:
    """One sentence for each layer type without a record, and for each record without a layer type."""
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
