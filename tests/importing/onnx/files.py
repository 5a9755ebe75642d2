"""Small ONNX files, made for the tests by the package onnx."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import archcalc

onnx = pytest.importorskip("onnx", reason="the package onnx makes the files of these tests: pip install onnx")
helper, FLOAT, INT64 = onnx.helper, onnx.TensorProto.FLOAT, onnx.TensorProto.INT64

Sizes = Sequence[int | str]


def node(type: str, inputs: str, outputs: str, **attributes: Any) -> Any:
    """A node. ``inputs`` and ``outputs`` are names with blanks between; _ is an input that is not given."""
    given = ["" if name == "_" else name for name in inputs.split()]
    name = attributes.pop("name", f"{outputs.split()[0]}_node")
    return helper.make_node(type, given, outputs.split(), name=name, **attributes)


def numbers(name: str, values: Sequence[Any], type: int = INT64) -> Any:
    return helper.make_tensor(name, type, [len(values)], values)


def weight(name: str, sizes: Sequence[int], value: float = 0.5) -> Any:
    count = 1
    for size in sizes:
        count *= size
    return helper.make_tensor(name, FLOAT, sizes, [value] * count)


def model(
    nodes: Sequence[Any],
    weights: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Sizes] | None = None,
    outputs: Sequence[str] = ("y",),
    opset: int = 17,
) -> Any:
    """A model. ``weights``: sizes of weights, lists of numbers, or a number, by name. One input is x, 1x8x6x6."""
    stored = []
    for name, given in (weights or {}).items():
        if isinstance(given, (int, float)):
            stored.append(helper.make_tensor(name, INT64 if isinstance(given, int) else FLOAT, [], [given]))
        elif isinstance(given, list):
            stored.append(numbers(name, given, FLOAT if any(isinstance(n, float) for n in given) else INT64))
        else:
            stored.append(weight(name, given))
    values = [helper.make_tensor_value_info(n, FLOAT, s) for n, s in (inputs or {"x": [1, 8, 6, 6]}).items()]
    results = [helper.make_tensor_value_info(name, FLOAT, None) for name in outputs]
    graph = helper.make_graph(list(nodes), "net", values, results, stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def network(tmp_path: Path, made: Any, **options: Any) -> archcalc.Network:
    path = tmp_path / "net.onnx"
    path.write_bytes(made if isinstance(made, bytes) else made.SerializeToString())
    return archcalc.load(path, **options)


def layers(net: archcalc.Network) -> list[str]:
    """The layers as lines: the type, the settings that differ from the defaults, and the shape."""
    found = []
    for one in net.after_inputs:
        usual = {name: field.default for name, field in one.layer.fields.items()}
        settings = {k: v for k, v in one.layer.settings.items() if v != usual.get(k)}
        shown = ", ".join(f"{key} {value}" for key, value in settings.items())
        found.append(f"{one.layer.type} ({shown}) {one.shape}" if shown else f"{one.layer.type} {one.shape}")
    return found
