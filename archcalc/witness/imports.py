"""Every model of torchvision and timm, imported, and compared with the model itself, in a report.

``python -m archcalc.witness.imports reports/imports.md`` runs in parallel. Its results stand in a file beside the report
(``--results``), one line each; a run that was stopped goes on with those that the file lacks. Results of other versions,
or of other source code, are not used.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from collections import Counter
from importlib import metadata
from pathlib import Path

from archcalc.version import __version__
from archcalc.witness.import_report import report
from archcalc.witness.long_run import MOST_SECONDS, LongRun, Row
from archcalc.witness.printed import differing, printed_in

LIBRARIES = ("torch", "torchvision", "timm")


def models() -> list[str]:
    """Every builder of torchvision and every architecture of timm, as NET takes them."""
    import timm
    from torchvision.models import list_models

    own = [f"torchvision:{name}" for name in list_models() if not name.startswith("quantized_")]
    return own + [f"timm:{name}" for name in timm.list_models()]


def made_by() -> str:
    """The versions on which results depend; archcalc's with a digest of its source code."""
    digest = hashlib.sha256()
    folder = Path(__file__).parents[1]
    for file in sorted(folder.rglob("*.py")):
        digest.update(f"{file.relative_to(folder)}\n".encode() + file.read_bytes())
    versions = [f"{name} {metadata.version(name)}" for name in LIBRARIES]
    return f"archcalc {__version__} (source code {digest.hexdigest()[:12]}), {', '.join(versions)}"


def work(item: str) -> Row:
    """The row of an item; torch is loaded in the process that works."""
    from archcalc.witness import import_figures, import_outputs, import_published

    rows = {
        "figures": import_figures.figures,
        "outputs": import_outputs.outputs,
        "published": import_published.figures,
        "fvcore": import_published.measured,
    }
    kind, _, name = item.partition(" ")
    return rows[kind](name)


def cheapest(rows: list[Row], count: int) -> list[str]:
    """All exact models of torchvision, and those of timm with the fewest multiply-adds."""
    macs = {
        row["item"].partition(" ")[2]: row["equal"]["multiply-adds"][0] for row in rows if row["verdict"] == "exact"
    }
    own, others = ([net for net in macs if net.startswith("timm:") == of] for of in (False, True))
    return [*own, *sorted(others, key=macs.__getitem__)[:count]]


def checked(run: LongRun, nets: list[str], outputs: int, published: Path | None) -> str:
    """The report on some models."""
    made: dict[str, list[Row]] = {"figures": run.run(f"figures {net}" for net in nets)}
    if outputs:
        made["outputs"] = run.run(f"outputs {net}" for net in cheapest(made["figures"], outputs))
    printed = {name: one for name, one in printed_in(published).items() if f"timm:{name.partition(' ')[0]}" in nets}
    if printed:
        made["published"] = run.run(f"published {name}" for name in printed)
        unlike = [row["item"].partition(" ")[2] for row in made["published"] if differing(row, printed)]
        made["fvcore"] = run.run(f"fvcore {name}" for name in unlike)
    return report(made, printed, run.made_by)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("--results", type=Path, help="the file of results; default: beside the report, .jsonl")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="", help="models whose name contains this text")
    parser.add_argument("--outputs", type=int, default=0, help="compare the outputs of so many models of timm, too")
    parser.add_argument("--published", type=Path, help="a folder with the tables that timm publishes, to compare")
    parser.add_argument("--seconds", type=float, default=MOST_SECONDS, help="how long one model may take")
    given = parser.parse_args()
    run = LongRun(work, given.results or given.report.with_suffix(".jsonl"), made_by(), given.jobs, given.seconds)
    nets = [net for net in models() if given.only in net]
    given.report.write_text(checked(run, nets, given.outputs, given.published))
    found = Counter(run.rows[f"figures {net}"]["verdict"] for net in nets)
    print(f"{given.report}: {', '.join(f'{n:,} {verdict}' for verdict, n in found.items())}")


if __name__ == "__main__":
    main()
