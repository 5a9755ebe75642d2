"""Lists of positions, as in ``x[:, [2, 1, 0]]``, as constants with values.

PyTorch makes a tensor of such a list on the device of the map before any operator is called. On the meta device the
tensor would have no values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


class ListsAsTensors(TorchFunctionMode):
    """Inside the ``with`` block, a list of whole numbers that chooses positions is a tensor on the CPU."""

    def __torch_function__(self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        if func is torch.Tensor.__getitem__:
            index = args[1]
            several = tuple(map(_tensor, index)) if isinstance(index, tuple) else _tensor(index)
            args = (args[0], several)
        return func(*args, **(kwargs or {}))


def _tensor(index: Any) -> Any:
    whole = isinstance(index, list) and index and all(type(one) is int for one in index)
    return torch.tensor(index) if whole else index
