"""The data sheets of archcalc's devices, recomputed: units x operations a clock x clock, and pins x rate."""

from __future__ import annotations

import math
import os
import re
from typing import NamedTuple

import pytest

from archcalc.language.zoo import folder
from archcalc.timing.reading import devices, names


class Unit(NamedTuple):
    """Operations a clock of a multiprocessor or core, two for a multiply-add, by dtype: ordinary units, matrix units."""

    vector: dict[str, int]
    matrix: dict[str, int] = {}


def halves(float32: int, float16: int, **others: int) -> dict[str, int]:
    return {"float32": float32, "float16": float16, **others}


HOPPER = Unit(
    halves(256, 512, bfloat16=512, float64=128),
    {"float64": 256, "tf32": 2048, "float16": 4096, "bfloat16": 4096, "int8": 8192},
)
AMPERE = Unit(
    halves(128, 512, bfloat16=256, float64=64),
    {"float64": 128, "tf32": 1024, "float16": 2048, "bfloat16": 2048, "int8": 4096},
)
VOLTA = Unit(halves(128, 256, float64=64), {"float16": 1024})
TURING = Unit(halves(128, 256), {"float16": 1024, "int8": 2048})
ORIN = Unit(halves(256, 512), {"tf32": 1024, "float16": 2048, "bfloat16": 2048, "int8": 4096})
WORKSTATION = Unit(halves(256, 256, bfloat16=256), {"tf32": 512, "float16": 1024, "bfloat16": 1024, "int8": 2048})
"""GA102, AD102, AD104 and GB202 on cards for servers and workstations."""
GEFORCE = Unit(halves(256, 256, bfloat16=256), {"tf32": 256, "float16": 512, "bfloat16": 512, "int8": 2048})
"""The same chips on GeForce cards: products with sums in float32 have half the rate."""
SKYLAKE = Unit({"float32": 64, "float64": 32})
"""Two units of 512 bits."""
A76 = Unit({"float32": 16, "float64": 8, "float16": 32})
"""Two units of 128 bits."""


class Chip(NamedTuple):
    """Multiprocessors or cores; GHz of matrix products and of other operations; bits of the memory, Gb/s of each.

    Matrix products in float64 have the clock of the other operations (NVIDIA's H100 whitepaper).
    """

    unit: Unit
    units: int
    matrix_ghz: float
    ghz: float
    bits: int
    gigabits: float


CHIPS = {
    "v100": Chip(VOLTA, 80, 1.53, 1.53, 4096, 2 * 0.8775),
    "v100-pcie": Chip(VOLTA, 80, 1.38, 1.38, 4096, 2 * 0.8775),
    "t4": Chip(TURING, 40, 1.59, 1.59, 256, 10),
    "a100": Chip(AMPERE, 108, 1.41, 1.41, 5120, 2 * 1.215),
    "a100-pcie": Chip(AMPERE, 108, 1.41, 1.41, 5120, 2 * 1.215),
    "a100-80gb": Chip(AMPERE, 108, 1.41, 1.41, 5120, 2 * 1.593),
    "a100-80gb-pcie": Chip(AMPERE, 108, 1.41, 1.41, 5120, 2 * 1.512),
    "a10": Chip(WORKSTATION, 72, 1.695, 1.695, 384, 12.5),
    "rtx3090": Chip(GEFORCE, 82, 1.695, 1.695, 384, 19.5),
    "rtx4090": Chip(GEFORCE, 128, 2.52, 2.52, 384, 21),
    "l4": Chip(WORKSTATION, 58, 2.04, 2.04, 192, 12.5),
    "l40s": Chip(WORKSTATION, 142, 2.52, 2.52, 384, 18),
    "h100": Chip(HOPPER, 132, 1.83, 1.98, 5120, 2 * 2.619),
    "h100-pcie": Chip(HOPPER, 114, 1.62, 1.755, 5120, 2 * 1.593),
    "h200": Chip(HOPPER, 132, 1.83, 1.98, 6144, 2 * 3.201),
    "rtx5090": Chip(GEFORCE, 170, 2.407, 2.407, 512, 28),
    "rtx-pro-6000": Chip(WORKSTATION, 188, 2.617, 2.617, 512, 28),
    "rtx-pro-6000-max-q": Chip(WORKSTATION, 188, 2.28, 2.28, 512, 28),
    "jetson-orin": Chip(ORIN, 16, 1.3, 1.3, 256, 6.4),
    "jetson-orin-nano": Chip(ORIN, 8, 0.625, 0.625, 128, 4.266),
    "jetson-orin-nano-super": Chip(ORIN, 8, 1.02, 1.02, 128, 6.4),
    "i9-10940x": Chip(SKYLAKE, 14, 3.3, 3.3, 4 * 64, 2.933),
    "raspberry-pi-5": Chip(A76, 4, 2.4, 2.4, 32, 4.267),
}
TWO_KINDS_OF_CORES = {"i7-12700h": ((6, 32, 2.3), (8, 16, 1.7))}
BELOW_THE_PINS = {"h200"}
"""The data sheet promises less than the pins of the memory carry."""
GIGA = {"G": 1, "T": 1000}


def printed(name: str) -> dict[str, tuple[str, int]]:
    """The figures of a device as its file prints them, in giga: digits, and the size of the unit."""
    with open(os.path.join(folder(), "devices", f"{name}.yaml"), encoding="utf-8") as file:
        lines = file.read().splitlines()
    found, group = {}, ""
    for line in lines:
        if section := re.fullmatch(r"(\w+):", line):
            group = section[1]
        if figure := re.match(r"( *)(\w+): \[([0-9.]+) ([GT])(?:FLOPS|OPS|B/s),", line):
            found[f"{group} {figure[2]}" if figure[1] else figure[2]] = (figure[3], GIGA[figure[4]])
    return found


def agrees(text: str, exact: float) -> bool:
    """Whether digits are an exact value, rounded or cut off to as many.

    Data sheets do both: 35.58 TFLOPS become 35.6, and 284.65 TOPS become 284.
    """
    size = 10 ** len(text.partition(".")[2])
    return float(text) * size in (pytest.approx(round(exact * size)), pytest.approx(math.floor(exact * size)))


@pytest.mark.parametrize(
    ("text", "exact", "expected"),
    [
        ("35.6", 35.58, True),
        ("284", 284.65, True),
        ("285", 284.65, True),
        ("283", 284.65, False),
        ("60", 60.6, True),
        ("60", 62, False),
        ("900", 898.6, False),
        ("0.9", 0.8986, True),
        ("3.35", 3.3523, True),
        ("3.3", 3.3523, True),
        ("4.8", 4.9167, False),
    ],
)
def test_figures_agree_to_the_digits_that_are_printed(text, exact, expected):
    assert agrees(text, exact) is expected


def test_every_device_is_recomputed():
    assert sorted([*CHIPS, *TWO_KINDS_OF_CORES]) == names()


@pytest.mark.parametrize("name", sorted(CHIPS))
def test_peaks_are_units_times_operations_times_clock(name):
    chip, found = CHIPS[name], printed(name)
    peaks = {key: value for key, value in found.items() if " " in key}
    assert peaks
    for key, (text, size) in peaks.items():
        side, dtype = key.split()
        operations = chip.unit.vector if side == "vector" else chip.unit.matrix
        ghz = chip.ghz if side == "vector" or dtype == "float64" else chip.matrix_ghz
        exact = chip.units * operations[dtype] * ghz / size
        assert agrees(text, exact), f"{key}: {text}, computed {exact}"


@pytest.mark.parametrize("name", sorted(CHIPS))
def test_bandwidth_is_pins_times_rate(name):
    chip = CHIPS[name]
    text, size = printed(name)["bandwidth"]
    exact = chip.bits / 8 * chip.gigabits / size
    if name in BELOW_THE_PINS:
        assert float(text) < exact
    else:
        assert agrees(text, exact), f"{text}, computed {exact}"


def test_a_processor_with_two_kinds_of_cores():
    for name, cores in TWO_KINDS_OF_CORES.items():
        text, _ = printed(name)["vector float32"]
        assert agrees(text, sum(number * operations * ghz for number, operations, ghz in cores))


def test_clocks_are_those_of_the_peaks():
    for one in devices():
        if one.name in CHIPS:
            chip = CHIPS[one.name]
            sheet, highest = (clock.value / 1e9 for clock in one.clock)
            assert math.isclose(sheet, chip.matrix_ghz)
            assert highest >= chip.ghz
