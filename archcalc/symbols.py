"""A formula from a calculation on arrays: for other numbers, on Python's ints, and without NumPy.

Code that takes arrays treats all elements alike, and looks at all of them only where it decides: ``largest(a % b) != 0``. So the
result for an element follows from the operations, and from the answers to such questions. A ``Symbol`` is an array that notes
both. The formula computes the operations for one other element. It has no result if an answer would be another one with
this element among the others, because the code could then do something else.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from math import inf, nan
from typing import Any, NamedTuple, NoReturn, TypeAlias

import numpy as np

from archcalc.errors import DiffersError

Formula: TypeAlias = Callable[..., "list[Any] | None"]
"""The results for numbers; None if these would change an answer."""

OPERATIONS: dict[str, tuple[Callable[..., Any], str, str]] = {
    # name: the operation on arrays, in Python's source, and the kinds of its operands: i (int), f (float), b (bool)
    "add": (operator.add, "{} + {}", "ifb"),
    "sub": (operator.sub, "{} - {}", "ifb"),
    "mul": (operator.mul, "{} * {}", "ifb"),
    "floordiv": (operator.floordiv, "{} // {}", "if"),
    "mod": (operator.mod, "{} % {}", "if"),
    "truediv": (operator.truediv, "{} / {}", "if"),
    "lt": (operator.lt, "{} < {}", "if"),
    "le": (operator.le, "{} <= {}", "if"),
    "gt": (operator.gt, "{} > {}", "if"),
    "ge": (operator.ge, "{} >= {}", "if"),
    "eq": (operator.eq, "{} == {}", "ifb"),
    "ne": (operator.ne, "{} != {}", "ifb"),
    "and": (operator.and_, "{} & {}", "b"),
    "or": (operator.or_, "{} | {}", "b"),
    "not": (operator.invert, "not {}", "b"),
    "neg": (operator.neg, "-{}", "if"),
    "abs": (abs, "abs({})", "if"),
    "int64": (lambda n: n.astype("int64"), "int({})", "ifb"),
    "float64": (lambda n: n.astype("float64"), "float({})", "if"),
    "round": (lambda n: n.round(), "float(round({}))", "f"),
}
OPPOSITE = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt"}
OR_EQUAL = {"lt": "le", "gt": "ge"}
KINDS = {int: "i", float: "f", bool: "b"}
NOT_OF_TWO_CONDITIONS = ("add", "sub", "mul")
"""In NumPy, the sum of two conditions is a condition. In Python, it is an int."""


class NoFormulaError(Exception):
    """The calculation did something with a number that a symbol does not note."""


class _Line(NamedTuple):
    """A line of a formula: the name that it computes ('': it asks for an answer), the names that it reads, and its text."""

    name: str
    reads: tuple[str, ...]
    text: str


class Calculation:
    """The operations and answers of a calculation.

    ``numbers``: what the calculation takes, given by their elements: symbols, and the numbers that are one for all elements.
    """

    def __init__(self, numbers: Sequence[Sequence[float]]) -> None:
        self._results: dict[str, Symbol] = {}
        self._lines: dict[str, _Line] = {}
        """By their text, because each is computed once."""
        self._symbols = [Symbol(self, f"a{at}", np.array(elements)) for at, elements in enumerate(numbers)]
        self.numbers = [symbol if len({*symbol.elements.tolist()}) > 1 else symbol.item(0) for symbol in self._symbols]

    def operation(self, name: str, *operands: Any) -> Symbol:
        """The result of an operation. The same operation on the same operands is one object."""
        run, source, kinds = OPERATIONS[name]
        given = [_kind(one) for one in operands]
        known = all(one.calculation is self for one in operands if isinstance(one, Symbol)) and set(given) <= set(kinds)
        if not known or (name in NOT_OF_TWO_CONDITIONS and given == ["b", "b"]):
            raise NoFormulaError(f"{name} of {', '.join(type(one).__name__ for one in operands)}")
        text = source.format(*[one.name if isinstance(one, Symbol) else f"({one!r})" for one in operands])
        if text not in self._results:
            with np.errstate(all="ignore"):  # code on arrays computes what it does not use, such as n / 0
                elements = run(*[getattr(one, "elements", one) for one in operands])
            if elements.dtype.name not in ("int64", "float64", "bool"):
                raise NoFormulaError(f"{name} with a result of type {elements.dtype}")
            result = self._results[text] = Symbol(self, f"t{len(self._results)}", elements)
            reads = tuple([one.name for one in operands if isinstance(one, Symbol)])
            self._lines[text] = _Line(result.name, reads, f"{result.name} = {text}")
        return self._results[text]

    def answer(self, condition: Symbol, holds: bool) -> None:
        """Note that the calculation is for elements for which a condition holds, or for which it does not hold."""
        text = f"if {'not ' if holds else ''}{condition.name}: return None"
        self._lines.setdefault(text, _Line("", (condition.name,), text))

    def formula(self, results: Sequence[Any]) -> Formula:
        """The results, which are symbols and other values, as a function of the numbers."""
        constants = {f"k{at}": value for at, value in enumerate(results) if not isinstance(value, Symbol)}
        names = [value.name if isinstance(value, Symbol) else f"k{at}" for at, value in enumerate(results)]
        used, lines = set(names), [f"return [{', '.join(names)}]"]
        for line in reversed(self._lines.values()):
            if not line.name or line.name in used:
                used.update(line.reads)
                lines.append(line.text)
        head = f"def formula({', '.join(one.name for one in self._symbols)}):"
        around: dict[str, Any] = {"inf": inf, "nan": nan, **constants}
        exec("\n    ".join([head, *reversed(lines)]), around)  # the text is made of the operations above and of numbers
        formula: Formula = around["formula"]
        return formula


def _kind(operand: Any) -> str:
    """The kind of an operand; '?' if it is neither a symbol nor a number."""
    return str(operand.dtype.kind) if isinstance(operand, Symbol) else KINDS.get(type(operand), "?")


def _both(name: str) -> tuple[Callable[[Symbol, Any], Symbol], Callable[[Symbol, Any], Symbol]]:
    """An operation, and the same with the operands exchanged."""
    return lambda a, b: a.calculation.operation(name, a, b), lambda a, b: a.calculation.operation(name, b, a)


class Symbol:
    """A number of a calculation, with its elements. To code it is an array without other methods than those of this class."""

    ndim = 1
    __hash__ = None  # type: ignore[assignment]
    __array_ufunc__ = None  # NumPy leaves operations of its arrays with a symbol to the symbol, which refuses them

    def __init__(self, calculation: Calculation, name: str, elements: Any) -> None:
        self.calculation, self.name, self.elements = calculation, name, elements
        self._sum: tuple[Symbol, int] = self, 0
        """The symbol as another one plus a constant."""

    @property
    def dtype(self) -> Any:
        return self.elements.dtype

    @property
    def size(self) -> int:
        return int(self.elements.size)

    def _plus(self, constant: int) -> Symbol:
        """The sum. Constants are added to one, so that equal sums are one symbol: (n + 1) - 1 is n."""
        symbol, before = self._sum
        constant += before
        if constant == 0:
            return symbol
        result = self.calculation.operation("add", symbol, constant)
        result._sum = symbol, constant
        return result

    def _is_int(self, other: Any) -> bool:
        """Whether the symbol and the other operand, which is a single number, are ints."""
        return type(other) is int and self.dtype.kind == "i"

    def __add__(self, other: Any) -> Symbol:
        return self._plus(other) if self._is_int(other) else self.calculation.operation("add", self, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Symbol:
        return self._plus(-other) if self._is_int(other) else self.calculation.operation("sub", self, other)

    def __rsub__(self, other: Any) -> Symbol:
        return self.calculation.operation("sub", other, self)

    def __mul__(self, other: Any) -> Symbol:
        if self._is_int(other) and other == 1:
            return self
        conditions = _kind(self) == _kind(other) == "b"
        return self.calculation.operation("and" if conditions else "mul", self, other)

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Symbol:
        return self if self._is_int(other) and other == 1 else self.calculation.operation("floordiv", self, other)

    def __rfloordiv__(self, other: Any) -> Symbol:
        return self.calculation.operation("floordiv", other, self)

    __mod__, __rmod__ = _both("mod")
    __truediv__, __rtruediv__ = _both("truediv")
    __and__, __rand__ = _both("and")
    __or__, __ror__ = _both("or")
    __lt__, __gt__ = _both("lt")[0], _both("gt")[0]
    __le__, __ge__ = _both("le")[0], _both("ge")[0]
    __eq__, __ne__ = _both("eq")[0], _both("ne")[0]  # type: ignore[assignment]

    def __neg__(self) -> Symbol:
        return self.calculation.operation("neg", self)

    def __abs__(self) -> Symbol:
        return self.calculation.operation("abs", self)

    def __invert__(self) -> Symbol:
        return self.calculation.operation("not", self)

    def astype(self, dtype: str) -> Symbol:
        return self if self.dtype == dtype else self.calculation.operation(dtype, self)

    def round(self) -> Symbol:
        return self if self.dtype.kind == "i" else self.calculation.operation("round", self)

    def all(self) -> bool:
        """Whether a condition holds for all elements."""
        found = bool(self.elements.all())
        if found:
            self.calculation.answer(self, True)
        return found

    def any(self) -> bool:
        """Whether a condition holds for an element."""
        found = bool(self.elements.any())
        if not found:
            self.calculation.answer(self, False)
        return found

    def max(self) -> Any:
        return self.any() if self.dtype.kind == "b" else _Extreme(self, self.elements.max().item(), "lt")

    def min(self) -> Any:
        return self.all() if self.dtype.kind == "b" else _Extreme(self, self.elements.min().item(), "gt")

    def item(self, place: int) -> Any:
        """An element, which is the one number that all elements are; DiffersError if they differ."""
        found = self.elements.item(place)
        same = self == found
        if not same.all():
            raise DiffersError("a number differs between the elements of arrays", same)
        return found

    def __bool__(self) -> NoReturn:
        raise NoFormulaError("a decision that is not one for all elements")


class _Extreme:
    """The largest element of a symbol (``within`` "lt") or the smallest ("gt"), which code compares.

    That the largest element is below a limit stays so with a further element if this one is below the limit. That it is above
    stays so with any element.
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, symbol: Symbol, found: float, within: str) -> None:
        self._symbol, self._found, self._within, self._up_to = symbol, found, within, OR_EQUAL[within]

    def _compared(self, name: str, limit: Any) -> bool:
        limit = limit.single() if isinstance(limit, _Extreme) else limit
        asked = name
        if name in ("eq", "ne"):
            asked = self._up_to if self._found == limit else self._within
        elif name not in (self._within, self._up_to):
            asked = OPPOSITE[name]
        self._symbol.calculation.operation(asked, self._symbol, limit).all()  # notes that it holds for all, if it does
        return bool(OPERATIONS[name][0](self._found, limit))

    def single(self) -> Any:
        """The element. The calculation is then for elements up to it."""
        self._symbol.calculation.operation(self._up_to, self._symbol, self._found).all()
        return self._found

    def __lt__(self, other: Any) -> bool:
        return self._compared("lt", other)

    def __le__(self, other: Any) -> bool:
        return self._compared("le", other)

    def __gt__(self, other: Any) -> bool:
        return self._compared("gt", other)

    def __ge__(self, other: Any) -> bool:
        return self._compared("ge", other)

    def __eq__(self, other: object) -> bool:
        return self._compared("eq", other)

    def __ne__(self, other: object) -> bool:
        return self._compared("ne", other)

    def __bool__(self) -> bool:
        return self._compared("ne", 0)

    def __int__(self) -> int:
        return int(self.single())

    __index__ = __int__

    def __float__(self) -> float:
        return float(self.single())
