"""Fields that are used again at another input are those that are computed there."""

from __future__ import annotations

import pytest

from archcalc import analyze, load
from archcalc.field.node_fields import node_fields

DECODER = """
input: [3, 64, 64]
layers:
  - {conv: {out: 8, kernel: 3, pad: same}, name: first}
  - max_pool: {kernel: 3, stride: 2, pad: 1}
  - add: {a: [{conv: {out: 8, kernel: 3, pad: 1}}, relu], b: []}
  - conv: {out: 8, kernel: 3, stride: 2, pad: same}
  - multiply: {a: [], b: [global_avg_pool, {conv: {out: 8, kernel: 1}}, sigmoid]}
  - conv_transpose: {out: 8, kernel: 3, stride: 2}
  - upsample: {scale: 2}
  - concat: {a: [{conv: {out: 8, kernel: 5, pad: 2}}], b: [{max_pool: {kernel: 3, stride: 1, pad: 1}}]}
  - add: {a: [{conv: {out: 16, kernel: 1}}], b: [global_avg_pool]}
  - adaptive_avg_pool: {out: 3}
  - flatten
  - linear: {out: 10}
"""


@pytest.fixture
def decoder(tmp_path):
    (tmp_path / "decoder.yaml").write_text(DECODER)
    return str(tmp_path / "decoder.yaml")


@pytest.mark.parametrize("side", [40, 63, 65, 96])
@pytest.mark.parametrize("name", ["resnet18", "densenet121", "mobilenet_v3_small", "shufflenet_v2_x0_5", "decoder"])
def test_fields_at_another_input(name, side, request):
    net = load(request.getfixturevalue("decoder") if name == "decoder" else name)
    there = net.at(net.input._replace(axes=(side, side)))
    known = net, [row.field for row in analyze(net, training=True).rows]
    again, anew = node_fields(there, cut=False, known=known), node_fields(there, cut=False)
    assert again == anew
    if side == 96:  # strides leave no pixels over, as at the network's own input
        assert any(a is b for a, b in zip(again[1:], known[1][1:], strict=True))
