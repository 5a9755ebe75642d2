"""What runs as one operator where a network or a recording has several."""

from __future__ import annotations

from archcalc import Network
from archcalc.layers import registry
from archcalc.sizes import Shape
from archcalc.timing.time import Settings, recorded
from archcalc.timing.written import as_written, constants
from tests.nets import network


def made(*layers):
    """Layers on 6 tokens of 8 channels, as (type, settings, inputs)."""
    net = Network("net", Shape(8, (6,)))
    for type, settings, *inputs in layers:
        net.add(f"n{len(net.nodes)}", registry[type](**settings), inputs[0] if inputs else None)
    return net


def ran(net, **settings):
    return recorded(net, Settings(2, **settings), "gpu")


def test_a_product_with_a_single_number_keeps_the_precision():
    net = made(("linear", {"out": 8, "axis": "channels"}), ("parameter", {"size": (1,)}, [0]), ("multiply", {}, [1, 2]))
    assert constants(net) == {2}
    written = as_written(net)
    assert [node.layer.type for node in written.after_inputs] == ["linear", "parameter", "scale"]
    (product,) = [one for one in ran(net, amp=True) if one.name == "mul"]
    assert [one.itemsize for one in (*product.reads, *product.writes)] == [2, 2]
    assert as_written(written) is written


def test_a_vector_that_is_added_to_a_linear_layer_is_its_bias():
    net = made(
        ("linear", {"out": 5, "axis": "channels", "bias": False}),
        ("parameter", {"size": (5, 1)}, [0]),
        ("add", {}, [1, 2]),
        ("relu", {}),
    )
    written = as_written(net)
    assert [node.layer.type for node in written.after_inputs] == ["parameter", "linear", "relu"]
    assert written.after_inputs[1].layer.bias
    assert [node.shape for node in written.after_inputs[1:]] == [Shape(5, (6,))] * 2
    assert as_written(made(("linear", {"out": 5, "axis": "channels"}))).after_inputs[0].layer.type == "linear"


def test_what_a_parameter_is_made_into_runs_once_for_a_batch():
    net = made(("parameter", {"size": (8, 6)}, [0]), ("tanh", {}), ("add", {}, [0, 2]))
    found = {one.name: one for one in ran(net)}
    size = 8 * 6 * 4
    tanh = found.get("tanh") or found["tanh_"]
    assert tanh.bytes(100) == 2 * size
    assert found["add"].bytes(100) == 100 * 2 * size + size


ATTENTION = """
input: [16, 10]
layers:
  - linear: {out: 16, axis: channels}
    name: q
    from: input
  - linear: {out: 16, axis: channels}
    name: k
    from: input
  - linear: {out: 16, axis: channels}
    name: v
    from: input
  - attention: {heads: 4}
    from: [q, k, v]
"""


def test_an_attention_written_out_reads_and_writes_its_scores():
    net = network(ATTENTION)
    flash = [one for one in ran(net) if one.kind == "attention"]
    assert len(flash) == 1
    assert flash[0].macs == 2 * 10 * 10 * 16
    math = ran(net, attention="math")
    products = [one for one in math if one.name == "bmm"]
    assert sum(one.macs for one in products) == flash[0].macs
    scores = 4 * 10 * 10 * 4
    (softmax,) = [one for one in math if one.kind == "softmax"]
    assert softmax.bytes(1) == 2 * scores
    assert sum(one.bytes(1) for one in math) > sum(one.bytes(1) for one in ran(net)) + 4 * scores


def test_norms_in_half_precision_need_no_cast_of_their_result():
    net = made(
        ("linear", {"out": 8, "axis": "channels"}),
        ("layer_norm", {"axis": "channels"}),
        ("linear", {"out": 8, "axis": "channels"}),
    )
    single = sum(one.bytes(1) for one in ran(net, amp=True))
    half = sum(one.bytes(1) for one in ran(net, amp=True, half_norms=True))
    # in float32, autocast casts the map to four bytes before, and back after: 2 + 4 and 4 + 2 bytes, and 4 for 2 twice
    assert single - half == 8 * 6 * (6 + 6 + 4)
