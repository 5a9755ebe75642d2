"""A short profile of ``python -m tests.fuzz``, and proofs that a fault would be seen."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

import pytest

from tests.fuzz import worker
from tests.fuzz.__main__ import main, outcomes
from tests.fuzz.cases import Case
from tests.fuzz.checks import fault


def test_every_command_ends_in_an_answer_or_a_sentence() -> None:
    found = list(outcomes(7, range(400), 1))
    assert [one for one in found if one.fault] == []
    assert [one.number for one in found] == list(range(400))
    assert sum(one.status == 0 for one in found) > 400 // 6  # every new word of the language draws other cases


def test_a_case_is_the_same_whenever_it_is_drawn() -> None:
    assert worker.drawn(3, 14) == worker.drawn(3, 14)
    assert worker.drawn(3, 14) != worker.drawn(4, 14)


def run(monkeypatch: pytest.MonkeyPatch, entry: object) -> list[worker.Outcome]:
    monkeypatch.setattr(worker, "entry", entry)
    monkeypatch.setattr(worker, "SECONDS", 0.5)
    monkeypatch.setattr(worker, "BYTES", 50_000_000)
    return list(outcomes(1, range(2), 1))


def _raises(_: object) -> int:
    raise IndexError("beyond")


def _waits(_: object) -> int:
    while True:
        pass


def _dies(_: object) -> int:
    import os

    os._exit(9)


def _takes(_: object) -> int:
    """150 MB of new pages, each written to: what ``malloc`` gives may lie in memory that the process had before."""
    with mmap.mmap(-1, 150_000_000, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as pages:
        for at in range(0, len(pages), mmap.PAGESIZE):
            pages[at] = 1
    return 0


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (_raises, r"IndexError: beyond \(test_fuzz.py:"),
        (_waits, "more than "),
        (_dies, "the process died"),
        (_takes, r"1\d\d,\d{3},\d{3} bytes"),
        (lambda _: 3, "exit status 3"),
        (lambda _: 2, "status 2 without a sentence"),
    ],
)
def test_a_fault_is_seen(monkeypatch: pytest.MonkeyPatch, entry: object, said: str) -> None:
    first, second = run(monkeypatch, entry)
    assert (first.number, second.number) == (0, 1)
    assert re.match(said, first.fault), first
    assert second.fault


@pytest.mark.parametrize(
    ("format", "out", "said"),
    [
        ("json", '{"a": NaN}', "a number that is not finite"),
        ("json", '{"a": 1', "not json"),
        ("json", '{"a": 1}', ""),
        ("csv", "a,b\n1,2\n", ""),
        ("csv", "a,b\n1\n", "not csv: rows of [1, 2] cells"),
        ("csv", "a,b\n1,=1+1\n", "not csv: a cell that a spreadsheet runs"),
        ("csv", "a,b\n1,+12.50%\n", ""),
        ("html", "<p>one", "not html: <p> is not closed"),
        ("html", "<p>one</b></p>", "not html: </b> closes nothing"),
        ("html", "<script>let x = Infinity</script>", ""),
        ("text", "field  inf\n", "a number that is not finite"),
        ("text", "a \x1b[31m red\n", "a character that a terminal would obey"),
        ("python", "def f(:", "not python"),
    ],
)
def test_an_output_that_cannot_be_read_is_seen(format: str, out: str, said: str) -> None:
    case = Case(["table", "case.yaml"], {}, "", format)
    assert fault(case, 0, out, "", {}).startswith(said) if said else fault(case, 0, out, "", {}) == ""


def test_the_line_of_figures(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["--seed", "7", "--count", "30"]) == 0
    line = capsys.readouterr().out
    assert line.startswith("seed 7: 30 cases in ")
    assert " 0 failures; slowest " in line
