"""The notebook docs/tour.ipynb runs from top to bottom, and shows what it prints."""

from __future__ import annotations

import ast
import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parent.parent / "docs" / "tour.ipynb"
FORMS = {"text/html": "_repr_html_", "image/svg+xml": "_repr_svg_"}


def lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def outputs(source: str, names: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """What Jupyter shows below a cell: what is printed, and the value of an expression that ends the cell."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    value = None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(tree, str(NOTEBOOK), "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names)
    shown: list[dict[str, Any]] = []
    if printed.getvalue():
        shown.append({"name": "stdout", "output_type": "stream", "text": lines(printed.getvalue())})
    if value is not None:
        data = {form: lines(getattr(value, method)()) for form, method in FORMS.items() if hasattr(value, method)}
        data = data or {"text/plain": lines(repr(value))}
        shown.append({"data": data, "execution_count": count, "metadata": {}, "output_type": "execute_result"})
    return shown


def without_pictures(cells: list[dict[str, Any]]) -> str:
    """The cells as text; the bytes of a picture depend on the version of matplotlib."""
    text = json.dumps(cells)
    for cell in cells:
        for output in cell.get("outputs", ()):
            if "image/svg+xml" in output.get("data", {}):
                assert output["data"]["image/svg+xml"][0].startswith("<svg")
                text = text.replace(json.dumps(output["data"]["image/svg+xml"]), '"a picture"')
    return text


def test_the_notebook_shows_what_it_prints(overwrite):
    pytest.importorskip("matplotlib")
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    names: dict[str, Any] = {}
    cells = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            count = 1 + sum(before["cell_type"] == "code" for before in cells)
            source = "".join(cell["source"])
            cell = cell | {"execution_count": count, "outputs": outputs(source, names, count)}
        cells.append(cell)
    if overwrite:
        text = json.dumps(notebook | {"cells": cells}, indent=1, ensure_ascii=False) + "\n"
        NOTEBOOK.write_text(text, encoding="utf-8")
    else:
        assert without_pictures(cells) == without_pictures(notebook["cells"])
    assert NOTEBOOK.stat().st_size < 200_000
