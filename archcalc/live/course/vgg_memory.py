"""The memory of VGG-16: feature maps, the peak of inference, and what training adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archcalc.live.course.lesson import Asked, Case, Choice, Drawn, Lesson, Mistake, Number, Question, Source, Step
from archcalc.live.course.vgg import paper, vgg16
from archcalc.live.course.working import as_many, forgotten, product_step, sum_step, times, values_steps
from archcalc.memory.budget import OPTIMIZERS, TRAINABLE, Budget
from archcalc.report.memory import part_title, peak_facts
from archcalc.units import bytes_text, count_text, counted

BITS, MILLION = 8, 10**6


def _text(n: Mapping[str, Any]) -> str:
    return vgg16(n["side"])


def _intro(case: Case) -> tuple[str, ...]:
    return (
        "A network needs memory for its weights, and for the maps between its layers. Inference frees a map as soon as no "
        "later layer reads it. Training saves maps for the backward pass.",
        "The notes of CS231n print a total for these maps. The rows of their own table do not add up to it.",
    )


def _budget(case: Case) -> Budget:
    return case.analysis().memory(optimizer=case.n["optimizer"])


def _per_batch(case: Case) -> str:
    return "one image" if case["batch"] == 1 else f"a batch of {case['batch']:,} images"


def _one_map(case: Case) -> Asked:
    analysis, batch = case.analysis(), case["batch"]
    row = analysis["conv1_1"]
    assert row.shape is not None
    channels, side = int(row.shape.channels), int(row.shape.axes[0])
    value = batch * int(row.shape.values)
    return Asked(
        f"conv1_1 makes {channels} channels, each as high and as wide as the input: {side:,} x {side:,}. How many values does "
        f"its output have for {_per_batch(case)}?",
        value,
        "value",
        "values = images × channels × height × width",
        (product_step("values", batch, channels, side, side),),
        f"The network input has {batch * int(row.inputs[0].values):,} values. One layer makes "
        f"{as_many(int(row.shape.values), int(row.inputs[0].values))}.",
        (
            *forgotten(value, batch),
            Mistake(side * side, "This is one channel of one image. Multiply by the channels."),
            Mistake(
                batch * int(row.inputs[0].values),
                "These are the values of the network input. The output has the channels of conv1_1.",
            ),
            Mistake(row.params.weight, "These are the weights of conv1_1. The question is its output."),
            Mistake(
                row.params.weight + row.params.bias, "These are the parameters of conv1_1. The question is its output."
            ),
        ),
    )


def _all_maps(case: Case) -> Asked:
    analysis, batch = case.analysis(), case["batch"]
    totals, steps = analysis.totals, values_steps(analysis.rows, batch)
    twice = int(totals.values + totals.conv_inputs)
    relus = sum(batch * int(row.shape.values) for row in analysis.rows if row.type == "relu" and row.shape)
    image = int(analysis.rows[0].values or 0)
    return Asked(
        "Add up the network input and the outputs of all layers. A ReLU writes over its input and flatten moves nothing, so "
        f"both add 0. How many values are there for {_per_batch(case)}?",
        int(totals.values),
        "value",
        "values of each map = images × channels × height × width; add up all maps",
        (*steps, sum_step("sum", [int(step.result) for step in steps])),
        f"{100 * (steps[1].result / totals.values):.0f} % of the values are in the first two convolutions, where the maps are "
        "largest.",
        (
            *forgotten(int(totals.values), batch),
            Mistake(
                twice,
                f"This is {count_text(twice)}: all maps, and the input of every convolution a second time. CS231n prints "
                f"such a total. The rows of its own table add up to {count_text(int(totals.values))}. That the course counted "
                "in this way is a conjecture.",
            ),
            Mistake(
                int(totals.values) + relus,
                "This counts the output of every ReLU. A ReLU can write over its input, and needs no memory of its own.",
            ),
            Mistake(int(totals.values) - image, "This leaves out the network input."),
            Mistake(totals.params, "These are the parameters. The question is the values of the maps."),
        ),
    )


def _in_bytes(case: Case) -> Asked:
    analysis = case.analysis()
    totals, size = analysis.totals, analysis.itemsize
    value = int(totals.values) * size
    twice = int(totals.values + totals.conv_inputs)
    doubled = (
        f"This is {count_text(twice)} values: the input of every convolution is counted twice. CS231n's notes and slides "
        f"print such a sum. The maps add up to {count_text(int(totals.values))}."
    )
    return Asked(
        f"Each value is a {case.n['dtype']}. How many bytes do all these maps have for {_per_batch(case)}?",
        value,
        "byte",
        "bytes = values × bytes of one value",
        (
            Step("values of all maps", "", int(totals.values)),
            Step(f"bytes of one {case.n['dtype']}", f"{BITS * size} bits / {BITS}", size),
            product_step("bytes", int(totals.values), size),
        ),
        "This sum is not the memory in use at any moment. Inference frees maps early, and training saves other tensors.",
        (
            *forgotten(value, case["batch"]),
            Mistake(int(totals.values), f"This is one byte for each value. A {case.n['dtype']} has {size} bytes."),
            Mistake(value * BITS, f"These are bits. A byte has {BITS} bits."),
            *(Mistake(values * size, doubled) for values in (twice, twice // MILLION * MILLION)),
        ),
        "bytes",
    )


def _inference(case: Case) -> Asked:
    budget, batch = _budget(case), case["batch"]
    facts = peak_facts(budget.inference.of_batch(batch), batch)
    alive = [(one["tensor"], one["bytes"]) for one in facts["alive_at_peak"]]
    analysis = case.analysis()
    everything = int(analysis.totals.values) * analysis.itemsize
    convolutions = [row for row in analysis.rows if row.type == "conv"][1:]
    without_index = max(int(row.inputs[0].values + (row.values or 0) // batch) for row in convolutions)
    return Asked(
        "Inference runs layer by layer, and frees a map after its last reader. What is the largest number of bytes that the "
        f"maps have at one moment, for {_per_batch(case)}? Leave out the weights and the network input.",
        facts["peak"],
        "byte",
        "While a layer runs, its input and its output are alive. Find the layer where the two are largest. A max pooling of "
        "PyTorch also makes an index of int64 for each value of its output.",
        (
            *(_alive_step(case, name, size) for name, size in alive),
            sum_step(f"while {facts['peak_layer']} runs", [size for _, size in alive]),
        ),
        f"All maps together have {as_many(everything, facts['peak'])} bytes. The weights need {bytes_text(budget.weights)}, at "
        "any batch.",
        (
            *forgotten(facts["peak"], batch),
            Mistake(everything, "These are all maps together. Inference never holds them at one moment."),
            Mistake(
                max(size for _, size in alive),
                "This is the largest map alone. While a layer runs, its input and its output are alive.",
            ),
            Mistake(
                without_index * batch * analysis.itemsize,
                "These are the input and the output of a convolution. A max pooling needs more: its input, its output and "
                "their index.",
            ),
            Mistake(facts["peak"] + budget.weights, "This counts the weights too. The question is the maps."),
            Mistake(facts["peak"] + budget.image(batch), "This counts the network input too."),
        ),
        "bytes",
    )


def _alive_step(case: Case, name: str, size: int) -> Step:
    """The bytes of a map that is alive, as a product if it is the output of a layer."""
    analysis = case.analysis()
    shape = next((row.shape for row in analysis.rows if row.name == name), None)
    if shape is not None:
        step = product_step(
            f"output of {name}", case["batch"], *map(int, (shape.channels, *shape.axes)), analysis.itemsize
        )
        if step.result == size:
            return step
    return Step(name, "", size)


def _weights(case: Case) -> Asked:
    analysis, budget, optimizer = case.analysis(), _budget(case), case.n["optimizer"]
    kind, params, size = OPTIMIZERS[optimizer], int(analysis.totals.params), analysis.itemsize
    counters = budget.optimizer_bytes - kind.per_weight * budget.gradients
    parts = [budget.weights, budget.gradients, budget.optimizer_bytes]
    more = (Step("step counters", times(4, len(budget.tensors)), counters),) if counters else ()
    return Asked(
        f"Training holds the weights, a gradient for each weight, and the state of the optimizer. {optimizer} stores "
        f"{counted(kind.per_weight, 'number') if kind.per_weight else 'no number'} for each weight. How many bytes are these three together?",
        sum(parts),
        "byte",
        "bytes = parameters × bytes of one value × (1 + 1 + numbers of the optimizer)"
        + ("; and a counter of steps, a float32, for each weight tensor" if counters else ""),
        (
            product_step("weights", params, size),
            product_step("gradients", params, size),
            *(
                (product_step(f"state of {optimizer}", kind.per_weight, params, size),)
                if kind.per_weight
                else (Step(f"state of {optimizer}", "", 0),)
            ),
            *more,
            sum_step("sum", [*parts[:2], kind.per_weight * budget.gradients, *([counters] if counters else [])]),
        ),
        "This part does not depend on the batch, and not on the size of the maps.",
        (
            Mistake(budget.weights, "These are the weights alone."),
            Mistake(budget.weights + budget.gradients, "This leaves out the state of the optimizer."),
            Mistake(budget.weights + budget.optimizer_bytes, "This leaves out the gradients."),
            Mistake(params * (2 + kind.per_weight), "These are numbers, not bytes."),
            Mistake(sum(parts) * case["batch"], "The weights exist once, whatever the batch."),
        ),
        "bytes",
    )


def _training(case: Case) -> Asked:
    budget, batch = _budget(case), case["batch"]
    parts, inference = budget.training_parts(batch), budget.inference_parts(batch)
    kept = [(part_title(key), size) for key, size in parts._asdict().items() if size]
    return Asked(
        f"One step of training with {case.n['optimizer']}, on {_per_batch(case)}: how many bytes are alive at its largest "
        "moment, weights and network input included? Estimate, or add up the parts of the second hint.",
        parts.total,
        "byte",
        "training = weights + gradients + state of the optimizer + network input + activations, which are saved maps and the "
        "gradients of maps",
        (
            *(Step(title, "", size) for title, size in kept),
            sum_step("sum", [size for _, size in kept]),
        ),
        f"Inference needs {bytes_text(inference.total)}. Training needs "
        f"{as_many(parts.total, inference.total)} bytes. Try a larger batch: the maps grow with it, the weights do not.",
        (
            Mistake(inference.total, "This is inference: no gradients, no state of the optimizer, no saved maps."),
            Mistake(
                parts.weights + parts.gradients + parts.optimizer, "This leaves out the maps and the network input."
            ),
            Mistake(parts.activations, "These are the maps and their gradients alone."),
        ),
        "bytes",
    )


LESSON = Lesson(
    "vgg-memory",
    "The memory of VGG-16",
    _intro,
    (
        paper("Table 1, configuration D"),
        Source(
            'CS231n course notes, convolutional networks, "VGGNet in detail": the table of maps and its TOTAL memory',
            "https://cs231n.github.io/convolutional-networks/",
        ),
    ),
    (
        Number("side", "side of the input", 224, 32, 1024),
        Number("batch", "batch", 1, 1, 65_536),
        Choice("dtype", "data type", ("float32", *(name for name in TRAINABLE if name != "float32"))),
        Choice("optimizer", "optimizer", tuple(OPTIMIZERS)),
    ),
    (Drawn("VGG-16", _text),),
    (
        Question("one-map", "One map", _one_map),
        Question("all-maps", "All maps", _all_maps),
        Question("bytes", "All maps in bytes", _in_bytes),
        Question("inference", "The peak of inference", _inference),
        Question("weights", "Weights, gradients, optimizer", _weights),
        Question("training", "The peak of training", _training),
    ),
)
