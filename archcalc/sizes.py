"""Shapes, windows, parameters and operations of layers, and arithmetic on sizes.

Every number here is an ``Int``: a Python int (exact, without bound) or a NumPy int64 array. The same code computes
both. So no code uses ``max``, ``math.ceil`` or ``if a > b`` on sizes: the functions below accept ints and arrays, and
this module does not import NumPy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

from archcalc.errors import LayerError

Int: TypeAlias = int
"""A Python int, or an int64 array instead of an int."""

Number = TypeVar("Number", int, float)

MAX_SIZE = 2**31 - 1
"""The largest size, number of channels or kernel in a spec or an input."""


AXES: Mapping[int, tuple[str, ...]] = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
"""The names of the axes of a feature map, by the number of axes."""


def positive(n: Int) -> Int:
    """n if n is positive, else 0, elementwise.

    >>> positive(3), positive(-3)
    (3, 0)
    """
    return n * (n > 0)


def ceil_div(a: Int, b: Int) -> Int:
    """a / b rounded up, for b > 0.

    >>> ceil_div(7, 2), ceil_div(-7, 2)
    (4, -3)
    """
    return -(-a // b)


def divide(a: Int, b: Int, what: str) -> Int:
    """a / b if b divides a; else LayerError, which calls the number ``what``."""
    if largest(a % b) != 0:
        raise LayerError(f"{what}: {int_text(a)} is not divisible by {int_text(b)}", a % b != 0)
    return a // b


def product(numbers: Iterable[Int]) -> Int:
    """The product of the numbers; 1 for no numbers."""
    result = 1
    for n in numbers:
        result = result * n
    return result


def lesser(a: Number, b: Number) -> Number:
    """The smaller of two finite numbers, elementwise."""
    return a * (a <= b) + b * (b < a)


def greater(a: Number, b: Number) -> Number:
    """The larger of two finite numbers, elementwise."""
    return a * (a >= b) + b * (b > a)


def gcd(a: Int, b: Int) -> Int:
    """The greatest common divisor of two positive numbers, elementwise.

    >>> gcd(12, 18)
    6
    """
    while largest(b) > 0:
        done = b == 0
        a, b = a * done + b * (1 - done), (a % (b + done)) * (1 - done)
    return a


def is_array(n: object) -> bool:
    """Whether n is an array."""
    return type(n) is not int and hasattr(n, "dtype") and getattr(n, "ndim", 0) > 0


def decides(array: object) -> bool:
    """Whether an array is lanes, which code for single numbers takes (``archcalc.lanes``)."""
    return hasattr(array, "decided")


def arrays_in(values: Iterable[Any]) -> Iterator[Any]:
    """The arrays among values, those in lists included."""
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from arrays_in(value)
        elif is_array(value):
            yield value


def any_array(values: Iterable[Any]) -> bool:
    """Whether there is an array among the values, or in a list among them."""
    return any(True for _ in arrays_in(values))


def broadcast(values: Iterable[Any]) -> bool:
    """Whether the arrays among the values broadcast together."""
    try:
        sum(arrays_in(values))
    except ValueError:
        return False
    return True


def smallest(n: Any) -> Int:
    """The smallest number in n: n itself unless it is an array."""
    low: Int = n.min() if is_array(n) else n
    return low


def largest(n: Any) -> Int:
    """The largest number in n: n itself unless it is an array."""
    high: Int = n.max() if is_array(n) else n
    return high


def settled(n: Any) -> Any:
    """n, and one number in the place of an array of ints or truths whose elements are equal."""
    return n.item(0) if is_array(n) and n.dtype.kind != "f" and equal(n, n.item(0)) else n


def int_text(n: Any) -> str:
    """n as text for a message: an array as its smallest and largest number."""
    return f"[{n.min()}..{n.max()}]" if is_array(n) else str(n)


def equal(a: Any, b: Any) -> bool:
    """Whether a equals b, in all elements."""
    same: Any = a == b
    return same if type(same) is bool else bool(same.all())


def alike(a: Any, b: Any) -> bool:
    """Whether two numbers, or tuples and lists of numbers, are equal, also with arrays.

    >>> alike((3, (1, 1)), (3, (1, 1))), alike(3, (3, 3))
    (True, False)
    """
    if a is b:
        return True
    if isinstance(a, (tuple, list)):
        return isinstance(b, (tuple, list)) and len(a) == len(b) and all(map(alike, a, b))
    return equal(a, b)


def distinct(numbers: Sequence[Int]) -> list[Int]:
    """The numbers without those that come again.

    >>> distinct([3, 2, 3])
    [3, 2]
    """
    return [n for at, n in enumerate(numbers) if n not in numbers[:at]]


def unequal(ours: Sequence[Any], theirs: Sequence[Any]) -> Any:
    """Where a number differs from its partner, for every element of arrays; True if there are not as many numbers."""
    wrong: Any = len(ours) != len(theirs)
    for a, b in zip(ours, theirs, strict=False):
        wrong = wrong | (a != b)
    return wrong


def refused_of(wheres: Iterable[Any]) -> Any:
    """Which elements of arrays several errors refuse, given ``LayerError.where`` of each, as one array that splits them.

    True: every error refuses all elements. None: that is not known of every error.
    """
    known = True
    for where in wheres:
        if is_array(where) and smallest(where) != largest(where):
            return where
        known = known and where is not None and bool(largest(where))
    return True if known else None


class Shape(NamedTuple):
    """A feature map of one image: channels, and the size of each axis (none for a vector), without the batch."""

    channels: Int
    axes: tuple[Int, ...] = ()

    @property
    def values(self) -> Int:
        return self.channels * product(self.axes)

    def __str__(self) -> str:
        return "x".join(map(int_text, (self.channels, *self.axes)))


class Params(NamedTuple):
    """The numbers that a layer owns: trained weights, trained biases, and buffers (not trained)."""

    weight: Int = 0
    bias: Int = 0
    buffers: Int = 0


class Work(NamedTuple):
    """Operations for one image, by kind.

    A ``mac`` is one product of a weight and an input added to a sum; products and sums without a
    weight are ``mul`` and ``add``. ``exp`` stands for any transcendental function (exp, pow, erf).
    """

    mac: Int = 0
    add: Int = 0
    mul: Int = 0
    compare: Int = 0
    div: Int = 0
    exp: Int = 0

    def times(self, n: Int) -> Work:
        return Work(*[n * count for count in self])

    @staticmethod
    def sum(works: Iterable[Work]) -> Work:
        return Work(*(sum(kind) for kind in zip(NO_WORK, *works, strict=True)))


NO_PARAMS = Params()
NO_WORK = Work()


Span: TypeAlias = tuple[int, int] | tuple[()]
"""The first and the last position of a range; () for no positions."""


class Window(NamedTuple):
    """The input positions that one output unit reads, along one axis.

    Unit o reads positions ``o * stride - before`` to ``o * stride - before + span - 1``.

    span, stride, before   as in the formula, in positions; ``before`` is the padding in front
    by                     distance between the positions that a unit reads (dilation)
    whole                  every unit reads all positions (global pooling). If not ``exact``: some of the positions. If
                           not ``reads_both_ends``: perhaps none
    up                     units per stride: more than 1 for transposed convolution, upsampling and uneven pooling;
                           then the formula holds for an input with ``up - 1`` positions inserted between neighbours
    reads                  if units differ: unit q * up + r reads positions ``reads[r]``, moved by q * stride
    exact                  False: without ``reads``, the formula is a bound
    over                   positions of the last unit's window behind the end of the input; negative: the number of
                           positions at the end that no window reads; None: see ``reads_both_ends``
    wraps                  if not 0: the size of the input. Only ``reads`` describes the window. The list has an entry
                           for every unit, and its positions are counted modulo ``wraps``
    reads_both_ends        if ``over`` is None: whether the first and the last unit read the first and the last position
    """

    span: Int
    stride: Int = 1
    before: Int = 0
    up: Int = 1
    exact: bool = True
    whole: bool = False
    reads_both_ends: bool = True
    by: Int = 1
    reads: tuple[Span, ...] = ()
    over: Int | None = None
    wraps: int = 0

    def reading(self, unit: int) -> Span:
        """The first and the last position that output unit ``unit`` reads; () if the unit reads no position."""
        if not self.reads:
            first = unit * self.stride - self.before
            return first, first + self.span - 1
        turn, phase = divmod(unit, self.up)
        span = self.reads[phase]
        return (span[0] + turn * self.stride, span[1] + turn * self.stride) if span else ()

    def with_edges(self, size: Int, units: Int) -> Window:
        """The window with ``reads_both_ends`` for an input of ``size`` positions and an output of ``units`` units."""
        return self._replace(reads_both_ends=settled(self._reads(0, 0) & self._reads(units - 1, size - 1)))

    def _reads(self, unit: Int, position: Int) -> bool:
        """Whether a unit reads a position; on arrays, of every element."""
        phase, at, found = unit % self.up, position - unit // self.up * self.stride, False
        for number in range(self.up) if is_array(phase) else (phase,):
            first, last = self.reading(number) or (1, 0)
            found |= (phase == number) & (first <= at) & (at <= last) & ((at - first) % self.by == 0)
        return found


MOST_READS = 1024
"""The most entries of ``Window.reads``. For a window that needs more entries, the field is a bound."""

ITSELF = Window(1, over=0)
"""The window of a unit that reads only its own position, along one axis."""

POINT: tuple[Window, ...] = ()
"""The window of a layer whose output unit reads its own position only, for any number of axes."""
