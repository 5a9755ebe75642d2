"""Blocks that differ in a few layers are one block, with conditions: flat specs whose names are paths of modules."""

from __future__ import annotations

from tests.importing.test_blocks import INPUT, text_of


def flat(*entries: str) -> str:
    return INPUT + "".join(f"  - {{{entry}}}\n" for entry in entries)


def conv(path: str, out: int, kernel: int = 1, stride: int = 1, before: str = "", groups: int = 1) -> list[str]:
    """A convolution that keeps the size at stride 1, with its normalisation."""
    source = f", from: {before}" if before else ""
    settings = f"out: {out}, kernel: {kernel}, stride: {stride}, pad: {kernel // 2}, groups: {groups}"
    return [f"conv: {{{settings}}}, name: {path}{source}", f"batch_norm: , name: {path}_bn"]


def basic(path: str, out: int, before: str, *, stride: int = 1, project: bool = False) -> list[str]:
    """A residual block of ResNet-18: its shortcut has a convolution where ``project``."""
    shortcut = conv(f"{path}.down", out, 1, stride, before) if project else []
    other = f"{path}.down_bn" if project else before
    main = [*conv(f"{path}.conv1", out, 3, stride, before), f"relu: , name: {path}.act", *conv(f"{path}.conv2", out, 3)]
    return main + shortcut + [f"add: , name: {path}.add, from: [{path}.conv2_bn, {other}]", f"relu: , name: {path}.out"]


def test_the_shortcut_of_a_residual_block_has_a_condition() -> None:
    layers = ["relu: , name: stem", *basic("s.0.0", 4, "stem"), *basic("s.0.1", 4, "s.0.0.out")]
    layers += basic("s.1.0", 8, "s.0.1.out", stride=2, project=True) + basic("s.1.1", 8, "s.1.0.out")
    layers += basic("s.2.0", 16, "s.1.1.out", stride=2, project=True) + basic("s.2.1", 16, "s.2.0.out")
    classes = {f"s.{n}.{m}": "BasicBlock" for n in range(3) for m in range(2)}
    assert text_of(flat(*layers), classes)[1:] == [
        "blocks:",
        "  conv_norm:",
        "    params: {out: , kernel: 3, stride: 1, act: false}",
        "    layers:",
        "      - conv: {out: out, kernel: kernel, stride: stride, pad: kernel // 2}",
        "      - batch_norm",
        "      - {relu: , when: act}",
        "  basic_block:",
        "    params: {out: , stride: 1}",
        "    layers:",
        "      - add:",
        "          main: [{conv_norm: {out: out, stride: stride, act: true}}, {conv_norm: {out: channels}}]",
        "          shortcut: [{conv_norm: {out: 2 * channels, kernel: 1, stride: 2}, when: channels != out}]",
        "      - relu",
        "layers:",
        "  - {relu: , name: stem}",
        "  - {basic_block: {out: 4}, repeat: 2}",
        "  - {basic_block: {out: 8, stride: 2 if i == 1 else 1}, repeat: 2}",
        "  - {basic_block: {out: 16, stride: 2 if i == 1 else 1}, repeat: 2}",
    ]


def inverted(path: str, out: int, before: str, width: int, expand: int, *, squeeze: int = 0) -> list[str]:
    """An inverted residual block, with a gate of ``squeeze`` channels, and a sum where the width stays."""
    wide = expand * width
    main = conv(f"{path}.pw", wide, 1, 1, before) + conv(f"{path}.dw", wide, 3, 1, "", wide)
    gate = [f"global_avg_pool: , name: {path}.se.pool", f"conv: {{out: {squeeze}, kernel: 1}}, name: {path}.se.reduce"]
    gate += [f"relu: , name: {path}.se.act", f"conv: {{out: {wide}, kernel: 1}}, name: {path}.se.expand"]
    gate += [
        f"sigmoid: , name: {path}.se.gate",
        f"multiply: , name: {path}.se.mul, from: [{path}.dw_bn, {path}.se.gate]",
    ]
    main += (gate if squeeze else []) + conv(f"{path}.pwl", out)
    return main + ([f"add: , name: {path}.add, from: [{path}.pwl_bn, {before}]"] if out == width else [])


def test_a_sum_a_gate_and_a_factor_are_parameters() -> None:
    layers = ["conv: {out: 8, kernel: 1}, name: stem"]
    before, width = "stem", 8
    table = [(8, 2, 0), (16, 2, 0), (16, 2, 4), (24, 4, 8), (24, 4, 8), (32, 4, 0), (32, 4, 8)]
    for n, (out, expand, squeeze) in enumerate(table):
        layers += inverted(f"b.{n}", out, before, width, expand, squeeze=squeeze)
        before, width = f"b.{n}.{'add' if out == width else 'pwl_bn'}", out
    classes = {f"b.{n}": "InvertedResidual" for n in range(len(table))}
    text = text_of(flat(*layers), classes)
    at = text.index("  inverted_residual:")
    assert text[at:] == [
        "  inverted_residual:",
        "    params: {out: , expand: , se: 0}",
        "    let: {width: channels}",
        "    layers:",
        "      - {layers: [], name: x}",
        "      - conv_norm: {out: expand * channels}",
        "      - conv_norm: {out: channels, kernel: 3, groups: channels}",
        "      - {se: {out: se}, when: se > 0}",
        "      - {conv_norm: {out: out}, name: main}",
        "      - {add: , from: [main, x], when: width == out}",
        "layers:",
        "  - {conv: {out: 8, kernel: 1}, name: stem}",
        "  - inverted_residual: {out: 8, expand: 2}",
        "  - inverted_residual: {out: 16, expand: 2}",
        "  - inverted_residual: {out: 16, expand: 2, se: 4}",
        "  - {inverted_residual: {out: 24, expand: 4, se: 8}, repeat: 2}",
        "  - inverted_residual: {out: 32, expand: 4}",
        "  - inverted_residual: {out: 32, expand: 4, se: 8}",
    ]


def test_stages_that_differ_in_depth_have_a_parameter() -> None:
    layers, before = ["relu: , name: stem"], "stem"
    for n, depth in enumerate((3, 5, 2)):
        layers += [f"max_pool: {{kernel: 1, stride: 1}}, name: s.{n}.pool, from: {before}"]
        layers += [f"layer_norm: {{axis: channels}}, name: s.{n}.norm"]
        before = f"s.{n}.norm"
        for m in range(depth):
            layers += [f"conv: {{out: 4, kernel: 3, pad: 1}}, name: s.{n}.b.{m}.conv, from: {before}"]
            layers += [f"add: , name: s.{n}.b.{m}.add, from: [s.{n}.b.{m}.conv, {before}]"]
            before = f"s.{n}.b.{m}.add"
        layers += [f"sigmoid: , name: s.{n}.act"]
        before = f"s.{n}.act"
    classes = {f"s.{n}": "Stage" for n in range(3)} | {f"s.{n}.b.{m}": "Unit" for n in range(3) for m in range(5)}
    assert text_of(flat(*layers), classes)[-12:] == [
        "  stage:",
        "    params: {depth: }",
        "    layers:",
        "      - max_pool: {kernel: 1, stride: 1}",
        "      - layer_norm: {axis: channels}",
        "      - {unit: , repeat: depth}",
        "      - sigmoid",
        "layers:",
        "  - {relu: , name: stem}",
        "  - stage: {depth: 3}",
        "  - stage: {depth: 5}",
        "  - stage: {depth: 2}",
    ]


def test_blocks_that_have_little_in_common_stay_apart() -> None:
    """And layers that others read by name are in all uses."""

    def module(path: str, *kinds: str) -> list[str]:
        return [f"{kind}: , name: {path}.{kind}" for kind in kinds]

    long = ("relu", "sigmoid", "tanh", "softplus")
    short = ("relu", "elu", "silu")
    layers = [one for n, kinds in enumerate((long, short, long, short)) for one in module(f"m.{n}", *kinds)]
    text = text_of(flat(*layers), {f"m.{n}": "M" for n in range(4)})
    assert not any("when" in line for line in text)
    assert [line for line in text if line.startswith("  m")] == ["  m:", "  m2:"]


def test_names_of_networks_are_one_word() -> None:
    layers = [f"{kind}: , name: m.{n}.{kind}" for n in range(2) for kind in ("relu", "tanh")]
    for class_, name in (
        ("ConvNeXtBlock", "convnext_block"),
        ("SEResNetBottleneck", "se_resnet_bottleneck"),
        ("MobileVitBlock", "mobilevit_block"),
        ("Net", "net"),
        ("NetworkBlock", "network_block"),
        ("VisionTransformer", "vision_transformer"),
    ):
        assert text_of(flat(*layers), {"m.0": class_, "m.1": class_})[2] == f"  {name}:"


def pre_activation(path: str, out: int, before: str, *, stride: int = 1, project: bool = False) -> list[str]:
    """A residual block that activates first. Its shortcut, where ``project``, runs before the main path."""
    layers = [f"batch_norm: , name: {path}.norm, from: {before}", f"relu: , name: {path}.act"]
    down = f"conv: {{out: {out}, kernel: 1, stride: {stride}}}, name: {path}.down"
    main = f"conv: {{out: {out}, kernel: 3, pad: 1, stride: {stride}}}, name: {path}.conv"
    layers += [down, f"{main}, from: {path}.act"] if project else [main]
    layers += [f"sigmoid: , name: {path}.gate"]
    return [*layers, f"add: , name: {path}.add, from: [{path}.gate, {path + '.down' if project else before}]"]


def test_a_shortcut_before_the_main_path_is_a_group_with_a_name() -> None:
    layers = ["relu: , name: stem"]
    before, width = "stem", 4
    for n, (out, stride) in enumerate([(4, 1), (4, 1), (8, 2), (8, 1), (24, 2), (24, 1)]):
        layers += pre_activation(f"b.{n}", out, before, stride=stride, project=out != width)
        before, width = f"b.{n}.add", out
    assert text_of(flat(*layers), {f"b.{n}": "PreActBlock" for n in range(6)})[1:] == [
        "blocks:",
        "  pre_act_block:",
        "    params: {out: , stride: 1}",
        "    let: {width: channels}",
        "    layers:",
        "      - {layers: [], name: x}",
        "      - batch_norm",
        "      - {relu: , name: act}",
        "      - layers:",
        "          - {conv: {out: out, kernel: 1, stride: 2}, from: act, when: width != out}",
        "        name: shortcut",
        "        from: x",
        "      - {conv: {out: out, kernel: 3, stride: stride, pad: 1}, from: act}",
        "      - {sigmoid: , name: gate}",
        "      - {add: , from: [gate, shortcut]}",
        "layers:",
        "  - {relu: , name: stem}",
        "  - {pre_act_block: {out: 4}, repeat: 2}",
        "  - {pre_act_block: {out: 8, stride: 2 if i == 1 else 1}, repeat: 2}",
        "  - {pre_act_block: {out: 24, stride: 2 if i == 1 else 1}, repeat: 2}",
    ]


def test_a_run_that_is_read_by_name_is_a_group_with_a_depth() -> None:
    layers, before = ["relu: , name: stem"], "stem"
    for n, depth in enumerate((1, 3, 4)):
        layers += [f"conv: {{out: 8, kernel: 1}}, name: s.{n}.expand, from: {before}"]
        layers += [
            f"slice: {{stop: 4}}, name: s.{n}.part",
            f"slice: {{start: 4}}, name: s.{n}.rest, from: s.{n}.expand",
        ]
        last = f"s.{n}.part"
        for m in range(depth):
            layers += [f"sigmoid: , name: s.{n}.blocks.{m}.act, from: {last}"]
            layers += [f"add: , name: s.{n}.blocks.{m}.add, from: [s.{n}.blocks.{m}.act, {last}]"]
            last = f"s.{n}.blocks.{m}.add"
        before = f"s.{n}.concat"
        layers += [f"concat: , name: {before}, from: [{last}, s.{n}.rest]"]
    classes = {f"s.{n}": "Stage" for n in range(3)} | {f"s.{n}.blocks.{m}": "Unit" for n in range(3) for m in range(4)}
    assert text_of(flat(*layers), classes)[-13:] == [
        "  stage:",
        "    params: {depth: }",
        "    layers:",
        "      - {conv: {out: 8, kernel: 1}, name: expand}",
        "      - {slice: {stop: 4}, name: part}",
        "      - {slice: {start: 4}, name: rest, from: expand}",
        "      - {layers: [{unit: , repeat: depth}], name: blocks, from: part}",
        "      - {concat: , from: [blocks, rest]}",
        "layers:",
        "  - {relu: , name: stem}",
        "  - stage: {depth: 1}",
        "  - stage: {depth: 3}",
        "  - stage: {depth: 4}",
    ]


def test_two_uses_in_a_row_are_equal_in_one_block_only() -> None:
    """Equal uses are one entry with ``repeat``; of the other stage, both uses stand alone."""
    layers, classes = list[str](), dict[str, str]()
    for n, kernels in enumerate(((3, 3), (3, 1), (3, 3), (3, 1))):
        for m, kernel in enumerate(kernels):
            layers += [*conv(f"s.{n}.u.{m}.conv", 4, kernel), f"relu: , name: s.{n}.u.{m}.act"]
            classes[f"s.{n}.u.{m}"] = "Unit"
        layers += [f"max_pool: {{kernel: 1, stride: 1}}, name: s.{n}.pool"]
        classes[f"s.{n}"] = "Stage"
    assert text_of(flat(*layers), classes)[-8:] == [
        "  stage:",
        "    params: {depth: , unit: false}",
        "    layers: [{unit: , repeat: depth}, {unit: {kernel: 1}, when: unit}, {max_pool: {kernel: 1, stride: 1}}]",
        "layers:",
        "  - repeat: 2",
        "    layers:",
        "      - stage: {depth: 2}",
        "      - stage: {depth: 1, unit: true}",
    ]
