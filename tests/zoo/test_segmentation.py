"""Segmentation networks against the figures of their papers, and against recounts written from the papers."""

import pytest

from archcalc import analyze, load


def conv(inputs: int, outputs: int, *kernel: int) -> int:
    cells = 1
    for k in kernel:
        cells *= k
    return inputs * outputs * cells + outputs


def unet_params() -> int:
    """Ronneberger et al., Figure 1: 64 to 1024 channels, 2x2 up-convolutions, one input channel, two classes."""
    widths = [64, 128, 256, 512, 1024]
    down = [conv(a, b, 3, 3) + conv(b, b, 3, 3) for a, b in zip([1, *widths], widths, strict=False)]
    up = [conv(2 * b, b, 2, 2) + conv(2 * b, b, 3, 3) + conv(b, b, 3, 3) for b in widths[:-1]]
    return sum(down) + sum(up) + conv(64, 2, 1, 1)


def vgg_params() -> int:
    widths = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), *[(256, 256)] * 2, (256, 512), *[(512, 512)] * 5]
    return sum(conv(a, b, 3, 3) for a, b in widths)


def fcn_params(scores: list[int], kernels: list[int]) -> int:
    """Long et al., section 4: VGG-16 with fc6 and fc7 as convolutions, 21 scores per map, upsampling without bias."""
    heads = conv(512, 4096, 7, 7) + conv(4096, 4096, 1, 1) + sum(conv(c, 21, 1, 1) for c in scores)
    return vgg_params() + heads + sum(21 * 21 * k * k for k in kernels)


def segnet_params() -> int:
    """Badrinarayanan et al., section 3: VGG-16's convolutions with batch normalisation, mirrored, and 11 scores."""
    encoder = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), *[(256, 256)] * 2, (256, 512), *[(512, 512)] * 5]
    decoder = [(b, a) for a, b in reversed(encoder[1:])]
    return sum(conv(a, b, 3, 3) + 2 * b for a, b in encoder + decoder) + conv(64, 11, 3, 3)


FIGURE_1 = [572, 570, 568, 284, 282, 280, 140, 138, 136, 68, 66, 64, 32, 30, 28]
FIGURE_1 += [56, 54, 52, 104, 102, 100, 200, 198, 196, 392, 390, 388]


def test_unet_has_the_sizes_of_its_figure_and_the_field_of_its_bottom():
    rows = analyze(load("unet")).rows
    sizes = [
        row.shape.axes[0] for row in rows if row.node.layer.type in ("input", "conv", "max_pool", "conv_transpose")
    ]
    assert sizes == [*FIGURE_1, 388]
    # two 3x3 convolutions on each of five levels, four poolings: 1 + 2*2*(1 + 2 + 4 + 8 + 16) + (1 + 2 + 4 + 8) = 140
    bottom = next(row for row in rows if row.name == "down5.double.conv2")
    assert [axis.field.size for axis in bottom.field] == [140, 140]


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("unet", unet_params()),
        ("unet_padded", unet_params()),
        ("segnet", segnet_params()),
        ("fcn32s", fcn_params([4096], [64])),
        ("fcn16s", fcn_params([4096, 512], [4, 32])),
        ("fcn8s", fcn_params([4096, 512, 256], [4, 4, 16])),
    ],
)
def test_parameters_are_those_of_the_paper_counted_anew(name, params):
    assert analyze(load(name)).totals.params == params


def test_a_padded_unet_returns_a_map_as_large_as_its_input():
    assert load("unet_padded").nodes[-1].shape == (2, (512, 512))


def test_3d_unet_takes_and_returns_the_tiles_of_its_figure():
    network = load("unet_3d")  # Figure 2: 132x132x116 voxels (x, y, z) in, 44x44x28 out
    assert (network.input, network.nodes[-1].shape) == ((3, (116, 132, 132)), (3, (28, 44, 44)))


@pytest.mark.parametrize("name", ["fcn32s", "fcn16s", "fcn8s"])
def test_fcn_returns_a_map_as_large_as_its_input_and_sees_404_pixels(name):
    analysis = analyze(load(name), input=(3, 481, 333))
    assert analysis.rows[-1].shape == (21, (481, 333))
    assert [axis.field.size for axis in analysis["fc7.conv"].field] == [404, 404]  # Table 1
