"""The names and values that a step sees during an expansion."""

from __future__ import annotations

from typing import Any

from archcalc.sizes import Int


class Context:
    """The values in scope, the name prefix, and the blocks around a step."""

    __slots__ = ("blocks", "cost", "depth", "prefix", "regions", "scope", "scopes", "side", "trained")

    def __init__(
        self,
        scope: dict[str, Any],
        prefix: str = "",
        scopes: tuple[str, ...] = (),
        side: bool = False,
        depth: int = 0,
        blocks: tuple[str, ...] = (),
        regions: Int = 0,
        trained: bool = True,
    ) -> None:
        self.scope, self.prefix, self.scopes, self.side, self.depth = scope, prefix, scopes, side, depth
        self.blocks, self.regions, self.trained = blocks, regions, trained
        self.cost = 1 + (len(prefix) + len(scope)) // 16
        """The operations that one step costs in this context, because names are written out and scopes are copied."""

    def inner(
        self,
        *,
        scope: dict[str, Any] | None = None,
        name: str = "",
        label: str = "",
        side: bool = False,
        block: str = "",
        regions: Int | None = None,
    ) -> Context:
        """The context one level deeper. ``name`` becomes part of layer names; only folded tables show ``label``."""
        return Context(
            self.scope if scope is None else scope,
            f"{self.prefix}{name}." if name else self.prefix,
            (*self.scopes, label or name) if label or name else self.scopes,
            self.side or side,
            self.depth + 1,
            (*self.blocks, block) if block else self.blocks,
            self.regions if regions is None else regions,
            self.trained,
        )

    def turn(self, counter: str, number: int) -> Context:
        """The context in turn ``number`` of a repeat."""
        scope = {**self.scope, counter: number}
        return Context(scope, self.prefix, self.scopes, self.side, self.depth, self.blocks, self.regions, self.trained)

    def with_trained(self, trained: bool) -> Context:
        """The context of a step that says whether its weights are trained."""
        return Context(self.scope, self.prefix, self.scopes, self.side, self.depth, self.blocks, self.regions, trained)

    def outwards(self) -> list[str]:
        """The prefixes of this scope and of the scopes around this scope, innermost first."""
        prefixes = [self.prefix]
        while prefixes[-1]:
            prefixes.append(prefixes[-1][: prefixes[-1][:-1].rfind(".") + 1])
        return prefixes
