"""The path of a node's module: from the name of the node, or from what PyTorch's newer exporter notes beside it."""

from __future__ import annotations

import re

from archcalc.importing.onnx.model import Node


def path_of(node: Node) -> str:
    """The path of the module that a node belongs to; '' if the file does not say."""
    if node.scope:
        return _of_namespace(node.scope)
    name = node.name or next((name for name in node.outputs if name), "")
    parts = [part for part in name.split("/") if part]
    if name.startswith("/") and parts and node.name:
        return _joined(parts[:-1])
    if re.fullmatch(r"(\w+::)?\w*?_?\d+", name) and not node.name:
        return ""
    return ".".join(parts).replace(":", ".")


def _of_namespace(scope: str) -> str:
    """The innermost module of ``: Net/layer1: Sequential/layer1.0: Block/conv: aten.conv2d``."""
    pieces = [piece.partition(": ") for piece in scope.split("/")]
    modules = [name for name, _, kind in pieces[:-1] if name and "." in kind]
    return modules[-1] if modules else ""


def _joined(parts: list[str]) -> str:
    """``layer1``, ``layer1.0``, ``conv1``: a part that begins with the part before stands for both."""
    found: list[str] = []
    for part in parts:
        if found and part.startswith(f"{found[-1]}."):
            found[-1] = part
        else:
            found.append(part)
    return ".".join(found)
