"""The figures that a condition can name: of a network, and of each of its layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from archcalc.analysis import Analysis
from archcalc.analysis.depth import depth
from archcalc.analysis.rows import Row, largest_field
from archcalc.conditions.dimension import NUMBER, SIZE, TIME, Dimension
from archcalc.sizes import Work

Text = Literal["text"]


class Figure(NamedTuple):
    """What a name stands for: in words, its unit, and the function that computes it. None: the network has none."""

    about: str
    unit: Dimension | Text
    value: Callable[[Any], Any]


def _field(analysis: Analysis) -> int | None:
    row = largest_field(analysis.rows)
    return None if row is None else max(axis.field.size for axis in row.field)


def _peak(analysis: Analysis) -> int:
    return int(analysis.memory().inference.of_batch(analysis.batch).peak(analysis.batch))


def _operations(kind: str) -> Callable[[Analysis], Any]:
    return lambda analysis: getattr(analysis.totals.work, kind)


FIGURES: Mapping[str, Figure] = {
    "name": Figure("the name of the network", "text", lambda a: a.network.full_name),
    "input": Figure("the sizes of the input", "text", lambda a: a.network.input_text),
    "output": Figure(
        "the sizes of the last output", "text", lambda a: str(a.network.nodes[a.network.outputs[-1]].shape)
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
    "memory": Figure("bytes of the feature maps with the input", SIZE, lambda a: a.totals.values * a.itemsize),
    "peak": Figure("bytes alive at once at inference, without the input", SIZE, _peak),
    "weight_bytes": Figure("bytes of the weights and biases", SIZE, lambda a: a.memory().weights),
    "field": Figure("pixels of the largest field of a layer, along its longest axis", NUMBER, _field),
    "depth": Figure("weighted layers on the longest path", NUMBER, lambda a: depth(a.network)),
    "layers": Figure("layers", NUMBER, lambda a: len(a.rows) - len(a.network.inputs)),
    "batch": Figure("images of the batch", NUMBER, lambda a: a.batch),
}
"""The figures of a network at its input, batch, dtype and convention."""


def _layer_field(row: Row) -> int | None:
    return max(axis.field.size for axis in row.field) if row.field else None


LAYER: Mapping[str, Figure] = {
    "name": Figure("the name", "text", lambda row: row.name),
    "type": Figure("the type", "text", lambda row: row.type),
    "channels": Figure("channels of the output", NUMBER, lambda row: row.shape.channels if row.shape else None),
    "outputs": Figure(
        "values of the output, for one image", NUMBER, lambda row: row.shape.values if row.shape else None
    ),
    "params": Figure("parameters under the convention", NUMBER, lambda row: row.param_count),
    "macs": Figure("multiply-adds under the convention, for the batch", NUMBER, lambda row: row.macs),
    "field": Figure("pixels of the field along its longest axis", NUMBER, _layer_field),
}
"""The figures of one layer, behind ``layer.``: the layers of ``any``, ``all`` and ``count``."""


class Function(NamedTuple):
    """A figure with options: in words, its unit, the options with their usual values, and how it is computed."""

    about: str
    unit: Dimension
    options: Mapping[str, Any]
    value: Callable[..., Any]
    needs: tuple[str, ...] = ()


def _train_memory(analysis: Analysis, *, batch: int | None, **options: Any) -> int:
    count = analysis.batch if batch is None else batch
    optimizer = next((name for name in ("adam", "adamw", "momentum") if options.pop(name)), "sgd")
    return int(analysis.memory(optimizer, amp=options["amp"]).training_parts(count).total)


def _run_memory(analysis: Analysis, *, batch: int | None) -> int:
    return int(analysis.memory().inference_parts(analysis.batch if batch is None else batch).total)


def _time(analysis: Analysis, device: str, *, batch: int | None, **options: Any) -> float:
    if batch is not None:
        analysis = type(analysis)(analysis.network, batch, analysis.dtype, analysis.convention, analysis.training)
    return analysis.time(device, **options).estimate


FUNCTIONS: Mapping[str, Function] = {
    "train_memory": Function(
        "bytes that a step of training needs",
        SIZE,
        {"batch": None, "amp": False, "momentum": False, "adam": False, "adamw": False},
        _train_memory,
    ),
    "run_memory": Function("bytes that inference needs, with weights and input", SIZE, {"batch": None}, _run_memory),
    "time": Function(
        "seconds of the batch on a device",
        TIME,
        {"batch": None, "amp": False, "compiled": False, "channels_last": False, "tf32": False, "training": False},
        _time,
        ("device",),
    ),
}
