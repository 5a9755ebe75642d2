"""``measure`` and ``calibrate``: what is measured here stands beside the estimate, and a fit finds known constants."""

from __future__ import annotations

import json
from math import log
from statistics import median

import pytest

pytest.importorskip("torch")

import torch

from archcalc import load
from archcalc.report.measured import summary_table
from archcalc.timing.constants import CONSTANTS, usual
from archcalc.timing.device import Device, Figure
from archcalc.timing.reading import device
from archcalc.timing.time import Settings, Time, recorded
from archcalc.timing.writing import digits
from archcalc.witness.calibrate import Run, _cache, _text, busy
from archcalc.witness.clock import LEAST_RUNS, TIMED_RUNS, whole_runs
from archcalc.witness.own_times import read_own
from archcalc.witness.small_layers import SMALL
from archcalc.witness.time_fit import Samples, sample
from archcalc.witness.times import Measurement, Span

HERE = Device(
    "here",
    'A "quoted": name # with signs',
    "cpu",
    {"float32": Figure(123.456e9)},
    {},
    Figure(20e9),
    Figure(8 * 2.0**20),
    Figure(16 * 2.0**30),
    (Figure(1.0), Figure(1.0)),
    usual("cpu"),
)


def samples_of(constants, count=None, factor=1.0):
    """Small layers whose times are the model's own, for these constants, times a factor."""
    found = []
    for small in SMALL[:count]:
        settings = Settings(small.batch, channels_last=small.channels_last)
        on = HERE._replace(constants=constants)
        seconds = factor * Time(small.network, on, settings).estimate
        operators = [(one, 1) for one in recorded(small.network, settings, "cpu")]
        found.append(sample(small.type, seconds, operators, HERE, settings.mode))
    return Samples(found)


def test_a_fit_finds_the_constants_that_made_the_times():
    true = {**usual("cpu"), "convolution": 2.0, "depthwise": 12.0, "launch": 25.0, "norm": 2.0}
    samples = samples_of(true)
    found = samples.fit(usual("cpu"))
    estimates = samples.estimates([log(found[name]) for name in samples.constants])
    assert median(abs(estimates / samples.seconds - 1)) < 0.03
    for name in ("convolution", "depthwise", "launch"):
        assert found[name] == pytest.approx(true[name], rel=0.2), name


def test_a_fit_stays_in_the_plausible_range():
    """Times a million times too long: no constant leaves its range."""
    for name, value in samples_of(usual("cpu"), factor=1e6).fit(usual("cpu")).items():
        assert CONSTANTS[name].low <= value <= CONSTANTS[name].high * (1 + 1e-9), name


def test_the_written_file_is_a_device(tmp_path):
    constants = {**usual("cpu"), "convolution": 1.23456, "launch": 0.123456, "conversion": 0.01}
    path = tmp_path / "mine.yaml"
    path.write_text(_text(HERE, constants, samples_of(usual("cpu"), 3), 'measured: "here" # today'))
    mine = device(str(path))
    assert (mine.title, mine.kind) == (HERE.title, "cpu")
    assert mine.vector["float32"] == Figure(123.5e9, 'measured: "here" # today', "measured")
    assert (mine.bandwidth.value, mine.cache.value, mine.memory.value) == (20e9, 2.0**23, 16 * 2.0**30)
    assert {name: mine.constants[name] for name in ("convolution", "launch", "conversion")} == {
        "convolution": 1.235,
        "launch": 0.1235,
        "conversion": 0.01,
    }
    assert mine.fitted.startswith("3 small layers")


@pytest.mark.parametrize(
    ("value", "text"),
    [(123456.0, "123456"), (1.23456, "1.235"), (0.000123456, "0.0001235"), (0.00001, "0.000010"), (8.0, "8")],
)
def test_a_figure_is_no_power_of_ten(value, text):
    assert digits(value) == text


def test_the_largest_cache_of_a_core(tmp_path):
    for nth, size in enumerate(("32K", "1280K", "24M")):
        (tmp_path / f"index{nth}").mkdir()
        (tmp_path / f"index{nth}" / "size").write_text(f"{size}\n")
    assert _cache(tmp_path) == 24 * 2**20
    assert _cache(tmp_path / "none") == 8 * 2**20


def test_a_span_is_the_middle_half():
    span = Span.of([5.0, 1.0, 2.0, 4.0, 3.0])
    assert span == Span(3.0, 2.0, 4.0)
    assert span.spread == pytest.approx(2 / 3)


def test_layers_are_measured_beside_the_estimate(archcalc):
    status, out, err = archcalc("measure", "lenet5", "--device", "cpu", "--on", "i7-12700h", "--format", "json")
    assert (status, err) == (0, "")
    found = json.loads(out)
    names = [row["layer"] for row in found["rows"]]
    estimated = json.loads(archcalc("time", "lenet5", "--on", "i7-12700h", "--format", "json")[1])
    assert names == [row["layer"] for row in estimated["rows"]]
    assert [row["estimate"] for row in found["rows"]] == [row["estimate"] for row in estimated["rows"]]
    assert all(row["measured"] > 0 for row in found["rows"])
    assert found["totals"]["measured_low"] <= found["totals"]["measured"] <= found["totals"]["measured_high"]
    assert found["device"].startswith("cpu: ")
    assert "torch" in found["device"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["lenet5", "--device", "meta"], "--device meta computes no values, so a run takes no time; use cpu or cuda"),
        (["lenet5", "--device", "cup"], "unknown device 'cup'; did you mean 'cpu'?"),
        (["lenet5", "--device", "cpu", "--on", "mycpu.yaml"], "mycpu.yaml: cannot be read: No such file or directory"),
        (["vgg16", "--device", "cpu", "--batch", "1000000"], "use a smaller --batch"),
    ],
)
def test_a_mistake_is_a_sentence(archcalc, arguments, text):
    status, out, err = archcalc("measure", *arguments)
    assert (status, out) == (2, "")
    assert text in err
    assert err.count("\n") == 1


def test_networks_are_measured_beside_their_estimates(archcalc, tmp_path):
    nets = ("lenet5", "INPUT 16x16x3 -> CONV3-8 -> FC-10", "resnet18@classes=10")
    arguments = ["--device", "cpu", "--summary", "--batch", "2", "--format", "csv"]
    status, out, err = archcalc("measure", *nets, *arguments)
    assert (status, err) == (0, "")
    path = tmp_path / "mine.csv"
    path.write_text(out)
    file = read_own(path, device("i7-12700h"), {})
    assert (file.settings, [run.batch for run in file.runs]) == (Settings(), [2, 2, 2])
    assert [run.network().full_name for run in file.runs] == list(nets)
    assert all(run.seconds > 0 for run in file.runs)


def test_errors_are_said_as_they_are_and_as_ratios_in_one_run():
    """Estimates that are 2, 2.2 and 3 times the measurements: 100, 120 and 200 % off; against the middle one, 9, 0 and 36 %."""
    nets = [load(name) for name in ("lenet5", "alexnet", "squeezenet1_1")]
    estimates = [Time(net, device("i7-12700h"), Settings()).estimate for net in nets]
    spans = [Span(x / ratio, 0, 0) for x, ratio in zip(estimates, (2, 2.2, 3), strict=True)]
    measured = [Measurement(net, "here", 1, False, 15, span, {}) for net, span in zip(nets, spans, strict=True)]
    table = summary_table(measured, "i7-12700h")
    assert [row[-1] for row in table.rows] == pytest.approx([100 * (2 / 2.2 - 1), 0, 100 * (3 / 2.2 - 1)])
    totals = table.totals
    assert (totals["error"], totals["factor"]) == pytest.approx((1.2, 2.2))
    assert totals["relative_error"] == pytest.approx(1 - 2 / 2.2)
    assert totals["spearman"] == pytest.approx(1)
    assert "of 3 networks: off by 120.0 % (median)" in table.footer[0]


@pytest.mark.parametrize(
    ("slower", "notes"), [(1.05, []), (1.5, ["runs of the same layer took 50 % longer than the fastest of them"])]
)
def test_a_busy_machine_is_said(slower, notes):
    runs = [Run([], Settings().mode, [1.0, slower, slower, slower, 3.0])] * 3
    found = busy(runs)
    assert len(found) == len(notes)
    assert all(note in text for note, text in zip(notes, found, strict=True))


@pytest.mark.parametrize("most", [0.0, 1e-9, 60.0])
def test_several_runs_count_however_little_time_there_is(most):
    runs = []
    times = whole_runs(lambda: runs.append(1), "cpu", most)
    assert len(times) == (TIMED_RUNS if most > 1 else LEAST_RUNS)
    assert len(runs) > len(times)


NEEDS_A_GPU = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="needs a GPU: events of CUDA in measure and calibrate were not run here"
)


@NEEDS_A_GPU
def test_a_gpu_is_measured_to_the_end_of_its_work():
    """A product of 2 * 8192 ** 3 operations takes longer than its launch, and no GPU has a thousand TFLOPS in float32."""
    matrix = torch.rand(8192, 8192, device="cuda")
    times = whole_runs(lambda: torch.mm(matrix, matrix), "cuda", 5.0)
    assert len(times) == TIMED_RUNS
    assert min(times) > 2 * 8192**3 / 1e15


@NEEDS_A_GPU
def test_layers_of_a_gpu_add_up_to_about_the_whole(archcalc):
    found = json.loads(archcalc("measure", "vgg16", "--device", "cuda", "--batch", "64", "--format", "json")[1])
    assert sum(row["measured"] for row in found["rows"]) == pytest.approx(found["totals"]["measured"], rel=0.2)


@NEEDS_A_GPU
def test_a_gpu_is_calibrated(archcalc, tmp_path):
    path = str(tmp_path / "gpu.yaml")
    assert archcalc("calibrate", "--device", "cuda", "-o", path)[0] == 0
    mine = device(path)
    assert mine.kind == "gpu"
    assert 1e12 < mine.peak("float32") < 1e15
    assert 1e11 < mine.bandwidth.value < 1e14
