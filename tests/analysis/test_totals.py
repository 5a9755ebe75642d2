"""Totals of networks, without their rows: what the rows add up to."""

from __future__ import annotations

import numpy as np
import pytest

from archcalc import load
from archcalc.analysis import prepared
from archcalc.analysis.totals import sum_rows
from tests.nets import network

SHARED = network("""
input: [3, 16, 16]
blocks:
  head:
    layers:
      - conv: {out: 8, kernel: 3, pad: 1}
      - batch_norm
layers:
  - conv: {out: 8, kernel: 3, pad: 1}
    trained: false
  - {head: , name: first}
  - {head: , name: second, weights: first}
  - side:
      - conv: {out: 4, kernel: 1}
  - conv: {out: 8, kernel: 3, pad: 1}
  - conv: {out: 8, kernel: 3, pad: 1}
""")


@pytest.mark.parametrize("net", ["googlenet", "densenet_cifar_40_12", "mobilenet_v3_small", "swin_t", SHARED], ids=str)
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("convention", ["archcalc", "fvcore", "thop"])
def test_totals_are_the_sums_over_rows(net, training, convention) -> None:
    analysis = prepared(load(net) if isinstance(net, str) else net, None, 3, "float32", convention, training)
    totals = analysis.totals
    assert "all_rows" not in vars(analysis)
    assert totals == sum_rows(analysis.rows, analysis.convention)


def test_shared_and_frozen_parameters() -> None:
    """The frozen layer has 3 * 9 * 8 + 8, each other convolution 8 * 9 * 8 + 8, the normalisation 16; the side head 36."""
    assert prepared(SHARED).totals.params == 224 + 584 + 16 + 2 * 584
    assert prepared(SHARED).totals.frozen == 224
    assert prepared(SHARED, training=True).totals.params == 224 + 584 + 16 + 2 * 584 + 36


def test_totals_of_arrays_are_those_of_single_sizes() -> None:
    sizes, batches = np.array([8, 9, 30]), np.array([[1], [4]])
    totals = prepared(SHARED, (3, sizes, 16), batches).totals
    for i, batch in enumerate(batches.ravel().tolist()):
        for j, size in enumerate(sizes.tolist()):
            single = prepared(SHARED, (3, size, 16), batch).totals
            for name in ("params", "macs", "values", "conv_inputs", "frozen"):
                assert np.broadcast_to(getattr(totals, name), (2, 3))[i, j] == getattr(single, name)


def test_numbers_that_are_kept_are_those_of_the_batch_and_the_convention() -> None:
    """The numbers of a layer serve all networks of its family, at one batch and under one convention."""
    found = {
        (batch, convention): prepared(load("lenet5"), None, batch, "float32", convention).totals.macs
        for convention in ("archcalc", "cs231n")
        for batch in (1, 2, 1)
    }
    assert found[1, "archcalc"] == 325_680
    assert found[2, "archcalc"] == 2 * 325_680
