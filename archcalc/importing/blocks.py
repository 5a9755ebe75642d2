"""Blocks and repeats, recovered from a flat spec: equal structures become one block, and runs become ``repeat``.

First the branches of joins are recovered (``structure``). Then equal parts become blocks, from the innermost modules
outwards (``recovery``). A block that stands in one other block alone is written out there. Numbers that differ become
parameters (``fitting``). Last, neighbours become one entry with ``repeat`` (``repeats``). The text that is written from
the result is expanded again and compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from archcalc.importing.block_names import BlockNames
from archcalc.importing.bodies import whole
from archcalc.importing.conditions import Conditions
from archcalc.importing.entries import entry_of, ranged
from archcalc.importing.fitting import WIDTH, fit
from archcalc.importing.items import Item, lists_of, mark_named, rename
from archcalc.importing.recovery import Recovery
from archcalc.importing.repeats import repeated
from archcalc.importing.structure import structured
from archcalc.importing.variants import absent
from archcalc.named_inputs import INPUT
from archcalc.trees import Tree, tree_of


def recovered(
    tree: Tree, channels: Mapping[str, int], classes: Mapping[str, str], reserved: Iterable[str], variants: bool = True
) -> Tree:
    """The spec with blocks and repeats.

    ``channels``: how many channels reach a layer, by its name. ``classes``: the classes of modules, by their paths.
    ``reserved``: words that are no names of blocks. ``variants``: whether uses of a block may lack layers.
    """
    inputs = [INPUT] if "input" in tree.value else [*tree.value["inputs"].value]
    outputs = [one.text for one in tree.value["outputs"].value] if "outputs" in tree.value else []
    items = structured(tree.value["layers"].value, channels, inputs[0], outputs)
    recovery = Recovery(items, inputs, outputs, classes, variants)
    recovery.run()
    if outputs:
        tree = tree_of({**tree.value, "outputs": ranged(recovery.outputs)}, 1)
    blocks = _Blocks(items, recovery.uses, BlockNames(recovery.modules, classes, reserved))
    blocks.write_out()
    blocks.fit()
    mark_named(items, recovery.outputs)
    _state_defaults(items)
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
        for block, body in [("", self.items), *((block, self.whole(block)) for block in self.uses)]:
            for one in (one for some in lists_of(body) for one in some if one.block):
                places[one.type] += 1 if one.times == 1 else 2
                around[one.type] = block
        for block in [block for block, count in places.items() if count == 1 and around[block]]:
            parent = around[block]
            while parent not in self.uses:
                parent = around[parent]
            inner = self.whole(block)
            uses = self.uses[block]
            own_width = fit(self.whole(block), [use.body or [] for use in uses], [use.inside for use in uses]).has_width
            if own_width or inner[-1].optional:  # what reads the block reads its last layer
                continue
            for use in self.uses.pop(block) and self.uses[parent]:
                _write_out(use.body or [], block, inner)

    def whole(self, block: str) -> list[Item]:
        """The body of a block with every layer that one of its uses has."""
        return whole([use.body or [] for use in self.uses[block]])

    def ordered(self) -> list[str]:
        """The blocks, each behind those that it uses."""
        found: dict[str, None] = {}

        def visit(block: str) -> None:
            if block not in found:
                for one in (one for some in lists_of(self.whole(block)) for one in some if one.block):
                    visit(one.type)
                found[block] = None

        for block in self.uses:
            visit(block)
        return [*found]

    def fit(self) -> None:
        """Write each block, with the numbers that differ as its parameters."""
        order = self.ordered()
        bodies = {block: self.whole(block) for block in order}
        always = {block: [one for one in body if not one.optional] for block, body in bodies.items()}
        names = self.names.of(self.uses, always)
        for block in order:
            uses, name = self.uses[block], names[block]
            body = self.whole(block)
            found = fit(body, [use.body or [] for use in uses], [use.inside for use in uses])
            Conditions(found).state(body, [use.body or [] for use in uses])
            for at, use in enumerate(uses):
                use.args, use.defaults = found.args(at), found.defaults
            for use in uses:
                use.type = name
            mark_named(body)
            _state_defaults(body)
            stated: dict[str, Any] = {"params": found.stated()} if found.params else {}
            stated |= {"let": {WIDTH: "channels"}} if found.has_width else {}
            layers = [entry_of(item, keep_names=False) for item in repeated(body)]
            self.bodies[name] = {**stated, "layers": layers}


def _state_defaults(items: list[Item]) -> None:
    """Give every use of a block all arguments, so that neighbours can be compared."""
    for one in (one for some in lists_of(items) for one in some):
        one.args = {**one.args, **{key: value for key, value in one.defaults.items() if key not in one.args}}


def _write_out(body: list[Item], block: str, form: Sequence[Item]) -> None:
    """Replace the use of a block in a body by what it stands for. ``form``: what stands there if the body lacks the use."""
    items, use = next((some, one) for some in lists_of(body) for one in some if one.type == block)
    inner = use.body or [absent(item) for item in form]
    taken = {one.name for some in lists_of(body) for one in some if one is not use}
    names = [one.name for some in lists_of(inner) for one in some]
    rename(inner, {name: f"{use.name}.{name}" for name in names if name in taken})
    inner[0].sources = use.sources
    at = next(n for n, item in enumerate(items) if item is use)
    items[at : at + 1] = inner
    rename(body, {use.name: inner[-1].name}, only_reads=True)
