"""Measures archcalc's numbers on real models and with real tools. Only this package imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archcalc.errors import ArchcalcError
from archcalc.network import Network

if TYPE_CHECKING:
    from archcalc.witness.built import Built


def build(network: Network, device: str = "cpu") -> Built:
    """The network as a ``torch.nn.Module`` with the spec's names, on a device, with PyTorch's random weights.

    The module takes images of shape (batch, channels, *axes), one tensor for each input, and returns the output. The
    module returns a tuple if the network has several outputs, or if side heads run (in training mode). Layers write in place if they can. On the
    ``meta`` device, tensors take no memory. ArchcalcError if torch is missing, or if PyTorch lacks a layer.
    """
    try:
        import torch
    except ImportError:
        raise ArchcalcError("building a model needs torch: pip install 'archcalc[torch]'") from None
    from archcalc.memory.lifetime import overwritten
    from archcalc.witness.built import Built

    network.need_single("a model of PyTorch")
    with torch.device(device):
        return Built(network, overwritten(network))
