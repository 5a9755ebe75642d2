"""The energy of a run beside its time: an order of magnitude, on request."""

from __future__ import annotations

from archcalc.report.table import Heading, Table
from archcalc.timing.energy import energy, energy_by_layer, figures, multiply_add
from archcalc.timing.time import Time
from archcalc.units import joules_text, ratio_text

ENERGY = Heading("energy", "energy mJ", "ratio", 6)


def with_energy(table: Table, time: Time) -> Table:
    """A table of the times of layers with the energy of each, and with what the figures stand on."""
    by_layer, whole = energy_by_layer(time), energy(time)
    rows = [[*row, 1e3 * by_layer[row[0]].total if row[0] in by_layer else None] for row in table.rows]
    return table._replace(
        headings=[*table.headings, ENERGY],
        rows=rows,
        total=[*(table.total or ()), 1e3 * whole.total],
        footer=[*table.footer, *_lines(time)],
        totals={
            **table.totals,
            "energy": whole.total,
            "energy_of_operations": whole.operations,
            "energy_of_movement": whole.movement,
        },
    )


def _lines(time: Time) -> list[str]:
    whole, known, mode = energy(time), figures(), time.settings.mode
    dtypes = dict.fromkeys(mode.dtype(one.operator) for one in time.operators if one.operator.macs)
    products = ", ".join(
        f"{ratio_text(1e12 * multiply_add(dtype))} pJ for a multiply-add in {dtype}" for dtype in dtypes
    )
    byte = f"{ratio_text(1e12 * known['byte dram'].value)} pJ for a byte that an operator reads or writes"
    sources = dict.fromkeys(figure.source for figure in (known["multiply float32"], known["byte dram"]))
    return [
        f"energy, an order of magnitude: {joules_text(whole.total)} for the batch: multiply-adds "
        f"{joules_text(whole.operations)}, data movement {joules_text(whole.movement)}",
        f"energy is no figure of {time.device.title}: {', '.join(filter(None, (products, byte)))}; sources: "
        f"{'; '.join(sources)}",
    ]
