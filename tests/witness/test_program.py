"""What the code of a module runs, held against PyTorch's own fake tensors and against a real backward pass."""

from collections import Counter
from functools import partial

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import archcalc
from archcalc.capture.program import MANY, run_of
from archcalc.timing.time import Settings

AMP = Settings(2, amp=True)
TRAINING = Settings(2, training=True)


class Gate(nn.Module):
    """Casts, a parameter in single precision, an attention, windows, a movement, and a map that is read twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16)
        self.qkv, self.tokens = nn.Linear(16, 48), nn.LayerNorm(16)
        self.scale = nn.Parameter(torch.ones(16))
        self.mask = nn.Parameter(torch.zeros(1, 2, 64, 64))
        self.head = nn.Linear(16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.norm(self.conv(x)), inplace=True)
        x = x.flatten(2).transpose(1, 2)
        q, k, v = self.qkv(self.tokens(x)).reshape(x.shape[0], 64, 3, 2, 8).permute(2, 0, 3, 1, 4).unbind()
        y = (q @ k.transpose(-2, -1) + self.mask).softmax(-1) @ v
        x = x + y.transpose(1, 2).reshape(x.shape) * self.scale
        x = x.float().mean(1).to(x.dtype) + torch.arange(16, device=x.device)
        return self.head(functional.silu(x) * x.sigmoid())


class Noted(TorchDispatchMode):
    """The operators of a run with the types, sizes and strides of their results, without views."""

    def __init__(self) -> None:
        super().__init__()
        self.ran: list[tuple[object, ...]] = []
        self.alive: list[torch.Tensor] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        given, results = ([x for x in tree_leaves(y) if isinstance(x, torch.Tensor)] for y in ((args, kwargs), made))
        self.alive += results
        keys = [x.untyped_storage()._cdata for x in given]
        if func._schema.is_mutable or any(x.untyped_storage()._cdata not in keys for x in results):
            name = func._schema.name.removeprefix("aten::")
            self.ran.append((name, *[(x.dtype.itemsize, tuple(x.shape), x.stride()) for x in results]))
        return made


def plain(run):
    return [(one.name, *[(x.itemsize, x.shape, x.strides) for x in one.outputs]) for one in run.ran]


@pytest.mark.parametrize("last", [False, True])
def test_operators_under_autocast_are_those_of_fake_tensors(last):
    module = Gate().eval()
    run = run_of(module, [(3, 16, 16)], AMP._replace(channels_last=last), "gpu")
    order = torch.channels_last if last else torch.contiguous_format
    with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad():
        on_gpu = partial(torch.empty_like, device="cuda", memory_format=torch.contiguous_format)
        state = {name: on_gpu(one) for name, one in (*module.named_parameters(), *module.named_buffers())}
        if last:
            state |= {name: one.contiguous(memory_format=order) for name, one in state.items() if one.dim() == 4}
        x = torch.empty(MANY, 3, 16, 16, device="cuda").contiguous(memory_format=order)
        with Noted() as noted, torch.autocast("cuda", torch.float16):
            torch.set_autocast_enabled("cuda", True)  # which autocast leaves off without a GPU
            torch.func.functional_call(module, state, (x,))
    made = [one for one in noted.ran if not one[0].startswith(("prim", "empty"))]
    assert plain(run) == made
    assert Counter(one[0] for one in made)["bmm"] == 2


def test_a_backward_pass_is_that_of_pytorch():
    """On the CPU, where PyTorch's engine can run it."""
    module = Gate().train()
    run = run_of(module, [(3, 16, 16)], TRAINING, "cpu")
    with Noted() as noted:
        out = module(torch.ones(MANY, 3, 16, 16))
        forward = len(noted.ran)
        out.backward(torch.ones_like(out))
    ours = [one for one in run.ran if one.phase == "backward"]
    names = Counter(one[0] for one in noted.ran[forward:])
    weights = len([*module.parameters()])  # whose gradients the engine copies, since the test holds them, too
    held = Counter(ones_like=1, copy_=weights, new_empty_strided=weights)
    assert Counter(one.name for one in ours) == names - held
    assert sum("backward" in one.name for one in ours) >= 5
    assert {one.path for one in ours} >= {"conv", "norm", "qkv", "tokens", "head", ""}


def test_a_module_is_as_it_was_after_a_run():
    module = Gate().eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    run_of(module, [(3, 16, 16)], AMP._replace(training=True), "gpu")
    assert not module.training
    assert not torch.is_autocast_enabled("cuda")
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_products_are_those_of_the_layers():
    """Every layer of an imported network has its own multiply-adds."""
    torchvision = pytest.importorskip("torchvision")
    network = archcalc.from_torch(torchvision.models.resnet18(), (3, 64, 64))
    rows = {row.name: row for row in network.analyze(batch=4).time("rtx3090", amp=True).rows}
    for row in network.analyze(batch=4).rows[1:]:
        assert rows[row.name].macs == row.work.mac


class Cast(nn.Module):
    """A product with a parameter in single precision, cast to the type of the map or not."""

    def __init__(self, cast: bool) -> None:
        super().__init__()
        self.conv, self.scale, self.cast = nn.Conv2d(3, 64, 1), nn.Parameter(torch.ones(64, 1, 1)), cast

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        return x * (self.scale.to(x.dtype) if self.cast else self.scale)


def test_casts_that_no_layer_tells():
    """The product writes 64 x 32 x 32 values of 2 or of 4 bytes for each of 8 images, and reads as many of 2 bytes."""
    bytes_of = {}
    for cast in (False, True):
        network = archcalc.from_torch(Cast(cast), (3, 32, 32))
        row = network.analyze(batch=8).time("rtx3090", amp=True).rows[-1]
        bytes_of[cast] = row.bytes
    count = 8 * 64 * 32 * 32
    assert bytes_of[False] == 6 * count + 64 * 4
    assert bytes_of[True] == 4 * count + 64 * 2 + 64 * 4 + 64 * 2


class OnCpuAlone(nn.Module):
    """A module that refuses a GPU."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.is_cuda:
            raise RuntimeError("not here")
        return self.conv(x)


def test_code_that_cannot_run_so_is_estimated_by_its_layers():
    network = archcalc.from_torch(OnCpuAlone(), (3, 8, 8))
    again = partial(archcalc.load, "INPUT 8x8x3 -> CONV3-8")
    times = [one.analyze(batch=2).time("rtx3090").estimate for one in (network, again())]
    assert times[0] == pytest.approx(times[1], rel=1e-12)


class OwnWeights(nn.Module):
    """A convolution whose weights differ between the images, written as groups of one image (CondConv)."""

    def __init__(self) -> None:
        super().__init__()
        self.mix, self.experts = nn.Linear(8, 4), nn.Parameter(torch.zeros(4, 16 * 8 * 9))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, channels, height, width = x.shape
        weights = self.mix(x.mean((2, 3))) @ self.experts
        weights = weights.view(batch * 16, channels, 3, 3)
        x = x.reshape(1, batch * channels, height, width)
        return functional.conv2d(x, weights, padding=1, groups=batch).view(batch, 16, height, width)


def test_a_convolution_with_weights_for_every_image():
    """Each image has 12 x 12 x 16 x 8 x 9 multiply-adds, and its product is that of one group."""
    from archcalc.capture.operators import operators_of

    found = operators_of(run_of(OwnWeights(), [(8, 12, 12)], AMP, "gpu"))
    (conv,) = [one for _, one in found.operators if one.kind == "convolution"]
    assert conv.macs == 12 * 12 * 16 * 8 * 9
    assert conv.product[1:5] == (12 * 12, 16, 8 * 9, 1)


class Normed(nn.Module):
    """Between two convolutions, a map is divided by its deviation in single precision, and scaled by a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last, self.scale = nn.Conv2d(3, 16, 1), nn.Conv2d(16, 8, 1), nn.Parameter(torch.ones(16, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        x = x / x.float().var((2, 3), keepdim=True).sqrt().to(x.dtype) * self.scale.to(x.dtype)
        return self.last(x)


def test_a_compiler_writes_no_conversion_that_is_read_between_products():
    """One kernel reads the 16 x 32 x 32 half values of each image, and writes as many."""
    network = archcalc.from_torch(Normed(), (3, 32, 32))
    rows = network.analyze(batch=8).time("rtx3090", amp=True, compiled=True).rows
    large = 8 * 16 * 32 * 32 * 2
    between = [row.bytes for row in rows if row.name not in ("first", "last")]
    assert 2 * large <= sum(between) < 2.1 * large


class Biased(nn.Module):
    """Between two convolutions, a map is scaled, and a bias is added that a product computes in the meantime."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 16, 1), nn.Conv2d(16, 8, 1)
        self.bias, self.table = nn.Linear(4, 16), nn.Parameter(torch.ones(1, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x) * 2
        return self.last(x + self.bias(self.table).view(1, 16, 1, 1))


def test_a_compiler_computes_values_where_they_are_read():
    """The scaling waits for the bias: one kernel reads the 16 x 32 x 32 half values of each image, and writes as many."""
    network = archcalc.from_torch(Biased(), (3, 32, 32))
    rows = network.analyze(batch=8).time("rtx3090", amp=True, compiled=True).rows
    large = 8 * 16 * 32 * 32 * 2
    between = [row.bytes for row in rows if row.name not in ("first", "last")]
    assert 2 * large <= sum(between) < 2.1 * large
