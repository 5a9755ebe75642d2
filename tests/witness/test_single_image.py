"""A batch of one image: the stride of an axis of size 1 does not matter, so PyTorch copies less. Every byte, on the CPU."""

from __future__ import annotations

from itertools import product

import pytest

from archcalc.language.expand import expand
from archcalc.language.zoo import read_text
from archcalc.memory.budget import Budget
from archcalc.memory.lifetime import inference, overwritten
from archcalc.memory.training import training
from archcalc.network import Network
from archcalc.pytorch.runner import AttentionForm
from archcalc.witness import memory
from archcalc.witness.built import Built
from archcalc.witness.device import allocated
from archcalc.witness.figures import images_of

from .against_pytorch import autocasts_for, threads_for
from .test_memory import assert_every_moment
from .test_memory import two_threads as two_threads

FIRST = "{conv: {out: 4, kernel: 3, pad: 1}}"
LAST = "{linear: {out: 4, axis: channels}}"
ATTENTION = "{attention: {heads: 2SETTINGS, queries: [], keys: [], values: []}}"
KINDS = (
    # input, layers
    ([3, 6], f"{FIRST}, {LAST}, {FIRST}"),
    ([3, 6, 6], f"{FIRST}, {LAST}, {{slice: {{stop: 3}}}}, {LAST}, {FIRST}"),
    (
        [3, 6, 6],
        f"{FIRST}, {{linear: {{out: 4, axis: last}}}}, {{slice: {{stop: 3}}}}, {{linear: {{out: 4, axis: last}}}}",
    ),
    ([3, 6, 6], f"{LAST}, {{slice: {{stop: 3, axis: height}}}}, {{linear: {{out: 4, axis: last}}}}, {FIRST}"),
    ([3, 6], f"{FIRST}, {{slice: {{stop: 1, axis: last}}}}, {LAST}, {FIRST}"),
    ([3, 6, 6], f"{FIRST}, {{linear: {{out: 4, axis: channels}}, trained: false}}, {FIRST}"),
    ([3, 6, 6], f"{FIRST}, {{slice: {{stop: 3}}}}, {{instance_norm: {{affine: true}}}}, {FIRST}"),
    ([3, 6, 6], f"{FIRST}, {{concat: [[{{instance_norm: }}], [{{instance_norm: }}]]}}, {FIRST}"),
    ([1, 1, 2], "{linear: {out: 3, axis: channels}}"),
    ([3, 6], f"{LAST}, {ATTENTION}, {FIRST}"),
    ([3, 6], f"{FIRST}, {ATTENTION}, {FIRST}"),
    ([3, 8], f"{FIRST}, {ATTENTION.replace('queries: []', 'queries: [{max_pool: {kernel: 4, stride: 4}}]')}, {FIRST}"),
    ([3, 2, 6], f"{LAST}, {ATTENTION}, {FIRST}"),
    ([3, 1, 6], f"{LAST}, {ATTENTION}, {FIRST}"),
    ([3, 6, 1], f"{LAST}, {{slice: {{stop: 4, axis: height}}}}, {ATTENTION}, {FIRST}"),
    *(
        ([3, *axes, 4], f"{LAST}, {ATTENTION.replace('SETTINGS', settings)}, {FIRST}")
        for axes in ([], [1], [3])
        for settings in (
            ", bias: relative, block: 4",
            ", bias: relative, block: 4, causal: true",
            f", bias: relative, block: 4, shift: 1, size: {4 * (axes or [1])[0]}",
        )
    ),
    ([3, 6, 6], f"{{matmul: [[{FIRST}], [{LAST}]]}}, {FIRST}"),
    ([3, 6, 6], f"{{conv: {{out: 1, kernel: 1}}}}, {{matmul: [[], [{{linear: {{out: 6, axis: last}}}}]]}}, {FIRST}"),
    # the gradient of the columns of a matrix lies in columns
    ([2, 2, 2, 2], f"{FIRST}, {{matmul: {{transpose: second, a: [], b: []}}}}, {LAST}"),
    # windows of one position, whose heads do not lie beside those of the next window
    ([3, 6, 1], f"{FIRST}, {ATTENTION.replace('SETTINGS', ', bias: relative, block: 1')}"),
    # padding that differs by side, around a map whose first axis is put into the batch
    ([3, 2, 5, 1], "{rearrange: '(n d) h w k -> d n h w k, n=1'}, {conv: {out: 1, kernel: [1, 2, 3, 3], pad: same}}"),
    ([3, 6, 6], f"{{global_avg_pool: }}, {{position: }}, {LAST}, {FIRST}"),
    ([3, 6, 6], f"{LAST}, {{max_pool: {{kernel: 6, stride: 6}}}}, {{position: }}, {LAST}, {FIRST}"),
    ([3, 6], f"{FIRST}, {{class_token: }}, {FIRST}"),
    ([3, 6], f"{LAST}, {{class_token: {{tokens: 2}}}}, {LAST}"),
    ([3, 2, 6], f"{LAST}, {{class_token: }}, {FIRST}"),
    ([3], "{linear: {out: 4}}, {prelu: }, {linear: {out: 4}}"),
    ([3, 6], "{conv: {out: 1, kernel: 6}}, {prelu: {per_channel: false}}, {linear: {out: 4, axis: channels}}"),
    (
        [3, 6, 4, 4],
        f"{FIRST}, {{rearrange: '(2 d) t h w -> d 2 t h w'}}, {{conv: {{out: 4, kernel: 1}}}}, {{slice: {{stop: 2}}}}, "
        "{conv: {out: 4, kernel: 1}}",
    ),
    ([3, 4, 4, 4], f"{LAST}, {FIRST}, {LAST}, {{conv_transpose: {{out: 4, kernel: [3, 1, 2]}}}}, gelu"),
    ([3, 6, 6, 6], f"{LAST}, {{conv: {{out: 4, kernel: 3, groups: 2}}}}, {LAST}, {{conv: {{out: 2, kernel: 4}}}}"),
)


def network(size: list[int], layers: str) -> Network:
    layers = layers.replace("SETTINGS", "")
    return expand(read_text(f"input: {size}\nlayers: [{layers}]\n", "spec.yaml", "spec"), "spec")


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize(("size", "layers"), KINDS)
def test_every_byte(size: list[int], layers: str, batch: int) -> None:
    net = network(size, layers)
    module, images = Built(net, overwritten(net)), images_of(net, "cpu", batch)
    forms: tuple[AttentionForm, ...] = ("flash", "math") if "attention" in layers else ("flash",)
    with threads_for(net):
        for amp, form in product(autocasts_for(net), forms):
            schedule = inference(net, amp=amp, attention=form, sums_in_place=False)
            live = memory.inference_live(module, *images, amp=amp, attention=form)
            assert_every_moment(schedule, live, batch)
            assert memory.saved_difference(net, module, *images, amp=amp, attention=form) == ""
            schedule = training(net, amp=amp, attention=form, sums_in_place=False)
            assert_every_moment(schedule, memory.training_live(module, *images, amp=amp, attention=form), batch)


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("axes", [[6], [3, 4]])
def test_what_the_allocator_held(axes: list[int], batch: int) -> None:
    """A linear layer on 5 channels at 6 or 12 positions. The bias is added in place; only two images are copied."""
    net = network([5, *axes], "{linear: {out: 7, axis: channels}}")
    positions = 6 if axes == [6] else 12
    held = 4 * positions * (7 if batch == 1 else 2 * (5 + 7))
    assert inference(net).peak(batch) == held == allocated(Built(net).eval(), *images_of(net, "cpu", batch))


def test_the_largest_batch_may_be_one() -> None:
    """One image takes 7 x 6 floats beside the input; a batch of two takes its copy of 5 x 6 floats per image, too."""
    net = network([5, 6], "{linear: {out: 7, axis: channels}}")
    budget = Budget(net)
    one = budget.inference_parts(1).total
    assert one == 4 * (5 * 7 + 7 + 5 * 6 + 7 * 6)
    assert [budget.largest_inference(size) for size in (one - 1, one)] == [0, 1]
    two = budget.inference_parts(2).total
    assert two == 4 * (5 * 7 + 7 + 2 * (5 * 6 + 5 * 6 + 7 * 6))
    assert [budget.largest_inference(size) for size in (two - 1, two)] == [1, 2]
