"""The files of the page: what index.html loads first, with and without a build."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from archcalc.live import files
from tests.live.browser import BUNDLE


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The page in a folder of its own, as it is in this folder."""
    copied = tmp_path / "page"
    shutil.copytree(files.FOLDER, copied)
    monkeypatch.setattr(files, "FOLDER", str(copied))
    return copied


def loaded() -> list[str]:
    """The scripts that index.html names, in their order; the one that starts the page is the last."""
    found = files.page_file("/index.html")
    assert found is not None
    return re.findall(r'<(?:link rel="modulepreload" href|script type="module" src)="([^"]+)"', found[1].decode())


def imported(folder: Path, name: str) -> set[str]:
    """The modules that a module loads at once, and those that they load."""
    found = set(
        re.findall(r'^import .* from "\./([^"]+)";$', (folder / name).read_text(encoding="utf-8"), re.MULTILINE)
    )
    return found.union(*(imported(folder, other) for other in found))


def test_without_a_build_all_modules_are_named_and_no_others(folder):
    shutil.rmtree(folder / "vendor", ignore_errors=True)
    assert (set(loaded()[:-1]), loaded()[-1]) == (imported(folder, "main.js"), "main.js")
    assert len(loaded()) == len(set(loaded()))


@pytest.mark.skipif(not BUNDLE.with_name("page.js").exists(), reason="no build: npm ci && npm run build, in live/")
def test_the_one_file_is_taken_only_while_it_is_of_the_modules_beside_it(folder):
    assert loaded() == ["vendor/editor.js", "vendor/page.js"]
    module = folder / "dom.js"
    module.write_text(f"{module.read_text(encoding='utf-8')}// changed\n", encoding="utf-8")
    assert loaded()[-2:] == ["vendor/editor.js", "main.js"]
    assert "dom.js" in loaded()


def test_the_page_works_without_a_build(folder, open_page):
    shutil.rmtree(folder / "vendor", ignore_errors=True)
    live = open_page().ready()
    live.write("INPUT 8x8x3 -> CONV3-8 -> FC-10")
    live.wait_for(
        "n => document.querySelector('#layer-table .total').textContent.includes(n)",
        f"{3 * 9 * 8 + 8 + 8 * 64 * 10 + 10:,}",
    )
    assert any(address.endswith("/dom.js") for address in live.asked)
    assert not any("vendor" in address for address in live.asked)
