"""Text to network: YAML specs, expressions, blocks and one-line patterns."""

from archcalc.spec.zoo import load, networks

__all__ = ["load", "networks"]
