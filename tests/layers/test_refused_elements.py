"""A layer that refuses arrays says for which elements: those that the layer refuses as single numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from archcalc.errors import LayerError
from archcalc.layers import registry
from archcalc.sizes import Shape

SIZES = range(1, 14)
Case = tuple[str, dict[str, Any], Sequence[Shape]]
CASES: list[tuple[str, Callable[[Any], Case]]] = [
    ("a kernel larger than the map", lambda n: ("conv", {"out": 4, "kernel": 5, "pad": 1}, [Shape(3, (n, 8))])),
    ("groups of the input", lambda n: ("conv", {"out": 12, "kernel": 1, "groups": 4}, [Shape(n, (8, 8))])),
    ("groups of the output", lambda n: ("conv", {"out": n, "kernel": 1, "groups": 4}, [Shape(8, (8, 8))])),
    ("a number below its limit", lambda n: ("conv", {"out": n - 4, "kernel": 1}, [Shape(8, (8, 8))])),
    ("two settings below their limits", lambda n: ("conv", {"out": n - 4, "kernel": 8 - n}, [Shape(8, (8, 8))])),
    ("unlike padding", lambda n: ("conv", {"out": 1, "kernel": 3, "pad": [[1, n], [1, 1]], "pad_mode": "reflect"}, [Shape(8, (8, 8))])),
    ("reflected beyond the map", lambda n: ("pad", {"by": n, "mode": "reflect"}, [Shape(8, (7, 5))])),
    ("padding as wide as the kernel", lambda n: ("max_pool", {"kernel": n, "stride": 1, "pad": 3}, [Shape(8, (16, 16))])),
    ("sums of unlike channels", lambda n: ("add", {}, [Shape(4, (8, 8)), Shape(n, (8, 8))])),
    ("sums of unlike maps", lambda n: ("add", {"unequal": True}, [Shape(4, (12, n)), Shape(4, (6, 2))])),
    ("joined maps of unlike sizes", lambda n: ("concat", {}, [Shape(4, (8, n)), Shape(n, (8, 8))])),
    ("heads", lambda n: ("attention", {"heads": n}, [Shape(12, (16,))] * 3)),
    ("unlike keys and values", lambda n: ("attention", {"heads": 1}, [Shape(12, (9,)), Shape(12, (n,)), Shape(12, (9,))])),
    ("queries and keys of unlike channels", lambda n: ("attention", {"heads": 1}, [Shape(n, (9,)), Shape(6, (9,)), Shape(6, (9,))])),
    ("unlike axes", lambda n: ("attention", {"heads": 1}, [Shape(6, (n, 9)), Shape(6, (4, 9)), Shape(6, (4, 9))])),
    ("matrices that do not fit", lambda n: ("matmul", {}, [Shape(3, (8, n)), Shape(3, (7, 5))])),
    ("unlike matrices", lambda n: ("matmul", {}, [Shape(n, (8, 7)), Shape(3, (7, 5))])),
    ("windows", lambda n: ("windows", {"size": 4}, [Shape(3, (n, 8))])),
    ("windows that are not square", lambda n: ("from_windows", {"size": [6, 6]}, [Shape(3, (4, n))])),
    ("a crop to a larger map", lambda n: ("crop", {"size": n}, [Shape(3, (6, 8))])),
    ("a crop of everything", lambda n: ("crop", {"by": n}, [Shape(3, (12, 8))])),
    ("a part that is not there", lambda n: ("slice", {"start": 3, "stop": n}, [Shape(7, (2, 2))])),
    ("an expansion of larger maps", lambda n: ("expand", {"size": 6}, [Shape(3, (n, n))])),
    ("groups of one value", lambda n: ("group_norm", {"groups": 4}, [Shape(4, (n, 1))])),
    ("channels of one value", lambda n: ("instance_norm", {}, [Shape(4, (n, 1))])),
    ("an even range", lambda n: ("lrn", {"size": n, "axis": "positions"}, [Shape(4, (8, 8))])),
    ("nothing left", lambda n: ("conv_transpose", {"out": 2, "kernel": 2, "stride": 1, "pad": 4}, [Shape(4, (n, 12))])),
    ("output padding", lambda n: ("conv_transpose", {"out": 2, "kernel": 8, "stride": 4, "output_pad": n}, [Shape(4, (9, 12))])),
    ("limits of hard_tanh", lambda n: ("hard_tanh", {"min": 5, "max": n}, [Shape(4, (9, 12))])),
]  # fmt: skip


def refused(case: Case) -> LayerError | None:
    name, settings, inputs = case
    try:
        registry[name](**settings).shape(*inputs)
    except LayerError as error:
        return error
    return None


@pytest.mark.parametrize(("name", "case"), CASES, ids=[name for name, _ in CASES])
def test_the_elements_are_those_that_are_refused_alone(name, case):
    alone = [n for n in SIZES if refused(case(n))]
    assert 0 < len(alone) < len(SIZES)
    left, found = np.array(SIZES, dtype="int64"), list[int]()
    while error := refused(case(left)):  # an error names the elements of one check, and other checks come later
        where = np.broadcast_to(error.where, left.shape)
        assert where.any()
        found += left[where].tolist()
        left = left[~where]
    assert sorted(found) == alone
