"""The bytes alive by role add up to all bytes alive, at every moment."""

from __future__ import annotations

import pytest

from archcalc import load
from archcalc.memory.timeline import alive_by_role


@pytest.mark.parametrize("net", ["googlenet", "resnet18", "swin_t"])
@pytest.mark.parametrize("batch", [1, 3])
def test_the_roles_add_up(net, batch):
    budget = load(net).analyze().memory()
    for schedule in (budget.inference, budget.training):
        by_role = alive_by_role(schedule, batch)
        assert list(map(sum, zip(*by_role.values(), strict=True))) == schedule.live(batch)
        assert "map" in by_role
