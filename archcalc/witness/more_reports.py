"""Parts of the report on imported models: outputs on the same weights, and published figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from archcalc.units import counted
from archcalc.witness.printed import Printed, closest

Row = dict[str, Any]


def table_of(columns: str, rows: Iterable[Iterable[Any]], texts: int = 1) -> Iterator[str]:
    """A table; the first columns are texts, and the others numbers."""
    titles = columns.split(", ")
    yield f"| {' | '.join(titles)} |"
    yield f"|{':--|' * texts}{'--:|' * (len(titles) - texts)}"
    for row in rows:
        yield f"| {' | '.join(f'{cell:,}' if isinstance(cell, (int, float)) else str(cell) for cell in row)} |"


def outputs(rows: list[Row]) -> Iterator[str]:
    """What was compared, and how large the differences are."""
    if not rows:
        return
    found = Counter(row["verdict"] for row in rows)
    equal = sum(row.get("difference") == 0 for row in rows)
    yield (
        "The model that `archcalc.witness.build` builds from the import took the weights, statistics and constants of the "
        "original. Both computed one random image, on random weights and statistics; models that take a smaller image got "
        "one of 96 or 192 pixels. If the outputs differ at all in float32, both compute in float64, where only the order of "
        "sums may be another: at most 1e-9 of the largest output, or 1e-6 where the model's own code computes in float32."
    )
    yield ""
    yield (
        f"{counted(len(rows), 'model')}: {found['exact']:,} have the same outputs, {equal:,} of them bit for bit; "
        f"{found['wrong']:,} differ."
    )
    for verdict in ("wrong", "refused", "fails", "left out"):
        yield from (f"- {_name(row)}: {verdict}, {row['reasons'][0]}" for row in rows if row["verdict"] == verdict)
    yield ""
    cells = (
        [_name(row), " and ".join("x".join(map(str, size)) for size in row["input"]), _difference(row), row["layers"]]
        for row in rows
        if row["verdict"] == "exact"
    )
    yield from table_of("model, image, difference of outputs, layers", cells, 3)


def _name(row: Row) -> str:
    return str(row["item"].partition(" ")[2])


def _difference(row: Row) -> str:
    return f"{row['difference']:.1g} in {row['in']}"


def published(rows: list[Row], measured: list[Row], printed: Mapping[str, list[Printed]]) -> Iterator[str]:
    """How many printed figures have the digits of the imports, and why the others have not."""
    if not rows:
        return
    counts: Counter[str] = Counter()
    forms: Counter[str] = Counter()
    unlike: list[list[Any]] = []
    own = {_name(row): row for row in measured}
    for row in rows:
        for one in printed[_name(row)] if row["verdict"] == "counted" else ():
            form, names = closest(row, one)
            forms[form] += 1
            counts.update(names)
            for name in names:
                ours = row[form][Printed._fields.index(name)]
                unlike.append([_name(row), form, name, getattr(one, name), ours, *_why(own, row, form, name)])
    total = sum(forms.values())
    yield (
        f"timm publishes parameters, multiply-adds and activations, measured with fvcore and printed with two decimals. "
        f"The tables that were given hold {len(rows):,} models at a size, and {total:,} different rows of figures of those "
        f"that were imported. The count is the convention `timm`, at the printed size, of a model that writes out the "
        f"products of attention (`timm.layers.set_fused_attn(False)`): fvcore does not see the fused operator, and the "
        f"published figures hold the products. {forms['merged']:,} rows are those of models after `reparameterize_model`."
    )
    yield ""
    yield from table_of(
        "figure, printed, same digits", ([name, total, total - counts[name]] for name in Printed._fields)
    )
    refused = [_name(row) for row in rows if row["verdict"] != "counted"]
    if refused:
        yield ""
        yield f"Not imported, or not counted: {', '.join(refused)}."
    if unlike:
        yield ""
        yield from table_of("model and size, form, figure, printed, here, fvcore today, why", unlike, 4)
        yield ""
        yield (
            "Where fvcore today counts something else, too, there are two reasons. It counts one operation more for each value "
            "of a layer normalisation with a scale and no shift, which is a normalisation and a product in the import. And it "
            "does not see a convolution whose padding is a word, such as `padding='same'`: the difference is all that these "
            "convolutions have."
        )


def _why(measured: Mapping[str, Row], row: Row, form: str, name: str) -> list[str]:
    """What fvcore itself counts, and what follows from it."""
    found = measured.get(_name(row), {})
    if form not in found:
        return ["-", "; ".join(found.get("reasons", [])) or "not measured"]
    theirs, ours = (one[form][Printed._fields.index(name)] for one in (found, row))
    same = "the same: printed of another version of timm or fvcore"
    return [f"{theirs:,}", same if theirs == ours else f"archcalc counts {ours - theirs:+,}"]
