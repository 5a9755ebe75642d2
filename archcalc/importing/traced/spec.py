"""From steps to the text of a spec."""

from __future__ import annotations

from typing import Any

from archcalc.importing.traced import rules  # noqa: F401
from archcalc.importing.traced.calls import Run
from archcalc.importing.traced.mapping import Mapping
from archcalc.importing.traced.steps import Shown


def spec_of(run: Run, title: str) -> dict[str, Any]:
    """The spec of a run as plain data: one entry for each layer."""
    mapping = Mapping(run)
    steps = mapping.steps.steps
    outputs = [mapping.shown(tensor).step for tensor in run.outputs.values()]
    needed = _needed(steps, outputs)
    if len(run.inputs) == 1:
        steps[0].name = "input"
    names = _names(mapping, needed)
    sizes = {name: list(tensor.shape[1:]) for name, tensor in run.inputs.items()}
    spec: dict[str, Any] = {"title": title}
    spec |= {"input": next(iter(sizes.values()))} if len(sizes) == 1 else {"inputs": sizes}
    owner: dict[int, int] = {}
    entries: list[dict[str, Any]] = []
    before = 0
    for at, step in enumerate(steps):
        if at not in needed or step.type == "input":
            continue
        entry: dict[str, Any] = {step.type: step.settings or None, "name": names[at]}
        if len(step.reads) > 1 or step.reads[0] != before:
            reads = [names[one] for one in step.reads]
            entry["from"] = reads if len(reads) > 1 else reads[0]
        keys = [id(tensor) for tensor in step.own]
        if keys and all(key in owner for key in keys):
            entry["weights"] = names[owner[keys[0]]]
        for key in keys:
            owner.setdefault(key, at)
        entries.append(entry)
        before = at
    spec["layers"] = entries
    if len(outputs) > 1 or outputs[0] != before:
        spec["outputs"] = [names[one] for one in outputs]
    return spec


def _needed(steps: list[Any], outputs: list[int]) -> set[int]:
    needed: set[int] = set()
    todo = list(outputs)
    while todo:
        at = todo.pop()
        if at not in needed:
            needed.add(at)
            todo += steps[at].reads
    return needed


def _names(mapping: Mapping, needed: set[int]) -> dict[int, str]:
    """The names of the steps: the path of the module, or the path of the caller and the type."""
    made: dict[int, str] = {}
    taken: set[str] = set()
    counts: dict[str, int] = {}
    for at in needed:
        call = mapping.steps.callers.get(at)
        if call is not None:
            counts[call.path] = counts.get(call.path, 0) + 1
    for at in sorted(needed):
        step = mapping.steps.steps[at]
        call = mapping.steps.callers.get(at)
        name = step.name
        if not name:
            assert call is not None
            alone = counts[call.path] == 1 and call.path
            name = call.path if alone else f"{call.path}.{step.type}".lstrip(".")
        wanted, n = name, 1
        while name in taken:
            n += 1
            name = f"{wanted}{'_' if wanted[-1].isdigit() else ''}{n}"
        taken.add(name)
        made[at] = name
    return made


__all__ = ["Shown", "spec_of"]
