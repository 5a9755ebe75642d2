"""Networks whose output is an image, a map of scores or a sequence, and networks for clips, against their papers.

C3D, SRCNN, ESPCN, EDSR, DnCNN, PatchGAN, a TCN, WaveNet and wav2vec 2.0's feature encoder.
"""

from __future__ import annotations

from typing import Any

import pytest

import archcalc


def analysis(name: str, **settings: Any) -> Any:
    return archcalc.load(name, **settings).analyze()


FIELDS = [
    # network, settings, field of the output along every axis, as its paper says
    ("srcnn", {}, 13),  # 9 + 1 + 5 - 2
    ("srcnn_955", {}, 17),  # 9 + 5 + 5 - 2
    ("dncnn_s", {}, 35),  # Zhang et al. 2017, section III.A: (2d + 1) x (2d + 1), 35 x 35
    ("dncnn_b", {}, 41),
    ("patchgan_70", {}, 70),  # Isola et al. 2017: its names are its fields
    ("patchgan_16", {}, 16),
    ("patchgan_286", {}, 286),
    (
        "wavenet",
        {"blocks": 1},
        1024 + 1,
    ),  # section 2.1: a block 1, 2, ..., 512 has a field of 1024; the first conv adds 1
    ("wavenet", {}, 3 * 1023 + 1 + 1),
    ("wav2vec2_encoder_large", {}, 400),  # Baevski et al. 2020, section 4.2: 400 samples, or 25 ms
]


@pytest.mark.parametrize(("name", "settings", "size"), FIELDS)
def test_field_as_the_paper_says(name: str, settings: dict[str, Any], size: int) -> None:
    assert {axis.field.size for axis in analysis(name, **settings).rows[-1].field} == {size}


def test_field_of_the_tcn() -> None:
    """Two causal convolutions of 7 for each of 8 dilations, and no later position."""
    (last,) = [row.field[0].field for row in analysis("tcn").rows if row.name == "last"]
    assert last.size == 1 + 2 * (7 - 1) * (2**8 - 1)
    assert last.start + last.size == 784


def test_wav2vec_steps_by_20_milliseconds() -> None:
    """Section 4.2: a stride of about 20 ms, 320 samples at 16 kHz: 49 vectors for a second."""
    last = analysis("wav2vec2_encoder_large").rows[-1]
    assert (last.field[0].field.step, last.shape.axes) == (320, (49,))


def conv(inputs: int, outputs: int, kernel: int, *, bias: bool = True) -> int:
    return inputs * outputs * kernel**2 + bias * outputs


def edsr(scale: int, blocks: int, width: int) -> int:
    """Lim et al. 2017, Figures 2 and 3."""
    upsampling = conv(width, 9 * width, 3) if scale == 3 else (scale // 2) * conv(width, 4 * width, 3)
    return conv(3, width, 3) + (2 * blocks + 1) * conv(width, width, 3) + upsampling + conv(width, 3, 3)


PARAMS = [
    ("c3d", 3 * 64 * 27 + 64 + 64 * 128 * 27 + 128 + (128 + 256) * 256 * 27 + 2 * 256
     + (256 + 3 * 512) * 512 * 27 + 4 * 512 + 8192 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 487 + 487),
    ("espcn", conv(1, 64, 5) + conv(64, 32, 3) + conv(32, 9, 3)),
    ("edsr_x2", edsr(2, 32, 256)),
    ("edsr_x3", edsr(3, 32, 256)),
    ("edsr_x4", edsr(4, 32, 256)),
    ("edsr_baseline_x2", edsr(2, 16, 64)),
    ("edsr_baseline_x4", edsr(4, 16, 64)),
    ("dncnn_s", conv(1, 64, 3) + 15 * (conv(64, 64, 3, bias=False) + 2 * 64) + conv(64, 1, 3)),
    ("wav2vec2_encoder", 512 * 10 + 512 * 512 * (4 * 3 + 2 * 2) + 2 * 512),
    # the encoder, a norm and a projection, positions with 128 trained lengths, and 12 blocks
    ("wav2vec2_base", 512 * 10 + 512 * 512 * (4 * 3 + 2 * 2) + 2 * 512 + 2 * 512 + 513 * 768
     + 768 * 48 * 128 + 128 + 768 + 2 * 768 + 12 * (4 * 769 * 768 + 769 * 3072 + 3073 * 768 + 4 * 768)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "params"), PARAMS)
def test_parameters_by_hand(name: str, params: int) -> None:
    assert analysis(name).totals.params == params


PRINTED = [
    # Lim et al. 2017, Table 1: parameters of the baseline and of EDSR
    ("edsr_baseline_x4", "1.5"),
    ("edsr_x4", "43"),
]


@pytest.mark.parametrize(("name", "millions"), PRINTED)
def test_parameters_as_printed(name: str, millions: str) -> None:
    assert f"{analysis(name).totals.params / 1e6:.{len(millions.partition('.')[2])}f}" == millions


SRCNN = {"srcnn": 8_032, "srcnn_935": 24_416, "srcnn_955": 57_184}
"""Dong et al. 2016, section 4.3: parameters without biases."""


@pytest.mark.parametrize("name", SRCNN)
def test_weights_of_srcnn(name: str) -> None:
    assert sum(row.params.weight for row in analysis(name).rows) == SRCNN[name]


SIZES = [
    ("srcnn", (1, 21, 21)),  # 33 - 8 - 0 - 4
    ("espcn", (1, 51, 51)),  # three times 17
    ("edsr_x4", (3, 192, 192)),
    ("patchgan_70", (1, 30, 30)),
    ("wavenet", (256, 4096)),
]


@pytest.mark.parametrize(("name", "shape"), SIZES)
def test_output(name: str, shape: tuple[int, ...]) -> None:
    last = analysis(name).rows[-1].shape
    assert (last.channels, *last.axes) == shape


FRAMES = [
    # Tran et al. 2015, Figure 3 and section 3.1: sizes after every pooling, frames first
    ("pool1", (64, 16, 56, 56)),
    ("pool2", (128, 8, 28, 28)),
    ("pool3", (256, 4, 14, 14)),
    ("pool4", (512, 2, 7, 7)),
    ("pool5", (512, 1, 4, 4)),
]


@pytest.mark.parametrize(("layer", "shape"), FRAMES)
def test_sizes_of_c3d(layer: str, shape: tuple[int, ...]) -> None:
    row = next(row for row in analysis("c3d").rows if row.name == layer)
    assert (row.shape.channels, *row.shape.axes) == shape
