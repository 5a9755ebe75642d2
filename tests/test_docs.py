"""The README and the docs say what is true: their commands run, their outputs are real, their links lead somewhere."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest

from archcalc import load
from archcalc.cli.names import conventions as conventions_listed
from archcalc.cli.reference import reference
from archcalc.cli.registry import commands
from archcalc.conventions import conventions
from archcalc.language.pattern import WORDS
from archcalc.language.reference import LAYER_TYPES
from archcalc.report import LAYER_FORMATS

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_console_blocks_show_the_real_output(page, archcalc, overwrite):
    text = page.read_text()

    def rerun(block: re.Match[str]) -> str:
        command = block[1].splitlines()[0]
        assert command.startswith("$ archcalc "), "a console block starts with one archcalc command"
        status, out, err = archcalc(*shlex.split(command)[2:])
        over = command.startswith("$ archcalc check") and " over " in out
        assert (status, err) == (int(over), "")
        return f"```console\n{command}\n{out}```"

    real = CONSOLE.sub(rerun, text)
    if overwrite:
        page.write_text(real)
    assert real == page.read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_python_examples_run(page):
    failed, _ = doctest.testfile(str(page), module_relative=False)
    assert failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_readme_commands_run(archcalc, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my.yaml").write_text("input: [3, 32, 32]\nlayers:\n  - conv: {out: 8, kernel: 3}\n")
    shown = [
        line
        for block in re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
        for line in block.splitlines()
        if line.startswith("archcalc ")
    ]
    assert len(shown) >= 6
    waiting = {one.name for one in commands() if one.waits}
    for line in shown:
        if line.split()[1] in waiting:
            continue
        status, out, err = archcalc(*shlex.split(line, comments=True)[1:])
        assert (status, err) == (0, ""), line
        assert out or "-o " in line, line


def test_the_readme_starts_with_the_two_commands():
    block = re.search(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    first, second = block[1].splitlines()
    assert first.endswith("archcalc table vgg16")
    assert second.endswith("pytest -n auto")


def test_the_reference_page_is_fresh(overwrite):
    page = ROOT / "docs" / "cli.md"
    if overwrite:
        page.write_text(reference())
    assert page.read_text() == reference()


def test_help_names_every_format_and_says_where_all_conventions_are(archcalc):
    help = archcalc("help", "table")[1]
    for name in LAYER_FORMATS:
        assert name in help
    assert "counting convention: cs231n, fvcore, thop ... (archcalc); --as help lists all" in " ".join(help.split())
    assert set(conventions) == set(conventions_listed())
    listed = archcalc("explain", "vgg11")[1]
    for name in conventions:
        assert f"\n{name} " in listed


def test_the_layers_of_the_spec_page_are_fresh(overwrite):
    page = ROOT / "docs" / "spec.md"
    if overwrite:
        page.write_text(LAYER_TYPES.fresh(page.read_text()))
    assert page.read_text() == LAYER_TYPES.fresh(page.read_text())


def test_the_first_example_of_the_spec_page_loads(tmp_path):
    text = (ROOT / "docs" / "spec.md").read_text()
    example = tmp_path / "tiny.yaml"
    example.write_text(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1])
    assert load(f"{example}:tiny_deep").analyze().totals.params > load(f"{example}:tiny").analyze().totals.params


def test_the_patterns_of_the_spec_page_load():
    section = (ROOT / "docs" / "spec.md").read_text().partition("## One-line patterns")[2].partition("\n## ")[0]
    (whole,) = re.findall(r"^INPUT .* FC-10$", section, re.MULTILINE)
    assert load(whole).nodes[-1].shape.channels == 10
    elements = re.findall(r"`([A-Z][^`]*)`", "".join(re.findall(r"^\| (`[A-Z].*?) \| ", section, re.MULTILINE)))
    for element in elements:
        load(element + " -> RELU" if "INPUT" in element else f"INPUT 32x32x3 -> {element}").analyze()
    words = re.search(r"^word += (.*)$", section, re.MULTILINE)[1]
    assert set(WORDS) == set(re.findall(r"\w+", words)) <= set(elements)


def test_the_counting_page_lists_every_convention_with_its_version():
    rows = (ROOT / "docs" / "counting.md").read_text().splitlines()
    for name, how in conventions.items():
        (row,) = [row for row in rows if row.startswith(f"| `{name}` |") and row.count(" | ") == 3]
        assert how.version in row or "." not in how.version
