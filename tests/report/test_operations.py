"""The operations of a layer by kind. Attention has a row for each part, worked out by hand."""

from __future__ import annotations

import pytest

from archcalc import load
from archcalc.analysis.explanation import explain
from archcalc.analysis.rows import work_parts
from archcalc.conventions import convention
from archcalc.errors import ArchcalcError
from archcalc.report.layers import layer_table
from archcalc.report.operations import operations_table
from archcalc.sizes import Work

POSITIONS, CHANNELS, HEADS, LAYERS = 197, 768, 12, 12  # ViT-B/16: 14 x 14 patches and the class token
PRODUCT = POSITIONS * POSITIONS * CHANNELS
SCORES = HEADS * POSITIONS * POSITIONS
ROWS = HEADS * POSITIONS
VIT = {
    "queries x keys": {"mac": PRODUCT},
    "scale": {"mul": SCORES},
    "soft-max": {"exp": SCORES, "add": SCORES - ROWS, "div": SCORES},
    "weights x values": {"mac": PRODUCT},
}
# Swin-T, stage 1: 8 x 8 windows of 7 x 7 positions, 96 channels, 3 heads; block 2 is shifted.
SWIN_SCORES = 3 * 64 * 49 * 49
SWIN = {
    "queries x keys": {"mac": 64 * 49 * 49 * 96},
    "scale": {"mul": SWIN_SCORES},
    "bias": {"add": SWIN_SCORES},
    "mask": {"add": SWIN_SCORES},
    "soft-max": {"exp": SWIN_SCORES, "add": SWIN_SCORES - 3 * 64 * 49, "div": SWIN_SCORES},
    "weights x values": {"mac": 64 * 49 * 49 * 96},
}
CASES = [
    ("vit_b_16", "block3.msa.main.attention.heads.attention", VIT),
    ("swin_t", "stage1.block2.attend.main.msa.attention.attention", SWIN),
    ("lenet5", "F6", {"": {"mac": 120 * 84, "add": 84}}),
]


def shown(table):
    """The rows of a table by part: the numbers that are not zero."""
    kinds = [heading.name for heading in table.headings[3:]]
    return {row[2]: {kind: n for kind, n in zip(kinds, row[3:], strict=True) if n} for row in table.rows}


@pytest.mark.parametrize(("net", "layer", "parts"), CASES)
def test_a_layer_has_a_row_for_every_part(net, layer, parts):
    assert shown(operations_table(load(net).analyze(), layer)) == parts


def test_the_parts_of_a_batch_add_up_to_the_work_of_the_layer():
    for net in ("swin_t", "vit_b_16", "mvit_v1_b"):
        analysis = load(net).analyze(batch=3)
        rows = [row for row in analysis.rows if row.type == "attention"]
        assert rows
        assert all(Work.sum(work_parts(row, 3).values()) == row.work for row in rows)


def test_a_block_has_a_row_for_every_layer_with_operations():
    table = operations_table(load("vit_b_16").analyze(), "block1.msa")
    assert [row[2] or row[1] for row in table.rows] == ["layer_norm", "linear", *VIT, "linear", "add"]
    assert table.total[3] == 2 * PRODUCT + 4 * POSITIONS * CHANNELS * CHANNELS


def test_an_unknown_layer_is_refused_with_the_nearest_name():
    with pytest.raises(ArchcalcError, match="unknown layer 'F7'; did you mean 'F6'"):
        operations_table(load("lenet5").analyze(), "F7")


def test_the_table_of_layers_has_the_products_of_attention():
    table = layer_table(load("vit_b_16").analyze())
    each = f"{LAYERS * PRODUCT:,}"
    assert (
        f"MACs of attention: queries x keys {each}, weights x values {each}. "
        "All parts of a layer: archcalc explain vit_b_16 --layer NAME" in table.footer
    )
    assert table.totals["parts"]["attention"] == {
        part: {kind: LAYERS * n for kind, n in work.items()} for part, work in VIT.items()
    }


def test_a_convention_that_leaves_the_products_out_says_nothing_of_them():
    footer = layer_table(load("vit_b_16").analyze(convention="torch-cpu")).footer
    assert not any("attention" in line for line in footer)


def test_an_explanation_begins_with_the_products_of_attention():
    first, queries, values, *_ = explain(load("vit_b_16"), convention("torch")).terms["operations"]
    assert first.label == "archcalc: multiply-adds of all layers but attention"
    assert (first.layers, first.amount) == (50, 17_563_828_224 - 2 * LAYERS * PRODUCT)  # torchvision's _ops
    assert queries[:3] == ("archcalc: attention, queries x keys", LAYERS, LAYERS * PRODUCT)
    assert values[:3] == ("archcalc: attention, weights x values", LAYERS, LAYERS * PRODUCT)


def test_layer_takes_no_tool(archcalc):
    assert "it takes no --as or --measure" in archcalc("explain", "lenet5", "--layer", "F6", "--as", "fvcore")[2]
    assert "10,080" in archcalc("explain", "lenet5", "--layer", "F6")[1]
