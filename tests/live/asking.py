"""Questions to the calculator, as a page asks them."""

from __future__ import annotations

import json
from typing import Any

from archcalc.live.calculator import answer, answer_text

TINY = """\
input: [3, 8, 8]
params:
  width: 4     # channels of the first convolution
  norm: true
check:
  width % 2 == 0: "width must be even"
blocks:
  unit:
    params: {out: , k: 3}
    layers:
      - conv: {out: out, kernel: k, pad: "k // 2"}
        name: c1
      - batch_norm:
        when: norm
layers:
  - unit: {out: width}
  - add:
      main:
        - unit: {out: "2 * width"}
      shortcut:
        - conv: {out: "2 * width", kernel: 1}
    name: sum
  - flatten
  - linear: {out: 10}
    name: fc
"""


def ask(op: str, **request: Any) -> dict[str, Any]:
    """The answer to a question, through JSON in both directions."""
    found: dict[str, Any] = json.loads(answer_text(json.dumps({"op": op, **request})))
    return found


def told(op: str, **request: Any) -> dict[str, Any]:
    """The answer to a question that can be answered."""
    found = ask(op, **request)
    assert found["ok"], found
    return found


def problems(op: str, **request: Any) -> list[tuple[int, str]]:
    """The lines and the sentences of a question that cannot be answered."""
    found = ask(op, **request)
    assert not found["ok"], found
    return [(one["line"], one["text"]) for one in found["problems"]]


def state(net: str) -> dict[str, Any]:
    """The state that shows a network of the zoo."""
    found: dict[str, Any] = answer({"op": "spec", "net": net})["state"]
    return found


def at(text: str) -> dict[str, Any]:
    """The state and the place of a text in which | stands for the cursor."""
    before = text[: text.index("|")]
    place = {"line": before.count("\n") + 1, "column": len(before) - before.rfind("\n")}
    return {"state": {"text": text.replace("|", "", 1)}, **place}
