"""Every operator of a run, recorded before PyTorch takes it apart (the dispatch key PreDispatch).

So a linear layer is one call, and an attention is one call. ``torch.export`` sees the same operators, and takes five times
as long. What depends on an input or a parameter lies on the meta device, which has sizes and no values. Constants have
their values, since the layers may depend on them: a mask, or an index of relative positions.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

import torch
from torch import nn
from torch._subclasses.schema_check_mode import SchemaCheckMode
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils._pytree import tree_leaves, tree_map

from archcalc.importing.traced.calls import Call, Tensor

READS = ("item", "_local_scalar_dense", "is_nonzero", "equal", "allclose")
"""Operators that read values into Python."""
DEPEND = (
    "nonzero",
    "nonzero_numpy",
    "masked_select",
    "unique",
    "_unique2",
    "unique_dim",
    "torchvision::nms",
    "bincount",
)
"""Operators whose output has a size that depends on values."""
FACTORIES = ("new_zeros", "new_ones", "new_full", "zeros_like", "ones_like", "full_like")
"""Operators that read the sizes of a tensor alone."""
SAME_SIZES = ("batch_norm",)
"""Operators whose output is like the input, and which PyTorch takes apart slowly."""
PATHS = ("StochasticDepth", "DropPath")
"""Classes of modules that leave a path out in training, and run no operator at inference."""
TORCH = os.path.dirname(torch.__file__) + os.sep
OWN = os.path.dirname(__file__) + os.sep
RUNS = "record"
"""The function that runs a model. What calls it is no code of the model."""


class ReadsError(Exception):
    """The run reads the values of a tensor."""


class DependsError(Exception):
    """The run has a tensor whose size depends on values."""


class Recorder(SchemaCheckMode):  # type: ignore[no-untyped-call]
    """The calls of a run. A subclass of SchemaCheckMode, since PyTorch allows no other mode before dispatch.

    ``parameters`` and ``buffers`` are the tensors that the run uses as such, by their names.
    """

    def __init__(
        self, model: nn.Module, parameters: Mapping[str, torch.Tensor], buffers: Mapping[str, torch.Tensor]
    ) -> None:
        super().__init__()
        self._dispatch_key = torch._C.DispatchKey.PreDispatch
        self.paths = {id(module): path for path, module in model.named_modules()}
        self.classes = {path: type(module).__name__ for path, module in model.named_modules()}
        self.stack: list[nn.Module] = [model]
        self.got: dict[int, tuple[int, ...]] = {}
        """The sizes of the first argument of every module, in its last call."""
        self.tensors: dict[int, Tensor] = {}
        self.alive: list[torch.Tensor] = []  # no address is used twice
        self.calls: list[Call] = []
        self.values: dict[int, torch.Tensor] = {}  # what a tensor on meta would hold, for constants
        self.moved: dict[int, torch.Tensor] = {}  # constants on the CPU, on meta
        self.made: dict[int, torch.Tensor] = {}  # what factories made, by the storage
        self.quiet = False
        for name, tensor in parameters.items():
            self.add(tensor, "parameter", name).trained = tensor.requires_grad
        for name, tensor in buffers.items():
            self.add(tensor, "buffer", name)

    @property
    def place(self) -> str:
        """The path of the module that runs, with its class."""
        return self.place_of(self.stack[-1])

    def place_of(self, module: nn.Module) -> str:
        path = self.paths.get(id(module), "")
        return f"{path} ({type(module).__name__})" if path else type(module).__name__

    def add(self, tensor: torch.Tensor, kind: str, name: str = "") -> Tensor:
        """The record of a tensor; a new one if a run wrote over it."""
        self.alive.append(tensor)
        type_ = str(tensor.dtype).removeprefix("torch.")
        storage = tensor.untyped_storage()._cdata
        made = self.tensors[id(tensor)] = Tensor(tuple(tensor.shape), kind, name, storage, type_)
        if tensor.device.type != "meta":
            made.value = tensor
        return made

    def known(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return self.tensors.get(id(value)) or self.again(value) or self.add(value, "constant")
        if isinstance(value, (list, tuple)):
            return [self.known(one) for one in value]
        return value

    def again(self, value: torch.Tensor) -> Tensor | None:
        """The record of a tensor that PyTorch wrapped anew after a factory made it."""
        made = self.made.get(value.untyped_storage()._cdata)
        if made is None or made.shape != value.shape:
            return None
        self.alive.append(value)
        self.tensors[id(value)] = self.tensors[id(made)]
        if id(made) in self.values:
            self.values[id(value)] = self.values[id(made)]
        return self.tensors[id(value)]

    def on_meta(self, value: Any) -> Any:
        """A constant on the CPU as a tensor on meta with the same record; and a device as meta."""
        if isinstance(value, torch.device):
            return torch.device("meta")
        if not isinstance(value, torch.Tensor) or value.device.type == "meta":
            return value
        if id(value) not in self.moved:
            made = torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device="meta")
            self.alive += [value, made]
            self.moved[id(value)], self.values[id(made)] = made, value
            self.tensors[id(made)] = self.known(value)
        return self.moved[id(value)]

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self.quiet:
            return func(*args, **kwargs)
        operator = func._schema.name.removeprefix("aten::")
        tensors = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)]
        if any(one.device.type == "meta" for one in tensors):
            args, kwargs = tree_map(self.on_meta, (args, kwargs))
            if operator in READS:
                return self.read(func, args, kwargs)
            by_mask = operator in ("index", "index_put_") and any(one.dtype == torch.bool for one in tensors)
            if operator in DEPEND or by_mask:
                raise DependsError
        settings: dict[str, Any] = {}
        for at, argument in enumerate(func._schema.arguments):
            value = args[at] if at < len(args) else kwargs.get(argument.name, argument.default_value)
            settings[argument.name] = self.known(value)
        with torch._C._DisablePythonDispatcher():  # faster, and the sizes are the same
            made = torch.empty_like(args[0]) if operator in SAME_SIZES else func(*args, **kwargs)
        results = _tensors(made)
        on_meta = any(one.device.type == "meta" for one in results)
        known = self.computed(func, operator, args, kwargs) if on_meta else []
        records = tuple(self.add(one, "result") for one in results)
        for result, record, value in zip(results, records, known, strict=False):
            if result.device.type == "meta":
                self.values[id(result)] = record.value = value
        if torch.Tag.nondeterministic_seeded in func.tags and settings.get("train") is not False:  # dropout of nothing
            for record in records:
                record.value, record.kind = None, "random"
        if results and (not tensors or operator.endswith("_like") or operator.startswith("new_")):
            self.made[results[0].untyped_storage()._cdata] = results[0]
        self.note(operator, settings, records)
        return made

    def note(self, operator: str, settings: dict[str, Any], results: tuple[Tensor, ...]) -> None:
        module = self.stack[-1]
        path, leaf = self.paths.get(id(module), ""), next(module.children(), None) is None
        self.calls.append(Call(operator, settings, results, path, type(module).__name__, _line(), leaf))

    def read(self, func: Any, args: Any, kwargs: Any) -> Any:
        """What a constant holds; ReadsError for a tensor that depends on an input."""
        tensors = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)]
        self.known(tensors)
        if any(id(one) not in self.values for one in tensors):
            raise ReadsError
        args, kwargs = tree_map(lambda one: self.values.get(id(one), one), (args, kwargs))
        return func(*args, **kwargs)

    def computed(self, func: Any, operator: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[torch.Tensor]:
        """What an operator on meta makes of constants alone; nothing if it reads an input or a parameter."""
        made_of = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)]
        if torch.Tag.nondeterministic_seeded in func.tags:
            return []
        if operator in FACTORIES:
            given = {id(one): torch.empty(one.shape, dtype=one.dtype) for one in made_of}
        else:
            known = [(one, self.values.get(id(one)) if one.device.type == "meta" else one) for one in made_of]
            given = {id(one): value for one, value in known if value is not None}
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
            return _tensors(func(*args, **kwargs))

    def path_left_out(self, module: nn.Module, output: torch.Tensor) -> torch.Tensor:
        """The output of a module that leaves its path out in training, as a tensor of its own."""
        p = next((float(value) for key in ("p", "drop_prob") if (value := getattr(module, key, None))), 0.0)
        if not p:
            return output
        self.quiet = True
        made = output.view(output.shape)
        self.quiet = False
        before = self.known(output)
        self.note("drop_path", {"self": before, "p": p}, (self.add(made, "result"),))
        return made

    @contextmanager
    def follow(self) -> Iterator[None]:
        """Note inside the ``with`` block which module runs."""

        def before(module: nn.Module, args: Any) -> None:
            self.stack.append(module)
            self.got[id(module)] = tuple(args[0].shape) if args and isinstance(args[0], torch.Tensor) else ()

        def after(module: nn.Module, args: Any, output: Any) -> Any:
            made = None
            if type(module).__name__ in PATHS and isinstance(output, torch.Tensor) and not module.training:
                made = self.path_left_out(module, output)
            while self.stack.pop() is not module:  # modules whose errors the model caught
                pass
            return made

        with ExitStack() as stack:
            for handle in (register_module_forward_pre_hook(before), register_module_forward_hook(after)):
                stack.callback(handle.remove)
            yield


def _tensors(made: Any) -> list[torch.Tensor]:
    return [one for one in (made if isinstance(made, (list, tuple)) else [made]) if isinstance(one, torch.Tensor)]


def _line() -> str:
    """The file and line of the model's code that calls an operator: the innermost code that is not PyTorch's; '' if
    PyTorch's own modules are all that calls."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith((TORCH, OWN, "<")):
        if frame.f_code.co_name == RUNS and frame.f_code.co_filename.startswith(OWN):
            return ""
        frame = frame.f_back
    if frame is None:
        return ""
    file = frame.f_code.co_filename.removeprefix(os.getcwd() + os.sep)
    return f"{file.rpartition('site-packages' + os.sep)[2]}:{frame.f_lineno}"
