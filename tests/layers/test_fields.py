"""The JSON Schema of a setting accepts what its reader accepts, and refuses what it refuses."""

import json

import pytest

from archcalc.errors import LayerError
from archcalc.layers import registry
from archcalc.layers.settings import Choice, Connections, Flag, Like, Number, Padding, PerAxis, Sides, WholeNumber

FIELDS = [
    WholeNumber("n"),
    WholeNumber("n", least=0),
    PerAxis("n"),
    PerAxis("n", least=0),
    Sides("p"),
    Padding("p"),
    Like("n"),
    Number("x"),
    Number("x", high=1),
    Number("x", low=float("-inf")),
    Flag("b"),
    Choice("c", (None, "all", False)),
    Connections("t"),
]
VALUES = [
    0,
    1,
    -1,
    3,
    0.5,
    1.5,
    -0.5,
    True,
    False,
    None,
    [],
    [1],
    [1, 2],
    [0, 1],
    [[1, 2], [3, 4]],
    [[1, 2], 3],
    [[1, 2, 3], 4],
    [[0], [0, 1]],
    {},
]


def accepts(field, value):
    try:
        field.read(value)
    except LayerError:
        return False
    return True


@pytest.mark.parametrize("field", FIELDS, ids=lambda f: type(f).__name__)
def test_schema_and_reader_agree(field):
    """Strings are left out: in a spec they are words or expressions, which the reader never sees."""
    validator = pytest.importorskip("jsonschema").Draft202012Validator(field.schema())
    assert {json.dumps(v): validator.is_valid(v) for v in VALUES} == {json.dumps(v): accepts(field, v) for v in VALUES}


@pytest.mark.parametrize("type", registry)
def test_every_schema_is_json(type):
    for field in registry[type].fields.values():
        json.dumps(field.schema(), allow_nan=False)
        pytest.importorskip("jsonschema").Draft202012Validator.check_schema(field.schema())
