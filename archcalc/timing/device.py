"""A device: what its data sheet promises, with sources, and the constants that measurements on it gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from archcalc.dtypes import DTYPES
from archcalc.errors import ArchcalcError

KINDS = ("gpu", "cpu")


class Figure(NamedTuple):
    """A figure of a data sheet: its value in operations, bytes, bytes per second or hertz, and where it stands.

    how: ``read`` in the source, ``recalled`` of it, or ``measured``; '' if the file does not say
    """

    value: float
    source: str = ""
    how: str = ""


class Measured(NamedTuple):
    """How far estimates lay from measurements: in which mode, for how many networks, median, 90 % and Spearman's rank."""

    mode: str
    networks: int
    median: float
    ninety: float
    spearman: float
    source: str


class Device(NamedTuple):
    """A device.

    vector, matrix: operations per second by dtype, of ordinary units and of units for matrix products, dense; a
               multiply-add is two operations
    bandwidth, cache, memory: bytes per second of the memory, bytes of the last-level cache, and of the memory
    clock:     the clock of the peaks, and the highest clock that a run can have
    constants: the constants of the model: the usual ones, or those that were fitted on ``fitted``
    errors:    how far estimates lay from measurements on the device
    also:      other names, as in files of measurements
    """

    name: str
    title: str
    kind: str
    vector: Mapping[str, Figure]
    matrix: Mapping[str, Figure]
    bandwidth: Figure
    cache: Figure
    memory: Figure
    clock: tuple[Figure, Figure]
    constants: Mapping[str, float]
    fitted: str = ""
    errors: tuple[Measured, ...] = ()
    note: str = ""
    also: tuple[str, ...] = ()

    @property
    def dtypes(self) -> list[str]:
        """The dtypes for which the device has a peak."""
        return [dtype for dtype in ("tf32", *DTYPES) if dtype in self.vector or dtype in self.matrix]

    def peak(self, dtype: str) -> float:
        """Operations per second of matrix products in a dtype, dense. ArchcalcError if the device lacks the dtype."""
        found = self.matrix.get(dtype) or self.vector.get(dtype)
        if found is None:
            raise ArchcalcError(f"{self.title} has no peak for {dtype}; it has {', '.join(self.dtypes)}")
        return found.value

    @property
    def overclock(self) -> float:
        """How far a run can be above the peaks of the data sheet."""
        sheet, highest = self.clock
        return max(1.0, highest.value / sheet.value)
