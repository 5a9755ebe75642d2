"""Figures that timm publishes of its models: how they are printed, and which figures of ours round to other digits."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

Row = dict[str, Any]
FORMS = ("as built", "merged")
"""A model as timm builds it, and after ``reparameterize_model``, which merges parallel convolutions."""


class Printed(NamedTuple):
    """Figures as printed: parameters and activations in millions, multiply-adds in billions."""

    params: str
    gmacs: str
    macts: str

    def unlike(self, figures: Sequence[int]) -> list[str]:
        """The names of the figures that round to other digits."""
        parts = zip(Printed._fields, self, figures, (1e6, 1e9, 1e6), strict=True)
        return [name for name, text, ours, unit in parts if round(ours / unit, 2) != float(text)]


def printed_in(folder: Path | None) -> dict[str, list[Printed]]:
    """The different figures of every model at every size, as ``NAME SIZE``. A name may end in that of its weights."""
    found: dict[str, list[Printed]] = {}
    for file in sorted(folder.glob("*.csv")) if folder else ():
        with file.open(newline="") as lines:
            for row in csv.DictReader(lines):
                if row.get("infer_gmacs"):
                    name = f"{row['model'].partition('.')[0]} {row['infer_img_size']}"
                    one = Printed(row["param_count"], row["infer_gmacs"], row["infer_macts"])
                    found.setdefault(name, [])
                    found[name] += [] if one in found[name] else [one]
    return found


def closest(row: Row, printed: Printed) -> tuple[str, list[str]]:
    """The form of a model whose figures are those that are printed, and the figures that are not."""
    unlike = {form: printed.unlike(row[form]) for form in FORMS if form in row}
    form = min(unlike, key=lambda one: len(unlike[one]))
    return form, unlike[form]


def differing(row: Row, printed: Mapping[str, list[Printed]]) -> bool:
    """Whether a printed figure has other digits than the row of a model."""
    name = row["item"].partition(" ")[2]
    return row["verdict"] == "counted" and any(closest(row, one)[1] for one in printed[name])
