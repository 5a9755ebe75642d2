"""How papers and courses count; loaded with the package, so kept few."""

from __future__ import annotations

from archcalc.conventions.convention import Convention, Tally, Term, Use
from archcalc.conventions.counts import (
    ACTIVATIONS,
    ADAPTIVE,
    CONV,
    FREE,
    any_layer,
    biased,
    of,
)
from archcalc.sizes import Int


def _biases(use: Use) -> Int:
    return use.params.bias


def _additions(use: Use) -> Int:
    return use.work.add


def _links(use: Use) -> Int:
    return use.work.add + use.work.mul


def _products(use: Use) -> Int:
    return use.work.mul


PAPERS = (
    Convention(
        "archcalc",
        "parameters are trained weights and biases; a MAC is one product of a weight and an input added to a sum, "
        "1 MAC = 2 FLOP; biases, normalisation, activations and pooling add no MACs",
        "archcalc's documentation, page counting",
        memory_unit=(10**6, "MB", 2),
    ),
    Convention(
        "paper",
        "a multiply-add of a convolution or linear layer is one operation, which papers call a FLOP; no other counts",
        "He et al., Deep residual learning, 2016, Table 1: FLOPs are multiply-adds; so for GoogLeNet, Inception v3, "
        "ResNeXt, DenseNet and MobileNet",
        counts="multiply-adds",
        flops_per_mac=1,
    ),
    Convention(
        "cs231n",
        "parameters are weights without biases; memory is the sum of all volumes that are not overwritten in place",
        "CS231n, Convolutional Networks, VGGNet in detail",
        parameters=Tally(Term("biases", any_layer, _biases, -1)),
        memory_unit=(10**6, "MB", 1),
    ),
    Convention(
        "lecun98",
        "connections: every link between a unit and its inputs, the bias being one of them; fixed codes are not "
        "parameters",
        "LeCun et al., Gradient-based learning applied to document recognition, Proc. IEEE 86(11), 1998, section II.B",
        counts="connections",
        flops_per_mac=None,
        operations=Tally(
            Term("the bias of a unit is a link too", of(*CONV, "linear"), biased),
            Term("links of a pooling unit: its cells, its bias", of("subsample"), _links),
            Term("links of a unit to its code", of("rbf"), _products),
            Term("links of a sum", of("add", "mean", "avg_pool", *ADAPTIVE), _additions),
        ),
        known=frozenset(
            (*CONV, "linear", "subsample", "rbf", "add", "mean", "avg_pool", *ADAPTIVE, *ACTIVATIONS, *FREE)
        ),
        silence="the paper defines links of units that add up their inputs, and has no such layer",
    ),
)
