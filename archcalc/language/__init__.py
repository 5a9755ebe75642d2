"""Text to network: YAML specs, expressions, blocks and one-line patterns."""

from archcalc.language.zoo import load, networks

__all__ = ["load", "networks"]
