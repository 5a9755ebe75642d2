"""A tree of a spec as YAML text, written as a person writes it: one line for an entry, where it fits."""

from __future__ import annotations

import re
from json import dumps
from typing import Any

from archcalc.language.tree import scalar
from archcalc.layers import registry
from archcalc.trees import Tree

WIDTH, MOST_IN_LINE = 110, 3
"""The most characters of a line, and the most layers of a branch in one line."""
_PLAIN = re.compile(r"[A-Za-z0-9_(][A-Za-z0-9_./+\-*()=<>!% ]*")
"""A text that needs no quotes, unless YAML would read a number, true, false or null."""


def spec_text(tree: Tree, comments: list[str]) -> str:
    """The text of a spec, with comments in its first lines."""
    lines = [f"# {' '.join(comment.split())}" for comment in comments]
    for key, value in tree.value.items():
        if key == "layers":
            lines += ["layers:", *_entries(value, "  ")]
        elif key == "blocks":
            lines.append("blocks:")
            for name, block in value.value.items():
                lines.append(f"  {name}:")
                for inner, one in block.value.items():
                    short = f"    {inner}: {flow(one)}"
                    lines += (
                        [short]
                        if inner != "layers" or _is_short(one, short)
                        else ["    layers:", *_entries(one, "      ")]
                    )
        else:
            lines.append(f"{key}: {flow(value)}")
    return "\n".join(lines) + "\n"


def _entries(tree: Tree, indent: str) -> list[str]:
    return [line for entry in tree.value for line in _entry(entry, indent)]


def _entry(tree: Tree, indent: str) -> list[str]:
    """The lines of an entry: in one line, or with its branches or layers below it."""
    nested = isinstance(tree.value, dict) and any(_opens(key, value) for key, value in tree.value.items())
    if not nested or _is_named(tree, indent):
        return [f"{indent}- {_step(tree)}"]
    lines: list[str] = []
    for key, value in tree.value.items():
        lead = f"{indent}{'  ' if lines else '- '}{key}:"
        if not _opens(key, value):
            lines.append(f"{lead} {flow(value)}")
        elif isinstance(value.value, list):
            lines += [lead, *_entries(value, f"{indent}    ")]
        else:
            lines.append(lead)
            for branch, steps in value.value.items():
                short = f"{indent}    {branch}: {flow(steps)}"
                if not isinstance(steps.value, list) or _is_short(steps, short):  # a setting of the join
                    lines.append(short)
                else:
                    lines += [f"{indent}    {branch}:", *_entries(steps, f"{indent}      ")]
    return lines


def _is_named(tree: Tree, indent: str) -> bool:
    """Whether an entry is one layer in a group with a name, which stands in one line."""
    inner = tree.value.get("layers")
    one = inner is not None and "name" in tree.value and len(inner.value) == 1 and not _has_branches(inner)
    return one and len(f"{indent}- {_step(tree)}") <= WIDTH


def _is_short(steps: Tree, text: str) -> bool:
    """Whether a list of layers stands in one line, ``text``."""
    return len(steps.value) <= MOST_IN_LINE and len(text) <= WIDTH and not _has_branches(steps)


def _opens(key: str, value: Tree) -> bool:
    """Whether layers or branches stand under a key of an entry."""
    if key in ("layers", "side"):
        return isinstance(value.value, list) and bool(value.value)
    layer = registry.get(key)
    inside = value.value.values() if isinstance(value.value, dict) else ()
    return layer is not None and layer.joins and any(isinstance(one.value, list) for one in inside)


def _has_branches(steps: Tree) -> bool:
    return any(
        isinstance(step.value, dict) and any(_opens(key, value) for key, value in step.value.items())
        for step in steps.value
    )


def _step(tree: Tree) -> str:
    if not isinstance(tree.value, dict):
        return flow(tree)
    if len(tree.value) > 1:
        return flow(tree)
    ((key, value),) = tree.value.items()
    return key if value.value is None else f"{key}: {flow(value)}"


def flow(tree: Tree) -> str:
    """A tree in one line."""
    value = tree.value
    if isinstance(value, dict):
        return "{" + ", ".join(_pair(key, one) for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar_text(value)


def _pair(key: str, tree: Tree) -> str:
    return f"{scalar_text(key)}: {flow(tree)}"


def scalar_text(value: Any) -> str:
    """A value as YAML writes it; a text without quotes, if YAML reads the same text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return repr(value) if isinstance(value, float) else str(value)
    if _PLAIN.fullmatch(value) and value == value.strip() and scalar(value) == value:
        return value
    return "'" + value.replace("'", "''") + "'" if value.isprintable() else dumps(value, ensure_ascii=False)
