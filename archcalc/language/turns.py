"""Repeats. With arrays, the number of turns may differ between the elements: depth is an axis like width.

A turn that some elements lack is expanded for all, and its layers are ``present`` for the others alone. The turn must
leave the shape as it is where it is absent, so that the layers behind it read a map of the same shape. If the turn does
not, the networks differ: DiffersError. The same holds where a step names a layer that some elements lack.
"""

from __future__ import annotations

from typing import Any

from archcalc.language.context import Context
from archcalc.language.elementwise import differs, is_whole
from archcalc.language.lookup import Lookup
from archcalc.language.operations import UNKNOWN
from archcalc.language.steps import Step
from archcalc.layers.settings import message_text
from archcalc.network import Node
from archcalc.sizes import equal, is_array, largest, smallest


class Turns(Lookup):
    """The repeats of an expansion."""

    def run_once(self, step: Step, current: int | None, context: Context) -> int | None:
        """Expand a step once. The result is the output that the next step reads."""
        raise NotImplementedError

    def repeat(self, step: Step, current: int | None, context: Context) -> int | None:
        options = step.options
        count = self.evaluate(options.repeat, self.with_channels(context.scope, current), step.place, "repeat")
        if not is_whole(count) or smallest(count) < 0:
            if count is not UNKNOWN:
                self.failed(step.place)
                self.problem(
                    f"repeat must be a whole number from 0 on, got {message_text(count)}", step.place, key="repeat"
                )
            self.skipped = True
            return None
        fewest = int(smallest(count))
        self.turns.append((options.counter, 0))
        for i in range(1, int(largest(count)) + 1):
            self.turns[-1] = options.counter, i
            inner = context.turn(options.counter, i)
            if i <= fewest:
                current = self.run_once(step, current, inner)
            else:
                current = self._run_where(count >= i, step, current, inner)
        self.turns.pop()
        return current

    def _run_where(self, holds: Any, step: Step, current: int | None, context: Context) -> int | None:
        """Expand a turn that is present where ``holds`` is true."""
        self.uneven = holds if self.uneven is None else self.uneven
        first, named = len(self.nodes), len(self.names.placed)
        around, self.within = self.within, self.within & holds
        result = self.run_once(step, current, context)
        self.within = around
        present = holds * 1
        for node in self.nodes[first:]:
            node.present = node.present * present
        self.partial.update(dict.fromkeys(self.names.placed[named:], holds))
        if result is None or current is None or result == current:
            return result
        after, before = self.nodes[result], self.nodes[current]
        if not _stays(after, before, 1 - present):
            why = "some elements of arrays lack this turn, which changes the shape of the map"
            raise self.differs(differs(holds, why), step.place, "repeat")
        after.instead = (*after.instead, (present, current))
        return result


def _stays(after: Node, before: Node, absent: Any) -> bool:
    """Whether two nodes have the same shape, where a turn is absent."""
    if len(after.shape.axes) != len(before.shape.axes) or after.side != before.side:
        return False
    pairs = zip((after.shape.channels, *after.shape.axes), (before.shape.channels, *before.shape.axes), strict=True)
    if not equal(after.regions, before.regions):
        return False
    return all(
        a is b or (not is_array(a) and not is_array(b) and a == b) or equal((a - b) * absent, 0) for a, b in pairs
    )
