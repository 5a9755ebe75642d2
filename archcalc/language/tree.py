"""YAML text to a tree that knows its lines, with bounds on what a file may cost.

Built from the parser's events rather than its objects: plain scalars resolve by YAML 1.2's core rules
(``no`` is a word, not false), duplicate keys are seen, and nothing can construct Python objects.
An alias shares its subtree; ``size`` and ``depth`` count it each time, so a bomb is refused before it is walked.
"""

from __future__ import annotations

import re
from math import inf
from typing import Any

import yaml

from archcalc.errors import ArchcalcError, Problem, clipped
from archcalc.letters import normal

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
MAX_NODES = 100_000
TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"

_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,18}\.[0-9]{0,30}|\.[0-9]{1,30}|[0-9]{1,18})(?:[eE][-+]?[0-9]{1,3})?")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WORDS = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}


class Tree:
    """A YAML value: a dict of trees, a list of trees, or a scalar; with its line, its text where it is a scalar,
    and its size in nodes and depth in levels."""

    __slots__ = ("depth", "line", "size", "text", "value")

    def __init__(self, value: Any, line: int, size: int = 1, depth: int = 0, text: str = "") -> None:
        self.value, self.line, self.size, self.depth, self.text = value, line, size, depth, text

    def at(self, line: int) -> Tree:
        """This tree, said to stand on that line."""
        return self if line == self.line else Tree(self.value, line, self.size, self.depth, self.text)

    def data(self) -> Any:
        """The value as plain Python data."""
        if isinstance(self.value, dict):
            return {key: tree.data() for key, tree in self.value.items()}
        if isinstance(self.value, list):
            return [tree.data() for tree in self.value]
        return self.value


def scalar(text: str) -> Any:
    """A plain scalar by YAML 1.2's core schema: null, true, 3, 0.5 or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def parse(text: str, file: str) -> Tree:
    """The tree of a YAML document; ArchcalcError with the line of what is wrong."""
    try:
        return _build(text, file)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = min(mark.line, text.count("\n", 0, len(text.rstrip()))) + 1 if mark is not None else 0
        if "nesting" in str(error.problem):  # a limit of the parser, which reads ahead before it gives an event
            raise ArchcalcError(Problem(TOO_DEEP, file, line)) from None
        raise ArchcalcError(Problem(f"not valid YAML: {_explained(error, line)}", file, line)) from None
    except (yaml.YAMLError, UnicodeEncodeError):
        found = _FORBIDDEN.search(text)
        what, line = (repr(found[0]), text.count("\n", 0, found.start()) + 1) if found else ("in it", 0)
        raise ArchcalcError(Problem(f"not valid YAML: the character {what} is not allowed", file, line)) from None


def _explained(error: yaml.MarkedYAMLError, line: int) -> str:
    start = error.context_mark
    since = f"from line {start.line + 1} on" if start is not None and start.line + 1 < line else ""
    said = " ".join(part for part in (error.context, since, error.problem) if part)
    if "mapping values are not allowed" in said:
        said += (
            "; a step with settings needs a colon after its type, as in '- batch_norm:', and a text that holds a "
            "colon is quoted"
        )
    elif "tab character" in said:
        said += "; lines are indented with spaces"
    elif "cannot start any token" in said:
        said += "; lines are indented with spaces, not tabs, and a text that starts with a special character is quoted"
    return said


def _build(text: str, file: str) -> Tree:
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    anchors: dict[str, Tree] = {}
    root: Tree | None = None
    open_: list[tuple[Tree, str | None, list[Any]]] = []  # container, its anchor, pending key or nothing

    def fail(message: str, line: int) -> ArchcalcError:
        return ArchcalcError(Problem(message, file, line))

    def place(tree: Tree) -> None:
        nonlocal root
        if not open_:
            root = tree
            return
        container, _, key = open_[-1]
        container.size += tree.size
        container.depth = max(container.depth, tree.depth + 1)
        if container.size > MAX_NODES:
            raise fail(f"more than {MAX_NODES:,} values, aliases written out", tree.line)
        if container.depth > MAX_DEPTH:
            raise fail(f"{TOO_DEEP}, aliases written out", tree.line)
        if isinstance(container.value, list):
            container.value.append(tree)
        elif not key:
            if isinstance(tree.value, (dict, list)):
                raise fail("a key must be a word, got a list or mapping", tree.line)
            if tree.text in container.value:
                raise fail(f"the key {clipped(tree.text, 60)!r} is given twice", tree.line)
            if tree.text == "<<":
                raise fail(
                    "merge keys (<<) are not part of the language; parameters and blocks share what is common",
                    tree.line,
                )
            key += [tree.text, tree.line]
        else:
            name, line = key
            key.clear()
            container.value[name] = tree.at(line)

    def untagged(tag: str | None, line: int) -> None:
        if tag is not None:
            raise fail(f"tags such as {clipped(tag, 60)!r} are not part of the language", line)

    documents = 0
    event: Any
    for event in yaml.parse(text, Loader=loader):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.ScalarEvent):
            if event.tag not in ("!", "tag:yaml.org,2002:str"):
                untagged(event.tag, line)
            said = normal(event.value)
            value = scalar(said) if event.implicit[0] else said
            if value == inf or value == -inf:
                raise fail(f"{clipped(event.value, 60)} is beyond the numbers that a computer counts with", line)
            tree = Tree(value, line, text=said)
            if event.anchor:
                anchors[event.anchor] = tree
            place(tree)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in anchors:
                raise fail(f"the alias *{clipped(str(event.anchor), 60)} has no anchor before it", line)
            place(anchors[event.anchor])
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            untagged(event.tag, line)
            if len(open_) >= MAX_DEPTH:
                raise fail(TOO_DEEP, line)
            open_.append((Tree({} if isinstance(event, yaml.MappingStartEvent) else [], line), event.anchor, []))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            tree, anchor, _ = open_.pop()
            if anchor:
                anchors[anchor] = tree
            place(tree)
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise fail("more than one YAML document in the file", line)
    if root is None or root.value is None:
        raise ArchcalcError(Problem("the spec is empty", file))
    return root
