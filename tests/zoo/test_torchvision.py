"""Every CNN of torchvision for images, clips and segmentation against the spec that describes it, without tolerance.

Two witnesses: what torchvision's own weights entries say, at the resolution they were evaluated at, and
the model itself, built without memory and measured by torch's counter of convolutions and matrix products.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

import archcalc

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision.models")

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from archcalc.conventions.source_style import MODULE, TORCHVISION, source_style  # noqa: E402
from archcalc.witness.as_on_cpu import AsOnCpu, WithoutMemory  # noqa: E402
from archcalc.witness.built import Built  # noqa: E402
from archcalc.witness.counterpart import unlike_module  # noqa: E402

SPECS = {
    # torchvision's name: the network's, which is the same unless torchvision departs from the paper
    "alexnet": "alexnet_tv",
    "convnext_base": "convnext_base",
    "convnext_large": "convnext_large",
    "convnext_small": "convnext_small",
    "convnext_tiny": "convnext_tiny",
    "deeplabv3_mobilenet_v3_large": "deeplabv3_mobilenet_v3_large",
    "deeplabv3_resnet101": "deeplabv3_resnet101",
    "deeplabv3_resnet50": "deeplabv3_resnet50",
    "densenet121": "densenet121",
    "densenet161": "densenet161",
    "densenet169": "densenet169",
    "densenet201": "densenet201",
    "efficientnet_b0": "efficientnet_b0",
    "efficientnet_b1": "efficientnet_b1",
    "efficientnet_b2": "efficientnet_b2",
    "efficientnet_b3": "efficientnet_b3",
    "efficientnet_b4": "efficientnet_b4",
    "efficientnet_b5": "efficientnet_b5",
    "efficientnet_b6": "efficientnet_b6",
    "efficientnet_b7": "efficientnet_b7",
    "efficientnet_v2_l": "efficientnet_v2_l",
    "efficientnet_v2_m": "efficientnet_v2_m",
    "efficientnet_v2_s": "efficientnet_v2_s",
    "fcn_resnet101": "fcn_resnet101",
    "fcn_resnet50": "fcn_resnet50",
    "googlenet": "googlenet_tv",
    "inception_v3": "inception_v3",
    "lraspp_mobilenet_v3_large": "lraspp_mobilenet_v3_large",
    "maxvit_t": "maxvit_t",
    "mc3_18": "mc3_18",
    "mnasnet0_5": "mnasnet0_5",
    "mnasnet0_75": "mnasnet0_75",
    "mnasnet1_0": "mnasnet1_0",
    "mnasnet1_3": "mnasnet1_3",
    "mobilenet_v2": "mobilenet_v2",
    "mobilenet_v3_large": "mobilenet_v3_large",
    "mobilenet_v3_small": "mobilenet_v3_small",
    "mvit_v1_b": "mvit_v1_b",
    "mvit_v2_s": "mvit_v2_s",
    "r2plus1d_18": "r2plus1d_18_tv",
    "r3d_18": "r3d_18",
    "regnet_x_16gf": "regnet_x_16gf",
    "regnet_x_1_6gf": "regnet_x_1_6gf",
    "regnet_x_32gf": "regnet_x_32gf",
    "regnet_x_3_2gf": "regnet_x_3_2gf",
    "regnet_x_400mf": "regnet_x_400mf_tv",
    "regnet_x_800mf": "regnet_x_800mf",
    "regnet_x_8gf": "regnet_x_8gf",
    "regnet_y_128gf": "regnet_y_128gf",
    "regnet_y_16gf": "regnet_y_16gf",
    "regnet_y_1_6gf": "regnet_y_1_6gf",
    "regnet_y_32gf": "regnet_y_32gf",
    "regnet_y_3_2gf": "regnet_y_3_2gf",
    "regnet_y_400mf": "regnet_y_400mf",
    "regnet_y_800mf": "regnet_y_800mf_tv",
    "regnet_y_8gf": "regnet_y_8gf_tv",
    "resnet101": "resnet101_tv",
    "resnet152": "resnet152_tv",
    "resnet18": "resnet18",
    "resnet34": "resnet34",
    "resnet50": "resnet50_tv",
    "resnext101_32x8d": "resnext101_32x8d",
    "resnext101_64x4d": "resnext101_64x4d",
    "resnext50_32x4d": "resnext50_32x4d",
    "s3d": "s3d",
    "shufflenet_v2_x0_5": "shufflenet_v2_x0_5",
    "shufflenet_v2_x1_0": "shufflenet_v2_x1_0",
    "shufflenet_v2_x1_5": "shufflenet_v2_x1_5",
    "shufflenet_v2_x2_0": "shufflenet_v2_x2_0",
    "squeezenet1_0": "squeezenet1_0",
    "squeezenet1_1": "squeezenet1_1",
    "vgg11": "vgg11",
    "vgg11_bn": "vgg11_bn",
    "vgg13": "vgg13",
    "vgg13_bn": "vgg13_bn",
    "vgg16": "vgg16",
    "vgg16_bn": "vgg16_bn",
    "vgg19": "vgg19",
    "vgg19_bn": "vgg19_bn",
    "swin3d_b": "swin3d_b",
    "swin3d_s": "swin3d_s",
    "swin3d_t": "swin3d_t",
    "swin_b": "swin_b",
    "swin_s": "swin_s",
    "swin_t": "swin_t",
    "swin_v2_b": "swin_v2_b",
    "swin_v2_s": "swin_v2_s",
    "swin_v2_t": "swin_v2_t",
    "vit_b_16": "vit_b_16",
    "vit_b_32": "vit_b_32",
    "vit_h_14": "vit_h_14",
    "vit_l_16": "vit_l_16",
    "vit_l_32": "vit_l_32",
    "wide_resnet101_2": "wide_resnet101_2",
    "wide_resnet50_2": "wide_resnet50_2",
}
RUNNING_SIDE_HEADS = (
    "deeplabv3_mobilenet_v3_large",
    "deeplabv3_resnet101",
    "deeplabv3_resnet50",
    "fcn_resnet101",
    "fcn_resnet50",
)
"""Whose auxiliary classifier runs at inference, too: _ops and num_params have it."""
SIDE_HEADS = ("googlenet", "inception_v3", *RUNNING_SIDE_HEADS)
COUNTED_WITH_SIDE_HEAD = ("inception_v3", *RUNNING_SIDE_HEADS)
"""Whose num_params has the auxiliary classifier; GoogLeNet's has not."""
ARGUMENTS = {
    "vit_h_14": {"image_size": 518},  # the size of its weights
    "googlenet": {"init_weights": False},
    "inception_v3": {"init_weights": False},
    **{name: {"weights_backbone": None, "aux_loss": True} for name in RUNNING_SIDE_HEADS},
    "lraspp_mobilenet_v3_large": {"weights_backbone": None},
}
FRAMES = 16
"""Frames of a clip for which _ops was counted."""

WEIGHTS = [(name, entry) for name in SPECS for entry in models.get_model_weights(name)]


@cache
def analysis(name: str, sizes: tuple[int, ...]) -> Any:
    return archcalc.load(SPECS[name]).analyze(input=sizes, training=name in SIDE_HEADS)


def input_of(entry: Any) -> tuple[int, ...]:
    """The input for which the figures of a weights entry were counted."""
    transforms = entry.transforms()
    size = getattr(transforms, "crop_size", transforms.resize_size)
    return (3, *([FRAMES] if len(size) == 2 else []), *(size if len(size) == 2 else size * 2))


def inference(found: Any) -> list[Any]:
    """The rows without the auxiliary classifiers that do not run at inference."""
    runs = found.network.name in RUNNING_SIDE_HEADS
    return [row for row in found.rows if runs or row not in found.side_rows]


def macs(found: Any) -> int:
    return sum(row.macs or 0 for row in inference(found))


def test_no_model_of_torchvision_is_missing() -> None:
    homes = (models, models.segmentation, models.video)
    shipped = {name for home in homes for name in models.list_models(module=home)}
    assert shipped == set(SPECS)


@pytest.mark.parametrize(("name", "entry"), WEIGHTS, ids=[f"{name}-{entry.name}" for name, entry in WEIGHTS])
def test_as_the_weights_entry_says(name: str, entry: Any) -> None:
    found = analysis(name, input_of(entry))
    counted = found.rows if name in COUNTED_WITH_SIDE_HEAD else inference(found)
    assert sum(row.param_count for row in counted) == entry.meta["num_params"]
    assert round(macs(found) / 1e9, 3) == entry.meta["_ops"]


def built(name: str) -> Any:
    with AsOnCpu(), WithoutMemory():
        model = models.get_model(name, weights=None, **ARGUMENTS.get(name, {}))
    assert all(p.is_meta for p in model.parameters())
    return model.eval()


def weights(row: Any) -> list[int]:
    """The sizes of the weights of a layer: one, but for a continuous bias, whose weights are 2x512 and 512 x heads."""
    if row.type == "attention" and row.node.layer.bias == "continuous":
        heads = row.node.layer.heads
        return [heads, 2 * 512, 512 * heads]
    return [row.params.weight]


@pytest.mark.parametrize("name", SPECS)
def test_as_the_model_is(name: str) -> None:
    """Parameters, their sizes, buffers, and the work of convolutions and linear layers."""
    sizes = input_of(models.get_model_weights(name).DEFAULT)
    model, found = built(name), analysis(name, sizes)

    assert found.totals.params == sum(p.numel() for p in model.parameters())
    assert found.totals.buffers == sum(b.numel() for b in model.buffers() if b.is_floating_point())
    ours = [n for row in found.rows for n in (*weights(row), row.params.bias) if n]
    assert sorted(ours) == sorted(p.numel() for p in model.parameters())

    with (
        torch.no_grad(),
        AsOnCpu(),
        FlopCounterMode(display=False) as counter,
    ):  # AsOnCpu knows the results of an operator
        model(torch.empty(1, *sizes, device="meta"))
    assert 2 * macs(found) == counter.get_total_flops()


# Printed figures.

PRINTED = [
    # network, settings, what, as printed: rounded to its digits, in M or G
    # Howard et al. 2017, Table 6, as quoted in the documentation of keras.applications.mobilenet
    ("mobilenet_v1", {}, "params", "4.2M"),
    ("mobilenet_v1_0.75", {}, "macs", "325M"),
    ("mobilenet_v1_0.75", {}, "params", "2.6M"),
    ("mobilenet_v1_0.5", {}, "macs", "149M"),
    ("mobilenet_v1_0.5", {}, "params", "1.3M"),
    ("mobilenet_v1_0.25", {}, "macs", "41M"),
    ("mobilenet_v1_0.25", {}, "params", "0.5M"),
    # tensorflow/models, research/slim/nets/mobilenet_v1.md
    ("mobilenet_v1", {}, "macs", "569M"),
    ("mobilenet_v1", {"resolution": 192}, "macs", "418M"),
    ("mobilenet_v1", {"resolution": 160}, "macs", "291M"),
    ("mobilenet_v1", {"resolution": 128}, "macs", "186M"),
    ("mobilenet_v1_0.5", {"resolution": 192}, "macs", "110M"),
    ("mobilenet_v1_0.5", {"resolution": 160}, "macs", "77M"),
    ("mobilenet_v1_0.5", {"resolution": 128}, "macs", "49M"),
    ("mobilenet_v1_0.25", {"resolution": 160}, "macs", "21M"),
    ("mobilenet_v1_0.25", {"resolution": 128}, "macs", "14M"),
    # tensorflow/models, research/slim/nets/mobilenet/README.md
    ("mobilenet_v3_large", {}, "macs", "217M"),
    ("mobilenet_v3_large_0.75", {}, "macs", "155M"),
    ("mobilenet_v3_large_0.75", {}, "params", "4.0M"),
    ("mobilenet_v3_large_minimalistic", {}, "macs", "209M"),
    ("mobilenet_v3_large_minimalistic", {}, "params", "3.9M"),
    ("mobilenet_v3_small_minimalistic", {}, "params", "2.0M"),
    # tensorflow/tpu, models/official/mnasnet/README.md
    ("mnasnet_a1", {}, "macs", "312M"),
    ("mnasnet_a1", {}, "params", "3.9M"),
    ("mnasnet_a1", {"width": 1.4}, "params", "6.1M"),
    ("mnasnet_a1", {"width": 0.75}, "params", "2.9M"),
    ("mnasnet_a1", {"width": 0.5}, "params", "2.1M"),
    ("mnasnet_a1", {"width": 0.35}, "params", "1.7M"),
    # Xie et al. 2017, Table 1
    ("resnext50_32x4d", {}, "params", "25.0M"),
    ("resnext50_32x4d", {}, "macs", "4.2G"),
    # szagoruyko/wide-residual-networks, pretrained/README.md
    ("wide_resnet50_2", {}, "params", "68.9M"),
    # dgschwend/zynqnet, topo-comparison/networks.xlsx
    ("inception_v3", {}, "params", "23.8M"),
    ("inception_v3", {}, "macs", "5.71G"),
    ("squeezenet1_0_caffe", {}, "params", "1.2M"),
    ("squeezenet1_1_caffe", {}, "params", "1.2M"),
]
REGNET = {
    # facebookresearch/pycls, MODEL_ZOO.md: flops (G, one per multiply-add) and parameters (M)
    "regnet_x_200mf": ("0.2G", "2.7M"),
    "regnet_x_400mf": ("0.4G", "5.2M"),
    "regnet_x_600mf": ("0.6G", "6.2M"),
    "regnet_x_800mf": ("0.8G", "7.3M"),
    "regnet_x_1_6gf": ("1.6G", "9.2M"),
    "regnet_x_3_2gf": ("3.2G", "15.3M"),
    "regnet_x_4gf": ("4.0G", "22.1M"),
    "regnet_x_6_4gf": ("6.5G", "26.2M"),
    "regnet_x_8gf": ("8.0G", "39.6M"),
    "regnet_x_12gf": ("12.1G", "46.1M"),
    "regnet_x_16gf": ("15.9G", "54.3M"),
    "regnet_x_32gf": ("31.7G", "107.8M"),
    "regnet_y_200mf": ("0.2G", "3.2M"),
    "regnet_y_400mf": ("0.4G", "4.3M"),
    "regnet_y_600mf": ("0.6G", "6.1M"),
    "regnet_y_800mf": ("0.8G", "6.3M"),
    "regnet_y_1_6gf": ("1.6G", "11.2M"),
    "regnet_y_3_2gf": ("3.2G", "19.4M"),
    "regnet_y_4gf": ("4.0G", "20.6M"),
    "regnet_y_6_4gf": ("6.4G", "30.6M"),
    "regnet_y_8gf": ("8.0G", "39.2M"),
    "regnet_y_12gf": ("12.1G", "51.8M"),
    "regnet_y_16gf": ("15.9G", "83.6M"),
    "regnet_y_32gf": ("32.3G", "145.0M"),
}
PRINTED += [
    (name, {}, what, text) for name, both in REGNET.items() for what, text in zip(("macs", "params"), both, strict=True)
]
PRINTED_OTHERWISE = [
    # network, settings, what, as printed, exact: what does not follow from the network, so that it stays seen
    ("mobilenet_v1_0.75", {}, "macs", "317M", 325_400_448),  # slim's README; the paper has 325
    ("mobilenet_v1_0.25", {"resolution": 192}, "macs", "34M", 30_212_608),  # slim's README; 41 * (192/224)^2 = 30
    ("mobilenet_v3_small", {}, "macs", "66M", 56_510_400),  # slim's README
    ("mobilenet_v3_small", {}, "params", "2.9M", 2_542_856),  # slim's README
    ("mobilenet_v3_large", {}, "params", "5.4M", 5_483_032),  # slim's README: cut off, not rounded
    ("resnext50_32x4d", {}, "macs", "4.1G", 4_230_479_872),  # facebookresearch/ResNeXt; the paper has 4.2
    ("resnext101_32x4d", {}, "macs", "7.8G", 7_969_996_800),  # facebookresearch/ResNeXt
    ("resnext101_64x4d", {}, "macs", "15.6G", 15_460_270_080),  # facebookresearch/ResNeXt
]
SLIM_MOBILENET_V2 = {
    # tensorflow/models, research/slim/nets/mobilenet/README.md: parameters without batch normalisation's, and MACs
    # at 224, 192, 160, 128 and 96, cut off rather than rounded: 300,774,272 is printed as 300
    1.4: (6.06, [582]),
    1.3: (5.34, [509]),
    1.0: (3.47, [300, 221, 154, 99, 56]),
    0.75: (2.61, [209, 153, 107, 69, 39]),
    0.5: (1.95, [97, 71, 50, 32, 18]),
    0.35: (1.66, [59, 43, 30, 20, 11]),
}
SQUEEZENET_MACS = {
    # dgschwend/zynqnet, squeezenet_analysis.xlsx: every convolution of the Caffe release, at 227
    "squeezenet1_0_caffe": [
        173873952,
        4646400,
        3097600,
        27878400,
        6195200,
        3097600,
        27878400,
        12390400,
        12390400,
        111513600,
        5971968,
        2985984,
        26873856,
        8957952,
        6718464,
        60466176,
        13436928,
        6718464,
        60466176,
        17915904,
        11943936,
        107495424,
        5537792,
        2768896,
        24920064,
        115200000,
    ],
    "squeezenet1_1_caffe": [
        22064832,
        3211264,
        3211264,
        28901376,
        6422528,
        3211264,
        28901376,
        3211264,
        3211264,
        28901376,
        6422528,
        3211264,
        28901376,
        2408448,
        1806336,
        16257024,
        3612672,
        1806336,
        16257024,
        4816896,
        3211264,
        28901376,
        6422528,
        3211264,
        28901376,
        100352000,
    ],
}


def rounded(count: int, printed: str) -> str:
    """A count in the unit and with the decimals of a printed figure."""
    decimals = len(printed[:-1].partition(".")[2])
    return f"{count / {'M': 1e6, 'G': 1e9}[printed[-1]]:.{decimals}f}{printed[-1]}"


def count(name: str, settings: dict[str, Any], what: str) -> int:
    return int(getattr(archcalc.load(name, **settings).analyze().totals, what))


@pytest.mark.parametrize(("name", "settings", "what", "printed"), PRINTED)
def test_as_printed(name: str, settings: dict[str, Any], what: str, printed: str) -> None:
    assert rounded(count(name, settings, what), printed) == printed


@pytest.mark.parametrize(("name", "settings", "what", "printed", "exact"), PRINTED_OTHERWISE)
def test_not_as_printed(name: str, settings: dict[str, Any], what: str, printed: str, exact: int) -> None:
    assert count(name, settings, what) == exact
    assert rounded(exact, printed) != printed


@pytest.mark.parametrize("width", SLIM_MOBILENET_V2)
def test_mobilenet_v2_as_its_authors_print_it(width: float) -> None:
    params, millions = SLIM_MOBILENET_V2[width]
    for size, printed in zip((224, 192, 160, 128, 96), millions, strict=False):
        found = archcalc.load("mobilenet_v2", width=width, resolution=size).analyze()
        assert found.totals.macs // 10**6 == printed
        assert round(sum(row.param_count for row in found.rows if row.type != "batch_norm") / 1e6, 2) == params


@pytest.mark.parametrize("name", SQUEEZENET_MACS)
def test_squeezenet_convolution_by_convolution(name: str) -> None:
    found = archcalc.load(name).analyze()
    assert [row.macs for row in found.rows if row.type == "conv"] == SQUEEZENET_MACS[name]


def test_inception_v3_counted_in_four_ways() -> None:
    """Convolutions and classifier; with beta; with gamma too; with the auxiliary classifier too."""
    found = archcalc.load("inception_v3").analyze()
    assert sum(row.param_count for row in found.rows if row.type != "batch_norm") == 23_800_136
    assert archcalc.load("inception_v3", gamma=False).analyze().totals.params == 23_817_352
    assert found.totals.params == 23_834_568
    assert archcalc.load("inception_v3").analyze(training=True).totals.params == 27_161_264


@pytest.mark.parametrize(("name", "kind"), [("mvit_v1_b", "concat"), ("mvit_v2_s", "class_token")])
def test_the_position_encoding_of_mvit_is_one_layer(name: str, kind: str) -> None:
    """The class token and the sum are of one shape, and which of them is the module depends on the network."""
    with torch.device("meta"):
        theirs = models.get_model(name, weights=None)
        images = torch.zeros(1, 3, 16, 224, 224)
    ours = Built(archcalc.load(name)).to("meta")
    assert source_style(name, TORCHVISION).form(kind, "embedded")[0] == MODULE
    with AsOnCpu():
        assert unlike_module(ours, theirs, images, TORCHVISION)[1] == ""
