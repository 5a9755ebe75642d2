"""From steps to layers: writes out blocks and repeats, names the layers, and computes the shapes layer by layer.

If a layer cannot be applied, the layer is reported and its output becomes unknown (None). So one mistake gives one
problem, and the rest of the spec is still checked. For the same reason, a value that cannot be evaluated is UNKNOWN.
"""

from __future__ import annotations

from typing import Any, TypeAlias, cast

from archcalc.errors import ArchcalcError, DiffersError, LayerError, Place, Problem
from archcalc.language.context import Context
from archcalc.language.evaluator import MAX_OPERATIONS
from archcalc.language.family import Family
from archcalc.language.naming import ONE_NAME, Names
from archcalc.language.operations import UNKNOWN
from archcalc.language.replay import MAX_STEPS, Replay
from archcalc.language.steps import BlockStep, GroupStep, LayerStep, MergeStep, SideStep, Step, Template
from archcalc.layers import Layer
from archcalc.layers.base import STORAGES, StorageKind
from archcalc.layers.known import known, known_layer
from archcalc.layers.region import check_block
from archcalc.layers.resample import Pooling, Unpool
from archcalc.layers.settings import message_text
from archcalc.network import Network
from archcalc.sizes import is_array, smallest

Sources: TypeAlias = tuple[int | None, ...]
"""The inputs of a step, as indices of nodes; None: the input is unknown."""

MAX_DEPTH = 100
PER_PART = 40
"""The operations that each further input of a layer costs, and each row of a table of connections.

Every analysis visits each input, and computes each row as one convolution.
"""
PER_STEP = 50
"""The operations that each step costs if the network is expanded again."""


class Expander(Replay):
    """Expands the layers of one network of a family into a network that holds the layers only.

    ``resized``: an input differs from the spec's input. Then a side head that does not fit is not an error.
    """

    def __init__(self, family: Family, whole: Network, scope: dict[str, Any], names: Names, *, resized: bool) -> None:
        super().__init__(family, Network(whole.name, whole.inputs, rebuild=whole.at), names)
        entry = family.networks[whole.name]
        self.resized = resized
        if not whole.arrays:
            self.network.made = known("outputs")
        self.made: dict[Any, Layer] = {}
        """The layers with arrays as settings, by the step and the identity of the values of its expressions."""
        self.scope = scope = dict(scope)
        """The family's parameters and names, which every block sees in addition to its own parameters and names."""
        current = self.run_all(family.steps if entry.steps is None else entry.steps, 0, Context(scope))
        names.check(MAX_OPERATIONS - self.left + PER_STEP * self.steps_taken)
        names.resolve(self.nodes)
        self.report_unfound()
        self.choose_outputs(entry.outputs or family.outputs, current, scope)
        self.fail_if_any()
        layers = self.network.after_inputs
        if not layers or (is_array(layers[0].present) and smallest(sum(node.present for node in layers)) == 0):
            place = entry.place
            raise ArchcalcError(Problem(f"{whole.name} has no layers", place.file, place.line, place.path))

    # Steps.

    def run_all(self, steps: list[Step], current: int | None, context: Context) -> int | None:
        for step in steps:
            if step.options.repeat is None:
                current = self.run_once(step, current, context)
            else:
                current = self.repeat(step, current, context)
        return current

    def run_once(self, step: Step, current: int | None, context: Context) -> int | None:
        self.steps_taken += 1
        self.left -= context.cost
        if self.left < 0 or self.steps_taken > MAX_STEPS or context.depth > MAX_DEPTH:
            self.stop(step, context)
        options = step.options
        if options.when is not True:
            taken = self.holds(options.when, self.with_channels(context.scope, current), step.place, "when")
            if taken is None:
                self.skipped = True
                return None
            if not taken:
                return current
        if options.trained is not None:
            trained = self.holds(options.trained, self.with_channels(context.scope, current), step.place, "trained")
            context = context.with_trained(trained is not False)
        sources: Sources = (current,)
        if options.sources is not None:
            sources = self.find_all(options.sources, current, context, step.place)
            if (isinstance(step, MergeStep) or not isinstance(step, LayerStep)) and len(sources) > 1:
                self.problem(f"only a layer can take several inputs, got {len(sources)}", step.place, key="from")
        given = options.name
        name = "" if given is None else given.fixed or self.fill(given, current, context, step.place, "name")
        if isinstance(step, LayerStep) and not isinstance(step, MergeStep):
            layer = step.constant or self.layer(step, sources[0], name, context)
            return self.nothing(name, context) if layer is None else self.add(layer, step, sources, name, context)
        given = options.label
        label = "" if given is None else self.fill(given, current, context, step.place, "label")
        if isinstance(step, BlockStep) and not name and not label:
            name = self.names.block(context.prefix, step.block)
            if self.uneven is not None:  # the number in this name depends on the number of turns before
                self.partial[context.prefix + name] = self.uneven
        elif name and not self.names.give(context.prefix, name):
            self.problem(f"two things are called {context.prefix}{name}: {ONE_NAME}", step.place)
        full = context.prefix + name if name else ""
        first = len(self.nodes)
        if isinstance(step, MergeStep):
            result = self.run_merge(step, sources[0], name, label, context)
        else:
            result = self.run_scope(step, sources[0], name, label, context)
            if options.weights is not None:
                self.share(options.weights, step, first, current, context)
                self.runs.clear()  # the layers of a copy have weights of their own
        if full:
            self.names.place(full, result)
            self.scopes[full] = first, len(self.nodes)
        return current if isinstance(step, SideStep) else result

    def stop(self, step: Step, context: Context) -> None:
        """End the expansion at a step beyond the maximum number of steps or levels."""
        if self.left < 0:
            self.used_up(step.place)
        if self.steps_taken > MAX_STEPS:
            self.fail_if_any()
            self.problem(f"the network grows beyond {MAX_STEPS:,} steps", step.place)
            self.fail_if_any()
        chain = " > ".join(context.blocks[-4:])
        self.problem(
            f"blocks nest deeper than {MAX_DEPTH} levels: does a block call itself without end? (... > {chain})",
            step.place,
        )
        self.fail_if_any()

    # Scopes: blocks, groups and side heads.

    def run_scope(self, step: Step, current: int | None, name: str, label: str, context: Context) -> int | None:
        regions = None if step.options.regions is None else self.regions(step, current, context)
        if step.options.regions is not None and regions is None:
            self.skipped = True
            return None
        if isinstance(step, BlockStep):
            if name:
                self.network.blocks[context.prefix + name] = step.block
            scope = self.arguments(step, current, context)
            return self.run_block(step, scope, current, name, label, context, regions)
        assert isinstance(step, GroupStep)
        side = isinstance(step, SideStep)
        return self.run_all(step.steps, current, context.inner(name=name, label=label, side=side, regions=regions))

    def arguments(self, step: BlockStep, current: int | None, context: Context) -> dict[str, Any]:
        """The scope inside a block: the family's names, the arguments and the defaults."""
        block = self.family.blocks[step.block]
        outside = self.with_channels(context.scope, current)
        scope = {**self.scope, "channels": outside["channels"]}
        for key, given in step.values.items():
            scope[key] = self.evaluate(given, outside, step.place, key)
        for key, default in block.defaults.items():
            if key not in step.values:
                scope[key] = self.evaluate(default.value, scope, default.place)
        return scope

    # Layers.

    def layer(self, step: LayerStep, current: int | None, name: str, context: Context) -> Layer | None:
        scope = self.with_channels(context.scope, current)
        values = {key: self.evaluate(given, scope, step.place, key) for key, given in step.expressions.items()}
        for key, template in step.references.items():
            pooling = isinstance(step.layer.fields[key], Pooling)
            values[key] = (self.pooled if pooling else self.sizes)(template, current, step, context, key)
        if step.layer.makes_regions:
            values["regions"] = context.regions
        made_of = tuple([v if type(v) is int else self.hashable(v, step.place) for v in values.values()])
        try:
            return step.cache[made_of]
        except (KeyError, TypeError):  # the layer is not made yet, or a value is an array and cannot be a key
            pass
        if any(v is UNKNOWN for v in values.values()):
            return None
        varied = step, self.network.interned.key(made_of)
        if varied in self.made:
            return self.made[varied]
        try:
            given = {name: self.network.interned.array(v) for name, v in values.items()}
            layer = known_layer(step.layer, {**step.values, **given})
        except LayerError as error:
            self.failed(step.place)
            self.problem(str(error), step.place, name=self.called(name, step.layer.type, context), where=error.where)
            return None
        if not made_of:
            step.constant = layer
        try:
            step.cache[made_of] = layer
        except TypeError:
            self.made[varied] = layer
        return layer

    def called(self, name: str, type: str, context: Context) -> str:
        """The name of a layer that failed, for a message; '' if the path already identifies the layer.

        A layer without a name is called by its type, with a number if such layers stand before it in the scope.
        """
        before = self.names.unnamed_before(f"{context.prefix}{type}")
        name = name or (f"{type}{before + 1}" if before else type if context.prefix else "")
        return context.prefix + name if name else ""

    def run_merge(self, step: MergeStep, current: int | None, name: str, label: str, context: Context) -> int | None:
        self.spend_at(len(step.branches), step.place)
        inner = context.inner(name=name, label=label)
        layer = step.constant or self.layer(step, current, name, context)
        names = [branch for branch, _ in step.branches]
        if step.numbered:
            names = self.names.branches(inner.prefix, len(names))
        for branch in names if not step.numbered else ():
            if not self.names.give_branch(inner.prefix + branch):
                self.problem(f"two things are called {inner.prefix}{branch}, this branch and another", step.place)
        ends = [
            self.run_all(steps, current, inner.inner(name=branch))
            for branch, (_, steps) in zip(names, step.branches, strict=True)
        ]
        if step.order:
            ends = [ends[i] for i in step.order]
        return None if layer is None else self.add(layer, step, tuple(ends), "", inner)

    def add(self, layer: Layer, step: Step, sources: Sources, name: str, context: Context) -> int | None:
        full = context.prefix + name if name else ""
        if full and not self.names.give(context.prefix, name):
            self.problem(f"two things are called {full}: {ONE_NAME}", step.place)
        if None in sources:
            return self.nothing(name, context)
        inputs = cast("tuple[int, ...]", sources)
        if layer.joins and len(inputs) < layer.fewest_named:
            text = f"{layer.type} joins {layer.fewest_named} or more, but from names {len(inputs)} here"
            self.problem(text, step.place, key="from")
        if len(inputs) > 1 or hasattr(layer, "table"):
            self.spend_at(PER_PART * (len(inputs) - 1 + len(getattr(layer, "table", ()))), step.place)
        options = step.options
        weights = options.weights
        if isinstance(layer, Unpool) and isinstance(step, LayerStep):
            weights = step.references["of"]
        owner = None if weights is None else self.owner(weights, step, inputs[0], context)
        held = None if options.storage is None else self.storage(options.storage, step, inputs[0], context)
        try:
            if self.has_regions:
                check_block(layer, [self.nodes[i] for i in inputs], context.regions)
            scopes = self.family.scopes_of(full, context.scopes)
            index = self.network.append(full, layer, inputs, scopes, context.side, owner, step.place, held)
        except DiffersError as error:
            raise self.differs(error, step.place, "") from None
        except LayerError as error:
            self.failed(step.place)
            if context.side and self.resized and self.fits_nowhere(error):
                self.network.side_problem = f"{full or layer.type}: {error}"
            else:
                self.problem(str(error), step.place, name=self.called(name, layer.type, context), where=error.where)
            return self.nothing(name, context)
        self.nodes[index].trained = context.trained
        if full:
            self.names.place(full, index)
        else:
            self.names.unnamed(f"{context.prefix}{layer.type}", index)
        return index

    def nothing(self, name: str, context: Context) -> int | None:
        """Note that the output called ``name`` is unknown."""
        if name and context.prefix + name not in self.outputs:
            self.names.place(context.prefix + name, None)
        return None

    def storage(self, given: Any, step: Step, current: int, context: Context) -> StorageKind | None:
        """The storage of the output as the step states it; None if the statement is wrong or unknown."""
        held = self.evaluate(given, self.with_channels(context.scope, current), step.place, "storage")
        if held is UNKNOWN or held in STORAGES:
            return None if held is UNKNOWN else held
        self.problem(f"storage must be {', '.join(STORAGES)}, got {message_text(held)}", step.place, key="storage")
        return None

    def owner(self, weights: Template, step: Step, current: int, context: Context) -> int | None:
        """The node whose parameters a layer with ``weights`` uses."""
        owner = self.find(weights, current, context, step.place, "weights")
        return owner if owner is None or self.nodes[owner].shares is None else self.nodes[owner].shares

    def hashable(self, given: Any, place: Place) -> Any:
        """A value as part of a key of ``LayerStep.cache``, with its type: 1, 1.0 and true are equal in Python."""
        if not isinstance(given, list):
            return type(given), given
        self.spend_at(len(given), place)
        return tuple([self.hashable(item, place) for item in given])
