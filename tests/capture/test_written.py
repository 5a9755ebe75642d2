"""The text of an imported model: as short as a person writes it, and the same network again."""

from __future__ import annotations

import pytest

from archcalc.language.written import import_spec

MOST_LINES = {"resnet152": 60, "densenet201": 70, "vit_b_16": 60, "swin_t": 120, "googlenet": 150}


@pytest.mark.parametrize("name", MOST_LINES)
def test_the_text_is_short(name: str) -> None:
    assert len(import_spec(f"torchvision:{name}").splitlines()) <= MOST_LINES[name]
