"""The nodes of an ONNX graph as calls of the operators of ATen, with the sizes of every tensor.

The batch is a large prime number, so that it can be told from every other size, and a size that contains it from one that
does not. A file whose batch is fixed at 1 has reshapes to sizes without the batch: ``sizes`` puts it where it belongs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from archcalc.errors import clipped
from archcalc.importing.errors import MissingError
from archcalc.importing.onnx.model import FLOATS, Model, Node, Stored
from archcalc.importing.onnx.names import path_of
from archcalc.importing.onnx.relative import grid_of, is_mask, places, says_nothing, window_of
from archcalc.importing.onnx.values import MOST, Values, transposed
from archcalc.importing.traced.calls import Call, Tensor

PRIMES = (1009, 2003, 4001, 8009, 16001)
NODES: dict[str, Callable[[Translation, Node], Any]] = {}
"""How a node becomes calls, by the type of its operator."""


def node(*types: str) -> Callable[[Any], Any]:
    """Register the function of operators."""

    def register(function: Any) -> Any:
        NODES.update(dict.fromkeys(types, function))
        return function

    return register


class Sized(Tensor):
    """A tensor whose text shows the batch as N."""

    __slots__ = ("batch",)

    def __init__(self, shape: tuple[int, ...], kind: str, name: str, batch: int, type: str = "float32") -> None:
        super().__init__(shape, kind, name, 0, type)
        self.batch = batch

    def __repr__(self) -> str:
        sizes = [
            str(n) if n % self.batch or not n else f"{n // self.batch}N".removeprefix("1N") or "N" for n in self.shape
        ]
        return f"{self.name or self.kind} {'x'.join(sizes) or 'number'}"


class Translation:
    """The calls so far, and the tensor of every name."""

    def __init__(self, model: Model, batch: int) -> None:
        self.model, self.batch, self.images = model, batch, 1
        self.opset = model.opset
        self.tensors: dict[str, Tensor | None] = {}
        self.calls: list[Call] = []
        self.twins: dict[tuple[int, tuple[int, ...], str], Tensor] = {}
        self.stored: dict[int, Stored] = {}
        self.kept: list[Tensor] = []  # no address is used twice
        self.fixed: set[int] = set()
        self.filled: set[int] = set()
        """The parameters that are filled with one number, and so may be constants."""
        self.before: dict[int, tuple[Tensor, Sequence[int] | None]] = {}
        """For a twin: the tensor that it was made of, and the order of the axes."""
        self.copies: dict[str, dict[str, Tensor | None]] = {}
        """The tensors of a parameter that is filled with one number, by the paths of modules."""
        self.copied = 0
        self.scores: set[str] = set()
        """The outputs of nodes from which soft-maxes read."""
        self.open_tables = 0
        """The biases of attention whose tables the file does not show."""
        self.angles: set[str] = set()
        """The initializers that are angles, and no parameters."""
        self.inner: dict[int, int] = {}
        """The axis of a tensor whose inner part is the batch."""
        self.inputs: dict[str, Tensor] = {}
        self.ends: list[Tensor] = []
        """What nodes read that have no counterpart."""
        self.problems: list[tuple[str, str, int, str]] = []
        self.lost = 0
        self.node = Node("", "", [], [], {}, "")
        self.path = ""

    def input_tensor(self, name: str, shown: str, sizes: Sequence[int]) -> None:
        """Add an input of the graph; ``shown`` is its name in the spec."""
        self.tensors[name] = self.inputs[shown] = Sized((self.batch, *sizes), "input", shown, self.batch)

    def lose(self, node: Node) -> None:
        """Note a node that has no counterpart, or stands behind one."""
        given = [tensor for name in node.inputs if (tensor := self.tensors.get(name)) is not None]
        self.ends += [tensor for tensor in given if not self.is_fixed(tensor)]

    def of_stored(self, stored: Stored, name: str) -> Tensor:
        """The tensor of an initializer. One number is a constant; more numbers are a parameter, if they are floats."""
        floats = stored.type in FLOATS and prod(stored.sizes) != 1 and name not in self.angles
        tensor = self.constant(stored.sizes, None, stored.type, "parameter" if floats else "constant", name)
        self.stored[id(tensor)] = stored
        if not floats and prod(stored.sizes) <= MOST:
            self.values(tensor)
        return tensor

    def constant(
        self, sizes: Sequence[int], flat: list[Any] | None, type: str, kind: str = "constant", name: str = ""
    ) -> Tensor:
        tensor = Sized(tuple(sizes), kind, name, self.batch, type)
        if flat is not None:
            tensor.value = Values(sizes, flat)
        self.kept.append(tensor)
        self.fixed.add(id(tensor))
        return tensor

    def is_fixed(self, tensor: Tensor) -> bool:
        return id(tensor) in self.fixed

    def values(self, tensor: Tensor | None) -> Values | None:
        """The values of a constant; None if they are not known."""
        if tensor is None:
            return None
        if tensor.value is None and id(tensor) in self.stored:
            flat = self.stored[id(tensor)].values()
            tensor.value = None if flat is None else Values(tensor.shape, list(flat))
        if tensor.value is None and id(tensor) in self.before:
            whole, order = self.before[id(tensor)]
            values = self.values(whole)
            if values is not None and order is not None:
                values = transposed(values, order)
            tensor.value = None if values is None else Values(tensor.shape, values.flat)
        found: Values | None = tensor.value
        return found

    def twin(self, tensor: Tensor, sizes: Sequence[int], how: str = "", order: Sequence[int] | None = None) -> Tensor:
        """A parameter with its numbers in another order; the same one for the same order.

        ``order``: the order of its axes; None where the numbers stay in their order, or are not needed.
        """
        key = (id(tensor), tuple(sizes), how)
        if key not in self.twins:
            kind = tensor.kind if tensor.kind in ("parameter", "buffer") else "constant"
            self.twins[key] = self.constant(sizes, None, tensor.type, kind, tensor.name)
            self.before[id(self.twins[key])] = tensor, order
            if id(tensor) in self.filled:
                self.twins[key].value = Values(sizes, tensor.value.flat)
                self.filled.add(id(self.twins[key]))
        return self.twins[key]

    def foldable(self, tensor: Tensor) -> Values | None:
        """The values of a constant that is no parameter, or that is filled with one number."""
        if tensor.kind == "constant":
            return self.values(tensor)
        return self.values(tensor) if id(tensor) in self.filled else None

    def input(self, at: int) -> Tensor:
        """The tensor of an input of the node; MissingError without it."""
        tensor = self.optional(at)
        if tensor is None:
            raise MissingError(f"input {at + 1} is missing")
        return tensor

    def optional(self, at: int) -> Tensor | None:
        names = self.node.inputs
        return self.tensors[names[at]] if at < len(names) and names[at] else None

    def weight(self, at: int, sizes: Sequence[int] | None = None, kind: str = "parameter") -> Tensor | None:
        """An input of the node that is a weight or, as a ``buffer``, a statistic. ``sizes``: those that it must have."""
        tensor = self.optional(at)
        if tensor is None:
            return None
        if sizes is not None and tensor.shape != tuple(sizes):
            raise MissingError(f"its input {at + 1} has the sizes {tensor.shape}, and not {tuple(sizes)}")
        if not self.is_fixed(tensor) or tensor.kind in (kind, "result"):
            return tensor
        made = self.twin(tensor, tensor.shape, kind)
        made.kind = kind
        return made

    def numbers(self, at: int, attribute: str = "") -> list[Any] | None:
        """The numbers of an input or, in older operator sets, of an attribute; None if it is not given."""
        if attribute and attribute in self.node.attributes:
            given = self.node.attributes[attribute]
            return list(given) if isinstance(given, (list, tuple)) else [given]
        tensor = self.optional(at)
        if tensor is None:
            return None
        values = self.values(tensor)
        if values is None:
            raise MissingError(f"its input {clipped(self.node.inputs[at], 40)!r} depends on the image")
        return values.flat

    def relative(self, tensor: Tensor) -> Tensor:
        """What is added to scores: a mask as a constant, and a bias for every pair of positions as the table of distances
        that it was made of, if it was."""
        sizes = tensor.shape
        if tensor.kind != "parameter" or len(sizes) < 3 or min(sizes[-2:]) < 2:
            return tensor
        *more, heads, queries, keys = sizes
        values = self.values(tensor) if queries == keys or self.is_score() else None
        if values is None:
            return tensor
        if queries == keys and is_mask(values.flat):
            return self.constant(sizes, values.flat, tensor.type)
        if prod(more) != 1:
            return tensor
        if says_nothing(values.flat, heads):
            self.open_tables += self.is_score()
            return tensor
        window = window_of(values.flat, heads, keys) if queries == keys else None
        if window is not None:
            return self.twin(tensor, ((2 * window[0] - 1) * (2 * window[1] - 1), heads), "distances")
        grid = grid_of(values.flat, heads, queries, keys) if self.is_score() else None
        if grid is None:
            return tensor
        table = self.twin(tensor, (heads, grid[0] * grid[1]), "distances")
        chosen = self.constant((queries, keys), places(*grid), "int64")
        found = self.call("index", {"self": table, "indices": [None, chosen]}, (heads, queries, keys))
        return found if not more else self.call("view", {"self": found, "size": list(sizes)}, sizes)

    def is_score(self) -> bool:
        """Whether a soft-max reads the output of the node."""
        return any(name in self.scores for name in self.node.outputs)

    def get(self, name: str, default: Any) -> Any:
        return self.node.attributes.get(name, default)

    def call(self, operator: str, settings: dict[str, Any], shape: Sequence[int]) -> Tensor:
        """The result of a new call."""
        return self.several(operator, settings, [shape])[0]

    def several(self, operator: str, settings: dict[str, Any], shapes: Sequence[Sequence[int]]) -> list[Tensor]:
        """The results of a new call."""
        results = tuple(Sized(tuple(shape), "result", "", self.batch) for shape in shapes)
        made = Call(operator, settings, results, self.path, self.node.type, "")
        self.kept += results
        if all(map(self.is_fixed, made.tensors)):
            self.fixed.update(map(id, results))
        for tensor in made.tensors:
            axis = self.inner.get(id(tensor))
            for result in results if axis is not None else ():
                if axis is not None and len(result.shape) > axis and result.shape[axis] == tensor.shape[axis]:
                    self.inner[id(result)] = axis
        self.calls.append(made)
        return list(results)

    def own_copies(self, node: Node) -> Node:
        """Let each module have its own copy of a parameter that is filled with one number, and so each input of the node.

        PyTorch's newer exporter stores equal tensors once, such as the biases of an untrained network.
        """
        inputs: list[str] = []
        for name in node.inputs:
            stored = self.model.stored.get(name)
            if stored is None or stored.type not in FLOATS or prod(stored.sizes) == 1:
                inputs.append(name)
                continue
            copies = self.copies.setdefault(name, {self.path: self.tensors[name]})
            again = name in inputs
            place = f"{self.path} {len(inputs)}" if again else self.path
            if place not in copies:
                filled = len(set(stored.values() or ())) == 1
                copies[place] = self.of_stored(stored, name) if filled else next(iter(copies.values()))
                self.copied += filled
            inputs.append(f"{name} {len(inputs)}" if again else name)
            self.tensors[inputs[-1]] = copies[place]
        return node._replace(inputs=inputs)

    def run(self, node: Node) -> None:
        """Translate a node. MissingError if it has no counterpart."""
        self.node, self.path = node, path_of(node)
        if node.scope:
            self.node = node = self.own_copies(node)
        found = NODES[node.type](self, node)
        results = found if isinstance(found, list) else [found]
        self.tensors |= dict(zip(filter(None, node.outputs), results, strict=False))
