"""A network as a flat spec: one layer after another. The spec loads to the same network."""

from __future__ import annotations

from json import dumps
from typing import Any

from archcalc.language.tree import scalar
from archcalc.layers.resample import Unpool
from archcalc.layers.settings import Like
from archcalc.network import Network, Node

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-")


def expanded(network: Network) -> str:
    """The spec of a network without blocks and repeats: a flat list of layers with names, and inputs at branches."""
    network.need_single("a list of layers")
    inputs = {name: _value([shape.channels, *shape.axes]) for name, shape in network.inputs.items()}
    lines = [f"title: {_text(network.title)}"]
    if len(inputs) == 1:
        lines.append(f"input: {inputs[network.nodes[0].name]}")
    else:
        lines += ["inputs:", *(f"  {_text(name)}: {sizes}" for name, sizes in inputs.items())]
    if network.chosen:
        lines.append(f"outputs: [{', '.join(_text(network.nodes[i].name) for i in network.chosen)}]")
    lines.append("layers:")
    before = main = network.nodes[0]
    around: tuple[bool, Any] = False, 0
    for node in network.after_inputs:
        side, regions = node.side, node.regions
        indent = "  " + "    " * side
        if side and not around[0]:
            lines.append("  - side:")
        if regions:
            if around != (side, regions):
                lines += [f"{indent}- regions: {regions}", f"{indent}  layers:"]
            indent += "    "
        lines += [indent + line for line in _step(node, network, before if side else main)]
        before, around = node, (side, regions)
        main = main if side else node
    return "\n".join(lines) + "\n"


def _step(node: Node, network: Network, before: Node) -> list[str]:
    fields = node.layer.fields
    changed = {k: v for k, v in node.layer.settings.items() if v != fields[k].default}
    if isinstance(node.layer, Unpool) and node.shares is not None:
        changed["of"] = network.nodes[node.shares].name
    direct = node.layer.direct
    sizes = {
        k: "size" if isinstance(fields[k], Like) and k != "of" else k for k in changed
    }  # a size stands for the layer of that size
    settings = "{" + ", ".join(f"{sizes[k]}: {_value(v)}" for k, v in changed.items()) + "}" if changed else ""
    if direct and changed.keys() == {direct}:
        settings = _value(changed[direct])
    lines = [f"- {node.layer.type}: {settings}".rstrip(), f"  name: {_text(node.name)}"]
    sources = [_text(network.nodes[i].name) for i in node.inputs]
    if node.layer.joins or node.inputs != (before.index,):
        lines.append(f"  from: {sources[0] if len(sources) == 1 else '[' + ', '.join(sources) + ']'}")
    if node.storage != node.layer.held(node.shape, *network.input_shapes(node)):
        lines.append(f"  storage: {node.storage}")
    if not node.trained and node.shares is None and any(node.layer.params(*network.input_shapes(node))[:2]):
        lines.append("  trained: false")
    if node.shares is not None and not isinstance(node.layer, Unpool):
        lines.append(f"  weights: {_text(network.nodes[node.shares].name)}")
    return lines


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        return _text(value)
    return repr(value) if isinstance(value, float) else str(value)


def _text(text: str) -> str:
    """The text as YAML writes it: without quotes, unless YAML would read a number, true, false or null."""
    if set(text) <= _PLAIN and text[:1].isalnum() and scalar(text) == text:
        return text
    return "'" + text.replace("'", "''") + "'" if text.isprintable() else dumps(text, ensure_ascii=False)
