"""What a run may end in: an answer that its format can be read as, or a sentence."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser

from archcalc import analyze, load
from tests.fuzz.cases import Case

_INFINITE = re.compile(r"(?<![\w.'\"-])-?(?:inf|nan|infinity)(?![\w'\"-])", re.IGNORECASE)
_FORMULA = re.compile(r"(?![-+][0-9.,]*%?$)[-=+@\t\r]")
_SCRIPT = re.compile(r"<script[^>]*>.*?</script>", re.DOTALL)
_VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr", "path", "rect", "line"}


def fault(case: Case, status: object, out: str, err: str, files: dict[str, str]) -> str:
    """What is wrong with how a run ended; empty when nothing is."""
    if status not in (0, 1, 2):
        return f"exit status {status}"
    for line in err.splitlines():
        if not line.startswith("archcalc: ") or not line.isprintable() or len(line) > 700:
            return f"standard error holds {line[:200]!r}"
    if status == 2:
        return (
            "status 2 without a sentence"
            if not err
            else "status 2 with output"
            if out and case.format != "pages"
            else ""
        )
    help_ = (case.format == "" and case.arguments[0] == "show") or any(
        word in ("-h", "--help", "--version", "help") for word in case.arguments
    )
    if help_ or (case.format == "pages" and status == 1):
        return ""
    for name, text in files.items():
        kind = name.rpartition(".")[2] if case.format in ("pages", "") else case.format
        wrong = _text_fault(kind, text)
        if wrong:
            return f"{name}: {wrong}"
    wrong = _text_fault(case.format if case.format != "pages" else "text", out) if out else ""
    return wrong or (_reload_fault(case, out) if case.format == "expanded" else "")


def _text_fault(format: str, text: str) -> str:
    found = _INFINITE.search(_SCRIPT.sub("", text) if format == "html" else text) if format != "yaml" else None
    if found is not None:
        return f"a number that is not finite: {found.string[max(0, found.start() - 40) : found.end() + 20]!r}"
    if format != "yaml" and not text.replace("\n", "").isprintable():
        strange = next(c for c in text if c != "\n" and not c.isprintable())
        at = text.index(strange)
        if strange != "\r" or format != "csv":
            return f"a character that a terminal would obey: {text[max(0, at - 30) : at + 10]!r}"
    try:
        READERS.get(format, str)(text)
    except (ValueError, csv.Error, SyntaxError) as error:
        return f"not {format}: {error}"
    return ""


def _json(text: str) -> None:
    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no JSON")

    json.loads(text, parse_constant=refuse)


def _csv(text: str) -> None:
    rows = list(csv.reader(io.StringIO(text), strict=True))
    if len({len(row) for row in rows if row}) > 1:
        raise ValueError(f"rows of {sorted({len(row) for row in rows})} cells")
    for row in rows:
        for cell in row:
            if _FORMULA.match(cell):
                raise ValueError(f"a cell that a spreadsheet runs: {cell[:60]!r}")


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if "alert(1)" in (value or "") and (name.startswith("on") or (name in ("href", "src"))):
                raise ValueError(f"{tag} with {name}={value!r}")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if not self.open or self.open.pop() != tag:
            raise ValueError(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"] and "alert(1)" in data and "application/json" not in data and len(data) < 60:
            raise ValueError("a script of the spec's title")


def _html(text: str) -> None:
    reader = _Html()
    reader.feed(text)
    reader.close()
    if reader.open:
        raise ValueError(f"<{reader.open[-1]}> is not closed")


def _python(text: str) -> None:
    if len(text) < 100_000:  # longer ones take Python itself too long
        compile(text, "export", "exec", dont_inherit=True)


READERS = {"json": _json, "csv": _csv, "html": _html, "python": _python}


def _reload_fault(case: Case, out: str) -> str:
    """Whether what ``show --expanded`` prints loads again to the same network."""
    from pathlib import Path

    given = [case.arguments[at + 1] for at, word in enumerate(case.arguments) if word == "--set"]
    if given or case.arguments[1] == "-" or len(out) > 300_000:
        return ""
    Path("again.yaml").write_text(out, encoding="utf-8")
    before, after = analyze(load(case.arguments[1])), analyze(load("again.yaml"))
    for name in ("params", "macs"):
        if getattr(before.totals, name) != getattr(after.totals, name):
            return f"expanded, {name} are {getattr(after.totals, name)}, not {getattr(before.totals, name)}"
    if [row.shape for row in before.rows] != [row.shape for row in after.rows]:
        return "expanded, a layer has another shape"
    return ""
