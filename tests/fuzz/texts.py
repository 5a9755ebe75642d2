"""Texts that are almost specs, patterns and expressions: damaged ones, and ones of random words.

Every function takes a ``random.Random``, which may be Hypothesis's, so that the suite can shrink what fails.
"""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any

import yaml

from archcalc.language.operations import FUNCTIONS
from archcalc.language.zoo import specs

DOCS = Path(__file__).parents[2] / "docs" / "spec.md"
TINY = """\
input: [3, 8, 8]
params: {width: 4, deep: true}
let: {wide: 2 * width}
networks:
  a: {}
  b: {width: 8, deep: false}
blocks:
  down:
    params: {n: , out: width}
    layers:
      - conv: {out: out, kernel: 3, pad: 1}
        name: c
      - down: {n: n - 1, out: wide}
        when: n > 1
layers:
  - down: {n: 3}
    name: d1
  - {relu: , repeat: 2, as: k, name: "r{k}"}
  - add: {main: [{conv: {out: channels, kernel: 1}, name: one}], same: []}
    when: deep
  - concat:
    from: [d1, r1]
  - conv: {out: wide, kernel: 1}
    name: c2
  - conv: {out: wide, kernel: 1}
    weights: c2
    when: wide == channels
  - side: [global_avg_pool, flatten, {linear: {out: 10}}]
  - {max_pool: {kernel: 2, stride: 2}, from: r1}
  - flatten
  - linear: {out: 10}
"""
TEXTS = (
    [TINY] * 8
    + [re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)[0]] * 4
    + [path.read_text(encoding="utf-8") for path in sorted(specs().glob("*.yaml"))]
)

NASTY = [
    "",
    "0",
    "-1",
    "1",
    "2",
    "3",
    "0.5",
    "1e400",
    "-0.0",
    "99999999999999999999",
    "2147483647",
    "1000000000",
    "true",
    "null",
    "~",
    "yes",
    "[]",
    "{}",
    "[[]]",
    "[1, [2]]",
    "{a: 1}",
    "'",
    '"',
    "*x",
    "&x 1",
    "!!python/object:os.system x",
    "<<",
    "%",
    "@",
    "x y",
    "a: b",
    "-",
    "- - -",
    "?",
    "|",
    ">",
    "#",
    "\t",
    "\x00",
    "\x7f",
    "\u2028",
    "é",
    "\U0001f600",
    "_" * 100,
    "k" * 400,
    "width",
    "channels",
    "out",
    "i",
    "conv",
    "relu",
    "add",
    "concat",
    "layers",
    "side",
    "input",
    "name",
    "from",
    "d1",
    "same",
    "'{i}'",
    "'{'",
    "'{x.__class__}'",
    "__import__('os')",
    "9**9**9",
    "1 // 0",
    "not 1",
    "1 < 2 < 3",
    "max([])",
    "i * 1.5",
    "width * width * width * width * width * width",
    "(" * 60,
    "[width, [width, channels]]",
    "lambda: 0",
    "a if",
    "1 +",
]
SCALARS: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    3,
    10**9,
    2**31,
    10**30,
    0.5,
    float("inf"),
    "",
    "width",
    "conv",
    "relu",
    "add",
    "channels",
    "d1",
    "i",
    "1 // 0",
    "9**9",
    "{i}",
    "a\nb",
    "x" * 90,
    [],
    {},
    [[]],
    [1, 2],
    {"a": 1},
    ["relu"],
    [{"conv": {"out": 3, "kernel": 1}}],
    {"upsample": {"scale": 1000}},
    {"layers": []},
]


WORDS = [
    "INPUT ",
    "32x32x3",
    " -> ",
    " → ",
    "[",
    "]",
    "*3",
    "*0",
    "*999999999",
    "?",
    "CONV3-32",
    "CONV1x7-8",
    "CONV3-0",
    "POOL2",
    "AVGPOOL3",
    "FC-10",
    "FC10",
    "RELU",
    "BN",
    "GAP",
    "FLATTEN",
    "DROPOUT",
    " s2",
    " p1",
    " s0",
    " p99",
    "CONV",
    "X",
    "-",
    "x",
    " ",
    "0",
    "9" * 30,
    "é",
    "\n",
]


TOKENS = [
    "a",
    "b",
    "xs",
    "i",
    "1",
    "2",
    "0",
    "0.5",
    "1e5",
    "1e-5",
    "9" * 16,
    " + ",
    " - ",
    " * ",
    " / ",
    " // ",
    " % ",
    " ** ",
    "(",
    ")",
    "[",
    "]",
    ",",
    " if ",
    " else ",
    " and ",
    " or ",
    " not ",
    " == ",
    " != ",
    " < ",
    " >= ",
    "true",
    "none",
    "'w'",
    '"',
    "'",
    ".",
    "_",
    "__class__",
    "lambda",
    ":",
    "=",
    "!",
    "\\",
    "\n",
    "é",
    *FUNCTIONS,
]
SCOPE: dict[str, Any] = {"a": 3, "b": 0.5, "xs": [1, 2, [3]], "i": True, "w": "word"}


def damaged(random: Random, text: str) -> str:
    """The text with one mishap of lines and words."""
    lines = text.split("\n")
    at, other = random.randrange(len(lines)), random.randrange(len(lines))
    match random.choice(["delete", "double", "swap", "scalar", "indent", "splice", "insert", "cut", "word", "word"]):
        case "delete":
            del lines[at : at + random.randint(1, 3)]
        case "double":
            lines[at:at] = lines[at : at + random.randint(1, 5)]
        case "swap":
            lines[at], lines[other] = lines[other], lines[at]
        case "scalar":
            nasty = random.choice(NASTY)
            lines[at] = re.sub(r"(: ?|- )[^:\-{\[]*$", lambda m: f"{m[1]}{nasty}", lines[at], count=1)
        case "indent":
            lines[at] = " " * random.randint(0, 12) + lines[at].lstrip()
        case "splice":
            extra = random.choice(TEXTS).split("\n")
            start = random.randrange(len(extra))
            lines[at:other] = extra[start : start + 20]
        case "insert":
            lines.insert(at, random.choice([*NASTY, letters(random, 20)]))
        case "cut":
            lines[at] = lines[at][: random.randint(0, 40)]
        case "word":
            words = re.split(r"(\w+)", lines[at])
            if len(words) > 1:
                words[random.randrange(len(words) // 2) * 2 + 1] = random.choice(NASTY)
            lines[at] = "".join(words)
    return "\n".join(lines) or "x"


def letters(random: Random, most: int) -> str:
    """A few characters from anywhere in Unicode, surrogates left out."""
    ranges = [
        (0x20, 0x7E),
        (0x20, 0x7E),
        (0x00, 0x1F),
        (0x7F, 0x24F),
        (0x2000, 0x206F),
        (0x4E00, 0x4FFF),
        (0x1F600, 0x1F64F),
    ]
    return "".join(chr(random.randint(*random.choice(ranges))) for _ in range(random.randint(0, most)))


def damaged_text(random: Random, text: str | None = None) -> str:
    """A spec with one to four mishaps of its lines and words."""
    text = random.choice(TEXTS) if text is None else text
    for _ in range(random.randint(1, 4)):
        text = damaged(random, text)
    return text


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every container with a key of it."""
    found: list[tuple[Any, Any]] = []
    keys: Any = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else []
    for key in keys:
        found += [(tree, key), *places(tree[key])]
    return found


def damaged_tree(random: Random, text: str | None = None) -> str:
    """A spec with one to four mishaps of its keys and values."""
    tree = _loaded(random.choice(TEXTS) if text is None else text)
    for _ in range(random.randint(1, 4)):
        spots = places(tree)
        if not spots:
            break
        where, key = random.choice(spots)
        there, other = random.choice(spots)
        match random.choice(["drop", "swap", "copy", "value", "value", "nest", "rename"]):
            case "drop":
                del where[key]
            case "swap":
                where[key], there[other] = there[other], where[key]
            case "copy":
                where[key] = _loaded(_dumped(there[other]))
            case "value":
                where[key] = random.choice(SCALARS)
            case "nest":
                where[key] = random.choice([[where[key]], {"layers": where[key]}, {"a": where[key]}])
            case "rename" if isinstance(where, dict):
                where[random.choice(RENAMED)] = where.pop(key)
        tree = _loaded(_dumped(tree))
    return _dumped(tree)


RENAMED = [*(s for s in SCALARS if isinstance(s, str)), "repeat", "when", "from", "name"]


def _dumped(tree: Any) -> str:
    try:
        return str(yaml.dump(tree, Dumper=_NoAliases))
    except RecursionError:  # a branch swapped into itself
        return "x"


def _loaded(text: str) -> Any:
    return yaml.load(text, _LOADER)


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _NoAliases(_DUMPER):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def pattern(random: Random, words: list[str] = WORDS, most: int = 20) -> str:
    """A one-line pattern of random words."""
    return "".join(random.choices(words, k=random.randint(0, most)))


def expression(random: Random) -> str:
    """An expression of random signs and names."""
    return "".join(random.choices(TOKENS, k=random.randint(0, 30)))
