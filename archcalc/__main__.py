"""``python -m archcalc``."""

import sys

from archcalc.cli import program

sys.exit(program())
