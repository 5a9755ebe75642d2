"""The lists of layers in docs/import.md are those of the rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from archcalc.importing import caffe_layers, cfg_layers
from archcalc.importing.reference import LISTS

PAGE = Path(__file__).parents[2] / "docs" / "import.md"


def test_the_lists_of_the_page_are_fresh(overwrite: bool) -> None:
    text = PAGE.read_text(encoding="utf-8")
    if overwrite:
        PAGE.write_text(LISTS.fresh(text), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == LISTS.fresh(text)


@pytest.mark.parametrize("rules", [caffe_layers, cfg_layers])
def test_a_layer_is_in_one_list(rules: object) -> None:
    lists = [set(getattr(rules, name, ())) for name in ("RULES", "DROPPED", "MISSING", "INPUTS")]
    assert sum(map(len, lists)) == len(set().union(*lists))
