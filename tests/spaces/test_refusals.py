"""Points that a network refuses: as many, and for the same reasons, as when every point is run alone."""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from math import prod
from typing import Any

import pytest

import archcalc
from archcalc import ArchcalcError
from archcalc.network import Network
from archcalc.spaces.axes import read_axis
from archcalc.spaces.evaluate import Evaluation
from archcalc.spaces.run import run
from archcalc.spaces.space import Block
from archcalc.spaces.sweep import Request

SPECS = {
    "groups that do not divide the channels": (
        "{input: [12, 8, 8], params: {out: 12, groups: 1}, layers: [{conv: {out: out, kernel: 1, groups: groups}}]}",
        ["out=1:30", "groups=1:13"],
        2,
    ),
    "a map that is too small, then a setting below its limit": (
        "{input: [3, 16, 16], params: {out: 8, kernel: 3}, layers: [{conv: {out: out, kernel: kernel}},"
        " {max_pool: {kernel: 3, stride: 2}}, {conv: {out: 'out - 4', kernel: 2}}]}",
        ["out=1:9", "kernel=1:9", "input=3:20"],
        4,
    ),
    "sums of unlike maps": (
        "{input: [3, 16, 16], params: {a: 1, b: 1}, layers: [{add: {left: [{conv: {out: a, kernel: 3, pad: 1}}],"
        " right: [{conv: {out: b, kernel: 3, pad: 1}}]}}]}",
        ["a=1:6", "b=1:6", "batch=1,2"],
        1,
    ),
    "chains of maps of unlike sizes": (
        "{input: [3, 16, 16], params: {k: 3}, layers: [{concat: {left: [{conv: {out: 2, kernel: 3}}],"
        " right: [{conv: {out: 4, kernel: k}}]}}]}",
        ["k=1:5", "input=1:9"],
        3,
    ),
    "problems in two branches": (
        "{input: [12, 16, 16], params: {a: 1, b: 1}, layers: [{add: {left: [{conv: {out: 12, kernel: 3, groups: a}},"
        " global_avg_pool], right: [{conv: {out: 12, kernel: 3, groups: b}}, {max_pool: {kernel: 2, stride: 2}}]}}]}",
        ["a=1:12", "b=1:8", "input=1:8"],
        4,
    ),
    "turns that some points lack": (
        "{input: [12, 8, 8], params: {depth: 1, out: 12}, layers: [{conv: {out: out, kernel: 1}},"
        " {conv: {out: out, kernel: 1, groups: i}, repeat: depth}, {max_pool: {kernel: 9, stride: 1, pad: 1}}]}",
        ["depth=1:9", "out=4:12:2", "input=5:9"],
        2,
    ),
    "heads, and a condition of the spec": (
        "{input: [3, 8, 8], params: {dim: 8, heads: 2}, check: {dim < 40: dim is below 40}, blocks: {mix:"
        " {layers: [to_tokens, {attention: {queries: [{linear: {out: dim, axis: channels}}], keys: [{linear: {out: dim,"
        " axis: channels}}], values: [{linear: {out: dim, axis: channels}}], heads: heads}}]}}, layers: [mix]}",
        ["dim=8:48:4", "heads=1:6"],
        2,
    ),
    "windows": (
        "{input: [3, 14, 14], params: {side: 7}, layers: [{windows: {size: side}}]}",
        ["side=1:8", "input=1:24"],
        1,
    ),
}


def alone(net: str, point: dict[str, Any]) -> str | int:
    """The parameters and MACs of a network that is loaded at one point; the first reason why it is refused."""
    settings = {name: value for name, value in point.items() if name not in ("input", "batch")}
    try:
        network = archcalc.load(net, **settings)
        if "input" in point:
            network = network.at(archcalc.Shape(network.input.channels, (point["input"],) * len(network.input.axes)))
        return archcalc.analyze(network, batch=point.get("batch", 1)).totals.macs
    except ArchcalcError as error:
        problem = error.problems[0]
        return str(problem._replace(file=os.path.basename(problem.file)))


def compare(net: str, *texts: str, kinds: int) -> None:
    """kinds: the number of unlike reasons."""
    axes = tuple(map(read_axis, texts))
    points = [
        dict(zip((axis.name for axis in axes), values, strict=True))
        for values in itertools.product(*(axis.values for axis in axes))
    ]
    expected = [alone(net, point) for point in points]
    outcome = run(Request(net, axes, {}, figures=(("macs", "macs"),)))
    assert outcome.columns is not None
    assert outcome.columns["macs"].tolist() == [one for one in expected if isinstance(one, int)]
    reasons = [one for one in expected if isinstance(one, str)]
    assert set(outcome.refused) <= set(reasons)
    assert Counter(map(kind, Counter(outcome.refused).elements())) == Counter(map(kind, reasons))
    assert len(set(map(kind, reasons))) == kinds


def kind(reason: str) -> str:
    """A reason without its numbers, and without advice, which depends on them."""
    return re.sub(r"-?[0-9]+", "0", re.sub("; [^(]*", " ", reason))


@pytest.mark.parametrize("name", SPECS)
def test_what_is_refused_is_what_is_refused_alone(tmp_path, name):
    text, axes, kinds = SPECS[name]
    path = tmp_path / "net.yaml"
    path.write_text(text, encoding="utf-8")
    compare(str(path), *axes, kinds=kinds)


class Counting(Evaluation):
    """An evaluation that counts the networks that are built."""

    built = 0

    def _network(self, group: Any) -> Network:
        self.built += 1
        return super()._network(group)


@pytest.mark.parametrize(
    ("net", "axes", "most"),
    [
        ("swin_t", {"input": range(33, 513)}, 20),  # a size fits if 4 divides it up to three times, and then 7
        ("googlenet", {"input": range(1, 401)}, 20),
    ],
)
def test_points_that_are_refused_are_split_off_in_a_few_steps(net, axes, most):
    evaluation = Counting(archcalc.load(net), list(axes), {})
    found = evaluation.block(Block(tuple(axes.values()), False))
    assert 0 < sum(found.refused.values()) < prod(map(len, axes.values()))
    assert evaluation.built < most


def test_reasons_that_differ_in_their_numbers_are_one_in_sweeps_and_in_solve():
    outcome = run(Request("googlenet", (read_axis("input=150:240"),), {}))
    solution = archcalc.solve("googlenet", where="params > 1", minimize="input", over=range(150, 241))
    assert {one.reason: one.number for one in solution.refused} == outcome.refused
    assert outcome.lines == [f"{one.number} points refused: {one.reason}" for one in solution.refused]


def test_points_that_differ_along_two_axes_are_two_groups(tmp_path):
    """The maps fit where a <= b: along every axis all answers differ."""
    path = tmp_path / "net.yaml"
    path.write_text(
        "{input: [3, 90, 90], params: {a: 1, b: 90}, layers: [{crop: {size: b}}, {conv: {out: 1, kernel: a}}]}"
    )
    evaluation = Counting(archcalc.load(str(path)), ["a", "b"], {})
    found = evaluation.block(Block((range(1, 61), range(1, 61)), False))
    assert sum(found.refused.values()) == 60 * 59 // 2
    assert evaluation.built < 6
