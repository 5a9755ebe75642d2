"""``calibrate --from``: constants of an imagined device come back from its times, and mistakes are sentences."""

from __future__ import annotations

import pytest

pytest.importorskip("numpy")

from archcalc import load
from archcalc.timing.reading import device, read_device
from archcalc.timing.time import Settings, Time

NETS = ("resnet18", "vgg11", "mobilenet_v2", "vit_b_16", "googlenet", "alexnet")
TRUE = {"convolution": 1.4, "memory": 1.6}
"""Constants of an imagined T4."""


def seconds(name, batch, **settings):
    one = device("t4")
    return Time(load(name), one._replace(constants={**one.constants, **TRUE}), Settings(batch, **settings)).estimate


def written(folder, text, name="mine.csv"):
    path = folder / name
    path.write_text(text)
    return str(path)


def rows(time=lambda seconds, batch: seconds, heading="seconds", **settings):
    lines = [f"{name},{batch},{time(seconds(name, batch, **settings), batch)}" for name in NETS for batch in (16, 64)]
    return "\n".join([f"network,batch,{heading}", *lines]) + "\n"


@pytest.mark.parametrize(
    ("heading", "time"),
    [
        ("seconds", lambda seconds, batch: seconds),
        ("milliseconds", lambda seconds, batch: 1000 * seconds),
        ("images_per_second", lambda seconds, batch: batch / seconds),
    ],
)
def test_a_device_of_ones_own_has_the_times_of_its_networks(archcalc, tmp_path, heading, time):
    mine = str(tmp_path / "mine.yaml")
    file = written(tmp_path, rows(time, heading, amp=True))
    status, out, err = archcalc("calibrate", "--from", file, "--on", "t4", "--amp", "-o", mine)
    assert (status, out) == (0, "")
    assert "6 networks on NVIDIA T4 (inference amp): estimates of a network by a fit on the others lay" in err
    found, sheet = device(mine), device("t4")
    assert (found.title, found.vector, found.matrix, found.clock) == (
        sheet.title,
        sheet.vector,
        sheet.matrix,
        sheet.clock,
    )
    assert found.fitted == "12 runs of 6 networks in mine.csv (inference amp)"
    unseen = Time(load("densenet121"), found, Settings(32, amp=True))
    true, usual = (
        seconds("densenet121", 32, amp=True),
        Time(load("densenet121"), sheet, Settings(32, amp=True)).estimate,
    )
    assert abs(unseen.estimate / true - 1) < 0.05 < abs(usual / true - 1)
    assert unseen.error is not None
    assert (unseen.error.networks, unseen.error.mode) == (6, "inference amp")
    assert unseen.error.median < 0.05


def test_a_network_is_estimated_by_a_fit_that_has_not_seen_it(archcalc, tmp_path):
    """One network takes five times as long as the model says. A fit on all bends to it; the error said is that of a stranger."""
    others = "".join(f"{name},64,{seconds(name, 64)}\n" for name in NETS[:-1])
    odd = f"densenet121,64,{5 * seconds('densenet121', 64)}\n"
    mine = str(tmp_path / "mine.yaml")
    file = written(tmp_path, f"network,batch,seconds\n{others}{odd}")
    assert archcalc("calibrate", "--from", file, "--on", "t4", "-o", mine)[0] == 0
    [error] = device(mine).errors
    assert error.ninety > 0.35


def test_a_file_of_timm_says_how_its_models_ran(archcalc, tmp_path):
    """Small models of timm, with the times of the model of time: its import gives them back."""
    timm = pytest.importorskip("timm")
    pytest.importorskip("torch")
    from archcalc.witness.time_networks import model

    lines = ["model,infer_img_size,infer_samples_per_sec,infer_step_time,infer_batch_size,param_count"]
    names = ("resnet10t", "test_resnet", "test_vit", "test_efficientnet", "test_convnext")
    settings = Settings(64, amp=True, half_norms=True, optimizer="momentum")
    for name in names:
        assert timm.is_model(name)
        network, count = model(name, 160, training=False)
        time = 1.5 * Time(network, device("t4"), settings).estimate
        lines.append(f"{name},160,{64 / time},{1000 * time},64,{count / 1e6:.2f}")
    lines += ["test_vit2,160,1000,64,64,99.9", "no_such_model,160,1000,64,64,"]
    file = written(tmp_path, "\n".join(lines) + "\n", "infer-amp-nchw-pt240-cu124-t4.csv")
    mine = str(tmp_path / "mine.yaml")
    status, _, err = archcalc("calibrate", "--from", file, "-o", mine)
    assert status == 0
    assert "5 networks on NVIDIA T4 (inference amp)" in err
    assert "another form of the network: test_vit2 has 99.9 M parameters in the file" in err
    assert "no_such_model" in err
    estimate = Time(model("resnet10t", 160, False)[0], device(mine), settings).estimate
    assert estimate == pytest.approx(
        1.5 * Time(model("resnet10t", 160, False)[0], device("t4"), settings).estimate, rel=0.1
    )


HEAD = "network,batch,seconds\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "mine.csv: has no row; a file of measured networks has the columns network, batch and one of seconds"),
        ("name,batch,seconds\nvgg16,1,1\n", "mine.csv:1: there is no column network: expected the columns network"),
        ("network,seconds\nvgg16,1\n", "mine.csv:1: there is no column batch"),
        (
            "network,batch\nvgg16,1\n",
            "mine.csv:1: expected one of the columns seconds, milliseconds, images_per_second",
        ),
        ("network,batch,seconds,amp\nvgg16,1,1,maybe\n", "mine.csv:2: amp is true or false, got 'maybe'"),
        (
            "network,batch,seconds,amp\nvgg16,1,1,true\nvgg16,2,1,false\n",
            "mine.csv:3: all networks of a file run in one way, and amp is false and true",
        ),
        ("network,batch,seconds,dtype\nvgg16,1,1,float33\n", "unknown dtype 'float33'; did you mean 'float32'?"),
        (f"{HEAD}vgg16,0,1\n", "mine.csv:2: batch is a whole number from 1, got '0'"),
        (f"{HEAD}vgg16,2.5,1\n", "mine.csv:2: batch is a whole number from 1, got '2.5'"),
        (f"{HEAD}vgg16,1,0\n", "mine.csv:2: seconds is a number above zero, got '0'"),
        (f"{HEAD}vgg16,1,-2\n", "mine.csv:2: seconds is a number above zero, got '-2'"),
        (f"{HEAD}vgg16,1,nan\n", "mine.csv:2: seconds is a number above zero, got 'nan'"),
        (f"{HEAD}vgg16,1,fast\n", "mine.csv:2: seconds is a number above zero, got 'fast'"),
        (f"{HEAD}vgg16\n", "mine.csv:2: batch is a whole number from 1, got ''"),
        (f"{HEAD},1,1\n", "mine.csv:2: a row needs the name of a network"),
        (f"{HEAD}vgg61,1,1\n", "mine.csv:2: unknown network 'vgg61'; did you mean 'vgg16'?"),
        (f"{HEAD}torch:os:path,1,1\n", "mine.csv:2: a file cannot name code to run"),
        (f"{HEAD}vgg16,1,1\nvgg16,2,1\n", "mine.csv: has 1 different network; a fit needs at least 5"),
        (
            HEAD + "".join(f"{name},1,0.000001\n" for name in NETS),
            "6 of 6 runs were faster than any run on NVIDIA T4 can be: resnet18 took 1.00 us",
        ),
    ],
)
def test_a_mistake_in_a_file_is_a_sentence(archcalc, tmp_path, text, said):
    status, out, err = archcalc("calibrate", "--from", written(tmp_path, text), "--on", "t4")
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "FILE"], "nothing says which device was measured: add --on DEVICE"),
        (["--from", "FILE", "--on", "t5"], "unknown device 't5'"),
        (["--from", "none.csv", "--on", "t4"], "none.csv: cannot be read: No such file or directory"),
        (["--from", "FILE", "--on", "t4", "--dtype", "bfloat16"], "NVIDIA T4 has no peak for bfloat16"),
        (["--from", "FILE", "--on", "t4", "--device", "cpu"], "leave out --device cpu"),
        (["--from", "FILE", "--on", "t4", "--optimizer", "adam"], "--optimizer adam is a matter of training"),
        (["--amp"], "--amp is about a file of measured networks: add --from FILE.csv"),
        (["--on", "t4"], "--on is about a file of measured networks: add --from FILE.csv"),
    ],
)
def test_a_mistake_in_options_is_a_sentence(archcalc, tmp_path, arguments, said):
    file = written(tmp_path, f"{HEAD}vgg16,1,1\n")
    status, out, err = archcalc("calibrate", *(file if word == "FILE" else word for word in arguments))
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_all_mistakes_are_said_at_once(archcalc, tmp_path):
    file = written(tmp_path, HEAD + "vgg16,0,1\nvgg16,1,0\n" * 20)
    err = archcalc("calibrate", "--from", file, "--on", "t4")[2]
    assert err.count("\n") == 21
    assert "and 20 more lines are wrong" in err


def test_times_that_are_far_off_are_said(archcalc, tmp_path):
    text = HEAD + "".join(f"{name},64,{1000 * seconds(name, 64)}\n" for name in NETS)
    status, _, err = archcalc(
        "calibrate", "--from", written(tmp_path, text), "--on", "t4", "-o", str(tmp_path / "a.yaml")
    )
    assert status == 0
    assert "the estimates are far off: are the device, the mode and the unit of time right?" in err
    assert read_device(str(tmp_path / "a.yaml"), "a").title == "NVIDIA T4"
