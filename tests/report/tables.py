"""Tables of memory by the options of their command."""

from __future__ import annotations

from archcalc.report import budget


def memory_table(network, columns=None, **options):
    return budget.memory_table(network, budget.MemoryRequest(**options), columns)
