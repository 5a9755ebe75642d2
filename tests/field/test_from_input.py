"""Fields in pixels of one of several inputs."""

from __future__ import annotations

import pytest

from archcalc import ArchcalcError
from archcalc.report.receptive_field import field_tables
from tests.nets import SIAMESE, THREE_INPUTS, network


@pytest.mark.parametrize(("name", "tower"), [("left", "a"), ("right", "b")])
def test_each_tower_sees_its_own_input(name: str, tower: str) -> None:
    """3, 4 and 8 pixels: a convolution of 3x3, a pooling of 2x2, a convolution of 3x3 at a step of 2 pixels."""
    analysis = network(SIAMESE).analyze().from_input(name)
    sizes = {layer.node.name: layer.field[0].field.size for layer in analysis.field.layers}
    alone = {f"{tower}.conv1": 3, f"{tower}.relu1": 3, f"{tower}.pool": 4, f"{tower}.conv2": 8}
    assert sizes == {name: 1, **alone, "both": 8, "global_avg_pool": 16, "flatten": 16, "fc": 16}
    assert analysis.field.summary.widening == [analysis.field.layer(f"{tower}.{x}") for x in ("conv1", "pool", "conv2")]
    assert analysis.field.summary.least == network(SIAMESE).analyze().field.summary.least


def test_a_mask_is_seen_where_it_is_multiplied() -> None:
    analysis = network(THREE_INPUTS).analyze()
    assert [layer.node.name for layer in analysis.from_input("mask").field.layers][:2] == ["mask", "masked"]
    assert analysis.from_input("image").field is analysis.field
    assert analysis["mask"].field == analysis["age"].field == ()
    (table,) = field_tables([analysis.from_input("mask")], everything=True)
    assert table.header.mode == ("fields in pixels of the input mask; --from-input image shows those of another",)
    assert table.header.facts["from_input"] == "mask"


@pytest.mark.parametrize(
    ("name", "layer", "said"),
    [
        ("masks", "", "net: unknown input 'masks'; did you mean 'mask'?"),
        ("age", "", "net has no spatial axes: its input age is a vector of 2, all of which every unit sees"),
        ("mask", "c1", "net: c1 does not depend on the input mask"),
        ("mask", "c9", "unknown layer 'c9'"),
    ],
)
def test_what_cannot_be_asked(name: str, layer: str, said: str) -> None:
    with pytest.raises(ArchcalcError) as caught:
        network(THREE_INPUTS).analyze().from_input(name).field.layer(layer)
    assert said in str(caught.value)


def test_the_table_says_which_layers_do_not_depend_on_the_main_input() -> None:
    lines = str(network(SIAMESE).analyze()).splitlines()
    (row,) = [line for line in lines if line.startswith("b.conv1")]
    assert row.split()[-3:] == ["-", "-", "-"]
