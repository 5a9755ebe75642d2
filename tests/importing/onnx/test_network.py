"""Whole files: sizes, names, what is refused, and the public networks that the package onnx carries."""

from __future__ import annotations

import struct
from math import prod
from pathlib import Path
from typing import Any

import pytest

import archcalc
from archcalc.errors import ArchcalcError
from archcalc.importing.onnx.file import model_of
from archcalc.importing.onnx.inputs import sizes_of
from archcalc.importing.onnx.model import Stored
from archcalc.importing.onnx.network import translated
from archcalc.language.written import import_spec
from tests.importing.onnx.files import FLOAT, helper, layers, model, network, node, onnx

LIGHT = sorted((Path(onnx.__file__).parent / "backend" / "test" / "data" / "light").glob("light_*.onnx"))
CONV = [node("Conv", "x w b", "y")]
W = {"w": (4, 8, 3, 3), "b": (4,)}


def test_the_package_carries_nine_networks() -> None:
    assert len(LIGHT) == 9


@pytest.mark.parametrize("path", LIGHT, ids=lambda path: path.stem)
def test_public_networks(path: Path) -> None:
    """Parameters and multiply-adds by the formulas of Conv and Gemm on onnx's own shapes, and every node's shape."""
    proto = onnx.shape_inference.infer_shapes(onnx.load(path))
    sizes = {
        one.name: tuple(d.dim_value for d in one.type.tensor_type.shape.dim)
        for one in [*proto.graph.value_info, *proto.graph.output, *proto.graph.input]
    }
    for one in proto.graph.node:  # the weights: made by ConstantOfShape from an initializer
        if one.op_type == "ConstantOfShape":
            stored = next(t for t in proto.graph.initializer if t.name == one.input[0])
            sizes[one.output[0]] = tuple(onnx.numpy_helper.to_array(stored))
    sizes |= {one.name: tuple(one.dims) for one in proto.graph.initializer}
    macs = params = 0
    for one in proto.graph.node:
        if one.op_type in ("Conv", "Gemm"):
            macs += prod(sizes[one.output[0]]) * prod(sizes[one.input[1]][1:])
            params += sum(prod(sizes[name]) for name in one.input[1:])
        elif one.op_type == "BatchNormalization":
            params += sum(prod(sizes[name]) for name in one.input[1:3])
        elif one.op_type in ("Mul", "Add"):  # a scale and a shift behind a batch norm
            params += sum(prod(sizes[name]) for name in one.input if len(sizes[name]) == 3)
    found = archcalc.load(path).analyze().totals
    assert (found.params, found.macs) == (params, macs)
    read = model_of(str(path))
    net = translated(read, sizes_of(read, str(path), {}, False))
    shapes = {
        one.output[0]: tuple(n // net.batch if n % net.batch == 0 else n for n in net.tensors[one.output[0]].shape)
        for one in proto.graph.node
    }
    assert shapes == {name: sizes[name] for name in shapes}


def test_sizes_that_a_file_leaves_open(tmp_path: Path) -> None:
    made = model(CONV, W, {"x": ["N", 8, "H", "W"]})
    assert layers(network(tmp_path, made, input=(8, 5, 6))) == ["conv (kernel 3, out 4) 4x3x4"]
    with pytest.raises(
        ArchcalcError, match=r"'x' has open sizes, Nx8xHxW with the batch in front: --input 8xHxW gives"
    ):
        network(tmp_path, made)
    with pytest.raises(ArchcalcError, match=r"'x' is Nx8xHxW with the batch in front, so it cannot be 3x5x6"):
        network(tmp_path, made, input=(3, 5, 6))


def test_another_size_than_that_of_the_file(tmp_path: Path) -> None:
    net = network(tmp_path, model(CONV, W), input=(8, 9, 10))
    assert layers(net) == ["conv (kernel 3, out 4) 4x7x8"]


@pytest.mark.parametrize("batch", [1, 3, "N", 0])
def test_a_batch_is_no_size(batch: Any, tmp_path: Path) -> None:
    nodes = [node("Reshape", "x s", "r"), node("Gemm", "r w", "y")]
    first = batch if isinstance(batch, int) and batch else 0
    net = network(tmp_path, model(nodes, {"s": [first, 288], "w": (288, 5)}, {"x": [batch, 8, 6, 6]}))
    assert layers(net) == ["flatten 288", "linear (out 5, bias False) 5"]


def test_parameters_that_are_stored_once(tmp_path: Path) -> None:
    """One initializer in two nodes is shared; a copy by Identity is another layer's own."""
    weights = {"w": (8, 8, 1, 1), "b": (8,)}
    shared = network(tmp_path, model([node("Conv", "x w b", "t"), node("Conv", "t w b", "y")], weights))
    assert shared.analyze().totals.params == 72
    copies = [node("Identity", "w", "w2"), node("Identity", "b", "b2")]
    copied = network(tmp_path, model([*copies, node("Conv", "x w b", "t"), node("Conv", "t w2 b2", "y")], weights))
    assert copied.analyze().totals.params == 144
    assert copied.notes == [
        "import: parameters complete, multiply-adds complete, nothing dropped; 2 tensors that the file stores once "
        "counted for every layer"
    ]


@pytest.mark.parametrize("trained", [False, True])
def test_equal_biases_of_modules(trained: bool, tmp_path: Path) -> None:
    """PyTorch's newer exporter stores equal tensors once: those of one number are those of a network without training."""
    nodes = [node("Conv", f"{x} w{n} b", y) for n, (x, y) in enumerate(["xs", "st", "tu", "uy"])]
    weights = {f"w{n}": (8, 8, 1, 1) for n in range(4)}
    made = model(nodes, weights)
    made.graph.initializer.append(helper.make_tensor("b", FLOAT, [8], [0.5, 0.25 if trained else 0.5] * 4))
    for n, one in enumerate(nodes):
        one.metadata_props.add(key="namespace", value=f": a.Net/conv{n}: b.Conv2d/conv2d: aten.conv2d.default")
    made.graph.ClearField("node")
    made.graph.node.extend(nodes)
    if not trained:
        assert network(tmp_path, made).analyze().totals.params == 4 * 72
        return
    with pytest.raises(ArchcalcError, match="shares b with conv0, and not all parameters"):
        network(tmp_path, made)


def test_a_node_that_reads_one_tensor_twice(tmp_path: Path) -> None:
    """A batch norm whose weights and biases are zeros, which PyTorch's newer exporter stores once."""
    norm = node("BatchNormalization", "x b b m v", "y")
    norm.metadata_props.add(key="namespace", value=": a.Net/bn: b.BatchNorm2d/batch_norm: aten.batch_norm.default")
    made = model([norm], dict.fromkeys("bmv", (8,)))
    assert network(tmp_path, made).analyze().totals.params == 2 * 8


@pytest.mark.parametrize(("place", "known"), [("numbers.bin", True), ("../numbers.bin", False), ("none.bin", False)])
def test_numbers_in_another_file(place: str, known: bool, tmp_path: Path) -> None:
    made = model([node("Reshape", "x s", "y")], {"s": [0, 16, 18]})
    outside = made.graph.initializer[0]
    numbers = struct.pack("<3q", *outside.int64_data)
    outside.ClearField("int64_data")
    outside.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", place), ("offset", "8"), ("length", str(len(numbers)))):
        outside.external_data.add(key=key, value=value)
    folder = tmp_path / "folder"
    folder.mkdir()
    for one in (tmp_path, folder):
        (one / "numbers.bin").write_bytes(b"8 bytes " + numbers)
    if known:
        assert layers(network(folder, made)) == ["rearrange (pattern c (h 3) w -> (c h) (3 w)) 16x18"]
        return
    with pytest.raises(ArchcalcError, match="its input 's' depends on the image"):
        network(folder, made)


NAMES = {
    "PyTorch's older exporter": (
        [("/layer1/layer1.0/conv1/Conv", ""), ("/layer1/layer1.0/Add", "")],
        ["layer1.0.conv1", "layer1.0.add"],
    ),
    "PyTorch's newer exporter": (
        [
            ("node_Conv_1", ": a.Net/layer1: b.Sequential/layer1.0: c.Block/layer1.0.conv1: d.Conv2d/conv2d: aten.conv2d.default"),
            ("node_add_1", ": a.Net/layer1: b.Sequential/layer1.0: c.Block/add: aten.add.Tensor"),
        ],
        ["layer1.0.conv1", "layer1.0.add"],
    ),
    "TensorFlow": ([("block/conv/Conv2D", ""), ("block/add", "")], ["block.conv.Conv2D", "block.add"]),
    "Paddle": ([("Conv@0", ""), ("p2o.Add.1", "")], ["Conv_0", "p2o.Add.1"]),
}  # fmt: skip


@pytest.mark.parametrize("exporter", NAMES)
def test_names(exporter: str, tmp_path: Path) -> None:
    places, expected = NAMES[exporter]
    nodes = [node("Conv", "x w b", "t"), node("Add", "x t", "y")]
    for one, (name, scope) in zip(nodes, places, strict=True):
        one.name = name
        if scope:
            one.metadata_props.add(key="namespace", value=scope)
    net = network(tmp_path, model(nodes, {"w": (8, 8, 1, 1), "b": (8,)}))
    assert [one.name for one in net.after_inputs] == expected


@pytest.mark.parametrize(("weights", "title"), [("onnx::Conv_1 onnx::Conv_2", "net, deployed (batch norms folded)"),
                                                ("c.weight c.weight_bias", "net, deployed (batch norms folded)"),
                                                ("c.weight _", "net"), ("c.weight c.bias", "net")])  # fmt: skip
def test_a_deployed_network_says_so(weights: str, title: str, tmp_path: Path) -> None:
    w, b = weights.split()
    net = network(tmp_path, model([node("Conv", f"x {w} {b}", "y")], {w: (4, 8, 3, 3), b: (4,)}))
    assert net.title == title


def test_a_convolution_in_the_place_of_a_batch_norm(tmp_path: Path) -> None:
    """PyTorch's newer exporter gives the convolution that place, and leaves a bias of zeros out."""
    conv = node("Conv", "x c.weight", "y")
    scope = ": a.Net/bn: b.BatchNorm2d/_native_batch_norm_legit_no_training: aten._native_batch_norm_legit_no_training.default"
    conv.metadata_props.add(key="namespace", value=scope)
    assert network(tmp_path, model([conv], {"c.weight": (4, 8, 3, 3)})).title == "net, deployed (batch norms folded)"


def test_a_weight_of_one_module_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what several modules read is compared with one number."""
    conv = node("Conv", "x c.weight", "y")
    conv.metadata_props.add(key="namespace", value=": a.Net/c: b.Conv2d/conv2d: aten.conv2d.default")
    monkeypatch.setattr(Stored, "values", lambda stored: pytest.fail(f"{stored.name} was read"))
    assert network(tmp_path, model([conv], {"c.weight": (4, 8, 3, 3)})).analyze().totals.params == 4 * 8 * 9


@pytest.mark.parametrize(
    ("weight", "title"), [("c.weight", "net"), ("view_2", "net, deployed (computed weights stored)")]
)
def test_weights_that_the_exporter_computed(weight: str, title: str, tmp_path: Path) -> None:
    """PyTorch's newer exporter gives them the name of an operator, and the factors in them are lost."""
    conv = node("Conv", f"x {weight}", "y")
    conv.metadata_props.add(key="namespace", value=": a.Net/c: b.ScaledStdConv2d/conv2d: aten.conv2d.default")
    assert network(tmp_path, model([conv], {weight: (4, 8, 3, 3)})).title == title


def test_weights_are_not_read(tmp_path: Path) -> None:
    """Neither those in another file, which is missing here, nor 2.1 GB in this one, which is a hole."""
    made = model([node("Flatten", "x", "f"), node("MatMul", "f w", "m"), node("MatMul", "m v", "y")], {"w": (1, 1)})
    outside = made.graph.initializer[0]
    outside.ClearField("float_data")
    outside.dims[:] = [288, 1500]
    outside.data_location = onnx.TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="../../nowhere.bin")
    count = 2_100_000_000 // 4 // 1500
    inside = onnx.TensorProto(name="v", dims=[1500, count], data_type=1).SerializeToString()
    size = 4 * 1500 * count
    tensor = inside + b"\x4a" + _varint(size)  # raw_data, the last field of the last message
    graph = made.graph.SerializeToString() + b"\x2a" + _varint(len(tensor) + size) + tensor
    made.ClearField("graph")
    path = tmp_path / "large.onnx"
    path.write_bytes(made.SerializeToString() + b"\x3a" + _varint(len(graph) + size) + graph)
    with path.open("r+b") as opened:
        opened.truncate(path.stat().st_size + size)
    assert archcalc.load(path).analyze().totals.params == 288 * 1500 + 1500 * count


def _varint(value: int) -> bytes:
    found = b""
    while value > 127:
        found += bytes([value & 127 | 128])
        value >>= 7
    return found + bytes([value])


UNKNOWN = [
    node("Conv", "x w b", "c"), node("LSTM", "c w b", "l", hidden_size=4), node("Relu", "l", "r"),
    node("Cnov", "r w", "d"), node("If", "d", "i"), node("Relu", "c", "y"),
]  # fmt: skip


def test_everything_without_counterpart_at_once(tmp_path: Path) -> None:
    with pytest.raises(ArchcalcError) as error:
        network(tmp_path, model(UNKNOWN, W, outputs=("y", "i")))
    assert [line.partition("net.onnx: ")[2] for line in str(error.value).splitlines()] == [
        "l_node (LSTM): a recurrent layer has no counterpart",
        "d_node (Cnov): operators of this type are not known; did you mean 'Conv'?",
        "i_node (If): a part that runs on a condition has no counterpart",
        "layers without a counterpart in archcalc: LSTM, Cnov, If. --allow-missing leaves these layers out, with all layers "
        "behind them",
    ]


def test_a_grid_that_does_not_fit(tmp_path: Path) -> None:
    nodes = [node("Transpose", "x", "g", perm=[0, 2, 3, 1]), node("GridSample", "x g", "y")]
    with pytest.raises(ArchcalcError, match=r"positions result Nx6x6x8 on the map x Nx8x6x6"):
        network(tmp_path, model(nodes, opset=20))


def test_the_rest_with_allow_missing(tmp_path: Path) -> None:
    net = network(tmp_path, model(UNKNOWN, W, outputs=("y", "i")), allow_missing=True)
    assert layers(net) == ["conv (kernel 3, out 4) 4x4x4", "relu 4x4x4"]
    assert net.notes == [
        "import: every count is a lower bound, and outputs are cut, without LSTM, Cnov, If and 1 layer behind them; "
        "nothing dropped"
    ]


def _file(change: Any) -> bytes:
    made = model(CONV, W)
    change(made)
    return bytes(made.SerializeToString())


def _opset(version: int) -> Any:
    return lambda made: setattr(made.opset_import[0], "version", version)


BAD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "the file is empty"),
    "a part of a file": (_file(lambda made: None)[:200], "is no ONNX file, or not a whole one"),
    "a zip archive": (b"PK\x03\x04 and so on", "is no ONNX file: it is a zip archive"),
    "a pickle": (b"\x80\x02}q\x00.", "it is a pickle, which archcalc does not read, because reading it would run code"),
    "a text": (b"layers:\n  - conv: 3\n", "is no ONNX file: it is a text"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\n", "it is a pointer of Git LFS"),
    "another protocol buffer": (onnx.TensorProto(dims=[3], data_type=1).SerializeToString(), "is no ONNX file"),
    "no nodes": (_file(lambda made: made.graph.ClearField("node")), "the graph has no nodes"),
    "an old operator set": (_file(_opset(6)), "knows the operator sets 7 to 28 of ONNX; this file has 6"),
    "a coming operator set": (_file(_opset(99)), "knows the operator sets 7 to 28 of ONNX; this file has 99"),
    "no operator set": (_file(lambda made: made.ClearField("opset_import")), "this file has none of them"),
    "two writers": (_file(lambda made: made.graph.node.append(made.graph.node[0])), "several nodes write 'y'"),
    "no input": (_file(lambda made: made.graph.ClearField("input")), "the graph has no input that a node reads"),
    "a huge input": (
        _file(lambda made: setattr(made.graph.input[0].type.tensor_type.shape.dim[2], "dim_value", 2**40)),
        "the input 'x' has the sizes 1x8x1099511627776x6",
    ),
    "weights of other sizes": (
        _file(lambda made: made.graph.initializer[0].dims.__setitem__(1, 7)),
        "y_node (Conv): weights of the sizes 4x7x3x3 for a map of 8x6x6",
    ),
    "no weights": (_file(lambda made: made.graph.ClearField("initializer")), "(Conv): nothing makes its input 'w'"),
    "a circle": (
        _file(lambda made: made.graph.node.insert(0, node("Add", "x y", "x2"))),
        "x2_node (Add): only a later node makes its input 'y'",
    ),
    "an input that is left out": (
        _file(lambda made: made.graph.node[0].input.__setitem__(1, "")), "y_node (Conv): input 2 is missing",
    ),
    "an attribute of another kind": (
        _file(lambda made: made.graph.node[0].attribute.append(helper.make_attribute("strides", "two"))),
        "y_node (Conv)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_files(case: str, tmp_path: Path) -> None:
    raw, text = BAD[case]
    with pytest.raises(ArchcalcError) as error:
        network(tmp_path, raw)
    assert text in str(error.value)
    assert len(str(error.value).splitlines()) <= 2


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ArchcalcError, match=r"no\.onnx: cannot be read: no such file"):
        archcalc.load(tmp_path / "no.onnx")
    (tmp_path / "dir.onnx").mkdir()
    with pytest.raises(ArchcalcError, match=r"dir\.onnx: is a directory, expected an ONNX file"):
        archcalc.load(tmp_path / "dir.onnx")
    (tmp_path / "model.bin").write_bytes(_file(lambda made: None))
    with pytest.raises(ArchcalcError, match=r"ONNX is read from a file whose name ends in \.onnx"):
        archcalc.load(tmp_path / "model.bin")


def test_as_a_spec(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(_file(lambda made: None))
    assert import_spec(str(path)).splitlines()[2:] == [
        "title: net",
        "input: [8, 6, 6]",
        "layers:",
        "  - {conv: {out: 4, kernel: 3}, name: y_node}",
    ]
