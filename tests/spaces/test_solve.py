"""The largest and the smallest value under a condition, against the computation of every value."""

from __future__ import annotations

import os
import random
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import archcalc
from archcalc import ArchcalcError
from archcalc.conditions.condition import condition, tree_of
from archcalc.conditions.figures import FIGURES, FUNCTIONS, LAYER
from archcalc.conditions.parts import MissingError
from archcalc.conditions.reader import Reader
from archcalc.spaces import solve as solving
from archcalc.spaces.axes import read_range
from archcalc.spaces.monotone import FIXED, FIXED_OF_LAYER, GROWING, RUNS, ease

SPEC = """
input: [planes, size, size]
params: {planes: 3, size: 20, width: 1.0, labels: 12, kernel: 3, turns: 2, bend: 9, wide: true}
check:
  labels % 5 != 3: "no outputs of this kind"
  kernel < size: "the kernel must be smaller than the input"
layers:
  - conv: {out: "make_divisible(16 * width, 4)", kernel: kernel, stride: 2, bias: false}
  - batch_norm
  - relu
  - layers:
      - conv: {out: "8 + (labels * 7) % 23", kernel: 3, pad: 1}
      - relu
    repeat: "turns if turns < 6 else 12 - turns"
  - max_pool: {kernel: 2, stride: 2}
  - conv: {out: "40 - abs(bend - 9)", kernel: 1}
  - global_avg_pool
  - flatten
  - linear: {out: labels}
"""
"""A network in which figures grow, shrink and bend with its settings, and which refuses some settings and inputs."""
RANGES = {
    "input": "6:30:3",
    "batch": "1:9",
    "width": "0.1:2:0.3",
    "labels": "1:23:2",
    "kernel": "1:22:3",
    "turns": "1:10",
    "bend": "1:30:4",
    "planes": "1:6",
}
EXPRESSIONS = (
    *("params", "macs", "adds", "memory", "values", "peak", "depth", "layers", "field", "batch", "weight_bytes"),
    *(
        "run_memory()",
        "train_memory(adam)",
        "train_memory(batch=3, amp)",
        "macs / params",
        "memory + peak",
        "2 * params - macs",
    ),
    *(
        "params + macs * 3",
        "max(peak, memory)",
        "count(layer.channels > 20)",
        "-memory",
        "macs * batch",
        "values / batch",
    ),
)
CASES = int(os.environ.get("ARCHCALC_SOLVE", "250"))
"""The number of random cases: ARCHCALC_SOLVE=10000 for the full check."""


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("solve") / "bent.yaml"
    path.write_text(SPEC)
    return str(path)


@cache
def at(spec: str, variable: str, value: Any, batch: int) -> archcalc.Analysis:
    settings: dict[str, Any] = {} if variable == "batch" else {variable: value}
    if variable == "input":
        settings = {"input": (3, value, value)}
    return archcalc.load(spec, **settings).analyze(batch=value if variable == "batch" else batch)


def fitting(spec: str, variable: str, where: str, batch: int) -> list[Any]:
    """The values at which a condition holds, each computed on its own."""
    found = []
    for value in read_range(RANGES[variable]):
        try:
            if condition(where).holds(at(spec, variable, value, batch)):
                found.append(value)
        except (ArchcalcError, MissingError):
            continue
    return found


@cache
def accepted(spec: str, variable: str) -> list[Any]:
    """The values that the network accepts."""
    found = []
    for value in read_range(RANGES[variable]):
        with suppress(ArchcalcError):
            at(spec, variable, value, 1)
            found.append(value)
    return found


def random_condition(draw: random.Random, spec: str, variable: str, batch: int) -> str:
    """A condition whose limits are figures of the space, so that figures often equal their limits."""
    figure = draw.choice(EXPRESSIONS)
    there = at(spec, variable, draw.choice(accepted(spec, variable)), batch)
    typed = Reader().read(tree_of(figure))
    limit = typed.value(there)
    shift = draw.choice((0, 0, 1, -1))
    unit = "B" if typed.unit.bytes else ""
    text = f"{figure} {draw.choice(('<', '<=', '<=', '>', '>=', '==', '!='))} "
    if limit < 0:
        return f"{text}-{abs(int(limit) + shift)}{unit}" if int(limit) + shift < 0 else f"{text}0"
    return f"{text}{max(0, int(limit) + shift)}{unit}"


@pytest.mark.parametrize("seed", range(CASES))
def test_the_answer_is_that_of_all_values_computed(spec: str, seed: int):
    draw = random.Random(seed)
    variable, goal, batch = (
        draw.choice([*RANGES, "batch"]),
        draw.choice(("maximize", "minimize")),
        draw.choice((1, 2, 5)),
    )
    where = random_condition(draw, spec, variable, batch)
    for _ in range(draw.choice((0, 0, 1, 2))):
        other = random_condition(draw, spec, variable, batch)
        where = f"{where} {draw.choice(('and', 'and', 'or'))} {'not ' * (draw.random() < 0.2)}{other}"
    expected = fitting(spec, variable, where, batch)
    found = archcalc.solve(
        archcalc.load(spec).analyze(batch=batch), where=where, over=RANGES[variable], **{goal: variable}
    )
    best = None if not expected else max(expected) if goal == "maximize" else min(expected)
    assert found.value == best, (variable, goal, batch, where)
    if found.answer is not None and found.neighbour is not None:
        beside = found.neighbour.value
        assert beside > best if goal == "maximize" else beside < best
        assert beside not in expected


def test_the_largest_batch_is_that_of_the_memory_command():
    network = archcalc.load("alexnet")
    for where, batch in (
        ("run_memory() <= 2GiB", network.analyze().memory().largest_inference("2GiB")),
        ("train_memory(adam) <= 2GiB", network.analyze().memory("adam").largest_training("2GiB")),
    ):
        found = archcalc.solve(network, maximize="batch", where=where)
        assert found.value == batch > 1
        assert found.monotone
        assert found.computed < 30
        assert found.neighbour is not None
        assert found.neighbour.value == batch + 1
        (broken,) = found.neighbour.compared
        assert not broken.holds
        assert broken.value - 2 * 2**30 == broken.over > 0


def test_the_arithmetic_of_a_small_case(tmp_path: Path):
    """A convolution of 3x3 over 3 channels has 27 weights for each output: 27 * 37 = 999, and 27 * 38 = 1,026."""
    path = tmp_path / "one.yaml"
    path.write_text("input: [3, 8, 8]\nparams: {out: 4}\nlayers:\n  - conv: {out: out, kernel: 3, bias: false}\n")
    found = archcalc.solve(path, maximize="out", where="params <= 1K")
    assert found.value == 37
    assert found.neighbour is not None
    assert [(one.figure, one.value, one.limit_text, one.over) for one in found.neighbour.compared] == [
        ("params", 1026, "<= 1K", 26)
    ]
    assert found.computed == 100 - 37 + 1  # every value from 100, the end of the usual values, down to the answer
    smallest = archcalc.solve(path, minimize="out", where="1K <= params")
    assert (smallest.value, smallest.neighbour and smallest.neighbour.value) == (38, 37)


@pytest.mark.parametrize("name", ["alexnet", "resnet18", "mobilenet_v2", "unet", "vit_b_16", "densenet121"])
def test_figures_that_are_said_to_grow_with_the_batch_grow(name: str):
    network = archcalc.load(name)
    analyses = [network.analyze(batch=batch) for batch in (1, 2, 3, 5, 17)]
    for figure in (
        *sorted(GROWING - RUNS),
        "peak",
        "run_memory()",
        "train_memory(adamw)",
        "train_memory(amp, momentum)",
    ):
        value = Reader().read(tree_of(figure)).value
        numbers = [value(one) for one in analyses]
        assert numbers == sorted(numbers), figure
    for figure in sorted(FIXED):
        value = Reader().read(tree_of(figure)).value
        with suppress(MissingError):
            assert len({value(one) for one in analyses}) == 1, figure


def test_of_every_figure_it_is_known_whether_it_grows_with_the_batch():
    assert {*FIGURES, *FUNCTIONS} == FIXED | GROWING
    assert {f"layer.{name}" for name in LAYER} == FIXED_OF_LAYER | {"layer.macs"}


EASE = [
    ("macs <= 5", -1),
    ("macs > 5", 1),
    ("5 >= macs", -1),
    ("params < 5", 0),
    ("macs == 5", None),
    ("params == 5", 0),
    ("not macs <= 5", 1),
    ("not not macs <= 5", -1),
    ("macs <= 5 or memory < 5B", -1),
    ("macs <= 5 and memory > 5B", None),
    ("macs - params < 5", -1),
    ("params - macs < 5", 1),
    ("macs - memory / 1B < 5", None),
    ("macs / params < 5", -1),
    ("params / macs < 5", None),
    ("macs % 7 < 5", None),
    ("macs * batch < 5", -1),
    ("macs * (params - 5) < 5", None),
    ("params * (params - 5) < 5", 0),
    ("-macs < 5", 1),
    ("max(macs, adds) < 5", -1),
    ("max(macs, -adds) < 5", None),
    ("abs(macs) < 5", None),
    ("train_memory(adam) < 5B", -1),
    ("train_memory(batch=4, adam) < 5B", 0),
    ("time('t4') < 5s", -1),
    ("time('t4', amp, training) / batch < 5ms", None),
    ("time('t4', batch=4) < 5s", 0),
    ("any(layer.channels > 5)", 0),
    ("any(layer.macs > 5)", None),
    ("count(layer.field > 5) < 3", 0),
    ("count(layer.macs > 5) < 3", None),
    ("name == 'vgg16'", 0),
    ("(macs if params > 5 else adds) < 3", None),
]


@pytest.mark.parametrize(("where", "expected"), EASE, ids=[where for where, _ in EASE])
def test_how_a_condition_changes_with_the_batch(where: str, expected: int | None):
    assert ease(tree_of(where), written=True) == expected
    condition(where)


def test_a_time_grows_if_it_is_of_a_spec_and_the_cache_is_not_slower_than_the_memory(tmp_path: Path):
    assert ease(tree_of("time('t4') < 5s"), written=False) is None
    slow = tmp_path / "slow.yaml"
    slow.write_text(Path("specs/devices/t4.yaml").read_text() + "constants: {cached: 1.2}\n")
    assert ease(tree_of(f"time('{slow}') < 5s"), written=True) is None


def test_nothing_fits_and_everything_fits():
    network = archcalc.load("alexnet")
    nothing = archcalc.solve(network, maximize="batch", where="macs < 1M")
    assert (nothing.value, nothing.neighbour, nothing.nearest and nothing.nearest.value) == (None, None, 1)
    two = archcalc.solve(network, maximize="batch", where="batch > 3 and batch < 4")
    assert two.value is None
    assert two.nearest is not None
    assert two.nearest.value in (3, 4)
    everything = archcalc.solve(network, maximize="batch", where="macs > 1M", over="1:64")
    assert (everything.value, everything.neighbour) == (64, None)


def test_the_nearest_value_misses_its_limits_by_the_smallest_part(tmp_path: Path):
    """macs = 100 * n^2 for an input of n pixels: at 10, 12 and 14 pixels 10,000, 14,400 and 19,600."""
    path = tmp_path / "one.yaml"
    path.write_text("{input: [1, 8, 8], layers: [{conv: {out: 100, kernel: 1}}]}", encoding="utf-8")
    network = archcalc.load(str(path))

    def nearest(where: str, goal: str = "maximize") -> Any:
        found = archcalc.solve(network, where=where, over="10:14:2", **{goal: "input"})
        assert found.value is None
        return found.nearest and found.nearest.value

    assert nearest("macs < 1") == 10
    assert nearest("macs >= 20K") == 14
    assert nearest("macs > 14400 and macs < 14401") == 12  # at the limit is nearer than beyond it
    assert nearest("macs >= 12K and macs <= 12K") == 10  # of both parts: 2,000 / 12,000 here, 2,400 / 12,000 at 12
    assert nearest("macs <= 12K and macs >= 14K or macs == 1") == 12  # 2,400 / 12,000; at 10 it is 4,000 / 14,000
    assert nearest("field > 1") == 14  # all are as far: the best one
    assert nearest("field > 1", "minimize") == 10
    assert nearest("field > 1 and macs <= 10K", "maximize") == 10  # where the figures hold that need no rows
    assert nearest("macs == 1") == 14  # an equality has no distance: the best one


def test_progress_passes_every_value_on():
    seen = []

    def progress(steps: Any, count: int) -> Any:
        for step in steps:
            seen.append(count)
            yield step

    network = archcalc.load("lenet5").analyze()
    solving.solve(network, where="params < 1", maximize="classes", over="1:70", progress=progress)
    assert seen == [70] * 70
    seen.clear()
    found = solving.solve(network, where="macs <= 1G", maximize="batch", over="1:70", progress=progress)
    assert (len(seen), found.monotone) == (7, True)  # 2^7 is the first power beyond 70


def test_refused_values_are_counted_with_the_reason():
    found = archcalc.solve("unet_padded", maximize="size", where="macs <= 20G", over="100:400:10")
    assert found.value is not None
    assert found.value % 16 == 0  # as the spec of unet_padded demands
    (refusal,) = found.refused
    assert "with pad: 1 and 4 levels, the size must be a multiple of 16" in refusal.reason
    assert refusal.number == sum(size % 16 != 0 for size in range(found.value, 401, 10))


def test_sizes_of_an_input_are_ordered_by_their_number_of_values():
    """A convolution of 3x3 has 216 multiply-adds for every pixel: 10.8 M at 224x224."""
    net = "INPUT 64x64x3 -> CONV3-8"
    found = archcalc.solve(net, maximize="input", where="macs <= 11M", over="3x224x224,3x300x100,3x500x500")
    assert found.value == (3, 224, 224)
    assert found.neighbour is not None
    assert found.neighbour.value == (3, 500, 500)


VECTOR = "input: [784]\nlayers:\n  - linear: {out: 10}\n"


def test_figures_that_a_network_lacks_are_said(tmp_path: Path):
    (tmp_path / "vector.yaml").write_text(VECTOR)
    found = archcalc.solve(tmp_path / "vector.yaml", maximize="batch", where="field < 5 and macs < 10M")
    assert found.value is None
    assert found.lacking == ("field",)


def test_an_analysis_brings_its_batch_and_convention():
    analysis = archcalc.load("alexnet").analyze(batch=4, convention="thop", dtype="float16")
    found = archcalc.solve(analysis, minimize="input", where="macs >= 1G", over="100:300:4")
    value = found.value
    expected = [
        n
        for n in range(100, 301, 4)
        if archcalc.load("alexnet").analyze((3, n, n), 4, "float16", "thop").totals.macs >= 10**9
    ]
    assert value == expected[0]


WRONG = [
    ({"where": "macs < 1M"}, "expected either maximize or minimize, and the name of an input, a batch or a setting"),
    ({"where": "macs < 1M", "maximize": "batch", "minimize": "input"}, "expected either maximize or minimize"),
    ({"where": "macs < 1M", "maximize": "widht"}, "mobilenet_v2: unknown variable 'widht'; did you mean 'width'?"),
    (
        {"where": "macs < 1M", "maximize": "width", "over": "a,b"},
        "width: only numbers have a largest and a smallest value, got a",
    ),
    (
        {"where": "macs < 1M", "maximize": "width", "over": "2:1"},
        "width: 2:1 is empty: steps of 1 lead away from 1; did you mean 1:2:1?",
    ),
    ({"where": "macs < 1MB", "maximize": "width"}, "condition: macs is a number, and 1MB is in bytes"),
    ({"where": "mcas < 1M", "maximize": "width"}, "condition: unknown figure 'mcas'; did you mean 'macs'?"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG, ids=[message for _, message in WRONG])
def test_wrong_questions_are_refused_with_a_sentence(wrong: dict[str, Any], message: str):
    with pytest.raises(ArchcalcError) as error:
        archcalc.solve("mobilenet_v2", **wrong)
    assert str(error.value).startswith(message)


def test_settings_without_an_order_have_no_largest_value(tmp_path: Path):
    with pytest.raises(ArchcalcError, match=r"^option=b of resnet50 is no number: only numbers have a largest"):
        archcalc.solve("resnet50", maximize="option", where="macs < 1M")
    (tmp_path / "vector.yaml").write_text(VECTOR)
    with pytest.raises(ArchcalcError, match="its input 784 has one size"):
        archcalc.solve(tmp_path / "vector.yaml", maximize="input", where="macs < 1M")


def test_more_slow_values_than_are_looked_at_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(solving, "MOST_SLOW", 100)
    with pytest.raises(
        ArchcalcError, match=r"^[0-9]+ values of width were computed, and none of them fits: give fewer"
    ):
        archcalc.solve("mobilenet_v2", maximize="width", where="peak < 1B")
