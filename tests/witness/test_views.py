"""The strides of views, as PyTorch gives them: random tensors, whose axes have size 1 more often than not."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import torch
from torch import Tensor

from archcalc.layers.arrangement import Arrangement, Part
from archcalc.pytorch.layout import moved, viewed
from archcalc.pytorch.move import moving
from archcalc.sizes import product


class AllStated(dict[str, Any]):
    """Says of every part of an axis that its size is stated, so that the code has all sizes."""

    def __contains__(self, name: object) -> bool:
        return True


def shuffled(random: Random, sizes: list[int]) -> Tensor:
    """A tensor of these sizes whose axes lie in any order."""
    order = random.sample(range(len(sizes)), len(sizes))
    return torch.empty([sizes[at] for at in order]).permute([order.index(at) for at in range(len(sizes))])


def factors(random: Random, count: int) -> list[int]:
    """Sizes of so many values, in any order."""
    sizes = [1] * random.randint(0, 2)
    while count > 1 and random.random() < 0.8:
        sizes.append(random.choice([n for n in range(2, count + 1) if count % n == 0]))
        count //= sizes[-1]
    return random.sample([*sizes, count], len(sizes) + 1)


def test_a_view_in_a_new_shape():
    random, refused = Random(0), 0
    for _ in range(3000):
        x = shuffled(random, random.choices([1, 2, 3, 4], [2, 1, 1, 1], k=random.randint(1, 5)))
        new = factors(random, x.numel())
        try:
            strides = x.view(new).stride()
        except RuntimeError:
            strides, refused = None, refused + 1
        assert viewed(x.shape, x.stride(), new) == strides
    assert 300 < refused < 2700


def drawn(random: Random) -> Arrangement:
    names = iter("abcdefghijklmnop")
    before = [
        tuple(Part(next(names), random.choice([1, 1, 2, 3])) for _ in range(random.choice([0, 1, 1, 2, 3])))
        for _ in range(random.randint(1, 4))
    ]
    parts = [part for group in before for part in group]
    random.shuffle(parts)
    cuts = [0, *sorted(random.randint(0, len(parts)) for _ in range(random.randint(0, 3))), len(parts)]
    return Arrangement(tuple(before), tuple(tuple(parts[a:b]) for a, b in pairwise(cuts)))


def test_a_movement_of_a_single_image_and_its_backward_pass():
    random, copied = Random(0), 0
    for _ in range(1500):
        arrangement = drawn(random)
        code = moving(arrangement, AllStated())
        if code.text == "{0}":
            continue
        x = shuffled(random, [1, *(product(part.size for part in group) for group in arrangement.before)])
        y = eval(code.text.format("x", **code.arguments), {"x": x.requires_grad_()})
        strides = moved(arrangement, x.stride())
        if strides is None:
            copied += 1
            assert y.data_ptr() != x.data_ptr()
            continue
        assert y.stride() == strides
        gradient = shuffled(random, [*y.shape])
        back = moved(Arrangement(arrangement.after, arrangement.before), gradient.stride(), backward=True)
        if back is not None:
            assert torch.autograd.grad(y, x, gradient)[0].stride() == back
    assert 100 < copied < 1000
