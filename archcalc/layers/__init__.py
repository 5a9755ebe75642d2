"""The layer types, each a small class that states its window, shape, parameters and work."""

from archcalc.layers import activation, border, convolution, dense, join, norm, pool, reshape
from archcalc.layers.base import Layer, registry

__all__ = ["Layer", "activation", "border", "convolution", "dense", "join", "norm", "pool", "registry", "reshape"]
