"""Tree to steps: every problem of a spec is collected, each with its line and path.

The language, key by key; ``schema.py`` states the same for editors, from the same tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from archcalc.errors import ArchcalcError, Problem, unknown
from archcalc.layers import Layer, registry
from archcalc.layers.fields import Field
from archcalc.network import Place
from archcalc.spec.expression import Expression, ExpressionError, parse
from archcalc.spec.steps import (
    Block, BlockStep, GroupStep, LayerStep, MergeStep, Options, SideStep, Step, Template,
)
from archcalc.spec.tree import Tree

ABOUT = ("title", "paper", "table", "page", "year", "url", "note")
"""Keys that say what a network is; a network may say them for itself."""
FAMILY = (*ABOUT, "input", "params", "let", "check", "networks", "blocks", "layers")
NETWORK = (*ABOUT, "input", "layers")
BLOCK = ("params", "let", "layers", "note")
OPTIONS = ("name", "label", "when", "repeat", "as", "from", "weights")
KINDS = ("layers", "side")
RESERVED = {"channels", "if", "else", "and", "or", "not", "true", "false", "none", "null", "True", "False", "None"}

LAYERS = {name: layer for name, layer in registry.items() if name != "input"}
_PARAM = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}$")


class Entry:
    """One network of a family: what it is, the parameters it sets, and its own layers if it has them."""

    __slots__ = ("about", "input", "line", "settings", "steps")

    def __init__(self, line: int) -> None:
        self.line = line
        self.about: dict[str, Any] = {}
        self.settings: dict[str, Any] = {}
        self.input: list[Any] | None = None
        self.steps: list[Step] | None = None


class Family:
    """A spec that has been read: the networks of one family, and how each is built."""

    def __init__(self, file: str, name: str) -> None:
        self.file, self.name = file, name
        self.about: dict[str, Any] = {}
        self.input: list[Any] | None = None
        self.params: dict[str, Any] = {}
        self.let: dict[str, Any] = {}
        self.checks: list[tuple[Any, str, int]] = []
        """Conditions on the parameters, what to say where one does not hold, and its line."""
        self.blocks: dict[str, Block] = {}
        self.networks: dict[str, Entry] = {}
        self.steps: list[Step] = []


def read(tree: Tree, file: str, name: str) -> Family:
    """The family in a tree; ArchcalcError with all problems at once."""
    return _Reader(file, name).family(tree)


class _Reader:
    def __init__(self, file: str, name: str) -> None:
        self.problems: list[Problem] = []
        self.result = Family(file, name)
        self.block_names: list[str] = []
        self.scope: frozenset[str] = frozenset()
        """The names that an expression may use where the reader stands."""

    def problem(self, text: str, tree: Tree, path: str) -> None:
        self.problems.append(Problem(text, self.result.file, tree.line, path))

    def keys(self, tree: Tree, path: str, what: str, known: Iterable[str]) -> dict[str, Tree]:
        """The mapping in tree, without the unknown keys, which are reported."""
        if tree.value is None:
            return {}
        if not isinstance(tree.value, dict):
            self.problem(f"{what} must be a mapping of names to values, got {kind(tree)}", tree, path)
            return {}
        known = list(known)
        for key, child in tree.value.items():
            if key not in known:
                self.problem(unknown(f"key of {what}", key, known), child, path)
        return {key: child for key, child in tree.value.items() if key in known}

    def family(self, tree: Tree) -> Family:
        family = self.result
        if not isinstance(tree.value, dict):
            raise ArchcalcError(Problem(f"a spec is a mapping with keys such as input and layers, got {kind(tree)}",
                                        family.file, tree.line))
        found = self.keys(tree, "", "a spec", FAMILY)
        self.about(found, family.about)
        if "params" in found:
            family.params = self.params(found["params"], "params")
        self.scope = frozenset(family.params)
        if "let" in found:
            family.let = self.let(found["let"], "let")
        if "check" in found:
            self.checks(found["check"])
        if "input" in found:
            family.input = self.input(found["input"], "input")
        self.scope |= {"channels"}
        self.blocks(found.get("blocks"))
        if "layers" in found:
            family.steps = self.steps(found["layers"], "layers")
        self.networks(found.get("networks"), tree)
        if "layers" not in found and any(entry.steps is None for entry in family.networks.values()):
            self.problem("the spec has no layers", tree, "")
        for name, entry in family.networks.items():
            if entry.input is None and family.input is None:
                self.problem("no input is given; write for example input: [3, 224, 224]", Tree(None, entry.line), name)
                break
        if self.problems:
            raise ArchcalcError(sorted(set(self.problems), key=lambda p: (p.line, p.path)))
        return family

    def about(self, found: dict[str, Tree], about: dict[str, Any]) -> None:
        for key in ABOUT:
            if key in found:
                text = found[key].value
                if isinstance(text, (dict, list)) or text is None:
                    self.problem(f"{key} must be one text, got {kind(found[key])}", found[key], key)
                else:
                    about[key] = text

    def input(self, tree: Tree, path: str) -> list[Any]:
        if not isinstance(tree.value, list) or not 1 <= len(tree.value) <= 4:
            self.problem(f"input must be [channels, height, width], got {kind(tree)}", tree, path)
            return [1]
        return [self.value(size, f"{path}[{i}]") for i, size in enumerate(tree.value)]

    def params(self, tree: Tree, path: str) -> dict[str, Any]:
        if not isinstance(tree.value, dict):
            self.problem(f"params must be a mapping of names to default values, got {kind(tree)}", tree, path)
            return {}
        for name, child in tree.value.items():
            self.check_param(name, child, path)
        return {name: self.data(child, f"{path}.{name}") for name, child in tree.value.items()}

    def check_param(self, name: str, tree: Tree, path: str) -> None:
        if not _PARAM.match(name) or name in RESERVED or name in (*ABOUT, "input"):
            self.problem(f"{name[:60]!r} cannot be the name of a parameter", tree, path)

    def data(self, tree: Tree, path: str) -> Any:
        """A parameter's value: a number, true or false, a word, or lists of these."""
        if isinstance(tree.value, dict):
            self.problem("a parameter is a number, true or false, a word or a list of these, got a mapping", tree, path)
            return None
        return tree.data() if not isinstance(tree.value, list) else [self.data(t, path) for t in tree.value]

    def let(self, tree: Tree, path: str) -> dict[str, Any]:
        if not isinstance(tree.value, dict):
            self.problem(f"let must be a mapping of names to expressions, got {kind(tree)}", tree, path)
            return {}
        values = {}
        for name, child in tree.value.items():
            self.check_param(name, child, path)
            values[name] = self.value(child, f"{path}.{name}")
            self.scope |= {name}
        return values

    def checks(self, tree: Tree) -> None:
        if not isinstance(tree.value, dict):
            self.problem(f"check must be a mapping of conditions to what to say, got {kind(tree)}", tree, "check")
            return
        for text, child in tree.value.items():
            condition = self.value(Tree(text, child.line), f"check.{text}")
            if not isinstance(child.value, str):
                self.problem(f"expected what to say where the condition does not hold, got {kind(child)}", child, "check")
            self.result.checks.append((condition, str(child.value), child.line))

    def networks(self, tree: Tree | None, root: Tree) -> None:
        family = self.result
        if tree is None:
            family.networks[family.name] = Entry(root.line)
            return
        if not isinstance(tree.value, dict) or not tree.value:
            self.problem(f"networks must be a mapping of names to parameters, got {kind(tree)}", tree, "networks")
            return
        for name, child in tree.value.items():
            path = f"networks.{name}"
            entry = family.networks[name] = Entry(child.line)
            if not re.match(r"[A-Za-z0-9_][A-Za-z0-9_.-]*$", name):
                self.problem("the name of a network is made of letters, digits and _ . -", child, path)
            if child.value is None:
                continue
            if not isinstance(child.value, dict):
                self.problem(f"a network must be a mapping of parameters to values, got {kind(child)}", child, path)
                continue
            found = self.keys(child, path, "a network", (*NETWORK, *family.params))
            self.about(found, entry.about)
            if "input" in found:
                entry.input = self.input(found["input"], f"{path}.input")
            own = {"layers"} if "layers" not in family.params else set()
            if own & found.keys():
                entry.steps = self.steps(found["layers"], f"{path}.layers")
            entry.settings = {
                key: self.data(found[key], f"{path}.{key}") for key in found if key in family.params
            }

    def blocks(self, tree: Tree | None) -> None:
        if tree is None:
            return
        if not isinstance(tree.value, dict):
            self.problem(f"blocks must be a mapping of names to blocks, got {kind(tree)}", tree, "blocks")
            return
        self.block_names = list(tree.value)
        for name, child in tree.value.items():
            path = f"blocks.{name}"
            if name in LAYERS or name in OPTIONS or name in KINDS or not _PARAM.match(name):
                self.problem(f"a block cannot be called {name[:60]!r}", child, path)
            found = self.keys(child, path, "a block", BLOCK)
            outside = self.scope
            params, defaults = self.block_params(found.get("params"), f"{path}.params")
            let = self.let(found["let"], f"{path}.let") if "let" in found else {}
            if "layers" not in found:
                self.problem("the block has no layers", child, path)
            steps = self.steps(found["layers"], f"{path}.layers") if "layers" in found else []
            self.result.blocks[name] = Block(Place(self.result.file, child.line, path), params, defaults, let, steps)
            self.scope = outside

    def block_params(self, tree: Tree | None, path: str) -> tuple[tuple[str, ...], dict[str, Any]]:
        if tree is None or tree.value is None:
            return (), {}
        if isinstance(tree.value, list):
            names = [str(t.value) for t in tree.value]
            for name, child in zip(names, tree.value, strict=True):
                self.check_param(name, child, path)
            self.scope |= set(names)
            return tuple(names), {}
        if not isinstance(tree.value, dict):
            self.problem(f"params must be a list of names or a mapping of names to defaults, got {kind(tree)}", tree, path)
            return (), {}
        defaults = {}
        self.scope |= set(tree.value)
        for name, child in tree.value.items():
            self.check_param(name, child, path)
            if child.value is not None:
                defaults[name] = self.value(child, f"{path}.{name}")
        return tuple(tree.value), defaults

    def steps(self, tree: Tree, path: str) -> list[Step]:
        if tree.value is None:
            return []
        if not isinstance(tree.value, list):
            self.problem(f"expected a list of layers, got {kind(tree)}", tree, path)
            return []
        steps = (self.step(child, f"{path}[{i}]") for i, child in enumerate(tree.value))
        return [step for step in steps if step is not None]

    def step(self, tree: Tree, path: str) -> Step | None:
        """One step: a layer's or block's name alone, or a mapping of one kind and options."""
        if isinstance(tree.value, str):
            return self.kind_step(tree.value, Tree(None, tree.line), Options(), tree, path)
        if not isinstance(tree.value, dict) or not tree.value:
            self.problem(f"expected a layer, got {kind(tree)}", tree, path)
            return None
        kinds = [key for key in tree.value if key not in OPTIONS]
        outside = self.scope
        try:
            return self.mapped_step(tree, kinds, self.options(tree.value, path), path)
        finally:
            self.scope = outside

    def mapped_step(self, tree: Tree, kinds: list[str], options: Options, path: str) -> Step | None:
        if not kinds:
            self.problem("the step has options but no layer, block or layers", tree, path)
            return None
        if len(kinds) > 1:
            self.problem(f"a step is one layer or block, got {', '.join(k[:40] for k in kinds[:4])}; "
                         f"settings are indented below the layer's name", tree, path)
            for key in kinds:
                if key not in (*LAYERS, *self.block_names, *KINDS):
                    self.problem(unknown("layer, block or option", key, self.known()), tree.value[key], path)
            return None
        return self.kind_step(kinds[0], tree.value[kinds[0]], options, tree, path)

    def known(self) -> list[str]:
        return [*LAYERS, *self.block_names, *KINDS, *OPTIONS]

    def kind_step(self, name: str, tree: Tree, options: Options, step: Tree, path: str) -> Step | None:
        place = Place(self.result.file, step.line, f"{path}.{name}")
        if name in self.block_names:
            return BlockStep(place, options, name, self.settings(tree, place.path, "a block"))
        if name == "layers":
            return GroupStep(place, options, self.steps(tree, place.path))
        if name == "side":
            return SideStep(place, options, self.steps(tree, place.path))
        if name not in LAYERS:
            hint = " (a step with settings needs a colon after its type)" if ":" in name or " " in name else ""
            self.problem(unknown("layer or block", name, [*LAYERS, *self.block_names]) + hint, step, path)
            return None
        layer = LAYERS[name]
        if layer.joins and options.sources is None:
            return self.merge(layer, tree, options, place)
        values = self.settings(tree, place.path, name, layer)
        if values is not None and layer.joins is False and all(_constant(v) for v in values.values()):
            self.try_layer(layer, values, tree if tree.value is not None else step, place.path)
        return LayerStep(place, options, layer, values)

    def try_layer(self, layer: type[Layer], values: dict[str, Any], tree: Tree, path: str) -> None:
        """Report a layer whose settings can already be seen to be wrong, each at its own line."""
        for name, field in layer.fields.items():
            if name in values:
                try:
                    field.read(values[name])
                except ValueError as error:
                    self.problem(f"{name}: {error}", tree.value[name], f"{path}.{name}")
            elif field.required:
                self.problem(f"{layer.type} needs {name}: {field.help}", tree, path)

    def merge(self, layer: type[Layer], tree: Tree, options: Options, place: Place) -> Step | None:
        hint = f"{layer.type} needs branches, as in {layer.type}: {{main: [...], shortcut: []}}, or from: [name, name]"
        if isinstance(tree.value, list):
            named = {f"b{i}": child for i, child in enumerate(tree.value, 1)}
        elif isinstance(tree.value, dict):
            named = tree.value
        else:
            self.problem(hint, tree, place.path)
            return None
        if not named:
            self.problem(hint, tree, place.path)
            return None
        branches = []
        for name, child in named.items():
            if not _PARAM.match(name) and not re.match(r"[A-Za-z0-9_]+$", name):
                self.problem(f"the name of a branch is made of letters, digits and _, got {name[:60]!r}", child, place.path)
            branches.append((name, self.steps(child, f"{place.path}.{name}")))
        return MergeStep(place, options, layer, {}, branches)

    def options(self, found: dict[str, Tree], path: str) -> Options:
        options = Options()
        if "repeat" in found:
            options.repeat = self.value(found["repeat"], f"{path}.repeat")
        if "as" in found:
            options.counter = str(found["as"].value)
            self.check_param(options.counter, found["as"], f"{path}.as")
        if options.repeat is not None:
            self.scope |= {options.counter}
        for key in ("name", "label", "weights"):
            if key in found:
                setattr(options, key, self.template(found[key], f"{path}.{key}"))
        if "when" in found:
            options.when = self.value(found["when"], f"{path}.when")
        if "from" in found:
            tree = found["from"]
            sources = tree.value if isinstance(tree.value, list) else [tree]
            if not sources:
                self.problem("from names no layer", tree, f"{path}.from")
            options.sources = [t for t in (self.template(s, f"{path}.from") for s in sources) if t is not None]
        return options

    def template(self, tree: Tree, path: str) -> Template | None:
        if isinstance(tree.value, (dict, list, bool)) or tree.value is None:
            self.problem(f"expected a name, got {kind(tree)}", tree, path)
            return None
        try:
            template = Template(str(tree.value))
        except ExpressionError as error:
            self.problem(str(error), tree, path)
            return None
        self.check_names(template.names, tree, path)
        return template

    def check_names(self, names: frozenset[str], tree: Tree, path: str) -> None:
        for name in sorted(names - self.scope):
            self.problem(unknown("name", name, sorted(self.scope)), tree, path)

    def settings(self, tree: Tree, path: str, what: str, layer: type[Layer] | None = None) -> dict[str, Any]:
        """The values given to a layer or block, expressions parsed; a layer's unknown settings reported."""
        fields: dict[str, Field] = {} if layer is None else dict(layer.fields)
        if tree.value is None:
            found: dict[str, Tree] = {}
        elif not isinstance(tree.value, dict):
            listed = ", ".join(fields) if layer else "its parameters"
            self.problem(f"the settings of {what} must be a mapping ({listed or 'it has none'}), got {kind(tree)}", tree, path)
            return {}
        else:
            found = tree.value
        if layer is not None:
            for key in found:
                if key not in fields:
                    text = unknown(f"setting of {what}", key, fields) if fields else f"{what} has no settings, got {key!r}"
                    if key in OPTIONS:
                        text = f"{key} stands beside {what}:, not below it"
                    self.problem(text, found[key], f"{path}.{key}")
        return {
            key: self.value(child, f"{path}.{key}", fields[key].words if key in fields else ())
            for key, child in found.items() if layer is None or key in fields
        }

    def value(self, tree: Tree, path: str, words: tuple[str, ...] = ()) -> Any:
        """Plain data, or an expression where a string stands for a number."""
        if isinstance(tree.value, dict):
            self.problem("expected a value, got a mapping", tree, path)
            return None
        if isinstance(tree.value, list):
            return [self.value(child, path, words) for child in tree.value]
        if not isinstance(tree.value, str) or tree.value in words:
            return tree.value
        try:
            expression = parse(tree.value)
            self.check_names(expression.names, tree, path)
            return expression if expression.names else expression.evaluate({})
        except ExpressionError as error:
            self.problem(str(error), tree, path)
            return 1


def _constant(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_constant, value))
    return not isinstance(value, Expression)


def kind(tree: Tree) -> str:
    """What a tree is, in words, for messages."""
    value = tree.value
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping" + (f" with {next(iter(value))[:40]!r}" if value else "")
    if isinstance(value, list):
        return f"a list of {len(value)}"
    shown = str(value).lower() if isinstance(value, bool) else repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
