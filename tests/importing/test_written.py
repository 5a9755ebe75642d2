"""An imported network as the text of a spec: blocks, repeats, and the same network again."""

from __future__ import annotations

from pathlib import Path

import pytest

from archcalc import load
from archcalc.errors import ArchcalcError
from archcalc.language.written import check_same, import_spec
from archcalc.network import Network
from tests.importing.files import DATA, LENET, NET, TINY_YOLO, caffe, layer


def written(text: str, name: str, folder: Path, **options: bool) -> list[str]:
    """The lines of the spec without comments."""
    (folder / name).write_text(text, encoding="utf-8")
    spec = import_spec(str(folder / name), **options)
    (folder / "again.yaml").write_text(spec, encoding="utf-8")
    assert len(load(str(folder / "again.yaml")).nodes) == len(load(str(folder / name)).nodes)
    return [line for line in spec.splitlines() if not line.startswith("#")]


def test_flat(tmp_path: Path) -> None:
    assert written(LENET, "net.prototxt", tmp_path, flat=True) == [
        "title: small LeNet",
        "input: [1, 28, 28]",
        "layers:",
        "  - {conv: {out: 6, kernel: 5}, name: conv1}",
        "  - {max_pool: {kernel: 3, stride: 2, ceil_mode: caffe}, name: pool1}",
        "  - {batch_norm: , name: bn1}",
        "  - {relu: , name: relu1}",
        "  - {flatten: , name: ip1/flatten}",
        "  - {linear: {out: 10}, name: ip1}",
    ]


def test_the_first_lines_say_what_was_imported(tmp_path: Path) -> None:
    (tmp_path / "net.cfg").write_text(TINY_YOLO, encoding="utf-8")
    lines = import_spec(str(tmp_path / "net.cfg")).splitlines()
    assert lines[0].startswith("# imported from net.cfg by archcalc ")
    assert lines[1] == "# import: parameters complete, multiply-adds complete, dropped: yolo"


UNIT = """[convolutional]
batch_normalize=1
filters={out}
size={size}
stride={stride}
pad=1
activation=leaky
"""
SHORTCUT = "[shortcut]\nfrom=-3\nactivation=linear\n"


def unit(out: int, size: int = 3, stride: int = 1) -> str:
    return UNIT.format(out=out, size=size, stride=stride)


def residual(out: int) -> str:
    return unit(out // 2, 1) + unit(out) + SHORTCUT


def test_blocks_and_repeats(tmp_path: Path) -> None:
    text = NET + unit(16) + unit(32, stride=2) + residual(32) * 2 + unit(64, stride=2) + residual(64) * 3
    assert written(text, "net.cfg", tmp_path) == [
        "input: [8, 13, 12]",
        "blocks:",
        "  conv_norm_leaky:",
        "    params: {out: , kernel: 3, stride: 1}",
        "    layers:",
        "      - conv: {out: out, kernel: kernel, stride: stride, pad: kernel // 2, bias: false}",
        "      - batch_norm",
        "      - leaky_relu: {slope: 0.1}",
        "  residual:",
        "    layers:",
        "      - add:",
        "          main: [{conv_norm_leaky: {out: channels // 2, kernel: 1}}, {conv_norm_leaky: {out: 2 * channels}}]",
        "          shortcut: []",
        "layers:",
        "  - conv_norm_leaky: {out: 16}",
        "  - conv_norm_leaky: {out: 32, stride: 2}",
        "  - {residual: , repeat: 2}",
        "  - conv_norm_leaky: {out: 64, stride: 2}",
        "  - {residual: , repeat: 3}",
    ]


def test_a_layer_that_another_one_reads_keeps_its_name(tmp_path: Path) -> None:
    text = NET + unit(16) * 4 + "[route]\nlayers=-2\n" + unit(8) + "[route]\nlayers=-1,-3\n"
    assert written(text, "net.cfg", tmp_path)[-3:] == [
        "  - {conv_norm_leaky: {out: 16}, name: 'leaky_relu{i - 1}', repeat: 4}",
        "  - {conv_norm_leaky: {out: 8}, name: leaky_relu5, from: leaky_relu2}",
        "  - {concat: , from: [leaky_relu5, leaky_relu3]}",
    ]


def test_groups_of_neighbours_that_repeat(tmp_path: Path) -> None:
    text = NET + (unit(32) + unit(16, 1) + "[maxpool]\nsize=2\nstride=2\n") * 2
    assert written(text, "net.cfg", tmp_path)[-5:] == [
        "  - repeat: 2",
        "    layers:",
        "      - conv_norm_leaky: {out: 32}",
        "      - conv_norm_leaky: {out: 16, kernel: 1}",
        "      - max_pool: {kernel: 2, stride: 2, pad: same}",
    ]


def test_depthwise_convolutions_have_a_block_of_their_own(tmp_path: Path) -> None:
    text = NET + "".join(unit(n).replace("size=3", f"size=3\ngroups={n}") + unit(2 * n, 1) for n in (8, 16, 32))
    assert written(text, "net.cfg", tmp_path)[1:] == [
        "blocks:",
        "  depthwise_norm_leaky:",
        "    layers:",
        "      - conv: {out: channels, kernel: 3, pad: 1, groups: channels, bias: false}",
        "      - batch_norm",
        "      - leaky_relu: {slope: 0.1}",
        "  conv_norm_leaky:",
        "    layers: [{conv: {out: 2 * channels, kernel: 1, bias: false}}, batch_norm, {leaky_relu: {slope: 0.1}}]",
        "layers:",
        "  - repeat: 3",
        "    layers:",
        "      - depthwise_norm_leaky",
        "      - conv_norm_leaky",
    ]


def test_numbers_that_follow_the_index(tmp_path: Path) -> None:
    text = NET + "".join(unit(out) for out in (40, 56, 72, 88)) + unit(8) * 2 + "".join(unit(9 - n) for n in range(3))
    assert written(text, "net.cfg", tmp_path)[-3:] == [
        "  - {conv_norm_leaky: {out: 16 * i + 24}, repeat: 4}",
        "  - {conv_norm_leaky: {out: 8}, repeat: 2}",
        "  - {conv_norm_leaky: {out: 10 - i}, repeat: 3}",
    ]


def test_branches_of_an_inception(tmp_path: Path) -> None:
    def conv(bottom: str, top: str, out: int, size: int = 1) -> str:
        more = f"convolution_param {{ num_output: {out} kernel_size: {size} pad: {size // 2} }}"
        return layer("Convolution", bottom, top, more) + layer("ReLU", top, top)

    def block(bottom: str, n: int, *outs: int) -> str:
        first, second, third = outs
        branches = conv(bottom, f"a{n}", first) + conv(bottom, f"b{n}", second) + conv(f"b{n}", f"c{n}", third, 3)
        return branches + layer("Concat", f"a{n} c{n}", f"out{n}")

    text = DATA + block("data", 1, 8, 4, 16) + block("out1", 2, 16, 8, 24)
    assert written(text, "net.prototxt", tmp_path)[1:] == [
        "blocks:",
        "  conv_relu:",
        "    params: {out: , kernel: 1}",
        "    layers: [{conv: {out: out, kernel: kernel, pad: kernel // 2}}, relu]",
        "  branches:",
        "    params: {out: , out2: }",
        "    layers:",
        "      - concat:",
        "          b1: [{conv_relu: {out: out}}]",
        "          b2: [{conv_relu: {out: out // 2}}, {conv_relu: {out: out2, kernel: 3}}]",
        "layers:",
        "  - branches: {out: 8, out2: 16}",
        "  - branches: {out: 16, out2: 24}",
    ]


def test_a_difference_is_found() -> None:
    net = caffe(LENET)
    good = "input: [1, 28, 28]\nlayers:\n  - conv: {out: 6, kernel: 5}\n  - max_pool: {kernel: 3, stride: 2, ceil_mode: caffe}\n"
    good += "  - batch_norm\n  - relu\n  - flatten\n  - linear: {out: 10}\n"
    check_same(net, good)
    for old, new, problem in (
        ("out: 10", "out: 11", "linear is not ip1"),
        ("  - relu\n", "", "6 layers, not 7"),
        ("[1, 28", "[1, 29", "it has other inputs"),
        ("- relu\n", "- relu:\n    storage: new\n", "relu is not relu1"),
        ("input:", "outputs: [linear]\ninput:", ""),
    ):
        if problem:
            with pytest.raises(ArchcalcError, match=problem):
                check_same(net, good.replace(old, new))


def test_a_text_that_is_another_network_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of equal uses stand in its place."""
    text = NET + unit(16) * 3 + unit(16).replace("leaky", "linear") * 2 + residual(16) * 2
    usual = written(text, "net.cfg", tmp_path)
    calls: list[str] = []

    def check(network: Network, text: str) -> None:
        calls.append(text)
        if "when" in text:
            raise ArchcalcError("another network")
        check_same(network, text)

    monkeypatch.setattr("archcalc.language.written.check_same", check)
    lines = written(text, "net.cfg", tmp_path)
    assert len(calls) == 2
    assert "      - {leaky_relu: {slope: 0.1}, when: act}" in usual
    assert not any("when" in line for line in lines)


def test_a_spec_is_no_import(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text("input: [3, 8, 8]\nlayers: [relu]\n", encoding="utf-8")
    with pytest.raises(ArchcalcError, match="is a spec already; archcalc show prints it"):
        import_spec(str(tmp_path / "net.yaml"))


def test_a_network_of_the_zoo_is_no_import() -> None:
    with pytest.raises(ArchcalcError, match=r"resnet50 is no file: import takes FILE.prototxt \(Caffe\), FILE.cfg"):
        import_spec("resnet50")
