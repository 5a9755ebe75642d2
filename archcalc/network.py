"""The network: a graph of configured layers with their shapes, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from archcalc.described import Described, Origin
from archcalc.errors import ArchcalcError, LayerError, Place, visible
from archcalc.inputs import Takes
from archcalc.interned import Interned
from archcalc.layers import Layer
from archcalc.layers.base import StorageKind
from archcalc.layers.region import regions_of
from archcalc.layers.reshape import Input
from archcalc.layers.sharing import check_shared
from archcalc.named_inputs import INPUT, misfit
from archcalc.nodes import Node, Unused
from archcalc.sizes import Shape, decides, is_array, largest

if TYPE_CHECKING:
    from archcalc.types import Setting

__all__ = ["AnyNetwork", "Network", "Node", "Origin", "Unused"]

MAX_VALUES = 10**30
"""The largest number of values in a feature map, so that numbers stay short."""

GRAPH = ("nodes", "blocks", "side_problem", "chosen", "unused", "_unread")
"""The attributes that building a network fills."""


class Network(Described):
    """A graph of layers for one input, or for several inputs with names. The first nodes are the inputs, and every node
    comes after the nodes that it reads.

    ``inputs`` are the shapes by name. ``input`` is the shape of the main input, which is the first. ``about`` holds
    title, paper and source, as text that can be printed. ``settings`` are the spec parameters with their values,
    ``defaults`` are the values in the spec, and ``takes`` are the sizes that each input accepts. ``origin`` and
    ``file`` say where the network came from. ``rebuild`` makes the same network for other inputs.
    ``build`` makes the layers when they are first used, because a user may ask for another input first. ArchcalcError
    if the layers cannot be built.
    """

    nodes: list[Node]
    """The layers in the order in which they run."""
    blocks: dict[str, str]
    """The name of the block in the spec, by the name of each use of a block."""
    side_problem: str
    """Why a side head does not fit this input, if the rest of the network does."""
    chosen: tuple[int, ...]
    """The outputs that the spec chose (``outputs.choose``), in the order in which a run returns them."""
    unused: list[Unused]
    """The layers that no chosen output needs, and that were left out."""
    _unread: tuple[int, tuple[int, ...]]
    budgets: Sequence[tuple[str, Place]] = ()
    """Conditions on its figures that its spec states, each with its place."""
    forms: Mapping[str, str] = MappingProxyType({})
    """How the code of a recorded model writes its layers, by name, as ``conventions.source_style`` says it."""
    formulas: dict[object, object] | None = None
    """Formulas of the totals, for networks of the same spec with other numbers: ``archcalc.analysis.formulas``."""
    program: Callable[..., object] | None = None
    """What the code of a recorded model runs, for inputs, settings and a kind of device: ``archcalc.capture.program``."""

    def __init__(
        self,
        name: str,
        input: Shape | Mapping[str, Shape],
        *,
        title: str = "",
        about: Mapping[str, str | float] | None = None,
        settings: dict[str, Setting] | None = None,
        defaults: dict[str, Setting] | None = None,
        notes: Sequence[str] = (),
        origin: Origin = "code",
        file: str = "",
        takes: Mapping[str, Takes] | None = None,
        rebuild: Callable[[Mapping[str, Shape], dict[str, Setting]], Network] | None = None,
        build: Callable[[], Network] | None = None,
    ) -> None:
        self.name, self.title = visible(name), visible(title or name)
        self.inputs = {INPUT: input} if isinstance(input, Shape) else dict(input)
        self.input = next(iter(self.inputs.values()))
        self.about = {key: visible(text) if isinstance(text, str) else text for key, text in (about or {}).items()}
        self.settings, self.defaults, self.notes = settings or {}, defaults or {}, [visible(note) for note in notes]
        self.origin, self.file = origin, file
        self.takes = takes or {key: Takes(shape, (len(shape.axes),)) for key, shape in self.inputs.items()}
        self._rebuild, self._build = rebuild, build
        self.made: dict[Any, tuple[Shape, StorageKind]] = {}  # by the layer and its input shapes
        self.interned = Interned()
        if build is None:
            self.nodes = [Node(i, key, Input(x), (), x) for i, (key, x) in enumerate(self.inputs.items())]
            self.blocks, self.side_problem = {}, ""
            self.chosen, self.unused, self._unread = (), [], (0, ())

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """A part of the graph of a network that is not built yet."""
            if name not in GRAPH:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            try:
                built = self._build()
            except ArchcalcError as error:
                raise error.also(*misfit(self.full_name, self.takes, self.inputs)) from None
            self.__dict__.update({key: built.__dict__[key] for key in GRAPH})
            return self.__dict__[name]

    @property
    def built(self) -> bool:
        """Whether the layers are made."""
        return "nodes" in self.__dict__

    def need_single(self, what: str) -> None:
        """ArchcalcError, which begins with ``what``, for arrays other than lanes, and for lanes that lack layers."""
        if not all(map(decides, self.arrays)) or not all(node.present for node in self.nodes):
            raise ArchcalcError(f"{self.full_name}: {what} needs single sizes, not arrays")

    @property
    def after_inputs(self) -> list[Node]:
        """The layers without the inputs, in the order in which they run."""
        return self.nodes[len(self.inputs) :]

    @property
    def outputs(self) -> tuple[int, ...]:
        """Indices of the outputs of a run, without side heads: the chosen outputs, or all that no main layer reads."""
        if not self.chosen and self._unread[0] != len(self.nodes):
            main = [node for node in self.nodes if not node.side]
            read = {i for node in main for i in node.inputs}
            unread = tuple(node.index for node in main if node.index not in read and node.inputs)
            self._unread = len(self.nodes), unread or (0,)
        return self.chosen or self._unread[1]

    def add(
        self,
        name: str,
        layer: Layer,
        inputs: Sequence[int] | None = None,
        *,
        scopes: tuple[str, ...] = (),
        side: bool = False,
        shares: int | None = None,
        place: Place | None = None,
        storage: StorageKind | None = None,
    ) -> int:
        """Append a layer and return its index. Without ``inputs`` the layer reads the last node.

        LayerError, with the formula, if the layer does not fit the shapes of its inputs; if the main path would read a
        side head; or if the layer would use the weights of a layer that differs. ArchcalcError if the network is made from
        a text, because the text makes it again for another size.
        """
        if self._build is not None:
            raise ArchcalcError(
                f"{self.full_name}: its layers are those of its spec or pattern; write {name or layer.type} there"
            )
        if self._rebuild is None and any(map(is_array, layer.settings.values())):
            raise LayerError(f"{layer.type}: arrays are parameters of a spec, not settings of a single layer")
        for called in (name, *scopes):
            if not called.isprintable():
                raise LayerError(f"a name is one line of signs that can be printed, got {visible(called)[:60]!r}")
        inputs = (len(self.nodes) - 1,) if inputs is None else tuple(inputs)
        return self.append(name, layer, inputs, scopes, side, shares, place, storage)

    def append(
        self,
        name: str,
        layer: Layer,
        inputs: tuple[int, ...],
        scopes: tuple[str, ...],
        side: bool,
        shares: int | None,
        place: Place | None,
        storage: StorageKind | None,
    ) -> int:
        """``add`` for settings and names that the reader of a spec has checked."""
        nodes = self.nodes
        shapes = (nodes[inputs[0]].shape,) if len(inputs) == 1 else tuple([nodes[i].shape for i in inputs])
        try:
            shape, held = self.made[layer, shapes]
        except (KeyError, TypeError):  # a first use, or arrays, which cannot be keys
            shape, held = self._makes(layer, shapes)
        if not side:
            for used in inputs if shares is None else (*inputs, shares):
                if nodes[used].side:
                    raise LayerError(
                        f"the main path cannot use {nodes[used].name or nodes[used].layer.type}: "
                        f"it belongs to a side head, which runs in training only"
                    )
        if shares is not None:
            owner = nodes[shares]
            check_shared(layer, shapes, owner.layer, self.input_shapes(owner), owner.name or owner.layer.type)
        elif layer.type == "unpool":
            raise LayerError("unpool needs the index of the max_pool whose indices it takes, as shares=")
        held = storage if storage and held == layer.storage else held
        own = layer.joins or layer.makes_regions
        index, regions = len(nodes), regions_of(layer, [nodes[i] for i in inputs]) if own else nodes[inputs[0]].regions
        nodes.append(Node(index, name, layer, inputs, shape, scopes, side, shares, place, held, regions))
        return index

    def _makes(self, layer: Layer, shapes: tuple[Shape, ...]) -> tuple[Shape, StorageKind]:
        """The shape and the storage of the output; LayerError if the layer does not fit its inputs."""
        if not layer.joins and len(shapes) != 1:
            raise LayerError(f"{layer.type} takes one input, got {len(shapes)}")
        key = layer, self.interned.key(shapes)
        found = self.made.get(key)
        if found is None:
            shape = self.interned.shape(layer.shape(*shapes))
            if largest(shape.values) > MAX_VALUES:
                raise LayerError("a feature map of more than 10^30 values", shape.values > MAX_VALUES)
            found = self.made[key] = shape, layer.held(shape, *shapes)
        return found

    def running(self, training: bool = True) -> list[Node]:
        """The nodes that run after the inputs: side heads in training only, and only if they fit the input."""
        return [node for node in self.after_inputs if not node.side or (training and not self.side_problem)]

    def results(self, training: bool = True) -> list[int]:
        """Indices of the outputs of a run: those of the network, and in training the last layer of every side head."""
        nodes = self.running(training)
        used = {i for node in nodes for i in node.inputs}
        return [*self.outputs, *(node.index for node in nodes if node.side and node.index not in used)]

    def frozen(self, node: Node) -> bool:
        """Whether a layer's weights are frozen. The owner of the weights decides."""
        return not (node if node.shares is None else self.nodes[node.shares]).trained

    def input_shapes(self, node: Node) -> list[Shape]:
        return [self.nodes[i].shape for i in node.inputs]

    def at(
        self, input: Shape | Mapping[str, Shape] | None, settings: dict[str, Setting] | None = None, build: bool = True
    ) -> Network:
        """This network for other inputs (a Shape: for the main input) and other settings.

        input None: inputs of the spec are those of the spec with the settings. ArchcalcError or LayerError if it does not fit.
        build: make the layers of a spec here. Else they are made when they are first used.
        """
        inputs = self.inputs | ({next(iter(self.inputs)): input} if isinstance(input, Shape) else dict(input or {}))
        if self._rebuild is not None:
            inputs = {} if input is None and self.at_own_input else inputs
            there = self._rebuild(inputs, self.settings if settings is None else settings)
            if build:
                there.nodes  # noqa: B018  raises the problems of the layers here
            there.called = self.called
            return there
        other = type(self)(self.name, inputs, title=self.title, about=self.about, takes=self.takes)
        other.blocks = self.blocks
        for node in self.after_inputs:
            place = node.scopes, node.side, node.shares, node.place, node.storage
            index = other.append(node.name, node.layer, node.inputs, *place)
            other.nodes[index].trained = node.trained
        other.chosen, other.unused = self.chosen, self.unused
        return other

    def __repr__(self) -> str:
        layers = f"{len(self.after_inputs)} layers, " if self.built else ""
        return f"<Network {self.full_name}: {layers}input {self.input_text}>"


AnyNetwork = TypeVar("AnyNetwork", bound=Network)
"""A network, or a subclass such as ``archcalc.front.Network``."""
