"""The answers to the questions of the page: plain data in, plain data out.

No socket, no file that is written, no framework. The server calls ``answer_text`` in this process; the static page calls
it in a browser. A question that cannot be answered gets sentences, whatever the question was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from archcalc.errors import ArchcalcError, Problem, clipped, unknown
from archcalc.language.pattern import PATTERN
from archcalc.layers.settings import message_text
from archcalc.live.state import State, line_and_column, state_of

Request = Mapping[str, Any]
MISTAKES: tuple[type[Exception], ...] = (Exception,)
"""What is caught although it is a mistake of archcalc: one question must not take the page away."""


def answer(request: Any) -> dict[str, Any]:
    """The answer to a request: ``ok`` with data, or all problems with their lines."""
    state = request.get("state") if isinstance(request, Mapping) else None
    text = state.get("text") if isinstance(state, Mapping) else None
    return answered(lambda: _answer(request), text if isinstance(text, str) else None)


def answer_file(name: str, data: bytes, input: str = "", allow_missing: bool = False) -> dict[str, Any]:
    """The answer of the operation ``drop`` for a file of any size."""
    from archcalc.live.drops import dropped_file

    return answered(lambda: dropped_file(name, data, input, allow_missing), None)


def _answer(request: Any) -> dict[str, Any]:
    if not isinstance(request, Mapping):
        raise ArchcalcError(f"a request is a mapping with an op, got {message_text(request)}")
    op = request.get("op")
    if not isinstance(op, str) or op not in OPERATIONS:
        raise ArchcalcError(unknown("operation", op if isinstance(op, str) else message_text(op), OPERATIONS))
    return OPERATIONS[op](request)


def answered(compute: Callable[[], dict[str, Any]], text: str | None) -> dict[str, Any]:
    """What a function returns, as an answer; or its problems, with their places in ``text`` (None: without places)."""
    try:
        return {"ok": True, **compute()}
    except ArchcalcError as error:
        problems = [problem_data(problem, text) for problem in error.problems]
    except (RecursionError, MemoryError):
        problems = [problem_data(Problem("the network is too large to be computed here"), None)]
    except MISTAKES as error:
        sentence = f"a mistake of archcalc, please report it: {type(error).__name__}: {clipped(str(error), 200)}"
        problems = [problem_data(Problem(sentence), None)]
    return {"ok": False, "problems": problems}


def answer_text(request: str | bytes) -> str:
    """The answer to a request in JSON, as JSON."""
    try:
        given = json.loads(request, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return json.dumps({"ok": False, "problems": [problem_data(Problem("the request is not JSON"), None)]})
    return json.dumps(answer(given), separators=(",", ":"))


def _no_constant(text: str) -> Any:
    raise ValueError(text)


def problem_data(problem: Problem, text: str | None) -> dict[str, Any]:
    """A problem for the page: a sentence and its place in the text. Lines and columns begin with 1; 0: no place.

    Without a text, the sentence itself names the file and the line.
    """
    if text is None:
        return {"text": str(problem), "line": 0, "column": 0, "path": ""}
    line, column, said = problem.line, 0, clipped(problem.text, 320)
    if problem.file.startswith(f"{PATTERN}, column "):
        line, column = line_and_column(text, int(problem.file.rpartition(" ")[2]))
    return {"text": said, "line": line, "column": column, "path": clipped(problem.path, 90)}


def _state(request: Request) -> State:
    return state_of(request.get("state"))


def _start(request: Request) -> dict[str, Any]:
    from archcalc.live.opening import started

    return started()


def _zoo(request: Request) -> dict[str, Any]:
    from archcalc.live.opening import zoo

    return zoo()


def _spec(request: Request) -> dict[str, Any]:
    from archcalc.live.opening import spec

    return spec(request.get("net"))


def _analyze(request: Request) -> dict[str, Any]:
    from archcalc.live.numbers import analyzed

    return analyzed(_state(request))


def _memory(request: Request) -> dict[str, Any]:
    from archcalc.live.memory import memory

    return memory(_state(request))


def _field(request: Request) -> dict[str, Any]:
    from archcalc.live.fields import field

    return field(_state(request), request.get("smallest") is True)


def _window(request: Request) -> dict[str, Any]:
    from archcalc.live.fields import window

    return window(_state(request), request.get("layer"), request.get("unit"))


def _complete(request: Request) -> dict[str, Any]:
    from archcalc.live.completion import completed

    return completed(_state(request), request.get("line"), request.get("column"))


def _hover(request: Request) -> dict[str, Any]:
    from archcalc.live.hovering import hovered

    return hovered(_state(request), request.get("line"), request.get("column"))


def _drop(request: Request) -> dict[str, Any]:
    from archcalc.live.drops import dropped

    return dropped(request)


def _diff(request: Request) -> dict[str, Any]:
    from archcalc.live.differences import diff

    return diff(_state(request))


def _export(request: Request) -> dict[str, Any]:
    from archcalc.live.exports import exported

    return dict(exported(_state(request), request.get("format")))


def _course(request: Request) -> dict[str, Any]:
    from archcalc.live.course.asked import course

    return course(*(request.get(key) for key in ("lesson", "numbers", "question", "guess")))


OPERATIONS: Mapping[str, Callable[[Request], dict[str, Any]]] = {
    "start": _start,
    "zoo": _zoo,
    "spec": _spec,
    "analyze": _analyze,
    "memory": _memory,
    "field": _field,
    "window": _window,
    "complete": _complete,
    "hover": _hover,
    "diff": _diff,
    "export": _export,
    "drop": _drop,
    "course": _course,
}
"""The operations, each imported at its first use: a page that is opened needs the first few alone."""
