"""The backward pass of a run on tensors without values."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any

import torch

from archcalc.capture.noting import Noting


def run_backward(noting: Noting, losses: Sequence[torch.Tensor], gradients: Sequence[torch.Tensor]) -> None:
    """Run the nodes of autograd one by one, the last first. PyTorch's own engine needs a real GPU."""
    readers: dict[Any, int] = {}
    todo: list[Any] = [one.grad_fn for one in losses]
    while todo:
        node = todo.pop()
        if node not in readers:
            readers[node] = 0
            todo += [following for following, _ in node.next_functions if following is not None]
    for node in readers:
        for following, _ in node.next_functions:
            if following is not None:
                readers[following] += 1
    given: dict[Any, dict[int, torch.Tensor]] = {}
    for one, gradient in zip(losses, gradients, strict=True):
        _collect(given, one.grad_fn, one.output_nr, gradient)
    turn = count()
    ready = [(-node._sequence_nr(), next(turn), node) for node, needed in readers.items() if not needed]
    heapify(ready)
    while ready:
        number, _, node = heappop(ready)
        noting.number = -number
        own = given.pop(node, {})
        arguments = [own.get(i) for i in range(len(node._input_metadata))]
        leaf = node.name().endswith("AccumulateGrad")  # which takes the gradient over as it is
        made = (getattr(node, "apply", None) or node)(*arguments) if own and not leaf else ()
        made = made if isinstance(made, tuple) else (made,)
        for i, (following, place) in enumerate(node.next_functions):
            if following is None:
                continue
            if i < len(made) and made[i] is not None:
                _collect(given, following, place, made[i])
            readers[following] -= 1
            if not readers[following]:
                heappush(ready, (-following._sequence_nr(), next(turn), following))


def _collect(given: dict[Any, dict[int, torch.Tensor]], node: Any, place: int, gradient: torch.Tensor) -> None:
    """Note a gradient for a node, in the sizes and the type of its tensor; several gradients of one tensor are added."""
    tensor = node._input_metadata[place]
    if gradient.shape != tensor.shape:
        gradient = gradient.sum_to_size(tensor.shape)
    if gradient.dtype != tensor.dtype:
        gradient = gradient.to(tensor.dtype)
    own = given.setdefault(node, {})
    own[place] = own[place] + gradient if place in own else gradient
