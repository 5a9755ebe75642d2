"""When a use of a block has a layer that other uses lack: a condition on its parameters, or a parameter of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from archcalc.importing.block_names import NORMS
from archcalc.importing.fitting import ANY, WHOLE, WIDTH, Fit, called, multiple, plain
from archcalc.importing.items import ALIAS, Item
from archcalc.layers import registry
from archcalc.layers.activation import Activation


class Conditions:
    """The conditions of one block. ``found``: its parameters. ``known``: the conditions so far, by the uses that have the layer."""

    def __init__(self, found: Fit) -> None:
        self.found = found
        self.known: dict[tuple[Any, ...], str] = {}

    def state(self, body: Sequence[Item], uses: Sequence[Sequence[Item]]) -> None:
        """Give the layers of the body that some uses lack a ``when``."""
        self.visit(body, uses, [True] * len(uses), by_size=False, first=True)

    def visit(
        self, body: Sequence[Item], uses: Sequence[Sequence[Item]], there: list[bool], *, by_size: bool, first: bool
    ) -> None:
        """``there``: which uses have the join around. ``by_size``: whether a layer may be there because sizes differ.

        ``first``: whether the channels here are those of the block's input.
        """
        for item, *ones in zip(body, *uses, strict=True):
            has = [not one.absent for one in ones]
            if any(around and not one for around, one in zip(there, has, strict=True)):
                values = [one if around else ANY for around, one in zip(there, has, strict=True)]
                sized = by_size or (item.type == "add" and item.branches is None)
                item.options = {"when": self.condition(item, values, sized, first), **item.options}
            shortcut = min(item.branches or (), key=len, default=None)
            for at, branch in enumerate(item.branches or ()):
                inner = [(one.branches or [])[at] for one in ones]
                self.visit(branch, inner, has, by_size=item.type in ("add", ALIAS) and branch is shortcut, first=first)
            first = first and item.type == ALIAS

    def condition(self, item: Item, values: list[Any], by_size: bool, first: bool) -> str:
        known = self.known.get(tuple(values))
        if known is None:
            change = item.type != "add" or item.branches is not None
            sizes = (text for text, each in self.sizes(change) if by_size and fits(values, each))
            known = next(sizes, "") or self.flag(item, values)
            self.known[tuple(values)] = known
        if "{channels}" not in known:
            return known
        self.found.has_width |= not first
        return known.replace("{channels}", "channels" if first else WIDTH)

    def sizes(self, change: bool) -> Iterator[tuple[str, list[bool]]]:
        """Conditions on strides and on the channels before and behind, each with its value in every use.

        ``change``: that the block changes a size, and not that it keeps all.
        """
        params = {name: self.found.values(name) for name in self.found.params}
        strides = [
            (name, [value != 1 for value in values]) for name, values in params.items() if plain(name) == "stride"
        ]
        wide = [
            (
                multiple(factor, name),
                [factor * out != width for out, width in zip(values, self.found.channels, strict=True)],
            )
            for name, values in params.items()
            if plain(name) == "out" and all(isinstance(value, int) for value in values)
            for factor in sorted({Fraction(n, m) for n, m in zip(self.found.channels, values, strict=True) if m})
            if factor in WHOLE
        ]
        pairs = [*product([("", [])], wide), *product(strides, [("", [])]), *product(strides, wide)]
        for (name, larger), (text, other) in pairs:
            parts = [(f"{name} > 1", f"{name} == 1", larger)] if name else []
            parts += [(f"{{channels}} != {text}", f"{{channels}} == {text}", other)] if text else []
            either = [any(one) for one in zip(*(values for *_, values in parts), strict=True)]
            if change:
                yield " or ".join(one for one, *_ in parts), either
            else:
                yield " and ".join(one for _, one, _ in parts), [not one for one in either]

    def flag(self, item: Item, values: list[Any]) -> str:
        """A parameter that is above zero or true where a use has the layer, or a new one."""
        for name, known in self.found.params.items():
            given = [value for value in known if value is not ANY]
            alike = all((one is True) == (value is not ANY) for one, value in zip(values, known, strict=True))
            if alike and all(isinstance(value, (int, float)) and value > 0 for value in given):
                self.found.defaults[name] = 0
                self.found.params[name] = [0 if value is ANY else value for value in known]
                return f"{name} > 0"
            if all(isinstance(value, bool) for value in given):
                if fits(values, self.found.values(name)):
                    return name
                if fits(values, [not value for value in self.found.values(name)]):
                    return f"not {name}"
        return self.found.param(self.called(item), values)

    def called(self, item: Item) -> str:
        """The name of such a parameter: what the layer is called, or its type."""
        if item.type in NORMS:
            return "norm"
        if item.type in registry and issubclass(registry[item.type], Activation):
            return "act"
        return called(item) or item.type


def fits(values: Sequence[Any], other: Sequence[bool]) -> bool:
    return all(one is ANY or one == two for one, two in zip(values, other, strict=True))
