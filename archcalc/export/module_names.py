"""The PyTorch code of each layer of a network, and the names of the modules. PyTorch is not needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from keyword import iskeyword
from typing import NamedTuple

from archcalc.errors import ArchcalcError, LayerError
from archcalc.layers import Layer
from archcalc.letters import all_prefixes
from archcalc.network import Network, Node
from archcalc.pytorch.code import ModuleCode, Statements
from archcalc.pytorch.record import records
from archcalc.pytorch.run import unpooled
from archcalc.sizes import Shape

TAKEN = """
T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda default_rois double
dump_patches before eval extra_repr float forward frees get_buffer get_extra_state get_parameter get_submodule half ipu layers
load_state_dict modules mtia named_buffers named_children named_modules named_parameters network outputs
parameters register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook
register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook
register_state_dict_pre_hook regions_read requires_grad_ set_extra_state set_submodule share_memory state_dict to to_empty
train training type xpu zero_grad
"""
"""Names that PyTorch's Module class or the built model already uses."""
_TAKEN = frozenset(TAKEN.split())


def how_written(network: Network, node: Node, over: int | None = None, *, indices: bool = False) -> Statements:
    """The PyTorch code of a node. If ``over`` is given, the node writes in place into this input, which comes first.

    ``indices``: the node is a pooling that also returns the indices of its maxima.
    ArchcalcError with the node's name if PyTorch has no such layer.
    """
    try:
        shapes = tuple(network.nodes[i].shape for i in taken(node, over) if i >= 0)
        code = records[node.layer.type].statements(node.layer, shapes, node.shape, over is not None)
        return _with_indices(code) if indices else code
    except LayerError as error:
        raise ArchcalcError(f"{network.full_name}: {node.name} cannot be built: {error}") from None


def _with_indices(code: Statements) -> Statements:
    assert isinstance(code.layer, ModuleCode)
    arguments = {**code.layer.arguments, "return_indices": True}
    return code._replace(layer=code.layer._replace(arguments=arguments))


def all_written(network: Network, nodes: Sequence[Node]) -> dict[int, Statements]:
    """The PyTorch code of the nodes, by node index. Equal layers share one object."""
    known: dict[tuple[Layer, tuple[Shape, ...], Shape, bool], Statements] = {}
    statements, poolings = {}, unpooled(network)
    for node in nodes:
        key = node.layer, tuple(network.input_shapes(node)), node.shape, node.index in poolings
        if key not in known:
            known[key] = how_written(network, node, indices=key[3])
        statements[node.index] = known[key]
    return statements


class Boxes(NamedTuple):
    """The regions that a model is given: their number in an image, and the number of maps that they read."""

    regions: int
    maps: int

    @property
    def kind(self) -> str:
        """The type of the argument of ``forward``."""
        return "Tensor" if self.maps == 1 else "list[Tensor]"


def boxes_of(network: Network) -> dict[Boxes, str]:
    """The names of the regions that a network's layers read, in the order of the layers."""
    found = list(dict.fromkeys(map(_boxes, filter(_makes_regions, network.running()))))
    many = Counter(boxes.regions for boxes in found)
    names = [
        "rois" if len(found) == 1 else f"rois_{regions}" + f"_of_{maps}" * (many[regions] > 1)
        for regions, maps in found
    ]
    return dict(zip(found, names, strict=True))


def box_value(node: Node, boxes: Iterable[Boxes]) -> tuple[int, ...]:
    """The value of the regions that a layer reads: -1 for the first ones that the model is given, then -2 ...

    Nothing for a layer that makes no regions.
    """
    return (-1 - list(boxes).index(_boxes(node)),) if _makes_regions(node) else ()


def _boxes(node: Node) -> Boxes:
    return Boxes(node.layer.regions, len(node.inputs))


def _makes_regions(node: Node) -> bool:
    return node.layer.makes_regions


def indices_value(pooling: int) -> int:
    """The number of the value that holds the indices of a pooling: negative, and far from other negative numbers."""
    return -1_000_000 - pooling


def taken(node: Node, over: int | None = None) -> tuple[int, ...]:
    """The inputs of a node, in the order of the call. If a sum is written in place into ``over``, ``over`` is first.

    An unpooling takes the indices of its pooling, too (``indices_value``).
    """
    if node.layer.type == "unpool" and node.shares is not None:
        return (*node.inputs, indices_value(node.shares))
    if over is None:
        return tuple(node.inputs)
    at = node.inputs.index(over)
    return (over, *node.inputs[:at], *node.inputs[at + 1 :])


class Paths(NamedTuple):
    """The paths of a network's modules. layers: by the index of the node. blocks: by the name of the block."""

    layers: dict[int, str]
    blocks: dict[str, str]


def module_paths(network: Network) -> Paths:
    """The path of each module: the spec's name, changed if it is no identifier, or if Python or PyTorch uses the name.

    Paths are unique: an underscore is added to a path that exists already.
    """
    names = {node.index: node.name or node.layer.type for node in network.running()}
    paths = Paths({}, {"": ""})
    taken: set[str] = set()

    def free(name: str) -> str:
        around, _, part = name.rpartition(".")
        path = ".".join(filter(None, (paths.blocks[around], identifier(part))))
        while path in taken:
            path += "_"
        taken.add(path)
        return path

    for block in all_prefixes(names.values()):
        paths.blocks[block] = free(block)
    for index, name in names.items():
        paths.layers[index] = free(name)
    return paths


@lru_cache(maxsize=65536)
def identifier(part: str) -> str:
    """A part of a spec's name (between two dots) as the name of a module's attribute.

    Python reads identifiers in normal form NFKC. In classes, Python changes names that begin with two underscores.

    >>> identifier("3x3"), identifier("half"), identifier("__x"), identifier("a-b"), identifier("卷积1"), identifier("x²")
    ('_3x3', 'half_', '_x_', 'a_b', '卷积1', 'x2')
    """
    name = plain(part)
    if name[:1] == "_":
        name = f"_{name.lstrip('_') or 0}"
    elif not name[:1].isidentifier():
        name = f"_{name}"
    private = name.startswith("_") and not name[1:2].isdigit()
    return f"{name}_" if private or iskeyword(name) or name in _TAKEN else name


def plain(text: str) -> str:
    """The text in normal form NFKC. Characters that are not allowed in identifiers become underscores."""
    if not text.isascii():
        from unicodedata import normalize

        text = normalize("NFKC", text)
    return "".join(letter if f"a{letter}".isidentifier() else "_" for letter in text)
