"""Totals by a formula: those of the layers, for other numbers, and only where they are certain."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import archcalc
from archcalc.analysis import formulas, prepare
from archcalc.analysis.formulas import Formulas
from archcalc.conventions import convention
from archcalc.errors import ArchcalcError
from archcalc.language import zoo
from tests.spaces.regnet import CLASSES, counts, draw

FIRST = 8


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A formula after a few networks, of families that no other test has."""
    zoo._cached.cache_clear()
    monkeypatch.setattr(prepare, "sums_of", formulas.sums_of)
    monkeypatch.setattr(formulas, "FIRST", FIRST)
    yield
    zoo._cached.cache_clear()


def by_layers(*given: Any, **settings: Any) -> archcalc.Analysis:
    how = {key: settings.pop(key) for key in ("batch", "convention", "training") if key in settings}
    network = archcalc.load(*given, **settings)
    network.formulas = None
    return network.analyze(**how)


def analyses(net: str, cases: list[dict[str, Any]]) -> list[archcalc.Analysis]:
    """The analyses of a network for each case, whose totals are computed one after another."""
    found = []
    for case in cases:
        how = {key: case[key] for key in ("batch", "convention", "training") if key in case}
        one = archcalc.load(net, **{key: value for key, value in case.items() if key not in how}).analyze(**how)
        one.totals  # noqa: B018
        found.append(one)
    return found


def with_formula(found: list[archcalc.Analysis]) -> list[archcalc.Analysis]:
    return [one for one in found if not one.network.built]


def test_random_regnets_have_the_figures_of_the_papers_formulas():
    drawn = random.Random(7)
    networks = [draw(drawn) for _ in range(120)]
    found = analyses("regnet_x_400mf", [one._asdict() for one in networks])
    assert len(with_formula(found)) > 60
    for network, analysis in zip(networks, found, strict=True):
        totals = analysis.totals
        assert (totals.macs + CLASSES, totals.params, analysis.activations) == counts(network)


@pytest.mark.parametrize(
    ("net", "case"),
    [
        ("vgg16", lambda r: {"input": (3, r.randint(32, 400), r.randint(32, 400)), "batch": r.randint(1, 300)}),
        ("resnet152", lambda r: {"input": (3, *[r.randint(1, 400)] * 2), "convention": "fvcore"}),
        ("mobilenet_v2", lambda r: {"width": r.uniform(0.2, 2.0)}),
        ("inception_v3", lambda r: {"input": (3, *[r.randint(299, 600)] * 2), "training": True}),
        ("densenet121", lambda r: {"growth": r.randint(4, 64), "classes": r.randint(1, 2000)}),
        ("unet", lambda r: {"input": (1, *[188 + 16 * r.randint(0, 40)] * 2)}),
        ("vit_b_16", lambda r: {"input": (3, *[16 * r.randint(1, 40)] * 2), "batch": 2}),
        ("shufflenet_v2_x1_0", lambda r: {"input": (3, *[r.randint(20, 300)] * 2), "convention": "thop"}),
    ],
)
def test_totals_by_a_formula_are_those_of_the_layers(net: str, case: Callable[[random.Random], dict[str, Any]]):
    drawn = random.Random(net)
    cases = [case(drawn) for _ in range(40)]
    found = analyses(net, cases)
    assert len(with_formula(found)) > 8
    for one, given in zip(found, cases, strict=True):
        if not one.network.built:
            expected = by_layers(net, **given)
            assert repr((one.totals, one.activations)) == repr((expected.totals, expected.activations))
            assert type(one.totals.macs) is int


def test_the_rest_of_the_analysis_is_that_of_the_layers():
    found = with_formula(analyses("alexnet", [{"input": (3, 200 + n, 300)} for n in range(20)]))[-1]
    assert not found.network.built
    assert sum(row.macs or 0 for row in found.rows) == found.totals.macs
    assert sum(row.param_count for row in found.rows) == found.totals.params
    assert found.network.nodes[-1].shape.channels == 1000


def test_what_a_network_refuses_has_the_same_sentence_with_a_formula():
    found = analyses("vgg16", [{"input": (3, size, size)} for size in range(40, 60)])
    assert not found[-1].network.built
    for given in ({"input": (3, 31, 31)}, {"input": (3, 31, 400)}):
        with pytest.raises(ArchcalcError) as expected:
            by_layers("vgg16", **given)
        with pytest.raises(ArchcalcError) as raised:
            archcalc.load("vgg16", **given).analyze()
        assert str(raised.value) == str(expected.value)
    analyses("regnet_x_400mf", [{"widths": [32 * n, 64 * n, 96 * n, 128 * n]} for n in range(1, 30)])
    with pytest.raises(ArchcalcError, match="group_width must be above 0 and divide every width"):
        archcalc.load("regnet_x_400mf", widths=[32, 64, 96, 100]).analyze()


def test_settings_that_are_no_numbers_have_formulas_of_their_own():
    found = analyses("resnet18", [{"option": "a", "input": (3, size, size)} for size in range(64, 84)])
    assert with_formula(found)
    first = archcalc.load("resnet18", option="b", input=(3, 64, 64)).analyze()
    assert first.network.built
    assert first.totals.params != found[0].totals.params


def test_a_structure_without_a_formula_is_computed_layer_by_layer():
    """Each size of the patches has other layers in this network: no two of them are calculated alike."""
    cases = [{"depths": [1 + n % 3, 2, 1 + n % 5, 2, 1 + n % 2]} for n in range(30)]
    for one, given in zip(analyses("vgg16", cases), cases, strict=True):
        assert one.totals == by_layers("vgg16", **given).totals


def constant(totals: int) -> Callable[[Iterator[Any]], list[Any]]:
    return lambda numbers: [next(numbers) * 0 + totals]


def learned(wrong: int) -> Formulas:
    """Formulas of a network whose sums are 4 for every number, but ``wrong`` on symbols."""
    found = Formulas(convention("archcalc"))
    for n in range(FIRST):
        found.learn((n,), [4], constant(wrong))
    return found


def test_a_formula_that_is_wrong_for_a_known_network_is_not_used():
    assert learned(4).sums((99,)) == [4]
    assert learned(5).sums((99,)) is None


def test_a_network_that_is_analyzed_again_is_not_made_again():
    first, again = analyses("lenet5", [{"batch": 2}, {"batch": 2}])
    assert (first.network.built, again.network.built) == (True, False)
    assert again.totals == first.totals
    other = analyses("lenet5", [{"batch": 3}, {"batch": 2, "convention": "fvcore"}, {"batch": 2, "training": True}])
    assert all(one.network.built for one in other)


def test_totals_of_a_network_that_was_changed_are_not_those_of_its_spec():
    changed = archcalc.load("lenet5")
    changed.nodes[1].trained = False
    assert changed.analyze().totals.frozen > 0
    (again,) = analyses("lenet5", [{}])
    assert again.network.built
    assert again.totals.frozen == 0


def test_numbers_that_arrays_cannot_hold_are_part_of_the_kind():
    cases = [{"classes": 2**53 + 1 - n % 2} for n in range(20)]
    with pytest.raises(ArchcalcError):
        analyses("alexnet", cases)
