"""``archcalc.testing``: budgets in a test suite."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archcalc import ArchcalcError, load
from archcalc.testing import assert_fits
from tests.budgets.repository import SMALL


def test_what_fits_passes(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    assert_fits(f"{tmp_path}/small.yaml:small", "macs < 6M")
    assert_fits(f"{tmp_path}/small.yaml:small")
    assert_fits(load("lenet5"), "macs == 325680", "field > 3")
    assert_fits(load("lenet5").analyze(batch=2), "macs == 2 * 325680")
    assert_fits("lenet5", "macs == 2 * 325680", batch=2)


def test_the_message_names_the_figure_the_limit_and_the_layers() -> None:
    with pytest.raises(AssertionError) as error:
        assert_fits("lenet5", "macs < 300K and params < 1M", "classes == 10 or depth < 2")
    assert str(error.value) == (
        "lenet5: macs < 300K\n"
        "  macs is 325,680, over 300K by 25,680 (8.56 %)\n"
        "    largest     macs   share\n"
        "    C3       150,000  46.1 %\n"
        "    C1       117,600  36.1 %\n"
        "    C5        48,000  14.7 %\n"
        "    F6        10,080  3.10 %"
    )


def test_budgets_of_the_spec_count(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    with pytest.raises(AssertionError, match=r"wide: params < 20K \(.*small.yaml:3\)"):
        assert_fits(f"{tmp_path}/small.yaml:wide")


def test_a_module_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(288, 10)
    )
    assert_fits(module, "params == 224 + 2890", input=(3, 8, 8))
    with pytest.raises(AssertionError, match="params is 3,114, over 3K by 114"):
        assert_fits(module, "params < 3K", input=(3, 8, 8))


def test_mistakes() -> None:
    for model, conditions, said in (
        ("lenet5", (), "assert_fits needs a condition, such as 'macs < 4G'"),
        ("lenet5", ("mcas < 3",), "unknown figure 'mcas'; did you mean 'macs'?"),
        (3, ("macs < 3",), "assert_fits takes a module, a network or a name, got 3"),
        (load("lenet5").analyze(batch=np.array([1, 2])), ("macs < 3",), "assert_fits takes single sizes, not arrays"),
    ):
        with pytest.raises(ArchcalcError) as error:
            assert_fits(model, *conditions)  # type: ignore[arg-type]
        assert said in str(error.value)
