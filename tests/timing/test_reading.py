"""Files of devices: those of archcalc have sources, and a mistake in a file is a sentence."""

from __future__ import annotations

import pytest

from archcalc import ArchcalcError
from archcalc.report.devices import figures
from archcalc.timing.reading import device, devices, names

MINE = {
    "title": "Mine",
    "kind": "cpu",
    "vector": "{float32: 100 GFLOPS}",
    "bandwidth": "20 GB/s",
    "cache": "8 MiB",
    "memory": "16 GiB",
}


def written(tmp_path, **changes):
    path = tmp_path / "mine.yaml"
    lines = [f"{key}: {value}" for key, value in {**MINE, **changes}.items() if value is not None]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_a_device_of_a_user(tmp_path):
    mine = device(written(tmp_path))
    assert (mine.name, mine.title, mine.kind) == ("mine", "Mine", "cpu")
    assert (mine.peak("float32"), mine.bandwidth.value, mine.cache.value) == (1e11, 2e10, 2**23)
    assert mine.overclock == 1


@pytest.mark.parametrize("text", ["", "\n", "# a comment\n"])
def test_an_empty_file_is_a_sentence(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ArchcalcError, match=r"mine\.yaml: the file of the device is empty$"):
        device(str(path))


def test_every_figure_of_archcalc_has_a_source():
    assert len(names()) >= 14
    for one in devices():
        for figure in (*figures(one), *one.clock):
            assert figure.source, one.name
            assert figure.how in ("read", "recalled")
            assert figure.value > 0


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"bandwidth": "0 GB/s"}, "mine.yaml:4: bandwidth must be above zero, got 0 GB/s"),
        ({"bandwidth": "-20 GB/s"}, "mine.yaml:4: bandwidth must be above zero, got -20 GB/s"),
        ({"bandwidth": None}, "a device needs bandwidth"),
        ({"bandwidth": "fast"}, "mine.yaml:4: bandwidth is a number with a unit, as in 1.5 MB/s, got 'fast'"),
        ({"bandwidth": "20"}, "bandwidth has no unit; known: MB/s, GB/s, TB/s"),
        ({"bandwidth": "20 GiB/s"}, "bandwidth has the unit 'GiB/s'; did you mean 'GB/s'?"),
        ({"bandwith": "20 GB/s"}, "unknown key of a device 'bandwith'; did you mean 'bandwidth'?"),
        ({"kind": "tpu"}, "kind is gpu or cpu, got 'tpu'"),
        ({"vector": "{float33: 1 TFLOPS}"}, "unknown dtype 'float33'; did you mean 'float32'?"),
        ({"vector": "{float16: 1 TFLOPS}"}, "vector needs float32, in which every device computes"),
        ({"vector": "fast"}, "vector holds names with values, got 'fast'"),
        (
            {"constants": "{convolution: 0}"},
            "convolution is from 1 to 5 times the time at the peak of the highest clock, got '0'",
        ),
        ({"constants": "{convolutions: 1}"}, "unknown constant 'convolutions'; did you mean 'convolution'?"),
        ({"cache": "[8 MiB, nowhere, guessed]"}, "a figure is read, recalled or measured, got 'guessed'"),
        ({"errors": "{inference amp: 3}"}, "errors inference amp is a list"),
    ],
)
def test_a_mistake_in_a_file_is_a_sentence(tmp_path, changes, text):
    with pytest.raises(ArchcalcError) as error:
        device(written(tmp_path, **changes))
    assert text in str(error.value)


def test_all_mistakes_are_told_at_once(tmp_path):
    with pytest.raises(ArchcalcError) as error:
        device(written(tmp_path, bandwidth="0 GB/s", kind="tpu", memory=None))
    assert len(error.value.problems) == 3


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rtx409", "unknown device 'rtx409'; did you mean 'rtx4090'?"),
        ("nothing.yaml", "nothing.yaml: cannot be read: No such file or directory"),
    ],
)
def test_an_unknown_device_is_a_sentence(name, text):
    with pytest.raises(ArchcalcError) as error:
        device(name)
    assert text in str(error.value)


def test_a_file_that_holds_no_keys_is_a_sentence(tmp_path):
    path = tmp_path / "list.yaml"
    path.write_text("- 1\n")
    with pytest.raises(ArchcalcError, match=r"list\.yaml:1: expected the keys of a device"):
        device(str(path))
