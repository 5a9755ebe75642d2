"""The time of an operator and of a network, worked out by hand on a device with round numbers."""

from __future__ import annotations

import pytest

from archcalc import ArchcalcError, load
from archcalc.timing.constants import CONSTANTS, usual
from archcalc.timing.device import Figure
from archcalc.timing.reading import device, devices
from archcalc.timing.time import UPDATES, Settings, Time
from tests.nets import network
from tests.timing.round_device import ONES, ROUND

ONE = "input: [256, 4, 4]\nlayers:\n  - conv: {out: 512, kernel: 3, pad: 1, bias: false}\n    name: conv\n  - relu\n"


def timed(net, on=ROUND, **settings):
    return Time(net, on, Settings(**settings))


def test_a_layer_takes_the_longer_of_its_arithmetic_and_its_traffic():
    conv, relu = timed(network(ONE), batch=1000).rows
    # 512x4x4 values of 256x9 products, two operations each, for 1000 images, at 1e12 a second
    assert conv.estimate == pytest.approx(2 * 512 * 16 * 256 * 9 * 1000 / 1e12)
    assert (conv.bound, conv.macs) == ("arithmetic", 512 * 16 * 256 * 9 * 1000)
    # in place: 512x4x4 values of 4 bytes read and written, at 1e11 bytes a second
    assert relu.estimate == pytest.approx(2 * 512 * 16 * 4 * 1000 / 1e11)
    assert relu.bound == "memory"
    small, _ = timed(network(ONE)).rows
    # a single image: 37.7 us of products, but 47.2 us for 512x256x9 weights alone
    assert small.bound == "memory"


def test_each_inefficiency_is_a_factor():
    slow = ROUND._replace(
        constants={**ONES, "convolution": 2.0, "columns": 512.0, "memory": 3.0, "launch": 5.0, "call": 5.0}
    )
    conv, relu = timed(network(ONE), slow, batch=1000).rows
    # twice the time, times (1 + 512 / 512 columns); and 5 us for the launch
    assert conv.estimate == pytest.approx(2 * 2 * (2 * 512 * 16 * 256 * 9 * 1000 / 1e12) + 5e-6)
    assert relu.estimate == pytest.approx(3 * 2 * 512 * 16 * 4 * 1000 / 1e11 + 5e-6)
    assert timed(network(ONE), slow, batch=1000).lower_bound == timed(network(ONE), batch=1000).lower_bound


def test_the_lower_bound_takes_the_highest_clock_and_leaves_to_the_cache_what_it_holds():
    fast = ROUND._replace(clock=(Figure(1e9), Figure(2e9)), cache=Figure(512 * 16 * 4 * 999.0))
    conv, relu = timed(network(ONE), fast, batch=1000).rows
    assert conv.lower_bound == pytest.approx(2 * 512 * 16 * 256 * 9 * 1000 / 2e12)
    # the cache holds all but one image of what is read, and of what is written
    assert relu.lower_bound == pytest.approx(2 * 512 * 16 * 4 / 1e11)


def test_half_precision_has_its_own_peak_and_half_the_bytes():
    time = timed(network(ONE), amp=True, batch=1000)
    conv, relu = time.rows
    casts = 6 * (256 * 16 * 1000 + 512 * 256 * 9) / 1e11  # read in 4 bytes and written in 2
    assert conv.estimate == pytest.approx(2 * 512 * 16 * 256 * 9 * 1000 / 4e12 + casts)
    assert relu.estimate == pytest.approx(2 * 512 * 16 * 2 * 1000 / 1e11)


def test_training_adds_the_backward_pass_and_the_optimizer():
    adam = timed(network(ONE), training=True, optimizer="adam").rows[0]
    sgd = timed(network(ONE), training=True).rows[0]
    assert adam.step == pytest.approx(sum(UPDATES["adam"]) * 512 * 256 * 9 / 1e11)
    assert (sgd.step, sgd.forward) == (pytest.approx(12 * 512 * 256 * 9 / 1e11), adam.forward)
    assert sgd.estimate == sgd.forward + sgd.backward + sgd.step


def test_a_side_head_runs_in_training_alone_also_if_compiled():
    net = network(
        "input: [8, 4, 4]\nlayers:\n  - conv: {out: 8, kernel: 1, bias: false}\n  - side: [{conv: {out: 2, kernel: 1}}]\n  - relu\n"
    )
    names = [[one.operator.name for one in timed(net, compiled=True, training=on).operators] for on in (False, True)]
    assert [one.count("convolution") for one in names] == [1, 2]


def test_a_compiler_fuses_what_multiplies_no_matrices():
    net = network(
        "input: [8, 4, 4]\nlayers:\n  - conv: {out: 8, kernel: 1, bias: false}\n    name: conv\n  - batch_norm\n  - relu\n"
        "  - conv: {out: 8, kernel: 1, bias: false}\n    name: last\n"
    )
    eager, compiled = timed(net), timed(net, compiled=True)
    size, weights = 8 * 16 * 4, 8 * 8 * 4
    # eager: each of the convolutions, the normalisation (16 numbers) and the relu reads and writes a map
    assert sum(row.bytes for row in eager.rows) == 4 * 2 * size + 2 * weights + 16 * 4
    assert sum(row.bytes for row in compiled.rows) == 3 * 2 * size + 2 * weights + 16 * 4
    assert [one.operator.name for one in compiled.operators] == ["convolution", "native_batch_norm", "convolution"]


def test_rows_add_up_and_the_lower_bound_is_lower():
    for name in ("resnet50", "mobilenet_v2", "vit_b_16"):
        for settings in ({}, {"compiled": True}, {"training": True}, {"channels_last": True}):
            time = timed(load(name), device("a100"), amp=True, batch=32, **settings)
            assert time.estimate == pytest.approx(sum(one.estimate for one in time.operators))
            assert 0 < time.lower_bound_fast <= 1.000001 * time.lower_bound < time.estimate


def test_more_images_and_slower_devices_take_longer():
    net = load("resnet50")
    times = [timed(net, device("rtx4090"), batch=batch, amp=True).estimate for batch in (8, 64, 256)]
    assert times == sorted(times)
    assert timed(net, device("t4")).estimate > timed(net, device("a100")).estimate > timed(net, device("h100")).estimate


def test_an_analysis_tells_the_time():
    time = load("vgg16").analyze(batch=64).time("rtx4090", amp=True)
    assert 0 < time.lower_bound < time.estimate
    assert [row.name for row in time.rows][:2] == ["conv1_1", "relu1_1"]
    assert time.error is None or time.error.mode == "inference amp"


def test_all_devices_run_all_their_dtypes():
    net = load("lenet5")
    for one in devices():
        for dtype in one.dtypes:
            tf32 = dtype == "tf32"
            assert timed(net, one, dtype="float32" if tf32 else dtype, tf32=tf32).estimate > 0


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"amp": True, "dtype": "float16"}, "mixed precision keeps its weights in float32"),
        ({"tf32": True, "dtype": "float16"}, "TF32 is a way to multiply float32"),
        ({"optimizer": "adom"}, "unknown optimizer 'adom'; did you mean 'adam'?"),
        ({"dtype": "int8", "training": True}, "PyTorch cannot train in int8"),
        ({"dtype": "bfloat16"}, "NVIDIA V100 SXM2 32 GB has no peak for bfloat16; it has float64, float32, float16"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, text):
    with pytest.raises(ArchcalcError) as error:
        timed(load("lenet5"), device("v100"), **settings)
    assert text in str(error.value)


def test_usual_constants_are_plausible():
    for kind in ("gpu", "cpu"):
        for name, value in usual(kind).items():
            assert CONSTANTS[name].low <= value <= CONSTANTS[name].high, name


@pytest.mark.parametrize("name", ["lenet5", "vgg16", "mobilenet_v2", "swin_t"])
def test_no_estimate_is_below_its_lower_bound(name):
    """On every device, with few images and with many."""
    net = load(name)
    for one in devices():
        for batch in (1, 256):
            found = net.analyze(batch=batch).time(one)
            assert found.estimate >= found.lower_bound > 0, (one.name, batch)
