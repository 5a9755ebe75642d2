"""Pictures of tables: which rows and lines they show, and what is said about tables that have no such picture."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from archcalc import ArchcalcError, plot
from archcalc.spaces.sheet import Sheet

TABLE = {
    "width": [1, 2, 3, 4],
    "macs": [10, 20, 30, 40],
    "params": [9, 5, 7, 5],
    "accuracy": [50, 60, 55, 70],
    "option": ["a", "b", "a", "b"],
}
"""Of macs and params, rows 0 and 1 are beaten by no row; of macs and -accuracy, rows 0, 1 and 3."""


def line(figure) -> list[tuple[float, float]]:
    drawn = figure.axes[0].lines[0]
    return list(zip(drawn.get_xdata(), drawn.get_ydata(), strict=True))


def names(figure) -> set[str]:
    return {text.get_text() for text in figure.axes[0].texts}


def test_a_front_joins_the_rows_that_no_row_beats():
    figure = plot.figure("pareto", [TABLE])
    assert line(figure) == [(10, 9), (20, 5)]
    assert names(figure) == {"1", "2"}
    assert len(figure.axes[0].collections[0].get_offsets()) == 4
    more = plot.figure("pareto", [TABLE], y="-accuracy", label="option,width")
    assert line(more) == [(10, 50), (20, 60), (40, 70)]
    assert names(more) == {"a, 1", "b, 2", "b, 4"}
    assert names(plot.figure("pareto", [TABLE], label="none")) == set()


def test_one_row_is_a_point():
    figure = plot.figure("pareto", [{"width": [1], "params": [2], "macs": [3]}], label="none")
    assert line(figure) == [(3, 2)]


def test_many_rows_make_a_small_picture():
    count = 50_000
    table = {
        "width": list(range(count)),
        "macs": list(range(1, count + 1)),
        "params": [count - at for at in range(count)],
    }
    assert len(plot.picture("pareto", [table], "svg").content) < 1_000_000


def test_a_sweep_has_a_line_for_each_combination():
    sheet = Sheet(
        "s", {"input": [1, 2] * 4, "batch": [1, 1, 2, 2] * 2, "width": [3] * 4 + [4] * 4, "macs": list(range(8))}
    )
    figure = plot.figure("sweep", [sheet])
    assert [one.get_label() for one in figure.axes[0].lines] == [
        "batch 1, width 3",
        "batch 2, width 3",
        "batch 1, width 4",
        "batch 2, width 4",
    ]
    assert line(figure) == [(1, 0), (2, 1)]


def test_of_many_lines_seven_are_drawn_and_the_caption_says_so():
    sheet = Sheet("s", {"input": [1] * 20, "batch": list(range(1, 21)), "macs": list(range(20))})
    made = plot.picture("sweep", [sheet], "svg")
    assert "7 of 20 lines" in made.caption
    assert len(plot.figure("sweep", [sheet]).axes[0].lines) == 7


def test_words_across_have_their_order():
    figure = plot.figure("sweep", [{"option": ["c", "a"], "macs": [1, 2]}])
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["c", "a"]


def test_hostile_columns_do_not_break_a_picture():
    table = {"\x1b[31m$x_1$": [1, 2], "macs": [1, 2], "<b>&\n": [2, 1]}
    for kind, y in (("pareto", "<b>&\n"), ("sweep", "macs")):
        made = plot.picture(kind, [table], "svg", y=y.strip("\n") if kind == "sweep" else "macs", x="\x1b[31m$x_1$")
        assert made.caption.isprintable()


WRONG = [
    ("pareto", {"width": [1, 2], "macs": [1, 2]}, {}, "table has one figure, macs: name a second column, --y"),
    ("pareto", TABLE, {"x": "mcas"}, "unknown column 'mcas'; did you mean 'macs'?"),
    ("pareto", TABLE, {"y": "option"}, "table: option is no column of numbers: it has 'a'"),
    ("pareto", TABLE, {"label": "wdth"}, "table: unknown column 'wdth'; did you mean 'width'?"),
    ("pareto", TABLE, {"log": "z"}, "log: expected x, y, xy or none, got 'z'"),
    ("pareto", {"macs": [0, 1], "params": [1, 2]}, {"x": "macs", "log": "x"}, "macs has 0: a logarithmic axis"),
    (
        "sweep",
        {"input": [1, 1], "macs": [1, 2]},
        {},
        "table: two rows have input 1: name the columns that tell lines apart",
    ),
    ("sweep", {"input": [1, 2]}, {}, "table has no figures: name a column, --y; it has input"),
    ("sweep", TABLE, {"y": "option"}, "table: option is no column of numbers: it has 'a'"),
    ("sweep", TABLE, {"label": "width"}, "label is an option of pareto, not of sweep"),
    ("sweep", "sizes.csv", {}, "expected a table, such as a data frame of archcalc.sweep, got 'sizes.csv'"),
    ("sweep", {"input": []}, {}, "table: has no rows"),
]


@pytest.mark.parametrize(("kind", "table", "options", "said"), WRONG, ids=[said for *_, said in WRONG])
def test_a_table_without_such_a_picture_is_refused(kind, table, options, said):
    with pytest.raises(ArchcalcError) as error:
        plot.figure(kind, [table], **options)
    assert str(error.value).startswith(said)


def test_the_command_needs_one_file(archcalc, tmp_path: Path):
    out = str(tmp_path / "x.svg")
    assert archcalc("plot", "sweep", "-o", out) == (
        2,
        "",
        "archcalc: sweep takes one file of a sweep, such as sweep.csv, got 0\n",
    )
    assert archcalc("plot", "sweep", "none.csv", "-o", out) == (
        2,
        "",
        "archcalc: none.csv: cannot be read: no such file or directory\n",
    )
