"""Depth as an axis of arrays: repeats whose number of turns differs between the elements."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archcalc import Analysis, load
from archcalc.conditions.condition import condition
from archcalc.conditions.figures import FIGURES
from archcalc.errors import ArchcalcError, DiffersError
from archcalc.export.file import torch_source
from archcalc.language.expanded import expanded
from tests.analysis.test_arrays import at, chosen, in_groups, same_row

RANDOM = np.random.default_rng(5)


def draw(low: int, high: int, count: int = 12) -> Any:
    return RANDOM.integers(low, high, count, endpoint=True)


GROUP = 8 * draw(1, 4)
SPACES: dict[str, tuple[str, dict[str, Any], int]] = {
    "regnet x": (
        "regnet_x_400mf",
        {
            "depths": [draw(1, 4), draw(1, 6), draw(1, 9), draw(1, 3)],
            "widths": [GROUP * draw(1, 6) for _ in range(4)],
            "group_width": GROUP,
        },
        1,
    ),
    "regnet y": ("regnet_y_400mf", {"depths": [draw(1, 3), draw(1, 3), draw(2, 5), draw(1, 2)]}, 1),
    "resnet": ("resnet50", {"depths": [draw(2, 4), draw(2, 5), draw(2, 9), draw(2, 4)]}, 1),
    "wide resnet": ("wrn", {"depth": 4 + 6 * draw(1, 5), "k": draw(1, 4)}, 2),
    "efficientnet": ("efficientnet_b0", {"depth": RANDOM.uniform(0.5, 2, 12), "width": RANDOM.uniform(0.5, 2, 12)}, 12),
    "vit": ("vit_b_16", {"layers": draw(3, 9)}, 1),
    "swin": ("swin_t", {"depths": [2 * draw(1, 2), 2 * draw(1, 2), 2 * draw(1, 4), 2 * draw(1, 2)]}, 1),
    "densenet": ("densenet121", {"depths": [draw(2, 3), draw(2, 3), np.full(12, 3), np.full(12, 2)]}, 4),
}


def same_where_present(array: Analysis, scalar: Analysis, index: int, shape: tuple[int, ...]) -> None:
    """The rows that an element has are the rows of its network, in order and in all numbers."""
    there = [row for row in array.rows if at(row.present, index, shape)]
    assert len(there) == len(scalar.rows)
    for ours, theirs in zip(there, scalar.rows, strict=True):
        assert (ours.type, ours.scopes) == (theirs.type, theirs.scopes)
        same_row(ours, theirs, index, shape)
    for row in array.rows:
        if not at(row.present, index, shape):
            assert not any(at(n, index, shape) for n in (*row.params, row.param_count, *row.work, row.conv_inputs))
    for ours, theirs in zip(array.totals[:6], scalar.totals[:6], strict=True):
        assert at(ours, index, shape) == theirs
    assert [at(n, index, shape) for n in array.totals.work] == list(scalar.totals.work)
    assert [at(n, index, shape) for n in array.totals[7:9]] == list(scalar.totals[7:9])


@pytest.mark.parametrize(("name", "settings", "groups"), SPACES.values(), ids=SPACES)
def test_depths_of_the_zoo(name: str, settings: dict[str, Any], groups: int) -> None:
    found = in_groups(name, settings)
    assert len(found) <= groups
    for group, array in found:
        for where in {0, group.size // 2}:
            scalar = load(name, **chosen(settings, int(group[where]))).analyze()
            same_where_present(array, scalar, where, group.shape)
            for figure in ("depth", "layers", "activations", "field"):
                assert at(FIGURES[figure].value(array), where, group.shape) == FIGURES[figure].value(scalar)


def test_resnets_are_elements_of_one_array() -> None:
    """The parameters of torchvision's ResNet-50, ResNet-101 and ResNet-152, as torchvision's documentation lists them."""
    network = load("resnet50", depths=[3, np.array([4, 4, 8]), np.array([6, 23, 36]), 3])
    assert network.analyze().totals.params.tolist() == [25_557_032, 44_549_160, 60_192_808]


def spec(tmp_path: Any, layers: str, more: str = "") -> str:
    path = tmp_path / "deep.yaml"
    path.write_text(f"input: [4, 16, 16]\nparams: {{n: 2, m: 1}}\n{more}layers:\n{layers}")
    return str(path)


CONV = "  - conv: {out: 4, kernel: 3, pad: 1}\n"
WIDER = "  - conv: {out: 2 * channels, kernel: 1}\n"
N = np.array([0, 1, 3])


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param(CONV + "    repeat: n\n" + CONV, id="one layer"),
        pytest.param(
            "  - relu\n  - layers: [{conv: {out: 4, kernel: 3, pad: 1}}, relu]\n    repeat: n\n", id="the last layers"
        ),
        pytest.param(
            "  - layers:\n    - conv: {out: 4, kernel: 1}\n    - layers: [{conv: {out: 4, kernel: 5, pad: 2}}]\n"
            "      repeat: m + i\n    repeat: n\n  - global_avg_pool\n",
            id="repeats in repeats",
        ),
        pytest.param("  - {max_pool: {kernel: 3, stride: 1, pad: 1}, repeat: n}\n  - relu\n", id="poolings"),
        pytest.param("  - flatten\n  - {linear: {out: 9}, repeat: n + 1}\n  - linear: {out: 3}\n", id="linear layers"),
        pytest.param("  - {linear: {out: 4, axis: channels}, repeat: n}\n  - flatten\n", id="positions"),
        pytest.param(
            "  - to_tokens\n  - {linear: {out: 4, axis: channels}, repeat: n}\n  - to_map: {size: [16, 16]}\n" + CONV,
            id="tokens",
        ),
        pytest.param(
            "  - {upsample: {scale: 2}}\n" + CONV + "    repeat: n\n  - {max_pool: {kernel: 2, stride: 2}}\n",
            id="units that differ",
        ),
        pytest.param(
            "  - layers:\n    - side:\n      - conv: {out: 3, kernel: 3}\n    repeat: n\n" + CONV, id="side heads"
        ),
        pytest.param(
            "  - regions: 5\n    layers: [{roi_align: {size: 4}}, {conv: {out: 4, kernel: 1}, repeat: n}]\n",
            id="regions",
        ),
        pytest.param(
            '  - layers:\n    - {conv: {out: 4, kernel: 3, pad: 1}, name: "a{i}"}\n'
            '    - {conv: {out: 4, kernel: 3, pad: 1}, weights: "a{i}"}\n    repeat: n\n' + CONV,
            id="shared weights",
        ),
    ],
)
def test_turns_that_keep_the_shape(tmp_path: Any, layers: str) -> None:
    path = spec(tmp_path, layers)
    array = load(path, n=N, m=np.array([[1], [2]])).analyze(batch=3, training=True)
    for i, j in np.ndindex(2, 3):
        same_where_present(array, load(path, n=int(N[j]), m=i + 1).analyze(batch=3, training=True), (i, j), (2, 3))


NAMED = "  - {conv: {out: 4, kernel: 3, pad: 1}, repeat: n, name: 'a{i}'}\n"
SOME, FEW = [False, True, True], [False, False, True]


@pytest.mark.parametrize(
    ("layers", "more", "holds", "place"),
    [
        pytest.param(WIDER + "    repeat: n\n", "", SOME, "layers[0].conv.repeat, i = 1", id="more channels"),
        pytest.param(
            CONV + "  - {max_pool: {kernel: 2, stride: 2}, repeat: n}\n",
            "",
            SOME,
            "layers[1].max_pool.repeat, i = 1",
            id="a smaller map",
        ),
        pytest.param(NAMED + "  - {relu: , from: a2}\n", "", FEW, "layers[1].relu.from", id="a name"),
        pytest.param(
            NAMED + "  - add:\n    from: ['a{1..n}', input]\n    when: n > 0\n",
            "",
            SOME,
            "layers[1].add.when",
            id="a range of names",
        ),
        pytest.param(
            NAMED + "  - {conv: {out: 4, kernel: 3, pad: 1}, weights: a1}\n",
            "",
            SOME,
            "layers[1].conv.weights",
            id="weights",
        ),
        pytest.param(
            "  - {unit: , repeat: n}\n  - unit\n  - {relu: , from: unit2}\n",
            "blocks: {unit: {layers: [relu]}}\n",
            FEW,
            "layers[2].relu.from",
            id="a made up name",
        ),
        pytest.param(NAMED + CONV, "outputs: [a3, conv]\n", FEW, "outputs", id="outputs"),
        pytest.param(
            "  - layers:\n    - {conv: {out: 3, kernel: 3}, from: input}\n    - {identity: , from: input}\n    repeat: n\n",
            "",
            SOME,
            "layers[0].layers[0].conv",
            id="further outputs",
        ),
        pytest.param(
            "  - layers: [relu, {layers: [{conv: {out: 4, kernel: 1}}], repeat: n, name: 'b{i}'}]\n    name: a\n"
            "  - layers: [relu, {layers: [{conv: {out: 4, kernel: 1}}], repeat: 1, name: 'b{i}'}]\n    name: c\n    weights: a\n",
            "",
            None,
            "layers[1].layers.weights",
            id="weights of turns",
        ),
    ],
)
def test_turns_without_which_the_network_is_another_one(
    tmp_path: Any, layers: str, more: str, holds: list[bool] | None, place: str
) -> None:
    with pytest.raises(DiffersError) as caught:
        load(spec(tmp_path, layers, more), n=N).nodes  # noqa: B018  builds the layers
    assert str(caught.value).splitlines()[0].endswith(f"(at {place})")
    if holds:
        assert caught.value.holds.tolist() == holds


@pytest.mark.parametrize(
    "layers",
    ["  - flatten\n  - {linear: {out: 1024}, repeat: n}\n", "  - {rearrange: c h w -> c w h, repeat: n}\n" + CONV],
)
def test_turns_that_move_values(tmp_path: Any, layers: str) -> None:
    """After a linear layer, every value sees the whole map; without it, each sees one position."""
    with pytest.raises(DiffersError, match="that changes where values lie in the map") as caught:
        load(spec(tmp_path, layers), n=N).analyze()
    assert caught.value.holds.tolist() == SOME


def test_an_element_without_layers_is_refused(tmp_path: Any) -> None:
    path = spec(tmp_path, CONV + "    repeat: n\n")
    with pytest.raises(ArchcalcError, match="deep has no layers"):
        load(path, n=N).nodes  # noqa: B018


@pytest.mark.parametrize("count", [np.array([1, -1]), np.array([1.0, 2.0]), np.array([1.5, 2.0])])
def test_numbers_of_turns_that_are_refused(tmp_path: Any, count: Any) -> None:
    path = spec(tmp_path, CONV + "    repeat: n / 1\n")
    with pytest.raises(ArchcalcError, match=r"repeat must be a whole number from 0 on, got|expected a whole number"):
        load(path, n=count).nodes  # noqa: B018


def test_conditions_about_the_layers_that_an_element_has(tmp_path: Any) -> None:
    array = load(spec(tmp_path, "  - relu\n" + CONV + "    repeat: n\n"), n=N).analyze()
    assert condition("count(layer.type == 'conv') >= 1").holds(array).tolist() == [False, True, True]
    assert condition("all(layer.params == 0)").holds(array).tolist() == [True, False, False]
    assert condition("any(layer.params > 0) and layers == 4").holds(array).tolist() == [False, False, True]


def test_what_needs_single_sizes_refuses_depths_in_arrays() -> None:
    network = load("resnet50", depths=[np.array([3, 4]), 4, 6, 3])
    asked = {
        "memory": lambda: network.analyze().memory(),
        "a time": lambda: network.analyze().time("rtx4090"),
        "code of PyTorch": lambda: torch_source(network),
        "a list of layers": lambda: expanded(network),
    }
    for what, ask in asked.items():
        with pytest.raises(
            ArchcalcError, match=rf"^resnet50@depths=\[\[3\.\.4\],4,6,3\]: {what} needs single sizes, not arrays$"
        ):
            ask()
    with pytest.raises(ArchcalcError, match="fields need single sizes"):
        network.analyze().field.layers  # noqa: B018
