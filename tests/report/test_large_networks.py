"""What takes a walk for every convention, size or page is refused in a sentence for networks of many layers."""

from __future__ import annotations

import time

import pytest

from archcalc.errors import ArchcalcError
from archcalc.pages.page import page
from archcalc.report.evidence import Evidence
from archcalc.report.explain import explain_table
from tests.report.tables import memory_table

MANY = "input: [3, 16, 16]\nlayers:\n  - {relu: , repeat: 20000}\n"


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (lambda net: explain_table(net), "20,000 layers; all tools are shown side by side up to 6,000"),
        (lambda net: page(net, Evidence(), ()), "a page shows up to 6,000"),
        (
            lambda net: memory_table(net, fit="1GiB", batch=2),
            "20,000 layers; the largest input is searched for up to 8,000",
        ),
    ],
)
def test_refused_at_once(spec, run, said):
    net = spec(MANY)
    start = time.process_time()
    with pytest.raises(ArchcalcError, match=said):
        run(net)
    assert time.process_time() - start < 4


def test_one_tool_alone_is_explained(spec):
    assert explain_table(spec(MANY), "fvcore").rows


def test_a_memory_that_repeats_after_many_pixels_is_not_searched(spec):
    """With ``same`` padding and steps of 97, 89 and 83 the zeros are as before after 97 * 89 * 83 pixels."""
    text = "input: [3, 64, 64]\nlayers:\n" + "".join(
        f"  - conv: {{out: 4, kernel: 3, stride: {s}, pad: same}}\n" for s in (97, 89, 83)
    )
    start = time.process_time()
    with pytest.raises(ArchcalcError, match="only 716539 pixels on"):
        memory_table(spec(text), fit="1GiB", batch=1)
    assert time.process_time() - start < 5
