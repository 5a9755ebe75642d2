"""Writes into parts of tensors and through views, as calls that make new tensors.

``y[:, :1] = z`` writes into the memory of y, so that every tensor that shares it shows other values afterwards. The calls
behind such a write get a new tensor: y with z in the place of its part (``slice_scatter``), and views of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from archcalc.importing.traced.calls import Call, Run, Tensor

OVERWRITTEN = "overwritten"
"""The kind of a tensor that shows what was written into its memory, where no calls make it anew."""
IN_ORDER = (
    *("view", "reshape", "_unsafe_view", "flatten", "unflatten", "view_as", "reshape_as", "squeeze", "unsqueeze"),
    *("contiguous", "alias", "detach", "to", "type_as", "identity", "dropout", "feature_dropout", "drop_path"),
)
"""Operators whose result shows all values in their order, in the same memory."""


class _View(NamedTuple):
    """A tensor as a view of another one. ``at``: which of the results of the call."""

    base: Tensor
    call: Call
    at: int


class _Cut(NamedTuple):
    """The positions of an axis that a view shows. ``whole``: whether the axis is gone, as after ``select``."""

    axis: int
    start: int
    stop: int
    whole: bool = False


def without_writes(run: Run) -> Run:
    """The run with a new tensor wherever the model wrote into a part of one, or through a view."""
    if not any(call.in_place for call in run.calls):
        return run
    made = _Anew(run.calls)
    return run._replace(calls=made.calls, outputs={name: made.now(one) for name, one in run.outputs.items()})


class _Anew:
    def __init__(self, calls: Sequence[Call]) -> None:
        self.calls: list[Call] = []
        self.views: dict[int, _View] = {}
        self.news: dict[int, Tensor] = {}
        """What a tensor is by now, by the id of its record."""
        self.born: dict[int, int] = {}
        self.written: dict[int, int] = {}
        for call in calls:
            if call.in_place and all(result.value is None for result in call.results):
                self.write(call)
            else:
                self.emit(self.on_new(call))

    def emit(self, call: Call) -> None:
        """Add a call, and note which of its results are views."""
        self.calls.append(call)
        for at, result in enumerate(call.results):
            self.born[id(result)] = len(self.calls)
            base = next((one for one in call.tensors if one.storage == result.storage and one.storage), None)
            if base is not None and not call.in_place and base is not result:
                self.views[id(result)] = _View(base, call, at)

    def on_new(self, call: Call) -> Call:
        """The call on the tensors as they are by now."""

        def new(value: Any) -> Any:
            if isinstance(value, Tensor):
                return self.now(value)
            return [new(one) for one in value] if isinstance(value, (list, tuple)) else value

        if not self.written:
            return call
        return call._replace(settings={name: new(value) for name, value in call.settings.items()})

    def now(self, tensor: Tensor) -> Tensor:
        """The tensor after all writes: itself, or a new one."""
        while id(tensor) in self.news:
            tensor = self.news[id(tensor)]
        if self.born.get(id(tensor), 0) >= self.written.get(tensor.storage, 0):
            return tensor
        view = self.views.get(id(tensor))
        if view is None:
            return Tensor(tensor.shape, OVERWRITTEN, type=tensor.type)
        base = self.now(view.base)
        if base.kind == OVERWRITTEN:
            return Tensor(tensor.shape, OVERWRITTEN, type=tensor.type)
        results = tuple(_like(one) for one in view.call.results)
        self.emit(_with(view.call, base, results, view.base))
        self.news[id(tensor)] = results[view.at]
        return results[view.at]

    def write(self, call: Call) -> None:
        """A call that writes into its first tensor."""
        target, result = call.tensors[0], call.results[0]
        call = self.on_new(call)
        if call.operator == "copy_" and self.path(call.settings["src"]) == self.path(target):
            self.news[id(result)] = call.settings["src"]  # what was written in place is put where it is
            return
        if self.summed(call, target):
            return
        if call.operator == "copy_":
            source = call.settings["src"]
            settings = {"self": source, "size": list(result.shape)}
            self.emit(call._replace(operator="expand", settings=settings))
        else:
            self.emit(call)
        self.views |= {id(result): self.views[id(target)]} if id(target) in self.views else {}
        self.up(call, target, result)
        self.written[target.storage] = self.born[id(result)]

    def up(self, call: Call, target: Tensor, result: Tensor) -> None:
        """Note what the tensors are of which the written one is a view."""
        self.news[id(self.last(target))] = result
        view = self.views.get(id(target))
        if view is None:
            return
        made = _like(view.base)
        back = self.back(call, view, result, made)
        if back is not None:
            self.emit(back)
            self.up(call, view.base, made)

    def last(self, tensor: Tensor) -> Tensor:
        while id(tensor) in self.news:
            tensor = self.news[id(tensor)]
        return tensor

    def back(self, call: Call, view: _View, written: Tensor, made: Tensor) -> Call | None:
        """The call that puts what was written into the base of a view; None if no operator does."""
        operator = view.call.operator
        cut = _cut(view)
        if cut is not None:
            settings = {"self": self.now(view.base), "src": written, "dim": cut.axis}
            if cut.whole:
                return call._replace(
                    operator="select_scatter", settings={**settings, "index": cut.start}, results=(made,)
                )
            settings |= {"start": cut.start, "end": cut.stop, "step": 1}
            return call._replace(operator="slice_scatter", settings=settings, results=(made,))
        if operator in ("permute", "transpose"):
            order = _order(view)
            dims = [order.index(axis) for axis in range(len(order))]
            return call._replace(operator="permute", settings={"self": written, "dims": dims}, results=(made,))
        if operator not in IN_ORDER:
            return None
        settings = {"self": written, "size": list(made.shape)}
        return call._replace(operator="view", settings=settings, results=(made,))

    def summed(self, call: Call, target: Tensor) -> bool:
        """Whether the call adds to a part of a tensor, so that it is a sum with zeros around what is added."""
        view, other = self.views.get(id(target)), call.settings.get("other")
        if call.operator != "add_" or not isinstance(other, Tensor) or other.shape != target.shape:
            return False
        amounts, views = [0] * 2 * len(target.shape), []
        while view is not None:
            cut = _cut(view)
            if cut is None or cut.whole:
                break
            length = view.base.shape[cut.axis]
            at = 2 * (len(target.shape) - 1 - cut.axis)
            amounts[at] += cut.start
            amounts[at + 1] += length - cut.stop
            views.append(view)
            view = self.views.get(id(view.base))
        if not views or call.settings.get("alpha", 1) != 1:
            return False
        base = views[-1].base
        padded = Tensor(base.shape, "result", type=target.type)
        pads = {"self": other, "pad": amounts, "value": 0}
        self.emit(call._replace(operator="constant_pad_nd", settings=pads, results=(padded,)))
        whole = _like(base)
        self.emit(call._replace(settings={**call.settings, "self": self.now(base), "other": padded}, results=(whole,)))
        if id(base) in self.views:
            self.views[id(whole)] = self.views[id(base)]
        self.up(call, base, whole)
        self.written[base.storage] = self.born[id(whole)]
        for one in reversed(views):  # the part itself, if it is read
            part = call.results[0] if one is views[0] else _like(one.call.results[one.at])
            results = tuple(part if at == one.at else _like(old) for at, old in enumerate(one.call.results))
            self.emit(_with(one.call, whole, results, one.base))
            whole = part
        return True

    def path(self, tensor: Tensor) -> tuple[int, list[Any]]:
        """The memory of a tensor, and the views that lead to it."""
        found: list[Any] = []
        view = self.views.get(id(tensor))
        while view is not None:
            found.append((_cut(view), view.call.operator, tensor.shape))
            tensor = view.base
            view = self.views.get(id(tensor))
        return tensor.storage or id(tensor), found


def _like(tensor: Tensor) -> Tensor:
    """A new tensor of the same sizes in the same memory."""
    return Tensor(tensor.shape, "result", storage=tensor.storage, type=tensor.type)


def _with(call: Call, base: Tensor, results: tuple[Tensor, ...], before: Tensor) -> Call:
    """The call of a view on another base."""
    settings = {name: base if value is before else value for name, value in call.settings.items()}
    return call._replace(settings=settings, results=results)


def _order(view: _View) -> list[int]:
    """The axes of the base in the order of the view."""
    given, count = view.call.settings, len(view.base.shape)
    if view.call.operator == "permute":
        return [axis % count for axis in given["dims"]]
    order = list(range(count))
    a, b = given["dim0"] % count, given["dim1"] % count
    order[a], order[b] = b, a
    return order


def _cut(view: _View) -> _Cut | None:
    """The positions that a view shows, if it cuts one axis without steps."""
    given, operator, base = view.call.settings, view.call.operator, view.base
    if "dim" not in given or operator not in ("slice", "select", "narrow", "unbind", "split", "chunk", "tensor_split"):
        return None
    axis = given["dim"] % len(base.shape)
    length = base.shape[axis]
    if operator == "select" or operator == "unbind":
        start = given["index"] % length if operator == "select" else view.at
        return _Cut(axis, start, start + 1, whole=True)
    size = view.call.results[view.at].shape[axis]
    if operator == "narrow":
        start = given["start"]
    elif operator == "slice":
        start = given["start"] or 0
        start = min(start + length if start < 0 else start, length)
        if given["step"] != 1:
            return None
    else:
        start = sum(one.shape[axis] for one in view.call.results[: view.at])
    return _Cut(axis, start, start + size)
