"""The page for everybody: by keyboard alone, with a screen reader, on a phone, in the dark, on paper."""

from __future__ import annotations

import subprocess

import pytest

from tests.live.browser import ROOT

AXE = ROOT / "live" / "node_modules" / "axe-core" / "axe.min.js"
TSC = ROOT / "live" / "node_modules" / ".bin" / "tsc"
BROKEN = "input: [3, 8, 8]\nlayers:\n  - conv: {out: 4, kernl: 3}\n  - linear: {out: -1}\n"


def states(live):
    """The page in its states, each with a name. The first network has many rows, the second has few: axe reads them all."""
    yield "the first network"
    live.choose("lenet5")
    live.draw("Shapes")
    live.wait_for_window("tanh5, unit 0, 0")
    yield "shapes; the last map has one position, so no unit can be chosen"
    live.page.locator("#layer-table tr[data-item]").nth(3).click()
    live.draw("Field")
    live.wait_for_window("S2")
    yield "fields, a chosen layer"
    live.page.locator("#settings").evaluate("d => d.open = true")
    live.page.get_by_label("training").check()
    live.draw("Memory")
    live.page.locator(".metric option", has_text="a training step").wait_for(state="attached")
    live.page.locator("summary", has_text="Columns").click()
    yield "memory of training, the columns"
    live.page.locator("#field-input input").focus()
    compare = live.page.get_by_role("combobox", name="Compare with")
    compare.fill("lenet5@classes=12")
    compare.press("Enter")
    live.page.wait_for_selector("#difference table")
    live.page.locator("#preset input").fill("vgg")
    live.page.locator("#preset [role=option] b").first.wait_for()
    yield "a comparison, the list of networks"
    live.write(BROKEN)
    live.page.wait_for_selector("#problems li")
    if live.plain:
        live.editor.press("F1")
        live.page.wait_for_selector(".help p")
    yield "problems, help at a word"
    if live.plain:
        live.editor.press("Control+Space")
        live.page.wait_for_selector("#completions [aria-selected=true]")
        yield "completions"


@pytest.mark.skipif(not AXE.exists(), reason="no axe-core: npm ci, in live/")
@pytest.mark.parametrize(
    ("plain", "width", "scheme", "other"),
    [(True, 1280, "light", "dark"), (False, 380, "dark", "light")],
    ids=["plain, 1280 px, light", "380 px, dark"],
)
def test_axe_finds_nothing(open_page, plain, width, scheme, other):
    """In every state; the last one, which shows all parts of an editor, in both colour schemes."""
    live = open_page(plain=plain, viewport={"width": width, "height": 850}, color_scheme=scheme).ready()
    live.page.evaluate(AXE.read_text(encoding="utf-8"))
    found = []

    def look(state, **rules):
        results = live.page.evaluate("rules => axe.run({resultTypes: ['violations'], ...rules})", rules)
        found.extend(
            f"{state}: {one['id']}: {node['target']}" for one in results["violations"] for node in one["nodes"]
        )

    for name in states(live):
        look(name)
    live.page.emulate_media(color_scheme=other)
    look(f"the last state, {other}", runOnly=["color-contrast", "link-in-text-block"])
    assert found == []


@pytest.mark.skipif(not TSC.exists(), reason="no TypeScript: npm ci, in live/")
def test_the_types_in_the_comments_hold():
    done = subprocess.run([TSC, "--project", ROOT / "live" / "tsconfig.json"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("plain", [True, False])
def test_everything_is_reached_with_the_tab_key(open_page, plain):
    live = open_page(plain=plain).ready()
    live.page.locator("body").focus()
    seen = []
    for _ in range(80):
        live.page.keyboard.press("Tab")
        name = live.page.evaluate(
            "(() => { let e = document.activeElement; while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement; "
            "return e.closest('tr[data-item]') ? 'row' : e.closest('.cm-content, textarea') ? 'editor' "
            ": e.id || e.getAttribute('role') || e.textContent; })()"
        )
        seen.append(name)
        if name == "editor" and not plain:
            live.page.keyboard.press("Escape")
        if name == "download":
            break
    expected = [
        "input",
        "batch",
        "dtype",
        "convention",
        "editor",
        "tab-cost",
        "search",
        "row",
        "format",
        "copy",
        "download",
    ]
    assert [name for name in seen if name in expected] == expected


def test_rows_work_with_the_keyboard_alone(open_page):
    live = open_page().ready()
    live.page.locator("#layer-table tr[data-item]").first.focus()
    focused = "document.activeElement.querySelector('th').textContent"
    live.page.keyboard.press("ArrowDown")
    assert live.page.evaluate(focused).startswith("▾ conv1")
    live.page.keyboard.press("ArrowLeft")
    assert live.page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "false"
    live.page.keyboard.press("ArrowDown")
    assert live.page.evaluate(focused).startswith("▾ conv2")
    live.page.keyboard.press("ArrowRight")
    live.page.keyboard.press("Enter")
    assert live.page.locator("tr[aria-selected=true] th").inner_text() == "conv2_1"
    live.wait_for_window("conv2_1")
    live.page.emulate_media(forced_colors="active")  # without backgrounds, the line of the row has an outline
    assert live.page.locator(".marks .lit").evaluate("e => getComputedStyle(e).outlineColor") == "rgb(0, 0, 0)"
    live.page.keyboard.press("ArrowLeft")
    assert live.page.evaluate(focused).startswith("▾ conv2")


@pytest.mark.parametrize("plain", [True, False])
def test_a_phone_scrolls_down_only(open_page, plain):
    live = open_page(plain=plain, viewport={"width": 380, "height": 800}, has_touch=True).ready()
    live.page.locator("#settings").evaluate("d => d.open = true")
    for net in ("vgg16", "densenet201", "fasterrcnn_resnet50_fpn"):
        live.choose(net)
        for name in ("Shapes", "Field", "Memory", "Cost"):
            live.draw(name)
            assert live.page.evaluate("document.documentElement.scrollWidth") <= 380
    live.write(BROKEN)
    live.page.wait_for_selector("#problems li")
    assert live.page.evaluate("document.documentElement.scrollWidth") <= 380


def test_the_colours_are_those_of_the_system_until_chosen(open_page):
    live = open_page(color_scheme="light").ready()

    def light():
        paper = live.page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, paper.removeprefix("rgb(").removesuffix(")").split(","))) > 3 * 128

    assert light()
    live.page.emulate_media(color_scheme="dark")
    assert not light()
    theme = live.page.get_by_role("button", name="Colours")
    theme.click()
    assert light()
    theme.click()
    assert not light()
    live.page.emulate_media(color_scheme="light")
    assert not light()
    live.page.reload()
    live.ready()
    assert not light()


def test_problems_and_results_are_told_to_a_screen_reader(open_page):
    live = open_page().ready()
    live.write(BROKEN)
    live.wait_for("() => document.getElementById('spoken').textContent.startsWith('Line 3: unknown setting')")
    live.write("INPUT 8x8x3 -> FC-10")
    live.wait_for("() => document.getElementById('spoken').textContent.includes('parameters 1.930 K')")
