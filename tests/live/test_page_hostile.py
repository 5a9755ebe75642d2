"""What comes from outside is too large, too early, or no longer there: the page says so, and goes on."""

from __future__ import annotations

import json
import secrets
from threading import Thread

from archcalc.cli import main
from archcalc.live.desk import Desk
from archcalc.live.server import BODIES, Server
from archcalc.report.layers import COLUMNS
from tests.live.browser import LivePage
from tests.live.edits import served
from tests.live.test_page_numbers import ROWS, shown

LARGE = """\
input: [2000000000, 40000, 40000]
params: {width: 2000000000, unused: 99999999999999999999}
layers:
  - conv: {out: width, kernel: 3, pad: 1}
    name: first
  - relu
  - conv: {out: width, kernel: 3, stride: 20000}
    name: last
"""
"""Numbers beyond 2^53, which a browser's own numbers would round."""


def test_numbers_beyond_2_53_are_exact(open_page, capsys, tmp_path):
    live = open_page(viewport={"width": 1280, "height": 2000}).ready()
    live.write(LARGE)
    weights = 2 * 9 * 2_000_000_000**2 + 2 * 2_000_000_000
    live.wait_for_footer(f"parameters: {weights:,} ")
    live.page.locator("#layers summary", has_text="Columns").click()
    live.page.evaluate("document.querySelectorAll('.menu input:not(:checked)').forEach(box => box.click())")
    path = tmp_path / "network.yaml"
    path.write_text(LARGE, encoding="utf-8")
    assert main(["table", str(path), "--columns", ",".join(COLUMNS), "--format", "json"]) == 0
    table = json.loads(capsys.readouterr().out)
    expected = [{key: shown(key, row) for key in row if not key.startswith("exact")} for row in table["rows"]]
    assert live.page.evaluate(ROWS) == expected
    assert f"{weights:,}" in live.page.locator("#layer-table tr.total").inner_text()
    # the last convolution reads 40000 x 40000 positions and makes 2 x 2 of them, with values of 4 bytes; relu is in place
    peak = 2_000_000_000 * (40_000**2 + 2**2) * 4
    for name, text in (
        ("Cost", f"of {sum(row['macs'] or 0 for row in table['rows']):,}"),
        ("Shapes", ""),
        ("Field", ""),
        ("Memory", f"Peak: {peak:,}"),
    ):
        live.page.get_by_role("tab", name=name).click()
        live.page.wait_for_selector("#picture svg text")
        live.wait_for("t => document.querySelector('#picture figcaption').textContent.includes(t)", text)


def test_a_parameter_beyond_2_53_is_not_rounded(open_page):
    live = open_page().ready()
    live.write(LARGE)
    live.page.locator("#param-width").fill("9007199254740993")
    live.wait_for("() => document.querySelector('#problems').textContent.includes('9007199254740993')")


def test_numbers_are_read_exactly(open_page):
    live = open_page().ready()
    given = '{"a": [12345678901234567890, -9007199254740993, 1.5e300, 12345678901234567.5], "b": "12345678901234567890 \\" 1"}'
    found = live.page.evaluate(
        "t => import('/numbers.js').then(m => { const {a, b} = m.parseExact(t); return [a.map(n => `${typeof n} ${n}`), b]; })",
        given,
    )
    assert found == [
        ["bigint 12345678901234567890", "bigint -9007199254740993", "number 1.5e+300", "number 12345678901234568"],
        '12345678901234567890 " 1',
    ]
    sums = "import('/rows.js').then(m => String(m.sumOf([{k: 9007199254740991}, {k: 2}, {k: null}], 'k')))"
    assert live.page.evaluate(sums) == "9007199254740993"


def holding(held, op, net=None):
    """Keep requests with this operation back in ``held``."""

    def handle(route):
        request = json.loads(route.request.post_data)
        if request["op"] == op and request.get("net") == net:
            held.append(route)
        else:
            route.continue_()

    return handle


def wait_until(live, held):
    while not held:
        live.page.wait_for_timeout(20)


def test_the_network_that_was_chosen_last_is_opened(open_page):
    live = open_page().ready()
    held = []
    with live.between(holding(held, "spec", "alexnet")):
        field = live.page.locator("#preset input")
        field.fill("alexnet")
        field.press("Enter")
        wait_until(live, held)
        live.choose("vgg16")  # the first name in the list that begins so is vgg16_c
        held[0].continue_()
    live.choose("lenet5")
    live.choose("vgg16")
    assert live.card("parameters") == "138.358 M"


def test_a_network_that_comes_leaves_what_is_typed_meanwhile(open_page):
    live = open_page().ready()
    held = []
    field = live.page.locator("#preset input")
    with live.between(holding(held, "spec", "alexnet")):
        field.fill("alexnet")
        field.press("Enter")
        wait_until(live, held)
        field.fill("lenet")
        held[0].continue_()
        live.wait_for("() => document.getElementById('title').textContent.includes('(alexnet)')")
    assert field.input_value() == "lenet"


def test_the_list_of_networks_that_comes_late_is_searched(browser, server):
    live, held = LivePage(browser, "about:blank"), []
    live.link = server.link
    with live.between(holding(held, "zoo")):
        live.page.goto(server.link)
        wait_until(live, held)
        live.page.locator("#preset input").fill("vgg16_")
        options = live.page.locator("#preset [role=option]")
        assert options.all_inner_texts() == ["The list of the zoo is not here yet."]
        held[0].continue_()
        options.first.locator("b").wait_for()
    assert options.first.locator("b").inner_text() == "vgg16_c"
    live.close()


def test_when_the_calculator_is_back_its_absence_is_no_longer_told(open_page):
    live = open_page().ready()
    with live.between(lambda route: route.abort()):
        live.write("layers: [")
        live.page.wait_for_selector("#notice.bad")
    live.write("layers: [[")
    live.page.wait_for_selector("#problems li")
    assert live.page.locator("#notice").is_hidden()
    live.expected.append("ERR_FAILED")


def test_a_server_that_was_started_again_does_not_know_the_page(browser):
    with served() as (link, _):
        live = LivePage(browser, link).ready()
    port = int(link.partition("/?")[0].rpartition(":")[2])
    with Server(Desk(), port) as second:
        Thread(target=second.serve_forever, daemon=True).start()
        live.write("INPUT 8x8x3 -> FC-10")
        live.page.wait_for_selector("#notice.bad")
        assert "Open the address that archcalc live printed." in live.page.locator("#notice").inner_text()
        assert live.text() == "INPUT 8x8x3 -> FC-10"
        other = LivePage(browser, second.link).ready()
        other.close()
        second.shutdown()
    live.expected.append("Failed to load resource")
    live.close()


def test_files_that_are_too_large_several_or_folders_are_told(open_page, tmp_path):
    live = open_page().ready()
    assert (
        live.page.evaluate("fetch('/calculator.js').then(a => a.text())").count(f"MOST_BYTES = {BODIES['/drop']:_}")
        == 1
    )
    with open(tmp_path / "large.onnx", "wb") as file:
        file.truncate(BODIES["/drop"] + 1)
    live.page.locator("#file-input").set_input_files(tmp_path / "large.onnx")
    live.wait_for("() => document.getElementById('notice').textContent.includes('The file has more than 256 MB')")
    session = live.context.new_cdp_session(live.page)
    for kind in ("dragEnter", "dragOver", "drop"):
        data = {"items": [], "files": [str(tmp_path)], "dragOperationsMask": 1}
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})
    live.wait_for("() => document.getElementById('notice').textContent.includes('A folder is no network')")
    (tmp_path / "a.yaml").write_text("input: [3, 8, 8]\nlayers:\n  - conv: {out: 2, kernel: 3}\n", encoding="utf-8")
    for kind in ("dragEnter", "dragOver", "drop"):
        data = {"items": [], "files": [str(tmp_path / "a.yaml"), str(tmp_path / "large.onnx")], "dragOperationsMask": 1}
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})
    live.wait_for_footer(f"parameters: {3 * 3 * 3 * 2 + 2:,} ")
    assert "One file is opened at a time" in live.page.locator("#notice").inner_text()


def test_a_text_that_no_link_can_hold_is_told(open_page):
    live = open_page().ready()
    live.editor.fill(f"# {secrets.token_hex(350_000)}")
    live.page.wait_for_selector("#problems li")
    live.page.locator("#copy-link").click()
    live.wait_for("() => document.getElementById('notice').textContent.includes('too large for a link')")
    assert live.page.evaluate("location.hash.length") < 400_000


def test_strange_letters_in_a_title_stay_in_it(open_page):
    live = open_page().ready()
    for out, text in enumerate(("\\u202edrow\\u202c", "<b>x</b>&amp;", "\\u0000\\u001b[31m\\u2028"), 2):
        live.write(f'title: "{text}"\ninput: [3, 8, 8]\nlayers:\n  - conv: {{out: {out}, kernel: 3}}\n')
        live.wait_for_footer(f"parameters: {3 * 3 * 3 * out + out:,} ")
        assert live.page.locator("#title b").count() == 0
        assert live.page.evaluate("document.documentElement.scrollWidth") <= 1280
