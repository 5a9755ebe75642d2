"""Small networks of Caffe and darknet, written for the tests."""

from __future__ import annotations

from archcalc.language.expand import expand
from archcalc.language.imports import import_text
from archcalc.network import Network


def caffe(text: str, **options: object) -> Network:
    """The network in the text of a prototxt."""
    return expand(import_text(text, "net.prototxt", "net", "importing.caffe_network", **options), "net")  # type: ignore[arg-type]


def darknet(text: str, **options: object) -> Network:
    """The network in the text of a cfg."""
    return expand(import_text(text, "net.cfg", "net", "importing.cfg_network", **options), "net")  # type: ignore[arg-type]


def layer(kind: str, bottom: str, top: str, more: str = "") -> str:
    """A layer of a prototxt, called after its top. ``bottom`` and ``top`` may be several names."""
    bottoms = " ".join(f'bottom: "{name}"' for name in bottom.split())
    tops = " ".join(f'top: "{name}"' for name in top.split())
    return f'layer {{ name: "{top.split()[0]}" type: "{kind}" {bottoms} {tops} {more} }}\n'


DATA = 'input: "data" input_shape { dim: 1 dim: 8 dim: 13 dim: 12 }\n'
NET = "[net]\nheight=13\nwidth=12\nchannels=8\n"

LENET = """
name: "small LeNet"
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TRAIN }
  transform_param { crop_size: 32 force_gray: true } }
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TEST }
  transform_param { crop_size: 28 force_gray: true } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  param { name: "w" lr_mult: 1 } param { lr_mult: 2 }
  convolution_param { num_output: 6 kernel_size: 5 weight_filler { type: "xavier" } } }
layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1"
  pooling_param { pool: MAX kernel_size: 3 stride: 2 } }   # rounds up: 24 to 12
layer { name: "bn1" type: "BatchNorm" bottom: "pool1" top: "pool1" batch_norm_param { use_global_stats: true } }
layer { name: "scale1" type: "Scale" bottom: "pool1" top: "pool1" scale_param { bias_term: true } }
layer { name: "relu1" type: "ReLU" bottom: "pool1" top: "pool1" }
layer { name: "ip1" type: "InnerProduct" bottom: "pool1" top: "ip1" inner_product_param { num_output: 10 } }
layer { name: "accuracy" type: "Accuracy" bottom: "ip1" bottom: "label" top: "accuracy" include { phase: TEST } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip1" bottom: "label" top: "loss" }
"""

TINY_YOLO = """
[net]
batch=64
width=64
height=64
channels=3

[convolutional]
batch_normalize=1
filters=8
size=3
stride=1
pad=1
activation=leaky

[maxpool]
size=2
stride=2

[convolutional]
batch_normalize=1
filters=16
size=3
stride=1
pad=1
activation=leaky

[shortcut]
from=-2
activation=linear

[convolutional]
size=1
stride=1
pad=1
filters=21
activation=linear

[yolo]
mask = 0,1,2
classes=2
num=3

[route]
layers = -3

[upsample]
stride=2

[route]
layers = -1, 0
"""
