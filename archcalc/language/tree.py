"""From YAML text to a tree with line numbers. The size and the depth of a file are bounded.

The tree is built from the parser's events, not from its objects. So plain scalars follow the core rules of YAML 1.2
(``no`` is a word, not false), duplicate keys are found, and no Python object is constructed. An alias shares its
subtree. ``size`` and ``depth`` count the subtree for every alias, so a small file that expands to a huge tree is
refused early.
"""

from __future__ import annotations

import re
from math import inf
from typing import Any

import yaml

from archcalc.errors import ArchcalcError, Problem, clipped
from archcalc.letters import normal
from archcalc.trees import MAX_DEPTH, MAX_NODES, Tree

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


def scalar(text: str) -> Any:
    """A plain scalar by YAML 1.2's core schema: null, true, 3, 0.5 or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def parse(text: str, file: str, what: str = "the spec") -> Tree:
    """The tree of a YAML document; ArchcalcError with the line of what is wrong. ``what``: what the document is."""
    try:
        return _Builder(file, what).build(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = min(mark.line, text.count("\n", 0, len(text.rstrip()))) + 1 if mark is not None else 0
        if "nesting" in str(error.problem):  # the parser's own limit; it reads ahead of its events
            raise ArchcalcError(Problem(TOO_DEEP, file, line)) from None
        raise ArchcalcError(Problem(f"not valid YAML: {_explained(error, line)}", file, line)) from None
    except (yaml.YAMLError, UnicodeEncodeError):
        forbidden = _FORBIDDEN.search(text)
        what, line = (repr(forbidden[0]), text.count("\n", 0, forbidden.start()) + 1) if forbidden else ("in it", 0)
        raise ArchcalcError(Problem(f"not valid YAML: the character {what} is not allowed", file, line)) from None


def _explained(error: yaml.MarkedYAMLError, line: int) -> str:
    start = error.context_mark
    since = f"from line {start.line + 1} on" if start is not None and start.line + 1 < line else ""
    explanation = " ".join(part for part in (error.context, since, error.problem) if part)
    if "mapping values are not allowed" in explanation:
        explanation += (
            "; a step with settings needs a colon after its type, as in '- batch_norm:', and a text that holds a "
            "colon is quoted"
        )
    elif "tab character" in explanation:
        explanation += "; lines are indented with spaces"
    elif "cannot start any token" in explanation:
        explanation += (
            "; lines are indented with spaces, not tabs, and a text that starts with a special character is quoted"
        )
    return explanation


class _Open:
    """A mapping or list before its end is read: the tree, the anchor, and the key that has no value yet."""

    def __init__(self, tree: Tree, anchor: str | None) -> None:
        self.tree, self.anchor = tree, anchor
        self.key: tuple[str, int] | None = None


class _Builder:
    """Builds the tree of one document from the events of the parser. Stops at the first problem."""

    def __init__(self, file: str, what: str) -> None:
        self.file, self.what = file, what
        self.anchors: dict[str, Tree] = {}
        self.root: Tree | None = None
        self.open: list[_Open] = []
        self.documents = 0

    def build(self, text: str) -> Tree:
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        event: Any
        for event in yaml.parse(text, Loader=loader):
            self.add(event, event.start_mark.line + 1)
        if self.root is None or self.root.value is None:
            raise ArchcalcError(Problem(f"{self.what} is empty", self.file))
        return self.root

    def fail(self, message: str, line: int) -> ArchcalcError:
        return ArchcalcError(Problem(message, self.file, line))

    def add(self, event: Any, line: int) -> None:
        """Process the next event."""
        if isinstance(event, yaml.ScalarEvent):
            tree = self.scalar(event, line)
            self.place(tree, event.anchor)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise self.fail(f"the alias *{clipped(str(event.anchor), 60)} has no anchor before it", line)
            self.place(self.anchors[event.anchor], None)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self.untagged(event.tag, line)
            if len(self.open) >= MAX_DEPTH:
                raise self.fail(TOO_DEEP, line)
            container: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            self.open.append(_Open(Tree(container, line), event.anchor))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            ended = self.open.pop()
            self.place(ended.tree, ended.anchor)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise self.fail("more than one YAML document in the file", line)

    def scalar(self, event: Any, line: int) -> Tree:
        if event.tag not in ("!", "tag:yaml.org,2002:str"):
            self.untagged(event.tag, line)
        text = normal(event.value)
        value = scalar(text) if event.implicit[0] else text
        if value == inf or value == -inf:
            raise self.fail(f"{clipped(event.value, 60)} is beyond the numbers that a computer counts with", line)
        return Tree(value, line, text=text)

    def untagged(self, tag: str | None, line: int) -> None:
        if tag is not None:
            raise self.fail(f"tags such as {clipped(tag, 60)!r} are not part of the language", line)

    def place(self, tree: Tree, anchor: str | None) -> None:
        """Put a complete tree into the mapping or list around it, as a value or as the next key."""
        if anchor:
            self.anchors[anchor] = tree
        if not self.open:
            self.root = tree
            return
        around = self.open[-1]
        container = around.tree
        container.size += tree.size
        container.depth = max(container.depth, tree.depth + 1)
        if container.size > MAX_NODES:
            raise self.fail(f"more than {MAX_NODES:,} values, aliases written out", tree.line)
        if container.depth > MAX_DEPTH:
            raise self.fail(f"{TOO_DEEP}, aliases written out", tree.line)
        if isinstance(container.value, list):
            container.value.append(tree)
        elif around.key is None:
            self.check_key(tree, container)
            around.key = tree.text, tree.line
        else:
            (name, line), around.key = around.key, None
            container.value[name] = tree.at(line)

    def check_key(self, tree: Tree, container: Tree) -> None:
        if isinstance(tree.value, (dict, list)):
            raise self.fail("a key must be a word, got a list or mapping", tree.line)
        if tree.text in container.value:
            raise self.fail(f"the key {clipped(tree.text, 60)!r} is given twice", tree.line)
        if tree.text == "<<":
            raise self.fail(
                "merge keys (<<) are not part of the language; parameters and blocks share what is common", tree.line
            )
