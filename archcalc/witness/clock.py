"""How long a model takes here: on a CPU by the clock of the process, on a GPU by events of CUDA."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import torch

from archcalc.witness.times import MOST_SECONDS

WARM_RUNS, TIMED_RUNS, LEAST_RUNS = 3, 15, 3


class Marks:
    """Moments on a device. On a GPU, a moment is an event in the queue of its work: nothing waits for it."""

    def __init__(self, device: str) -> None:
        self.cuda = device == "cuda"
        self.made: list[Any] = []

    def mark(self) -> None:
        if self.cuda:
            event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
            event.record()
            self.made.append(event)
        else:
            self.made.append(perf_counter())

    def spans(self) -> list[float]:
        """The seconds from the first mark to the second, from the third to the fourth, and so on."""
        if self.cuda:
            torch.cuda.synchronize()
        pairs = zip(self.made[::2], self.made[1::2], strict=True)
        return [a.elapsed_time(b) / 1000 if self.cuda else b - a for a, b in pairs]


def whole_runs(run: Callable[[], Any], device: str, most: float = MOST_SECONDS) -> list[float]:
    """The seconds of every run, after warm runs."""
    found = []
    for first in _repeated(most):
        marks = Marks(device)
        marks.mark()
        with torch.no_grad():
            run()
        marks.mark()
        found += marks.spans()
        if first:
            found.clear()
    return found


def layer_runs(model: Any, images: Sequence[torch.Tensor], device: str) -> list[list[float]]:
    """The seconds of every layer in every run, after warm runs, in the order of ``model.layers``.

    The layers that run in training only are left out.
    """
    found = []
    with _marked(model, device) as marks:
        for first in _repeated(MOST_SECONDS):
            marks.made.clear()
            with torch.no_grad():
                model(*images)
            found.append(marks.spans())
            if first:
                found.clear()
    return found


@contextmanager
def _marked(model: Any, device: str) -> Iterator[Marks]:
    """Marks before and after every layer of a model, while the context lasts."""
    marks = Marks(device)

    def begin(*_: Any) -> None:
        if len(marks.made) % 2 == 0:  # if odd, a statement before the module has started the layer
            marks.mark()

    def end(*_: Any) -> None:
        marks.mark()

    modules = {id(module): module for _, module in model.layers}.values()
    first = [part for functions in model.before.values() for part in functions]
    hooks = [part.register_forward_pre_hook(begin) for part in (*first, *modules)]
    hooks += [module.register_forward_hook(end) for module in modules]
    try:
        yield marks
    finally:
        for hook in hooks:
            hook.remove()


def _repeated(most: float) -> Iterator[bool]:
    """True for every warm run, then False for every run that counts.

    After ``most`` seconds, no run begins, if there were a warm run and LEAST_RUNS that count.
    """
    begun, counted = perf_counter(), 0
    for run in range(WARM_RUNS + TIMED_RUNS):
        late = perf_counter() - begun > most
        if late and counted >= LEAST_RUNS:
            return
        warm = run == 0 or (run < WARM_RUNS and not late)
        counted += not warm
        yield warm
