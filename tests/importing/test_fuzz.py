"""Files that are cut off or changed end in a network or in one error, never in a traceback, and in bounded time."""

from __future__ import annotations

import random
import re
import time
from contextlib import suppress

import pytest

from archcalc.errors import ArchcalcError
from archcalc.language.expand import expand
from archcalc.language.imports import import_text
from tests.importing.files import DATA, LENET, TINY_YOLO, layer

DETECTOR = (
    DATA
    + layer("Pooling", "data", "p", "pooling_param { kernel_size: 2 stride: 2 }")
    + layer("Reshape", "p", "r", "reshape_param { shape { dim: [0, 2, -1, 0] } }")
)
FILES = (
    (LENET, "importing.caffe_network"),
    (DETECTOR, "importing.caffe_network"),
    (TINY_YOLO, "importing.cfg_network"),
)
NUMBERS = ("0", "-3", "1000000", "99999999999999999999", "2.5", "", "nan", "1e9")
SIGNS = ("", "{", "}", "[", "]", '"', "'", ":", "=", "#", "\x00", "\u202e", "é", ",", "-")


def changed(text: str, chance: random.Random) -> str:
    """The text with a few random changes."""
    if chance.random() < 0.15:
        return text[: chance.randrange(len(text) + 1)]
    lines = text.split("\n")
    for _ in range(chance.randrange(1, 5)):
        at, kind = chance.randrange(len(lines)), chance.randrange(5)
        if kind == 0:
            lines[at] = re.sub(r"\d+", lambda _: chance.choice(NUMBERS), lines[at], count=1)
        elif kind == 1:
            lines.insert(at, lines[chance.randrange(len(lines))])
        elif kind == 2 and len(lines) > 1:
            del lines[at]
        elif kind == 3:
            place = chance.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:place] + chance.choice(SIGNS) + lines[at][place + 1 :]
        else:
            other = chance.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(40))
def test_changed_files(seed: int) -> None:
    chance = random.Random(seed)
    begin = time.process_time()
    for text, module in FILES:
        for _ in range(4):
            given = changed(text, chance)
            size = (3, 32, 32) if chance.random() < 0.5 else None
            with suppress(ArchcalcError):
                expand(import_text(given, "file", "net", module, size, chance.random() < 0.5), "net")
    assert time.process_time() - begin < 10
