"""Files are written whole or not at all; what is no file, or leads elsewhere, keeps its place."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from archcalc import ArchcalcError
from archcalc.files import check_writable, format_of, write, write_in_folder

TINY = "input: [3, 8, 8]\nlayers:\n  - conv: {out: 4, kernel: 1}\n"
RUN = f"{sys.executable} -m archcalc"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY, encoding="utf-8")


def bash(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a shell makes of a command; ``archcalc`` stands for this checkout's."""
    return subprocess.run(
        ["bash", "-c", command.replace("archcalc ", f"{RUN} ")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
    )


@pytest.fixture
def printed() -> str:
    return bash("archcalc table tiny.yaml").stdout


@pytest.mark.parametrize(
    "command",
    [
        "(echo a; archcalc table tiny.yaml -o /dev/stdout; echo b) > log.txt",
        "(echo a; archcalc table tiny.yaml -o /dev/fd/1; echo b) > log.txt",
        "(echo a; archcalc table tiny.yaml -o /proc/self/fd/1; echo b) > log.txt",
        "(echo a; archcalc table tiny.yaml -o /dev/stderr; echo b) > log.txt 2>&1",
        "exec 3> log.txt; echo a >&3; archcalc table tiny.yaml -o /dev/fd/3; echo b >&3",
        "ln -s /dev/stdout out; (echo a; archcalc table tiny.yaml -o out; echo b) > log.txt",
        "mkdir d; ln -s /dev/fd d/fd; ln -s d/fd/1 out; (echo a; archcalc table tiny.yaml -o out; echo b) > log.txt",
        "(echo a; archcalc table tiny.yaml -o /dev/stdout; echo b) | cat > log.txt",
        "echo a > log.txt; archcalc table tiny.yaml -o /dev/stdout >> log.txt; echo b >> log.txt",
        "mkfifo pipe; (echo a; cat pipe; echo b) > log.txt & archcalc table tiny.yaml -o pipe; wait; test -p pipe",
        "(echo a; archcalc schema | head -c 0; archcalc table tiny.yaml -o >(cat); sleep 0.2; echo b) > log.txt",
    ],
)
def test_an_open_file_or_a_pipe_is_written_through(command: str, printed: str) -> None:
    if not os.path.exists("/proc/self/fd/1"):
        pytest.skip("there is no /proc here")
    done = bash(command)
    assert (done.returncode, done.stderr) == (0, "")
    assert Path("log.txt").read_text(encoding="utf-8") == f"a\n{printed}b\n"


def test_a_socket_is_refused_and_stays(archcalc) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("sock")
        status, _, err = archcalc("table", "tiny.yaml", "-o", "sock")
    assert status == 2
    assert err == "archcalc: sock: cannot be written: no such device or address\n"
    assert not Path("sock").is_file()


FULL = "cannot be written: no space left on device"
LARGE = "cannot be written: file too large"


@pytest.mark.parametrize("buffering", ["", "1"])
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("archcalc table vgg16 > /dev/full", f"standard output {FULL}"),
        ("archcalc --version > /dev/full", f"standard output {FULL}"),
        ("archcalc --help > /dev/full", f"standard output {FULL}"),
        ("archcalc table --help > /dev/full", f"standard output {FULL}"),
        ("archcalc schema -o /dev/full", f"/dev/full: {FULL}"),
        ("ln -s /dev/full here; archcalc schema -o here", f"here: {FULL}"),
        ("archcalc --version >&-", "standard output is closed; -o FILE writes to a file"),
        ("archcalc table --help >&-", "standard output is closed; -o FILE writes to a file"),
        ("archcalc table tiny.yaml -o /dev/stdout >&-", "/dev/stdout: cannot be written: bad file descriptor"),
        ("ulimit -f 4; archcalc schema > out.json", f"standard output {LARGE}"),
        ("ulimit -f 4; archcalc schema -o out.json", f"out.json: {LARGE}"),
        ("ulimit -f 4; archcalc schema -o /dev/stdout > out.json", f"/dev/stdout: {LARGE}"),
    ],
)
def test_a_full_disk_is_status_2_whatever_the_buffering(command: str, said: str, buffering: str) -> None:
    done = bash(command, PYTHONUNBUFFERED=buffering)
    assert (done.returncode, done.stderr) == (2, f"archcalc: {said}\n")
    assert not list(Path().glob(".archcalc-*"))


@pytest.mark.parametrize("command", ["archcalc table nope", "archcalc --verbose", "archcalc table tiny.yaml -o ."])
def test_errors_that_cannot_be_said_keep_the_status(command: str) -> None:
    for stream in ("2> /dev/full", "2>&-"):
        assert bash(f"{command} {stream}").returncode == 2


def test_a_full_disk_leaves_the_old_file(printed: str) -> None:
    Path("out.json").write_text("before", encoding="utf-8")
    assert bash("ulimit -f 4; archcalc schema -o out.json").returncode == 2
    assert Path("out.json").read_text(encoding="utf-8") == "before"
    assert sorted(os.listdir(".")) == ["out.json", "tiny.yaml"]


@pytest.mark.parametrize("command", ["-o out.txt", "-o ../out.txt", "-o out.txt --columns layer", "-o out.csv"])
def test_a_folder_that_is_gone_is_a_sentence(command: str) -> None:
    done = bash(f"mkdir gone; cd gone; rmdir ../gone; archcalc table lenet5 {command}")
    file = command.split()[1]
    assert done.stderr == f"archcalc: {file}: cannot be written: no such file or directory\n"
    assert done.returncode == 2
    assert "lenet5" in bash("mkdir gone; cd gone; rmdir ../gone; archcalc table lenet5").stdout


def test_nothing_but_what_may_be_written_is_replaced() -> None:
    Path("mine.txt").write_text("before", encoding="utf-8")
    os.chmod("mine.txt", 0o640)
    write("mine.txt", "after")
    assert Path("mine.txt").read_text(encoding="utf-8") == "after"
    assert Path("mine.txt").stat().st_mode & 0o777 == 0o640
    os.chmod("mine.txt", 0o444)
    if not os.access("mine.txt", os.W_OK):  # root may write everywhere
        for refused in (write, lambda path, _: check_writable(path)):
            with pytest.raises(ArchcalcError, match=r"mine.txt: cannot be written: permission denied"):
                refused("mine.txt", "x")


def test_a_new_file_has_the_permissions_of_the_mask() -> None:
    before = os.umask(0o027)
    try:
        write("new.txt", "x")
    finally:
        os.umask(before)
    assert Path("new.txt").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(("path", "said"), [("a\0b", "not a path"), ("", "needs a name"), (".", "is a directory")])
def test_what_is_no_path_is_said(path: str, said: str) -> None:
    for refused in (lambda: write(path, "x"), lambda: check_writable(path)):
        with pytest.raises(ArchcalcError, match=said):
            refused()


def test_a_link_that_a_user_names_is_followed_and_kept() -> None:
    os.symlink("new.txt", "link.txt")  # leads nowhere yet
    write("link.txt", "x")
    assert Path("link.txt").is_symlink()
    assert Path("new.txt").read_text(encoding="utf-8") == "x"
    os.symlink("round.txt", "round.txt")
    with pytest.raises(ArchcalcError, match=r"round.txt: cannot be written"):
        write("round.txt", "x")


LINKS = {
    "lenet5.html": "html",
    "index.html": "html",
    "lenet5.csv": "csv",
    "index.csv": "csv",
    "lenet5.md": "markdown",
    "README.md": "markdown",
}


@pytest.mark.parametrize("name", LINKS)
def test_a_report_follows_no_link_of_its_folder(name: str, archcalc) -> None:
    Path("report").mkdir()
    Path("target").write_text("precious", encoding="utf-8")
    os.symlink("../target", f"report/{name}")
    status, _, err = archcalc("report", "lenet5", "-o", "report", "--figures", "none", "--format", LINKS[name])
    assert status == 2
    assert f"report/{name}: is a link, which is not followed here; remove it, or choose another folder\n" in err
    assert Path("target").read_text(encoding="utf-8") == "precious"
    assert Path(f"report/{name}").is_symlink()


def test_a_report_draws_into_no_folder_elsewhere(archcalc) -> None:
    pytest.importorskip("matplotlib")
    Path("report").mkdir()
    Path("elsewhere").mkdir()
    os.symlink("../elsewhere", "report/figures")
    status, _, err = archcalc("report", "tiny.yaml", "-o", "report", "--format", "markdown")
    assert (status, os.listdir("elsewhere")) == (2, [])
    assert "report/figures: is a link" in err


def test_a_report_says_every_page_that_failed(archcalc) -> None:
    Path("report/lenet5.html").mkdir(parents=True)
    os.mkfifo("report/vgg11.html")
    nets = ("lenet5", "tiny.yaml", "vgg11")
    status, out, err = archcalc("report", *nets, "-o", "report", "--figures", "none")
    assert status == 2
    assert err.splitlines() == [
        "archcalc: lenet5: report/lenet5.html: cannot be written: is a directory",
        "archcalc: vgg11: report/vgg11.html: cannot be written: is no regular file",
    ]
    assert out == "report/index.html\n"
    assert Path("report/tiny.html").is_file()
    Path("report/index.html").unlink()
    Path("report/index.html").mkdir()
    status, out, err = archcalc("report", *nets, "-o", "report", "--figures", "none")
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 3


def test_a_file_of_a_folder_is_replaced_whole() -> None:
    Path("page.html").write_text("before", encoding="utf-8")
    write_in_folder("page.html", "after")
    assert Path("page.html").read_text(encoding="utf-8") == "after"


KNOWN = {"csv": "csv", "md": "markdown", "markdown": "markdown"}


@pytest.mark.parametrize(
    ("path", "format"),
    [("t.csv", "csv"), ("T.MD", "markdown"), ("a.b/t", "text"), (None, "text"), ("-", "text"), (os.devnull, "text")],
)
def test_an_extension_says_the_format(path: str | None, format: str) -> None:
    assert format_of(path, KNOWN, "text") == format


def test_an_unknown_extension_names_the_known_ones() -> None:
    with pytest.raises(ArchcalcError) as said:
        format_of("t.xls", KNOWN, "text")
    assert str(said.value) == (
        "t.xls: unknown extension .xls; known: .csv, .md, .markdown; --format names the format whatever the extension"
    )
