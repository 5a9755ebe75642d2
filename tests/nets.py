"""Small networks of the kinds that a zoo of classifiers lacks: encoder and decoder, pyramid, detector, clip."""

from __future__ import annotations

import os
from tempfile import TemporaryDirectory

from archcalc import Network, load


def network(text: str, name: str = "net") -> Network:
    """The network of a spec's text."""
    with TemporaryDirectory() as folder:
        path = os.path.join(folder, f"{name}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return load(path)


UNET = """
title: Small U-Net
input: [1, 32, 32]
blocks:
  double:
    params: [out]
    layers:
      - conv: {out: out, kernel: 3, pad: 1}
      - relu
      - conv: {out: out, kernel: 3, pad: 1}
      - relu
layers:
  - double: {out: 4}
    name: d1
  - max_pool: {kernel: 2, stride: 2}
    name: pool1
  - double: {out: 8}
    name: d2
  - max_pool: {kernel: 2, stride: 2}
    name: pool2
  - double: {out: 16}
    name: d3
  - conv_transpose: {out: 8, kernel: 2, stride: 2}
    name: up2
  - concat:
    from: [d2, up2]
    name: cat2
  - double: {out: 8}
    name: u2
  - conv_transpose: {out: 4, kernel: 2, stride: 2}
    name: up1
  - concat:
    from: [d1, up1]
    name: cat1
  - double: {out: 4}
    name: u1
  - conv: {out: 2, kernel: 1}
    name: out
"""

UNET_WITH_LATERALS = UNET.replace(
    "  - concat:\n    from: [d2, up2]",
    "  - conv: {out: 8, kernel: 1}\n    from: d2\n    name: side2\n  - concat:\n    from: [side2, up2]",
)

FPN = """
title: Small FPN
input: [3, 32, 32]
layers:
  - conv: {out: 4, kernel: 3, stride: 2, pad: 1}
    name: c1
  - conv: {out: 8, kernel: 3, stride: 2, pad: 1}
    name: c2
  - conv: {out: 16, kernel: 3, stride: 2, pad: 1}
    name: c3
  - conv: {out: 8, kernel: 1}
    name: m3
  - conv: {out: 8, kernel: 1}
    name: side2
    from: c2
  - upsample: {scale: 2, mode: nearest}
    name: up3
    from: m3
  - add:
    from: [side2, up3]
    name: m2
  - conv: {out: 8, kernel: 1}
    name: side1
    from: c1
  - upsample: {scale: 2, mode: nearest}
    name: up2
    from: m2
  - add:
    from: [side1, up2]
    name: m1
  - conv: {out: 8, kernel: 3, pad: 1}
    name: p3
    from: m3
  - conv: {out: 8, kernel: 3, pad: 1}
    name: p2
    from: m2
  - conv: {out: 8, kernel: 3, pad: 1}
    name: p1
    from: m1
"""

SSD = """
title: Small SSD
input: [3, 32, 32]
layers:
  - conv: {out: 4, kernel: 3, pad: 1}
    name: c1
  - conv: {out: 8, kernel: 3, stride: 2, pad: 1}
    name: c2
  - conv: {out: 16, kernel: 3, stride: 2, pad: 1}
    name: c3
  - conv: {out: 16, kernel: 3, stride: 2, pad: 1}
    name: c4
  - conv: {out: 6, kernel: 3, pad: 1}
    name: head2
    from: c2
  - flatten:
    name: flat2
  - conv: {out: 6, kernel: 3, pad: 1}
    name: head3
    from: c3
  - flatten:
    name: flat3
  - conv: {out: 6, kernel: 3, pad: 1}
    name: head4
    from: c4
  - flatten:
    name: flat4
  - concat:
    from: [flat2, flat3, flat4]
    name: boxes
"""

CLIP = """
title: Small clip network
input: [3, 8, 32, 32]
layers:
  - conv: {out: 4, kernel: 3, pad: 1}
    name: c1
  - max_pool: {kernel: 2, stride: 2}
    name: p1
  - conv: {out: 8, kernel: [1, 3, 3], pad: [0, 1, 1]}
    name: c2
  - max_pool: {kernel: 2, stride: 2}
    name: p2
  - conv: {out: 8, kernel: 3, pad: 1}
    name: c3
  - flatten
  - linear: {out: 5}
    name: fc
"""

SIAMESE = """
title: Small siamese network
inputs: {left: [1, 16, 16], right: [1, 16, 16]}
layers:
  - conv: {out: 4, kernel: 3, pad: 1}
    name: a.conv1
  - relu:
    name: a.relu1
  - max_pool: {kernel: 2, stride: 2}
    name: a.pool
  - conv: {out: 8, kernel: 3, pad: 1}
    name: a.conv2
  - conv: {out: 4, kernel: 3, pad: 1}
    name: b.conv1
    from: right
    weights: a.conv1
  - relu:
    name: b.relu1
  - max_pool: {kernel: 2, stride: 2}
    name: b.pool
  - conv: {out: 8, kernel: 3, pad: 1}
    name: b.conv2
    weights: a.conv2
  - concat:
    from: [a.conv2, b.conv2]
    name: both
  - global_avg_pool
  - flatten
  - linear: {out: 2}
    name: fc
"""

THREE_INPUTS = """
title: Image, mask and age
inputs: {image: [3, 32, 32], mask: [1, 8, 8], age: [2]}
outputs: [scores, weight]
layers:
  - conv: {out: 8, kernel: 3, stride: 2, pad: 1}
    name: c1
  - conv: {out: 16, kernel: 3, stride: 2, pad: 1}
    name: c2
  - multiply:
    from: [c2, mask]
    name: masked
  - global_avg_pool
  - flatten:
    name: pooled
  - concat:
    from: [pooled, age]
    name: both
  - linear: {out: 5}
    name: scores
  - linear: {out: 1}
    from: both
    name: weight
"""
