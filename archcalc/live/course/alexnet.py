"""The sizes of AlexNet: why the input has a side of 227, and what reaches the first fully connected layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from archcalc.analysis import analyze
from archcalc.errors import ArchcalcError
from archcalc.language.zoo import load
from archcalc.live.course.lesson import Asked, Case, Drawn, Lesson, Mistake, Number, Question, Source, Step
from archcalc.live.course.working import SIDE, product_step, side, side_step, slide
from archcalc.units import counted

PRINTED = 224
"""The side of the input that the paper prints, in section 3.5 and in Figure 2."""
MOST_PAD = 16


def _text(n: Mapping[str, Any]) -> str:
    pool = f"  - max_pool: {{kernel: {n['pool_kernel']}, stride: {n['pool_stride']}}}\n"
    return (
        f"input: [3, {n['side']}, {n['side']}]\n"
        "layers:\n"
        f"  - conv: {{out: 96, kernel: {n['kernel']}, stride: {n['stride']}, pad: {n['pad']}}}\n    name: conv1\n"
        "  - relu\n"
        f"{pool}    name: pool1\n"
        "  - conv: {out: 256, kernel: 5, pad: 2}\n    name: conv2\n"
        "  - relu\n"
        f"{pool}    name: pool2\n"
        "  - conv: {out: 384, kernel: 3, pad: 1}\n    name: conv3\n"
        "  - relu\n"
        "  - conv: {out: 384, kernel: 3, pad: 1}\n    name: conv4\n"
        "  - relu\n"
        "  - conv: {out: 256, kernel: 3, pad: 1}\n    name: conv5\n"
        "  - relu\n"
        f"{pool}    name: pool3\n"
        "  - flatten\n"
        "  - linear: {out: 4096}\n    name: fc6\n"
    )


def _first_layer(n: Mapping[str, Any]) -> str:
    return _text(n).partition("  - relu\n")[0]


def _two_layers(n: Mapping[str, Any]) -> str:
    return _text(n).partition("name: pool1\n")[0] + "name: pool1\n"


def _intro(case: Case) -> tuple[str, ...]:
    return (
        "A window moves over the input of a layer. At each stop it makes one position of the output. So the number of "
        "stops is the side of the output. All maps of AlexNet are square.",
        "The paper and its readers do not agree about the first number, the side of the input. Find out who is right.",
    )


@lru_cache(maxsize=1)
def _paper() -> int:
    """The side of conv1 in Figure 2, which is that of the zoo's AlexNet."""
    return side(analyze(load("alexnet")), "conv1")


def _conv1(case: Case) -> Asked:
    analysis = case.analysis(_first_layer)
    size = side(analysis, "conv1")
    kernel, stride, pad, n = case["kernel"], case["stride"], case["pad"], case["side"]
    last = (size - 1) * stride
    return Asked(
        f"conv1 moves a window of {counted(kernel, 'pixel')} over an input with a side of {n:,}. The stride is {stride}, and the pad "
        f"on each side is {pad}. How many positions does one side of the output have?",
        size,
        "position",
        SIDE,
        (side_step(analysis, "conv1"),),
        f"The first window begins at position {-pad:,}{', in the pad' if pad else ''}, and each window begins {stride} "
        f"further on. The last one begins at {last - pad:,}. That is {counted(size - 1, 'step')}, and one window more than steps.",
        (
            Mistake(size - 1, "This is the number of steps. There is one window more than steps: add 1."),
            Mistake(n - kernel + 1 + 2 * pad, "This is the side with a stride of 1. Divide by the stride first."),
            Mistake(
                (n + pad - kernel) // stride + 1, "This counts the pad once. The pad stands on both sides of the input."
            ),
            Mistake((n - kernel) // stride + 1, "This leaves out the pad."),
            Mistake(
                n // stride,
                "This is input / stride. It forgets that the window has a width: take the kernel from the input first.",
            ),
            Mistake(
                -(-n // stride),
                "This is input / stride, rounded up. It forgets that the window has a width: take the kernel from the "
                "input first.",
            ),
            Mistake(size * size, "These are all positions of one map. The question is about one side."),
        ),
    )


def _left_over(case: Case) -> Asked:
    kernel, stride, pad = case["kernel"], case["stride"], case["pad"]
    (size, left), paper = _printed(case), _paper()
    found = f"With {PRINTED}, conv1 has a side of {size:,}. Figure 2 of the paper shows {paper}."
    return Asked(
        f"The paper prints an input with a side of {PRINTED} (section 3.5). Take this input in place of yours. How many pixels at the "
        "end of a row, pad included, does no window of conv1 read?",
        left,
        "pixel",
        "left over = (input + pad + pad - kernel) mod stride, where mod means: the remainder of the division",
        (Step("left over", f"({PRINTED} + {pad} + {pad} - {kernel}) mod {stride}", left),),
        found if size != paper else f"{found} So your numbers agree with the figure.",
        (
            Mistake(
                PRINTED % stride,
                "This divides the whole input by the stride. The first window already covers as many pixels as the kernel "
                "has: take the kernel away first.",
            ),
            Mistake(abs(case["side"] - PRINTED), f"This is the difference between your input and {PRINTED}."),
        ),
    )


def _fitting(case: Case) -> Asked:
    kernel, stride, pad = case["kernel"], case["stride"], case["pad"]
    paper = _paper()
    fitting = (paper - 1) * stride + kernel - 2 * pad
    size, left = _printed(case)
    return Asked(
        f"Figure 2 of the paper shows conv1 with a side of {paper}. Which side of the input do {paper} windows cover "
        "exactly, so that no pixel is left over?",
        fitting,
        "pixel",
        "input = (side - 1) × stride + kernel - pad - pad",
        (Step("input", f"({paper} - 1) × {stride} + {kernel} - {pad} - {pad}", fitting),),
        f"{paper - 1} steps of {stride}, and the width of one window. The paper's {PRINTED} gives {size} with these "
        f"numbers, and leaves {counted(left, 'pixel')} over.",
        (
            Mistake(PRINTED, _about_printed(case, paper)),
            Mistake(
                paper * stride,
                f"This is {paper} times the stride. There are {paper - 1} steps, and then the last window.",
            ),
            Mistake(
                paper * stride + kernel - 2 * pad,
                f"This has one step too many: between {paper} windows there are {paper - 1} steps.",
            ),
            Mistake((paper - 1) * stride, "These are the steps alone. The last window has a width: add the kernel."),
            Mistake(
                (paper - 1) * stride + kernel,
                "This is the input with its pad. The pad is not part of the input: take it away, on both sides.",
            ),
        ),
    )


def _about_printed(case: Case, wanted: int) -> str:
    """What the printed input gives, and the pad with which it gives the side that is wanted."""
    size, left = _printed(case)
    if size == wanted:
        return f"With {PRINTED}, conv1 has a side of {size} too, and {counted(left, 'pixel')} left over."
    said = f"With {PRINTED} and a pad of {case['pad']}, conv1 has a side of {size}."
    pad = next(_pads(case, wanted), None)
    return said if pad is None else f"{said} A pad of {pad} gives {wanted}, but the pad is {case['pad']} here."


def _printed(case: Case) -> tuple[int, int]:
    """The side of conv1 with the input that the paper prints, and the pixels that are left over."""
    analysis = case.analysis(_first_layer, side=PRINTED)
    _, span, stride, before, after = slide(analysis, "conv1")
    return side(analysis, "conv1"), int((PRINTED + before + after - span) % stride)


def _pads(case: Case, wanted: int) -> Iterator[int]:
    """The pads with which the printed input gives a side of conv1."""
    for pad in range(MOST_PAD + 1):
        try:
            if side(case.analysis(_first_layer, side=PRINTED, pad=pad), "conv1") == wanted:
                yield pad
        except ArchcalcError:
            continue


def _pool1(case: Case) -> Asked:
    analysis = case.analysis(_two_layers)
    before, size = side(analysis, "conv1"), side(analysis, "pool1")
    kernel, stride = case["pool_kernel"], case["pool_stride"]
    return Asked(
        f"pool1 takes the largest value of a window of {counted(kernel, 'position')}, and moves it by {stride}. It has no pad. How "
        "many positions does one side of its output have?",
        size,
        "position",
        "The formula of conv1 holds for a pooling too. Its input is the output of conv1, and its pad is 0.",
        (side_step(analysis, "conv1"), side_step(analysis, "pool1")),
        f"The side goes from {before:,} to {size:,}. The channels stay as they are: a pooling works on each map alone.",
        (
            Mistake(before, "This is the side of conv1, the input of pool1."),
            Mistake(before // kernel, "This divides by the kernel. The windows move by the stride."),
            Mistake(-(-(before - kernel) // stride) + 1, "This rounds up. A window that does not fit is not used."),
            Mistake(size - 1, "This is the number of steps. There is one window more than steps: add 1."),
            Mistake(
                -(-before // stride), "This is input / stride, rounded up. A window that does not fit is not used."
            ),
        ),
    )


def _overlap(case: Case) -> Asked:
    kernel, stride = case["pool_kernel"], case["pool_stride"]
    shared = max(0, kernel - stride)
    return Asked(
        f"The windows of pool1 have a kernel of {kernel} and a stride of {stride}. How many positions do two neighbouring "
        "windows share along a side?",
        shared,
        "position",
        "shared = kernel - stride, or 0 if the stride is larger",
        (Step("shared", f"max(0, {kernel} - {stride})", shared),),
        "The windows overlap. Section 3.4 of the paper calls this overlapping pooling, and reports a lower error with it."
        if shared
        else "The windows do not overlap. The paper's windows do (section 3.4).",
        (
            Mistake(0, "Windows that share nothing have a stride of at least the kernel."),
            Mistake(stride, "This is how far a window moves. The rest of the window is shared."),
            Mistake(kernel, "This is the whole window. It moves on by the stride, so a part of it is not shared."),
        ),
    )


def _reaches_fc6(case: Case) -> Asked:
    analysis = case.analysis()
    last, conv5 = analysis["pool3"].shape, analysis["conv5"].shape
    fc6 = analysis["fc6"]
    assert last is not None
    assert conv5 is not None
    values, size = int(last.values), side(analysis, "pool3")
    layers = ("conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool3")
    return Asked(
        "Go on through the network: pool2 and pool3 are like pool1, and the convolutions are in the text. flatten writes "
        "all values of the last map in one row. How many values reach fc6?",
        values,
        "value",
        "The formula of conv1, layer by layer. Then: values = channels × side × side of the last map.",
        (
            *(side_step(analysis, name) for name in layers),
            product_step("values", int(last.channels), size, size),
        ),
        f"fc6 has a weight for each of these values and each of its outputs: {fc6.params.weight:,} weights, "
        f"{100 * fc6.params.weight / analysis.totals.weights:.0f} % of the weights in this text.",
        (
            Mistake(size * size, "These are the positions of one channel. Multiply by the channels."),
            Mistake(size, "This is the side of the last map. fc6 reads all its positions in all its channels."),
            Mistake(int(conv5.values), "This is the output of conv5. pool3 stands between conv5 and fc6."),
            Mistake(
                int(fc6.shape.values) if fc6.shape else 0, "These are the outputs of fc6. The question is its input."
            ),
            Mistake(int(last.channels), "These are the channels of the last map. Each has several positions."),
            Mistake(fc6.params.weight, "These are the weights of fc6: values that reach it, times its outputs."),
        ),
    )


LESSON = Lesson(
    "alexnet",
    "The sizes of AlexNet",
    _intro,
    (
        Source(
            "Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks, NIPS 2012: "
            "sections 3.4 and 3.5, Figure 2",
            "https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks",
        ),
        Source(
            'CS231n course notes, convolutional networks, the paragraph "Real-world example" on this input',
            "https://cs231n.github.io/convolutional-networks/",
        ),
    ),
    (
        Number("side", "side of the input", 227, 1, 1024),
        Number("kernel", "kernel of conv1", 11, 1, 64),
        Number("stride", "stride of conv1", 4, 1, 16),
        Number("pad", "pad of conv1", 0, 0, MOST_PAD),
        Number("pool_kernel", "kernel of the poolings", 3, 1, 16),
        Number("pool_stride", "stride of the poolings", 2, 1, 16),
    ),
    (Drawn("AlexNet up to fc6", _text),),
    (
        Question("conv1", "The side of conv1", _conv1),
        Question("left-over", "What the paper's input leaves over", _left_over),
        Question("fitting", "The input that fits", _fitting),
        Question("pool1", "The side of pool1", _pool1),
        Question("overlap", "Windows that overlap", _overlap),
        Question("fc6", "What reaches fc6", _reaches_fc6),
    ),
)
