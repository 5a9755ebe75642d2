"""Shapes, windows, fields and work: what flows through a network, and arithmetic on it.

Every number here is an ``Int``: a Python int (exact, without bound) or a NumPy int64 array,
through the same code. That is why there is no ``max``, no ``math.ceil`` and no ``if a > b`` on
sizes: the helpers below do the same on both, and nothing here imports NumPy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from archcalc.errors import LayerError

Int: TypeAlias = int
"""A Python int, or an int64 array in its place."""

MAX_SIZE = 2**31 - 1
"""The largest size, channel count or kernel that a spec or an input may name."""


AXES: Mapping[int, tuple[str, ...]] = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
"""What the axes of a feature map are called, by their number."""


def positive(n: Int) -> Int:
    """n where it is positive, else 0.

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
    """a / b where b divides a; LayerError naming ``what`` where it does not."""
    if largest(a % b) != 0:
        raise LayerError(f"{what}: {written(a)} is not divisible by {written(b)}")
    return a // b


def product(numbers: Iterable[Int]) -> Int:
    """The product of the numbers; 1 when there are none."""
    result = 1
    for n in numbers:
        result = result * n
    return result


def lesser(a: Int, b: Int) -> Int:
    """The smaller of two numbers, elementwise."""
    return a - positive(a - b)


def greater(a: Int, b: Int) -> Int:
    """The larger of two numbers, elementwise."""
    return a + positive(b - a)


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
    """Whether n stands for many numbers at once."""
    return hasattr(n, "dtype") and getattr(n, "ndim", 0) > 0


def broadcast(values: Iterable[Any]) -> bool:
    """Whether the arrays among the values have shapes that go together."""
    try:
        sum(value for value in values if is_array(value))
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


def written(n: Any) -> str:
    """n as a message shows it: an array by its smallest and largest number."""
    return f"[{n.min()}..{n.max()}]" if is_array(n) else str(n)


def equal(a: Int, b: Int) -> bool:
    """Whether a equals b, everywhere when they are arrays."""
    same: Any = a == b
    return bool(same.all()) if is_array(same) else bool(same)


class Shape(NamedTuple):
    """One sample's feature map: channels, then the size of each spatial axis (none for a vector)."""

    channels: Int
    axes: tuple[Int, ...] = ()

    @property
    def values(self) -> Int:
        return self.channels * product(self.axes)

    def __str__(self) -> str:
        return "x".join(map(written, (self.channels, *self.axes)))


class Params(NamedTuple):
    """What a layer owns, in numbers: trained weights, trained biases, and buffers (not trained)."""

    weight: Int = 0
    bias: Int = 0
    buffers: Int = 0


class Work(NamedTuple):
    """Operations for one sample, by kind.

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
        return Work(*(n * count for count in self))

    @staticmethod
    def sum(works: Iterable[Work]) -> Work:
        return Work(*(sum(kind) for kind in zip(NO_WORK, *works, strict=True)))


NO_PARAMS = Params()
NO_WORK = Work()


class Window(NamedTuple):
    """What one output unit sees of its input along one axis.

    Output o covers positions ``o*stride - before`` to ``o*stride - before + span - 1`` of the input
    spread out by ``up`` (1 except for transposed convolution, upsampling and uneven pooling, where
    it is a bound). ``whole`` marks the one window that covers everything there is. ``edges`` says that
    the first and last output see the input's first and last position, which a stride may leave over.
    """

    span: Int
    stride: Int = 1
    before: Int = 0
    up: Int = 1
    exact: bool = True
    whole: bool = False
    edges: bool = True


POINT: tuple[Window, ...] = ()
"""The window of a layer whose output unit sees just its own position, whatever the axes."""


class Field(NamedTuple):
    """Output unit i sees pixels ``(first + i*step)/per`` to ``(last + i*step)/per`` along one axis."""

    first: Int = 0
    last: Int = 0
    step: Int = 1
    per: Int = 1

    def through(self, window: Window, pixels: Int) -> Field:
        """The field behind one more window; ``pixels`` is the input's size, which bounds a whole window."""
        up, step = window.up, self.step
        first = self.first * up - window.before * step
        last = self.last * up + (window.span - 1 - window.before) * step
        per = self.per * up
        if window.whole:
            return Field(greater(ceil_div(first, per), 0), lesser(last // per, pixels - 1), 0, 1)
        return Field(first, last, step * window.stride, per)

    @property
    def size(self) -> Int:
        """Pixels from first to last."""
        return (self.last - self.first) // self.per + 1

    @property
    def start(self) -> Int:
        """The first pixel that output unit 0 sees; negative inside the padding."""
        return ceil_div(self.first, self.per)

    def scaled(self, per: Int) -> Field:
        """The same field with its numbers over the multiple ``per`` of its own denominator."""
        k = per // self.per
        return Field(self.first * k, self.last * k, self.step * k, per)


class View(NamedTuple):
    """The receptive field along one axis: over all paths, and along the path that sees least.

    ``exact`` says that the field over all paths is the hull of the pixels seen; else it is a bound.
    Padding counts as pixels here, as if the maps went on beyond their borders, and channels are not
    told apart. A whole window is cut to the input; that stays exact where the ``edges`` are known to be seen. Where
    they are not, ``analysis.positions`` looks what is read, for single sizes.
    """

    field: Field = Field()
    least: Field = Field()
    exact: bool = True
    edges: bool = True

    def through(self, window: Window, pixels: Int) -> View:
        field = self.field.through(window, pixels)
        exact = self.exact and window.exact
        if exact and window.whole and not self.edges:
            uncut = self.field.through(window._replace(whole=False), pixels)
            exact = bool(smallest(uncut.first) >= 0 and largest(uncut.last - (pixels - 1) * uncut.per) <= 0)
        return View(field, self.least.through(window, pixels), exact, self.edges and window.edges)


def join(views: Iterable[View], pixels: Int) -> View:
    """Where paths meet: the hull over them, and beside it the path that sees least."""
    first, *rest = views
    for view in rest:
        if view is not first:
            first = _join(first, view, pixels)
    return first


def _join(a: View, b: View, pixels: Int) -> View:
    narrower = b.least.size < a.least.size
    least = Field(*(m + (n - m) * narrower for m, n in zip(a.least, b.least, strict=True)))
    per = a.field.per // gcd(a.field.per, b.field.per) * b.field.per
    f, g = a.field.scaled(per), b.field.scaled(per)
    edges = a.edges or b.edges
    hull = Field(lesser(f.first, g.first), greater(f.last, g.last), f.step, per)
    if equal(f.step, g.step):
        return View(hull, least, a.exact and b.exact, edges)
    # Different steps: no one step describes the hull of both, so the whole input bounds it. It is
    # exactly that where a path that sees everything (a gate) is one of the two.
    everything = any(v.exact and equal(v.field.step, 0) and equal(v.field.size, pixels) for v in (a, b))
    same: Any = f.step == g.step
    if not largest(same):
        return View(Field(0, pixels - 1, 0, 1), least, everything, edges)
    bound = Field(0, (pixels - 1) * per, 0, per)  # an array whose steps agree in some places and not in others
    mixed = Field(*(m + (n - m) * same for m, n in zip(bound, hull, strict=True)))
    return View(mixed, least, everything and a.exact and b.exact, edges)
