"""The device of each network, if the whole zoo is verified."""

from __future__ import annotations

import pytest

from archcalc.witness.verify_many import device_of

DEVICES = [
    # network, device asked for, device taken
    ("regnet_y_400mf", "cpu", "cpu"),
    ("regnet_y_128gf", "cpu", "meta"),  # 127 G multiply-adds, and RegNets with fewer
    ("regnet_y_128gf", "cuda", "cuda"),
    ("r3d_18", "cpu", "cpu"),  # 41 G, but alone
    ("fcn_resnet50", "cpu", "cpu"),  # 143 G, and the smallest of its family
    ("fcn_resnet101", "cpu", "meta"),
]


@pytest.mark.parametrize(("name", "asked", "taken"), DEVICES)
def test_large_networks_leave_the_cpu(name: str, asked: str, taken: str) -> None:
    assert device_of(name, asked) == taken
