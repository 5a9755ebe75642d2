"""What is offered at a place of a text, also where the text is not valid YAML yet. | is the cursor."""

from __future__ import annotations

import pytest

from archcalc.language.keywords import BLOCK, FAMILY, KINDS, LAYERS, NETWORK, OPTIONS
from archcalc.language.operations import FUNCTIONS as REAL_FUNCTIONS
from archcalc.live.described import FUNCTIONS, about_key, about_option
from tests.live.asking import TINY, at, state, told

HEAD = TINY[: TINY.index("layers:\n  - unit")] + "layers:\n"


def offered(text):
    return {one["label"]: one for one in told("complete", **at(text))["options"]}


def first(text):
    return told("complete", **at(text))["options"][0]


@pytest.mark.parametrize(
    ("text", "label", "kind", "apply"),
    [
        ("|", "layers", "key", "layers: "),
        ("inp|", "input", "key", "input: "),
        ("|", "INPUT", "layer", "INPUT 32x32x3 -> "),
        (HEAD + "  - |", "conv", "layer", "conv: {kernel: , out: }"),
        (HEAD + "  - |", "unit", "block", "unit: {out: }"),
        (HEAD + "  - |", "layers", "key", "layers: "),
        (HEAD + "  - con|", "conv", "layer", "conv: {kernel: , out: }"),
        (HEAD + "  - con|v: {out: 3}", "conv", "layer", "conv"),
        (HEAD + "  - den|", "dense", "layer", "linear: {out: }"),
        (HEAD + "  - relu\n  |", "relu", "layer", "- relu"),
        (HEAD + "  - add: {main: [re|], shortcut: []}", "relu", "layer", "relu"),
        (HEAD + "  - add:\n      main:\n        - re|", "relu", "layer", "relu"),
        (HEAD + "  - add:\n      - [re|]", "relu", "layer", "relu"),
        (HEAD + "  - concat: {a|: []}", "axis", "setting", "axis"),
        (HEAD + "  - attention: {heads: 2, |}", "queries", "key", "queries: "),
        (HEAD + "  - attention: {heads: 2, |}", "scale", "setting", "scale: "),
        (HEAD + "  - conv: {|", "kernel", "setting", "kernel: "),
        (HEAD + "  - conv: {out: 8, | # to do\n  - relu\n", "stride", "setting", "stride: "),
        (HEAD + "  - conv:\n      |", "stride", "setting", "stride: "),
        (HEAD + "  - conv:\n      out: 8\n      ke|", "kernel", "setting", "kernel: "),
        (HEAD + "  - conv: {out: 8, pad: |}", "same", "value", ""),
        (HEAD + "  - conv: {out: 8, bias: |}", "false", "value", ""),
        (HEAD + "  - conv: {out: |}", "width", "parameter", ""),
        (HEAD + '  - conv: {out: "2 * wi|"}', "width", "parameter", ""),
        (HEAD + '  - conv: {out: "ma|"}', "make_divisible", "function", "make_divisible("),
        (HEAD + "  - unit: {|}", "out", "key", "out: "),
        (HEAD + "  - relu\n    |", "name", "key", "name: "),
        (HEAD + "  - relu\n    sto|: view", "storage", "key", "storage"),
        (HEAD + "  - relu\n    storage: |", "in_place", "value", ""),
        (HEAD + "  - relu\n    when: |", "norm", "parameter", ""),
        (HEAD + "  - unit: {out: 4}\n  - relu\n    from: |", "unit1.c1", "name", ""),
        (HEAD + "  - unit: {out: 4}\n  - add:\n    from: [unit1, |", "unit1", "name", ""),
        (HEAD + "  - unit: {out: 4}\n  - add:\n    from: [unit1, |", "input", "name", ""),
        (TINY.replace("when: norm", "when: |"), "out", "parameter", ""),
        (TINY.replace("when: norm", "from: |"), "c1", "name", ""),
        (TINY.replace("out: out", "out: |"), "k", "parameter", ""),
        (TINY + "outputs: [|", "sum", "name", ""),
        (TINY + "networks:\n  a: {|}", "width", "key", "width: "),
        (TINY + "networks:\n  a: {|}", "title", "key", "title: "),
        (TINY + "networks:\n  a: {norm: |}", "true", "value", ""),
        (HEAD + "  - relu:\n    when: \"width == 'a' or 'b' == width\"\nnetworks: {a: {width: |}}", "b", "value", ""),
        (HEAD + '  - layers: [relu]\n    repeat: 3\n    name: "a{|}"', "i", "parameter", ""),
        (HEAD + '  - layers: [relu]\n    repeat: 3\n    as: k\n    name: "a{|}"', "k", "parameter", ""),
        ("INPUT 32x32x3 -> |", "CONV3-64", "layer", ""),
        ("INPUT 32x32x3 -> [PO|", "POOL2", "layer", ""),
        ("INPUT 32x32x3 -> CONV3-8 |", "s2", "setting", ""),
        ("INPUT 32x32x3 -> CONV3-8 |", "->", "keyword", "-> "),
    ],
)
def test_a_place_offers(text, label, kind, apply):
    found = offered(text)[label]
    assert (found["kind"], found["apply"]) == (kind, apply)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (HEAD + "  - conv: {out: 8, |}", "out"),  # given already
        (HEAD + "  - conv: {|}", "relu"),
        (HEAD + "  - relu\n    |", "conv"),  # a step is one layer
        (HEAD + "  - |", "kernel"),
        (TINY.replace("width % 2", "wid|th % 2"), "channels"),
        ("title: |", "layers"),
        (HEAD + "  - relu # |", "conv"),
        ("INPUT 32x32x3 -> |", "s2"),
    ],
)
def test_a_place_does_not_offer(text, label):
    assert label not in offered(text)


def test_what_begins_with_the_word_comes_first():
    assert first(HEAD + "  - ma|")["label"].startswith("ma")
    assert first(HEAD + "  - conv: {di|")["label"] == "dilation"


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (HEAD + "  - co|nv: {out: 3}", (5, 9)),
        (HEAD + "  - conv: {out: |}", (17, 17)),
        (HEAD + "  - conv: {out: wi|}", (17, 19)),
        (HEAD + '  - conv: {out: "2*wi|d"}', (20, 23)),
        ("INPUT 8x8x3 -> RE|LU -> FC-10", (16, 20)),
    ],
)
def test_the_word_that_is_replaced(text, columns):
    found = told("complete", **at(text))
    assert (found["from"], found["to"]) == columns


def test_every_word_has_a_meaning():
    assert [key for key in {*FAMILY, *NETWORK, *BLOCK} if not about_key(key)] == []
    assert [key for key in (*OPTIONS, *KINDS) if not about_option(key)] == []
    assert FUNCTIONS.keys() == REAL_FUNCTIONS.keys()
    for name, option in offered(HEAD + "  - |").items():
        assert option["about"] or name == "unit"
    for name, layer in LAYERS.items():
        if not layer.joins:
            assert offered(f"{HEAD}  - {name}: {{|}}").keys() >= layer.fields.keys()


def test_no_place_in_a_spec_of_the_zoo_fails():
    """At every place of a long spec there is an answer."""
    shown = state("googlenet")
    for line, text in enumerate(shown["text"].split("\n"), 1):
        for column in range(1 + line % 7, len(text) + 2, 9):
            told("complete", state=shown, line=line, column=column)
