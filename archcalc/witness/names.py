"""What runs of a network as a model, how PyTorch writes it, and what its modules are called; without PyTorch."""

from __future__ import annotations

import re
from keyword import iskeyword

from archcalc.errors import ArchcalcError, LayerError
from archcalc.network import Network, Node
from archcalc.witness.layers import Written, written

TAKEN = """
T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches
eval extra_repr float forward frees get_buffer get_extra_state get_parameter get_submodule half ipu layers
load_state_dict modules mtia named_buffers named_children named_modules named_parameters network outputs
parameters register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook
register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook
register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict to to_empty
train training type xpu zero_grad
"""
"""Names that a module of PyTorch, or the built model, has for itself."""


def how_written(network: Network, node: Node, over: int | None = None) -> Written:
    """The node in PyTorch, which writes over its input from the node ``over``, if there is one.

    ArchcalcError that names the node where PyTorch has no such layer.
    """
    try:
        return written(
            node.layer, tuple(network.input_shapes(node)), node.shape, None if over is None else node.inputs.index(over)
        )
    except LayerError as error:
        raise ArchcalcError(f"{network.name}: {node.name} cannot be built: {error}") from None


def module_paths(network: Network) -> dict[int, str]:
    """The path of each node's module: the node's name, with an underscore where Python or PyTorch takes it."""
    names = {node.index: module_path(node.name or node.layer.type) for node in network.running()}
    blocks = {name[:at] for name in names.values() for at, letter in enumerate(name) if letter == "."}
    taken: set[str] = set()
    for index, path in names.items():
        while path in taken or path in blocks:
            path += "_"
        taken.add(path)
        names[index] = path
    return names


def module_path(name: str) -> str:
    """A name of the spec as a path of attributes.

    >>> module_path("block1.3x3.half")
    'block1._3x3.half_'
    """
    return ".".join(map(_identifier, name.split(".")))


def _identifier(part: str) -> str:
    name = re.sub(r"\W", "_", part)
    name = name if name[:1].isidentifier() else f"_{name}"
    private = name.startswith("_") and not name[1:2].isdigit()
    return f"{name}_" if private or iskeyword(name) or name in TAKEN.split() else name
