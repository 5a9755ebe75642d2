"""A run without values is traced as one with values: the same operators, arguments and sizes, in the same order."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision").models

from archcalc.witness.uncomputed import RESULTS, Uncomputed  # noqa: E402


def traced(model, image, mode) -> list[object]:
    """Every node of the trace: its operator and module, its inputs by number, and the types and sizes of its outputs."""
    with torch.no_grad(), mode:
        graph, _ = torch.jit._get_trace_graph(model.eval(), (image,))
    numbers = {}
    return [
        (
            node.kind(),
            node.scopeName(),
            [numbers.setdefault(value.unique(), len(numbers)) for value in (*node.inputs(), *node.outputs())],
            [(str(value.type()), *sizes(value.type())) for value in node.outputs()],
        )
        for node in graph.nodes()
    ]


def sizes(type) -> tuple[object, ...]:
    return (type.sizes(), type.strides(), type.dtype()) if type.kind() == "TensorType" else ()


MODELS = {
    "ShuffleNet": lambda: models.shufflenet_v2_x0_5(weights=None),
    "Swin": lambda: models.SwinTransformer([4, 4], 8, [1, 2], [1, 2], [4, 4]),
    "ViT": lambda: models.VisionTransformer(64, 16, 2, 2, 16, 32),
    "video": lambda: torch.nn.Sequential(torch.nn.Unflatten(1, (3, 1)), torch.nn.Conv3d(3, 4, 1), torch.nn.GELU()),
}


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("name", MODELS)
def test_the_trace_is_the_same(name, order):
    model, image = MODELS[name](), torch.zeros(1, 3, 64, 64).to(memory_format=order)
    with_values = traced(model, image, nullcontext())
    assert traced(model, image, Uncomputed()) == with_values
    assert traced(model, image, nullcontext()) == with_values, "the mode leaves nothing behind"


ATEN = torch.ops.aten
A, B, X = torch.rand(2, 3, 4), torch.rand(2, 4, 5), torch.rand(2, 3, 8, 9)
FORMS = {"channels first": X, "channels last": X.contiguous(memory_format=torch.channels_last)}
CALLS = [
    (ATEN.mm.default, (A[0], B[0]), {}),
    (ATEN.addmm.default, (torch.rand(5), A[0], B[0]), {}),
    (ATEN.addmm.default, (torch.rand(5), A[0], B[0]), {"beta": 2, "alpha": 3}),
    (ATEN.bmm.default, (A, B), {}),
    (ATEN.baddbmm.default, (torch.rand(2, 3, 5), A, B), {}),
    *((ATEN._softmax.default, (x, 1, False), {}) for x in (*FORMS.values(), A.transpose(1, 2))),
    *((ATEN.gelu.default, (x,), {"approximate": how}) for x in FORMS.values() for how in ("none", "tanh")),
    *(
        (ATEN.convolution.default, (x, torch.rand(6, 3, 3, 2), bias, [2, 1], [1, 0], [1, 2], False, [0, 0], 1), {})
        for x in FORMS.values()
        for bias in (None, torch.rand(6))
    ),
    (ATEN.convolution.default, (X, torch.rand(3, 2, 3, 3), None, [2, 2], [1, 1], [1, 1], True, [1, 1], 1), {}),
    (ATEN.convolution.default, (X, torch.rand(6, 1, 3, 3), None, [1, 1], [1, 1], [1, 1], False, [0, 0], 3), {}),
]


@pytest.mark.parametrize(("func", "args", "kwargs"), CALLS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_results_have_the_sizes_the_type_and_the_memory_order_of_real_ones(func, args, kwargs, dtype):
    cast = [x.to(dtype) if isinstance(x, torch.Tensor) else x for x in args]
    real = func(*cast, **kwargs)
    with Uncomputed():
        made = func(*cast, **kwargs)
    assert (made.shape, made.stride(), made.dtype, made.device) == (real.shape, real.stride(), real.dtype, real.device)


def test_all_operators_are_tested():
    assert {func for func, *_ in CALLS} == {*RESULTS} - {ATEN._convolution.default} | {ATEN.convolution.default}


def test_nothing_is_computed():
    """A product of so many terms would take hours, and its factors take no memory."""
    many = torch.empty(1).expand(200_000, 200_000)
    with Uncomputed():
        assert torch.mm(many, many[:, :7]).shape == (200_000, 7)
