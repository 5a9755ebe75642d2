"""What the nodes of ONNX become: one module for each theme."""

from archcalc.importing.onnx.nodes import constants, elementwise, moves, norms, products, windows

__all__ = ["constants", "elementwise", "moves", "norms", "products", "windows"]
