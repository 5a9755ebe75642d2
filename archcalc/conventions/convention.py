"""A convention: three sums over layers. Each sum has archcalc's own count and named terms.

A tool's number is archcalc's number plus or minus a few terms. The sum starts with ``factor`` times archcalc's count of
every layer without an omission. Then each ``Term`` adds its count of the layers that the term selects. So the table
under a convention, the comparison of conventions and ``archcalc explain`` use the same data.

A count of ``None`` means *not counted*. Not counted is not zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

from archcalc.layers import Layer
from archcalc.sizes import Int, Params, Shape, Work, largest

if TYPE_CHECKING:
    from archcalc.conventions.source_style import Library


class Use:
    """A layer in a network: its shapes, parameters and operations, and its form in a model's code.

    ``work`` is for the whole batch. ``storage`` is a ``StorageKind``, ``form`` is one of ``source_style.FORMS``.
    ``wrappers`` is the number of modules that contain this layer and return its output as their own output.
    ``times`` is the number of regions of an image, which a tool sees as further images: ``batch`` contains it.
    ``once`` are operations that a forward pass does once, whatever the batch.
    """

    __slots__ = ("batch", "form", "inputs", "layer", "once", "out", "params", "storage", "times", "work", "wrappers")

    layer: Layer
    out: Shape
    inputs: tuple[Shape, ...]
    params: Params
    work: Work
    batch: Int
    storage: str
    form: str
    wrappers: int
    times: Int
    once: Work

    def __init__(
        self,
        layer: Layer,
        shapes: tuple[Shape, tuple[Shape, ...]],
        params: Params,
        work: Work,
        batch: Int,
        storage: str,
        form: tuple[str, int] = ("module", 0),
        times: Int = 1,
    ) -> None:
        """``shapes``: the output, then the inputs. ``form``: the form and the number of wrappers."""
        self.times, self.once = times, layer.work_once(*shapes[1])
        self.layer, self.params, self.work, self.batch, self.storage = layer, params, work, batch, storage
        self.out, self.inputs = shapes
        self.form, self.wrappers = form

    @property
    def type(self) -> str:
        return self.layer.type

    @property
    def macs(self) -> Int:
        """Multiply-adds of the layer, for the whole batch."""
        return self.work.mac + self.once.mac

    @property
    def values(self) -> Int:
        """Values of the output, for the whole batch."""
        return self.out.values * self.batch

    @property
    def input_values(self) -> Int:
        """Values of the first input, for the whole batch."""
        return self.inputs[0].values * self.batch


CountRule = Callable[[Use], Int]
Test = Callable[[Use], bool]


class Layers:
    """A test for layers: type, form in the code, number of spatial axes, and a setting that must be off.

    Empty ``forms``: any form. ``axes`` None: any number of axes. Empty ``without``: any settings.
    """

    __slots__ = ("axes", "forms", "types", "without")

    def __init__(self, *types: str, forms: tuple[str, ...] = (), axes: int | None = None, without: str = "") -> None:
        self.types, self.forms, self.axes, self.without = types, forms, axes, without

    def __call__(self, use: Use) -> bool:
        fits = use.type in self.types and (not self.forms or use.form in self.forms)
        fits = fits and not (self.without and getattr(use.layer, self.without, None))
        return fits and (self.axes is None or self.axes == len(use.inputs[0].axes))


def zero(use: Use) -> Int:
    return 0


class Term(NamedTuple):
    """A count, multiplied by ``times``, over the layers that ``where`` selects.

    ``place``: the place in the tool's source. ``bug``: the error of the tool, if the term is an error.
    An omission of a tally is a term without a count.
    """

    label: str
    where: Test
    count: CountRule = zero
    times: int = 1
    place: str = ""
    bug: str = ""

    @property
    def types(self) -> tuple[str, ...]:
        """The layer types of the term; none if the test does not look at types."""
        return self.where.types if isinstance(self.where, Layers) else ()


class Tally:
    """A sum over layers: ``factor`` times archcalc's count of each layer without an omission, plus the terms.

    With ``factor`` 0, only the terms count. ``repetition``: the reason for a factor above 1.
    """

    __slots__ = ("factor", "omissions", "repetition", "terms")

    factor: int
    omissions: tuple[Term, ...]
    repetition: str
    terms: tuple[Term, ...]

    def __init__(
        self,
        *terms: Term,
        factor: int = 1,
        omissions: tuple[Term, ...] = (),
        repetition: str = "a second time: a multiply-add is two operations",
    ) -> None:
        self.factor, self.terms, self.omissions, self.repetition = factor, terms, omissions, repetition

    @property
    def is_own(self) -> bool:
        """Whether the sum is archcalc's own count for every layer type."""
        return self.factor == 1 and not self.terms and not self.omissions

    def part(self, use: Use, own: Int | None) -> Int | None:
        """The part of one layer in the sum, or None if the layer has no part. ``own``: archcalc's count, or None."""
        if self.is_own:
            return own
        counts_own = own is not None and self.factor and not any(term.where(use) for term in self.omissions)
        terms = [term for term in self.terms if term.where(use)]
        if not counts_own and not terms:
            return None
        result: Int = self.factor * own if counts_own and own is not None else 0
        for term in terms:
            result = result + term.times * term.count(use)
        return result


NO_OPERATIONS = Tally(factor=0)
FEATURE_MAPS = "feature maps with the input"
Status = Literal["counted", "nothing", "unknown"]


def layer_types(names: str) -> frozenset[str]:
    """The layer types in a text. Spaces separate the names."""
    return frozenset(names.split())


WEIGHTED = layer_types("conv conv_table conv_transpose locally_connected linear attention matmul")
"""The layer types that have multiply-adds."""


class Reuse(NamedTuple):
    """Whether a tool counts parameters more than once if layers share them.

    ``calls``: at every further call of one module. ``ties``: in a second module with the same parameters.
    ``place`` is the place in the tool's source.
    """

    calls: bool = False
    ties: bool = False
    place: str = ""


class Convention(NamedTuple):
    """A set of rules for counting operations, parameters and memory.

    ``about``: the rule in a few words, printed with every number. ``more``: the rest of the rule.
    Every layer type is counted, counted as nothing, or unknown:

    ``multiply_adds``: the layer types whose multiply-adds count.
    ``nothing``: the layer types that count as nothing. None: the definition covers every layer type.
    ``unknown_reason``: why all other layer types are unknown; the types of ``operations`` are counted.

    ``operations_name``: name of the operations, a column title. ``flops_per_mac``: None if an operation is no
    multiply-add and so has no FLOP. ``memory_name``: name of the memory figure. ``memory_unit``: a size in bytes, its
    name, and decimals. ``counts_side_heads``: parameters of side heads count, although side heads do not run.
    ``counts_fused_biases``: a bias of a linear layer counts if PyTorch adds it in the operator of the product.
    ``library``: the library on whose code the count depends. ``reuse``: what counts more than once if layers share
    parameters.
    """

    name: str
    about: str
    source: str
    version: str = ""
    operations_name: str = "MACs"
    flops_per_mac: int | None = 2
    multiply_adds: frozenset[str] = WEIGHTED
    nothing: frozenset[str] | None = None
    unknown_reason: str = ""
    operations: Tally = Tally()
    parameters: Tally = Tally()
    memory: Tally = Tally()
    memory_name: str = FEATURE_MAPS
    memory_unit: tuple[int, str, int] | None = None
    counts_side_heads: bool = False
    counts_fused_biases: bool = False
    library: Library | None = None
    reuse: Reuse = Reuse()
    more: str = ""

    def __repr__(self) -> str:
        return f"<Convention {self.name}{self.version and f' {self.version}'}: {self.about}>"

    @property
    def counts_operations(self) -> bool:
        return bool(self.operations.factor or self.operations.terms)

    @property
    def counted(self) -> frozenset[str]:
        """The layer types that have a count: of multiply-adds, or in a term."""
        own = self.multiply_adds if self.operations.factor else frozenset()
        return own.union(*(term.types for term in self.operations.terms))

    def status(self, type: str) -> Status:
        """The status of a layer type: its operations are counted, count as nothing, or are unknown."""
        if type in self.counted:
            return "counted"
        return "nothing" if self.knows(type) else "unknown"

    def knows(self, type: str) -> bool:
        """Whether the convention has a rule for the layer type. "Counts as nothing" is also a rule."""
        return self.nothing is None or type in self.nothing or type in self.counted

    def count_macs(self, use: Use) -> Int | None:
        """Operations of the layer. None: the layer has operations, but the convention does not count or know them."""
        if not self.knows(use.type):
            return None
        count = self.operations.part(use, use.macs if largest(use.macs) > 0 else None)
        return 0 if count is None and not any(largest(n) > 0 for n in use.work) else count

    def count_params(self, use: Use) -> Int:
        count = self.parameters.part(use, use.params.weight + use.params.bias)
        return 0 if count is None else count

    def count_values(self, use: Use) -> Int | None:
        """Values in memory; None if the convention does not count the layer's output as memory."""
        return self.memory.part(use, use.values if use.storage == "new" else None)

    def flops(self, macs: Int | None) -> Int | None:
        """FLOP for ``macs`` operations. None if the convention has no FLOP."""
        return None if macs is None or self.flops_per_mac is None else self.flops_per_mac * macs
