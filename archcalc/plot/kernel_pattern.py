"""A stack of small kernels against one large kernel with the same field: parameters over channels."""

from __future__ import annotations

from typing import Unpack

from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator

from archcalc.analysis import analyze
from archcalc.errors import ArchcalcError
from archcalc.layers.convolution import Conv
from archcalc.network import Network
from archcalc.plot import style
from archcalc.plot.look import Looks
from archcalc.sizes import Shape
from archcalc.units import COUNTS

CHANNELS = tuple(range(32, 513, 32))
MOST = 4
"""Maximum number of kernels in a stack. With more lines, a reader could not distinguish the lines."""


def pattern(kernel: int = 3, stack: int = 3, ax: Axes | None = None, **look: Unpack[Looks]) -> Axes:
    """Parameters of stacks of 2 to ``stack`` convolutions, and of single convolutions with the same fields.

    ``kernel``: kernel size in a stack. Every convolution has C input and output channels, stride 1 and no bias, as in
    Simonyan and Zisserman 2015, section 2.3. There, three 3×3 convolutions have a 7×7 field and 27 C² parameters, and
    one 7×7 convolution has 49 C² parameters.
    """
    if kernel < 2 or kernel % 2 == 0 or kernel > 31:
        raise ArchcalcError(f"kernel must be odd, from 3 to 31, got {kernel}")
    if not 2 <= stack <= MOST:
        raise ArchcalcError(f"stack must be from 2 to {MOST}, got {stack}")
    with style.page(ax, look) as page:
        ax = page.axes(2.6)
        most = 0
        for nth, depth in enumerate(range(2, stack + 1)):
            field = depth * (kernel - 1) + 1
            colour, _, marker = style.LINES[nth]
            for many, size, dash in ((depth, kernel, "-"), (1, field, "--")):
                params = [_stacked(channels, many, size)[0] for channels in CHANNELS]
                most = max(most, *params)
                pixels = _stacked(1, many, size)[1]
                label = f"{many} of {size}×{size}: field {pixels}×{pixels}, {many * size * size} C²"
                ax.plot(
                    CHANNELS,
                    params,
                    color=colour,
                    linestyle=dash,
                    marker=marker,
                    markevery=(3, 4),
                    markerfacecolor=colour if many > 1 else "white",
                    label=label,
                )
        _, unit, formatter = style.scaled_axis([most], COUNTS)
        ax.yaxis.set_major_formatter(formatter)
        ax.xaxis.set_major_locator(MultipleLocator(128))
        ax.set_xlim(0, CHANNELS[-1] * 1.02)
        ax.set_ylim(0, most * 1.05)
        ax.set_xlabel("channels C, in and out")
        ax.set_ylabel(f"parameters [{unit}]")
        ax.legend(loc="upper left", borderaxespad=0.1)
        page.framed(
            ax,
            "Stacked small kernels against one large kernel with the same receptive field: convolutions of "
            "stride 1 that keep the channels, without biases; parameters are weights. Convention archcalc.",
        )
    return ax


def _stacked(channels: int, depth: int, kernel: int) -> tuple[int, int]:
    """The parameters and the field (pixels) of a stack of convolutions. The map is large enough for the whole field."""
    size = 2 * depth * kernel
    network = Network(f"{depth} of {kernel}x{kernel}", Shape(channels, (size, size)))
    for nth in range(depth):
        network.add(f"conv{nth}", Conv(out=channels, kernel=kernel, pad=kernel // 2, bias=False))
    analysis = analyze(network)
    return analysis.totals.params, analysis.rows[-1].field[0].field.size
