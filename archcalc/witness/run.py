"""Many networks verified one after another, or side by side in processes of their own."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, NamedTuple

from archcalc.errors import ArchcalcError, clipped
from archcalc.network import Network
from archcalc.report.table import Table
from archcalc.report.verification import failed_row, layer_table, summary_row, summary_table
from archcalc.spec import load

if TYPE_CHECKING:
    from archcalc.witness.device import Device


FIELDS_OF_EACH = 16
"""Layers of a network of which receptive fields are seen, when there are many networks."""


class Outcome(NamedTuple):
    """What a process tells of a network: its row, the operators that fvcore has no rule for, and what differs."""

    row: list[Any]
    unsupported: dict[str, int]
    problems: list[str]


def device_named(asked: str) -> Device:
    """The device that was asked for; ArchcalcError when PyTorch or the device is missing."""
    for module in ("torch", "torchvision", "fvcore", "tqdm"):
        if find_spec(module) is None:
            raise ArchcalcError(f"verifying needs {module}: pip install 'archcalc[torch]'")
    from archcalc.witness.device import device

    return device(asked)


def outcome(name: str, device: str) -> Outcome:
    """Verify a network of the zoo; a failure is a row as well."""
    from archcalc.witness.verify import verify

    try:
        found = verify(load(name), device_named(device), FIELDS_OF_EACH)
    except ArchcalcError as error:
        said = "; ".join(map(str, error.problems))
        return Outcome(failed_row(name, said), {}, [said])
    except Exception as error:  # a model may fail in any way, and the others' figures are not lost with it
        said = f"{name}: {type(error).__name__}: {clipped(str(error), 160)}"
        return Outcome(failed_row(name, said), {}, [said])
    return Outcome(summary_row(found), found.unsupported, found.problems)


def outcomes(names: Sequence[str], device: str, jobs: int) -> Iterator[Outcome]:
    """Every network's outcome in the order of the names, ``jobs`` of them at once."""
    if jobs == 1:
        yield from (outcome(name, device) for name in names)
        return
    threads = max(1, (os.cpu_count() or 1) // jobs)
    with ProcessPoolExecutor(jobs, get_context("spawn"), _alone, (threads,)) as pool:
        try:
            yield from pool.map(outcome, names, [device] * len(names))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _alone(threads: int) -> None:
    """A process that shares the cores with others."""
    import torch

    torch.set_num_threads(threads)


def summary(found: Iterable[Outcome], device: str) -> tuple[list[Table], list[str]]:
    """The table of many networks, and the first disagreement of each as a sentence."""
    rows, problems = [], []
    unsupported: Counter[str] = Counter()
    for one in found:
        rows.append(one.row)
        problems += one.problems[:1]
        unsupported.update(one.unsupported)
    return [summary_table(rows, device, unsupported)], problems


def layer_tables(networks: Iterable[Network], device: Device) -> tuple[list[Table], list[str]]:
    """A table of layers for each network, and the first disagreement of each as a sentence.

    Where there are several, the table that has a line for each comes last.
    """
    from archcalc.witness.verify import verify

    found = [verify(network, device) for network in networks]
    tables = [layer_table(one) for one in found]
    if len(found) > 1:
        unsupported = sum((Counter(one.unsupported) for one in found), Counter[str]())
        tables.append(summary_table([summary_row(one) for one in found], device.about, unsupported))
    return tables, [problem for one in found for problem in one.problems[:1]]
