"""YOLOv2 and YOLOv3, layer by layer as darknet prints them, and in total as their authors print them."""

from __future__ import annotations

import pytest

import archcalc

BFLOPS = [
    # pjreddie.com/darknet/yolo and yolov2: FLOPS in Bn, two for a multiply-add of a convolution
    ("yolov2", 608, "62.94"),
    ("yolov2_tiny", 416, "5.41"),
    ("yolov3", 416, "65.86"),
    ("yolov3", 608, "140.69"),
    ("yolov3_tiny", 416, "5.56"),
]


@pytest.mark.parametrize(("name", "size", "printed"), BFLOPS)
def test_operations_of_convolutions(name: str, size: int, printed: str) -> None:
    count = archcalc.load(name).analyze(input=(3, size, size)).totals.flops
    assert printed in (f"{count / 1e9:.2f}", f"{count // 10**7 / 100:.2f}")  # rounded, or cut off


WEIGHTS = [
    # size of the released weights file in bytes: a header of 20, and four for each parameter and statistic
    ("yolov3", 248_007_048),
    ("yolov3_tiny", 35_434_956),
]


@pytest.mark.parametrize(("name", "size"), WEIGHTS)
def test_the_weights_fill_the_released_file(name: str, size: int) -> None:
    totals = archcalc.load(name).analyze().totals
    assert 20 + 4 * (totals.params + totals.buffers) == size


def test_what_darknet_prints_for_yolov3() -> None:
    """65.879 BFLOPs at 416: 65.864 of convolutions, and 1 for every value that one of 23 shortcuts adds."""
    shortcuts = {208: (64, 1), 104: (128, 2), 52: (256, 8), 26: (512, 8), 13: (1024, 4)}
    added = sum(count * maps * size**2 for size, (maps, count) in shortcuts.items())
    found = archcalc.load("yolov3").analyze(convention="darknet")
    assert sum(row.macs or 0 for row in found.rows if row.type == "add") == added
    assert f"{(found.totals.macs - added) / 1e9:.3f}" == "65.864"
    assert f"{found.totals.macs / 1e9:.3f}" == "65.879"


def test_what_darknet_prints_for_a_pooling() -> None:
    """The first pooling of YOLOv3-tiny: 2x2 cells for each of 16 x 208 x 208 values."""
    found = archcalc.load("yolov3_tiny").analyze(convention="darknet")
    assert next(row.macs for row in found.rows if row.type == "max_pool") == 4 * 16 * 208**2


OUTPUTS = {
    # Redmon and Farhadi 2018, section 2.3: N x N x [3 * (4 + 1 + 80)] on three scales
    "yolov3": [(255, 13, 13), (255, 26, 26), (255, 52, 52)],
    "yolov3_tiny": [(255, 13, 13), (255, 26, 26)],
    "yolov2": [(425, 13, 13)],
    "yolov2_tiny": [(425, 13, 13)],
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_boxes(name: str) -> None:
    network = archcalc.load(name)
    outputs = [network.nodes[index].shape for index in network.results(False)]
    assert [(shape.channels, *shape.axes) for shape in outputs] == OUTPUTS[name]
