"""Numbers of many networks in the place of a single number, in code that decides by its numbers.

Such code is written for ints and floats: ``if stride == size``, ``max(a, b)``, ``{size: ...}``. The code takes ``Lanes`` without
a change. Arithmetic runs on all lanes. Where the code decides, all lanes must agree. If the lanes differ, DiffersError says which
lanes agree with the first lane, and the caller runs the two parts apart. So every lane has the result of a run of its own. (The
word is the word of vector units, whose lanes diverge where a condition differs.)
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np

from archcalc.errors import DiffersError
from archcalc.sizes import settled

LIMIT = 2**63
"""The first number that int64 cannot hold: from here on, lanes are Python's ints."""
EXACT = 2**53
"""Up to here, the quotient of two ints is that of two floats."""

Result = TypeVar("Result")

DIVISIONS = (operator.floordiv, operator.mod, operator.truediv)

Binary: TypeAlias = Any
"""A function of two numbers: the operators of ndarray are typed for arrays alone."""


FEW = 4
"""Up to so many lanes run one after another: a run in lanes takes as long as about three single runs."""


def in_parts(run: Callable[[Any], Result], places: Any, most: int) -> Iterator[tuple[Any, Result]]:
    """The places in parts, each with the result of ``run`` for the part.

    ``run`` takes an array of places, at most ``most`` of them. Where a decision differs between them, they run apart.
    """
    waiting = np.array_split(places, -(-places.size // most))
    while waiting:
        here = waiting.pop()
        if 1 < here.size <= FEW:
            waiting += np.array_split(here, here.size)
            continue
        try:
            result = run(here)
        except DiffersError as error:
            waiting += [here[error.holds], here[~error.holds]]
        else:
            yield here, result


def apart(run: Callable[[Any], Any], count: int, most: int) -> Any:
    """The numbers that ``run`` computes for all places from 0 to ``count``, as an array; see ``in_parts``."""
    places, found = [], []
    for here, values in in_parts(run, np.arange(count), most):
        places.append(here)
        found.append(np.broadcast_to(np.asarray(values), here.shape))
    if len({values.dtype for values in found}) > 1:  # int64 as float64 would lose digits
        found = [values.astype(object) for values in found]
    return np.concatenate(found)[np.concatenate(places).argsort()]


def lanes_of(array: Any) -> Any:
    """Lanes of the elements of an array, or one number if all are equal."""
    return array.item(0) if (array == array[0]).all() else array.view(Lanes)


class Elements:
    """The elements of arrays that broadcast together, each by its place in one row."""

    def __init__(self, arrays: Sequence[Any]) -> None:
        self.shape = np.broadcast_shapes(*(array.shape for array in arrays))
        self._rows: dict[int, tuple[Any, Any]] = {}  # by the id of an array, which is held

    def places(self, where: Any) -> Any:
        """The places at which something is true."""
        return np.broadcast_to(where, self.shape).ravel().nonzero()[0]

    def lanes(self, n: Any, places: Any) -> Any:
        """The elements of an array at some places; n itself if it is no array."""
        if not isinstance(n, np.ndarray):
            return n
        if id(n) not in self._rows:
            self._rows[id(n)] = n, np.broadcast_to(n, self.shape).ravel()
        return lanes_of(self._rows[id(n)][1][places])

    def array(self, found: Sequence[tuple[Any, Any]]) -> Any:
        """The array of numbers at their places, and 0 elsewhere; of one place along dimensions in which all are equal."""
        result = np.zeros(self.shape, np.asarray(found[0][1]).dtype)
        for places, numbers in found:
            result.flat[places] = numbers
        for axis in range(result.ndim):
            first = result.take([0], axis)
            result = first if (result == first).all() else result
        return settled(result)


class _NoKeyError(DiffersError, TypeError):
    """Lanes are used as a key, which no array can be. Code that does not expect arrays there runs for each half apart."""


def _operation(run: Binary, bound: Callable[[int, int], int], limit: int = LIMIT) -> tuple[Binary, Binary]:
    """An operation with the results of Python's numbers, and the same with the operands exchanged.

    bound: of the result, from bounds of the operands. From ``limit`` on, Python's ints are taken.
    """

    def forward(a: Any, b: Any) -> Any:
        x, y = _plain(a), _plain(b)
        if run in DIVISIONS and not np.all(y):
            raise ZeroDivisionError("a division by zero in some lanes")
        kinds = _kind(x) + _kind(y)
        if "f" in kinds:
            return np.asarray(run(x, y)).view(Lanes)
        most = LIMIT
        if kinds == "ii":
            most = bound(_most(a), _most(b))
            if most >= limit:
                most = bound(_largest(x), _largest(y))
        if most < limit:
            found = np.asarray(run(x, y)).view(Lanes)
            found._most = most
            return found
        exact = np.asarray(run(*(n.astype(object) if isinstance(n, np.ndarray) else n for n in (x, y))))
        return (exact.astype(float) if run is operator.truediv else exact).view(Lanes)

    return forward, lambda b, a: forward(a, b)


def _plain(n: Any) -> Any:
    """An operand: an int, a float, or an array of int64, float64 or Python's ints."""
    if type(n) is int or type(n) is float:
        return n
    array = np.asarray(n)
    return array.astype("int64") if array.dtype.kind == "b" else array


def _kind(n: Any) -> str:
    return "i" if type(n) is int else "f" if type(n) is float else str(n.dtype.kind)


def _most(n: Any) -> int:
    """A bound of the absolute values of an operand."""
    if not isinstance(n, Lanes):
        return _largest(n)
    if n._most is None:
        n._most = _largest(np.asarray(n))
    return n._most


def _largest(n: Any) -> int:
    return max(abs(int(n.min())), abs(int(n.max()))) if isinstance(n, np.ndarray) else abs(int(n))


def _decided(numbers: Any) -> Any:
    first = numbers.item(0)
    same = numbers == first
    if same.all():
        return first
    raise DiffersError("a decision differs between the elements of arrays", same)


class Lanes(np.ndarray[Any, Any]):
    """One number for each lane: int64, float64, bool or, beyond int64, Python's ints. Lanes are never changed in place."""

    _most: int | None = None
    """A bound of the absolute values of int64; None: not known yet."""

    def __array_finalize__(self, source: Any) -> None:
        self._most = None

    __add__, __radd__ = _operation(operator.add, lambda a, b: a + b)
    __sub__, __rsub__ = _operation(operator.sub, lambda a, b: a + b)
    __mul__, __rmul__ = _operation(operator.mul, lambda a, b: a * b)
    __floordiv__, __rfloordiv__ = _operation(operator.floordiv, max)
    __mod__, __rmod__ = _operation(operator.mod, max)
    __truediv__, __rtruediv__ = _operation(operator.truediv, max, EXACT)
    __pow__, __rpow__ = _operation(operator.pow, lambda a, b: LIMIT)
    __iadd__, __isub__, __imul__, __ifloordiv__, __itruediv__ = __add__, __sub__, __mul__, __floordiv__, __truediv__

    def decided(self) -> Any:
        """The number of all lanes; DiffersError if they differ."""
        return _decided(np.asarray(self))

    def __bool__(self) -> bool:
        return bool(_decided(np.asarray(np.asarray(self) != 0)))

    def __hash__(self) -> int:  # type: ignore[override]
        raise _NoKeyError("arrays cannot be a key", np.arange(self.size).reshape(self.shape) < self.size // 2)

    def __index__(self) -> int:
        return operator.index(self.decided())

    def __int__(self) -> int:
        return int(self.decided())

    def __float__(self) -> float:
        return float(self.decided())
