"""A device as the text of a file, which ``reading`` reads as the same device."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from archcalc.errors import visible
from archcalc.timing.constants import CONSTANTS, usual
from archcalc.timing.device import Device, Figure
from archcalc.timing.reading import CLOCKS, RATES, SIZES, SPEEDS

OPERATIONS = {unit: size for unit, size in RATES.items() if unit.endswith("OPS") and not unit.endswith("FLOPS")}
FLOPS = {unit: size for unit, size in RATES.items() if unit.endswith("FLOPS")}


def device_text(device: Device, sources: Mapping[str, str], about: Sequence[str] = ()) -> str:
    """The text of a file. ``sources``: names for some sources; others get a letter. ``about``: lines at the top."""
    return "\n".join([*(f"# {visible(line)}" for line in about), *_lines(device, sources)]) + "\n"


def _lines(device: Device, sources: Mapping[str, str]) -> Iterator[str]:
    names = _names(device, sources)

    def figure(one: Figure, units: Mapping[str, float]) -> str:
        parts = [number_text(one.value, units), *[names.get(one.source, "")] * bool(one.source)]
        return f"[{', '.join([*parts, *[one.how] * bool(one.source and one.how)])}]"

    yield f"title: {json.dumps(device.title)}"
    yield f"kind: {device.kind}"
    for key, text in (("note", device.note), ("fitted", device.fitted)):
        if text:
            yield f"{key}: {json.dumps(visible(text))}"
    if device.also:
        yield f"also: {json.dumps(device.also)}"
    if names:
        yield "sources:"
        yield from (f"  {name}: {json.dumps(text)}" for text, name in names.items())
    for key, peaks in (("vector", device.vector), ("matrix", device.matrix)):
        if peaks:
            yield f"{key}:"
            for dtype, one in peaks.items():
                yield f"  {dtype}: {figure(one, OPERATIONS if 'int' in dtype else FLOPS)}"
    yield f"bandwidth: {figure(device.bandwidth, SPEEDS)}"
    yield f"cache: {figure(device.cache, SIZES)}"
    yield f"memory: {figure(device.memory, SIZES)}"
    sheet, highest = device.clock
    if sheet.value != 1.0:
        yield f"clock: {figure(sheet, CLOCKS)}"
    if highest != sheet:
        yield f"highest_clock: {figure(highest, CLOCKS)}"
    before = usual(device.kind)
    own = {name: value for name, value in device.constants.items() if digits(value) != digits(before[name])}
    if own:
        yield "constants:"
        yield from (f"  {name}: {digits(value)}  # {CONSTANTS[name].about}" for name, value in own.items())
    if device.errors:
        yield "errors:"
    for mode, networks, median, ninety, spearman, source in device.errors:
        row = [str(networks), *map(digits, (median, ninety, spearman)), json.dumps(visible(source))]
        yield f"  {mode}: [{', '.join(row)}]"


def _names(device: Device, sources: Mapping[str, str]) -> dict[str, str]:
    """The sources of a device, each with a name."""
    figures = [*device.vector.values(), *device.matrix.values(), device.bandwidth, device.cache, device.memory]
    texts = dict.fromkeys(one.source for one in (*figures, *device.clock) if one.source)
    given = {text: name for name, text in sources.items()}
    letters = (letter for letter in "abcdefghijklmnopqrstuvwxyz" if letter not in sources)
    return {text: given[text] if text in given else next(letters) for text in texts}


def number_text(value: float, units: Mapping[str, float]) -> str:
    """A figure in the unit in which it is shortest, such as 82.6 TFLOPS or 24 GiB.

    >>> number_text(2.4e10, SPEEDS), number_text(256e9, SIZES), number_text(2.0**34, SIZES)
    ('24 GB/s', '256 GB', '16 GiB')
    """
    texts = [(f"{value / size:.12g}", size, unit) for unit, size in units.items()]
    exact = [
        (len(text), -size, text, unit) for text, size, unit in texts if "e" not in text and float(text) * size == value
    ]
    if exact:
        *_, text, unit = min(exact)
        return f"{text} {unit}"
    unit, size = max(((unit, size) for unit, size in units.items() if size <= value), key=lambda one: one[1])
    return f"{value / size!r} {unit}"


def digits(value: float) -> str:
    """A number with four significant digits, never as a power of ten."""
    text = f"{value:.4g}"
    return text if "e" not in text else f"{value:.0f}" if abs(value) > 1 else f"{value:.6f}"
