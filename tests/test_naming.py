"""What networks are called: with their settings, and never two of them by one name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archcalc import ArchcalcError, Network, Shape, load
from archcalc.language.settings import read_settings
from archcalc.language.zoo import networks
from archcalc.naming import distinct
from archcalc.settings_text import setting_text

NET = "input: [3, 8, 8]\nparams: {w: 4, words: [a], on: true, x: 0.5, s: b}\nlayers:\n  - conv: {out: w, kernel: 1}\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"),
        (0.5, "0.5"),
        (1e-05, "1e-05"),
        (True, "true"),
        (None, "null"),
        ("c", "c"),
        ("a b", '"a b"'),
        ("7", '"7"'),
        ("true", '"true"'),
        ("a,b", '"a,b"'),
        ("", '""'),
        ([3, [4, "x"]], "[3,[4,x]]"),
        ((1, 2), "[1,2]"),
    ],
)
def test_a_setting_reads_back(value: object, text: str) -> None:
    assert setting_text(value) == text
    assert read_settings(f"k={text},other=[1,2]") == {"k": list(value) if isinstance(value, tuple) else value} | {
        "other": [1, 2]
    }


def test_the_name_of_a_network_loads_it() -> None:
    for net in ("resnet50@option=c", "vgg16@classes=10", "densenet121@depths=[6,12,24,16,8,8,8]", "resnet50"):
        assert load(net).full_name == net
    network = load("resnet50", option="c", classes=10)
    assert network.full_name == "resnet50@classes=10,option=c"
    assert load(network.full_name).settings == network.settings


def test_a_setting_as_in_the_spec_is_none() -> None:
    assert load("resnet50@option=b,depths=[3,4,6,3]").full_name == "resnet50"
    assert load("resnet50", depths=(3, 4, 6, 3)).full_name == "resnet50"
    assert load("wrn", k=np.array([2, 8]), depth=16).full_name == "wrn@depth=16,k=[2..8]"


def test_every_network_of_the_zoo_has_its_own_name() -> None:
    names = [load(name).full_name for name in networks()]
    assert names == list(networks())


@pytest.mark.parametrize(
    ("nets", "names"),
    [
        (["resnet50", "resnet50@option=c"], ["resnet50", "resnet50@option=c"]),
        (["a/net.yaml", "b/net.yaml"], ["net (a/net.yaml)", "net (b/net.yaml)"]),
        (["a/net.yaml", "a/net.yaml"], ["net", "net"]),
        (["a/net.yaml", "b/net.yaml@w=5"], ["net", "net@w=5"]),
        (["a/vgg16.yaml", "vgg16"], ["vgg16 (a/vgg16.yaml)", "vgg16 (zoo)"]),
        (["INPUT 8x8x3 -> RELU", "INPUT 8x8x3 -> BN"], ["INPUT 8x8x3 -> RELU", "INPUT 8x8x3 -> BN"]),
        (["INPUT 8x8x3 -> RELU", "INPUT  8x8x3->RELU"], ["INPUT 8x8x3 -> RELU", "INPUT 8x8x3->RELU"]),
    ],
)
def test_two_networks_have_two_names(tmp_path: Path, monkeypatch, nets: list[str], names: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    for folder, name in (("a", "net"), ("b", "net"), ("a", "vgg16")):
        Path(folder).mkdir(exist_ok=True)
        Path(folder, f"{name}.yaml").write_text(NET)
    assert distinct([load(net) for net in nets]) == names


def test_one_network_at_two_inputs() -> None:
    small, large = load("vgg16"), load("vgg16", input=(3, 320, 320))
    assert distinct([small, large, small]) == ["vgg16 at 3x224x224", "vgg16 at 3x320x320", "vgg16 at 3x224x224"]


def test_long_patterns_and_networks_of_code_are_numbered() -> None:
    long = " -> ".join(["CONV3-8"] * 20)
    patterns = [load(f"INPUT 8x8x3 -> {long} -> {end} -> {long}") for end in ("RELU", "BN")]
    first, second = distinct(patterns)
    assert second == f"{first} (2)"
    assert len(first) <= 60
    made = [Network("net", Shape(3, (8, 8))), Network("net", Shape(3, (8, 8)))]
    assert distinct(made) == ["net", "net (2)"]
    assert distinct([made[0], made[0]]) == ["net", "net"]


@pytest.mark.parametrize("name", ["resnet50_tv", "vgg16", "inception_v3", "mobilenet_v2"])
def test_a_file_of_the_users_is_nobody_elses_network(tmp_path: Path, name: str) -> None:
    """Its name says nothing: no error rates, no published figures, no code of a library, no model of one."""
    from archcalc.conventions import convention
    from archcalc.conventions.source_style import PLAIN, source_style
    from archcalc.report.compare import published
    from archcalc.report.evidence import Evidence
    from archcalc.report.explain import explain_table
    from archcalc.witness.models import counterpart, model_of

    (tmp_path / f"{name}.yaml").write_text(NET)
    own, zoo = load(tmp_path / f"{name}.yaml"), load(name)
    assert (own.name, own.zoo_name, own.as_in_zoo) == (name, "", False)
    assert (zoo.zoo_name, zoo.as_in_zoo, load(name, classes=10).as_in_zoo) == (name, True, False)
    assert model_of(own) is None
    assert model_of(zoo) is not None
    assert model_of(load(name, classes=10)) is None
    assert source_style(own.zoo_name) is PLAIN
    assert source_style(zoo.zoo_name) is not PLAIN
    assert published(own.analyze()) is None
    assert Evidence().judgements(own.analyze()) == []
    assert (
        "assumed: every layer is a module of torch.nn, except operators such as +"
        in explain_table(own, "fvcore").footer
    )
    assert own.analyze(convention=convention("fvcore")).totals.params == (3 + 1) * 4
    with pytest.raises(ArchcalcError, match=r"which is no network of the zoo"):
        counterpart(own)
    with pytest.raises(ArchcalcError, match=rf"is {name}, and not {name}@classes=10"):
        counterpart(load(name, classes=10))


def test_settings_that_leave_out_a_layer_of_the_library() -> None:
    """torchvision's VGG has a pooling before its classifier; with other depths it is told as assumed."""
    from archcalc.report.explain import explain_table

    footer = explain_table(load("vgg16@depths=[1,1,1,1,1]"), "fvcore").footer
    assert any(line.startswith("assumed of vgg16@depths=[1,1,1,1,1]: written as in torchvision") for line in footer)
