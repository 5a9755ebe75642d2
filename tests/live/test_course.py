"""The course: every answer against arithmetic that stands here, and every wrong answer that is explained."""

from __future__ import annotations

import ast
import re
from fractions import Fraction
from inspect import getsource
from itertools import pairwise
from math import floor
from time import process_time

import pytest

from archcalc.live.course import alexnet, fc6, inception, stack, vgg_memory, working
from archcalc.live.course.asked import LESSONS
from archcalc.live.course.guess import judged
from archcalc.live.course.lesson import Asked, Choice
from archcalc.live.documents import analysis_of, load_named
from archcalc.live.state import state_of
from tests.live.asking import problems, told

CASES = [(lesson.key, question.key) for lesson in LESSONS.values() for question in lesson.questions]

# VGG-16, from Table 1 of its paper: (channels, convolutions) of each stage, on an input of 224 x 224.
STAGES = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]
MAPS = [3 * 224 * 224]
for halvings, (out, convs) in enumerate(STAGES):
    side = 224 // 2**halvings
    MAPS += [out * side * side] * convs + [out * (side // 2) * (side // 2)]
MAPS += [4096, 4096, 1000]
WIDTHS = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
CONVOLUTIONS = sum(9 * a * b + b for a, b in pairwise(WIDTHS))
FC6, FC7, FC8 = 7 * 7 * 512 * 4096 + 4096, 4096 * 4096 + 4096, 4096 * 1000 + 1000
PARAMETERS = CONVOLUTIONS + FC6 + FC7 + FC8
BOTTLENECK = 28 * 28 * (256 * 128 + 256 * 64 + 9 * 64 * 192 + 256 * 64 + 25 * 64 * 96 + 256 * 64)
NAIVE = 28 * 28 * 256 * (128 + 9 * 192 + 25 * 96)

ANSWERS = [
    ("alexnet", "conv1", {}, (227 - 11) // 4 + 1),
    ("alexnet", "conv1", {"side": 224, "pad": 2}, (224 + 4 - 11) // 4 + 1),
    ("alexnet", "conv1", {"side": 100, "kernel": 7, "stride": 2, "pad": 1}, (100 + 2 - 7) // 2 + 1),
    ("alexnet", "left-over", {}, (224 - 11) % 4),
    ("alexnet", "left-over", {"kernel": 7, "stride": 2, "pad": 1}, (224 + 2 - 7) % 2),
    ("alexnet", "fitting", {}, 227),  # CS231n notes, "Real-world example": 227, with (227 - 11)/4 + 1 = 55
    ("alexnet", "fitting", {"pad": 2}, 54 * 4 + 11 - 4),
    ("alexnet", "pool1", {}, (55 - 3) // 2 + 1),
    ("alexnet", "overlap", {}, 3 - 2),
    ("alexnet", "overlap", {"pool_kernel": 2, "pool_stride": 3}, 0),
    ("alexnet", "fc6", {}, 256 * 6 * 6),
    ("vgg-memory", "one-map", {"batch": 3}, 3 * 64 * 224 * 224),
    ("vgg-memory", "all-maps", {}, sum(MAPS)),
    ("vgg-memory", "all-maps", {}, 15_237_608),  # the rows of CS231n's table, added up: docs/counting.md
    ("vgg-memory", "all-maps", {"batch": 5}, 5 * sum(MAPS)),
    ("vgg-memory", "bytes", {"batch": 2, "dtype": "float16"}, 2 * 2 * sum(MAPS)),
    ("vgg-memory", "inference", {}, 2 * 64 * 224 * 224 * 4),  # conv1_1 and conv1_2
    ("vgg-memory", "inference", {"side": 64, "batch": 7, "dtype": "float64"}, 7 * 2 * 64 * 64 * 64 * 8),
    ("vgg-memory", "weights", {}, 2 * 4 * PARAMETERS),
    ("vgg-memory", "weights", {"optimizer": "momentum", "dtype": "bfloat16"}, 3 * 2 * PARAMETERS),
    ("vgg-memory", "weights", {"optimizer": "adam"}, 4 * 4 * PARAMETERS + 4 * 2 * 16),  # a float32 for each tensor
    ("stack", "field", {}, 7),  # VGG's paper, section 2.3
    ("stack", "field", {"kernel": 5, "convs": 4}, 1 + 4 * 4),
    ("stack", "stack-weights", {"channels": 512}, 27 * 512 * 512),  # 27 C^2: section 2.3
    ("stack", "single-weights", {"channels": 512}, 49 * 512 * 512),  # 49 C^2: section 2.3
    ("stack", "macs", {"channels": 8, "side": 10}, 27 * 8 * 8 * 100),
    ("stack", "maps", {"convs": 2}, 2 * 64 * 56 * 56),
    ("inception", "channels", {}, 672),  # CS231n 2017, lecture 9, slide 48
    ("inception", "branch", {}, 28 * 28 * 96 * 5 * 5 * 256),  # slide 49
    ("inception", "naive", {}, NAIVE),
    ("inception", "reduced-branch", {}, 28 * 28 * (256 * 64 + 25 * 64 * 96)),
    ("inception", "bottleneck", {}, BOTTLENECK),
    ("inception", "break-even", {}, (25 * 256 * 96 - 1) // (256 + 25 * 96)),
    ("fc6", "reaches", {}, 7 * 7 * 512),
    ("fc6", "reaches", {"side": 127}, 3 * 3 * 512),  # 127, 63, 31, 15, 7, 3
    ("fc6", "weights", {"width": 100}, 7 * 7 * 512 * 100),
    ("fc6", "all", {}, PARAMETERS),
    ("fc6", "larger", {}, 14 * 14 * 512 * 4096),
    ("fc6", "global", {}, 512 * 4096),
]
SHARES = [
    ("stack", "more", {}, Fraction(100 * (49 - 27), 27), "81"),  # section 2.3: "81% more"
    ("inception", "times", {}, Fraction(NAIVE, BOTTLENECK), "3.15"),
    ("fc6", "share", {}, Fraction(100 * FC6, PARAMETERS), "74"),
    ("fc6", "pooled-share", {}, Fraction(100 * (512 * 4096 + 4096), PARAMETERS - FC6 + 512 * 4096 + 4096), "5.57"),
]


def asked(lesson, question, numbers=None) -> Asked:
    found = LESSONS[lesson]
    return next(one for one in found.questions if one.key == question).of(found.case(numbers or {}))


def verdict(lesson, question, guess, numbers=None):
    found = told("course", lesson=lesson, question=question, guess=guess, numbers=numbers or {})["verdict"]
    assert found["question"] == question
    return found["kind"], found["text"]


@pytest.mark.parametrize(("lesson", "question", "numbers", "expected"), ANSWERS)
def test_an_answer_is_that_of_the_arithmetic(lesson, question, numbers, expected):
    assert asked(lesson, question, numbers).value == expected
    kind, text = verdict(lesson, question, str(expected), numbers)
    assert (kind, text.startswith(f"Right: {expected:,} ")) == ("right", True)
    assert verdict(lesson, question, str(expected + 1), numbers)[0] == "wrong"


@pytest.mark.parametrize(("lesson", "question", "numbers", "expected", "guess"), SHARES)
def test_a_share_may_be_rounded(lesson, question, numbers, expected, guess):
    assert asked(lesson, question, numbers).value == expected
    assert verdict(lesson, question, guess, numbers)[0] == "right"


def test_training_is_the_sum_of_its_parts():
    """A float32 step with SGD: weights, and all gradients but that of conv1_1, whose backward step is the last."""
    parts = {step.label: step.result for step in asked("vgg-memory", "training", {"batch": 64}).steps}
    assert parts["weights"] == 4 * PARAMETERS
    assert parts["network input"] == 64 * 4 * 3 * 224 * 224
    *rest, total = parts.values()
    assert sum(rest) == total
    assert total > 64 * 4 * sum(MAPS)


def test_the_networks_are_those_of_the_zoo():
    """At the numbers of the lessons: shapes and parameters of the layers that have a name in both."""
    for lesson, net in (("alexnet", "alexnet"), ("vgg-memory", "vgg16"), ("fc6", "vgg16")):
        own = LESSONS[lesson].case({}).analysis()
        from archcalc.analysis import analyze

        zoo = {row.name: (row.output, row.param_count) for row in analyze(load_named(net)).rows}
        rows = [row for row in own.rows if row.node is not None and not re.fullmatch(r"(relu|flatten)\d*", row.name)]
        assert [(row.name, (row.output, row.param_count)) for row in rows] == [(r.name, zoo[r.name]) for r in rows]


EXTREMES = [
    (lesson.key, numbers)
    for lesson in LESSONS.values()
    for numbers in (
        {},
        {one.key: one.choices[-1] if isinstance(one, Choice) else one.least for one in lesson.numbers},
        {one.key: one.choices[-1] if isinstance(one, Choice) else one.most for one in lesson.numbers},
        *(
            {one.key: value}
            for one in lesson.numbers
            for value in (one.choices if isinstance(one, Choice) else (one.least, one.least + 2, one.most))
        ),
    )
]


@pytest.mark.parametrize(("lesson", "numbers"), EXTREMES, ids=str)
def test_at_extreme_numbers_every_line_of_arithmetic_holds(lesson, numbers):
    start = process_time()
    found = told("course", lesson=lesson, numbers=numbers)
    assert process_time() - start < 20
    for question in found["questions"]:
        if question["problem"]:
            assert question["problem"].startswith("With these numbers there is no such network. ")
            continue
        case = asked(lesson, question["key"], numbers)
        assert case.steps[-1].result == case.value
        assert question["answer"]
        for step in case.steps:
            if re.search(r"\d", step.expression):
                assert computed(step.expression) == step.result, step
        for text in (case.text, case.formula, case.because, *(one.text for one in case.mistakes)):
            assert re.fullmatch(r"[A-Z0-9a-z].*[.?]|[^.]*", text), text
            assert not re.search(
                r"  |\{|\}|None|Fraction|(?<![\w.,])1 (position|pixel|value|weight|channel|step|time|output|image|convolution)s\b",
                text,
            ), text


def computed(expression):
    """The value of a line, with Python's own arithmetic."""
    code = re.sub(r"(?<=\d),(?=\d)", "", expression).replace("×", "*").replace("mod", "%").replace(" bits", "")
    assert re.fullmatch(r"(floor|max|[-0-9+*/%(), ])+", code), expression
    code = re.sub(r"(?<![\d.])(\d+)", r"Fraction(\1)", code)
    return eval(code, {"floor": floor, "max": max, "Fraction": Fraction})


@pytest.mark.parametrize(("lesson", "question"), CASES)
def test_every_wrong_answer_that_is_known_is_explained(lesson, question):
    found = asked(lesson, question)
    explained = {}
    for mistake in found.mistakes:
        if mistake.value != found.value:
            explained.setdefault(mistake.value, f"Not quite. {mistake.text}")
    assert len(explained) >= 2
    for value, text in explained.items():
        guess = str(value) if isinstance(value, int) else f"{float(value):.4f}"
        assert judged(guess, found) == ("wrong", text), guess


@pytest.mark.parametrize(
    ("lesson", "question", "guess", "said"),
    [
        ("alexnet", "fitting", "224", "With 224 and a pad of 0, conv1 has a side of 54. A pad of 2 gives 55"),
        ("alexnet", "conv1", "54", "add 1"),
        ("alexnet", "conv1", "(227 - 11) / 4", "add 1"),
        # CS231n prints 24M values, 93MB in the notes and 96MB on the slides of 2017, lecture 9, slides 32 to 34.
        ("vgg-memory", "all-maps", "24M", "the input of every convolution a second time"),
        ("vgg-memory", "bytes", "93 MB", "the input of every convolution is counted twice"),
        ("vgg-memory", "bytes", "96MB", "the input of every convolution is counted twice"),
        # CS231n prints 358M on slide 55 of 2017, lecture 9.
        ("inception", "bottleneck", "358M", "the product of the 3x3 convolution is added twice"),
        ("stack", "field", "9", "The windows overlap"),
        ("stack", "more", "45", "in percent of the stack"),
        ("fc6", "weights", "512*4096", "for every position too"),
        ("fc6", "larger", "102,760,448", "fc6 does change"),
    ],
)
def test_a_common_wrong_answer_is_recognised(lesson, question, guess, said):
    kind, text = verdict(lesson, question, guess)
    assert kind == "wrong"
    assert said in text


@pytest.mark.parametrize(
    ("question", "guess", "kind"),
    [
        ("all-maps", "15,237,608", "right"),
        ("all-maps", "15237608 values", "right"),
        ("all-maps", "15 237 608", "right"),
        ("all-maps", " about 15.2 million ", "right"),
        ("all-maps", "15.2M", "right"),
        ("all-maps", "1.52e7", "right"),
        ("all-maps", "15,200,000", "right"),
        ("all-maps", "15.3M", "wrong"),
        ("all-maps", "20M", "wrong"),  # 15.2 rounds to 2 tens, and one digit is too little
        ("all-maps", "61 MB", "wrong"),
        ("all-maps", "15.2", "wrong"),
        ("one-map", "64x224x224", "right"),
        ("one-map", "64 × 224²", "right"),
        ("one-map", "64*224^2", "right"),
        ("one-map", "64*(224*224)/1", "right"),
        ("bytes", "61 MB", "right"),
        ("bytes", "60.95mb", "right"),
        ("bytes", "58.1 MiB", "right"),
        ("bytes", "58.1 MB", "wrong"),
        ("bytes", "60,950,432 bytes", "right"),
        *(
            ("bytes", guess, "unread")
            for guess in ("", "abc", "-4", "<61 MB", "61 furlongs", "1/0", "9" * 100, "9" * 101, "2**9999", "None", "61,0 MB",
                          "1e999", "((((", "64*", "[1]*9", "__import__('os')", "61 MB" * 9, "\0", "1" * 31, "true", 61, None, [], {})
        ),
    ],
)  # fmt: skip
def test_a_guess_is_read_like_a_printed_figure(question, guess, kind):
    found, text = verdict("vgg-memory", question, guess)
    assert (found, text[-1]) == (kind, ".")


def test_a_small_answer_must_be_exact():
    assert verdict("alexnet", "fc6", "9,220") == ("wrong", "That is rounded too much. This answer is exact.")
    assert verdict("alexnet", "fc6", "9,216")[0] == "right"
    assert verdict("alexnet", "conv1", "55x55")[0] == "right"
    assert verdict("vgg-memory", "bytes", "61")[1] == "Add the unit, and it is right: 61 MB."


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"lesson": "alexnt"}, "unknown lesson 'alexnt'; did you mean 'alexnet'?"),
        ({"lesson": 3}, "unknown lesson '3'; known: alexnet, vgg-memory, stack, inception, fc6"),
        ({"lesson": "alexnet", "question": "conv2"}, "unknown question of this lesson 'conv2'; did you mean 'conv1'?"),
        ({"lesson": "alexnet", "numbers": 3}, "numbers: expected numbers by name, got 3"),
        ({"lesson": "alexnet", "numbers": {"sied": 3}}, "unknown number of this lesson 'sied'; did you mean 'side'?"),
        ({"lesson": "alexnet", "numbers": {"side": 10**12}}, "side of the input: expected a whole number from 1 to 1,024, got 1000000000000"),
        ({"lesson": "stack", "numbers": {"channels": 0}}, "channels: expected a whole number from 1 to 4,096, got 0"),
        ({"lesson": "stack", "numbers": {"kernel": 4}}, "kernel of the stack: expected an odd number from 3 to 15, got 4"),
        ({"lesson": "stack", "numbers": {"side": True}}, "side of the map: expected a whole number from 1 to 512, got true"),
        ({"lesson": "stack", "numbers": {"side": "7"}}, "side of the map: expected a whole number from 1 to 512, got '7'"),
        ({"lesson": "vgg-memory", "numbers": {"dtype": "int4"}}, "data type: expected float32, float64, float16, bfloat16, got 'int4'"),
    ],
)  # fmt: skip
def test_a_request_that_makes_no_sense_gets_a_sentence(request_, said):
    assert problems("course", **request_) == [(0, said)]


def test_a_kernel_larger_than_the_map_is_named_and_the_other_questions_stay():
    found = told("course", lesson="alexnet", numbers={"side": 20})["questions"]
    said = {one["key"]: one["problem"] for one in found}
    assert said["conv1"] == said["pool1"] == ""
    assert said["fc6"] == (
        "With these numbers there is no such network. pool2: the kernel spans 3 but the padded input is only "
        "1 + 0 + 0 = 1."
    )
    assert problems("course", lesson="alexnet", numbers={"side": 20}, question="fc6", guess="1") == [(0, said["fc6"])]


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_network_opens_in_the_editor_with_the_numbers_of_the_student(lesson):
    before = [one["state"] for one in told("course", lesson=lesson)["networks"]]
    for one in LESSONS[lesson].numbers:
        value = one.choices[-1] if isinstance(one, Choice) else one.default + 2
        after = [one["state"] for one in told("course", lesson=lesson, numbers={one.key: value})["networks"]]
        assert any(a != b for a, b in zip(before, after, strict=True))
        for given in after:
            state = state_of(given)
            analysis_of(state)
            if one.key in ("batch", "dtype", "optimizer"):
                assert getattr(state, one.key) == value
            if state.compare:
                load_named(state.compare)


NAMES = re.compile(
    r"VGG-16|CS231n(, 2017)?|NIPS 2012|ICLR 201[45]|CVPR 2015|arXiv:[\d.]+|https?:\S+|"
    r"\b(conv|pool|fc|reduce)\d(_\d|x\d)?\b|\b(?P<kernel>[135])x(?P=kernel)\b|float32|int64|100 × |"
    r"[Ss]ections? \d(\.\d)?( and \d\.\d)?|Figure \d|Table \d|lecture \d|slides \d+ to \d+"
)
"""Names and places in papers: the digits that a sentence may hold."""


def sentences(module):
    """The parts of the sentences of a module: what is written by hand in them. Docstrings and texts of networks are none."""
    network = re.compile(r"\s*(- |input:|layers:|pool:|blocks|params|b\d:|kernel|stride|pad|name|max_pool|.*\n)")
    for node in ast.walk(ast.parse(getsource(module))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield from () if network.match(node.value) else (node.value,)


@pytest.mark.parametrize("module", [alexnet, vgg_memory, stack, inception, fc6, working])
def test_no_number_is_written_by_hand_into_a_sentence(module):
    documented = {node.value.value for node in ast.walk(ast.parse(getsource(module)))
                  if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}  # fmt: skip
    shown = [text for text in sentences(module) if text not in documented]
    assert len(shown) > 5
    found = [text for text in shown if re.search(r"\d\d|[2-9]", NAMES.sub("", text))]
    assert found == []


def test_a_number_in_a_sentence_is_seen():
    assert re.search(r"\d\d|[2-9]", NAMES.sub("", "fc6 of VGG-16 holds 74 % of it (Table 2)"))
    assert not re.search(r"\d\d|[2-9]", NAMES.sub("", "fc6 of VGG-16 holds most of it (Table 2)"))
