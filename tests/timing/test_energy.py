"""The energy of a run, worked out by hand from the published picojoules."""

from __future__ import annotations

import json

import pytest

from archcalc import ArchcalcError
from archcalc.timing.energy import energy, energy_by_layer, figures, multiply_add
from archcalc.timing.time import Settings, Time
from tests.nets import network
from tests.timing.round_device import ROUND

ONE = "input: [256, 4, 4]\nlayers:\n  - conv: {out: 512, kernel: 3, pad: 1, bias: false}\n    name: conv\n  - relu\n"
PRODUCTS = 512 * 16 * 256 * 9


def test_every_figure_has_a_source():
    assert {figure.how for figure in figures().values()} == {"read", "recalled"}
    assert all("2014" in figure.source or "2015" in figure.source for figure in figures().values())


@pytest.mark.parametrize(
    ("dtype", "picojoules"),
    [("float32", 3.7 + 0.9), ("tf32", 3.7 + 0.9), ("float16", 1.1 + 0.9), ("bfloat16", 1.1 + 0.9), ("int8", 0.2 + 0.1)],
)
def test_a_multiply_add_is_a_multiplication_and_a_wide_sum(dtype, picojoules):
    assert multiply_add(dtype) == pytest.approx(picojoules * 1e-12)


def test_operations_and_bytes_times_picojoules():
    time = Time(network(ONE), ROUND, Settings(10))
    found = energy(time)
    assert found.operations == pytest.approx(10 * PRODUCTS * 4.6e-12)
    # the convolution reads 256x4x4 values of each image and all weights, and writes 512x4x4; the activation reads and writes
    moved = 10 * 4 * 16 * (256 + 512) + 4 * 512 * 256 * 9 + 10 * 4 * 16 * 2 * 512
    assert found.movement == pytest.approx(moved * 160e-12)
    layers = energy_by_layer(time)
    assert sum(layer.total for layer in layers.values()) == pytest.approx(found.total)
    assert layers["conv"].operations == found.operations


def test_half_precision_multiplies_for_less():
    half = energy(Time(network(ONE), ROUND, Settings(10, "float16")))
    assert half.operations == pytest.approx(10 * PRODUCTS * 2.0e-12)


def test_a_dtype_without_a_figure_is_a_sentence():
    with pytest.raises(ArchcalcError, match="no energy of a multiplication in float64 is published in the source"):
        multiply_add("float64")


def test_energy_is_there_on_request_alone(archcalc):
    arguments = ("time", "lenet5", "--on", "a100", "--batch", "8")
    assert "energy" not in archcalc(*arguments)[1]
    found = json.loads(archcalc(*arguments, "--energy", "--format", "json")[1])
    totals = found["totals"]
    assert totals["energy"] == pytest.approx(totals["energy_of_operations"] + totals["energy_of_movement"])
    assert 1e3 * totals["energy"] == pytest.approx(sum(row["energy"] or 0 for row in found["rows"]))
    text = archcalc(*arguments, "--energy")[1]
    assert "energy, an order of magnitude: " in text
    assert "energy is no figure of NVIDIA A100" in text
    assert "Horowitz" in text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--on", "all"], "--energy is the same for all devices of the table: name one, as in --on rtx4090"),
        (["--on", "t4", "--fit", "4GiB"], "--fit compares batches; it shows no energy: leave out --energy"),
        (["--on", "a100", "--dtype", "float64"], "no energy of a multiplication in float64 is published"),
    ],
)
def test_a_mistake_is_a_sentence(archcalc, arguments, text):
    status, out, err = archcalc("time", "lenet5", "--energy", *arguments)
    assert (status, out) == (2, "")
    assert text in err
    assert err.count("\n") == 1
