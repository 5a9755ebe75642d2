"""The operators that the code of a PyTorch module runs on a device, recorded on tensors without values.

A network says what its layers compute. The code of a model says more: where values are cast, which copies it makes, and
whether an attention is one fused operator. Tensors that have a device and sizes, and no values, run this code as on a
GPU, with the rules of autocast, without a GPU. So an operator is noted with the types and the memory order that its
tensors have there.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.utils._pytree import tree_leaves

from archcalc.capture.backward import run_backward
from archcalc.capture.noting import Noting
from archcalc.capture.operators import Operators, operators_of
from archcalc.capture.ran import Run
from archcalc.capture.recording import mode
from archcalc.capture.without_values import inner_of
from archcalc.sizes import Shape
from archcalc.timing.time import Settings

MANY = 83
"""The batch of a recorded run of several images: a prime number, so that sizes tell what grows with the batch."""
TYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16, "float64": torch.float64}
SDPA = functional.scaled_dot_product_attention


class Program:
    """The code of a module: what it runs for inputs of these sizes, as settings say, on a device of a kind."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self._known: dict[Any, Operators] = {}

    def __call__(self, inputs: Mapping[str, Shape], settings: Settings, kind: str) -> Operators | None:
        """The operators; None if the code cannot be run on tensors without values."""
        try:
            return self.run(inputs, settings, kind)
        except Exception:  # the code needs values, or a device
            return None

    def run(self, inputs: Mapping[str, Shape], settings: Settings, kind: str) -> Operators:
        """The operators. An exception if the code cannot be run on tensors without values."""
        last = settings.channels_last or (settings.compiled and kind == "gpu")
        plain = Settings(
            min(settings.batch, 2),
            settings.dtype,
            settings.amp,
            settings.training,
            channels_last=last,
            attention=settings.attention,
        )
        sizes = tuple((shape.channels, *shape.axes) for shape in inputs.values())
        key = sizes, plain, kind
        if key not in self._known:
            self._known[key] = operators_of(run_of(self.module, sizes, plain, kind))
        return self._known[key]


def _on_a_gpu(
    q: Any, k: Any, v: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False, **more: Any
) -> Any:
    """The fused operator that a GPU runs; PyTorch's choice among them needs a GPU."""
    more.pop("enable_gqa", None)
    if any(one.dim() != 4 for one in (q, k, v)):
        return SDPA(q, k, v, attn_mask=attn_mask, dropout_p=dropout_p, is_causal=is_causal, **more)
    if torch.is_autocast_enabled("cuda"):
        half = torch.get_autocast_dtype("cuda")
        q, k, v = (one.to(half) for one in (q, k, v))
        if attn_mask is not None and attn_mask.is_floating_point():
            attn_mask = attn_mask.to(half)
    if attn_mask is None:
        return torch.ops.aten._scaled_dot_product_flash_attention(q, k, v, dropout_p, is_causal, False, **more)[0]
    if attn_mask.dtype == torch.bool:
        attn_mask = torch.zeros_like(attn_mask, dtype=q.dtype).masked_fill_(attn_mask.logical_not(), float("-inf"))
    mask = attn_mask.expand(*q.shape[:-1], k.shape[-2])
    return torch.ops.aten._scaled_dot_product_efficient_attention(q, k, v, mask, False, dropout_p, is_causal, **more)[0]


def _on_a_cpu(
    q: Any, k: Any, v: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False, **more: Any
) -> Any:
    """The fused operator that a CPU runs."""
    more.pop("enable_gqa", None)
    if any(one.dim() != 4 for one in (q, k, v)):
        return SDPA(q, k, v, attn_mask=attn_mask, dropout_p=dropout_p, is_causal=is_causal, **more)
    run = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    return run(q, k, v, dropout_p, is_causal, attn_mask=attn_mask, **more)[0]


@contextmanager
def _instead(place: Any, name: str, value: Any) -> Iterator[None]:
    """Another value of an attribute inside the ``with`` block."""
    before = getattr(place, name)
    setattr(place, name, value)
    try:
        yield
    finally:
        setattr(place, name, before)


@contextmanager
def _precision(amp: bool) -> Iterator[None]:
    """Autocast to half precision as on a GPU, inside the ``with`` block."""
    if not amp:
        yield
        return
    before, half = torch.is_autocast_enabled("cuda"), torch.get_autocast_dtype("cuda")
    torch.set_autocast_enabled("cuda", True)
    torch.set_autocast_dtype("cuda", torch.float16)
    torch.autocast_increment_nesting()
    try:
        yield
    finally:
        if torch.autocast_decrement_nesting() == 0:
            torch.clear_autocast_cache()
        torch.set_autocast_enabled("cuda", before)
        torch.set_autocast_dtype("cuda", half)


def run_of(module: nn.Module, inputs: Iterable[Sequence[int]], settings: Settings, kind: str) -> Run:
    """The operators of a run on a device of a kind."""
    batch = 1 if settings.batch == 1 else MANY
    device = "cuda:0" if kind == "gpu" else "cpu"
    dtype = TYPES[settings.dtype]
    noting = Noting(module, batch, device)
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings(action="ignore"))
        if kind == "gpu" and not torch.cuda.is_available():  # then nothing may wait for a GPU
            torch._C._ensureCUDADeviceGuardSet()
            stack.enter_context(_instead(torch.cuda, "_lazy_init", lambda: None))
        stack.enter_context(redirect_stdout(sys.stderr))  # what the code of the model prints
        stack.enter_context(mode(module, settings.training))
        stack.enter_context(_instead(torch.backends.mha, "get_fastpath_enabled", lambda: False))
        last = settings.channels_last
        state: dict[str, torch.Tensor] = {}
        for name, one in _state(module):
            state[name] = noting.make(one.shape, dtype if one.is_floating_point() else one.dtype, last)
            state[name].requires_grad_(settings.training and one.requires_grad)
        tensors = [noting.make((batch, *sizes), dtype, last) for sizes in inputs]
        if settings.attention == "flash":
            fused = _on_a_gpu if kind == "gpu" else _on_a_cpu
            stack.enter_context(_instead(functional, "scaled_dot_product_attention", fused))
        stack.enter_context(torch.set_grad_enabled(settings.training))
        stack.enter_context(noting.follow())
        noting.grown.update(one.on_meta.untyped_storage()._cdata for one in tensors)
        with noting:
            with _precision(settings.amp):
                out = torch.func.functional_call(module, state, tuple(tensors), tie_weights=False)
            results = [one for one in tree_leaves(out) if isinstance(one, torch.Tensor)]
            if settings.training:
                losses = [one for one in results if one.requires_grad]
                gradients = [torch.ones_like(one) for one in losses]
                noting.phase = "backward"
                with torch.no_grad():  # as in PyTorch's engine: no gradient of a gradient is wanted
                    run_backward(noting, losses, gradients)
        keys = [inner_of(one).untyped_storage()._cdata for one in results]
        outputs = [noting.storages[key] for key in keys if key in noting.storages]
    return Run(noting.ran, outputs, batch)


def _state(module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """The parameters and buffers by all names under which modules hold them."""
    for path, part in module.named_modules(remove_duplicate=False):
        for name, one in (*part._parameters.items(), *part._buffers.items()):
            if one is not None:
                yield f"{path}.{name}".lstrip("."), one
