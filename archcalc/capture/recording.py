"""A run of a module without values: on zeros that have only sizes, with parameters that have only sizes."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import is_dataclass
from typing import Any

import torch
from torch import nn
from torch._dispatch.python import enable_pre_dispatch, enable_python_dispatcher
from torch.nn.parameter import is_lazy

from archcalc.capture.failures import VALUES, failure
from archcalc.capture.lists import ListsAsTensors
from archcalc.capture.recorder import PATHS, DependsError, ReadsError, Recorder
from archcalc.errors import ArchcalcError, Problem
from archcalc.importing.traced.calls import Run, raw_outputs, without_inputs
from archcalc.named_inputs import INPUT

BATCH = 2
"""Images of the recorded run: more than one, so that the batch is told from axes of size 1."""


def record(module: nn.Module, inputs: Mapping[str, Sequence[int]], file: str, *, training: bool = False) -> Run:
    """A run of a module in its mode for inference or for training. The module itself is not changed.

    If an output that depends on no input may have the batch as its first axis, a run with one more image decides.
    """
    run = _record(module, inputs, file, training, BATCH)
    fixed = [name for name, one in without_inputs(run.outputs, run.calls).items() if one.shape[:1] == (BATCH,)]
    if not fixed:
        return run
    more = _record(module, inputs, file, training, BATCH + 1).outputs
    return run._replace(repeated=tuple(name for name in fixed if more[name].shape[:1] == (BATCH + 1,)))


def _record(module: nn.Module, inputs: Mapping[str, Sequence[int]], file: str, training: bool, batch: int) -> Run:
    """A run of a module on so many images.

    ``inputs``: the sizes of one image each, by the names of the arguments of ``forward``; one alone can be ``input``.
    ArchcalcError if the module does not run.
    """
    module = getattr(module, "_orig_mod", module)  # of torch.compile
    if isinstance(module, torch.jit.ScriptModule):
        raise ArchcalcError(Problem("is a scripted module, which cannot be recorded: give the original module", file))
    lazy = next((name for name, one in module.named_parameters() if is_lazy(one)), "")
    if lazy:
        text = f"{lazy} gets its sizes in the first run: run the model once, on an image, before archcalc reads it"
        raise ArchcalcError(Problem(text, file))
    given = _arguments(module, inputs, file)
    parameters, buffers = _without_values(module)
    recorder = Recorder(module, parameters, buffers)
    dtype = next(iter(types_of(module)), torch.float32)
    tensors = {name: torch.zeros(batch, *sizes, dtype=dtype, device="meta") for name, sizes in given.items()}
    named = {name: recorder.add(tensor, "input", name) for name, tensor in tensors.items()}
    state = _everywhere(module, {**parameters, **buffers})
    try:
        with (
            torch.no_grad(),
            warnings.catch_warnings(action="ignore"),
            mode(module, training),
            recorder.follow(),
            _recording(recorder),
        ):
            out = torch.func.functional_call(module, state, *_in_order(module, tensors), tie_weights=False)
    except DependsError as error:
        outputs = raw_outputs(recorder.calls)
        if outputs:
            remark = f"cut before {recorder.place}, where sizes depend on values"
            return Run(named, recorder.calls, outputs, batch, (remark,), classes=recorder.classes)
        raise ArchcalcError(Problem(f"{recorder.place} gives a map whose size depends on values", file)) from error
    except ReadsError as error:
        raise ArchcalcError(Problem(f"{recorder.place} {VALUES}", file)) from error
    except ArchcalcError:
        raise
    except (Exception, SystemExit) as error:
        raise ArchcalcError(Problem(failure(recorder, error, given, batch), file)) from error
    outputs = {name: recorder.known(tensor) for name, tensor in _named(out, "").items()}
    if not outputs:
        text = f"forward returns {_a(type(out).__name__)} without tensors; expected tensors, or a list or dict of them"
        raise ArchcalcError(Problem(text, file))
    return Run(named, recorder.calls, outputs, batch, classes=recorder.classes)


def types_of(module: nn.Module) -> list[torch.dtype]:
    """The types of the numbers of a module's parameters, in their order."""
    return [*dict.fromkeys(one.dtype for one in module.parameters() if one.is_floating_point())]


def _without_values(module: nn.Module) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """The parameters as tensors with sizes alone, and the buffers with their values."""
    parameters: dict[str, torch.Tensor] = {
        name: nn.Parameter(torch.empty_like(one, device="meta"), requires_grad=one.requires_grad)
        for name, one in module.named_parameters()
    }
    buffers = {
        name: one if one.device.type == "meta" else one.detach().cpu().clone() for name, one in module.named_buffers()
    }
    return parameters, buffers


def _everywhere(module: nn.Module, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors by all names under which modules hold them. A module with several names has one.

    PyTorch's functional_call would leave a module with several names with the tensors of the call.
    """
    own = {id(one): tensors[name] for name, one in (*module.named_parameters(), *module.named_buffers())}
    found = {}
    for path, part in module.named_modules():
        for name, one in (*part._parameters.items(), *part._buffers.items()):
            if one is not None:
                found[f"{path}.{name}".lstrip(".")] = own[id(one)]
    return found


def _arguments(module: nn.Module, inputs: Mapping[str, Sequence[int]], file: str) -> dict[str, Sequence[int]]:
    """The inputs by the names of the arguments of ``forward``."""
    signature = inspect.signature(module.forward).parameters.values()
    positional = [one for one in signature if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    names = [one.name for one in positional] or [one.name for one in signature]
    needed = [one.name for one in positional if one.default is one.empty]
    if [*inputs] == [INPUT] and INPUT not in names and names:
        inputs = {names[0]: inputs[INPUT]}
    strange = [name for name in inputs if name not in names]
    lacking = [name for name in needed if name not in inputs]
    if strange or lacking:
        takes = ", ".join(f"--input {name}=..." for name in needed or names[:1])
        text = f"forward takes {', '.join(names)}, and got sizes of {', '.join(inputs)}; give {takes}"
        raise ArchcalcError(Problem(text, file))
    return dict(inputs)


def _in_order(module: nn.Module, tensors: dict[str, torch.Tensor]) -> tuple[tuple[torch.Tensor, ...], dict[str, Any]]:
    """The inputs as arguments: by position if they are the first ones that have a position, else by name."""
    signature = inspect.signature(module.forward).parameters.values()
    names = [one.name for one in signature if one.kind != one.KEYWORD_ONLY]
    return (tuple(tensors.values()), {}) if names[: len(tensors)] == [*tensors] else ((), tensors)


@contextmanager
def _recording(recorder: Recorder) -> Iterator[None]:
    """The recorder at work inside the ``with`` block."""
    with enable_python_dispatcher(), enable_pre_dispatch(), recorder, ListsAsTensors():
        yield


@contextmanager
def mode(module: nn.Module, training: bool) -> Iterator[None]:
    """The module in its mode for inference or for training inside the ``with`` block. Its paths are always whole.

    Afterwards every module has the attributes that it had before, whatever ``forward`` set.
    """
    before = [(one, dict(vars(one))) for one in module.modules()]
    module.train(training)
    for one, _ in before:
        if type(one).__name__ in PATHS:
            one.training = False
    try:
        yield
    finally:
        for one, attributes in before:
            vars(one).clear()
            vars(one).update(attributes)


def _a(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _named(out: Any, name: str) -> dict[str, torch.Tensor]:
    """The tensors that a model returned, by their keys, fields or positions."""
    if isinstance(out, torch.Tensor):
        return {name or "out": out}
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(out, Mapping):
        items = out.items()
    elif isinstance(out, (list, tuple)):
        items = zip(getattr(out, "_fields", range(len(out))), out, strict=False)
    elif is_dataclass(out):
        items = vars(out).items()
    found: dict[str, torch.Tensor] = {}
    for key, value in items:
        found |= _named(value, f"{name}.{key}" if name else str(key))
    return found
