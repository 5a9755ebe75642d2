"""Details of a model's code that the architecture does not determine. Some tools depend on these details.

A tool that hooks modules counts ``nn.ReLU`` but not ``F.relu``. A tool that patches functionals counts both. A layer
is assumed to be a module of torch.nn if no rule below says otherwise. All layers of a network that is not listed are
assumed to be modules.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import NamedTuple

from archcalc.layers import Layer
from archcalc.layers.move import MOVEMENTS
from archcalc.layers.pool import AdaptiveAvgPool

MODULE = "module"
FUNCTIONAL = "functional"
METHOD = "method"
SUBCLASS = "subclass"
OPERATOR = "operator"
CALLED = (MODULE, FUNCTIONAL, SUBCLASS)
"""Forms that call torch.nn.functional in the end."""
BIAS = "bias"
TIMES_ONE = "times one"
APART = "apart"
WRITTEN = "written"
BY_METHODS = "by methods"
EINSUM = "einsum"
FORMS = {
    MODULE: "a module of torch.nn",
    FUNCTIONAL: "a call of torch.nn.functional",
    METHOD: "a method of a tensor, such as x.mean([2, 3])",
    SUBCLASS: "a subclass of a module, such as torchvision's LayerNorm2d",
    OPERATOR: "an operator or a function of torch, such as x + y and torch.cat",
    BIAS: "a bias of the convolution before it",
    WRITTEN: "F.linear with the weights of a module, or torch.matmul and F.softmax",
    BY_METHODS: "torch.matmul and the method softmax of a tensor",
    EINSUM: "torch.einsum, and F.softmax in attention",
    TIMES_ONE: "a convolution whose output is multiplied by 1",
    APART: "a linear layer whose bias is added after the product, because its input lies in another order",
}
NOT_WRITTEN = tuple(form for form in FORMS if form not in (WRITTEN, BY_METHODS, EINSUM))
OPERATORS = (
    "input",
    "add",
    "mean",
    "multiply",
    "subtract",
    "divide",
    "math",
    "maximum",
    "minimum",
    "reduce",
    "concat",
    "slice",
    *sorted(MOVEMENTS),
    "crop",
    "pad",
    "pad_channels",
    "flatten",
    "scale",
    "layer_scale",
    "l2_norm",
    "attention",
    "matmul",
    "grid_sample",
    "position",
    "class_token",
    "parameter",
    "index_select",
)
"""Layers that no model of torchvision writes as a module."""


class Rule(NamedTuple):
    """The form of the layers with this type and name, and the number of modules that wrap each of them."""

    type: str
    names: str = "*"
    form: str = MODULE
    wrappers: int = 0


class Extra(NamedTuple):
    """An additional layer of the code. Its input is the input of the layer named ``before``."""

    name: str
    layer: Layer
    before: str


class SourceStyle(NamedTuple):
    """The code style of some networks: the file, and the rules for layers.

    ``has_wrappers``: the rules name the modules that wrap other modules. Otherwise, the wrappers are unknown.
    ``runs_side_heads``: the code runs side heads at inference, too. ``recorded``: the forms of layers by name, for a
    model whose run was recorded.
    """

    networks: tuple[str, ...]
    source: str
    rules: tuple[Rule, ...] = ()
    extras: tuple[Extra, ...] = ()
    has_wrappers: bool = False
    runs_side_heads: bool = False
    recorded: Mapping[str, str] = MappingProxyType({})

    def form(self, type: str, name: str) -> tuple[str, int]:
        """The form of a layer, and the number of modules that wrap the layer."""
        if name in self.recorded:
            return self.recorded[name], 0
        for rule in self.rules:
            if fnmatchcase(type, rule.type) and fnmatchcase(name, rule.names):
                return rule.form, rule.wrappers
        return (OPERATOR if type in OPERATORS else MODULE), 0


PLAIN = SourceStyle((), "")
IN_TORCHVISION = (
    SourceStyle(("alexnet_tv", "vgg*_bn"), "alexnet.py, vgg.py", has_wrappers=True),
    SourceStyle(
        ("vgg11", "vgg13", "vgg16", "vgg19"),
        "vgg.py",
        extras=(Extra("avgpool", AdaptiveAvgPool(out=7), "flatten"),),
        has_wrappers=True,
    ),
    SourceStyle(
        ("resnet18", "resnet34", "resnet50_tv", "resnet101_tv", "resnet152_tv"),
        "resnet.py: BasicBlock and Bottleneck",
        (Rule("relu", "*.relu", wrappers=1),),
        has_wrappers=True,
    ),
    SourceStyle(
        ("resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2"),
        "resnet.py: Bottleneck",
        (Rule("relu", "*.block*.relu", wrappers=1),),
        has_wrappers=True,
    ),
    SourceStyle(
        ("googlenet_tv",),
        "googlenet.py: BasicConv2d, Inception and InceptionAux",
        (
            Rule("relu", form=FUNCTIONAL, wrappers=1),
            Rule("concat", form=OPERATOR, wrappers=1),
            Rule("adaptive_avg_pool", "aux*", FUNCTIONAL),
        ),
        has_wrappers=True,
    ),
    SourceStyle(
        ("inception_v3",),
        "inception.py: BasicConv2d, InceptionA to E and InceptionAux",
        (
            Rule("relu", form=FUNCTIONAL),
            Rule("*_pool", "mixed_*", FUNCTIONAL),
            Rule("*_pool", "aux.*", FUNCTIONAL),
        ),
    ),
    SourceStyle(
        ("densenet121", "densenet161", "densenet169", "densenet201"),
        "densenet.py: DenseNet.forward",
        (Rule("relu", "classification.*", FUNCTIONAL), Rule("global_avg_pool", form=FUNCTIONAL)),
    ),
    SourceStyle(
        ("mobilenet_v2",), "mobilenetv2.py: MobileNetV2._forward_impl", (Rule("global_avg_pool", form=FUNCTIONAL),)
    ),
    SourceStyle(
        ("mnasnet?_*", "shufflenet_v2_*"),
        "mnasnet.py: MNASNet.forward, shufflenetv2.py: ShuffleNetV2._forward_impl",
        (Rule("global_avg_pool", form=METHOD),),
    ),
    SourceStyle(
        ("convnext_*",),
        "convnext.py: LayerNorm2d",
        tuple(Rule("layer_norm", names, SUBCLASS) for names in ("stem.*", "*.downsample.*", "head.*")),
    ),
    SourceStyle(
        ("fcn_resnet*", "deeplabv3_*", "lraspp_*"),
        "segmentation/_utils.py: _SimpleSegmentationModel, segmentation/deeplabv3.py: ASPPPooling, segmentation/lraspp.py",
        (Rule("upsample", form=FUNCTIONAL),),
        runs_side_heads=True,
    ),
    SourceStyle(
        ("r3d_18", "mc3_18"),
        "video/resnet.py: Conv3DSimple and Conv3DNoTemporal",
        (Rule("conv", "*.main.*", SUBCLASS),),
    ),
    SourceStyle(
        ("swin_*", "swin3d_*"),
        "swin_transformer.py, video/swin_transformer.py: shifted_window_attention",
        (Rule("linear", "*.qkv", WRITTEN), Rule("linear", "*.msa.project", WRITTEN), Rule("attention", form=WRITTEN)),
    ),
    SourceStyle(("maxvit_*",), "maxvit.py: RelativePositionalMultiHeadAttention", (Rule("attention", form=EINSUM),)),
    SourceStyle(
        ("mvit_v2_*",),
        "video/mvit.py: MultiscaleAttention, _add_rel_pos, and the module PositionalEncoding, which puts the class token",
        (
            Rule("attention", form=BY_METHODS),
            Rule("conv", "*.height.*", EINSUM),
            Rule("conv", "*.width.*", EINSUM),
            Rule("conv", "*.time.*", OPERATOR),
            Rule("class_token", form=MODULE),
        ),
    ),
    SourceStyle(
        ("mvit_v1_*",),
        "video/mvit.py: MultiscaleAttention, and the module PositionalEncoding, whose result is the concat",
        (Rule("attention", form=BY_METHODS), Rule("concat", "embedded", MODULE)),
    ),
    SourceStyle(
        ("vit_*",),
        "vision_transformer.py: EncoderBlock, whose nn.MultiheadAttention has parameters of its own",
        (
            Rule("linear", "*.qkv", OPERATOR),
            Rule("linear", "*.attention.project", OPERATOR),
            Rule("attention", form=FUNCTIONAL),
        ),
    ),
    SourceStyle(("s3d",), "video/s3d.py: S3D.forward", (Rule("global_avg_pool", form=METHOD),)),
    SourceStyle(
        ("retinanet_*", "fcos_*", "fasterrcnn_*", "maskrcnn_*", "keypointrcnn_*"),
        "ops/feature_pyramid_network.py, detection/faster_rcnn.py: TwoMLPHead, detection/keypoint_rcnn.py",
        (
            Rule("upsample", form=FUNCTIONAL),
            Rule("max_pool", "p6", FUNCTIONAL),
            Rule("relu", "p7.*", FUNCTIONAL),
            Rule("relu", "box_p*.sides", FUNCTIONAL),
            Rule("relu", "box_head.mlp.*", FUNCTIONAL),
            Rule("roi_align", form=FUNCTIONAL),
        ),
    ),
    SourceStyle(("ssd300_vgg16",), "detection/ssd.py: SSDFeatureExtractorVGG", (Rule("l2_norm", form=OPERATOR),)),
)


class Library(NamedTuple):
    """A library whose code was read: its version, the styles of its networks, and the assumption for other networks."""

    name: str
    version: str
    styles: tuple[SourceStyle, ...]
    assumption: str = "every layer is a module of torch.nn, except operators such as +"

    def __str__(self) -> str:
        return f"{self.name}, {self.version}" if " " in self.version else f"{self.name} {self.version}"


TORCHVISION = Library("torchvision", "0.29.1", IN_TORCHVISION)
TIMM = Library(
    "timm",
    "1.0.31",
    (
        SourceStyle(
            ("swin_t", "swin_s", "swin_b"),
            "models/swin_transformer.py: WindowAttention, which takes no fused operator by default",
            (Rule("attention", form=WRITTEN), Rule("global_avg_pool", form=METHOD)),
        ),
        SourceStyle(("*",), "layers/squeeze_excite.py", (Rule("global_avg_pool", "*.gate.*", METHOD),)),
    ),
)
RF_BENCHMARK = Library(
    "google-research/receptive_field",
    "commit f12ae8e",
    (
        SourceStyle(
            (
                *("alexnet_slim", "vgg11", "vgg16", "bn_inception_slim*", "inception_v3", "inception_v4*"),
                *("inception_resnet_v2_released", "inception_resnet_v2_same", "mobilenet_v1*"),
            ),
            "rf_benchmark.py, without the network's arg scope",
            (Rule("batch_norm", form=BIAS), Rule("conv", "inception_resnet_c10.residual.linear", TIMES_ONE)),
        ),
        SourceStyle(("resnet*", "preact_resnet*"), "rf_benchmark.py, within resnet_v1.resnet_arg_scope"),
    ),
    "the network is built with its normalisation, as the script builds ResNets",
)
"""TF-Slim's networks get their normalisation from an arg scope. Without the scope, convolutions have biases instead.
The script has a scope for ResNets only. TF-Slim multiplies the last residual of Inception-ResNet-v2 by 1."""


def source_style(
    network: str, library: Library = TORCHVISION, recorded: Mapping[str, str] = MappingProxyType({})
) -> SourceStyle:
    """The code style of a network in a library. ``network``: the network's ``zoo_name``, empty outside the zoo.

    ``recorded``: the forms of the layers of a recorded model, which is in no library.
    """
    if recorded:
        return SourceStyle((), "its run", recorded=recorded)
    styles = library.styles if network else ()
    return next((style for style in styles if any(fnmatchcase(network, name) for name in style.networks)), PLAIN)
