"""Shapes, parameters and products as PyTorch itself has them.

Where archcalc is laxer or stricter than PyTorch on purpose, a test says so with the reason.
"""

import itertools

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archcalc.errors import LayerError
from archcalc.layers import registry
from archcalc.sizes import Shape

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional
FlopCounterMode = pytest.importorskip("torch.utils.flop_counter").FlopCounterMode
center_crop = pytest.importorskip("torchvision.transforms.functional").center_crop
FrozenBatchNorm2d = pytest.importorskip("torchvision.ops").FrozenBatchNorm2d

MODULES = settings(max_examples=150, deadline=None)


def made(type, x, **fields):
    """Output shape, or None where archcalc refuses."""
    try:
        return registry[type](**fields).shape(x)
    except LayerError:
        return None


def torch_made(module, x, device="meta"):
    """Output shape of a module on x, or None where torch refuses."""
    try:
        out = module(torch.zeros(1, x.channels, *x.axes, device=device))
    except RuntimeError:
        return None
    return Shape(*_split(out.shape[1:]))


def _split(sizes):
    return int(sizes[0]), tuple(int(n) for n in sizes[1:])


def weights(module):
    return sum(p.numel() for p in module.parameters())


def flops(module, x):
    with FlopCounterMode(display=False) as counter:
        module(torch.empty(1, x.channels, *x.axes, device="meta"))
    return counter.get_total_flops()


two = lambda strategy: st.tuples(strategy, strategy)  # noqa: E731


@st.composite
def convolutions(draw):
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    return {
        "x": Shape(groups * draw(st.integers(1, 3)), draw(two(st.integers(1, 12)))),
        "out": groups * draw(st.integers(1, 3)),
        "groups": groups,
        "bias": draw(st.booleans()),
        "kernel": draw(two(st.integers(1, 4))),
        "stride": draw(two(st.integers(1, 4))),
        "pad": draw(two(st.integers(0, 5))),
        "dilation": draw(two(st.integers(1, 3))),
    }


def torch_conv(kind, x, out, kernel, device="meta", **settings):
    torchs = {"pad": "padding", "output_pad": "output_padding"}
    settings = {torchs.get(name, name): value for name, value in settings.items()}
    return kind(x.channels, out, kernel, device=device, **settings)


@MODULES
@given(convolutions())
def test_conv(case):
    x = case.pop("x")
    module, layer = torch_conv(nn.Conv2d, x, **case), registry["conv"](**case)
    out = torch_made(module, x)
    assert made("conv", x, **case) == out
    assume(out is not None)
    params = layer.params(x)
    assert (params.weight, params.bias) == (module.weight.numel(), module.bias.numel() if case["bias"] else 0)
    assert 2 * layer.work(out, x).mac == flops(module, x)


@MODULES
@given(convolutions(), two(st.integers(0, 3)))
def test_conv_transpose(case, output_pad):
    x, case = case["x"], {**case, "output_pad": output_pad}
    del case["x"]
    module, layer = torch_conv(nn.ConvTranspose2d, x, device="cpu", **case), registry["conv_transpose"](**case)
    out = torch_made(module, x, "cpu")  # meta tensors pass where output_pad reaches stride and dilation; real ones not
    assume(out is None or 0 not in out.axes)
    assert made("conv_transpose", x, **case) == out
    assume(out is not None)
    params = layer.params(x)
    assert (params.weight, params.bias) == (module.weight.numel(), module.bias.numel() if case["bias"] else 0)
    # FlopCounterMode leaves out biases and counts products with padding and cut-off cells, as archcalc does
    assert 2 * layer.work(out, x).mac == flops(module.to("meta"), x)


def test_conv_transpose_refuses_an_empty_map():
    # Stricter on purpose: torch cuts (2-1)*2 - 2*3 + 4 = 0 rows and goes on with an empty map, which is a mistake.
    x, case = Shape(1, (2, 2)), {"out": 1, "kernel": 4, "stride": 2, "pad": 3}
    assert torch_made(torch_conv(nn.ConvTranspose2d, x, device="cpu", **case), x, "cpu") == Shape(1, (0, 0))
    with pytest.raises(LayerError, match=r"^no output is left: \(2 - 1\)\*2 - 2\*3 \+ 4 \+ 0 = 0$"):
        registry["conv_transpose"](**case).shape(x)


@MODULES
@given(st.integers(1, 12), st.integers(1, 12), *[two(st.integers(1, 3))] * 3, *[two(st.integers(0, 4))] * 2)
def test_conv_pads_each_side_as_functional_pad_does(height, width, kernel, stride, dilation, rows, columns):
    x = Shape(1, (height, width))
    conv = nn.Conv2d(1, 1, kernel, stride, dilation=dilation, device="meta")
    expected = torch_made(lambda t: conv(F.pad(t, (*columns, *rows))), x)  # F.pad starts with the last axis
    assert made("conv", x, out=1, kernel=kernel, stride=stride, dilation=dilation, pad=[rows, columns]) == expected


def test_conv_refuses_groups_as_torch_does():
    for channels, out, groups in itertools.product(range(1, 7), range(1, 7), range(1, 7)):
        try:
            nn.Conv2d(channels, out, 1, groups=groups, device="meta")
            fits = True
        except ValueError:
            fits = False
        for type in ("conv", "conv_transpose"):
            assert (made(type, Shape(channels, (1, 1)), out=out, kernel=1, groups=groups) is not None) == fits


@pytest.mark.parametrize(("type", "function"), [("max_pool", F.max_pool1d), ("avg_pool", F.avg_pool1d)])
@pytest.mark.parametrize("ceil_mode", [False, True])
def test_pool_sizes_and_refusals(type, function, ceil_mode):
    """Every n to 10, k to 5, s to 5, pad to half the kernel, where torch ends; its refusals are ours too."""
    refused = 0
    for n, k, s in itertools.product(range(1, 11), range(1, 6), range(1, 6)):
        for p in range(k // 2 + 1):
            x = Shape(1, (n,))
            expected = torch_made(lambda t: function(t, k, s, p, ceil_mode=ceil_mode), x)  # noqa: B023
            refused += expected is None
            assert made(type, x, kernel=k, stride=s, pad=p, ceil_mode=ceil_mode) == expected, (n, k, s, p)
    assert refused > 0


@pytest.mark.parametrize("ceil_mode", [False, True])
def test_max_pool_with_dilation(ceil_mode):
    for n, k, s, d in itertools.product(range(1, 11), range(1, 4), range(1, 4), range(1, 4)):
        for p in range(k // 2 + 1):
            x = Shape(1, (n,))
            expected = torch_made(lambda t: F.max_pool1d(t, k, s, p, d, ceil_mode=ceil_mode), x)  # noqa: B023
            ours = made("max_pool", x, kernel=k, stride=s, pad=p, dilation=d, ceil_mode=ceil_mode)
            assert ours == expected, (n, k, s, d, p)


def test_pool_pads_up_to_the_kernel_where_torch_stops_at_half():
    # Laxer on purpose: Caffe asks only for pad < kernel, so that every window touches the input.
    x = Shape(1, (5, 5))
    assert torch_made(nn.MaxPool2d(3, 2, 2), x) is None
    assert made("max_pool", x, kernel=3, stride=2, pad=2) == Shape(1, (4, 4))  # (5 + 4 - 3)//2 + 1
    assert made("max_pool", x, kernel=3, stride=2, pad=3) is None


def test_avg_pool_dilates_where_torch_cannot():
    # Laxer on purpose: torch.nn.AvgPool2d has no dilation, but the windows are those of a dilated max pool.
    x = Shape(1, (9, 9))
    assert made("avg_pool", x, kernel=3, stride=1, dilation=2) == torch_made(nn.MaxPool2d(3, 1, dilation=2), x)


@pytest.mark.parametrize("mode", [False, True])
def test_pool_with_different_axes(mode):
    x = Shape(3, (11, 8))
    module = nn.MaxPool2d((3, 2), (2, 3), (1, 0), ceil_mode=mode)
    assert made("max_pool", x, kernel=[3, 2], stride=[2, 3], pad=[1, 0], ceil_mode=mode) == torch_made(module, x)


def test_adaptive_pool_reads_the_cells_torch_reads():
    """Sizes 1 to 9 to sizes 1 to 9, larger ones too: cells counted as nonzero gradients, one output at a time."""
    for n, m in itertools.product(range(1, 10), range(1, 10)):
        pixels = torch.ones(1, 1, n, requires_grad=True)
        out = F.adaptive_avg_pool1d(pixels, m)
        cells = sum(int((torch.autograd.grad(o, pixels, retain_graph=True)[0] != 0).sum()) for o in out[0, 0])
        layer, x = registry["adaptive_avg_pool"](out=m), Shape(1, (n,))
        assert layer.shape(x) == Shape(1, (m,))
        assert layer.work(Shape(1, (m,)), x)._asdict() == {
            "mac": 0,
            "add": cells - m,
            "mul": 0,
            "compare": 0,
            "div": m,
            "exp": 0,
        }, (n, m)


def test_adaptive_pool_in_two_axes_reads_the_product():
    x, layer = Shape(2, (7, 5)), registry["adaptive_avg_pool"](out=[3, 4])
    pixels = torch.ones(1, 2, 7, 5, requires_grad=True)
    out = F.adaptive_avg_pool2d(pixels, (3, 4)).flatten()
    cells = sum(int((torch.autograd.grad(o, pixels, retain_graph=True)[0] != 0).sum()) for o in out)
    assert layer.work(layer.shape(x), x).add == cells - len(out)


@pytest.mark.parametrize(
    ("mode", "aligned"), [("nearest", False), *itertools.product(["bilinear", "bicubic"], [False, True])]
)
def test_upsample(mode, aligned):
    how = {"mode": mode, "align_corners": aligned}
    written = {"mode": mode, "align_corners": aligned or None}
    for n, m in itertools.product(range(1, 9), range(1, 9)):
        x = Shape(2, (n, 3))
        assert made("upsample", x, size=[m, 5], **how) == torch_made(nn.Upsample((m, 5), **written), x, "cpu")
    for factor in (1, 2, 3):
        module = nn.Upsample(scale_factor=factor, **written)
        assert made("upsample", x, scale=factor, **how) == torch_made(module, x, "cpu")


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("option", ["", "align_corners", "antialias"])
def test_the_positions_that_an_upsampled_unit_reads(mode, option):
    """The support of the gradient of every unit; a position whose weight is a rounding error does not count."""
    how = {"mode": mode, option: True} if option else {"mode": mode}
    for n, m in itertools.product(range(1, 9), range(1, 9)):
        if option == "antialias" and m < n:
            continue
        pixels = torch.ones(1, 1, n, 1, dtype=torch.float64, requires_grad=True)
        out = F.interpolate(pixels, (m, 1), **how).flatten()
        layer = registry["upsample"](size=[m, 1], **how)
        window, _ = layer.window(Shape(1, (n, 1)))
        for unit, value in enumerate(out):
            (gradient,) = torch.autograd.grad(value, pixels, retain_graph=True)
            at = (gradient.flatten().abs() > 1e-9).nonzero().flatten().tolist()
            first, last = (0, n - 1) if window.whole else window.reading(unit)
            assert (at[0], at[-1]) == (max(first, 0), min(last, n - 1)), (n, m, unit)


OWNERS = [
    ("batch_norm", {}, Shape(6, (5, 7)), nn.BatchNorm2d(6)),
    ("batch_norm", {"affine": False}, Shape(6, (5, 7)), nn.BatchNorm2d(6, affine=False)),
    ("batch_norm", {"frozen": True}, Shape(6, (5, 7)), FrozenBatchNorm2d(6)),
    ("layer_norm", {}, Shape(6), nn.LayerNorm(6)),
    ("layer_norm", {"axis": "last"}, Shape(6, (5, 7)), nn.LayerNorm(7)),
    ("layer_norm", {"axis": "all"}, Shape(6, (5, 7)), nn.LayerNorm([6, 5, 7])),
    ("layer_norm", {"axis": ["height", "width"]}, Shape(6, (5, 7)), nn.LayerNorm([5, 7])),
    ("layer_norm", {"axis": ["channels", "height", "width"]}, Shape(6, (5, 7)), nn.LayerNorm([6, 5, 7])),
    (
        "layer_norm",
        {"axis": "all", "affine": False},
        Shape(6, (5, 7)),
        nn.LayerNorm([6, 5, 7], elementwise_affine=False),
    ),
    ("layer_norm", {"axis": "channels"}, Shape(6, (5, 7)), nn.GroupNorm(1, 6)),  # owns per channel, as ConvNeXt's
    ("group_norm", {"groups": 3}, Shape(6, (5, 7)), nn.GroupNorm(3, 6)),
    ("group_norm", {"groups": 2, "affine": False}, Shape(6), nn.GroupNorm(2, 6, affine=False)),
    ("instance_norm", {}, Shape(6, (5, 7)), nn.InstanceNorm2d(6)),
    ("instance_norm", {"affine": True}, Shape(6, (5, 7)), nn.InstanceNorm2d(6, affine=True)),
    ("linear", {"out": 4}, Shape(6), nn.Linear(6, 4)),
    ("linear", {"out": 4, "axis": "last"}, Shape(6, (5, 7)), nn.Linear(7, 4)),
    ("linear", {"out": 4, "axis": "channels", "bias": False}, Shape(6, (5, 7)), nn.Conv2d(6, 4, 1, bias=False)),
    ("prelu", {}, Shape(6, (5, 7)), nn.PReLU(6)),
    ("prelu", {"per_channel": False}, Shape(6, (5, 7)), nn.PReLU()),
    *[
        (type, {}, Shape(6, (5, 7)), module)
        for type, module in [
            ("relu", nn.ReLU()),
            ("relu6", nn.ReLU6()),
            ("leaky_relu", nn.LeakyReLU()),
            ("elu", nn.ELU()),
            ("gelu", nn.GELU()),
            ("sigmoid", nn.Sigmoid()),
            ("hard_sigmoid", nn.Hardsigmoid()),
            ("silu", nn.SiLU()),
            ("hard_swish", nn.Hardswish()),
            ("tanh", nn.Tanh()),
            ("hard_tanh", nn.Hardtanh()),
            ("selu", nn.SELU()),
            ("softplus", nn.Softplus()),
            ("mish", nn.Mish()),
            ("glu", nn.GLU(1)),
            ("log_softmax", nn.LogSoftmax(1)),
            ("softmax", nn.Softmax(1)),
            ("lrn", nn.LocalResponseNorm(5)),
            ("dropout", nn.Dropout()),
            ("identity", nn.Identity()),
            ("flatten", nn.Flatten()),
            ("global_avg_pool", nn.AdaptiveAvgPool2d(1)),
            ("global_max_pool", nn.AdaptiveMaxPool2d(1)),
        ]
    ],
    ("channel_shuffle", {"groups": 3}, Shape(6, (5, 7)), nn.ChannelShuffle(3)),
    ("softmax", {"axis": "height"}, Shape(6, (5, 7)), nn.Softmax(2)),
]


@pytest.mark.parametrize(("type", "fields", "x", "module"), OWNERS, ids=lambda v: str(v))
def test_shape_and_parameters(type, fields, x, module):
    layer = registry[type](**fields)
    out = module(torch.zeros(2, x.channels, *x.axes))  # two samples: batch normalisation needs more than one value
    assert layer.shape(x) == Shape(*_split(out.shape[1:]))
    params = layer.params(x)
    assert params.weight + params.bias == weights(module)
    # BatchNorm2d also counts its batches, an int64 that no tool reports among the buffers of the paper
    counters = sum(b.numel() for b in module.buffers() if b.dtype == torch.int64)
    assert params.buffers == sum(b.numel() for b in module.buffers()) - counters


@MODULES
@given(st.integers(1, 20), st.integers(1, 20), st.lists(st.integers(1, 4), max_size=2))
def test_linear_products(features, out, rest):
    """On the last axis of a map torch multiplies a matrix; the counter sees all of it."""
    layer = registry["linear"](out=out, bias=False, axis="last")
    x = Shape(rest[0], (*rest[1:], features)) if rest else Shape(features)
    module = nn.Linear(features, out, bias=False, device="meta")
    assert 2 * layer.work(layer.shape(x), x).mac == flops(module, x)


def caffe_pooled(height, width, kernel, stride, pad):
    """pooling_layer.cpp, LayerSetUp and Reshape, in the order of its lines; None where a CHECK fails."""
    (kernel_h, kernel_w), (stride_h, stride_w), (pad_h, pad_w) = kernel, stride, pad
    if pad_h >= kernel_h or pad_w >= kernel_w:
        return None
    pooled_h = -int((height + 2 * pad_h - kernel_h) / -stride_h // 1) + 1
    pooled_w = -int((width + 2 * pad_w - kernel_w) / -stride_w // 1) + 1
    if pad_h or pad_w:
        if (pooled_h - 1) * stride_h >= height + pad_h:
            pooled_h -= 1
        if (pooled_w - 1) * stride_w >= width + pad_w:
            pooled_w -= 1
    return (pooled_h, pooled_w) if pooled_h > 0 and pooled_w > 0 else None


def test_caffe_pooling():
    """Every map to 6x3, kernel to 3, stride to 4 with the pads of the two axes apart, since Caffe looks at both."""
    joint = 0
    for h, w, kh, sh, ph in itertools.product(range(1, 7), (1, 3), range(1, 4), range(1, 5), range(3)):
        for kw, sw, pw in itertools.product((1, 2), (1, 3), range(2)):
            given = {"kernel": [kh, kw], "stride": [sh, sw], "pad": [ph, pw]}
            expected = caffe_pooled(h, w, (kh, kw), (sh, sw), (ph, pw))
            ours = made("max_pool", Shape(1, (h, w)), ceil_mode="caffe", **given)
            assert (ours and ours.axes) == expected, (h, w, given)
            apart = caffe_pooled(h, 9, (kh, 1), (sh, 1), (ph, 0))
            joint += expected is not None and expected[0] != apart[0]
    assert joint > 0  # there were maps whose height depended on the padding of their width


def test_caffe_pooling_by_example():
    # ceil((6 - 2)/3) + 1 = 3 rows; the pad of the columns makes Caffe drop the third, which starts at row 6
    pool = registry["max_pool"](kernel=2, stride=3, pad=[0, 1], ceil_mode="caffe")
    assert pool.shape(Shape(1, (6, 6))).axes == (2, 3)
    assert registry["max_pool"](kernel=2, stride=3, ceil_mode="caffe").shape(Shape(1, (6, 6))).axes == (3, 3)


@pytest.mark.parametrize("type", ["conv", "max_pool"])
def test_same_and_valid_are_tensorflows(type):
    """tf.nn.convolution: SAME gives ceil(n/s) with pad_along = max((out-1)*s + k_eff - n, 0), half of it, rounded
    down, before; VALID gives ceil((n - k_eff + 1)/s)."""
    extra = {"out": 1} if type == "conv" else {}
    for n, k, s, d in itertools.product(range(1, 12), range(1, 6), range(1, 5), range(1, 4)):
        x, k_eff, given = Shape(1, (n,)), (k - 1) * d + 1, {"kernel": k, "stride": s, "dilation": d, **extra}
        layer = registry[type](pad="same", **given)
        out = (n + s - 1) // s
        assert layer.shape(x).axes == (out,)
        (window,) = layer.window(x)
        assert (window.span, window.stride, window.before) == (k_eff, s, max((out - 1) * s + k_eff - n, 0) // 2)
        valid = made(type, x, pad="valid", **given)
        assert (valid and valid.axes) == (((n - k_eff + s) // s,) if n >= k_eff else None)


@pytest.mark.parametrize("lost", range(12))
def test_a_crop_to_a_size_is_that_of_torchvision_but_for_the_odd_position(lost):
    """torchvision rounds half of what is lost to the even number, archcalc down: they differ at 3, 7, 11, ..."""
    x = torch.arange(20.0).reshape(1, 1, 20).expand(1, 20, 20)
    (window, _) = registry["crop"](size=20 - lost).window(Shape(1, (20, 20)))
    first = int(center_crop(x, [20 - lost, 20 - lost])[0, 0, 0])
    assert first - -window.before == (lost % 4 == 3)
