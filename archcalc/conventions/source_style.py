"""How a model's code writes what its architecture leaves open, for tools that look at the code.

A ReLU is a ReLU, but a tool that hooks modules sees ``nn.ReLU`` and not ``F.relu``, and one that
patches functionals sees both. A layer is taken to be a module of torch.nn unless a rule below says
otherwise; a network that is not listed is assumed to be written in modules throughout.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

from archcalc.layers import Layer
from archcalc.layers.pool import AdaptiveAvgPool

TORCHVISION = "torchvision 0.29.1"
TIMM = "timm 1.0.19"
RF_BENCHMARK = "google-research/receptive_field, rf_benchmark.py"
"""The libraries whose code was read."""

MODULE = "module"
FUNCTIONAL = "functional"
METHOD = "method"
SUBCLASS = "subclass"
OPERATOR = "operator"
CALLED = (MODULE, FUNCTIONAL, SUBCLASS)
"""Forms that end in a call of torch.nn.functional."""
BIAS = "bias"
TIMES_ONE = "times one"
FORMS = {
    MODULE: "a module of torch.nn",
    FUNCTIONAL: "a call of torch.nn.functional",
    METHOD: "a method of a tensor, such as x.mean([2, 3])",
    SUBCLASS: "a class derived from a module, such as torchvision's LayerNorm2d",
    OPERATOR: "an operator or a function of torch, such as x + y and torch.cat",
    BIAS: "a bias of the convolution before it",
    TIMES_ONE: "one whose output is multiplied by 1",
}
OPERATORS = (
    "input",
    "add",
    "mean",
    "multiply",
    "concat",
    "slice",
    "channel_shuffle",
    "crop",
    "pad",
    "pad_channels",
    "flatten",
    "scale",
    "layer_scale",
)
"""Layers that no model of torchvision writes as a module."""


class Rule(NamedTuple):
    """Layers whose type and name match are written in a form, and wrapped by so many modules around others."""

    type: str
    names: str = "*"
    form: str = MODULE
    wrapped: int = 0


class Extra(NamedTuple):
    """A layer that the code has in addition; it takes what the named layer takes."""

    name: str
    layer: Layer
    before: str


class SourceStyle(NamedTuple):
    """How the code of one family is written, and where."""

    networks: tuple[str, ...]
    source: str
    rules: tuple[Rule, ...] = ()
    extras: tuple[Extra, ...] = ()
    wraps: bool = False
    """Whether the rules say which modules wrap others; without, none are known."""

    def form(self, type: str, name: str) -> tuple[str, int]:
        """The form of a layer, and how many modules wrap it."""
        for rule in self.rules:
            if fnmatchcase(type, rule.type) and fnmatchcase(name, rule.names):
                return rule.form, rule.wrapped
        return (OPERATOR if type in OPERATORS else MODULE), 0


PLAIN = SourceStyle((), "")
IN_TORCHVISION = (
    SourceStyle(("alexnet_tv", "vgg*_bn"), "alexnet.py, vgg.py", wraps=True),
    SourceStyle(
        ("vgg11", "vgg13", "vgg16", "vgg19"),
        "vgg.py",
        extras=(Extra("avgpool", AdaptiveAvgPool(out=7), "flatten"),),
        wraps=True,
    ),
    SourceStyle(
        ("resnet18", "resnet34", "resnet50_tv", "resnet101_tv", "resnet152_tv"),
        "resnet.py: BasicBlock and Bottleneck",
        (Rule("relu", "*.relu", wrapped=1),),
        wraps=True,
    ),
    SourceStyle(
        ("resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2"),
        "resnet.py: Bottleneck",
        (Rule("relu", "*.block*.relu", wrapped=1),),
        wraps=True,
    ),
    SourceStyle(
        ("googlenet_tv",),
        "googlenet.py: BasicConv2d, Inception and InceptionAux",
        (
            Rule("relu", form=FUNCTIONAL, wrapped=1),
            Rule("concat", form=OPERATOR, wrapped=1),
            Rule("adaptive_avg_pool", "aux*", FUNCTIONAL),
        ),
        wraps=True,
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
)


IN_TIMM = (SourceStyle(("*",), "layers/squeeze_excite.py", (Rule("global_avg_pool", "*.gate.*", METHOD),)),)
IN_RF_BENCHMARK = (
    SourceStyle(
        (
            *("alexnet_slim", "vgg11", "vgg16", "bn_inception_slim*", "inception_v3", "inception_v4*"),
            *("inception_resnet_v2_released", "inception_resnet_v2_same", "mobilenet_v1*"),
        ),
        "without the network's arg scope",
        (Rule("batch_norm", form=BIAS), Rule("conv", "inception_resnet_c10.residual.linear", TIMES_ONE)),
    ),
    SourceStyle(("resnet*", "preact_resnet*"), "within resnet_v1.resnet_arg_scope"),
)
"""An arg scope gives TF-Slim's networks their normalisation; built without, their convolutions have biases in its place.
The script has a scope for ResNets alone. TF-Slim multiplies the last residual of Inception-ResNet-v2 by 1."""
LIBRARIES = {TORCHVISION: IN_TORCHVISION, TIMM: IN_TIMM, RF_BENCHMARK: IN_RF_BENCHMARK}
IN_MODULES = "every layer is a module of torch.nn, except operators such as +"
ASSUMED = {
    TORCHVISION: IN_MODULES,
    TIMM: IN_MODULES,
    RF_BENCHMARK: "the network is built with its normalisation, as the script builds ResNets",
}
"""What is taken to hold for a network that a library has not."""


def source_style(network: str, library: str = TORCHVISION) -> SourceStyle:
    """How a network of the zoo is written in a library; ``network`` is its ``zoo_name``, empty for any other network."""
    families = LIBRARIES[library] if network else ()
    return next((w for w in families if any(fnmatchcase(network, name) for name in w.networks)), PLAIN)
