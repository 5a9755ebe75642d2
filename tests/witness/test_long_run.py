"""Long runs: processes that die, items that take too long, and runs that were stopped."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from archcalc.witness.long_run import FRESH, LongRun

ITEMS = [f"item{n}" for n in range(FRESH + 3)]


def work(item: str) -> dict[str, Any]:
    if item == "dies":
        os._exit(9)
    if item == "sleeps":
        time.sleep(60)
    if item == "raises":
        raise ValueError("no such thing")
    return {"verdict": "exact", "process": os.getpid()}


def run(file: Path, items: list[str], made_by: str = "v1", jobs: int = 1) -> list[dict[str, Any]]:
    return LongRun(work, file, made_by, jobs, seconds=1).run(items)


def test_every_item_has_its_row(tmp_path: Path) -> None:
    rows = run(tmp_path / "rows.jsonl", ["a", "dies", "b", "sleeps", "c", "raises", "d"], jobs=2)
    found = {row["item"]: (row["verdict"], row.get("reasons")) for row in rows}
    assert found == {
        **dict.fromkeys("abcd", ("exact", None)),
        "dies": ("fails", ["its process ended with the status 9"]),
        "sleeps": ("fails", ["took more than 1 s"]),
        "raises": ("fails", ["ValueError: no such thing"]),
    }


def test_a_process_is_replaced_after_many_items(tmp_path: Path) -> None:
    rows = run(tmp_path / "rows.jsonl", ITEMS)
    assert len({row["process"] for row in rows}) == 2


@pytest.mark.parametrize("kept", [0, 1, 2.5, 4])
def test_a_stopped_run_goes_on(tmp_path: Path, kept: float) -> None:
    """The line that a run was writing when it was stopped is made anew."""
    file = tmp_path / "rows.jsonl"
    before = run(file, ["a", "b", "c", "d"])
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[: int(kept)]) + (lines[2][:20] if kept % 1 else ""))
    after = run(file, ["a", "b", "c", "d"])
    same = [new["process"] == old["process"] for new, old in zip(after, before, strict=True)]
    assert same == [n < int(kept) for n in range(4)]
    assert run(file, ["a", "b", "c", "d"]) == after


def test_what_failed_is_tried_again(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    run(file, ["a", "raises"])
    count = len(file.read_text().splitlines())
    run(file, ["a", "raises"])
    assert [json.loads(line)["item"] for line in file.read_text().splitlines()[count:]] == ["raises"]


def test_rows_of_other_versions_are_not_mixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rows.jsonl"
    old = run(file, ["a", "b"])
    new = run(file, ["a"], made_by="v2")
    assert (old[0]["made_by"], new[0]["made_by"]) == ("v1", "v2")
    assert new[0]["process"] != old[0]["process"]
    assert "2 results of other versions are not used" in capsys.readouterr().err
    assert run(file, ["a", "b"]) == old
