"""The page served on this machine: standard library, 127.0.0.1 alone, and a random token in the link.

A web site that the user visits must not reach the server: requests need the token, and a Host and an Origin of the page
itself. The server reads no file but those of the page, and writes no file but the one that was opened.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from archcalc.errors import ArchcalcError, visible
from archcalc.live.desk import Desk, OutdatedError
from archcalc.live.files import page_file

HOST = "127.0.0.1"
MOST_BYTES = 1_200_000
"""The largest body of a request: a spec of the largest size, as JSON."""
SECONDS = 30
"""The longest wait for the bytes of a request."""
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Server(ThreadingHTTPServer):
    """The server of one page. ``link`` opens the page, and holds the token."""

    daemon_threads = True
    allow_reuse_address = False

    def __init__(self, desk: Desk, port: int = 0) -> None:
        try:
            super().__init__((HOST, port), Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", "") or "not a port"
            raise ArchcalcError(f"no page can be served at port {port} of {HOST}: {reason.lower()}") from None
        self.desk = desk
        self.token = secrets.token_urlsafe(24)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def hosts(self) -> tuple[str, str]:
        """What a request of the page names as its host."""
        return f"{HOST}:{self.port}", f"localhost:{self.port}"

    @property
    def link(self) -> str:
        return f"http://{HOST}:{self.port}/?token={self.token}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks off is no news."""


class Handler(BaseHTTPRequestHandler):
    """One connection of a browser."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = SECONDS
    server_version, sys_version = "archcalc", ""

    def do_GET(self) -> None:
        if not self._from_page():
            return
        path = self.path.partition("?")[0]
        found = page_file("/index.html" if path == "/" else path)
        if found is None:
            self._refuse(404, "the page has no such file")
        else:
            type, data = found
            self._send(200, type, data, cache="no-cache")

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        if not self._from_page():
            return
        if self.path.partition("?")[0] != "/api":
            self._refuse(404, "questions go to /api")
            return
        given = self.headers.get("X-Archcalc-Token", "").encode("utf-8", "replace")
        if not secrets.compare_digest(given, self.server.token.encode()):
            self._refuse(403, "the token of the page's link is missing; open the link that archcalc live printed")
            return
        body = self._body()
        if body is None:
            return
        try:
            answer = self.server.desk.ask(body)
        except OutdatedError:
            self._refuse(409, "a newer request of the page has arrived", keep=True)
            return
        self._send(200, "application/json", answer.encode())

    def _from_page(self) -> bool:
        """Whether the request is of the page itself: no other host's name, and no other site's script."""
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        if host not in self.server.hosts:
            self._refuse(403, "foreign host")
        elif origin is not None and origin not in [f"http://{name}" for name in self.server.hosts]:
            self._refuse(403, "foreign origin")
        elif self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            self._refuse(403, "foreign site")
        else:
            return True
        return False

    def _body(self) -> bytes | None:
        """The body of a request; None if it was refused."""
        length = self.headers.get("Content-Length", "")
        if self.headers.get("Transfer-Encoding") or not (length.isascii() and length.isdecimal()):
            self._refuse(411, "a request says how long it is")
        elif len(length) > 12 or int(length) > MOST_BYTES:
            self._refuse(413, f"a request has at most {MOST_BYTES:,} bytes")
        elif len(body := self.rfile.read(int(length))) < int(length):
            self._refuse(400, "the request broke off")
        else:
            return body
        return None

    def handle_expect_100(self) -> bool:
        """A browser never asks this; ``curl`` does before a large body."""
        length = self.headers.get("Content-Length", "")
        if length.isdecimal() and int(length[:13]) <= MOST_BYTES:
            return super().handle_expect_100()
        self._refuse(413, f"a request has at most {MOST_BYTES:,} bytes")
        return False

    def _refuse(self, status: int, reason: str, *, keep: bool = False) -> None:
        """Answer with a reason, and end the connection: what follows in it was not read."""
        self.close_connection = self.close_connection or not keep
        self._send(status, "text/plain; charset=utf-8", f"{reason}\n".encode())

    def _send(self, status: int, type: str, data: bytes, cache: str = "no-store") -> None:
        self.send_response(status)
        for key, value in HEADERS.items():
            self.send_header(key, value)
        self.send_header("Content-Type", type)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", cache)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """An error that the library found, without the request's own words."""
        self.close_connection = True
        self.command = getattr(self, "command", None) or "GET"
        self._send(
            code, "text/plain; charset=utf-8", f"{visible(self.responses.get(code, ('refused',))[0])}\n".encode()
        )

    def log_message(self, format: str, *args: Any) -> None:
        """No lines in the terminal: a page asks many times a second."""
