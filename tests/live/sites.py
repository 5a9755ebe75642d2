"""A static site of the page, served as any web host serves it: none of archcalc's own server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.live.browser import ROOT, LivePage

PYODIDE = ROOT / "live" / "node_modules" / "pyodide"
BOOT = 90_000
"""Milliseconds that a test waits until Python has started on a busy machine."""


class Plain(SimpleHTTPRequestHandler):
    """Python's own handler of files, of a host that does not know WebAssembly, and without lines in the terminal."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".wasm": "application/octet-stream"}

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The link to a folder that is served at a free port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Plain, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def ask(live: LivePage, op: str, **request: Any) -> dict[str, Any]:
    """The answer of a page's own Python to a question. The answers that came with the site are for other questions."""
    found: dict[str, Any] = live.page.evaluate(
        "async request => (await import(document.querySelector('script[type=module]').src)).ask({...request, stored: false})",
        {"op": op, **request},
    )
    return found
