"""The operators of a recording: their products, their bytes and their orders, worked out by hand."""

from __future__ import annotations

import pytest

from archcalc import load
from archcalc.layers import registry
from archcalc.memory.lifetime import inference
from archcalc.memory.training import training
from archcalc.pytorch.layout import MANY, Batch
from archcalc.timing.operators import operators
from archcalc.timing.products import PRODUCTS
from tests.nets import network

SMALL = """
input: [4, 8, 8]
layers:
  - conv: {out: 6, kernel: 3, pad: 1}
    name: conv
  - batch_norm
  - relu
  - flatten
  - linear: {out: 10}
    name: fc
"""


def of(net, run=inference, **settings):
    return operators(net, run(net, "float32", batch=Batch(MANY), **settings))


def named(found, name):
    return [one for one in found if one.name == name]


def test_an_operator_reads_its_input_and_weights_and_writes_its_output():
    (conv,) = named(of(network(SMALL)), "convolution")
    # reads 4x8x8 values and 6x4x3x3 weights with 6 biases, writes 6x8x8 values; 4 bytes each
    assert [(one.per_image, one.fixed) for one in conv.reads] == [(1024, 0), (0, 4 * (216 + 6))]
    assert [(one.per_image, one.fixed) for one in conv.writes] == [(1536, 0)]
    assert conv.bytes(10) == 10 * 2560 + 888
    assert conv.macs == 6 * 64 * 36
    assert conv.product == (6 * 64 * 36, 64, 6, 36, 1, 9, 4, 3)


def test_autocast_casts_the_input_and_every_weight():
    found = of(network(SMALL), amp=True)
    casts = named(found, "_to_copy")
    # of the convolution: the bias, the weights, the input; of the linear layer: the bias and the weights
    assert [one.bytes(1) for one in casts] == [6 * 6, 6 * 216, 6 * 256, 6 * 10, 6 * 3840]
    (conv,) = named(found, "convolution")
    assert (conv.itemsize, conv.bytes(1)) == (2, 512 + 2 * 222 + 768)


def test_a_backward_pass_takes_the_products_twice_and_the_first_layer_once():
    found = of(network(SMALL), training)
    (conv,) = named(found, "convolution backward")
    assert conv.macs == 6 * 64 * 36  # the image needs no gradient
    assert sum(one.macs for one in named(found, "addmm backward")) == 2 * 3840
    assert [one.phase for one in found] == sorted((one.phase for one in found), key=["forward", "backward"].index)


@pytest.mark.parametrize("name", ["resnet50", "vit_b_16", "swin_t", "mobilenet_v2", "googlenet", "unet"])
@pytest.mark.parametrize("amp", [False, True])
def test_the_products_of_all_operators_are_those_of_the_network(name, amp):
    net = load(name)
    assert sum(one.macs for one in of(net, amp=amp)) == net.analyze().totals.work.mac


def test_a_backward_pass_reads_no_more_than_a_forward_pass_made():
    """The gradient of a sum is read by every branch, and written by none."""
    forward, backward = (
        sum(one.bytes(1) for one in of(load("resnet50"), training) if one.phase == phase)
        for phase in ("forward", "backward")
    )
    assert forward < backward < 3 * forward


def test_channels_last_reaches_the_maps_behind_convolutions():
    found = of(load("resnet50"), channels_last=True, amp=True)
    assert {one.writes[0].order for one in found if one.name == "convolution"} == {"last"}
    assert {one.writes[0].order for one in of(load("resnet50")) if one.name == "convolution"} == {"first"}


def test_every_layer_type_with_multiply_adds_has_its_products():
    multiplies = set()
    for name in ("lenet5", "deepface", "dcgan", "vit_b_16", "swin_t"):
        try:
            net = load(name)
        except Exception:
            continue
        multiplies |= {row.type for row in net.analyze().rows if row.work.mac}
    assert multiplies <= PRODUCTS.keys() <= registry.keys()
