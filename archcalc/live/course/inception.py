"""The bottleneck of an Inception module: convolutions of 1x1 in front of the larger kernels."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from archcalc.analysis import Analysis
from archcalc.live.course.lesson import Asked, Case, Drawn, Lesson, Mistake, Number, Question, Source, Step
from archcalc.live.course.working import MACS, as_many, macs_step, sum_step
from archcalc.units import count_text, counted


def _head(n: Mapping[str, Any]) -> str:
    return f"input: [{n['channels']}, {n['side']}, {n['side']}]\nlayers:\n  - concat:\n"


def _conv(out: int, kernel: int, name: str) -> str:
    pad = f", pad: {kernel // 2}" if kernel > 1 else ""
    return f"        - conv: {{out: {out}, kernel: {kernel}{pad}}}\n          name: {name}\n"


def _naive(n: Mapping[str, Any]) -> str:
    return (
        f"{_head(n)}"
        f"      b1:\n{_conv(n['out1'], 1, 'conv1x1')}"
        f"      b3:\n{_conv(n['out3'], 3, 'conv3x3')}"
        f"      b5:\n{_conv(n['out5'], 5, 'conv5x5')}"
        "      pool:\n        - max_pool: {kernel: 3, stride: 1, pad: 1}\n"
        "    name: out\n"
    )


def _bottleneck(n: Mapping[str, Any]) -> str:
    return (
        f"{_head(n)}"
        f"      b1:\n{_conv(n['out1'], 1, 'conv1x1')}"
        f"      b3:\n{_conv(n['reduce3'], 1, 'reduce3')}{_conv(n['out3'], 3, 'conv3x3')}"
        f"      b5:\n{_conv(n['reduce5'], 1, 'reduce5')}{_conv(n['out5'], 5, 'conv5x5')}"
        "      pool:\n        - max_pool: {kernel: 3, stride: 1, pad: 1}\n"
        f"{_conv(n['project'], 1, 'project')}"
        "    name: out\n"
    )


def _intro(_: Case) -> tuple[str, ...]:
    return (
        "An Inception module reads one map with kernels of several sizes at once. Its branches keep the height and the width, "
        "and their channels are put side by side.",
        "Large kernels on many channels are expensive. So the paper first makes fewer channels, with a convolution of 1x1 "
        "(section 4, Figure 2). Count what this saves.",
    )


def _macs_of(analysis: Analysis, *names: str) -> int:
    return sum(int(analysis[name].macs or 0) for name in names)


NAIVE = ("out.b1.conv1x1", "out.b3.conv3x3", "out.b5.conv5x5")
BRANCH5 = ("out.b5.reduce5", "out.b5.conv5x5")
BOTTLENECK = ("out.b1.conv1x1", "out.b3.reduce3", "out.b3.conv3x3", *BRANCH5, "out.pool.project")


def _naive_channels(case: Case) -> Asked:
    outs = [case["out1"], case["out3"], case["out5"], case["channels"]]
    shape = case.analysis()["out.concat"].shape
    assert shape is not None
    value = int(shape.channels)
    return Asked(
        "Without bottlenecks: how many channels does the output of the module have? The pooling branch passes all its channels on.",
        value,
        "channel",
        "channels = channels of 1x1 + channels of 3x3 + channels of 5x5 + channels of the input",
        (sum_step("channels", outs),),
        f"The module makes {counted(value, 'channel')} from {case['channels']:,}. A stack of such modules gets wider and wider, "
        "because a pooling never has fewer channels than its input.",
        (
            Mistake(sum(outs[:3]), "This leaves out the pooling. It passes on as many channels as come in."),
            Mistake(max(outs), "concat puts the channels side by side: add them up."),
            Mistake(case["channels"], "These are the channels of the input."),
        ),
    )


def _branch(case: Case) -> Asked:
    analysis = case.analysis()
    value = _macs_of(analysis, "out.b5.conv5x5")
    side, weights = case["side"], analysis["out.b5.conv5x5"].params.weight
    return Asked(
        f"How many multiply-adds (MACs) does the 5x5 convolution do, directly on {counted(case['channels'], 'channel')} of the "
        "input?",
        value,
        "MAC",
        MACS,
        (macs_step(analysis, "out.b5.conv5x5"),),
        f"That is {100 * value / int(analysis.totals.macs):.0f} % of the MACs of the module, for "
        f"{case['out5']:,} of its output channels.",
        (
            Mistake(weights, "These are the weights. Each of them is used at every position."),
            Mistake(weights * side, "The map has a height and a width: multiply by the side twice."),
            Mistake(
                value // case["channels"], "Each output channel reads all channels of the input: multiply by them."
            ),
            Mistake(2 * value, "These are floating-point operations: one MAC is a multiplication and an addition."),
        ),
    )


def _naive_macs(case: Case) -> Asked:
    analysis = case.analysis()
    value = int(analysis.totals.macs)
    return Asked(
        "How many MACs do the three convolutions of the module do together, without bottlenecks?",
        value,
        "MAC",
        f"{MACS}; add up the convolutions",
        (
            *(macs_step(analysis, name) for name in NAIVE),
            sum_step("sum", [_macs_of(analysis, name) for name in NAIVE]),
        ),
        "The pooling compares values. A comparison is no MAC.",
        (
            Mistake(_macs_of(analysis, *NAIVE[1:]), "This leaves out the 1x1 convolution."),
            Mistake(int(analysis.totals.weights), "These are the weights. Each of them is used at every position."),
            Mistake(2 * value, "These are floating-point operations: one MAC is a multiplication and an addition."),
        ),
    )


def _reduced_branch(case: Case) -> Asked:
    analysis = case.analysis(_bottleneck)
    each = [_macs_of(analysis, name) for name in BRANCH5]
    before = _macs_of(case.analysis(), "out.b5.conv5x5")
    return Asked(
        f"Now a 1x1 convolution first makes {counted(case['reduce5'], 'channel')}, and the 5x5 convolution reads the result. How many MACs "
        "do the two do together?",
        sum(each),
        "MAC",
        f"{MACS}; the 5x5 convolution has the channels of the 1x1 convolution as its input",
        (*(macs_step(analysis, name) for name in BRANCH5), sum_step("sum", each)),
        f"Before, the 5x5 convolution did {before:,} MACs, {as_many(before, sum(each))}.",
        (
            Mistake(each[1], "This leaves out the 1x1 convolution. It is cheap, and not free."),
            Mistake(each[0], "This is the 1x1 convolution alone."),
            Mistake(before, "This is the 5x5 convolution on all channels of the input."),
            Mistake(
                each[0] + before,
                "The 5x5 convolution still reads all channels here. It reads those of the 1x1 convolution.",
            ),
        ),
    )


def _bottleneck_macs(case: Case) -> Asked:
    analysis = case.analysis(_bottleneck)
    value = int(analysis.totals.macs)
    twice = value + _macs_of(analysis, "out.b3.conv3x3")
    return Asked(
        "How many MACs does the whole module do with its bottlenecks? There is one in front of 3x3, one in front of 5x5, and "
        "one behind the pooling.",
        value,
        "MAC",
        f"{MACS}; add up the six convolutions",
        (
            *(macs_step(analysis, name) for name in BOTTLENECK),
            sum_step("sum", [_macs_of(analysis, name) for name in BOTTLENECK]),
        ),
        f"Without bottlenecks, the module does {int(case.analysis().totals.macs):,} MACs.",
        (
            Mistake(
                twice,
                f"This is {count_text(twice)}: the product of the 3x3 convolution is added twice. The slides of CS231n "
                "print such a sum, for the numbers that this lesson begins with.",
            ),
            Mistake(
                value - _macs_of(analysis, "out.b3.reduce3", "out.b5.reduce5", "out.pool.project"),
                "This leaves out the convolutions that make fewer channels.",
            ),
            Mistake(
                value - _macs_of(analysis, "out.pool.project"), "This leaves out the convolution behind the pooling."
            ),
            Mistake(int(case.analysis().totals.macs), "This is the module without bottlenecks."),
        ),
    )


def _ratio(case: Case) -> Asked:
    naive, reduced = int(case.analysis().totals.macs), int(case.analysis(_bottleneck).totals.macs)
    value = Fraction(naive, reduced)
    before, after = (case.analysis(text)["out.concat"].shape for text in (_naive, _bottleneck))
    assert before is not None
    assert after is not None
    return Asked(
        "How many times as many MACs does the module do without bottlenecks?",
        value,
        "times",
        "times = MACs without bottlenecks / MACs with them",
        (Step("times", f"{naive:,} / {reduced:,}", value),),
        f"The output has {int(after.channels):,} channels in place of {int(before.channels):,}. The next module reads them all.",
        (
            Mistake(Fraction(reduced, naive), "This is the other way round: with bottlenecks, over without."),
            Mistake(Fraction(100 * (naive - reduced), naive), "This is what the bottlenecks save, in percent."),
        ),
        "times",
    )


def _break_even(case: Case) -> Asked:
    naive = _macs_of(case.analysis(), "out.b5.conv5x5")
    per_channel = _macs_of(case.analysis(_bottleneck, reduce5=1), *BRANCH5)
    value = (naive - 1) // per_channel
    return Asked(
        "A bottleneck that is too wide saves nothing. What is the largest number of channels between 1x1 and 5x5 with which "
        "the branch still does fewer MACs than the 5x5 convolution alone?",
        value,
        "channel",
        "The branch does as many MACs for each channel of the bottleneck: those of 1x1 to make it, and those of 5x5 to read "
        "it. Find how many such channels stay below the MACs of 5x5 alone.",
        (
            Step("MACs for each channel of the bottleneck", "", per_channel),
            Step("MACs of 5x5 alone", "", naive),
            Step("channels", f"floor(({naive:,} - 1) / {per_channel:,})", value),
        ),
        f"Your bottleneck has {counted(case['reduce5'], 'channel')}. "
        + ("It saves work." if case["reduce5"] <= value else "It saves nothing."),
        (
            Mistake(value + 1, "With one channel more, the branch does no fewer MACs than 5x5 alone."),
            Mistake(case["channels"], "With as many channels as the input, the 1x1 convolution only adds work."),
            Mistake(case["reduce5"], "This is your bottleneck. The question is the largest one that saves work."),
        ),
    )


LESSON = Lesson(
    "inception",
    "The bottleneck of an Inception module",
    _intro,
    (
        Source(
            "Szegedy et al., Going deeper with convolutions, CVPR 2015, arXiv:1409.4842: section 4, Figure 2 (a) and (b), "
            "Table 1",
            "https://arxiv.org/abs/1409.4842",
        ),
        Source(
            "CS231n, 2017, lecture 9, slides 48 to 55: the module with the numbers that this lesson begins with",
            "https://cs231n.stanford.edu/slides/2017/cs231n_2017_lecture9.pdf",
        ),
    ),
    (
        Number("side", "side of the map", 28, 1, 512),
        Number("channels", "channels of the input", 256, 1, 4096),
        Number("out1", "channels of 1x1", 128, 1, 4096),
        Number("out3", "channels of 3x3", 192, 1, 4096),
        Number("out5", "channels of 5x5", 96, 1, 4096),
        Number("reduce3", "bottleneck before 3x3", 64, 1, 4096),
        Number("reduce5", "bottleneck before 5x5", 64, 1, 4096),
        Number("project", "1x1 behind the pooling", 64, 1, 4096),
    ),
    (Drawn("Without bottlenecks", _naive), Drawn("With bottlenecks", _bottleneck)),
    (
        Question("channels", "The channels that come out", _naive_channels),
        Question("branch", "The expensive branch", _branch),
        Question("naive", "The module without bottlenecks", _naive_macs),
        Question("reduced-branch", "The branch with a bottleneck", _reduced_branch),
        Question("bottleneck", "The module with bottlenecks", _bottleneck_macs),
        Question("times", "What the bottlenecks save", _ratio),
        Question("break-even", "A bottleneck too wide", _break_even),
    ),
)
