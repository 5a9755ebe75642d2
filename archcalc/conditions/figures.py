"""The figures that a condition can name: of a network, and of each of its layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from archcalc.analysis import Analysis
from archcalc.analysis.depth import depth
from archcalc.analysis.elements import arrays_in, filled, in_lanes, of_images
from archcalc.analysis.rows import Row, largest_field
from archcalc.analysis.totals import node_activations
from archcalc.conditions.dimension import NUMBER, SIZE, TIME, Dimension
from archcalc.sizes import Int, Work, greater, product, smallest

if TYPE_CHECKING:
    from archcalc.memory.budget import Budget
    from archcalc.timing.time import Time

Text = Literal["text"]


FIELD, RECORDING = 2, 3
"""The costs of a figure that needs the fields, and of one that needs the tensors of a run; others cost 1."""


class Figure(NamedTuple):
    """What a name stands for: in words, its unit, the function that computes it, and how costly that is.

    None instead of a value: the network has none. A condition computes the cheap figures first.
    """

    about: str
    unit: Dimension | Text
    value: Callable[[Any], Any]
    cost: int = 1


def _field(analysis: Analysis) -> Int | None:
    """The size of the largest field. Where a bound of arrays could be the largest, elements are computed one by one."""
    of_an_image = analysis.at_batch(1)
    if not arrays_in(of_an_image):
        row = largest_field(analysis.rows)
        return None if row is None else max(axis.field.size for axis in row.field)
    area, size, exact, found = 0, 0, True, False
    for row in of_an_image.rows:
        if not row.field:
            continue
        found, known = True, product(axis.exact * 1 for axis in row.field)
        local = greater(product((axis.least.step != 0) * 1 for axis in row.field), 1 - known)
        here: Any = product(axis.field.size for axis in row.field) * local * row.present
        longest: Any = 0
        for axis in row.field:
            longest = greater(longest, axis.field.size)
        better = (here > area) * 1
        area, size = area + (here - area) * better, size + (longest - size) * better
        exact = exact * (1 - better) + known * better
    unsure: Any = (exact == 0) + (area == 0)
    return filled(of_an_image, size, unsure, _field) if found else None


def _weight_bytes(analysis: Analysis) -> Int:
    """The bytes of the weights that a model of PyTorch stores: those of its side heads too."""
    return sum(row.params.weight + row.params.bias for row in analysis.at_batch(1).all_rows) * analysis.itemsize


def _peak(analysis: Analysis) -> int:
    return analysis.memory().inference.peak(analysis.batch)


def layer_activations(analysis: Analysis, row: Row) -> Int:
    """As RegNet's paper and fvcore count: the outputs of convolutions and linear layers."""
    return 0 if row.node is None else node_activations(row.node) * analysis.batch


def _operations(kind: str) -> Callable[[Analysis], Any]:
    return lambda analysis: getattr(analysis.totals.work, kind)


FIGURES: Mapping[str, Figure] = {
    "name": Figure("the name of the network", "text", lambda a: a.network.full_name),
    "input": Figure("the sizes of the input", "text", of_images(lambda a: a.network.input_text)),
    "output": Figure(
        "the sizes of the last output",
        "text",
        of_images(lambda a: str(a.network.nodes[a.network.outputs[-1]].shape)),
    ),
    "params": Figure("parameters under the convention", NUMBER, lambda a: a.totals.params),
    "weights": Figure("weights", NUMBER, lambda a: a.totals.weights),
    "biases": Figure("biases", NUMBER, lambda a: a.totals.biases),
    "buffers": Figure("buffers, which are not trained", NUMBER, lambda a: a.totals.buffers),
    "macs": Figure("multiply-adds under the convention, for the batch", NUMBER, lambda a: a.totals.macs),
    "flops": Figure("FLOPs under the convention, for the batch", NUMBER, lambda a: a.totals.flops),
    **{
        f"{kind}s": Figure(f"operations of the kind {kind}, for the batch", NUMBER, _operations(kind))
        for kind in Work._fields
        if kind != "mac"
    },
    "values": Figure("values of the feature maps with the input, for the batch", NUMBER, lambda a: a.totals.values),
    "activations": Figure(
        "values that convolutions and linear layers make, for the batch", NUMBER, lambda a: a.activations
    ),
    "memory": Figure("bytes of the feature maps with the input", SIZE, lambda a: a.totals.values * a.itemsize),
    "peak": Figure("bytes alive at once at inference, without the input", SIZE, in_lanes(_peak), RECORDING),
    "weight_bytes": Figure("bytes of the weights and biases", SIZE, _weight_bytes),
    "field": Figure("pixels of the largest field of a layer, along its longest axis", NUMBER, _field, FIELD),
    "depth": Figure("weighted layers on the longest path", NUMBER, lambda a: depth(a.network)),
    "layers": Figure("layers", NUMBER, lambda a: sum(node.present for node in a.network.running(a.training))),
    "batch": Figure("images of the batch", NUMBER, lambda a: a.batch),
}
"""The figures of a network at its input, batch, dtype and convention."""


def has_bounds(analysis: Analysis) -> bool:
    """Whether the field of a layer is a bound for some elements of arrays. Single sizes may have another field."""
    exact = (axis.exact for row in analysis.rows for axis in row.field)
    return bool(arrays_in(analysis)) and not all(map(smallest, exact))


def layer_field(row: Row) -> Int | None:
    return reduce(greater, (axis.field.size for axis in row.field)) if row.field else None


LAYER: Mapping[str, Figure] = {
    "name": Figure("the name", "text", lambda row: row.name),
    "type": Figure("the type", "text", lambda row: row.type),
    "channels": Figure("channels of the output", NUMBER, lambda row: row.shape.channels if row.shape else None),
    "outputs": Figure(
        "values of the output, for one image", NUMBER, lambda row: row.shape.values if row.shape else None
    ),
    "params": Figure("parameters under the convention", NUMBER, lambda row: row.param_count),
    "macs": Figure("multiply-adds under the convention, for the batch", NUMBER, lambda row: row.macs),
    "field": Figure("pixels of the field along its longest axis", NUMBER, layer_field, FIELD),
}
"""The figures of one layer, behind ``layer.``: the layers of ``any``, ``all`` and ``count``."""


class Function(NamedTuple):
    """A figure with options: in words, its unit, the options with their usual values, and how it is computed."""

    about: str
    unit: Dimension
    options: Mapping[str, Any]
    value: Callable[..., Any]
    needs: tuple[str, ...] = ()
    cost: int = RECORDING
    check: Callable[..., object] = lambda *needed: None
    """Raises ArchcalcError for what it needs and cannot have, before anything is computed."""


OPTIMIZERS = ("momentum", "adam", "adamw")
"""The optimizers besides SGD that a condition can name."""


def training_budget(analysis: Analysis, **options: bool) -> Budget:
    """The memory of training with one of the optimizers, or with SGD."""
    optimizer = next((name for name in OPTIMIZERS if options[name]), "sgd")
    return analysis.memory(optimizer, amp=options["amp"])


def time_of(analysis: Analysis, device: str, *, batch: int | None, **options: Any) -> Time:
    return (analysis if batch is None else analysis.at_batch(batch)).time(device, **options)


def _train_memory(analysis: Analysis, *, batch: int | None, **options: Any) -> int:
    return training_budget(analysis, **options).training_total(analysis.batch if batch is None else batch)


def _run_memory(analysis: Analysis, *, batch: int | None) -> int:
    return analysis.memory().inference_parts(analysis.batch if batch is None else batch).total


def _time(analysis: Analysis, device: str, *, batch: int | None, **options: Any) -> float:
    return time_of(analysis, device, batch=batch, **options).estimate


def _known_device(name: str) -> object:
    from archcalc.timing.reading import device

    return device(name)


def _in_lanes(figure: Callable[..., Any]) -> Callable[..., Any]:
    """``in_lanes`` for a figure with options."""
    return lambda analysis, *given, **options: in_lanes(lambda one: figure(one, *given, **options))(analysis)


FUNCTIONS: Mapping[str, Function] = {
    "train_memory": Function(
        "bytes that a step of training needs",
        SIZE,
        {"batch": None, "amp": False, **dict.fromkeys(OPTIMIZERS, False)},
        _in_lanes(_train_memory),
    ),
    "run_memory": Function(
        "bytes that inference needs, with weights and input", SIZE, {"batch": None}, _in_lanes(_run_memory)
    ),
    "time": Function(
        "seconds of the batch on a device",
        TIME,
        {"batch": None, "amp": False, "compiled": False, "channels_last": False, "tf32": False, "training": False},
        _in_lanes(_time),
        ("device",),
        check=_known_device,
    ),
}
