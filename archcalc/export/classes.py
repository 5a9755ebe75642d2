"""Blocks of equal structure become one class. The numbers in which the blocks differ are parameters of the class."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from keyword import iskeyword
from string import Formatter
from typing import Any, NamedTuple

from archcalc.errors import ArchcalcError, LayerError
from archcalc.export.module_names import plain
from archcalc.export.outline import ModuleOutline
from archcalc.export.parameters import CHANNELS, MISSING, Argument, Column, Parameter, Parameters
from archcalc.pytorch.code import InlineCode, ModuleCode


class Class(NamedTuple):
    """A class of the model: its blocks, and the text of each argument. The class has the code of the first block.

    ``locals`` are names in the constructor for numbers that are computed from the parameters.
    """

    name: str
    blocks: list[ModuleOutline]
    parameters: list[Parameter]
    locals: dict[str, str]
    texts: list[str]
    columns: list[Column]


class Classes:
    """All classes of a model. Each class comes after the classes that it uses. The last class is the model.

    ArchcalcError if blocks of equal structure differ in more than MOST_PARAMETERS numbers.
    """

    def __init__(self, root: ModuleOutline, name: str, taken: set[str]) -> None:
        self.numbers: dict[Any, int] = {}
        self.groups: dict[int, list[ModuleOutline]] = {}
        self.calls: dict[int, ModuleCode] = {}
        self.kinds: dict[str, dict[str, str]] = {}
        self.visit(root)
        names = class_names([*self.groups.values()][:-1], {*taken, name})
        self.all = [self.make(*pair) for pair in zip([*names, name], self.groups.values(), strict=True)]

    def visit(self, block: ModuleOutline) -> int:
        """The number of the class of a block. The classes of the inner blocks have smaller numbers."""
        key = self.shape(block)
        number = self.numbers.setdefault(key, len(self.numbers))
        self.groups.setdefault(number, []).append(block)
        return number

    def shape(self, block: ModuleOutline) -> Any:
        """The structure of a block: everything except the numbers in the block."""
        local: dict[int, int] = {}

        def places(values: Sequence[int]) -> tuple[int, ...]:
            return tuple(local.setdefault(value, len(local)) for value in values)

        given = places(block.inputs)
        items = tuple(
            (
                item.name,
                self.shape_of(item.what),
                places(item.inputs),
                places(item.outputs),
                item.side and not block.side,
            )
            for item in block.items
        )
        return block.kind, given, items, places(block.outputs), tuple(block.ties)

    def shape_of(self, what: Any) -> Any:
        match what:
            case ModuleOutline(inline=True):
                return tuple((item.name, self.shape_of(item.what)) for item in what.items)
            case ModuleOutline():
                return self.visit(what)
            case ModuleCode():
                return (
                    what.target,
                    what.positional,
                    tuple(
                        [
                            (k, self.shape_of(v) if isinstance(v, ModuleCode) else None)
                            for k, v in what.arguments.items()
                        ]
                    ),
                )
            case InlineCode():
                return what.text
        return None

    def make(self, name: str, blocks: list[ModuleOutline]) -> Class:
        rows = [list(self.arguments(block)) for block in blocks]
        columns = [Column.of(same) for same in zip(*rows, strict=True)]
        joined = any("torch.cat" in item.what.text for item in blocks[0].items if isinstance(item.what, InlineCode))
        try:
            parameters = Parameters(columns, joined)
        except LayerError as error:
            raise ArchcalcError(f"{', '.join(block.path for block in blocks[:2])}: {error}") from None
        positional = sum(p.kind in ("channels", "kernel_size") for p in parameters.all)
        defaults = {p.name: p.default for p in parameters.all if p.default is not MISSING}
        for at, block in enumerate(blocks):
            arguments = {p.name: values[at] for p, values in zip(parameters.all, parameters.values, strict=True)}
            self.calls[id(block)] = ModuleCode(name, arguments, positional, defaults)
        self.kinds[name] = {p.name: p.kind for p in parameters.all}
        return Class(name, blocks, parameters.all, parameters.locals, parameters.texts, columns)

    def resolved(self, what: Any) -> ModuleCode | InlineCode | None:
        """The code that makes a layer or a block at the place of its use."""
        if not isinstance(what, ModuleOutline):
            return what  # type: ignore[no-any-return]
        if not what.inline:
            return self.calls[id(what)]
        flat = ModuleCode("nn.Flatten")
        inner = {i.name: flat if isinstance(i.what, InlineCode) else self.resolved(i.what) for i in what.items}
        return ModuleCode("nn.Sequential", {"": ModuleCode("OrderedDict", inner)}, 1)

    def arguments(self, block: ModuleOutline) -> Iterator[Argument]:
        """Every argument in a block, in the order of the code."""
        for item in block.items:
            what = self.resolved(item.what)
            if isinstance(what, ModuleCode):
                yield from self.of_call(what, item.name)
            elif what is not None:
                for argument in fields(what.text):
                    kind = "channels" if argument in CHANNELS else argument
                    yield Argument("", argument, kind, what.arguments[argument], MISSING)

    def of_call(self, call: ModuleCode, path: str) -> Iterator[Argument]:
        kinds = self.kinds.get(call.target, {})
        for argument, value in call.arguments.items():
            if isinstance(value, ModuleCode):
                named = call.target == "OrderedDict"
                yield from self.of_call(value, f"{path}.{argument}" if named else path)
            else:
                kind = kinds.get(argument) or ("channels" if argument in CHANNELS else argument)
                yield Argument(path, argument, kind, value, call.defaults.get(argument, MISSING))


def fields(text: str) -> list[str]:
    """The names of the arguments in an expression's text."""
    return [name for _, name, *_ in Formatter().parse(text) if name and not name.isdigit()]


def class_names(groups: list[list[ModuleOutline]], taken: set[str]) -> list[str]:
    """A name for each class: the name of its block. If several classes have this name, a word or a number is added."""
    bases = [camel(blocks[0].kind or re.sub(r"\d+", "", blocks[0].path.split(".")[-1])) for blocks in groups]
    names: list[str] = []
    common: dict[tuple[str, bool], set[str]] = {}
    for base, blocks in zip(bases, groups, strict=True):
        for deep in (False, True):
            inside = set(_names(blocks[0], deep))
            common[base, deep] = common.get((base, deep), inside) & inside
    for base, blocks in zip(bases, groups, strict=True):
        words = next(filter(None, (_distinct(blocks[0], common[base, deep], deep) for deep in (False, True))), [])
        name = numbered = f"{base}{''.join(words)}"
        count = 1
        while numbered in taken or iskeyword(numbered):
            count += 1
            numbered = f"{name}{count}"
        taken.add(numbered)
        names.append(numbered)
    return names


def _distinct(block: ModuleOutline, common: set[str], deep: bool) -> list[str]:
    """One or two words for layers that not all blocks of this name have. If more words are needed, no words."""
    own = [name for name in _names(block, deep) if name not in common]
    words = list(dict.fromkeys(name.rstrip("0123456789_") for name in own))
    plain = len(words) <= 2 and all(word.replace("_", "").isalpha() for word in words)
    return [camel(word) for word in words] if plain else []


def _names(block: ModuleOutline, deep: bool) -> Iterator[str]:
    """The names of a block's layers and inner blocks. ``deep``: also the names inside its inline Sequentials."""
    for item in block.items:
        if deep and isinstance(item.what, ModuleOutline) and item.what.inline:
            yield from _names(item.what, deep)
        if not isinstance(item.what, InlineCode):
            yield item.name.split(".")[-1]


def camel(name: str, otherwise: str = "Block") -> str:
    """A name in the style of a class name.

    >>> camel("conv_norm"), camel("resnet50_tv"), camel("mobilenet_v1_0.25"), camel("7x7"), camel("x²-é")
    ('ConvNorm', 'Resnet50Tv', 'MobilenetV1_0_25', 'Block7x7', 'X2É')
    """
    camel_name = ""
    for word in filter(None, plain(name).split("_")):
        camel_name += "_" * (camel_name[-1:].isdigit() and word[0].isdigit()) + word[0].upper() + word[1:]
    if not camel_name:
        return otherwise
    return camel_name if camel_name[0].isidentifier() else f"Block{camel_name}"


def called(call: ModuleCode, columns: Iterator[tuple[Column, str]]) -> str:
    """The text of a call. ``columns`` gives each argument in order, with its text."""
    arguments = []
    for at, (name, value) in enumerate(call.arguments.items()):
        prefix = "" if at < call.positional else f"{name}="
        if isinstance(value, ModuleCode):
            arguments.append(prefix + called(value, columns))
        else:
            column, text = next(columns)
            if not column.left_out:
                arguments.append(prefix + text)
    return f"{call.target}({', '.join(arguments)})"
