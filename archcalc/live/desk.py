"""The requests of the pages of one server: one at a time, and of each page only the newest.

The operations here need the files of this machine, which the calculator never sees.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from threading import Lock
from typing import Any, NamedTuple

from archcalc.errors import ArchcalcError
from archcalc.live.calculator import answer, answer_text
from archcalc.live.state import State

MOST_PAGES = 100
"""The most pages whose newest request is remembered."""
OVERTAKEN = ("analyze", "complete", "hover", "window", "memory", "field", "diff")
"""The operations whose answer nobody reads if the page has asked again."""


class OutdatedError(Exception):
    """The same page has asked again."""


class Opened(NamedTuple):
    """The state that the page shows first, and the path of the file that ``save`` writes ("": none)."""

    state: State | None = None
    path: str = ""
    name: str = ""


class Desk:
    """Takes the requests of the pages one by one."""

    def __init__(self, opened: Opened | None = None) -> None:
        self.opened = opened or Opened()
        self._turn, self._noting = Lock(), Lock()
        self._newest: OrderedDict[tuple[str, str], int] = OrderedDict()

    def ask(self, body: bytes) -> str:
        """The answer in JSON; OutdatedError if the page has asked the same operation again since."""
        try:
            request = json.loads(body)
        except (ValueError, RecursionError):
            return answer_text(body)
        if not isinstance(request, dict):
            return answer_text(body)
        page, number, op = request.pop("page", ""), request.pop("number", 0), request.get("op")
        counts = isinstance(page, str) and len(page) <= 100 and isinstance(number, int) and op in OVERTAKEN
        if counts:
            self._note((page, str(op)), number)
        with self._turn:
            if counts and self._newest.get((page, str(op)), number) > number:
                raise OutdatedError
            return json.dumps(self._answer(request), separators=(",", ":"))

    def _note(self, key: tuple[str, str], number: int) -> None:
        with self._noting:
            self._newest[key] = max(number, self._newest.get(key, number))
            self._newest.move_to_end(key)
            while len(self._newest) > MOST_PAGES:
                self._newest.popitem(last=False)

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        op = request.get("op")
        if op == "save":
            return self._save(request.get("text"))
        found = answer(request)
        if op == "start" and found["ok"] and self.opened.state is not None:
            found |= {"open": self.opened.state._asdict(), "file": self.opened.name}
        return found

    def _save(self, text: Any) -> dict[str, Any]:
        """Write the file that was opened, and no other."""
        try:
            if not self.opened.path:
                raise ArchcalcError("archcalc live was not started with a spec file, so there is no file to save to")
            if not isinstance(text, str) or not text.strip():
                raise ArchcalcError("nothing to save: the text is empty")
            from archcalc.files import write

            write(self.opened.path, text)
        except ArchcalcError as error:
            return {
                "ok": False,
                "problems": [{"text": p.text, "line": 0, "column": 0, "path": ""} for p in error.problems],
            }
        return {"ok": True, "file": self.opened.name}
