"""What a compiler makes of operators: those without matrix products are fused into kernels.

Rules, as those of PyTorch's compiler: convolutions, matrix products and attention stay operators of their own, which read
and write memory. All other operators are fused with the kernel that makes one of their inputs, if every other input
exists before this kernel begins. A fused kernel reads each tensor from outside once, and writes what others read later.
A conversion of a tensor to another type is computed where the tensor is read, and not written, unless an operator that
stays alone reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archcalc.pytorch.tape import Storage
from archcalc.timing.operators import Access, Kind, Operator

ALONE = ("product", "convolution", "attention")
"""Kinds of operators that are not fused."""

SLOWEST: tuple[Kind, ...] = ("norm", "softmax", "pool", "upsample")
"""A kernel is of the first of these kinds that it has."""


class _Kernel:
    """Operators that run as one, in the order of the recording."""

    def __init__(self, first: int) -> None:
        self.first, self.members = first, [first]


def fused(operators: Sequence[Operator], outputs: Iterable[Storage]) -> list[Operator]:
    """The operators after fusion. ``outputs``: storages that are needed after the run."""
    needed = set(outputs)
    operators = _converted_on_reading(operators, needed)
    kernels: list[_Kernel] = []
    kernel_of: dict[int, _Kernel] = {}
    made_by: dict[Storage, int] = {}
    for at, one in enumerate(operators):
        kernel = None if one.kind in ALONE else _joined(one, made_by, kernel_of, operators)
        if kernel is None:
            kernel = _Kernel(at)
            kernels.append(kernel)
        else:
            kernel.members.append(at)
        kernel_of[at] = kernel
        for access in one.writes:
            if access.storage is not None:
                made_by[access.storage] = at
    readers: dict[Storage, list[int]] = {}
    for at, one in enumerate(operators):
        for access in one.reads:
            if access.storage is not None:
                readers.setdefault(access.storage, []).append(at)
    merged = [(kernel.members[-1], _merged(kernel, operators, readers, needed)) for kernel in kernels]
    return [one for _, one in sorted(merged, key=lambda pair: pair[0])]


def _converted_on_reading(operators: Sequence[Operator], needed: set[Storage]) -> list[Operator]:
    """The operators without conversions that only fused operators read: these read what is converted."""
    alone = {access.storage for one in operators if one.kind in ALONE for access in one.reads} | needed
    source: dict[Storage, Access] = {}
    kept = []
    for one in operators:
        if source:
            one = one._replace(reads=tuple(source.get(x.storage, x) if x.storage else x for x in one.reads))
        made = one.writes[0].storage if one.name == "_to_copy" and len(one.reads) == 1 else None
        if made is None or made in alone or one.reads[0].storage is None:
            kept.append(one)
        else:
            source[made] = one.reads[0]
    return kept


def _joined(
    one: Operator, made_by: dict[Storage, int], kernel_of: dict[int, _Kernel], operators: Sequence[Operator]
) -> _Kernel | None:
    """The kernel that an operator joins: that of the latest input, if the other inputs exist before this begins."""
    makers = sorted({made_by[x.storage] for x in one.reads if x.storage in made_by}, reverse=True)
    for maker in makers:
        kernel = kernel_of[maker]
        if operators[kernel.first].kind in ALONE:
            continue
        if all(kernel_of[other] is kernel or kernel_of[other].members[-1] < kernel.first for other in makers):
            return kernel
    return None


def _merged(
    kernel: _Kernel, operators: Sequence[Operator], readers: dict[Storage, list[int]], needed: set[Storage]
) -> Operator:
    members = [operators[at] for at in kernel.members]
    if len(members) == 1:
        return members[0]
    inside = set(kernel.members)
    reads: dict[object, Access] = {}
    writes: dict[object, Access] = {}
    for at, one in zip(kernel.members, members, strict=True):
        for access in one.reads:
            if access.storage is None:
                reads[at, len(reads)] = access
            elif access.storage not in writes:
                reads.setdefault(access.storage, access)
        for access in one.writes:
            writes[access.storage or (at, len(writes))] = access
    kept = [
        access
        for storage, access in writes.items()
        if not isinstance(storage, Storage)
        or storage in needed
        or any(reader not in inside and reader > kernel.first for reader in readers.get(storage, ()))
    ]
    kinds = {one.kind for one in members}
    kind: Kind = next((kind for kind in SLOWEST if kind in kinds), "elementwise")
    largest = max(members, key=lambda one: one.bytes(2))
    return largest._replace(kind=kind, reads=tuple(reads.values()), writes=tuple(kept))
