"""A run of a PyTorch module on the meta device, recorded as a graph: no values, and no time for arithmetic.

The run is recorded before PyTorch takes its operators apart (the dispatch key PreDispatch), so that a linear layer is one
call and an attention is one call. ``torch.export`` sees the same operators, but takes five times as long.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn
from torch._dispatch.python import enable_pre_dispatch, enable_python_dispatcher
from torch._subclasses.schema_check_mode import SchemaCheckMode
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils._pytree import tree_leaves, tree_map

from archcalc.errors import ArchcalcError
from archcalc.importing.traced.calls import Call, Run, Tensor

BATCH = 2
"""Images of the recorded run: more than one, so that the batch is told from axes of size 1."""
READS = ("item", "_local_scalar_dense", "is_nonzero", "equal")
"""Operators that read values."""


FACTORIES = ("new_zeros", "new_ones", "new_full", "zeros_like", "ones_like", "full_like")
"""Operators that read the sizes of a tensor alone."""


class _Recorder(SchemaCheckMode):  # type: ignore[no-untyped-call]
    """Every operator of a run. A subclass of SchemaCheckMode, since PyTorch allows no other mode before dispatch."""

    def __init__(self, model: nn.Module, values: Mapping[str, torch.Tensor]) -> None:
        super().__init__()
        self._dispatch_key = torch._C.DispatchKey.PreDispatch
        self.paths = {id(module): path for path, module in model.named_modules()}
        self.stack: list[nn.Module] = [model]
        self.tensors: dict[int, Tensor] = {}
        self.alive: list[torch.Tensor] = []  # no address is used twice
        self.calls: list[Call] = []
        self.values: dict[int, torch.Tensor] = {}  # constants, computed on the CPU beside the run on meta
        for kind, named in (("parameter", model.named_parameters()), ("buffer", model.named_buffers())):
            for name, tensor in named:
                self.add(tensor, kind, name)
                if kind == "buffer" and name in values:
                    self.values[id(tensor)] = values[name]

    def add(self, tensor: torch.Tensor, kind: str, name: str = "") -> Tensor:
        """The record of a tensor; a new one if a run wrote over it."""
        self.alive.append(tensor)
        type_ = str(tensor.dtype).removeprefix("torch.")
        storage = tensor.untyped_storage()._cdata
        made = self.tensors[id(tensor)] = Tensor(tuple(tensor.shape), kind, name, storage, type_)
        return made

    def known(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return self.tensors.get(id(value)) or self.add(value, "constant")
        if isinstance(value, (list, tuple)):
            return [self.known(one) for one in value]
        return value

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        operator = func._schema.name.removeprefix("aten::")
        module = self.stack[-1]
        settings: dict[str, Any] = {}
        for at, argument in enumerate(func._schema.arguments):
            value = args[at] if at < len(args) else kwargs.get(argument.name, argument.default_value)
            settings[argument.name] = self.known(value)
        if operator in READS:
            raise _ReadsError
        made = func(*args, **kwargs)
        results = [
            one for one in (made if isinstance(made, (list, tuple)) else [made]) if isinstance(one, torch.Tensor)
        ]
        known = self.computed(func, operator, args, kwargs)
        records = tuple(self.add(one, "result") for one in results)
        for result, record, value in zip(results, records, known, strict=False):
            self.values[id(result)] = record.value = value
        path = self.paths.get(id(module), "")
        self.calls.append(Call(operator, settings, records, path, type(module).__name__, ""))
        return made

    def computed(self, func: Any, operator: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[torch.Tensor]:
        """What an operator makes of constants alone, with values; nothing if it reads an image or a parameter."""
        made_of = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)]
        if operator in FACTORIES:
            given = {id(one): torch.empty(one.shape, dtype=one.dtype) for one in made_of}
        else:
            given = {id(one): self.values[id(one)] for one in made_of if id(one) in self.values}
        if any(id(one) not in given for one in made_of):
            return []

        def real(value: Any) -> Any:
            if isinstance(value, torch.Tensor):
                return given[id(value)]
            return torch.device("cpu") if isinstance(value, torch.device) else value

        args, kwargs = tree_map(real, (args, dict(kwargs)))
        if any(argument.name == "device" for argument in func._schema.arguments) and not made_of:
            kwargs = {**kwargs, "device": torch.device("cpu")}
        with torch._C._DisablePythonDispatcher():
            made = func(*args, **kwargs)
        return [one for one in (made if isinstance(made, (list, tuple)) else [made]) if isinstance(one, torch.Tensor)]

    @contextmanager
    def follow(self) -> Iterator[None]:
        """Note inside the ``with`` block which module runs."""

        def before(module: nn.Module, args: Any) -> None:
            self.stack.append(module)

        def after(module: nn.Module, args: Any, output: Any) -> None:
            self.stack.pop()

        with ExitStack() as stack:
            for handle in (
                register_module_forward_pre_hook(before),
                register_module_forward_hook(after, always_call=True),
            ):
                stack.callback(handle.remove)
            yield


class _ReadsError(Exception):
    """The run reads the values of a tensor."""


def record(
    model: nn.Module, inputs: Mapping[str, Sequence[int]], values: Mapping[str, torch.Tensor] | None = None
) -> Run:
    """A run of a model on the meta device. inputs: the sizes of one image each, in the order of ``forward``.

    ``values``: what is in the buffers, by name.
    """
    recorder = _Recorder(model, values or {})
    given = {name: torch.zeros(BATCH, *sizes, device="meta") for name, sizes in inputs.items()}
    named = {name: recorder.add(tensor, "input", name) for name, tensor in given.items()}
    training = model.training
    model.eval()
    try:
        with torch.no_grad(), recorder.follow(), enable_python_dispatcher(), enable_pre_dispatch(), recorder:
            out = model(*given.values())
    except _ReadsError:
        module = recorder.stack[-1]
        place = recorder.paths.get(id(module), "") or type(module).__name__
        raise ArchcalcError(f"{place}: reads the values of a tensor, so that its layers depend on the image") from None
    finally:
        model.train(training)
    outputs = {name: recorder.tensors[id(tensor)] for name, tensor in _named(out, "").items()}
    return Run(named, recorder.calls, outputs, BATCH)


def _named(out: Any, name: str) -> dict[str, torch.Tensor]:
    """The tensors that a model returned, by their keys or positions."""
    if isinstance(out, torch.Tensor):
        return {name or "out": out}
    items = out.items() if isinstance(out, Mapping) else enumerate(out) if isinstance(out, (list, tuple)) else ()
    found: dict[str, torch.Tensor] = {}
    for key, value in items:
        found |= _named(value, f"{name}.{key}" if name else str(key))
    return found
