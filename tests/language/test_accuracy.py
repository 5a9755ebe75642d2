"""Published errors: each has a source, belongs to a network of the zoo, and is what its source says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from archcalc import ArchcalcError
from archcalc.language import accuracy
from archcalc.language.accuracy import Accuracy, accuracies
from archcalc.language.zoo import networks, specs

FROM_TORCHVISION = re.compile(r"torchvision 0\.29, (\w+)\.(\w+)")
Told = Callable[[str], dict[str, Accuracy]]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    """Read a text in the place of the file of errors."""
    monkeypatch.setattr(accuracy, "specs", lambda: tmp_path)
    (tmp_path / "published").mkdir()
    accuracies.cache_clear()

    def read(text: str) -> dict[str, Accuracy]:
        (tmp_path / "published" / "accuracy.yaml").write_text(text, encoding="utf-8")
        return accuracies()

    yield read
    accuracies.cache_clear()


def test_every_entry_names_a_network_of_the_zoo() -> None:
    assert set(accuracies()) <= set(networks())


@pytest.mark.parametrize(("name", "entry"), accuracies().items(), ids=list(accuracies()))
def test_every_entry_says_what_was_measured_how_and_by_whom(name: str, entry: Accuracy) -> None:
    assert entry.on in ("ILSVRC-2012 val", "ILSVRC-2014 val", "CIFAR-10", "Kinetics-400")
    assert entry.how
    assert FROM_TORCHVISION.fullmatch(entry.source) or re.search(
        r"(Table|section) \d|README\.md|MODEL_ZOO\.md|mobilenet_v1\.md|tables as quoted", entry.source
    )
    assert entry.top1 or entry.top5
    if entry.top1 and entry.top5:
        assert Decimal(entry.top5) < Decimal(entry.top1)
    if entry.on == "CIFAR-10":
        assert entry.top5 is None


def test_small_images_are_for_networks_of_small_inputs() -> None:
    from archcalc import load

    for name, entry in accuracies().items():
        assert (max(load(name).input.axes) == 32) == (entry.on == "CIFAR-10"), name


def how_clips(weights: Any) -> str:
    """How the documentation of a weights entry says that videos were measured."""
    clips, frames = re.findall(r"(?:clips_per_video|clip_len)=(\d+)", weights.meta["_docs"])
    number = {"1": "one clip", "5": "five clips", "12": "twelve clips"}[clips]
    return f"{number} of {frames} frames"


def test_torchvision_s_entries_are_100_less_its_accuracies() -> None:
    models = pytest.importorskip("torchvision.models")
    compared = 0
    for name, entry in accuracies().items():
        found = FROM_TORCHVISION.fullmatch(entry.source)
        if found is None:
            continue
        weights = models.get_weight(f"{found[1]}.{found[2]}")
        model = name.removesuffix("_tv")
        assert models.get_model_weights(model) is type(weights), name
        measured = weights.meta["_metrics"][{"ILSVRC-2012 val": "ImageNet-1K"}.get(entry.on, entry.on)]
        assert entry.top1 == str(100 - Decimal(str(measured["acc@1"]))), name
        assert entry.top5 == str(100 - Decimal(str(measured["acc@5"]))), name
        (crop,) = set(weights.transforms().crop_size)
        assert entry.how == (how_clips(weights) if entry.on == "Kinetics-400" else f"one crop of {crop} pixels"), name
        compared += 1
    assert compared > 50


def test_a_torchvision_variant_has_torchvision_s_error() -> None:
    for name in networks():
        if name.endswith("_tv"):
            assert FROM_TORCHVISION.fullmatch(accuracies()[name].source), name


@pytest.mark.parametrize(
    ("name", "top1", "top5"),
    [
        # He et al. 2016, Table 3: what it prints for options B and C, and for 50, 101 and 152 layers
        ("resnet34", "24.52", "7.46"),
        ("resnet_option_b", "24.52", "7.46"),
        ("resnet_option_c", "24.19", "7.40"),
        ("resnet50", "22.85", "6.71"),
        ("resnet101", "21.75", "6.05"),
        ("resnet152", "21.43", "5.71"),
        # Zeiler and Fergus 2014, Table 2: the figure often quoted is of the wider network, (b)
        ("zfnet", "38.4", "16.5"),
        ("zfnet_wide", "37.5", "16.0"),
    ],
)
def test_digits_stay_as_printed(name: str, top1: str, top5: str) -> None:
    assert accuracies()[name][:2] == (top1, top5)


def test_what_no_source_measures_has_no_entry() -> None:
    """AlexNet without its groups, and the residual network whose printed error is of another shortcut."""
    assert "alexnet" not in accuracies()
    assert accuracies()["resnet18"].top1 != "27.88"


def test_an_entry_reads_back_as_written(told: Told) -> None:
    assert told('lenet5: {top1: 7.40, on: MNIST, how: "as it is", source: "Somebody 1998, Table 1"}') == {
        "lenet5": Accuracy("7.40", None, "MNIST", "as it is", "Somebody 1998, Table 1")
    }


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{top1: 7.4, on: MNIST, how: so}", "x: source missing; an entry has top1, top5, on, how, source"),
        ('{top1: 7.4, on: MNIST, how: so, source: ""}', "x: source missing; an entry has"),
        ("{top1: 7.4, on: MNIST, how: so, source: [a]}", "x: source missing; an entry has"),
        ("{top1: 7.4}", "x: on, how, source missing; an entry has"),
        ("7.4", "x: on, how, source missing; an entry has"),
        ("{top1: 7.4, on: MNIST, how: so, source: a, top3: 1}", "x: unknown top3; an entry has top1, top5, on, how, "),
        ("{on: MNIST, how: so, source: a}", "x: top1 and top5 are errors in percent, got neither"),
        ("{top1: 0, on: MNIST, how: so, source: a}", "x: top1 and top5 are errors in percent, got top1 0"),
        ("{top1: 100, on: MNIST, how: so, source: a}", "x: top1 and top5 are errors in percent, got top1 100"),
        ("{top1: -3, on: MNIST, how: so, source: a}", "x: top1 and top5 are errors in percent, got top1 -3"),
        ("{top1: low, on: MNIST, how: so, source: a}", "x: top1 and top5 are errors in percent, got top1 'low'"),
        ("{top1: true, on: MNIST, how: so, source: a}", "x: top1 and top5 are errors in percent, got top1 True"),
        ("{top1: [7], on: MNIST, how: so, source: a}", "x: top1 and top5 are errors in percent, got top1 "),
        (
            "{top1: 7, top5: 101, on: MNIST, how: so, source: a}",
            "x: top1 and top5 are errors in percent, got top1 7, top5 101",
        ),
    ],
)
def test_an_entry_that_cannot_be_right_is_refused_with_its_line(told: Told, entry: str, said: str) -> None:
    with pytest.raises(ArchcalcError) as error:
        told(f"# a comment\nlenet5: {{top1: 1, on: a, how: b, source: c}}\n\nx: {entry}\n")
    assert str(error.value).startswith(f"accuracy.yaml:4: {said}")


def test_a_file_that_is_no_mapping_is_refused(told: Told) -> None:
    with pytest.raises(ArchcalcError, match=r"accuracy\.yaml:1: expected a mapping of networks to errors"):
        told("- vgg16\n")


def test_the_file_has_one_entry_a_line() -> None:
    lines = (specs() / "published" / "accuracy.yaml").read_text(encoding="utf-8").splitlines()
    entries: list[Any] = [line for line in lines if line and not line.startswith("#")]
    assert [line.split(":")[0] for line in entries] == list(accuracies())
