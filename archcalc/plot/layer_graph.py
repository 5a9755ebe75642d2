"""The graph of layers, with a box around every block, laid out by Graphviz."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Unpack

from graphviz import Digraph, ExecutableNotFound, escape, nohtml
from graphviz.backend import CalledProcessError

from archcalc.analysis import Analysis
from archcalc.errors import ArchcalcError
from archcalc.layers import Layer
from archcalc.layers.region import output_text
from archcalc.layers.windowed import Windowed
from archcalc.plot import labels, style
from archcalc.plot.colours import BLUE, BOX, DARK, INK, INNER_BOX, RED, WHITE
from archcalc.plot.folding import BLOCK, Item, finest, folded_graph
from archcalc.plot.folding import runs as joined_runs
from archcalc.plot.fonts import FIRST
from archcalc.plot.look import Look, Looks
from archcalc.plot.look import look as checked_look
from archcalc.plot.volumes import COLOURS
from archcalc.sizes import Shape
from archcalc.units import count_text, counted

MOST, LONGEST = 90, 40
"""Maximum number of nodes (MOST), and of nodes on one path (LONGEST). A larger network is folded by block."""

NODE = {
    "shape": "box",
    "style": "filled",
    "fontname": FIRST,
    "fontsize": str(labels.SIZE),
    "margin": "0.06,0.03",
    "height": "0.1",
    "width": "0.3",
    "penwidth": "0.6",
}
EDGE = {"arrowsize": "0.4", "penwidth": "0.6"}
GRAPH = {
    "fontname": FIRST,
    "fontsize": str(labels.SIZE),
    "nodesep": "0.12",
    "ranksep": "0.16",
    "labelloc": "b",
    "labeljust": "l",
    "newrank": "true",
    "ordering": "out",
    "pad": "0.05",
}


def graph(analysis: Analysis, depth: int | None = None, **look: Unpack[Looks]) -> Digraph:
    """The graph as a graphviz.Digraph: one node for each layer with its activations, or for each folded block.

    Blocks that are nested deeper than ``depth`` are folded. Without ``depth``, archcalc takes the finest folding with
    at most MOST nodes and LONGEST nodes on a path. Consecutive equal blocks are one node. ``width``: maximum width in
    inches; a wider graph is scaled down. ``.source`` is the text for Graphviz, ``.pipe("svg")`` gives the picture.
    ArchcalcError for a depth below 1.
    """
    choices, items = checked_look(look), _items(analysis, depth)
    paint = _Paint(choices)
    with style.applied(written=style.characters(choices.title, analysis)):
        title = labels.wrapped(labels.one_line(choices.title), choices.width)
        lines = labels.wrapped(caption(analysis), choices.width) if choices.caption else []
    drawing = Digraph(
        "layers",
        graph_attr={**GRAPH, "bgcolor": paint.ground, "fontcolor": paint(INK)},
        node_attr={**NODE, "color": paint(INK)},
        edge_attr={**EDGE, "color": paint(INK)},
    )
    if "width" in look:
        drawing.attr(size=f"{choices.width},200")
    with drawing.subgraph(name="cluster_title") as titled:
        titled.attr(label="".join(f"{_text(line)}\\n" for line in title))
        titled.attr(labelloc="t", labeljust="c", fontsize=str(labels.SIZE + 1), peripheries="0", margin="0")
        _nodes(titled if choices.title else drawing, items, list(range(len(items))), 0, paint)
    users = Counter(source for item in items for source in item.inputs)
    for at, item in enumerate(items):
        for source in item.inputs:  # branches of different lengths start next to each other
            drawing.edge(str(source), str(at), weight="2" if users[source] > 1 else "1")
    drawing.attr(label="".join(f"{_text(line)}\\l" for line in lines))
    return drawing


def caption(analysis: Analysis) -> str:
    """The caption of the graph."""
    return f"Layer graph of {labels.about_counts(analysis)}"


class _Paint:
    """Translates each colour for the background of the picture."""

    def __init__(self, look: Look) -> None:
        self._dark = look.dark
        self.ground = "transparent" if look.transparent else self(WHITE)

    def __call__(self, colour: str) -> str:
        return DARK.get(colour, colour) if self._dark else colour


def piped(drawing: Digraph, format: str, title: str = "Layer graph") -> bytes:
    """The picture as the bytes of a file. ``title``: for SVG. ArchcalcError if Graphviz is not installed or fails."""
    if format == "png":
        drawing.attr(dpi="200")
    try:
        content: bytes = drawing.pipe(format)
    except ExecutableNotFound:
        raise ArchcalcError(
            "the graph needs the program dot of Graphviz, which was not found: apt-get install graphviz, "
            "brew install graphviz, or see graphviz.org/download"
        ) from None
    except CalledProcessError as error:
        reason = (error.stderr or b"").decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise ArchcalcError(f"Graphviz could not draw the graph: {reason[-1]}") from None
    if format == "pdf":  # cairo writes the creation time into a PDF
        return re.sub(rb"(/CreationDate \(D:)\d{14}", rb"\g<1>19700101000000", content)
    if format == "png":
        return content
    return style.tidy(content.decode(), title).encode()


def _items(analysis: Analysis, depth: int | None) -> list[Item]:
    if depth is None:
        return finest(analysis, MOST, _folded, LONGEST)
    if depth < 1:
        raise ArchcalcError(f"depth must be at least 1, got {depth}")
    return _folded(analysis, depth)


def _folded(analysis: Analysis, depth: int) -> list[Item]:
    return joined_runs(folded_graph(analysis, depth, alone=True))


def _nodes(into: Digraph, items: Sequence[Item], places: Sequence[int], level: int, paint: _Paint) -> None:
    """Add the items in nested boxes, one for each block. Last item first: Graphviz puts the last box at the left."""
    runs = groupby(reversed(places), lambda at: items[at].scopes[level] if len(items[at].scopes) > level else None)
    for scope, run in runs:
        inside = list(run)[::-1]
        if scope is None:
            for at in reversed(inside):
                colour = COLOURS[items[at].sort]
                text = WHITE if colour in (BLUE, RED) else INK
                into.node(str(at), _label(items[at]), fillcolor=colour, fontcolor=text)
            continue
        with into.subgraph(name=f"cluster_{level}_{inside[0]}") as box:
            box.attr(
                label=nohtml(_text(labels.one_line(scope, 40))),
                labelloc="t",
                style="filled",
                fillcolor=paint(INNER_BOX if level % 2 else BOX),
                fontcolor=paint(INK),
                color=paint(INK),
                penwidth="0.4",
                margin="6",
            )
            _nodes(box, items, inside, level + 1, paint)


def _label(item: Item) -> str:
    """The label of a node in three lines: the name; the layers; the output and the parameters."""
    count, params = len(item.rows), sum(row.param_count for row in item.rows)
    node = item.rows[0].node
    if item.sort == BLOCK and item.repeats > 1 and count % item.repeats == 0:
        what = f"{item.repeats} × {counted(count // item.repeats, 'layer')}"
    elif item.sort == BLOCK or node is None:
        what = counted(count, "layer")
    else:
        what = " · ".join([_described(node.layer, item.shape), *(row.type for row in item.rows[1:])])
    output = output_text(item.shape, item.rows[-1].regions).replace("x", "×") + (
        f" · {count_text(params)} params" if params else ""
    )
    lines = (_name(item), what, output) if _name(item) != what else (what, output)
    return "\\n".join(map(_text, lines))


def _text(text: str) -> str:
    """The text with the escapes that a label of dot needs: dot interprets backslashes and entities."""
    return str(escape(text.replace("&", "&amp;")))


def _name(item: Item) -> str:
    """The name without the names of the blocks around the item. Each box has its block's name."""
    parts = item.name.split(".")
    while len(parts) > 1 and parts[0] in item.scopes:
        del parts[0]
    return labels.one_line(".".join(parts), 40)


def _described(layer: Layer, output: Shape) -> str:
    """The type of a layer, with its window and stride if the layer has a window."""
    if not isinstance(layer, Windowed):
        return layer.type
    stride = "" if layer.stride == 1 else f" / {layer.stride}".replace(", ", "×").strip("()")
    return f"{layer.type} {_sizes(layer.kernel, output)}{stride}"


def _sizes(value: Any, output: Shape) -> str:
    return labels.size_text(value if isinstance(value, tuple) else [value] * len(output.axes))
