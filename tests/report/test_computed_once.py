"""A command traces each of its networks once, and records a run of memory once."""

from __future__ import annotations

from collections import Counter

import pytest

from archcalc import analysis, load
from archcalc.memory import budget


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each function was called."""
    count: Counter[str] = Counter()

    def counted(module, name):
        function = getattr(module, name)

        def call(*arguments, **options):
            count[name] += 1
            return function(*arguments, **options)

        monkeypatch.setattr(module, name, call)

    for module, name in ((analysis.analysis, "trace_rows"), (analysis.analysis, "sum_rows"), (budget, "inference")):
        counted(module, name)
    return count


@pytest.mark.parametrize(
    ("command", "traces", "recordings"),
    [
        ("table resnet18 --by stage", 1, 1),
        ("table resnet18 alexnet", 2, 2),
        ("rf resnet18", 1, 0),
        ("rf resnet18 alexnet", 2, 0),
        ("rf resnet18 --summary", 1, 0),
        ("memory resnet18", 0, 1),
        ("memory resnet18 --fit 8GiB", 0, 1),
        ("memory resnet18 --training --checkpoint conv3_1", 1, 0),
        ("compare resnet18 alexnet", 2, 0),
        ("diff resnet18 resnet34", 2, 0),
    ],
)
def test_a_command_computes_once(command, traces, recordings, archcalc, calls):
    status, _, err = archcalc(*command.split())
    assert (status, err) == (0, "")
    assert (calls["trace_rows"], calls["inference"]) == (traces, recordings)
    assert calls["sum_rows"] <= traces


def test_the_memory_of_an_analysis_is_kept_and_bounded():
    one = load("lenet5").analyze()
    assert one.memory() is one.memory("sgd")
    assert one.memory("adam") is not one.memory()
    budgets = [one.memory(overhead=size) for size in range(20)]
    assert one.memory(overhead=19) is budgets[19]
    assert one.memory(overhead=0) is not budgets[0]
