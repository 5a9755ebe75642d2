"""Caffe's layers of mathematics: powers, exponentials, logarithms, reductions, and normalisation by mean and variance.

Source: BVLC/caffe 9b89154, src/caffe/layers: power_layer.cpp, exp_layer.cpp, log_layer.cpp, absval_layer.cpp,
reduction_layer.cpp, mvn_layer.cpp.
"""

from __future__ import annotations

import math
from typing import Any

from archcalc.importing.caffe_file import Caffe, Record
from archcalc.importing.errors import MissingError, WrongValueError
from archcalc.importing.graph import Blob
from archcalc.importing.prototxt import Message


def power(net: Caffe, record: Record) -> Blob | None:
    """(shift + scale * x) ^ power."""
    params = record.params("power_param")
    exponent, scale, shift = _numbers(params, power=1, scale=1, shift=0)
    if exponent == 0:
        raise MissingError("a power of 0 has no counterpart: every value is 1")
    name = "" if exponent == 1 else f"{record.name}/scale"
    line = _line(net, net.bottom(), scale, shift, name)
    return line if exponent == 1 else net.add("math", line, settings={"function": "power", "exponent": exponent})


def exponential(net: Caffe, record: Record) -> Blob | None:
    """base ^ (shift + scale * x); a base of -1 is e."""
    base, scale, shift = _numbers(record.params("exp_param"), base=-1, scale=1, shift=0)
    factor = _log_of(base)
    line = _line(net, net.bottom(), factor * scale, factor * shift, f"{record.name}/scale")
    return net.add("math", line, settings={"function": "exp"})


def logarithm(net: Caffe, record: Record) -> Blob | None:
    """The logarithm of shift + scale * x; a base of -1 is e."""
    base, scale, shift = _numbers(record.params("log_param"), base=-1, scale=1, shift=0)
    factor = 1 / _log_of(base)
    line = _line(net, net.bottom(), scale, shift, f"{record.name}/scale")
    if factor == 1:
        return net.add("math", line, settings={"function": "log"})
    return _line(net, net.add("math", line, settings={"function": "log"}, name=f"{record.name}/log"), factor, 0)


def absolute(net: Caffe, record: Record) -> Blob | None:
    return net.add("math", net.bottom(), settings={"function": "abs"})


def reduction(net: Caffe, record: Record) -> Blob | None:
    """The sum or the mean of all values from an axis on, of their absolute values or squares, times a coefficient."""
    params, blob = record.params("reduction_param"), net.bottom()
    kind, (factor,) = params.text("operation", "SUM"), _numbers(params, coeff=1)
    kind = {"1": "SUM", "2": "ASUM", "3": "SUMSQ", "4": "MEAN"}.get(kind, kind)
    if kind not in ("SUM", "ASUM", "SUMSQ", "MEAN"):
        raise WrongValueError(f"unknown operation {kind}")
    if blob is None:
        return net.add("reduce", None)
    axis, count = params.whole("axis", 0), len(blob.shape.axes) + 2
    axis += count * (axis < 0)
    if axis not in (1, 2) or axis >= count:
        what = "over the images" if axis == 0 else f"from axis {axis} of {blob.shape} on"
        raise MissingError(f"a reduction {what} has no counterpart")
    functions: dict[str, dict[str, Any]] = {
        "ASUM": {"function": "abs"},
        "SUMSQ": {"function": "power", "exponent": 2},
    }
    of = functions.get(kind)
    made: Blob | None = blob
    if of:
        made = net.add("math", made, settings=of, name=f"{record.name}/math")
    by, last = "mean" if kind == "MEAN" else "sum", "" if factor == 1 else f"{record.name}/reduce"
    if axis == 1:
        if blob.shape.axes:
            made = net.add("flatten", made, name=f"{record.name}/flatten")
        made = net.add("reduce", made, settings={"by": by, "axis": "channels"}, name=last)
    else:
        made = net.add("reduce", made, settings={"by": by, "axis": "positions"}, name=f"{record.name}/reduce")
        made = net.add("flatten", made, name=last and f"{record.name}/flatten")
    return _line(net, made, factor, 0)


def mean_variance(net: Caffe, record: Record) -> Blob | None:
    """Values less their mean, divided by their deviation. Caffe adds eps to the deviation: its square to the variance."""
    params = record.params("mvn_param")
    across, blob = params.flag("across_channels", False), net.bottom()
    if not params.flag("normalize_variance", True):
        mean = net.add("reduce", blob, settings={"by": "mean", "axis": "positions"}, name=f"{record.name}/mean")
        if across:
            settings = {"by": "mean", "axis": "channels"}
            mean = net.add("reduce", mean, settings=settings, name=f"{record.name}/mean")
        return net.add("subtract", blob, mean)
    (eps,) = _numbers(params, eps=1e-9)
    if across:
        return net.add("layer_norm", blob, settings={"axis": "all", "affine": False, "eps": eps**2})
    return net.add("instance_norm", blob, settings={"eps": eps**2})


def _numbers(params: Message, **defaults: float) -> list[float]:
    return [params.number(key, default) for key, default in defaults.items()]


def _line(net: Caffe, blob: Blob | None, factor: float, shift: float, name: str = "") -> Blob | None:
    """factor * x + shift, if that is not x."""
    if factor == 1 and shift == 0:
        return blob
    settings: dict[str, Any] = {"factor": factor} | ({"shift": shift} if shift else {})
    return net.add("scale", blob, settings=settings, name=name)


def _log_of(base: float) -> float:
    """The natural logarithm of a base; -1 stands for e."""
    if base != -1 and (base <= 0 or base == 1):
        raise WrongValueError(f"base must be -1 (which is e) or above 0 and not 1, got {base:g}")
    return 1.0 if base == -1 else math.log(base)
