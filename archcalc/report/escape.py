"""Escapes text for each format. A reader sees every name as the spec writes the name, and no text runs as code.

Every text first becomes one printable line (``errors.visible``), without terminal codes and without changes of the
writing direction.
"""

from __future__ import annotations

import re
from typing import Any

from archcalc.errors import visible

FORMULA = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"
"""A spreadsheet computes a cell that begins with one of these signs. The last four are the full-width signs."""

_MARKDOWN = r"[\\`*<|\[\]&~$]|(?<![^\W_])_|_(?![^\W_])|!(?=\[)"
_MARKDOWN_START = r"^(?:(?=[#+=>-])|[0-9]{1,9}(?=[.)]))"
_LATEX = {
    "\\": "\\textbackslash{}",
    "&": "\\&",
    "%": "\\%",
    "$": "\\$",
    "#": "\\#",
    "_": "\\_",
    "{": "\\{",
    "}": "\\}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "<": "\\ensuremath{<}",
    ">": "\\ensuremath{>}",
    '"': "\\symbol{34}",
    "×": "\\ensuremath{\\times}",
    "→": "\\ensuremath{\\rightarrow}",
    "·": "\\ensuremath{\\cdot}",
}


def csv_cell(cell: Any) -> Any:
    """A cell for a spreadsheet. Text that the spreadsheet would run gets an apostrophe in front. Numbers stay numbers.

    >>> csv_cell("=1+1"), csv_cell(-3), csv_cell("-3"), csv_cell("-")
    ("'=1+1", -3, '-3', '-')
    """
    if not isinstance(cell, str):
        return cell
    runs = cell[:1] in FORMULA and len(cell) > 1 and not re.fullmatch(r"[-+]?[0-9][0-9.,]*%?", cell)
    return "'" + visible(cell) if runs else visible(cell)


def html_text(text: str) -> str:
    """Text between HTML tags or in an attribute."""
    from html import escape

    return escape(visible(text))


def latex_text(text: str) -> str:
    """Text in a cell or a caption.

    A bracket or a star at the start gets braces. Otherwise LaTeX reads the sign as part of the end of the previous row.

    >>> latex_text("[a_b]")
    '{[}a\\\\_b]'
    """
    escaped = "".join(_LATEX.get(letter, letter) for letter in visible(text))
    return f"{{{escaped[0]}}}{escaped[1:]}" if escaped[:1] in ("[", "*") else escaped


def markdown_cell(text: str) -> str:
    """Text in a Markdown cell, or within a line of Markdown."""
    return re.sub(_MARKDOWN, lambda sign: "\\" + sign[0], visible(text))


def markdown_text(text: str) -> str:
    """Text in a Markdown paragraph.

    Some signs at the start are escaped, because they would begin a heading, a list or a rule.

    >>> print(markdown_text("- [conv_1](x) <b> _a_"), markdown_text("1. x"))
    \\- \\[conv_1\\](x) \\<b> \\_a\\_ 1\\. x
    """
    return re.sub(_MARKDOWN_START, lambda start: start[0] + "\\", markdown_cell(text))


def json_text(content: Any) -> str:
    """Indented JSON. Signs that cannot be printed are escaped."""
    from json import dumps

    text = dumps(content, indent=2, ensure_ascii=False)
    if text.replace("\n", "").isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign == "\n" else dumps(sign)[1:-1] for sign in text)
