"""Weights that every forward pass computes from trained numbers."""

from __future__ import annotations

from typing import Any

from archcalc.errors import LayerError
from archcalc.sizes import NO_WORK, Int, Work, equal, int_text, is_array, smallest

WEIGHT_NORMS = (None, "channels", "last", "standardised", "scaled")
"""How weights are computed; None: the weights themselves are trained."""
STANDARDISED = ("standardised", "scaled")
EPS = 1e-8
"""What is added to the variance of weights, as in BiT."""


def factors(norm: str | None, channels: Int, last: Int) -> Int:
    """The trained numbers beside the weights: one per output channel, or one per position of the kernel's last axis."""
    return {"channels": channels, "scaled": channels, "last": last}.get(norm or "", 0)


def computing(norm: str | None, weights: Int, groups: Int) -> Work:
    """The operations that compute the weights, which are normalised in groups of equal size.

    Weight normalisation: a length (n mul, n-1 add, 1 exp) and the trained length divided by it (1 div) for every group,
    and a product for every weight. Standardisation: as a normalisation of the weights of each group, without scale and
    shift; scaled, 1 mul more for each group.
    """
    if norm is None:
        return NO_WORK
    if norm in ("channels", "last"):
        return Work(mul=2 * weights, add=weights - groups, exp=groups, div=groups)
    scaled = groups * (norm == "scaled")
    return Work(mul=2 * weights + scaled, add=3 * weights - groups, exp=groups, div=3 * groups)


def need_constants(norm: str | None, gamma: Any, eps: Any) -> None:
    """LayerError if a constant is given that the weights do not have."""
    if not equal(gamma, 1) and norm != "scaled":
        raise LayerError(
            f"gamma {_text(gamma)} is the factor of weights that are scaled: say weight_norm: scaled", gamma != 1
        )
    if not equal(eps, EPS) and norm not in STANDARDISED:
        raise LayerError(
            f"eps {_text(eps)} is added to the variance of weights: say weight_norm: standardised or weight_norm: scaled",
            eps != EPS,
        )


def _text(number: Any) -> str:
    return int_text(number) if is_array(number) else f"{number:g}"


def need_several(norm: str | None, fan_in: Int) -> None:
    """LayerError if a standardisation has a single weight for each output channel: this weight would become zero."""
    if norm in STANDARDISED and smallest(fan_in) < 2:
        raise LayerError(
            f"weight_norm {norm} needs at least 2 weights for each output channel, got {int_text(fan_in)}: "
            f"a single weight minus its mean is zero",
            fan_in < 2,
        )
