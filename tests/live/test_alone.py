"""The calculator needs nothing that a browser does not have: it runs there unchanged."""

from __future__ import annotations

import subprocess
import sys

from tests.architecture import FRAMEWORKS

MISSING = {
    "socket",
    "http",
    "ssl",
    "subprocess",
    "multiprocessing",
    "webbrowser",
    "jinja2",
    "hypothesis",
    *FRAMEWORKS,
} - {"tabulate"}
CODE = """
import sys
from archcalc.live.calculator import OPERATIONS, answer
from tests.live.asking import TINY
for text in (TINY, "INPUT 8x8x3 -> CONV3-8 -> FC-10", "layers: ["):
    state = {"text": text, "training": True, "compare": "lenet5"}
    for op in OPERATIONS:
        for format in ("yaml", "csv", "latex", "json", "torch"):
            answer({"op": op, "state": state, "line": 3, "column": 4, "layer": 1, "net": "vgg16", "format": format,
                    "lesson": "vgg-memory", "question": "training", "guess": "1 GB", "name": "a.cfg", "text": "[net]\\nheight=8\\nwidth=8\\nchannels=3\\n[maxpool]\\nsize=2\\nstride=2\\n"})
print(*sys.modules)
"""


def test_the_calculator_needs_no_more_than_a_browser_has():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "archcalc.live.hovering" in loaded
    assert loaded & MISSING == set()
    assert not {
        name
        for name in loaded
        if name.startswith(("archcalc.cli", "archcalc.plot", "archcalc.pages", "archcalc.witness"))
    }
