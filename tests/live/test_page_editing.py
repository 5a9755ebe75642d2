"""A text is edited in the page, and everything follows: numbers, errors, rows, pictures."""

from __future__ import annotations

import json

import pytest

from archcalc.cli import main

SMALL = "INPUT 3x3 -> CONV3-8 -> FC-10"
SPEC = """\
title: Small
input: [3, 16, 16]
params: {width: 8, classes: 10}
layers:
  - conv: {out: width, kernel: 3, pad: 1}
  - relu
  - max_pool: {kernel: 2, stride: 2}
  - flatten
  - linear: {out: classes}
"""
BROKEN = "input: [3, 8, 8]\nlayers:\n  - conv: {out: 4, kernl: 3}\n  - linear: {out: -1}\n"


@pytest.mark.parametrize("plain", [True, False])
def test_an_edit_changes_the_numbers(open_page, plain):
    live = open_page(plain=plain).ready()
    # Simonyan and Zisserman, Table 2: configuration D has 138 million parameters.
    assert live.card("parameters") == "138.358 M"
    live.write(SPEC)
    conv, linear = 3 * 3 * 3 * 8 + 8, 8 * 8 * 8 * 10 + 10
    live.wait_for_footer(f"parameters: {conv + linear:,} ")
    assert live.names() == ["input", "conv", "relu", "max_pool", "flatten", "linear"]
    live.write(SPEC.replace("kernel: 3, pad: 1", "kernel: 5, pad: 2"))
    live.wait_for_footer(f"parameters: {5 * 5 * 3 * 8 + 8 + linear:,} ")


def test_a_one_line_pattern_is_a_text_too(open_page):
    live = open_page().ready()
    live.write("INPUT 32x32x3 -> CONV3-8 -> FC-10")
    live.wait_for_footer(f"parameters: {3 * 3 * 3 * 8 + 8 + 32 * 32 * 8 * 10 + 10:,} ")
    assert live.page.locator("#params").is_hidden()


@pytest.mark.parametrize("plain", [True, False])
def test_all_problems_stand_at_their_lines_and_the_last_good_result_stays(open_page, plain):
    live = open_page(plain=plain).ready()
    live.write(BROKEN)
    live.page.wait_for_selector("#problems li")
    assert live.page.locator("#problems .line").all_inner_texts() == ["line 3", "line 4"]
    assert "did you mean 'kernel'" in live.page.locator("#problems").inner_text()
    marks = live.page.locator(".gutter .bad" if plain else ".cm-bad-line")
    assert marks.count() == 2
    if plain:  # the numbers stand beside their lines
        tops = "e => Math.round(e.getBoundingClientRect().top)"
        assert marks.last.evaluate(tops) == live.page.locator(".marks .bad").last.evaluate(tops)
    assert live.page.locator("#results.stale #title").inner_text() == "VGG D (vgg16)"
    assert live.page.locator("#stale").is_visible()
    live.page.get_by_role("button", name="line 4").click()
    live.page.keyboard.press("End")
    live.write(BROKEN.replace("kernl", "kernel").replace("linear: {out: -1}", "relu"))
    live.wait_for("() => document.getElementById('problems').hidden")
    assert live.page.locator("#results.stale").count() == 0
    assert marks.count() == 0


def test_only_the_newest_text_is_analysed_and_typing_goes_on(open_page):
    live = open_page().ready()
    texts = []

    def slow(route):
        request = json.loads(route.request.post_data)
        if request["op"] == "analyze":
            texts.append(request["state"]["text"])
            live.page.wait_for_timeout(300)
        route.continue_()

    live.page.route("**/api", slow)
    live.editor.focus()
    live.page.keyboard.press("Control+A")
    live.page.keyboard.insert_text("INPUT 8x8x3 -> FC-1")
    for digit in "234567":
        live.page.keyboard.type(digit)
    assert live.text() == "INPUT 8x8x3 -> FC-1234567"
    live.wait_for_footer(f"parameters: {8 * 8 * 3 * 1_234_567 + 1_234_567:,} ")
    assert texts[-1] == "INPUT 8x8x3 -> FC-1234567"
    assert len(texts) <= 4  # of eight texts


def drawn(live, kind):
    """The place and the size of a rectangle in the picture of a window."""
    attributes = "r => ['x', 'y', 'width', 'height'].map(n => Number(r.getAttribute(n)))"
    return live.page.locator(f".window-area .{kind}").evaluate(attributes)


def test_a_row_lights_its_line_and_the_window_of_a_unit_is_to_scale(open_page):
    live = open_page().ready()
    live.write(SPEC)
    live.page.wait_for_selector("th[data-name=max_pool]")
    live.page.locator("th[data-name=max_pool]").hover()
    live.wait_for_window("max_pool")
    # Unit 4 of the pooled map reads positions 8 and 9; the convolution before adds a pixel on both sides: 7 to 10 of 16.
    line = "e => Math.round(e.offsetTop / parseFloat(getComputedStyle(e.closest('.plain').querySelector('textarea')).lineHeight)) + 1"
    assert live.page.locator(".marks .lit").evaluate(line) == 7
    x, y, width, height = drawn(live, "input-map")
    pixel = width / 16
    assert height == width
    assert drawn(live, "window") == pytest.approx([x + 7 * pixel, y + 7 * pixel, 4 * pixel, 4 * pixel])
    lit = live.page.locator("#layer-table tr.lit th[data-name]").all_inner_texts()
    assert lit == ["relu", "max_pool"]  # the layer and what it reads

    live.page.locator("th[data-name=conv]").click()
    live.wait_for_window("conv, unit 8, 8")
    live.page.get_by_label("unit, height").focus()
    live.page.keyboard.press("Home")
    live.wait_for_window("conv, unit 0, 8")
    assert drawn(live, "window")[1] < drawn(live, "input-map")[1]  # the window of the first row begins in the padding


@pytest.mark.parametrize("plain", [True, False])
def test_a_line_leads_to_its_row(open_page, plain):
    live = open_page(plain=plain).ready()
    live.write(SPEC)
    live.page.wait_for_selector("th[data-name=linear]")
    live.page.keyboard.press("ArrowUp")
    assert live.page.locator("tr[aria-selected=true] th").inner_text() == "linear"
    live.page.keyboard.press("ArrowUp")
    live.page.keyboard.press("ArrowUp")
    assert live.page.locator("tr[aria-selected=true] th").inner_text() == "max_pool"


def test_a_click_on_a_bar_selects_its_row(open_page):
    live = open_page().ready()
    box = live.page.locator("#picture svg").bounding_box()
    # 40 rows from pixel 58 to 12 before the end: the middle of row 39, fc8, is half a row before.
    each = (box["width"] - 58 - 12) / 40
    live.page.mouse.click(box["x"] + 58 + 39.5 * each, box["y"] + 100)
    assert live.page.locator("tr[aria-selected=true] th").inner_text() == "fc8"


def test_the_smallest_input_without_idle_layers_is_asked_for(open_page, capsys):
    live = open_page().ready()
    live.draw("Field")
    assert "smallest" not in live.page.locator("figcaption").inner_text().lower()
    button = live.page.get_by_role("button", name="Smallest input")
    button.click()
    button.wait_for(state="hidden")
    assert main(["rf", "vgg16"]) == 0
    sentence = next(line for line in capsys.readouterr().out.splitlines() if "smallest square input" in line)
    assert sentence.lower() in live.page.locator("figcaption").inner_text().lower()


@pytest.mark.parametrize("plain", [True, False])
def test_a_server_that_ends_is_named_and_the_text_stays(open_page, plain):
    live = open_page(plain=plain).ready()
    with live.between(lambda route: route.abort()):
        live.write(SMALL)
        live.page.wait_for_selector("#notice.bad")
        assert "Is archcalc live still running?" in live.page.locator("#notice").inner_text()
        assert live.text() == SMALL
    live.write(SPEC)
    live.page.wait_for_selector("th[data-name=conv]")
    assert live.page.locator("#notice").is_hidden()
    live.expected.append("ERR_FAILED")


def test_completion_inserts_what_the_calculator_offers(open_page):
    live = open_page(plain=False).ready()
    live.write("input: [3, 16, 16]\nparams: {width: 8}\nlayers:\n")
    live.page.keyboard.type("- conv")
    option = live.page.locator(".cm-tooltip-autocomplete li", has_text="conv").first
    option.wait_for()
    live.page.wait_for_timeout(150)
    live.page.keyboard.press("Enter")
    live.page.keyboard.type("3")
    live.page.keyboard.press("Tab")
    live.page.keyboard.type("wid")
    live.page.locator(".cm-tooltip-autocomplete li", has_text="width").first.wait_for()
    live.page.wait_for_timeout(150)
    live.page.keyboard.press("Enter")
    assert live.text().splitlines()[-1] == "- conv: {kernel: 3, out: width}"
    live.wait_for_footer(f"parameters: {3 * 3 * 3 * 8 + 8:,} ")


def test_the_text_area_completes_too_and_everything_can_be_undone(open_page):
    live = open_page().ready()
    keyboard, area, chosen = live.page.keyboard, live.editor, live.page.locator("#completions [aria-selected=true]")
    start = "input: [3, 16, 16]\nparams: {width: 8}\nlayers:\n"
    live.write(start)
    keyboard.type("- conv")
    chosen.wait_for()
    assert chosen.locator("b").inner_text() == "conv"
    assert area.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    keyboard.press("ArrowDown")
    assert chosen.locator("b").inner_text() != "conv"
    assert area.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    keyboard.press("Escape")
    assert live.page.locator("#completions").is_hidden()
    keyboard.press("Control+Space")
    chosen.wait_for()
    keyboard.press("Enter")
    keyboard.type("3")
    keyboard.press("Tab")  # to the next place without a value
    keyboard.type("wid")
    chosen.wait_for()
    keyboard.press("Tab")  # takes the parameter
    assert live.text() == f"{start}- conv: {{kernel: 3, out: width}}"
    live.wait_for_footer(f"parameters: {3 * 3 * 3 * 8 + 8:,} ")
    keyboard.press("Tab")  # to the end of the line
    keyboard.type("\n- relu")
    chosen.wait_for()
    keyboard.press("Enter")  # the word is whole: a new line
    assert live.text() == f"{start}- conv: {{kernel: 3, out: width}}\n- relu\n"
    while live.text().startswith(start) and live.text() != start:
        keyboard.press("Control+z")
    assert live.text() == start
    keyboard.press("Control+Shift+z")
    assert live.text() != start
    live.page.keyboard.press("Tab")  # no place waits for a value: on to the next control
    assert live.page.evaluate("document.activeElement.tagName") != "TEXTAREA"


def test_help_in_the_text_area_comes_by_key_and_by_mouse(open_page):
    live = open_page().ready()
    live.write("input: [3, 16, 16]\nlayers:\n  - conv: {out: 8, kernel: 3}\n  - linear: {out: -1}\n")
    live.page.wait_for_selector("#problems li")
    help = live.page.locator(".help[role=status]")
    live.editor.press("Control+Home")
    live.editor.press("F1")
    help.wait_for()
    assert help.inner_text().startswith("input: ")
    live.editor.press("Escape")
    assert help.is_hidden()
    box = live.editor.bounding_box()
    letter, line = live.page.evaluate(
        "(() => { const a = document.querySelector('textarea'), c = document.createElement('canvas').getContext('2d'); "
        "c.font = getComputedStyle(a).font; return [c.measureText('0').width, parseFloat(getComputedStyle(a).lineHeight)]; })()"
    )
    for row, said in [(2, "conv: "), (3, "got -1")]:  # the meaning of a layer; a problem of the line
        live.page.mouse.move(box["x"] + 8 + 6 * letter, box["y"] + 5 + (row + 0.4) * line, steps=2)
        help.filter(has_text=said).wait_for()
    live.page.mouse.move(0, 0)
    help.wait_for(state="hidden")


def test_help_at_a_word_shows_the_formula_with_its_numbers(open_page):
    live = open_page(plain=False).ready()
    live.write("input: [3, 16, 16]\nparams: {width: 8}\nlayers:\n  - conv: {out: width, kernel: 3}\n")
    live.wait_for_footer(f"parameters: {3 * 3 * 3 * 8 + 8:,} ")
    box = live.page.locator(".cm-line", has_text="conv").bounding_box()
    live.page.mouse.move(box["x"] + 45, box["y"] + box["height"] / 2, steps=3)
    live.page.wait_for_selector(".cm-help")
    assert "3*3*3*8 = 216" in live.page.locator(".cm-help").inner_text()


@pytest.mark.parametrize("plain", [True, False])
def test_the_line_that_is_typed_stays_in_view_when_problems_appear(open_page, plain):
    live = open_page(plain=plain, viewport={"width": 1280, "height": 800}).ready()
    live.editor.focus()
    live.page.keyboard.press("Control+End")
    live.page.keyboard.type("  - kernl")
    live.page.wait_for_selector("#problems li")
    live.page.wait_for_timeout(200)
    if plain:
        bottom = "(() => { const a = document.querySelector('textarea'); return a.scrollHeight - a.scrollTop - a.clientHeight; })()"
    else:
        bottom = (
            "(() => { const s = document.querySelector('.code').shadowRoot.querySelector('.cm-scroller'); "
            "return s.scrollHeight - s.scrollTop - s.clientHeight; })()"
        )
    assert live.page.evaluate(bottom) < 20
