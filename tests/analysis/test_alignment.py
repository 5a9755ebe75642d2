"""Which layer is which: by names, by structure where names differ, and in bounded work."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest

from archcalc import Network, analyze, load
from archcalc.analysis.alignment import aligned
from archcalc.layers import registry
from archcalc.report.diff import diff_table
from archcalc.sizes import Shape

BASE = """input: [3, 32, 32]
layers:
  - conv: {out: 8, kernel: 3, pad: 1}
    name: stem
  - relu:
    name: act
  - concat:
      one:
        - conv: {out: 8, kernel: 1}
          name: left
      two:
        - conv: {out: 8, kernel: 3, pad: 1}
          name: right
        - relu:
          name: right_act
    name: both
  - conv: {out: 16, kernel: 3, pad: 1}
    name: c1
  - relu:
    name: r1
  - conv: {out: 16, kernel: 3, pad: 1}
    name: c2
  - relu:
    name: r2
  - conv: {out: 16, kernel: 3, pad: 1}
    name: c3
  - relu:
    name: r3
  - flatten:
    name: flat
  - linear: {out: 10}
    name: fc
"""
LAYERS = BASE.count("name:") + 1
"""With the input."""


def renamed(text: str) -> str:
    return re.sub(r"name: (\w+)", r"name: other_\1", text)


@pytest.fixture
def differences(tmp_path: Path):
    """What diff lists between two specs, and what it says below."""

    def rows(old: str, new: str) -> tuple[dict[str, str], list[str]]:
        (tmp_path / "old.yaml").write_text(old)
        (tmp_path / "new.yaml").write_text(new)
        table = diff_table(load(str(tmp_path / "old.yaml")).analyze(), load(str(tmp_path / "new.yaml")).analyze())
        return {row[0]: row[1] for row in table.rows}, list(table.footer)

    return rows


def test_the_same_network_under_other_names(differences) -> None:
    found, footer = differences(BASE, renamed(BASE))
    named = BASE.count("name:")
    assert found == {f"({named} layers)": f"the same network, {named} names differ"}
    assert footer[0] == f"0 layers differ, {LAYERS} are the same in kind, settings, shape and costs"
    assert footer[1] == f"the same network, {named} names differ"


def test_one_name(differences) -> None:
    found, footer = differences(BASE, BASE.replace("name: c2", "name: middle"))
    assert found == {"(1 layer)": "the same network, 1 name differs"}
    assert footer[1] == "the same network, 1 name differs"


def test_the_same_network(differences) -> None:
    assert differences(BASE, BASE)[0] == {}
    assert differences(BASE, BASE)[1][1] == "the same network"


def test_names_that_moved_to_other_layers(differences) -> None:
    """Names are no structure: c1 and r1 have changed places with nothing of the graph."""
    swapped = BASE.replace("name: stem", "name: x").replace("name: c3", "name: stem").replace("name: x", "name: c3")
    assert differences(BASE, swapped)[0] == {"(2 layers)": "the same network, 2 names differ"}


CHANGED = [
    # a change of the text, and what is listed for it where the names are the same, and where they are not
    (
        "stem",
        "out: 8, kernel: 3, pad: 1}\n    name: stem",
        "out: 8, kernel: 5, pad: 2}\n    name: stem",
        "kernel 3 to 5; pad 1 to 2",
    ),
    (
        "c2",
        "out: 16, kernel: 3, pad: 1}\n    name: c2",
        "out: 16, kernel: 1}\n    name: c2",
        "kernel 3 to 1; pad 1 to 0",
    ),
    ("fc", "out: 10", "out: 7", "out 10 to 7; output 10 to 7"),
    ("r2", "relu:\n    name: r2", "gelu:\n    name: r2", "relu to gelu"),
]


@pytest.mark.parametrize(("name", "old", "new", "said"), CHANGED)
def test_a_changed_layer(differences, name: str, old: str, new: str, said: str) -> None:
    assert old in BASE
    assert differences(BASE, BASE.replace(old, new))[0] == {name: said}
    found, footer = differences(BASE, renamed(BASE.replace(old, new)))
    if " to gelu" in said:  # types that differ are no partners without a name in common
        assert found == {f"other_{name}": "new: gelu 16x32x32", name: "gone: relu 16x32x32"}
    else:
        assert found == {f"other_{name}": f"name {name} to other_{name}; {said}"}
        assert f"one structure with other sizes, {LAYERS - 1} names differ" in footer


def test_the_figures_of_a_changed_layer_stand_beside_it(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(BASE)
    (tmp_path / "new.yaml").write_text(
        renamed(BASE.replace("kernel: 3, pad: 1}\n    name: c2", "kernel: 5, pad: 2}\n    name: c2"))
    )
    (row,) = diff_table(load(str(tmp_path / "old.yaml")).analyze(), load(str(tmp_path / "new.yaml")).analyze()).rows
    more = 16 * 16 * (5 * 5 - 3 * 3)
    assert row == ["other_c2", "name c2 to other_c2; kernel 3 to 5; pad 1 to 2", more, more * 32 * 32, 0]


@pytest.mark.parametrize("text", [BASE, renamed(BASE)])
@pytest.mark.parametrize("after", ["act", "both", "r1", "r2", "flat"])
def test_an_inserted_layer(differences, text: str, after: str) -> None:
    """Also where the layer stands among others of its kind."""
    more = re.sub(rf"(    name: (?:other_)?{after}\n)", r"\1  - tanh:\n    name: more\n", text)
    assert more != text
    found, footer = differences(BASE, more)
    shape = {"act": "8x32x32", "flat": "16384"}.get(after, "16x32x32")
    assert found == {"more": f"new: tanh {shape}"}
    assert footer[0].startswith(f"1 layer differs, {LAYERS} are the same")
    assert differences(more, BASE)[0] == {"more": f"gone: tanh {shape}"}


@pytest.mark.parametrize("other", ["", "other_"])
def test_a_removed_block(differences, other: str) -> None:
    """Of three pairs of convolution and ReLU that are alike, one is gone: which one, only names can say."""
    less = BASE.replace("  - conv: {out: 16, kernel: 3, pad: 1}\n    name: c2\n  - relu:\n    name: r2\n", "")
    found, footer = differences(BASE, renamed(less) if other else less)
    assert sorted(text.split()[0] + " " + text.split()[1] for text in found.values()) == ["gone: conv", "gone: relu"]
    assert footer[0].startswith(f"2 layers differ, {LAYERS - 2} are the same")


BRANCHES = re.compile(r"      one:\n(.*?)      two:\n(.*?)(?=    name: both)", re.DOTALL)
SWAPPED = r"      two:\n\2      one:\n\1"


@pytest.mark.parametrize("change", [lambda text: text, renamed])
def test_swapped_branches_of_a_concat_are_another_order_and_nothing_else(differences, change) -> None:
    swapped = change(BRANCHES.sub(SWAPPED, BASE))
    found, footer = differences(BASE, swapped)
    name = "both.concat" if change(BASE) == BASE else "other_both.concat"
    assert list(found) == [name]
    assert "from both.one.left, both.two.right_act to " in found[name]
    assert footer[0].startswith(f"1 layer differs, {LAYERS - 1} are the same")


@pytest.mark.parametrize("change", [lambda text: text, renamed])
def test_swapped_branches_of_a_sum_are_the_same_network(differences, change) -> None:
    sums = BASE.replace("  - concat:", "  - add:")
    found, footer = differences(sums, change(BRANCHES.sub(SWAPPED, sums)))
    assert footer[0].startswith(f"0 layers differ, {LAYERS} are the same")
    assert all(text.startswith("the same network") for text in found.values())


def test_another_input_is_no_other_name(differences) -> None:
    """The same layers in the same sequence, but one reads another layer: the graph counts."""
    text = "input: [4, 8, 8]\nlayers:\n" + "".join(f"  - relu:\n    name: r{i}\n" for i in range(3))
    read = text + "  - add: {}\n    name: sum\n    from: [r2, %s]\n"
    found, _ = differences(read % "r0", renamed(read % "r1").replace("[r2, r1]", "[other_r2, other_r1]"))
    assert found
    assert not any(value.startswith("the same network") for value in found.values())


def test_several_outputs(differences) -> None:
    text = "input: [3, 8, 8]\nlayers:\n  - conv: {out: 4, kernel: 3}\n    name: trunk\n"
    heads = text + "".join(f"  - conv: {{out: {n}, kernel: 1}}\n    name: head{n}\n    from: trunk\n" for n in (2, 5))
    moved = renamed(heads).replace("from: trunk", "from: other_trunk")
    found, footer = differences(heads, moved)
    assert found == {"(3 layers)": "the same network, 3 names differ"}
    assert not any(line.startswith("outputs:") for line in footer)
    found, _ = differences(heads, moved.replace("out: 5", "out: 6"))
    assert found == {"other_head5": "name head5 to other_head5; out 5 to 6; output 5x6x6 to 6x6x6"}
    found, footer = differences(heads, heads + "outputs: [head5]\n")
    assert any(line.startswith("outputs:") for line in footer)


def test_a_network_of_another_width_under_other_names(differences) -> None:
    """Every size differs, and yet all layers have partners."""
    wide = renamed(BASE.replace("out: 8", "out: 12").replace("out: 16", "out: 24"))
    found, footer = differences(BASE, wide)
    assert "new: " not in " ".join(found.values())
    assert "gone: " not in " ".join(found.values())
    assert f"one structure with other sizes, {LAYERS - 1} names differ" in footer


def test_shared_weights_under_other_names(differences) -> None:
    text = "input: [4, 8, 8]\nlayers:\n  - conv: {out: 4, kernel: 1}\n    name: a\n  - conv: {out: 4, kernel: 1}\n    name: b\n"
    shared = text + "    weights: a\n"
    assert differences(shared, renamed(shared).replace("weights: a", "weights: other_a"))[0] == {
        "(2 layers)": "the same network, 2 names differ"
    }
    assert differences(text, shared)[0] == {"b": "weights of its own to a"}


@pytest.mark.parametrize("name", ["resnet50", "densenet121", "googlenet", "shufflenet_v2_x1_0", "mobilenet_v3_small"])
def test_networks_of_the_zoo_under_other_names(name: str) -> None:
    network = load(name)
    other = Network("other", network.input)
    for node in network.nodes[1:]:
        other.add(
            f"layer {node.index}", node.layer, node.inputs, side=node.side, shares=node.shares, storage=node.storage
        )
    pairs, partners = aligned(network.analyze(), other.analyze())
    assert partners == {row.node.index: row.node.index for row in network.analyze().rows}
    assert all(left is not None and right is not None for left, right in pairs)


# Bounded work.


def chain(
    length: int, seed: int, prefix: str, types: tuple[str, ...] = ("relu", "conv", "tanh", "batch_norm")
) -> Network:
    draw, network = random.Random(seed), Network(prefix, Shape(2, (4, 4)))
    layers = {type: registry[type](**({"out": 2, "kernel": 1} if type == "conv" else {})) for type in types}
    for i in range(length):
        network.add(f"{prefix}{i}", layers[draw.choice(types)])
    return network


def branches(count: int, prefix: str, order: int) -> Network:
    network = Network(prefix, Shape(2, (4, 4)))
    made = [network.add(f"{prefix}{i}", registry["conv"](out=1 + i % 7, kernel=1), [0]) for i in range(count)[::order]]
    network.add("end", registry["concat"](), made)
    return network


HARD = {
    "nothing in common": lambda n: (chain(n, 1, "a"), chain(n, 2, "b")),
    "names alone differ": lambda n: (chain(n, 1, "a"), chain(n, 1, "b")),
    "all layers alike": lambda n: (chain(n, 1, "a", ("relu",)), chain(n - n // 9, 1, "b", ("relu",))),
    "branches reversed": lambda n: (branches(n, "a", 1), branches(n, "a", -1)),
    "branches reversed, other names": lambda n: (branches(n, "a", 1), branches(n, "b", -1)),
}


@pytest.mark.parametrize("case", HARD)
def test_the_work_grows_as_the_networks_do(case: str) -> None:
    """Eight times the layers take less than twenty times as long: a quadratic way takes 64 times."""

    def seconds(length: int) -> float:
        a, b = (analyze(network) for network in HARD[case](length))
        assert a.rows
        assert b.rows
        times = []
        for _ in range(3):
            start = time.process_time()
            aligned(a, b)
            times.append(time.process_time() - start)
        return min(times)

    assert seconds(4_000) < 20 * seconds(500)


def test_layers_that_random_networks_have_in_common() -> None:
    """A layer is inserted, removed or changed at twenty places of 400: each costs three rows at most, itself included."""
    for seed in range(20):
        draw = random.Random(seed)
        kinds = [draw.choice(("relu", "conv", "tanh", "batch_norm")) for _ in range(400)]
        edited = list(kinds)
        for at in sorted(draw.sample(range(400), 20), reverse=True):
            edited[at : at + 1] = draw.choice(([], [edited[at], "gelu"], ["sigmoid"]))
        networks = []
        for prefix, types in (("a", kinds), ("b", edited)):
            network = Network(prefix, Shape(2, (4, 4)))
            for i, type in enumerate(types):
                network.add(f"{prefix}{i}", registry[type](**({"out": 2, "kernel": 1} if type == "conv" else {})))
            networks.append(network)
        rows = [row for row in diff_table(*map(analyze, networks)).rows if not row[0].startswith("(")]
        assert len(rows) <= 3 * 20, seed
