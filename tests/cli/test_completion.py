"""Completion, as the function answers and as real shells complete: networks, kinds, conventions, columns and options."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archcalc import networks
from archcalc.cli.complete import candidates, completed
from archcalc.cli.registry import NAMES, command
from archcalc.cli.shells import PLACES, SCRIPTS
from archcalc.conventions import conventions
from archcalc.dtypes import DTYPES
from archcalc.memory.budget import OPTIMIZERS
from archcalc.plot.kinds import KINDS
from archcalc.report import LAYER_FORMATS
from archcalc.report.layers import CELLS

ROOT = Path(__file__).parents[2]
BREAKS = " \t\n\"'@><=;|&(:"
"""The signs at which bash breaks words."""


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("", set(NAMES)),
        ("table ", set(networks())),
        ("compare vgg16 ", set(networks())),
        ("compare vgg16 --baseline vgg1", {name for name in networks() if name.startswith("vgg1")}),
        ("report ", set(networks())),
        ("list ", set(networks())),
        ("plot ", set(KINDS)),
        ("plot cost ", set(networks())),
        ("plot cost vgg16 --format ", {"png", "svg", "pdf"}),
        ("table --as ", set(conventions)),
        ("table vgg16 --as ", set(conventions)),
        ("table vgg16 --as=fv", {"--as=fvcore"}),
        ("table vgg16 --format ", set(LAYER_FORMATS)),
        ("table vgg16 --columns ", set(CELLS)),
        ("table vgg16 --columns layer,par", {"layer,params"}),
        ("table vgg16 --columns layer,params,par", set()),
        ("table vgg16 --by ", {"type", "stage"}),
        ("table vgg16 --dtype ", set(DTYPES)),
        ("memory vgg16 --optimizer ", set(OPTIMIZERS)),
        ("plot budget vgg16 --optimizer ", set(OPTIMIZERS)),
        ("table vgg16 --set cl", {"classes="}),
        ("table vgg16@cl", {"vgg16@classes="}),
        ("table vgg16@lrn=true,cl", {"vgg16@lrn=true,classes="}),
        ("table nothing.yaml --set ", set()),
        ("table --trai", {"--training"}),
        ("table --training --trai", set()),
        ("memory vgg16 -", {"--help", *(option.name for option in command("memory").options)}),
        ("export --to ", {"torch"}),
        ("completion ", {"bash", "zsh", "fish"}),
        ("help me", {"memory", "measure"}),
        ("--ver", {"--version"}),
        ("nothing ", set()),
        ("diff vgg16 --batch ", set()),
        ("export vgg16 vgg", set()),
    ],
)
def test_candidates(line: str, names: set[str]) -> None:
    assert {name for name, _ in candidates(line.split(" "))} == names


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("archcalc table --as=fv", ["fvcore"]),
        ("archcalc table vgg16@cl", ["@classes="]),
        ("archcalc table 'vgg16_", ["vgg16_c", "vgg16_bn"]),
        ('archcalc table "INPUT 8x8x3 -> CONV3-4" --form', ["--format"]),
        ("archcalc table vgg16 --columns layer,par", ["layer,params"]),
        ("", []),
        ("archcalc table \\", []),
    ],
)
def test_bash_gets_the_part_behind_the_sign_that_broke_the_word(line: str, lines: list[str]) -> None:
    found = [one.split("\t")[0] for one in completed(["bash", line, BREAKS]).splitlines()]
    assert found == lines


def test_a_description_is_short_and_one_line() -> None:
    for line in completed(["zsh", "table", "--as", ""]).splitlines():
        assert len(line.split("\t")[1]) <= 60


def test_every_script_has_its_place() -> None:
    assert list(PLACES) == list(SCRIPTS)
    for shell, place in PLACES.items():
        assert place.split(" in ")[0] in SCRIPTS[shell].split("_archcalc()")[0]


# In the shells themselves


@pytest.fixture
def home(tmp_path: Path, archcalc) -> Path:
    """A folder with the program, the scripts and a file that no name begins like."""
    program = tmp_path / "bin" / "archcalc"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m archcalc "$@"\n')
    program.chmod(0o755)
    for shell in SCRIPTS:
        status, out, err = archcalc("completion", shell)
        assert (status, err) == (0, "")
        (tmp_path / f"comp.{shell}").write_text(out)
    (tmp_path / "zzz-mine.yaml").write_text("input: [3, 8, 8]\nlayers: [relu]\n")
    return tmp_path


def need(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed here")


def environment(home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "PS1": "$ ",
        "TERM": "dumb",
        "HISTFILE": "",
    }


LINES = [
    ("archcalc mem", "archcalc memory"),
    ("archcalc table teaching_residual_ba", "archcalc table teaching_residual_basic"),
    ("archcalc plot rf-m", "archcalc plot rf-map"),
    ("archcalc table vgg16 --as conv", "archcalc table vgg16 --as convnet-burden"),
    ("archcalc table vgg16 --columns layer,par", "archcalc table vgg16 --columns layer,params"),
    ("archcalc table vgg16 --form", "archcalc table vgg16 --format"),
    ("archcalc table vgg16 --format la", "archcalc table vgg16 --format latex"),
    ("archcalc memory vgg16 --optimizer mo", "archcalc memory vgg16 --optimizer momentum"),
    ("archcalc table vgg16 --dtype bf", "archcalc table vgg16 --dtype bfloat16"),
    ("archcalc table vgg16 --set cla", "archcalc table vgg16 --set classes="),
    ("archcalc table vgg16@cla", "archcalc table vgg16@classes="),
    ("archcalc table zzz-m", "archcalc table zzz-mine.yaml"),
]
START = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
}
SETUP = {
    "bash": "bind 'set enable-bracketed-paste off'; source comp.bash",
    "zsh": "autoload -Uz compinit; compinit -D -u; source ./comp.zsh; unsetopt zle_bracketed_paste",
}


@pytest.mark.parametrize("shell", START)
def test_a_shell_completes(shell: str, home: Path) -> None:
    """Each line is typed with a tab behind it, then turned into an argument of printf, and so read back."""
    need(shell)
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(home)
        os.execvpe(shell, START[shell], environment(home))
    try:
        _typed(terminal, SETUP[shell] + "; echo re''ady\n", "ready")
        found = []
        for at, (line, full) in enumerate(LINES):
            _typed(terminal, f"{line}\t", full.removeprefix(line))
            shown = _typed(terminal, f"\x05'\x01printf '<%s>end''{at}\\n' '\n", f">end{at}")
            found.append(shown.rsplit("<", 1)[1].split(">")[0].strip())
        assert found == [full for _, full in LINES]
    finally:
        os.close(terminal)
        os.kill(process, 9)
        os.waitpid(process, 0)


def _typed(terminal: int, keys: str, until: str) -> str:
    """What the terminal shows after these keys, up to a text."""
    os.write(terminal, keys.encode())
    shown, end = "", time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([terminal], [], [], 2.5)[0]:
            shown += os.read(terminal, 4096).decode(errors="replace")
            if until in shown:
                return shown
    raise AssertionError(f"{until!r} did not come; the terminal shows {shown!r}")


@pytest.mark.parametrize(("line", "full"), LINES)
def test_fish_completes(line: str, full: str, home: Path) -> None:
    need("fish")
    done = subprocess.run(
        ["fish", "--no-config", "-c", f'source comp.fish; complete -C "{line}"'],
        cwd=home,
        env=environment(home),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.split("\t")[0].split("\n")[0] == full.split(" ")[-1]
