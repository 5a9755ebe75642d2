"""A block with a shortcut whose maps are all of one size, so that bytes are counted in maps."""

from __future__ import annotations

SHORTCUT = """\
input: [4, 8, 8]
layers:
  - conv: {out: 4, kernel: 3, pad: 1}
    name: stem
  - add:
      main:
        - conv: {out: 4, kernel: 3, pad: 1}
          name: one
        - relu:
          name: act
        - conv: {out: 4, kernel: 3, pad: 1}
          name: two
      same: []
    name: block
"""
MAP = 4 * 8 * 8 * 4
WEIGHTS = 3 * 4 * (4 * 4 * 9 + 4)
