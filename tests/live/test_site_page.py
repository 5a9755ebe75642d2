"""The page as a static site, in Chromium: Python answers in the browser, and no server of archcalc is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archcalc.live.desk import Opened
from archcalc.live.site import write_site
from archcalc.report.layers import COLUMNS
from tests.live.asking import state
from tests.live.browser import LivePage
from tests.live.commands import printed
from tests.live.sites import BOOT, PYODIDE, ask, served
from tests.live.test_page_links import CAFFE, drop

pytestmark = pytest.mark.skipif(not PYODIDE.exists(), reason="no Pyodide: npm ci, in live/")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("site") / "page"
    write_site(str(path), Opened(), str(PYODIDE))
    return path


@pytest.fixture(scope="module")
def link(folder: Path) -> Iterator[str]:
    with served(folder) as link:
        yield link


@pytest.fixture(scope="module")
def live(browser: Any, link: str) -> Iterator[LivePage]:
    """One page whose Python has started."""
    page = LivePage(browser, link).ready()
    page.context.set_default_timeout(BOOT)
    ask(page, "start")
    yield page
    page.close()


def test_the_table_is_that_of_the_command_line(live):
    table = printed("table", "vgg16", "--columns", ",".join(COLUMNS), "--format", "json")
    assert ask(live, "analyze", state=state("vgg16"))["table"] == json.loads(table)


def test_an_edit_is_followed_and_its_mistake_is_told(live):
    live.write("INPUT 8x8x3 -> FC-10")
    live.wait_for_footer(f"parameters: {8 * 8 * 3 * 10 + 10:,} ")
    live.write("INPUT 8x8x3 -> FCC-10")
    live.page.wait_for_selector("#problems li")
    assert "FCC-10" in live.page.locator("#problems").inner_text()
    assert live.page.locator("#results.stale").count() == 1
    live.write("INPUT 8x8x3 -> CONV3-4")
    live.wait_for_footer(f"parameters: {3 * 3 * 3 * 4 + 4:,} ")
    live.page.wait_for_selector(".window-area svg")


def test_files_go_in_and_out(live):
    drop(live, "small.prototxt", CAFFE)
    live.wait_for_footer(f"parameters: {3 * 3 * 3 * 8 + 8:,} ")
    live.page.locator("#format").select_option("csv")
    with live.page.expect_download() as waiting:
        live.page.get_by_role("button", name="Download", exact=True).click()
    assert ",216," in Path(waiting.value.path()).read_text() or "224" in Path(waiting.value.path()).read_text()


def test_without_a_network_connection_all_goes_on(live):
    live.context.set_offline(True)
    live.choose("resnet18")
    live.wait_for_footer("parameters: 11,689,512 ")  # torchvision's page of resnet18
    for name in ("Field", "Memory"):
        live.page.get_by_role("tab", name=name).click()
        live.page.wait_for_selector("#picture svg text")
    live.context.set_offline(False)
    missing = [text for text in live.complaints if text.endswith("icon.svg")]  # Chromium asks for it with every address
    live.complaints[:] = [text for text in live.complaints if text not in missing]
