"""The pages of a report: what stands on them, in which files, and what happens when something goes wrong."""

from __future__ import annotations

import csv
import os
import re
import shlex
import shutil
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from archcalc import load
from archcalc.analysis.rows import trace_rows
from archcalc.cli import main
from archcalc.errors import ArchcalcError
from archcalc.language import networks
from archcalc.pages import folder
from archcalc.pages.html import html_page
from archcalc.pages.markdown import markdown_page
from archcalc.pages.page import page
from archcalc.plot import KINDS
from archcalc.plot.colours import DARK
from archcalc.report.evidence import Evidence

ROOT = Path(__file__).parent.parent.parent
REPORTS = ROOT / "reports" / "networks"


Traces = Counter[tuple[str, str, str]]


def counted(patch: pytest.MonkeyPatch) -> Traces:
    """How often each network is traced from now on, by its name, its input and the convention."""
    counts: Traces = Counter()

    def trace(network, batch, convention):
        counts[network.full_name, str(network.input), convention.name] += 1
        return trace_rows(network, batch, convention)

    patch.setattr("archcalc.analysis.analysis.trace_rows", trace)
    return counts


@cache
def whole(name: str) -> tuple[str, Traces]:
    """The page of a network with all pictures, and what was traced for it; made once for the tests that read it."""
    with pytest.MonkeyPatch.context() as patch:
        traces = counted(patch)
        return html_page(page(load(name), Evidence())), traces


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def documented() -> list[str]:
    """The arguments of the one command that generates reports/networks."""
    text = (ROOT / "docs" / "reports.md").read_text().replace("\\\n", "")
    line = next(line for line in text.splitlines() if " -o reports/networks " in line)
    return shlex.split(line)[1:]


def test_the_reports_in_the_repository_are_fresh(tmp_path, overwrite, monkeypatch):
    """Every file of reports/networks, written anew by the documented command, is what is there."""
    arguments = documented()
    monkeypatch.chdir(ROOT)
    assert main([str(tmp_path) if word == "reports/networks" and not overwrite else word for word in arguments]) == 0
    if overwrite:
        return
    fresh = {str(path.relative_to(tmp_path)): path for path in sorted(tmp_path.rglob("*")) if path.is_file()}
    kept = {str(path.relative_to(REPORTS)): path for path in sorted(REPORTS.rglob("*")) if path.is_file()}
    again = f"archcalc {' '.join(arguments)}"
    assert sorted(fresh) == sorted(kept), f"files appear or vanish; run {again}"
    stale = [name for name in fresh if fresh[name].read_bytes() != kept[name].read_bytes()]
    assert stale == [], f"stale: run {again}"
    assert sum(path.stat().st_size for path in kept.values()) < 2_000_000


VARIED = (
    *(
        "lenet5",
        "vgg16",
        "googlenet",
        "inception_v3",
        "resnet50",
        "densenet121",
        "resnext50_32x4d",
        "mobilenet_v3_small",
    ),
    *("efficientnet_b0", "shufflenet_v2_x1_0", "squeezenet1_1", "convnext_tiny"),
)
"""Networks of every kind of layer and block."""


@pytest.fixture(scope="module")
def csv_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of varied networks as CSV."""
    out = tmp_path_factory.mktemp("csv")
    assert main(["report", *VARIED, "-o", str(out), "--format", "csv"]) == 0
    return out


def test_all_is_the_whole_zoo(tmp_path, archcalc, monkeypatch):
    """In the order of the zoo, a page for each network: of the real work only the names are looked at here."""
    monkeypatch.setattr(
        folder, "write_pages", lambda names, *_: [folder.WrittenPage(name, name, None, "not written") for name in names]
    )
    status, out, err = archcalc("report", "--all", "-o", str(tmp_path), "--format", "csv")
    assert (status, out) == (2, "")
    assert [line.split(":")[1].strip() for line in err.splitlines()] == list(networks())


def test_csv_has_every_layer_with_exact_numbers(csv_report):
    """VGG-16 from Simonyan and Zisserman's Table 1: thirteen 3x3 convolutions and three fully connected layers."""
    widths = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
    sides = [224, 224, 112, 112, 56, 56, 56, 28, 28, 28, 14, 14, 14]
    layers = rows(csv_report / "vgg16.csv")
    convolutions = [(int(row["params"]), int(row["macs"])) for row in layers if row["type"] == "conv"]
    assert convolutions == [
        (9 * a * b + b, 9 * a * b * n * n) for a, b, n in zip(widths, widths[1:], sides, strict=False)
    ]
    full = [int(row["params"]) for row in layers if row["type"] == "linear"]
    assert full == [25088 * 4096 + 4096, 4096 * 4096 + 4096, 4096 * 1000 + 1000]
    assert list(layers[0]) == ["layer", "type", "output", "params", "macs", "memory", "rf", "exact", "step"]


def test_fields_are_numbers_in_every_csv(csv_report):
    """Both axes of Inception v3, whose 1x7 and 7x1 see more along one; one column where they agree."""
    for file in sorted(csv_report.glob("*.csv")):
        for row in rows(file):
            fields = {name: cell for name, cell in row.items() if name.startswith("rf")}
            assert set(fields) in ({"rf"}, {"rf_height", "rf_width"}), file
            assert all(cell.isdecimal() for cell in fields.values()), (file, row)
            assert {cell for name, cell in row.items() if name.startswith("exact")} == {"exact"}, (file, row)
    assert "rf_height" in rows(csv_report / "inception_v3.csv")[0]


def test_the_index_has_every_network_and_its_totals(csv_report):
    index = {row["network"]: row for row in rows(csv_report / "index.csv")}
    assert list(index) == list(VARIED)
    # LeCun et al. 1998: 60,000; torchvision's documentation of its models: resnet50 25557032, densenet121 7978856.
    known = {"lenet5": 60_000, "resnet50": 25_557_032, "densenet121": 7_978_856}
    assert {name: int(index[name]["params"]) for name in known} == known
    assert int(index["resnet50"]["year"]) == 2015
    assert int(index["resnet50"]["depth"]) == 50
    for name, row in index.items():
        layers = rows(csv_report / f"{name}.csv")
        assert sum(int(layer["params"]) for layer in layers) == int(row["params"]), name
        assert sum(int(layer["macs"] or 0) for layer in layers) == int(row["macs"]), name
        assert sum(int(layer["memory"] or 0) for layer in layers) == int(row["memory"]), name


def test_markdown_leads_to_files_that_are_there():
    for path in [REPORTS / "README.md", REPORTS / "googlenet.md", REPORTS / "resnet50.md"]:
        targets = re.findall(r"\]\((?!https?:)([^)]+)\)", path.read_text())
        assert targets
        for target in targets:
            assert (path.parent / target).exists(), f"{path.name}: {target}"
    assert len(re.findall(r"^!\[", (REPORTS / "googlenet.md").read_text(), re.MULTILINE)) == 5


def test_a_page_has_every_part():
    made = page(load("googlenet"), Evidence(), ())
    text = markdown_page(made, "googlenet")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings == [
        "Stages",
        "Blocks",
        "Receptive field",
        "Memory",
        "Published figures",
        "Measured with PyTorch",
        "How layers are counted",
    ]
    cards = {card.label: card for card in made.cards}
    assert cards["Weight file"].lines[0] == "6,998,552 numbers in float32"
    # Szegedy et al. 2015, Table 1: conv1's 1,1 value; 6,998,552 numbers of 4, 2 and 1 bytes are 27.99, 14.0 and 7.0 MB.
    assert [cards["Weight file"].value, *cards["Weight file"].lines[1:3]] == [
        "28.0 MB",
        "14.0 MB in float16",
        "7.0 MB in int8",
    ]
    assert cards["Depth"].value == "22 layers"  # "22 layers deep when counting only layers with parameters"
    assert "Figures that do not match:" in text
    assert "Not run" in text


@pytest.mark.parametrize("name", ["lenet5", "vgg16", "googlenet", "efficientnet_b0"])
def test_a_page_traces_its_network_once(name):
    """With pictures, memory and verdicts. Verdicts may need other networks, inputs and conventions: each once."""
    traces = whole(name)[1]
    assert traces[name, str(load(name).input), "archcalc"] == 1
    assert set(traces.values()) == {1}


WITHOUT_ROWS = ("budget", "compare", "memory", "roofline")
"""The pictures of totals, memory and time alone, which need no rows."""


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind].least == 1 and not KINDS[kind].of_table])
def test_a_picture_traces_its_network_once(kind, archcalc, tmp_path, monkeypatch):
    traces = counted(monkeypatch)
    if kind == "graph" and shutil.which("dot") is None:
        pytest.skip("needs Graphviz")
    on = ["--on", "t4"] if kind == "roofline" else []
    assert archcalc("plot", kind, "googlenet", "-o", str(tmp_path / "picture.svg"), *on)[0] == 0
    assert sum(traces.values()) == (kind not in WITHOUT_ROWS)


def test_published_figures_are_of_the_network_as_it_stands():
    records = Evidence()
    assert records.judgements(load("vgg16").analyze())
    assert records.judgements(load("vgg16", classes=10).analyze()) == []
    assert records.judgements(load("vgg16").at(load("vgg16").input._replace(axes=(256, 256))).analyze()) == []


def test_figures_that_are_no_match_come_first_with_their_input_and_none_twice():
    made = page(load("vgg16"), Evidence(), ())
    names = [heading.name for heading in made.differing.headings]
    verdicts = [row[names.index("verdict")] for row in made.differing.rows]
    wrong = verdicts.count("wrong")
    assert wrong
    assert verdicts == ["wrong"] * wrong + [verdict for verdict in verdicts if verdict != "wrong"]
    assert not [verdict for verdict in verdicts if verdict.startswith(("match", "truncated"))]
    for rows in (made.differing.rows, made.matching.rows):
        assert len({tuple(map(str, row)) for row in rows}) == len(rows)
    fields = [row for row in made.matching.rows if row[:2] == ["pool1", "receptive_field"]]
    # The repository's table has each layer once for any input, and once for each of two; the first two are one here.
    assert [row[2] for row in fields if row[names.index("source")] == "rf_repo"] == ["3x224x224", "3x321x321"]


def test_pictures_of_a_page_have_the_colours_of_its_style():
    text = whole("lenet5")[0]
    pictures = text[text.index('<div class="pictures">') :]
    assert not set(re.findall(r"#[0-9a-f]{6}\b", pictures)) & set(DARK)
    used = set(re.findall(r"var\((--c\d+)\)", text))
    defined = dict(
        re.findall(r"(--c\d+): (#[0-9a-f]{6});", text[text.index("figure svg { --c0") :].partition("@media")[0])
    )
    assert used <= set(defined)
    assert set(defined.values()) == set(DARK)
    assert len(text) < 250_000


class Ids(HTMLParser):
    """The ids of a page, and what refers to one."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.used: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name == "id":
                self.ids.append(value or "")
            elif name.endswith("href") and (value or "").startswith("#"):
                self.used.append((value or "")[1:])
            self.used += re.findall(r"url\(#([^)]+)\)", value or "")


@pytest.mark.parametrize("name", ["lenet5", "googlenet"])
def test_ids_are_there_once_and_lead_somewhere(name):
    text = whole(name)[0]
    found = Ids(text)
    assert len(set(found.ids)) == len(found.ids)
    assert set(found.used) <= set(found.ids)
    assert not re.search(r"<(?:script|img|iframe|link)[^>]*(?:src|href)=\"(?!data:)", text)


def test_a_network_without_axes_has_a_page(tmp_path):
    (tmp_path / "dense.yaml").write_text("input: [10]\nlayers:\n  - linear: {out: 5}\n")
    made = page(load(str(tmp_path / "dense.yaml")), Evidence())
    assert made.field == ["the input has no spatial axes: there is no receptive field"]
    assert [p.kind for p in made.pictures if p.problem] == ["rf", "rf-map"]
    assert "not drawn" in html_page(made)
    assert "not drawn" in markdown_page(made, "dense")


def verification(tmp_path: Path, text: str) -> str:
    path = tmp_path / "verification.csv"
    path.write_text(text)
    return str(path)


def test_what_witnesses_saw_is_shown(tmp_path, archcalc):
    seen = verification(tmp_path, "device,agreeing,network,params,agrees\ncpu,1,lenet5,60000,yes\n")
    out = tmp_path / "out"
    command = ("report", "lenet5", "vgg11", "-o", str(out), "--format", "markdown", "--figures", "none")
    assert archcalc(*command, "--verification", seen)[0] == 0
    assert "| params | 60,000 |" in (out / "lenet5.md").read_text()
    assert "Not run" in (out / "vgg11.md").read_text()
    assert [row["verified"] for row in rows(out / "index.csv")] == ["yes", "not run"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: expected the table of archcalc verify --all --format csv; it has no column device"),
        ("device,network\n", ":1: expected the table of archcalc verify --all --format csv; it has no column agrees"),
        ("device,network,agrees\ncpu,vgg16\n", ":2: expected 3 cells, as in line 1, got 2"),
        ('device,network,agrees\n"cpu" x,vgg16,yes\n', ":2: is not CSV: ',' expected after '\"'"),
    ],
)
def test_a_bad_verification_is_one_sentence(tmp_path, text, said):
    path = verification(tmp_path, text)
    with pytest.raises(ArchcalcError, match=re.escape(f"{path}{said}")):
        Evidence(path)


BAD = [
    (["vgg16"], "a report goes into a directory: add -o DIR, such as -o report"),
    (["-o", "{out}"], "report takes networks, or --all for the whole zoo"),
    (["vgg16", "--all", "-o", "{out}"], "report takes networks, or --all for the whole zoo"),
    (
        ["--all", "--set", "a=1", "-o", "{out}"],
        "--all reports every network as it stands; --set and --input are for single ones",
    ),
    (["vgg16", "--format", "htm", "-o", "{out}"], "unknown format 'htm'; did you mean 'html'?"),
    (["vgg16", "--jobs", "0", "-o", "{out}"], "--jobs: expected at least 1, got 0"),
    (["vgg16", "vgg61", "-o", "{out}"], "unknown network 'vgg61'; did you mean 'vgg16'?"),
    (
        ["vgg16", "--figures", "vgg61", "-o", "{out}"],
        "pictures: unknown network of this report 'vgg61'; did you mean 'vgg16'?",
    ),
    (["vgg16", "vgg16", "-o", "{out}"], "vgg16 is named twice; a report has one page for each network"),
    (["vgg16", "--verification", "{out}/no.csv", "-o", "{out}"], "{out}/no.csv: cannot be read: no such file"),
    (["vgg16", "-o", "{file}"], "{file}: is a file, expected a directory to write pages into"),
    (["vgg16", "-o", "{file}/below"], "{file}/below: cannot be written: not a directory"),
    (
        ["vgg16", "-o", "-"],
        "a report is several files: -o takes a directory, such as -o report, not standard output",
    ),
    (["vgg16", "-o", ""], "a report goes into a directory: add -o DIR, such as -o report"),
]


@pytest.mark.parametrize(("arguments", "said"), BAD)
def test_bad_usage_is_one_sentence_before_any_work(arguments, said, tmp_path, archcalc, monkeypatch):
    monkeypatch.setattr(folder, "write_network", lambda *_: pytest.fail("work has begun"))
    places = {"out": str(tmp_path / "out"), "file": str(tmp_path / "file")}
    (tmp_path / "file").touch()
    status, out, err = archcalc("report", *(word.format(**places) for word in arguments))
    assert (status, out) == (2, "")
    assert err.startswith(f"archcalc: {said.format(**places)}")
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written_stops_before_any_work(tmp_path, archcalc):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    status, _, err = archcalc("report", "vgg16", "-o", str(locked))
    assert (status, err) == (2, f"archcalc: {locked}: cannot be written: permission denied\n")


def test_one_network_that_fails_does_not_cost_the_others(tmp_path, archcalc):
    """Its page cannot be put in place: a directory stands there. The others are written, and so is the index."""
    (tmp_path / "alexnet.html").mkdir()
    command = ("report", "lenet5", "alexnet", "vgg11", "-o", str(tmp_path), "--figures", "none")
    status, out, err = archcalc(*command)
    assert status == 2
    assert out == f"{tmp_path}/index.html\n"
    assert err == f"archcalc: alexnet: {tmp_path}/alexnet.html: cannot be written: is a directory\n"
    assert (tmp_path / "lenet5.html").is_file()
    index = (tmp_path / "index.html").read_text()
    assert 'href="vgg11.html"' in index
    assert "alexnet" not in index
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".archcalc-")]


def test_no_page_means_no_index(tmp_path, archcalc):
    (tmp_path / "bad.yaml").write_text("input: [3]\nlayers:\n  - conv: {out: 4, kernel: 3}\n")
    status, out, err = archcalc(
        "report", str(tmp_path / "bad.yaml"), "-o", str(tmp_path / "pages"), "--figures", "none"
    )
    assert (status, out) == (2, "")
    assert err.endswith("conv needs a feature map with height and width, got a vector of 3 (at layers[0].conv)\n")
    assert not list((tmp_path / "pages").iterdir())


def test_files_have_names_that_any_system_takes():
    names = {
        "INPUT 3x8x8 -> CONV3-4": "INPUT_3x8x8_-_CONV3-4",
        "../../etc/passwd": "etc_passwd",
        "a/b": "a_b",
        "...": "network",
        "卷积@n=2": "卷积_n_2",
        "cafe\u0301": "caf\u00e9",
        "网" * 40: "网" * 33,  # 99 bytes
    }
    assert folder.file_names(names) == names
    for clash in (["a b", "a/b"], ["cafe\u0301", "caf\u00e9"], ["Net", "net"], ["index"], ["README"]):
        with pytest.raises(ArchcalcError, match="its page would be called"):
            folder.file_names(clash)


def test_a_network_with_other_settings_says_so(tmp_path, archcalc):
    command = ("report", "vgg11", "--set", "classes=10", "--input", "3x64x64", "-o", str(tmp_path))
    assert archcalc(*command, "--figures", "none") == (0, f"{tmp_path}/index.html\n", "")
    text = (tmp_path / "vgg11_classes_10.html").read_text()
    assert "vgg11@classes=10" in text
    assert "input 3x64x64" in text
    assert "No published figures are known" in text


def test_titles_are_text_in_markdown(tmp_path):
    spec = tmp_path / "odd.yaml"
    spec.write_text(
        'title: "<b>[x](javascript:1)</b> | *y*"\ninput: [3, 8, 8]\nlayers:\n  - conv: {out: 4, kernel: 3}\n'
    )
    first = markdown_page(page(load(str(spec)), Evidence(), ()), "odd").splitlines()[0]
    assert first == r"# \<b>\[x\](javascript:1)\</b> \| \*y\* (odd)"


def test_a_field_that_is_shown_as_a_text_sorts_by_its_largest_axis(tmp_path):
    """A stride of 2 and 3 behind the input: steps of 1/2 and 1/3, and three positions at most under a kernel of 3x5."""
    spec = tmp_path / "up.yaml"
    spec.write_text(
        "input: [1, 8, 10]\nlayers:\n  - conv: {out: 3, kernel: [3, 5]}\n  - conv_transpose: {out: 2, kernel: 3, stride: [2, 3]}\n"
    )
    text = html_page(page(load(str(spec)), Evidence(), ()))
    row = next(line for line in text.splitlines() if line.startswith('<tr><th scope="row">conv</th>'))
    assert '<td class="n" data-v="5">3x5</td>' in row
    row = next(line for line in text.splitlines() if line.startswith('<tr><th scope="row">conv_transpose</th>'))
    assert f'<td class="n" data-v="{1 / 2}">1/2x1/3</td>' in row
