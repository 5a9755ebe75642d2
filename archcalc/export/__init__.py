"""A network as plain PyTorch source, from the network alone: PyTorch is neither needed nor imported.

``outline`` finds the blocks in a network, ``classes`` those that are built alike, ``parameters`` the numbers in
which these differ, ``forward`` the statements that run them, ``lines`` breaks long ones, and ``file`` puts it together.
"""

from archcalc.export.file import torch_source

__all__ = ["torch_source"]
