"""A page of the live calculator in a real browser, with all that it asked for and all that it complained about."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import archcalc.live

CHROMIUM = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser"))), None)
OFFLINE = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
ROOT = Path(archcalc.live.__file__).parents[2]
BUNDLE = Path(archcalc.live.__file__).parent / "page" / "vendor" / "editor.js"
BROWSERS_OWN = "Applying inline style violates"
"""Chromium styles what is typed over a selection in an element that can be edited, and the page's policy blocks the style."""
OVERTAKEN = "the server responded with a status of 409"
"""What Chromium says of a question that a newer one overtook, as happens wherever a test types faster than the calculator works."""
WITHOUT_EDITOR = """(() => {
    const ask = window.fetch;
    window.fetch = async (...asked) => {
        const answer = await ask(...asked);
        return asked[0] === "config.json" ? Response.json({...await answer.json(), editor: false}) : answer;
    };
})()"""
"""The page reads that there is no CodeMirror. A route of Playwright would do as well, but all requests would go through it."""
PATIENCE = 60_000
"""Milliseconds that a test waits for the page on a busy machine."""


class LivePage:
    """One page. ``plain``: as if CodeMirror had not been bundled. ``script``: what runs in the page before its own code.

    ``expected``: parts of complaints that a test leads to. They may come at any time until the end.
    """

    script, patience = "", PATIENCE

    def __init__(self, browser: Any, link: str, *, plain: bool = True, fragment: str = "", **settings: Any) -> None:
        self.context = browser.new_context(**{"accept_downloads": True, **settings})
        self.context.set_default_timeout(self.patience)
        self.page = self.context.new_page()
        self.plain, self.link = plain, link
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.expected = [OVERTAKEN]
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(f"{message.text} {message.location['url']}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
        if self.script:
            self.page.add_init_script(self.script)
        if plain:
            self.page.add_init_script(WITHOUT_EDITOR)
        self.page.goto(f"{link}#{fragment}" if fragment else link)

    def ready(self) -> LivePage:
        """Wait for the first table."""
        self.page.wait_for_selector("#layer-table tr[data-item]")
        return self

    @contextmanager
    def between(self, handle: Callable[[Any], Any]) -> Iterator[None]:
        """What the page asks its calculator goes through ``handle``, a route of Playwright, and afterwards straight on.

        No route is taken away: Playwright would answer a request again that ``handle`` is just answering.
        """
        handlers = [handle]
        self.page.route("**/api", lambda route: handlers[-1](route))
        yield
        handlers.append(lambda route: route.continue_())

    @property
    def editor(self) -> Any:
        return self.page.locator("textarea" if self.plain else ".cm-content")

    def write(self, text: str) -> None:
        """Replace the text, as a user who pastes."""
        self.editor.focus()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    def text(self) -> str:
        if self.plain:
            return str(self.editor.input_value())
        lines: list[str] = self.page.evaluate(
            "[...document.querySelector('.code').shadowRoot.querySelectorAll('.cm-line')].map(l => l.textContent)"
        )
        return "\n".join(lines)

    def card(self, label: str) -> str:
        return str(self.page.locator("#cards > div", has_text=label).locator(".figure").first.inner_text())

    def wait_for(self, script: str, argument: Any = None) -> None:
        self.page.wait_for_function(script, arg=argument)

    def wait_for_card(self, value: str) -> None:
        self.wait_for("v => [...document.querySelectorAll('#cards .figure')].some(c => c.textContent === v)", value)

    def wait_for_footer(self, text: str) -> None:
        self.wait_for("t => document.getElementById('footer').textContent.includes(t)", text)

    def wait_for_window(self, name: str) -> None:
        """Wait for the window of a unit whose name begins so."""
        self.wait_for("n => document.querySelector('.window-name').textContent.startsWith(n)", name)

    def draw(self, picture: str) -> None:
        """Choose a picture other than the one that is there, and wait for it."""
        before = self.page.locator("figcaption").text_content()
        self.page.get_by_role("tab", name=picture).click()
        self.wait_for("t => document.querySelector('figcaption').textContent !== t", before)

    def names(self) -> list[str]:
        """The layers whose rows are drawn."""
        found: list[str] = self.page.evaluate(
            "[...document.querySelectorAll('#layer-table tr[data-item] th[data-name]')].map(c => c.dataset.name)"
        )
        return found

    def choose(self, net: str) -> None:
        """Choose a network of the zoo."""
        self.page.locator("#preset input").fill(net)
        self.page.keyboard.press("Enter")
        self.wait_for("n => document.getElementById('title').textContent.includes(`(${n})`)", net)

    def close(self) -> None:
        self.context.close()
        expected = [*self.expected, *([] if self.plain else [BROWSERS_OWN])]
        complaints = [text for text in self.complaints if not any(part in text for part in expected)]
        assert complaints == [], complaints
        assert self.elsewhere() == []

    def elsewhere(self) -> list[str]:
        """The requests to other origins."""
        home = self.link.partition("/?")[0]
        return [url for url in self.asked if not url.startswith((home, "blob:", "data:"))]
