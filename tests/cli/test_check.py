"""``archcalc check``: exit statuses, files of git, every format as its reader takes it, and mistakes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from tests.budgets.repository import SMALL, commit, git

Run = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[2]
WIDER = SMALL.replace("width: 16", "width: 20")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "specs").mkdir()
    monkeypatch.chdir(tmp_path)
    Path("specs/small.yaml").write_text(SMALL, encoding="utf-8")
    return tmp_path


@pytest.fixture
def repository(folder: Path) -> Path:
    """A repository whose main branch has the narrower network; the wider one is not committed."""
    cfg = (ROOT / "docs" / "examples" / "residual.cfg").read_text(encoding="utf-8")
    Path("specs/residual.cfg").write_text(cfg, encoding="utf-8")
    git(folder, "init", "-q")
    commit(folder)
    git(folder, "tag", "v1")
    Path("specs/small.yaml").write_text(WIDER, encoding="utf-8")
    return folder


def test_statuses_and_the_text(archcalc: Run, folder: Path) -> None:
    status, out, err = archcalc("check", "specs/small.yaml:small")
    assert (status, err) == (0, "")
    assert out.startswith("1 network fits 1 budget\n")
    status, out, err = archcalc("check", "specs")
    assert (status, err) == (1, "")
    assert out.startswith("1 of 2 networks is over a budget (3 budgets checked)\nbatch 1, float32\narchcalc ")
    assert (
        "wide: macs < 10M (specs/small.yaml:6)\n"
        "  macs is 19,759,744, over 10M by 9,759,744 (97.6 %)\n"
        "    largest        macs    share\n"
        "    conv2    18,874,368   95.5 %\n"
        "    conv1       884,736   4.48 %\n"
        "    linear          640  0.003 %\n"
    ) in out
    assert "  peak is 393,216 bytes, 393.2 KB (384.0 KiB), over 100KiB by 290,816 bytes (284 %)\n" in out
    status, out, err = archcalc("check", "specs", "--batch", "2", "-o", "out.txt")
    assert (status, out, err) == (1, "", "archcalc: 1 of 2 networks is over a budget (3 budgets checked)\n")
    assert "macs is 39,519,488" in Path("out.txt").read_text(encoding="utf-8")


def test_a_file_of_budgets_and_the_command_line(archcalc: Run, folder: Path) -> None:
    Path("budgets.yaml").write_text(
        '"*": field >= 7\nsmall: [params < 6K, macs < 5M]\nvgg16: macs < 1\n', encoding="utf-8"
    )
    status, out, _ = archcalc("check", "specs/small.yaml:small", "--budget", "budgets.yaml", "--require", "width < 16")
    assert status == 1
    assert re.findall(r"^small: (.*)$", out, re.MULTILINE) == [
        "field >= 7 (budgets.yaml:1)",
        "macs < 5M (budgets.yaml:2)",
        "width < 16",
    ]
    assert "  field is 5, below 7 by 2 (28.6 %)\n" in out
    assert "  width is 16, which is the limit itself\n" in out
    status, out, _ = archcalc("check", "lenet5", "--require", "width < 16")
    assert status == 2
    status, out, _ = archcalc("check", "lenet5", "specs/small.yaml:small", "--require", "width < 17")
    assert status == 1
    assert "lenet5: width < 17\n  the network has no width\n" in out


def test_the_file_of_budgets_in_a_folder_of_specs_is_no_spec(archcalc: Run, folder: Path) -> None:
    Path("specs/budgets.yaml").write_text('"*": params < 30K\n', encoding="utf-8")
    assert archcalc("check", "specs", "--budget", "specs/budgets.yaml")[0] == 1
    assert archcalc("check", "specs")[0] == 2


def test_growth_since_a_revision_of_git(archcalc: Run, repository: Path) -> None:
    status, out, err = archcalc(
        "check", "specs", "--baseline", "git:main", "--may-grow", "memory=any", "--may-grow", "peak=25%"
    )
    assert (status, err) == (1, "")
    assert (
        "small: params may grow by 0\n"
        "  params grew from 5,418 to 8,210, by 2,792 (+51.5 %)\n"
        "    changed  before    now  change  difference\n"
        "    conv2     4,640  7,240  +2,600  out 32 to 40; output 32x32x32 to 40x32x32\n"
        "    conv1       448    560    +112  out 16 to 20; output 16x32x32 to 20x32x32\n"
        "    linear      330    410     +80  input 32 to 40\n"
    ) in out
    assert "small: macs may grow by 0" in out
    assert "residual: " not in out
    assert "peak may" not in out
    status, out, _ = archcalc(
        "check",
        "specs/small.yaml:small",
        "--baseline",
        "git:v1",
        *(f"--may-grow={name}=60%" for name in ("params", "macs", "memory", "peak")),
    )
    assert (status, out.splitlines()[0]) == (0, "1 network fits 5 budgets")
    assert Path("specs/small.yaml").read_text(encoding="utf-8") == WIDER


def test_a_file_of_another_tool_in_git(archcalc: Run, repository: Path) -> None:
    path = Path("specs/residual.cfg")
    path.write_text(path.read_text(encoding="utf-8").replace("filters=32", "filters=48", 1), encoding="utf-8")
    status, out, _ = archcalc("check", str(path), "--baseline", "git:main", "--format", "json")
    assert status == 1
    (found,) = [one for one in json.loads(out)["findings"] if one["figure"] == "params"]
    assert found["layers"][0] == {
        "name": "conv0",
        "value": 1296,
        "baseline": 864,
        "difference": "out 32 to 48; output 32x32x32 to 48x32x32",
    }


def test_a_new_file_and_a_new_network_have_no_baseline(archcalc: Run, repository: Path) -> None:
    Path("specs/new.yaml").write_text("input: [3, 8, 8]\nlayers: [relu]\n", encoding="utf-8")
    status, out, _ = archcalc("check", "specs/new.yaml", "specs/residual.cfg", "--baseline", "git:main")
    assert status == 0
    assert "1 network without a network of this name in the baseline: new\n" in out
    assert archcalc("check", "specs/new.yaml", "--baseline", "git:main") == (
        2,
        "",
        "archcalc: specs/new.yaml: is not in main\n",
    )
    Path("specs/smalt.yaml").write_text(SMALL, encoding="utf-8")
    said = archcalc("check", "specs/smalt.yaml", "--baseline", "git:main")[2]
    assert said == "archcalc: specs/smalt.yaml: is not in main, which has small.yaml there\n"


def test_a_file_and_a_folder_as_baseline(archcalc: Run, folder: Path) -> None:
    Path("old").mkdir()
    Path("old/small.yaml").write_text(SMALL, encoding="utf-8")
    Path("specs/small.yaml").write_text(WIDER, encoding="utf-8")
    for baseline in ("old", "old/small.yaml"):
        assert "params grew from 5,418 to 8,210" in archcalc("check", "specs/small.yaml", "--baseline", baseline)[1]
    Path("old/one.yaml").write_text(
        "input: [3, 8, 8]\nlayers: [{linear: {out: 2, axis: channels}}]\n", encoding="utf-8"
    )
    Path("two.yaml").write_text("input: [3, 8, 8]\nlayers: [{linear: {out: 3, axis: channels}}]\n", encoding="utf-8")
    assert "params grew from 8 to 12, by 4 (+50.0 %)" in archcalc("check", "two.yaml", "--baseline", "old/one.yaml")[1]


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        ("mian", "git has no revision 'mian'; did you mean git:main?"),
        ("HEAD~9", "git has no revision 'HEAD~9'; branches and tags: main, v1"),
        ("-x", "expected git:REVISION such as git:main, got 'git:-x'"),
        ("", "expected git:REVISION such as git:main, got 'git:'"),
        ("main:specs", "expected git:REVISION such as git:main, got 'git:main:specs'"),
    ],
)
def test_revisions_that_do_not_exist(archcalc: Run, repository: Path, revision: str, said: str) -> None:
    status, out, err = archcalc("check", "specs/small.yaml", "--baseline", f"git:{revision}")
    assert (status, out, err) == (2, "", f"archcalc: --baseline: {said}\n")


def test_without_git_and_outside_a_repository(archcalc: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(folder.parent))
    status, _, err = archcalc("check", "specs/small.yaml", "--baseline", "git:main")
    assert (status, err.count("\n")) == (2, 1)
    assert err.startswith("archcalc: specs/small.yaml: is in no git repository: not a git repository")
    monkeypatch.setenv("PATH", str(folder))
    status, _, err = archcalc("check", "specs/small.yaml", "--baseline", "git:main")
    assert (status, err) == (2, "archcalc: --baseline git:REVISION needs the program git, which is not installed\n")


def test_a_broken_file_in_git_is_named_by_its_revision(archcalc: Run, repository: Path) -> None:
    Path("specs/small.yaml").write_text("layers: [\n", encoding="utf-8")
    commit(repository)
    Path("specs/small.yaml").write_text(SMALL, encoding="utf-8")
    err = archcalc("check", "specs/small.yaml", "--baseline", "git:main")[2]
    assert err.startswith("archcalc: main:specs/small.yaml:1: not valid YAML")
    Path("specs/small.yaml").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", encoding="utf-8")
    commit(repository)
    Path("specs/small.yaml").write_text(SMALL, encoding="utf-8")
    assert "is a pointer of Git LFS in main" in archcalc("check", "specs/small.yaml", "--baseline", "git:main")[2]


@pytest.mark.parametrize(
    ("budgets", "said"),
    [
        ("smal: [macs < 1G]\n", ["b.yaml:1: unknown network 'smal'; did you mean 'small'?"]),
        ("lenet6: macs < 1G\n", ["b.yaml:1: unknown network 'lenet6'; did you mean 'lenet5'?"]),
        (
            "small: [mcas < 1G]\nwide:\n  - macs <\n",
            [
                "b.yaml:1: condition: unknown figure 'mcas'; did you mean 'macs'? (at small[0])",
                "b.yaml:3: condition: 'macs <' ends where a value was expected (at wide[0])",
            ],
        ),
        ("vgg16: mcas < 1\n", ["b.yaml:1: condition: unknown figure 'mcas'; did you mean 'macs'? (at vgg16)"]),
        (
            "'*': memory < 3M\n",
            ["b.yaml:1: condition: memory is in bytes, and 3M is a number; write 3M with a unit, such as 8GiB (at *)"],
        ),
        ("'*': time('a1000') < 3ms\n", ["b.yaml:1: unknown device 'a1000'; did you mean 'a100'? (at *)"]),
        ("- macs < 1\n", ["b.yaml:1: expected names of networks with their budgets, such as 'resnet*: [macs < 4G]'"]),
        (
            "small: 3\n",
            ["b.yaml:1: budgets must be a condition such as 'macs < 4G', or a list of conditions, got 3 (at small)"],
        ),
        ("", ["b.yaml: the file of budgets is empty"]),
    ],
)
def test_mistakes_in_a_file_of_budgets(archcalc: Run, folder: Path, budgets: str, said: list[str]) -> None:
    Path("b.yaml").write_text(budgets, encoding="utf-8")
    status, out, err = archcalc("check", "specs", "--budget", "b.yaml")
    assert (status, out) == (2, "")
    assert err.splitlines() == [f"archcalc: {line}" for line in said]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lenet5"], "there is no budget to check: write budgets: into the spec, or add --budget FILE"),
        (["lenet5", "--may-grow", "macs=1%"], "--may-grow is a limit of growth since a baseline: add --baseline"),
        (["lenet5", "--require", "mcas < 3"], "condition: unknown figure 'mcas'; did you mean 'macs'?"),
        (["INPUT 8x8x3 -> FC-3", "--baseline", "git:main"], "--baseline compares networks of files, and"),
        (["specs", "--budget", "none.yaml"], "none.yaml: cannot be read: no such file or directory"),
        (["specs", "--baseline", "none.yaml"], "none.yaml: cannot be read: no such file or directory"),
        (["specs", "--baseline", "main"], "--baseline: main does not exist; did you mean git:main?"),
        (["specs", "--baseline", "specs/small.yaml:wide"], "--baseline takes a whole file: leave out :wide"),
        ([".", "--require", "macs < 3"], ".: holds no specs; archcalc check reads .yaml, .yml, .prototxt, .cfg, .onnx"),
        (["specs", "--format", "xml"], "unknown format 'xml'; known: text, markdown, json, junit, github"),
        (["specs", "-o", "x.pdf"], "x.pdf: unknown extension .pdf; known: .txt, .md, .markdown, .json, .xml"),
        (["specs", "--junit", "nowhere/x.xml"], "nowhere/x.xml: cannot be written: no such file or directory"),
        (["specs/small.yaml:smal"], "unknown network 'smal'; did you mean 'small'?"),
    ],
)
def test_mistakes_on_the_command_line(archcalc: Run, folder: Path, arguments: list[str], said: str) -> None:
    status, out, err = archcalc("check", *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_problems_of_all_files_are_said_at_once(archcalc: Run, folder: Path) -> None:
    for name in ("a", "b"):
        Path(f"specs/{name}.yaml").write_text("input: [3, 8, 8]\nlayers: [rleu]\n", encoding="utf-8")
    status, _, err = archcalc("check", "specs", "--require", "macs < 3")
    assert status == 2
    assert [line.split(":")[1].strip() for line in err.splitlines()] == ["specs/a.yaml", "specs/b.yaml"]


def test_junit_has_a_case_for_every_budget(archcalc: Run, folder: Path) -> None:
    """The structure that pytest writes and Jenkins reads: suites, a suite with counts, cases with class and name."""
    status, out, _ = archcalc("check", "specs", "--require", "not any(layer.channels > 40)", "--junit", "check.xml")
    assert (status, out[:6]) == (1, "1 of 2")
    suites = ElementTree.parse("check.xml").getroot()
    (suite,) = suites
    assert (suites.tag, suite.tag) == ("testsuites", "testsuite")
    cases = list(suite)
    failed = [case for case in cases if case.find("failure") is not None]
    assert {case.tag for case in cases} == {"testcase"}
    for element in (suites, suite):
        assert {key: int(element.attrib[key]) for key in ("tests", "failures", "errors", "skipped")} == {
            "tests": len(cases),
            "failures": len(failed),
            "errors": 0,
            "skipped": 0,
        }
    assert [(case.attrib["classname"], case.attrib["name"]) for case in cases] == [
        ("small", "params < 20K"),
        ("small", "not any(layer.channels > 40)"),
        ("wide", "params < 20K"),
        ("wide", "macs < 10M and peak <= 100KiB"),
        ("wide", "not any(layer.channels > 40)"),
    ]
    assert [case.attrib["name"] for case in failed] == [case.attrib["name"] for case in cases[2:]]
    failure = failed[0].find("failure")
    assert failure is not None
    assert failure.attrib == {"type": "budget", "message": "params is 20,042, over 20K by 42 (0.210 %)"}
    assert "conv2    18,496  92.3 %" in str(failure.text)
    assert {case.attrib["file"] for case in cases} == {"specs/small.yaml"}


def test_annotations_are_read_as_github_reads_them(archcalc: Run, folder: Path) -> None:
    """``::error key=value,key=value::message``, percent-encoded; a line of its own for each finding."""
    status, out, _ = archcalc(
        "check", str(folder / "specs"), "--require", "train_memory(batch=4, adam) < 1KiB", "--format", "github"
    )
    assert status == 1
    found = []
    for line in out.splitlines():
        match = re.fullmatch(r"::error ([^:]*)::(.*)", line)
        assert match is not None
        properties = {key: unquote(value) for key, value in (pair.split("=", 1) for pair in match[1].split(","))}
        found.append((properties, unquote(match[2])))
    assert [properties["title"] for properties, _ in found] == [
        "small: train_memory(batch=4, adam) < 1KiB",
        "wide: params < 20K",
        "wide: macs < 10M",
        "wide: peak <= 100KiB",
        "wide: train_memory(batch=4, adam) < 1KiB",
    ]
    assert {(properties["file"], properties["line"]) for properties, _ in found[1:4]} == {("specs/small.yaml", "10")}
    assert found[1][1].splitlines()[:2] == ["params is 20,042, over 20K by 42 (0.210 %)", "largest  params   share"]


def test_no_text_of_a_budget_becomes_a_command_or_markup(archcalc: Run, folder: Path) -> None:
    hostile = "::stop-commands::x</summary>%0A|"
    wanted = ["check", "specs/small.yaml:small", "--require", f"macs < 3 or name == '{hostile}'"]
    out = archcalc(*wanted, "--format", "github")[1]
    assert re.fullmatch(r"::error [^:]*::[^\n]*\n", out)
    assert "%250A" in out
    page = archcalc(*wanted, "--format", "markdown")[1]
    assert "</summary>%0A|" not in page
    tree = ElementTree.fromstring(archcalc(*wanted, "--format", "junit")[1])
    assert hostile in str(tree.findtext(".//failure"))


def test_json_has_exact_numbers(archcalc: Run, folder: Path) -> None:
    status, out, _ = archcalc("check", "specs", "--require", "macs / params < 985", "-o", "-", "--format", "json")
    content = json.loads(out)
    assert (status, content["networks"], content["budgets"], content["over"]) == (1, 2, 5, 4)
    one = content["findings"][1]
    assert (one["figure"], one["value"], one["limit"], one["over"], one["unit"]) == (
        "macs",
        19759744,
        10**7,
        9759744,
        "",
    )
    assert (one["file"], one["line"], one["stated_at"]) == ("specs/small.yaml", 10, "specs/small.yaml:6")
    assert content["findings"][-1]["value"] == pytest.approx(19_759_744 / 20_042)


def test_the_summary_is_appended(archcalc: Run, folder: Path) -> None:
    Path("summary").write_text("before\n", encoding="utf-8")
    archcalc("check", "specs", "--summary", "summary")
    lines = Path("summary").read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["before", "### archcalc check: 1 of 2 networks is over a budget (3 budgets checked)"]
    assert "| wide | params \\< 20K | params is 20,042, over 20K by 42 (0.210 %) | specs/small.yaml:3 |" in lines
    assert "| conv2 | 18,496 | 92.3 % |" in lines


def test_the_hook_runs_this_command() -> None:
    import yaml

    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert {"id", "name", "entry", "language", "files"} <= set(hook)
    assert (hook["entry"], hook["language"]) == ("archcalc check", "python")
    assert re.search(hook["files"], "specs/small.yaml")
    assert not re.search(hook["files"], ".pre-commit-config.yaml")
