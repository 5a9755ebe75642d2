"""Units that read the padding alone along one axis see no pixel, so their field along another axis is a bound."""

from __future__ import annotations

import pytest

from archcalc.field.node_fields import node_fields
from archcalc.language.expand import expand
from archcalc.language.zoo import read_text
from archcalc.witness.gradients import support

ROWS = "{attention: {heads: 1, queries: [], keys: [], values: []}}"
FIRST_COLUMN = "{attention: {heads: 1, queries: [{slice: {stop: 1, axis: last}, name: query}], keys: [], values: []}}"


@pytest.mark.parametrize(
    ("layers", "name", "exact"),
    [
        # Rows of the padding: attention along the width has read all columns, but of no row.
        (f"{ROWS}, {{pad: {{by: [[2, 0], 0]}}}}, {{slice: {{stop: 2, axis: height}}, name: query}}", "query", False),
        (f"{ROWS}, {{pad: {{by: [[2, 0], 0]}}}}, {{slice: {{stop: 3, axis: height}}, name: query}}", "query", True),
        # Every third row of 2 + 3 + 1 rows: row -2 and row 1.
        (f"{ROWS}, {{pad: {{by: [[2, 1], 0]}}}}, {{subsample: {{kernel: 1, stride: 3}}, name: query}}", "query", True),
        # Every fifth row of 1 + 3 + 2 rows: row -1 and row 4, both of the padding.
        (f"{ROWS}, {{pad: {{by: [[1, 2], 0]}}}}, {{subsample: {{kernel: 1, stride: 5}}, name: query}}", "query", False),
        # A class token has read nothing before attention; then it has read everything.
        (f"global_avg_pool, class_token, {FIRST_COLUMN}", "query", False),
        (f"global_avg_pool, {{class_token: {{tokens: 2}}}}, {FIRST_COLUMN}, {{identity: , name: end}}", "end", True),
    ],
)
def test_a_field_without_pixels_is_a_bound(layers: str, name: str, exact: bool) -> None:
    network = expand(read_text(f"input: [2, 3, 3]\nlayers: [{layers}]\n", "spec.yaml", "spec"), "spec")
    (node,) = (node for node in network.nodes if node.name.endswith(name))
    field = node_fields(network, gates=True)[node.index]
    axis = 0 if "token" in layers else 1
    assert field[axis].field.whole
    assert field[axis].exact == exact
    if not exact:
        assert support(network, axis, [node.index]) == {node.index: None}
