"""Steps to a network: blocks and repeats written out, names given, shapes inferred as it grows.

A layer that cannot be applied is reported and its output is unknown from there on (None), so that
one mistake gives one problem and the rest of the spec is still checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archcalc.errors import ArchcalcError, LayerError, Problem, unknown
from archcalc.layers import Layer
from archcalc.layers.fields import shown, whole_number
from archcalc.network import Network, Place
from archcalc.sizes import Shape
from archcalc.spec.expression import ExpressionError
from archcalc.spec.reader import Entry, Family
from archcalc.spec.steps import (
    Block, BlockStep, GroupStep, LayerStep, MergeStep, SideStep, Step, Template, value,
)

MAX_STEPS = 200_000
MAX_DEPTH = 100


class Context:
    """Where an expansion stands: the values in scope, the name prefix, the blocks around it."""

    __slots__ = ("blocks", "depth", "prefix", "scope", "scopes", "side")

    def __init__(self, scope: dict[str, Any], prefix: str = "", scopes: tuple[str, ...] = (), side: bool = False,
                 depth: int = 0, blocks: tuple[str, ...] = ()) -> None:
        self.scope, self.prefix, self.scopes, self.side, self.depth = scope, prefix, scopes, side, depth
        self.blocks = blocks

    def inner(self, *, scope: dict[str, Any] | None = None, name: str = "", label: str = "", side: bool = False,
              block: str = "") -> Context:
        """One level further in; ``name`` becomes part of the names, ``label`` just of the fold."""
        return Context(
            self.scope if scope is None else scope,
            f"{self.prefix}{name}." if name else self.prefix,
            (*self.scopes, label or name) if label or name else self.scopes,
            self.side or side, self.depth + 1, (*self.blocks, block) if block else self.blocks,
        )


def expand(family: Family, name: str, settings: dict[str, Any] | None = None, input: Shape | None = None) -> Network:
    """The network of that name in the family; ArchcalcError with every problem found.

    ``settings`` overrule the family's parameters, ``input`` the spec's input.
    """
    if name not in family.networks:
        raise ArchcalcError(Problem(unknown("network", name, family.networks), family.file))
    entry = family.networks[name]
    return _Expander(family, name, entry, checked_settings(family, name, settings or {}), input).network


def checked_settings(family: Family, name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The family's parameters with the network's and the given settings; ArchcalcError for a bad one."""
    values = family.params | family.networks[name].settings
    for key, given in settings.items():
        listed = ", ".join(f"{k}={written(v)}" for k, v in values.items()) or "none"
        if key not in values:
            text = unknown(f"parameter of {name}", key, values)
            raise ArchcalcError(f"{text}; its parameters and defaults: {listed}")
        default = family.params.get(key, values[key])
        if default is not None and not _alike(given, default):
            raise ArchcalcError(f"{key}={written(given)}: expected {_kind(default)} as in {key}={written(values[key])}; "
                                f"the parameters of {name} and their defaults: {listed}")
        values[key] = given
    return values


def _alike(given: Any, default: Any) -> bool:
    if isinstance(default, bool) or isinstance(given, bool):
        return isinstance(default, bool) and isinstance(given, bool)
    if isinstance(default, (int, float)):
        number = isinstance(given, int) or hasattr(given, "dtype")
        return number or (isinstance(given, float) and isinstance(default, float))
    return isinstance(given, type(default))


def _kind(default: Any) -> str:
    if isinstance(default, bool):
        return "true or false"
    names = {int: "a whole number", float: "a number", str: "a word", list: "a list"}
    return names.get(type(default), "a value")


def written(given: Any) -> str:
    if isinstance(given, bool):
        return str(given).lower()
    return "[" + ",".join(map(written, given)) + "]" if isinstance(given, list) else str(given)[:80]


class _Expander:
    def __init__(self, family: Family, name: str, entry: Entry, settings: dict[str, Any], input: Shape | None) -> None:
        self.family = family
        self.problems: list[Problem] = []
        self.steps_taken = 0
        self.outputs: dict[str, int | None] = {"input": 0}
        self.unfound: list[tuple[str, Place]] = []
        self.auto: dict[str, list[int]] = {}
        self.uses: dict[tuple[str, str], int] = {}
        self.shared: list[tuple[str, str]] = []
        where = Place(family.file, entry.line, f"networks.{name}")
        scope = dict(settings)
        for key, expression in family.let.items():
            scope[key] = self.evaluate(expression, scope, Place(family.file, entry.line, f"let.{key}"))
        for condition, text, line in family.checks:
            place = Place(family.file, line, "check")
            if self.evaluate(condition, scope, place) is False:
                self.problem(text, place)
        self.fail_if_any()
        given = input or self.input_shape(entry.input or family.input or [], scope, where)
        self.fail_if_any()
        self.network = Network(
            name, given, title=str(entry.about.get("title", family.about.get("title", name))),
            about=family.about | entry.about, settings=settings,
            defaults=family.params | entry.settings,
            rebuild=lambda shape, values: expand(family, name, values, shape),
        )
        self.nodes = self.network.nodes
        current = self.run_all(family.steps if entry.steps is None else entry.steps, 0, Context(scope))
        self.resolve_names()
        for missing, place in self.unfound:
            later = missing in self.outputs
            text = (f"from: {missing} comes later; a layer can use just what stands before it" if later
                    else unknown("layer", missing, self.outputs))
            self.problem(text, place)
        self.fail_if_any()
        if len(self.nodes) == 1:
            raise ArchcalcError(Problem(f"{name} has no layers", family.file, entry.line))
        assert current is not None
        self.network.output = current

    def fail_if_any(self) -> None:
        if self.problems:
            raise ArchcalcError(sorted(set(self.problems), key=lambda p: (p.line, p.path)))

    def problem(self, text: str, place: Place, name: str = "") -> None:
        path = f"{place.path}, layer {name}" if name else place.path
        self.problems.append(Problem(text, place.file, place.line, path))
        if len(self.problems) > 50:
            raise ArchcalcError(list(dict.fromkeys(self.problems)))

    def evaluate(self, given: Any, scope: dict[str, Any], place: Place) -> Any:
        try:
            return value(given, scope)
        except ExpressionError as error:
            self.problem(str(error), place)
            return None

    def input_shape(self, sizes: list[Any], scope: dict[str, Any], place: Place) -> Shape:
        numbers = []
        for size in sizes:
            try:
                numbers.append(whole_number(value(size, scope), 1))
            except (ExpressionError, LayerError) as error:
                self.problem(f"input: {error}", place)
                numbers.append(1)
        return Shape(numbers[0], tuple(numbers[1:]))

    def run_all(self, steps: list[Step], current: int | None, context: Context) -> int | None:
        for step in steps:
            current = self.run(step, current, context)
        return current

    def run(self, step: Step, current: int | None, context: Context) -> int | None:
        options = step.options
        if options.repeat is None:
            return self.run_once(step, current, context)
        count = self.evaluate(options.repeat, self.with_channels(context.scope, current), step.place)
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            self.problem(f"repeat must be a whole number from 0 on, got {shown(count)}", step.place)
            return None
        for i in range(1, count + 1):
            inner = Context({**context.scope, options.counter: i}, context.prefix, context.scopes, context.side,
                            context.depth, context.blocks)
            current = self.run_once(step, current, inner)
        return current

    def run_once(self, step: Step, current: int | None, context: Context) -> int | None:
        self.steps_taken += 1
        if self.steps_taken > MAX_STEPS:
            self.problem(f"the network grows beyond {MAX_STEPS:,} steps", step.place)
            raise ArchcalcError(self.problems)
        if context.depth > MAX_DEPTH:
            chain = " > ".join(context.blocks[-4:])
            self.problem(f"blocks nest deeper than {MAX_DEPTH} levels: does a block call itself without end? "
                         f"(... > {chain})", step.place)
            raise ArchcalcError(self.problems)
        options = step.options
        if options.when is not True and not self.holds(options.when, current, context, step.place):
            return current
        sources = [current]
        if options.sources is not None:
            sources = [self.find(t, context, step.place) for t in options.sources]
            if not isinstance(step, LayerStep) and len(sources) > 1:
                self.problem("only a layer can take several inputs", step.place)
        name = self.fill(options.name, context, step.place)
        if isinstance(step, LayerStep):
            result = self.run_layer(step, sources, name, context)
        elif isinstance(step, MergeStep):
            result = self.run_merge(step, sources[0], name, context)
        else:
            result = self.run_scope(step, sources[0], name, context)
        if name and not isinstance(step, LayerStep):
            self.outputs[context.prefix + name] = result
        return current if isinstance(step, SideStep) else result

    def holds(self, condition: Any, current: int | None, context: Context, place: Place) -> bool:
        answer = self.evaluate(condition, self.with_channels(context.scope, current), place)
        if not isinstance(answer, bool):
            if answer is not None:
                self.problem(f"when must be true or false, got {shown(answer)}", place)
            return False
        return answer

    def fill(self, template: Template | None, context: Context, place: Place) -> str:
        if template is None:
            return ""
        try:
            return template.fill(context.scope)
        except ExpressionError as error:
            self.problem(str(error), place)
            return ""

    def find(self, template: Template, context: Context, place: Place) -> int | None:
        """The output called so, in the nearest scope outwards."""
        wanted = self.fill(template, context, place)
        prefix = context.prefix
        while True:
            if prefix + wanted in self.outputs:
                return self.outputs[prefix + wanted]
            if not prefix:
                self.unfound.append((wanted, place))
                return None
            prefix = prefix[:prefix.rstrip(".").rfind(".") + 1]

    def with_channels(self, scope: dict[str, Any], current: int | None) -> dict[str, Any]:
        if current is None:
            return scope
        return {**scope, "channels": self.nodes[current].shape.channels}

    # Scopes: blocks, groups and side heads.

    def run_scope(self, step: Step, current: int | None, name: str, context: Context) -> int | None:
        label = self.fill(step.options.label, context, step.place)
        if isinstance(step, BlockStep):
            block = self.family.blocks[step.block]
            scope = self.arguments(step, block, current, context)
            if scope is None:
                return None
            if not name and not label:
                name = self.numbered(step.block, context)
            return self.run_all(block.steps, current, context.inner(scope=scope, name=name, label=label, block=step.block))
        assert isinstance(step, (GroupStep, SideStep))
        side = isinstance(step, SideStep)
        return self.run_all(step.steps, current, context.inner(name=name, label=label, side=side))

    def numbered(self, block: str, context: Context) -> str:
        count = self.uses[context.prefix, block] = self.uses.get((context.prefix, block), 0) + 1
        return f"{block}{count}"

    def arguments(self, step: BlockStep, block: Block, current: int | None, context: Context) -> dict[str, Any] | None:
        outside = self.with_channels(context.scope, current)
        for key in step.values:
            if key not in block.params:
                self.problem(unknown(f"parameter of block {step.block}", key, block.params), step.place)
        missing = [p for p in block.params if p not in step.values and p not in block.defaults]
        if missing:
            self.problem(f"block {step.block} needs {', '.join(missing)}", step.place)
            return None
        scope = {key: outside[key] for key in (*self.family.params, *self.family.let, "channels") if key in outside}
        for key in block.params:
            if key in step.values:
                scope[key] = self.evaluate(step.values[key], outside, step.place)
        for key in block.params:
            if key not in step.values:
                scope[key] = self.evaluate(block.defaults[key], scope, block.place)
        for key, expression in block.let.items():
            scope[key] = self.evaluate(expression, scope, block.place)
        scope.pop("channels", None)
        return scope

    # Layers.

    def run_layer(self, step: LayerStep, sources: list[int | None], name: str, context: Context) -> int | None:
        layer = self.layer(step, sources[0], context)
        return self.add(layer, step, sources, name, context) if layer is not None else self.nothing(name, context)

    def layer(self, step: LayerStep, current: int | None, context: Context) -> Layer | None:
        try:
            values = {}
            if step.values:
                scope = self.with_channels(context.scope, current)
                values = {key: value(given, scope) for key, given in step.values.items()}
            key = tuple(values.values())
            try:
                return step.cache[key]
            except KeyError:
                made = step.cache[key] = step.layer(**values)
                return made
            except TypeError:  # lists and arrays cannot be looked up
                return step.layer(**values)
        except (ExpressionError, LayerError) as error:
            if current is not None:
                self.problem(str(error), step.place)
            return None

    def run_merge(self, step: MergeStep, current: int | None, name: str, context: Context) -> int | None:
        inner = context.inner(name=name)
        ends = [self.run_all(steps, current, inner.inner(name=branch)) for branch, steps in step.branches]
        return self.add(step.layer(), step, ends, "", inner)

    def add(self, layer: Layer, step: Step, sources: list[int | None], name: str, context: Context) -> int | None:
        full = context.prefix + name if name else ""
        inputs = [s for s in sources if s is not None]
        if len(inputs) < len(sources):
            return self.nothing(name, context)
        if full and full in self.outputs:
            self.problem(f"two layers are called {full}: give the block or repeat around them a name, or put {{i}} into "
                         f"this one", step.place)
        try:
            index = self.network.add(full, layer, inputs, scopes=context.scopes, side=context.side,
                                     shares=self.owner(step, layer, full, context), place=step.place)
        except LayerError as error:
            self.problem(str(error), step.place, full)
            return self.nothing(name, context)
        if full:
            self.outputs[full] = index
        else:
            self.auto.setdefault(f"{context.prefix}{layer.type}", []).append(index)
        return index

    def nothing(self, name: str, context: Context) -> None:
        if name:
            self.outputs.setdefault(context.prefix + name, None)

    def owner(self, step: Step, layer: Layer, full: str, context: Context) -> int | None:
        """The node whose parameters a layer with ``weights`` uses."""
        if step.options.weights is None:
            return None
        owner = self.find(step.options.weights, context, step.place)
        return owner if owner is None or self.nodes[owner].shares is None else self.nodes[owner].shares

    def resolve_names(self) -> None:
        """Give the unnamed layers their type as a name, numbered where a scope has several."""
        taken = {node.name for node in self.nodes}
        for base, indices in self.auto.items():
            for count, index in enumerate(indices, 1):
                name = base if len(indices) == 1 else f"{base}{count}"
                while name in taken:
                    name += "_"
                taken.add(name)
                self.nodes[index].name = name


def walk(steps: list[Step]) -> Iterator[Step]:
    """Every step of a list, however deep."""
    for step in steps:
        yield step
        if isinstance(step, (GroupStep, SideStep)):
            yield from walk(step.steps)
        elif isinstance(step, MergeStep):
            for _, inner in step.branches:
                yield from walk(inner)
