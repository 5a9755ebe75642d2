"""The operators of a recording as a device sees them: the arithmetic of each, and the bytes that it reads and writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from archcalc.memory.lifetime import Schedule
from archcalc.network import Network
from archcalc.pytorch.tape import Made, Phase, Ran, Storage, TapeTensor
from archcalc.timing.products import Product, product_of
from archcalc.timing.written import constants

Kind = Literal["product", "convolution", "attention", "norm", "pool", "softmax", "upsample", "copy", "elementwise"]
KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("addmm", "mm", "bmm"), "product"),
    "convolution": "convolution",
    "_scaled_dot_product_flash_attention_for_cpu": "attention",
    **dict.fromkeys(("native_batch_norm", "native_layer_norm", "native_group_norm", "linalg_vector_norm"), "norm"),
    **dict.fromkeys(("max_pool_with_indices", "avg_pool", "avg_pool3d", "adaptive_max_pool", "mean", "sum"), "pool"),
    **dict.fromkeys(("adaptive_avg_pool", "amax", "max", "min", "prod", "unfold"), "pool"),
    **dict.fromkeys(("_softmax", "_log_softmax"), "softmax"),
    **dict.fromkeys(("clone", "cat", "roll", "repeat", "index", "index_select", "copy_", "constant_pad_nd"), "copy"),
    **dict.fromkeys(("_to_copy", "copy", "slice backward", "expand backward"), "copy"),
}
"""The kind of an operator by its name in PyTorch; all others are elementwise."""
CREATORS = frozenset(("ones", "zeros", "new_ones", "scalar_tensor", "rand", "bernoulli_", "arange", "loss backward"))
"""Operators that read nothing."""
TWICE = frozenset(("native_batch_norm", "native_group_norm"))
"""Operators that read their input twice in training, in both passes: for the sums first, and then for the result."""


class Access(NamedTuple):
    """A tensor that an operator reads or writes: its storage (None: that of weights), bytes per image, and fixed bytes.

    order, itemsize: memory order, and bytes of one value
    """

    storage: Storage | None
    per_image: int
    fixed: int
    order: str = "first"
    itemsize: int = 4

    def bytes(self, batch: int) -> int:
        return self.fixed + batch * self.per_image


class Operator(NamedTuple):
    """One operator that runs on a device.

    phase, node, name: as in the recording
    kind:     the kind of its arithmetic
    reads, writes: the tensors that it reads and writes
    product:  the matrix products, for one image; None if there are none
    macs:     multiply-adds for one image
    itemsize: bytes of a value in the arithmetic
    maps:     maps of one image that are interpolated, channels first
    """

    phase: Phase
    node: int
    name: str
    kind: Kind
    reads: tuple[Access, ...]
    writes: tuple[Access, ...]
    product: Product | None = None
    macs: int = 0
    itemsize: int = 4
    maps: int = 0

    def bytes(self, batch: int) -> int:
        """The bytes that the operator reads and writes."""
        return sum(one.bytes(batch) for one in (*self.reads, *self.writes))

    @property
    def transposes(self) -> bool:
        """Whether a copy gives the values another order in memory."""
        orders = {one.order for one in (*self.reads[:1], *self.writes[:1])} - {"unit"}
        return self.kind == "copy" and (len(orders) > 1 or orders == {"moved"})


def kind_of(name: str) -> Kind:
    """The kind of an operator, and of its backward pass."""
    base = name.removesuffix(" backward")
    if base.startswith("upsample"):
        return "upsample"
    return KINDS.get(name) or KINDS.get(base) or KINDS.get(base.removesuffix("_")) or "elementwise"


def operators(network: Network, schedule: Schedule) -> list[Operator]:
    """The operators of a recording, without views."""
    return list(_Reader(network, schedule).read())


class _Reader:
    """Reads the operators of a recording one by one."""

    def __init__(self, network: Network, schedule: Schedule) -> None:
        self.network, self.ran = network, schedule.ran
        self.trains = any(one.phase == "backward" for one in self.ran)
        self.born: dict[int, list[Storage]] = {}
        for storage in schedule.storages:
            self.born.setdefault(storage.born, []).append(storage)
        self.constant = constants(network)
        self.products: dict[int, Product | None] = {}
        self.parts: dict[int, int] = {}
        """How many operators of the forward pass share the products of a layer."""
        self.copied: set[int] = set()
        self.pending: set[int] = set()
        for one in self.ran:
            if one.output is not None and kind_of(one.operator) in ("product", "convolution"):
                self.parts[one.node] = self.parts.get(one.node, 0) + (one.moment >= 0)
            if any(x.storage.role == "weight copy" for x in one.inputs):
                self.copied.add(one.node)

    def read(self) -> Iterator[Operator]:
        """The operators, those of constants once for the whole batch."""
        for one in self._read():
            if self.constant:
                one = one._replace(reads=self._once(one.reads), writes=self._once(one.writes))
            yield one

    def _once(self, accesses: tuple[Access, ...]) -> tuple[Access, ...]:
        """What constants are made of is read and written once for a batch."""
        return tuple(
            one._replace(per_image=0, fixed=one.fixed + one.per_image)
            if one.storage is not None and one.storage.node in self.constant
            else one
            for one in accesses
        )

    def _read(self) -> Iterator[Operator]:
        owed = {node.index for node in self.network.after_inputs} - self.copied
        for one in self.ran:
            if one.operator == "repeat" and one.node in self.constant:
                continue  # a weight that is the same for all images is a view
            if one.summed != (0, 0):
                yield _sum(one)
            elif one.operation is not None:
                yield self._backward(one)
            elif one.output is not None:
                weights = one.node in owed and kind_of(one.operator) != "copy"
                if weights:
                    owed.discard(one.node)
                yield self._forward(one, weights)
            else:
                yield self._made(one)

    def _forward(self, one: Ran, weights: bool) -> Operator:
        assert one.output is not None
        output, kind = one.output, kind_of(one.operator)
        order = one.inputs[0].order if self._keeps_channels(one) else output.order
        reads = _distinct(one.inputs)
        if one.operator in TWICE and self.trains:
            reads += reads[:1]
        if weights and (fixed := self._weights(one.node)):
            reads.append(Access(None, 0, fixed))
        others = [_whole(storage) for storage in self.born.get(one.moment, ()) if storage is not output.storage]
        product, macs = self._product(one) if kind in ("product", "convolution", "attention") else (None, 0)
        return Operator(
            one.phase,
            one.node,
            one.operator,
            kind,
            tuple(reads),
            (_access(output)._replace(order=order), *others),
            product,
            macs,
            one.inputs[0].itemsize,
            self._interpolated(one) if kind == "upsample" and output.order == "first" else 0,
        )

    def _keeps_channels(self, one: Ran) -> bool:
        """Whether a copy leaves the channels innermost: where tokens are rearranged, and before a product of theirs."""
        return one.operator == "clone" and self.network.nodes[one.node].layer.type in ("rearrange", "linear")

    def _interpolated(self, one: Ran) -> int:
        """The maps that an operator interpolates; none where it repeats the nearest value."""
        node = self.network.nodes[one.node]
        return 0 if getattr(node.layer, "mode", "nearest") == "nearest" else node.shape.channels * node.times

    def _weights(self, index: int) -> int:
        """The bytes of the weights of a layer in single precision."""
        node = self.network.nodes[index]
        params = node.layer.params(*self.network.input_shapes(node))
        return 4 * (params.weight + params.bias)

    def _layer_product(self, index: int) -> Product | None:
        if index not in self.products:
            self.products[index] = product_of(self.network, self.network.nodes[index])
        return self.products[index]

    def _product(self, one: Ran) -> tuple[Product | None, int]:
        """The products of an operator of the forward pass. Several operators share those of their layer."""
        whole = self._layer_product(one.node)
        if whole is None:
            return None, 0
        parts = 1 if kind_of(one.operator) == "attention" else max(1, self.parts.get(one.node, 1))
        return whole, whole.macs // parts

    def _made(self, one: Ran) -> Operator:
        """An operator that only makes storages, which all are small, or copies of weights."""
        writes = tuple(_whole(storage) for storage in self.born.get(one.moment, ()))
        times = 0 if one.operator in CREATORS else 2 if one.operator in ("add", "_to_copy") else 1
        reads = tuple(w._replace(storage=None, per_image=times * w.per_image, fixed=times * w.fixed) for w in writes)
        return Operator(one.phase, one.node, one.operator, kind_of(one.operator), reads, writes)

    def _backward(self, one: Ran) -> Operator:
        """A step of a backward pass, which reads the gradient of the output and what the operator saved."""
        operation = one.operation
        assert operation is not None
        rule, kind, output = operation.rule, kind_of(operation.operator), operation.output
        at = next((i for i, step in enumerate(rule.steps) if any(made in step for made in one.made)), 0)
        gradient = _access(output)._replace(storage=None)
        if at >= (rule.reading_steps or len(rule.steps)) and at:
            before = rule.steps[at - 1]
            reads = [Access(None, made.per_image, made.fixed) for made in before[:1]]
        else:
            saved = {id(x.storage): _whole(x.storage) for x in operation.saved}
            reads = [gradient, *saved.values()]
            if operation.operator in TWICE:
                reads += reads[:2]
        writes = tuple(_whole(storage) for storage in self.born.get(one.moment, ()))
        product, macs = None, 0
        if kind in ("product", "convolution", "attention"):
            product, macs = self._backward_product(one, operation.operator, kind, rule.steps)
        return Operator(one.phase, one.node, one.operator, kind, tuple(reads), writes, product, macs, output.itemsize)

    def _backward_product(
        self, one: Ran, operator: str, kind: Kind, steps: Iterable[Iterable[Made]]
    ) -> tuple[Product | None, int]:
        """The products of a step: each gradient of an input or of the weights takes those of the forward pass.

        The fused attention computes the scores again: five products instead of two.
        """
        whole = self._layer_product(one.node)
        if whole is None:
            return None, 0
        if kind == "attention":
            return whole, whole.macs * 5 // 2
        weights = [made for step in steps for made in step if made.target != 0]
        large = [made for made in one.made if made.target == 0 or operator == "bmm" or made is weights[0]]
        return whole, len(large) * whole.macs // max(1, self.parts.get(one.node, 1))


def _access(x: TapeTensor) -> Access:
    """A tensor as it is read or written. Of a repeated tensor, only the values that exist are read."""
    size, storage = x.count * x.itemsize, x.storage
    if storage.fixed and not storage.per_image:
        return Access(storage, 0, min(size, storage.fixed), x.order, x.itemsize)
    return Access(storage, min(size * x.times, storage.per_image), 0, x.order, x.itemsize)


def readers_of(operators: Iterable[Operator]) -> dict[Storage, list[int]]:
    """The places of the operators that read every storage."""
    readers: dict[Storage, list[int]] = {}
    for at, one in enumerate(operators):
        for access in one.reads:
            if access.storage is not None:
                readers.setdefault(access.storage, []).append(at)
    return readers


def _distinct(inputs: Iterable[TapeTensor]) -> list[Access]:
    """The inputs of an operator; parts of one storage are read as one tensor."""
    found: dict[int, Access] = {}
    for x in inputs:
        access, key = _access(x), id(x.storage)
        if key in found:
            most, before = x.storage.per_image, found[key]
            access = access._replace(per_image=min(most, before.per_image + access.per_image))
        found[key] = access
    return list(found.values())


def _whole(storage: Storage) -> Access:
    return Access(storage, storage.per_image, storage.fixed)


def _sum(one: Ran) -> Operator:
    each, fixed = one.summed
    access = Access(None, each, fixed)
    return Operator(one.phase, one.node, one.operator, "elementwise", (access, access), (access,))
