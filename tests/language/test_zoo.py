"""Where a spec comes from: the zoo, a path, standard input, a pattern; and what is wrong with such a place."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest

import archcalc
from archcalc.errors import ArchcalcError
from archcalc.language import zoo

TINY = "input: [3, 8, 8]\nparams: {w: 4}\nlayers:\n  - conv: {out: w, kernel: 1}\n"
TWO = TINY + "networks: {one: {}, two: {w: 8}}\n"


def message(net: str, /, **settings: object) -> str:
    with pytest.raises(ArchcalcError) as caught:
        zoo.load(net, **settings).nodes  # noqa: B018
    return str(caught.value)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")
    (tmp_path / "two.yaml").write_text(TWO, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("net", "name"),
    [
        ("tiny.yaml", "tiny"),
        ("./tiny.yaml", "tiny"),
        ("two.yaml:two", "two"),
        ("./two.yaml:one", "one"),
        ("vgg16", "vgg16"),
        ("tiny.yaml:tiny", "tiny"),
        ("tiny.yaml:", "tiny"),
        ("INPUT 8x8x3 -> RELU", "INPUT 8x8x3 -> RELU"),
        ("  INPUT 8x8x3  -> RELU", "INPUT 8x8x3 -> RELU"),
    ],
)
def test_networks_are_found(here: Path, net: str, name: str) -> None:
    assert zoo.load(net).name == name


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    for net, name in (("-", "stdin"), ("-:two", "two")):
        text = TINY if net == "-" else TWO
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert zoo.load(net).name == name
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TWO.encode())))
    assert message("-") == "standard input: holds several networks (one, two); add one, as in -:one"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"layers: [rleu]\n")))
    assert message("-").startswith("standard input:1: ")
    monkeypatch.setattr(sys, "stdin", None)
    assert message("-") == "standard input: is closed"


def test_files_that_are_no_spec(here: Path) -> None:
    for name, content, said in [
        ("empty.yaml", b"", "empty.yaml: the spec is empty"),
        ("blank.yaml", b" \n\n", "blank.yaml: the spec is empty"),
        ("comment.yaml", b"# a\n", "comment.yaml: the spec is empty"),
        ("latin.yaml", b"a: 1\nb: \xe9\n", "latin.yaml:2: is not UTF-8 text"),
        ("utf16.yaml", "a: 1".encode("utf-16"), "utf16.yaml:1: is not UTF-8 text"),
        ("binary.yaml", b"\x7fELF\n\0\0", "binary.yaml:2: is binary, expected text"),
        ("png.yaml", b"\x89PNG\r\n", "png.yaml:1: is not UTF-8 text"),
        ("word.yaml", b"hello", "word.yaml:1: a spec is a mapping with keys such as input and layers, got 'hello'"),
    ]:
        (here / name).write_bytes(content)
        assert message(name) == said


def test_boms_and_windows_lines_are_read(here: Path) -> None:
    (here / "dos.yaml").write_bytes(b"\xef\xbb\xbf" + TINY.replace("\n", "\r\n").encode())
    assert zoo.load("dos.yaml").nodes[-1].layer.out == 4


def test_large_files_are_not_read(here: Path) -> None:
    with open(here / "large.yaml", "wb") as file:
        file.truncate(100_000_000)
    assert message("large.yaml") == "large.yaml: is larger than 1,000,000 bytes, the largest a spec may be"
    if os.path.exists("/dev/zero"):
        assert message("/dev/zero") == "/dev/zero: is larger than 1,000,000 bytes, the largest a spec may be"


def test_places_that_are_no_file(here: Path) -> None:
    (here / "folder.yaml").mkdir()
    assert message("folder.yaml") == "folder.yaml: is a directory, expected a spec file"
    assert message("missing.yaml") == "missing.yaml: cannot be read: no such file or directory"
    assert message("missing/") == "missing/: cannot be read: no such file or directory"
    assert message("tiny.yaml/x.yaml") == "tiny.yaml/x.yaml: cannot be read: not a directory"
    assert message("a" * 5000 + ".yaml").endswith(".yaml: cannot be read: file name too long")
    assert len(message("a" * 5000 + ".yaml")) < 500
    assert message("a\0.yaml") == "not a path: 'a\\x00.yaml'"


def test_names_that_are_unknown(here: Path) -> None:
    assert message("vgg61").startswith("unknown network 'vgg61'; did you mean 'vgg16'?; archcalc list shows them all, ")
    assert message("VGG-16").startswith("unknown network 'VGG-16'; did you mean 'vgg16'?")
    assert message("two.yaml:tow") == "two.yaml: unknown network 'tow'; did you mean 'two'?"
    assert message("two.yaml") == "two.yaml: holds several networks (one, two); add one, as in two.yaml:one"
    for net in ("", "  "):
        assert message(net) == f"expected the name of a network, a path or a pattern, got {net!r}"
    assert message("x" * 100_000).startswith("unknown network 'xxx")
    assert len(message("x" * 100_000)) < 600
    with pytest.raises(ArchcalcError, match="got 3"):
        zoo.load(3)  # type: ignore[arg-type]


def test_settings(here: Path) -> None:
    assert zoo.load("tiny.yaml", w=7).nodes[-1].layer.out == 7
    assert (
        message("tiny.yaml", ww=7) == "tiny has no parameter 'ww'; did you mean 'w'?; its parameters and defaults: w=4"
    )
    assert message("tiny.yaml", net=7) == "tiny has no parameter 'net'; its parameters and defaults: w=4"
    assert (
        message("tiny.yaml", w="x")
        == "w=x: expected a whole number as in w=4; the parameters of tiny and their defaults: w=4"
    )
    for bad in (float("inf"), float("nan"), [1, float("-inf")], np.float32("inf"), np.array([1, np.inf]), np.array([])):
        assert message("tiny.yaml", w=bad).startswith("w: expected finite numbers, got "), bad
    assert message("tiny.yaml", w={"a": 1}).startswith(
        "w: expected a number, true or false, a word or a list of these, got a mapping"
    )
    assert message("tiny.yaml", w=0).splitlines() == [
        "tiny.yaml:4: out: must be at least 1, got 0 (at layers[0].conv)",
        "tiny with w=0; its parameters and defaults: w=4",
    ]
    assert message("INPUT 8x8x3 -> RELU", w=1) == "a one-line pattern has no parameters to set"
    assert zoo.load("vgg16", depths=(1, 1, 1, 1, 1)).settings["depths"] == (1, 1, 1, 1, 1)


def test_a_file_with_an_odd_name_gives_a_plain_one(here: Path) -> None:
    (here / "my net\n2.yaml").write_text(TINY, encoding="utf-8")
    assert zoo.load("my net\n2.yaml").name == "my_net_2"
    (here / "odd\n.yaml").write_text("layers: [rleu]\n", encoding="utf-8")
    assert message("odd\n.yaml").splitlines()[0].startswith("odd\\n.yaml:1: ")


def test_messages_about_the_zoo_hold_wherever_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "specs"
    folder.mkdir()
    (folder / "net.yaml").write_text(TINY, encoding="utf-8")
    monkeypatch.setattr(zoo, "folder", lambda: str(folder))
    for place in (tmp_path, folder):
        monkeypatch.chdir(place)
        assert message("net", w=0).startswith(f"{folder / 'net.yaml'}:4: out: must be at least 1")


def test_a_changed_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "folder", lambda: str(tmp_path))
    path = tmp_path / "net.yaml"
    path.write_text(TINY, encoding="utf-8")
    assert zoo.load("net").nodes[-1].layer.out == 4
    path.write_text(TINY.replace("w: 4", "w: 5"), encoding="utf-8")
    os.utime(path, ns=(1, 10**18))
    assert zoo.load("net").nodes[-1].layer.out == 5


def test_every_name_starts_with_its_files_name() -> None:
    for name, family in zoo.networks().items():
        assert zoo.find(name) is family, name
    assert archcalc.networks().keys() == zoo.networks().keys()
