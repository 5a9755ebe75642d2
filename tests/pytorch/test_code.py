"""PyTorch code of every layer type on one input, as a person writes it."""

from __future__ import annotations

import pytest

from archcalc.errors import LayerError
from archcalc.layers import registry
from archcalc.layers.resample import Pooled
from archcalc.pytorch import records
from archcalc.pytorch.code import InlineCode, ModuleCode
from archcalc.sizes import Shape

x = Shape(6, (8, 9))
v = Shape(6)


def text(code) -> str:
    """The code on one line; arguments that equal their defaults are left out."""
    if isinstance(code, InlineCode):
        names = [f"x{i}" for i in range(4)]
        return code.text.format(*names, **code.arguments)
    assert isinstance(code, ModuleCode)
    shown = []
    for at, (name, value) in enumerate(code.arguments.items()):
        if at < code.positional or code.defaults.get(name, code) != value:
            said = text(value) if isinstance(value, ModuleCode) else repr(value)
            shown.append(said if at < code.positional else f"{name}={said}")
    return f"{code.target}({', '.join(shown)})"


def lines(type, settings, inputs, over=False) -> list[str]:
    layer = registry[type](**settings)
    before, itself = records[type].statements(layer, inputs, layer.shape(*inputs), over)
    return [*map(text, before), text(itself)]


ROWS = [
    ("conv", {"out": 8, "kernel": 3, "pad": 1}, x, "nn.Conv2d(6, 8, 3, padding=1)"),
    (
        "conv",
        {"out": 4, "kernel": [1, 3], "stride": [2, 1], "groups": 2, "bias": False},
        x,
        "nn.Conv2d(6, 4, (1, 3), stride=(2, 1), groups=2, bias=False)",
    ),
    ("conv", {"out": 8, "kernel": 3}, Shape(6, (9,)), "nn.Conv1d(6, 8, 3)"),
    (
        "conv",
        {"out": 8, "kernel": 3, "pad": [0, 1], "pad_mode": "reflect"},
        x,
        "nn.Conv2d(6, 8, 3, padding=(0, 1), padding_mode='reflect')",
    ),
    ("conv", {"out": 8, "kernel": 3, "pad_mode": "circular"}, x, "nn.Conv2d(6, 8, 3)"),
    ("conv_transpose", {"out": 8, "kernel": 2, "stride": 2}, x, "nn.ConvTranspose2d(6, 8, 2, stride=2)"),
    ("unfold", {"kernel": 3, "stride": 2}, x, "F.unfold(x0, 3, 1, 0, 2).unflatten(2, (3, 4))"),
    ("fold", {"kernel": [2, 3], "pad": [1, 0]}, x, "F.fold(x0.flatten(2), (7, 11), (2, 3), 1, (1, 0), 1)"),
    ("conv_table", {"kernel": 3, "table": [[0], [1, 5]]}, x, "TableConv(((0,), (1, 5)), axes=2, kernel_size=3)"),
    (
        "locally_connected",
        {"out": 8, "kernel": [3, 2], "stride": 2},
        x,
        "LocalConv(6, 8, kernel=(3, 2), size=(3, 4), stride=(2, 2))",
    ),
    ("linear", {"out": 8}, v, "nn.Linear(6, 8)"),
    ("linear", {"out": 8, "axis": "last", "bias": False}, x, "nn.Linear(9, 8, bias=False)"),
    (
        "linear",
        {"out": 8, "axis": "last", "weight_norm": "channels", "bias": False},
        x,
        "nn.utils.parametrizations.weight_norm(nn.Linear(9, 8, bias=False))",
    ),
    (
        "conv",
        {"out": 8, "kernel": 1, "weight_norm": "scaled", "gamma": 1.5, "eps": 1e-5},
        x,
        "StandardisedConv(nn.Conv2d(6, 8, 1), scaled=True, eps=1e-05, gamma=1.5)",
    ),
    ("linear", {"out": 8, "axis": "channels"}, x, "ChannelLinear(6, 8)"),
    ("linear", {"out": 8, "zero_bias": [2, 5]}, v, "ZeroBiasLinear(6, 8, start=2, stop=5)"),
    (
        "linear",
        {"out": 8, "zero_bias": [2, 5], "axis": "channels"},
        x,
        "ZeroBiasLinear(6, 8, start=2, stop=5, channels=True)",
    ),
    ("rbf", {"out": 10}, v, "Rbf(6, 10)"),
    ("roi_align", {"size": 7}, x, "RoiAlign((7, 7), 2)"),
    ("roi_pool", {"size": [6, 7]}, x, "RoiPool((6, 7))"),
    ("ps_roi_pool", {"size": [3, 2]}, x, "PsRoiPool((3, 2))"),
    ("max_pool", {"kernel": 2, "stride": 2}, x, "nn.MaxPool2d(2)"),
    ("max_pool", {"kernel": 3, "stride": 2, "dilation": 2}, x, "nn.MaxPool2d(3, stride=2, dilation=2)"),
    ("max_pool", {"kernel": 2, "stride": 2, "ceil_mode": True}, x, "nn.MaxPool2d(2, ceil_mode=True)"),
    ("avg_pool", {"kernel": 3, "stride": 2, "pad": 1}, x, "nn.AvgPool2d(3, stride=2, padding=1)"),
    (
        "avg_pool",
        {"kernel": 3, "stride": 2, "pad": 1, "count_include_pad": False},
        x,
        "nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)",
    ),
    (
        "avg_pool",
        {"kernel": 2, "stride": 1, "dilation": 2},
        x,
        "DividedMean(WindowSum((2, 2), (1, 1), dilation=(2, 2)))",
    ),
    ("subsample", {"kernel": 2, "stride": 2}, x, "Subsample(6, 2, 4, nn.AvgPool2d(2, divisor_override=1))"),
    ("adaptive_avg_pool", {"out": [2, 3]}, x, "nn.AdaptiveAvgPool2d((2, 3))"),
    ("global_avg_pool", {}, x, "nn.AdaptiveAvgPool2d(1)"),
    ("adaptive_max_pool", {"out": [2, 3]}, x, "nn.AdaptiveMaxPool2d((2, 3))"),
    ("global_max_pool", {}, x, "nn.AdaptiveMaxPool2d(1)"),
    ("batch_norm", {}, x, "nn.BatchNorm2d(6)"),
    ("batch_norm", {"affine": False, "eps": 1e-3}, v, "nn.BatchNorm1d(6, eps=0.001, affine=False)"),
    ("batch_norm", {"scale": False}, x, "BatchNormShift(6)"),
    ("batch_norm", {"frozen": True}, x, "FrozenBatchNorm(6, axes=2)"),
    ("layer_norm", {}, v, "nn.LayerNorm(6)"),
    ("layer_norm", {"axis": "all", "affine": False}, x, "nn.LayerNorm((6, 8, 9), elementwise_affine=False)"),
    ("layer_norm", {"axis": "channels"}, x, "ChannelNorm(6)"),
    ("layer_norm", {"axis": ["height", "width"]}, x, "nn.LayerNorm((8, 9))"),
    ("layer_norm", {"axis": ["width"]}, x, "nn.LayerNorm(9)"),
    ("rms_norm", {"eps": 1e-5}, v, "nn.RMSNorm(6, eps=1e-05)"),
    ("rms_norm", {"axis": "channels"}, x, "ChannelRMSNorm(6, eps=1e-06)"),
    ("math", {"function": "exp"}, x, "x0.exp()"),
    ("math", {"function": "power", "exponent": 2}, x, "x0 ** 2"),
    ("l2_norm", {}, x, "L2Norm(1e-12)"),
    ("l2_norm", {"scale": True, "init": 20}, x, "L2Norm(1e-12, channels=6, axes=2, init=20.0)"),
    ("l2_norm", {"axis": ["width", "channels"]}, x, "L2Norm(1e-12, dim=(1, 3))"),
    (
        "l2_norm",
        {"axis": "last", "scale": True, "per_channel": False},
        x,
        "L2Norm(1e-12, dim=3, channels=1, axes=2, init=1.0)",
    ),
    ("group_norm", {"groups": 3}, x, "nn.GroupNorm(3, 6)"),
    ("instance_norm", {}, x, "nn.InstanceNorm2d(6)"),
    ("instance_norm", {"affine": True, "eps": 1e-3}, x, "nn.InstanceNorm2d(6, eps=0.001, affine=True)"),
    # PyTorch divides alpha by the size
    ("lrn", {"size": 5, "axis": "positions"}, x, "LocalNorm(5, 2, alpha=0.0025, beta=0.75, k=2.0)"),
    ("lrn", {"size": 5}, x, "nn.LocalResponseNorm(5, alpha=0.0005, beta=0.75, k=2.0)"),
    ("scale", {"factor": 0.5}, x, "x0 * 0.5"),
    ("scale", {"factor": 0.5, "shift": 3}, x, "x0 * 0.5 + 3"),
    ("layer_scale", {}, x, "LayerScale(6, axes=2, init=1e-06)"),
    ("layer_scale", {"bias": True}, x, "LayerScale(6, axes=2, init=1e-06, bias=True)"),
    ("position", {}, Shape(6, (9,)), "Position((9, 6))"),
    ("position", {"axes": ["height"]}, x, f"Position(({x.axes[0]}, 1, 6))"),
    (
        "conv",
        {"out": 6, "kernel": [1, 3, 3, 3], "stride": [1, 1, 2, 2], "pad": [0, 1, 1, 1], "groups": 6},
        Shape(6, (2, 4, 8, 8)),
        "OverLastAxes(nn.Conv3d(6, 6, 3, stride=(1, 2, 2), padding=1, groups=6))",
    ),
    ("parameter", {"size": [4, 5]}, x, "Repeated((4, 5))"),
    ("parameter", {"size": [4], "fixed": True}, x, "Repeated((4,), fixed=True)"),
    ("index_select", {"count": 5}, x, "IndexSelect(9, 5)"),
    ("index_select", {"count": 5, "axis": "channels"}, x, "IndexSelect(6, 5, axis=1)"),
    ("class_token", {"tokens": 2}, Shape(6, (9,)), "ClassToken((2, 6))"),
    ("relu", {}, x, "nn.ReLU()"),
    ("leaky_relu", {"slope": 0.2}, x, "nn.LeakyReLU(0.2)"),
    ("prelu", {}, x, "nn.PReLU(6)"),
    ("elu", {"alpha": 0.5}, x, "nn.ELU(0.5)"),
    ("gelu", {"approximate": "tanh"}, x, "nn.GELU(approximate='tanh')"),
    ("hard_tanh", {"min": 0, "max": 6}, x, "nn.Hardtanh(min_val=0, max_val=6)"),
    ("softmax", {}, x, "nn.Softmax(dim=1)"),
    ("softmax", {"axis": "last"}, x, "nn.Softmax(dim=3)"),
    ("log_softmax", {"axis": "height"}, x, "nn.LogSoftmax(dim=2)"),
    ("glu", {}, x, "nn.GLU(dim=1)"),
    ("reduce", {"by": "mean", "axis": "channels"}, x, "x0.mean(1, keepdim=True)"),
    ("reduce", {"by": "sum", "axis": "last"}, x, "x0.sum(3, keepdim=True)"),
    ("reduce", {"by": "max", "axis": "positions"}, x, "x0.amax((2, 3), keepdim=True)"),
    ("upsample", {"scale": 2}, x, "nn.Upsample(size=(16, 18))"),
    ("upsample", {"size": 4, "mode": "bilinear"}, x, "nn.Upsample(size=(4, 4), mode='bilinear')"),
    ("upsample", {"like": (4, 5), "mode": "bicubic"}, x, "nn.Upsample(size=(4, 5), mode='bicubic')"),
    (
        "upsample",
        {"scale": 2, "mode": "bilinear", "align_corners": True},
        Shape(6, (8,)),
        "nn.Upsample(size=(16,), mode='linear', align_corners=True)",
    ),
    (
        "unpool",
        {"of": Pooled(3, 2, 1, 1, False, Shape(6, (15, 18)), x)},
        x,
        "F.max_unpool2d(x0, x1, 3, 2, 1, (15, 18))",
    ),
    ("flatten", {}, x, "x0.flatten(1)"),
    ("identity", {}, x, "x0"),
    ("dropout", {}, x, "nn.Dropout(0.5)"),
    ("drop_path", {"p": 0.1}, x, "DropPath(0.1)"),
    ("slice", {"stop": 2}, x, "x0[:, :2]"),
    ("slice", {"start": 2}, x, "x0[:, 2:]"),
    ("slice", {"start": 1, "stop": 5}, x, "x0[:, 1:5]"),
    ("slice", {}, x, "x0"),
    ("slice", {"axis": "width", "start": 1, "step": 2}, x, "x0[:, :, :, 1::2]"),
    ("roll", {"by": [-1, 2]}, x, "x0.roll((-1, 2), (2, 3))"),
    ("roll", {"by": [8, 2]}, x, "x0.roll(2, 3)"),
    ("expand", {"size": [8, 9]}, Shape(6, (1, 9)), "x0.expand(-1, -1, 8, -1)"),
    ("pad", {"by": 1, "mode": "reflect"}, x, 'F.pad(x0, (1, 1, 1, 1), mode="reflect")'),
    ("crop", {"by": [1, [2, 0]]}, x, "x0[:, :, 1:7, 2:]"),
    ("crop", {"by": 0}, x, "x0"),
    ("pad", {"by": [1, [2, 0]]}, x, "F.pad(x0, (2, 0, 1, 1))"),
    ("pad", {"by": 0}, x, "x0"),
    ("pad", {"by": [[1, 0], 0, 0, 2]}, Shape(6, (3, 4, 8, 9)), "F.pad(x0, (2, 2, 0, 0, 0, 0, 1, 0))"),
    ("pad_channels", {"after": 2}, x, "F.pad(x0, (0, 0, 0, 0, 0, 2))"),
    ("channel_shuffle", {"groups": 2}, x, "x0.unflatten(1, (2, -1)).transpose(1, 2).flatten(1, 2)"),
    ("channel_shuffle", {"groups": 6}, x, "x0"),
    ("channel_shuffle", {"groups": 2}, v, "x0.unflatten(1, (2, -1)).transpose(1, 2).flatten(1)"),
    ("space_to_depth", {"block": 2}, Shape(6, (8, 4)), "F.pixel_unshuffle(x0, 2)"),
    (
        "space_to_depth",
        {"block": [2, 3]},
        x,
        "x0.unflatten(3, (-1, 3)).unflatten(2, (-1, 2)).permute(0, 1, 3, 5, 2, 4).flatten(1, 3)",
    ),
    ("pixel_shuffle", {"factor": 2}, Shape(8, (3, 4)), "F.pixel_shuffle(x0, 2)"),
    ("pixel_shuffle", {"factor": 3}, Shape(6, (4,)), "x0.unflatten(1, (-1, 3)).transpose(2, 3).flatten(2)"),
    ("to_tokens", {}, x, "x0.flatten(2)"),
    ("to_map", {"size": [8, 9]}, Shape(6, (72,)), "x0.unflatten(2, (8, 9))"),
    (
        "windows",
        {"size": [2, 3]},
        x,
        "x0.unflatten(3, (-1, 3)).unflatten(2, (-1, 2)).transpose(3, 4).flatten(4).flatten(2, 3)",
    ),
    (
        "windows",
        {"size": [4, 3], "grid": True},
        x,
        "x0.unflatten(3, (3, -1)).unflatten(2, (4, -1)).permute(0, 1, 3, 5, 2, 4).flatten(4).flatten(2, 3)",
    ),
    (
        "from_windows",
        {"size": [8, 9], "block": [2, 3]},
        Shape(6, (12, 6)),
        "x0.unflatten(3, (2, 3)).unflatten(2, (4, 3)).transpose(3, 4).flatten(4).flatten(2, 3)",
    ),
    ("rearrange", {"pattern": "c h w -> c (h w)"}, x, "x0.flatten(2)"),
    ("rearrange", {"pattern": "c h w -> w c h"}, x, "x0.permute(0, 3, 1, 2)"),
    (
        "rearrange",
        {"pattern": "c (h 2) (w 3) -> (c 2 3) h w"},
        x,
        "x0.unflatten(3, (-1, 3)).unflatten(2, (-1, 2)).permute(0, 1, 3, 5, 2, 4).flatten(1, 3)",
    ),
    ("rearrange", {"pattern": "c (1 h) w -> c w 1 h"}, x, "x0.transpose(2, 3).unsqueeze(3)"),
]


@pytest.mark.parametrize(("type", "settings", "input", "line"), ROWS, ids=lambda v: str(v)[:40])
def test_one_line(type, settings, input, line):
    assert lines(type, settings, (input,)) == [line]


def test_every_layer_type_is_written():
    modules = (
        "relu6",
        "selu",
        "sigmoid",
        "hard_sigmoid",
        "silu",
        "hard_swish",
        "gelu",
        "tanh",
        "hard_tanh",
        "softplus",
        "mish",
    )
    for type in modules:
        assert lines(type, {}, (x,)) == [f"nn.{records[type].modules[0]}()"]
    joins = ("add", "mean", "multiply", "subtract", "divide", "maximum", "minimum", "concat")
    assert {row[0] for row in ROWS} | {*modules, *joins, "attention", "matmul", "grid_sample"} == set(records)


BEFORE = [
    # what PyTorch's layer cannot pad stands in a statement of its own
    (
        "conv",
        {"out": 8, "kernel": 2, "pad": "same"},
        x,
        ["F.pad(x0, (0, 1, 0, 1))", "nn.Conv2d(6, 8, 2)"],
    ),
    (
        "max_pool",
        {"kernel": 2, "stride": 1, "pad": [[0, 1], [1, 0]]},
        x,
        ['F.pad(x0, (1, 0, 0, 1), value=float("-inf"))', "nn.MaxPool2d(2, stride=1)"],
    ),
    # a vector gets the axes of a map that it scales
    ("multiply", {}, (x, v), ["x0 * x1[:, :, None, None]"]),
    ("add", {}, (x, x, x), ["x0 + x1", "x0 + x1"]),
    ("mean", {}, (x, x), ["x0 + x1", "x0 / 2"]),
    ("subtract", {}, (x, v), ["x0 - x1[:, :, None, None]"]),
    ("divide", {}, (x, v), ["x0 / x1[:, :, None, None]"]),
    ("maximum", {}, (x, x, x), ["x0.maximum(x1)", "x0.maximum(x1)"]),
    ("concat", {}, (x, x), ["torch.cat((x0, x1), 1)"]),
    ("roi_align", {"size": 7, "sampling": 1, "aligned": True}, (x, x), ["RoiAlign((7, 7), 1, aligned=True)"]),
    ("concat", {}, (x,), ["torch.cat((x0,), 1)"]),
    ("concat", {"axis": "height"}, (x, x), ["torch.cat((x0, x1), 2)"]),
    ("matmul", {"transpose": "first"}, (x, x), ["torch.matmul(x0.mT, x1)"]),
    ("matmul", {}, (Shape(6, (9,)), Shape(9, (4,))), ["torch.matmul(x0, x1)"]),
    (
        "grid_sample",
        {},
        (x, Shape(2, (4, 3))),
        ["F.grid_sample(x0, x1.movedim(1, -1), align_corners=False)"],
    ),
    (
        "grid_sample",
        {"mode": "nearest", "pad_mode": "border", "align_corners": True},
        (Shape(6, (9, 5, 7)), Shape(2, (9, 1, 2))),
        [
            'F.grid_sample(x0.movedim(1, 2).flatten(0, 1), x1.movedim(1, -1).flatten(0, 1), mode="nearest", '
            'padding_mode="border", align_corners=True).unflatten(0, (-1, 9)).movedim(2, 1)'
        ],
    ),
    ("attention", {"heads": 2}, (x, x, x), ["Attention(2)"]),
    ("attention", {"heads": 2, "causal": True, "scale": 1}, (x, x, x), ["Attention(2, causal=True, scale=1)"]),
    ("attention", {"heads": 2, "cosine": True}, (x, x, x), ["Attention(2, cosine=True)"]),
    (
        "attention",
        {"heads": 2, "bias": "continuous", "block": [3, 3], "cosine": True},
        (x, x, x),
        ["BiasedAttention(2, (3, 3), continuous=True, cosine=True)"],
    ),
    (
        "attention",
        {"heads": 2, "bias": "relative", "block": 9},
        (x, x, x),
        ["BiasedAttention(2, (9,), relative=True)"],
    ),
    ("attention", {"heads": 2}, (x, x, x, Shape(2, (8, 9, 9))), ["BiasedAttention(2)"]),
    (
        "attention",
        {"heads": 2, "causal": True},
        (x, x, x, Shape(2, (8, 9, 9))),
        ["BiasedAttention(2, causal=(9, 9))"],
    ),
    (
        "attention",
        {"heads": 2, "bias": "relative", "block": 9, "causal": True},
        (x, x, x),
        ["BiasedAttention(2, (9,), relative=True, causal=(9, 9))"],
    ),
    (
        "attention",
        {"heads": 2, "block": 9, "shift": 3, "size": 72},
        (x, x, x),
        ["BiasedAttention(2, (9,), size=(72,), shift=(3,))"],
    ),
    (
        "lrn",
        {},
        v,
        [
            "nn.Sequential(nn.Unflatten(1, (6, 1)), nn.LocalResponseNorm(5, alpha=0.0005, beta=0.75, k=2.0), nn.Flatten())"
        ],
    ),
]


@pytest.mark.parametrize(("type", "settings", "inputs", "expected"), BEFORE, ids=lambda v: str(v)[:40])
def test_several_statements(type, settings, inputs, expected):
    assert lines(type, settings, inputs if isinstance(inputs[0], Shape) else (inputs,)) == expected


@pytest.mark.parametrize(
    ("type", "settings", "line"),
    [
        ("relu", {}, "nn.ReLU(inplace=True)"),
        ("leaky_relu", {}, "nn.LeakyReLU(0.01, inplace=True)"),
        ("sigmoid", {}, "x0.sigmoid_()"),
        ("tanh", {}, "x0.tanh_()"),
        ("scale", {"factor": 2}, "x0.mul_(2)"),
        ("scale", {"factor": 2, "shift": -1}, "x0.mul_(2).add_(-1)"),
    ],
)
def test_in_place(type, settings, line):
    assert lines(type, settings, (x,), over=True) == [line]


def test_a_sum_in_place():
    assert lines("add", {}, (x, x), over=True) == ["x0.add_(x1)"]


@pytest.mark.parametrize(
    ("type", "settings", "message"),
    [
        (
            "conv",
            {"out": 1, "kernel": 2},
            "PyTorch has no conv over 4 axes. It can put the first axis into the batch, but there the kernel and the stride "
            "must be 1, and the padding 0",
        ),
        ("max_pool", {"kernel": 1, "stride": 1}, "PyTorch has no MaxPool over 4 axes; it has one to three"),
        (
            "pad",
            {"by": 1, "mode": "reflect"},
            "pad with mode reflect: PyTorch takes one to three axes, and the map 1x2x2x2x2 has 4; rearrange can merge axes, "
            "or move one into the channels",
        ),
        ("upsample", {"scale": 2}, "PyTorch has no upsampling over 4 axes; it has one to three"),
    ],
)
def test_what_pytorch_lacks(type, settings, message):
    with pytest.raises(LayerError, match=f"^{message}$"):
        lines(type, settings, (Shape(1, (2, 2, 2, 2)),))


@pytest.mark.parametrize(
    ("pool", "before", "message"),
    [
        (
            {"pad": "same"},
            (15, 18),
            "PyTorch pads the map before this pooling, and so the indices are those of the padded map",
        ),
        ({"dilation": 3}, (18, 18), "PyTorch's max_unpool makes 16 of 8 positions, or up to 1 more or fewer, not 18"),
    ],
)
def test_unpooling_that_pytorch_lacks(pool, before, message):
    pooling = registry["max_pool"](**{"kernel": 2, "stride": 2, **pool})
    before = Shape(6, before)
    after = pooling.shape(before)
    with pytest.raises(LayerError) as found:
        lines("unpool", {"of": Pooled.of(pooling, before, after)}, (after,))
    assert str(found.value) == message


def test_pytorch_has_bicubic_upsampling_of_images_only():
    with pytest.raises(LayerError, match=r"^PyTorch has no bicubic upsampling over 1 axes; it has two axes only$"):
        lines("upsample", {"scale": 2, "mode": "bicubic"}, (Shape(1, (2,)),))
