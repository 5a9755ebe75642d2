"""A repository of git in a folder of a test."""

from __future__ import annotations

import subprocess
from pathlib import Path

SMALL = """
input: [3, 32, 32]
params: {width: 16}
budgets: [params < 20K]
networks:
  small: {}
  wide: {width: 32, budgets: "macs < 10M and peak <= 100KiB"}
layers:
  - conv: {out: width, kernel: 3, pad: 1}
  - relu
  - conv: {out: "width * 2", kernel: 3, pad: 1}
  - global_avg_pool
  - flatten
  - linear: {out: 10}
""".lstrip()
"""Parameters: 27w + w, 18w^2 + 2w, 20w + 10: 5,418 for 16, and 20,042 for 32.

Multiply-adds: 27w * 1,024, 18w^2 * 1,024, 20w: 5,161,280 for 16, and 19,759,744 for 32.
"""


def git(folder: Path, *words: str) -> None:
    names = ["-c", "user.name=N", "-c", "user.email=n@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *names, *words], cwd=folder, check=True, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-m", "a commit")
