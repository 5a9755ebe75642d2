"""A layer type is a small class with typed settings and four facts.

    window(*inputs)       the input positions that one output unit reads, one ``Window`` per axis
    shape(*inputs)        the shape of the output
    params(*inputs)       the weights, biases and buffers that the layer owns
    work(out, *inputs)    the operations for one image, by kind

Inputs and outputs are ``Shape`` objects for one image: channels and axes, without the batch. A fact raises
``LayerError`` where the layer does not fit its inputs. If sizes are arrays, the error says for which elements (``where``),
so that a sweep separates these at once. No fact has a default: zero is a statement. A subclass with a
``type`` is registered under this name; a name that is taken or a missing fact is refused when the module is imported.
A class that is defined again, as in a cell of a notebook that runs twice, takes the place of its first definition.

The first paragraph of a layer's docstring says what the layer computes. A paragraph ``Source: ...`` names the paper.
docs/spec.md is generated from both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal, get_args

from archcalc.errors import DiffersError, LayerError, unknown
from archcalc.layers.settings import Setting
from archcalc.sizes import (
    NO_PARAMS,
    NO_WORK,
    POINT,
    Int,
    Params,
    Shape,
    Window,
    Work,
    equal,
    int_text,
    is_array,
    refused_of,
)

FACTS = ("window", "shape", "params", "work")
_registry: dict[str, type[Layer]] = {}
registry: Mapping[str, type[Layer]] = MappingProxyType(_registry)
"""Every layer type by its spec name."""

StorageKind = Literal["new", "in_place", "view"]
STORAGES: tuple[StorageKind, ...] = get_args(StorageKind)


class Layer:
    """One configured layer: its settings are attributes, its facts are methods (see the top of this module)."""

    type: ClassVar[str] = ""
    fields: ClassVar[Mapping[str, Setting]] = MappingProxyType({})
    storage: ClassVar[StorageKind] = "new"
    """Storage of the output: 'new', 'in_place' (storage of the input), 'view' (shares the input's storage)."""
    joins: ClassVar[bool] = False
    """Whether the layer takes several inputs."""
    direct: ClassVar[str] = ""
    """The setting that a plain value stands for: ``rearrange: "c h w -> c (h w)"``."""
    fewest: ClassVar[int] = 2
    """The fewest inputs of a join; a join of one input has no branches in a spec, and reads the layer before it."""
    fewest_named: ClassVar[int] = 2
    """The fewest inputs that ``from`` names. A concatenation of one is a copy."""
    makes_regions: ClassVar[bool] = False
    """Whether the layer makes regions of a map: the layers behind it run once for every region."""
    regions: Int = 0
    """The regions of an image that the layer makes; 0: none."""
    slots: ClassVar[tuple[str, ...]] = ()
    """The names of the inputs of a join whose inputs differ in their use; the names of its branches."""
    optional_slots: ClassVar[int] = 0
    """How many of the last slots can stay empty."""
    mixes: ClassVar[bool] = False
    """Whether, on a vector, each output value depends on all input values."""

    window: Callable[..., tuple[Window, ...]]
    shape: Callable[..., Shape]
    params: Callable[..., Params]
    work: Callable[..., Work]

    def work_parts(self, out: Shape, *inputs: Shape) -> Mapping[str, Work]:
        """The parts of the work that tables show one by one, each with its name; {} if the work has one part."""
        return {}

    def work_once(self, *inputs: Shape) -> Work:
        """The operations of a forward pass that do not depend on the batch, as those that compute weights."""
        return NO_WORK

    def __init_subclass__(cls, type: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = {k: v for k, v in vars(cls).items() if isinstance(v, Setting)}
        cls.fields = MappingProxyType({**cls.fields, **own})
        if not type:
            return
        missing = [fact for fact in FACTS if not hasattr(cls, fact)]
        if missing:
            raise TypeError(f"layer {type!r} does not state its {', '.join(missing)}")
        first = _registry.get(type)
        if first is not None and (first.__module__, first.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"two layers are called {type!r}: {first.__name__} and {cls.__name__}")
        cls.type = type
        _registry[type] = cls

    def __init__(self, **values: Any) -> None:
        problems, wheres = [], list[Any]()
        for name in values:
            if name not in self.fields:
                problems.append(unknown(f"{self.type} setting", name, self.fields))
        for name, field in self.fields.items():
            if name in values:
                try:
                    setattr(self, name, field.read(values[name]))
                except LayerError as error:
                    problems.append(f"{name}: {error}")
                    wheres.append(error.where)
            elif field.required:
                problems.append(f"{self.type} needs {name}: {field.help}")
            else:
                setattr(self, name, field.default)
        if problems:
            raise LayerError("; ".join(problems), refused_of(wheres))

    @property
    def settings(self) -> dict[str, Any]:
        """The settings with their values, defaults included."""
        return {name: getattr(self, name) for name in self.fields}

    @property
    def chosen(self) -> dict[str, Any]:
        """The settings that differ from their defaults: a layer of the same type with them is the same layer."""
        return {name: value for name, value in self.settings.items() if not equal(value, self.fields[name].default)}

    def held(self, out: Shape, *inputs: Shape) -> StorageKind:
        """Storage of the output for inputs of these shapes: a layer that has nothing to do for some returns a view."""
        return self.storage

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.chosen.items())
        return f"{self.type}({shown})"


class Pointwise(Layer):
    """A layer that computes each value alone: it keeps the shape and owns no parameters."""

    def window(self, x: Shape) -> tuple[Window, ...]:
        return POINT

    def shape(self, x: Shape) -> Shape:
        return x

    def params(self, x: Shape) -> Params:
        return NO_PARAMS


def need_map(x: Shape, what: str) -> None:
    """LayerError unless x has spatial axes."""
    if not x.axes:
        raise LayerError(f"{what} needs a feature map with height and width, got a vector of {int_text(x.channels)}")


def whole(x: Shape) -> tuple[Window, ...]:
    """The windows of a layer whose output units each read the whole of x."""
    return tuple(Window(span=n, whole=True) for n in x.axes)


def per_axis(value: Int | tuple[Int, ...], x: Shape, name: str) -> tuple[Int, ...]:
    """A setting as one number per axis of x; LayerError if a list has another length."""
    if not isinstance(value, tuple):
        return (value,) * len(x.axes)
    if len(value) != len(x.axes):
        raise LayerError(f"{name} has {len(value)} numbers, but the input {x} has {len(x.axes)} spatial axes")
    return value


def agreed(holds: Any) -> bool:
    """The answer to a question about every element of arrays; DiffersError if it is not the same for all."""
    if not is_array(holds):
        return bool(holds)
    if holds.all() or not holds.any():
        return bool(holds.any())
    raise DiffersError("a layer does different things for the elements of an array; they are evaluated apart", holds)
