"""A network written out loads again to the same network, for every network of the zoo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archcalc import Network, load
from archcalc.language.expanded import expanded
from archcalc.language.zoo import specs
from tests.families import FAMILIES, varied

EVERYTHING = """title: 'Everything: "at" once'
params: {width: 4}
input: [4, 12, 16]
blocks:
  pair:
    params: {out: }
    layers:
      - conv: {out: out, kernel: [3, 1], pad: [1, 0]}
        name: tall
      - conv: {out: out, kernel: [1, 3], pad: [[0, 0], [1, 1]], bias: false}
        name: wide
layers:
  - conv: {out: width, kernel: 3, pad: same, stride: 2}
    name: first
  - relu
  - pair: {out: width}
    repeat: 2
    name: twin{i}
  - conv: {out: width, kernel: 3, pad: 1}
    name: second
  - conv: {out: width, kernel: 3, pad: 1}
    name: again
    weights: second
  - rearrange: "c (h {width // 2}) w -> c h (w {width // 2})"
  - roll: {by: [-1, 2]}
  - side:
      - global_avg_pool
      - flatten
      - linear: {out: 3}
        name: head
  - side:
      - flatten
      - linear: {out: 5, bias: false}
  - add:
    from: [again, first]
    name: sum
  - multiply:
      x: []
      gate: [global_avg_pool, {conv: {out: width, kernel: 1}}, sigmoid]
  - concat:
      left: [{max_pool: {kernel: 2, stride: 2, ceil_mode: true}}]
      right:
        - avg_pool: {kernel: 2, stride: 2}
        - batch_norm: {eps: 0.00001}
  - relu:
    from: sum
    name: unused
  - flatten
  - dropout: {p: 0.3}
  - linear: {out: 10}
"""
AWKWARD = """title: '1998'
input: [4, 8, 8]
layers:
  - relu:
    name: 'true'
  - conv: {out: 4, kernel: 1}
    name: '1'
  - conv: {out: 4, kernel: 1}
    name: '1.50'
    weights: '1'
  - add:
    name: 'null'
    from: ['1', '1.50', 'true']
  - side:
      - flatten:
        from: 'null'
  - relu:
    name: 1e5
    from: 'null'
"""


def facts(network: Network) -> tuple[Any, ...]:
    """All that the two must have in common, side heads included."""
    analysis = network.analyze(training=True)
    rows = [
        (
            row.name,
            row.type,
            row.inputs,
            row.shape,
            row.params,
            row.param_count,
            row.macs,
            row.values,
            row.shared,
            row.field,
            row.node is not None and row.node.side,
        )
        for row in analysis.rows
    ]
    settings = [without_like(node.layer.settings) for node in network.nodes]
    return network.title, rows, settings, analysis.totals


def without_like(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings with sizes for the layer whose map has these sizes, as the flat spec writes them."""
    like = settings.get("like")
    return {**settings, "like": None, "size": like} if like else settings


def again(network: Network, folder: Path) -> Network:
    path = folder / "expanded.yaml"
    path.write_text(expanded(network), encoding="utf-8")
    return load(str(path))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_of_the_zoo_loads_again(family: str, tmp_path: Path) -> None:
    for network in varied(family):
        assert facts(again(network, tmp_path)) == facts(network), network.full_name


@pytest.mark.parametrize("text", [EVERYTHING, AWKWARD], ids=["everything", "awkward"])
def test_a_spec_with_every_construct_loads_again(text: str, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(text)
    network = load(str(spec))
    assert any(node.side for node in network.nodes)
    assert any(node.shares is not None for node in network.nodes)
    assert facts(again(network, tmp_path)) == facts(network)
    assert expanded(again(network, tmp_path)) == expanded(network), "what is written out stays as it is"


def test_settings_and_a_pattern_are_written_out(tmp_path: Path) -> None:
    changed = load("resnet_cifar20", classes=100)
    assert facts(again(changed, tmp_path)) == facts(changed)
    pattern = load("INPUT 32x32x3 -> [CONV3-32 -> RELU -> POOL2]*2 -> FC-10")
    assert facts(again(pattern, tmp_path)) == facts(pattern)


def test_the_text_is_a_flat_list_with_names(tmp_path: Path) -> None:
    spec = tmp_path / "small.yaml"
    spec.write_text(
        "title: Small\ninput: [1, 8, 8]\nlayers:\n"
        "  - conv: {out: 2, kernel: 3}\n    repeat: 2\n    name: c{i}\n"
        "  - add:\n      left: [relu]\n      right: []\n"
    )
    assert (
        expanded(load(str(spec)))
        == """title: Small
input: [1, 8, 8]
layers:
  - conv: {kernel: 3, out: 2}
    name: c1
  - conv: {kernel: 3, out: 2}
    name: c2
  - relu:
    name: left.relu
  - add:
    name: add
    from: [left.relu, c2]
"""
    )


def test_the_path_goes_on_after_a_side_head_without_a_word(tmp_path: Path) -> None:
    spec = tmp_path / "small.yaml"
    spec.write_text("input: [1, 8, 8]\nlayers:\n  - relu\n  - side: [flatten]\n  - sigmoid\n")
    assert expanded(load(str(spec))).endswith(
        "  - side:\n      - flatten:\n        name: flatten\n  - sigmoid:\n    name: sigmoid\n"
    )


# archcalc show


@pytest.mark.parametrize(
    ("net", "file"),
    [
        ("vgg16", "vgg"),
        ("resnet50_tv", "resnet"),
        ("resnet_option_a", "resnet"),
        ("lenet5", "lenet5"),
        ("densenet_cifar_40_12", "densenet_cifar"),
    ],
)
def test_show_prints_the_text_of_the_file(archcalc, net: str, file: str) -> None:
    assert archcalc("show", net) == (0, (specs() / f"{file}.yaml").read_text(encoding="utf-8"), "")


def test_show_prints_a_file_of_one_s_own_whole(archcalc, tmp_path: Path) -> None:
    spec = tmp_path / "own.yaml"
    spec.write_text(AWKWARD)
    assert archcalc("show", str(spec)) == (0, AWKWARD, "")
    assert archcalc("show", "--expanded", str(spec)) == (0, expanded(load(str(spec))), "")


def test_show_expanded_writes_a_spec_that_loads(archcalc, tmp_path: Path) -> None:
    out = tmp_path / "net.yaml"
    assert archcalc("show", "resnet18", "--expanded", "--set", "classes=10", "-o", str(out)) == (0, "", "")
    assert load(str(out)).analyze().totals == load("resnet18", classes=10).analyze().totals


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["vgg61"], "unknown network 'vgg61'; did you mean 'vgg16'?"),
        (
            ["vgg16", "--set", "classes=10"],
            "settings and --input change what is built, not the spec; add --expanded to see it",
        ),
        (["INPUT 8x8x3 -> FC-2"], "a one-line pattern is its own spec; add --expanded to see its layers"),
        (["./none.yaml"], "./none.yaml: cannot be read: no such file or directory"),
        (["--expanded", "vgg16", "--set", "clases=10"], "vgg16 has no parameter 'clases'; did you mean 'classes'?"),
    ],
)
def test_show_says_what_it_cannot_show(archcalc, arguments: list[str], said: str) -> None:
    status, out, error = archcalc("show", *arguments)
    assert (status, out) == (2, "")
    assert said in error
