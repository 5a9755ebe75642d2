"""Blocks and repeats, recovered from a flat spec: equal structures become one block, and runs become ``repeat``.

First the branches of joins are recovered (``structure``). Then equal parts become blocks, from the innermost modules
outwards (``recovery``). A block that stands in one other block alone is written out there. Numbers that differ become
parameters (``fitting``). Last, neighbours become one entry with ``repeat`` (``repeats``). The text that is written from
the result is expanded again and compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from archcalc.importing.block_names import BlockNames
from archcalc.importing.entries import entry_of, ranged
from archcalc.importing.fitting import WIDTH, fit
from archcalc.importing.items import Item, copied, lists_of, mark_named, rename
from archcalc.importing.recovery import Recovery
from archcalc.importing.repeats import repeated
from archcalc.importing.structure import structured
from archcalc.named_inputs import INPUT
from archcalc.trees import Tree, tree_of

MOST_PARAMETERS = 8
"""The most parameters of a block. More are no help to a reader."""


def recovered(tree: Tree, channels: Mapping[str, int], classes: Mapping[str, str], reserved: Iterable[str]) -> Tree:
    """The spec with blocks and repeats.

    ``channels``: how many channels reach a layer, by its name. ``classes``: the classes of modules, by their paths.
    ``reserved``: words that are no names of blocks.
    """
    inputs = [INPUT] if "input" in tree.value else [*tree.value["inputs"].value]
    outputs = [one.text for one in tree.value["outputs"].value] if "outputs" in tree.value else []
    items = structured(tree.value["layers"].value, channels, inputs[0], outputs)
    recovery = Recovery(items, inputs, outputs, classes)
    recovery.run()
    if outputs:
        tree = tree_of({**tree.value, "outputs": ranged(recovery.outputs)}, 1)
    blocks = _Blocks(items, recovery.uses, BlockNames(recovery.modules, classes, reserved))
    blocks.write_out()
    blocks.fit()
    mark_named(items, recovery.outputs)
    entries = [entry_of(item) for item in repeated(items)]
    parts: dict[str, Any] = {key: value for key, value in tree.value.items() if key != "layers"}
    if blocks.bodies:
        parts["blocks"] = tree_of({name: tree_of(body, 1) for name, body in blocks.bodies.items()}, 1)
    return tree_of({**parts, "layers": tree_of(entries, 1)}, 1)


class _Blocks:
    """The blocks of a network: the uses of each one, from the innermost blocks outwards."""

    def __init__(self, items: list[Item], uses: dict[str, list[Item]], names: BlockNames) -> None:
        self.items, self.uses, self.names = items, uses, names
        self.bodies: dict[str, dict[str, Any]] = {}

    def write_out(self) -> None:
        """Replace the uses of each block that one other block uses, in one place alone, by what they stand for."""
        places: Counter[str] = Counter()
        around: dict[str, str] = {}
        for block, body in [("", self.items), *((block, uses[0].body or []) for block, uses in self.uses.items())]:
            for one in (one for some in lists_of(body) for one in some if one.block):
                places[one.type] += 1
                around[one.type] = block
        for block in [block for block, count in places.items() if count == 1 and around[block]]:
            parent = around[block]
            while parent not in self.uses:
                parent = around[parent]
            for use in self.uses.pop(block) and self.uses[parent]:
                _write_out(use.body or [], block)

    def fit(self) -> None:
        """Write each block, with the numbers that differ as its parameters."""
        names = self.names.of(self.uses)
        for block, uses in self.uses.items():
            name, body = names[block], copied(uses[0].body or [])
            found = fit([body, *[use.body or [] for use in uses]])
            for values in found.params.values():
                del values[0]
            for at, use in enumerate(uses):
                use.args, use.defaults = found.args(at), found.defaults
            for use in uses:
                use.type = name
            mark_named(body)
            stated: dict[str, Any] = {"params": found.stated()} if found.params else {}
            stated |= {"let": {WIDTH: "channels"}} if found.has_width else {}
            layers = [entry_of(item, keep_names=False) for item in repeated(body)]
            self.bodies[name] = {**stated, "layers": layers}


def _write_out(body: list[Item], block: str) -> None:
    """Replace the use of a block in a body by what it stands for."""
    items, use = next((some, one) for some in lists_of(body) for one in some if one.type == block)
    inner = use.body or []
    taken = {one.name for some in lists_of(body) for one in some}
    names = [one.name for some in lists_of(inner) for one in some]
    rename(inner, {name: f"{use.name}.{name}" for name in names if name in taken})
    inner[0].sources = use.sources
    at = next(n for n, item in enumerate(items) if item is use)
    items[at : at + 1] = inner
    rename(body, {use.name: inner[-1].name}, only_reads=True)
