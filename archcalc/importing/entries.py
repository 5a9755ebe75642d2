"""Items as entries of a spec: settings in the usual order, defaults left out, and names only where they say something."""

from __future__ import annotations

import re
from typing import Any

from archcalc.importing.fitting import ORDER
from archcalc.importing.items import ALIAS, Item, together
from archcalc.layers import registry
from archcalc.trees import Tree, tree_of

FEWEST_IN_RANGE = 3
"""The fewest names with consecutive numbers that become a range."""


def entry_of(item: Item, keep_names: bool = True) -> Tree:
    """The item as an entry of a spec."""
    if item.entry is not None:
        return item.entry
    if item.type == ALIAS:
        layers = [entry_of(one, keep_names=False) for one in (item.branches or [[]])[0]]
        source = {"from": item.sources[0]} if item.sources else {}
        return tree_of({ALIAS: layers, "name": item.name, **source}, item.line)
    if item.items:
        inner = [entry_of(one, keep_names=False) for one in item.items]
        if len(inner) == 1 and item.items[0].times == 1:
            one = inner[0]
            value = dict(one.value) if isinstance(one.value, dict) else {one.value: Tree(None, one.line)}
            return tree_of({**value, "repeat": item.times}, item.line)
        return tree_of({"repeat": item.times, "layers": inner}, item.line)
    order = sorted(item.args, key=lambda k: ORDER.index(k) if k in ORDER else len(ORDER))
    args = {key: item.args[key] for key in order if not is_default(item, key, item.args[key])}
    if item.type == "rearrange":
        args = {"pattern": together(item.args)}
    settings: Any = args or None
    if item.branches is not None:
        branches = zip(branch_names(item), item.branches, strict=True)
        settings = args | {name: [entry_of(one, keep_names=False) for one in branch] for name, branch in branches}
    elif not item.block and registry[item.type].direct and args.keys() == {registry[item.type].direct}:
        settings = args[registry[item.type].direct]
    entry: dict[str, Any] = {item.type: settings}
    if item.named or (keep_names and not item.block and item.branches is None and says_more(item)):
        entry["name"] = item.name
    if item.sources is not None:
        entry["from"] = ranged(item.sources) if len(item.sources) > 1 or item.join else item.sources[0]
    entry |= {"repeat": item.times} if item.times != 1 else {}
    entry |= item.options
    return tree_of(item.type if len(entry) == 1 and settings is None else entry, item.line)


def says_more(item: Item) -> bool:
    """Whether the name of a layer says more than its type."""
    return re.sub(r"[_0-9]*$", "", item.name.rpartition(".")[2].rpartition("/")[2]) != item.type


def ranged(names: list[str]) -> list[str]:
    """The names with each run of consecutive numbers as a range: ``layer{1..4}``."""
    found: list[str] = []
    at = 0
    while at < len(names):
        run, template = _run(names[at:])
        if run >= FEWEST_IN_RANGE:
            found.append(template)
        else:
            found += names[at : at + run]
        at += run
    return found


def _run(names: list[str]) -> tuple[int, str]:
    """How many names differ in one number alone, which counts up from the first name on, and the name with the range."""
    best = (1, "")
    for match in re.finditer(r"(?<![0-9])(0|[1-9][0-9]*)(?![0-9])", names[0]):
        before, first, behind = names[0][: match.start()], int(match[0]), names[0][match.end() :]
        run = 1
        while run < len(names) and names[run] == f"{before}{first + run}{behind}":
            run += 1
        if run > best[0] and "{" not in names[0]:
            best = run, f"{before}{{{first}..{first + run - 1}}}{behind}"
    return best


def branch_names(item: Item) -> list[str]:
    """The names of a join's branches: those that its layer type has, and of a sum main and shortcut, which is the shorter one."""
    if registry[item.type].slots:
        return list(registry[item.type].slots)[: len(item.branches or ())]
    sizes = [sum(1 for one in branch for _ in one.leaves()) for branch in item.branches or ()]
    if item.type != "add" or len(sizes) != 2 or sizes[0] == sizes[1]:
        return [f"b{n}" for n in range(1, len(sizes) + 1)]
    return ["main", "shortcut"] if sizes[0] > sizes[1] else ["shortcut", "main"]


def is_default(item: Item, key: str, value: Any) -> bool:
    if item.block:
        return key in item.defaults and repr(item.defaults[key]) == repr(value)
    field = registry[item.type].fields.get(key)
    return field is not None and not field.required and repr(field.default) == repr(value)
