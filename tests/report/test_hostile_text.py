"""What a spec calls things is text and nothing else, in every format: one table of texts, of places and of formats."""

from __future__ import annotations

import ast
import csv
import io
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from archcalc import load
from archcalc.errors import visible
from archcalc.report.escape import csv_cell, json_text

TEXTS = {
    "formula": '=HYPERLINK("http://example.invalid/?x","T")',
    "command": "+cmd|' /C calc'!A0",
    "at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "minus": "-2+3+cmd|' /C calc'!A0",
    "tab": "\t=1+1",
    "full width": "\uff1d1+1",
    "link": "[click](javascript:alert(1))",
    "image": "![x](http://example.invalid/p.png)",
    "reference": "[x]: http://example.invalid",
    "code": "`` ` `` ~~x~~ **b** __b__ _i_",
    "heading": "# heading",
    "list": "1. one",
    "rule": "---",
    "pipe": "a | b || c |",
    "tag": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": "\" onmouseover=alert(1) x='",
    "entity": "&lt;b&gt; &#x1b;[31m &amp;",
    "comment": "--> <!-- x --> ]]> <![CDATA[ x",
    "latex": "\\input{/etc/passwd} \\immediate\\write18{id} $x$ ${ %# &_^~ }",
    "row": "[2pt] * x \\\\ \\hline",
    "math": "$\\frac{1}{2}$ $\\undefined{ $",
    "graph": 'a\\N\\G\\l {x|y} <b> \\"; } node [label=x]',
    "quotes": '""" \'\'\' \\""" \\',
    "python": '"""\nimport os\nos.system("id")\n"""',
    "yaml": "x\ninput: [9, 9, 9]\n--- # y: {a: b",
    "terminal": "\x1b[31mred\x1b]0;title\x07 \x9b31m \x08\x7f",
    "direction": "\u202edlrow\u202c \u2066x\u2069 \u200f\u061c",
    "invisible": "a\u200bb\ufeff\u00ad\u2028c\u2029d\x85e",
    "blank": "10\u00a0km\u3000x",
    "null": "a\\0b\x01",
    "scripts": "网络 Größe שלום नेटवर्क 🙂",
}
ABOUT = ("title", "paper", "table", "page", "year", "url", "note")


def spec_of(text: str) -> str:
    """A spec that has the text wherever a spec can have one."""
    return json_text(
        {
            **dict.fromkeys(ABOUT, text),
            "input": [3, 8, 8],
            "params": {"word": "plain", "w": 4},
            "check": {"w < 100": text},
            "blocks": {
                "b": {"params": ["n"], "note": text, "layers": [{"conv": {"out": "n", "kernel": 3, "pad": 1}}, "relu"]}
            },
            "layers": [
                {"b": {"n": "w"}, "name": "one"},
                {"b": {"n": 8}, "name": "two", "label": "second"},
                "flatten",
                {"linear": {"out": 2}},
            ],
        }
    )


@pytest.fixture(params=TEXTS)
def hostile(request, tmp_path, monkeypatch) -> str:
    """A text; ``net.yaml`` has it in every place."""
    monkeypatch.chdir(tmp_path)
    Path("net.yaml").write_text(spec_of(TEXTS[request.param]), encoding="utf-8")
    return TEXTS[request.param]


def printable(text: str) -> bool:
    return text.replace("\n", "").isprintable()


def is_text(out: str) -> None:
    assert printable(out)


def is_markdown(out: str) -> None:
    """No link, image, tag or code: their signs are escaped; and each table has rows of one length."""
    assert printable(out)
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", out)
    bare = re.sub(r"\[[^]\[]*\]\((?:[\w.-]+\.(?:md|csv)|figures/[\w.-]+\.svg)\)", "", bare)  # archcalc's own
    bare = bare.replace("`archcalc verify`", "")
    assert not re.search(r"\]\(|\]:|!\[|<|`|~~|&\w+;|&#", bare)
    assert not re.search(r"^\s*(#+ (?!\\?#)heading|1[.)] |---$|=+$)", bare, re.MULTILINE)
    for table in re.findall(r"(?:^\|.*\n)+", bare, re.MULTILINE):
        assert len({row.count("|") for row in table.splitlines()}) == 1


def is_csv(out: str) -> None:
    assert printable(out)
    rows = list(csv.reader(io.StringIO(out)))
    assert len({len(row) for row in rows}) == 1
    for row in rows:
        for cell in row:
            number = re.fullmatch(r"[-+]?[0-9.,]+%?", cell)
            assert number or not re.match(r"[=+@\t\r\uff1d\uff0b\uff20]|-.", cell), cell


def is_json(out: str) -> None:
    assert printable(out)
    assert json.loads(out)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        self.attributes += attrs


def is_html(out: str) -> None:
    assert printable(out)
    tags = Tags()
    tags.feed(re.sub(r"<script>.*?</script>|<style>.*?</style>", "", out, flags=re.DOTALL))
    assert not tags.found & {"script", "img", "iframe", "b", "object"}
    for name, value in tags.attributes:
        assert not name.startswith("on")
        assert "javascript:" not in (value or "")


def is_latex(out: str) -> None:
    """Every special sign is escaped, and every command is one of ours."""
    assert printable(out)
    body = "\n".join(line for line in out.splitlines() if not line.startswith("%"))
    bare = re.sub(
        r"\\ensuremath\{(?:[<>]|\\times|\\cdot|\\rightarrow)\}|\\[&%$#_{}]|\\\\$", "", body, flags=re.MULTILINE
    )
    assert not re.search(r"[$#_^~%]", bare.replace("\\begin{tabular}", ""))
    commands = set(re.findall(r"\\[a-zA-Z]+", bare))
    assert commands <= {
        *("\\begin", "\\end", "\\centering", "\\caption", "\\label", "\\toprule", "\\midrule", "\\bottomrule"),
        *("\\textbackslash", "\\textasciitilde", "\\textasciicircum", "\\symbol"),
    }
    assert not re.search(r"^\s*[\[*]", bare, re.MULTILINE), "a bracket would be an argument of the row before"


FORMATS: dict[str, Callable[[str], None]] = {
    "text": is_text,
    "notes": is_text,
    "markdown": is_markdown,
    "csv": is_csv,
    "json": is_json,
    "html": is_html,
    "latex": is_latex,
}
COMMANDS = {
    "table": list(FORMATS),
    "compare": [name for name in FORMATS if name != "notes"],
    "rf": [name for name in FORMATS if name != "notes"],
    "memory": [name for name in FORMATS if name != "notes"],
    "explain": [name for name in FORMATS if name != "notes"],
}


def test_every_format_is_tried() -> None:
    from archcalc.report import LAYER_FORMATS

    assert set(FORMATS) == set(LAYER_FORMATS)


@pytest.mark.parametrize("command", COMMANDS)
def test_tables(command, hostile, archcalc):
    for format in COMMANDS[command]:
        status, out, err = archcalc(command, "net.yaml", "--format", format, "--set", f"word={json_text(hostile)}")
        assert (status, err) == (0, "")
        FORMATS[format](out)


def test_the_words_are_shown(hostile, archcalc):
    """Defused is not gone: a reader of text and HTML sees them."""
    shown = visible(" ".join(hostile.split()))
    assert f"{shown} (net)\n" in archcalc("table", "net.yaml")[1]
    tags = ElementTree.fromstring(
        f"<x>{archcalc('table', 'net.yaml', '--format', 'html')[1]}</x>".replace("<br>", "<br/>")
    )
    assert f"{shown} (net)" in "".join(tags.itertext())


@pytest.mark.parametrize(("format", "check"), [("html", is_html), ("markdown", is_markdown), ("csv", is_csv)])
def test_reports(format, check, hostile, archcalc):
    Path("two.yaml").write_text(Path("net.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    status, _, err = archcalc("report", "net.yaml", "two.yaml", "-o", "report", "--format", format, "--figures", "none")
    assert (status, err) == (0, "")
    for path in Path("report").iterdir():
        {"html": is_html, "md": is_markdown, "csv": is_csv}[path.suffix[1:]](path.read_text(encoding="utf-8"))


def test_errors(hostile, archcalc):
    spec = json.loads(Path("net.yaml").read_text(encoding="utf-8"))
    broken = [
        ["net.yaml", "--set", "w=100"],  # the message of its check
        [hostile],
        ["net.yaml", "--columns", hostile],
        ["net.yaml", "--set", f"{hostile}=3"],
        ["net.yaml", "--as", hostile],
        ["net.yaml", "-o", f"nowhere/{hostile}"],
    ]
    for at, change in enumerate(
        [
            {"layers": [{"relu": {}, "name": hostile}]},
            {"layers": [hostile]},
            {"layers": [{"conv": {hostile: 3}}]},
            {"layers": [{"relu": {}, "label": hostile}]},
            {"blocks": {hostile: {"layers": ["relu"]}}},
            {"networks": {hostile: {}}},
            {"params": {hostile: 3}},
            {hostile: 3},
        ]
    ):
        Path(f"bad{at}.yaml").write_text(json_text({**spec, **change}), encoding="utf-8")
        broken.append([f"bad{at}.yaml"])
    for arguments in broken:
        if any("\0" in argument for argument in arguments):
            continue  # no argument of a command can hold it
        status, out, err = archcalc("table", *arguments)
        assert printable(err)
        assert printable(out)
        assert (status == 2) == bool(err)
        assert all(line.startswith("archcalc: ") for line in err.splitlines())


def test_a_spec_written_out_loads_to_the_same(hostile, archcalc):
    status, out, _ = archcalc("show", "net.yaml", "--expanded")
    assert status == 0
    assert printable(out)
    Path("out.yaml").write_text(out, encoding="utf-8")
    assert load("out.yaml").title == load("net.yaml").title
    assert load("out.yaml").analyze().totals == load("net.yaml").analyze().totals


def test_an_exported_file_has_the_text_in_docstrings_alone(hostile, archcalc):
    def code(source: str) -> str:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
                node.body[0] = ast.Expr(ast.Constant(""))
        return ast.dump(tree)

    plain = {**json.loads(Path("net.yaml").read_text(encoding="utf-8")), **dict.fromkeys(ABOUT, "plain")}
    Path("plain").mkdir()
    Path("plain/net.yaml").write_text(json_text(plain), encoding="utf-8")
    out = archcalc("export", "net.yaml")[1]
    assert printable(out)
    assert code(out) == code(archcalc("export", "plain/net.yaml")[1])
    settings = archcalc("export", "net.yaml", "--set", f"word={json_text(hostile)}")[1]
    assert code(settings) == code(out)


def is_svg(content: str) -> None:
    tree = ElementTree.fromstring(content)
    names = {element.tag.rsplit("}", 1)[-1] for element in tree.iter()}
    assert not names & {"script", "image", "foreignObject", "a", "b", "iframe"}
    assert all(not key.startswith("on") for element in tree.iter() for key in element.attrib)
    assert printable("".join(tree.itertext()).replace("\t", ""))


@pytest.mark.parametrize("kind", ["cost", "graph"])
def test_pictures(kind, hostile, archcalc):
    pytest.importorskip("matplotlib")
    if kind == "graph" and shutil.which("dot") is None:
        pytest.skip("needs Graphviz")
    settings = ["--set", f"word={json_text(hostile)}"]
    status, out, err = archcalc("plot", kind, "net.yaml", "-o", "-", *settings)
    assert status == 0
    if err:  # which fonts a machine has is its own affair
        assert err.startswith("archcalc: no installed font has ")
        assert err.count("\n") == 1
    is_svg(out)
    assert visible(" ".join(hostile.split()))[:20] in " ".join("".join(ElementTree.fromstring(out).itertext()).split())


def test_a_name_of_a_file_is_text_too(hostile, archcalc):
    """What a file may be called: anything but a slash and NUL."""
    name = re.sub("[/\0]", "", hostile)[:60]
    Path(f"{name}.yaml").write_text("input: [3, 8, 8]\nlayers: [relu]\n", encoding="utf-8")
    for format, check in FORMATS.items():
        status, out, err = archcalc("table", f"./{name}.yaml", "--format", format)
        assert printable(err)
        if status == 0:
            check(out)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_latex_compiles(tmp_path, monkeypatch, archcalc):
    """All texts of the table that LaTeX has signs for, as titles of tables in one document."""
    monkeypatch.chdir(tmp_path)
    tables = []
    for text in TEXTS.values():
        if text.isascii() or (printable(visible(text)) and visible(text).isascii()):
            Path("net.yaml").write_text(spec_of(text), encoding="utf-8")
            tables.append(archcalc("table", "net.yaml", "--format", "latex")[1])
    tables.append(archcalc("table", "INPUT 8x8x3 -> CONV3-4", "--format", "latex")[1])
    tables.append(archcalc("rf", "alexnet", "--format", "latex")[1])
    tables.append(archcalc("compare", "vgg16", "resnet50", "--format", "latex")[1])
    packages = "\\usepackage{booktabs}\\extrafloats{100}"
    body = "\n\\clearpage\n".join(tables)
    Path("all.tex").write_text(f"\\documentclass{{article}}{packages}\\begin{{document}}\n{body}\\end{{document}}\n")
    done = subprocess.run(
        ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "-no-shell-escape", "all.tex"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1", "'=1"),
        ("+1+1", "'+1+1"),
        ("-a", "'-a"),
        ("@x", "'@x"),
        ("\t=1", "'\\t=1"),
        ("\r=1", "'\\r=1"),
        ("\uff1d1", "'\uff1d1"),
        *(("-", "-"), ("-3", "-3"), ("+3.5", "+3.5"), ("-1,234", "-1,234"), ("a=b", "a=b"), ("", "")),
        *((-3, -3), (0.5, 0.5), (None, None)),
    ],
)
def test_cells_that_a_spreadsheet_would_run(cell, written):
    assert csv_cell(cell) == written


def test_a_spec_is_shown_to_a_terminal_without_its_codes(tmp_path):
    """Into a file a spec goes as it is; a terminal would obey."""
    (tmp_path / "net.yaml").write_text(
        "# \u202e \u009b31m \u001b[31m\ninput: [3, 8, 8]\nlayers: [relu]\n", encoding="utf-8"
    )
    command = [sys.executable, "-m", "archcalc", "show", "net.yaml"]
    plain = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert plain.stdout == (tmp_path / "net.yaml").read_bytes()
    ours, terminal = pty.openpty()
    subprocess.run(command, cwd=tmp_path, stdout=terminal, check=True)
    os.close(terminal)
    shown = os.read(ours, 10_000).decode().replace("\r\n", "\n")
    assert shown == "# \\u202e \\x9b31m \\x1b[31m\ninput: [3, 8, 8]\nlayers: [relu]\n"
