"""A design space of RegNetX as one sweep, held against formulas of its own."""

from __future__ import annotations

import random

import pytest

import archcalc
from tests.spaces.regnet import CLASSES, Drawn, counts, draw, points


def test_the_formulas_give_published_figures():
    """Table 2 of the paper for RegNetX-400MF: 400 MF, 5.2 M parameters, and 3.1 M activations."""
    found = counts(Drawn([1, 2, 7, 12], [32, 64, 160, 384], 16))
    assert (round(found.flops / 1e8), round(found.params / 1e5), round(found.activations / 1e5)) == (4, 52, 31)


def test_a_sample_of_the_space_has_the_figures_of_the_formulas():
    pytest.importorskip("pandas")
    drawn = random.Random(7)
    networks = [draw(drawn) for _ in range(150)]
    frame = archcalc.sweep("regnet_x_400mf", points(networks), columns=["params", "macs", "activations"])
    expected = [counts(network) for network in networks]
    assert frame.attrs["left_out"] == []
    assert frame.params.tolist() == [one.params for one in expected]
    assert (frame.macs + CLASSES).tolist() == [one.flops for one in expected]  # pycls counts the classifier's biases
    assert frame.activations.tolist() == [one.activations for one in expected]
