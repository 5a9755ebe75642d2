"""Published classification errors of the zoo's networks, each with its source."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from archcalc.errors import ArchcalcError, Problem
from archcalc.spec.tree import Tree, parse
from archcalc.spec.zoo import specs

KEYS = ("top1", "top5", "on", "how", "source")


class Accuracy(NamedTuple):
    """Top-1 and top-5 error in percent as printed (None where none is), the data, the protocol, the source."""

    top1: float | None
    top5: float | None
    on: str
    how: str
    source: str


@lru_cache(maxsize=1)
def accuracies() -> dict[str, Accuracy]:
    """The errors by network; ArchcalcError with the line of an entry that is incomplete.

    A figure without a source does not load, so none can be shown.
    """
    path = specs() / "published" / "accuracy.yaml"
    tree = parse(path.read_text(encoding="utf-8"), path.name)
    if not isinstance(tree.value, dict):
        raise ArchcalcError(Problem("expected a mapping of networks to errors", path.name, tree.line))
    return {name: _entry(name, entry, path.name) for name, entry in tree.value.items()}


def _entry(name: str, tree: Tree, file: str) -> Accuracy:
    data: dict[str, Any] = tree.data() if isinstance(tree.value, dict) else {}
    unknown = [key for key in data if key not in KEYS]
    missing = [key for key in ("on", "how", "source") if not data.get(key)]
    errors = [data.get("top1"), data.get("top5")]
    if unknown or missing:
        said = f"unknown {', '.join(unknown)}" if unknown else f"{', '.join(missing)} missing"
        raise ArchcalcError(Problem(f"{name}: {said}; an entry has {', '.join(KEYS)}", file, tree.line))
    if all(e is None for e in errors) or not all(e is None or 0 < e < 100 for e in errors):
        raise ArchcalcError(Problem(f"{name}: top1 and top5 are errors in percent, got {errors}", file, tree.line))
    return Accuracy(data.get("top1"), data.get("top5"), str(data["on"]), str(data["how"]), str(data["source"]))
