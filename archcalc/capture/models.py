"""Models by name: of torchvision, of timm, and of a Python module of the user. They are built without values."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.nn.parameter import is_lazy

from archcalc.capture.failures import said
from archcalc.errors import ArchcalcError, Problem, clipped, unknown

USUAL = (3, 224, 224)


class Model(NamedTuple):
    """A module, its title, and the sizes of its inputs, for one image each; none if they are not known.

    ``remarks``: what a report has to say, such as what was cut off.
    """

    module: nn.Module
    title: str
    sizes: dict[str, Sequence[int]]
    remarks: tuple[str, ...] = ()


def model_of(net: str) -> Model:
    """The model of a name such as ``torchvision:resnet50``; ArchcalcError if there is none."""
    library, _, name = net.partition(":")
    return {"torchvision": _of_torchvision, "timm": _of_timm, "torch": _of_user}[library](name.strip(), net)


def model_names(library: str, net: str) -> list[str]:
    """The models of ``torchvision`` or ``timm``. ArchcalcError about ``net`` if the library is not installed."""
    found = _library(library, net)
    if library == "timm":
        return list(found.list_models())
    models: Any = importlib.import_module("torchvision.models")
    return [one for one in models.list_models() if not one.startswith("quantized_")]


def _of_torchvision(name: str, net: str) -> Model:
    known = model_names("torchvision", net)
    models: Any = importlib.import_module("torchvision.models")
    if name not in known:
        raise ArchcalcError(Problem(unknown("model of torchvision", name, known), net))
    builder = models.get_model_builder(name)
    options = inspect.signature(builder).parameters
    settings: dict[str, Any] = {key: None for key in ("weights", "weights_backbone") if key in options}
    if name in ("googlenet", "inception_v3"):
        settings["init_weights"] = False
    module = built(lambda: builder(**settings), net)
    title, sizes = f"{name} of torchvision", _sizes_of_torchvision(models, name, module)
    if ".detection." not in type(module).__module__:
        return Model(module, title, sizes)
    module.forward = partial(_raw_head, module)
    return Model(
        module,
        title,
        sizes,
        (f"cut behind the {'proposals' if hasattr(module, 'rpn') else 'head'}: boxes are not computed",),
    )


def _raw_head(detector: Any, images: torch.Tensor) -> Any:
    """What a detector of torchvision computes before boxes are chosen: the output of its head, or of that for proposals."""
    features = detector.backbone(images)
    maps = list(features.values()) if isinstance(features, dict) else [features]
    return detector.rpn.head(maps) if hasattr(detector, "rpn") else detector.head(maps)


def _sizes_of_torchvision(models: Any, name: str, module: nn.Module) -> dict[str, Sequence[int]]:
    """The sizes for which a model of torchvision has its weights."""
    if name.startswith("raft"):
        return {"image1": (3, 520, 960), "image2": (3, 520, 960)}
    own = getattr(module, "image_size", None)
    if isinstance(own, int):
        return {"input": (3, own, own)}
    resize = getattr(getattr(module, "transform", None), "min_size", None)
    if resize:
        return {"input": (3, max(resize), max(resize))}
    transforms = models.get_model_weights(name).DEFAULT.transforms()
    side = getattr(transforms, "crop_size", None) or getattr(transforms, "resize_size", None) or [224]
    sides = list(side) if isinstance(side, (list, tuple)) else [side]
    sides = sides * 2 if len(sides) == 1 else sides
    frames = [16] if ".video." in type(module).__module__ else []
    if type(module).__module__.endswith("swin_transformer") and name.startswith("swin3d"):
        frames = [16]
    return {"input": (3, *frames, *sides)}


def _of_timm(name: str, net: str) -> Model:
    timm = _library("timm", net)
    if not timm.is_model(name):
        raise ArchcalcError(Problem(unknown("model of timm", name, _near(name, timm.list_models())), net))
    module = built(lambda: timm.create_model(name, pretrained=False), net)
    sizes = tuple(getattr(module, "default_cfg", {}).get("input_size", USUAL))
    return Model(module, f"{name} of timm", {"input": sizes})


def _of_user(name: str, net: str) -> Model:
    place, _, attribute = name.partition(":")
    if not attribute or not all(part.isidentifier() for part in (*place.split("."), *attribute.split("."))):
        raise ArchcalcError(Problem("expected torch:MODULE:NAME, as in torch:my.models:build", net))
    with suppress(OSError):  # the working directory was deleted
        if "" not in sys.path and os.getcwd() not in sys.path:
            sys.path.insert(0, os.getcwd())
    try:
        found: Any = importlib.import_module(place)
    except ModuleNotFoundError as error:
        text = f"there is no module {clipped(error.name or place, 80)!r} on Python's path"
        raise ArchcalcError(Problem(text, net)) from error
    except (Exception, SystemExit) as error:
        raise ArchcalcError(Problem(f"the import of {place} fails: {said(error)}", net)) from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            names = [one for one in dir(found) if not one.startswith("_")]
            raise ArchcalcError(Problem(unknown("attribute", part, names), net))
        found = getattr(found, part)
    module = built(found, net) if callable(found) and not isinstance(found, nn.Module) else found
    if not isinstance(module, nn.Module):
        what = "is" if module is found else "returns a value"
        text = f"{attribute} {what} of the type {type(module).__name__}"
        raise ArchcalcError(
            Problem(f"{text}, expected a torch.nn.Module, its class or a function that returns one", net)
        )
    return Model(module, attribute, {})


def _near(name: str, known: list[str]) -> list[str]:
    """Those of very many names that begin like a name."""
    return next((found for n in (5, 4, 3, 2) if (found := [one for one in known if one[:n] == name[:n]])), known)


def _library(name: str, net: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        extra = "timm" if name == "timm" else "torch"
        text = f"needs {name}, which is not installed ({said(error)}): pip install 'archcalc[{extra}]'"
        raise ArchcalcError(Problem(text, net)) from error


def built(build: Callable[[], Any], net: str) -> Any:
    """What a function builds, with parameters that have sizes and no values where its code allows it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with suppress(Exception, SystemExit), _sizes_alone():
            made = build()
            if not isinstance(made, nn.Module) or all(one.device.type != "meta" for one in made.buffers()):
                return made
        try:
            return build()
        except (Exception, SystemExit) as error:
            raise ArchcalcError(Problem(f"cannot be built: {said(error)}", net)) from error


@contextmanager
def _sizes_alone() -> Iterator[None]:
    """Parameters that modules register inside the ``with`` block lie on the meta device, and take no memory."""

    def moved(module: nn.Module, name: str, parameter: Any) -> Any:
        if parameter is None or parameter.device.type == "meta" or is_lazy(parameter):
            return None
        if type(parameter) is not nn.Parameter:
            return parameter.to("meta")
        return nn.Parameter(torch.empty_like(parameter, device="meta"), parameter.requires_grad)

    handle = register_module_parameter_registration_hook(moved)
    try:
        yield
    finally:
        handle.remove()
