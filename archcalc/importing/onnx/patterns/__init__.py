"""Layers that a file writes as several calls, one module for each theme."""

from archcalc.importing.onnx.patterns import activations, layers, norms
from archcalc.importing.onnx.patterns.calls import Calls

__all__ = ["Calls", "activations", "layers", "norms"]
