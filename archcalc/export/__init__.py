"""A network as plain PyTorch source. PyTorch is neither needed nor imported.

``outline`` finds the blocks of a network. ``classes`` finds blocks of equal structure. ``parameters`` finds the numbers
in which such blocks differ. ``forward`` writes the statements of a block. ``lines`` breaks long lines. ``file`` writes
the whole file.
"""

from archcalc.export.file import torch_source

__all__ = ["torch_source"]
