"""Local response normalisation, which PyTorch writes as a square, a padding, a pooling and a power."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcalc.importing.traced.calls import Call
from archcalc.importing.traced.mapping import Mapping, rule
from archcalc.importing.traced.steps import Shown, Step

MOVES = ("rearrange", "flatten", "to_map")
CHAIN = ("math", "scale", "scale", "avg_pool", "pad", "multiply")
"""The layers that lead to the divisor, the last one first."""
DIGITS = 12
USUAL = {"size": 5, "alpha": 1e-4, "beta": 0.75, "k": 2.0}


@rule("local_response_norm")
def lrn(mapping: Mapping, call: Call) -> Shown:
    """Local response normalisation as one operator, as ONNX has it."""
    given = call.settings
    tensor = mapping.shown(given["input"])
    return _lrn(mapping, tensor, given["size"], given["alpha"], given["beta"], given["k"])


def response_norm(mapping: Mapping, dividend: Shown, divisor: Shown) -> Shown | None:
    """The layer ``lrn`` of a map that is divided as ``F.local_response_norm`` does it; None for other divisors."""
    found = list(_chain(mapping.steps.steps, divisor.step))
    if len(found) < len(CHAIN) or divisor.sizes != dividend.sizes:
        return None
    power, shift, factor, pool, pad, square = (step.settings for step in found)
    channels = dividend.view[1] if len(dividend.view) > 1 else ()
    size = pool["kernel"][0] if isinstance(pool["kernel"], list) else 0
    expected = (
        {dividend.step} == {*found[-1].reads}
        and channels == mapping.steps.steps[dividend.step].natural[0]
        and power["function"] == "power"
        and shift["factor"] == 1
        and factor.keys() == {"factor"}
        and pool == {"kernel": [size, *[1] * (len(pool["kernel"]) - 1)], "stride": 1}
        and pad["by"] == _sides(size, len(pool["kernel"]))
        and not square
    )
    if not size or not expected:
        return None
    return _lrn(mapping, dividend, size, factor["factor"], power["exponent"], shift["shift"])


def _lrn(mapping: Mapping, tensor: Shown, size: int, alpha: float, beta: float, k: float) -> Shown:
    """The layer; ``alpha`` is divided by the size, as PyTorch and ONNX do it."""
    given = {"size": size, "alpha": float(f"{alpha / size:.{DIGITS}g}"), "beta": beta, "k": k}
    return mapping.steps.same("lrn", {key: value for key, value in given.items() if value != USUAL[key]}, tensor)


def _chain(steps: Sequence[Step], at: int) -> Iterator[Step]:
    """The steps before a step, as long as they are those of CHAIN; movements are left out."""
    for type in CHAIN:
        while steps[at].type in MOVES:
            at = steps[at].reads[0]
        if steps[at].type != type:
            return
        yield steps[at]
        at = steps[at].reads[0]


def _sides(size: int, axes: int) -> list[list[int]]:
    return [[size // 2, (size - 1) // 2], *[[0, 0]] * (axes - 1)]
