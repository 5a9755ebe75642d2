"""Nothing but ArchcalcError comes out of a damaged spec, pattern or expression, soon and in a few words.

ARCHCALC_FUZZ=20000 runs that many random examples of each test instead of the few fixed ones.
"""

from __future__ import annotations

import os
import re
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archcalc.analysis import analyze
from archcalc.errors import ArchcalcError
from archcalc.spec.expand import expand
from archcalc.spec.expression import parse
from archcalc.spec.operations import FUNCTIONS, ExpressionError
from archcalc.spec.pattern import load_pattern
from archcalc.spec.zoo import read_text, specs

EXAMPLES = int(os.environ.get("ARCHCALC_FUZZ", 0))
SECONDS, BYTES = 5.0, 500_000_000

fuzz = settings(
    max_examples=EXAMPLES or 120,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

DOCS = Path(__file__).parents[2] / "docs" / "spec.md"
TINY = """\
input: [3, 8, 8]
params: {width: 4, deep: true}
let: {wide: 2 * width}
networks:
  a: {}
  b: {width: 8, deep: false}
blocks:
  down:
    params: {n: , out: width}
    layers:
      - conv: {out: out, kernel: 3, pad: 1}
        name: c
      - down: {n: n - 1, out: wide}
        when: n > 1
layers:
  - down: {n: 3}
    name: d1
  - {relu: , repeat: 2, as: k, name: "r{k}"}
  - add: {main: [{conv: {out: channels, kernel: 1}, name: one}], same: []}
    when: deep
  - concat:
    from: [d1, r1]
  - conv: {out: wide, kernel: 1}
    name: c2
  - conv: {out: wide, kernel: 1}
    weights: c2
    when: wide == channels
  - side: [global_avg_pool, flatten, {linear: {out: 10}}]
  - {max_pool: {kernel: 2, stride: 2}, from: r1}
  - flatten
  - linear: {out: 10}
"""
TEXTS = (
    [TINY] * 8
    + [re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)[0]] * 4
    + [path.read_text(encoding="utf-8") for path in sorted(specs().glob("*.yaml"))]
)

NASTY = [
    "",
    "0",
    "-1",
    "1",
    "2",
    "3",
    "0.5",
    "1e400",
    "-0.0",
    "99999999999999999999",
    "2147483647",
    "1000000000",
    "true",
    "null",
    "~",
    "yes",
    "[]",
    "{}",
    "[[]]",
    "[1, [2]]",
    "{a: 1}",
    "'",
    '"',
    "*x",
    "&x 1",
    "!!python/object:os.system x",
    "<<",
    "%",
    "@",
    "x y",
    "a: b",
    "-",
    "- - -",
    "?",
    "|",
    ">",
    "#",
    "\t",
    "\x00",
    "\x7f",
    "\u2028",
    "é",
    "\U0001f600",
    "_" * 100,
    "k" * 400,
    "width",
    "channels",
    "out",
    "i",
    "conv",
    "relu",
    "add",
    "concat",
    "layers",
    "side",
    "input",
    "name",
    "from",
    "d1",
    "same",
    "'{i}'",
    "'{'",
    "'{x.__class__}'",
    "__import__('os')",
    "9**9**9",
    "1 // 0",
    "not 1",
    "1 < 2 < 3",
    "max([])",
    "i * 1.5",
    "width * width * width * width * width * width",
    "(" * 60,
    "[width, [width, channels]]",
    "lambda: 0",
    "a if",
    "1 +",
]
SCALARS: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    3,
    10**9,
    2**31,
    10**30,
    0.5,
    float("inf"),
    "",
    "width",
    "conv",
    "relu",
    "add",
    "channels",
    "d1",
    "i",
    "1 // 0",
    "9**9",
    "{i}",
    "a\nb",
    "x" * 90,
    [],
    {},
    [[]],
    [1, 2],
    {"a": 1},
    ["relu"],
    [{"conv": {"out": 3, "kernel": 1}}],
    {"upsample": {"scale": 1000}},
    {"layers": []},
]


def peak_bytes() -> int:
    """The most memory that this process has held so far, whatever ran in it before."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def check(run: Callable[[], Any]) -> None:
    """Run what must succeed or raise ArchcalcError with short one-line problems, in time and space."""
    start, before = time.process_time(), peak_bytes()
    try:
        run()
    except ArchcalcError as error:
        assert error.problems  # noqa: PT017
        for problem in error.problems:
            line = str(problem)
            assert problem.text
            assert len(line) < 500, line
            assert line.isprintable(), line
    assert time.process_time() - start < SECONDS
    assert peak_bytes() - before < BYTES


def use(text: str, pick: int) -> None:
    """Read a spec, and build and analyse one of its networks."""
    family = read_text(text, "fuzz.yaml", "fuzz")
    names = list(family.networks)
    network = expand(family, names[pick % len(names)])
    analyze(network)
    if pick % 3 == 0:
        analyze(network, input=(3, 5, 70), training=True)


def damaged(draw: st.DrawFn, text: str) -> str:
    lines = text.split("\n")
    at = draw(st.integers(0, len(lines) - 1))
    other = draw(st.integers(0, len(lines) - 1))
    match draw(
        st.sampled_from(["delete", "double", "swap", "scalar", "indent", "splice", "insert", "cut", "word", "word"])
    ):
        case "delete":
            del lines[at : at + draw(st.integers(1, 3))]
        case "double":
            lines[at:at] = lines[at : at + draw(st.integers(1, 5))]
        case "swap":
            lines[at], lines[other] = lines[other], lines[at]
        case "scalar":
            lines[at] = re.sub(
                r"(: ?|- )[^:\-{\[]*$", lambda m: f"{m[1]}{draw(st.sampled_from(NASTY))}", lines[at], count=1
            )
        case "indent":
            lines[at] = " " * draw(st.integers(0, 12)) + lines[at].lstrip()
        case "splice":
            extra = draw(st.sampled_from(TEXTS)).split("\n")
            start = draw(st.integers(0, len(extra) - 1))
            lines[at:other] = extra[start : start + 20]
        case "insert":
            lines.insert(at, draw(st.sampled_from(NASTY) | st.text(max_size=20)))
        case "cut":
            lines[at] = lines[at][: draw(st.integers(0, 40))]
        case "word":
            words = re.split(r"(\w+)", lines[at])
            if len(words) > 1:
                words[draw(st.integers(0, len(words) // 2 - 1)) * 2 + 1] = draw(st.sampled_from(NASTY))
            lines[at] = "".join(words)
    return "\n".join(lines) or "x"


@st.composite
def damaged_texts(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        text = damaged(draw, text)
    return text


@fuzz
@given(damaged_texts(), st.integers(0, 50))
def test_damaged_texts(text: str, pick: int) -> None:
    check(lambda: use(text, pick))


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every container with a key of it."""
    found: list[tuple[Any, Any]] = []
    keys: Any = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else []
    for key in keys:
        found += [(tree, key), *places(tree[key])]
    return found


@st.composite
def damaged_trees(draw: st.DrawFn) -> str:
    tree = yaml.safe_load(draw(st.sampled_from(TEXTS)))
    for _ in range(draw(st.integers(1, 4))):
        spots = places(tree)
        if not spots:
            break
        where, key = draw(st.sampled_from(spots))
        there, other = draw(st.sampled_from(spots))
        match draw(st.sampled_from(["drop", "swap", "copy", "value", "value", "nest", "rename"])):
            case "drop":
                del where[key]
            case "swap":
                where[key], there[other] = there[other], where[key]
            case "copy":
                where[key] = yaml.safe_load(yaml.safe_dump(there[other]))
            case "value":
                where[key] = draw(st.sampled_from(SCALARS))
            case "nest":
                where[key] = draw(st.sampled_from([[where[key]], {"layers": where[key]}, {"a": where[key]}]))
            case "rename" if isinstance(where, dict):
                where[
                    draw(
                        st.sampled_from([s for s in SCALARS if isinstance(s, str)] + ["repeat", "when", "from", "name"])
                    )
                ] = where.pop(key)
        tree = yaml.safe_load(_dumped(tree))
    return _dumped(tree)


def _dumped(tree: Any) -> str:
    try:
        return str(yaml.dump(tree, Dumper=_NoAliases))
    except RecursionError:  # a branch swapped into itself
        return "x"


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


@fuzz
@given(damaged_trees(), st.integers(0, 50))
def test_damaged_trees(text: str, pick: int) -> None:
    check(lambda: use(text, pick))


@fuzz
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.binary(max_size=8))
def test_random_bytes(noise: bytes, more: bytes) -> None:
    from archcalc.spec.zoo import _decoded

    raw = TINY.encode()
    for data in (noise, raw[:300] + more + raw[300:]):
        check(lambda data=data: use(_decoded(data, "fuzz.yaml"), 0))  # type: ignore[misc]


WORDS = [
    "INPUT ",
    "32x32x3",
    " -> ",
    " → ",
    "[",
    "]",
    "*3",
    "*0",
    "*999999999",
    "?",
    "CONV3-32",
    "CONV1x7-8",
    "CONV3-0",
    "POOL2",
    "AVGPOOL3",
    "FC-10",
    "FC10",
    "RELU",
    "BN",
    "GAP",
    "FLATTEN",
    "DROPOUT",
    " s2",
    " p1",
    " s0",
    " p99",
    "CONV",
    "X",
    "-",
    "x",
    " ",
    "0",
    "9" * 30,
    "é",
    "\n",
]


@fuzz
@given(st.lists(st.sampled_from(WORDS), max_size=20).map("".join), st.booleans())
def test_patterns(text: str, started: bool) -> None:
    check(lambda: analyze(load_pattern(f"INPUT 32x32x3 -> {text}" if started else text)))


@fuzz
@given(
    st.lists(
        st.sampled_from(["CONV3-8", "RELU", "POOL2", "[RELU -> POOL2]*2", "[CONV3-4 -> RELU]*3", "BN", "POOL3 s2 p1?"]),
        min_size=1,
        max_size=6,
    ).map(" -> ".join)
)
def test_whole_patterns_are_read(text: str) -> None:
    try:
        network = load_pattern(f"INPUT 64x64x3 -> {text} -> FC-10")
        assert network.nodes
    except ArchcalcError as error:  # nothing but a map that has become too small
        assert "the padded input is only" in str(error)  # noqa: PT017
    else:
        assert network.nodes[-1].shape.values == 10


TOKENS = [
    "a",
    "b",
    "xs",
    "i",
    "1",
    "2",
    "0",
    "0.5",
    "1e5",
    "1e-5",
    "9" * 16,
    " + ",
    " - ",
    " * ",
    " / ",
    " // ",
    " % ",
    " ** ",
    "(",
    ")",
    "[",
    "]",
    ",",
    " if ",
    " else ",
    " and ",
    " or ",
    " not ",
    " == ",
    " != ",
    " < ",
    " >= ",
    "true",
    "none",
    "'w'",
    '"',
    "'",
    ".",
    "_",
    "__class__",
    "lambda",
    ":",
    "=",
    "!",
    "\\",
    "\n",
    "é",
    *FUNCTIONS,
]
SCOPE = {"a": 3, "b": 0.5, "xs": [1, 2, [3]], "i": True, "w": "word"}


@fuzz
@given(st.lists(st.sampled_from(TOKENS), max_size=30).map("".join) | st.text(max_size=40))
def test_expressions(text: str) -> None:
    start = time.process_time()
    try:
        value = parse(text).evaluate(SCOPE)
    except ExpressionError as error:
        assert str(error)  # noqa: PT017
    else:
        assert value is None or isinstance(value, (bool, int, float, str, list))
        if isinstance(value, (int, float)):
            assert abs(value) <= 10**15
    assert time.process_time() - start < 1


@pytest.mark.parametrize("text", NASTY)
def test_every_nasty_scalar_everywhere(text: str) -> None:
    """Each in the place of a setting, a parameter, a name, a repeat, a condition and an argument."""
    for template in (
        "input: [3, 8, 8]\nlayers:\n  - conv: {{out: {0}, kernel: 1}}\n",
        "input: [{0}, 8, 8]\nparams: {{width: {0}}}\nlayers: [relu]\n",
        "input: [3, 8, 8]\nlayers:\n  - {{relu: , name: {0}, repeat: {0}, when: {0}, from: {0}}}\n",
        (
            "input: [3, 8, 8]\nblocks: {{b: {{params: [x], layers: [{{repeat: x, layers: [relu]}}]}}}}\n"
            "layers:\n  - b: {{x: {0}}}\n"
        ),
    ):
        check(lambda template=template: use(template.format(text), 0))  # type: ignore[misc]
