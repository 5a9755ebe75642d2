"""Real models and real tools, to hold the engine's numbers against; the only room that imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archcalc.errors import ArchcalcError
from archcalc.network import Network

if TYPE_CHECKING:
    from archcalc.witness.built import Built


def build(network: Network, device: str = "cpu") -> Built:
    """The network as a ``torch.nn.Module`` with the spec's names, on a device, with weights drawn as PyTorch does.

    It takes images of shape (batch, channels, *axes) and returns the output; in training mode a tuple of it
    and the side heads' outputs, where there are some. Layers that may overwrite their input do. On the
    ``meta`` device nothing takes memory. ArchcalcError when torch is missing, or when PyTorch lacks a layer.
    """
    try:
        import torch
    except ImportError:
        raise ArchcalcError("building a model needs torch: pip install 'archcalc[torch]'") from None
    from archcalc.memory.lifetime import overwritten
    from archcalc.witness.built import Built

    with torch.device(device):
        return Built(network, overwritten(network))
