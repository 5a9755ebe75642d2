"""The page for everybody: by keyboard alone, with a screen reader, on a phone, in the dark, on paper."""

from __future__ import annotations

import subprocess

import pytest

from tests.live.browser import ROOT

AXE = ROOT / "live" / "node_modules" / "axe-core" / "axe.min.js"
TSC = ROOT / "live" / "node_modules" / ".bin" / "tsc"
BROKEN = "input: [3, 8, 8]\nlayers:\n  - conv: {out: 4, kernl: 3}\n  - linear: {out: -1}\n"


def states(live):
    """The page in its states, each with a name."""
    yield "the first network"
    live.page.locator("#layer-table tr[data-item]").nth(3).click()
    live.wait_for("() => document.querySelector('.window-area svg')")
    yield "a chosen layer"
    for name in ("Shapes", "Field", "Memory"):
        live.page.get_by_role("tab", name=name).click()
        live.page.wait_for_selector("#picture svg text")
        yield name
    live.page.locator("#settings").evaluate("d => d.open = true")
    live.page.get_by_label("training").check()
    live.page.locator("summary", has_text="Columns").click()
    yield "training and the columns"
    live.page.locator("#preset input").fill("resnet")
    yield "the list of networks"
    live.page.locator("#field-input input").focus()
    compare = live.page.get_by_role("combobox", name="Compare with")
    compare.fill("vgg16@classes=10")
    compare.press("Enter")
    live.page.wait_for_selector("#difference table")
    yield "a comparison"
    live.write(BROKEN)
    live.page.wait_for_selector("#problems li")
    yield "problems"


@pytest.mark.skipif(not AXE.exists(), reason="no axe-core: npm ci, in live/")
@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (380, "dark")], ids=["1280 px light", "380 px dark"])
def test_axe_finds_nothing(open_page, plain, width, scheme):
    live = open_page(plain=plain, viewport={"width": width, "height": 850}, color_scheme=scheme).ready()
    live.page.evaluate(AXE.read_text(encoding="utf-8"))
    found = []
    for name in states(live):
        results = live.page.evaluate("axe.run({resultTypes: ['violations']})")
        found += [f"{name}: {one['id']}: {node['target']}" for one in results["violations"] for node in one["nodes"]]
    assert found == []


@pytest.mark.skipif(not TSC.exists(), reason="no TypeScript: npm ci, in live/")
def test_the_types_in_the_comments_hold():
    done = subprocess.run([TSC, "--project", ROOT / "live" / "tsconfig.json"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
