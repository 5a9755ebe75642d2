"""The page shows the numbers of the command line, and saves what was opened."""

from __future__ import annotations

import json
from threading import Thread

import pytest

from archcalc.cli import main
from archcalc.live.desk import Desk
from archcalc.live.opened import opened_net
from archcalc.live.server import Server
from archcalc.report.layers import COLUMNS
from tests.live.browser import LivePage

ROWS = """() => {
    const titles = [...document.querySelectorAll('#layer-table thead button')].map(b => b.dataset.key);
    return [...document.querySelectorAll('#layer-table tr[data-item]:not(.block)')].map(row =>
        Object.fromEntries([...row.children].slice(1).map((cell, at) => [titles[at], cell.dataset.name ?? cell.textContent])));
}"""


def shown(key, row):
    """A cell of the command line's JSON, as the page writes it."""
    value = row[key]
    if value is None:
        return "whole" if key.startswith("step") else "-"
    text = (
        f"{value:,}"
        if isinstance(value, int)
        else f"{value:,.6f}".rstrip("0").rstrip(".")
        if isinstance(value, float)
        else value
    )
    exact = {"rf": "exact", "rf_with_gates": "exact_with_gates"}.get(key)
    return f"≤{text}" if exact and row[exact] == "bound" else text


def test_every_cell_is_that_of_the_command_line(open_page, capsys):
    live = open_page().ready()
    live.page.locator("#layers summary", has_text="Columns").click()
    for net in ("lenet5", "googlenet", "unet", "swin_t", "fasterrcnn_resnet50_fpn"):
        live.choose(net)
        live.page.evaluate("document.querySelectorAll('.menu input:not(:checked)').forEach(box => box.click())")
        if live.page.get_by_role("button", name="Unfold all").is_visible():
            live.page.get_by_role("button", name="Unfold all").click()
        live.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        found = live.page.evaluate(ROWS)
        live.page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert main(["table", net, "--columns", ",".join(COLUMNS), "--format", "json"]) == 0
        rows = json.loads(capsys.readouterr().out)["rows"]
        assert found == [{key: shown(key, row) for key in row if not key.startswith("exact")} for row in rows], net


@pytest.mark.parametrize("by_key", [True, False])
def test_the_file_that_was_opened_is_saved(browser, tmp_path, by_key):
    path = tmp_path / "mine.yaml"
    path.write_text("input: [3, 8, 8]\nlayers:\n  - conv: {out: 2, kernel: 3}\n", encoding="utf-8")
    with Server(Desk(opened_net(str(path), False))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        live = LivePage(browser, server.link).ready()
        new = "input: [3, 8, 8]\nlayers:\n  - conv: {out: 4, kernel: 3}\n"
        live.write(new)
        live.wait_for_footer(f"parameters: {3 * 3 * 3 * 4 + 4:,} ")
        if by_key:
            live.page.keyboard.press("Control+s")
        else:
            live.page.get_by_role("button", name="Save", exact=True).click()
        live.page.wait_for_selector("#notice:not([hidden])")
        assert live.page.locator("#notice").inner_text().strip("× \n") == "Saved: mine.yaml."
        assert path.read_text(encoding="utf-8") == new
        live.close()
        server.shutdown()


def test_without_a_file_control_s_downloads_the_text(open_page):
    live = open_page().ready()
    assert live.page.get_by_role("button", name="Save", exact=True).is_hidden()
    with live.page.expect_download() as waiting:
        live.page.keyboard.press("Control+s")
    assert waiting.value.suggested_filename.endswith(".yaml")
