"""Expected cost where paths are dropped, by the paper's arithmetic."""

from __future__ import annotations

from fractions import Fraction

import pytest

from archcalc import load
from archcalc.analysis.stochastic_depth import survival


@pytest.mark.parametrize(("net", "blocks"), [("stochastic_depth110", 54), ("stochastic_depth1202", 600)])
def test_linear_decay_keeps_three_quarters_of_the_blocks(net, blocks):
    # Huang et al. 2016, section 3: with p_L = 0.5 the expected number of blocks is (3L - 1)/4.
    found = survival(load(net), load(net).analyze().rows)
    assert found.paths == blocks
    assert found.surviving == pytest.approx((3 * blocks - 1) / 4, abs=1e-9)  # floats of the spec's 0.5 * l / L


def test_expected_macs_of_the_110_layer_network():
    # ResNet-110 on 3x32x32: conv1 27*16*1024; 18 units of two 3x3 in each of three stages, whose width doubles while
    # the map halves, so that a unit costs 2 * 9*16*16*1024 everywhere but in the first of stages 2 and 3, where its
    # first convolution sees half the channels; fc 64*10. Unit l of 54 survives with p_l = 1 - l/54 * 0.5.
    unit = 2 * 9 * 16 * 16 * 1024
    cost = {block: unit - unit // 4 if block in (19, 37) else unit for block in range(1, 55)}
    always = 27 * 16 * 1024 + 64 * 10
    expected = always + sum((1 - Fraction(block, 108)) * macs for block, macs in cost.items())
    analysis = load("stochastic_depth110").analyze()
    assert analysis.totals.macs == always + sum(cost.values())
    assert survival(analysis.network, analysis.rows).macs == pytest.approx(float(expected), rel=1e-12)


def test_a_layer_with_a_way_around_always_runs(tmp_path):
    spec = tmp_path / "net.yaml"
    spec.write_text(
        "input: [4, 4, 4]\nlayers:\n"
        "  - conv: {out: 4, kernel: 1}\n    name: stem\n"
        "  - add:\n      main:\n        - conv: {out: 4, kernel: 1}\n"
        "        - add:\n            deep:\n              - conv: {out: 4, kernel: 1}\n              - drop_path: {p: 0.5}\n"
        "            skip: []\n"
        "        - drop_path: {p: 0.2}\n      skip: []\n"
    )
    network = load(str(spec))
    one = 4 * 4 * 4 * 4  # MACs of each 1x1
    found = survival(network, network.analyze().rows)
    assert found.paths == 2
    assert found.surviving == pytest.approx(0.5 + 0.8)
    assert found.macs == pytest.approx(one * (1 + 0.8 + 0.8 * 0.5))


def test_a_network_without_droppable_paths_has_no_expected_cost():
    network = load("resnet_cifar20")
    assert survival(network, network.analyze().rows) is None


def test_the_table_says_both():
    from archcalc.report import render

    out = render(load("stochastic_depth110").analyze(), "text")
    assert "40.25 of 54 paths run on average" in out
    assert "At inference all paths run." in out
