"""The JSON Schema for editors: valid, true of every spec, and false of typical mistakes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from archcalc.language.keywords import FAMILY, LAYERS, OPTIONS
from archcalc.language.schema import schema
from archcalc.language.tree import parse
from archcalc.language.zoo import specs

VALIDATOR = Draft202012Validator(schema())
DOCS = (Path(__file__).parents[2] / "docs" / "spec.md").read_text(encoding="utf-8")
I = "input: [3, 8, 8]\n"  # noqa: E741
L = I + "layers:\n"


def data(text: str) -> Any:
    return parse(text, "spec.yaml").data()


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("path", sorted(specs().glob("*.yaml")), ids=lambda path: path.stem)
def test_every_spec_of_the_zoo_validates(path: Path) -> None:
    errors = [error.message for error in VALIDATOR.iter_errors(data(path.read_text(encoding="utf-8")))]
    assert errors == []


def test_the_docs_example_validates() -> None:
    for example in re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL):
        VALIDATOR.validate(data(example))


@pytest.mark.parametrize(
    "text",
    [
        L + "  - relu\n  - conv: {out: 2 * w, kernel: [3, 5], pad: [[0, 1], [1, 0]]}\n",
        L + "  - {relu: , name: 3, when: true, repeat: 2}\n",
        L + "  - {add: , from: [a, b]}\n  - add: [[], [relu]]\n  - concat: {a: , b: [relu]}\n",
        L + "  - side: [flatten]\n  - layers: []\n",
        L + "  - unit: {width: 3}\n  - unit:\n",
        L + "  - upsample: {scale: 2, mode: bilinear}\n  - dropout: {p: 0.5}\n",
        L + "  - crop: {like: up}\n  - crop: {by: [[0, 1], n]}\n  - crop: {size: [4, 4]}\n  - pad: {by: 2}\n",
    ],
)
def test_what_is_right_validates(text: str) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(data(text))] == []


@pytest.mark.parametrize(
    "text",
    [
        "layres: [relu]\n",
        "input: 3x8x8\n",
        "input: []\n",
        "input: [3.5, 8, 8]\n",
        "params: [a]\n",
        "layers: relu\n",
        "- relu\n",
        "networks: {}\n",
        "networks: [a]\n",
        "blocks: {a: {params: [x]}}\n",
        "blocks: {a: {lyaers: []}}\n",
        "title: [a]\n",
        L + "  - conv: {out: 4}\n",
        L + "  - conv\n  - 3\n",
        L + "  - conv:\n",
        L + "  - conv: {out: 4, kernal: 3}\n",
        L + "  - conv: [4, 3]\n",
        L + "  - conv: {out: 0, kernel: 3}\n",
        L + "  - conv: {out: 4, kernel: 0}\n",
        L + "  - conv: {out: 4, kernel: 3, stride: -1}\n",
        L + "  - conv: {out: 4, kernel: 2.5}\n",
        L + "  - conv: {out: 4, kernel: {a: 1}}\n",
        L + "  - conv: {out: 4, kernel: 3, bias: 1}\n",
        L + "  - relu: {inplace: true}\n",
        L + "  - dropout: {p: 2}\n",
        L + "  - dropout: 0.5\n",
        L + "  - {relu: , repeat: -1}\n",
        L + "  - {relu: , when: 1}\n",
        L + "  - {relu: , from: []}\n",
        L + "  - {relu: , name: [a]}\n",
        L + "  - add: {a: [relu]}\n",
        L + "  - {}\n",
        L + "  - unit: 3\n",
        L + "  - layers: relu\n",
        L + "  - [relu]\n",
        "check: [a]\n",
        "check: {a: 1}\n",
    ],
)
def test_typical_mistakes_do_not_validate(text: str) -> None:
    assert not VALIDATOR.is_valid(data(text))


def test_the_docs_name_every_layer_and_option() -> None:
    ticked = set(re.findall(r"`(\w+)`", DOCS))
    assert set(LAYERS) <= ticked
    assert set(OPTIONS) - {"as"} <= ticked
    assert set(FAMILY) - {"networks", "blocks", "check"} <= ticked | set(re.findall(r"\w+", DOCS))
