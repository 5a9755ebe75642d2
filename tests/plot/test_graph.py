"""The layer graph: its text has every layer, edge and block; Graphviz makes pictures of it."""

from __future__ import annotations

import re
import shutil
from itertools import pairwise
from time import sleep
from xml.etree import ElementTree

import pytest

pytest.importorskip("graphviz")

from archcalc import ArchcalcError, Network, Shape, plot
from archcalc.layers.convolution import Conv
from archcalc.layers.join import Concat
from archcalc.plot.kinds import file
from tests.plot.pictures import FIVE, analysis

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


def nodes(source):
    """The labels by number, in the order of the network."""
    found = re.findall(r'^\s*(\d+) \[label="((?:[^"\\]|\\.)*)"', source, re.MULTILINE)
    return dict(sorted(found, key=lambda node: int(node[0])))


def edges(source):
    return [tuple(map(int, pair)) for pair in re.findall(r"^\s*(\d+) -> (\d+)", source, re.MULTILINE)]


def test_a_node_has_its_name_its_kernel_its_shape_and_its_parameters():
    source = plot.graph(analysis("vgg16")).source
    found = nodes(source)
    assert len(found) == 1 + 13 + 5 + 1 + 3  # input, convolutions, poolings, flatten, linear layers
    assert found["1"] == r"conv1_1\nconv 3×3 · relu\n64×224×224 · 1.792 K params"
    assert found["3"] == r"pool1\nmax_pool 2×2 / 2\n64×112×112"
    assert edges(source) == [(at, at + 1) for at in range(22)]


def test_blocks_are_boxes_nested_as_in_the_spec():
    source = plot.graph(analysis("googlenet")).source
    boxes = re.findall(r"subgraph cluster_(\d)", source)
    assert boxes.count("0") == 2 + 9  # conv1, conv2 and nine modules
    assert boxes.count("1") == 9 * 4  # of four branches each
    assert len(edges(source)) - len(nodes(source)) == 9 * 3 - 1  # a tree has one edge less; a module closes three rings


def test_units_of_the_same_layers_are_one_node():
    labels = nodes(plot.graph(analysis("resnet152")).source).values()
    assert any(label.startswith(r"conv4_2 … conv4_36\n35 × 10 layers\n1024×14×14") for label in labels)
    assert len(labels) < 20


def test_depth_says_how_far_blocks_are_folded():
    labels = nodes(plot.graph(analysis("googlenet"), depth=1).source).values()
    assert [label.split(r"\n")[0] for label in labels] == [
        *("input", "conv1", "pool1", "conv2", "pool2", "inception_3a … inception_3b", "pool3"),
        *("inception_4a … inception_4e", "pool4", "inception_5a … inception_5b", "pool5", "fc"),
    ]
    with pytest.raises(ArchcalcError, match=r"^depth must be at least 1, got 0$"):
        plot.graph(analysis("googlenet"), depth=0)


@needs_dot
@pytest.mark.parametrize("name", ["googlenet", "resnet50", "inception_v3"])
def test_branches_stand_side_by_side_in_the_order_of_the_spec(name):
    made = plot.graph(analysis(name))
    taken = edges(made.source)
    lines = [line.split() for line in made.pipe("plain").decode().splitlines()]
    at = {int(line[1]): (float(line[2]), float(line[3])) for line in lines if line[0] == "node"}
    pairs = []
    for source in at:
        users = sorted(target for start, target in taken if start == source)
        pairs += [(at[a], at[b]) for a, b in pairwise(users) if at[a][1] == at[b][1]]
    assert len(pairs) > 3
    assert all(left < right for (left, _), (right, _) in pairs)


def test_no_graph_is_much_longer_than_a_page_is_wide():
    """MobileNetV2's blocks of 52 convolutions in a row are folded; its stem and head are not."""
    labels = nodes(plot.graph(analysis("mobilenet_v2")).source)
    assert len(labels) <= 40
    assert len(analysis("mobilenet_v2").rows) > 150


@pytest.fixture
def crossed():
    """A network built in Python, where names may hold anything."""
    network = Network("crossed", Shape(1, (8, 8)), title='a <title> & "quotes" $x$')
    network.add("x\\y", Conv(out=2, kernel=1), scopes=('block "b"',))
    network.add("<c>", Concat(), inputs=(0, 1))
    return network.analyze()


def test_names_cannot_break_the_text(crossed):
    source = plot.graph(crossed).source
    assert r"x\\y" in source
    assert edges(source) == [(0, 1), (0, 2), (1, 2)]


@needs_dot
def test_names_cannot_break_a_picture(crossed):
    for kind in ("graph", "cost", "rf", "shape"):
        made = ElementTree.fromstring(plot.svg(kind, [crossed]))
        said = " ".join("".join(text.itertext()) for text in made.iter("{http://www.w3.org/2000/svg}text"))
        assert 'a <title> & "quotes" $x$ (crossed)' in said
        if kind != "rf":
            assert "<c>" in said
        if kind == "graph":
            assert "x\\y" in said
            assert 'block "b"' in said


@needs_dot
@pytest.mark.parametrize("name", FIVE)
def test_the_picture_has_every_node_as_text(name):
    made = plot.svg("graph", [analysis(name)])
    found = nodes(plot.graph(analysis(name)).source)
    assert made.startswith("<svg")
    for label in found.values():
        for line in label.split(r"\n"):
            assert f">{line}</text>" in made
    assert "Convention archcalc:" in made
    assert "Generated" not in made


@needs_dot
@pytest.mark.parametrize(("format", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_the_same_graph_gives_the_same_bytes_a_second_later(format, start):
    first = file("graph", [analysis("lenet5")], format)
    assert first.startswith(start)
    sleep(1.1 if format == "pdf" else 0)
    assert file("graph", [analysis("lenet5")], format) == first


def test_without_graphviz_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        ArchcalcError, match=r"^the graph needs the program dot of Graphviz, which was not found: apt-get"
    ):
        plot.svg("graph", [analysis("lenet5")])


def test_a_graph_is_no_figure():
    with pytest.raises(ArchcalcError, match=r"^Graphviz draws the graph: there is no matplotlib figure; use plot.save"):
        plot.figure("graph", [analysis("lenet5")])
