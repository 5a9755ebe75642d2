"""What every network of the zoo does with its parameters: a setting changes the network or is an error.

A parameter that a network ignored would make two networks of one, with the wrong numbers beside the second setting.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from archcalc import ArchcalcError, Network, load
from archcalc.language.expanded import expanded
from archcalc.language.zoo import networks

NETWORKS = networks()


def others(value: Any, words: list[str]) -> list[list[Any]]:
    """Plausible values in the place of this one, in groups: of each, the first that the network's checks accept is tried.

    Every word is a group, and so is every element of a list, which changes alone. Eighteen more keeps a depth of the forms
    3n + 4, 6n + 2 or 9n + 2, which are checked before anything else.
    """
    if isinstance(value, bool):
        return [[not value]]
    if isinstance(value, int):
        return [[value + 1, 2 * value + 2, value + 18]]
    if isinstance(value, float):
        return [[value / 2 + 0.11]]
    if isinstance(value, str):
        return [[word] for word in words if word != value]
    return [[[*value[:k], others(item, words)[0][0], *value[k + 1 :]]] for k, item in enumerate(value)]


def words(name: str, parameter: str) -> list[str]:
    """The words that the family's checks allow a parameter."""
    conditions = " ".join(check.place.path for check, _ in NETWORKS[name].checks)
    return re.findall(rf"\b{parameter} == '(\w+)'", conditions)


def differ(a: Network, b: Network) -> bool:
    """Whether the flat specs differ. Two networks mostly show it at an early layer, or by the number of layers."""
    if len(a.nodes) != len(b.nodes):
        return True
    pairs = zip(a.after_inputs, b.after_inputs, strict=True)
    return any(x.layer.type != y.layer.type or x.layer.settings != y.layer.settings for x, y in pairs) or (
        expanded(a) != expanded(b)
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_no_parameter_is_ignored(name: str) -> None:
    network = load(name)
    for parameter, value in network.settings.items():
        for group in others(value, words(name, parameter)):
            for other in group:
                try:
                    changed = load(name, **{parameter: other})
                    len(changed.nodes)  # runs its checks
                except ArchcalcError:
                    continue
                assert differ(changed, network), f"{parameter}={other}"
                break


@pytest.mark.parametrize("name", NETWORKS)
def test_a_word_is_one_of_those_that_a_check_lists(name: str) -> None:
    for parameter, value in load(name).settings.items():
        if isinstance(value, str):
            with pytest.raises(ArchcalcError, match=f"{parameter} must be .*{value}"):
                load(name, **{parameter: "other"})


REFUSED = [
    # network, settings, what is said
    ("vgg11", {"depths": [1, 1, 2, 2, 2, 2]}, "depths has one number for each of the five stages"),
    ("resnet50", {"depths": [3]}, "depths has one number for each of conv2_x to conv5_x"),
    ("alexnet", {"norm": "befor"}, "norm must be before, after or none"),
    ("convnext_tiny", {"drop_path": 1.01}, "drop_path is a probability, from 0 to 1"),
    ("densenet121", {"compression": 1.5}, "compression must be above 0 and at most 1"),
    ("densenet_cifar_40_12", {"drop": -0.1}, "drop is a probability, from 0 to 1"),
    ("efficientnet_b0", {"width": -1.0}, "width and depth must be above 0"),
    ("efficientnet_b0", {"drop_path": 1.01}, "dropout and drop_path are probabilities, from 0 to 1"),
    ("efficientnet_v2_s", {"dropout": -0.1}, "dropout and drop_path are probabilities, from 0 to 1"),
    ("fractalnet20", {"columns": 0}, "columns must be from 1 to 6"),
    ("fractalnet20", {"columns": 7}, "columns must be from 1 to 6"),
    ("fractalnet20", {"columns": 1}, "one column has no joins, so drop_path must be 0"),
    ("fractalnet20", {"drop_path": 2.0}, "drop_path is a probability, from 0 to 1"),
    ("inception_resnet_v1", {"stem": "v3"}, "stem must be v1, v2 or released"),
    ("inception_resnet_v1", {"embedding": -1}, "last_conv and embedding must be at least 0"),
    ("inception_resnet_v2", {"last_conv": -1}, "last_conv and embedding must be at least 0"),
    ("mnasnet_a1", {"width": 0.0}, "width must be above 0"),
    ("mobilenet_v1", {"width": -0.5}, "width must be above 0"),
    ("mobilenet_v2", {"width": 0}, "width must be above 0"),
    ("mobilenet_v3_small", {"width": 0}, "width must be above 0"),
    ("preact_resnet164", {"option": "c"}, "option must be a or b"),
    (
        "preact_resnet164",
        {"imagenet": True},
        "with imagenet=true the depth must be 50, 101, 152 or 200, with bottlenecks",
    ),
    ("preact_resnet164", {"slim": True}, "slim is of the ImageNet networks"),
    ("resnet50", {"slim": True}, "slim needs stride_in_3x3"),
    ("preact_resnet200", {"depth": 164}, "with imagenet=true the depth must be 50, 101, 152 or 200, with bottlenecks"),
    ("regnet_x_400mf", {"group_width": 24}, "group_width must be above 0 and divide every width"),
    ("regnet_x_400mf", {"group_width": 0}, "group_width must be above 0 and divide every width"),
    ("resnet34", {"stride_in_3x3": True}, "stride_in_3x3 is of bottlenecks"),
    ("resnet_option_a", {"option": "d"}, "option must be a, b or c"),
    ("shufflenet_v2_x1_0", {"width": 117}, "width must be even and above 0"),
    ("stochastic_depth110", {"last": 0.0}, "last is a probability, above 0 and at most 1"),
    ("vgg16", {"last_kernel": 2}, "last_kernel must be odd"),
    ("wrn_28_10", {"drop": 1.5}, "drop is a probability, from 0 to 1"),
]


@pytest.mark.parametrize(("name", "settings", "said"), REFUSED)
def test_a_setting_out_of_range_is_an_error(name: str, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ArchcalcError) as caught:
        load(name, **settings)
    assert said in str(caught.value)


def test_titles_tell_the_networks_apart() -> None:
    titles = Counter(load(name).title for name in NETWORKS)
    assert [title for title, count in titles.items() if count > 1] == []
