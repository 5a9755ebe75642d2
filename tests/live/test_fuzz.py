"""Hostile texts and requests get answers or sentences, never an exception.

The calculator's own net would hide an exception as "a mistake of archcalc"; no answer may contain it.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archcalc.live import calculator
from archcalc.live.calculator import OPERATIONS, answer_text
from archcalc.live.course.asked import LESSONS
from archcalc.live.exports import FORMATS
from tests.fuzz.cases import text as drawn_text
from tests.live.asking import TINY, state

SLOW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SPECS = [TINY, *(state(net)["text"] for net in ("vgg16", "googlenet", "swin_t", "unet", "lenet5"))]
SIGNS = "{}[]:,#-'\"\n |>&*!%@`\t\\\0\u202e\ud800é=+"


def checked(request: dict[str, Any]) -> dict[str, Any]:
    """The answer; it is JSON, and no answer of an exception."""
    found: dict[str, Any] = json.loads(answer_text(json.dumps(request)))
    assert isinstance(found["ok"], bool)
    for one in found.get("problems", []):
        assert set(one) == {"text", "line", "column", "path"}
        assert one["text"].isprintable() or not one["text"].isascii()
        assert "mistake of archcalc" not in one["text"], (one, request)
        assert min(one["line"], one["column"]) >= 0
    if not found["ok"]:
        assert found["problems"]
    return found


@pytest.fixture(autouse=True)
def all_come_through(monkeypatch):
    """Exceptions come through, with their lines."""
    monkeypatch.setattr(calculator, "MISTAKES", ())


@st.composite
def edits(draw: st.DrawFn) -> str:
    """A spec after some edits of a person who types, or of one who means harm."""
    text = draw(st.sampled_from(SPECS))
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 30))
        piece = draw(
            st.one_of(
                st.text(SIGNS, max_size=6),
                st.sampled_from(
                    ["9" * 20, "-1", "0", "1e999", "null", "true", "*x", "&x [*x]", "<<: {}", "- conv:", "i" * 400]
                ),
                st.builds(lambda a, b, t=text: t[a : a + b], st.integers(0, len(text)), st.integers(0, 60)),
            )
        )
        text = text[:at] + piece + text[at + length :]
    return text


plain = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=20)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=8,
)


@SLOW
@given(edits(), st.sampled_from(list(OPERATIONS)), st.integers(1, 60), st.integers(1, 120), st.data())
def test_edits(text, op, line, column, data):
    changed = {"text": text, "training": data.draw(st.booleans())}
    more = {"line": line, "column": column, "layer": line, "format": data.draw(st.sampled_from(list(FORMATS)))}
    checked({"op": op, "state": changed | {"compare": "lenet5"}, "name": "a.yaml", **more})


@SLOW
@given(st.integers(0, 10**9), st.sampled_from(["analyze", "memory", "field", "hover", "complete", "window"]))
def test_drawn_specs(seed, op):
    random = Random(seed)
    text = drawn_text(random)
    checked(
        {"op": op, "state": {"text": text}, "line": random.randint(1, 40), "column": random.randint(1, 60), "layer": 2}
    )


@SLOW
@given(
    st.dictionaries(
        st.sampled_from(
            [
                *("op", "state", "net", "line", "column", "layer", "unit", "format", "name", "text", "base64", "input"),
                *("lesson", "numbers", "question", "guess"),
            ]
        ),
        plain,
        max_size=6,
    ),
    st.one_of(st.none(), st.sampled_from(list(OPERATIONS))),
    st.one_of(
        st.none(),
        st.dictionaries(
            st.sampled_from(
                [
                    "text",
                    "file",
                    "network",
                    "settings",
                    "input",
                    "batch",
                    "dtype",
                    "convention",
                    "training",
                    "optimizer",
                    "compare",
                ]
            ),
            plain,
        ),
    ),
)
def test_requests(request, op, shown):
    """Any JSON in any place of a request."""
    request = dict(request)
    if op is not None:
        request["op"] = op
    if shown is not None:
        request["state"] = {"text": TINY} | shown
    checked(request)


@SLOW
@given(st.data(), st.sampled_from(list(LESSONS.values())))
def test_lessons(data, lesson):
    """Any JSON for some numbers of a lesson, and any guess at any of its questions."""
    keys = st.sampled_from([*(one.key for one in lesson.numbers), "x"])
    numbers = data.draw(st.dictionaries(keys, st.one_of(plain, st.integers(-1, 1100)), max_size=3))
    question = data.draw(st.sampled_from([None, *(one.key for one in lesson.questions)]))
    signs = st.text("0123456789.,*/+-()x^ eEKMGiB%×", max_size=30)
    guess = data.draw(st.one_of(plain, signs, st.integers().map(str)))
    checked({"op": "course", "lesson": lesson.key, "numbers": numbers, "question": question, "guess": guess})


@SLOW
@given(st.dictionaries(st.sampled_from(["width", "norm", "x"]), plain), plain)
def test_settings(values, batch):
    checked({"op": "analyze", "state": {"text": TINY, "settings": values, "batch": batch}})


@SLOW
@given(
    st.sampled_from(["a.cfg", "a.prototxt", "a.onnx", "a.yaml", "a.json", "a"]), st.binary(max_size=300), st.booleans()
)
def test_files(name, data, missing):
    found = calculator.answer_file(name, data, "", missing)
    assert found["ok"] or "mistake of archcalc" not in found["problems"][0]["text"]


@pytest.mark.parametrize(
    "request_",
    [b"", b"{", b"[" * 100_000, b"\xff", b'{"op": NaN}', b'{"op": 1' + b"0" * 5000 + b"}", b'"\\ud800"', b"null"],
)
def test_what_is_no_json_gets_a_sentence(request_):
    assert json.loads(answer_text(request_))["ok"] is False


def test_an_exception_is_not_hidden(monkeypatch):
    """The check above can fail: an exception in an operation comes through."""
    monkeypatch.setitem(OPERATIONS, "start", lambda request: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        answer_text('{"op": "start"}')
    monkeypatch.setattr(calculator, "MISTAKES", (Exception,))
    assert "mistake of archcalc" in answer_text('{"op": "start"}')
