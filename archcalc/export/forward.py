"""The statements of a block's ``forward``. A few variables hold all values, one after another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from heapq import heappop, heappush
from string import Formatter
from typing import NamedTuple

from archcalc.export.lines import fits
from archcalc.export.outline import Item, ModuleOutline
from archcalc.export.parameters import RESERVED
from archcalc.pytorch.code import InlineCode
from archcalc.sizes import Shape

_OPERATION = re.compile(" [-+*/] ")
VARIABLES = ("x", "y", "z", "u", "v", "w")


class Statement(NamedTuple):
    """One statement of ``forward``. parts: pieces of text, and the values between them. outputs: values."""

    parts: tuple[str | int, ...]
    outputs: tuple[int, ...]
    side: bool
    shape: Shape | None
    simple: bool
    """Whether the statement can be an operand without brackets."""

    @property
    def values(self) -> tuple[int, ...]:
        return tuple(part for part in self.parts if isinstance(part, int))


class SourceLine(NamedTuple):
    """A line of ``forward``: its text, whether the line runs in training only, and the shape of its result."""

    text: str
    side: bool
    shape: Shape | None


def forward(
    block: ModuleOutline, texts: Iterator[str], returned: list[int], sides: list[int]
) -> tuple[list[str], list[SourceLine]]:
    """The names of the arguments of ``forward``, and its lines.

    texts: the arguments of expressions, in order. returned: the values that ``forward`` returns. sides: the outputs of
    side heads, which ``forward`` also returns in training.
    """
    return _Variables(block, steps(block, texts, {*returned, *sides}), returned, sides).written()


def steps(block: ModuleOutline, texts: Iterator[str], returned: set[int]) -> list[Statement]:
    """The items of a block as statements. If only the next statement uses a value, both become one line if it fits."""
    uses = block.uses
    statements: list[Statement] = []
    for item in block.items:
        side = item.side and not block.side
        if isinstance(item.what, InlineCode):
            parts = list(_expression(item, texts))
        else:
            parts = [f"self.{item.name}("]
            for at, value in enumerate(item.inputs):
                parts += [", ", value] if at else [value]
            parts.append(")")
        join = isinstance(item.what, InlineCode) and len(item.inputs) > 1
        alone = isinstance(item.what, InlineCode) and not join
        inputs = [v for v in item.inputs if uses[v] == 1 and v not in returned and v not in block.inputs]
        tail = statements[len(statements) - len(inputs) :] if inputs and not alone else []
        fitting = [step.outputs for step in tail] == [(value,) for value in inputs] and all(
            step.side == side and (step.simple if join else _is_operand(step)) for step in tail
        )
        if tail and fitting:
            taken = {step.outputs[0]: step.parts for step in tail}
            merged = [p for part in parts for p in (taken.get(part, (part,)) if isinstance(part, int) else (part,))]
            if fits("return " + "".join("x" if isinstance(p, int) else p for p in merged), 8):
                parts = merged
                del statements[len(statements) - len(inputs) :]
        operation = isinstance(item.what, InlineCode) and _OPERATION.search(item.what.text) is not None
        simple = "torch.cat" in str(parts[0]) if join else not operation
        statements.append(Statement(tuple(parts), item.outputs, side, item.shape, simple))
    return statements


def _is_operand(step: Statement) -> bool:
    """Whether a statement can be the argument of a call: a slice, or a sum or product of calls."""
    text = "".join("x" if isinstance(p, int) else p for p in step.parts)
    return text.startswith("x[") or (not step.simple and not text.startswith("F."))


def _expression(item: Item, texts: Iterator[str]) -> Iterator[str | int]:
    assert isinstance(item.what, InlineCode)
    parsed = [(before, name) for before, name, *_ in Formatter().parse(item.what.text)]
    given = [next(texts) if name and not name.isdigit() else "" for _, name in parsed]
    spaced = "[:, " in item.what.text and any("self." in text for text in given)
    after = ""  # the text of the previous argument
    for (before, name), text in zip(parsed, given, strict=True):
        if spaced and after and before.startswith(":"):
            before = f" {before}"
        if spaced and text and before.endswith(":"):
            before = f"{before} "
        yield from (piece for piece in (before, text) if piece)
        if name and name.isdigit():
            yield item.inputs[int(name)]
        after = text


class _Variables:
    """Assigns values to variables. After the last use of a value, its variable is free for another value."""

    def __init__(self, block: ModuleOutline, found: list[Statement], returned: list[int], sides: list[int]) -> None:
        self.block, self.steps, self.returned, self.sides = block, found, returned, sides
        self.names: dict[int, str] = {}
        self.used: set[str] = set()
        self.numbers: dict[int, int] = {}
        """The number of the variable that holds each value: x, y, z, u, v, w, x1, y1, ..."""
        self.free: list[int] = []
        """A heap of the numbers of variables that are free again."""
        self.fresh = 0
        """The first number that was never used."""
        self.last = {value: at for at, step in enumerate(found) for value in step.values}
        self.last.update(dict.fromkeys((*returned, *sides), len(found)))

    def written(self) -> tuple[list[str], list[SourceLine]]:
        arguments = [self.name(value) for value in self.block.inputs]
        lines: list[SourceLine] = []
        for at, step in enumerate(self.steps):
            text = "".join(self.names[p] if isinstance(p, int) else p for p in step.parts)
            for value in step.values:
                if self.last[value] == at:
                    self.release(value)
            ends = at == len(self.steps) - 1 and not step.side and not self.sides
            if ends and list(step.outputs) == self.returned:
                return arguments, [*lines, SourceLine(f"return {text}", False, step.shape)]
            used = [value for value in step.outputs if value in self.last]
            names = [self.name(value, step) for value in step.outputs]
            for value in step.outputs:
                if value not in used:
                    self.release(value)
            targets = f"{', '.join(names)} = " if used else ""
            lines.append(SourceLine(targets + text, step.side, step.shape if len(names) == 1 else None))
        given = [self.names[value] for value in self.returned]
        if self.sides:
            beside = [*given, *(self.names[value] for value in self.sides)]
            lines.append(SourceLine(f"return {', '.join(beside)}", True, None))
        return arguments, [*lines, *([SourceLine(f"return {', '.join(given)}", False, None)] if given else [])]

    def name(self, value: int, step: Statement | None = None) -> str:
        """A free variable for a value. The output of a side head gets the name of the side head."""
        if value in self.block.arguments:
            self.names[value] = name = self.block.arguments[value]
            self.used.add(name)
            return name
        if step is not None and value in self.sides:
            called = str(step.parts[0]).removeprefix("self.").rstrip("(").replace(".", "_")
            if called.isidentifier() and called not in self.used and called not in (*VARIABLES, *RESERVED):
                self.used.add(called)
                self.names[value] = called
                return called
        taken = []
        while (name := variable(number := self.number())) in self.used:
            taken.append(number)
        for other in taken:
            heappush(self.free, other)
        self.numbers[value], self.names[value] = number, name
        self.used.add(name)
        return name

    def number(self) -> int:
        """The smallest number of a variable that holds no value."""
        if self.free:
            return heappop(self.free)
        self.fresh += 1
        return self.fresh - 1

    def release(self, value: int) -> None:
        """Free the variable of a value after the last use of the value."""
        name = self.names.pop(value, None)
        if name is not None:
            self.used.remove(name)
        if value in self.numbers:
            heappush(self.free, self.numbers.pop(value))


def variable(number: int) -> str:
    """The name of a variable by its number.

    >>> variable(0), variable(5), variable(6)
    ('x', 'w', 'x1')
    """
    turn, letter = divmod(number, len(VARIABLES))
    return f"{VARIABLES[letter]}{turn or ''}"
