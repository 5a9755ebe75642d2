"""The pixels that one unit sees, against the brute force that follows every unit through real and endless maps."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from archcalc import ArchcalcError, load
from archcalc.errors import LayerError
from tests import random_nets as nets

from .test_receptive_field import RANDOM, conv, follow
from .test_summary import build


@RANDOM
@given(nets.networks(), nets.shapes, st.data())
def test_a_unit_of_a_random_network(net, shape, data):
    try:
        network = nets.build(net, shape)
    except LayerError:
        assume(False)
    node = network.nodes[-1]
    assume("multiply" not in {node.layer.type for node in network.nodes} and node.shape.axes)
    unit = [data.draw(st.integers(0, size - 1)) for size in node.shape.axes]
    field = network.analyze().field
    layer, seen = field.layer(node.name), field.unit(node.name, unit)
    assert layer.node is node or layer.node.name == node.name
    for axis, (at, one) in enumerate(zip(unit, seen, strict=True)):
        real = follow(network, net, axis, real=True)[at]
        assert one.inside == ((min(real), max(real)) if real else ())
        if one.exact and layer.field[axis].field.step:
            wide = follow(network, net, axis, real=False)[at]
            assert one.endless == ((min(wide), max(wide)) if wide else ())


def test_alexnet_written_out():
    """conv5 has field 163, step 16, padding 64: unit 3 sees -64 + 48 = -16 to 146, unit 4 sees 0 to 162."""
    rows, columns = load("alexnet").analyze().field.unit("conv5", (3, 4))
    assert (rows.endless, rows.inside) == ((-16, 146), (0, 146))
    assert (columns.endless, columns.inside) == ((0, 162), (0, 162))


def test_a_stride_may_leave_pixels_at_the_edge():
    """1x1 with stride 2 reads 0, 2, 4 of 6 pixels. Unit 2 of a 3x3 with a zero sees 2 to 6, but reads 2 to 4."""
    net = [conv(1, stride=2), conv(3, pad=1)]
    (seen,) = build(net, 6).analyze().field.unit("n2", (2,))
    assert (seen.endless, seen.inside) == ((2, 6), (2, 4))


def test_a_unit_may_see_padding_alone():
    (seen,) = build([conv(1, pad=2)], 3).analyze().field.unit("n1", (0,))
    assert (seen.endless, seen.inside) == ((-2, -2), ())


def test_padding_around_a_global_pool_is_padding():
    """Its 1x1 map with a zero on either side: unit 1 of three sees all five pixels, unit 0 a zero."""
    analysis = build([("global_avg_pool", {}), conv(1, pad=1)], 5).analyze()
    assert [analysis.field.unit("n2", (unit,))[0].inside for unit in range(3)] == [(), (0, 4), ()]


def test_past_the_gates():
    net = [("multiply", [[conv(3, pad=1)], nets.gate])]
    (seen,) = build(net, 9).analyze().field.unit("n5", (4,))
    assert seen.inside == (3, 5)


def test_a_block_stands_for_its_last_layer():
    analysis = load("googlenet").analyze()
    assert analysis.field.unit("inception_3a", (0, 0)) == analysis.field.unit("inception_3a.concat", (0, 0))
    assert load("vgg16").analyze().field.layer("conv3").node.name == "pool3"


@pytest.mark.parametrize(
    ("layer", "unit", "said"),
    [
        ("conv55", (0, 0), "unknown layer 'conv55'; did you mean 'conv5'?"),
        ("conv5", (13, 0), "unit 13,0 is not in the map of conv5: it is 13x13, units 0,0 to 12,12"),
        ("conv5", (0, -1), "unit 0,-1 is not in the map of conv5: it is 13x13, units 0,0 to 12,12"),
        ("conv5", (3,), "conv5 has a map of 256x13x13: a unit has 2 numbers, got 1"),
        ("fc6", (3,), "fc6 is a vector of 4096, without positions; its row shows what all of it sees"),
    ],
)
def test_what_is_no_unit(layer, unit, said):
    with pytest.raises(ArchcalcError) as error:
        load("alexnet").analyze().field.unit(layer, unit)
    assert str(error.value) == said


def test_a_unit_of_a_line_has_one_number(tmp_path):
    spec = tmp_path / "net.yaml"
    spec.write_text("input: [1, 8]\nlayers:\n  - conv: {out: 1, kernel: 3}\n")
    with pytest.raises(ArchcalcError) as error:
        load(str(spec)).analyze().field.unit("conv", (1, 2))
    assert str(error.value) == "conv has a map of 1x6: a unit has 1 number, got 2"
