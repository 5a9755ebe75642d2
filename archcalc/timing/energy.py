"""The energy of a run, as an order of magnitude: its operations and its data movement times published picojoules.

The figures are of one chip technology of 2014 (``specs/energy/operations.yaml``), and of no device. A multiply-add has a
multiplication in the dtype of the product and a sum in float32 (int32 for int8), as units for matrix products have them.
Every byte that an operator reads or writes is taken to come from DRAM. All other operations are left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from archcalc.errors import ArchcalcError
from archcalc.language.tree import parse
from archcalc.language.zoo import folder
from archcalc.timing.device import Figure
from archcalc.timing.limits import Mode
from archcalc.timing.operators import Operator
from archcalc.timing.time import Time

PICO = 1e-12
ALIKE = {"tf32": "float32", "bfloat16": "float16"}
"""Dtypes without figures of their own, and the dtype whose figures they take."""
SUMS = {"int8": "int32"}
"""The dtype in which products of a dtype are summed; all others: float32."""


class Energy(NamedTuple):
    """Joules for the batch: of multiply-adds, and of the bytes that operators read and write."""

    operations: float
    movement: float

    @property
    def total(self) -> float:
        return self.operations + self.movement


@lru_cache(maxsize=1)
def figures() -> dict[str, Figure]:
    """The published figures in joules, by what they are for: ``multiply float32``, ``byte dram``."""
    path = os.path.join(folder(), "energy", "operations.yaml")
    with open(path, encoding="utf-8") as file:
        keys = parse(file.read(), path).data()
    found = {}
    for what in ("multiply", "add", "byte"):
        for name, (text, source, how) in keys[what].items():
            number, unit = text.split()
            assert unit == "pJ", f"{path}: {what} {name} is in pJ"
            found[f"{what} {name}"] = Figure(float(number) * PICO, keys["sources"][source], how)
    return found


def multiply_add(dtype: str) -> float:
    """The joules of a multiply-add whose factors have a dtype. ArchcalcError if no figure is published for it."""
    known, name = figures(), ALIKE.get(dtype, dtype)
    if f"multiply {name}" not in known:
        raise ArchcalcError(f"no energy of a multiplication in {dtype} is published in the source; leave out --energy")
    return known[f"multiply {name}"].value + known[f"add {SUMS.get(name, 'float32')}"].value


def energy(time: Time) -> Energy:
    """The energy of the run of a time."""
    return _sum((one.operator for one in time.operators), time.settings.mode)


def energy_by_layer(time: Time) -> dict[str, Energy]:
    """The energy of every layer that runs operators, by its name."""
    of: dict[str, list[Operator]] = {}
    for one in time.operators:
        of.setdefault(time.network.nodes[one.operator.node].name, []).append(one.operator)
    return {name: _sum(operators, time.settings.mode) for name, operators in of.items()}


def _sum(operators: Iterable[Operator], mode: Mode) -> Energy:
    joules = moved = 0.0
    for one in operators:
        if one.macs:
            joules += one.macs * mode.batch * multiply_add(mode.dtype(one))
        moved += one.bytes(mode.batch)
    return Energy(joules, moved * figures()["byte dram"].value)
