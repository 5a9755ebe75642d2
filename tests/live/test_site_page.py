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
from tests.live.test_page_links import CAFFE, drop, fragment

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


class Page(LivePage):
    """A page of the site whose Python starts when ``start`` is called: until then a file is on its way."""

    def __init__(self, browser: Any, link: str) -> None:
        super().__init__(browser, "about:blank")
        self.link, self.held, self.started = link, [], False
        self.context.route("**/archcalc.data", lambda route: self.held.append(route))
        self.page.goto(link)

    def start(self) -> None:
        self.context.set_default_timeout(BOOT)
        while not self.held:
            self.page.wait_for_timeout(50)
        self.held.pop().continue_()
        self.context.unroute("**/archcalc.data")
        self.started = True
        ask(self, "start")


@pytest.fixture(scope="module")
def new(browser: Any, link: str) -> Iterator[Page]:
    page = Page(browser, link)
    yield page
    page.close()


@pytest.fixture(scope="module")
def live(new: Page) -> Page:
    """The one page of most tests, whose Python has started."""
    if not new.started:
        new.start()
    return new


def test_the_first_network_is_there_before_python_and_an_edit_waits_for_it(new):
    new.ready()
    assert "conv1_1" in new.names()
    assert new.card("parameters") == "138.358 M"
    new.page.wait_for_selector("#starting:not([hidden])")
    assert new.page.locator("#starting").inner_text().startswith("Python starts in this browser.")
    new.write("INPUT 8x8x3 -> FC-10")
    new.page.wait_for_selector("#results[aria-busy=true]")
    new.start()
    new.wait_for_footer(f"parameters: {8 * 8 * 3 * 10 + 10:,} ")
    assert new.page.locator("#starting").is_hidden()
    new.wait_for("() => document.getElementById('results').getAttribute('aria-busy') === null")


def test_the_table_is_that_of_the_command_line(live):
    table = printed("table", "vgg16", "--columns", ",".join(COLUMNS), "--format", "json")
    assert ask(live, "analyze", state=state("vgg16"))["table"] == json.loads(table)


def test_an_edit_is_followed_and_its_mistake_is_told(live):
    live.write("INPUT 8x8x3 -> FCC-10")
    live.page.wait_for_selector("#problems li")
    assert "FCC-10" in live.page.locator("#problems").inner_text()
    assert live.page.locator("#results.stale").count() == 1
    live.write("INPUT 8x8x3 -> CONV3-4")
    live.wait_for_footer(f"parameters: {3 * 3 * 3 * 4 + 4:,} ")
    live.page.wait_for_selector(".window-area svg")


def test_files_and_links_go_in_and_tables_go_out(live):
    drop(live, "small.prototxt", CAFFE)
    live.wait_for_footer(f"parameters: {3 * 3 * 3 * 8 + 8:,} ")
    live.page.evaluate("to => { location.hash = to; }", fragment({"text": "INPUT 4x4x3 -> FC-5", "batch": 7}))
    live.wait_for_footer(f"parameters: {4 * 4 * 3 * 5 + 5:,} ")
    assert live.page.locator("#batch").input_value() == "7"
    live.page.locator("#format").select_option("csv")
    with live.page.expect_download() as waiting:
        live.page.get_by_role("button", name="Download", exact=True).click()
    table = printed("table", "INPUT 4x4x3 -> FC-5", "--batch", "7", "--format", "csv")
    assert Path(waiting.value.path()).read_text() == table


def test_the_course_judges_a_guess(live):
    """The lessons come with the site, and Python judges; a link leads to a question, and another back to the editor."""
    stored = live.page.evaluate("fetch('first.json').then(found => found.json())")
    request = {"op": "course", "lesson": "stack", "numbers": {}}
    assert [answer for question, answer in stored if question == request] == [ask(live, **request)]
    live.page.evaluate("location.hash = 'course=stack.macs&channels=8&side=10'")
    live.page.locator("#q-stack-5:focus").wait_for()
    live.page.keyboard.type(str(27 * 8 * 8 * 100))
    live.page.keyboard.press("Enter")
    live.page.locator("#question-stack-5 .verdict[data-kind=right]").wait_for()
    live.page.get_by_role("link", name="Editor").click()
    live.page.locator("#editing").wait_for()


def test_without_a_network_connection_all_goes_on(live):
    live.context.set_offline(True)
    live.choose("resnet18")
    live.wait_for_footer("parameters: 11,689,512 ")  # torchvision's page of ResNet-18
    for name in ("Field", "Memory"):
        live.draw(name)
    live.context.set_offline(False)
    icon = [text for text in live.complaints if text.endswith("/icon.svg")]  # Chromium asks for it with every address
    live.complaints[:] = [text for text in live.complaints if text not in icon]


def test_a_question_that_is_overtaken_is_not_computed(live):
    """As at the desk of the server: of several analyses the newest, of several exports every one."""
    found = live.page.evaluate("""async () => {
        const {ask} = await import(document.querySelector('script[type=module]').src);
        const state = n => ({text: `INPUT 8x8x3 -> FC-${n}`});
        const asked = [{op: 'spec', net: 'vgg19'}];  // keeps Python at work
        for (const n of [1, 2, 3]) asked.push({op: 'analyze', state: state(n)}, {op: 'export', state: state(n), format: 'csv'});
        return (await Promise.allSettled(asked.map(ask))).map(({reason, value}) => reason ? reason.constructor.name : value.ok);
    }""")
    assert found == [True, "Superseded", True, "Superseded", True, True, True]


def test_the_policy_of_the_page_holds_in_the_worker(live):
    (worker,) = live.page.workers
    told = "() => new Promise(told => { addEventListener('securitypolicyviolation', event => told(event.effectiveDirective)); %s })"
    assert worker.evaluate(told % "fetch('http://127.0.0.1:1/').catch(() => 0);") == "connect-src"
    assert worker.evaluate(told % "setTimeout('text as code');") == "script-src"
    live.complaints[:] = [text for text in live.complaints if "Content Security Policy" not in text]


def test_a_python_that_ended_starts_again(live):
    deep = "(() => { let list = []; for (let n = 0; n < 5000; n++) list = [list]; return list; })()"
    found = live.page.evaluate(
        "async () => { const {ask} = await import(document.querySelector('script[type=module]').src);"
        f"return ask({{op: 'analyze', state: {{text: 'INPUT 8x8x3 -> RELU', settings: {{a: {deep}}}}}}}); }}"
    )
    assert "too large for this browser" in found["problems"][0]["text"]
    assert ask(live, "spec", net="vgg16")["ok"]
    live.complaints[:] = [text for text in live.complaints if not text.endswith("/pyodide.asm.js")]  # of the old Python


def sent(type: str, body: str = "") -> Any:
    """A route that sends a file with another type, or another file."""

    def send(route: Any) -> None:
        route.fulfill(body=body or route.fetch().body(), content_type=type)

    return send


@pytest.mark.parametrize(
    ("file", "send", "sentence"),
    [
        (
            "pyodide/pyodide.asm.wasm",
            lambda route: route.fulfill(status=404),
            "pyodide/pyodide.asm.wasm cannot be loaded (HTTP 404)",
        ),
        (
            "pyodide/pyodide.asm.js",
            sent("text/plain"),
            "the host sends pyodide/pyodide.asm.js as text/plain, not as text/javascript",
        ),
        (
            "pyodide/pyodide.asm.wasm",
            sent("text/html", "<p>Not found"),
            "Python does not run in this browser (WebAssembly",
        ),
        ("worker.js", lambda route: route.fulfill(status=404), "its script worker.js cannot be loaded"),
        ("", None, "this browser has no WebAssembly"),
    ],
)
def test_a_python_that_cannot_start_is_a_sentence(browser, link, file, send, sentence):
    """The text of a link is there all the same, and a question gets the sentence, too."""
    live = LivePage(browser, "about:blank")
    if send:
        live.context.route(f"**/{file}", send)
    else:
        live.page.add_init_script("delete globalThis.WebAssembly")
    live.page.goto(f"{link}#{fragment({'text': 'INPUT 4x4x3 -> FC-5'})}")
    live.page.wait_for_selector("#notice.bad:not([hidden])")
    assert f"The calculator cannot start: {sentence}" in live.page.locator("#notice").inner_text()
    assert live.text() == "INPUT 4x4x3 -> FC-5"
    assert live.page.locator("#starting").is_hidden()
    live.context.close()


def test_a_page_that_is_opened_as_a_file_says_what_it_needs(browser, folder):
    page = browser.new_page()
    page.goto((folder / "index.html").as_uri())
    page.get_by_text("It has to come from a web server").wait_for()
    page.close()
