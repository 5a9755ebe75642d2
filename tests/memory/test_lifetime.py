"""When tensors live: which layers write over their input, known peaks, and peaks worked out by hand."""

from __future__ import annotations

import gc
import time

import pytest

from archcalc import Network, load
from archcalc.layers import registry
from archcalc.memory.deployed import fold_batch_norm
from archcalc.memory.lifetime import inference, overwritten
from archcalc.sizes import Shape

MAP = 4 * 8 * 8 * 4
"""Bytes of a 4x8x8 map in float32."""


def network(*layers, size=(4, 8, 8)):
    """Layers on a map as (type, settings, inputs): inputs are indices, and the layer before when left out."""
    made = Network("net", Shape(size[0], size[1:]))
    for type, settings, *inputs in layers:
        made.add(f"n{len(made.nodes)}", registry[type](**settings), inputs[0] if inputs else None)
    return made


CONV = ("conv", {"out": 4, "kernel": 3, "pad": 1})
RELU = ("relu", {})


@pytest.mark.parametrize(
    ("net", "peak"),
    [
        # What a dispatch mode saw of torchvision's models, freeing each tensor after its last use (torch 2.14).
        ("alexnet_tv", 1_334_272),  # pool1: its input 64*55*55*4, its output 64*27*27*4 and as many indices of 8 bytes
        ("vgg16", 25_690_112),  # conv1_2: input and output of 64*224*224*4 each
        ("resnet50_tv", 9_633_792),  # the first block: branch, shortcut and its normalisation, 256*56*56*4 each
    ],
)
def test_known_peaks(net, peak):
    assert inference(load(net)).peak() == peak


def test_known_peaks_are_sums_of_known_tensors():
    assert 1_334_272 == 64 * 55 * 55 * 4 + 64 * 27 * 27 * (4 + 8)
    assert 25_690_112 == 2 * 64 * 224 * 224 * 4
    assert 9_633_792 == 3 * 256 * 56 * 56 * 4


def test_resnet50_as_deployed():
    # The first block's input, branch and shortcut: 64*56*56*4 + 2 * 256*56*56*4. The sum goes into the branch.
    assert inference(fold_batch_norm(load("resnet50_tv"))).peak() == 64 * 56 * 56 * 4 + 2 * 256 * 56 * 56 * 4


def test_folding_leaves_multiply_adds_and_adds_biases():
    plain, folded = load("resnet18").analyze(), fold_batch_norm(load("resnet18")).analyze()
    assert folded.totals.macs == plain.totals.macs
    assert folded.totals.buffers == 0
    channels = sum(row.shape.channels for row in plain.rows if row.type == "batch_norm")
    assert folded.totals.params == plain.totals.params - 2 * channels + channels


@pytest.mark.parametrize("settings", [{}, {"bias": False}, {"zero_bias": [2, 5]}])
def test_a_normalisation_folds_into_a_linear_layer(settings):
    """27 x 16 weights and 16 biases, whatever biases the linear layer had before."""
    plain = network(("flatten", {}), ("linear", {"out": 16, **settings}), ("batch_norm", {}), size=(3, 3, 3))
    folded = fold_batch_norm(plain).analyze()
    assert [row.type for row in folded.rows] == ["input", "flatten", "linear"]
    assert (folded.totals.params, folded.totals.buffers) == (27 * 16 + 16, 0)


def test_a_chain_by_hand():
    # conv: its output (the image is its caller's). relu: over it. conv: input and output. pool: input, output of
    # 2x8x8... a quarter, and its indices of 8 bytes for 4. flatten: a view. linear: the vector and 10 numbers.
    net = network(CONV, RELU, CONV, ("max_pool", {"kernel": 2, "stride": 2}), ("flatten", {}), ("linear", {"out": 10}))
    schedule = inference(net)
    most = {}
    for moment, live in zip(schedule.moments, schedule.live(), strict=True):
        most[moment.node] = max(most.get(moment.node, 0), live)
    quarter = MAP // 4
    assert most == {1: MAP, 2: MAP, 3: 2 * MAP, 4: MAP + 3 * quarter, 5: quarter, 6: quarter + 40}


def test_a_shortcut_is_alive_until_the_sum():
    net = network(CONV, CONV, RELU, CONV, ("add", {}, (4, 1)))
    schedule = inference(net)
    assert schedule.peak(3) == 3 * 3 * MAP  # at the last conv and the sum: shortcut, branch, result
    assert [storage.name for storage in schedule.alive(schedule.peak_moment())] == ["n1", "n2", "n4"]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([CONV, RELU], {2}),
        ([RELU, CONV], set()),  # the input is the caller's
        ([CONV, RELU, ("relu6", {})], {2}),  # backward reads what relu made
        ([CONV, ("sigmoid", {}), RELU], {2}),
        ([CONV, ("silu", {}), RELU], {2, 3}),  # silu keeps a copy of its input, not what it made
        ([CONV, ("gelu", {})], set()),  # PyTorch has none in place
        ([CONV, RELU, ("add", {}, (2, 1))], set()),  # the sum reads what was there
        ([CONV, ("upsample", {"scale": 1}), ("relu", {}, (1,)), ("add", {}, (2, 3))], {3}),  # read before, kept by none
        ([CONV, ("batch_norm", {}), ("relu", {}, (1,)), ("add", {}, (2, 3))], set()),  # kept by the normalisation
        ([CONV, ("identity", {}), ("relu", {}, (1,)), ("add", {}, (2, 3))], set()),  # seen through a view
        ([CONV, ("slice", {"stop": 2}), RELU], set()),  # a part of a map that is another's
        ([CONV, ("dropout", {}), RELU], set()),  # the same tensor at inference
        ([CONV, ("layer_norm", {"axis": "channels"}), RELU], set()),  # PyTorch returns a view
        ([CONV, ("scale", {"factor": 0.1}), RELU], {2, 3}),
    ],
)
def test_which_layers_write_over_their_input(layers, expected):
    assert set(overwritten(network(*layers, CONV))) == expected


@pytest.mark.parametrize(("type", "settings"), [("flatten", {}), ("identity", {}), ("slice", {"stop": 2})])
def test_a_view_that_the_spec_calls_new_is_one_still(type, settings):
    """PyTorch returns a view of the image, whatever a spec counts: nothing may write over the image."""
    net = Network("net", Shape(4, (8, 8)))
    net.add("first", registry[type](**settings), storage="new")
    net.add("over", registry["hard_sigmoid"]())
    net.add("last", registry["relu"]())
    assert 2 not in overwritten(net)


def test_the_output_is_not_overwritten():
    net = Network("net", Shape(4, (8, 8)))
    net.add("conv", registry["conv"](out=4, kernel=1))
    net.add("side", registry["relu"](), side=True)
    assert overwritten(net) == {}


def test_side_heads_do_not_run_at_inference():
    schedule = inference(load("googlenet_tv"))
    assert not any(schedule.network.nodes[moment.node].side for moment in schedule.moments)


@pytest.mark.parametrize("net", ["alexnet_tv", "googlenet", "densenet121", "convnext_tiny"])
def test_the_largest_batch_is_the_largest(net):
    schedule = inference(load(net))
    for budget in (10**8, 10**9 + 7, 24 * 2**30):
        batch = schedule.largest_batch(budget)
        assert schedule.peak(batch) <= budget < schedule.peak(batch + 1)


def test_bytes_follow_the_dtype():
    half, single = inference(load("resnet_cifar20"), "float16"), inference(load("resnet_cifar20"))
    assert 2 * half.peak() == single.peak()
    # Indices are int64 whatever the dtype: pool1 of 64x27x27 has 64*27*27*8 bytes of them.
    assert inference(load("alexnet_tv"), "float16").peak() == 64 * 55 * 55 * 2 + 64 * 27 * 27 * (2 + 8)


def test_time_is_linear():
    """Ten times as many layers take about ten times as long, and not a hundred times."""

    def seconds(layers: int) -> float:
        net = network(*[CONV, RELU] * (layers // 2))
        start = time.process_time()
        assert inference(net).peak() == 2 * MAP
        return time.process_time() - start

    gc.disable()  # the collector walks through all that other tests have left
    try:
        assert min(seconds(10_000) for _ in range(3)) < 40 * min(seconds(1_000) for _ in range(3))
    finally:
        gc.enable()
