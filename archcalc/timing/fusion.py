"""What a compiler makes of operators: those without matrix products are fused into kernels.

Rules, as those of PyTorch's compiler: convolutions, matrix products and attention stay operators of their own, which read
and write memory. All other operators are fused with the kernel that makes one of their inputs, if every other input
exists before this kernel begins. Operators that compute value by value are computed where they are read, if nothing reads
them before. A fused kernel reads each tensor from outside once, and writes what others read later.
A conversion of a tensor to another type is computed where the tensor is read, and not written, unless an operator that
stays alone reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archcalc.pytorch.tape import Storage
from archcalc.timing.operators import Access, Kind, Operator, readers_of

ALONE = ("product", "convolution", "attention")
"""Kinds of operators that are not fused."""

SLOWEST: tuple[Kind, ...] = ("norm", "softmax", "pool", "upsample")
"""A kernel is of the first of these kinds that it has."""


POINTWISE = ("elementwise", "copy")
"""Kinds of operators that can be computed where their result is read."""


class _Kernel:
    """Operators that run as one, in the order of the recording."""

    def __init__(self, first: int) -> None:
        self.members = [first]

    @property
    def first(self) -> int:
        return self.members[0]

    def absorb(self, other: _Kernel) -> None:
        self.members = sorted((*self.members, *other.members))


def fused(operators: Sequence[Operator], outputs: Iterable[Storage]) -> list[Operator]:
    """The operators after fusion. ``outputs``: storages that are needed after the run."""
    needed = set(outputs)
    operators = _converted_on_reading(operators, needed)
    fusion = _Fusion(operators)
    merged = [(kernel.members[-1], _merged(kernel, operators, fusion.readers, needed)) for kernel in fusion.kernels]
    return [one for _, one in sorted(merged, key=lambda pair: pair[0])]


class _Fusion:
    """The kernels of operators, in no order, and the operators that read every storage."""

    def __init__(self, operators: Sequence[Operator]) -> None:
        self.operators, self.readers = operators, readers_of(operators)
        self.kernels: set[_Kernel] = set()
        self._kernel_of: dict[int, _Kernel] = {}
        made_by: dict[Storage, int] = {}
        for at, one in enumerate(operators):
            makers = sorted({made_by[x.storage] for x in one.reads if x.storage in made_by}, reverse=True)
            self._kernel_of[at] = kernel = _Kernel(at)
            self.kernels.add(kernel)
            if one.kind not in ALONE:
                self._join(kernel, makers)
            for access in one.writes:
                if access.storage is not None:
                    made_by[access.storage] = at

    def _join(self, kernel: _Kernel, makers: Sequence[int]) -> None:
        """Join the kernel of an operator with that of its latest input, if the other inputs exist before this begins, and
        with those of its inputs that can be computed where they are read."""
        at, of = kernel.first, self._kernel_of
        for maker in makers:
            before = all(of[other] is of[maker] or of[other].members[-1] < of[maker].first for other in makers)
            if before and self._unite(kernel, maker):
                break
        for maker in makers:
            pointwise = all(self.operators[member].kind in POINTWISE for member in of[maker].members)
            if pointwise and self._waits(of[maker], at):
                self._unite(kernel, maker)

    def _unite(self, kernel: _Kernel, maker: int) -> bool:
        """Whether a kernel was joined with that of a maker: not if this stays alone."""
        other = self._kernel_of[maker]
        if other is kernel or self.operators[other.first].kind in ALONE:
            return False
        kernel.absorb(other)
        for member in other.members:
            self._kernel_of[member] = kernel
        self.kernels.remove(other)
        return True

    def _waits(self, kernel: _Kernel, at: int) -> bool:
        """Whether no operator outside a kernel, and before ``at``, reads what the kernel makes."""
        made = {access.storage for member in kernel.members for access in self.operators[member].writes}
        return all(
            reader >= at or reader in kernel.members
            for storage in made
            if storage is not None
            for reader in self.readers.get(storage, ())
            if reader > kernel.first
        )


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
