"""The counting rule of most papers since 2015: a multiply-add is one operation, with the name FLOP."""

from __future__ import annotations

from archcalc.conventions.convention import Convention

CONVENTIONS = (
    Convention(
        "paper",
        "a multiply-add of a convolution or linear layer is one operation, which papers call a FLOP",
        "He et al., Deep residual learning, 2016, Table 1: FLOPs are multiply-adds; so for GoogLeNet, Inception v3, "
        "ResNeXt, DenseNet and MobileNet",
        operations_name="multiply-adds",
        flops_per_mac=1,
        more="nothing else counts",
    ),
)
