"""A prototxt of Caffe while it is read: its layers as records, and its blobs by name.

Source: BVLC/caffe 9b89154, src/caffe: net.cpp (phases, blobs), util/upgrade_proto.cpp (layers of the first format).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.errors import ArchcalcError, Problem, clipped, nearest
from archcalc.importing.errors import MissingError, WrongValueError
from archcalc.importing.graph import Blob, Graph
from archcalc.importing.prototxt import Message
from archcalc.named_inputs import INPUT
from archcalc.sizes import Shape


class Dropped:
    """What a dropped layer writes, or a label: no layer of the network reads it. ``regions``: boxes of so many regions."""

    def __init__(self, regions: int = 0) -> None:
        self.regions = regions


FIRST_FORMAT = {
    "BNLL": "BNLL",
    "RELU": "ReLU",
    "TANH": "TanH",
    "LRN": "LRN",
    "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "ABSVAL": "AbsVal",
    "PRELU": "PReLU",
    "MVN": "MVN",
    "HDF5_DATA": "HDF5Data",
    "HDF5_OUTPUT": "HDF5Output",
    "ARGMAX": "ArgMax",
}
"""The names of layer types in the first format that differ by more than capitals and underscores."""


class Record:
    """A layer of the file: its name, its type as the second format writes it, and its blobs."""

    def __init__(self, message: Message, first_format: bool = False) -> None:
        self.message = message
        self.name = message.text("name") or "layer"
        kind = message.text("type")
        if first_format and kind.isupper():
            kind = FIRST_FORMAT.get(kind) or "".join(part.capitalize() for part in kind.split("_"))
        self.kind = kind
        if kind == "Python" and not message.texts("bottom"):
            self.kind = "PythonData"
        self.bottoms, self.tops = message.texts("bottom"), message.texts("top")
        self.order = message.line

    @property
    def phases(self) -> tuple[bool, bool]:
        """Whether the layer belongs to the phases TEST and TRAIN."""
        rules = [(rule, True) for rule in self.message.messages("include")]
        rules += [(rule, False) for rule in self.message.messages("exclude")]
        phases = []
        for phase in ("TEST", "TRAIN"):
            included = [meets(rule, phase) for rule, wanted in rules if wanted]
            excluded = [meets(rule, phase) for rule, wanted in rules if not wanted]
            phases.append(any(included) if included else not any(excluded))
        return phases[0], phases[1]

    def params(self, name: str) -> Message:
        return self.message.message(name)

    @property
    def frozen(self) -> bool:
        """Whether the file sets the learning rate of all weights to 0."""
        rates = [rate for one in self.message.messages("param") for rate in one.texts("lr_mult")]
        rates += self.message.texts("blobs_lr")
        given = len(self.message.messages("param")) or len(rates)
        return bool(rates) and len(rates) == given and all(rate.strip("0.") == "" for rate in rates)


def meets(rule: Message, phase: str) -> bool:
    """Whether a net at level 0, with no stage, meets a rule."""
    given = rule.text("phase") or phase
    if {"0": "TRAIN", "1": "TEST"}.get(given, given) != phase or rule.texts("stage"):
        return False
    return rule.whole("min_level", 0) <= 0 <= rule.whole("max_level", 0)


class Caffe:
    """A prototxt while it is read: the blobs so far, by name."""

    def __init__(self, file: str, message: Message, given: Mapping[str, Shape], anew: bool) -> None:
        self.graph, self.message, self.given, self.anew = Graph(file), message, given, anew
        self.blobs: dict[str, Blob | Dropped | None] = {}
        self.inputs: dict[str, Blob] = {}
        self.weights: dict[tuple[str, ...], str] = {}
        self.index, self.record = 0, Record(Message(1))
        self.readers: Counter[tuple[str, int]] = Counter()
        """How many layers read a blob, by its name and the number of its writer."""
        self.writers: dict[str, int] = {}
        if message.text("name"):
            self.graph.about["title"] = message.text("name")
        self.stated_inputs()

    def stated_inputs(self) -> None:
        """The inputs at the top of the file: ``input`` with ``input_dim`` or ``input_shape``."""
        names, message = self.message.texts("input"), self.message
        try:
            dims, shapes = message.wholes("input_dim"), [one.wholes("dim") for one in message.messages("input_shape")]
        except WrongValueError as error:
            self.graph.problem(str(error), message.line)
            return
        if dims:
            shapes = [dims[at : at + 4] for at in range(0, len(dims), 4)]
        line = next((v.line for key in ("input_dim", "input_shape") for v in message.fields.get(key, [])), 1)
        for name, shape in zip(names, shapes or [[]] * len(names), strict=False):
            self.blobs[name] = self.new_input(name, shape, line)

    def new_input(self, name: str, dims: Sequence[int], line: int) -> Blob | Dropped | None:
        """An input of the network, if a layer reads it. ``dims`` begin with the number of images."""
        sizes = list(dims[1:])
        if name.startswith("rois") and len(sizes) == 1:
            return Dropped(dims[0])
        if name in ("im_info", "label", "labels", "gt_boxes"):
            return Dropped()
        given = self.given.get(self.graph.names.of_input(name), self.given.get(INPUT))
        if given is not None and (self.anew or not sizes):
            sizes = [given.channels, *given.axes]
        if not sizes:
            text = f"the file does not say the size of the input {clipped(name, 40)}; --input CxHxW gives it"
            self.graph.problem(text, line)
            return None
        while len(sizes) > 1 and sizes[1:] == [1] * (len(sizes) - 1) and len(sizes) > 3:
            sizes.pop()
        if min(sizes) < 1 or max(sizes) > 2**31 - 1 or len(sizes) > 4:
            self.graph.problem(f"the input {clipped(name, 40)} has the sizes {sizes}", line)
            return None
        return self.graph.input(name, Shape(sizes[0], tuple(sizes[1:])), line)

    def phase(self, layers: Sequence[Record], inputs: Any) -> list[Record]:
        """The layers of TEST; those of TRAIN, if there is an input in TRAIN alone."""
        try:
            phases = [record.phases for record in layers]
        except WrongValueError as error:
            raise ArchcalcError(Problem(f"include or exclude: {error}", self.graph.file)) from None
        has = [any(p[i] and r.kind in inputs for r, p in zip(layers, phases, strict=True)) for i in (0, 1)]
        at = 1 if has[1] and not has[0] and not self.blobs else 0
        chosen = [record for record, phase in zip(layers, phases, strict=True) if phase[at]]
        left = len(layers) - len(chosen)
        if left:
            self.graph.dropped[f"{left} layer{'s' if left > 1 else ''} of the phase {('TRAIN', 'TEST')[at]}"] = 1
        return chosen

    def count_readers(self, layers: Sequence[Record]) -> None:
        """Count the readers of every blob, each time that it is written."""
        writers: dict[str, int] = {}
        for index, record in enumerate(layers):
            for bottom in record.bottoms:
                self.readers[bottom, writers.get(bottom, -1)] += 1
            for top in record.tops:
                writers[top] = index

    def read_alone(self, name: str) -> bool:
        """Whether the current layer alone reads the blob."""
        return self.readers[name, self.writers.get(name, -1)] == 1

    def fed_by_dropped(self) -> bool:
        """Whether the layer reads a dropped layer first, or nothing but dropped layers."""
        return bool(self.record.bottoms) and isinstance(self.blobs.get(self.record.bottoms[0]), Dropped)

    def drop(self) -> list[Dropped]:
        kind = self.record.kind
        if self.record.message.messages("python_param"):
            kind = self.record.message.message("python_param").text("layer", kind)
        self.graph.dropped[clipped(kind, 40)] += 1
        return [Dropped() for _ in self.record.tops]

    def write(self, outputs: Sequence[Blob | Dropped | None]) -> None:
        """Note what the current layer writes. Outputs that no rule makes are dropped."""
        for at, top in enumerate(self.record.tops):
            self.blobs[top] = outputs[at] if at < len(outputs) else Dropped()
            self.writers[top] = self.index

    def bottom(self, at: int = 0) -> Blob | None:
        """An input of the current layer. WrongValueError if no layer writes it."""
        if at >= len(self.record.bottoms):
            raise WrongValueError(f"needs {at + 1} bottom{'s' if at else ''}, got {len(self.record.bottoms)}")
        name = self.record.bottoms[at]
        if name not in self.blobs:
            close = nearest(name, self.blobs)
            hint = f"; did you mean {clipped(close, 40)!r}?" if close else ""
            raise WrongValueError(f"no layer before it writes the blob {clipped(name, 40)!r}{hint}")
        blob = self.blobs[name]
        if isinstance(blob, Dropped):
            raise MissingError(f"reads {clipped(name, 40)!r}, which a dropped layer writes")
        return blob

    def bottoms(self) -> list[Blob | None]:
        return [self.bottom(at) for at in range(len(self.record.bottoms))]

    def add(
        self,
        type: str,
        *sources: Blob | None,
        settings: dict[str, Any] | None = None,
        name: str = "",
        **options: Any,
    ) -> Blob | None:
        """Append a layer of the current record, with its name."""
        line = self.record.message.line
        return self.graph.add(type, sources, name or self.record.name, line, settings, **options)

    def add_weighted(self, type: str, source: Blob | None, settings: dict[str, Any]) -> Blob | None:
        """Append a layer with weights, which may be shared by name, or frozen."""
        names = tuple(one.text("name") for one in self.record.message.messages("param"))
        names = names if any(names) else tuple(self.record.message.texts("param"))
        options: dict[str, Any] = {}
        if any(names):
            shared = self.weights.get(names)
            if shared:
                options["weights"] = shared
            elif any(name and name in other for other in self.weights for name in names):
                raise MissingError("shares a part of its weights with another layer")
        if self.record.frozen and "weights" not in options:
            options["trained"] = False
        blob = self.add(type, source, settings=settings, **options)
        if any(names) and blob is not None and "weights" not in options:
            self.weights[names] = blob.name
        return blob
