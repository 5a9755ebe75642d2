"""An analysis over arrays shows a summary: what varies, and from where to where the totals go."""

from __future__ import annotations

import pytest

from archcalc import load

np = pytest.importorskip("numpy")

SIZES, BATCHES = np.array([[64], [128], [224]]), np.array([1, 8])


@pytest.mark.parametrize(
    ("settings", "given", "first", "varies"),
    [
        (
            {},
            {"input": (3, SIZES, SIZES), "batch": BATCHES},
            "VGG D (vgg16): 6 sizes at once, in arrays of shape 3x2",
            {"input height: 64 to 224, shape 3x1", "input width: 64 to 224, shape 3x1", "batch: 1 to 8, shape 2"},
        ),
        (
            {},
            {"batch": BATCHES},
            "VGG D (vgg16): 2 sizes at once, in arrays of shape 2",
            {"batch: 1 to 8, shape 2", "parameters: 138,357,544"},
        ),
        (
            {"classes": np.array([10, 1000])},
            {},
            "VGG D (vgg16): 2 sizes at once, in arrays of shape 2",
            {"classes: 10 to 1,000, shape 2", "parameters: 134,301,514 to 138,357,544"},
        ),
    ],
)
def test_a_summary_of_arrays(settings, given, first, varies):
    """With 10 classes the last layer has 990 * (4096 + 1) = 4,056,030 parameters less."""
    analysis = load("vgg16", **settings).analyze(**given)
    lines = str(analysis).splitlines()
    assert lines[0] == first
    assert varies <= set(lines)
    macs = analysis.totals.macs
    low, high = (int(macs.min()), int(macs.max())) if hasattr(macs, "min") else (macs, macs)
    assert f"MACs: {low:,}" + (f" to {high:,}" if high > low else "") in lines
    assert analysis._repr_html_().count("<p>") == len(lines)


def test_the_range_is_that_of_single_sizes():
    network = load("vgg16")
    low, high = (network.analyze(input=(3, n, n), batch=b).totals for n, b in ((64, 1), (224, 8)))
    lines = str(network.analyze(input=(3, SIZES, SIZES), batch=BATCHES)).splitlines()
    assert f"MACs: {low.macs:,} to {high.macs:,}" in lines
    assert any(f" {low.values:,} to {high.values:,} values" in line for line in lines)


def test_single_sizes_show_a_table():
    analysis = load("lenet5").analyze()
    assert "params [K]" in str(analysis)
    assert "<table>" in analysis._repr_html_()
