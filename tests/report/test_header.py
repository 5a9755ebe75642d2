"""The head of a table is data: readers get its sentences, programs its facts, and both get the same."""

from __future__ import annotations

import json

import pytest

from archcalc import load
from archcalc.report.budget import MemoryRequest, memory_table
from archcalc.report.compare import compare_table
from archcalc.report.diff import diff_table
from archcalc.report.formats import FORMATS, render_table
from archcalc.report.growth import summary_table
from archcalc.report.header import Header, layer_header, network_header
from archcalc.report.layers import layer_table
from archcalc.report.receptive_field import field_tables
from archcalc.version import __version__

VERSION = f"archcalc {__version__}"
RULE = "parameters are trained weights and biases; MACs of convolutions, linear layers, attention and matmul, 1 MAC = 2 FLOP"
REST = "a MAC is one product of a weight and an input, or of two values in attention, added to a sum"
SIZE = "input 1x32x32 (channels x height x width), batch 1, float32"


def test_a_network_is_named_with_its_source_its_variant_and_its_settings():
    header = layer_header(load("resnet50_tv@classes=10").analyze(batch=2, dtype="float16"))
    title, source, variant, size, rules = header.lines()
    assert title == "ResNet-50 of torchvision (resnet50_tv@classes=10)"
    assert source.startswith("He, Zhang, Ren and Sun")
    assert variant.startswith("variant (before the settings): torchvision: stride in the 3x3")
    assert size == "input 3x224x224 (channels x height x width), batch 2, float16"
    assert rules == f"{VERSION}, convention archcalc: {RULE}"
    assert header.facts == {
        "network": "resnet50_tv@classes=10",
        "input": "3x224x224",
        "batch": 2,
        "dtype": "float16",
        "settings": "classes=10",
        "convention": "archcalc",
        "archcalc": __version__,
    }


@pytest.mark.parametrize(
    ("header", "line"),
    [
        (layer_header(load("lenet5").analyze()), SIZE),
        (layer_header(load("googlenet").analyze(training=True)), "batch 1, float32, side heads included"),
        (layer_header(load("lenet5").analyze(), counts=False), f"{VERSION}, convention archcalc"),
        (network_header(load("lenet5")), "input 1x32x32 (channels x height x width)"),
        (Header(about="3 networks", batch=1), "3 networks, batch 1"),
        (Header(), VERSION),
    ],
)
def test_a_line_says_what_the_numbers_depend_on(header, line):
    assert any(text.endswith(line) for text in header.lines())


def test_only_a_convention_that_can_be_incomplete_has_unknown_types():
    unknown = {
        name: layer_header(load("lenet5").analyze(convention=name)).facts.get("unknown")
        for name in ("archcalc", "thop")
    }
    assert unknown["archcalc"] is None
    assert unknown["thop"] is not None


def tables():
    lenet, alexnet = load("lenet5").analyze(), load("alexnet").analyze()
    yield layer_table(lenet)
    yield from field_tables([lenet])
    yield compare_table([lenet, alexnet])
    yield summary_table([lenet, alexnet])
    yield memory_table(lenet.network, MemoryRequest())
    yield memory_table(lenet.network, MemoryRequest(training=True))


@pytest.mark.parametrize("format", FORMATS)
def test_details_are_for_readers_who_ask_for_them(format):
    for table in tables():
        short, long = (render_table(table, format, verbose=verbose) for verbose in (False, True))
        assert (short == long) is (format in ("csv", "json"))
        assert ("--verbose explains" in short) is (format == "text")
        assert "--verbose explains" not in long


def test_the_head_of_a_table_fits_on_a_few_lines(archcalc):
    _, short, _ = archcalc("table", "vgg16")
    _, long, _ = archcalc("table", "vgg16", "--verbose")
    head, _, foot = short.split("\n\n")
    assert (len(head.splitlines()), len(foot.splitlines())) == (4, 6)
    assert (RULE in head, REST in short, REST in long) == (True, False, True)
    assert ("other operations by kind" in short, "other operations by kind" in long) == (False, True)


def test_a_difference_names_both_networks():
    table = diff_table(load("resnet18").analyze(), load("resnet34").analyze())
    content = json.loads(render_table(table, "json"))
    assert (content["from"], content["to"], content["batch"]) == ("resnet18", "resnet34", 1)
    assert table.header.lines()[0] == "resnet18 (3x224x224) to resnet34 (3x224x224), batch 1, float32"


def test_a_baseline_is_a_fact():
    table = compare_table([load("lenet5").analyze()], baseline=load("alexnet").analyze())
    assert table.header.facts["baseline"] == "alexnet"
    assert "x: times the figure of alexnet" in table.header.lines()
