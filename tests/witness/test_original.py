"""An imported PyTorch model beside the model that is built from the import."""

from __future__ import annotations

import pytest

from archcalc import load
from archcalc.witness.device import device
from archcalc.witness.original import original
from archcalc.witness.verify import verify

PLACE = "torch:tests.capture.modules"


def test_the_imported_model_has_the_same_output() -> None:
    result = verify(load(f"{PLACE}:Plain", input=(3, 16, 16)), device("cpu"))
    assert result.problems == []
    assert result.other is not None
    assert (result.other.tensors, result.other.difference) == (7, 0)


def test_another_output_is_seen() -> None:
    found = original(load(f"{PLACE}:Varying", input=(3, 16, 16)))
    assert found is not None
    assert [str(one.measured).endswith(" off") for one in found[1]] == [True]


@pytest.mark.parametrize("net", ["lenet5", f"{PLACE}:Boxes"])
def test_nothing_to_compare(net: str) -> None:
    assert original(load(net, input=None if net == "lenet5" else (3, 16, 16))) is None
