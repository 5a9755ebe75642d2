"""Why most parameters of VGG-16 are in fc6, and what changes with the input and with global pooling."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from archcalc.live.course.lesson import Asked, Case, Drawn, Lesson, Mistake, Number, Question, Source, Step
from archcalc.live.course.vgg import POOLED_END, paper, vgg16
from archcalc.live.course.working import as_many, params_step, product_step, side, side_step, sum_step, weights_step
from archcalc.units import count_text, counted

POOLINGS = tuple(f"pool{stage}" for stage in range(1, 6))


def _text(n: Mapping[str, Any]) -> str:
    return vgg16(n["side"], n["width"], n["classes"])


def _pooled(n: Mapping[str, Any]) -> str:
    return vgg16(n["side"], n["width"], n["classes"], POOLED_END)


def _intro(_: Case) -> tuple[str, ...]:
    return (
        "A convolution uses the same weights at every position. A fully connected layer does not: it has a weight for each "
        "value that comes in and each output.",
        "fc6 is the first fully connected layer of VGG-16. Find out how much of the network it is, and what makes it smaller.",
    )


def _reaches(case: Case) -> Asked:
    analysis = case.analysis()
    last = analysis["pool5"].shape
    assert last is not None
    size, channels = side(analysis, "pool5"), int(last.channels)
    value = int(last.values)
    return Asked(
        f"The input has a side of {case['side']:,}. The convolutions keep the size, and each of the {len(POOLINGS)} poolings "
        f"halves it, rounded down. The last map has {channels} channels. How many values reach fc6?",
        value,
        "value",
        "values = channels × side × side of the last map, after all poolings",
        (*(side_step(analysis, name) for name in POOLINGS), product_step("values", channels, size, size)),
        "Every output of fc6 reads all of them.",
        (
            Mistake(channels, "These are the channels. Each of them has several positions."),
            Mistake(size * size, "These are the positions of one channel. Multiply by the channels."),
            Mistake(4 * value, "This misses one pooling."),
            Mistake(case["width"], "These are the outputs of fc6."),
        ),
    )


def _weights(case: Case) -> Asked:
    analysis = case.analysis()
    row = analysis["fc6"]
    value, values = row.params.weight, int(row.inputs[0].values)
    channels = int(analysis["pool5"].shape.channels) if analysis["pool5"].shape else 0
    conv = analysis["conv5_3"].params.weight
    return Asked(
        f"fc6 has {counted(case['width'], 'output')}. How many weights does it have, without biases?",
        value,
        "weight",
        "weights = values that come in × outputs",
        (weights_step(analysis, "fc6"),),
        f"conv5_3 has {conv:,} weights, because it uses them again at every position. fc6 has {as_many(value, conv)}.",
        (
            Mistake(channels * case["width"], "This uses the channels alone. fc6 has weights for every position too."),
            Mistake(value + row.params.bias, "This counts the biases too."),
            Mistake(values + case["width"], "Every value is connected to every output: multiply."),
            Mistake(values, "These are the values that come in. Each of them has a weight for every output."),
        ),
    )


def _all(case: Case) -> Asked:
    analysis = case.analysis()
    totals = analysis.totals
    owners = [row for row in analysis.rows if row.param_count]
    convolutions = sum(int(row.param_count) for row in analysis.rows if row.type == "conv")
    return Asked(
        "How many parameters does the whole network have, weights and biases?",
        int(totals.params),
        "parameter",
        "convolution: kernel × kernel × channels in × channels out + channels out. "
        "Fully connected layer: values in × outputs + outputs. Add up all layers.",
        (*(params_step(row) for row in owners), sum_step("sum", [int(row.param_count) for row in owners])),
        f"All {sum(row.type == 'conv' for row in analysis.rows)} convolutions together have {count_text(convolutions)}.",
        (
            Mistake(convolutions, "These are the convolutions. Add the fully connected layers."),
            Mistake(int(totals.params) - convolutions, "These are the fully connected layers. Add the convolutions."),
            Mistake(int(totals.params) - int(analysis["fc6"].param_count), "This leaves out fc6."),
        ),
    )


def _share(case: Case) -> Asked:
    analysis = case.analysis()
    own, everything = int(analysis["fc6"].param_count), int(analysis.totals.params)
    value = Fraction(100 * own, everything)
    fc = sum(int(row.param_count) for row in analysis.rows if row.type == "linear")
    return Asked(
        "How many percent of all parameters are in fc6?",
        value,
        "percent",
        "share = 100 × parameters of fc6 / parameters of the network",
        (Step("share", f"100 × {own:,} / {everything:,}", value),),
        f"fc6 does {100 * int(analysis['fc6'].macs or 0) / int(analysis.totals.macs):.1f} % of the MACs: it has many "
        "weights, and uses each once.",
        (
            Mistake(Fraction(own, everything), "This is the share as a fraction. Multiply by a hundred."),
            Mistake(Fraction(100 * fc, everything), "This is the share of all fully connected layers."),
            Mistake(Fraction(100 * own, everything - own), "This is fc6 in percent of the rest of the network."),
        ),
        "%",
    )


def _larger(case: Case) -> Asked:
    doubled = case.analysis(side=2 * case["side"])
    analysis = case.analysis()
    before, value = analysis["fc6"].params.weight, doubled["fc6"].params.weight
    convolutions = sum(row.params.weight for row in doubled.rows if row.type == "conv")
    return Asked(
        f"Double the side of the input, to {2 * case['side']:,}. How many weights does fc6 have then?",
        value,
        "weight",
        "weights = channels × side × side of the last map × outputs, with the doubled side",
        (*(side_step(doubled, name) for name in POOLINGS), weights_step(doubled, "fc6")),
        f"That is {as_many(value, before)} as before. The convolutions have {convolutions:,} weights at any size. So "
        "fc6 ties the network to one input size.",
        (
            Mistake(before, "fc6 does change: it has weights for every position of the last map."),
            Mistake(2 * before, "The map grows in height and in width."),
            Mistake(int(doubled["fc6"].param_count), "This counts the biases too."),
        ),
    )


def _global(case: Case) -> Asked:
    analysis, pooled = case.analysis(), case.analysis(_pooled)
    value, before = pooled["fc6"].params.weight, analysis["fc6"].params.weight
    return Asked(
        "Put a global average pooling in front of fc6: it takes the mean of each channel of the last map. How many weights "
        "does fc6 have then?",
        value,
        "weight",
        "weights = channels × outputs: one value of each channel is left",
        (weights_step(pooled, "fc6"),),
        f"Without this pooling, fc6 has {as_many(before, value)}. The number of positions is gone from the formula, so the input may "
        "have any size. Network in network introduced this pooling, in section 3.2.",
        (
            Mistake(before, "The pooling leaves one value of each channel, so fewer values reach fc6."),
            Mistake(case["width"], "One value of each channel is left: multiply by the channels."),
            Mistake(int(pooled["fc6"].param_count), "This counts the biases too."),
        ),
    )


def _pooled_share(case: Case) -> Asked:
    pooled = case.analysis(_pooled)
    own, everything = int(pooled["fc6"].param_count), int(pooled.totals.params)
    value, old = Fraction(100 * own, everything), int(case.analysis().totals.params)
    return Asked(
        "And how many percent of all parameters are in fc6 now?",
        value,
        "percent",
        "share = 100 × parameters of fc6 / parameters of the network with global pooling",
        (
            Step("parameters of fc6", "", own),
            Step("parameters of the network", "", everything),
            Step("share", f"100 × {own:,} / {everything:,}", value),
        ),
        f"The whole network has {count_text(everything)} parameters, and {count_text(old)} without this pooling.",
        (
            Mistake(Fraction(own, everything), "This is the share as a fraction. Multiply by a hundred."),
            Mistake(Fraction(100 * own, old), "This divides by the parameters of the network without global pooling."),
        ),
        "%",
    )


LESSON = Lesson(
    "fc6",
    "Why fc6 holds most of VGG-16",
    _intro,
    (
        paper("Table 1, configuration D, and Table 2"),
        Source(
            "Lin, Chen and Yan, Network in network, ICLR 2014, arXiv:1312.4400: section 3.2, global average pooling",
            "https://arxiv.org/abs/1312.4400",
        ),
    ),
    (
        Number("side", "side of the input", 224, 32, 1024),
        Number("width", "outputs of fc6 and fc7", 4096, 1, 16_384),
        Number("classes", "classes", 1000, 1, 100_000),
    ),
    (Drawn("VGG-16", _text), Drawn("With global average pooling", _pooled)),
    (
        Question("reaches", "What reaches fc6", _reaches),
        Question("weights", "The weights of fc6", _weights),
        Question("all", "All parameters", _all),
        Question("share", "The share of fc6", _share),
        Question("larger", "A larger input", _larger),
        Question("global", "Global average pooling", _global),
        Question("pooled-share", "The share after pooling", _pooled_share),
    ),
)
