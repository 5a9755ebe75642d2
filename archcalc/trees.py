"""A tree of values with line numbers: what a text holds, before anyone says what it means.

YAML text becomes such a tree (``language/tree.py``), and so does a file of another tool (``importing``).
"""

from __future__ import annotations

from typing import Any

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
MAX_NODES = 100_000


class Tree:
    """A YAML value: a dict of trees, a list of trees, or a scalar.

    It has a line, a size in nodes and a depth in levels. A scalar has its text too.
    """

    __slots__ = ("depth", "line", "size", "text", "value")

    def __init__(self, value: Any, line: int, size: int = 1, depth: int = 0, text: str = "") -> None:
        self.value, self.line, self.size, self.depth, self.text = value, line, size, depth, text

    def at(self, line: int) -> Tree:
        """A copy of this tree with another line number."""
        return self if line == self.line else Tree(self.value, line, self.size, self.depth, self.text)

    def data(self) -> Any:
        """The value as plain Python data."""
        if isinstance(self.value, dict):
            return {key: tree.data() for key, tree in self.value.items()}
        if isinstance(self.value, list):
            return [tree.data() for tree in self.value]
        return self.value


def tree_of(value: Any, line: int) -> Tree:
    """Plain data as a tree whose lines are all ``line``. Trees inside stay as they are."""
    if isinstance(value, Tree):
        return value
    if isinstance(value, (dict, list, tuple)):
        children: Any = (
            {key: tree_of(one, line) for key, one in value.items()}
            if isinstance(value, dict)
            else [tree_of(one, line) for one in value]
        )
        inside = children.values() if isinstance(children, dict) else children
        size = 1 + sum(child.size for child in inside)
        return Tree(children, line, size, max((child.depth + 1 for child in inside), default=0))
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return Tree(value, line, text=text)
