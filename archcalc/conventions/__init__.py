"""How a paper, a course or a tool counts, as data.

The engine states every operation by kind and every parameter by kind; a convention says which of them
make up "the number". ``convention.py`` says what one is; ``papers.py``, ``tables.py`` and ``tools.py`` list
them, the latter two loaded when they are asked for. ``tallies.py`` and ``calflops.py`` hold the terms of the tools,
``counts.py`` what a term may count, and ``written.py`` what depends on a model's code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from archcalc.conventions.convention import Convention, Use
from archcalc.conventions.papers import PAPERS
from archcalc.errors import ArchcalcError, unknown

__all__ = ["Convention", "Use", "convention", "conventions"]

if TYPE_CHECKING:
    conventions: Mapping[str, Convention]
    """Every convention by its name."""

_FIRST = {c.name: c for c in PAPERS}


def convention(name: str) -> Convention:
    """The convention of that name; ArchcalcError with the nearest one when there is none."""
    if name in _FIRST:
        return _FIRST[name]
    known = _all()
    if name not in known:
        raise ArchcalcError(unknown("convention", name, known, most=len(known)))
    return known[name]


def _all() -> Mapping[str, Convention]:
    from types import MappingProxyType

    from archcalc.conventions.tables import TABLES
    from archcalc.conventions.tools import TOOLS

    return MappingProxyType({c.name: c for c in (*PAPERS, *TABLES, *TOOLS)})


def __getattr__(name: str) -> Mapping[str, Convention]:
    if name != "conventions":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = _all()
    return found
