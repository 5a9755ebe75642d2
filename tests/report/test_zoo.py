"""The table of the zoo: which networks, in which order, at which cost."""

from __future__ import annotations

import csv
import io
import json
from itertools import pairwise

import pytest

from archcalc import ArchcalcError, load
from archcalc.language.zoo import networks
from archcalc.report import zoo
from archcalc.report.formats import FORMATS
from archcalc.report.order import natural
from archcalc.report.table import Known
from archcalc.report.zoo import HEADINGS, list_table
from tests.report.test_formats import text_columns

FEW = ["vgg*", "resnet18", "lenet5*", "googlenet*", "mobilenet_v1*", "densenet_cifar_40_12"]


def names(*patterns: str, sort: str | None = None) -> list[str]:
    return [row[0] for row in list_table(patterns, ["network"], sort).rows]


def test_every_network_is_listed_once() -> None:
    assert sorted(names()) == sorted(networks())


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (["vgg16"], ["vgg16"]),
        (["vgg1?"], ["vgg11", "vgg13", "vgg16", "vgg19"]),
        (["resnet*_tv"], ["resnet50_tv", "resnet101_tv", "resnet152_tv"]),
        (["resnet[35]*"], ["resnet34", "resnet50", "resnet50_slim", "resnet50_tv"]),
        (["*_lrn", "lenet5"], ["lenet5", "vgg11_lrn"]),
        (["lenet5", "lenet*"], ["lenet5", "lenet5_modern"]),
    ],
)
def test_patterns_choose_networks(patterns: list[str], found: list[str]) -> None:
    assert names(*patterns) == found


def test_numbers_in_names_count_as_numbers() -> None:
    assert names("resnet1*", "resnet34", "resnet50") == [
        "resnet18",
        "resnet34",
        "resnet50",
        "resnet101",
        "resnet101_slim",
        "resnet101_tv",
        "resnet152",
        "resnet152_slim",
        "resnet152_tv",
    ]
    assert names("mobilenet_v1_0*") == ["mobilenet_v1_0.25", "mobilenet_v1_0.5", "mobilenet_v1_0.75"]
    assert names("densenet_cifar_bc*")[0] == "densenet_cifar_bc_40_36"
    assert natural("v9") < natural("v10") < natural("v10", "a")


def test_networks_of_a_family_stand_together() -> None:
    families = [row[0] for row in list_table((), ["family"]).rows]
    assert sum(1 for a, b in pairwise(families) if a != b) + 1 == len(set(families))
    assert set(families) == {family.name for family in networks().values()}


@pytest.mark.parametrize("column", HEADINGS)
def test_every_column_sorts(column: str) -> None:
    unsorted = list_table(FEW, ["network", column]).rows
    rows = list_table(FEW, ["network", column], column).rows
    assert sorted(map(str, rows)) == sorted(map(str, unsorted)), "sorting loses no row"
    cells = [row[1] for row in rows]
    if all(isinstance(cell, int) for cell in cells):
        assert cells == sorted(cells)
        assert len(set(cells)) > 1
    else:
        cells = [max(cell.numbers) if isinstance(cell, Known) else cell for cell in cells if cell is not None]
        assert cells == sorted(cells, key=lambda cell: natural(str(cell)))


def test_macs_sort_as_numbers_and_not_as_printed() -> None:
    chosen = ("vgg16", "lenet5", "resnet18", "resnet101", "resnet_cifar20")
    by_macs = sorted(chosen, key=lambda name: load(name).analyze().totals.macs)
    assert names(*chosen, sort="macs") == by_macs
    assert by_macs != sorted(chosen, key=natural)


def test_the_figures_are_those_of_an_analysis() -> None:
    table = list_table(["vgg16", "lenet5_modern"], ["network", "title", "year", "input", "params", "macs"])
    for name, title, year, size, params, macs in table.rows:
        analysis = load(name).analyze()
        assert (title, size, params, macs) == (
            analysis.network.title,
            str(analysis.input),
            analysis.totals.params,
            analysis.totals.macs,
        )
        assert year == {"vgg16": 2014, "lenet5_modern": 1998}[name]


def test_names_and_titles_cost_no_analysis(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a network was built")

    monkeypatch.setattr(zoo, "expand", refuse)
    assert len(list_table((), ["network", "title"]).rows) == len(networks())
    assert len(list_table((), ["network", "year", "family"], "year").rows) == len(networks())
    for column in ("input", "params", "macs"):
        with pytest.raises(AssertionError, match="a network was built"):
            list_table(["lenet5"], ["network", column])
        with pytest.raises(AssertionError, match="a network was built"):
            list_table(["lenet5"], ["network"], column)


def test_an_input_needs_the_network_alone_and_totals_need_no_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a network was analysed")

    expected = load("lenet5").analyze().totals.params
    monkeypatch.setattr("archcalc.analysis.analysis.trace_rows", refuse)
    assert list_table(["lenet5"], ["params"]).rows == [[expected]]
    with pytest.raises(AssertionError, match="a network was analysed"):
        list_table(["lenet5"], ["rf"])
    monkeypatch.setattr("archcalc.analysis.analysis.sum_network", refuse)
    assert list_table(["lenet5"], ["input"]).rows == [["1x32x32"]]
    with pytest.raises(AssertionError, match="a network was analysed"):
        list_table(["lenet5"], ["params"])


@pytest.mark.parametrize("command", ["list lenet5", "compare lenet5", "table lenet5", "rf lenet5"])
def test_the_column_of_names_is_also_called_name(archcalc, command) -> None:
    column = "network" if command.startswith(("list", "compare")) else "layer"
    named, called = (archcalc(*command.split(), "--columns", text) for text in ("Name", column))
    assert named == called
    assert named[0] == 0


def test_what_does_not_exist_names_the_nearest(archcalc) -> None:
    assert archcalc("list", "--columns", "netwrok") == (
        2,
        "",
        "archcalc: unknown column 'netwrok'; did you mean 'network'?\n",
    )
    assert archcalc("list", "--sort", "mac") == (2, "", "archcalc: unknown column 'mac'; did you mean 'macs'?\n")
    assert archcalc("list", "vgg61") == (2, "", "archcalc: unknown network 'vgg61'; did you mean 'vgg16'?\n")
    with pytest.raises(ArchcalcError, match=r"unknown column 'qqq'; known: network, title, year, .*, top5"):
        list_table((), ["qqq"])
    with pytest.raises(ArchcalcError, match=r"unknown network '~~~\*'; known: "):
        list_table(["~~~*"])


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_lists_the_same(archcalc, format: str) -> None:
    status, out, said = archcalc("list", "vgg1?", "--exact", "--format", format)
    assert (status, said) == (0, "")
    for row in list_table(["vgg1?"]).rows:
        for cell in row:
            assert str(cell) in out.replace(",", ""), cell


def test_csv_and_text_agree(archcalc) -> None:
    _, out, _ = archcalc("list", "resnet*", "--exact", "--columns", "params,network")
    titles, rows = text_columns(out)
    _, data, _ = archcalc("list", "resnet*", "--columns", "params,network", "--format", "csv")
    written = list(csv.DictReader(io.StringIO(data)))
    assert titles == ["params", "network"]
    assert [[row[0].replace(",", ""), row[1]] for row in rows] == [[row["params"], row["network"]] for row in written]
    assert out.startswith(f"{len(rows)} networks, ")
    assert json.loads(archcalc("list", "vgg16", "--format", "json")[1])["rows"][0]["params"] == 138_357_544


def test_a_minus_sorts_down_and_what_has_no_value_stays_last() -> None:
    up, down = (list_table(FEW, ["top1", "network"], sort) for sort in ("top1", "-top1"))
    known = [row for row in up.rows if row[0] is not None]
    assert 3 < len(known) < len(up.rows)
    assert up.rows[: len(known)] == known
    assert [row[0] for row in down.rows[: len(known)]] == [row[0] for row in reversed(known)]
    assert down.rows[len(known) :] == up.rows[len(known) :]


def test_where_lists_what_meets_the_condition(archcalc) -> None:
    wanted = [name for name in names(*FEW) if load(name).analyze().totals.params < 5_000_000]
    found = list_table(FEW, ["network"], where="params < 5M")
    assert [row[0] for row in found.rows] == wanted
    assert 0 < len(wanted) < len(names(*FEW))
    status, out, _ = archcalc("list", "vgg1?", "--where", "params > 130M and not params > 140M", "--sort", "-macs")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines() if line.startswith("vgg")] == ["vgg16", "vgg13", "vgg11"]
    assert archcalc("list", "--where", "parms < 5") == (
        2,
        "",
        "archcalc: condition: unknown figure 'parms'; did you mean 'params'?\n",
    )


def test_settings_are_columns_and_stand_in_conditions() -> None:
    """Widths and classes as the specs state them; ``depth`` is a setting of MobileNet v1 and a figure of every network."""
    table = list_table(
        ["mobilenet_v1_0*", "vgg16"],
        ["name", "width", "setting.depth", "same"],
        "-width",
        "width >= 0.5 or depth == 16",
    )
    assert table.rows == [
        ["mobilenet_v1_0.75", 0.75, 5, "false"],
        ["mobilenet_v1_0.5", 0.5, 5, "false"],
        ["vgg16", None, None, None],
    ]
    assert list_table(["mobilenet_v1*"], ["name"], where="setting.depth == 5 and depth > 20 and not same").rows
    with pytest.raises(ArchcalcError, match="unknown column 'widht'; did you mean 'width'"):
        list_table(["mobilenet_v1*"], ["widht"])


def test_settings_alone_build_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "expand", None)
    assert [row[1] for row in list_table(["vgg1?"], ["name", "classes"]).rows] == [1000] * 4
