"""A server of the live page, and its pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest

from archcalc.live.desk import Desk, Opened
from archcalc.live.server import Server
from tests.live.browser import BUNDLE, LivePage


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(Desk(Opened())) as running:
        Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def open_page(browser: Any, server: Server) -> Iterator[Callable[..., LivePage]]:
    """Opens pages; at the end no page may have complained or asked another origin."""
    opened: list[LivePage] = []

    def start(**settings: Any) -> LivePage:
        if not settings.get("plain", True) and not BUNDLE.exists():
            pytest.skip("no editor bundle: npm ci && npm run build, in live/")
        opened.append(LivePage(browser, server.link, **settings))
        return opened[-1]

    yield start
    for page in opened:
        page.close()
