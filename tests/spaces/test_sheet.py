"""Tables from files: CSV, JSON, Parquet, data frames; and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from archcalc import ArchcalcError
from archcalc.spaces.sheet import Sheet, is_figure, read_sheet, sheet_of

COLUMNS = {"width": [0.5, 1.0], "option": ["a", "b"], "macs": [10, 9223372036854775808], "time": [0.25, None]}
CSV = "width,option,macs,time\n0.5,a,10,0.25\n1.0,b,9223372036854775808,\n"


def test_the_formats_have_the_same_table(tmp_path: Path):
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)]
    (tmp_path / "t.csv").write_text(CSV)
    (tmp_path / "points.json").write_text(json.dumps({"network": "x", "points": rows}))
    (tmp_path / "rows.json").write_text(json.dumps({"rows": rows}))
    (tmp_path / "list.json").write_text(json.dumps(rows))
    for name in ("t.csv", "points.json", "rows.json", "list.json"):
        assert read_sheet(str(tmp_path / name)) == Sheet(name, COLUMNS)


def test_parquet_files_and_folders_of_a_sweep_are_read(tmp_path: Path, archcalc):
    pytest.importorskip("pyarrow")
    for name in ("t.csv", "t.parquet", "folder/"):
        archcalc(
            "sweep", "lenet5", "--input", "32,36", "--batch", "1,2", "--columns", "macs", "-o", f"{tmp_path}/{name}"
        )
    columns = read_sheet(str(tmp_path / "t.csv")).columns
    assert list(columns) == ["input", "batch", "macs"]
    assert read_sheet(str(tmp_path / "t.parquet")).columns == columns
    assert read_sheet(f"{tmp_path}/folder/").columns == columns


def test_progress_is_in_bytes_of_the_file(tmp_path: Path):
    path = tmp_path / "rows.csv"
    path.write_text("input,macs\n1,2\n3,4\n", encoding="utf-8")
    seen = []

    def progress(lines: Iterable[str], size: int) -> Iterable[str]:
        for line in lines:
            seen.append((len(line), size))
            yield line

    assert read_sheet(str(path), progress).columns == {"input": [1, 3], "macs": [2, 4]}
    assert seen == [(11, 19), (4, 19), (4, 19)]


def test_columns_that_vary_come_before_figures():
    sheet = Sheet(
        "t",
        {
            "depth": [2, 3],
            "width": [1, 2],
            "input": [8, 8],
            "macs / params": [1.5, 2],
            "note": ["a", "b"],
            "macs": [1, None],
        },
    )
    assert sheet.varied == ["depth", "width", "input"]
    assert sheet.figures == ["macs / params", "macs"]
    assert is_figure("time('a100', amp)")
    assert not is_figure("width")


def test_a_mapping_and_a_data_frame_are_tables():
    pandas = pytest.importorskip("pandas")
    assert sheet_of({"a": [1, 2]}).columns == {"a": [1, 2]}
    frame = pandas.DataFrame({"a": [1.5, float("nan")], "b": ["x", "y"]})
    assert sheet_of(frame).columns == {"a": [1.5, None], "b": ["x", "y"]}


def test_lists_are_texts_and_infinity_is_refused():
    sheet = sheet_of({"depths": [[1, 2], [3]], "macs": [1, float("inf")]})
    assert sheet.columns["depths"] == ["[1,2]", "[3]"]
    with pytest.raises(ArchcalcError, match="table: macs has an infinite number"):
        sheet.numbers("macs")


WRONG = [
    ("none.csv", None, "none.csv: cannot be read: no such file or directory"),
    ("t.csv", "", "t.csv: has no rows"),
    ("t.csv", "a,b\n", "t.csv: has no rows"),
    ("t.csv", "a,b\n1\n", "t.csv:2: expected 2 values, got 1"),
    ("t.csv", "a,b\n1," + "x" * 1_000_001, "t.csv:2: has a line of more than 1,000,000 letters"),
    ("t.json", "{}", 't.json: cannot be read: expected an object with "points" or "rows", or a list of objects'),
    ("t.json", "[1]", 't.json: cannot be read: expected an object with "points" or "rows", or a list of objects'),
    ("t.json", "{", "t.json: cannot be read: "),
    ("t.parquet", "a,b\n1,2\n", "t.parquet: cannot be read: "),
]


@pytest.mark.parametrize(("name", "content", "said"), WRONG, ids=[said for _, _, said in WRONG])
def test_a_file_that_is_no_table_is_refused(name: str, content: str | None, said: str, tmp_path: Path, monkeypatch):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(name).write_text(content)
    with pytest.raises(ArchcalcError) as error:
        read_sheet(name)
    assert str(error.value).startswith(said)
