"""A summary of an analysis over arrays in a few lines: the number of sizes, and the range of every total."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from archcalc.analysis import Analysis
from archcalc.report.escape import html_text
from archcalc.report.footer import incomplete_lines
from archcalc.sizes import AXES, is_array, largest, product, smallest
from archcalc.units import bytes_text, counted


def over_arrays(analysis: Analysis) -> bool:
    """Whether the numbers of the analysis are arrays. A table cannot contain arrays."""
    return bool(_arrays(analysis))


def summary(analysis: Analysis) -> list[str]:
    """The sizes that vary, the shape of the arrays, and the range of every total."""
    arrays = _arrays(analysis)
    t, size = analysis.totals, analysis.itemsize
    shape: tuple[int, ...] = ()
    for array in arrays.values():
        shape = _together(shape, array.shape)
    return [
        f"{analysis.network.title} ({analysis.network.name}): {counted(product(shape), 'size')} at once, "
        f"in arrays of shape {_text(shape)}",
        *(f"{name}: {_range(array)}, shape {_text(array.shape)}" for name, array in arrays.items()),
        f"dtype {analysis.dtype}, convention {analysis.convention.name}",
        f"parameters: {_range(t.params)}",
        f"{analysis.convention.operations_name}: {_range(t.macs)}",
        *incomplete_lines(analysis.convention, t.unknown_types),
        f"{analysis.convention.memory_name}: {_range(t.values)} values, {_range(t.values * size, bytes_text)}",
        "every total and every row's number is an array: analysis.totals.macs, analysis[LAYER].params",
    ]


def summary_html(analysis: Analysis) -> str:
    """The summary as HTML, for a notebook."""
    return "".join(f"<p>{html_text(line)}</p>\n" for line in summary(analysis))


def _arrays(analysis: Analysis) -> dict[str, Any]:
    """The sizes and settings that are arrays, by name."""
    axes = analysis.input.axes
    names = AXES.get(len(axes)) or [f"axis {at}" for at in range(1, len(axes) + 1)]
    sizes = dict(zip(("channels", *names), (analysis.input.channels, *axes), strict=True))
    sizes_and_batch = {f"input {name}": size for name, size in sizes.items()} | {"batch": analysis.batch}
    return {name: n for name, n in _items(sizes_and_batch | analysis.network.settings) if is_array(n)}


def _items(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The values by name, those in a list by number: ``widths[0]``."""
    for name, value in values.items():
        if isinstance(value, (list, tuple)):
            yield from _items({f"{name}[{at}]": item for at, item in enumerate(value)})
        else:
            yield name, value


def _text(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "1"


def _range(n: Any, text: Any = lambda n: f"{n:,}") -> str:
    low, high = smallest(n), largest(n)
    return str(text(low)) if low == high else f"{text(low)} to {text(high)}"


def _together(a: Sequence[int], b: Sequence[int]) -> tuple[int, ...]:
    """The broadcast shape of two arrays. An earlier check has ensured that the shapes fit."""
    wide = max(len(a), len(b))
    a, b = (1,) * (wide - len(a)) + tuple(a), (1,) * (wide - len(b)) + tuple(b)
    return tuple(m if n == 1 else n for m, n in zip(a, b, strict=True))
