"""Names in an expansion: the outputs that a step names, the network's outputs, and messages for unknown names."""

from __future__ import annotations

from typing import Any, cast

from archcalc.errors import MOST_NAMES, DiffersError, LayerError, Place, unknown
from archcalc.language.context import Context
from archcalc.language.elementwise import differs
from archcalc.language.evaluator import Evaluator, UsedUpError
from archcalc.language.grammar import ExpressionError
from archcalc.language.naming import Names
from archcalc.language.operations import UNKNOWN, UnknownValueError
from archcalc.language.steps import Given, LayerStep, Step, Template
from archcalc.layers.pool import MaxPool
from archcalc.layers.resample import Pooled
from archcalc.layers.settings import whole_number
from archcalc.layers.sharing import check_shared
from archcalc.letters import prefixes
from archcalc.network import Network, Node
from archcalc.outputs import choose, named_outputs
from archcalc.sizes import Int, equal, int_text, is_array, largest, refused_of
from archcalc.units import counted


class Lookup(Evaluator):
    """The names of a network during its expansion, as its steps see the names.

    ``outputs``: the index of a node for every name; None: the output is unknown.
    """

    def __init__(self, network: Network, names: Names) -> None:
        super().__init__()
        self.network, self.nodes = network, network.nodes
        self.names, self.outputs = names, names.outputs
        self.reached: int | None = None
        """The first node that a step named since this was None."""
        self.scopes: dict[str, tuple[int, int]] = {}
        """The first node of every block, group and join with a name, and the node after its last node."""
        self.uneven: Any = None
        """The elements of arrays that have the first turn of a repeat that others lack; None: all have the same turns."""
        self.partial: dict[str, Any] = {}
        """For every name that not all elements have, or that they have for another block: which elements, perhaps."""
        self.has_regions = False
        """Whether a block with regions was entered."""
        self.skipped = False
        """Whether steps were skipped because of a problem, so that names may be missing."""
        self.unfound: dict[tuple[int, str, str], tuple[str, Context, list[tuple[str, int]], Place]] = {}
        """The first unknown name at each place and option. Names that skipped steps could define are not included."""

    def with_channels(self, scope: dict[str, Any], current: int | None) -> dict[str, Any]:
        """The scope with ``channels``, the number of channels of the step's input. Every step sets a new number."""
        scope["channels"] = UNKNOWN if current is None else self.nodes[current].shape.channels
        return scope

    def fill(self, template: Template, current: int | None, context: Context, place: Place, key: str) -> str:
        """The name that a template makes; '' if the template cannot be evaluated."""
        return template.fixed or next(iter(self.fill_all(template, current, context, place, key)), "")

    def fill_all(self, template: Template, current: int | None, context: Context, place: Place, key: str) -> list[str]:
        """The names that a template makes; none if the template cannot be evaluated."""
        try:
            return template.fill_all(self.with_channels(context.scope, current) if template.names else {}, self.spend)
        except UnknownValueError:
            self.skipped = True
        except UsedUpError:
            self.used_up(place, key)
        except DiffersError as error:
            raise self.differs(error, place, key) from None
        except ExpressionError as error:
            self.skipped = True
            self.failed(place)
            self.problem(str(error), place, key=key)
        return []

    def find(self, template: Template, current: int | None, context: Context, place: Place, option: str) -> int | None:
        """The output that the template names, searched from the innermost scope outwards."""
        name = self.find_name(template, current, context, place, option)
        return self.outputs[name] if name else None

    def find_all(
        self, templates: list[Template], current: int | None, context: Context, place: Place
    ) -> tuple[int | None, ...]:
        """The outputs that the templates of ``from`` name. A range may be empty, but not all of them."""
        failed = self.skipped
        names = [name for t in templates for name in self.fill_all(t, current, context, place, "from")]
        if not names and not self.skipped | failed:
            self.problem(f"no layer has a number in the range of {templates[0].text!r}", place, key="from")
        found = [self.look(name, context, place, "from") for name in names]
        return tuple([self.outputs[name] if name else None for name in found]) or (None,)

    def find_name(self, template: Template, current: int | None, context: Context, place: Place, option: str) -> str:
        """The full name of the output that the template names; '' if there is no such output."""
        wanted = self.fill(template, current, context, place, option)
        return self.look(wanted, context, place, option) if wanted else ""

    def look(self, wanted: str, context: Context, place: Place, option: str) -> str:
        """The full name of the output that a step calls ``wanted``; '' if there is no such output."""
        self.spend_at(1, place)
        for prefix in context.outwards():
            if prefix + wanted in self.outputs:
                if self.partial:
                    self.need_in_all(prefix + wanted, place, option)
                self.reach(self.outputs[prefix + wanted] or 0)
                return prefix + wanted
            self.spend_at(1 + len(prefix) // 16, place)
        if not self.skipped:
            self.unfound.setdefault((place.line, place.path, option), (wanted, context, self.turns[:], place))
        return ""

    def reach(self, index: int) -> None:
        """Note that a step named this node."""
        self.reached = index if self.reached is None else min(self.reached, index)

    def need_in_all(self, name: str, place: Place, option: str) -> None:
        """DiffersError if a name, or the block around it, is not the same for all elements of arrays."""
        for one in (name, *prefixes(name)):
            if one in self.partial:
                why = f"some elements of arrays lack {name}, or have another layer of this name"
                raise self.differs(differs(self.partial[one], why), place, option)

    def share(self, weights: Template, step: Step, first: int, current: int | None, context: Context) -> None:
        """Let the layers from ``first`` on use the parameters of the block or group ``weights``, layer by layer."""
        name = self.find_name(weights, current, context, step.place, "weights")
        if not name or self.skipped or self.problems:
            return
        start, end = self.scopes.get(name, (0, 0))
        here, there = self.nodes[first:], self.nodes[start:end]
        uneven = [node for node in (*here, *there) if is_array(node.present)]
        if uneven and not (len(here) == len(there) and all(map(equal, _present(here), _present(there)))):
            why = f"some elements of arrays lack layers of {name}, or layers that use its weights"
            raise self.differs(differs(uneven[0].present == 1, why), step.place, "weights")
        if name not in self.scopes or [n.layer.type for n in here] != [n.layer.type for n in there]:
            layers = f"{counted(end - start, 'layer')} there, {counted(len(here), 'layer')} here"
            why = f"its layers differ: {layers}" if name in self.scopes else "it is a layer"
            self.problem(
                f"weights: a block or group cannot use the weights of {name}: {why}", step.place, key="weights"
            )
            return
        self.spend_at(len(here), step.place)
        for node, owner in zip(here, there, strict=True):
            try:
                share_params(self.network, node, owner, owner.name or f"{name}.{owner.layer.type}")
            except LayerError as error:
                self.problem(f"{node.name or node.layer.type}: {error}", step.place, key="weights", where=error.where)
                return

    def regions(self, step: Step, current: int | None, context: Context) -> Int | None:
        """The regions of an image for each of which a block runs; None if the number is wrong or unknown."""
        given = self.evaluate(step.options.regions, self.with_channels(context.scope, current), step.place, "regions")
        self.has_regions = True
        if given is UNKNOWN:
            return None
        try:
            if not equal(context.regions, 0):
                raise LayerError(
                    f"the block lies in a block with regions: {int_text(context.regions)}; a region has none"
                )
            return cast("Int", whole_number(given, 1))
        except LayerError as error:
            self.failed(step.place)
            self.problem(f"regions: {error}", step.place, key="regions", where=error.where)
            return None

    def fits_nowhere(self, error: LayerError) -> bool:
        """Whether a layer of a side head fits no element of arrays. DiffersError if it fits some of them."""
        if not self.network.arrays:
            return True
        where = refused_of([None if error.where is None else error.where & self.within])
        if is_array(where):
            raise differs(where, "a side head fits some sizes of an array and not others")
        return where is True

    def visible(self, prefixes: list[str]) -> list[str]:
        """The names that a step sees, innermost scope first; no more names than a suggestion compares."""
        visible: dict[str, None] = {}
        for prefix in prefixes:
            for name in self.outputs:
                if name.startswith(prefix):
                    visible[name.removeprefix(prefix)] = None
                    if len(visible) == MOST_NAMES:
                        return list(visible)
        return list(visible)

    def report_unfound(self) -> None:
        """Report every name that was not found, with similar names."""
        unnamed = {node.name for node in self.nodes} if self.unfound else ()
        for (_, _, option), (wanted, context, turns, place) in self.unfound.items():
            prefixes = context.outwards()
            if any(prefix + wanted in self.outputs for prefix in prefixes):
                text = f"{wanted} comes later; a layer can use just what stands before it"
            elif any(prefix + wanted in unnamed for prefix in prefixes):
                text = f"the layer {wanted} has no name of its own; write name: {wanted} beside it"
            else:
                text = unknown("layer", wanted, self.visible(prefixes))
            self.problem(f"{option}: {text}", place, key=option, turns=turns)

    def sizes(self, template: Template, current: int | None, step: LayerStep, context: Context, key: str) -> Any:
        """The sizes of the map that ``template`` names; UNKNOWN if there is no such map."""
        index = self.find(template, current, context, step.place, key)
        if index is None:
            return UNKNOWN
        if not self.nodes[index].shape.axes:
            self.problem(f"{key}: {template.text} is a vector and has no positions", step.place, key=key)
            return UNKNOWN
        return self.nodes[index].shape.axes

    def pooled(self, template: Template, current: int | None, step: LayerStep, context: Context, key: str) -> Any:
        """The max pooling that ``template`` names; UNKNOWN if there is no such layer."""
        index = self.find(template, current, context, step.place, key)
        if index is None:
            return UNKNOWN
        node = self.nodes[index]
        if not isinstance(node.layer, MaxPool):
            text = f"{key}: {template.text} is {node.layer.type}; unpool needs the indices of a max_pool"
            self.problem(text, step.place, key=key)
            return UNKNOWN
        return Pooled.of(node.layer, self.nodes[node.inputs[0]].shape, node.shape)

    def choose_outputs(self, given: Given | None, current: int | None, scope: dict[str, Any]) -> None:
        """Choose the outputs that the spec names. Default: every output that no layer reads, and the last step's."""
        network, place = self.network, given.place if given else Place()
        chosen, problems = list[int](), list[str]()
        if given is not None:
            wanted = [
                n for template in given.value for n in self.fill_all(template, current, Context(scope), place, "")
            ]
            for name in wanted if self.partial else ():
                self.need_in_all(name, place, "")
            chosen, problems = named_outputs(network, self.outputs, wanted)
        elif current is not None and self.nodes[current].inputs and current not in network.outputs:
            chosen = sorted([*network.outputs, current])
        for text in () if self.skipped else problems:
            self.problem(text, place)
        if chosen and not self.problems:
            try:
                choose(network, chosen)
            except LayerError as error:
                self.problem(f"outputs: {error}", place)
        for index in network.outputs if self.uneven is not None else ():
            node = network.nodes[index]
            if is_array(node.present) and not node.instead:  # some elements lack this output
                why = "some elements of arrays lack this output"
                raise self.differs(differs(node.present == 1, why), node.place or place, "")


def _present(nodes: list[Node]) -> list[Int]:
    return [node.present for node in nodes]


def share_params(network: Network, node: Node, owner: Node, called: str) -> None:
    """Let a layer use the parameters of an earlier layer, or of the layer whose parameters that layer uses.

    ``called``: the name of the earlier layer. A layer without parameters stays as it is. LayerError if the layers
    differ, or if the earlier layer belongs to a side head and the layer does not.
    """
    shapes = network.input_shapes(node)
    if not any(map(largest, node.layer.params(*shapes))):
        return
    if owner.side and not node.side:
        raise LayerError(f"the main path cannot use {called}: it belongs to a side head, which runs in training only")
    owner = owner if owner.shares is None else network.nodes[owner.shares]
    check_shared(node.layer, shapes, owner.layer, network.input_shapes(owner), called)
    node.shares = owner.index
