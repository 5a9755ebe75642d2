"""What a convention is: three sums over layers, each led from archcalc's own count by named terms.

A tool's number is our number plus and minus a few terms: ``base`` times our own count of every layer
that it does not pass over, and then each ``Term`` over the layers that it is about. So the table in a
convention, the comparison of conventions and the way from our count to theirs are the same data.
``None`` from a count means *not counted here*, which is not zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from archcalc.layers import Layer
from archcalc.sizes import Int, Params, Shape, Work, largest


class Use:
    """A layer at work: what it takes and makes, what it states, and how a model's code writes it.

    Work is for the whole batch. ``storage`` is how the output is held, ``form`` is one of ``written.FORMS``;
    ``wrapped`` says how many modules around others return this layer's output as their own.
    """

    __slots__ = ("batch", "form", "inputs", "layer", "out", "params", "storage", "work", "wrapped")

    layer: Layer
    out: Shape
    inputs: tuple[Shape, ...]
    params: Params
    work: Work
    batch: Int
    storage: str
    form: str
    wrapped: int

    def __init__(
        self,
        layer: Layer,
        out: Shape,
        inputs: tuple[Shape, ...],
        params: Params,
        work: Work,
        batch: Int,
        storage: str,
        form: str = "module",
        wrapped: int = 0,
    ) -> None:
        self.layer, self.out, self.inputs, self.params, self.work = layer, out, inputs, params, work
        self.batch, self.storage, self.form, self.wrapped = batch, storage, form, wrapped

    @property
    def type(self) -> str:
        return self.layer.type

    @property
    def values(self) -> Int:
        """Values of the output, for the whole batch."""
        return self.out.values * self.batch

    @property
    def read(self) -> Int:
        """Values of the first input, for the whole batch."""
        return self.inputs[0].values * self.batch


CountRule = Callable[[Use], Int]
Test = Callable[[Use], bool]


def nothing(use: Use) -> Int:
    return 0


class Term(NamedTuple):
    """``times`` a count over the layers that ``where`` accepts.

    ``place`` is where the tool's source says so, ``bug`` what is wrong with it, where something is.
    Among the layers that a tally leaves out it stands without a count.
    """

    label: str
    where: Test
    count: CountRule = nothing
    times: int = 1
    place: str = ""
    bug: str = ""


class Tally:
    """A sum over layers: ``base`` times our own count, but ``without`` some layers, and the terms.

    A ``base`` of 0 starts from nothing; ``again`` says why our count goes in more than once.
    """

    __slots__ = ("again", "base", "terms", "without")

    again: str
    base: int
    terms: tuple[Term, ...]
    without: tuple[Term, ...]

    def __init__(
        self,
        *terms: Term,
        base: int = 1,
        without: tuple[Term, ...] = (),
        again: str = "a second time: a multiply-add is two operations",
    ) -> None:
        self.base, self.terms, self.without, self.again = base, terms, without, again

    @property
    def plain(self) -> bool:
        """Whether the sum is our own, whatever the layer type."""
        return self.base == 1 and not self.terms and not self.without

    def part(self, use: Use, own: Int | None) -> Int | None:
        """The layer's part of the sum; None where it has none. ``own`` is our count, None if we have none."""
        kept = own is not None and self.base and not any(out.where(use) for out in self.without)
        terms = [term for term in self.terms if term.where(use)]
        if not kept and not terms:
            return None
        result: Int = self.base * own if kept and own is not None else 0
        for term in terms:
            result = result + term.times * term.count(use)
        return result


NOTHING = Tally(base=0)
FEATURE_MAPS = "feature maps with the input"
WEIGHTED = ("conv", "conv_table", "conv_transpose", "linear")
"""The layer types that have multiply-adds."""
Status = Literal["counted", "nothing", "unknown"]


class Reuse(NamedTuple):
    """Whether a tool counts parameters again where a layer uses those of another.

    ``called``: at every further call of one module. ``tied``: for a second module with the same parameters.
    ``place`` is where the tool's source does so.
    """

    called: bool = False
    tied: bool = False
    place: str = ""


class Convention(NamedTuple):
    """A way to count operations, parameters and memory.

    ``counts`` names what the column of operations holds, and ``flops_per_mac`` is None where that is
    no multiply-add and so has no FLOP. ``memory_name`` is what it calls its memory figure, printed in
    ``memory_unit``: a size in bytes, its name, and decimals. ``side_params`` says that parameters of side
    heads count although they do not run, ``sees_code`` names the library on whose code the count depends.
    ``known`` are the layer types that the source has a rule for, or is known to count as nothing; None where the
    definition covers every type. ``silence`` says why all other types are unknown. ``reuse`` says what counts again
    where layers share parameters.
    """

    name: str
    about: str
    source: str
    version: str = ""
    counts: str = "MACs"
    flops_per_mac: int | None = 2
    operations: Tally = Tally()
    parameters: Tally = Tally()
    memory: Tally = Tally()
    memory_name: str = FEATURE_MAPS
    memory_unit: tuple[int, str, int] | None = None
    side_params: bool = False
    sees_code: str = ""
    known: frozenset[str] | None = None
    silence: str = ""
    reuse: Reuse = Reuse()

    def knows(self, type: str) -> bool:
        """Whether the convention says what a layer of that type counts, be it nothing."""
        return self.known is None or type in self.known

    def status(self, type: str) -> Status:
        """Whether operations of that layer type are counted, count as nothing, or are unknown."""
        if not self.knows(type):
            return "unknown"
        if self.operations.base and type in WEIGHTED:
            return "counted"
        named = any(type in getattr(term.where, "types", ()) for term in self.operations.terms)
        return "counted" if named else "nothing"

    def counts_again(self, called: bool) -> bool:
        """Whether shared parameters count again: of a module that is called again, or else of a tied module."""
        return self.reuse.called if called else self.reuse.tied

    @property
    def counts_operations(self) -> bool:
        return bool(self.operations.base or self.operations.terms)

    def count_macs(self, use: Use) -> Int | None:
        """Operations; None where the layer works, but in ways that are not counted or not known."""
        if not self.knows(use.type):
            return None
        works = any(largest(n) > 0 for n in use.work)
        counted = self.operations.part(use, use.work.mac if largest(use.work.mac) > 0 else None)
        return counted if counted is not None or works else 0

    def count_params(self, use: Use) -> Int:
        counted = self.parameters.part(use, use.params.weight + use.params.bias)
        return 0 if counted is None else counted

    def count_values(self, use: Use) -> Int | None:
        """Values in memory; None for what is not counted as such."""
        return self.memory.part(use, use.values if use.storage == "new" else None)

    def flops(self, macs: Int | None) -> Int | None:
        """FLOP for that many MACs; None where the convention has none."""
        return None if macs is None or self.flops_per_mac is None else self.flops_per_mac * macs
