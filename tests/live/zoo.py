"""The numbers of the page against the command line, for all networks of the zoo: ``python -m tests.live.zoo``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from time import monotonic

from archcalc.language import networks
from archcalc.report.layers import COLUMNS
from tests.live.asking import state, told
from tests.live.commands import printed


def differing(nets: Sequence[str]) -> Iterator[str]:
    """The networks whose table on the page is not the one of the command line."""
    for net in nets:
        table = printed("table", net, "--columns", ",".join(COLUMNS), "--format", "json")
        if told("analyze", state=state(net))["table"] != json.loads(table):
            yield net


if __name__ == "__main__":
    start, nets = monotonic(), list(networks())
    wrong = list(differing(nets))
    print(f"{len(nets)} networks, {len(wrong)} differ, {monotonic() - start:.0f} s", *wrong)
    sys.exit(bool(wrong))
