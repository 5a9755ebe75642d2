"""``archcalc live`` in a process of its own, as a user starts it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from archcalc.cli.commands import live
from archcalc.live.server import Server

WAIT = 60
UNUSED = {"archcalc.analysis", "archcalc.report", "archcalc.language", "yaml", "webbrowser"}


@contextmanager
def started(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process of the command, and the link that it prints."""
    command = [sys.executable, "-m", "archcalc", "live", "--no-browser", *words]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background may ignore Ctrl+C
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        signal.signal(signal.SIGINT, before)
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def ask(link: str, request: object) -> dict[str, object]:
    address, _, token = link.partition("/?token=")
    sent = urllib.request.Request(f"{address}/api", json.dumps(request).encode(), {"X-Archcalc-Token": token})
    with urllib.request.urlopen(sent, timeout=WAIT) as answer:
        found: dict[str, object] = json.load(answer)
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C is another signal there")
def test_from_the_start_to_ctrl_c(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text("input: [3, 8, 8]\nlayers: [relu]\n")
    with started(str(path)) as (process, link):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{32}", link)
        with urllib.request.urlopen(link, timeout=WAIT) as page:
            assert b"<!doctype html>" in page.read()
        assert ask(link, {"op": "start"})["file"] == "my.yaml"
        assert ask(link, {"op": "save", "text": "input: [3, 9, 9]\nlayers: [relu]\n"})["ok"]
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert path.read_text() == "input: [3, 9, 9]\nlayers: [relu]\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["vgg61"], "unknown network 'vgg61'; did you mean 'vgg16'?"),
        (["nothing.yaml"], "nothing.yaml: cannot be read: no such file or directory"),
        (["--port", "70000"], "the page cannot be served at port 70000: a port is a number from 0 to 65535"),
        (["--port", "x"], "--port: expected a whole number, got 'x'"),
        (["vgg16", "vgg19"], "live"),
    ],
)
def test_what_cannot_start_says_so(archcalc, words, sentence):
    status, out, err = archcalc("live", "--no-browser", *words)
    assert (status, out) == (2, "")
    assert sentence in err


@pytest.mark.parametrize(("words", "opens"), [([], True), (["--no-browser"], False)])
def test_the_browser_opens_the_link(archcalc, monkeypatch, words, opens):
    links: list[str] = []
    monkeypatch.setattr(live, "_open_browser", links.append)
    monkeypatch.setattr(live, "_start", lambda run, *args: run(*args) if args else None)
    monkeypatch.setattr(Server, "serve_forever", lambda server: (_ for _ in ()).throw(KeyboardInterrupt))
    status, out, _ = archcalc("live", *words)
    assert status == 0
    assert links == ([out.split("\n")[0]] if opens else [])


def test_the_server_starts_in_a_blink():
    """What answers questions is imported while the browser starts."""
    code = (
        "import sys\n"
        "from archcalc.cli.commands.live import COMMAND\n"
        "from archcalc.live.desk import Desk\n"
        "from archcalc.live.server import Server\n"
        "Server(Desk())\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & UNUSED == set()
