"""What the language means: names, labels, scopes, and what each option does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archcalc import Network, analyze
from archcalc.errors import ArchcalcError
from archcalc.language.expand import expand
from archcalc.language.family import Family
from archcalc.language.zoo import read_text

I = "input: [3, 8, 8]\n"  # noqa: E741
L = I + "layers:\n"


def family(text: str) -> Family:
    return read_text(text, "spec.yaml", "spec")


def build(text: str, name: str = "", **settings: Any) -> Network:
    read = family(text)
    return expand(read, name or next(iter(read.networks)), settings)


def names(text: str, **settings: Any) -> list[str]:
    return [node.name for node in build(text, **settings).nodes[1:]]


def wiring(text: str) -> dict[str, list[str]]:
    """Each layer with the layers it takes."""
    network = build(text)
    return {node.name: [network.nodes[i].name for i in node.inputs] for node in network.nodes[1:]}


# Names.


@pytest.mark.parametrize(
    ("layers", "wanted"),
    [
        ("  - relu\n", ["relu"]),
        ("  - relu\n  - flatten\n  - relu\n", ["relu1", "flatten", "relu2"]),
        ("  - {relu: , name: act}\n  - relu\n", ["act", "relu"]),
        ("  - {relu: , name: relu}\n  - relu\n", ["relu", "relu1"]),
        ("  - {relu: , name: 3}\n", ["3"]),
        ("  - {relu: , name: 1.10}\n", ["1.10"]),
        ("  - {relu: , name: 1e3}\n", ["1e3"]),
        ('  - {relu: , name: "r{i}", repeat: 3}\n', ["r1", "r2", "r3"]),
        ('  - {relu: , name: "r{2 * k - 1}", repeat: 2, as: k}\n', ["r1", "r3"]),
        ("  - {relu: , name: \"{'a' if channels > 2 else 'b'}\"}\n", ["a"]),
        ("  - {layers: [relu, flatten], name: g}\n", ["g.relu", "g.flatten"]),
        ("  - {layers: [relu, flatten], label: g}\n", ["relu", "flatten"]),
        ("  - {layers: [{layers: [relu], name: b}], name: a}\n", ["a.b.relu"]),
        ("  - u\n  - u\n", ["u1.relu", "u2.relu"]),
        ("  - {u: , name: u1}\n  - u\n", ["u1.relu", "u2.relu"]),
        ("  - {u: , label: x}\n  - u\n", ["relu", "u1.relu"]),
        ('  - {u: , name: "s{i}", repeat: 2}\n', ["s1.relu", "s2.relu"]),
        ("  - add: {main: [relu], short: []}\n", ["main.relu", "add"]),
        ("  - {add: {main: [relu], short: []}, name: m}\n", ["m.main.relu", "m.add"]),
        ("  - add: [[relu], [relu, relu]]\n", ["b1.relu", "b2.relu1", "b2.relu2", "add"]),
        ("  - {side: [flatten], name: h}\n  - relu\n", ["h.flatten", "relu"]),
    ],
)
def test_names(layers: str, wanted: list[str]) -> None:
    assert names(I + "blocks: {u: {layers: [relu]}}\nlayers:\n" + layers) == wanted


def test_labels_fold_and_names_do_both() -> None:
    text = L + (
        "  - {layers: [relu], label: a}\n  - {layers: [relu], name: b}\n"
        "  - {add: {x: [relu], y: []}, label: c, name: d}\n"
    )
    assert [node.scopes for node in build(text).nodes[1:]] == [("a",), ("b",), ("c", "x"), ("c",)]
    assert names(text) == ["relu", "b.relu", "d.x.relu", "d.add"]


# Inputs.

FROM = """\
blocks:
  u:
    layers:
      - {relu: , name: a}
      - {relu: , name: b, from: outer}
      - {layers: [{relu: , from: a, name: c}], name: g}
      - {relu: , from: g.c, name: d}
layers:
  - {relu: , name: outer}
  - {relu: , name: a}
  - {u: , name: one}
  - {u: , name: two, from: a}
  - {add: , from: [one, two.a, input, a], name: sum}
  - {u: , from: input}
  - {add: , from: [u1, one.g], name: last}
"""


def test_from_looks_outwards() -> None:
    wired = wiring(I + FROM)
    assert wired["one.a"] == ["a"]
    assert wired["two.a"] == ["a"]
    assert wired["one.b"] == ["outer"]
    assert wired["one.g.c"] == ["one.a"]
    assert wired["two.g.c"] == ["two.a"]
    assert wired["one.d"] == ["one.g.c"]
    assert wired["sum"] == ["one.d", "two.a", "input", "a"]
    assert wired["u1.a"] == ["input"]
    assert wired["last"] == ["u1.d", "one.g.c"]


def test_merges_take_one_input_into_every_branch() -> None:
    wired = wiring(
        L + "  - {relu: , name: a}\n  - relu\n  - {concat: {x: [relu], y: []}, from: a}\n"
        "  - {multiply: [[relu], [relu]]}\n"
    )
    assert wired["x.relu"] == ["a"]
    assert wired["concat"] == ["x.relu", "a"]
    assert wired["multiply"] == ["b1.relu", "b2.relu"]
    assert wired["b1.relu"] == wired["b2.relu"] == ["concat"]


def test_steps_not_taken_pass_their_input_on() -> None:
    wired = wiring(
        L + "  - {relu: , name: a}\n  - {flatten: , when: false}\n  - {layers: [flatten], repeat: 0}\n"
        "  - {layers: [], name: z}\n"
        "  - {relu: , name: b}\n  - {relu: , name: c, from: z}\n"
    )
    assert wired == {"a": ["input"], "b": ["a"], "c": ["a"]}


def test_side_heads_hang_off_the_main_path() -> None:
    network = build(L + "  - {relu: , name: a}\n  - side: [flatten, {linear: {out: 2}}]\n  - {relu: , name: b}\n")
    by_name = {node.name: node for node in network.nodes}
    assert [node.name for node in network.nodes if node.side] == ["flatten", "linear"]
    assert by_name["b"].inputs == (by_name["a"].index,)
    assert network.outputs == (by_name["b"].index,)
    assert analyze(network).totals.params == 0
    assert analyze(network, training=True).totals.params == 192 * 2 + 2


def test_where_the_list_of_layers_ends_is_an_output() -> None:
    network = build(L + "  - {relu: , name: a}\n  - {relu: , name: b}\n  - {layers: [], from: a}\n")
    assert [network.nodes[i].name for i in network.outputs] == ["a", "b"]


def test_weights_are_shared() -> None:
    network = build(
        L + "  - {conv: {out: 3, kernel: 3, pad: 1}, name: a}\n"
        "  - {conv: {out: 3, kernel: 3, stride: 2}, name: b, weights: a}\n"
        "  - {conv: {out: 3, kernel: 3}, weights: b}\n"
    )
    assert [node.shares for node in network.nodes] == [None, None, 1, 1]
    analysis = analyze(network)
    assert analysis.totals.params == 3 * 3 * 9 + 3
    assert analysis.totals.macs == 81 * (64 + 9 + 1)


def test_a_block_shares_its_weights_layer_by_layer() -> None:
    network = build(
        "input: [3, 8, 8]\nblocks: {head: {params: [out], layers: ["
        "{conv: {out: 3, kernel: 3, pad: 1}}, relu, {conv: {out: out, kernel: 1}, name: last}]}}\nlayers:\n"
        "  - {head: {out: 5}, name: first}\n"
        "  - {max_pool: {kernel: 2, stride: 2}, from: input}\n"
        "  - {head: {out: 5}, weights: first}\n"
        "  - {layers: [{conv: {out: 3, kernel: 3, pad: 1}}, relu, {conv: {out: 5, kernel: 1}}], from: input, weights: head1}\n"
    )
    assert [node.shares for node in network.nodes[1:]] == [None, None, None, None, 1, None, 3, 1, None, 3]
    analysis = analyze(network)
    assert analysis.totals.params == 3 * 3 * 9 + 3 + 3 * 5 + 5
    assert analysis.totals.macs == (81 + 15) * (64 + 16 + 64)


# Values and scopes.


def outs(text: str, **settings: Any) -> list[int]:
    return [node.layer.out for node in build(text, **settings).nodes if node.layer.type == "conv"]


def test_parameters_and_let() -> None:
    text = (
        "params: {w: 4, list: [1, 2]}\nlet: {double: 2 * w, four: 2 * double, both: '[w, double]'}\n"
        + L
        + ("  - conv: {out: four, kernel: 1}\n  - conv: {out: 'both[1] + list[1]', kernel: 1}\n")
    )
    assert outs(text) == [16, 10]
    assert outs(text, w=5) == [20, 12]


def test_blocks_see_their_own_names_and_the_familys_alone() -> None:
    text = (
        "params: {w: 4}\nblocks:\n  inner: {params: [x], layers: [{conv: {out: x + w, kernel: 1}}]}\n"
        "  outer: {params: {w: , x: 100}, layers: [{inner: {x: w}}, {conv: {out: w + x, kernel: 1}}]}\n"
        + L
        + "  - outer: {w: 1}\n"
    )
    assert outs(text) == [5, 101]  # inner sees the family's w, not the one of the block that uses it


def test_defaults_may_use_the_parameters_before_them() -> None:
    text = (
        I + "blocks: {u: {params: {a: , b: 2 * a, c: b + a + channels}, layers: [{conv: {out: c, "
        "kernel: 1}}]}}\nlayers:\n"
    )
    assert outs(text + "  - u: {a: 1}\n  - u: {a: 1, b: 10}\n  - u: {a: 1, c: 7}\n") == [6, 17, 7]


def test_channels_are_those_that_reach_the_step() -> None:
    text = I + (
        "blocks: {u: {params: [n], let: {k: channels}, layers: [{conv: {out: 2 * channels, kernel: 1}}, "
        "{conv: {out: n + k, kernel: 1}, when: channels == 6}]}}\nlayers:\n  - u: {n: channels}\n"
        "  - conv: {out: channels, kernel: 1}\n"
    )
    assert outs(text) == [6, 6, 6]


def test_repeat_evaluates_anew_every_time() -> None:
    text = L + "  - conv: {out: channels + i, kernel: 1}\n    repeat: 3\n    when: i != 2\n"
    assert outs(text) == [4, 7]
    nested = (
        L + "  - repeat: 2\n    as: a\n    layers:\n      - {conv: {out: 10 * a + b, kernel: 1}, repeat: 2, as: b}\n"
    )
    assert outs(nested) == [11, 12, 21, 22]


def test_a_block_may_use_itself_until_a_condition_ends_it() -> None:
    text = I + (
        "blocks:\n  down: {params: [n], layers: [{conv: {out: n, kernel: 1}}, {down: {n: n - 1}, when: n > 1}]}\n"
        "layers: [{down: {n: 4}}]\n"
    )
    assert outs(text) == [4, 3, 2, 1]
    assert names(text)[-1] == "down1.down1.down1.down1.conv"


def test_a_network_may_have_layers_and_an_input_of_its_own() -> None:
    text = (
        "params: {w: 2}\n"
        + I
        + (
            "networks:\n  a: {}\n  b: {w: 5, input: [w, 4], title: B, layers: [{conv: {out: w, kernel: 1}}]}\n"
            "layers: [relu]\n"
        )
    )
    assert [n.layer.type for n in build(text, "a").nodes] == ["input", "relu"]
    network = build(text, "b")
    assert str(network.input) == "5x4"
    assert network.title == "B"
    assert network.nodes[1].layer.out == 5
    assert str(build(text, "b", w=7).input) == "7x4"


def test_a_family_may_call_a_parameter_layers() -> None:
    text = "params: {layers: 2}\n" + I + "networks: {a: {layers: 3}}\nlayers: [{relu: , repeat: layers}]\n"
    assert names(text) == ["relu1", "relu2", "relu3"]


def test_descriptions_are_one_line_each() -> None:
    read = family('title: >\n  Two\n  lines\nyear: 2020\nurl: "a\\tb"\n' + L + "  - relu\n")
    assert read.about == {"title": "Two lines", "year": 2020, "url": "a b"}


@pytest.mark.parametrize(
    ("default", "given", "fits"),
    [
        ("3", "4", True),
        ("3", "four", False),
        ("3", "4.5", False),
        ("3", "true", False),
        ("3.0", "4", True),
        ("3.0", "4.5", True),
        ("true", "false", True),
        ("true", "1", False),
        ("word", "other", True),
        ("word", "3", False),
        ("[1]", "[2, 3]", True),
        ("[1]", "2", False),
        ("", "anything", True),
        ("", "[1]", True),
        ("3", "", False),
    ],
)
def test_a_setting_is_of_the_defaults_kind(default: str, given: str, fits: bool) -> None:
    text = f"params: {{p: {default}}}\n" + I + f"networks: {{a: {{p: {given}}}, b: {{}}}}\nlayers: [relu]\n"
    if fits:
        build(text, "a")
        return
    with pytest.raises(ArchcalcError, match=r"spec.yaml:3: p=.*: expected .* as in p=.* \(at networks.a\)"):
        build(text, "a")


def test_settings_are_data_and_values_expressions() -> None:
    with pytest.raises(ArchcalcError, match="expected a number, got '2 \\* 3'"):
        build("params: {p: 2 * 3}\n" + L + "  - conv: {out: p + 1, kernel: 1}\n")
    assert outs(L + "  - conv: {out: '2 * 3', kernel: '1'}\n") == [6]


def test_the_example_of_the_docs_is_what_it_says() -> None:
    text = (
        (Path(__file__).parents[2] / "docs" / "spec.md")
        .read_text(encoding="utf-8")
        .split("```yaml\n")[1]
        .split("```")[0]
    )
    assert list(family(text).networks) == ["tiny", "tiny_deep"]
    assert [n.split(".")[0] for n in names(text)][-4:] == ["unit2", "global_avg_pool", "flatten", "fc"]
    assert "unit1.main.conv" in names(text)
    assert "unit4.add" in [node.name for node in build(text, "tiny_deep").nodes]


AXES = "input: [8, 100]\naxes: AXES\nlayers:\n  - conv: {out: 16, kernel: 3, pad: 1}\n"


def test_a_spec_says_how_many_axes_it_takes(tmp_path):
    """A convolution of (8 * 3 + 1) * 16 weights and biases on a sequence has (8 * 9 + 1) * 16 on a map."""
    from archcalc import ArchcalcError, load

    path = tmp_path / "net.yaml"
    path.write_text(AXES.replace("AXES", "[1, 2]"))
    assert load(path).analyze().totals.params == (8 * 3 + 1) * 16
    assert load(path, input=(8, 20, 20)).analyze().totals.params == (8 * 9 + 1) * 16
    with pytest.raises(ArchcalcError, match="net takes channels x length or channels x height x width, got 8x8x8x8"):
        load(path, input=(8, 8, 8, 8))
    for text in (AXES.replace("AXES", "1"), AXES.replace("axes: AXES\n", "")):
        path.write_text(text)
        with pytest.raises(ArchcalcError, match="net takes channels x length, got 8x20x20"):
            load(path).analyze(input=(8, 20, 20))


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ("4", "axes must be a number from 0 to 3, or a list of these, got 4"),
        ("[]", "axes must be a number from 0 to 3, or a list of these, got a list of 0"),
        ("true", "axes must be a number from 0 to 3, or a list of these, got true"),
        ("[1, two]", "axes must be a number from 0 to 3, or a list of these, got a list"),
        ("[1, 1]", "axes lists a number twice"),
        ("[2, 3]", "axes takes 2, 3, and the input of the spec has 1 beside its channels"),
    ],
)
def test_axes_that_are_none(tmp_path, axes, said):
    from archcalc import ArchcalcError, load

    path = tmp_path / "net.yaml"
    path.write_text(AXES.replace("AXES", axes))
    with pytest.raises(ArchcalcError) as caught:
        load(path)
    assert f"net.yaml:2: {said}" in str(caught.value)


def test_an_input_in_another_order_is_noted_or_hinted_at(tmp_path):
    """The spec's own input is taken as written; where its layers do not fit, the likely order is said."""
    from archcalc import ArchcalcError, load

    path = tmp_path / "net.yaml"
    path.write_text("input: [32, 32, 3]\nlayers:\n  - conv: {out: 8, kernel: 3, pad: 1}\n")
    assert load(path).notes == ["the input 32x32x3 is read as channels x height x width: 32 channels"]
    path.write_text("input: [32, 32, 3]\nlayers:\n  - conv: {out: 8, kernel: 5}\n")
    with pytest.raises(
        ArchcalcError, match=r"the kernel spans 5 .*\n.*read as channels x height x width; did you mean 3x32x32\?"
    ):
        load(path).analyze()
