"""Text to network: YAML specs, expressions, blocks and one-line patterns."""

from archcalc.spec.zoo import load

__all__ = ["load"]
