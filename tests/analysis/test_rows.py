"""Rows and totals: what a network adds up to, and what must not change it."""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from archcalc import Analysis, Network, analyze
from archcalc.errors import ArchcalcError, LayerError
from archcalc.layers import registry
from archcalc.sizes import Params, Shape, Work
from tests import random_nets as nets
from tests.nets import network as spec

RANDOM = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


def built(net, shape):
    try:
        return nets.build(net, shape)
    except LayerError:
        assume(False)


def layer(type, **fields):
    return registry[type](**fields)


def test_rows_of_a_small_network():
    """Every number of every row by hand: 3x3 convolution, normalisation, a pool, a vector."""
    network = Network("small", Shape(3, (6, 6)))
    network.add("conv", layer("conv", out=4, kernel=3))  # 4x4x4
    network.add("norm", layer("batch_norm"))
    network.add("relu", layer("relu"))
    network.add("pool", layer("max_pool", kernel=2, stride=2))  # 4x2x2
    network.add("flatten", layer("flatten"))
    network.add("fc", layer("linear", out=5))
    rows = analyze(network, batch=10).rows
    assert [(r.name, r.type, str(r.shape), r.param_count, r.macs, r.values, r.conv_inputs) for r in rows] == [
        ("input", "input", "3x6x6", 0, 0, 10 * 108, 0),
        ("conv", "conv", "4x4x4", 3 * 4 * 9 + 4, 10 * 64 * 27, 10 * 64, 10 * 108),
        ("norm", "batch_norm", "4x4x4", 8, None, 10 * 64, 0),  # works, but not in MACs
        ("relu", "relu", "4x4x4", 0, None, None, 0),  # overwrites its input
        ("pool", "max_pool", "4x2x2", 0, None, 10 * 16, 0),
        ("flatten", "flatten", "16", 0, 0, None, 0),  # does nothing, and is its input
        ("fc", "linear", "5", 85, 10 * 80, 10 * 5, 0),
    ]
    totals = analyze(network, batch=10).totals
    assert (totals.params, totals.weights, totals.biases, totals.buffers) == (205, 108 + 4 + 80, 4 + 4 + 5, 8)
    assert (totals.macs, totals.flops) == (10 * (1728 + 80), 20 * (1728 + 80))
    assert totals.values == 10 * (108 + 64 + 64 + 16 + 5)


@RANDOM
@given(nets.networks(), nets.shapes, st.integers(1, 9))
def test_batch_scales_work_and_values_but_not_parameters_and_views(net, shape, batch):
    network = built(net, shape)
    for one, many in zip(analyze(network).rows, analyze(network, batch=batch).rows, strict=True):
        assert (many.params, many.param_count) == (one.params, one.param_count)
        assert (many.field, many.shape) == (one.field, one.shape)
        assert many.work == one.work.times(batch)
        assert many.conv_inputs == batch * one.conv_inputs
        for a, b in ((one.macs, many.macs), (one.values, many.values)):
            assert b == (None if a is None else batch * a)


@RANDOM
@given(nets.networks(), nets.shapes)
def test_totals_are_the_sums_of_the_leaves(net, shape):
    """Recounted from the layers themselves, without rows."""
    network = built(net, shape)
    totals = analyze(network).totals
    params = [n.layer.params(*network.input_shapes(n)) for n in network.nodes]
    works = [n.layer.work(n.shape, *network.input_shapes(n)) for n in network.nodes]
    assert (totals.weights, totals.biases, totals.buffers) == tuple(map(sum, zip(*params, strict=True)))
    assert totals.params == totals.weights + totals.biases
    assert totals.work == tuple(map(sum, zip(*works, strict=True)))
    assert (totals.macs, totals.flops) == (totals.work.mac, 2 * totals.work.mac)
    assert totals.values == sum(n.shape.values for n in network.nodes if n.layer.storage == "new")


@RANDOM
@given(nets.networks(most=6), nets.shapes, st.data())
def test_splitting_a_stack_keeps_totals(net, shape, data):
    """The second part starts from the first one's output, whose values both count."""
    whole = built(net, shape)
    at = data.draw(st.integers(0, len(net)))
    first = nets.build(net[:at], shape)
    middle = first.nodes[-1].shape
    second = nets.build(net[at:], middle)
    a, b, t = (analyze(n).totals for n in (first, second, whole))
    assert a.params + b.params == t.params
    assert Work.sum([a.work, b.work]) == t.work
    assert a.macs + b.macs == t.macs
    assert a.values + b.values - middle.values == t.values
    assert a.conv_inputs + b.conv_inputs == t.conv_inputs


@RANDOM
@given(nets.networks(), nets.shapes)
def test_the_same_layer_object_twice_is_two_layers(net, shape):
    """Facts are kept per layer and shapes; a reused object must not hide a row or its parameters."""
    twice = built([*net, ("conv", {"out": 3, "kernel": 1}), *net], shape)
    shared = Network("shared", shape)
    objects = {}
    for node in twice.nodes[1:]:
        key = (node.layer.type, repr(node.layer))
        shared.add(node.name, objects.setdefault(key, node.layer), node.inputs)
    assert analyze(shared).totals == analyze(twice).totals
    assert len(objects) < len(twice.nodes) - 1


def shared_network(shares):
    network = Network("shared", Shape(4, (8, 8)))
    first = network.add("first", layer("conv", out=4, kernel=3, pad=1))
    network.add("pool", layer("max_pool", kernel=2, stride=2))
    network.add("second", layer("conv", out=4, kernel=3, pad=1), shares=first if shares else None)
    return analyze(network)


def test_shared_parameters_count_once_and_work_every_time():
    own, shared = shared_network(False), shared_network(True)
    assert (own.totals.params, shared.totals.params) == (2 * (144 + 4), 144 + 4)
    assert own.totals.work == shared.totals.work
    assert shared.totals.macs == 144 * (64 + 16)  # 8x8, then 4x4
    assert (shared["second"].params, shared["second"].shared, shared["first"].shared) == (Params(), "first", "")


def test_a_side_head_counts_in_training_only():
    network = Network("side", Shape(4, (8, 8)))
    body = network.add("body", layer("conv", out=4, kernel=1))
    network.add("aux", layer("conv", out=2, kernel=1), [body], side=True)
    network.add("head", layer("conv", out=3, kernel=1), [body])
    inference, training = analyze(network), analyze(network, training=True)
    assert [row.name for row in inference.rows] == ["input", "body", "head"]
    assert [row.name for row in training.rows] == ["input", "body", "aux", "head"]
    assert [row.name for row in inference.side_rows] == ["aux"]
    assert training.totals.params - inference.totals.params == 4 * 2 + 2


def test_what_a_convention_counts():
    network = Network("lenet", Shape(6, (28, 28)))
    network.add("S2", layer("subsample", kernel=2, stride=2))
    network.add("C5", layer("conv", out=120, kernel=14))
    network.add("F", layer("flatten"))
    network.add("codes", layer("rbf", out=10))
    usual, lecun, cs231n = (analyze(network, convention=c) for c in ("archcalc", "lecun98", "cs231n"))
    # LeCun et al. 1998, section II.B: "S2 has 12 trainable parameters and 5,880 connections"
    assert (lecun["S2"].param_count, lecun["S2"].macs) == (12, 5880)
    assert usual["S2"].macs is None
    # C5 of one position: a link per weight and bias
    assert lecun["C5"].macs == usual["C5"].macs + 120
    assert (usual["C5"].param_count, cs231n["C5"].param_count) == (120 * 1176 + 120, 120 * 1176)
    assert (usual["codes"].param_count, lecun["codes"].macs) == (0, 1200)


def test_rows_by_name():
    analysis = shared_network(True)
    assert analysis["pool"].type == "max_pool"
    with pytest.raises(ArchcalcError, match=r"^unknown layer 'secnod'; did you mean 'second'\?$"):
        analysis["secnod"]
    assert isinstance(analysis, Analysis)
    assert repr(analysis) == "<Analysis of shared: input 4x8x8, batch 1, archcalc>"


def test_rows_of_regions():
    """Every number by hand: of a head that runs for 5 regions of each of 10 images."""
    network = Network("head", Shape(3, (6, 8)))
    network.add("regions", layer("roi_align", size=2, sampling=1, regions=5))
    network.add("conv", layer("conv", out=4, kernel=2))  # 4x1x1
    network.add("flatten", layer("flatten"))
    network.add("fc", layer("linear", out=7))
    rows = analyze(network, batch=10).rows
    assert [(r.name, r.output, r.param_count, r.macs, r.values, r.conv_inputs) for r in rows] == [
        ("input", "3x6x8", 0, 0, 10 * 144, 0),
        ("regions", "5 x 3x2x2", 0, None, 50 * 12, 0),
        ("conv", "5 x 4x1x1", 4 * 12 + 4, 50 * 4 * 12, 50 * 4, 50 * 12),
        ("flatten", "5 x 4", 0, 0, None, 0),
        ("fc", "5 x 7", 35, 50 * 28, 50 * 7, 0),
    ]
    assert rows[1].work == Work(mul=50 * 12 * 4, add=50 * 12 * 3, div=50 * 12)


def test_regions_and_the_image_do_not_meet():
    network = Network("head", Shape(3, (6, 8)))
    regions = network.add("regions", layer("roi_pool", size=[6, 8], regions=5))
    other = network.add("other", layer("roi_pool", size=[6, 8], regions=4), [0])
    for inputs, text in [
        ([regions, 0], "regions belongs to each of 5 regions and input belongs to the image: add cannot join them"),
        ([regions, other], "regions belongs to each of 5 regions and other belongs to each of 4 regions: "),
    ]:
        with pytest.raises(LayerError, match=f"^{text}"):
            network.add("sum", layer("add"), inputs)
    with pytest.raises(LayerError, match=r"^must be at least 0, got -1$"):
        layer("roi_pool", regions=-1)


def test_an_analysis_is_that_of_the_layers_at_its_time():
    network = Network("grows", Shape(3, (6, 6)))
    network.add("conv", layer("conv", out=4, kernel=3))
    before = analyze(network)
    network.add("fc", layer("linear", out=5, axis="channels"))
    assert [row.name for row in before.rows] == ["input", "conv"]
    assert before.totals.params == 4 * 27 + 4
    assert analyze(network).totals.params == 4 * 27 + 4 + 4 * 5 + 5


def test_strides_that_multiply_to_more_than_can_be_printed():
    """2^3322 is more than 10^1000. Totals need no field, and have no problem with it."""
    conv = "conv: {out: 1, kernel: 1, stride: 2}"
    layers = f"[{{{conv}, from: a}}, {{{conv}, repeat: 3321, name: 's{{i}}'}}, {{add: , from: [s3321, b]}}]"
    said = r"^net at input .*1x1: s3321: the strides on the way here multiply to more than 10\^1000$"
    analysis = spec(f"inputs: {{a: [1, 1], b: [1, 1]}}\nlayers: {layers}\n").analyze()
    assert analysis.totals.params == 2 * 3322
    with pytest.raises(ArchcalcError, match=said):
        analysis.rows  # noqa: B018
    analysis = spec(f"inputs: {{b: [1, 1], a: [1, 1]}}\nlayers: {layers}\n").analyze()
    with pytest.raises(ArchcalcError, match=said):
        analysis.from_input("a")
