"""The answers to the questions of the page: plain data in, plain data out.

No socket, no file that is written, no framework. The server calls ``answer_text`` in this process; the static page calls
it in a browser. A question that cannot be answered gets sentences, whatever the question was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from archcalc.errors import ArchcalcError, Problem, clipped, unknown
from archcalc.layers.settings import message_text
from archcalc.live.state import State, state_of

Request = Mapping[str, Any]


def answer(request: Any) -> dict[str, Any]:
    """The answer to a request: ``ok`` with data, or all problems with their lines."""
    text = ""
    try:
        if not isinstance(request, Mapping):
            raise ArchcalcError(f"a request is a mapping with an op, got {message_text(request)}")
        op = request.get("op")
        if not isinstance(op, str) or op not in OPERATIONS:
            raise ArchcalcError(unknown("operation", op if isinstance(op, str) else message_text(op), OPERATIONS))
        state = request.get("state")
        text = state.get("text", "") if isinstance(state, Mapping) else ""
        return {"ok": True, **OPERATIONS[op](request)}
    except ArchcalcError as error:
        problems = [problem_data(problem, text) for problem in error.problems]
    except (RecursionError, MemoryError):
        problems = [problem_data(Problem("the network is too large to be computed here"), "")]
    except Exception as error:  # a mistake of archcalc must not take the page away
        sentence = f"a mistake of archcalc, please report it: {type(error).__name__}: {clipped(str(error), 200)}"
        problems = [problem_data(Problem(sentence), "")]
    return {"ok": False, "problems": problems}


def answer_text(request: str | bytes) -> str:
    """The answer to a request in JSON, as JSON."""
    try:
        given = json.loads(request, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return json.dumps({"ok": False, "problems": [problem_data(Problem("the request is not JSON"), "")]})
    return json.dumps(answer(given), separators=(",", ":"))


def _no_constant(text: str) -> Any:
    raise ValueError(text)


def problem_data(problem: Problem, text: str) -> dict[str, Any]:
    """A problem for the page: a sentence and its place in the text. Lines and columns begin with 1; 0: no place."""
    line, column = problem.line, 0
    if problem.file.startswith("pattern, column "):
        at = int(problem.file.rpartition(" ")[2]) - 1
        before = text[:at] if isinstance(text, str) else ""
        line, column = before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1
    return {
        "text": clipped(problem.text, 320),
        "line": line,
        "column": column,
        "path": clipped(problem.path, 90),
    }


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

    return field(_state(request))


def _window(request: Request) -> dict[str, Any]:
    from archcalc.live.fields import window

    return window(_state(request), request.get("layer"), request.get("unit"))


def _diff(request: Request) -> dict[str, Any]:
    from archcalc.live.differences import diff

    return diff(_state(request))


def _export(request: Request) -> dict[str, Any]:
    from archcalc.live.exports import exported

    return dict(exported(_state(request), request.get("format")))


OPERATIONS: Mapping[str, Callable[[Request], dict[str, Any]]] = {
    "start": _start,
    "zoo": _zoo,
    "spec": _spec,
    "analyze": _analyze,
    "memory": _memory,
    "field": _field,
    "window": _window,
    "diff": _diff,
    "export": _export,
}
"""The operations, each imported at its first use: a page that is opened needs the first few alone."""
