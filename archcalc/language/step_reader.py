"""From trees to steps: reads lists of layers, and collects every problem."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from archcalc.errors import Place, clipped, unknown
from archcalc.language.expression import Expression
from archcalc.language.keywords import (
    KINDS,
    LAYERS,
    OPTIONS,
)
from archcalc.language.steps import (
    Block,
    BlockStep,
    GroupStep,
    LayerStep,
    MergeStep,
    Options,
    SideStep,
    Step,
    Template,
)
from archcalc.language.value_reader import ValueReader, kind
from archcalc.layers import Layer, registry
from archcalc.layers.base import STORAGES
from archcalc.letters import MOST_LETTERS_OF_BLOCKS, is_name
from archcalc.trees import Tree


class StepReader(ValueReader):
    """Reads lists of layers; ``known_blocks`` are the blocks that they may use."""

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self.known_blocks: dict[str, Block] = {}

    def steps(self, tree: Tree, path: str) -> list[Step]:
        if tree.value is None:
            return []
        if not isinstance(tree.value, list):
            self.problem(f"expected a list of layers, got {kind(tree)}", tree, path)
            return []
        steps = [self.step(child, f"{path}[{i}]") for i, child in enumerate(tree.value)]
        return [step for step in steps if step is not None]

    def step(self, tree: Tree, path: str) -> Step | None:
        """One step: the name of a layer or block, or a mapping with one kind of step and options."""
        if isinstance(tree.value, str):
            return self.kind_step(tree.value, Tree(None, tree.line), Options(), tree, path)
        if not isinstance(tree.value, dict) or not tree.value:
            self.problem(f"expected a layer, got {kind(tree)}", tree, path)
            return None
        outside = self.scope
        options = self.options(tree.value, path)
        name = self.kind_of_step(tree, path)
        step = None if name is None else self.kind_step(name, tree.value[name], options, tree, path)
        self.scope = outside
        return step

    def kind_of_step(self, tree: Tree, path: str) -> str | None:
        """The one key that is not an option. If there is no such key, None, and the problem is reported."""
        keys: list[str] = [key for key in tree.value if key not in OPTIONS]
        known = [key for key in keys if key in LAYERS or key in self.known_blocks or key in KINDS]
        if len(keys) == 1:
            return keys[0]
        if not keys:
            self.problem("the step has options but no layer, block or layers", tree, path)
        elif len(known) > 1:
            names = ", ".join(known[:4])
            self.problem(f"a step is one layer or block, got {names}; every step has its own dash", tree, path)
        inside = self.settings_of(known[0]) if len(known) == 1 else ()
        for key in keys if len(keys) > 1 else ():
            if key in inside:
                self.problem(f"{key} is a setting of {known[0]} and is indented below it", tree.value[key], path)
            elif key not in known:
                everything = [*LAYERS, *self.known_blocks, *KINDS]
                from archcalc.language.synonyms import unknown_option

                self.problem(unknown_option(key, everything, OPTIONS), tree.value[key], path)
        return known[0] if len(known) == 1 else None

    def settings_of(self, name: str) -> Iterable[str]:
        if name in self.known_blocks:
            return self.known_blocks[name].params
        return LAYERS[name].fields if name in LAYERS else ()

    def kind_step(self, name: str, tree: Tree, options: Options, step: Tree, path: str) -> Step | None:
        place = Place(self.file, step.line, f"{path}.{clipped(name, 60)}")
        if options.storage is not None and name not in LAYERS:
            self.problem(f"storage belongs to a layer, not to {clipped(name, 60)}", step, place.path)
        if options.weights is not None and (name == "side" or (name in LAYERS and LAYERS[name].joins)):
            self.problem(f"weights belongs to a layer, a block or a group, not to {name}", step, place.path)
        if options.trained is not None and options.weights is not None:
            self.problem("trained belongs to the layer, block or group whose weights are used", step, place.path)
        if options.regions is not None and name not in self.known_blocks and name not in KINDS:
            self.problem(f"regions belongs to a block or a group, not to {clipped(name, 60)}", step, place.path)
        if name in self.known_blocks:
            return self.block_step(name, tree, options, step, place)
        if name in KINDS:
            if step.value == name:
                self.problem(f"{name} needs a list of layers", step, path)
            steps = self.steps(tree, place.path)
            return GroupStep(place, options, steps) if name == "layers" else SideStep(place, options, steps)
        if name not in LAYERS:
            hint = " (a step with settings needs a colon after its type)" if " " in name or ":" in name else ""
            from archcalc.language.synonyms import unknown_layer

            self.problem(unknown_layer(name, [*LAYERS, *self.known_blocks]) + hint, step, path)
            return None
        layer = LAYERS[name]
        if layer.joins and layer.fewest > 1:
            return self.merge(layer, tree, options, place)
        if options.label is not None:
            self.problem("label is for blocks, groups and merges; a layer has a name", step, place.path)
        if layer.direct and tree.value is not None and not isinstance(tree.value, dict):
            tree = Tree({layer.direct: tree}, tree.line)
        values = self.settings(tree, place.path, name, layer.fields)
        self.check_layer(layer, values, tree.at(step.line) if tree.value is None else tree, place.path)
        return LayerStep(place, options, layer, values)

    def block_step(self, name: str, tree: Tree, options: Options, step: Tree, place: Place) -> Step:
        block = self.known_blocks[name]
        values = self.settings(tree, place.path, f"block {name}", dict.fromkeys(block.params))
        missing = [p for p in block.params if p not in values and p not in block.defaults]
        if missing and not misspelt(tree, block.params):
            self.problem(f"block {name} needs {', '.join(missing)}", step, place.path)
        return BlockStep(place, options, name, values)

    def check_layer(self, layer: type[Layer], values: dict[str, Any], tree: Tree, path: str) -> None:
        """Report missing settings, and wrong settings at their own lines. Expressions are not checked here."""
        guess = misspelt(tree, layer.fields)
        for name, field in layer.fields.items():
            if name not in values:
                if field.required and not guess:
                    self.problem(f"{layer.type} needs {name}: {field.help}", tree, path)
            elif not isinstance(values[name], (Expression, Template)):
                try:
                    field.read(values[name])
                except ValueError as error:
                    self.problem(f"{name}: {error}", tree.value[name], f"{path}.{name}")

    def merge(self, layer: type[Layer], tree: Tree, options: Options, place: Place) -> Step | None:
        """A join of branches, or of the layers that ``from`` names."""
        at = Tree(None, place.line)
        given: Any = tree.value
        own = (
            {key: child for key, child in given.items() if _is_setting(layer, key, child)}
            if isinstance(given, dict)
            else {}
        )
        settings = Tree(own, tree.line) if own else at
        values = self.settings(settings, place.path, layer.type, layer.fields)
        self.check_layer(layer, values, settings, place.path)
        named = {key: child for key, child in given.items() if key not in own} if own else given
        if not named and options.sources is not None:
            if 0 < len(options.sources) < layer.fewest_named and all(one.range is None for one in options.sources):
                self.problem(f"{layer.type} joins two or more, but from names {len(options.sources)}", at, place.path)
            return LayerStep(place, options, layer, values)
        numbered = isinstance(named, list)
        if numbered:
            named = {f"b{i}": child for i, child in enumerate(named, 1)}
        if not isinstance(named, dict) or len(named) < 2:
            shown = f"{len(named)} branch" if isinstance(named, dict) and named else kind(tree)
            self.problem(
                f"{layer.type} joins two or more branches, as in {layer.type}: {{main: [...], shortcut: []}}, "
                f"or layers, as in from: [name, name]; got {shown}",
                at,
                place.path,
            )
            named = named if isinstance(named, dict) else {}
        order = () if numbered or not layer.slots else self.slot_order(layer, named, at, place)
        branches = []
        for name, child in named.items():
            if layer.fields and isinstance(child.value, (str, int, float)) and child.value not in registry:
                from archcalc.language.synonyms import unknown_setting

                text = unknown_setting(layer.type, name, layer.fields)
                self.problem(text, child, f"{place.path}.{clipped(name, 60)}")
                continue
            if not is_name(name, MOST_LETTERS_OF_BLOCKS):
                self.problem(
                    f"the name of a branch is at most {MOST_LETTERS_OF_BLOCKS} letters, digits and _, got {clipped(name, 60)!r}",
                    child,
                    place.path,
                )
            branches.append((name, self.steps(child, f"{place.path}.{clipped(name, 60)}")))
        return MergeStep(place, options, layer, values, branches, numbered, order)

    def slot_order(self, layer: type[Layer], named: dict[str, Tree], at: Tree, place: Place) -> tuple[int, ...]:
        """The numbers of the branches in the order of the layer's slots; wrong and missing names are reported."""
        given, needed = list(named), layer.slots[: len(layer.slots) - layer.optional_slots]
        missing = [slot for slot in needed if slot not in named]
        for name in given:
            if name not in layer.slots:
                self.problem(
                    unknown(f"branch of {layer.type}", name, [*layer.slots, *layer.fields]), named[name], place.path
                )
        if missing:
            self.problem(
                f"{layer.type} needs the branch{'es' * (len(missing) > 1)} {', '.join(missing)}", at, place.path
            )
        return tuple(given.index(slot) for slot in layer.slots if slot in named)

    def options(self, entries: dict[str, Tree], path: str) -> Options:
        options = Options()
        if "repeat" in entries:
            options.repeat = self.value(entries["repeat"], f"{path}.repeat")
        if "as" in entries:
            options.counter = entries["as"].text
            self.check_param(options.counter, entries["as"], f"{path}.as")
            if "repeat" not in entries:
                self.problem("as names the counter of repeat, but there is no repeat", entries["as"], f"{path}.as")
        if "repeat" in entries:
            self.scope |= {options.counter}
        for key in ("name", "label", "weights"):
            if key in entries:
                setattr(options, key, self.template(entries[key], f"{path}.{key}"))
        if "storage" in entries:
            options.storage = self.value(entries["storage"], f"{path}.storage", STORAGES)
        if "regions" in entries:
            options.regions = self.value(entries["regions"], f"{path}.regions")
        if "trained" in entries:
            options.trained = self.value(entries["trained"], f"{path}.trained")
        if "when" in entries:
            options.when = self.value(entries["when"], f"{path}.when")
        if "from" in entries:
            options.sources = self.templates(entries["from"], f"{path}.from", "from")
        return options


def _is_setting(layer: type[Layer], key: str, value: Tree) -> bool:
    """Whether a key of a join is a setting. A branch may have the same name, and is a list."""
    return key in layer.fields and not (key in layer.slots and isinstance(value.value, list))


def misspelt(settings: Tree, known: Iterable[str]) -> bool:
    """Whether a setting may be missing because its key is misspelt. The misspelt key is already reported."""
    return settings.value is not None and not (isinstance(settings.value, dict) and settings.value.keys() <= set(known))
