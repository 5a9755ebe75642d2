"""The fit of a device's constants, and files of measured times: constants that are known come back, mistakes are sentences."""

from __future__ import annotations

import json
import random
import re

import pytest

pytest.importorskip("numpy")

from archcalc import ArchcalcError, load
from archcalc.timing.constants import CONSTANTS, usual
from archcalc.timing.reading import device
from archcalc.timing.time import Settings, Time, recorded
from archcalc.witness.time_files import device_of, read_file, read_folder
from archcalc.witness.time_fit import Samples, sample
from archcalc.witness.time_judge import family, in_turn, item_of, judged, main, samples_of
from archcalc.witness.time_networks import packed, unpacked
from archcalc.witness.time_report import report

NETS = (
    "resnet50",
    "mobilenet_v2",
    "vgg16",
    "vit_b_16",
    "densenet121",
    "regnet_y_400mf",
    "shufflenet_v2_x1_0",
    "googlenet",
)
TRUE = {"convolution": 1.3, "product": 1.1, "memory": 1.4, "norm": 1.1, "depthwise": 15.0}
"""Constants of an imagined device that differ from the usual ones."""


@pytest.fixture(scope="module")
def measured():
    """Networks on the imagined device, whose times are known: a batch of 64 and one of 128 of each."""
    found, one = [], device("rtx3090")
    imagined = one._replace(constants={**usual("gpu"), **TRUE})
    for name in NETS:
        net = load(name)
        for batch in (64, 128):
            settings = Settings(batch, amp=True)
            seconds = Time(net, imagined, settings).estimate
            operators = [(each, 1) for each in recorded(net, settings, "gpu")]
            found.append(sample(name, seconds, operators, one, settings.mode))
    return Samples(found)


def test_estimates_are_those_of_a_time(measured):
    assert max(abs(measured.errors({**usual("gpu"), **TRUE}))) < 1e-9


def test_a_fit_finds_constants_from_times(measured):
    start = usual("gpu")
    fitted = measured.fit(start, loose=10.0)
    assert max(abs(measured.errors(start))) > 0.1
    assert max(abs(measured.errors(fitted))) < 0.03
    assert start["memory"] < fitted["memory"] <= TRUE["memory"] * 1.05
    assert start["convolution"] < fitted["convolution"] < 1.15 * TRUE["convolution"]
    assert all(CONSTANTS[name].low <= value <= CONSTANTS[name].high for name, value in fitted.items())


def test_a_fit_of_few_networks_stays_near_the_usual_constants(measured):
    few = measured.seconds == min(measured.seconds)
    fitted = measured.fit(usual("gpu"), few)
    untouched = [name for name in CONSTANTS if name not in measured.constants]
    assert untouched
    assert all(fitted[name] == usual("gpu")[name] for name in untouched)
    assert abs(measured.errors(fitted)[few][0]) < abs(measured.errors(usual("gpu"))[few][0])


FILE = "infer-amp-nchw-pt240-cu124-rtx4090.csv"
TRAINED = "model,train_img_size,train_samples_per_sec,train_step_time,train_batch_size,param_count\n"
HEAD = "model,infer_img_size,infer_samples_per_sec,infer_step_time,infer_batch_size,param_count\n"


def written(folder, name, *rows, head=HEAD):
    path = folder / name
    path.write_text(head + "".join(f"{row}\n" for row in rows))
    return path


def test_the_name_of_a_file_says_how_its_models_ran(tmp_path):
    file = read_file(written(tmp_path, FILE, "resnet50,224,1000,64,64,25.56"))
    assert file.device == device("rtx4090")
    assert file.settings == Settings(amp=True, optimizer="momentum", half_norms=True)
    assert file.rows == [("resnet50", 224, 64, 0.064, 25.56)]
    other = read_file(written(tmp_path, "infer-fp32-nhwc-pt240-cpu-i9_10940x-dynamo.csv", "a,224,1,1,1,1"))
    assert (other.device.name, other.settings.compiled, other.settings.channels_last) == ("i9-10940x", True, True)
    head = "model,train_samples_per_sec,train_batch_size,train_img_size,param_count\n"
    train = read_file(written(tmp_path, "train-amp-nchw-pt112-cu113-rtx3090.csv", "a,10,5,224,1", head=head))
    assert (train.settings.training, train.settings.attention, train.rows[0].seconds) == (True, "math", 0.5)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("infer-amp-nchw-pt291-cu128-4090", "rtx4090"),
        ("benchmark-infer-amp-nhwc-pt240-cu124-rtx3090", "rtx3090"),
        ("benchmark-infer-amp-nchw-h100-pcie", "h100-pcie"),
        ("infer-fp32-cpu-i7_12700h-dynamo", "i7-12700h"),
        ("infer-amp-nchw-mi300", None),
    ],
)
def test_the_device_of_a_file(words, name):
    found = device_of(words)
    assert (found and found.name) == name


@pytest.mark.parametrize(
    ("head", "row", "text"),
    [
        ("model,infer_img_size\n", "a,224", "a file of measurements has the columns model, infer_img_size"),
        (HEAD, "a,224,0,1,1,1", "numbers above zero"),
        (HEAD, "a,224,-5,1,1,1", "numbers above zero"),
        (HEAD, "a,224,nan,1,1,1", "numbers above zero"),
        (HEAD, "a,big,5,1,1,1", "numbers above zero"),
        (HEAD, "a,224", "numbers above zero"),
    ],
)
def test_a_mistake_in_a_file_is_a_sentence(tmp_path, head, row, text):
    with pytest.raises(ArchcalcError) as error:
        read_file(written(tmp_path, FILE, row, head=head))
    assert text in str(error.value)


def test_an_empty_folder_is_a_sentence(tmp_path):
    with pytest.raises(ArchcalcError, match="no file of measurements"):
        read_folder(tmp_path)


def test_operators_survive_the_file_of_results():
    found = recorded(load("mobilenet_v2"), Settings(2, amp=True), "gpu")
    rows = json.loads(json.dumps([[*packed(one), 3] for one in found]))
    for one, (there, count) in zip(found, unpacked(rows), strict=True):
        assert (there.bytes(7), there.macs, there.kind, there.product, count) == (
            one.bytes(7),
            one.macs,
            one.kind,
            one.product,
            3,
        )


def test_ranks_are_those_of_the_times_for_an_image(tmp_path):
    """timm halves a batch that does not fit, so that the seconds of batches are alike and say little about networks.

    Here a network has ``times`` as many operators as another, and a batch that is as many times smaller; measurements are
    5 % above and below the estimates. All batches are larger than the cache.
    """
    net, on = load("mobilenet_v2"), device("rtx4090")
    operators = recorded(net, Settings(2, amp=True), "gpu")
    lines, rows = [], {}
    for at, times in enumerate((1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 24, 30, 40)):
        name, batch = f"f{chr(97 + at)}", 60_000 // times
        seconds = times * _seconds(net, on, batch) * (1.05 if at % 2 else 0.95)
        lines.append(f"{name},224,{batch / seconds},1,{batch},1")
        found = {"eager": [[*packed(one), times] for one in operators]}
        rows[f"infer {name} 224"] = {"verdict": "recorded", "params": 1_000_000, "operators": found}
    result = judged(read_file(written(tmp_path, FILE, *lines)), rows)
    assert result is not None
    assert result.sheet[2] == pytest.approx(1)


def test_a_stranger_makes_the_report(tmp_path, monkeypatch):
    """The whole run, twice: the second finds all results of the first."""
    pytest.importorskip("timm")
    folder, target = tmp_path / "results", tmp_path / "time.md"
    folder.mkdir()
    written(folder, FILE, "resnet10t,64,9000,20,256,5.44", "test_vit,64,9000,20,256,0.37", "no_such_net,64,1,1,1,1")
    written(folder, FILE.replace("infer", "train").replace("4090", "3090"), "resnet10t,64,900,20,64,5.44", head=TRAINED)
    monkeypatch.setattr("sys.argv", ["time_judge", str(folder), str(target), "--jobs", "1"])
    main()
    rows = [json.loads(line) for line in target.with_suffix(".jsonl").read_text().splitlines()]
    assert sorted(row["item"] for row in rows if row["verdict"] == "recorded") == [
        "infer resnet10t 64",
        "infer test_vit 64",
        "train resnet10t 64",
    ]
    assert [row["item"] for row in rows if row["verdict"] == "fails"] == ["infer no_such_net 64"]
    assert {"eager", "last", "compiled", "cpu", "cpu compiled"} == set(
        next(row for row in rows if row["item"] == "infer test_vit 64")["operators"]
    )
    assert target.read_text().startswith("# Time: estimates and measurements")
    main()
    again = [json.loads(line) for line in target.with_suffix(".jsonl").read_text().splitlines()]
    assert [row["item"] for row in again[len(rows) :]] == ["infer no_such_net 64"]  # what failed is tried again


def test_every_family_comes_first_once(tmp_path):
    file = read_file(written(tmp_path, FILE, *(f"{name},224,10,1,1,1" for name in ("a1", "a2", "a3", "b1", "c_x"))))
    first = in_turn([file])[:3]
    assert {family(item.split()[1]) for item in first} == {"a", "b", "c"}


def test_networks_of_another_form_are_left_out_and_counted(tmp_path):
    file = read_file(written(tmp_path, FILE, "same,224,10,1,1,1.00", "other,224,10,1,1,1.02", "unknown,224,10,1,1,1"))
    row = {"verdict": "recorded", "params": 1_000_000, "operators": {"eager": []}}
    rows = {item_of(file, name, 224): row for name in ("same", "other")}
    found, batches, left_out = samples_of(file, rows)
    assert [one.name for one in found] == ["same"]
    assert batches == [1]
    assert left_out == {"not recorded": 1, "another form (parameters differ)": 1}


def test_a_report_says_what_it_knows(tmp_path):
    random.seed(0)
    net, on = load("mobilenet_v2"), device("rtx4090")
    operators = recorded(net, Settings(2, amp=True), "gpu")
    rates = [(f"f{chr(97 + at)}_{at}", 100 + at) for at in range(14)]
    file = read_file(
        written(tmp_path, FILE, *(f"{name},224,{64 / _seconds(net, on, batch)},1,64,1" for name, batch in rates))
    )
    rows = {"eager": [[*packed(one), 1] for one in operators]}
    row = {"verdict": "recorded", "params": 1_000_000, "operators": rows}
    result = judged(file, {item_of(file, name, 224): row for name, _ in rates})
    assert result is not None
    assert result.models == 14
    text = report([result], ["infer-amp-mi300.csv"], "this test")
    assert f"| {FILE} | 14 |" in text
    assert "infer-amp-mi300.csv is left out: archcalc knows no device that its name says." in text
    reasons = [line.split(" | ") for line in text.splitlines() if re.match(r"\| f._\d+ \| [-+]\d", line)]
    assert len(reasons) == 10
    for _, _, follows, reason in reasons:
        constant, share = follows.split(", ")[0].split()
        about = CONSTANTS[constant].about if int(share[:-1]) > 60 else ""
        assert reason == (f"one constant stands for all such kernels: {about} |" if about else "not explained |")


def _seconds(net, on, batch):
    return Time(net, on, Settings(batch, amp=True)).estimate
