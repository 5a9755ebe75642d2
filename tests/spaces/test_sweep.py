"""Sweeps: every row is what a single run gives, and rows do not depend on blocks, workers or interruptions."""

from __future__ import annotations

import csv
import gc
import io
import json
import math
import os
import random
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import archcalc
from archcalc import ArchcalcError
from archcalc.conditions.condition import condition, figure, named_figures
from archcalc.conditions.elementwise import plain
from archcalc.language.zoo import specs
from archcalc.spaces import space as spaces
from archcalc.spaces.axes import axis, read_axis
from archcalc.spaces.evaluate import AS_USUAL, How
from archcalc.spaces.output import csv_text
from archcalc.spaces.points import read_points
from archcalc.spaces.run import run
from archcalc.spaces.store import packed, unpacked
from archcalc.spaces.sweep import Request, Sweep

FIGURES = named_figures(
    "params, macs, values, memory, field, depth, layers, weight_bytes, output, macs / params, peak,"
    " step=train_memory(batch=3, adam), t=time('a100', amp)"
)


DARKNET = str(Path(__file__).parents[2] / "docs" / "examples" / "residual.cfg")


def request(net: str, *axes: str, **more: Any) -> Request:
    return Request(net, tuple(map(read_axis, axes)), **{"settings": {}, **more})


def zoo(name: str) -> str:
    return (specs() / name).read_text(encoding="utf-8")


def rows(found: Any) -> list[dict[str, Any]]:
    columns = {name: array.tolist() for name, array in found.columns.items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def single(net: str, point: dict[str, Any], figures: Any, how: How = AS_USUAL) -> dict[str, Any]:
    """The figures of one point, from a network that is loaded with its settings."""
    settings = {name: value for name, value in point.items() if name not in ("input", "batch")}
    network = archcalc.load(net, **settings)
    size = point.get("input")
    if size is not None:
        network = network.at(archcalc.Shape(network.input.channels, (size,) * len(network.input.axes)))
    analysis = archcalc.analyze(
        network, batch=point.get("batch", how.batch), dtype=how.dtype, convention=how.convention
    )
    return {name: plain(figure(text, network.settings).value(analysis)) for name, text in figures}


@pytest.mark.parametrize(
    ("net", "axes", "figures"),
    [
        ("vgg16", ["input=30:260:1", "batch=1:40"], FIGURES[:10]),
        ("vgg11", ["input=64,97", "batch=1,5"], FIGURES),
        ("resnet18", ["option=a,b,c", "input=1:70:3", "batch=1,8"], FIGURES[:10]),
        ("mobilenet_v2", ["width=0.25:1.5:0.05", "input=33:225:48"], FIGURES[:10]),
        ("mobilenet_v2", ["width=0.35,1", "input=64,65", "batch=2,3"], FIGURES),
        ("mobilenet_v2", ["resolution=32:224:8", "batch=1,2"], FIGURES[:10]),  # a setting that the input depends on
        ("densenet121", ["growth=8:40:4", "input=224,256"], FIGURES[:10]),
        ("vit_b_16", ["input=64:224:16", "batch=1,3"], FIGURES[:10]),
        ("mlp_mixer_s32", ["input=32:224:32", "resolution=221,222,224"], FIGURES[:5]),  # most are refused
        ("segnet", ["input=64:224:32", "batch=1,3"], FIGURES[:10]),  # a pooling's indices are used again
        ("regnet_y_400mf", ["input=64:160:32", "classes=10,1000"], FIGURES),
        ("inception_v3", ["input=75:300:25", "batch=1,3"], FIGURES[:8]),  # side heads fit the larger sizes alone
        ("shufflenet_v2_x1_0", ["width=2,4,116", "input=64,65"], FIGURES),  # a shuffle of two channels moves nothing
        ("swin_t", ["resolution=224,448", "batch=1,2"], FIGURES[:10]),  # windows of whole maps are not shifted
        ("wrn", ["depth=10:40:6", "k=1:8", "batch=1,7"], FIGURES[:5]),
        ("INPUT 32x32x3 -> CONV3-8 -> FC-10", ["batch=1:3"], FIGURES),
        (DARKNET, ["input=32,33,64", "batch=1,3"], FIGURES),  # a network of another tool is read for every size
    ],
)
def test_every_row_is_a_single_run(net, axes, figures):
    found = Sweep(request(net, *axes, figures=figures)).block(0)
    names = [read_axis(text).name for text in axes]
    kept, most = rows(found), 12 if FIGURES[-1] not in figures else 4
    for row in random.Random(0).sample(kept, min(len(kept), most)):
        assert row == {
            **{name: row[name] for name in names},
            **single(net, {name: row[name] for name in names}, figures),
        }
    assert found.points == math.prod(len(read_axis(text).values) for text in axes)


def test_a_setting_that_the_input_depends_on():
    """Source: tensorflow/models, research/slim/nets/mobilenet/README.md, whole millions of MACs, from mobilenet_v2_0.35_96 on."""
    axes = "width=0.35,0.5,0.75,1.0", "resolution=96:224:32"
    outcome = run(request("mobilenet_v2", *axes, figures=(("macs", "macs"),)))
    assert [row["macs"] // 10**6 for row in rows(outcome)] == [
        *(11, 20, 30, 43, 59),
        *(18, 32, 50, 71, 97),
        *(39, 69, 107, 153, 209),
        *(56, 99, 154, 221, 300),
    ]


def test_large_groups_are_divided_and_their_networks_freed(monkeypatch):
    """VGG-11 has 30 layers, and 38 with batch normalisation. With 38 * 4 numbers at most, a group has 4 points at most."""
    axes = "input=32,40,48,3x32x40", "classes=1:9", "norm=false,true"
    expected = rows(Sweep(request("vgg11", *axes, "batch=1:3")).block(0))
    monkeypatch.setattr("archcalc.spaces.evaluate.MOST_NUMBERS", 38 * 4)
    monkeypatch.setattr("archcalc.spaces.evaluate.MANY_LAYERS", 38)
    made, alive = list[int](), list[Any]()
    sweep = Sweep(request("vgg11", *axes, "batch=1:3"))
    computed = sweep.evaluation._computed

    def watched(group: Any, network: Any) -> Any:
        made.append(sweep.evaluation._elements(group))
        alive.append(weakref.ref(network))
        assert sum(one() is not None for one in alive) <= 6  # those of 38 * 4 numbers, and two more
        return computed(group, network)

    monkeypatch.setattr(sweep.evaluation, "_computed", watched)
    gc.disable()
    try:
        assert rows(sweep.block(0)) == expected
    finally:
        gc.enable()
    assert max(made) <= 5
    assert len(made) > 12


def test_rows_that_would_fill_the_memory_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(spaces, "MOST_IN_BLOCK", 2)
    monkeypatch.setattr("archcalc.spaces.run.MOST_ROWS", 4)
    wanted = request("lenet5", "batch=1:7", figures=(("macs", "macs"),))
    with pytest.raises(ArchcalcError, match="more than 4 rows would fill the memory: write them to a file"):
        run(wanted)
    assert run(wanted, output=str(tmp_path / "a.csv")).kept == 7
    assert run(wanted._replace(pareto=("macs",))).kept == 1
    assert run(wanted._replace(where="batch > 3")).kept == 4


def test_the_points_are_in_the_order_of_the_axes():
    found = Sweep(request("lenet5", "input=32,36", "batch=1:3", figures=(("macs", "macs"),))).block(0)
    assert [(row["input"], row["batch"]) for row in rows(found)] == [(i, b) for i in (32, 36) for b in (1, 2, 3)]


@pytest.mark.parametrize("most", [1, 2, 3, 5, 7, 12, 1000])
@pytest.mark.parametrize("more", [{}, {"sample": 11, "seed": 3}, {"where": "macs > 300K and input != '1x40x40'"}])
def test_blocks_do_not_matter(monkeypatch, most, more):
    whole = run(request("lenet5", "input=32:44:4", "batch=1:3", "classes=10,20", **more))
    monkeypatch.setattr(spaces, "MOST_IN_BLOCK", most)
    parts = run(request("lenet5", "input=32:44:4", "batch=1:3", "classes=10,20", **more))
    assert rows(parts) == rows(whole)
    assert (parts.points, parts.kept, parts.refused) == (whole.points, whole.kept, whole.refused)


def test_a_condition_keeps_what_it_keeps_of_single_runs():
    text = "macs / params > 40 and batch != 2 and width >= 0.5"
    everything = Sweep(request("mobilenet_v2", "width=0.25:1:0.25", "input=64:224:32", "batch=1:3")).block(0)
    kept = Sweep(request("mobilenet_v2", "width=0.25:1:0.25", "input=64:224:32", "batch=1:3", where=text)).block(0)
    names = archcalc.load("mobilenet_v2").settings
    holds = condition(text, names).holds

    def met(row: dict[str, Any]) -> bool:
        network = archcalc.load("mobilenet_v2", width=row["width"])
        return holds(network.analyze(input=(3, row["input"], row["input"]), batch=row["batch"]))

    expected = [row for row in rows(everything) if met(row)]
    assert 0 < len(expected) < len(rows(everything))
    assert rows(kept) == expected


def test_a_setting_that_varies_does_not_hide_the_figure_of_its_name():
    depths = read_axis("depth=50,101")
    with pytest.raises(ArchcalcError, match=r"^depth varies, and a column has its name too: write NAME=depth"):
        Sweep(Request("bit_r50x1", (depths,), {}, figures=(("depth", "depth"),)))
    assert rows(Sweep(Request("bit_r50x1", (depths,), {}, figures=(("d", "depth + 1"),))).block(0)) == [
        {"depth": 50, "d": 51},
        {"depth": 101, "d": 102},
    ]


def test_points_that_the_network_refuses_are_counted_with_the_reason():
    """GoogLeNet ends in a pooling of 7 x 7 positions after five steps of 2: it needs more than 192 pixels."""
    outcome = run(request("googlenet", "input=180:230:1", "batch=1,2"))
    refused = [size for size in range(180, 231) if fails("googlenet", size)]
    assert 0 < len(refused) < 51
    assert sum(outcome.refused.values()) == 2 * len(refused)
    assert [row["input"] for row in rows(outcome)] == [i for i in range(180, 231) if i not in refused for _ in (1, 2)]
    (line,) = outcome.lines
    assert line.startswith(f"{2 * len(refused)} points refused: ")
    assert "kernel spans 7" in line


def fails(net: str, size: int) -> bool:
    try:
        archcalc.load(net, input=(3, size, size)).nodes  # noqa: B018
    except ArchcalcError:
        return True
    return False


def test_settings_that_a_network_refuses():
    outcome = run(request("resnet18", "option=a,b,d", figures=(("params", "params"),)))
    assert [row["option"] for row in rows(outcome)] == ["a", "b"]
    assert "option must be a, b or c" in next(iter(outcome.refused))


def test_numbers_beyond_64_bits_are_exact():
    sizes = [224, 10**6, 2**31 - 1]
    outcome = run(Request("vgg16", (axis("input", sizes), axis("batch", [1, 10**6])), {}, figures=(("macs", "macs"),)))
    for row in rows(outcome):
        assert (
            row["macs"] == single("vgg16", {"input": row["input"], "batch": row["batch"]}, (("macs", "macs"),))["macs"]
        )
    assert max(row["macs"] for row in rows(outcome)) > 2**63


@pytest.mark.parametrize("most", [3, 1000])
def test_a_pareto_set_is_that_of_all_points(monkeypatch, most):
    monkeypatch.setattr(spaces, "MOST_IN_BLOCK", most)
    given = ("mobilenet_v2", "width=0.25:1:0.125", "input=64:160:32")
    everything, kept = (rows(run(request(*given, **more))) for more in ({}, {"pareto": ("macs", "-params")}))

    def beats(one: dict[str, Any], other: dict[str, Any]) -> bool:
        pairs = [(one["macs"], other["macs"]), (-one["params"], -other["params"])]
        return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)

    assert kept == [row for row in everything if not any(beats(other, row) for other in everything)]
    assert 1 < len(kept) < len(everything)


def test_a_sample_has_no_point_twice_and_follows_the_seed():
    axes = ["input=32:100:1", "batch=1:1000"]
    first, again, other = (
        rows(run(request("lenet5", *axes, figures=(("macs", "macs"),), sample=500, seed=seed))) for seed in (1, 1, 2)
    )
    assert first == again != other
    assert len({(row["input"], row["batch"]) for row in first}) == 500
    assert {row["input"] for row in first} >= set(range(40, 90))  # 7 points for each of 69 sizes


def test_a_sample_of_everything_is_everything():
    outcome = run(request("lenet5", "batch=1:4", sample=9))
    assert [row["batch"] for row in rows(outcome)] == [1, 2, 3, 4]
    assert not outcome.lines


def test_items_of_a_list_vary():
    found = rows(run(request("resnet18", "depths[2]=1:4", figures=(("depth", "depth"), ("params", "params")))))
    expected = [archcalc.load("resnet18", depths=[2, 2, n, 2]).analyze() for n in range(1, 5)]
    assert [row["params"] for row in found] == [one.totals.params for one in expected]
    assert [row["depth"] for row in found] == [14 + 2 * (n - 1) + 2 for n in range(1, 5)]  # 18 layers with n = 2


def output(path: Path, **more: Any) -> Path:
    run(
        request("lenet5", "input=32:44:4", "batch=1:3", "classes=10,20"),
        output=str(path),
        format=path.suffix[1:],
        **more,
    )
    return path


def test_the_same_bytes_on_any_number_of_workers(tmp_path, monkeypatch):
    one = output(tmp_path / "one.csv").read_bytes()
    monkeypatch.setattr(spaces, "MOST_IN_BLOCK", 5)
    assert output(tmp_path / "blocks.csv").read_bytes() == one
    assert len(one.splitlines()) == 1 + 4 * 3 * 2


def test_csv_json_and_parquet_have_the_same_rows(tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    parsed = list(csv.DictReader(io.StringIO(output(tmp_path / "a.csv").read_text())))
    points = json.loads(output(tmp_path / "a.json").read_text())["points"]
    table = pq.read_table(output(tmp_path / "a.parquet")).to_pylist()
    assert points == table
    assert [{name: str(value) for name, value in row.items()} for row in points] == parsed
    assert points[0]["macs"] == archcalc.load("lenet5").analyze().totals.macs


class StopError(Exception):
    pass


def stopping(after: int) -> Any:
    def progress(steps: Any, done: int, count: int) -> Iterator[Any]:
        for number, step in enumerate(steps):
            if number == after:
                raise StopError
            yield step

    return progress


def test_a_sweep_that_was_stopped_goes_on(tmp_path, monkeypatch):
    expected = output(tmp_path / "whole.csv").read_bytes()
    monkeypatch.setattr(spaces, "MOST_IN_BLOCK", 2)
    path, counted = tmp_path / "part.csv", []
    with pytest.raises(StopError):
        output(path, progress=stopping(5))
    assert not path.exists()
    kept = sorted(os.listdir(f"{path}.parts"))
    assert len(kept) == 6  # five blocks, and what they are blocks of

    def counting(steps: Any, done: int, count: int) -> Iterator[Any]:
        counted.append((done, count))
        for step in steps:
            counted.append(step[0])
            yield step

    output(path, progress=counting)
    assert counted == [(10, 24), 5, 6, 7, 8, 9, 10, 11]
    assert path.read_bytes() == expected
    assert sorted(os.listdir(tmp_path)) == ["part.csv", "whole.csv"]


def test_blocks_of_another_sweep_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(spaces, "MOST_IN_BLOCK", 2)
    path = tmp_path / "a.csv"
    with pytest.raises(StopError):
        output(path, progress=stopping(2))
    with pytest.raises(ArchcalcError, match="has blocks of another sweep that was stopped"):
        run(request("lenet5", "batch=1:9"), output=str(path))
    assert len(os.listdir(f"{path}.parts")) == 3


def test_blocks_of_what_a_spec_or_a_device_was_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(spaces, "MOST_IN_BLOCK", 2)
    spec, device = tmp_path / "net.yaml", tmp_path / "mine.yaml"
    text, a100 = (
        "input: [3, 8, 8]\nnetworks: {small: {}}\nlayers: [{conv: {out: 4, kernel: 3}}]\n",
        zoo("devices/a100.yaml"),
    )
    wanted = request(f"{spec}:small", "batch=1:9", figures=(("time", f"time('{device}')"),))
    for number, changed in enumerate([(text, a100), (text.replace("3}", "1}"), a100), (text, f"{a100}# mine\n")]):
        spec.write_text(text), device.write_text(a100)
        path = str(tmp_path / f"{number}.csv")
        with pytest.raises(StopError):
            run(wanted, output=path, progress=stopping(2))
        spec.write_text(changed[0]), device.write_text(changed[1])
        if number == 0:
            assert run(wanted, output=path).kept == 9
        else:
            with pytest.raises(ArchcalcError, match="has blocks of another sweep that was stopped"):
                run(wanted, output=path)


def test_nothing_is_replaced(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("mine")
    with pytest.raises(ArchcalcError, match="exists, and a sweep replaces nothing"):
        output(path)
    assert path.read_text() == "mine"
    assert os.listdir(tmp_path) == ["a.csv"]


def test_numbers_beyond_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    large = Request(
        "vgg16", (axis("input", [2**30, 2**31 - 1]), axis("batch", [1000])), {}, figures=(("macs", "macs"),)
    )
    with pytest.raises(
        ArchcalcError, match="macs has numbers beyond 64 bits, which Parquet does not have: write CSV or JSON"
    ):
        run(large, output=str(tmp_path / "a.parquet"), format="parquet")
    assert os.listdir(tmp_path) == []


def test_a_block_whose_file_is_damaged_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(spaces, "MOST_IN_BLOCK", 2)
    path = tmp_path / "a.csv"
    with pytest.raises(StopError):
        output(path, progress=stopping(2))
    part = next(one for one in (tmp_path / "a.csv.parts").iterdir() if one.suffix == ".npz")
    part.write_bytes(part.read_bytes()[:50])
    with pytest.raises(
        ArchcalcError, match=f"{part.name}: is no block of a sweep; remove it, and give the same command again"
    ):
        output(path)
    part.unlink()
    assert output(path).read_text() == output(tmp_path / "b.csv").read_text()


@pytest.mark.parametrize("workers", [0, -1, 1.5, "2", True])
def test_workers_are_a_whole_number(workers):
    with pytest.raises(ArchcalcError, match="workers: expected a whole number from 1 on, got "):
        run(request("lenet5", "batch=1,2"), workers=workers)


def test_one_size_of_the_input_is_that_of_every_axis(archcalc):
    status, out, _ = archcalc(
        "sweep", "mobilenet_v2", "--vary", "width=0.5,1", "--input", "192", "--columns", "macs,input", "--format", "csv"
    )
    assert (status, out) == (0, "width,macs,input\n0.5,71701760,3x192x192\n1.0,221316608,3x192x192\n")


CSV = [
    ("width,input\n,96\n", "points.csv:2: width: expected a value, got an empty cell"),
    ("width,input\n0.5\n", "points.csv:2: expected 2 values, got 1"),
    ("width,input\n0.5,-4\n", "points.csv:2: input: expected whole numbers from 1 to 2,147,483,647, got -4"),
    ("width,\n0.5,96\n", "points.csv:1: column 2 has no name"),
    ("width\n", "points.csv: expected a line of names, such as width,input, and a line for every point"),
    (b"\xff\xfe\x00w", "points.csv: cannot be read: is no text in UTF-8"),
    ("x" * 1_000_001, "points.csv:1: has a line of more than 1,000,000 letters"),
]


@pytest.mark.parametrize(("content", "said"), CSV, ids=[said for _, said in CSV])
def test_points_that_cannot_be_read(content, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("points.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ArchcalcError) as caught:
        read_points("points.csv")
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ({"width": []}, "points: width: expected at least one value, got none"),
        ({"width": "0.5"}, "points: width: expected a list with a value for every point, got '0.5'"),
        ({"width": 0.5}, "points: width: expected a list with a value for every point, got 0.5"),
        ({3: [1]}, "mobilenet_v2: unknown setting '3'; known: classes, resolution, width"),
        ({"width": [0.5, 1], "input": [96]}, "points: expected as many values of every axis"),
    ],
)
def test_points_of_python_that_cannot_be(points, said):
    with pytest.raises(ArchcalcError) as caught:
        archcalc.sweep("mobilenet_v2", points)
    assert str(caught.value) == said


def test_an_endless_file_of_points_is_refused():
    with pytest.raises(ArchcalcError, match="/dev/zero:1: has a line of more than 1,000,000 letters"):
        read_points("/dev/zero")


def test_points_from_a_spreadsheet(tmp_path):
    """A mark of the byte order in front, as Excel writes it, and the line ends of Windows."""
    path = tmp_path / "points.csv"
    path.write_bytes(b"\xef\xbb\xbfwidth,input\r\n0.5,96\r\n1.0,128\r\n")
    assert read_points(str(path)) == (axis("width", [0.5, 1.0]), axis("input", [96, 128]))


def test_a_sweep_is_of_one_network(archcalc):
    status, out, said = archcalc("sweep", "vgg1?", "--batch", "1,2")
    assert (status, out) == (2, "")
    assert "a sweep is of one network, and vgg1? stands for 4: vgg11, vgg13, ..." in said


@pytest.mark.parametrize("format", ["parquet", "nonsense"])
def test_a_format_is_checked_before_anything_is_computed(archcalc, format):
    status, _, said = archcalc("sweep", "no_such_network", "--batch", "1,2", "--format", format)
    assert status == 2
    assert format in said
    assert "no_such_network" not in said


def test_a_block_as_bytes():
    found = Sweep(request("lenet5", "input=31:33", "classes=10,20", figures=FIGURES[:10])).block(0)
    again = unpacked(packed(found))
    assert rows(again) == rows(found)
    assert again[1:] == found[1:]
    assert "".join(csv_text([again.columns])) == "".join(csv_text([found.columns]))


@pytest.mark.parametrize(
    ("axes", "more", "said"),
    [
        ([], {}, "nothing varies"),
        (["widht=1,2"], {}, "lenet5: unknown setting 'widht'"),
        (["batch=1,2", "batch=3,4"], {}, "batch varies twice"),
        (
            ["input=1:1000000", "batch=1:1000000"],
            {},
            "the space has 1,000,000,000,000 points, and 1,000,000,000 are swept",
        ),
        (["batch=1,2"], {"sample": 0}, "sample: expected a whole number from 1 to 100,000,000, got 0"),
        (["batch=1,2"], {"figures": (("m", "mcas"),)}, "figure: unknown figure 'mcas'; did you mean 'macs'?"),
        (
            ["batch=1,2"],
            {"where": "memory < 5"},
            "condition: memory is in bytes, and 5 is a number; write 5 with a unit",
        ),
        (["batch=1,2"], {"pareto": ("macs", "-parms")}, "unknown column 'parms'; did you mean 'params'?"),
        (["classes[1]=1,2"], {}, "classes[1]: lenet5 has classes=10"),
        (["classes=1,2"], {"settings": {"classes": 5}}, "classes varies, and has one value too: leave out classes=5"),
        (["classes=1,2"], {"figures": (("classes", "macs"),)}, "classes varies, and a column has its name too"),
        (
            ["batch=1,2"],
            {"figures": (("batch", "macs"),)},
            "batch varies, and a column has its name too: write NAME=macs",
        ),
        (
            ["batch=1,2"],
            {"figures": (("a", "macs"), ("a", "params"))},
            "a is the name of two columns, macs and params: write NAME=params",
        ),
        (["batch=1,2"], {"sample": 1.5}, "sample: expected a whole number from 1 to 100,000,000, got 1.5"),
    ],
)
def test_what_cannot_be_swept(axes, more, said):
    with pytest.raises(ArchcalcError) as caught:
        run(request("lenet5", *axes, **more))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("input", "layers", "axis"),
    [
        ([4, 6, 6], "[{pad: {by: n}}, relu]", "n=0:2"),
        ([4, 6, 6], "[{pad_channels: {after: n}}, relu]", "n=0:2"),
        ([4, 6, 6], "[{roll: {by: n}}]", "n=0:2"),
        ([4, 6, 6], "[{roll: {by: [0, n]}}]", "n=0:6:3"),
        ([12, 6, 6], "[{channel_shuffle: {groups: n}}]", "n=1,2,3,4,6,12"),
        ([12, 6, 6], '[{rearrange: "(c {n}) h w -> (c h) {n} w"}]', "n=1,2,12"),
        ([12, 6, 6], '[{rearrange: "(c {n}) (h {6 // n}) w -> c ({n} h) ({6 // n} w)"}]', "n=1,2,3,6"),
    ],
)
def test_a_layer_that_has_nothing_to_do_for_some_elements_is_a_view_for_these(
    input: list[int], layers: str, axis: str, tmp_path: Path
) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(f"input: {input}\nparams: {{n: 1}}\nlayers: {layers}\n", encoding="utf-8")
    sweep = Sweep(request(str(file), axis, figures=FIGURES[2:4]))
    found = rows(sweep.block(0))
    assert found == [{"n": row["n"], **single(str(file), {"n": row["n"]}, FIGURES[2:4])} for row in found]
    assert len(found) > 2
