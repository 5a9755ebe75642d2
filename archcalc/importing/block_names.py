"""Names of blocks: the class of the module that a block is, in snake_case; else a name after the types of its layers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from archcalc.importing.items import ALIAS, Item
from archcalc.layers import registry

NORMS = ("batch_norm", "layer_norm", "group_norm", "instance_norm")
SHORT = dict.fromkeys(NORMS, "norm")
SHORT |= {"conv_transpose": "up", "leaky_relu": "leaky", "hard_swish": "swish"}
JOINED = {"add": "projection", "concat": "branches", "multiply": "gated", "maximum": "largest", "attention": "attend"}
WITH_IDENTITY = {"add": "residual", "concat": "dense_layer", "multiply": "gate", "attention": "attend"}
"""The name of a block that is a join, and of one with a branch that passes its input on."""
MOST_TYPES = 4
"""The most layers whose types make a name."""
CONTAINERS = ("Sequential", "ModuleList", "ModuleDict", "")
"""Classes that say nothing of what is inside."""


NETWORKS = r"(?<=[a-z])(Net|NeXt|Former|ViT|Vit)(?![a-z])"
"""The ends of names of networks, which are one word with what stands before: ConvNeXt, ResNet, EfficientFormer."""


class BlockNames:
    """Names of blocks. ``modules``: the path of the module that each use of a block is, or ''.

    ``classes``: the classes of modules, by their paths. ``reserved``: words that are no names of blocks.
    """

    def __init__(
        self, modules: Mapping[str, Sequence[str]], classes: Mapping[str, str], reserved: Iterable[str]
    ) -> None:
        self.modules, self.classes, self.reserved = modules, classes, {*registry, *reserved}

    def of(self, uses: Mapping[str, Sequence[Item]], bodies: Mapping[str, Sequence[Item]]) -> dict[str, str]:
        """The name of each block. Of several with one name, the block that is used most has no number.

        ``bodies``: the layers that all uses of a block have.
        """
        wanted = {block: self.wanted(block, len(uses[block]), bodies[block]) for block in uses}
        found: dict[str, str] = {}
        taken = {*self.reserved}
        for block in sorted(uses, key=lambda block: -len(uses[block])):
            name = base = f"{wanted[block]}_block" if wanted[block] in self.reserved else wanted[block]
            number = 1
            while name in taken:
                number += 1
                name = f"{base}{number}"
            taken.add(name)
            found[block] = name
        return found

    def wanted(self, block: str, uses: int, body: Sequence[Item]) -> str:
        known = Counter(self.module(path) for path in self.modules[block])
        name, count = known.most_common(1)[0]
        return name if name and 2 * count > uses else guessed(body)

    def module(self, path: str) -> str:
        """The name of a module: its class, or what the module around it calls it."""
        if not path:
            return ""
        class_ = self.classes.get(path, "")
        if class_ not in CONTAINERS:
            return snake(class_)
        parts = path.split(".")
        one = parts[-1]
        if one.isdigit():
            one = re.sub(r"[_0-9]*s?[_0-9]*$", "", parts[-2]) if len(parts) > 1 else ""
        return snake(one)


def snake(name: str) -> str:
    """``SwinTransformerBlock`` as ``swin_transformer_block``, ``ConvNeXtBlock`` as ``convnext_block``; '' if it is no name of a block."""
    name = re.sub(NETWORKS, lambda found: found[0].lower(), name)
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower().strip("_")
    return name if re.fullmatch(r"[a-z][a-z0-9_]*", name) else ""


def guessed(body: Sequence[Item]) -> str:
    """A name after the types of the layers."""
    first = body[0]
    if first.branches is not None:
        return (JOINED if all(first.branches) else WITH_IDENTITY).get(first.type, "join")
    leaves = [leaf for one in body for leaf in one.leaves() if leaf.type != ALIAS]
    if len(leaves) > MOST_TYPES or any(one.branches is not None for one in body):
        return "block"
    return "_".join("depthwise" if one.depthwise else SHORT.get(one.type, one.type) for one in leaves)
