"""Conditions: what they mean, and what is refused before anything is computed."""

from __future__ import annotations

import re
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archcalc import ArchcalcError, load
from archcalc.analysis import prepared
from archcalc.conditions.condition import chosen, condition, figure
from archcalc.conditions.dimension import UNITS
from archcalc.conditions.figures import FIGURES, FUNCTIONS, LAYER
from archcalc.conditions.shares import SHARES
from tests.nets import network

SMALL = load("INPUT 8x8x3 -> CONV3-8 -> RELU -> FC-10").analyze(batch=2)
"""224 parameters in the convolution (3 * 9 * 8 + 8), 5,130 in the fully connected layer (512 * 10 + 10).

Multiply-adds of an image: 64 * 8 * 27 = 13,824 and 5,120. Values of an image: 192 of the input, 512 of the convolution, 512
of the activation if it is not in place, 10.
"""


def holds(text: str) -> bool:
    return condition(text).holds(SMALL)


@pytest.mark.parametrize(
    "text",
    [
        "params == 5354",
        "params == 5.354K",
        "0.005354M == params",
        "macs == 2 * (13824 + 5120)",
        "flops == 2 * macs and batch == 2",
        "weights + biases == params and biases == 18",
        "weight_bytes == 4 * 5354B",
        "weight_bytes / 1B == 4 * params",
        "memory == 4B * values",
        "memory < 1MB and memory < 1 MiB and not memory > 1MB",
        "1MiB - 1MB == 48576B",
        "1GiB == 1024 * 1 MiB",
        "memory > 0",
        "activations == 2 * (512 + 10)",
        "field == 3",
        "5K < params <= 5354 and not 1 < 2 < 2",
        "depth == 2 or params < 0",
        "params // 1000 == 5 and params % 1000 == 354",
        "params / 3 > 1784.6 and params / 3 < 1784.7",
        "-params < +3",
        "min(params, macs) == params and max(1, 2, 3) == 3 and abs(3 - params) == 5351",
        "(params if depth > 5 else depth) == 2",
        "name != 'vgg16'",
        "input == '3x8x8' and output == '10'",
        "any(layer.type == 'conv')",
        "all(layer.params < 6K)",
        "not all(layer.channels == 8)",
        "count(layer.type == 'conv' or layer.type == 'linear') == 2",
        "any(layer.macs == 2 * 13.824K)",
        "count(layer.field > 3) == 0 or true",
        "run_memory(batch=1) > weight_bytes",
        "train_memory(batch=4, adam) > train_memory(batch=4)",
        "train_memory(batch=4) > train_memory(batch=2) and train_memory(batch=2) == train_memory()",
        "time('a100') > 0 and time('a100') < 1s and time('a100', batch=2) == time('a100')",
        "1s == 1000ms and 1ms == 1000 us",
        "2e3 == 2K and 1e-3s == 1ms",
    ],
)
def test_what_holds(text):
    assert holds(text)
    assert not holds(f"not ({text})")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("parms < 5M", "unknown figure 'parms'; did you mean 'params'?"),
        ("params < 5Mio", "5Mio: unknown unit 'Mio'; did you mean 'MiB'?"),
        ("params < 5X", "5X: unknown unit 'X'; known: T, G, M, K, B"),
        ("params", "expected a condition, such as params < 5M; params is a number"),
        ("memory", "expected a condition, such as params < 5M; memory is in bytes"),
        ("memory <= 600M", "memory is in bytes, and 600M is a number; write 600M with a unit, such as 8GiB"),
        ("600000 > memory", "600000 is a number, and memory is in bytes"),
        ("time('a100') < 3", "and 3 is a number; write 3 with a unit, such as 3ms"),
        ("memory + params > 3B", "memory is in bytes, and params is a number"),
        ("memory * memory > 3B", "memory * memory is in bytes times bytes, and 3B is in bytes"),
        ("macs / time('a100') > 1", "macs / time('a100') is in 1 per second, and 1 is a number"),
        ("name < 'b'", "words are compared by == and != alone"),
        ("name + 1 > 2", "name is a text, expected a number"),
        ("name == 3", "name is a text, and 3 is a number"),
        ("params and depth > 3", "and stands between conditions; params is a number"),
        ("not params", "not stands before a condition; params is a number"),
        ("1 if params else 2", "if is followed by a condition; params is a number"),
        ("any(channels > 3)", "unknown figure 'channels'; did you mean 'layer.channels'?"),
        ("any(layer.chanels > 3)", "unknown figure 'layer.chanels'; did you mean 'layer.channels'?"),
        ("layer.channels > 3", "layer.channels is a figure of a layer: write any(...), all(...) or count(...)"),
        ("any(layer.params)", "any takes a condition about a layer; layer.params is a number"),
        ("any()", "any takes one condition about a layer, such as any(layer.channels % 8 != 0)"),
        ("any(any(layer.params > 3))", "any takes one condition about a layer"),
        ("time > 3ms", "time takes a device in quotes first: time('a100', batch=4, amp)"),
        ("train_memory(adam, amp, adam) > 3B", "train_memory: adam is given twice"),
        ("train_memory(adam, momentum) > 3B", "train_memory: expected one optimizer, got adam and momentum"),
        ("", "expected a condition or a figure, such as params < 5M, got nothing"),
        ("params = 5M", "cannot read 'params = 5M' from '=' on; write == instead of ="),
        ("params < 5M && macs < 3M", "is not part of the expression language; write and instead of &&"),
        ("params < 5M || macs < 3M", "write or instead of ||"),
        ("params <> 5M", "write != instead of <>"),
        ("params =< 5M", "write <= instead of =<"),
        ("params / (2 - 2) < 5M", "params / 2 - 2 is a division by zero"),
        ("any < 3", "any takes one condition about a layer, such as any(layer.channels % 8 != 0)"),
        ("max < 3", "max takes numbers"),
        ("nonsense < 3", "unknown figure 'nonsense'; known: name, input, output, params"),
        ("nonsense < 3", "...; archcalc list --where help lists all figures"),
        ("train_memory(adm) > 3B", "train_memory: unknown option 'adm'; did you mean 'adam'?"),
        ("train_memory(adam=3) > 3B", "train_memory: adam needs no value"),
        ("train_memory(batch) > 3B", "train_memory: batch needs a number: batch=4"),
        ("train_memory(batch=0) > 3B", "train_memory: batch must be a whole number from 1 on"),
        ("train_memory(batch=params) > 3B", "train_memory: batch must be a whole number from 1 on"),
        ("time() < 3ms", "time takes a device in quotes first: time('a100', batch=4, amp)"),
        ("time('a1000') < 3ms", "unknown device 'a1000'; did you mean 'a100'?"),
        ("tim('a100') < 3ms", "unknown function 'tim'; did you mean 'time'?"),
        ("params ** 2 > 3", "powers (**) in 'params ** 2 > 3' are not part"),
        ("params < 5M and", "ends where a value was expected"),
        ("1 < params < 5B", "params is a number, and 5B is in bytes"),
        ("(1 < params) < 5", "1 < params is a condition, and 5 is a number"),
        ("[1] == params", "[1] is a list, and params is a number"),
        ("name == 0", "name is a text, and 0 is a number"),
        ("params == none", "none is no part of a condition"),
        ("params < 1e99", "1e99 is beyond 10^40 or below 10^-40"),
        ("params < 1e-999999", "beyond 10^40"),
        ("import os", "cannot read 'import os' from 'os' on"),
    ],
)
def test_what_is_refused(text, said):
    with pytest.raises(ArchcalcError) as error:
        holds(text)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_network_without_a_figure_meets_no_condition_about_it():
    vector = network("input: [10]\nlayers: [{linear: {out: 5}}]").analyze()
    assert chosen([vector, SMALL], "field >= 1") == ([SMALL], {vector.network.full_name: "field"})
    assert chosen([vector, SMALL], "not field >= 1") == ([], {vector.network.full_name: "field"})
    assert chosen([vector, SMALL], "params < 100 or field >= 1").met == [vector, SMALL]
    assert chosen([SMALL], "params / (depth - 2) > 0").lacking == {SMALL.network.full_name: "params / depth - 2"}
    assert chosen([vector], "any(layer.field > 1)") == ([], {})


VARIED = network("""
input: [3, 8, 8]
params: {width: 0.25, depth: 7, option: c, bn: true, depths: [3, 4, 6], strides: [1, 2], nil: null}
layers:
  - conv: {out: 8, kernel: 3, pad: 1}
""").analyze()


@pytest.mark.parametrize(
    "text",
    [
        "width <= 0.25 and width * 4 == 1 and setting.width > 0.2",
        "option == 'c' and option != 'd'",
        "bn and not (not bn) and bn == true and bn != false",
        "depths[0] == 3 and depths[2] > 5 and depths[0] + depths[1] == 7",
        "len(depths) == 3 and sum(depths) == 13 and max(depths) == 6 and min(depths) == 3",
        "depths == [3, 4, 6] and strides != [1, 1] and strides != [1, 2, 2]",
        "depths[0] != strides[0] and width < strides[1] and depths != strides",
        "setting.depth == 7 and depth == 1",
        "max(width, 3) == 3 and abs(width - 1) == 0.75",
        "(width if bn else 3) == 0.25",
        "any(layer.channels == 8) and width < 1",
    ],
)
def test_settings_are_figures(text):
    assert condition(text, VARIED.network.settings).holds(VARIED)
    assert not condition(f"not ({text})", VARIED.network.settings).holds(VARIED)


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        ("other == 3", "other"),
        ("nil == 3", "nil"),
        ("option > 3", "option as a number"),
        ("width == 'c'", "width as a text"),
        ("bn == 1", "bn as a number"),
        ("depths == 3", "depths as a number"),
        ("depths[3] > 0", "depths[3]"),
        ("width[0] > 0", "width[0]"),
        ("sum(width) > 0", "sum(width)"),
        ("option == width", "option == width"),
        ("option < option", "option < option"),
        ("not option", "option as a condition"),
    ],
)
def test_a_network_with_another_kind_of_setting_lacks_it(text, lacking):
    names = [*VARIED.network.settings, "other"]
    for written in (text, f"not ({text})"):
        assert chosen([VARIED], written, names) == ([], {VARIED.network.full_name: lacking})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("widht < 1", "unknown figure 'widht'; did you mean 'width'?"),
        ("setting.widht < 1", "unknown setting 'widht'; did you mean 'width'?"),
        ("width < 8GiB", "width is a setting, and 8GiB is in bytes"),
        ("option < 'c'", "words are compared by == and != alone"),
        ("depths < [3]", "lists are compared by == and != alone"),
        ("any(width < 3)", "width is a setting of the network, and not of a layer"),
        ("depths[width] < 3", "depths[...]: an index from 0 on follows a setting that is a list"),
        ("params[0] < 3", "params[...]: an index from 0 on follows a setting"),
        ("len(params) < 3", "len takes a setting that is a list"),
    ],
)
def test_settings_that_are_refused(text, said):
    with pytest.raises(ArchcalcError) as error:
        condition(text, VARIED.network.settings)
    assert said in str(error.value)


def test_the_order_of_parts_does_not_matter():
    """What is missing matters only where the other part does not settle the question."""
    vector = network("input: [10]\nlayers: [{linear: {out: 5}}]").analyze()
    for a, b in (("field > 1", "params < 100"), ("params < 100", "field > 1")):
        assert chosen([vector], f"{a} or {b}").met == [vector]
        assert chosen([vector], f"not (not ({a}) and not ({b}))").met == [vector]
        assert chosen([vector], f"{a} and {b}").lacking == {vector.network.full_name: "field"}
    for text in ("field > 1 and params > 100", "params > 100 and field > 1"):
        assert chosen([vector], text) == ([], {})
        assert chosen([vector], f"not ({text})").met == [vector]


def test_cheap_figures_are_computed_first():
    small = load("INPUT 8x8x3 -> CONV3-8")
    analysis = prepared(small)
    assert not condition("peak < 1B and params < 1").holds(analysis)
    assert "_budgets" not in vars(analysis)


def test_the_shares_of_the_layers_add_up():
    """A time is a float, whose sum is rounded."""
    analysis = load("mobilenet_v2_0.35").analyze(batch=3)
    written = {"time": "time('a100', batch=2)", "train_memory": "train_memory(batch=4, adam, amp)"}
    for name in SHARES:
        text = written.get(name, f"{name}(batch=2)" if name in FUNCTIONS else name)
        found = figure(text)
        assert found.subject is not None
        assert found.subject.text == text
        shares = found.subject.shares(analysis)
        total = sum(Fraction(share.amount) for share in shares)
        assert total == found.value(analysis) or name == "time", name
        assert abs(total - found.value(analysis)) < 1e-12
        assert len(shares) > 1 or name in ("divs", "exps")
    assert {*FIGURES, *FUNCTIONS} - set(SHARES) == {"name", "input", "output", "depth", "layers", "batch"}


def test_the_shares_of_a_condition_about_layers_are_the_layers():
    assert [share.name for share in shares_of("any(layer.params > 300)")] == ["fc1"]
    assert [share.name for share in shares_of("all(layer.params > 300)")] == ["conv1", "relu1", "flatten1"]


def shares_of(text: str) -> list:
    subject = condition(text).parts[0].subject
    assert subject is not None
    return subject.shares(SMALL)


def test_every_name_has_a_value_and_words():
    for name, one in FIGURES.items():
        assert one.value(SMALL) is not None, name
        assert one.about
    for row in SMALL.rows[1:]:
        assert all(one.value(row) is not None for name, one in LAYER.items() if name not in ("field", "macs"))
    assert all(function.about for function in FUNCTIONS.values())


def test_the_docs_list_every_figure_with_its_words():
    text = (Path(__file__).parents[2] / "docs" / "conditions.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z_.]+)[(`].*\| (.+) \|$", text, re.MULTILINE))
    listed = {name: one.about for name, one in [*FIGURES.items(), *FUNCTIONS.items()]}
    listed |= {f"layer.{name}": one.about for name, one in LAYER.items()}
    assert {name: about for name, about in rows.items() if name != "any"} == listed


NUMBERS = st.builds(
    lambda whole, part, unit: (f"{whole}.{part}{unit}", Fraction(f"{whole}.{part}") * UNITS[unit][0]),
    st.integers(0, 999),
    st.integers(0, 999),
    st.sampled_from(["K", "M", "G", "T"]),
)


@st.composite
def sums(draw: st.DrawFn) -> tuple[str, Fraction]:
    """Arithmetic as text, and its value by Python's fractions."""
    text, value = draw(NUMBERS)
    for _ in range(draw(st.integers(0, 3))):
        other, number = draw(NUMBERS)
        op = draw(st.sampled_from("+-*"))
        text, value = f"({text}) {op} {other}", {"+": value + number, "-": value - number, "*": value * number}[op]
    return text, value


@settings(max_examples=100, derandomize=True, database=None, deadline=None)
@given(sums(), sums(), st.sampled_from(["<", "<=", "==", "!=", ">", ">="]))
def test_arithmetic_is_exact(left, right, op):
    a, b = left[1], right[1]
    wanted = {"<": a < b, "<=": a <= b, "==": a == b, "!=": a != b, ">": a > b, ">=": a >= b}[op]
    assert holds(f"{left[0]} {op} {right[0]}") == wanted
    assert holds(f"{left[0]} == {left[0]}")


WORDS = (
    *FIGURES,
    *FUNCTIONS,
    *UNITS,
    "any",
    "all",
    "count",
    "layer.",
    "layer.macs",
    "and",
    "or",
    "not",
    "if",
    "else",
    "true",
)


@settings(max_examples=200, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.sampled_from([*WORDS, *"()<>=!+-*/%,.'[] 0123456789", "'a100'", "batch=4", "1e999", "é"]), max_size=14)
)
def test_any_text_is_a_condition_or_an_error_of_archcalc(words):
    with suppress(ArchcalcError):
        chosen([SMALL], " ".join(words))


def test_a_figure_without_options_needs_no_parentheses():
    vgg = load("vgg11").analyze(batch=2)
    for name in ("run_memory", "train_memory"):
        assert figure(name).value(vgg) == figure(f"{name}()").value(vgg) > 0
        assert figure(name).text == name


@pytest.mark.parametrize("text", [None, 3, ["macs < 3"]])
def test_a_condition_is_a_text(text):
    with pytest.raises(ArchcalcError, match="expected a condition as a text, such as 'params < 5M', got "):
        condition(text)
