"""Every mistake in a spec gives its own sentences, word for word, at its line; and no mistake gives another's."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from archcalc import Network, analyze
from archcalc.errors import ArchcalcError
from archcalc.language.expand import expand
from archcalc.language.zoo import read_text

I = "input: [3, 8, 8]\n"  # noqa: E741
L = I + "layers:\n"


def build(text: str) -> Network:
    family = read_text(text, "spec.yaml", "spec")
    network = expand(family, next(iter(family.networks)))
    analyze(network).rows  # noqa: B018  fields have problems too
    return network


def problems(text: str) -> list[str]:
    with pytest.raises(ArchcalcError) as caught:
        build(text)
    return list(map(str, caught.value.problems))


MISTAKES = [
    (
        "pattern missing",
        L + "  - rearrange\n",
        [
            "spec.yaml:3: rearrange needs pattern: the channels and the axes before and after, as in "
            '"c (h 2) (w 2) -> (c 2 2) h w" (at layers[0].rearrange)'
        ],
    ),
    (
        "pattern without an arrow",
        L + '  - rearrange: "c h w"\n',
        [
            "spec.yaml:3: pattern: expected a pattern with one arrow, such as 'c (h 2) (w 2) -> (c 2 2) h w', "
            "got 'c h w' (at layers[0].rearrange.pattern)"
        ],
    ),
    (
        "pattern is a list",
        L + "  - rearrange: [c, h]\n",
        ["spec.yaml:3: expected a text, got a list of 2 (at layers[0].rearrange.pattern)"],
    ),
    (
        "pattern with a brace",
        L + '  - rearrange: "c {h w -> c"\n',
        ["spec.yaml:3: unbalanced braces in 'c {h w -> c' (at layers[0].rearrange.pattern)"],
    ),
    (
        "pattern with an unknown name",
        L + '  - rearrange: {pattern: "c (h {b}) w -> c h (w {b})"}\n',
        ["spec.yaml:3: unknown name 'b'; known: channels (at layers[0].rearrange.pattern)"],
    ),
    (
        "pattern that does not fit",
        L + '  - rearrange: "c (h {channels}) w -> c h (w {channels})"\n',
        [
            "spec.yaml:3: 'c (h 3) w -> c h (w 3)': the height 8 of (h 3) is not divisible by 3; 6 and 9 would fit "
            "(at layers[0].rearrange)"
        ],
    ),
    (
        "yaml",
        "input: [3, 8\nlayers: [relu]\n",
        [
            (
                "spec.yaml:2: not valid YAML: while parsing a flow sequence from line 1 on did not find expected ',' "
                "or ']'"
            )
        ],
    ),
    ("key misspelt", I + "layres: [relu]\n", ["spec.yaml:2: unknown key of a spec 'layres'; did you mean 'layers'?"]),
    (
        "layer misspelt",
        L + "  - cnov: {out: 4, kernel: 3}\n",
        ["spec.yaml:3: unknown layer or block 'cnov'; did you mean 'conv'? (at layers[0])"],
    ),
    (
        "layer word",
        L + "  - rleu\n",
        ["spec.yaml:3: unknown layer or block 'rleu'; did you mean 'relu'? (at layers[0])"],
    ),
    (
        "layer case",
        L + "  - ReLU\n",
        ["spec.yaml:3: unknown layer or block 'ReLU'; did you mean 'relu'? (at layers[0])"],
    ),
    (
        "setting misspelt",
        L + "  - conv: {out: 4, kernal: 3}\n",
        ["spec.yaml:3: unknown setting of conv 'kernal'; did you mean 'kernel'? (at layers[0].conv.kernal)"],
    ),
    (
        "setting beside",
        L + "  - conv: {out: 4}\n    kernel: 3\n",
        [
            "spec.yaml:3: conv needs kernel: size of the window (at layers[0].conv)",
            "spec.yaml:4: kernel is a setting of conv and is indented below it (at layers[0])",
        ],
    ),
    (
        "option below",
        L + "  - conv: {out: 4, kernel: 3, name: a}\n",
        ["spec.yaml:3: name stands beside conv:, not below it (at layers[0].conv.name)"],
    ),
    (
        "option misspelt",
        L + "  - relu:\n    nmae: a\n",
        ["spec.yaml:4: unknown layer, block or option 'nmae'; did you mean 'name'? (at layers[0])"],
    ),
    (
        "two layers",
        L + "  - relu:\n    flatten:\n",
        ["spec.yaml:3: a step is one layer or block, got relu, flatten; every step has its own dash (at layers[0])"],
    ),
    (
        "no colon",
        L + "  - conv out=3\n",
        [
            (
                "spec.yaml:3: unknown layer or block 'conv out=3'; docs/spec.md and archcalc schema list the layers "
                "(a step with settings needs a colon after its type) (at layers[0])"
            )
        ],
    ),
    (
        "block misspelt",
        I + "blocks: {unit: {layers: [relu]}}\nlayers: [untis]\n",
        ["spec.yaml:3: unknown layer or block 'untis'; did you mean 'unit'? (at layers[0])"],
    ),
    (
        "block arg misspelt",
        I + "blocks: {unit: {params: [width], layers: [relu]}}\nlayers:\n  - unit: {wdith: 3}\n",
        ["spec.yaml:4: unknown setting of block unit 'wdith'; did you mean 'width'? (at layers[0].unit.wdith)"],
    ),
    (
        "block arg missing",
        I + "blocks: {unit: {params: [a, b], layers: [relu]}}\nlayers:\n  - unit: {a: 3}\n",
        ["spec.yaml:4: block unit needs b (at layers[0].unit)"],
    ),
    (
        "default in a list of params",
        I + "blocks: {u: {params: [out, {k: 3}], layers: [{conv: {out: out, kernel: k}}]}}\nlayers:\n  - u: {out: 3}\n",
        [
            "spec.yaml:2: a list of params holds names alone, got a mapping with 'k'; "
            "with defaults write {out: , k: 3} (at blocks.u.params)"
        ],
    ),
    (
        "several defaults in a list of params",
        I + "blocks: {u: {params: [{a: }, {k: [1, 2], n: 1}], layers: [relu]}}\nlayers:\n  - u: {a: 3}\n",
        [
            "spec.yaml:2: a list of params holds names alone, got a mapping with 'a'; "
            "with defaults write {a: , k: ..., n: 1} (at blocks.u.params)"
        ],
    ),
    (
        "no names in a list of params",
        I + "blocks: {u: {params: [out, 3, [b], ''], layers: [relu]}}\nlayers:\n  - u: {out: 3}\n",
        [
            f"spec.yaml:2: a parameter is called by at most 40 letters, digits and _, got {got} (at blocks.u.params)"
            for got in ("'3'", "'a list of 1'", "''")
        ],
    ),
    (
        "param misspelt in expr",
        I + "params: {width: 3}\nlayers:\n  - conv: {out: 2 * witdh, kernel: 1}\n",
        ["spec.yaml:4: unknown name 'witdh'; did you mean 'width'? (at layers[0].conv.out)"],
    ),
    (
        "network key",
        I + "params: {depth: 3}\nnetworks: {a: {dpeth: 3}}\nlayers: [relu]\n",
        ["spec.yaml:3: unknown key of a network 'dpeth'; did you mean 'depth'? (at networks.a)"],
    ),
    (
        "network value",
        I + "params: {depth: 3}\nnetworks: {a: {depth: many}}\nlayers: [relu]\n",
        ["spec.yaml:3: depth=many: expected a whole number as in depth=3 (at networks.a)"],
    ),
    ("no input", "layers: [relu]\n", ["spec.yaml:1: no input is given; write for example input: [3, 224, 224]"]),
    ("no layers", I, ["spec.yaml:1: the spec has no layers"]),
    ("empty layers", I + "layers: []\n", ["spec.yaml:1: spec has no layers"]),
    (
        "input text",
        "input: 3x8x8\nlayers: [relu]\n",
        ["spec.yaml:1: input must be [channels, height, width], got '3x8x8' (at input)"],
    ),
    ("input zero", "input: [3, 0, 8]\nlayers: [relu]\n", ["spec.yaml:1: input: must be at least 1, got 0 (at input)"]),
    (
        "input huge",
        "input: [3, 99999999999, 8]\nlayers: [relu]\n",
        ["spec.yaml:1: input: 99999999999 is larger than 2,147,483,647, the largest size there is (at input)"],
    ),
    (
        "type",
        L + "  - conv: {out: four, kernel: 3}\n",
        ["spec.yaml:3: unknown name 'four'; known: channels (at layers[0].conv.out)"],
    ),
    (
        "type2",
        L + "  - conv: {out: [1], kernel: 3}\n",
        ["spec.yaml:3: out: expected a whole number, got [1] (at layers[0].conv.out)"],
    ),
    (
        "null",
        L + "  - conv: {out: , kernel: 3}\n",
        ["spec.yaml:3: out: expected a whole number, got nothing (at layers[0].conv.out)"],
    ),
    (
        "float",
        L + "  - conv: {out: 2.5, kernel: 3}\n",
        ["spec.yaml:3: out: expected a whole number, got 2.5 (at layers[0].conv.out)"],
    ),
    (
        "zero",
        L + "  - conv: {out: 4, kernel: 0}\n",
        ["spec.yaml:3: kernel: must be at least 1, got 0 (at layers[0].conv.kernel)"],
    ),
    (
        "negative",
        L + "  - conv: {out: 4, kernel: 3, stride: -1}\n",
        ["spec.yaml:3: stride: must be at least 1, got -1 (at layers[0].conv.stride)"],
    ),
    (
        "huge",
        L + "  - conv: {out: 99999999999, kernel: 3}\n",
        [
            (
                "spec.yaml:3: out: 99999999999 is larger than 2,147,483,647, the largest size there is (at "
                "layers[0].conv.out)"
            )
        ],
    ),
    (
        "huger",
        L + "  - conv: {out: 99999999999999999999, kernel: 3}\n",
        ["spec.yaml:3: a number beyond 1,000,000,000,000,000 (at layers[0].conv.out)"],
    ),
    (
        "choice",
        L + "  - upsample: {scale: 2, mode: bilnear}\n",
        ["spec.yaml:3: unknown name 'bilnear'; did you mean 'bilinear'? (at layers[0].upsample.mode)"],
    ),
    (
        "pad word",
        L + "  - conv: {out: 4, kernel: 3, pad: smae}\n",
        ["spec.yaml:3: unknown name 'smae'; did you mean 'same'? (at layers[0].conv.pad)"],
    ),
    (
        "required",
        L + "  - conv: {out: 4}\n",
        ["spec.yaml:3: conv needs kernel: size of the window (at layers[0].conv)"],
    ),
    (
        "kernel large",
        L + "  - conv: {out: 4, kernel: 9}\n",
        ["spec.yaml:3: the kernel spans 9 but the padded input is only 8 + 0 + 0 = 8 (at layers[0].conv)"],
    ),
    (
        "groups",
        L + "  - conv: {out: 4, kernel: 3, groups: 2}\n",
        ["spec.yaml:3: input channels / groups: 3 is not divisible by 2 (at layers[0].conv)"],
    ),
    (
        "merge shapes",
        L + "  - add:\n      a: []\n      b: [{conv: {out: 4, kernel: 1}}]\n",
        [
            "spec.yaml:3: the inputs of add differ in shape: 3x8x8, 4x8x8; along each axis sizes must be equal, or 1 "
            "(at layers[0].add)"
        ],
    ),
    (
        "concat sizes",
        L + "  - concat:\n      a: []\n      b: [{conv: {out: 4, kernel: 3}}]\n",
        [
            "spec.yaml:3: the inputs of concat differ in size: 3x8x8, 4x6x6; crop: {size: [6, 6]} cuts a larger map "
            "to that size (at layers[0].concat)"
        ],
    ),
    (
        "one branch",
        L + "  - add: {a: [relu]}\n",
        [
            (
                "spec.yaml:3: add joins two or more branches, as in add: {main: [...], shortcut: []}, or layers, as "
                "in from: [name, name]; got 1 branch (at layers[0].add)"
            )
        ],
    ),
    (
        "no branch",
        L + "  - add\n",
        [
            (
                "spec.yaml:3: add joins two or more branches, as in add: {main: [...], shortcut: []}, or layers, as "
                "in from: [name, name]; got nothing (at layers[0].add)"
            )
        ],
    ),
    (
        "no branch2",
        L + "  - add: {}\n",
        [
            (
                "spec.yaml:3: add joins two or more branches, as in add: {main: [...], shortcut: []}, or layers, as "
                "in from: [name, name]; got a mapping (at layers[0].add)"
            )
        ],
    ),
    (
        "from one",
        L + "  - {relu: , name: a}\n  - {add: , from: a}\n",
        ["spec.yaml:4: add joins two or more, but from names 1 (at layers[1].add)"],
    ),
    (
        "branch not list",
        L + "  - add: {a: relu, b: []}\n",
        ["spec.yaml:3: expected a list of layers, got 'relu' (at layers[0].add.a)"],
    ),
    (
        "from unknown",
        L + "  - {relu: , name: conv1}\n  - {relu: , from: cnov1}\n",
        ["spec.yaml:4: from: unknown layer 'cnov1'; did you mean 'conv1'? (at layers[1].relu.from)"],
    ),
    (
        "from later",
        L + "  - {relu: , from: b}\n  - {relu: , name: b}\n",
        ["spec.yaml:3: from: b comes later; a layer can use just what stands before it (at layers[0].relu.from)"],
    ),
    (
        "from unnamed",
        L + "  - relu\n  - {flatten: , from: relu}\n",
        [
            (
                "spec.yaml:4: from: the layer relu has no name of its own; write name: relu beside it (at "
                "layers[1].flatten.from)"
            )
        ],
    ),
    (
        "from two",
        L + "  - {relu: , name: a}\n  - {relu: , from: [a, input]}\n",
        ["spec.yaml:4: relu takes one input, got 2 (at layers[1].relu)"],
    ),
    (
        "slot missing",
        L + "  - attention: {heads: 1, queries: [], values: [relu]}\n",
        ["spec.yaml:3: attention needs the branch keys (at layers[0].attention)"],
    ),
    (
        "a bias that is no branch",
        L + "  - attention: {heads: 1, queries: [], keys: [], values: [], bias: relativ}\n",
        ["spec.yaml:3: unknown name 'relativ'; did you mean 'relative'? (at layers[0].attention.bias)"],
    ),
    (
        "slot misspelt",
        L + "  - attention: {heads: 1, queries: [], kyes: [], values: []}\n",
        [
            "spec.yaml:3: unknown branch of attention 'kyes'; did you mean 'keys'? (at layers[0].attention)",
            "spec.yaml:3: attention needs the branch keys (at layers[0].attention)",
        ],
    ),
    (
        "range of one number, of a sum",
        L + '  - {relu: , name: r1}\n  - {add: , from: ["r{1..1}"]}\n',
        ["spec.yaml:4: add joins 2 or more, but from names 1 here (at layers[1].add.from)"],
    ),
    (
        "range without numbers",
        L + '  - {relu: , name: r1}\n  - {concat: , from: ["r{2..1}"]}\n',
        ["spec.yaml:4: no layer has a number in the range of 'r{2..1}' (at layers[1].concat.from)"],
    ),
    (
        "range of parts",
        L + '  - {relu: , name: r1}\n  - {concat: , from: ["r{1..1.5}"]}\n',
        ["spec.yaml:4: a range needs whole numbers, got 1.5 (at layers[1].concat.from)"],
    ),
    (
        "range beyond the names",
        L + '  - {relu: , name: r1}\n  - {concat: , from: ["r{1..2}"]}\n',
        ["spec.yaml:4: from: unknown layer 'r2'; did you mean 'r1'? (at layers[1].concat.from)"],
    ),
    (
        "two ranges",
        L + '  - {relu: , name: r1}\n  - {concat: , from: ["r{1..2}_{1..2}"]}\n',
        ["spec.yaml:4: a name has at most one range, got 'r{1..2}_{1..2}' (at layers[1].from)"],
    ),
    (
        "range in a name",
        L + '  - {relu: , name: "r{1..2}"}\n',
        ["spec.yaml:3: one name stands here, and 'r{1..2}' has a range (at layers[0].name)"],
    ),
    (
        "range of many numbers",
        L + '  - {relu: , name: r1}\n  - {concat: , from: ["r{1..10000000000}"]}\n',
        [
            "spec.yaml:4: writing out the spec takes more than 2,500,000 operations, used up here; fewer repeats, shorter "
            "expressions or shorter lists take less (at layers[1].concat.from)"
        ],
    ),
    ("from empty", L + "  - {relu: , from: []}\n", ["spec.yaml:3: from names no layer (at layers[0].from)"]),
    (
        "self",
        I + "blocks: {a: {layers: [a]}}\nlayers: [a]\n",
        [
            (
                "spec.yaml:2: blocks nest deeper than 100 levels: does a block call itself without end? (... > a > a "
                "> a > a) (at blocks.a.layers[0].a)"
            )
        ],
    ),
    (
        "mutual",
        I + "blocks: {a: {layers: [b]}, b: {layers: [a]}}\nlayers: [a]\n",
        [
            (
                "spec.yaml:2: blocks nest deeper than 100 levels: does a block call itself without end? (... > b > a "
                "> b > a) (at blocks.a.layers[0].b)"
            )
        ],
    ),
    (
        "repeat",
        L + "  - {relu: , repeat: 1000000000}\n",
        ["spec.yaml:3: the network grows beyond 50,000 steps (at layers[0].relu, i = 50001)"],
    ),
    (
        "repeat bad",
        L + "  - {relu: , repeat: -1}\n",
        ["spec.yaml:3: repeat must be a whole number from 0 on, got -1 (at layers[0].relu.repeat)"],
    ),
    (
        "repeat word",
        L + "  - {relu: , repeat: two}\n",
        ["spec.yaml:3: unknown name 'two'; known: channels (at layers[0].repeat)"],
    ),
    (
        "repeat float",
        L + "  - {relu: , repeat: 1.5}\n",
        ["spec.yaml:3: repeat must be a whole number from 0 on, got 1.5 (at layers[0].relu.repeat)"],
    ),
    (
        "as",
        L + "  - {relu: , as: j}\n",
        ["spec.yaml:3: as names the counter of repeat, but there is no repeat (at layers[0].as)"],
    ),
    (
        "when",
        L + "  - {relu: , when: 1}\n",
        ["spec.yaml:3: when must be true or false, got 1 (at layers[0].relu.when)"],
    ),
    (
        "when word",
        L + "  - {relu: , when: maybe}\n",
        ["spec.yaml:3: unknown name 'maybe'; known: channels (at layers[0].when)"],
    ),
    (
        "when null",
        L + "  - {relu: , when: }\n",
        ["spec.yaml:3: when must be true or false, got nothing (at layers[0].relu.when)"],
    ),
    (
        "div",
        I + "params: {n: 0}\nlayers:\n  - conv: {out: 4 // n, kernel: 1}\n",
        ["spec.yaml:4: division by zero: 4 // 0 (at layers[0].conv.out)"],
    ),
    (
        "div const",
        L + "  - conv: {out: 4 // 0, kernel: 1}\n",
        ["spec.yaml:3: division by zero: 4 // 0 (at layers[0].conv.out)"],
    ),
    (
        "power",
        L + "  - conv: {out: 9**9**9, kernel: 1}\n",
        ["spec.yaml:3: powers (**) in '9**9**9' are not part of the expression language (at layers[0].conv.out)"],
    ),
    (
        "product",
        I + "params: {n: 99999999}\nlayers:\n  - conv: {out: n * n * n, kernel: 1}\n",
        ["spec.yaml:4: a number beyond 1,000,000,000,000,000 (at layers[0].conv.out)"],
    ),
    (
        "import",
        L + "  - conv: {out: \"__import__('os')\", kernel: 1}\n",
        [
            (
                "spec.yaml:3: unknown function '__import__'; known: abs, ceil, floor, int, len, make_divisible, max, "
                "min, round, sum (at layers[0].conv.out)"
            )
        ],
    ),
    (
        "attribute",
        I + "params: {n: 1}\nlayers:\n  - conv: {out: n.real, kernel: 1}\n",
        ["spec.yaml:4: '.' in 'n.real' is not part of the expression language (at layers[0].conv.out)"],
    ),
    (
        "lambda",
        L + '  - conv: {out: "lambda: 3", kernel: 1}\n',
        ["spec.yaml:3: ':' in 'lambda: 3' is not part of the expression language (at layers[0].conv.out)"],
    ),
    (
        "format",
        I + 'params: {n: 1}\nlayers:\n  - {relu: , name: "{n.__class__}"}\n',
        ["spec.yaml:4: '.' in 'n.__class__' is not part of the expression language (at layers[0].name)"],
    ),
    (
        "format spec",
        I + 'params: {n: 1}\nlayers:\n  - {relu: , name: "{n:>100}"}\n',
        ["spec.yaml:4: ':' in 'n:>100' is not part of the expression language (at layers[0].name)"],
    ),
    (
        "name odd",
        L + '  - {relu: , name: "a b"}\n',
        ["spec.yaml:3: a name is at most 80 letters, digits and _ . / + -, got 'a b' (at layers[0].name)"],
    ),
    (
        "name newline",
        L + '  - {relu: , name: "a\\n"}\n',
        ["spec.yaml:3: a name is at most 80 letters, digits and _ . / + -, got 'a\\n' (at layers[0].name)"],
    ),
    (
        "duplicate",
        L + "  - {relu: , name: a}\n  - {relu: , name: a}\n",
        [
            (
                "spec.yaml:4: two things are called a: give the block or repeat around them a name, or put {i} into "
                "this one (at layers[1].relu)"
            )
        ],
    ),
    (
        "duplicate repeat",
        L + "  - {relu: , name: a, repeat: 2}\n",
        [
            (
                "spec.yaml:3: two things are called a: give the block or repeat around them a name, or put {i} into "
                "this one (at layers[0].relu, i = 2)"
            )
        ],
    ),
    (
        "duplicate block",
        I + "blocks: {u: {layers: [relu]}}\nlayers:\n  - {u: , name: a}\n  - {u: , name: a}\n",
        [
            (
                "spec.yaml:5: two things are called a: give the block or repeat around them a name, or put {i} into "
                "this one (at layers[1].u)"
            )
        ],
    ),
    (
        "weights unknown",
        L + "  - {conv: {out: 4, kernel: 1}, weights: c}\n",
        ["spec.yaml:3: weights: unknown layer 'c'; known: input (at layers[0].conv.weights)"],
    ),
    (
        "weights shape",
        L + "  - {conv: {out: 3, kernel: 1}, name: c}\n  - {conv: {out: 3, kernel: 3}, weights: c}\n",
        [
            (
                "spec.yaml:4: cannot use the weights of c: conv with 9 weights and 3 biases there, conv with 81 and "
                "3 here (at layers[1].conv)"
            )
        ],
    ),
    (
        "weights same count",
        L + "  - {conv: {out: 6, kernel: 1}, name: c}\n  - {conv: {out: 3, kernel: 1, bias: false}, weights: c}\n",
        [
            (
                "spec.yaml:4: cannot use the weights of c: conv with 18 weights and 6 biases there, conv with 18 and "
                "0 here (at layers[1].conv)"
            )
        ],
    ),
    (
        "weights swapped",
        L + "  - {conv: {out: 6, kernel: 1, bias: false}, name: c}\n"
        "  - {conv: {out: 3, kernel: 1, bias: false}, weights: c}\n",
        [
            (
                "spec.yaml:4: cannot use the weights of c: out 6 there, 3 here; 3 input channels there, 6 here (at "
                "layers[1].conv)"
            )
        ],
    ),
    (
        "weights on a side head",
        L + "  - {side: [relu], weights: a}\n",
        ["spec.yaml:3: weights belongs to a layer, a block or a group, not to side (at layers[0].side)"],
    ),
    (
        "a group with weights of a layer",
        L + "  - {relu: , name: a}\n  - {layers: [{conv: {out: 3, kernel: 1}}], weights: a}\n",
        [
            "spec.yaml:4: weights: a block or group cannot use the weights of a: it is a layer (at layers[1].layers.weights)"
        ],
    ),
    (
        "a group with weights of another group",
        L + "  - {layers: [{conv: {out: 3, kernel: 1}}], name: a}\n"
        "  - {layers: [{conv: {out: 3, kernel: 1}}, relu], weights: a}\n",
        [
            (
                "spec.yaml:4: weights: a block or group cannot use the weights of a: its layers differ: 1 layer there, "
                "2 layers here (at layers[1].layers.weights)"
            )
        ],
    ),
    (
        "a group with weights of other sizes",
        L + "  - {layers: [{conv: {out: 3, kernel: 1}}], name: a}\n"
        "  - {layers: [{conv: {out: 3, kernel: 3}}], weights: a}\n",
        [
            (
                "spec.yaml:4: conv: cannot use the weights of a.conv: conv with 9 weights and 3 biases there, conv with "
                "81 and 3 here (at layers[1].layers.weights)"
            )
        ],
    ),
    (
        "label on layer",
        L + "  - {relu: , label: a}\n",
        ["spec.yaml:3: label is for blocks, groups and merges; a layer has a name (at layers[0].relu)"],
    ),
    (
        "side use",
        L + "  - side: [{relu: , name: s}]\n    name: h\n  - {relu: , from: h.s}\n",
        [
            (
                "spec.yaml:5: the main path cannot use h.s: it belongs to a side head, which runs in training only "
                "(at layers[1].relu)"
            )
        ],
    ),
    (
        "network name",
        I + "networks: {a b: {}}\nlayers: [relu]\n",
        ["spec.yaml:2: a network is called by at most 80 letters, digits and _ . -, got 'a b' (at networks)"],
    ),
    (
        "param name",
        I + "params: {if: 3}\nlayers: [relu]\n",
        ["spec.yaml:2: a parameter cannot be called if, a word of the expression language (at params)"],
    ),
    (
        "param name2",
        I + "params: {title: 3}\nlayers: [relu]\n",
        ["spec.yaml:2: a parameter cannot be called title, a key of a network (at params)"],
    ),
    (
        "let taken",
        I + "params: {w: 3}\nlet: {w: 4}\nlayers: [relu]\n",
        ["spec.yaml:3: the name w is already taken (at let)"],
    ),
    (
        "params list",
        I + "params: [w]\nlayers: [relu]\n",
        ["spec.yaml:2: params must be a mapping of names to default values, got a list of 1 (at params)"],
    ),
    ("dup key", I + "input: [3, 4, 4]\nlayers: [relu]\n", ["spec.yaml:2: the key 'input' is given twice"]),
    (
        "merge key",
        "params: &p {a: 1}\nlet:\n  <<: *p\ninput: [3, 8, 8]\nlayers: [relu]\n",
        ["spec.yaml:3: merge keys (<<) are not part of the language; parameters and blocks share what is common"],
    ),
    (
        "tag",
        I + "layers: !!python/object/apply:os.system [ls]\n",
        ["spec.yaml:2: tags such as 'tag:yaml.org,2002:python/object/apply:os.system' are not part of the language"],
    ),
    ("documents", I + "layers: [relu]\n---\na: 1\n", ["spec.yaml:3: more than one YAML document in the file"]),
    (
        "tab",
        L + "\t- relu\n",
        [
            (
                "spec.yaml:3: not valid YAML: while scanning for the next token found character that cannot start "
                "any token; lines are indented with spaces, not tabs, and a text that starts with a special "
                "character is quoted"
            )
        ],
    ),
    (
        "not mapping",
        "- relu\n",
        ["spec.yaml:1: a spec is a mapping with keys such as input and layers, got a list of 1"],
    ),
    ("scalar", "hello\n", ["spec.yaml:1: a spec is a mapping with keys such as input and layers, got 'hello'"]),
    (
        "flow deep",
        "a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        ["spec.yaml:1: nested deeper than 50 levels"],
    ),
    (
        "paren deep",
        L + "  - conv: {out: " + "(" * 100 + "1" + ")" * 100 + ", kernel: 1}\n",
        ["spec.yaml:3: an expression nested deeper than 25 levels (at layers[0].conv.out)"],
    ),
    (
        "block named relu",
        I + "blocks: {relu: {layers: [flatten]}}\nlayers: [relu]\n",
        ["spec.yaml:2: a block cannot be called relu: a layer has that name (at blocks.relu)"],
    ),
    (
        "block no layers",
        I + "blocks: {u: {note: x}}\nlayers: [u]\n",
        ["spec.yaml:2: the block has no layers (at blocks.u)"],
    ),
    (
        "block key",
        I + "blocks: {u: {lyaers: [relu]}}\nlayers: [u]\n",
        [
            "spec.yaml:2: unknown key of a block 'lyaers'; did you mean 'layers'? (at blocks.u)",
            "spec.yaml:2: the block has no layers (at blocks.u)",
        ],
    ),
    (
        "default later",
        I + "blocks: {u: {params: {a: b, b: 1}, layers: [relu]}}\nlayers: [u]\n",
        ["spec.yaml:2: unknown name 'b'; known: channels (at blocks.u.params.a)"],
    ),
    (
        "title list",
        "title: [a]\ninput: [3, 8, 8]\nlayers: [relu]\n",
        ["spec.yaml:1: title must be one text, got a list of 1 (at title)"],
    ),
    (
        "flatten missing",
        L + "  - linear: {out: 4}\n",
        [
            (
                "spec.yaml:3: linear on the map 3x8x8: put flatten before it, or say axis: channels or axis: last "
                "(at layers[0].linear)"
            )
        ],
    ),
    (
        "conv on vector",
        L + "  - flatten\n  - conv: {out: 4, kernel: 1}\n",
        ["spec.yaml:4: conv needs a feature map with height and width, got a vector of 192 (at layers[1].conv)"],
    ),
    (
        "check",
        I + "params: {n: 3}\ncheck: {n > 4: n is too small}\nlayers: [relu]\n",
        ["spec.yaml:3: n is too small (at check.n > 4)"],
    ),
    (
        "channels in input",
        "input: [channels, 8, 8]\nlayers: [relu]\n",
        ["spec.yaml:1: unknown name 'channels'; known: none (at input[0])"],
    ),
    (
        "chain",
        L + "  - {relu: , when: 1 < channels < 3}\n",
        [
            (
                "spec.yaml:3: comparisons in '1 < channels < 3' cannot be chained; write a < b and b < c (at "
                "layers[0].when)"
            )
        ],
    ),
    ("when removes all", L + "  - {relu: , when: false}\n", ["spec.yaml:1: spec has no layers"]),
    ("layer null", L + "  - \n", ["spec.yaml:3: expected a layer, got nothing (at layers[0])"]),
    ("layer number", L + "  - 3\n", ["spec.yaml:3: expected a layer, got 3 (at layers[0])"]),
    (
        "settings list",
        L + "  - conv: [3, 3]\n",
        [
            (
                "spec.yaml:3: the settings of conv must be a mapping (kernel, stride, pad, dilation, out, groups, "
                "bias, pad_mode, weight_norm, eps, gamma, relative, fixed), got a list of 2 (at layers[0].conv)"
            )
        ],
    ),
    (
        "no settings",
        L + "  - relu: {inplace: true}\n",
        ["spec.yaml:3: relu has no settings, got 'inplace' (at layers[0].relu.inplace)"],
    ),
    (
        "settings scalar",
        L + "  - dropout: 0.5\n",
        ["spec.yaml:3: the settings of dropout must be a mapping (p), got 0.5 (at layers[0].dropout)"],
    ),
    (
        "regions: none",
        "input: [3, 8, 8]\nlayers:\n  - {regions: 0, layers: [roi_align]}\n",
        ["spec.yaml:3: regions: must be at least 1, got 0 (at layers[0].layers.regions)"],
    ),
    (
        "trained is a word",
        "input: [3, 8, 8]\nlayers:\n  - {conv: {out: 1, kernel: 1}, trained: 3}\n",
        ["spec.yaml:3: trained must be true or false, got 3 (at layers[0].conv.trained)"],
    ),
    (
        "trained with the weights of another layer",
        "input: [3, 8, 8]\nlayers:\n  - {batch_norm: , name: a}\n  - {batch_norm: , weights: a, trained: false}\n",
        ["spec.yaml:4: trained belongs to the layer, block or group whose weights are used (at layers[1].batch_norm)"],
    ),
    (
        "regions of a word",
        "input: [3, 8, 8]\nlayers:\n  - {regions: [2], layers: [roi_align]}\n",
        ["spec.yaml:3: regions: expected a whole number, got [2] (at layers[0].layers.regions)"],
    ),
    (
        "regions of a layer",
        "input: [3, 8, 8]\nlayers:\n  - {roi_align: , regions: 10}\n",
        ["spec.yaml:3: regions belongs to a block or a group, not to roi_align (at layers[0].roi_align)"],
    ),
    (
        "regions in regions",
        "input: [3, 8, 8]\nlayers:\n  - {regions: 10, layers: [roi_align, {regions: 5, layers: [relu]}]}\n",
        [
            "spec.yaml:3: regions: the block lies in a block with regions: 10; a region has none (at layers[0].layers[1].layers.regions)"
        ],
    ),
    (
        "regions of no map",
        "input: [3, 8, 8]\nlayers:\n  - {regions: 10, layers: [relu, roi_align]}\n",
        [
            "spec.yaml:3: input belongs to the image, but the block runs for each of 10 regions: roi_align, roi_pool or ps_roi_pool makes regions of a map (at layers[0].layers[0].relu)"
        ],
    ),
    (
        "regions without a block",
        "input: [3, 8, 8]\nlayers:\n  - roi_align\n",
        [
            "spec.yaml:3: roi_align makes regions of a map: put it into a block with regions, as in regions: 100 (at layers[0].roi_align)"
        ],
    ),
    (
        "regions of regions",
        "input: [3, 8, 8]\nlayers:\n  - {regions: 10, layers: [roi_align, roi_pool]}\n",
        [
            "spec.yaml:3: roi_pool reads maps of the image, but roi_align belongs to each of 10 regions (at layers[0].layers[1].roi_pool)"
        ],
    ),
    (
        "regions join the image",
        "input: [3, 8, 8]\nlayers:\n  - {conv: {out: 3, kernel: 1}, name: a}\n  - {regions: 10, layers: [{roi_align: {size: 8}}, {add: , from: [a, input]}]}\n",
        [
            "spec.yaml:4: a belongs to the image, but the block runs for each of 10 regions: roi_align, roi_pool or ps_roi_pool makes regions of a map (at layers[1].layers[1].add)"
        ],
    ),
    (
        "regions leave their block",
        "input: [3, 8, 8]\nlayers:\n  - {regions: 10, layers: [roi_align]}\n  - relu\n",
        [
            "spec.yaml:4: roi_align belongs to each of 10 regions, and relu runs for the image: put relu into a block with regions: 10, or name a map of the image with from (at layers[1].relu)"
        ],
    ),
    (
        "other regions",
        "input: [3, 8, 8]\nlayers:\n  - {regions: 10, layers: [{roi_align: , name: a}], name: r}\n  - {regions: 5, layers: [{relu: , from: r.a}]}\n",
        [
            "spec.yaml:4: r.a belongs to each of 10 regions, but the block runs for each of 5 (at layers[1].layers[0].relu)"
        ],
    ),
    (
        "regions of a vector",
        "input: [3, 8, 8]\nlayers:\n  - flatten\n  - {regions: 10, layers: [roi_align]}\n",
        [
            "spec.yaml:4: roi_align needs a feature map with height and width, got a vector of 192 (at layers[1].layers[0].roi_align)"
        ],
    ),
    (
        "regions of a sequence",
        "input: [3, 8]\nlayers: [{regions: 10, layers: [roi_pool]}]\n",
        ["spec.yaml:2: roi_pool needs maps with height and width, got 3x8 (at layers[0].layers[0].roi_pool)"],
    ),
    (
        "regions of different maps",
        "input: [3, 8, 8]\nlayers:\n  - {conv: {out: 4, kernel: 1}, name: a}\n  - {regions: 10, layers: [{roi_align: , from: [a, input]}]}\n",
        ["spec.yaml:4: the maps of roi_align differ in channels: 4x8x8, 3x8x8 (at layers[1].layers[0].roi_align)"],
    ),
    (
        "regions of too few channels",
        "input: [3, 8, 8]\nlayers:\n  - {regions: 10, layers: [{ps_roi_pool: {size: 2}}]}\n",
        ["spec.yaml:3: channels / (2 x 2): 3 is not divisible by 4 (at layers[0].layers[0].ps_roi_pool)"],
    ),
    (
        "a size of three",
        "input: [3, 8, 8]\nlayers:\n  - {regions: 10, layers: [{roi_pool: {size: [2, 2, 2]}}]}\n",
        ["spec.yaml:3: size has 3 numbers, but the input 3x8x8 has 2 spatial axes (at layers[0].layers[0].roi_pool)"],
    ),
]


@pytest.mark.parametrize(("text", "said"), [row[1:] for row in MISTAKES], ids=[str(row[0]) for row in MISTAKES])
def test_messages(text: str, said: list[str]) -> None:
    assert problems(text) == said


TEN = """\
titel: Ten mistakes
input: [3, 8, 8]
params: {width: 4, if: 3}
networks:
  a: {widht: 8}
  b: {width: wide}
blocks:
  unit:
    params: [out]
    layers:
      - conv: {out: out, kernel: 0}
layers:
  - cnov: {out: 4, kernel: 3}
  - conv: {out: widht, kernel: 3}
  - unit: {uot: 3}
  - relu: {inplace: true}
  - add: {main: [relu]}
  - {relu: , when: 1 +}
"""


def test_ten_mistakes_give_ten_lines_in_order() -> None:
    said = problems(TEN)
    assert [int(line.split(":")[1]) for line in said] == [1, 3, 5, 6, 11, 13, 14, 15, 16, 17, 18]
    assert all(line.startswith("spec.yaml:") for line in said)


def test_mistakes_in_the_shapes_are_told_at_once() -> None:
    said = problems(
        L + "  - conv: {out: 4, kernel: 9}\n    name: a\n  - {relu: , from: a}\n  - linear: {out: channels // 0}\n"
        "  - {flatten: , from: input}\n  - conv: {out: 3, kernel: 1}\n  - {relu: , from: b}\n"
        "  - {relu: , repeat: 0.5}\n"
    )
    assert said == [
        "spec.yaml:3: the kernel spans 9 but the padded input is only 8 + 0 + 0 = 8 (at layers[0].conv, layer a)",
        "spec.yaml:8: conv needs a feature map with height and width, got a vector of 192 (at layers[4].conv)",
        "spec.yaml:9: from: unknown layer 'b'; known: input, a (at layers[5].relu.from)",
        "spec.yaml:10: repeat must be a whole number from 0 on, got 0.5 (at layers[6].relu.repeat)",
    ]


@pytest.mark.parametrize(
    "after",
    [
        "  - {relu: , from: a}\n",
        "  - conv: {out: channels, kernel: 1}\n",
        "  - {relu: , when: channels > 3}\n",
        "  - {relu: , repeat: channels}\n",
        "  - add: {x: [], y: [{conv: {out: 5, kernel: 1}}]}\n",
        "  - {add: , from: [a, input]}\n",
        "  - unit: {n: channels}\n",
        "  - {layers: [relu], name: 'g{channels}'}\n",
        "  - {conv: {out: 3, kernel: 1}, weights: a}\n",
        "  - {relu: , when: channels > 3, name: b}\n  - {relu: , from: b}\n",
        "  - {relu: , repeat: channels, name: 'b{i}'}\n  - {relu: , from: b1}\n",
        "  - {relu: , name: 'b{channels}'}\n  - {relu: , from: b4}\n",
        "  - side: [flatten, {linear: {out: channels}}]\n",
    ],
)
def test_what_follows_a_mistake_is_no_second_one(after: str) -> None:
    blocks = (
        "blocks:\n  unit:\n    params: {n: , m: n + 1}\n    let: {k: m * channels}\n"
        "    layers: [{conv: {out: k // n, kernel: 1}}]\n"
    )
    said = problems(I + blocks + "layers:\n  - conv: {out: 4, kernel: 9}\n    name: a\n" + after)
    assert len(said) == 1
    assert "spans 9" in said[0]


@pytest.mark.parametrize(
    "text",
    [
        "params: {n: 0}\nlet: {a: 1 // n, b: a + 1, c: '[a, b]'}\n"
        + L
        + "  - conv: {out: 'c[0]', kernel: b}\n  - {relu: , when: a > 1}\n",
        "params: {n: 0}\nblocks: {u: {params: [x], let: {y: x + 1}, layers: [{conv: {out: y, kernel: x}}]}}\n"
        + L
        + "  - u: {x: 1 // n}\n",
    ],
)
def test_a_value_that_cannot_be_had_is_told_once(text: str) -> None:
    assert len(problems(text)) == 1
    assert "division by zero: 1 // 0" in problems(text)[0]


def test_an_error_in_a_block_is_told_once_however_often_it_is_used() -> None:
    text = (
        I
        + "blocks: {u: {layers: [{conv: {out: 4, kernel: 99}, name: c}]}}\n"
        + L.removeprefix(I)
        + "  - {u: , repeat: 200, from: input}\n"
    )
    assert problems(text) == [
        (
            "spec.yaml:2: the kernel spans 99 but the padded input is only 8 + 0 + 0 = 8 "
            "(at blocks.u.layers[0].conv, layer u1.c, i = 1)"
        )
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            (
                "input: [1, 399]\nparams: {kernels: [10, 3, 3, 3, 3, 2, 2], strides: [5, 2, 2, 2, 2, 2, 2]}\nlayers:\n"
                "  - layers:\n      - conv: {out: 9, kernel: 'kernels[i - 1]', stride: 'strides[i - 1]'}\n      - gelu\n"
                "    repeat: len(kernels)\n"
            ),
            # (399 - 10) // 5 + 1 = 78, and five times (n - 3) // 2 + 1, or (n - 2) // 2 + 1: 38, 18, 8, 3, 1
            (
                "spec.yaml:5: the kernel spans 2 but the padded input is only 1 + 0 + 0 = 1 "
                "(at layers[0].layers[0].conv, layer conv7, i = 7)"
            ),
        ),
        (
            L + "  - {max_pool: {kernel: 2, stride: 2}, repeat: 9, as: n, name: 'p{n}'}\n",  # 8, 4, 2, 1
            (
                "spec.yaml:3: the kernel spans 2 but the padded input is only 1 + 0 + 0 = 1 "
                "(at layers[0].max_pool, layer p4, n = 4)"
            ),
        ),
        (
            (
                "input: [3, 8, 8]\nblocks: {b: {layers: [{conv: {out: 4 // (3 - i), kernel: 1}, repeat: 3}]}}\n"
                "layers:\n  - {b: , repeat: 2, as: stage}\n"
            ),
            "spec.yaml:2: division by zero: 4 // 0 (at blocks.b.layers[0].conv.out, stage = 1, i = 3)",
        ),
        (
            L + "  - {layers: [{conv: {out: 2 - i, kernel: 1}}], repeat: 4, label: part, name: 's{i}'}\n",
            "spec.yaml:3: out: must be at least 1, got 0 (at layers[0].layers[0].conv, layer s2.conv, i = 2)",
        ),
    ],
)
def test_the_turn_that_failed_is_said_and_the_layer(text: str, said: str) -> None:
    assert problems(text) == [said]


def test_more_problems_than_anyone_reads_are_cut() -> None:
    said = problems(L + "".join(f"  - rleu{i}\n" for i in range(9000)))
    assert len(said) == 21
    assert said[-1] == "spec.yaml: and at least 30 more"
    assert problems(L + "  - rleu\n" * 27)[20:] == ["spec.yaml: and 7 more"]
    assert len(problems(L + "  - rleu\n" * 20)) == 20
    said = problems(L + "".join(f"  - {{conv: {{out: 1, kernel: 9}}, from: input, name: c{i}}}\n" for i in range(31)))
    assert len(said) == 21
    assert said[-1] == "spec.yaml: and 11 more"


def test_every_problem_is_one_short_line() -> None:
    name = "x\\n\\u2028\\e[31m" * 30
    for text in (
        f'"{name}": 1\n',
        L + f'  - "{name}"\n',
        L + f'  - {{relu: , name: "{name}"}}\n',
        I + f'params: {{"{name}": 1}}\n',
        I + f'blocks: {{"{name}": {{layers: ["{name}"]}}}}\n',
        I + f'networks: {{"{name}": {{"{name}": 1}}}}\nlayers: [relu]\n',
        L + f'  - add: {{"{name}": [], b: [rleu]}}\n',
        L + "  - layers: [" + "{layers: [" * 20 + "rleu" + "]}" * 20 + "]\n",
    ):
        for line in problems(text):
            assert line.isprintable()
            assert len(line) < 500


# Bounds.

REFUSED_SOON = {
    "a repeat of nothing": L + "  - {repeat: 1000000000, layers: []}\n",
    "a repeat of steps not taken": L + "  - {repeat: 1000000000, relu: , when: false}\n",
    "nested repeats": L + "  - {repeat: 99999, layers: [{repeat: 99999, layers: [{repeat: 0, relu: }]}]}\n",
    "a block that calls itself twice": I + "blocks: {a: {layers: [a, a]}}\nlayers: [a]\n",
    "blocks that call each other in branches": I
    + "blocks: {a: {layers: [{add: [[b], []]}]}, b: {layers: [{layers: [a]}]}}\nlayers: [a]\n",
    "two to the hundredth": I
    + "blocks: {a: {params: [n], layers: [{a: {n: n - 1}, repeat: 2, when: n > 0}]}}\nlayers: [{a: {n: 99}}]\n",
    "maps that grow": L + "  - {repeat: 99, upsample: {scale: 2147483647}}\n",
    "channels that double": L + "  - {repeat: 99, concat: [[], []]}\n",
    "strides that multiply": L + "  - {repeat: 40000, conv: {out: 1, kernel: 1, stride: 2147483647}}\n",
    "lists that double": I
    + "let:\n  x0: 1\n"
    + "".join(f"  x{i}: [x{i - 1}, x{i - 1}]\n" for i in range(1, 60))
    + "layers: [relu]\n",
    "too many parameters": "params: {" + ", ".join(f"p{i}: 1" for i in range(9000)) + "}\n" + L + "  - relu\n",
    "a large parameter": "params: {p: [" + "1, " * 20000 + "]}\n" + L + "  - relu\n",
    "a long list of expressions": "params: {p: 1}\n" + L + "  - conv: {out: 1, kernel: [" + "p, " * 9000 + "]}\n",
    "misspelt blocks": I
    + "blocks:\n"
    + "".join(f"  block{i}: {{layers: [blokc{i}]}}\n" for i in range(9000))
    + "layers: [relu]\n",
    "names that are all alike": "params: {"
    + ", ".join(f"{'ab' * 18}{i}: 1" for i in range(400))
    + "}\n"
    + L
    + "".join(f"  - conv: {{out: {'ba' * 18}{i}, kernel: 1}}\n" for i in range(60)),
    "a name of templates": "params: {p: 1}\n" + L + "  - {relu: , name: '" + "{p}" * 9000 + "'}\n",
}


@pytest.mark.parametrize("text", REFUSED_SOON.values(), ids=REFUSED_SOON)
def test_bombs_are_refused_soon(text: str) -> None:
    start = time.process_time()
    assert all(len(line) < 500 for line in problems(text))
    assert time.process_time() - start < 8


def test_the_deepest_spec_fits_under_a_small_recursion_limit() -> None:
    """The worst nesting of groups, blocks, merges and expressions leaves Python's limit of 1000 far away."""
    chain = "+".join("a" * 150)
    texts = [
        I + "params: {a: 1}\nblocks: {b: {params: [n], layers: [{add: {x: [{b: {n: n + 1}}], y: []}}]}}\nlayers:\n"
        f"  - b: {{n: 1}}\n  - conv: {{out: {chain}, kernel: 1}}\n",
        I + f"params: {{a: 1}}\nblocks: {{b: {{layers: [{{conv: {{out: {chain}, kernel: 1}}}}, "
        f"{{layers: [{{layers: [{{b: , when: a == 1}}]}}]}}]}}}}\n"
        "layers: [b]\n",
        I
        + "params: {a: 1}\nblocks: {b: {layers: ["
        + "{layers: [" * 16
        + "{b: , when: "
        + "(" * 24
        + "a"
        + ")" * 24
        + " == 1}"
        + "]}" * 16
        + "]}}\nlayers: [b]\n",
    ]
    limit = sys.getrecursionlimit()
    depth = 0
    frame = sys._getframe()
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    sys.setrecursionlimit(depth + 820)
    try:
        for text in texts:
            assert any("blocks nest deeper than 100 levels" in line for line in problems(text))
    finally:
        sys.setrecursionlimit(limit)


def test_places_are_told_as_the_user_wrote_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from archcalc import load

    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.yaml").write_text(L + "  - rleu\n", encoding="utf-8")
    for name in ("bad.yaml", "./bad.yaml", str(tmp_path / "bad.yaml")):
        with pytest.raises(ArchcalcError) as caught:
            load(name)
        assert str(caught.value).startswith(f"{name}:3: unknown layer")
