"""Time beside other figures: images per second of networks side by side."""

from __future__ import annotations

import json

import pytest

from archcalc import load
from archcalc.report.compare import compare_table
from archcalc.report.time import TimeRequest

COLUMNS = ["network", "images_per_second", "images_per_second_at_most"]


def test_images_per_second_are_those_of_the_time():
    nets = [load(name).analyze(batch=64) for name in ("alexnet", "vgg16")]
    table = compare_table(nets, COLUMNS, nets[0], TimeRequest("rtx4090", amp=True))
    times = [net.time("rtx4090", amp=True) for net in nets]
    expected = [[net.network.name, 64 / t.estimate, 64 / t.lower_bound] for net, t in zip(nets, times, strict=True)]
    assert [row[:3] for row in table.rows] == expected
    assert [row[-1] for row in table.rows] == [1, times[0].estimate / times[1].estimate]
    assert any(line.startswith("error: ") for line in table.footer)


def test_a_batch_that_fits_for_one_network_alone_is_told(archcalc):
    status, out, err = archcalc("compare", "vgg16", "lenet5", "--on", "a100", "--batch", "5000", "--format", "json")
    assert (status, err) == (0, "")
    found = json.loads(out)
    first, second = found["rows"]
    assert (first["images_per_second"], found["on"]) == (None, "a100")
    assert second["images_per_second"] > 0
    assert (
        "vgg16: a batch of 5,000 needs" in archcalc("compare", "vgg16", "lenet5", "--on", "a100", "--batch", "5000")[1]
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--amp"], "--amp is about the time on a device: add --on DEVICE"),
        (["--channels-last"], "--channels-last is about the time on a device: add --on DEVICE"),
        (["--on", "a1000"], "unknown device 'a1000'; did you mean 'a100'?"),
        (["--on", "t4", "--dtype", "bfloat16"], "vgg16: NVIDIA T4 has no peak for bfloat16"),
        (["--on", "t4", "--batch", "5000"], "NVIDIA T4 has 17.2 GB (16.0 GiB); at most"),
        (["--columns", "images/s"], "column images_per_second is about the time on a device: add --on DEVICE"),
    ],
)
def test_a_mistake_is_a_sentence(archcalc, arguments, text):
    status, out, err = archcalc("compare", "vgg16", *arguments)
    assert (status, out) == (2, "")
    assert text in err
    assert err.count("\n") == 1
