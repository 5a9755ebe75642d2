"""A stack of small kernels against one large kernel: field, weights, MACs and maps."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from archcalc.live.course.lesson import Asked, Case, Drawn, Lesson, Mistake, Number, Question, Step
from archcalc.live.course.vgg import paper
from archcalc.live.course.working import MACS, WEIGHTS, as_many, product_step
from archcalc.units import counted


def _single_kernel(n: Mapping[str, Any]) -> int:
    """The kernel of one convolution with the field of the stack."""
    return int(n["convs"] * (n["kernel"] - 1) + 1)


def _stack(n: Mapping[str, Any]) -> str:
    side, channels = n["side"], n["channels"]
    return f"INPUT {side}x{side}x{channels} (HxWxC) -> [CONV{n['kernel']}-{channels} -> RELU]*{n['convs']}"


def _single(n: Mapping[str, Any]) -> str:
    side, channels = n["side"], n["channels"]
    return f"INPUT {side}x{side}x{channels} (HxWxC) -> CONV{_single_kernel(n)}-{channels} -> RELU"


def _intro(case: Case) -> tuple[str, ...]:
    large = _single_kernel(case.n)
    return (
        "A convolution with a small kernel sees few pixels. A second one on top sees more, because each of its inputs has "
        "already seen a window.",
        f"VGG uses stacks of small kernels where older networks had one large kernel (section 2.3). Compare {_stack_text(case)} with one "
        f"convolution of {large}x{large}. Both have {counted(case['channels'], 'channel')} in and out, a stride of one, and pads that "
        "keep the size.",
    )


def _stack_text(case: Case) -> str:
    k, count = case["kernel"], case["convs"]
    return f"{count} convolution{'' if count == 1 else 's'} of {k}x{k}"


def _field(case: Case) -> Asked:
    analysis, k, count = case.analysis(), case["kernel"], case["convs"]
    last = [row for row in analysis.rows if row.type == "conv"][-1]
    size = int(last.field[0].field.size)
    return Asked(
        f"How many pixels of the input does one unit behind {_stack_text(case)} see along one side? This is the size of its "
        "receptive field.",
        size,
        "pixel",
        "field = 1 + number of convolutions × (kernel - 1): each convolution adds its kernel less one",
        (Step("field", f"1 + {count} × ({k} - 1)", size),),
        f"One convolution of {size}x{size} sees the same pixels. So the two networks can be compared.",
        (
            Mistake(count * k, "The windows overlap: each further convolution adds its kernel less one."),
            Mistake(k**count, "The field grows by a sum, not by a product, as long as the stride is one."),
            Mistake(k, "This is the field of the first convolution alone."),
            Mistake(size * size, "These are all pixels of the field. The question is about one side."),
            Mistake(size - 1, "Begin with the unit itself: one pixel, before the first convolution."),
        ),
    )


def _stack_weights(case: Case) -> Asked:
    analysis, k, c, count = case.analysis(), case["kernel"], case["channels"], case["convs"]
    value = int(analysis.totals.weights)
    return Asked(
        f"How many weights do {_stack_text(case)} have together, without biases?",
        value,
        "weight",
        f"{WEIGHTS}, for each convolution of the stack",
        (product_step("one convolution", k, k, c, c), product_step("the stack", count, k, k, c, c)),
        f"With C channels these are {count * k * k} C².",
        (
            Mistake(
                value // c, "Each output channel has a kernel for every input channel: multiply by the channels twice."
            ),
            Mistake(
                value // (c * c), "This is one kernel for one channel, in each layer. Multiply by the channels twice."
            ),
            Mistake(value // count, "This is one convolution. The stack has several."),
            Mistake(value // k, "A kernel has a height and a width: multiply by the kernel twice."),
            Mistake(int(analysis.totals.params), "This counts the biases too."),
        ),
    )


def _single_weights(case: Case) -> Asked:
    analysis, c, k = case.analysis(_single), case["channels"], _single_kernel(case.n)
    value, stack = int(analysis.totals.weights), int(case.analysis().totals.weights)
    return Asked(
        "How many weights does one convolution with the same field have, without biases?",
        value,
        "weight",
        f"{WEIGHTS}, with the field of the stack as the kernel",
        (product_step("weights", k, k, c, c),),
        f"With C channels these are {k * k} C².",
        (
            Mistake(
                value // c, "Each output channel has a kernel for every input channel: multiply by the channels twice."
            ),
            Mistake(value // (c * c), "This is one kernel for one channel. Multiply by the channels twice."),
            Mistake(value // k, "A kernel has a height and a width: multiply by the kernel twice."),
            Mistake(stack, "These are the weights of the stack."),
            Mistake(int(analysis.totals.params), "This counts the biases too."),
        ),
    )


def _more(case: Case) -> Asked:
    stack, single = int(case.analysis().totals.weights), int(case.analysis(_single).totals.weights)
    value = Fraction(100 * (single - stack), stack)
    return Asked(
        "How many percent more weights does the one large convolution have than the stack?",
        value,
        "percent",
        "percent more = 100 × (large - stack) / stack",
        (Step("percent more", f"100 × ({single:,} - {stack:,}) / {stack:,}", value),),
        "The channels cancel out: the answer is the same for any number of channels. The paper prints it in section 2.3, for "
        "its own numbers.",
        (
            Mistake(
                Fraction(100 * (single - stack), single),
                'This is the difference in percent of the large convolution. "More than the stack" is in percent of the '
                "stack.",
            ),
            Mistake(Fraction(100 * single, stack), "This is the whole large convolution in percent of the stack."),
            Mistake(Fraction(single, stack), "This is how many times as many. The question is percent more."),
            Mistake(Fraction(100 * stack, single), "This is the stack in percent of the large convolution."),
        ),
        "%",
    )


def _macs(case: Case) -> Asked:
    analysis, side, c, k, count = case.analysis(), case["side"], case["channels"], case["kernel"], case["convs"]
    value, single = int(analysis.totals.macs), int(case.analysis(_single).totals.macs)
    weights = int(analysis.totals.weights)
    return Asked(
        f"How many multiply-adds (MACs) does the stack do on a map of {side:,} x {side:,}?",
        value,
        "MAC",
        MACS,
        (product_step("weights of the stack", count, k, k, c, c), product_step("MACs", weights, side, side)),
        f"The large convolution does {single:,} MACs, {as_many(single, value)}: the same ratio as the weights.",
        (
            Mistake(weights, "These are the weights. Each of them is used at every position of the map."),
            Mistake(weights * side, "The map has a height and a width: multiply by the side twice."),
            Mistake(2 * value, "These are floating-point operations: one MAC is a multiplication and an addition."),
            Mistake(value // count, "This is one convolution of the stack."),
            Mistake(single, "These are the MACs of the large convolution."),
        ),
    )


def _maps(case: Case) -> Asked:
    side, c, count = case["side"], case["channels"], case["convs"]
    rows = [row for row in case.analysis().rows if row.type == "conv"]
    value = sum(int(row.values or 0) for row in rows)
    return Asked(
        "The stack has a price. How many values do the outputs of all its convolutions have together, for one image?",
        value,
        "value",
        "values = number of convolutions × channels × height × width",
        (product_step("values", count, c, side, side),),
        f"The one large convolution makes {counted(value // count, 'value')}. Training saves such maps for the backward pass. "
        + (
            "So the stack needs fewer weights, and more memory for maps."
            if count > 1
            else "A stack of one is no cheaper."
        ),
        (
            Mistake(value // count, "This is one map. Every convolution of the stack makes one."),
            Mistake(count * side * side, "This is one channel of each map. Multiply by the channels."),
            Mistake(value + c * side * side, "This counts the input too. The question is the outputs."),
            Mistake(int(case.analysis().totals.macs), "These are the MACs of the stack."),
        ),
    )


LESSON = Lesson(
    "stack",
    "Small kernels in a stack",
    _intro,
    (paper("section 2.3"),),
    (
        Number("kernel", "kernel of the stack", 3, 3, 15, odd=True),
        Number("convs", "convolutions", 3, 1, 10),
        Number("channels", "channels", 64, 1, 4096),
        Number("side", "side of the map", 56, 1, 512),
    ),
    (Drawn("The stack", _stack, _single), Drawn("One large kernel", _single, _stack)),
    (
        Question("field", "The field of the stack", _field),
        Question("stack-weights", "The weights of the stack", _stack_weights),
        Question("single-weights", "The weights of one large kernel", _single_weights),
        Question("more", "In percent", _more),
        Question("macs", "The MACs of the stack", _macs),
        Question("maps", "The price of the stack", _maps),
    ),
)
