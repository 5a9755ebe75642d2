"""The moments of a run that a picture shows, and the tensors alive by role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise

from archcalc.memory.lifetime import Schedule

ROLES: Mapping[str, str] = {
    "map": "feature maps",
    "saved": "indices, statistics, masks",
    "scratch": "scratch within a layer",
    "gradient": "gradients of feature maps",
    "weight gradient": "gradients of weights",
    "weight copy": "copies of weights",
}
"""The roles of tensors, with the words of a legend."""


def shown_moments(timeline: Sequence[int], samples: int) -> list[int]:
    """The moments to show. If there are many: the largest and the smallest moment of each part of the time axis.

    >>> shown_moments([1, 2, 3, 9, 1, 5], 2)
    [0, 2, 3, 4]
    """
    if len(timeline) <= 2 * samples:
        return list(range(len(timeline)))
    edges = [at * len(timeline) // samples for at in range(samples + 1)]
    moments: list[int] = []
    for low, high in pairwise(edges):
        part = range(low, high)
        moments += sorted({max(part, key=timeline.__getitem__), min(part, key=timeline.__getitem__)})
    return moments


def alive_by_role(schedule: Schedule, batch: int) -> dict[str, list[int]]:
    """The bytes alive at every moment, for each role of tensors. The sum over the roles is ``schedule.live(batch)``."""
    run = schedule.of_batch(batch)
    changes: dict[str, list[int]] = {}
    for storage in run.storages:
        size = storage.bytes(batch)
        if size:
            steps = changes.setdefault(storage.role, [0] * (run.last + 2))
            steps[storage.born] += size
            steps[storage.dies + 1] -= size
    return {role: list(accumulate(changes[role][:-1])) for role in ROLES if role in changes}
