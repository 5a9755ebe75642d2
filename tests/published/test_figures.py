"""Reading the data: what a table means, and every error with its line."""

from pathlib import Path

import pytest

from archcalc.errors import ArchcalcError
from archcalc.published.figure import Subject
from archcalc.published.figures import CONFIDENCE, load_figures, of_networks
from archcalc.published.quantities import FIRSTS, LASTS, OF_NETWORK, QUANTITIES, SUMS

SOURCES = 'paper: {title: "A paper", link: "https://example.org"}\n'
TABLE = """- source: paper
  where: Table 1
  confidence: read
  network: vgg16
  columns: [output_size, {quantity: params, as: weights, unit: K, digits: 1}]
  rows:
    conv1_1: [224x224x64, ~]
    total: [~, {printed: 138 million, verdict: truncated, explained_by: {slip: macs, because: a joke}}]
"""


@pytest.fixture
def folder(tmp_path):
    def write(table, sources=SOURCES):
        (tmp_path / "sources.yaml").write_text(sources)
        (tmp_path / "accuracy.yaml").write_text("not: read")
        (tmp_path / "some.yaml").write_text(table)
        return tmp_path

    return write


def test_a_table_is_read_cell_by_cell(folder):
    first, second = load_figures(folder(TABLE))
    assert (first.file, first.line, first.subject) == ("some.yaml", 7, Subject("vgg16", "conv1_1"))
    assert (first.quantity, first.formula.text, first.printed.sizes) == (
        "output_size",
        QUANTITIES["output_size"],
        (224, 224, 64),
    )
    assert (first.verdict, first.explanation) == ("match", None)
    assert (second.line, second.subject, second.formula.text) == (8, Subject("vgg16"), "weights")
    assert (second.verdict, second.explanation.because, second.explanation.slip.text) == ("truncated", "a joke", "macs")
    assert second.source.link == "https://example.org"


def test_without_a_network_every_row_is_one(folder):
    text = """- {source: paper, where: here, confidence: read, input: 3x64x64,
   columns: [params], rows: {vgg11: 1, vgg13: 2}}"""
    assert [f.subject for f in load_figures(folder(text))] == [
        Subject("vgg11", "", (3, 64, 64)),
        Subject("vgg13", "", (3, 64, 64)),
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("source: paper", "source: papre", 1, "unknown source 'papre'; did you mean 'paper'?"),
        ("- source: paper\n  where", "- where", 1, "a table of figures names its source"),
        ("where: Table 1", "where: ''", 1, "says where in its source"),
        ("confidence: read", "confidence: sure", 1, "a confidence: read, quoted, memory"),
        ("unit: K", "unit: furlong", 1, "unknown unit 'furlong'"),
        ("138 million", "138 furlongs", 8, "total: unknown unit 'furlongs'"),
        ("printed: 138 million", "printed: 138 million, digits: 4", 8, "total: impossible precision"),
        ("printed: 138 million", "printed: 138 million, digits: few", 8, "total: digits: expected a whole number"),
        ("verdict: truncated", "verdict: cut", 8, "total: unknown verdict 'cut'"),
        ("because: a joke", "why: a joke", 8, "unknown key of an explanation 'why'"),
        (", because: a joke", "", 8, "total: an explanation says in words what it claims"),
        ("slip: macs", "slip: macs +", 8, "total: 'r0 +' ends"),
        ("[224x224x64, ~]", "[224x224x64]", 7, "conv1_1: 1 figures in a table of 2 columns"),
        ("224x224x64", "large", 7, "conv1_1: cannot read 'large' as a figure"),
        ("network: vgg16", "netwrok: vgg16", 4, "unknown key of a table 'netwrok'; did you mean 'network'?"),
        ("quantity: params, as", "quality: params, as", 5, "unknown key of a column 'quality'"),
        ("network: vgg16", "network: vgg16\n  input: 3xAx3", 1, "input: expected CHANNELSxHEIGHTxWIDTH"),
        ("network: vgg16", "network: vgg16\n  settings: [1]", 1, "settings are a mapping"),
        ("network: vgg16", "network: vgg16\n  training: 3", 1, "training: expected true or false"),
    ],
)
def test_bad_data_is_named_with_its_line(folder, old, new, line, said):
    assert old in TABLE
    with pytest.raises(ArchcalcError) as error:
        load_figures(folder(TABLE.replace(old, new)))
    assert any(
        problem.file == "some.yaml" and problem.line == line and said in problem.text
        for problem in error.value.problems
    ), str(error.value)


def test_bad_files(folder):
    with pytest.raises(ArchcalcError, match=r"^sources\.yaml:1: paper: a source has a title and a link"):
        load_figures(folder(TABLE, "paper: {title: x}"))
    with pytest.raises(ArchcalcError, match=r"^some\.yaml:1: expected a list of tables"):
        load_figures(folder("source: paper"))
    with pytest.raises(ArchcalcError, match=r"^some\.yaml:1: not valid YAML"):
        load_figures(folder("- {source: paper"))


def test_all_problems_are_told_at_once(folder):
    with pytest.raises(ArchcalcError) as error:
        load_figures(folder(TABLE.replace("224x224x64", "large").replace("138 million", "huge")))
    assert len(error.value.problems) == 2


def test_an_unknown_network_names_the_nearest(folder):
    figures = load_figures(folder(TABLE))
    assert len(of_networks(figures, ["vgg*"])) == 2
    with pytest.raises(ArchcalcError, match="unknown network with published figures 'vgg61'; did you mean 'vgg16'"):
        of_networks(figures, ["vgg61"])


def test_the_page_names_every_quantity_and_confidence():
    page = (Path(__file__).parents[2] / "docs" / "audit.md").read_text()
    for name in (*SUMS, *OF_NETWORK, *QUANTITIES, *CONFIDENCE, *(name for name in LASTS if "_" in name)):
        assert f"`{name}`" in page or name in CONFIDENCE, name
    assert FIRSTS.keys() <= {"in_height", "in_width", "in_channels"}


def test_figures_are_of_networks_without_settings() -> None:
    for name in ("resnet50", "vgg16"):
        with pytest.raises(ArchcalcError, match=rf"figures were published of {name} without settings; audit {name}"):
            of_networks(load_figures(), [f"{name}@classes=10"])
