"""Formulas over archcalc's quantities, such as ``macs - macs[fc*]`` or ``alexnet:params / params``.

A name is a quantity of the figure's subject. ``[...]`` names other layers of the same network, and ``network:`` another
network of the zoo. The rest is the arithmetic of the spec language.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from archcalc.language.expression import Expression, parse

_REFERENCE = re.compile(
    r"(?<![\w.'])(?:(?P<network>[a-z][\w.]*):)?(?P<quantity>[A-Za-z]\w*)"
    r"(?:\[(?P<layer>[^\]]*)\])?(?!\w*\()"
)

Quantity = Fraction | tuple[int, ...]


class Reference(NamedTuple):
    """A quantity of the figure's subject, or of the layers or the network that the reference names."""

    quantity: str
    layer: str = ""
    network: str = ""

    def __str__(self) -> str:
        return (f"{self.network}:" if self.network else "") + self.quantity + (f"[{self.layer}]" if self.layer else "")


class Formula:
    """A formula's text, its references, and ``value(lookup)``."""

    __slots__ = ("expression", "parts", "references", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.references = tuple(
            dict.fromkeys(
                Reference(m["quantity"], m["layer"] or "", m["network"] or "") for m in _REFERENCE.finditer(text)
            )
        )
        self.expression: Expression = parse(self.replaced(lambda reference: f"r{self.references.index(reference)}"))

    def replaced(self, by: Callable[[Reference], str]) -> str:
        """The text with a replacement for every reference."""
        return _REFERENCE.sub(lambda m: by(Reference(m["quantity"], m["layer"] or "", m["network"] or "")), self.text)

    def value(self, lookup: Callable[[Reference], float]) -> Quantity:
        """A number, or sizes if the formula is a list."""
        value = self.expression.evaluate({f"r{at}": lookup(reference) for at, reference in enumerate(self.references)})
        return tuple(value) if isinstance(value, list) else Fraction(value)


@lru_cache(maxsize=1024)
def formula(text: str) -> Formula:
    """The formula of that text. ExpressionError if it cannot be read."""
    return Formula(text)
