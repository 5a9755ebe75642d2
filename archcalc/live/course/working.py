"""Lines of arithmetic with the numbers put in, and the sentences that several lessons share."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from archcalc.analysis import Analysis
from archcalc.analysis.rows import Row
from archcalc.layers.windowed import Slide, Windowed
from archcalc.live.course.lesson import Mistake, Step
from archcalc.live.worked import weight_factors, window_formula
from archcalc.units import ratio_text

SIDE = "side = floor((input + pad + pad - kernel) / stride) + 1, where floor means: rounded down"
WEIGHTS = "weights = kernel height × kernel width × channels of the input × channels of the output"
MACS = "MACs = weights × height × width of the output: each weight is used once at every position"


MOST_TERMS = 4
"""The most terms of a sum that are written out."""


def times(*factors: int) -> str:
    """A product in letters; factors of 1 are left out.

    >>> times(1, 64, 224, 224), times(1)
    ('64 × 224 × 224', '1')
    """
    return " × ".join(f"{factor:,}" for factor in factors if factor != 1) or "1"


def plus(amounts: Iterable[int]) -> str:
    return " + ".join(f"{amount:,}" for amount in amounts)


def product_step(label: str, *factors: int) -> Step:
    """A product with its result."""
    result = 1
    for factor in factors:
        result *= factor
    return Step(label, times(*factors), result)


def sum_step(label: str, amounts: Iterable[int]) -> Step:
    """A sum with its result; a long sum is that of the lines above."""
    amounts = list(amounts)
    return Step(label, plus(amounts) if len(amounts) <= MOST_TERMS else "all lines above, added up", sum(amounts))


def as_many(a: int, b: int) -> str:
    """How many times b is contained in a, as words.

    >>> as_many(98, 2), as_many(7, 3), as_many(5, 5)
    ('49 times as many', '2.33 times as many', 'as many')
    """
    if a == b:
        return "as many"
    return f"{f'{a // b:,}' if a % b == 0 else ratio_text(a / b)} times as many"


def side(analysis: Analysis, name: str) -> int:
    """The positions along one side of a layer's output, which is square."""
    shape = analysis[name].shape
    assert shape is not None
    return int(shape.axes[0])


def slide(analysis: Analysis, name: str) -> Slide:
    """The windows of a layer along one side of its input."""
    row = analysis[name]
    assert row.node is not None
    assert isinstance(row.node.layer, Windowed)
    return row.node.layer.slides(row.inputs[0])[0]


def side_step(analysis: Analysis, name: str) -> Step:
    """The side of a layer with windows, by the formula."""
    size = side(analysis, name)
    return Step(f"side of {name}", window_formula(size, *slide(analysis, name)), size)


def weights_step(analysis: Analysis, name: str) -> Step:
    """The weights of a layer, as a product."""
    row = analysis[name]
    assert row.node is not None
    return product_step(f"weights of {name}", *weight_factors(row.node, row))


def params_step(row: Row) -> Step:
    """The parameters of a layer: its weights as a product, and its biases."""
    assert row.node is not None
    factors = times(*weight_factors(row.node, row))
    return Step(row.name, f"{factors} + {row.params.bias:,}" if row.params.bias else factors, int(row.param_count))


def macs_step(analysis: Analysis, name: str) -> Step:
    """The MACs of a convolution of one image: its weights at every position."""
    row = analysis[name]
    assert row.node is not None
    assert row.shape is not None
    return product_step(f"MACs of {name.rpartition('.')[2]}", *weight_factors(row.node, row), *map(int, row.shape.axes))


def values_steps(rows: Iterable[Row], batch: int) -> list[Step]:
    """The values of feature maps in new storage; neighbours of one shape are one line."""
    kept = [row for row in rows if row.values]
    steps = []
    for shape, group in groupby(kept, key=lambda row: row.shape):
        assert shape is not None
        same = list(group)
        between = " and " if len(same) == 2 else " to "
        names = same[0].name if len(same) == 1 else f"{same[0].name}{between}{same[-1].name}"
        steps.append(product_step(names, len(same), batch, int(shape.channels), *map(int, shape.axes)))
    return steps


def forgotten(value: int, batch: int) -> tuple[Mistake, ...]:
    """The answer for one image, where the batch has several."""
    return (
        (Mistake(value // batch, f"This is the number for one image. The batch has {batch:,}."),) if batch > 1 else ()
    )
