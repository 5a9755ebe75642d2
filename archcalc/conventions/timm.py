"""timm's benchmark.py, which runs fvcore on timm's own models."""

from __future__ import annotations

from archcalc.conventions.convention import Convention, Layers, Tally, Term
from archcalc.conventions.counts import (
    CONV,
    NETWORK_OF_BIAS,
    NOT_IN_TORCH,
    bias_outputs,
    continuous,
    scores_and_outputs,
    values,
)
from archcalc.conventions.fvcore import MULTIPLY_ADDS, NOTHING, OPERATIONS
from archcalc.conventions.source_style import EINSUM, TIMM, WRITTEN

CONVENTIONS = (
    Convention(
        "timm",
        "fvcore's count of timm's models; activations are the outputs of convolutions and linear layers",
        "huggingface/pytorch-image-models, benchmark.py, profile_fvcore",
        TIMM.version,
        operations_name="MACs (timm)",
        flops_per_mac=None,
        multiply_adds=MULTIPLY_ADDS,
        nothing=NOTHING,
        unknown_reason=NOT_IN_TORCH,
        operations=OPERATIONS,
        memory=Tally(
            Term(
                "outputs of convolutions and linear layers",
                Layers(*CONV, "linear"),
                values,
                place="ActivationCountAnalysis",
            ),
            Term(
                "scores of attention, and the outputs of its second product",
                Layers("attention", forms=(WRITTEN, EINSUM)),
                scores_and_outputs,
                place="ActivationCountAnalysis",
            ),
            Term("products of two maps", Layers("matmul"), values, place="ActivationCountAnalysis"),
            Term(f"outputs of {NETWORK_OF_BIAS}", continuous, bias_outputs, place="ActivationCountAnalysis"),
            factor=0,
        ),
        memory_name="activations (macts)",
        memory_unit=(4, "values", 0),
        library=TIMM,
        more="the gates of timm's models pool by a mean, which counts nothing",
    ),
)
