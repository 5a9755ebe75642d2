"""Every byte of single layers in both passes, behind maps of every memory order, over one to three axes, on the CPU.

Each layer is behind each memory order, over each number of axes, and behind trained and frozen layers, but not in all
combinations of them: ARCHCALC_MEMORY=all runs them all.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from archcalc.language.expand import expand
from archcalc.language.zoo import read_text
from archcalc.memory.lifetime import inference, overwritten
from archcalc.memory.training import training
from archcalc.network import Network
from archcalc.witness import memory
from archcalc.witness.built import Built

from .against_pytorch import autocasts_for, threads_for
from .test_memory import BATCH, assert_every_moment, image_of

EVERY = os.environ.get("ARCHCALC_MEMORY") == "all"
FIRST = "{conv: {out: 4, kernel: 3, pad: 1}}"
BEFORE = {
    "channels first": FIRST,
    "channels last": "{linear: {out: 4, axis: channels}}",
    "some channels": "{conv: {out: 6, kernel: 1}}, {slice: {start: 1, stop: 5}}",
    "some positions": f"{FIRST}, {{crop: {{by: 1}}}}",
    "one position": "{linear: {out: 2, axis: channels}}, {conv: {out: 4, kernel: 1, groups: 2}}, {max_pool: {kernel: 4, stride: 4}}",
}
"""A map of 4 channels in each memory order that a tensor can have."""
LAYERS = (
    "{mish: }",
    "{selu: }",
    "{softplus: }",
    "{hard_tanh: {min: 0, max: 3}}",
    "{gelu: {approximate: tanh}}",
    "{glu: }",
    "{log_softmax: }",
    "{softmax: {axis: last}}",
    *(
        f"{{reduce: {{by: {by}, axis: {axis}}}}}"
        for by in ("mean", "sum", "max")
        for axis in ("channels", "last", "positions")
    ),
    "{rms_norm: {axis: channels}}",
    "{rms_norm: {axis: last, affine: false}}",
    "{rms_norm: {axis: all}}",
    "{lrn: {axis: positions, size: 3}}",
    "{math: abs}",
    "{math: exp}",
    "{math: log}",
    "{math: sqrt}",
    "{math: {function: power, exponent: -1.5}}",
    "{l2_norm: }",
    "{l2_norm: {scale: true, init: 20}}",
    "{l2_norm: {axis: all, scale: true, per_channel: false}}",
    "{l2_norm: {axis: last}}",
    "{l2_norm: {axis: last, scale: true}}",
    "{l2_norm: {axis: [channels, last], scale: true}}",
    "{linear: {out: 3, axis: channels, zero_bias: [0, 2]}}",
    "{linear: {out: 3, axis: last, zero_bias: [1, 2]}}",
    "{global_max_pool: }",
    "{adaptive_max_pool: {out: 2}}",
    "{locally_connected: {out: 4, kernel: 3, pad: same}}",
)
COMPUTED = (
    *(
        f"{{conv: {{out: 4, {kernel}, weight_norm: {norm}}}}}"
        for norm in ("channels", "last", "standardised", "scaled")
        for kernel in ("kernel: 3, pad: 1", "kernel: 1, groups: 2, bias: false")
    ),
    "{conv: {out: 4, kernel: 1, groups: 2, relative: true}}",
    "{conv: {out: 4, kernel: 1, relative: true, bias: false}}",
    "{conv: {out: 4, kernel: 3, pad: 1, weight_norm: scaled, gamma: 1.7, eps: 0.00001}}",
    *(
        f"{{linear: {{{axis}, weight_norm: channels, bias: {bias}}}}}"
        for axis in ("out: 4, axis: channels", "out: 8, axis: last")
        for bias in ("true", "false")
    ),
    "{conv_transpose: {out: 4, kernel: 2, weight_norm: channels}}",
    "{conv_transpose: {out: 4, kernel: 3, stride: 2, groups: 2, bias: false, weight_norm: channels}}",
)
"""Convolutions with computed weights, which need new storage."""


FROZEN = (
    "{conv: {out: 4, kernel: 2}}",
    "{conv: {out: 4, kernel: 3, pad: 1, pad_mode: circular}}",
    "{conv: {out: 4, kernel: 2, weight_norm: channels}}",
    "{conv: {out: 4, kernel: 2, weight_norm: scaled}}",
    "{conv: {out: 8, kernel: 1, groups: 2, relative: true}}",
    "{conv_transpose: {out: 4, kernel: 2}}",
    "{conv_transpose: {out: 4, kernel: 2, weight_norm: channels}}",
    "{conv_table: {table: [[0, 1], [1, 2, 3]], kernel: 1}}",
    "{locally_connected: {out: 4, kernel: 3, pad: 1}}",
    "{linear: {out: 3, axis: channels}}",
    "{linear: {out: 3, axis: channels, bias: false}}",
    "{linear: {out: 3, axis: last}}",
    "{linear: {out: 8, axis: last, weight_norm: channels}}",
    "{linear: {out: 4, axis: channels, weight_norm: channels, bias: false}}",
    "{linear: {out: 3, axis: last, bias: false}}",
    "{linear: {out: 3, axis: channels, zero_bias: [0, 2]}}",
    "{linear: {out: 3, axis: last, zero_bias: [1, 2]}}",
    "{attention: {heads: 2, bias: continuous, block: [2, HALF], cosine: true, queries: [], keys: [], values: []}}",
    "{batch_norm: }",
    "{layer_norm: {axis: channels}}",
    "{layer_norm: {axis: last}}",
    "{layer_norm: {axis: all}}",
    "{layer_norm: {axis: [height, width]}}",
    "{group_norm: {groups: 2}}",
    "{instance_norm: {affine: true}}",
    "{rms_norm: {axis: channels}}",
    "{l2_norm: {scale: true}}",
    "{l2_norm: {axis: [channels, width], scale: true, per_channel: false}}",
    "{layer_scale: }",
    "{layer_scale: {bias: true}}",
    "{prelu: }",
    "{subsample: {kernel: 2, stride: 2}}",
    "{position: }",
    "{position: {axes: [last]}}",
    "{class_token: }",
    "{parameter: {size: [8, 8]}}",
    "{index_select: {count: 5}}",
    "{index_select: {count: 5, axis: channels}}",
    "{parameter: {size: [8, 1], fixed: true}}",
    "{conv: {out: 4, kernel: 2, bias: false, fixed: true}}",
    "{conv: {out: channels, kernel: 3, stride: 2, pad: 1, groups: channels, bias: false, fixed: true}}",
)
HEADS = (
    "{to_tokens: }, {linear: {out: 8, axis: channels}}, {rearrange: '(4 d) (t 4 4) -> d 4 t 4 4'}",
    "{to_tokens: }, {linear: {out: 8, axis: channels}}, {rearrange: '(1 d) (t 4 4) -> d 1 t 4 4'}",
    "{rearrange: '(2 d) t h w -> d 2 t h w'}",
    "{rearrange: '(n 2) t h w -> 2 n t h w'}",
    "{rearrange: 'c (a 3) (b 2) w -> c a b 3 2 w'}",
    "{slice: {stop: 3}}, {rearrange: 'c (a 3) h (1 w) -> c a 1 3 h w'}",
)
"""Maps of more than three axes, as views and as copies, of a map of 4x6x4x4."""
OVER_HEADS = (
    "{conv: {out: 4, kernel: 1, bias: false}}",
    "{conv: {out: channels, kernel: FOUR, pad: PAD, stride: FOUR, groups: channels}}",
    "{conv: {out: 4, kernel: FOUR, pad: PAD, pad_mode: circular}}",
)


@pytest.mark.parametrize("before", [one for one in BEFORE if one != "one position"])
@pytest.mark.parametrize("layer", FROZEN)
def test_a_layer_with_frozen_weights(layer: str, before: str) -> None:
    """Behind trained layers, and behind frozen layers only: in turn by the memory order."""
    trained, turn = ("", ", trained: false"), (FROZEN.index(layer) + list(BEFORE).index(before)) % 2
    layer = layer.replace("HALF", "2" if before == "some positions" else "3")
    for axes in (1, 2, 3) if "linear" in layer else (2,):
        for frozen in trained if EVERY else trained[turn : turn + 1]:
            first, one = BEFORE[before].replace("}}", "}" + frozen + "}"), f"{layer[:-1]}, trained: false, name: one}}"
            compare(f"input: {[3, *[6] * axes]}\nlayers: [{first}, {one}, {{concat: [[], [{FIRST}]]}}]\n")


@pytest.mark.parametrize("heads", HEADS)
@pytest.mark.parametrize("layer", OVER_HEADS)
@pytest.mark.parametrize("frozen", ["", ", trained: false"])
def test_a_convolution_over_more_than_three_axes(layer: str, heads: str, frozen: str) -> None:
    ones = [1] * (heads.rpartition("->")[2].count(" ") - 4)
    layer = layer.replace("PAD", str([0 for _ in ones] + [0, 1, 1])).replace("FOUR", str([*ones, 1, 3, 2]))
    last = "{conv: {out: 3, kernel: 1}}"
    first = "" if heads.startswith("{to_tokens") else f"{FIRST}, "
    compare(f"input: [3, 6, 4, 4]\nlayers: [{first}{heads}, {layer[:-1]}{frozen}}}, {last}]\n")


@pytest.mark.parametrize("layer", [one for one in FROZEN if "out: 4" in one or "norm" in one])
def test_a_layer_with_the_frozen_weights_of_another_layer(layer: str) -> None:
    steps = f"{FIRST}, {layer[:-1]}, trained: false, name: one}}, {layer[:-1]}, weights: one}}, {FIRST}"
    compare(f"input: [3, 8, 8]\nlayers: [{steps}]\n")


def axes_for(layer: str, layers: Sequence[str], before: str) -> tuple[int, ...]:
    """Two axes, and one or three in turn: behind every other memory order, a layer has the other number."""
    return (1, 2, 3) if EVERY else (2, 1 + 2 * ((layers.index(layer) + list(BEFORE).index(before)) % 2))


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer(layer: str, before: str) -> None:
    """Also in place. If it writes over no input there, it runs as before: one memory order shows that."""
    for axes in axes_for(layer, LAYERS, before):
        plain, in_place = (
            f"input: {[3, *[6] * axes]}\nlayers: [{BEFORE[before]}, {form}, {{concat: [[], [{FIRST}]]}}]\n"
            for form in (layer, f"{layer[:-1]}, storage: in_place}}")
        )
        compare(plain)
        if axes < 3 and (before == "channels first" or overwritten(network_of(in_place))):
            compare(in_place)


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("layer", ["layer_norm", "rms_norm"])
@pytest.mark.parametrize("affine", [True, False])
def test_a_normalisation_over_several_axes(layer: str, before: str, affine: bool) -> None:
    for sizes, names in (
        ([6, 6], "[height, width]"),
        ([6, 6], "[channels, height, width]"),
        ([6, 6, 6], "[height, width]"),
        ([6, 6, 6], "[channels, depth, height, width]"),
        ([6], "[channels, length]"),
    ):
        norm = f"{{{layer}: {{axis: {names}, affine: {str(affine).lower()}}}}}"
        compare(f"input: {[3, *sizes]}\nlayers: [{BEFORE[before]}, {norm}, {{concat: [[], [{FIRST}]]}}]\n")


MOVED = {
    "channels on an axis": "{conv: {out: 4, kernel: 1}}, {rearrange: 'c h w -> h w c'}",
    "some channels of mixed axes": "{conv: {out: 6, kernel: 1}}, {rearrange: '(3 d) h w -> (d w) 3 h'}, {slice: {stop: 4}}",
}


@pytest.mark.parametrize("before", MOVED)
@pytest.mark.parametrize("layer", [*LAYERS, *COMPUTED, *FROZEN])
def test_a_layer_behind_moved_axes(layer: str, before: str) -> None:
    layer = layer.replace("HALF", "2" if before == "channels on an axis" else "3")
    compare(f"input: [3, 6, 6]\nlayers: [{MOVED[before]}, {layer}, {{concat: [[], [{FIRST}]]}}]\n")


@pytest.mark.parametrize("before", [one for one in BEFORE if one != "one position"])
@pytest.mark.parametrize(
    "layer", [one for one in FROZEN if any(name in one for name in ("linear", "position", "token"))]
)
def test_a_layer_of_tokens(layer: str, before: str) -> None:
    for axes in (1, 2, 3):
        compare(f"input: {[3, *[6] * axes]}\nlayers: [{BEFORE[before]}, {layer}, {{concat: [[], [{FIRST}]]}}]\n")


def network_of(text: str) -> Network:
    return expand(read_text(text, "spec.yaml", "spec"), "spec")


def compare(text: str, batch: int = BATCH) -> None:
    """Both passes operator by operator, with and without autocast."""
    network = network_of(text)
    module, image = Built(network, overwritten(network)), image_of(network, "cpu")[:batch]
    with threads_for(network):
        for amp in autocasts_for(network):
            live = memory.inference_live(module, image, amp=amp)
            assert_every_moment(inference(network, amp=amp, sums_in_place=False), live, batch)
            assert memory.saved_difference(network, module, image, amp=amp) == ""
            schedule = training(network, amp=amp, sums_in_place=False)
            assert_every_moment(schedule, memory.training_live(module, image, amp=amp), batch)


TOKENS = "{linear: {out: 4, axis: channels}}"
ORDERED = {
    "two gradients within one layer": f"[3, 6]\nlayers: [{TOKENS}, {{attention: {{heads: 2, queries: [], "
    "keys: [{rms_norm: {axis: channels}}], values: []}}]",
    "a map times itself, beside a third use": f"[3, 4]\nlayers: [{TOKENS}, {{divide: [[], [{{matmul: [[], []]}}]]}}]",
    "a small first map": f"[3, 2, 4, 6]\nlayers: [{TOKENS}, {{divide: [[{{adaptive_avg_pool: {{out: [1, 1, 6]}}}}], []]}}, {TOKENS}]",
    "shared weights, channels last": f"[3, 4, 6]\nlayers: [{TOKENS}, {{conv_transpose: {{out: 4, kernel: 2}}, name: one}}, "
    "{conv_transpose: {out: 4, kernel: 2}, weights: one}, {conv_transpose: {out: 4, kernel: 2}, weights: one}]",
    "shared weights, in two orders": f"[3, 4, 6]\nlayers: [{TOKENS}, {{conv: {{out: 4, kernel: 2}}, name: one}}, {{pad: {{by: 1}}}}, "
    "{rearrange: c h w -> c w h}, {conv: {out: 4, kernel: 2}, weights: one}]",
    "tokens as a map": f"[3, 12]\nlayers: [{TOKENS}, {{to_map: {{size: [3, 4]}}}}, {{max_pool: {{kernel: 2, stride: 1}}}}, flatten]",
    "positions of a map as channels": f"[3, 4, 3]\nlayers: [{FIRST}, {{rearrange: 'a b (c 3) -> 3 (a c b)'}}, "
    f"{{max_pool: {{kernel: 2, stride: 1}}}}, {{rearrange: 'a b -> (a b)'}}]",
    "one channel of length 1": "[5, 11]\nlayers: [{linear: {out: 1, axis: channels}}, {attention: {heads: 1, cosine: true, "
    "block: 11, shift: 1, size: 11, queries: [{lrn: {size: 1, axis: positions}}], keys: [], values: []}}]",
    "a vector flattened again": "[6, 3]\nlayers: [{conv: {out: 5, kernel: 3}}, flatten, {divide: [[flatten], [{linear: {out: 5}}, "
    "{linear: {out: 5}}]]}]",
    "one position, copied": "[8, 4]\nlayers: [{locally_connected: {out: 8, kernel: 4}}, {add: {unequal: true, a: [], b: []}}, "
    "{conv_transpose: {out: 3, kernel: 1, output_pad: 1, dilation: 2}}, {linear: {out: 4, axis: channels}}]",
    "a vector beside one position, behind a cut": f"[3, 3]\nlayers: [{TOKENS}, {{concat: {{axis: length, b: [], "
    "a: [{add: [[{max_pool: {kernel: 3, stride: 1}}], [global_avg_pool, flatten]]}]}}]",
    "a bicubic gradient": f"[7, 3, 6]\nlayers: [{TOKENS}, {{upsample: {{mode: bicubic, like: input}}}}, {{max_pool: {{kernel: 1, stride: 3}}}}]",
    "a map that is dropped as a whole": "[5, 6]\nlayers: [{locally_connected: {out: 2, kernel: 4, stride: 3}}, "
    "{add: [[], [{dropout: {p: 1}}, global_avg_pool]]}]",
    "one position that is repeated": f"[3, 4]\nlayers: [{TOKENS}, {{multiply: [[global_max_pool, {{adaptive_avg_pool: {{out: 4}}}}], []]}}, "
    "{conv: {out: 4, kernel: 1}}]",
    "a gradient put back in another order": "[4, 10, 6]\nlayers: [{locally_connected: {out: 6, kernel: 3}}, {max_pool: "
    "{kernel: 2, stride: 2}, name: pool}, {matmul: {transpose: second, a: [{upsample: {size: [3, 4], mode: bilinear}}], "
    "b: [{unpool: {of: pool}}]}}]",
    "maxima of one axis put back": "[3, 7]\nlayers: [{locally_connected: {out: 3, kernel: 3}}, {max_pool: {kernel: 2, stride: 3}, "
    "name: pool}, {unpool: {of: pool}}, {instance_norm: {affine: true}}]",
    "a repeated map in a sum": "[3, 6, 1]\nlayers: [{layer_norm: {axis: channels}}, {add: [[{expand: {size: [6, 4]}}], "
    "[{upsample: {size: [6, 4], mode: bilinear}}]]}, global_avg_pool]",
    "a sum of two repeated maps": "[3, 4, 6]\nlayers: [{conv: {out: 4, kernel: 3, pad: 1}}, {parameter: {size: [2, 3]}, "
    "from: input}, {rearrange: 'c l -> c l 1'}, {expand: {size: [3, 5]}, name: e}, {parameter: {size: [5, 3]}, from: input}, "
    "{rearrange: 'c l -> c l 1'}, {expand: {size: [3, 2]}}, {rearrange: 'c h w -> w h c', name: f}, {add: , from: [e, f]}, "
    "{rearrange: 'c h w -> (c w) h'}]",
    "one channel of length 1, as a view": "[1, 4]\nlayers: [{rms_norm: {axis: channels}}, global_avg_pool]",
    "an activation behind the positions of a vector": "[8]\nlayers: [position, relu]",
    "an axis of size 1 in a view": "[6, 7, 5]\nlayers: [{rearrange: 'a (b c) (d e) -> (c e) (b) (d a), c=7, e=5'}, "
    f"{{roll: {{by: [0, 2]}}}}, {TOKENS}]",
    "two axes of size 1 in a view": "[2, 7, 3]\nlayers: [{avg_pool: {kernel: [4, 2], stride: [4, 1]}}, "
    "{rearrange: '(a 2) b (2 c) -> (2) (2 b) (c) (a)'}, {rms_norm: {axis: channels}}]",
    "one position times one value": "[1, 5]\nlayers: [{locally_connected: {out: 3, kernel: 3, stride: 3}}, "
    "{multiply: [[{conv: {out: 1, kernel: 1}}], []]}, global_avg_pool, {linear: {out: 4, axis: channels}}]",
    "frozen statistics of one position": "[7, 5]\nlayers: [global_max_pool, {linear: {out: 3, axis: channels}}, "
    "{batch_norm: {frozen: true}}, {conv: {out: 6, kernel: 2, pad: 1}}]",
    "heads, padded": f"[4, 6]\nlayers: [{TOKENS}, {{rearrange: '(c 2) l -> c l 2'}}, {{pad: {{by: [[1, 0], [0, 0]]}}}}, "
    f"{{rearrange: 'c h w -> (c w) h'}}, {TOKENS}]",
    "maxima of one channel put back": "[3, 6]\nlayers: [{linear: {out: 1, axis: channels}}, "
    "{max_pool: {kernel: 2, stride: 2}, name: pool}, {unpool: {of: pool}}, global_avg_pool]",
}


@pytest.mark.parametrize("batch", [1, BATCH])
@pytest.mark.parametrize("case", ORDERED)
def test_orders_that_layers_hand_on(case: str, batch: int) -> None:
    """Where values lie decides what is copied, and when. A single image may lie otherwise than several do."""
    compare(f"input: {ORDERED[case]}\n", batch)


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("layer", COMPUTED)
def test_a_convolution_with_computed_weights(layer: str, before: str) -> None:
    for axes in axes_for(layer, COMPUTED, before):
        if axes == 2 or before != "one position":
            compare(f"input: {[3, *[6] * axes]}\nlayers: [{BEFORE[before]}, {layer}, {{concat: [[], [{FIRST}]]}}]\n")


@pytest.mark.parametrize("layer", COMPUTED)
def test_computed_weights_of_another_layer(layer: str) -> None:
    steps = f"{FIRST}, {layer[:-1]}, name: one}}, {layer[:-1]}, weights: one}}, {FIRST}"
    compare(f"input: [3, 8, 8]\nlayers: [{steps}]\n")


LOCAL = (
    "{out: 3, kernel: 2, stride: 2}",
    "{out: 1, kernel: 3, dilation: 2}",
    "{out: 3, kernel: 6, bias: false}",
    "{out: 1, kernel: 6}",
    "{out: 3, kernel: 1}",
)


@pytest.mark.parametrize("before", [one for one in BEFORE if "one" not in one])
@pytest.mark.parametrize("settings", LOCAL)
def test_a_locally_connected_layer(settings: str, before: str) -> None:
    """Its gradient comes from a convolution, from another layer of its kind, and as a part of a larger map."""
    layer, cut = f"{{locally_connected: {settings}}}", "{pad: {by: 1}}, {crop: {by: 1}}"
    for axes in axes_for(settings, LOCAL, before):
        start = f"input: {[3, *[8 if before == 'some positions' else 6] * axes]}\nlayers: [{BEFORE[before]}, "
        for after in (FIRST, "{locally_connected: {out: 2, kernel: 1}}", "{slice: {stop: 1}}", cut):
            compare(f"{start}{layer}, {after}]\n")
        for axis in ("channels", "last"):
            compare(
                f"{start}{{concat: {{axis: {axis}, a: [{layer}], b: [{layer}]}}}}, {{conv: {{out: 2, kernel: 1}}}}]\n"
            )


JOINS = ("subtract", "divide", "maximum", "minimum")
SMALL = "{conv: {out: 1, kernel: 3, pad: 1}}"


@pytest.mark.parametrize("before", ["channels first", "channels last", "some channels"])
@pytest.mark.parametrize("join", JOINS)
def test_a_join(join: str, before: str) -> None:
    """Two and three maps, one channel beside four on either side, a map without a gradient, and another precision.

    Of maps of unequal sizes, the sizes show the order in which PyTorch saves them.
    """
    for branches in (
        f"[], [{FIRST}]",
        f"[], [{SMALL}], [{FIRST}]",
        f"[{SMALL}], []",
        "[], [{layer_norm: {axis: channels}}]",
        "[{slice: {stop: 1}, from: input}], []",
        "[], [{slice: {stop: 1}, from: input}]",
        f"[{SMALL}], [{FIRST}]",
        f"[{FIRST}], [{SMALL}]",
        f"[{SMALL}], [{{layer_norm: {{axis: channels}}}}]",
        f"[{FIRST}], [{SMALL}, sigmoid], [{FIRST}, global_avg_pool]",
        f"[{SMALL}], [{{max_pool: {{kernel: 3, stride: 1, pad: 1}}, from: input}}, {{reduce: {{by: max, axis: channels}}}}]",
    ):
        compare(f"input: [3, 6, 6]\nlayers: [{BEFORE[before]}, {{{join}: [{branches}]}}, {FIRST}]\n")


UNEQUAL = (
    "{conv: {out: 4, kernel: 3, stride: 2, pad: 1}}",
    "{conv: {out: 6, kernel: 3, pad: 1}}",
    "{conv: {out: 2, kernel: 3, stride: 3, pad: 1}}",
    "{conv: {out: 5, kernel: 3, pad: 1}}, {upsample: {scale: 2}}",
    "{layer_norm: {axis: channels}}, {slice: {stop: 3}}",
    "{slice: {stop: 3, from: input}}, {max_pool: {kernel: 2, stride: 2}}",
)


@pytest.mark.parametrize("before", ["channels first", "channels last", "some channels", "some positions"])
@pytest.mark.parametrize("other", UNEQUAL)
def test_a_sum_of_unequal_maps(other: str, before: str) -> None:
    """A smaller and a larger map, fewer and more channels, in both orders, in place, and in another precision."""
    other = other.replace(", from: input}}", "}, from: input}")
    size = 8 if before == "some positions" else 6
    for storage in ("", ", storage: in_place"):
        for branches in (f"a: [], b: [{other}], c: [{FIRST}]", f"b: [{other}], a: []"):
            join = f"{{add: {{unequal: true, {branches}}}{storage}}}"
            compare(f"input: {[3, size, size]}\nlayers: [{BEFORE[before]}, {join}, {FIRST}]\n")


@pytest.mark.parametrize(
    "settings",
    [
        "",
        ", bias: relative, block: 6",
        ", bias: relative, block: 6, causal: true",
        ", bias: continuous, block: 6",
        ", bias: continuous, block: [3, 2], causal: true",
        ", cosine: true",
        ", cosine: true, causal: true",
        ", cosine: true, bias: relative, block: 6",
        ", cosine: true, bias: continuous, block: [2, 3], shift: [1, 0], size: [2, 3]",
    ],
)
def test_attention_with_a_trained_bias(settings: str) -> None:
    attention = f"{{attention: {{heads: 2{settings}, queries: [], keys: [], values: []}}}}"
    compare(f"input: [3, 6]\nlayers: [{FIRST}, {attention}, {FIRST}]\n")
