"""When tensors are alive, which layers write in place, and the peak memory that follows.

Layers run one by one in the order of the spec. A tensor is alive until the last layer that reads it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, reduce
from itertools import accumulate
from typing import Any, Self

from archcalc.dtypes import itemsize
from archcalc.inputs import single
from archcalc.network import Network, Node
from archcalc.pytorch.layout import MANY, Batch
from archcalc.pytorch.record import records
from archcalc.pytorch.run import run_layer
from archcalc.pytorch.runner import AttentionForm, Runner
from archcalc.pytorch.tape import Moment, Storage, TapeTensor
from archcalc.sizes import greater


def overwritten(network: Network) -> dict[int, int]:
    """The nodes that write in place, each with the index of the input that the node overwrites.

    A node can overwrite an input if no other layer needs the input. So a node cannot overwrite the network's input or
    outputs, a tensor that another layer reads later or saves for the backward pass, or a tensor with a view. The answer
    is the same for inference and training, like ``inplace`` of a module. A sum overwrites an input only if the network
    says that the storage of the sum is ``in_place``.
    """
    readers: list[list[Node]] = [[] for _ in network.nodes]
    for node in network.nodes:
        for i in set(node.inputs):
            readers[i].append(node)
    inputs = range(len(network.inputs))
    kept = {*inputs, *network.outputs, *(node.index for node in network.nodes if not readers[node.index])}

    def free(made: Node, node: Node) -> bool:
        return not (
            made.index in kept
            or records[made.layer.type].saves_output
            or passes_view(made)
            or any(
                reader.index > node.index or passes_view(reader) or records[reader.layer.type].saves_input
                for reader in readers[made.index]
                if reader is not node
            )
        )

    found = {}
    for node in network.after_inputs:
        if node.storage == "in_place" and records[node.layer.type].in_place:
            full = [i for i in node.inputs if network.nodes[i].shape == node.shape]
            over = next((i for i in full if free(network.nodes[i], node)), None)
            if over is not None:
                found[node.index] = over
    return found


def passes_view(node: Node) -> bool:
    """True if PyTorch returns the layer's result as a view, of the input or of a tensor that the layer made."""
    layer = node.layer
    return "view" in (node.storage, layer.storage) or records[layer.type].returns_view(layer, node.shape)


class Schedule:
    """The operators of a run in their order, and the storages that the operators make.

    The schedule is that of a single image, of which PyTorch copies less than of several (``of_batch``). All methods that
    take a batch answer for this batch.

    moments:  the operators; the index is the moment
    storages: the storages, in the order in which they are made, with the first and the last moment of each (inclusive);
              the network inputs belong to the caller and are not in the list
    outputs:  the storage of every layer's output; several outputs may share one storage
    indices:  the storage of the indices of each max pooling
    ran:      every operator, with the tensors that it reads and makes
    freed:    by layer, the inputs that are freed while the layer runs, with the last moment that reads each
    """

    def __init__(
        self, network: Network, tape: Runner, values: Mapping[int, TapeTensor], again: Callable[[Batch], Self]
    ) -> None:
        moments, storages = tape.moments, tape.storages
        self.network, self.storages, self._moments, self.freed = network, storages, moments, tape.freed
        self.ran = tape.ran
        self.outputs = {index: value.storage for index, value in values.items()}
        self.indices = {index: value.storage for index, value in tape.indices.items()}
        self._batch, self._record = tape.batch, again
        fixed, per_image = [0] * (len(moments) + 1), [0] * (len(moments) + 1)
        for storage in storages:
            if storage.fixed:
                fixed[storage.born] += storage.fixed
                fixed[storage.dies + 1] -= storage.fixed
            if each := storage.per_image + storage.slack:
                per_image[storage.born] += each
                per_image[storage.dies + 1] -= each
        self._fixed = list(accumulate(fixed[:-1]))
        self._per_image = list(accumulate(per_image[:-1]))

    def of_batch(self, batch: int) -> Self:
        """The schedule of a run at this batch."""
        several = single(batch, "batch") > 1
        return self if not self._batch.matters or several == (self._batch.images > 1) else self._other

    @cached_property
    def _other(self) -> Self:
        return self._record(Batch(MANY if self._batch.images == 1 else 1))

    @cached_property
    def moments(self) -> list[Moment]:
        """Every operator, in running order."""
        return [Moment(*moment) for moment in self._moments]

    @property
    def last(self) -> int:
        """The last moment."""
        return len(self._moments) - 1

    def live(self, batch: int = 1) -> list[int]:
        """The bytes alive at every moment."""
        run = self.of_batch(batch)
        return [fixed + batch * each for fixed, each in zip(run._fixed, run._per_image, strict=True)]

    @cached_property
    def _candidates(self) -> list[tuple[int, int, int]]:
        """The moments that can be the peak at some batch, as (fixed bytes, bytes per image, moment).

        No other moment has at least as many bytes in both columns. Of equal moments, the list has the first.
        """
        pairs = zip(reversed(self._fixed), reversed(self._per_image), strict=True)
        first = dict(zip(pairs, range(self.last, -1, -1), strict=True))
        found: list[tuple[int, int, int]] = []
        for fixed, each in sorted(first, reverse=True):
            if not found or each > found[-1][1]:
                found.append((fixed, each, first[fixed, each]))
        return found

    def peak(self, batch: int = 1) -> int:
        """The largest number of bytes alive at one moment."""
        run = self.of_batch(batch)
        if self.network.arrays:
            return reduce(greater, run.live(batch), 0)
        return reduce(greater, (fixed + batch * each for fixed, each, _ in run._candidates), 0)

    def peak_moment(self, batch: int = 1) -> int:
        """The first moment that reaches the peak."""
        peak = self.peak(batch)
        reached = self.of_batch(batch)._candidates
        return min((moment for fixed, each, moment in reached if fixed + batch * each == peak), default=0)

    def at(self, moment: int) -> Moment:
        """The operator of a moment. A network of views runs no operator; then the result is the network input."""
        return self.moments[moment] if self.moments else Moment("forward", 0, "no operator")

    def largest_batch(self, budget: int, per_image: int = 0) -> int:
        """The largest batch that fits into the budget at every moment; ``per_image`` adds bytes for every image.

        At each moment, memory grows by the same number of bytes with every image. So each moment allows a largest
        batch. The smallest of these batches is the answer, or a single image if only that fits; no search is needed.
        """
        moments = self.of_batch(MANY)._candidates or [(0, 0, 0)]
        rows = [(fixed, each + per_image) for fixed, each, _ in moments if each + per_image]
        several = max(0, min(((budget - fixed) // each for fixed, each in rows), default=0))
        return several if several > 1 else int(bool(rows) and self.peak(1) + per_image <= budget)

    def alive(self, moment: int) -> list[Storage]:
        """The storages alive at a moment, in the order in which they were made."""
        return [storage for storage in self.storages if storage.born <= moment <= storage.dies]


def images(network: Network, dtype: str, channels_last: bool = False) -> dict[int, TapeTensor]:
    """The network inputs, whose memory belongs to the caller."""
    size = itemsize(dtype)
    return {
        at: TapeTensor(
            Storage(name, at, "image", shape.values * size, 0, 0),
            shape.values,
            size,
            "last" if channels_last and len(shape.axes) in (2, 3) else "first",
        )
        for at, (name, shape) in enumerate(network.inputs.items())
    }


def inference(
    network: Network,
    dtype: str = "float32",
    *,
    amp: bool = False,
    attention: AttentionForm = "flash",
    sums_in_place: bool = True,
    channels_last: bool = False,
    batch: Batch | None = None,
) -> Schedule:
    """The schedule of one inference run, without gradients.

    ``channels_last``: the input and the weights of convolutions are channels-last. ``attention``: how PyTorch runs attention. Without ``sums_in_place``, sums that PyTorch adds in place have a new
    storage, as under any dispatch mode of PyTorch. ``batch``: the batch that is recorded first.
    """
    nodes = network.running(training=False)
    tape = Runner(False, itemsize(dtype), amp, overwritten(network), attention, batch, sums_in_place)
    tape.channels_last = channels_last
    if network.arrays:
        tape.key = network.interned.key
    values = images(network, dtype, channels_last)
    for node in nodes:
        values[node.index] = run_layer(tape, network, node, values)
    tape.release_copies()
    for index in network.outputs:
        values[index].storage.until(len(tape.moments) - 1)
    settings: dict[str, Any] = {"amp": amp, "attention": attention, "sums_in_place": sums_in_place}
    settings["channels_last"] = channels_last
    return Schedule(network, tape, values, lambda batch: inference(network, dtype, **settings, batch=batch))
