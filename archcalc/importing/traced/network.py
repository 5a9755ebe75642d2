"""The run of a model as a network: its steps become the layers of a graph, and every size is compared with the run's."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from math import prod
from typing import Any, NamedTuple

from archcalc.errors import ArchcalcError, Problem
from archcalc.importing.graph import Blob, Graph
from archcalc.importing.traced import rules  # noqa: F401
from archcalc.importing.traced.calls import Call, Run, Tensor, used_by
from archcalc.importing.traced.factors import without_batch
from archcalc.importing.traced.gains import same_gains
from archcalc.importing.traced.mapping import FAULT, Mapping
from archcalc.importing.traced.products import products
from archcalc.importing.traced.rules.views import own_map
from archcalc.importing.traced.steps import Fixed, Indices, Shown, Step, UnsupportedError
from archcalc.importing.traced.writes import OVERWRITTEN, without_writes
from archcalc.layers import registry

FORMS = {
    "attention": {"matmul": "written", "bmm": "written", "einsum": "einsum"},
    "matmul": {"einsum": "einsum"},
    "adaptive_avg_pool": {"mean": "method"},
    "global_avg_pool": {"mean": "method"},
}
"""How the code of a model writes a layer, by type and operator, where the layer is no module of PyTorch."""
MOVES = ("rearrange", "flatten", "slice", "to_tokens", "to_map", "windows", "from_windows")
"""Layers that cost nothing: a run that leaves their results unread has lost nothing."""


class Origin(NamedTuple):
    """What a layer of the graph was made of: the step with its tensors, and the call of an operator."""

    step: Step
    call: Call | None


def graph_of(run: Run, file: str, heads: Collection[str] = ()) -> Graph:
    """The graph of a run. ``file`` is what messages name as the place of the model.

    ``heads``: the names of the outputs that only training has. The layers that lead to them alone are side heads.
    """
    return _Writing(without_writes(run), file, heads).graph


def heads_of(run: Run, training: Run) -> list[str] | None:
    """The names of the outputs that only the run in training has: those that another call makes.

    None if the run in training lacks an output of the other run.
    """
    makers = {_maker(run, tensor) for tensor in run.outputs.values()}
    found = {name: _maker(training, tensor) for name, tensor in training.outputs.items()}
    return [name for name, maker in found.items() if maker not in makers] if makers <= {*found.values()} else None


def _maker(run: Run, tensor: Tensor) -> tuple[str, str, tuple[int, ...]]:
    """The module and the operator that make a tensor, and its sizes."""
    call = next((call for call in reversed(run.calls) if any(one is tensor for one in call.results)), None)
    return (call.path, call.operator, tensor.shape) if call else ("", tensor.name, tensor.shape)


class _Writing:
    def __init__(self, run: Run, file: str, heads: Collection[str]) -> None:
        self.run, self.file = run, file
        self.used = used_by([*run.outputs.values(), *run.ends], run.calls)
        self.mapping = Mapping(run, self.used)
        self.steps = self.mapping.steps.steps
        self.graph = Graph(file)
        self.graph.storage_known, self.graph.classes = run.in_place_known, run.classes
        self.blobs: dict[int, Blob] = {}
        self.owners: dict[Tensor, int] = {}
        self.macs = self.params = 0
        ends = {name: shown for name, one in run.outputs.items() if (shown := self.output(one, name)) is not None}
        outputs = [at for name, at in ends.items() if name not in heads]
        same_gains(self.steps)
        read = [shown for tensor in run.ends if (shown := self.output(tensor)) is not None]
        problems = [*run.problems, *self.mapping.problems]
        for problem in problems:
            self.graph.lacks(*problem)
        self.graph.cut = run.lost + self.mapping.lost
        main = _needed(self.steps, [*outputs, *read, *self.mapping.ends] if problems else outputs)
        needed = main | _needed(self.steps, ends.values())
        self.names = self.named(needed)
        for at in sorted(needed):
            self.write(at)
            if at not in main and at in self.blobs:
                self.graph.steps[-1].side = True
        self.graph.remarks |= dict.fromkeys(run.remarks)
        self.unread()
        if outputs and not self.graph.missing and not self.graph.problems:
            self.check()
        names = list(dict.fromkeys(self.blobs[at].name for at in outputs if at in self.blobs))
        last = next((step.name for step in reversed(self.graph.steps) if not step.side), "")
        if len(names) > 1 or (names and last and names[0] != last):
            self.graph.outputs = names

    def output(self, tensor: Tensor, name: str = "") -> int | None:
        """The step of an output; None if it was lost, or depends on constants alone."""
        value = self.mapping.finish(tensor)
        if tensor.kind == OVERWRITTEN:
            self.graph.lacks("output", f"an output was written in place through another view: {tensor}", 0)
            return None
        others = any(isinstance(self.mapping.of(one), Shown) for one in self.run.outputs.values())
        made = others and isinstance(value, Fixed) and value.parameters and value.calls
        try:
            shown = self.mapping.shown(tensor) if made else value
            if name in self.run.repeated and isinstance(shown, Shown) and without_batch(shown.view[0]):
                raise UnsupportedError("parameters that the model copies for every image; expand copies nothing")
            if isinstance(shown, Fixed) and others:
                self.graph.dropped["output that depends on no input"] += 1
            return self.step_of(shown)
        except UnsupportedError as error:
            self.graph.lacks("output", f"the output {tensor}: {error}", 0)
            return None

    def step_of(self, value: Any) -> int | None:
        """The step that makes an output, with the channels first or last."""
        if not isinstance(value, Shown):
            return None
        if any(without_batch(group) not in ((), group) for group in value.view[1:]):
            raise UnsupportedError("the batch is a part of an axis that is not the first")
        kept = [at for at, group in enumerate(value.view) if not group or without_batch(group)]
        groups, natural = [without_batch(value.view[at]) for at in kept], self.steps[value.step].natural
        if kept and groups != natural and groups != [*natural[1:], natural[0]]:  # neither channels first nor last
            value = own_map(self.mapping, value, kept[0])
        if self.steps[value.step].type == "input":
            value = self.mapping.steps.same("identity", {}, value)
        step: int = value.step
        return step

    def write(self, at: int) -> None:
        """Add a step to the graph, and compare its shape with that of the run."""
        step = self.steps[at]
        if step.type == "input":
            self.blobs[at] = self.graph.input(step.name, step.shape, 0)
            return
        settings = {
            key: self.blobs[one.step] if isinstance(one, Indices) else one for key, one in step.settings.items()
        }
        made = self.graph.add(
            step.type,
            [self.blobs.get(one) for one in step.reads],
            self.names[at],
            0,
            settings,
            **self.options(at, step),
        )
        if made is None:
            return
        if made.shape != step.shape:
            text = f"{made.name}: {step.type} gives {made.shape}, and the model {step.shape}: {FAULT}"
            raise ArchcalcError(Problem(text, self.file))
        self.blobs[at] = made
        call = self.mapping.steps.callers.get(at)
        self.graph.origins[made.name] = Origin(step, call)
        if call is not None and (form := FORMS.get(step.type, {}).get(call.operator)):
            self.graph.forms[made.name] = form
        layer, shapes = self.graph.layer(step.type, settings), [self.blobs[one].shape for one in step.reads]
        self.macs += int(layer.work(made.shape, *shapes).mac)
        params = layer.params(*shapes)
        if "weights" not in self.graph.steps[-1].options:
            self.params += int(params.weight + params.bias)

    def options(self, at: int, step: Step) -> dict[str, Any]:
        """The options of a step: its storage, the layer whose weights it uses, and whether its weights are frozen."""
        found: dict[str, Any] = {}
        call = self.mapping.steps.callers.get(at)
        usual = registry[step.type].storage
        if call is not None and at in self.mapping.last and usual in ("new", "in_place") and step.type not in MOVES:
            held = "in_place" if call.in_place else "new"
            if held != usual and self.graph.storage_known:
                found["storage"] = held
        owned = [self.owners[tensor] for tensor in step.own if tensor in self.owners]
        if owned and (problem := self.unlike(at, owned)):
            self.graph.lacks(step.type, f"{self.names[at]}: {problem}", 0)
        elif owned and owned[0] in self.blobs:
            found["weights"] = self.blobs[owned[0]].name
        for tensor in step.own:
            self.owners.setdefault(tensor, at)
        if step.own and not owned and not any(one.trained for one in step.own if one.kind == "parameter"):
            found |= {} if all(one.kind == "buffer" for one in step.own) else {"trained": False}
        return found

    def unlike(self, at: int, owned: list[int]) -> str:
        """Why a step cannot use the weights of the steps that own its parameters; '' if it can."""
        step, other = self.steps[at], self.steps[owned[0]]
        shared = " and ".join(tensor.name for tensor in step.own if tensor in self.owners)
        text = f"{step.type} shares {shared} with {self.names[owned[0]]}"
        if step.type != other.type:
            return f"{text}, which is of another type ({other.type})"
        if {*map(id, step.own)} != {*map(id, other.own)}:
            return f"{text}, and not all parameters: layers share all parameters of a layer, or none"
        calls = [self.mapping.steps.callers.get(one) for one in (at, owned[0])]
        statistics = [call.settings.get("running_mean") if call else None for call in calls]
        return "" if statistics[0] is statistics[1] else f"{text}, and not the running statistics"

    def named(self, needed: set[int]) -> dict[int, str]:
        """The names of the steps: the path of the module, or the path of the caller and the type."""
        callers = self.mapping.steps.callers
        kinds: dict[str, set[str]] = {}
        for at in needed & callers.keys():
            if self.steps[at].type not in MOVES:
                kinds.setdefault(callers[at].path, set()).add(self.steps[at].type)
        found: dict[int, str] = {}
        for at in sorted(needed):
            step = self.steps[at]
            if at not in callers:
                found[at] = step.name
                continue
            path, moves = callers[at].path, step.type in MOVES
            if callers[at].leaf and path and len(kinds.get(path, ())) == 1 and not moves:
                found[at] = path
            else:
                around = path.rpartition(".")[0] if moves and callers[at].leaf else path
                found[at] = f"{around}.{step.type}".lstrip(".")
        return found

    def unread(self) -> None:
        """List the layers with parameters or products whose results the model does not use."""
        for call in self.run.calls:
            weights = any(one.kind == "parameter" for one in call.tensors)
            if id(call) not in self.used and (weights or products(call)) and not self.run.remarks:
                self.graph.dropped[f"{call.operator} whose output is not used"] += 1
            elif id(call) in self.used and products(call) and self.constant(call):
                self.graph.dropped[f"{call.operator} of constants"] += 1

    def constant(self, call: Call) -> bool:
        """Whether a call computes constants alone."""
        value = self.mapping.of(call.results[0])
        return isinstance(value, Fixed) and value.value is not None and not value.parameters

    def images(self, call: Call, repeated: dict[int, int]) -> int:
        """The images of the run for which a call computes; of a call on parameters, as often as it was repeated."""
        fixed = isinstance(self.mapping.of(call.results[0]), Fixed)
        return repeated.get(id(call), 1) if fixed else self.run.batch

    def check(self) -> None:
        """The layers have every parameter that the outputs need, and all multiply-adds of the run."""
        calls = [call for call in self.run.calls if id(call) in self.used]
        wanted = dict.fromkeys(one for call in calls for one in call.tensors if one.kind == "parameter")
        if lost := [tensor for tensor in wanted if tensor not in self.owners]:
            text = f"the parameter {lost[0].name} ({prod(lost[0].shape):,} numbers) is in no layer: {FAULT}"
            raise ArchcalcError(Problem(text, self.file))
        count = sum(prod(tensor.shape) for tensor in wanted)
        if count != self.params:
            text = f"the layers have {self.params:,} parameters, and the run reads {count:,}: {FAULT}"
            raise ArchcalcError(Problem(text, self.file))
        images = {id(call): images for call, images in self.mapping.repeated}
        macs = sum(products(call) // self.images(call, images) for call in calls if not self.constant(call))
        if macs != self.macs:
            text = f"the layers have {self.macs:,} multiply-adds, and the run has {macs:,}: {FAULT}"
            raise ArchcalcError(Problem(text, self.file))


def _needed(steps: list[Step], outputs: Iterable[int]) -> set[int]:
    needed: set[int] = {at for at, step in enumerate(steps) if step.type == "input"}
    todo = list(outputs)
    while todo:
        at = todo.pop()
        if at not in needed:
            needed.add(at)
            todo += steps[at].reads
            todo += [one.step for one in steps[at].settings.values() if isinstance(one, Indices)]
    return needed
