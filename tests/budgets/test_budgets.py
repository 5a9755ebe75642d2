"""Networks against budgets: what is over, by how much, and which layers have most of it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from archcalc import ArchcalcError, load
from archcalc.analysis import prepared
from archcalc.budgets.checking import findings
from archcalc.budgets.finding import Budget
from archcalc.budgets.growth import USUAL, grown, growths, read_growth
from archcalc.budgets.reading import BudgetFile
from archcalc.conditions.dimension import NUMBER
from archcalc.report.check import amount_text
from tests.budgets.repository import SMALL
from tests.nets import network


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SMALL, encoding="utf-8")
    return tmp_path


def found(text: str, net: str = "small.yaml:wide", **settings: int) -> list:
    return findings(prepared(load(net, **settings)), [Budget(text)])


def test_a_finding_says_what_is_over_and_by_how_much(folder):
    (one,) = found("macs < 10M and params < 30K")
    assert (one.network, one.part, one.figure, one.stated) == ("wide", "macs < 10M", "macs", "10M")
    assert (one.value, one.limit, one.over, one.sign) == (19_759_744, 10_000_000, 9_759_744, 1)
    assert one.ratio == Fraction(9_759_744, 10_000_000)
    assert [(part.name, part.amount) for part in one.parts] == [
        ("conv2", 18 * 32**2 * 1024),
        ("conv1", 27 * 32 * 1024),
        ("linear", 640),
    ]
    assert (one.place.file, one.place.line) == ("small.yaml", 10)


@pytest.mark.parametrize(
    ("text", "over", "sign", "layers"),
    [
        ("params <= 20042", None, 0, []),
        ("params < 20042", 0, 1, ["conv2", "conv1", "linear"]),
        ("20K > params", 42, 1, ["conv2", "conv1", "linear"]),
        ("params >= 20043", 1, -1, []),
        ("25K <= params", 4958, -1, []),
        ("params == 20K", 42, 0, ["conv2", "conv1", "linear"]),
        ("params != 20042", 0, 0, ["conv2", "conv1", "linear"]),
        ("macs < 900 * params", 19_759_744 - 900 * 20_042, 1, ["conv2", "conv1", "linear"]),
        ("macs / params < 985", Fraction(19_759_744, 20_042) - 985, 1, ["conv2", "conv1", "linear"]),
        ("field > 5", 0, -1, []),
        ("width < 32", 0, 1, []),
    ],
)
def test_comparisons_of_all_kinds(folder, text, over, sign, layers):
    if over is None:
        assert found(text) == []
        return
    (one,) = found(text)
    assert (one.over, one.sign) == (over, sign)
    assert [part.name for part in one.parts] == layers


def test_conditions_without_a_comparison_name_layers_or_nothing(folder):
    (one,) = found("not any(layer.channels > 40)")
    assert [part.name for part in one.parts] == ["conv2", "global_avg_pool", "flatten"]
    (one,) = found("all(layer.channels % 32 == 0)")
    assert [part.name for part in one.parts] == ["linear"]
    (one,) = found("params < 3 or macs < 3")
    assert (one.part, one.value) == ("params < 3 or macs < 3", None)
    (one,) = found("name == 'small'")
    assert (one.value, one.limit) == ("wide", None)


def test_a_figure_that_the_network_lacks_is_a_finding(folder):
    vector = prepared(network("input: [10]\nlayers: [{linear: {out: 5}}]"))
    (one,) = findings(vector, [Budget("field >= 3")])
    assert (one.missing, one.value) == ("field", None)
    (one,) = findings(vector, [Budget("width < 3")], {"width"})
    assert one.missing == "width"


def test_budgets_of_a_spec_are_those_of_the_family_and_of_the_network(folder):
    assert [(text, place.line) for text, place in load("small.yaml:small").budgets] == [("params < 20K", 3)]
    assert [(text, place.line) for text, place in load("small.yaml:wide").budgets] == [
        ("params < 20K", 3),
        ("macs < 10M and peak <= 100KiB", 6),
    ]
    assert load("small.yaml:wide").at(load("small.yaml:wide", input=(3, 64, 64)).input).budgets
    with pytest.raises(ArchcalcError, match=r"net.yaml:2: budgets must be a condition .*, got 3 \(at budgets\[1\]\)"):
        network("input: [3, 8, 8]\nbudgets: [macs < 1, 3]\nlayers: [relu]\n")


def test_names_of_a_file_match_networks_with_and_without_settings(folder):
    Path("budgets.yaml").write_text(
        '"*": field > 3\nwide: [macs < 1]\nwide@width=40:\n  - params < 1\n', encoding="utf-8"
    )
    file = BudgetFile("budgets.yaml")
    read = [(budget.text, budget.place.line) for budget in file.of_network(load("small.yaml:wide", width=40))]
    assert read == [("field > 3", 1), ("macs < 1", 2), ("params < 1", 4)]
    assert [budget.text for budget in file.of_network(load("small.yaml:small"))] == ["field > 3"]


def grows(*limits: str, old: int = 16, new: int = 20) -> list:
    before, now = (prepared(load("small.yaml:small", width=width)) for width in (old, new))
    return grown(before, now, [read_growth(text) for text in limits])


def test_growth_is_exact_and_names_the_layers_that_changed(folder):
    """From 5,418 to 28 * 20 + 18 * 400 + 40 + 400 + 10 parameters: 8,210."""
    assert grows("params=2792") == grows("params=51.532%") == grows("params=any") == grows("params=0", new=16) == []
    assert grows("params=0", new=12) == []
    (one,) = grows("params=2791")
    assert (one.before, one.value, one.limit, one.over) == (5418, 8210, 5418 + 2791, 1)
    changed = [(part.name, part.before, part.amount) for part in one.parts]
    assert changed == [("conv2", 18 * 256 + 32, 18 * 400 + 40), ("conv1", 448, 560), ("linear", 330, 410)]
    (one,) = grows("params=51.5%")
    assert one.limit == 5418 + 5418 * Fraction(515, 1000)


def test_a_layer_is_compared_with_its_partner(folder):
    """The new layer grows by all its figures; the renamed layer does not grow."""
    renamed = SMALL.replace("  - relu\n", "  - relu\n  - conv: {out: 16, kernel: 1, bias: false}\n    name: added\n")
    Path("other.yaml").write_text(
        renamed.replace("linear: {out: 10}", "linear: {out: 10}\n    name: head"), encoding="utf-8"
    )
    old, new = prepared(load("small.yaml:small")), prepared(load("other.yaml:small"))
    (one,) = grown(old, new, [read_growth("params=0")])
    assert [(part.name, part.before, part.amount) for part in one.parts] == [("added", 0, 256)]


def test_growth_of_what_has_no_layers_and_of_times(folder):
    (one,) = grows("time('a100')=0")
    assert one.value > one.before > 0
    assert all(part.before is not None for part in one.parts)
    assert {one.figure for one in grows("train_memory(batch=2, adam)=1%", "depth=0", "values=0")} == {
        "train_memory(batch=2, adam)",
        "values",
    }


def test_usual_figures_do_not_grow_unless_a_limit_says_so():
    assert [one.text for one in growths([])] == [f"{name}=0" for name in USUAL]
    assert [one.text for one in growths([read_growth("macs=1%"), read_growth("depth=1")])] == [
        "macs=1%",
        "depth=1",
        "params=0",
        "memory=0",
        "peak=0",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("macs", "expected FIGURE=GROWTH such as macs=1% or peak=1MiB, got 'macs'"),
        ("macs<=1%", "expected FIGURE=GROWTH"),
        ("macs=", "expected FIGURE=GROWTH"),
        ("mcas=1%", "unknown figure 'mcas'; did you mean 'macs'?"),
        ("macs=-1%", "macs: expected a growth such as 1%, 20K or any, got '-1%'"),
        ("macs=params", "macs: expected a growth such as 1%, 20K or any, got 'params'"),
        ("macs=2*params", "macs: expected a growth such as 1%, 20K or any, got '2*params'"),
        ("macs=1MiB", "macs is a number, and the growth 1MiB is in bytes"),
        ("peak=20", "peak is in bytes, and the growth 20 is a number"),
        ("3=1%", "3 is no figure of a network"),
        ("name=1%", "name is a text, expected a number"),
    ],
)
def test_limits_of_growth_that_are_refused(text, said):
    with pytest.raises(ArchcalcError) as error:
        read_growth(text)
    assert said in str(error.value)


def test_amounts_have_the_digits_that_they_need():
    assert amount_text(Fraction(52128928, 10), NUMBER) == "5,212,892.8"
    assert amount_text(Fraction(1000), NUMBER) == "1,000"
    assert amount_text(-1234, NUMBER) == "-1,234"
