"""The layout of the CS231n course notes: one line per volume, with the products written out.

CS231n, Convolutional Networks, section "VGGNet in detail". The course's total for VGG-16 (24M values, 93MB in the
notes, 96MB on the slides) is not the sum of its rows; see docs/counting.md.
"""

from __future__ import annotations

from archcalc.analysis import Analysis
from archcalc.analysis.rows import Row
from archcalc.errors import ArchcalcError, visible
from archcalc.layers.base import per_axis
from archcalc.layers.convolution import CONVOLUTIONS, Conv
from archcalc.layers.dense import Linear
from archcalc.layers.windowed import Windowed
from archcalc.network import Network, Node
from archcalc.report.footer import COURSE_VALUES, incomplete_lines
from archcalc.report.header import layer_header
from archcalc.sizes import Shape
from archcalc.units import BYTES, COUNTS, unit_for


def course_notes(analysis: Analysis) -> str:
    """The analysis in the layout of the course: volumes in new storage, their sizes and their weights."""
    if analysis.batch != 1:
        raise ArchcalcError(f"the notes format is per image; it needs batch 1, got {analysis.batch}")
    lines = [f"# {visible(line)}" for line in layer_header(analysis).lines()]
    t, size = analysis.totals, analysis.itemsize
    word = "weights" if t.params == t.weights else "params"
    lines += [_line(row, analysis, word) for row in analysis.rows if row.values is not None]
    lines += [
        "",
        f"TOTAL memory: {t.values:,} * {size} bytes = {_bytes(t.values * size)} / image (only forward! ~*2 for bwd)",
    ]
    if t.values == COURSE_VALUES:
        twice = t.values + t.conv_inputs
        lines.append(
            f"TOTAL memory with a second copy of every CONV's input: {twice:,} * {size} bytes = "
            f"{_bytes(twice * size)} / image"
        )
    lines.append(f"TOTAL params: {t.params:,} parameters")
    if not analysis.convention.parameters.is_own:
        lines += [f"# {line}" for line in incomplete_lines(analysis.convention, t.unknown_types)]
    if t.values == COURSE_VALUES:
        lines += [
            "",
            "# The course prints 24M * 4 bytes ~= 93MB for this table (96MB on its slides). Its rows add up to the first sum.",
            "# The second sum gives both printed figures. That the course computed it is a conjecture.",
        ]
    return "\n".join(lines) + "\n"


def _line(row: Row, analysis: Analysis, word: str) -> str:
    assert row.node is not None
    x = row.node.shape
    volume = [*x.axes, x.channels] if x.axes else [1, 1, x.channels]
    factors = "*".join(map(str, [*x.axes, x.channels]))
    count = f"{factors}={short(x.values)}" if x.axes else factors
    weights = _weights(row, row.node, analysis)
    return f"{_label(row.node)}: [{'x'.join(map(str, volume))}]  memory:  {count}   {word}: {weights}"


def _label(node: Node) -> str:
    layer = node.layer
    if isinstance(layer, Windowed):
        kernel = "x".join(map(str, layer.kernel)) if isinstance(layer.kernel, tuple) else str(layer.kernel)
        return f"CONV{kernel}-{node.shape.channels}" if isinstance(layer, CONVOLUTIONS) else f"POOL{kernel}"
    return {"linear": "FC", "lrn": "NORM"}.get(layer.type, layer.type.upper())


def _weights(row: Row, node: Node, analysis: Analysis) -> str:
    if row.shared:
        return f"those of {row.shared}"
    layer, count = node.layer, row.param_count
    if isinstance(layer, Conv) and count == row.params.weight:
        sides = per_axis(layer.kernel, node.shape, "kernel")
        factors = "*".join(map(str, [*sides, row.inputs[0].channels // layer.groups]))
        return f"({factors})*{node.shape.channels} = {count:,}"
    if isinstance(layer, Linear) and count == row.params.weight:
        x = _before_flatten(node, analysis.network)
        return f"{'*'.join(map(str, [*x.axes, x.channels]))}*{node.shape.channels} = {count:,}"
    return f"{count:,}"


def _before_flatten(node: Node, network: Network) -> Shape:
    """The shape of a linear layer's input before flattening. Layers that write in place are skipped."""
    while True:
        node = network.nodes[node.inputs[0]]
        if node.storage == "new":
            return node.shape


def short(n: int) -> str:
    """A count in the course's short form: two digits and K or M. Below ten thousand: all digits.

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
