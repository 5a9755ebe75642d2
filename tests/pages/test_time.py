"""Pages with the time on a device: a card, a section, columns of the tables and a column of the index."""

from __future__ import annotations

import csv
from math import isclose

from archcalc import load
from archcalc.pages.page import page
from archcalc.report.evidence import Evidence
from archcalc.report.time import TimeRequest


def test_a_page_shows_the_time_where_a_device_is_given():
    network, evidence = load("lenet5"), Evidence(None)
    plain, timed = page(network, evidence, ()), page(network, evidence, (), TimeRequest("t4"))
    assert plain.time == []
    assert {card.label for card in timed.cards} - {card.label for card in plain.cards} == {"Time"}
    assert [h.name for h in timed.layers.headings] == [h.name for h in plain.layers.headings] + [
        "estimate",
        "lower_bound",
    ]
    time = network.analyze().time("t4")
    assert timed.layers.total[-2:] == [time.estimate, time.lower_bound]
    assert isclose(timed.stages.total[-2], time.estimate, rel_tol=1e-15)  # stages are added in another order
    assert timed.facts["estimate"] == time.estimate
    assert any("nothing was ever measured on NVIDIA T4" in line for line in timed.time)


def test_files_have_the_time_only_with_a_device(archcalc, tmp_path):
    for on in ([], ["--on", "t4", "--amp"]):
        folder = tmp_path / str(len(on))
        status, _, err = archcalc(
            "report", "lenet5", "--format", "markdown", "--figures", "none", "-o", str(folder), *on
        )
        assert (status, err) == (0, "")
        text = (folder / "lenet5.md").read_text()
        with (folder / "index.csv").open(newline="") as file:
            [row] = csv.DictReader(file)
        assert ("## Time" in text, "estimate" in row) == (bool(on), bool(on))
    assert "NVIDIA T4, inference, mixed precision" in text
    assert float(row["estimate"]) == load("lenet5").analyze().time("t4", amp=True).estimate


def test_a_network_that_does_not_run_there_has_a_page_that_says_why(archcalc, tmp_path):
    arguments = ("report", "vgg16", "--format", "html", "--figures", "none", "-o", str(tmp_path))
    status, _, err = archcalc(*arguments, "--on", "t4", "--tf32")
    assert (status, err) == (0, "")
    assert "NVIDIA T4 has no peak for tf32" in (tmp_path / "vgg16.html").read_text()


def test_an_unknown_device_is_a_sentence_before_any_work(archcalc, tmp_path):
    status, out, err = archcalc("report", "lenet5", "-o", str(tmp_path / "new"), "--on", "t44")
    assert (status, out) == (2, "")
    assert "unknown device 't44'; did you mean 't4'?" in err
    assert not (tmp_path / "new").exists()
