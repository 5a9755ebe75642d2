"""Blocks, their names and their repeats, recovered from flat specs whose layers are called by the paths of modules."""

from __future__ import annotations

import pytest

from archcalc.importing.blocks import recovered
from archcalc.language.expand import expand
from archcalc.language.reader import family_of
from archcalc.language.spec_text import spec_text
from archcalc.language.tree import parse
from archcalc.language.written import check_same

INPUT = "input: [4, 8, 8]\nlayers:\n"


def text_of(flat: str, classes: dict[str, str] | None = None) -> list[str]:
    """The lines of the spec that is recovered from a flat one, which is the same network."""
    tree = parse(flat, "flat")
    family = family_of(tree, "flat", "flat")
    network = expand(family, "flat")
    channels = {node.name: int(network.nodes[node.inputs[0]].shape.channels) for node in network.after_inputs}
    text = spec_text(recovered(tree, channels, classes or {}, ("name",)), [])
    check_same(network, text)
    return text.splitlines()


def residual(path: str, out: int, before: str) -> str:
    return (
        f"  - {{conv: {{out: {out}, kernel: 3, pad: 1}}, name: {path}.conv, from: {before}}}\n"
        f"  - {{relu: , name: {path}.relu}}\n"
        f"  - {{add: , name: {path}.add, from: [{path}.relu, {before}]}}\n"
        f"  - {{sigmoid: , name: {path}.sigmoid}}\n"
    )


RESIDUALS = INPUT + residual("layer.0", 4, "input") + residual("layer.1", 4, "layer.0.sigmoid")
RESIDUAL_BODY = [
    "    layers:",
    "      - add:",
    "          main: [{conv: {out: 4, kernel: 3, pad: 1}}, relu]",
    "          shortcut: []",
    "      - sigmoid",
    "layers:",
]


@pytest.mark.parametrize(
    ("classes", "name"),
    [
        ({"layer.0": "BasicBlock", "layer.1": "BasicBlock"}, "basic_block"),
        ({"layer.0": "_DenseLayer", "layer.1": "_DenseLayer"}, "dense_layer"),
        ({"layer.0": "Conv2dNormAct", "layer.1": "Conv2dNormAct"}, "conv2d_norm_act"),
        ({"layer.0": "MLPBlock", "layer.1": "MLPBlock"}, "mlp_block"),
        ({"layer.0": "Sequential", "layer.1": "Sequential"}, "layer"),
        ({"layer.0": "A", "layer.1": "B"}, "residual"),
        ({"layer.0": "Attention", "layer.1": "Attention"}, "attention_block"),
        ({"layer.0": "Name", "layer.1": "Name"}, "name_block"),
        ({"layer.0": "Модуль", "layer.1": "Модуль"}, "residual"),
        ({}, "layer"),
    ],
)
def test_a_block_that_is_one_module_has_the_name_of_its_class(classes: dict[str, str], name: str) -> None:
    assert text_of(RESIDUALS, classes)[1:] == [
        "blocks:",
        f"  {name}:",
        *RESIDUAL_BODY,
        f"  - {{{name}: , repeat: 2}}",
    ]


def test_a_module_that_reads_its_input_by_name() -> None:
    def module(path: str, before: str) -> str:
        return (
            f"  - {{conv: {{out: 8, kernel: 1}}, name: {path}.conv, from: {before}}}\n"
            f"  - {{slice: {{stop: 4}}, name: {path}.slice}}\n"
            f"  - {{slice: {{start: 4}}, name: {path}.slice_2, from: {path}.conv}}\n"
            f"  - {{add: , name: {path}.add, from: [{path}.slice, {before}]}}\n"
            f"  - {{multiply: , name: {path}.multiply, from: [{path}.add, {path}.slice_2]}}\n"
        )

    flat = INPUT + "  - {relu: , name: stem}\n" + module("a", "stem") + module("b", "a.multiply")
    assert text_of(flat, {"a": "Unit", "b": "Unit"})[1:] == [
        "blocks:",
        "  unit:",
        "    layers:",
        "      - {layers: [], name: x}",
        "      - {conv: {out: 8, kernel: 1}, name: conv}",
        "      - {slice: {stop: 4}, name: slice}",
        "      - {slice: {start: 4}, name: slice_2, from: conv}",
        "      - {add: , name: add, from: [slice, x]}",
        "      - {multiply: , from: [add, slice_2]}",
        "layers:",
        "  - {relu: , name: stem}",
        "  - {unit: , repeat: 2}",
    ]


def test_a_block_of_one_other_block_alone_is_written_out() -> None:
    def module(path: str, before: str) -> str:
        return residual(f"{path}.0", 4, before) + f"  - {{max_pool: {{kernel: 1, stride: 1}}, name: {path}.pool}}\n"

    classes = {"a": "Stage", "b": "Stage", "a.0": "Unit", "b.0": "Unit"}
    assert text_of(INPUT + module("a", "input") + module("b", "a.pool"), classes)[1:] == [
        "blocks:",
        "  stage:",
        *RESIDUAL_BODY[:-1],
        "      - max_pool: {kernel: 1, stride: 1}",
        "layers:",
        "  - {stage: , repeat: 2}",
    ]


def dense(layers: int) -> str:
    text = INPUT + "  - {relu: , name: stem}\n"
    for n in range(1, layers + 1):
        before = ", ".join(["stem", *(f"dense.layer{m}.conv" for m in range(1, n))])
        text += f"  - {{concat: , name: dense.layer{n}.concat, from: [{before}]}}\n"
        text += f"  - {{relu: , name: dense.layer{n}.relu}}\n"
        text += f"  - {{conv: {{out: 2, kernel: 1}}, name: dense.layer{n}.conv}}\n"
    every = ", ".join(["stem", *(f"dense.layer{m}.conv" for m in range(1, layers + 1))])
    return text + f"  - {{concat: , name: concat, from: [{every}]}}\n"


def test_dense_layers_read_all_layers_before_them() -> None:
    classes = {f"dense.layer{n}": "DenseLayer" for n in range(1, 6)} | {"dense": "DenseBlock"}
    assert text_of(dense(5), classes)[1:] == [
        "blocks:",
        "  dense_layer:",
        "    layers: [relu, {conv: {out: 2, kernel: 1}}]",
        "layers:",
        "  - {relu: , name: stem}",
        "  - repeat: 5",
        "    layers:",
        "      - {concat: , from: [stem, 'dense.layer{1..i - 1}']}",
        "      - {dense_layer: , name: 'dense.layer{i}'}",
        "  - {concat: , from: [stem, 'dense.layer{1..5}']}",
    ]


def drops(*values: float) -> str:
    return INPUT + "".join(f"  - {{drop_path: {{p: {p!r}}}, name: b{n}}}\n" for n, p in enumerate(values))


@pytest.mark.parametrize(
    ("flat", "last"),
    [
        (drops(*(0.2 * n / 11 for n in range(1, 5))), ["  - {drop_path: {p: 0.2 * i / 11}, repeat: 4}"]),
        (drops(*(0.1 * n / 7 for n in (3, 5, 7))), ["  - {drop_path: {p: 0.1 * (2 * i + 1) / 7}, repeat: 3}"]),
        (drops(0.1, 0.25, 0.3), [f"  - {{drop_path: {{p: {p}}}, name: b{n}}}" for n, p in enumerate((0.1, 0.25, 0.3))]),
    ],
)
def test_parts_that_follow_the_index(flat: str, last: list[str]) -> None:
    assert text_of(flat)[2:] == last


def test_outputs_keep_their_names() -> None:
    flat = "outputs: [layer.1.sigmoid, layer.0.relu]\n" + RESIDUALS
    assert text_of(flat, {"layer.0": "A", "layer.1": "A"})[2:] == [
        "layers:",
        "  - conv: {out: 4, kernel: 3, pad: 1}",
        "  - {relu: , name: layer.0.relu}",
        "  - {add: , from: [layer.0.relu, input]}",
        "  - sigmoid",
        "  - add:",
        "      main: [{conv: {out: 4, kernel: 3, pad: 1}}, relu]",
        "      shortcut: []",
        "  - {sigmoid: , name: layer.1.sigmoid}",
    ]


def test_numbers_in_patterns_are_parameters() -> None:
    def module(path: str, size: int) -> str:
        return (
            f"  - {{rearrange: c (h 2) (w {size}) -> (c 2) h (w {size}), name: {path}.rearrange}}\n"
            f"  - {{conv: {{out: 4, kernel: 1}}, name: {path}.conv}}\n"
            f"  - {{upsample: {{scale: 2}}, name: {path}.upsample}}\n"
        )

    flat = INPUT + module("a", 4) + module("b", 8)
    assert text_of(flat, {"a": "Unit", "b": "Unit"})[1:] == [
        "blocks:",
        "  unit:",
        "    params: {size: }",
        "    layers:",
        "      - rearrange: 'c (h 2) (w {size}) -> (c 2) h (w {size})'",
        "      - conv: {out: 4, kernel: 1}",
        "      - upsample: {scale: 2}",
        "layers:",
        "  - unit: {size: 4}",
        "  - unit: {size: 8}",
    ]


def test_branches_are_found_where_a_module_stands_on_the_path() -> None:
    def module(path: str, before: str) -> str:
        return (
            f"  - {{conv: {{out: 8, kernel: 1}}, name: {path}.gate.conv, from: {before}}}\n"
            f"  - {{slice: {{stop: 4}}, name: {path}.gate.slice}}\n"
            f"  - {{slice: {{start: 4}}, name: {path}.gate.slice_2, from: {path}.gate.conv}}\n"
            f"  - {{sigmoid: , name: {path}.gate.sigmoid}}\n"
            f"  - {{multiply: , name: {path}.gate.multiply, from: [{path}.gate.sigmoid, {path}.gate.slice]}}\n"
            f"  - {{add: , name: {path}.add, from: [{path}.gate.multiply, {before}]}}\n"
        )

    classes = {f"{at}.{n}": "Unit" for at in "ab" for n in (0, 1)} | {
        f"{at}.{n}.gate": "Gate" for at in "ab" for n in (0, 1)
    }
    flat = INPUT + module("a.0", "input") + module("a.1", "a.0.add") + "  - {relu: , name: relu}\n"
    assert text_of(flat + module("b.0", "relu") + module("b.1", "b.0.add"), classes)[1:] == [
        "blocks:",
        "  unit:",
        "    layers:",
        "      - add:",
        "          main:",
        "            - {conv: {out: 8, kernel: 1}, name: conv}",
        "            - {slice: {stop: 4}, name: slice}",
        "            - {slice: {start: 4}, from: conv}",
        "            - {sigmoid: , name: sigmoid}",
        "            - {multiply: , from: [sigmoid, slice]}",
        "          shortcut: []",
        "layers:",
        "  - {unit: , repeat: 2}",
        "  - relu",
        "  - {unit: , repeat: 2}",
    ]


def test_layers_in_blocks_use_the_weights_of_a_layer_outside() -> None:
    def module(path: str, before: str, weights: str = "") -> str:
        return (
            f"  - {{conv: {{out: 4, kernel: 1}}, name: {path}.conv, from: {before}{weights}}}\n"
            f"  - {{add: , name: {path}.add, from: [{path}.conv, {before}]}}\n"
        )

    shared = ", weights: a.0.conv"
    flat = INPUT + module("a.0", "input") + module("a.1", "a.0.add", shared) + module("a.2", "a.1.add", shared)
    assert text_of(flat, {f"a.{n}": "Unit" for n in range(3)})[1:] == [
        "blocks:",
        "  unit:",
        "    layers:",
        "      - add:",
        "          main: [{conv: {out: 4, kernel: 1}, weights: a.0.conv}]",
        "          shortcut: []",
        "layers:",
        "  - {conv: {out: 4, kernel: 1}, name: a.0.conv}",
        "  - {add: , from: [a.0.conv, input]}",
        "  - {unit: , repeat: 2}",
    ]


def test_numbers_of_a_block_by_the_channels_of_its_input() -> None:
    def module(path: str, width: int, out: int) -> str:
        return (
            f"  - {{conv: {{out: {out}, kernel: 3, pad: 1, groups: {width // 4}}}, name: {path}.conv1}}\n"
            f"  - {{conv: {{out: {width // 2}, kernel: 1}}, name: {path}.conv2}}\n"
            f"  - {{conv: {{out: {2 * width}, kernel: 1}}, name: {path}.conv3}}\n"
        )

    flat = INPUT + "  - {relu: , name: stem}\n" + module("a", 4, 12) + module("b", 8, 16) + module("c", 16, 80)
    assert text_of(flat, dict.fromkeys("abc", "Unit"))[1:] == [
        "blocks:",
        "  unit:",
        "    params: {out: }",
        "    let: {width: channels}",
        "    layers:",
        "      - conv: {out: out, kernel: 3, pad: 1, groups: channels // 4}",
        "      - conv: {out: width // 2, kernel: 1}",
        "      - conv: {out: 4 * channels, kernel: 1}",
        "layers:",
        "  - {relu: , name: stem}",
        "  - unit: {out: 12}",
        "  - unit: {out: 16}",
        "  - unit: {out: 80}",
    ]


def test_outputs_with_consecutive_numbers_are_a_range() -> None:
    flat = "outputs: [a.x_2, a.x_3, a.x_4]\n" + INPUT + "".join(f"  - {{relu: , name: a.x_{n}}}\n" for n in (2, 3, 4))
    assert text_of(flat)[0] == "outputs: ['a.x_{2..4}']"
