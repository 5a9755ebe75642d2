"""What runs as one operator where the recording has several.

The recording is that of a network of layers, one by one. Libraries add the bias within the matrix product, copy once where
two layers move values one after the other, and fuse an attention that is written as products and a soft-max.
"""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.timing.operators import Access, Operator, readers_of

PASSING = frozenset(("mul", "mul_", "div", "add", "add_", "_to_copy", "clone"))
"""Operators between the two products of an attention."""
ROUNDED = ("native_layer_norm", "native_group_norm")
"""The normalisations that autocast keeps in float32 on a GPU. That over the batch stays in half precision."""
MOST_BETWEEN = 8
"""The most operators between the two products of an attention."""


def merged(operators: Sequence[Operator]) -> list[Operator]:
    """The operators as a library runs them."""
    return _copies(_attention(_biases(operators)))


def written_out(operators: Sequence[Operator]) -> list[Operator]:
    """Every attention as products, a scale and a soft-max in float32, each of which reads and writes the scores."""
    found: list[Operator] = []
    for one in operators:
        if one.kind == "attention" and one.product is not None:
            found += _parts(one)
        else:
            found.append(one)
    return found


def _parts(one: Operator) -> list[Operator]:
    """The operators of an attention, forward or backward."""
    product, size = one.product, one.itemsize
    assert product is not None
    count = product.rows * product.columns * product.groups
    own, single = Access(None, count * size, 0, itemsize=size), Access(None, 4 * count, 0)
    backward = one.phase == "backward"
    some = [access for access in one.reads if access.storage is None or not access.fixed]
    macs = (one.macs * 2 // 5 if backward else one.macs // 2) // (1 if not backward else 2)
    matmul = one._replace(kind="product", name="bmm", macs=macs)
    scale = one._replace(kind="elementwise", name="mul", product=None, macs=0, reads=(own,), writes=(own,))
    casts = [scale._replace(kind="copy", reads=(single,), writes=(own,))] if size < 4 else []
    if backward:
        softmax = scale._replace(kind="softmax", reads=(single, single), writes=(single,))
        shares = tuple(access._replace(per_image=access.per_image // 2) for access in some[:2])
        products = [matmul._replace(macs=2 * macs, reads=(own, *shares), writes=(own,)) for _ in range(4)]
        return [*products, softmax, *casts, *casts, scale]
    softmax = scale._replace(kind="softmax", reads=(own,), writes=(single,))
    first = matmul._replace(reads=tuple(some), writes=(own,))
    second = matmul._replace(reads=(own,), writes=one.writes[:1])
    return [first, scale, softmax, *casts, second]


def half_norms(operators: Sequence[Operator]) -> list[Operator]:
    """Normalisations in half precision: values of four bytes are cast first, and the result needs no cast any more."""
    uses, gone, found = _Uses(operators), set[int](), list(operators)
    for at, one in enumerate(found):
        if one.name not in ROUNDED or one.reads[0].itemsize != 4 or one.phase != "forward":
            continue
        half = one.reads[0]._replace(storage=None, per_image=one.reads[0].per_image // 2, itemsize=2)
        following = uses.only_reader(at, one)
        result = one.writes[:1]
        if following is not None and found[following].name == "_to_copy":
            result = found[following].writes
            gone.add(following)
        found[at] = one._replace(reads=(*one.reads, half), writes=(*result, half, *one.writes[1:]), itemsize=2)
    return [one for at, one in enumerate(found) if at not in gone]


def single_norms(operators: Sequence[Operator]) -> list[Operator]:
    """Normalisations as autocast runs them on a GPU: half precision is cast to float32, and the result back."""
    found: list[Operator] = []
    for one in operators:
        if one.name in ROUNDED and one.reads[0].itemsize == 2 and one.phase == "forward":
            wide = one.reads[0]._replace(storage=None, per_image=2 * one.reads[0].per_image, itemsize=4)
            one = one._replace(reads=(*one.reads, wide, wide), writes=(*one.writes, wide, wide))
        found.append(one)
    return found


def _biases(operators: Sequence[Operator]) -> list[Operator]:
    """Without sums of a bias, which a product of matrices adds itself."""
    found: list[Operator] = []
    for one in operators:
        before = found[-1] if found else None
        if (
            before is not None
            and one.name == "add_"
            and before.name == "mm"
            and (one.node, one.phase) == (before.node, before.phase)
        ):
            bias = tuple(access for access in one.reads if access.fixed)
            found[-1] = before._replace(name="addmm", reads=(*before.reads, *bias))
        else:
            found.append(one)
    return found


class _Uses:
    """Who makes and who reads a storage."""

    def __init__(self, operators: Sequence[Operator]) -> None:
        self.operators, self.readers = operators, readers_of(operators)

    def only_reader(self, at: int, one: Operator) -> int | None:
        """The operator that alone reads the result of operator number ``at`` after it."""
        storage = one.writes[0].storage if one.writes else None
        later = [reader for reader in self.readers.get(storage, ()) if reader > at] if storage else []
        if len(later) > 1 and all(access.storage is not storage for access in self.operators[later[0]].writes):
            return None  # several read it; others read what an operator in place made of it
        return later[0] if later else None


def _attention(operators: Sequence[Operator]) -> list[Operator]:
    """Products of queries and keys, a scale, a bias, a soft-max and a product with the values are one operator."""
    uses, gone = _Uses(operators), set[int]()
    found = list(operators)
    for at, one in enumerate(operators):
        if one.name != "bmm" or one.phase != "forward" or at in gone:
            continue
        chain = _chain(operators, uses, at)
        if chain is None:
            continue
        copies = _ordered(operators, uses, (chain[0], chain[-1]))
        chain = [*copies, *chain]
        last = operators[chain[-1]]
        inner = {access.storage for i in chain[:-1] for access in operators[i].writes}
        reads = [access for i in chain for access in operators[i].reads if access.storage not in inner]
        whole = one.product
        assert whole is not None
        found[chain[-1]] = last._replace(
            name="attention",
            kind="attention",
            reads=tuple(sorted(reads, key=lambda access: access.fixed > 0)),
            product=whole._replace(macs=one.macs + last.macs),
            macs=one.macs + last.macs,
        )
        gone.update(chain[:-1])
    return [one for at, one in enumerate(found) if at not in gone]


def _ordered(operators: Sequence[Operator], uses: _Uses, products: Sequence[int]) -> list[int]:
    """The copies of queries, keys and values into another order, which a fused operator does not need."""
    made = {access.storage: at for at, one in enumerate(operators) if _moves(one) for access in one.writes}
    found = []
    for at in products:
        for access in operators[at].reads:
            copy = made.get(access.storage) if access.storage is not None else None
            if copy is not None and copy < at and uses.only_reader(copy, operators[copy]) == at:
                found.append(copy)
    return found


def _chain(operators: Sequence[Operator], uses: _Uses, at: int) -> list[int] | None:
    """From a product of matrices over a soft-max to the next product, or None."""
    chain, softmax = [at], False
    for _ in range(MOST_BETWEEN):
        following = uses.only_reader(chain[-1], operators[chain[-1]])
        if following is None:
            return None
        one = operators[following]
        chain.append(following)
        if one.name == "bmm":
            return chain if softmax else None
        if one.name == "_softmax":
            softmax = True
        elif one.name not in PASSING or one.transposes:
            return None
    return None


def _copies(operators: Sequence[Operator]) -> list[Operator]:
    """Two copies, one after the other, are one copy."""
    uses, gone, found = _Uses(operators), set[int](), list(operators)
    for at, one in enumerate(found):
        following = uses.only_reader(at, one) if one.kind == "copy" and len(one.reads) == 1 else None
        if following is None or found[following].kind != "copy" or len(found[following].reads) != 1:
            continue
        if one.phase != found[following].phase or not _moves(one) or not _moves(found[following]):
            continue
        gone.add(at)
        found[following] = found[following]._replace(reads=one.reads)
    return [one for at, one in enumerate(found) if at not in gone]


def _moves(one: Operator) -> bool:
    """Whether an operator only copies values."""
    return one.name in ("clone", "_to_copy")
