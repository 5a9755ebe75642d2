"""Every model of torchvision and timm, imported, and compared with the model itself, in a report.

``python -m archcalc.witness.imports reports/imports.md`` runs in parallel. Its results stand in a file beside the report
(``--results``), a line for each model; a run that was stopped goes on with the models that the file lacks. Results of other
versions, or of other source code, are not used.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from collections import Counter
from importlib import metadata
from pathlib import Path

import archcalc
from archcalc.version import __version__
from archcalc.witness.import_report import report
from archcalc.witness.long_run import MOST_SECONDS, LongRun, Row

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
    folder = Path(archcalc.__file__).parent
    for file in sorted(folder.rglob("*.py")):
        digest.update(f"{file.relative_to(folder)}\n".encode() + file.read_bytes())
    versions = [f"{name} {metadata.version(name)}" for name in LIBRARIES]
    return f"archcalc {__version__} (source code {digest.hexdigest()[:12]}), {', '.join(versions)}"


def checked(net: str) -> Row:
    """The row of a model; torch is loaded in the process that works."""
    from archcalc.witness.import_figures import figures

    return figures(net)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("--results", type=Path, help="the file of results; default: beside the report, .jsonl")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="", help="models whose name contains this text")
    parser.add_argument("--seconds", type=float, default=MOST_SECONDS, help="how long one model may take")
    given = parser.parse_args()
    results = given.results or given.report.with_suffix(".jsonl")
    by = made_by()
    rows = LongRun(checked, results, by, given.jobs, given.seconds).run(net for net in models() if given.only in net)
    given.report.write_text(report(rows, by))
    print(
        f"{given.report}: {', '.join(f'{n:,} {verdict}' for verdict, n in Counter(row['verdict'] for row in rows).items())}"
    )


if __name__ == "__main__":
    main()
