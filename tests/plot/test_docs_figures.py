"""The figures in the docs are what the commands beside them draw; ``--overwrite`` draws them anew."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGES = [DOCS / "plots.md", DOCS / "spaces.md"]
FOLDERS = ["docs/figures/", ""]
"""Where the commands of each page write: those of spaces.md, which a reader repeats, into the working directory."""
COMMANDS = [
    command
    for page, folder in zip(PAGES, FOLDERS, strict=True)
    for command in re.findall(rf"^archcalc (plot .* -o) {folder}([\w-]+\.svg)$", page.read_text(), re.MULTILINE)
]
TABLES = re.findall(r"^archcalc ((?:sweep|list) .* -o) (\S+\.csv)$", (DOCS / "spaces.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize(("command", "figure"), COMMANDS, ids=[figure for _, figure in COMMANDS])
def test_the_figure_is_fresh(command, figure, archcalc, tmp_path, overwrite, monkeypatch):
    monkeypatch.chdir(DOCS / "examples")  # the tables of the commands
    target = DOCS / "figures" / figure if overwrite else tmp_path / figure
    assert archcalc(*shlex.split(command), str(target)) == (0, "", "")
    assert numbered(target.read_text()) == numbered((DOCS / "figures" / figure).read_text())


def numbered(svg: str) -> str:
    """A picture with its ids in their order: matplotlib makes them of coordinates whose last bit depends on earlier pictures."""
    ids = list(dict.fromkeys(re.findall(r'\bid="([mp][0-9a-f]{10})"', svg)))
    return re.sub(r"\b[mp][0-9a-f]{10}\b", lambda found: f"id{ids.index(found[0])}", svg)


@pytest.mark.parametrize(("command", "table"), TABLES, ids=[table for _, table in TABLES])
def test_the_table_of_a_figure_is_fresh(command, table, archcalc, tmp_path, overwrite):
    target = DOCS / "examples" / table if overwrite else tmp_path / table
    target.unlink(missing_ok=True)
    assert archcalc(*shlex.split(command), str(target))[0] == 0
    assert target.read_bytes() == (DOCS / "examples" / table).read_bytes()


def test_every_figure_is_shown_and_drawn():
    """Beside the command, or in the README, for a light and for a dark screen."""
    shown = [re.findall(r"\]\(figures/(\S+)\)", page.read_text()) for page in PAGES]
    drawn = [figure for _, figure in COMMANDS]
    front = re.findall(r'(?:src|srcset)="docs/figures/([^"]+)"', (DOCS.parent / "README.md").read_text())
    assert sorted(drawn) == sorted([*shown[0], *shown[1], *front])
    assert {path.name for path in (DOCS / "figures").glob("*")} == set(drawn)


def test_a_picture_of_the_readme_has_a_dark_twin():
    text = (DOCS.parent / "README.md").read_text()
    pairs = re.findall(r'dark\)" srcset="docs/figures/(\w+)_dark\.svg">\s+<img src="docs/figures/(\w+)\.svg"', text)
    assert len(pairs) == 2
    assert all(dark == light for dark, light in pairs)


def test_the_page_names_every_kind_and_option():
    from archcalc.plot import KINDS

    text = (DOCS / "plots.md").read_text()
    for kind in KINDS.values():
        row = re.search(rf"^\| `{kind.name}` \|.*$", text, re.MULTILINE)
        assert row, kind.name
        named = re.findall(r"`--([\w-]+)`", row[0].split("|")[3])
        assert {name.replace("-", "_") for name in named} == set(kind.options)
