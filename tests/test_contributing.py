"""Every recipe of CONTRIBUTING.md works: its edits are made in a copy of the package, and its commands run there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "CONTRIBUTING.md"
RECIPES = re.findall(r"^## Add an? (.+?)\n", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
EDIT = re.compile(
    r"^(New file|At the end of|In) `([^`]+)`:\n((?:\n```(?:python|yaml|diff)\n.*?\n```\n)+)", re.MULTILINE | re.DOTALL
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def recipe(name: str) -> str:
    """The section of that recipe."""
    text = PAGE.read_text(encoding="utf-8")
    return re.split(r"^## ", re.split(rf"^## Add an? {name}\n", text, flags=re.MULTILINE)[1], flags=re.MULTILINE)[0]


def apply(folder: Path, where: str, file: str, blocks: str) -> None:
    """Make an edit of a recipe below the folder."""
    path = folder / file
    for language, content in BLOCK.findall(blocks):
        if where == "New file":
            assert not path.exists(), f"{file} exists already"
            path.write_text(content, encoding="utf-8")
        elif where == "At the end of":
            path.write_text(f"{path.read_text(encoding='utf-8')}\n\n{content}", encoding="utf-8")
        else:
            assert language == "diff"
            lines = content.splitlines(keepends=True)
            before = "".join(line[1:] for line in lines if not line.startswith("+"))
            after = "".join(line[1:] for line in lines if not line.startswith("-"))
            text = path.read_text(encoding="utf-8")
            assert text.count(before) == 1, f"{file} does not have these lines once:\n{before}"
            path.write_text(text.replace(before, after), encoding="utf-8")


def run(folder: Path, command: str) -> str:
    """The output of an archcalc command in the folder, by the copy of the package there."""
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(command)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, ""), command
    return done.stdout


def test_there_are_five_recipes():
    assert RECIPES == ["layer type", "network", "convention", "plot kind", "format"]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_works(name, tmp_path, overwrite):
    text = recipe(name)
    for needed in ("torch" * ("archcalc verify soft" in text), "matplotlib" * ("archcalc plot" in text)):
        if needed:
            pytest.importorskip(needed)
    for folder in ("archcalc", "specs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    edits = EDIT.findall(text)
    assert edits
    for edit in edits:
        apply(tmp_path, *edit)
    shown = []
    for language, content in BLOCK.findall(text):
        if language == "sh":
            for command in content.splitlines():
                run(tmp_path, command)
        elif language == "console":
            command = content.splitlines()[0]
            shown.append((content, f"{command}\n{run(tmp_path, command.removeprefix('$ '))}"))
    if overwrite:
        page = PAGE.read_text(encoding="utf-8")
        for old, new in shown:
            page = page.replace(f"```console\n{old}```", f"```console\n{new}```")
        PAGE.write_text(page, encoding="utf-8")
    else:
        for old, new in shown:
            assert new == old
