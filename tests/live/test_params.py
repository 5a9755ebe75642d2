"""The range of a slider follows from the spec's conditions."""

from __future__ import annotations

import pytest

from tests.live.asking import state, told


def params(shown):
    return {one["name"]: one for one in told("analyze", state=shown)["params"]}


@pytest.mark.parametrize(
    ("net", "name", "expected"),
    [
        # condition in the spec; expected: least, most, step, choices
        ("vgg16", "last_kernel", (1, 15, 2, [])),  # odd; 16 is the top of a slider for 3
        ("vgg16", "classes", (1, 4000, 1, [])),  # no condition: four times the default
        ("vgg16", "depths", (1, 16, 1, [])),
        ("vgg16", "lrn", (None, None, None, [])),
        ("resnet50", "option", (None, None, None, ["a", "b", "c"])),
        ("wrn_28_10", "depth", (10, 112, 6, [])),  # 6N + 4, above 4
        ("edsr_x2", "scale", (None, None, None, [2, 3, 4])),
        ("densenet121", "compression", (0.05, 1.0, 0.05, [])),  # above 0, at most 1
        ("vit_b_16", "heads", (4, 16, 4, [])),  # divides 768, neighbours of 12: 8 and 16; not 20
        ("mvit_v1_b", "resolution", (32, 896, 32, [])),  # a multiple of 32
        ("stochastic_depth110", "last", (0.05, 1.0, 0.05, [])),
    ],
)
def test_range(net, name, expected):
    found = params(state(net))[name]
    assert tuple(found[key] for key in ("least", "most", "step", "choices")) == expected


def test_both_ends_of_a_range_can_be_set():
    for net in ("wrn_28_10", "densenet121", "vgg16"):
        shown = state(net)
        for name, param in params(shown).items():
            for value in (param["least"], param["most"]) if param["kind"] in ("int", "float") else ():
                if value is not None and name in ("depth", "compression", "last_kernel"):
                    found = told("analyze", state=shown | {"settings": {name: value}})
                    assert {one["name"]: one["value"] for one in found["params"]}[name] == value


def test_a_parameter_has_its_comment():
    assert params(state("vgg16"))["depths"]["about"] == "weight layers of each stage"


@pytest.mark.parametrize(
    ("default", "kind"),
    [("3", "int"), ("0.5", "float"), ("a", "word"), ("true", "bool"), ("[1, 2]", "list"), ("", "any")],
)
def test_kinds(default, kind):
    text = f"input: [3, 8, 8]\nparams: {{p: {default}}}\nlayers: [relu]\n"
    assert params({"text": text})["p"]["kind"] == kind
