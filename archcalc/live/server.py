"""The page served on this machine: standard library, 127.0.0.1 alone, and a random token in the link.

A web site that the user visits must not reach the server: requests need the token, and a Host and an Origin of the page
itself. The server reads no file but those of the page, and writes no file but the one that was opened.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from typing import Any

from archcalc.errors import ArchcalcError
from archcalc.live.desk import Desk, OutdatedError
from archcalc.live.files import POLICY, page_file

HOST = "127.0.0.1"
BODIES: Mapping[str, int] = {"/api": 1_200_000, "/drop": 256_000_000}
"""Where questions go and files, and the largest body of each: a spec of the largest size as JSON, a model with weights."""
SECONDS = 30
"""The longest wait for the next bytes of a request."""
UNREAD, PATIENCE = 256_000_000, 5.0
"""The bytes of a refused request that are read and thrown away at most, so that its sender hears the answer; seconds."""
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Server(ThreadingHTTPServer):
    """The server of one page. ``link`` opens the page, and holds the token."""

    daemon_threads = True
    request_queue_size = 64  # a browser opens several connections at once; one without a place waits for seconds
    allow_reuse_address = os.name != "nt"  # on Windows, it would let another program take the port

    def __init__(self, desk: Desk, port: int = 0) -> None:
        try:
            super().__init__((HOST, port), Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or "a port is a number from 0 to 65535"
            raise ArchcalcError(f"the page cannot be served at port {port}: {reason.lower()}") from None
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
    disable_nagle_algorithm = True  # headers and body are two packets: the second would wait for the reader, 40 ms
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
        path, _, query = self.path.partition("?")
        if not self._from_page():
            return
        given = self.headers.get("X-Archcalc-Token", "").encode("utf-8", "replace")
        if path not in BODIES:
            self._refuse(404, "questions go to /api, and files to /drop")
        elif not secrets.compare_digest(given, self.server.token.encode()):
            self._refuse(403, "the token of the page's link is missing; open the link that archcalc live printed")
        elif (body := self._body(BODIES[path])) is not None:
            self._answer(path, query, body)

    def _answer(self, path: str, query: str, body: bytes) -> None:
        try:
            answer = self.server.desk.ask(body) if path == "/api" else self._dropped(query, body)
        except OutdatedError:
            self._send(409, "text/plain; charset=utf-8", b"a newer request of the page has arrived\n")
        else:
            self._send(200, "application/json", answer.encode())

    def _dropped(self, query: str, body: bytes) -> str:
        """The answer for a file, whose name is in the query."""
        from urllib.parse import parse_qs

        given: dict[str, str] = {}
        with suppress(ValueError):  # more fields than a page sends
            given = {key: values[-1] for key, values in parse_qs(query, max_num_fields=10).items()}
        missing = given.get("allow_missing") == "true"
        return self.server.desk.drop(given.get("name", ""), body, given.get("input", ""), missing)

    def _from_page(self) -> bool:
        """Whether the request is of the page itself: no other host's name, and no other site's script."""
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        if host not in self.server.hosts:
            self._refuse(403, "foreign host")
        elif origin is not None and origin not in [f"http://{name}" for name in self.server.hosts]:
            self._refuse(403, "foreign origin")
        elif self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin") and not self._follows_link():
            self._refuse(403, "foreign site")
        else:
            return True
        return False

    def _follows_link(self) -> bool:
        """Whether the user follows a link to the page, as one in a terminal that is itself a page."""
        wanted = [self.headers.get(f"Sec-Fetch-{part}") for part in ("Mode", "Dest")]
        return self.command == "GET" and self.path.partition("?")[0] == "/" and wanted == ["navigate", "document"]

    def _length(self) -> int | None:
        """The bytes that follow the headers; None if they do not say it."""
        length = self.headers.get("Content-Length", "0")
        plain = length.isascii() and length.isdecimal() and "Transfer-Encoding" not in self.headers
        return int(length[:18]) if plain else None

    def _body(self, most: int) -> bytes | None:
        """The body of a request; None if it was refused."""
        length = self._length()
        if length is None or "Content-Length" not in self.headers:
            self._refuse(411, "a request says how long it is")
        elif length > most:
            self._refuse(413, f"a request has at most {most:,} bytes")
        elif len(body := self.rfile.read(length)) < length:
            self.close_connection = True
        else:
            return body
        return None

    def handle_expect_100(self) -> bool:
        """A program asks this before it sends a large body; a browser never does."""
        if (self._length() or 0) <= BODIES.get(self.path.partition("?")[0], 0):
            return super().handle_expect_100()
        self.close_connection = True
        self._send(413, "text/plain; charset=utf-8", b"a request has fewer bytes\n")
        return False

    def _refuse(self, status: int, reason: str) -> None:
        """Answer with a reason, and end the connection, because what follows in it is not read."""
        self.close_connection = True
        self._send(status, "text/plain; charset=utf-8", f"{reason}\n".encode())
        left, end = min(self._length() or 0, UNREAD), monotonic() + PATIENCE
        with suppress(OSError):
            while left > 0 and monotonic() < end and (part := self.rfile.read1(min(left, 1 << 16))):
                left -= len(part)

    def _send(self, status: int, type: str, data: bytes, cache: str = "no-store") -> None:
        if self.command != "POST" and self._length() != 0:  # a body that nobody reads
            self.close_connection = True
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
        """What the library refuses, without the words of the request."""
        self.close_connection, self.request_version = True, self.protocol_version
        data = f"{self.responses.get(code, ('refused', ''))[0]}\n".encode()
        self.send_response_only(code)
        for key, value in {**HEADERS, "Content-Type": "text/plain", "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """No lines in the terminal: a page asks many times a second."""
