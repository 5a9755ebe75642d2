"""The one-line layer pattern of the CS231n notes, as a network without a file.

    INPUT 32x32x3 -> [[CONV3-32 -> RELU]*2 -> POOL2]*3 -> [FC-256 -> RELU]*1 -> FC-10

    INPUT HxWxC      height, width, channels, in the course's order; another order stands after the sizes:
                     INPUT 3x32x32 (CxHxW)
    CONVk-n          k x k (or CONV1x7-n) to n channels; by default stride 1 and 'same' padding; others: s2 p0
    POOLk, AVGPOOLk  k x k; by default stride k and no padding, so windows do not overlap; others: POOL3 s2 p1
    FC-n             fully connected; a map is flattened first
    RELU, BN, LRN, DROPOUT, GAP (global average pool), FLATTEN, SIGMOID, TANH, SOFTMAX
    [ ... ]*N        a group, N times
    ?                after an element or group: optional in the course; archcalc includes the element or group

The course pads an odd kernel with (k-1)/2 positions on every side. An even kernel has no such padding, and gets
TensorFlow's 'same'.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from archcalc.errors import ArchcalcError, LayerError, Place, Problem, clipped, nearest, unknown
from archcalc.inputs import Sizes, Takes, in_order, nearer_to_square
from archcalc.layers import Layer, registry
from archcalc.layers.settings import whole_number
from archcalc.named_inputs import INPUT, chosen_inputs
from archcalc.network import AnyNetwork, Network
from archcalc.sizes import Shape

PATTERN = "pattern"
"""What stands for the file in the place of a problem or of a layer."""
ORDER = "HxWxC"
"""The order of a pattern's sizes if the pattern does not name an order."""
MAX_LENGTH = 5_000
MAX_DEPTH = 30
MAX_LAYERS = 20_000
LONGEST_NAME = 60
"""The most characters of a network's name. The name is the pattern; the middle of a longer pattern is left out."""

_TOKEN = re.compile(r"\s*(->|→|\[|\]|[*×]\s*[0-9]+|\?|[A-Za-z][A-Za-z0-9-]*)")
_OPTION = re.compile(r"\s+(s|stride|p|pad)\s*([0-9]{1,9})(?![0-9A-Za-z])", re.IGNORECASE)
_SIZE = re.compile(r"\s*([0-9]+)\s*[x×*]\s*([0-9]+)\s*[x×*]\s*([0-9]+)(?:\s*\(([A-Za-z×* ]{1,20})\))?", re.IGNORECASE)
_CONV = re.compile(r"CONV([0-9]{1,15})(?:X([0-9]{1,15}))?-([0-9]{1,15})")
_POOL = re.compile(r"(AVG|MAX)?POOL([0-9]{1,15})(?:X([0-9]{1,15}))?")
_FC = re.compile(r"FC-?([0-9]{1,15})")
WORDS = {
    "RELU": "relu",
    "BN": "batch_norm",
    "LRN": "lrn",
    "NORM": "lrn",
    "DROPOUT": "dropout",
    "GAP": "global_avg_pool",
    "FLATTEN": "flatten",
    "SIGMOID": "sigmoid",
    "TANH": "tanh",
    "SOFTMAX": "softmax",
}
"""The layers without sizes, and the layer types that they stand for."""
_WRITTEN = {"CONV": "CONV3-64", "POOL": "POOL2", "AVGPOOL": "AVGPOOL2", "MAXPOOL": "MAXPOOL2", "FC": "FC-10"}


class _Element:
    """One element or group: its column, its number of repeats, and the layer or the inner elements."""

    __slots__ = ("column", "count", "inside", "layer")

    def __init__(self, column: int, layer: Layer | None, inside: list[_Element]) -> None:
        self.column, self.layer, self.inside, self.count = column, layer, inside, 1


def load_pattern(text: str, input: Sizes | Mapping[str, Sizes] | None = None) -> Network:
    """The network that a pattern describes: see ``pattern_as``."""
    return pattern_as(Network, text, input)


def pattern_as(kind: type[AnyNetwork], text: str, input: Sizes | Mapping[str, Sizes] | None) -> AnyNetwork:
    """The network that a pattern describes, at the pattern's input or at ``input`` (channels x height x width).

    ArchcalcError with the column of the problem.
    """
    if len(text) > MAX_LENGTH:
        raise ArchcalcError(f"pattern: {len(text):,} characters; {MAX_LENGTH:,} are the most")
    parser = _Parser(text)
    own = parser.input()
    elements = parser.chain(0)
    if parser.token:
        raise parser.error(f"{parser.token!r} closes nothing")
    title = " ".join(text.split())
    name, takes = clipped(title, LONGEST_NAME), {INPUT: Takes(own, (len(own.axes),))}

    def build(inputs: Mapping[str, Shape]) -> Network:
        network = Network(name, inputs)
        counts: dict[str, int] = {}
        for element, scopes in _written_out(elements, (), [0]):
            _add(network, element, scopes, counts)
        if len(network.nodes) == 1:
            raise ArchcalcError(Problem("the pattern has no layers", PATTERN))
        return network

    def at(inputs: Mapping[str, Shape], settings: dict[str, Any]) -> AnyNetwork:
        inputs = inputs or {INPUT: own}
        return kind(
            name,
            inputs,
            title=title,
            notes=parser.notes,
            origin="pattern",
            takes=takes,
            rebuild=at,
            build=lambda: build(inputs),
        )

    return at({} if input is None else chosen_inputs(name, takes, input), {})


def _written_out(
    elements: list[_Element],
    scopes: tuple[str, ...],
    taken: list[int],
) -> list[tuple[_Element, tuple[str, ...]]]:
    out = []
    for at, element in enumerate(elements, 1):
        for i in range(1, element.count + 1):
            taken[0] += 1
            if taken[0] > MAX_LAYERS:
                raise ArchcalcError(f"pattern, column {element.column}: more than {MAX_LAYERS:,} layers")
            if element.layer is not None:
                out.append((element, scopes))
            else:
                out += _written_out(element.inside, (*scopes, f"group{at}_{i}"), taken)
    return out


def _add(network: Network, element: _Element, scopes: tuple[str, ...], counts: dict[str, int]) -> None:
    layer = element.layer
    assert layer is not None
    last, place = network.nodes[-1].shape, Place(PATTERN, 0, f"column {element.column}")
    if layer.type == "linear" and last.axes:
        network.add(_next("flatten", counts), registry["flatten"](), scopes=scopes, place=place)
    try:
        network.add(_next(_short(layer), counts), layer, scopes=scopes, place=place)
    except LayerError as error:
        raise ArchcalcError(
            Problem(f"{layer.type} on {last}: {error}", f"{PATTERN}, column {element.column}")
        ) from None


def _short(layer: Layer) -> str:
    return {"linear": "fc", "max_pool": "pool", "avg_pool": "avgpool"}.get(layer.type, layer.type)


def _next(name: str, counts: dict[str, int]) -> str:
    counts[name] = counts.get(name, 0) + 1
    return f"{name}{counts[name]}"


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.position, self.start = text, 0, 0
        self.token = ""
        self.notes: list[str] = []

    def error(self, message: str) -> ArchcalcError:
        return ArchcalcError(Problem(message, f"{PATTERN}, column {self.start + 1}"))

    def advance(self) -> None:
        rest = self.text[self.position :]
        self.start = self.position + len(rest) - len(rest.lstrip())
        if not rest.strip():
            self.token = ""
            return
        match = _TOKEN.match(rest)
        if match is None:
            raise self.error(
                f"cannot read {rest.strip()[:20]!r}"
                + ("; write how often as a number, as in *3" if rest.strip()[0] in "*×" else "")
            )
        self.token = match[1]
        self.position += match.end()

    def input(self) -> Shape:
        self.advance()
        size = _SIZE.match(self.text, self.position)
        if self.token.upper() != "INPUT" or size is None:
            raise self.error("a pattern starts with its input, as in INPUT 32x32x3 (height x width x channels)")
        self.position = size.end()
        *sizes, order = size.groups()
        try:
            shape = in_order([whole_number(_size(n), 1) for n in sizes], order or ORDER)
        except (LayerError, ArchcalcError) as error:
            raise self.error(f"input: {error}") from None
        channels, (height, width) = shape
        if order is None and nearer_to_square((width, channels), (height, width)):
            given = "x".join(sizes)
            raise self.error(
                f"the sizes of a pattern are height x width x channels, and {given} looks like channels x height x "
                f"width; did you mean {width}x{channels}x{height}? Or write the order too: INPUT {given} (CxHxW), or "
                f"INPUT {given} ({ORDER})"
            )
        self.advance()
        if self.token not in ("->", "→"):
            raise self.error(f"expected -> and a layer after the input, found {self.token or 'the end'!r}")
        self.advance()
        return shape

    def chain(self, depth: int) -> list[_Element]:
        if depth > MAX_DEPTH:
            raise self.error(f"groups nested deeper than {MAX_DEPTH}")
        elements = [self.element(depth)]
        while self.token in ("->", "→"):
            self.advance()
            elements.append(self.element(depth))
        return elements

    def element(self, depth: int) -> _Element:
        column, start = self.start + 1, self.start
        if self.token == "[":
            self.advance()
            element = _Element(column, None, self.chain(depth + 1))
            if self.token != "]":
                raise self.error(f"expected ] for the [ in column {column}, found {self.token or 'the end'!r}")
            self.advance()
        elif self.token and self.token[0].isalpha():
            element = _Element(column, self.layer(self.token), [])
            self.advance()
        else:
            raise self.error(f"expected a layer or [, found {self.token or 'the end'!r}")
        end = self.start
        while self.token[:1] in ("*", "×", "?"):
            if self.token == "?":
                self.notes.append(f"optional {self.text[start:end].strip()}? in column {column}: taken")
            else:
                digits = self.token[1:].strip()
                if len(digits) > 9:
                    raise self.error(f"a group cannot be repeated {digits[:20]} times")
                element.count *= int(digits)
            self.advance()
        if self.token and self.token not in ("->", "→", "]"):
            raise self.error(f"expected ->, found {self.token!r}")
        return element

    def options(self) -> dict[str, int]:
        settings: dict[str, int] = {}
        while match := _OPTION.match(self.text, self.position):
            name = "stride" if match[1][0].lower() == "s" else "pad"
            if name in settings:
                raise self.error(f"the {name} is given twice")
            settings[name] = int(match[2])
            self.position = match.end()
        return settings

    def layer(self, word: str) -> Layer:
        upper = word.upper()
        try:
            if match := _CONV.fullmatch(upper):
                kernel = _kernel(match[1], match[2])
                pad = tuple((k - 1) // 2 for k in kernel) if all(k % 2 for k in kernel) else "same"
                sizes = {"out": int(match[3]), "kernel": _plain(kernel), "pad": _plain(pad)}
                return registry["conv"](**sizes | self.options())
            if match := _POOL.fullmatch(upper):
                kernel = _plain(_kernel(match[2], match[3]))
                kind = "avg_pool" if match[1] == "AVG" else "max_pool"
                return registry[kind](**{"kernel": kernel, "stride": kernel} | self.options())
            if match := _FC.fullmatch(upper):
                return registry["linear"](out=int(match[1]))
            if upper in WORDS:
                return registry[WORDS[upper]]()
        except LayerError as error:
            raise self.error(f"{word}: {error}") from None
        letters = re.sub(r"[0-9X-]*$", "", upper) or upper
        if letters in _WRITTEN:
            raise self.error(f"{word} needs its sizes, as in {_WRITTEN[letters]}")
        close = nearest(letters, [*_WRITTEN, *WORDS])
        if close is not None:
            raise self.error(f"unknown layer {clipped(word, 60)!r}; did you mean {_WRITTEN.get(close, close)!r}?")
        raise self.error(unknown("layer", word, [*_WRITTEN.values(), *WORDS], most=30))


def _size(digits: str) -> int:
    digits = digits.lstrip("0") or "0"
    if len(digits) > 15:
        raise LayerError(f"a size of {len(digits):,} digits")
    return int(digits)


def _kernel(height: str, width: str | None) -> tuple[int, int]:
    return int(height), int(width or height)


def _plain(sizes: Any) -> Any:
    """One number if both axes have the same number; else all numbers."""
    return sizes[0] if isinstance(sizes, tuple) and len(set(sizes)) == 1 else sizes
