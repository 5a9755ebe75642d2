"""Folds are views of the same leaves: whatever the way, the sums stay."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archcalc import Network, analyze, load
from archcalc.analysis.totals import sum_rows
from archcalc.errors import ArchcalcError
from archcalc.layers import registry
from archcalc.sizes import Shape

SETTINGS = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
LAYERS = [
    ("conv", {"out": 4, "kernel": 3, "pad": 1}),
    ("relu", {}),
    ("batch_norm", {}),
    ("identity", {}),
    ("max_pool", {"kernel": 2, "stride": 2, "ceil_mode": True}),
]


def layer(type, **fields):
    return registry[type](**fields)


@st.composite
def scoped(draw):
    """A chain whose layers lie in blocks nested up to three deep."""
    network = Network("scoped", Shape(3, (9, 9)))
    scopes = st.lists(st.sampled_from("ab"), max_size=3).map(tuple)
    for i in range(draw(st.integers(1, 8))):
        kind, fields = draw(st.sampled_from(LAYERS))
        network.add(f"layer{i}", layer(kind, **fields), scopes=draw(scopes))
    return network


@SETTINGS
@given(
    scoped(), st.sampled_from([{"depth": 1}, {"depth": 2}, {"depth": 3}, {"depth": 9}, {"by": "type"}, {"by": "stage"}])
)
def test_every_fold_keeps_the_totals(network, way):
    analysis = analyze(network, batch=3)
    folded = analysis.fold(**way)
    assert sum_rows(folded, analysis.convention) == analysis.totals
    assert sum(row.layers for row in folded) == len(network.nodes) - 1


@SETTINGS
@given(scoped())
def test_rows_of_a_fold(network):
    analysis = analyze(network)
    assert analysis.fold() is analysis.rows
    assert analysis.fold(depth=9) == analysis.rows
    assert {row.type for row in analysis.fold(by="type")} == {row.type for row in analysis.rows}
    stages = analysis.fold(by="stage")
    assert all(a.name != b.name for a, b in pairwise(stages))
    assert stages[-1].field == analysis.rows[-1].field


def test_a_fold_by_hand():
    network = Network("net", Shape(3, (8, 8)))
    network.add("a.conv", layer("conv", out=4, kernel=3, pad=1), scopes=("a",))
    network.add("a.b.conv", layer("conv", out=4, kernel=1), scopes=("a", "b"))
    network.add("a.b.relu", layer("relu"), scopes=("a", "b"))
    network.add("pool", layer("max_pool", kernel=2, stride=2))
    network.add("c.conv", layer("conv", out=2, kernel=1), scopes=("c",))
    analysis = analyze(network)
    shown = lambda rows: [(r.name, r.type, r.layers, r.param_count, r.macs) for r in rows]  # noqa: E731
    conv1, conv2, conv3 = ("conv", 3 * 4 * 9 + 4, 27 * 256), ("conv", 16 + 4, 4 * 256), ("conv", 8 + 2, 4 * 32)
    assert shown(analysis.fold(depth=1)) == [
        ("input", "input", 0, 0, 0),
        ("a", "block", 3, conv1[1] + conv2[1], conv1[2] + conv2[2]),
        ("pool", "max_pool", 1, 0, None),
        ("c", "block", 1, *conv3[1:]),  # a block of one layer is still the block
    ]
    assert [row.name for row in analysis.fold(depth=2)] == ["input", "a.conv", "a.b", "pool", "c.conv"]
    assert shown(analysis.fold(by="stage")) == [
        ("8x8", "stage", 3, conv1[1] + conv2[1], conv1[2] + conv2[2]),
        ("4x4", "stage", 2, *conv3[1:]),
    ]
    assert shown(analysis.fold(by="type")) == [
        ("input", "input", 0, 0, 0),
        ("conv", "conv", 3, 112 + 20 + 10, 27 * 256 + 4 * 256 + 4 * 32),
        ("relu", "relu", 1, 0, None),
        ("max_pool", "max_pool", 1, 0, None),
    ]


@pytest.mark.parametrize(
    ("way", "text"),
    [
        ({"by": "typ"}, "unknown way to fold 'typ'; did you mean 'type'?"),
        ({"depth": 0}, "depth must be at least 1, got 0"),
        ({"depth": 1, "by": "type"}, "fold to a depth or by type, not both"),
    ],
)
def test_refused(way, text):
    with pytest.raises(ArchcalcError) as error:
        analyze(Network("net", Shape(3))).fold(**way)
    assert str(error.value) == text


def test_a_layer_is_not_folded_into_a_block_of_the_same_name(tmp_path):
    spec = tmp_path / "twins.yaml"
    spec.write_text(
        "input: [1, 4, 4]\nlayers:\n  - relu:\n    name: a\n  - label: a\n    layers:\n      - relu\n      - relu\n"
    )
    folded = load(str(spec)).analyze().fold(depth=1)
    assert [(row.name, row.type, row.layers) for row in folded] == [
        ("input", "input", 0),
        ("a", "relu", 1),
        ("a", "block", 2),
    ]


@pytest.mark.parametrize(
    ("net", "sizes"),
    [
        # He et al. 2016, Table 1; Szegedy et al. 2014, Table 1; Tan and Le 2019, Table 1; TF-Slim's inception_v3.py.
        ("resnet50", [224, 112, 56, 28, 14, 7, 1]),
        ("googlenet", [224, 112, 56, 28, 14, 7, 1]),
        ("efficientnet_b0", [224, 112, 56, 28, 14, 7, 1]),
        ("inception_v3", [299, 149, 147, 73, 71, 35, 17, 8, 1]),
        ("regnet_y_400mf", [224, 112, 56, 28, 14, 7, 1]),
    ],
)
def test_branches_and_gates_belong_to_the_stage_where_they_meet(net, sizes):
    assert [row.name for row in load(net).analyze().fold(by="stage")] == [*(f"{n}x{n}" for n in sizes), "vector"]


def test_side_heads_are_a_stage_of_their_own():
    stages = load("googlenet").analyze(training=True).fold(by="stage")
    # Two heads of 5x5 average pooling, 1x1, two fully connected layers and what stands between (section 5).
    assert sum(row.param_count for row in stages if row.name == "side heads") == 13_378_280 - 6_998_552
