"""A device that is written is read as the same device."""

from __future__ import annotations

import pytest

from archcalc.timing.device import Measured
from archcalc.timing.reading import SIZES, device, names, read_device
from archcalc.timing.writing import device_text, digits, number_text


@pytest.mark.parametrize("name", names())
def test_every_device_survives_its_text(name, tmp_path):
    path, one = tmp_path / f"{name}.yaml", device(name)
    path.write_text(device_text(one, {}, ["a comment\nof two lines"]), encoding="utf-8")
    found = read_device(str(path), name)
    assert found._replace(constants={}, errors=()) == one._replace(constants={}, errors=())
    for constant, value in one.constants.items():
        assert digits(found.constants[constant]) == digits(value)
    assert [(error.mode, error.networks, error.source) for error in found.errors] == [
        (error.mode, error.networks, error.source) for error in one.errors
    ]


def test_texts_of_a_user_survive(tmp_path):
    one = device("t4")
    changed = one._replace(
        title='A "card": é, 日本 # not a comment',
        note="x: y",
        fitted="[1, 2]",
        bandwidth=one.bandwidth._replace(source="no"),
        errors=(Measured("inference float32", 5, 0.1, 0.2, -0.5, "a file, with a comma.csv"),),
    )
    path = tmp_path / "t4.yaml"
    path.write_text(device_text(changed, {"mine": "no"}), encoding="utf-8")
    assert read_device(str(path), "t4") == changed


@pytest.mark.parametrize(
    ("value", "text"),
    [(24 * 2.0**30, "24 GiB"), (256e9, "256 GB"), (19.25 * 2**20, "19.25 MiB"), (5120.0, "5 KiB"), (1e12 / 3, None)],
)
def test_a_figure_has_its_shortest_unit(value, text):
    found = number_text(value, SIZES)
    assert text in (None, found)
    number, unit = found.split()
    assert float(number) * SIZES[unit] == pytest.approx(value, rel=1e-15)
