"""Random networks over the whole spec language, drawn as spec data.

A step is drawn, and the engine says what it makes of the shapes that reach it. What it refuses is left out of the
network and handed over beside it, so that a test can ask PyTorch about the same layer on the same shapes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from math import prod
from random import Random
from typing import Any, NamedTuple

from hypothesis import strategies as st

from archcalc import Network
from archcalc.errors import ArchcalcError, LayerError
from archcalc.language.expand import expand
from archcalc.language.zoo import read_text
from archcalc.layers import registry
from archcalc.layers.resample import Pooled
from archcalc.pytorch.record import records
from archcalc.sizes import Shape

TYPES = sorted(set(registry) - {"input"})
REGIONS = [type for type in TYPES if registry[type].makes_regions]
JOINS = [type for type in TYPES if registry[type].joins and type not in REGIONS]
SINGLE = [type for type in TYPES if not registry[type].joins and type not in REGIONS]
WINDOWS = ["conv", "conv_transpose", "conv_table", "locally_connected", "max_pool", "avg_pool", "subsample"]
ON_VECTORS = [
    "linear",
    "linear",
    "linear",
    "rbf",
    "batch_norm",
    "layer_norm",
    "rms_norm",
    "l2_norm",
    "lrn",
    "prelu",
    "softmax",
    "slice",
    "relu",
]
SHARED = [
    type
    for type in SINGLE
    if type in ["conv", "conv_table", "conv_transpose", "locally_connected", "linear", "prelu", "batch_norm"]
]
MOST_VALUES = 3000
"""Feature maps stay smaller, so that a network runs in milliseconds."""
PARAMS = {"width": 4, "odd": 3}


class Layer(NamedTuple):
    """A layer for inputs of these shapes."""

    type: str
    settings: dict[str, Any]
    inputs: tuple[Shape, ...]


class Shared(NamedTuple):
    """Two layers that each fit, the second with the weights of the first."""

    owner: Layer
    user: Layer


class Drawn(NamedTuple):
    """A network's spec, and the layers that the engine refused while it was drawn."""

    spec: dict[str, Any]
    refused: list[Layer]
    unshared: list[Shared]

    @property
    def network(self) -> Network:
        return network(self.spec)


def network(spec: dict[str, Any]) -> Network:
    """The network of a spec, through its text; JSON is YAML."""
    return expand(read_text(json.dumps(spec), "random.yaml", "random"), "random")


@st.composite
def networks(draw: st.DrawFn, most: int = 9) -> Drawn:
    """A spec of one to ``most`` steps that the engine accepts, and what it refused."""
    return _Drawing(lambda low, high: draw(st.integers(low, high))).family(most)


def thrown(random: Random, most: int = 9) -> Drawn:
    """The same, by a random generator; hypothesis draws many networks as small changes of others."""
    return _Drawing(random.randint).family(most)


def thrown_layers(random: Random, type: str) -> list[Layer]:
    """Layers that the engine accepts: one of a type, as networks have it, and those that it needs."""
    drawing = _Drawing(random.randint)
    drawing.only(type)
    return drawing.accepted


class _Drawing:
    def __init__(self, number: Callable[[int, int], int]) -> None:
        self.number = number
        """A number in a range."""
        self.accepted: list[Layer] = []
        self.refused: list[Layer] = []
        self.unshared: list[Shared] = []
        self.blocks: dict[str, Any] = {}
        self.made: dict[str, Layer] = {}
        """Layers that have a name."""
        self.names = 0

    def one_of(self, *choices: Any) -> Any:
        return choices[self.number(0, len(choices) - 1)]

    def flag(self) -> bool:
        return self.number(0, 1) == 1

    def sample(self, choices: Sequence[Any], count: int) -> list[Any]:
        """So many of the choices, in any order."""
        left = list(choices)
        return [left.pop(self.number(0, len(left) - 1)) for _ in range(count)]

    def rarely(self, one_in: int) -> bool:
        return self.number(1, one_in) == one_in

    def name(self, stem: str) -> str:
        self.names += 1
        return f"{stem}{self.names}"

    # The family: a list of steps, with the blocks that they use.

    def family(self, most: int) -> Drawn:
        axes = self.one_of(2, 2, 2, 2, 1, 1, 3, 3, 0)
        x = self.map_of(axes)
        visible = {"input": x}
        if self.rarely(3):
            others = [self.one_of(x, self.map_of(axes), self.map_of(0)) for _ in range(self.number(1, 2))]
            visible = {f"in{at}": shape for at, shape in enumerate([x, *others])}
        inputs = {name: [shape.channels, *shape.axes] for name, shape in visible.items()}
        steps: list[Any] = ["identity"]  # steps that are not taken may be all there is
        spec: dict[str, Any] = {
            **({"inputs": inputs} if len(inputs) > 1 else inputs),
            "params": PARAMS,
            "blocks": self.blocks,
            "layers": steps,
        }
        owners: dict[str, Layer] = {}
        for _ in range(self.number(1, most)):
            kind = self.one_of(
                *["layer"] * 8,
                *["merge", "block", "group", "from", "weights", "side", "weights"] * 2,
                "regions",
                "regions",
                "heads",
            )
            if kind == "side":
                head, _ = self.steps(x, dict(visible), 2)
                if head:
                    steps.append({"side": head, "name": self.name("side")})
            elif kind == "regions":
                self.regions(x, steps, visible)
            elif kind == "heads":
                x = self.layer(x, steps, visible, type="rearrange")
            elif kind == "weights" and owners:
                x = self.sharing(spec, x, owners)
            else:
                before = len(steps)
                x = self.step(kind, x, steps, visible, 2)
                for step in steps[before:]:
                    made = self.made.get(step["name"]) if "name" in step and "when" not in step else None
                    if made is not None and made.type in SHARED:
                        owners[step["name"]] = made
        if not self.blocks:
            del spec["blocks"]
        if self.rarely(3):
            self.choose(spec, [name for name in visible if name not in inputs])
        return Drawn(spec, self.refused, self.unshared)

    def map_of(self, axes: int) -> Shape:
        most = {3: 6, 4: 4}.get(axes, 12)
        return Shape(self.number(1, 8), tuple(self.number(1, most) for _ in range(axes)))

    def only(self, type: str) -> None:
        """One layer of a type, on an input of any number of axes and beside other maps."""
        axes = self.number(0, 4)
        x, other = self.map_of(axes), self.map_of(axes)
        steps: list[Any] = []
        visible = {"x": x, "same": x, "other": other}
        if type in REGIONS:
            self.regions(x, steps, visible, type)
        elif type == "unpool":
            y = self.layer(x, steps, visible, type="max_pool")
            for pool in self.pools(y, visible):
                self.unpool(pool, steps, visible)
        elif type in JOINS:
            self.merge(x, steps, visible, type)
        else:
            self.layer(x, steps, visible, type=type)

    def choose(self, spec: dict[str, Any], names: list[str]) -> None:
        """Outputs in any order, if the engine takes them: layers that others read, too, and some that serve none."""
        if names:
            chosen = self.sample(names, self.number(1, min(3, len(names))))
            try:
                network({**spec, "outputs": chosen})
            except ArchcalcError:
                return
            spec["outputs"] = chosen

    def steps(self, x: Shape, visible: dict[str, Shape], most: int) -> tuple[list[Any], Shape]:
        """Up to ``most`` steps on x, which may be none, and what they make of it."""
        steps: list[Any] = []
        for _ in range(self.number(0, most)):
            kind = self.one_of("layer", "layer", "layer", "layer", "merge", "from")
            x = self.step(kind, x, steps, visible, 1)
        return steps, x

    def step(self, kind: str, x: Shape, steps: list[Any], visible: dict[str, Shape], depth: int) -> Shape:
        """Append a step to the list, if what is drawn fits; the shape after it."""
        if kind == "merge" and depth:
            return self.merge(x, steps, visible)
        if kind == "block" and depth:
            return self.block(x, steps, visible)
        if kind == "group" and depth:
            return self.group(x, steps, visible)
        if kind == "from":
            return self.sources(x, steps, visible)
        return self.layer(x, steps, visible)

    # Single layers.

    def layer(self, x: Shape, steps: list[Any], visible: dict[str, Shape], source: str = "", type: str = "") -> Shape:
        kinds = (SINGLE, WINDOWS, WINDOWS) if x.axes else (SINGLE, ON_VECTORS, ON_VECTORS)
        if len(x.axes) > 3:
            kinds = (["conv", "rearrange"], ["conv"], SINGLE)
        pools = self.pools(x, visible) if not source and not type else []
        type = type or self.one_of(*self.one_of(*kinds))
        if pools and (type == "unpool" or self.rarely(2)):
            return self.unpool(self.one_of(*pools), steps, visible)
        if type == "unpool":
            return x
        settings = Settings(self, x).of(type)
        like = self.like(type, settings, (x,), visible)
        y = self.applied(type, settings, (x,))
        if y is None:
            return x
        step: dict[str, Any] = {type: {**{key: self.text(n, x) for key, n in settings.items()}, **like} or None}
        if not self.rarely(3):
            step["name"] = name = self.name(type)
            self.made[name] = Layer(type, settings, (x,))
        step |= self.trained()
        if self.rarely(8):
            step["storage"] = self.one_of("new", "in_place", "view")
        if source:
            step["from"] = source
        elif self.rarely(8):
            step["when"] = f"channels == {x.channels}"
        elif self.rarely(12):
            step["when"], y = f"not channels == {x.channels}", x
        steps.append(step if len(step) > 1 or step[type] else type)
        if "name" in step and y != x:
            visible[step["name"]] = y
        return y

    def like(
        self, type: str, settings: dict[str, Any], inputs: tuple[Shape, ...], visible: dict[str, Shape]
    ) -> dict[str, str]:
        """Sometimes the size of another map instead of numbers, mostly of one that fits; its name, as a spec has it."""
        maps = {name: y.axes for name, y in visible.items() if y.axes}
        numbers = [key for key in ("size", "scale", "by") if key in settings]
        if "like" not in registry[type].fields or not maps or not numbers or self.rarely(2):
            return {}
        others = {key: n for key, n in settings.items() if key not in numbers}
        fit = [name for name, axes in maps.items() if _takes(type, {**others, "like": axes}, inputs)]
        if not fit and not self.rarely(10):
            return {}
        name = self.one_of(*(fit or maps))
        for key in numbers:
            del settings[key]
        settings["like"] = maps[name]
        return {"like": name}

    def trained(self) -> dict[str, bool]:
        return {"trained": self.one_of(False, False, True)} if self.rarely(6) else {}

    def pools(self, x: Shape, visible: dict[str, Shape]) -> list[str]:
        """The poolings that made this shape and that PyTorch can undo."""
        named = [name for name in visible if name in self.made and visible[name] == x]
        return [name for name in named if self.made[name].type == "max_pool" and _undone(self.made[name], x)]

    def unpool(self, pool: str, steps: list[Any], visible: dict[str, Shape]) -> Shape:
        name = self.name("unpool")
        steps.append({"unpool": {"of": pool}, "name": name})
        made = self.made[pool]
        visible[name] = y = made.inputs[0]
        self.accepted.append(Layer("unpool", {"of": pool}, (y,)))
        return y

    def applied(self, type: str, settings: dict[str, Any], inputs: tuple[Shape, ...]) -> Shape | None:
        """What the engine makes of the layer; None when it refuses, which is noted, and where maps grow too large."""
        try:
            layer = registry[type](**settings)
            y = layer.shape(*inputs)
            if y.values <= MOST_VALUES and any(len(x.axes) > 3 for x in (*inputs, y)):
                records[type].statements(layer, inputs, y)  # PyTorch has few layers over more axes
        except LayerError:
            self.refused.append(Layer(type, settings, inputs))
            return None
        if y.values > MOST_VALUES:
            return None
        self.accepted.append(Layer(type, settings, inputs))
        return y

    def text(self, n: Any, x: Shape) -> Any:
        """A value as a spec may write it: sometimes an expression."""
        if type(n) is not int or not self.rarely(4):
            return n
        if n == x.channels:
            return "channels"
        return self.one_of(f"{n - PARAMS['width']} + width", f"odd * {n} // odd", f"{n} if odd > 2 else width")

    # Joins.

    def merge(self, x: Shape, steps: list[Any], visible: dict[str, Shape], type: str = "") -> Shape:
        """Branches, most of them made to fit."""
        type = type or self.one_of(*JOINS)
        axis = Settings(self, x).axis() if type == "concat" and self.flag() else None
        branches, ends = [], []
        slots = registry[type].slots
        for _ in range(len(slots) - registry[type].optional_slots or self.number(2, 3)):
            branch, y = self.steps(x, dict(visible), 2)
            poolable = ends and 0 < len(ends[0].axes) <= 3 and 0 < len(y.axes) <= 3
            if ends and type == "grid_sample" and y.axes and not self.rarely(10):
                y = self.positions(branch, y, ends[0])
            elif poolable and type not in ("concat", "attention", "matmul") and self.rarely(3):
                y = self.smaller(branch, y, ends[0])
            elif ends and not self.rarely(3 if type == "add" else 6):
                y = self.fitted(branch, y, ends[0], "" if axis else type)
            branches.append(branch)
            ends.append(y)
        if self.flag() and type != "grid_sample":
            branches.reverse()
            ends.reverse()
        settled = type == "matmul" or slots
        given = {"axis": axis} if axis else Settings(self, ends[0]).of(type) if settled else {}
        if type == "matmul":
            del branches[2:], ends[2:]
        if type == "add" and self.rarely(3):
            given = {"unequal": True}
        if type == "attention" and "bias" not in given and x.axes and ends[1].axes and self.rarely(2):
            self.bias(x, given["heads"], ends[1].axes[-1], branches, ends)
        like = self.like(type, given, tuple(ends), visible)
        y = self.applied(type, given, tuple(ends))
        if y is None:
            return x
        given = {**given, **like}
        if slots or self.flag():
            named = {slots[i] if slots else f"way{i}": branch for i, branch in enumerate(branches)}
            step = {type: {**given, **named}}
        elif given:
            step = {type: {**given, **{f"b{i}": branch for i, branch in enumerate(branches, 1)}}}
        else:
            step = {type: branches}
        name = self.name(type)
        steps.append({**step, "name": name})
        visible[name] = y
        return y

    def fitted(self, branch: list[Any], y: Shape, like: Shape, type: str) -> Shape:
        """Layers that bring y to what joins with a shape, where there are such layers."""
        if y.axes != like.axes and len(y.axes) == len(like.axes) <= 3:
            kind = self.one_of(
                {"adaptive_avg_pool": {"out": list(like.axes)}},
                {"upsample": {"size": list(like.axes), "mode": "bilinear"}},
            )
            branch.append(kind)
            y = Shape(y.channels, like.axes)
        if y.channels != like.channels and type != "concat":
            branch.append(
                {"conv": {"out": like.channels, "kernel": 1}} if y.axes else {"linear": {"out": like.channels}}
            )
            y = Shape(like.channels, y.axes)
        return y

    def positions(self, branch: list[Any], y: Shape, like: Shape) -> Shape:
        """Layers that make a grid of positions on a map like this."""
        if len(y.axes) <= 3 and self.flag():
            sizes = [self.number(1, 5) for _ in y.axes]
            count = 2 if len(y.axes) > 2 and self.flag() else len(y.axes)
            sizes[: len(y.axes) - count] = like.axes[: len(y.axes) - count]
            branch.append({"adaptive_avg_pool": {"out": sizes}})
            y = Shape(y.channels, tuple(sizes))
        else:
            y = self.fitted(branch, y, like, "concat")
        out = self.one_of(2, min(len(y.axes), 3))
        branch.append({"linear": {"out": out, "axis": "channels"}})
        return Shape(out, y.axes)

    def smaller(self, branch: list[Any], y: Shape, like: Shape) -> Shape:
        """Layers that bring y to a single channel, or to a single position along some axes."""
        kind = self.one_of("global", "axes", "axes", "channel") if len(y.axes) == len(like.axes) else "global"
        if kind == "global":
            branch.append("global_avg_pool")
            y = Shape(y.channels, (1,) * len(y.axes))
        else:
            sizes = tuple(self.one_of(1, n) if kind == "axes" else n for n in like.axes)
            branch.append({"adaptive_avg_pool": {"out": list(sizes)}})
            y = Shape(y.channels, sizes)
        channels = 1 if kind == "channel" or self.rarely(4) else like.channels
        if y.channels != channels:
            branch.append({"conv": {"out": channels, "kernel": 1}})
            y = Shape(channels, y.axes)
        if kind == "global" and self.flag():
            branch.append("flatten")
            y = Shape(channels)
        return y

    def sources(self, x: Shape, steps: list[Any], visible: dict[str, Shape]) -> Shape:
        """A layer that takes outputs by name."""
        if not visible:
            return x
        if self.flag():
            source = self.one_of(*visible)
            before = len(steps)
            y = self.layer(visible[source], steps, visible, source)
            return x if len(steps) == before else y
        type = self.one_of(*JOINS)
        first = self.one_of(*visible)
        alike = [name for name in visible if visible[name] == visible[first]]
        count = self.number(1, 2) if type != "attention" or self.rarely(4) else self.one_of(2, 2, 3)
        count = 1 if type == "matmul" and not self.rarely(6) else count
        others = [self.one_of(*(visible if self.rarely(4) else alike)) for _ in range(count)]
        settings, ends = Settings(self, visible[first]).of(type), tuple(visible[name] for name in (first, *others))
        like = self.like(type, settings, ends, visible)
        y = self.applied(type, settings, ends)
        if y is None:
            return x
        name = self.name(type)
        steps.append({type: {**settings, **like} or None, "from": [first, *others], "name": name})
        visible[name] = y
        return y

    def bias(self, x: Shape, heads: int, keys: int, branches: list[Any], ends: list[Shape]) -> None:
        """A map that is added to the scores of queries that lie as x does: of linear layers, or of values of x."""
        y = Shape(heads, (*x.axes, keys))
        if y.values > MOST_VALUES:
            return
        axes = " ".join("uvwxyz"[: len(x.axes)])
        branch: list[Any] = [
            {"linear": {"out": heads * keys, "axis": "channels"}},
            {"rearrange": f"({self.one_of('h k', 'k h')}) {axes} -> h {axes} k, k={keys}"},
        ]
        if heads <= x.channels and self.rarely(2):
            line = {"rearrange": f"h {axes} -> h {axes} 1"}
            branch = [{"slice": {"stop": heads}}, line, {"expand": {"size": list(y.axes)}}]
        branches.append(branch)
        ends.append(y)

    def regions(self, x: Shape, steps: list[Any], visible: dict[str, Shape], type: str = "") -> None:
        """A group of layers for regions of x, and sometimes of other maps; what follows takes x again."""
        type = type or self.one_of(*REGIONS)
        maps = [name for name, y in visible.items() if len(y.axes) == 2 and y.channels == x.channels]
        others = [self.one_of(*maps)] if maps and type != "ps_roi_pool" and not self.rarely(3) else []
        settings = Settings(self, x).of(type)
        y = self.applied(type, settings, (x, *(visible[name] for name in others)))
        if y is None:
            return
        here = self.name("here")
        inside, _ = self.steps(y, {}, 4)
        head = {type: settings or None, **({"from": [here, *others]} if others else {})}
        group: dict[str, Any] = {"layers": [head, *inside]}
        if not others and self.flag():
            block = self.name("head")
            self.blocks[block], group = group, {block: None}
        group |= {"regions": self.one_of(1, 2, 5), "name": self.name("regions"), **self.trained()}
        steps += [{"identity": None, "name": here}, group, {"identity": None, "from": here}]

    # Blocks and groups, whose steps run more than once.

    def block(self, x: Shape, steps: list[Any], visible: dict[str, Shape]) -> Shape:
        blocks = [name for name in self.blocks if "params" in self.blocks[name]]
        if blocks and self.flag():
            name = self.one_of(*blocks)
        else:
            inner, _ = self.steps(x, {}, 3)
            name = self.name("block")
            self.blocks[name] = {"params": {"out": None}, "layers": [*inner, *self.tail()]}
        step = {name: {"out": self.number(1, 6)}, "name": self.name("use"), **self.trained()}
        return self.kept(step, x, steps, visible)

    def tail(self) -> list[Any]:
        """A last layer of a block, as wide as the block is told to be."""
        kind = self.one_of("conv", "linear", "")
        if not kind:
            return []
        settings = {"kernel": 1, "groups": 1} if kind == "conv" else {"axis": "channels"}
        return [{kind: {"out": "out", **settings}, "when": "out != channels"}]

    def group(self, x: Shape, steps: list[Any], visible: dict[str, Shape]) -> Shape:
        inner, _ = self.steps(x, {}, 3)
        if not inner:
            return x
        if self.flag() and isinstance(inner[0], dict) and "when" not in inner[0]:
            inner[0] = {**inner[0], "when": "i == 1"}
        step = {"layers": inner, "repeat": self.number(0, 3), "name": self.name("group") + "_{i}", **self.trained()}
        return self.kept(step, x, steps, visible)

    def kept(self, step: dict[str, Any], x: Shape, steps: list[Any], visible: dict[str, Shape]) -> Shape:
        """Append a step that holds others, if the engine takes it here."""
        spec = {"input": [x.channels, *x.axes], "params": PARAMS, "blocks": self.blocks, "layers": ["identity", step]}
        try:
            found = network(spec)
        except ArchcalcError:
            return x
        if max(node.shape.values for node in found.nodes) > MOST_VALUES:
            return x
        pairs = ((node, found.input_shapes(node)) for node in found.nodes if node.layer.type == "unpool")
        if not all(_written(node.layer, after, node.shape) for node, (after,) in pairs):
            return x
        steps.append(step)
        if "repeat" not in step:
            visible[step["name"]] = found.nodes[-1].shape
        return found.nodes[-1].shape

    # Shared layers.

    def sharing(self, spec: dict[str, Any], x: Shape, owners: dict[str, Layer]) -> Shape:
        """A layer that uses the weights of an earlier one, alike in most of its settings."""
        name = self.one_of(*owners)
        owner = owners[name]
        settings = dict(owner.settings)
        if self.rarely(3):
            again = Settings(self, x).of(owner.type)
            for key in [self.one_of(*again)] if again else []:
                settings[key] = again[key]
        source = self.one_of(x, owner.inputs[0])
        y = self.applied(owner.type, settings, (source,))
        if y is None:
            return x
        step = {owner.type: settings or None, "weights": name}
        steps = spec["layers"]
        if source is not x:
            # what the owner took is not always named: the same shape, made anew
            fit: list[Any] = []
            if len(source.axes) != len(x.axes) or len(x.axes) > 3:
                return x
            self.fitted(fit, x, source, "add")
            trial = [*steps, *fit, step]
        else:
            trial = [*steps, step]
        try:
            network({**spec, "layers": trial})
        except ArchcalcError:
            self.unshared.append(Shared(owner, Layer(owner.type, settings, (source,))))
            return x
        steps[:] = trial
        return y


def _takes(type: str, settings: dict[str, Any], inputs: tuple[Shape, ...]) -> bool:
    """Whether the engine takes the layer."""
    try:
        registry[type](**settings).shape(*inputs)
    except LayerError:
        return False
    return True


def _undone(pool: Layer, after: Shape) -> bool:
    """Whether nn.MaxUnpool can undo a pooling."""
    (before,) = pool.inputs
    return _written(
        registry["unpool"](of=Pooled.of(registry["max_pool"](**pool.settings), before, after)), after, before
    )


def _written(unpool: Any, after: Shape, before: Shape) -> bool:
    """Whether PyTorch has an unpooling, which depends on the size of the map."""
    try:
        records["unpool"].code(unpool, after, before)
    except LayerError:
        return False
    return True


class Settings:
    """Settings for a layer on an input of some shape: most fit it, some do not."""

    def __init__(self, drawing: _Drawing, x: Shape) -> None:
        self.drawing, self.x = drawing, x
        self.number, self.one_of, self.rarely = drawing.number, drawing.one_of, drawing.rarely

    def of(self, type: str) -> dict[str, Any]:
        make = getattr(self, type, None)
        return make() if make else {}

    def count(self, low: int, high: int) -> int:
        """A number in a range, rarely one that no layer takes."""
        return self.one_of(0, -1) if self.rarely(60) else self.number(low, high)

    def each(self, low: int, high: int) -> Any:
        """One number, or a list with one for each axis, rarely of another length."""
        if self.drawing.flag():
            return self.count(low, high)
        length = self.number(1, 3) if self.rarely(30) else len(self.x.axes)
        return [self.count(low, high) for _ in range(max(1, length))]

    def flag(self) -> bool:
        return self.drawing.flag()

    def some(self, **settings: Any) -> dict[str, Any]:
        """The settings, those that are None left to their defaults."""
        return {key: value for key, value in settings.items() if value is not None}

    def padding(self, most: int) -> Any:
        kind = self.one_of("number", "number", "none", "same", "valid", "sides", "each")
        if kind in ("same", "valid"):
            return kind
        if kind == "none":
            return 0
        if kind == "number":
            return self.count(0, most)
        if kind == "each":
            return self.each(0, most)
        return [
            [self.count(0, most), self.count(0, most)] if self.flag() else self.count(0, most)
            for _ in range(max(1, len(self.x.axes)))
        ]

    def groups(self) -> int:
        c = self.x.channels
        return self.one_of(1, 1, c, *(n for n in range(1, c + 1) if c % n == 0), self.number(1, 4))

    def over_many_axes(self) -> dict[str, Any]:
        """A window over the last three of more axes."""
        before = len(self.x.axes) - 3
        each = lambda one, most: [one] * before + [self.number(one, most) for _ in range(3)]  # noqa: E731
        kernel, stride, pad = each(1, 3), self.one_of(1, each(1, 2)), self.one_of(0, "same", each(0, 1))
        return {"kernel": kernel, "stride": stride, "pad": pad, "dilation": 1}

    def conv(self) -> dict[str, Any]:
        settings = self._conv()
        return settings if len(self.x.axes) <= 3 or self.rarely(10) else {**settings, **self.over_many_axes()}

    def relative_conv(self) -> dict[str, Any]:
        """A convolution whose groups are positions, most often on a grid that fits that of its outputs."""
        queries = self.groups()
        fits = [queries, 2 * queries, *(n for n in range(1, queries) if queries % n == 0)]
        keys = self.count(1, 4) if self.rarely(5) else self.one_of(*fits)
        kernel, bias = 2 if self.rarely(10) else 1, self.one_of(None, False)
        return self.some(out=queries * keys, kernel=kernel, groups=queries, relative=True, bias=bias)

    def fixed_conv(self) -> dict[str, Any]:
        """A convolution with constant weights, most often of every channel on its own."""
        channels = self.x.channels
        groups, out = (1, self.count(1, 4)) if self.rarely(3) else (channels, channels)
        step, pad = self.one_of(None, self.each(1, 3)), self.one_of(None, self.padding(3))
        kernel = self.each(1, 4)
        return self.some(out=out, kernel=kernel, stride=step, pad=pad, groups=groups, bias=False, fixed=True)

    def _conv(self) -> dict[str, Any]:
        if self.rarely(16):
            return self.one_of(self.relative_conv, self.fixed_conv)()
        groups = self.groups()
        norm = self.one_of(None, None, "channels", "last", "standardised", "scaled") if self.flag() else None
        return self.some(
            out=self.count(1, 6) if self.rarely(5) else groups * self.number(1, max(1, 8 // groups)),
            kernel=self.each(1, 4),
            stride=self.one_of(None, self.each(1, 3)),
            pad=self.one_of(None, self.padding(3)),
            dilation=self.one_of(None, None, self.each(1, 3)),
            groups=groups if groups > 1 else None,
            bias=self.one_of(None, False),
            pad_mode=self.one_of("reflect", "replicate", "circular") if self.rarely(20 if norm else 4) else None,
            weight_norm=norm,
            gamma=self.one_of(None, 1.7) if norm == "scaled" or self.rarely(20) else None,
            eps=self.one_of(None, 1e-5) if norm in ("standardised", "scaled") or self.rarely(20) else None,
            fixed=True if self.rarely(20) else None,
        )

    def position(self) -> dict[str, Any]:
        return self.some(axes=self.one_of(None, ["last"]) if self.x.axes else None)

    def parameter(self) -> dict[str, Any]:
        """A map as large as its input, or with one position along some axes, or of another size."""
        sizes = [self.one_of(n, n, 1) for n in (self.x.channels, *self.x.axes)]
        return self.some(size=[self.count(1, 6), 2] if self.rarely(5) else sizes, fixed=self.one_of(None, True))

    def index_select(self) -> dict[str, Any]:
        return self.some(count=self.count(1, 9), axis=self.axis())

    def class_token(self) -> dict[str, Any]:
        return self.some(tokens=self.one_of(None, self.count(1, 3)))

    def attention(self) -> dict[str, Any]:
        return self.some(
            heads=self.groups(),
            causal=self.one_of(None, None, True),
            scale=self.one_of(None, None, None, 0.5, -1),
            cosine=self.one_of(None, None, True),
            **(self.windows_of(self.x.axes) if self.x.axes and not self.rarely(2) else {}),
        )

    def matmul(self) -> dict[str, Any]:
        return self.some(transpose=self.one_of("first", "second", None, "both"))

    def grid_sample(self) -> dict[str, Any]:
        return self.some(
            mode=self.one_of(None, "bilinear", "nearest", "bicubic"),
            pad_mode=self.one_of(None, "zeros", "border", "reflection"),
            align_corners=self.one_of(None, True, False),
        )

    def windows_of(self, axes: tuple[int, ...]) -> dict[str, Any]:
        """A bias, a shift or both, for windows on the last axis."""
        *before, positions = axes
        windows, first = prod(before), self.one_of(*(n for n in range(1, positions + 1) if positions % n == 0))
        block = self.one_of(positions, [positions], [first, positions // first])
        sides = block if isinstance(block, list) else [block]
        counts = [windows, *(1 for _ in sides[1:])]
        if len(sides) > 1 and self.rarely(2):
            counts.reverse()
        shift = self.one_of(None, 0, self.number(0, max(sides)), [self.number(0, side - 1) for side in sides])
        size = [side * count for side, count in zip(sides, counts, strict=True)]
        return {
            "bias": self.one_of(None, "relative", "continuous"),
            "block": block,
            "shift": shift,
            "size": None if shift is None or self.rarely(10) else size,
        }

    def conv_table(self) -> dict[str, Any]:
        top = self.x.channels - (0 if self.rarely(10) else 1)
        counts = [self.number(1, min(4, top + 1)) for _ in range(self.number(1, 4))]
        settings = self.conv()
        settings = {key: settings[key] for key in ("kernel", "stride", "pad", "dilation", "bias") if key in settings}
        return {"table": [self.drawing.sample(range(top + 1), count) for count in counts], **settings}

    def locally_connected(self) -> dict[str, Any]:
        settings = self.conv()
        return {
            key: settings[key]
            for key in settings
            if key not in ("groups", "pad_mode", "weight_norm", "gamma", "eps", "relative", "fixed")
        }

    def conv_transpose(self) -> dict[str, Any]:
        groups = self.groups()
        return self.some(
            out=self.count(1, 6) if self.rarely(5) else groups * self.number(1, max(1, 8 // groups)),
            kernel=self.each(1, 4),
            stride=self.one_of(None, self.each(1, 3)),
            pad=self.one_of(None, self.each(0, 2)),
            output_pad=self.one_of(None, None, self.each(0, 2)),
            dilation=self.one_of(None, None, self.each(1, 2)),
            groups=groups if groups > 1 else None,
            bias=self.one_of(None, False),
            weight_norm="channels" if self.rarely(4) else None,
        )

    def linear(self) -> dict[str, Any]:
        axis = self.one_of("channels", "last", None) if self.x.axes else self.one_of(None, None, "channels", "last")
        norm, out, bias = "channels" if self.rarely(4) else None, self.count(1, 8), self.one_of(None, False)
        zeros = self.one_of(None, None, sorted([self.number(0, 8), self.number(0, 8)]))
        zeros = None if (norm or bias is False) and not self.rarely(9) else zeros
        return self.some(out=out, bias=bias, axis=axis, weight_norm=norm, zero_bias=zeros)

    def roi_align(self) -> dict[str, Any]:
        sampling, aligned = self.one_of(None, 1, 3), self.one_of(None, True)
        return {**self.roi_pool(), **self.some(sampling=sampling, aligned=aligned)}

    def roi_pool(self) -> dict[str, Any]:
        return {"size": self.each(1, 4)}

    def ps_roi_pool(self) -> dict[str, Any]:
        c = self.x.channels
        fit = [[a, b] for a in (1, 2, 3) for b in (1, 2, 3) if c % (a * b) == 0]
        return self.roi_pool() if self.rarely(4) else {"size": self.one_of(*fit)}

    def rbf(self) -> dict[str, Any]:
        return {"out": self.count(1, 8)}

    def _pool(self) -> dict[str, Any]:
        return self.some(
            kernel=self.each(1, 4),
            stride=self.each(1, 4),
            pad=self.one_of(None, self.padding(2)),
            dilation=self.one_of(None, None, self.each(1, 2)),
            ceil_mode=self.one_of(None, True, True, "caffe"),
        )

    max_pool = subsample = _pool

    def avg_pool(self) -> dict[str, Any]:
        return {**self._pool(), **self.some(count_include_pad=self.one_of(None, False, True))}

    def adaptive_avg_pool(self) -> dict[str, Any]:
        return {"out": self.each(1, 6)}

    adaptive_max_pool = adaptive_avg_pool

    def batch_norm(self) -> dict[str, Any]:
        eps = self.one_of(None, 1e-3)
        if self.rarely(3):
            return self.some(frozen=True, affine=False if self.rarely(10) else None, eps=eps)
        return self.some(affine=self.one_of(None, False), scale=self.one_of(None, False), eps=eps)

    def lrn(self) -> dict[str, Any]:
        axis = self.one_of(None, "positions")
        return self.some(
            size=self.one_of(3, 5, 1) if axis and not self.rarely(6) else self.one_of(None, self.count(1, 5)),
            alpha=self.one_of(None, 1e-3, -1),
            beta=self.one_of(None, 0.5),
            k=self.one_of(None, 1),
            axis=axis,
        )

    def layer_norm(self) -> dict[str, Any]:
        names = [["length"], ["height", "width"], ["depth", "height", "width"]]
        some = names[min(2, max(0, len(self.x.axes) - 1))]
        lists = [["last"], some[-2:], some, ["channels", *some], ["height", "width"]]
        axis = self.one_of("channels", "last", "all", None, *lists)
        return self.some(axis=axis, affine=self.one_of(None, False), eps=self.one_of(None, 1e-4))

    rms_norm = layer_norm

    def l2_norm(self) -> dict[str, Any]:
        names = {1: ["length"], 2: ["height", "width"], 3: ["depth", "height", "width"]}.get(len(self.x.axes), [])
        some = [self.one_of("channels", *names, "last") for _ in range(self.number(1, 3))]
        return self.some(
            axis=self.one_of(None, "channels", "last", "all", some),
            scale=self.one_of(None, True),
            per_channel=self.one_of(None, False),
            init=self.one_of(None, 20),
            eps=self.one_of(None, 1e-6),
        )

    def group_norm(self) -> dict[str, Any]:
        groups = self.groups() if self.flag() else self.count(1, 4)
        return {"groups": groups, **self.some(affine=self.one_of(None, False), eps=self.one_of(None, 1e-3))}

    def instance_norm(self) -> dict[str, Any]:
        return self.some(affine=self.one_of(None, True), eps=self.one_of(None, 1e-3))

    def scale(self) -> dict[str, Any]:
        return {"factor": self.one_of(0.1, -1, 2), **self.some(shift=self.one_of(None, 0.5, -1))}

    def math(self) -> dict[str, Any]:
        function = self.one_of("abs", "exp", "log", "sqrt", "sin", "cos", "power", "power")
        exponent = self.one_of(2, -1, 0.5, 3, 0) if (function == "power") != self.rarely(12) else None
        return self.some(function=function, exponent=exponent)

    def layer_scale(self) -> dict[str, Any]:
        return self.some(init=self.one_of(None, 0.1, 1), bias=self.one_of(None, True))

    def leaky_relu(self) -> dict[str, Any]:
        return self.some(slope=self.one_of(None, 0.2, 0.1, 0.1, -0.1))

    def elu(self) -> dict[str, Any]:
        return self.some(alpha=self.one_of(None, 0.5, 0.5, 0.5, -1))

    def hard_tanh(self) -> dict[str, Any]:
        return self.some(min=self.one_of(None, 0, -2.5), max=self.one_of(None, 6, 0.5, 0))

    def gelu(self) -> dict[str, Any]:
        return self.some(approximate=self.one_of(None, "tanh"))

    def softmax(self) -> dict[str, Any]:
        return self.some(axis=self.axis())

    log_softmax = softmax

    def reduce(self) -> dict[str, Any]:
        axis = self.one_of(self.axis() or "channels", "positions")
        return {"by": self.one_of("mean", "sum", "max"), "axis": axis}

    def prelu(self) -> dict[str, Any]:
        return self.some(per_channel=self.one_of(None, False))

    def dropout(self) -> dict[str, Any]:
        return self.some(p=self.one_of(None, 0, 0.5, 1, 1.5))

    def drop_path(self) -> dict[str, Any]:
        return {"p": self.one_of(0, 0.1, 0.5, 1, 1.5, -0.5)}

    def upsample(self) -> dict[str, Any]:
        size, scale = self.one_of((self.each(1, 8), None), (None, self.each(1, 3)), (None, self.each(1, 3)), (2, 2))
        if self.rarely(10):
            size = scale = None
        mode = self.one_of(None, "bilinear", "bicubic" if len(self.x.axes) == 2 else "bilinear")
        aligned = True if (mode and self.rarely(3)) or self.rarely(30) else None
        filtered = (
            True if self.rarely(2 if mode and not aligned and not size and len(self.x.axes) == 2 else 30) else None
        )
        return self.some(size=size, scale=scale, mode=mode, align_corners=aligned, antialias=filtered)

    def axis(self) -> str | None:
        """The name of an axis, or none; rarely of one that is not there."""
        names = {0: [], 1: ["length"], 2: ["height", "width"], 3: ["depth", "height", "width"]}.get(
            len(self.x.axes), []
        )
        if self.rarely(20):
            return self.one_of("depth", "length")
        return self.one_of(None, *names, *names, "last", "channels")

    def slice(self) -> dict[str, Any]:
        axis = self.axis()
        n = self.x.channels
        if axis == "last" or axis in ("width", "length"):
            n = (self.x.channels, *self.x.axes)[-1]
        elif axis in ("height", "depth") and self.x.axes:
            n = self.x.axes[-2 if axis == "height" and len(self.x.axes) > 1 else 0]
        start = self.one_of(None, self.number(0, n - 1), self.count(0, n))
        stop = self.one_of(None, self.number((start or 0) + 1, max(n, (start or 0) + 1)), self.count(0, n + 1))
        return self.some(start=start, stop=stop, axis=axis, step=self.one_of(None, None, self.count(1, 3)))

    def roll(self) -> dict[str, Any]:
        low = self.number(-3, 0)
        return {"by": self.one_of(low, [self.number(-4, 4) for _ in self.x.axes or "a"], self.number(0, 14))}

    def expand(self) -> dict[str, Any]:
        fit = [self.number(1, 5) if n == 1 else n for n in self.x.axes] or [2]
        return {"size": self.each(1, 4) if self.rarely(3) else fit}

    def pad_channels(self) -> dict[str, Any]:
        return self.some(before=self.one_of(None, self.count(0, 3)), after=self.one_of(None, self.count(0, 3)))

    def crop(self) -> dict[str, Any]:
        """Mostly less than there is."""
        kind = self.one_of("size", "size and offset", "by", "by", "by")
        if kind == "size":
            return {"size": self.each(1, 8)}
        if kind == "size and offset" and self.x.axes:
            size = [self.number(1, n) for n in self.x.axes]
            offset = [self.number(0, n - m) for n, m in zip(self.x.axes, size, strict=True)]
            return {"size": size, "offset": self.each(0, 3) if self.rarely(6) else offset}
        return {"by": self.by([max(0, (n - 1) // 2) for n in self.x.axes] or [2])}

    def pad(self) -> dict[str, Any]:
        mode = self.one_of(None, None, "reflect", "replicate", "circular")
        if self.rarely(4):
            return self.some(size=self.each(4, 14), mode=mode)
        return self.some(by=self.by([3] * len(self.x.axes) or [2]), mode=mode)

    def by(self, most: list[int]) -> Any:
        """Positions on every side, per axis, or per side."""
        kind = self.one_of("number", "each", "sides", "sides")
        if kind == "number":
            return self.count(0, min(most))
        if kind == "each":
            return [self.count(0, n) for n in most]
        return [[self.count(0, n), self.count(0, n)] if self.flag() else self.count(0, n) for n in most]

    def channel_shuffle(self) -> dict[str, Any]:
        return {"groups": self.groups() if self.flag() else self.count(1, 4)}

    def rearrange(self) -> dict[str, Any]:
        """Each size as one part or two, and the parts in any order on any axes; or heads, on four axes."""
        if 0 < len(self.x.axes) < 4 and self.flag():
            axes = " ".join("hwk"[: len(self.x.axes)])
            ones = "1 " * (3 - len(self.x.axes))
            return {"pattern": f"(n d) {axes} -> d n {ones}{axes}, n={self.groups()}"}
        parts, before, sizes = list[str](), list[str](), list[str]()
        letters, named = iter("abcdefghij"), self.flag()
        for size in (self.x.channels, *self.x.axes):
            divisors = [n for n in range(2, size + 1) if size % n == 0]
            if self.flag() or not divisors:
                group = [next(letters)]
            else:
                group = [next(letters), str(self.one_of(*divisors) if not self.rarely(20) else 5)]
                if named:  # the size at the end, as in p=2
                    name = next(letters)
                    sizes.append(f"{name}={group.pop()}")
                    group.append(name)
                if self.flag():
                    group.reverse()
            parts += group
            before.append(f"({' '.join(group)})" if len(group) > 1 else group[0])
        if self.flag():
            parts = self.drawing.sample(parts, len(parts))
        axes = self.one_of(1, 2, 3, 4, 5) if self.rarely(2) else len(before)
        cuts = sorted(self.number(0, len(parts)) for _ in range(axes - 1))
        groups = [parts[a:b] for a, b in zip([0, *cuts], [*cuts, len(parts)], strict=True)]
        text = f"{' '.join(before)} -> {' '.join(f'({chr(32).join(group)})' for group in groups)}"
        return {"pattern": ", ".join([text, *sizes])}

    def divisors(self) -> Any:
        """A divisor of every axis; mostly."""
        each = [self.one_of(*(d for d in range(1, n + 1) if n % d == 0)) for n in self.x.axes] or [2]
        return self.each(1, 4) if self.rarely(6) else each

    def unfold(self) -> dict[str, Any]:
        names = ("kernel", "stride", "pad", "dilation")
        return {key: value for key, value in self.conv_transpose().items() if key in names}

    def fold(self) -> dict[str, Any]:
        """Mostly of a kernel whose cells the channels have."""
        settings = self.unfold()
        fits = [[a, b] for a in (1, 2, 3) for b in (1, 2, 3) if self.x.channels % (a * b) == 0]
        if not self.rarely(4):
            settings["kernel"] = self.one_of(*fits)
        return settings | self.some(output_pad=self.one_of(None, None, self.each(0, 1)))

    def space_to_depth(self) -> dict[str, Any]:
        return {"block": self.divisors()}

    def pixel_shuffle(self) -> dict[str, Any]:
        c = self.x.channels
        fit = [n for n in (1, 2, 3) if c % n ** len(self.x.axes) == 0]
        return {"factor": self.each(1, 3) if self.rarely(3) else self.one_of(*fit)}

    def to_map(self) -> dict[str, Any]:
        n = self.x.axes[0] if self.x.axes else 4
        first = self.one_of(*(d for d in range(1, n + 1) if n % d == 0))
        return {"size": self.one_of([first, n // first], [n // first, first, 1], [2, 2], n)}

    def windows(self) -> dict[str, Any]:
        return self.some(size=self.divisors(), grid=self.one_of(None, True))

    def from_windows(self) -> dict[str, Any]:
        """Windows of any length on a map of two axes, whose sizes multiply to as many positions; mostly."""
        n, positions = (self.x.axes * 2)[:2] if self.x.axes else (4, 4)
        a = self.one_of(*(d for d in range(1, n + 1) if n % d == 0))
        b = self.one_of(*(d for d in range(1, positions + 1) if positions % d == 0))
        size = [a * b, n // a * (positions // b)]
        if self.rarely(5):
            size = self.each(1, 9)
        block = self.one_of([b, positions // b], [b, positions // b], None)
        return self.some(size=size, block=block, grid=self.one_of(None, True))
