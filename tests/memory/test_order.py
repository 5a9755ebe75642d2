"""The best order of branches, against every order that there is."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from archcalc import Network, load
from archcalc.memory import order
from archcalc.memory.lifetime import inference, overwritten
from archcalc.memory.order import best_order
from archcalc.sizes import Shape
from tests.random_nets import build, networks

from .test_lifetime import CONV, MAP, network


def orders(net, most):
    """All orders in which the layers can run, each after its inputs, and overwriting layers after other readers."""
    over = overwritten(net)
    before = {node.index: set(node.inputs) - {0} for node in net.nodes[1:]}
    for node, read in over.items():
        before[node] |= {other.index for other in net.nodes if read in other.inputs and other.index < node}
    for node in net.nodes:
        before.get(node.index, set()).update(() if node.shares is None else (node.shares,))

    def grow(done):
        if len(done) == len(before):
            yield done
        for node in before:
            if node not in done and before[node] <= set(done):
                yield from grow([*done, node])

    found = []
    for one in grow([]):
        found.append(one)
        if len(found) > most:
            return None
    return found


def in_order(net, one):
    """The same network with its layers in another order."""
    made, place = Network("net", net.input), {0: 0}
    for i in one:
        node = net.nodes[i]
        shares = None if node.shares is None else place[node.shares]
        place[i] = made.add(node.name, node.layer, [place[j] for j in node.inputs], storage=node.storage, shares=shares)
    made.chosen = tuple(place[i] for i in net.outputs)
    return made


shapes = st.builds(Shape, st.integers(1, 3), st.tuples(st.integers(4, 9), st.integers(4, 9)))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(networks(most=3), shapes)
def test_the_smallest_of_all_orders(net, shape):
    from archcalc.errors import LayerError

    try:
        net = build(net, shape)
    except LayerError:
        assume(False)
    all_orders = orders(net, 300)
    assume(all_orders is not None)
    # Elsewhere another layer may come last and write over the input: only orders with the same writers count.
    writers = {net.nodes[i].name for i in overwritten(net)}
    same = [
        there
        for there in (in_order(net, one) for one in all_orders)
        if {there.nodes[i].name for i in overwritten(there)} == writers
    ]
    found = best_order(inference(net))
    assert found.exact
    assert found.peak == min(inference(there).peak() for there in same)
    assert found.order in all_orders
    assert inference(in_order(net, found.order)).peak() <= found.peak


def test_the_wide_branch_goes_first():
    # A branch that widens 4 maps to 16 and narrows to 1, beside one that keeps 4. In the order of the spec the other
    # branch's 4 maps wait with the input's 4 while the 16 are made; the wide one first, they are made beside the
    # input alone, and then the 1 map beside both.
    wide = [("conv", {"out": 16, "kernel": 1}, (1,)), ("conv", {"out": 1, "kernel": 1})]
    net = network(CONV, ("conv", {"out": 4, "kernel": 1}, (1,)), *wide, ("concat", {}, (2, 4)))
    assert inference(net).peak() == MAP + MAP + 4 * MAP
    assert best_order(inference(net)) == (MAP + 4 * MAP + MAP // 4, True, [1, 3, 4, 2, 5])


UNPOOLED = """
input: [4, 8, 8]
layers:
  - {conv: {out: 4, kernel: 1}, name: start}
  - concat:
      unpooled:
        - {max_pool: {kernel: 2, stride: 2}, name: pool}
        - conv: {out: 1, kernel: 1}
        - conv: {out: 4, kernel: 1}
        - unpool: {of: pool}
      wide: [{conv: {out: 16, kernel: 1}}, {conv: {out: 1, kernel: 1}}]
"""
TWO_POOLS = """
input: [4, 8, 8]
layers:
  - {max_pool: {kernel: 2, stride: 2}, name: pool1}
  - {max_pool: {kernel: 2, stride: 2}, name: pool2}
  - add: {short: [], long: [{conv: {out: 60, kernel: 1}}, {conv: {out: 4, kernel: 1}}]}
  - unpool: {of: pool2}
  - add: {short: [], long: [{conv: {out: 30, kernel: 1}}, {conv: {out: 4, kernel: 1}}]}
  - unpool: {of: pool1}
"""


@pytest.mark.parametrize("text", [UNPOOLED, TWO_POOLS], ids=["beside a branch", "through branches"])
def test_indices_wait_for_their_unpooling(tmp_path, text):
    (tmp_path / "net.yaml").write_text(text)
    net = load(tmp_path / "net.yaml")
    found = best_order(inference(net))
    all_orders = orders(net, 1000)
    assert found == (min(inference(in_order(net, one)).peak() for one in all_orders), True, found.order)
    assert inference(in_order(net, found.order)).peak() == found.peak


def test_where_the_search_is_given_up_it_is_a_bound(monkeypatch):
    net = load("teaching_inception_bottleneck")
    monkeypatch.setattr(order, "STATES", 3)
    found = best_order(inference(net))
    assert not found.exact
    assert found.peak == inference(net).peak()


@pytest.mark.parametrize("net", ["resnet50_tv", "googlenet", "densenet121", "fractalnet20", "inception_v4"])
def test_networks_of_the_zoo_are_searched_exactly(net):
    found = best_order(inference(load(net)))
    assert found.exact
    assert found.peak <= inference(load(net)).peak()
