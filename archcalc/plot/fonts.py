"""Fonts for the scripts that DejaVu Sans lacks, among the installed fonts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from matplotlib.font_manager import findSystemFonts, fontManager, get_font

FIRST = "DejaVu Sans"
"""The font of all pictures. It comes with matplotlib."""

PREFERRED = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei"),
    *("Hiragino Sans", "Yu Gothic", "Noto Sans CJK KR", "Malgun Gothic", "WenQuanYi Zen Hei", "Droid Sans Fallback"),
    *(
        "Noto Sans",
        "Noto Sans Arabic",
        "Noto Sans Hebrew",
        "Noto Sans Devanagari",
        "Noto Sans Thai",
        "Arial Unicode MS",
    ),
)
"""Fonts that are tried first, in this order. All other fonts follow by name, so that the choice is always the same."""


NEVER = ("Last Resort", "STIX", "cm")
"""Fonts whose names begin with these words are not used: their glyphs are symbols, not letters."""


@lru_cache(maxsize=256)
def families(characters: frozenset[str]) -> tuple[str, ...]:
    """The fonts that draw the characters: FIRST, and further fonts only for characters that FIRST lacks."""
    names, missing = [FIRST], lacking(characters, FIRST)
    for name in _others() if missing else ():
        rest = lacking(missing, name)
        if rest != missing:
            names.append(name)
            missing = rest
        if not missing:
            break
    return tuple(names)


def lacking(characters: frozenset[str], name: str) -> frozenset[str]:
    """The characters without a glyph in the font. All characters if the font cannot be read."""
    letters = frozenset(c for c in characters if not c.isspace())
    if not letters:
        return letters
    files = sorted(entry.fname for entry in fontManager.ttflist if entry.name == name and entry.style == "normal")
    for file in files[:1]:
        try:
            font = get_font(file)
        except (OSError, RuntimeError):
            continue
        return frozenset(c for c in letters if not font.get_char_index(ord(c)))
    return letters


def _others() -> Iterator[str]:
    """Names of installed fonts, preferred fonts first. Then all names again, if there are fonts new to matplotlib."""
    yield from _ordered()
    known = {entry.fname for entry in fontManager.ttflist}
    fresh = sorted(path for path in findSystemFonts() if path not in known)
    for path in fresh:
        try:
            fontManager.addfont(path)
        except (OSError, RuntimeError, ValueError):
            continue
    if fresh:
        yield from _ordered()


def _ordered() -> list[str]:
    names = {entry.name for entry in fontManager.ttflist if not entry.name.startswith(NEVER)} - {FIRST}
    return [*(name for name in PREFERRED if name in names), *sorted(names.difference(PREFERRED))]


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress matplotlib's warning for every missing glyph. ``ground.missing_glyphs`` warns once instead."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield
