"""Random specs that are mostly right: every layer type of the registry, joins, jumps, blocks, repeats and heads.

A layer type that is added takes part without a word here: its settings are drawn by their kinds.
"""

from __future__ import annotations

import re
from json import dumps
from random import Random
from typing import Any

from archcalc.language.keywords import FAMILY, LAYERS
from archcalc.layers.settings import Choice, Connections, Flag, Number, Padding, PerAxis, Setting, WholeNumber

TITLES = [
    '=HYPERLINK("http://example.invalid/","x")',
    "+1+1",
    "@SUM(A1)",
    "-2+3",
    "<script>alert(1)</script>",
    "</title></svg>]]>&amp;&lt;",
    "[x](javascript:alert(1)) ![y](http://example.invalid/p.png)",
    "a|b|c `code` **bold** # heading",
    "\\input{/etc/passwd} $x$ % _ & ~ ^ { }",
    "\x1b[31mred\x1b[0m \x07 \x9b1m",
    "one\ntwo\r\nthree\ttab",
    "\u202eevil \u2028 \u200b \ufeff",
    "卷积网络 сеть شبكة 🦜",
    "'\"'\"",
    "%s %(x)s {0} {x}",
    "x" * 3000,
    "",
    " ",
    "0",
    "1e999",
]
NAMES = [
    "a",
    "b",
    "c1",
    "conv1",
    "stem/x",
    "trunk.0",
    "卷积1",
    "слой",
    "ü",
    "__x",
    "self",
    "input",
    "out+1",
    "_",
    "class",
]
SIZES = [1, 1, 2, 3, 3, 4, 5, 7, 8, 11, 16, 17, 32, 33, 64]
HUGE = [10**5, 2**31 - 1, 2**31, 10**15, 10**18, 10**30, 1e15, 1e300, 0, -1, 0.5, 1e-300]
EXPRESSIONS = [
    "width",
    "2 * width",
    "width // 2 + 1",
    "channels",
    "channels * 2",
    "4 if deep else 8",
    "max(width, 3)",
    "sum(xs)",
    "xs[0]",
    "make_divisible(width * 1.5)",
    "+".join(["width"] * 40),
    "width * width * width * width * width * width",
]
REPEATS = [0, 1, 2, 2, 3, 3, 4, 7]
DEEP = [50, 300, 2000, 20_000, 50_000, 10**9, "width", "len(xs)"]
PLAIN = ["relu", "sigmoid", "batch_norm", "identity", "gelu", "dropout", {"layer_norm": {"axis": "channels"}}]
SINGLE = [name for name, layer in LAYERS.items() if not layer.joins]
JOINS = [name for name, layer in LAYERS.items() if layer.joins and layer.fewest > 1]
REGIONS = [name for name, layer in LAYERS.items() if layer.makes_regions]


def number(random: Random) -> Any:
    """A size: mostly small, at times an expression or absurd."""
    draw = random.random()
    if draw < 0.9:
        return random.choice(SIZES[:9])
    return random.choice(EXPRESSIONS) if draw < 0.994 else random.choice(HUGE)


def setting(random: Random, field: Setting) -> Any:
    """A value for a setting of that kind."""
    match field:
        case Choice():
            return random.choice(field.choices)
        case Flag():
            return random.random() < 0.5
        case Number():
            return random.choice([0.1, 0.5, 1, 0.9])
        case Padding():
            return random.choice([0, 1, 1, 1, 2, "same", "valid", [1, 0], [[0, 1], [1, 0]]])
        case PerAxis():
            return random.choice([1, 1, 2, 3, 3, [3, 1], [1, 2], number(random)])
        case Connections():
            return [[random.randint(0, 2)] for _ in range(random.randint(1, 4))]
        case WholeNumber():
            return number(random)
        case _:
            return random.choice([number(random), number(random), [1, 1], random.choice(NAMES)])


class Drawn:
    """A spec as it is drawn: the names so far, and how many steps may follow."""

    def __init__(self, random: Random, room: int) -> None:
        self.random, self.room = random, room
        self.names = ["input"]
        self.inputs = 1

    def steps(self, depth: int = 0) -> list[Any]:
        count = self.random.randint(1, max(1, self.room))
        self.room -= count
        return [self.step(depth) for _ in range(count)]

    def step(self, depth: int) -> Any:
        random = self.random
        draw = random.random()
        if depth < 4 and draw < 0.08:
            step: dict[str, Any] = {"layers": self.steps(depth + 1)}
            if random.random() < 0.7:
                step["repeat"] = random.choice(DEEP if random.random() < 0.02 else REPEATS)
            if random.random() < 0.2:
                size, maps = setting(random, PerAxis("")), random.choices(self.names, k=random.randint(1, 2))
                step["layers"].insert(0, {random.choice(REGIONS): {"size": size}, "from": maps})
                step["regions"] = number(random)
            self.name(step, 0.4)
            return step
        if depth < 4 and draw < 0.2:
            alike = random.random() < 0.9
            branches = [self.alike() if alike else self.steps(depth + 1) for _ in range(random.randint(2, 3))]
            named: Any = {f"b{i}": branch for i, branch in enumerate(branches)} if random.random() < 0.5 else branches
            return self.name({random.choice(JOINS): named}, 0.3)
        if draw < 0.23 and len(self.names) > 1:
            named = random.choices(self.names, k=random.randint(1, 3))
            return self.name({random.choice(JOINS): None, "from": named}, 0.3)
        if draw < 0.29:
            return {"block": {"n": number(random)}, "repeat": random.choice(REPEATS)}
        if draw < 0.31 and depth < 4:
            return {"side": self.steps(depth + 1)}
        if draw < 0.4:
            return self.plain(random.choice(PLAIN))
        return self.layer()

    def alike(self) -> list[Any]:
        """Steps that keep the shape, as the branches of a sum do."""
        random = self.random
        convs = [{"conv": {"out": "channels", "kernel": 3, "pad": 1}}, {"conv": {"out": "channels", "kernel": 1}}]
        steps: list[Any] = random.choices([*PLAIN, *convs, *convs, *convs], k=random.randint(0, 3))
        return [self.plain(step) for step in steps]

    def plain(self, step: Any) -> Any:
        """A step of a fixed list, at times with a name."""
        return self.name(dict(step) if isinstance(step, dict) else {step: None}, 0.2)

    def layer(self) -> Any:
        random = self.random
        type = random.choice(SINGLE if random.random() < 0.25 else ["conv", "conv", "relu", "batch_norm", "avg_pool"])
        fields = LAYERS[type].fields
        chosen = {name: field for name, field in fields.items() if field.required or random.random() < 0.25}
        values = {name: setting(random, field) for name, field in chosen.items()}
        if "groups" in values and random.random() < 0.7:
            del values["groups"]
        if "pad" in fields and random.random() < 0.8:
            kernel = random.choice([1, 3, 3, 5])
            values |= {"kernel": kernel, "pad": kernel // 2}
        step: dict[str, Any] = {type: values or None}
        if random.random() < 0.06:
            step["from"] = random.choice(self.names)
        if random.random() < 0.03:
            step["repeat"] = random.choice(DEEP if random.random() < 0.05 else REPEATS)
        if random.random() < 0.03:
            step["when"] = random.choice(["deep", "not deep", "width > 3", True, False])
        if random.random() < 0.01:
            step["weights"] = random.choice(self.names)
        return self.name(step, 0.35)

    def name(self, step: dict[str, Any], chance: float) -> dict[str, Any]:
        random = self.random
        if random.random() < chance:
            name = random.choice(NAMES) if random.random() < 0.07 else f"n{len(self.names)}"
            step["name"] = f"{name}{{i}}" if "repeat" in step and random.random() < 0.8 else name
            self.names.append(name)
        return step


def inputs(random: Random, drawn: Drawn, axes: list[Any]) -> dict[str, Any]:
    """The input of a spec, or its inputs by name: mostly of the same axes."""
    shapes = [[random.choice([1, 3, 3, 3, 4]), *axes] for _ in drawn.names]
    if drawn.names == ["input"]:
        return {"input": shapes[0]}
    for shape in shapes[1:]:
        if random.random() < 0.3:
            shape[1:] = random.choice([[], [4], [8, 8], [3, 4, 5], [random.choice(HUGE)]])
    return {"inputs": dict(zip(drawn.names, shapes, strict=True))}


def spec(random: Random) -> str:
    """The text of a spec, as flow YAML that is JSON too."""
    drawn = Drawn(random, random.choice([3, 6, 12, 25]))
    if random.random() < 0.15:
        drawn.names = ["in0", "in1", "in2"][: random.randint(1, 3)]
        drawn.inputs = len(drawn.names)
    sides = random.choice(SIZES[4:])
    axes = random.choice([[sides, sides]] * 30 + [[sides], [], [sides, 5, 7], [60000, 60000], [random.choice(HUGE), 8]])
    tree: dict[str, Any] = {
        **inputs(random, drawn, axes),
        "params": {"width": random.choice([2, 4, 8]), "deep": True, "xs": [1, 2, 3]},
        "blocks": {
            "block": {"params": ["n"], "layers": [{"conv": {"out": "n", "kernel": 1}}, *Drawn(random, 2).steps(3)]}
        },
        "layers": drawn.steps(),
    }
    if random.random() < 0.2:
        tree["title"] = random.choice(TITLES)
    if random.random() < 0.1:
        tree[random.choice(["year", "note", "table", "url", "paper"])] = random.choice(TITLES)
    if random.random() < 0.02:
        tree["networks"] = {"small": {}, "large": {"width": 16, "title": random.choice(TITLES)}}
    if "outputs" in FAMILY and random.random() < 0.1 and len(drawn.names) > drawn.inputs:
        tree["outputs"] = random.choices(drawn.names[drawn.inputs :], k=random.randint(1, 2))
    text = dumps(tree, ensure_ascii=False, indent=1 if random.random() < 0.3 else None)
    return re.sub("[\x7f-\x9f\u2028\u2029\ufeff]", lambda found: f"\\u{ord(found[0]):04x}", text)
