"""Figures that timm publishes of its models, beside those of their imports under the convention timm (fvcore's count).

timm's benchmark.py measures with fvcore, and prints multiply-adds, activations and parameters with two decimals. Its
published tables hold the models without fused attention, whose two products fvcore would not see, and some tables hold
models after ``reparameterize_model``, which merges parallel convolutions into one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import nn

from archcalc.analysis import analyze
from archcalc.analysis.explanation import explain
from archcalc.capture.models import Model, model_of
from archcalc.capture.networks import imported
from archcalc.conventions import convention
from archcalc.errors import ArchcalcError
from archcalc.language.expand import expand
from archcalc.language.imports import import_by
from archcalc.witness.import_outputs import with_values

Row = dict[str, Any]
MERGING = ("fuse", "reparameterize", "switch_to_deploy")
"""The methods by which timm merges the parts of a module."""
LARGEST = 60 * 10**9
"""The most multiply-adds of a model that fvcore itself runs on a CPU here."""


def figures(name: str) -> Row:
    """The figures of a model at a size: as built, and with merged parts if it has such."""
    torch.set_num_threads(1)
    try:
        with without_fused_attention():
            model, size = _model(name)
            row: Row = {"verdict": "counted", "reasons": [], "as built": _counted(model, size)}
            if any(hasattr(one, key) for one in model.module.modules() for key in MERGING):
                row["merged"] = _counted(model._replace(module=_merged(model.module)), size)
            return row
    except ArchcalcError as error:
        return {"verdict": "refused", "reasons": [problem.text for problem in error.problems]}


def measured(name: str) -> Row:
    """What fvcore itself counts of the model, as built and merged: an explanation of digits that differ."""
    torch.set_num_threads(1)
    with without_fused_attention():
        row: Row = {"verdict": "measured", "reasons": []}
        for key in ("as built", "merged"):
            model, size = _model(name)
            with suppress(ArchcalcError):
                if _counted(model, size)[1] > LARGEST:
                    return {**row, "reasons": ["too large to run"]}
            module = _merged(model.module) if key == "merged" else model.module
            row[key] = _measured(module, size)
        return row


def _model(name: str) -> tuple[Model, int]:
    net, _, size = name.partition(" ")
    return model_of(f"timm:{net}"), int(size)


def _merged(module: nn.Module) -> nn.Module:
    from timm.utils.model import reparameterize_model

    with_values(module)
    made: nn.Module = reparameterize_model(module)
    return made


def _counted(model: Model, size: int) -> list[int]:
    """Parameters, multiply-adds and activations of the import."""
    sizes = {"input": (3, size, size)}
    family = import_by(lambda inputs, anew: imported(model, sizes, model.title), model.title, "model")
    network = expand(family, family.name)
    explanation = explain(network, convention("timm"))
    if explanation.unknown_types:
        raise ArchcalcError(f"timm's count of {', '.join(explanation.unknown_types)} is not known")
    params = analyze(network).totals.params + _unused(model.module, network.notes)
    return [int(params), int(explanation.total("operations")), int(explanation.total("memory"))]


def _unused(module: nn.Module, notes: list[str]) -> int:
    """Parameters that no layer uses, which timm counts: the import's own number."""
    words = " ".join(notes).partition("parameters that no layer uses: ")[2]
    return int(words.split()[0].replace(",", "")) if words else 0


def _measured(module: nn.Module, size: int) -> list[int]:
    from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis

    for name in ("fvcore", "fvcore.nn.jit_analysis"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with_values(module.eval())
    image = torch.zeros(1, 3, size, size)
    with torch.no_grad():
        counts = FlopCountAnalysis(module, image), ActivationCountAnalysis(module, image)
        params = sum(one.numel() for one in module.parameters())
        return [params, *(int(one.unsupported_ops_warnings(False).total()) for one in counts)]


@contextmanager
def without_fused_attention() -> Iterator[None]:
    """Models of timm that are built and run inside the ``with`` block write out the products of attention."""
    from timm.layers.config import set_fused_attn, use_fused_attn

    before = use_fused_attn()
    set_fused_attn(False)
    try:
        yield
    finally:
        set_fused_attn(before)
