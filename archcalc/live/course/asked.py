"""The operation ``course``: the lessons, one lesson on the numbers of a student, and the verdict on a guess."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from archcalc.errors import ArchcalcError, unknown
from archcalc.layers.settings import message_text
from archcalc.live.course import alexnet, fc6, inception, stack, vgg_memory
from archcalc.live.course.guess import judged, value_text
from archcalc.live.course.lesson import Asked, Case, Choice, Lesson, Number, Question

LESSONS: Mapping[str, Lesson] = {one.LESSON.key: one.LESSON for one in (alexnet, vgg_memory, stack, inception, fc6)}


def course(lesson: Any, numbers: Any, question: Any, guess: Any) -> dict[str, Any]:
    """The answer of the operation ``course``. Without a lesson: the list. With a question and a guess: the verdict too."""
    if lesson is None:
        return {"lessons": [_listed(one) for one in LESSONS.values()]}
    found = _named(lesson, "lesson", LESSONS)
    if numbers is not None and not isinstance(numbers, Mapping):
        raise ArchcalcError(f"numbers: expected numbers by name, got {message_text(numbers)}")
    case = found.case(numbers or {})
    answer: dict[str, Any] = {
        "lesson": _listed(found),
        "intro": list(found.intro(case)),
        "sources": [one._asdict() for one in found.sources],
        "numbers": [_number(one, case.n[one.key]) for one in found.numbers],
        "networks": [
            {
                "title": drawn.title,
                "state": case.state(drawn.text)
                ._replace(compare=drawn.compare(case.n) if drawn.compare else "")
                ._asdict(),
            }
            for drawn in found.networks
        ],
        "questions": [_question(one, case) for one in found.questions],
    }
    if question is not None:
        one = _named(question, "question of this lesson", {each.key: each for each in found.questions})
        verdict = judged(guess, one.of(case))
        answer["verdict"] = {"question": one.key, **verdict._asdict()}
    return answer


def _named(given: Any, what: str, known: Mapping[str, Any]) -> Any:
    if not isinstance(given, str) or given not in known:
        raise ArchcalcError(unknown(what, given if isinstance(given, str) else message_text(given), known))
    return known[given]


def _listed(lesson: Lesson) -> dict[str, Any]:
    return {
        "key": lesson.key,
        "title": lesson.title,
        "questions": [{"key": one.key, "title": one.title} for one in lesson.questions],
    }


def _number(one: Number | Choice, value: Any) -> dict[str, Any]:
    kind = "number" if isinstance(one, Number) else "choice"
    step = 2 if isinstance(one, Number) and one.odd else 1
    return {"kind": kind, "step": step, "value": value, "default": one.default, **one._asdict()}


def _question(question: Question, case: Case) -> dict[str, Any]:
    """A question with its hints; with a problem in their place if the numbers do not fit it."""
    about = {"key": question.key, "title": question.title}
    try:
        asked = question.of(case)
    except ArchcalcError as error:
        return {**about, "problem": error.problems[0].text}
    return {
        **about,
        "problem": "",
        "text": asked.text,
        "noun": asked.noun if asked.unit in ("%", "times") else f"{asked.noun}s",
        "formula": asked.formula,
        "steps": [
            {"label": step.label, "expression": step.expression, "result": _result(step.result, asked)}
            for step in asked.steps
        ],
        "answer": value_text(asked.value, asked),
        "because": asked.because,
    }


def _result(value: int | Fraction, asked: Asked) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{float(value):.2f}{' %' if asked.unit == '%' else ''}"
