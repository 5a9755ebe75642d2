"""Memory of attention in its two forms, by hand: 2 heads of depth 2, and 3 positions."""

from __future__ import annotations

import pytest

from archcalc.errors import ArchcalcError
from archcalc.language.expand import expand
from archcalc.language.zoo import read_text
from archcalc.memory.budget import Budget
from archcalc.network import Network

SPEC = """
input: [4, 3]
layers:
  - linear: {out: 4, axis: channels}
    name: tokens
  - attention: {heads: 2}
    from: [tokens, tokens, tokens]
    name: attention
"""
TOKENS = 4 * 3 * 4
"""Bytes of 4 channels at 3 positions."""
SCORES = 2 * 3 * 3 * 4
"""Bytes of a score for every pair of positions in each head."""


BIASED = """
inputs: {tokens: [4, 3], bias: [2, 3, 3]}
layers:
  - linear: {out: 4, axis: channels}
    from: tokens
    name: linear
  - attention: {heads: 2}
    from: [linear, linear, linear, bias]
    name: attention
"""


def network(spec: str = SPEC) -> Network:
    return expand(read_text(spec, "spec.yaml", "spec"), "spec")


def saved(form: str, spec: str = SPEC, batch: int = 2) -> dict[str, int]:
    """Bytes for one image of what the attention saves at a batch."""
    net = network(spec)
    kept = Budget(net, attention=form).training.of_batch(batch).saved_once()
    return {one.storage.name: one.storage.bytes(batch) // batch for one in kept if one.node == len(net.nodes) - 1}


def test_the_fused_operator_saves_no_scores() -> None:
    """Queries, keys and values are one tensor; for every query and head, a denominator of 4 bytes."""
    assert saved("flash") == {"tokens": TOKENS, "attention: denominators": 2 * 3 * 4, "attention": TOKENS}


def test_products_and_soft_max_save_the_weights() -> None:
    """Queries and keys are scaled, and all three are copied head by head; the scores are not saved."""
    assert saved("math") == {
        "attention: keys by heads": TOKENS,
        "attention: queries by heads": TOKENS,
        "attention: weights": SCORES,
        "attention: values by heads": TOKENS,
    }


def test_the_heads_of_a_single_image_are_not_copied() -> None:
    """Heads and images are one axis without a copy if there is one image. So the values are the tokens themselves."""
    assert saved("math", batch=1) == {
        "attention: scaled keys": TOKENS,
        "attention: scaled queries": TOKENS,
        "attention: weights": SCORES,
        "tokens": TOKENS,
    }


def test_a_bias_without_a_gradient_keeps_the_fused_operator() -> None:
    """The bias is an input of the network, which does not count as saved."""
    assert saved("flash", BIASED) == {
        "linear": TOKENS,
        "attention: denominators": 2 * 3 * 4,
        "attention": TOKENS,
    }
    assert "bias" not in saved("math", BIASED)


def test_a_bias_with_a_gradient_has_no_fused_operator() -> None:
    spec = BIASED.replace("[linear, linear, linear, bias]", "[linear, linear, linear, trained]").replace(
        "  - attention", "  - position:\n    from: bias\n    name: trained\n  - attention"
    )
    assert saved("flash", spec) == saved("math", spec)


def test_the_peak_at_inference() -> None:
    """Tokens and output beside the denominators; or the scaled queries and both copies of keys beside the scores."""
    assert Budget(network(), attention="flash").inference.peak() == 2 * TOKENS + 2 * 3 * 4
    # two images: tokens, scaled queries and keys, copies of both by heads, scores
    assert Budget(network(), attention="math").inference.peak(2) == 2 * (5 * TOKENS + SCORES)
    # one image, of which nothing is copied: tokens, scaled queries, scores and weights
    assert Budget(network(), attention="math").inference.peak(1) == 2 * TOKENS + 2 * SCORES


def test_an_unknown_form() -> None:
    with pytest.raises(ArchcalcError, match="unknown form of attention 'flush'; did you mean 'flash'"):
        Budget(network(), attention="flush")
