"""Why a model cannot be built or run, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from traceback import walk_tb

from torch import nn

from archcalc.capture.recorder import Recorder
from archcalc.errors import clipped

GPU = "needs a GPU, and archcalc runs models without one: let its code use the device of its input"
VALUES = "reads the values of a tensor, so that its layers depend on the image"
READS = ("meta device type tensor to numpy", "a tensor with unallocated storage", "Cannot copy out of meta tensor")
"""What PyTorch says if values are read past the recorder."""
TAKES = {"in_channels": "channels", "num_channels": "channels", "num_features": "channels", "in_features": "features"}
"""Attributes of modules that say the size of an axis of the input, and what the axis holds."""


def said(error: BaseException) -> str:
    """An error of other code on one line."""
    text = " ".join(str(error).split())
    if any(word in text for word in ("CUDA", "cuda", "NVIDIA")):
        return GPU
    return f"{type(error).__name__}{': ' * bool(text)}{clipped(text, 160) or ' without a message'}"


def failure(recorder: Recorder, error: BaseException, inputs: Mapping[str, Sequence[int]], batch: int) -> str:
    """Why a run failed."""
    module = _module(recorder, error)
    place, text = recorder.place_of(module), said(error)
    if text == GPU:
        return f"{place} {text}"
    if any(words in text for words in READS):
        return f"{place} {VALUES}"
    sizes = " and ".join("x".join(map(str, one)) for one in inputs.values())
    if mismatch := _mismatch(module, recorder.got.get(id(module), ())):
        text = f"{place} takes {mismatch}, for an input of {sizes}"
    else:
        text = f"{place} fails for {batch} images of {sizes}: {text}"
    whole = next((one for one in inputs.values() if len(one) > 3 and one[0] == 1), None)
    return (
        f"{text}; sizes are those of one image, without the batch: {'x'.join(map(str, whole[1:]))}" if whole else text
    )


def _module(recorder: Recorder, error: BaseException) -> nn.Module:
    """The innermost module whose code raised an error."""
    frames = [frame.f_locals.get("self") for frame, _ in walk_tb(error.__traceback__)]
    return next((one for one in reversed(frames) if isinstance(one, nn.Module)), recorder.stack[0])


def _mismatch(module: nn.Module, got: Sequence[int]) -> str:
    """The size that a module takes and the size that it got; '' if the sizes are equal or not known."""
    for attribute, what in TAKES.items():
        wanted, axis = getattr(module, attribute, None), -1 if what == "features" else 1
        if isinstance(wanted, int) and len(got) > 1 and got[axis] != wanted:
            return f"{wanted:,} {what} and got {got[axis]:,}"
    return ""
