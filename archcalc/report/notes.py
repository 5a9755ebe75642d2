"""The layout of the CS231n course notes: one line per volume, with the products written out.

CS231n, Convolutional Networks, section "VGGNet in detail". The course's total for VGG-16 (24M values,
93MB in the notes, 96MB on the slides) is not the sum of its rows; see the page on counting.
"""

from __future__ import annotations

from archcalc.analysis import Analysis, Row
from archcalc.errors import ArchcalcError
from archcalc.layers.convolution import CONVOLUTIONS
from archcalc.layers.windowed import Windowed
from archcalc.report.layers import header
from archcalc.report.units import BYTES, COUNTS, unit_for
from archcalc.sizes import Shape


def notes(analysis: Analysis) -> str:
    """The analysis as the course prints it: volumes that are held, their size, their weights."""
    if analysis.batch != 1:
        raise ArchcalcError(f"the notes format is per image; it needs batch 1, got {analysis.batch}")
    lines = [f"# {line}" for line in header(analysis)]
    lines += [_line(row, analysis) for row in analysis.rows if row.values is not None]
    t, size = analysis.totals, analysis.itemsize
    kept = t.values + t.conv_inputs
    lines += [
        "",
        f"TOTAL memory: {t.values:,} * {size} bytes = {_bytes(t.values * size)} / image (only forward! ~*2 for bwd)",
        f"TOTAL memory with the input of every CONV kept once more: {kept:,} * {size} bytes = {_bytes(kept * size)} / image",
        f"TOTAL params: {t.params:,} parameters",
        "",
        "# The course prints 24M * 4 bytes ~= 93MB for VGG-16 (96MB on its slides); its rows sum to 15,237,608 values.",
        "# The second total is an accounting that yields both printed figures. That it is theirs is a conjecture.",
    ]
    return "\n".join(lines) + "\n"


def _line(row: Row, analysis: Analysis) -> str:
    volume = [*row.shape.axes, row.shape.channels] if row.shape.axes else [1, 1, row.shape.channels]
    factors = "*".join(map(str, [*row.shape.axes, row.shape.channels]))
    held = f"{factors}={short(row.shape.values)}" if row.shape.axes else factors
    return f"{_label(row)}: [{'x'.join(map(str, volume))}]  memory:  {held}   weights: {_weights(row, analysis)}"


def _label(row: Row) -> str:
    layer = row.node.layer if row.node else None
    if isinstance(layer, Windowed):
        kernel = "x".join(map(str, layer.kernel)) if isinstance(layer.kernel, tuple) else str(layer.kernel)
        return f"CONV{kernel}-{row.shape.channels}" if isinstance(layer, CONVOLUTIONS) else f"POOL{kernel}"
    return {"linear": "FC", "lrn": "NORM"}.get(row.type, row.type.upper())


def _weights(row: Row, analysis: Analysis) -> str:
    if row.shared:
        return f"those of {row.shared}"
    count = row.param_count
    if row.type == "conv" and count == row.params.weight:
        layer = row.node.layer if row.node else None
        fan_in = row.inputs[0].channels // getattr(layer, "groups", 1)
        kernel = getattr(layer, "kernel", 1)
        sides = kernel if isinstance(kernel, tuple) else (kernel,) * len(row.shape.axes)
        return f"({'*'.join(map(str, sides))}*{fan_in})*{row.shape.channels} = {count:,}"
    if row.type == "linear" and count == row.params.weight:
        x = _before_flatten(row, analysis)
        return f"{'*'.join(map(str, [*x.axes, x.channels]))}*{row.shape.channels} = {count:,}"
    return f"{count:,}"


def _before_flatten(row: Row, analysis: Analysis) -> Shape:
    """The shape that a linear layer's input had before layers that only pass its values on as a vector."""
    assert row.node is not None
    nodes = analysis.network.nodes
    node = nodes[row.node.inputs[0]]
    while node.layer.type in ("dropout", "relu"):
        node = nodes[node.inputs[0]]
    return nodes[node.inputs[0]].shape if node.layer.type == "flatten" else row.inputs[0]


def short(n: int) -> str:
    """A count as the course abbreviates it: two digits and K or M, in full below ten thousand.

    >>> short(150_528), short(3_211_264), short(802_816), short(4096)
    ('150K', '3.2M', '800K', '4096')
    """
    if n < 10_000:
        return str(n)
    rounded = int(float(f"{n:.1e}"))
    size, unit = unit_for([rounded], COUNTS)
    return f"{rounded / size:g}{unit}"


def _bytes(n: int) -> str:
    size, unit = unit_for([n], BYTES)
    return f"{n / size:.1f}{unit}"
