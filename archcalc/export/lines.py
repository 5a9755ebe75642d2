"""Python text in lines of at most 88 columns. Lines are broken as Black and ruff break them."""

from __future__ import annotations

import ast
from collections.abc import Sequence

WIDTH = 88


def statement(text: str, indent: int = 0) -> list[str]:
    """One statement as lines. If a line is too long, calls, lists and sums are broken. Other text is not broken.

    >>> print(*statement("x = torch.cat((" + ", ".join("abcdef" * 4) + "), 1)", 8), sep="\\n")
            x = torch.cat(
                (a, b, c, d, e, f, a, b, c, d, e, f, a, b, c, d, e, f, a, b, c, d, e, f), 1
            )
    """
    value = None if fits(text, indent) else getattr(ast.parse(_ascii(text)).body[0], "value", None)
    if value is None:
        return [" " * indent + text]
    before, bare = text[: value.col_offset], text[value.col_offset] != "("
    if isinstance(value, ast.Tuple) and bare:
        return _broken(text, f"{before}(", value.elts, ")", indent, one_line=False)
    if isinstance(value, ast.BinOp) and bare:
        return [f"{' ' * indent}{before}(", *_terms(text, value, indent + 4), " " * indent + ")"]
    return _laid(text, before, value, "", indent)


def signature(name: str, parameters: list[str], returns: str, indent: int) -> list[str]:
    """The first lines of a function."""
    pad = " " * indent
    if fits(f"def {name}({', '.join(parameters)}) -> {returns}:", indent):
        return [f"{pad}def {name}({', '.join(parameters)}) -> {returns}:"]
    lines = [", ".join(parameters)] if fits(", ".join(parameters), indent + 4) else [f"{p}," for p in parameters]
    return [f"{pad}def {name}(", *(f"{pad}    {line}" for line in lines), f"{pad}) -> {returns}:"]


def fits(text: str, indent: int) -> bool:
    """Whether the text is short enough for one line."""
    return indent + (len(text) if text.isascii() else sum(map(_columns, text))) <= WIDTH


def _columns(letter: str) -> int:
    """The number of columns of a character."""
    from unicodedata import category, east_asian_width

    return 0 if category(letter) == "Mn" else 2 if east_asian_width(letter) in "WF" else 1


def _ascii(text: str) -> str:
    """The text with every character that is not ASCII replaced by a letter. Positions in the text do not change."""
    return text if text.isascii() else "".join(letter if letter.isascii() else "x" for letter in text)


def _laid(text: str, before: str, node: ast.expr, after: str, indent: int) -> list[str]:
    """The lines of an expression, with the text before and the text after the expression."""
    whole = f"{before}{_source(text, node)}{after}"
    if fits(whole, indent):
        return [" " * indent + whole]
    if isinstance(node, ast.Call):
        values: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
        return _broken(text, f"{before}{_source(text, node.func)}(", values, f"){after}", indent)
    if isinstance(node, ast.List | ast.Tuple):
        opening, closing = _source(text, node)[0], _source(text, node)[-1]
        return _broken(text, before + opening, node.elts, closing + after, indent, one_line=False)
    return [" " * indent + whole]


def _broken(
    text: str, before: str, values: Sequence[ast.expr | ast.keyword], after: str, indent: int, one_line: bool = True
) -> list[str]:
    """The text between brackets, on one line or on one line per value."""
    pad = " " * indent
    joined = ", ".join(_source(text, value) for value in values)
    if one_line and fits(joined, indent + 4):
        return [pad + before, f"{pad}    {joined}", pad + after]
    lines = []
    for value in values:
        name = f"{value.arg}=" if isinstance(value, ast.keyword) else ""
        inner = value.value if isinstance(value, ast.keyword) else value
        lines += _laid(text, name, inner, "," * (len(values) > 1 or not one_line), indent + 4)
    return [pad + before, *lines, pad + after]


def _terms(text: str, node: ast.expr, indent: int) -> list[str]:
    """The terms of a sum or product, each on a line with the operator before it."""
    if not isinstance(node, ast.BinOp):
        return [" " * indent + _source(text, node)]
    between = text[node.left.end_col_offset : node.right.col_offset].strip()
    return [*_terms(text, node.left, indent), f"{' ' * indent}{between} {_source(text, node.right)}"]


def _source(text: str, node: ast.expr | ast.keyword) -> str:
    return text[node.col_offset : node.end_col_offset]
