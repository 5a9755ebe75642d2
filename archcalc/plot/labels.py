"""Texts of pictures: text width, line breaks, short forms of long names, and common parts of captions."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

from matplotlib import rcParams
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

from archcalc.analysis import Analysis
from archcalc.errors import clipped
from archcalc.naming import distinct, told_apart
from archcalc.plot.fonts import FIRST, quiet

LEGEND_WIDTH = 2.2
"""Maximum inches for a name in a legend."""

SIZE = 7
"""The size of all text, in points. A smaller text is not legible in print."""


def one_line(text: str, most: int = 200) -> str:
    """A text of a spec on one line. Control characters are escaped. A long text loses its middle.

    >>> one_line("a\\tb \\x1b c")
    'a b \\\\x1b c'
    """
    return clipped(" ".join(text[: 4 * most].split()), most)


def wrapped(text: str, width: float, size: float = SIZE) -> list[str]:
    """The text in lines of at most ``width`` inches. A word that is longer is broken."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer, size) <= width:
            lines[-1] = longer
            continue
        lines += [word] if lines[-1] else []
        lines[-1] = word
        while text_width(lines[-1], size) > width and len(lines[-1]) > 1:
            fits = bisect_right(range(2, len(lines[-1])), width, key=lambda n: text_width(lines[-1][:n], size)) + 1
            lines[-1:] = [lines[-1][:fits], lines[-1][fits:]]
    return lines


def text_width(text: str, size: float = SIZE) -> float:
    """The width of a line of text in inches, in the fonts of the picture."""
    return _width(text, size, tuple(rcParams["font.family"]))


@lru_cache(maxsize=4096)
def _width(text: str, size: float, fonts: tuple[str, ...]) -> float:
    font = FontProperties(family=FIRST if fonts == ("sans-serif",) else list(fonts[:-1]), size=size)
    with quiet():
        width, *_ = TextToPath().get_text_width_height_descent(text, font, False)
    return float(width) / 72


def short_names(names: Sequence[str], width: float) -> list[str]:
    """The names, each at most ``width`` inches wide. No two results are the same.

    A name that is too wide loses its inner blocks, or is abbreviated: first the names of its blocks, then also the name of
    its layer. If two names become the same, the middle of each name is left out instead. If that is not enough, the names
    are numbered.
    """
    texts = [one_line(name) for name in names]
    for shorten in (
        partial(_without_inner, width=width),
        *(
            partial(_abbreviated, most=most, last=last)
            for most, last in ((5, False), (4, False), (3, False), (3, True))
        ),
        *(partial(shortened, width=width, share=share) for share in (0.5, 0.35, 0.2, 0.0)),
    ):
        cut = [name if text_width(name) <= width else shorten(name) for name in texts]
        if len(set(cut)) == len(set(names)) and all(text_width(name) <= width for name in cut):
            return cut
    return [shortened(f"{nth} {name}", width) for nth, name in enumerate(texts, 1)]


def _without_inner(name: str, width: float) -> str:
    """The name without its inner blocks, as few as the width allows: the outermost and the layer stay."""
    *around, own = name.split(".")
    texts = [f"{'.'.join(around[:most])}…{own}" for most in range(len(around) - 1, 0, -1)]
    return next((text for text in texts if text_width(text) <= width), name)


def _abbreviated(name: str, most: int, last: bool) -> str:
    """The name with at most ``most`` letters of each word; digits stay. ``last``: shorten the last word too."""
    *around, own = name.split(".")
    words = [re.sub(rf"^([^\W\d]{{{most}}})[^\d]+(\d*)$", r"\1\2", word) for word in (*around, own)]
    return ".".join(words if last else [*words[:-1], own])


def shortened(text: str, width: float, share: float = 0.5) -> str:
    """The text in at most ``width`` inches: its middle is left out. ``share``: the share of the rest before the gap."""

    def cut(keep: int) -> str:
        head = round(share * keep)
        return f"{text[:head]}…{text[len(text) - (keep - head) :]}"

    if text_width(text) <= width:
        return text
    return cut(bisect_right(range(1, len(text)), width, key=lambda keep: text_width(cut(keep))))


def about(*analyses: Analysis) -> str:
    """The networks and their input sizes, for a caption."""
    from archcalc.report.header import titled

    with told_apart([a.network for a in analyses]):
        named = [one_line(titled(a.network)) for a in analyses]
    inputs = [inputs_text(a) for a in analyses]
    if len(set(inputs)) == 1:
        return f"{', '.join(named)}; {inputs[0]}"
    return "; ".join(f"{name}, {size}" for name, size in zip(named, inputs, strict=True))


def inputs_text(analysis: Analysis) -> str:
    """The sizes of a network's input, or of its inputs by name, for a caption."""
    sizes = {name: str(shape).replace("x", "×") for name, shape in analysis.inputs.items()}
    if len(sizes) == 1:
        return f"input {sizes.popitem()[1]}"
    return f"inputs {', '.join(f'{name} {size}' for name, size in sizes.items())}"


def about_counts(analysis: Analysis) -> str:
    """For a caption: the network, its input, batch and dtype, and the convention."""
    how = analysis.convention
    return f"{about(analysis)}, batch {analysis.batch}, {analysis.dtype}. Convention {how.name}: {how.about}.{incomplete([analysis])}"


def incomplete(analyses: Sequence[Analysis]) -> str:
    """A sentence for a caption if the convention does not know some layer types: the total is incomplete."""
    from archcalc.report.footer import incomplete_text

    text = incomplete_text(list(dict.fromkeys(type for a in analyses for type in a.unknown_types)))
    return f" {text[0].upper()}{text[1:]}." if text else ""


def names(analyses: Sequence[Analysis]) -> list[str]:
    """The networks' names with their settings, for a legend. No two names are the same."""
    return short_names(distinct([a.network for a in analyses]), LEGEND_WIDTH)


def size_text(axes: Sequence[Any]) -> str:
    """Height × width, or "vector" if there are no axes."""
    return "×".join(map(str, axes)) or "vector"
