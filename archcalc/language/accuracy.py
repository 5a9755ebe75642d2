"""Published classification errors of the zoo's networks, each with its source."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from archcalc.errors import ArchcalcError, Problem
from archcalc.language.tree import parse
from archcalc.language.zoo import specs
from archcalc.trees import Tree

KEYS = ("top1", "top5", "on", "how", "source")


class Accuracy(NamedTuple):
    """Top-1 and top-5 error in percent, as printed (None: not printed), the data, the protocol and the source."""

    top1: str | None
    top5: str | None
    on: str
    how: str
    source: str


@lru_cache(maxsize=1)
def accuracies() -> dict[str, Accuracy]:
    """The errors by network; ArchcalcError with the line if an entry is incomplete.

    An entry without a source is incomplete, so every figure that archcalc shows has a source.
    """
    path = specs() / "published" / "accuracy.yaml"
    tree = parse(path.read_text(encoding="utf-8"), path.name)
    if not isinstance(tree.value, dict):
        raise ArchcalcError(Problem("expected a mapping of networks to errors", path.name, tree.line))
    return {name: _entry(name, entry, path.name) for name, entry in tree.value.items()}


def _entry(name: str, tree: Tree, file: str) -> Accuracy:
    given: dict[str, Tree] = tree.value if isinstance(tree.value, dict) else {}
    data: dict[str, Any] = {key: one.value for key, one in given.items()}
    unknown = [key for key in data if key not in KEYS]
    missing = [key for key in ("on", "how", "source") if not (isinstance(data.get(key), str) and data[key])]
    errors = {key: data[key] for key in ("top1", "top5") if data.get(key) is not None}
    if unknown or missing:
        text = f"unknown {', '.join(unknown)}" if unknown else f"{', '.join(missing)} missing"
        raise ArchcalcError(Problem(f"{name}: {text}; an entry has {', '.join(KEYS)}", file, tree.line))
    if not errors or not all(_is_error(error) for error in errors.values()):
        got = ", ".join(f"{key} {error!r}" for key, error in errors.items()) or "neither"
        raise ArchcalcError(Problem(f"{name}: top1 and top5 are errors in percent, got {got}", file, tree.line))
    printed = {key: given[key].text for key in errors}
    return Accuracy(printed.get("top1"), printed.get("top5"), data["on"], data["how"], data["source"])


def _is_error(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 100
