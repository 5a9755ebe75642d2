"""Text as each format shows it: whatever a spec calls things, a reader sees those signs and nothing runs.

Every text first becomes one line that can be printed (``errors.visible``): no terminal codes, no turned direction.
"""

from __future__ import annotations

import re
from typing import Any

from archcalc.errors import visible

FORMULA = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"
"""What makes a spreadsheet compute a cell that begins with it; the last four are the same signs in full width."""

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
    """A cell for a spreadsheet: text that it would run begins with an apostrophe, numbers stay numbers.

    >>> csv_cell("=1+1"), csv_cell(-3), csv_cell("-3"), csv_cell("-")
    ("'=1+1", -3, '-3', '-')
    """
    if not isinstance(cell, str):
        return cell
    runs = cell[:1] in FORMULA and len(cell) > 1 and not re.fullmatch(r"[-+]?[0-9][0-9.,]*%?", cell)
    return "'" + visible(cell) if runs else visible(cell)


def html_text(text: str) -> str:
    """Text between tags or in an attribute."""
    from html import escape

    return escape(visible(text))


def latex_text(text: str) -> str:
    """Text in a cell or a caption; a bracket or a star at the start would belong to the end of the row before it.

    >>> latex_text("[a_b]")
    '{[}a\\\\_b]'
    """
    escaped = "".join(_LATEX.get(letter, letter) for letter in visible(text))
    return f"{{{escaped[0]}}}{escaped[1:]}" if escaped[:1] in ("[", "*") else escaped


def markdown_cell(text: str) -> str:
    """Text in a cell, or within a line."""
    return re.sub(_MARKDOWN, lambda sign: "\\" + sign[0], visible(text))


def markdown_text(text: str) -> str:
    """Text in a paragraph, where signs at the start would make it a heading, a list or a rule.

    >>> print(markdown_text("- [conv_1](x) <b> _a_"), markdown_text("1. x"))
    \\- \\[conv_1\\](x) \\<b> \\_a\\_ 1\\. x
    """
    return re.sub(_MARKDOWN_START, lambda start: start[0] + "\\", markdown_cell(text))


def json_text(content: Any) -> str:
    """JSON, indented, in which signs that cannot be printed are escaped too."""
    from json import dumps

    text = dumps(content, indent=2, ensure_ascii=False)
    if text.replace("\n", "").isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign == "\n" else dumps(sign)[1:-1] for sign in text)
