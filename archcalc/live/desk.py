"""The requests of the pages of one server: one at a time, and of each page only the newest.

The operations here need the files of this machine, which the calculator never sees.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from archcalc.errors import ArchcalcError

if TYPE_CHECKING:
    from archcalc.live.state import State

MOST_PAGES, LONGEST_PAGE = 1_000, 100
"""The most pages and operations whose newest request is remembered, and the longest name of a page."""
OVERTAKEN = ("analyze", "complete", "hover", "window", "memory", "field", "diff")
"""The operations whose answer nobody reads if the page has asked again."""


FIRST = "vgg16"
"""The network that a page shows if none is opened."""


def calculator() -> ModuleType:
    """The calculator. It is imported at the first question, so the server starts in a blink."""
    from archcalc.live import calculator

    return calculator


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
        self._free = Condition()
        self._busy = False
        self._newest: OrderedDict[tuple[str, str], int] = OrderedDict()

    def ask(self, body: bytes) -> str:
        """The answer in JSON; OutdatedError if the page has asked the same operation again since."""
        try:
            request = json.loads(body)
        except (ValueError, RecursionError):
            return str(calculator().answer_text(body))
        if not isinstance(request, dict):
            return str(calculator().answer_text(body))
        page, number, op = request.pop("page", ""), request.pop("number", 0), request.get("op")
        counts = isinstance(page, str) and len(page) <= LONGEST_PAGE and type(number) is int and op in OVERTAKEN
        with self._turn((page, str(op)) if counts else None, number):
            return json.dumps(self._answer(request), separators=(",", ":"))

    def drop(self, name: str, data: bytes, input: str, allow_missing: bool) -> str:
        """The answer in JSON for a file that was dropped on a page."""
        with self._turn(None, 0):
            found = calculator().answer_file(name, data, input, allow_missing)
            return json.dumps(found, separators=(",", ":"))

    def warm(self) -> None:
        """Compute what a page asks first, while the browser starts."""
        import gc

        gc.set_threshold(50_000)  # an analysis makes many objects, and most of them last until the next one
        with self._turn(None, 0):
            calculator().answer({"op": "start"})
            calculator().answer({"op": "analyze", "state": self.first()._asdict()})

    def first(self) -> State:
        """The state that a page shows first."""
        from archcalc.live.opening import state_of_net

        return self.opened.state or state_of_net(FIRST)

    @contextmanager
    def _turn(self, key: tuple[str, str] | None, number: int) -> Iterator[None]:
        """The turn of one request; OutdatedError if a newer one with the same key comes before its turn."""
        with self._free:
            if key is not None:
                self._note(key, number)
            while self._busy:
                self._free.wait()
                if key is not None and self._newest.get(key, number) > number:
                    raise OutdatedError
            if key is not None and self._newest.get(key, number) > number:
                raise OutdatedError
            self._busy = True
        try:
            yield
        finally:
            with self._free:
                self._busy = False
                self._free.notify_all()

    def _note(self, key: tuple[str, str], number: int) -> None:
        """Remember the newest request of a page, and wake those that it overtakes."""
        self._newest[key] = max(number, self._newest.get(key, number))
        self._newest.move_to_end(key)
        while len(self._newest) > MOST_PAGES:
            self._newest.popitem(last=False)
        self._free.notify_all()

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        op = request.get("op")
        if op == "save":
            return dict(calculator().answered(lambda: self._save(request.get("text")), None))
        found: dict[str, Any] = calculator().answer(request)
        if op == "start" and found["ok"]:
            found |= {"open": self.first()._asdict(), "file": self.opened.name}
        return found

    def _save(self, text: Any) -> dict[str, Any]:
        """Write the file that was opened, and no other."""
        if not self.opened.path:
            raise ArchcalcError("archcalc live was not started with a spec file, so there is no file to save to")
        if not isinstance(text, str) or not text.strip():
            raise ArchcalcError("nothing to save: the text is empty")
        from archcalc.files import write

        write(self.opened.path, text)
        return {"file": self.opened.name}
