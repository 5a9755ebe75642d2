"""From a tree to a family. Collects every problem of a spec, with its line and path.

``keywords.py`` holds the words, ``value_reader.py`` reads values, and ``step_reader.py`` reads lists of layers.
``schema.py`` states the same rules for editors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from archcalc.errors import ArchcalcError, Place, Problem, clipped
from archcalc.language.family import Entry, Family
from archcalc.language.keywords import (
    ABOUT,
    BLOCK,
    FAMILY,
    KINDS,
    LAYERS,
    MAX_AXES,
    MAX_INPUTS,
    MAX_NAMES,
    NETWORK,
    OPTIONS,
    PARAM,
)
from archcalc.language.settings import mismatch
from archcalc.language.step_reader import StepReader
from archcalc.language.steps import Block, Given
from archcalc.language.value_reader import kind
from archcalc.letters import MOST_LETTERS, MOST_LETTERS_OF_BLOCKS, NETWORK_SIGNS, is_name
from archcalc.named_inputs import INPUT
from archcalc.trees import Tree


def family_of(tree: Tree, file: str, name: str) -> Family:
    """The family in a tree; ArchcalcError with all problems at once."""
    return _Reader(file, name).family(tree)


class _Reader(StepReader):
    def __init__(self, file: str, name: str) -> None:
        super().__init__(file)
        self.result = Family(file, name)

    def family(self, tree: Tree) -> Family:
        family = self.result
        if not isinstance(tree.value, dict):
            raise ArchcalcError(
                Problem(
                    f"a spec is a mapping with keys such as input and layers, got {kind(tree)}", family.file, tree.line
                )
            )
        entries = self.keys(tree, "", "a spec", FAMILY)
        self.about(entries, family.about, "")
        if "params" in entries:
            family.params = self.params(entries["params"])
        self.scope = frozenset(family.params)
        if "let" in entries:
            family.let = self.let(entries["let"], "let", family.params)
        if "check" in entries:
            family.checks = self.checks(entries["check"])
        if "budgets" in entries:
            family.budgets = self.budgets(entries["budgets"], "budgets")
        family.inputs = self.inputs(entries, "")
        if "outputs" in entries:
            family.outputs = self.outputs(entries["outputs"], "outputs")
        if "axes" in entries:
            family.axes = self.axes(entries["axes"], "axes", family.inputs)
        outside = self.scope
        self.scope |= {"channels"}
        if "blocks" in entries:
            self.blocks(entries["blocks"])
        if "layers" in entries:
            family.steps = self.steps(entries["layers"], "layers")
        if "networks" in entries:
            self.networks(entries["networks"], outside)
        else:
            family.networks[family.name] = Entry(Place(self.file, tree.line))
        self.complete(tree, "layers" in entries or entries.keys() < tree.value.keys())
        self.fail_if_any()
        return family

    def complete(self, tree: Tree, layers: bool) -> None:
        """Report networks without layers or without an input."""
        entries = self.result.networks.values()
        if not layers and any(entry.steps is None for entry in entries):
            self.problem("the spec has no layers", tree, "")
        for entry in entries:
            if not entry.inputs and not self.result.inputs:
                self.problem(
                    "no input is given; write for example input: [3, 224, 224]",
                    Tree(None, entry.place.line),
                    entry.place.path,
                )
                break

    def keys(self, tree: Tree, path: str, what: str, known: Iterable[str]) -> dict[str, Tree]:
        """The mapping in tree without unknown keys. Unknown keys are reported."""
        if tree.value is None:
            return {}
        if not isinstance(tree.value, dict):
            self.problem(f"{what} must be a mapping of names to values, got {kind(tree)}", tree, path)
            return {}
        known = list(known)
        for key, child in tree.value.items():
            if key not in known:
                from archcalc.language.synonyms import unknown_key

                self.problem(unknown_key(what, key, known), child, path)
        return {key: child for key, child in tree.value.items() if key in known}

    def about(self, entries: dict[str, Tree], about: dict[str, Any], path: str) -> None:
        for key in ABOUT:
            if key in entries:
                text = entries[key].value
                if isinstance(text, (dict, list)) or text is None:
                    self.problem(f"{key} must be one text, got {kind(entries[key])}", entries[key], path + key)
                else:
                    about[key] = clipped(" ".join(text.split()), 1000) if isinstance(text, str) else text

    def inputs(self, entries: dict[str, Tree], path: str) -> dict[str, Given]:
        """The inputs of a family or a network by name: one under ``input``, or several under ``inputs``."""
        one, several = entries.get("input"), entries.get("inputs")
        if several is None:
            return {} if one is None else {INPUT: self.input(one, f"{path}input")}
        if one is not None:
            self.problem("a network has input or inputs, not both", several, f"{path}inputs")
        if not isinstance(several.value, dict) or not 2 <= len(several.value) <= MAX_INPUTS:
            text = f"a mapping of 2 to {MAX_INPUTS} names to sizes; one input is written input: [3, 224, 224]"
            self.problem(f"inputs must be {text}", several, f"{path}inputs")
            return {INPUT: Given([], Place())}
        for name, child in several.value.items():
            if not is_name(name, MOST_LETTERS_OF_BLOCKS) or name[0].isdigit():
                most, got = f"at most {MOST_LETTERS_OF_BLOCKS} letters, digits and _", clipped(name, 60)
                self.problem(f"an input is called by {most}, got {got!r}", child, f"{path}inputs")
        return {name: self.input(x, f"{path}inputs.{clipped(name, 60)}") for name, x in several.value.items()}

    def input(self, tree: Tree, path: str) -> Given:
        if not isinstance(tree.value, list) or not 1 <= len(tree.value) <= MAX_AXES + 1:
            hint = "; several inputs with names stand under inputs" if isinstance(tree.value, dict) else ""
            self.problem(f"input must be [channels, height, width], got {kind(tree)}{hint}", tree, path)
            return Given([], Place())
        sizes = [self.value(size, f"{path}[{i}]") for i, size in enumerate(tree.value)]
        return Given(sizes, Place(self.file, tree.line, path))

    def outputs(self, tree: Tree, path: str) -> Given:
        """The names of the outputs, in the order in which a run returns them."""
        return Given(self.templates(tree, path, "outputs"), Place(self.file, tree.line, path))

    def axes(self, tree: Tree, path: str, inputs: dict[str, Given]) -> tuple[int, ...]:
        """The numbers of axes that an input may have: a number from 0 to 3, or a list with the spec's own number."""
        listed = tree.value if isinstance(tree.value, list) else [tree]
        counts = [one.value for one in listed]
        if not counts or any(isinstance(n, bool) or n not in range(MAX_AXES + 1) for n in counts):
            self.problem(
                f"axes must be a number from 0 to {MAX_AXES}, or a list of these, got {kind(tree)}", tree, path
            )
            return ()
        if len(set(counts)) < len(counts):
            self.problem("axes lists a number twice", tree, path)
        self.axes_of_inputs(counts, inputs, tree, path)
        return tuple(sorted(counts))

    def axes_of_inputs(self, axes: Sequence[int], inputs: dict[str, Given], tree: Tree, path: str) -> None:
        """Report inputs if ``axes`` does not include their number of axes."""
        if len(inputs) > 1:
            self.problem("axes is for a network with one input", tree, path)
            return
        for input in inputs.values():
            count = len(input.value) - 1
            if input.value and count not in axes:
                text = (
                    f"axes takes {', '.join(map(str, axes))}, and the input of the spec has {count} beside its channels"
                )
                self.problem(text, tree, path)

    # Networks.

    def networks(self, tree: Tree, scope: frozenset[str]) -> None:
        if not isinstance(tree.value, dict) or not tree.value:
            self.problem(f"networks must be a mapping of names to parameters, got {kind(tree)}", tree, "networks")
            return
        for name, child in tree.value.items():
            path = f"networks.{clipped(name, 60)}"
            if not is_name(name, MOST_LETTERS, NETWORK_SIGNS):
                self.problem(
                    f"a network is called by at most {MOST_LETTERS} letters, digits and _ . -, got {clipped(name, 60)!r}",
                    child,
                    "networks",
                )
            self.result.networks[name] = self.network(child, path, scope)

    def network(self, tree: Tree, path: str, scope: frozenset[str]) -> Entry:
        entry = Entry(Place(self.file, tree.line, path))
        params = self.result.params
        entries = self.keys(tree, path, "a network", (*NETWORK, *params))
        self.about(entries, entry.about, f"{path}.")
        inside, self.scope = self.scope, scope
        entry.inputs = self.inputs(entries, f"{path}.")
        if "outputs" in entries:
            entry.outputs = self.outputs(entries["outputs"], f"{path}.outputs")
        self.scope = inside
        if "axes" in entries:
            entry.axes = self.axes(entries["axes"], f"{path}.axes", entry.inputs or self.result.inputs)
        elif self.result.axes:
            stated = "input" if "input" in entries else "inputs"
            self.axes_of_inputs(self.result.axes, entry.inputs, entries.get(stated, tree), f"{path}.{stated}")
        if "budgets" in entries and "budgets" not in params:
            entry.budgets = self.budgets(entries["budgets"], f"{path}.budgets")
        if "layers" in entries and "layers" not in params:
            entry.steps = self.steps(entries["layers"], f"{path}.layers")
        for key in entries.keys() & params:
            entry.settings[key] = self.data(entries[key], f"{path}.{key}")
            wrong = mismatch(key, entry.settings[key], params[key])
            if wrong:
                self.problem(wrong, entries[key], path)
        return entry

    # Blocks.

    def blocks(self, tree: Tree) -> None:
        """Read the blocks: first all names and parameters, because blocks may use each other."""
        if not isinstance(tree.value, dict):
            self.problem(f"blocks must be a mapping of names to blocks, got {kind(tree)}", tree, "blocks")
            return
        bodies = {}
        outside = self.scope
        for name, child in tree.value.items():
            path = f"blocks.{clipped(name, 60)}"
            if not is_name(name, MOST_LETTERS_OF_BLOCKS) or name[0].isdigit():
                self.problem(
                    f"a block is called by at most {MOST_LETTERS_OF_BLOCKS} letters, digits and _, got {clipped(name, 60)!r}",
                    child,
                    path,
                )
            elif name in (*LAYERS, *OPTIONS, *KINDS):
                has = "a layer" if name in LAYERS else "an option"
                self.problem(f"a block cannot be called {name}: {has} has that name", child, path)
            bodies[name] = self.keys(child, path, "a block", BLOCK)
            params, defaults = self.block_params(bodies[name].get("params"), f"{path}.params")
            self.known_blocks[name] = Block(Place(self.file, child.line, path), params, defaults)
            self.scope = outside
        for name, entries in bodies.items():
            block = self.known_blocks[name]
            path = block.place.path
            self.scope = outside | set(block.params)
            if "let" in entries:
                block.let = self.let(entries["let"], f"{path}.let", block.params)
            if "layers" in entries:
                block.steps = self.steps(entries["layers"], f"{path}.layers")
            else:
                self.problem("the block has no layers", Tree(None, block.place.line), path)
            self.scope = outside
        self.result.blocks = self.known_blocks

    def block_params(self, tree: Tree | None, path: str) -> tuple[tuple[str, ...], dict[str, Given]]:
        """The names of a block's parameters, and their defaults. A default may use the parameters before it."""
        if tree is None or tree.value is None:
            return (), {}
        if isinstance(tree.value, list):
            tree = self.params_listed(tree, path)
        named = self.named(tree, path, "params must be a list of names or a mapping of names to defaults")
        defaults = {}
        self.scope |= {name for name, child in named.items() if child.value is None}
        for name, child in named.items():
            self.check_param(name, child, path)
            inside = f"{path}.{clipped(name, 60)}"
            if child.value is not None:
                defaults[name] = Given(self.value(child, inside), Place(self.file, child.line, inside))
            self.scope |= {name}
        return tuple(named), defaults

    def params_listed(self, tree: Tree, path: str) -> Tree:
        """A list of names as a mapping from names to nothing. An item that is not a name is reported and left out."""
        named: dict[str, Tree] = {}
        mapping = next((child for child in tree.value if isinstance(child.value, dict)), None)
        for child in tree.value[:MAX_NAMES]:
            if isinstance(child.value, dict):
                named |= child.value
            elif child.text in named or not PARAM.fullmatch(child.text):
                self.check_param(child.text, child, path, named)
            else:
                named[child.text] = Tree(None, child.line)
        if mapping:
            pairs = (f"{name}: {child.text or ('...' if child.value else '')}" for name, child in named.items())
            mapping_form = clipped(f"{{{', '.join(pairs)}}}", 100)
            self.problem(
                f"a list of params holds names alone, got {kind(mapping)}; with defaults write {mapping_form}",
                mapping,
                path,
            )
        return Tree(named, tree.line)
