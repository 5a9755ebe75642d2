"""The audit as it is run: every verdict is the recorded one, the report is fresh, and a regression is noticed."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from archcalc.language.zoo import specs
from archcalc.layers.convolution import Conv
from archcalc.published.figures import load_figures
from archcalc.published.verdict import judge_all
from archcalc.report.audit import audit_table, differences, tally
from archcalc.report.audit_page import audit_page
from archcalc.sizes import Work

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "reports" / "audit.md"


@pytest.fixture(scope="module")
def judgements():
    return judge_all(load_figures())


def test_every_verdict_is_the_recorded_one(judgements):
    assert differences(judgements) == []


def test_the_report_is_fresh(judgements, overwrite):
    if overwrite:
        REPORT.write_text(audit_page(judgements))
    assert REPORT.read_text() == audit_page(judgements)


def test_the_report_tells_every_wrong_figure_and_its_link(judgements):
    text = REPORT.read_text()
    for j in judgements:
        if j.verdict == "wrong":
            assert f"**{j.figure.printed.text}**" in text
            assert j.claim in text
        assert j.figure.source.link in text


def test_the_findings_that_the_docs_speak_of(judgements):
    of = {
        (j.figure.subject.network, j.figure.subject.layer, j.figure.quantity, j.figure.printed.text): j.verdict
        for j in judgements
    }
    assert of["vgg16", "", "memory in values", "24M"] == "wrong"
    assert of["teaching_inception_bottleneck", "", "macs", "358M"] == "wrong"
    assert of["teaching_inception_naive", "", "macs", "854M"] == "match"
    assert of["googlenet", "inception_3b", "params", "380"] == "wrong"
    assert of["resnet34", "", "macs", "3.6 × 10^9"] == "truncated"
    assert of["resnet101", "", "macs", "7.6 × 10^9"] == "match"
    assert of["resnet34", "", "params", "2180000"] == "wrong"


def test_nothing_from_memory_is_called_wrong(judgements):
    assert all(j.figure.place.confidence != "memory" for j in judgements if j.verdict == "wrong")


def test_every_source_is_used(judgements):
    named = {
        line.split(":")[0]
        for line in (specs() / "published" / "sources.yaml").read_text().splitlines()
        if line and line[0] not in "# "
    }
    assert {j.figure.source.key for j in judgements} == named


def test_the_tallies_add_up(judgements):
    table = audit_table(judgements)
    assert sum(table.totals.values()) == len(judgements)
    assert tally(judgements) in table.header.about
    by_source = sum(
        int(word.split()[0].replace(",", ""))
        for line in table.header.notes
        if line.startswith("  ")
        for word in line.split(": ", 1)[1].split(", ")
    )
    assert by_source == len(judgements)


def test_figures_that_cannot_be_checked_share_a_row(judgements):
    unchecked = [j for j in judgements if j.verdict == "unverifiable"]
    rows = [row for row in audit_table(unchecked).rows if row[5] == "unverifiable"]
    assert len(rows) < len(unchecked)
    assert sum(int(row[2].split()[0]) if row[2].endswith(" figures") else 1 for row in rows) == len(unchecked)
    assert len(audit_table(unchecked, everything=True).rows) == len(unchecked)


@pytest.fixture
def judged(judgements, monkeypatch):
    """A command that judges all figures prints these judgements; they are made once."""
    known = {id(j.figure): j for j in judgements}
    monkeypatch.setattr("archcalc.published.figures.load_figures", lambda: [j.figure for j in judgements])
    monkeypatch.setattr("archcalc.published.verdict.judge_all", lambda figures: [known[id(f)] for f in figures])


def test_the_command(archcalc, judged):
    status, out, err = archcalc("audit")
    assert (status, err) == (0, "")
    assert "all verdicts are as recorded" in out
    assert "358M" in out
    assert "854M" not in out


def test_one_network(archcalc):
    _, out, _ = archcalc("audit", "teaching*", "--all-figures")
    assert "358M" in out
    assert "854M" in out
    assert "vgg16" not in out


@pytest.mark.parametrize("format", ["text", "markdown", "csv", "latex", "html", "json"])
def test_every_format(archcalc, format):
    status, out, _ = archcalc("audit", "teaching*", "--format", format)
    assert status == 0
    assert "271,351,808" in out


def test_json_has_the_tally(archcalc):
    content = json.loads(archcalc("audit", "teaching*", "--format", "json")[1])
    assert content["totals"] == {"match": 8, "wrong": 1}
    assert content["rows"][0]["printed"] == "358M"


def test_the_report_command(archcalc, tmp_path, judged):
    assert archcalc("audit", "--page", "-o", str(tmp_path / "audit.md")) == (0, "", "")
    assert (tmp_path / "audit.md").read_text() == REPORT.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["vgg61"], "unknown network with published figures 'vgg61'; did you mean 'vgg16'?"),
        (["teaching*", "--format", "pdf"], "unknown format 'pdf'"),
        (["vgg16", "--page"], "--page is about all figures"),
    ],
)
def test_bad_usage(archcalc, arguments, said):
    status, out, err = archcalc("audit", *arguments)
    assert (status, out) == (2, "")
    assert said in err


# What must be noticed: a figure, an engine, a spec that changes.


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of specs/ in the place of the real one."""
    where = tmp_path / "specs"
    shutil.copytree(specs(), where)
    monkeypatch.setattr("archcalc.published.figures.specs", lambda: where)
    monkeypatch.setattr("archcalc.language.zoo.folder", lambda: str(where))
    return where


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_changed_figure_is_noticed(archcalc, copy):
    change(copy / "published" / "vgg.yaml", '"36,864"', '"36,865"')
    status, out, err = archcalc("audit", "vgg16")
    assert status == 1
    assert "wrong, but the data records match" in err
    assert "36,865" in out


def test_a_changed_verdict_is_noticed(archcalc, copy):
    change(copy / "published" / "teaching.yaml", "verdict: wrong", "verdict: match")
    assert archcalc("audit", "teaching*")[0] == 1


def test_a_changed_explanation_is_noticed(archcalc, copy):
    change(copy / "published" / "teaching.yaml", "b3x3.conv", "b5x5.conv")
    status, _, err = archcalc("audit", "teaching*")
    assert status == 1
    assert "explanation fails, but the data records wrong" in err


def test_a_changed_spec_is_noticed(archcalc, copy):
    change(
        copy / "vgg.yaml",
        "vgg16: {title: VGG D, depths: [2, 2, 3, 3, 3]}",
        "vgg16: {title: VGG D, depths: [2, 2, 3, 3, 4]}",
    )
    status, _, err = archcalc("audit", "vgg16")
    assert status == 1
    assert "vgg16, params 138M: " in err


def test_a_new_network_of_the_zoo_is_noticed(archcalc, copy):
    change(copy / "published" / "convnet_burden.yaml", "caffenet:", "vgg13:")
    assert archcalc("audit", "vgg13")[0] == 1


def test_a_changed_engine_is_noticed(archcalc, monkeypatch):
    right = Conv.work
    monkeypatch.setattr(Conv, "work", lambda self, out, x: Work(mac=right(self, out, x).mac + 1))
    status, _, err = archcalc("audit", "resnet*", "squeezenet*", "googlenet")
    assert status == 1
    assert Counter(line.split(":")[1].strip() for line in err.splitlines())["squeezenet.yaml"] > 20


def test_a_file_is_written_even_when_a_verdict_differs(archcalc, copy, tmp_path):
    change(copy / "published" / "teaching.yaml", "verdict: wrong", "verdict: match")
    status, out, _ = archcalc("audit", "teaching*", "-o", str(tmp_path / "audit.md"))
    assert (status, out) == (1, "")
    assert "358M" in (tmp_path / "audit.md").read_text()
