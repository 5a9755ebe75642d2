"""A page that is watched: what it asks, what is answered, what it holds in memory, and when it is at rest."""

from __future__ import annotations

import json
from typing import Any

from tests.live.browser import OVERTAKEN, LivePage

WATCH = """(() => {
    const open = new Map();
    const watch = window.watch = {last: '', faults: [], open: () => open.size, waits: () => [...open.values()].join()};
    const asked = (id, body) => {
        const request = body === null ? {op: 'drop'} : JSON.parse(body);
        open.set(id, request.op);
        if (request.op === 'analyze') watch.last = JSON.stringify(request.state);
    };
    // the page takes an answer in the same turn, and asks on: so a question ends in the next turn
    const answered = (id, text, status) => setTimeout(() => {
        open.delete(id);
        if (status >= 500 || /a mistake of archcalc/.test(text)) watch.faults.push(`${status} ${text.slice(0, 2000)}`);
    });
    const fetched = window.fetch;
    window.fetch = async (path, how) => {
        if (!/^(api|drop)/.test(path)) return fetched(path, how);
        const id = Symbol();
        asked(id, typeof how.body === 'string' ? how.body : null);
        try {
            const answer = await fetched(path, how);
            const text = await answer.text();
            answered(id, text, answer.status);
            return {ok: answer.ok, status: answer.status, text: async () => text};
        } catch (error) {
            answered(id, '', 0);
            throw error;
        }
    };
    window.Worker = class extends Worker {
        constructor(...given) {
            super(...given);
            this.addEventListener('message', ({data}) => {
                if (data.number !== undefined) answered(data.number, data.answer ?? '', data.broken ? 500 : 200);
            });
        }
        postMessage(message) {
            asked(message.number, message.request);
            super.postMessage(message);
        }
    };
    watch.text = () => {
        const area = document.querySelector('#editor textarea');
        if (area) return area.value;
        return watch.view().state.doc.toString();
    };
    watch.view = () => watch.views.EditorView.findFromDOM(document.querySelector('.code').shadowRoot.querySelector('.cm-editor'));
    watch.ready = async () => { watch.views = await import('./vendor/editor.js').catch(() => null); };
    watch.asked = () => watch.last && JSON.parse(watch.last).text.replace(/\\r\\n?/g, '\\n');  // as an editor has it
    watch.rests = () => open.size === 0 && watch.last !== '' && watch.asked() === watch.text()
        && !document.getElementById('results').hasAttribute('aria-busy');
    watch.rested = (most) => new Promise((done) => {
        const end = performance.now() + most;
        const look = () => {
            if (watch.rests() || performance.now() > end) done(watch.rests());
            else setTimeout(look, 20);
        };
        look();
    });
    watch.type = (from, to, piece) => {
        const area = document.querySelector('#editor textarea');
        if (area) {
            area.focus();
            area.setSelectionRange(from, to);
            if (piece.split('\\n').length < 5) document.execCommand(piece ? 'insertText' : 'delete', false, piece);  // as the keys do
            else {  // as one paste: Chromium types a text of many lines as many edits
                area.setRangeText(piece, from, to, 'end');
                area.dispatchEvent(new InputEvent('input', {inputType: 'insertFromPaste', bubbles: true}));
            }
        } else {
            watch.view().focus();
            watch.view().dispatch({changes: {from, to, insert: piece}, userEvent: 'input.type'});
        }
    };
})()"""
"""Runs in the page before the page's own code. A question is open until the page has taken its answer."""


STUCK = 120_000
"""Milliseconds after which a page that is not at rest is stuck: an edit is answered in one second on a quiet machine."""


class StuckError(Exception):
    """The page did not come to rest; the text says what it waits for."""


class Memory:
    """What a page holds: bytes of JavaScript and nodes after a collection, bytes of its processes, bytes of the server."""

    def __init__(self, heap: int, nodes: int, listeners: int, browser: int, server: int) -> None:
        self.heap, self.nodes, self.listeners, self.browser, self.server = heap, nodes, listeners, browser, server

    def __str__(self) -> str:
        server = f", server {self.server / 1e6:.0f} MB" if self.server else ""
        return (
            f"heap {self.heap / 1e6:.1f} MB, {self.nodes:,} nodes, {self.listeners:,} listeners, "
            f"processes of the browser {self.browser / 1e6:.0f} MB{server}"
        )


class Watched(LivePage):
    """A page with the script above."""

    script, patience = WATCH, 2 * STUCK

    def at_rest(self) -> dict[str, Any]:
        """Wait until every question is answered and the newest text was asked; the state that was asked."""
        self.wait_for("() => window.watch !== undefined")
        if not self.page.evaluate("most => watch.rested(most)", STUCK):
            last, waits = self.page.evaluate("[watch.last, watch.waits()]")
            raise StuckError(f"waits for {waits or 'nothing'}, asked {last}, has {self.watched_text()}")
        found: dict[str, Any] = json.loads(self.page.evaluate("watch.last"))
        return found

    def watched_text(self) -> str:
        return str(self.page.evaluate("watch.text()"))

    def type(self, first: int, last: int, piece: str) -> None:
        """Replace characters of the text, as a user who selects and types or deletes. Places count UTF-16 units."""
        self.page.evaluate("given => watch.type(...given)", [first, last, piece])

    def faults(self) -> list[str]:
        """What went wrong since the last call."""
        found = [*self.page.evaluate("watch.faults.splice(0)"), *self.complaints]
        self.complaints.clear()
        return [text for text in found if OVERTAKEN not in text]

    def memory(self, server: int = 0) -> Memory:
        session = self.context.new_cdp_session(self.page)
        session.send("HeapProfiler.enable")
        for _ in range(3):
            session.send("HeapProfiler.collectGarbage")
        counts = session.send("Memory.getDOMCounters")
        heap = session.send("Runtime.getHeapUsage")["usedSize"]
        session.detach()
        browser = self.context.browser.new_browser_cdp_session()
        processes = browser.send("SystemInfo.getProcessInfo")["processInfo"]
        browser.detach()
        renderers = sum(resident(one["id"]) for one in processes if one["type"] == "renderer")
        return Memory(int(heap), counts["nodes"], counts["jsEventListeners"], renderers, resident(server))


def resident(process: int) -> int:
    """The bytes of memory that a process holds; 0 if there is none."""
    try:
        with open(f"/proc/{process}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4096
    except OSError:
        return 0
