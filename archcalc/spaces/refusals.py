"""The reasons for which networks refuse points of a space."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from archcalc.errors import ArchcalcError

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def reason_of(error: ArchcalcError) -> str:
    """The first problem, with the name of its file alone."""
    problem = error.problems[0]
    return str(problem._replace(file=os.path.basename(problem.file)))


def merged(refused: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Reasons with their numbers of points, as one mapping. Reasons that differ in their numbers alone are the first of them.

    >>> merged([{"7 is odd": 1, "9 is odd": 2}, {"8 is even": 4, "5 is odd": 8}])
    {'7 is odd': 11, '8 is even': 4}
    """
    counts, first = dict[str, int](), dict[str, str]()
    for reason, count in (one for each in refused for one in each.items()):
        reason = first.setdefault(_NUMBER.sub("0", reason), reason)
        counts[reason] = counts.get(reason, 0) + count
    return counts
