"""The batch with the most images per second: by hand, and against a look at all batches."""

from __future__ import annotations

import json

import pytest

from archcalc import load
from archcalc.timing.device import Figure
from archcalc.timing.fastest import fastest
from archcalc.timing.time import Settings, Time
from tests.nets import network
from tests.timing.round_device import ONES, ROUND

RELU = "input: [10, 10, 10]\nlayers:\n  - sigmoid\n"
MIXED = (
    "input: [8, 4, 4]\nlayers:\n  - conv: {out: 64, kernel: 3, pad: 1}\n  - batch_norm\n  - relu\n"
    "  - conv: {out: 16, kernel: 1}\n  - global_avg_pool\n  - flatten\n  - linear: {out: 100}\n"
)


def test_a_batch_that_stays_in_the_cache_is_faster():
    """1,000 values of 4 bytes an image: half of a cache of 80,000 bytes holds the tensors of 10 images."""
    cached = ROUND._replace(cache=Figure(80_000.0), constants={**ONES, "cached": 0.5, "launch": 0.01})
    time = Time(network(RELU), cached, Settings())
    assert fastest(time, 10_000) == 10
    # without a gain from the cache, the launch is shared by as many images as there can be
    even = cached._replace(constants={**ONES, "launch": 0.01})
    assert fastest(Time(network(RELU), even, Settings()), 10_000) == 10_000


@pytest.mark.parametrize("cache", [1_000, 100_000])
@pytest.mark.parametrize("launch", [0.05, 20.0])
@pytest.mark.parametrize("settings", [Settings(), Settings(amp=True, compiled=True), Settings(training=True)])
def test_no_batch_is_faster(cache, launch, settings):
    constants = {**ONES, "cached": 0.3, "launch": launch, "columns": 20.0}
    on = ROUND._replace(cache=Figure(float(cache)), constants=constants)
    net = network(MIXED)
    found = fastest(Time(net, on, settings), 60)
    rates = {b: b / Time(net, on, settings._replace(batch=b)).estimate for b in range(1, 61)}
    assert rates[found] == pytest.approx(max(rates.values()), rel=1e-12)


def test_one_image_alone():
    assert fastest(Time(load("lenet5"), ROUND, Settings()), 1) == 1


def test_the_command_says_what_fits(archcalc):
    status, out, err = archcalc("time", "vgg16", "--on", "a100", "--amp", "--fit", "24GiB", "--format", "json")
    assert (status, err) == (0, "")
    found = json.loads(out)
    fastest_row, largest, after = found["rows"]
    budget = load("vgg16").analyze().memory(amp=True)
    assert largest["batch"] == budget.largest_inference("24GiB") == after["batch"] - 1
    assert largest["memory"] <= 24 * 2**30 < after["memory"] == budget.inference_parts(after["batch"]).total
    assert found["totals"]["batch"] == fastest_row["batch"]
    assert fastest_row["images_per_second"] >= largest["images_per_second"]
    estimate = load("vgg16").analyze(batch=largest["batch"]).time("a100", amp=True).estimate
    assert largest["images_per_second"] == pytest.approx(largest["batch"] / estimate)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        # 138,357,544 weights of 4 bytes, 3x224x224 values of the input, and the maps of conv1_1 and conv1_2 (25.7 MB)
        (["--fit", "10MB"], "vgg16 does not fit into 10MB: one image needs 579.7 MB (552.9 MiB)"),
        (["--fit", "80GiB"], "--fit 80GiB is more than the memory of NVIDIA A100 SXM4 40 GB, 42.9 GB (40.0 GiB)"),
        (["--fit", "24"], "the size 24 needs a unit, as in 24GiB"),
        (["--fit", "24GiB", "--batch", "8"], "--fit finds the batch: leave out --batch 8, or --fit"),
        (["--fit", "24GiB", "--on", "all"], "--fit finds the batch for one device"),
    ],
)
def test_a_mistake_is_a_sentence(archcalc, arguments, text):
    status, out, err = archcalc("time", "vgg16", "--on", "a100", *arguments)
    assert (status, out) == (2, "")
    assert text in err
    assert err.count("\n") == 1


def test_a_tiny_network_has_a_largest_batch_of_all(archcalc):
    found = json.loads(
        archcalc("time", "INPUT 1x1x1 -> RELU", "--on", "h200", "--fit", "100GiB", "--format", "json")[1]
    )
    assert [row["batch"] for row in found["rows"]][1:] == [2**31 - 1]
