"""The server answers its own page, and nobody else."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archcalc.errors import ArchcalcError
from archcalc.live import desk as desks
from archcalc.live.desk import Desk, Opened
from archcalc.live.opened import opened_net
from archcalc.live.server import BODIES, HEADERS, Handler, Server
from tests.live.asking import TINY


class Page:
    """A page of a server, which asks as a browser does."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def send(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """The status, the headers and the body of an answer. ``headers``: others than those of the page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        sent = {"Host": f"127.0.0.1:{self.server.port}"} | {
            key.replace("_", "-"): text for key, text in headers.items()
        }
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for key, text in sent.items():
                connection.putheader(key, text)
            if body is not None and "Content-Length" not in sent and "Transfer-Encoding" not in sent:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def ask(self, request: Any, **headers: str) -> tuple[int, Any]:
        headers = {"X_Archcalc_Token": self.server.token} | headers
        status, _, body = self.send("POST", "/api", json.dumps(request).encode(), **headers)
        return status, json.loads(body) if status == 200 else body.decode()

    def raw(self, data: bytes) -> bytes:
        """The first bytes that are answered to any bytes."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
            return b"".join(parts)


def served(opened: Opened) -> Iterator[Page]:
    with Server(Desk(opened)) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Page(server)
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    yield from served(Opened())


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


@pytest.fixture
def page_of_file(file) -> Iterator[Page]:
    yield from served(opened_net(str(file)))


def test_it_serves_this_machine_alone(page):
    assert page.server.server_address[0] == "127.0.0.1"
    assert page.server.link == f"http://127.0.0.1:{page.server.port}/?token={page.server.token}"
    assert len(page.server.token) >= 32


def test_every_server_has_its_own_token(page):
    with Server(Desk()) as other:
        assert other.token != page.server.token
        with pytest.raises(ArchcalcError, match=r"the page cannot be served at port \d+: address already in use"):
            Server(Desk(), other.port)
    for port in (-1, 65536, 10**9):
        with pytest.raises(ArchcalcError, match="a port is a number from 0 to 65535"):
            Server(Desk(), port)


def test_the_page_and_its_files(page):
    for path in ("/", "/index.html", "/?token=x"):
        status, headers, body = page.send("GET", path)
        assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert headers.items() >= HEADERS.items()
        assert body.startswith(b"<!doctype html>")
    assert page.send("HEAD", "/")[2] == b""


def test_the_policy_allows_no_other_origin(page):
    policy = page.send("GET", "/")[1]["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/../server.py",
            "/page/../../server.py",
            "/%2e%2e/server.py",
            "/..%2fserver.py",
            "//etc/passwd",
            "/index.html%00.js",
        ),
        *(
            "/server.py",
            "/__init__.py",
            "/./index.html",
            "/vendor/../index.html",
            "/INDEX.HTML",
            "/.hidden.js",
            "/index",
            "*",
        ),
        *(
            "/\\..\\server.py",
            "/a/b/c/d/e.js",
            "/" + "a" * 3000 + ".js",
            "http://evil.example/index.html",
            "index.html",
        ),
    ],
)
def test_no_other_file_is_served(page, path):
    assert page.send("GET", path)[0] == 404


def test_a_link_out_of_the_folder_is_not_followed(tmp_path, monkeypatch):
    from archcalc.live import files

    (tmp_path / "page").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "page" / "a.txt").write_text("a")
    (tmp_path / "page" / "b.txt").symlink_to(tmp_path / "secret.txt")
    monkeypatch.setattr(files, "FOLDER", str(tmp_path / "page"))
    assert files.page_file("/a.txt") == ("text/plain; charset=utf-8", b"a")
    assert files.page_file("/b.txt") is None


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Host": "evil.example"}, "foreign host"),
        ({"Host": "127.0.0.1"}, "foreign host"),
        ({"Host": "127.0.0.1:1"}, "foreign host"),
        ({"Host": ""}, "foreign host"),
        ({"Origin": "http://evil.example"}, "foreign origin"),
        ({"Origin": "null"}, "foreign origin"),
        ({"Origin": "https://127.0.0.1"}, "foreign origin"),
        ({"Sec_Fetch_Site": "cross-site"}, "foreign site"),
        ({"Sec_Fetch_Site": "same-site"}, "foreign site"),
        ({"X_Archcalc_Token": ""}, "the token of the page's link is missing"),
        ({"X_Archcalc_Token": "x" * 32}, "the token of the page's link is missing"),
        ({"X_Archcalc_Token": "\u00e9".encode().decode("latin-1")}, "the token of the page's link is missing"),
    ],
)
def test_foreign_requests_are_refused(page, headers, reason):
    status, text = page.ask({"op": "start"}, **headers)
    assert (status, text.startswith(reason)) == (403, True)
    if "X_Archcalc_Token" not in headers:
        assert page.send("GET", "/", **headers)[0] == 403


def test_the_pages_own_requests_are_answered(page):
    own = f"http://127.0.0.1:{page.server.port}"
    assert page.ask({"op": "start"}, Origin=own, Sec_Fetch_Site="same-origin")[0] == 200
    local = f"localhost:{page.server.port}"
    assert page.ask({"op": "start"}, Host=local, Origin=f"http://{local}")[0] == 200


def test_a_link_from_another_site_opens_the_page_and_nothing_else(page):
    follows = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert page.send("GET", "/?token=x", **follows)[0] == 200
    assert page.send("GET", "/index.html", **follows)[0] == 403
    assert page.send("GET", "/", **follows | {"Sec_Fetch_Dest": "iframe"})[0] == 403
    assert page.ask({"op": "start"}, **follows)[0] == 403


@pytest.mark.parametrize("path", ["/", "/index.html", "/api/", "/api/x", "/save"])
def test_questions_have_one_address(page, path):
    assert page.send("POST", path, b"{}", X_Archcalc_Token=page.server.token)[0] == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "a"])
def test_other_methods_are_refused(page, method):
    assert page.send(method, "/api")[0] == 501


def test_bodies_are_bounded(page):
    token = {"X_Archcalc_Token": page.server.token}
    assert page.send("POST", "/api", b" " * (BODIES["/api"] + 1), **token)[0] == 413
    assert page.send("POST", "/api", b" " * 100_000_000, **token)[0] == 413
    assert page.send("POST", "/api", b" " * 100_000_000)[0] == 403
    assert page.send("POST", "/api", b"", Content_Length=str(10**30), **token)[0] == 413
    for wrong in ("-1", "x", "1.0", "", "\u00b2"):
        assert page.send("POST", "/api", b"", Content_Length=wrong, **token)[0] in (400, 411)
    assert page.send("POST", "/api", b"0\r\n\r\n", Transfer_Encoding="chunked", **token)[0] == 411
    assert page.send("POST", "/api", b" " * (BODIES["/api"] - 2) + b"{}", **token)[0] == 200


def test_a_body_that_nobody_reads_is_no_second_request(page):
    host = f"Host: 127.0.0.1:{page.server.port}\r\n".encode()
    inner = b"GET / HTTP/1.1\r\n" + host + b"\r\n"
    outer = b"GET /nothing.js HTTP/1.1\r\n" + host + b"Content-Length: " + str(len(inner)).encode() + b"\r\n\r\n"
    assert page.raw(outer + inner).count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x00\xff\r\n\r\n", b"400"),
        (b"GET\r\n\r\n", b"400"),
        (b"GET / HTTP/9.9\r\n\r\n", b"505"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", b"431"),
        (b"GET <script> HTTP/1.1\r\n\r\n", b"403"),
        (b"GET / HTTP/1.1\r\n\r\n", b"403"),
    ],
)
def test_what_is_no_request_is_refused_without_its_words(page, data, status):
    answer = page.raw(data)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"<script>" not in answer
    assert b"Traceback" not in answer


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.binary(max_size=300),
    st.sampled_from(["POST /api", "POST /drop?name=a.cfg", "GET /", "POST /drop?" + "a=b&" * 20]),
)
def test_any_bytes_get_an_answer(page, body, line):
    """Hostile bodies, with the right token. The answer of a question is always JSON."""
    host = f"{line} HTTP/1.1\r\nHost: 127.0.0.1:{page.server.port}\r\nX-Archcalc-Token: {page.server.token}\r\n"
    answer = page.raw(f"{host}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
    status, _, rest = answer.partition(b"\r\n")
    assert status.startswith(b"HTTP/1.1 200")
    if line.startswith("POST"):
        assert json.loads(rest.partition(b"\r\n\r\n")[2])["ok"] in (True, False)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=200))
def test_any_bytes_end(page, data):
    assert b"Traceback" not in page.raw(data)


def test_a_file_is_dropped_as_its_bytes(page):
    token = {"X_Archcalc_Token": page.server.token}
    status, _, body = page.send("POST", "/drop?name=a%20b.yaml", TINY.encode(), **token)
    assert (status, json.loads(body)["state"]["file"]) == (200, "a b.yaml")
    assert page.send("POST", "/drop?name=a.yaml", TINY.encode())[0] == 403
    assert json.loads(page.send("POST", "/drop", TINY.encode(), **token)[2])["ok"] is False


# The file that was opened.


def test_the_opened_file_is_shown_and_saved(page_of_file, file):
    _, start = page_of_file.ask({"op": "start"})
    assert (start["open"]["text"], start["open"]["file"], start["file"]) == (TINY, "tiny.yaml", "tiny.yaml")
    text = TINY.replace("10}", "11}  # é")
    assert page_of_file.ask({"op": "save", "text": text, "path": "/tmp/other", "file": "x"})[1] == {
        "ok": True,
        "file": "tiny.yaml",
    }
    assert file.read_text() == text
    assert [path.name for path in file.parent.iterdir()] == ["tiny.yaml"]


@pytest.mark.parametrize("text", [None, 3, "", "  \n", ["a"]])
def test_nothing_is_not_saved(page_of_file, file, text):
    assert page_of_file.ask({"op": "save", "text": text})[1]["ok"] is False
    assert file.read_text() == TINY


def test_without_a_file_nothing_is_written(page):
    _, found = page.ask({"op": "save", "text": TINY})
    assert found["problems"][0]["text"].startswith("archcalc live was not started with a spec file")


@pytest.mark.parametrize(
    ("net", "file", "saves"),
    [("vgg16@classes=10", "vgg.yaml", False), ("INPUT 8x8x3 -> FC-10", "", False), ("tiny.yaml", "tiny.yaml", True)],
)
def test_what_is_opened(net, file, saves, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(TINY)
    found = opened_net(net)
    assert (found.state.file, bool(found.path)) == (file, saves)


def test_a_file_with_mistakes_is_opened(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text("layers: [")
    assert opened_net(str(path)).state.text == "layers: ["


def test_a_network_of_another_tool_is_opened_as_a_spec(tmp_path):
    path = tmp_path / "net.cfg"
    path.write_text(
        "[net]\nchannels=3\nheight=8\nwidth=8\n[convolutional]\nfilters=4\nsize=3\nstride=1\nactivation=relu\n"
    )
    found = opened_net(str(path))
    assert (found.path, found.state.file) == ("", "net.yaml")
    assert "conv: {out: 4, kernel: 3}" in found.state.text


@pytest.mark.parametrize("net", ["vgg61", "nothing.yaml", "weights.pt"])
def test_what_cannot_be_opened_is_said(net, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArchcalcError):
        opened_net(net)


# One at a time, and the newest wins.


class Slow:
    """A calculator whose first question takes as long as it is told."""

    def __init__(self) -> None:
        self.begun, self.go, self.asked = Event(), Event(), list[Any]()

    def answer(self, request):
        self.asked.append(request["n"])
        if len(self.asked) == 1:
            self.begun.set()
            assert self.go.wait(20)
        return {"ok": True}


def test_the_newest_question_of_a_page_wins(monkeypatch):
    slow, desk = Slow(), Desk()
    monkeypatch.setattr(desks, "calculator", lambda: slow)
    ends: dict[int, str] = {}

    def ask(n: int, page: str = "a", op: str = "analyze") -> Thread:
        def run() -> None:
            try:
                ends[n] = desk.ask(json.dumps({"op": op, "n": n, "page": page, "number": n}).encode())
            except desks.OutdatedError:
                ends[n] = "outdated"

        thread = Thread(target=run)
        thread.start()
        return thread

    threads = [ask(1)]
    assert slow.begun.wait(20)
    second = ask(2)
    while ("a", "analyze") not in desk._newest or desk._newest["a", "analyze"] < 2:
        pass
    third = ask(3)
    second.join(20)  # it is told at once, although the first still runs
    assert ends == {2: "outdated"}
    threads += [third, ask(4, page="b"), ask(5, op="hover"), ask(6, op="export"), ask(7, op="export")]
    slow.go.set()
    for thread in threads:
        thread.join(20)
    assert slow.asked[0] == 1
    assert sorted(slow.asked) == [1, 3, 4, 5, 6, 7]
    assert [n for n, end in ends.items() if end == "outdated"] == [2]


def test_a_number_that_is_late_is_refused(page):
    first = {"op": "analyze", "state": {"text": TINY}, "page": "p", "number": 5}
    assert page.ask(first)[0] == 200
    assert page.ask(first | {"number": 4})[0] == 409
    assert page.ask(first | {"number": 4, "page": "q"})[0] == 200
    assert page.ask(first | {"number": 4, "op": "export", "format": "yaml"})[0] == 200
    for odd in ({"page": ["a"]}, {"number": True}, {"page": "x" * 1000}, {"number": "5"}):
        assert page.ask(first | {"number": 1} | odd)[0] == 200


def test_requests_that_never_end_hold_up_nobody(monkeypatch):
    """A hundred connections that stop in the middle of a request: others are answered, and these are closed in the end."""
    monkeypatch.setattr(Handler, "timeout", 2)
    for page in served(Opened()):
        starts = (b"", b"POST /api HT", b"POST /api HTTP/1.1\r\nHost: x\r\n")
        address = ("127.0.0.1", page.server.port)
        held = [socket.create_connection(address, timeout=60) for _ in range(100)]
        for nth, connection in enumerate(held):
            connection.sendall(starts[nth % len(starts)])
        assert page.ask({"op": "analyze", "state": {"text": TINY}})[1]["ok"]
        for connection in held:
            assert connection.recv(1) == b""
            connection.close()
