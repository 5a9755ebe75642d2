"""Every model of torchvision and timm, imported: parameters, buffers and multiply-adds against the model, in a report.

``python -m archcalc.witness.imports reports/imports.md`` runs in parallel. Its results stand in a file beside the report
(``--results``), a line for each model; a run that was stopped goes on with the models that the file lacks.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from archcalc.errors import ArchcalcError

Row = dict[str, Any]
QUOTED = 160
"""The most signs of a reason in the report."""


def models() -> list[str]:
    """Every builder of torchvision and every architecture of timm, as NET takes them."""
    import timm
    from torchvision.models import list_models

    own = [f"torchvision:{name}" for name in list_models() if not name.startswith("quantized_")]
    return own + [f"timm:{name}" for name in timm.list_models()]


def checked(net: str) -> Row:
    """The figures of an imported model and of the model itself, or why the model is refused."""
    start = time.process_time()
    row: Row = {"net": net}
    try:
        row |= _figures(net)
    except ArchcalcError as error:
        row |= {"verdict": "refused", "reasons": [problem.text for problem in error.problems]}
    except Exception as error:
        row |= {"verdict": "fails", "reasons": [f"{type(error).__name__}: {error}"[:QUOTED]]}
    return {**row, "seconds": round(time.process_time() - start, 2)}


def _figures(net: str) -> Row:
    import torch
    from torch import nn
    from torch.utils.flop_counter import FlopCounterMode

    from archcalc.analysis import analyze
    from archcalc.capture.models import model_of
    from archcalc.capture.networks import network_from
    from archcalc.network import Network

    torch.set_num_threads(1)
    module, _, sizes, _ = model_of(net)
    inputs: Any = dict(sizes) if len(sizes) > 1 else next(iter(sizes.values()))
    network = network_from(Network, module, inputs)
    totals = analyze(network).totals
    module.eval().requires_grad_(False).to("meta")
    used: set[nn.Parameter] = set()
    norms = (nn.modules.batchnorm._NormBase,)
    statistics: set[torch.Tensor] = set()

    def read(one: nn.Module, *_: Any) -> None:
        if isinstance(one, norms):
            statistics.update(kept for kept in (one.running_mean, one.running_var) if kept is not None)

    handles = [one.register_forward_hook(read) for one in module.modules()]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*(torch.zeros(1, *size, device="meta") for size in sizes.values()))
    for handle in handles:
        handle.remove()
    del used
    want = {
        "params": sum(one.numel() for one in module.parameters()),
        "statistics": sum(one.numel() for one in statistics),
        "macs": counter.get_total_flops() // 2,
    }
    got = {"params": totals.params, "buffers": totals.buffers, "macs": totals.macs}
    agrees = got["macs"] == want["macs"] and got["buffers"] >= want["statistics"] and got["params"] <= want["params"]
    return {"verdict": "exact" if agrees else "WRONG", "layers": len(network.nodes), "got": got, "want": want}


def run(nets: Iterable[str], results: Path, jobs: int) -> list[Row]:
    """The rows of all models; those that the file of results lacks are made anew."""
    rows = {row["net"]: row for row in map(json.loads, results.read_text().splitlines())} if results.exists() else {}
    nets = list(nets)
    left = [net for net in nets if net not in rows]
    start, count = time.monotonic(), len(left)
    with ProcessPoolExecutor(jobs) as pool, results.open("a") as file:
        waiting = [pool.submit(checked, net) for net in left]
        for done, future in enumerate(as_completed(waiting), 1):
            row = future.result()
            rows[row["net"]] = row
            file.write(json.dumps(row) + "\n")
            file.flush()
            _progress(done, count, start)
    return [rows[net] for net in nets if net in rows]


def _progress(done: int, count: int, start: float) -> None:
    if sys.stderr.isatty() or done in (1, count) or done % 100 == 0:
        left = (time.monotonic() - start) / done * (count - done)
        bar = "#" * (30 * done // count)
        end = "\r" if sys.stderr.isatty() and done < count else "\n"
        print(f"[{bar:30}] {done:,} of {count:,}, {left / 60:.0f} min left", end=end, file=sys.stderr, flush=True)


def report(rows: list[Row]) -> str:
    """The report: counts, refusals by their reasons, and a table of all models."""
    lines = ["# Imports", "", *_counts(rows), "", "## Refused", "", *_refusals(rows), "", "## Exact", ""]
    lines += [
        "| model | layers | params | params of the module | MACs | buffers | s |",
        "|:--|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        if row["verdict"] == "exact":
            got, want = row["got"], row["want"]
            lines.append(
                f"| {row['net']} | {row['layers']} | {got['params']:,} | {want['params']:,} | {got['macs']:,} | "
                f"{got['buffers']:,} | {row['seconds']} |"
            )
    wrong = [row for row in rows if row["verdict"] == "WRONG"]
    lines += ["", "## Wrong", "", *(f"- {row['net']}: {row['got']}, the model {row['want']}" for row in wrong)]
    return "\n".join([*lines, ""])


def _counts(rows: list[Row]) -> list[str]:
    lines = ["| library | models | exact | refused | wrong | fails | CPU seconds |", "|:--|--:|--:|--:|--:|--:|--:|"]
    for library in dict.fromkeys(row["net"].partition(":")[0] for row in rows):
        own = [row for row in rows if row["net"].startswith(f"{library}:")]
        found = Counter(row["verdict"] for row in own)
        numbers = " | ".join(f"{found[one]:,}" for one in ("exact", "refused", "WRONG", "fails"))
        lines.append(f"| {library} | {len(own):,} | {numbers} | {sum(row['seconds'] for row in own):,.0f} |")
    return lines


def _refusals(rows: list[Row]) -> list[str]:
    """The refused models by their first reason, without the names and sizes in it."""
    groups: dict[str, list[str]] = {}
    for row in rows:
        if row["verdict"] in ("refused", "fails"):
            reason = row["reasons"][0].replace("\n", " ").replace("|", "/")
            groups.setdefault(reason.rpartition("): ")[2][:QUOTED].rpartition(": ")[2], []).append(row["net"])
    lines = ["| models | reason | which |", "|--:|:--|:--|"]
    for reason, nets in sorted(groups.items(), key=lambda item: -len(item[1])):
        lines.append(f"| {len(nets)} | {reason} | {', '.join(nets)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("--results", type=Path, help="the file of results; default: beside the report, .jsonl")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="", help="models whose name contains this text")
    given = parser.parse_args()
    results = given.results or given.report.with_suffix(".jsonl")
    rows = run((net for net in models() if given.only in net), results, given.jobs)
    given.report.write_text(report(rows))
    print(f"{given.report}: {Counter(row['verdict'] for row in rows)}")


if __name__ == "__main__":
    main()
