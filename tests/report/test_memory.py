"""The tables layer by layer: what they say of small networks, by hand, and that every format shows the same."""

from __future__ import annotations

import json

import pytest

from archcalc import load
from archcalc.report.formats import FORMATS, render_table
from tests.report.shortcut import MAP, SHORTCUT, WEIGHTS
from tests.report.tables import memory_table


def test_inference(shortcut):
    table = memory_table(shortcut)
    names = [heading.name for heading in table.headings]
    assert names == ["layer", "type", "output", "bytes", "storage", "last_use", "alive", "waiting", "waiting_layers"]
    assert [row[0] for row in table.rows] == ["stem", "block.main.one", "block.main.act", "block.main.two", "block.add"]
    assert [row[3:7] for row in table.rows] == [
        [MAP, "new", "block.add", MAP],
        [MAP, "new", "block.main.act", 2 * MAP],
        [MAP, "in place", "block.main.two", 2 * MAP],
        [MAP, "new", "block.add", 3 * MAP],
        [MAP, "new", "the end", 3 * MAP],
    ]
    assert table.rows[-1][7:] == [MAP, 3]  # the shortcut waits while three layers run
    assert table.totals["peak"] == table.totals["best_peak"] == 3 * MAP
    assert table.totals["peak_layer"] == "block.main.two"
    assert (table.totals["weights"], table.totals["network_input"]) == (WEIGHTS, MAP)
    said = "\n".join(table.footer)
    assert f"inference peak: {3 * MAP:,} bytes" in said
    assert f"alive at the peak: stem {MAP:,}, block.main.one {MAP:,}, block.main.two {MAP:,}" in said
    assert "no other order of the branches has a smaller peak" in said
    assert f"with weights and network input: {WEIGHTS + 4 * MAP:,} bytes" in said


def test_a_join_waits_for_the_layers_that_run_at_inference(spec):
    """The side head in the branch has three layers, none of which runs."""
    side = "        - side: [global_avg_pool, flatten, {linear: {out: 10}}]\n"
    at = SHORTCUT.index("        - conv: {out: 4, kernel: 3, pad: 1}\n          name: two")
    table = memory_table(spec(SHORTCUT[:at] + side + SHORTCUT[at:]))
    assert table.rows[-1][-2:] == [MAP, 3]
    assert f"most waiting bytes: {MAP:,}, at block.add, for 3 layers" in table.footer


def test_the_sum_of_the_feature_maps_tells_apart_how_they_are_held(spec):
    table = memory_table(spec("input: [4, 8, 8]\nlayers: [{conv: {out: 4, kernel: 3, pad: 1}}, relu, flatten]"))
    assert [row[4] for row in table.rows] == ["new", "in place", "view"]
    assert table.totals["feature_maps"] == {
        "new": 2 * MAP,
        "in_place": MAP,
        "view": MAP,
    }  # the network input is new, too
    assert table.footer[0] == (
        f"feature maps: {2 * MAP:,} bytes, 2.0 KB (2.0 KiB) in new storage, network input included; {MAP:,} bytes are "
        f"written in place; {MAP:,} bytes are views."
    )


def test_mixed_precision_narrows_what_convolutions_make(spec):
    """Autocast leaves the pooled image in float32; the convolution and what follows it are in bfloat16."""
    net = spec(
        "input: [4, 16, 16]\nlayers: [{max_pool: {kernel: 2, stride: 2}}, {conv: {out: 4, kernel: 3, pad: 1}}, relu]"
    )
    table = memory_table(net, amp=True)
    assert [row[3] for row in table.rows] == [MAP, MAP // 2, MAP // 2]
    assert table.totals["feature_maps"] == {"new": 4 * MAP + MAP + MAP // 2, "in_place": MAP // 2, "view": 0}


def test_mixed_precision_says_that_orders_are_not_searched(shortcut):
    assert (
        "with mixed precision other orders of the branches are not searched" in memory_table(shortcut, amp=True).footer
    )


def test_a_better_order_is_said():
    said = "\n".join(memory_table(load("teaching_inception_bottleneck")).footer)
    assert "smallest peak over all orders of the branches: 3,010,560 bytes, 702,464 fewer" in said


def test_training(shortcut):
    table = memory_table(shortcut, training=True, optimizer="momentum", batch=2)
    assert [row[3:5] for row in table.rows] == [
        [0, "its input (the network input)"],
        [2 * MAP, "its input"],
        [2 * MAP, "its output"],
        [0, "its input (saved by block.main.act)"],
        [0, ""],
    ]
    assert table.total[3] == table.totals["saved"] == 4 * MAP
    assert table.totals["gradients"] == table.totals["optimizer"] == WEIGHTS
    assert f"optimizer state (momentum): {WEIGHTS:,} bytes (a velocity per weight)" in "\n".join(table.footer)


def test_checkpoint_says_what_it_saves_and_costs(shortcut):
    said = "\n".join(memory_table(shortcut, training=True, checkpoint="block").footer)
    # The block takes the stem's output, which is kept either way; relu's is saved. The first convolution runs again:
    # 4*4*9 products at 64 positions; the second need not, for its input is all that is kept of it.
    assert f"saves {MAP:,} bytes fewer" in said
    assert f"{4 * 4 * 9 * 64:,} MACs more, 33.3% of a forward pass" in said
    recomputed = memory_table(shortcut, training=True, checkpoint="block").totals["recomputed"]
    assert (recomputed["bytes_saved"], recomputed["macs_added"]) == (MAP, 4 * 4 * 9 * 64)


CHECKPOINTED = """\
input: [4, 8, 8]
blocks:
  unit: {layers: [%s]}
layers: [%s unit]
"""


def test_checkpointing_what_keeps_nothing_keeps_more(spec):
    """A mean over the map keeps nothing; checkpointed it keeps the map."""
    net = spec(CHECKPOINTED % ("global_avg_pool", "{conv: {out: 4, kernel: 3, pad: 1}},"))
    table = memory_table(net, training=True, checkpoint="unit")
    assert table.totals["recomputed"]["bytes_saved"] == -MAP
    assert f"checkpoint unit: saves {MAP:,} bytes more, peak " in "\n".join(table.footer)


def test_checkpointing_a_network_without_macs(spec):
    said = "\n".join(memory_table(spec(CHECKPOINTED % ("relu", "")), training=True, checkpoint="unit").footer)
    assert "checkpoint unit: saves 0 bytes fewer, peak lower by 0 bytes; 0 MACs more\n" in said


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "options", [{}, {"training": True}, {"batches": [1, 2]}, {"fit": "1GiB"}, {"fit": "1GiB", "batch": 2}]
)
def test_every_format(shortcut, format, options):
    assert render_table(memory_table(shortcut, **options), format)


def test_json_names_every_tensor_of_the_peak(shortcut):
    """The image apart: the stem's output, which waits, and the input and output of the second convolution."""
    totals = json.loads(render_table(memory_table(shortcut), "json"))["totals"]
    assert (totals["peak"], totals["peak_layer"], totals["peak_pass"]) == (3 * MAP, "block.main.two", "forward")
    assert totals["alive_at_peak"] == [
        {"tensor": name, "bytes": MAP} for name in ("stem", "block.main.one", "block.main.two")
    ]
    totals = json.loads(render_table(memory_table(shortcut, training=True), "json"))["totals"]
    assert sum(tensor["bytes"] for tensor in totals["alive_at_peak"]) == totals["peak"]


def test_json_has_exact_numbers(shortcut):
    found = json.loads(render_table(memory_table(shortcut, batch=3, dtype="float16"), "json"))
    assert found["rows"][0]["bytes"] == 3 * MAP // 2
    assert (found["batch"], found["dtype"], found["totals"]["peak"]) == (3, "float16", 9 * MAP // 2)


def test_the_command(archcalc):
    status, out, err = archcalc("memory", "vgg16", "--format", "csv", "--columns", "layer,alive")
    assert (status, err) == (0, "")
    assert out.splitlines()[3].endswith(f",conv1_2,{2 * 64 * 224 * 224 * 4}")
    status, out, err = archcalc("memory", "vgg16", "--fit", "1GiB", "--batch", "0")
    assert (status, out, err) == (2, "", "archcalc: batch: must be at least 1, got 0\n")


def test_the_peak_stands_below_the_table_under_its_own_name(archcalc):
    _, out, _ = archcalc("table", "resnet50_tv", "--depth", "1")
    assert (
        "peak memory at inference, without the network input: 9.6 MB (9.2 MiB), reached at conv2_1.shortcut.bn" in out
    )


@pytest.mark.parametrize("layer", ["dropout", "identity", "slice: {stop: 2}"])
def test_a_network_of_views_alone_has_a_peak_of_nothing(spec, layer):
    """At inference no operator makes a tensor; 1 GiB holds 2^30 // (3 * 8 * 8 * 4) = 1,398,101 images."""
    net = spec(f"input: [3, 8, 8]\nlayers:\n  - {layer}\n")
    table = memory_table(net)
    assert table.totals["peak"] == 0
    assert any("0 bytes" in line for line in table.footer)
    assert all(render_table(table, format) for format in FORMATS)
    assert memory_table(net, fit="1GiB").rows[0][1] == 1_398_101
