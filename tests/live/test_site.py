"""The folder of a static site: what is in it, what is missing, and what is never replaced."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import tarfile
from pathlib import Path

import pytest

from archcalc.errors import ArchcalcError
from archcalc.live.desk import Opened
from archcalc.live.packed import LEFT_OUT, packed
from archcalc.live.pyodide import FILES, INSTALL, VERSION, pyodide
from archcalc.live.site import LIST, site_files, write_site
from archcalc.live.state import State
from tests.architecture import PACKAGE, arrows, room
from tests.live.browser import BUNDLE, ROOT
from tests.live.sites import PYODIDE
from tests.test_plugins import CELU

needs_pyodide = pytest.mark.skipif(not PYODIDE.exists(), reason="no Pyodide: npm ci, in live/")
LOCK = json.loads((ROOT / "live" / "package-lock.json").read_text())


def engine_in(place: Path) -> Path:
    """A folder with files of the names and the version of Pyodide: enough for a site that nobody opens."""
    folder = place / "engine"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text(f'"{VERSION}"')
    (folder / "package.json").write_text(json.dumps({"version": VERSION}))
    return folder


@pytest.fixture
def engine(tmp_path):
    return engine_in(tmp_path)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site as archcalc wrote it, which tests copy."""
    place = tmp_path_factory.mktemp("made")
    write_site(str(place / "site"), Opened(), str(engine_in(place)))
    return place / "site"


def files_in(target: Path) -> dict[str, bytes]:
    return {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()}


def written(target, engine, opened=None) -> dict[str, bytes]:
    write_site(str(target), opened or Opened(), str(engine))
    return files_in(target)


def test_a_site_has_the_page_the_calculator_and_the_answers_that_are_shown_first(site):
    files = files_in(site)
    config = json.loads(files["config.json"])
    assert (config["calculator"], config["editor"]) == ("worker", BUNDLE.exists())
    assert files[config["licences"]]
    questions = {question["op"]: answer for question, answer in json.loads(files["first.json"])}
    assert questions["analyze"]["table"]["totals"]["params"] == 138_357_544
    assert questions["start"]["open"]["network"] == "vgg16"
    assert len(questions["zoo"]["networks"]) > 300
    assert files["index.html"].index(b"Content-Security-Policy") < files["index.html"].index(b"<link")
    sums = dict(reversed(line.split("  ")) for line in files[LIST].decode().splitlines())
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != LIST}


def test_a_site_starts_with_the_network_that_is_named(tmp_path, engine):
    state = State("INPUT 8x8x3 -> FC-10", batch=2)
    first = json.loads(
        written(tmp_path / "site", engine, Opened(state, "/home/me/mine.yaml", "mine.yaml"))["first.json"]
    )
    questions = {question["op"]: (question, answer) for question, answer in first}
    assert (questions["start"][1]["open"]["text"], questions["start"][1]["file"]) == (state.text, "")
    assert questions["analyze"][1]["table"]["totals"]["params"] == 8 * 8 * 3 * 10 + 10


def test_the_archive_has_all_that_an_answer_imports():
    """The imports of the calculator, also those in functions, lead to no room that is left out."""
    reached, waiting, imports = set(), ["live.calculator", "live.desk"], arrows(PACKAGE)
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting += imports[module]
    assert {room(module) for module in reached} & set(LEFT_OUT) == set()
    with tarfile.open(fileobj=io.BytesIO(packed())) as archive:
        names = archive.getnames()
    paths = {f"archcalc/{module.replace('.', '/')}" for module in reached}
    assert {path for path in paths if not {f"{path}.py", f"{path}/__init__.py"} & {*names}} == set()
    assert {"archcalc/specs/vgg.yaml", "yaml/__init__.py", "tabulate/__init__.py"} < {*names}
    assert {name.split("/")[1] for name in names} & {*LEFT_OUT} == set()


def test_the_same_archcalc_makes_the_same_archive():
    assert packed() == packed()


@needs_pyodide
def test_a_site_is_small():
    files = site_files(Opened(), pyodide(None))
    assert sum(len(gzip.compress(data, 9)) for data in files.values()) <= 7_500_000


def test_the_version_is_the_one_that_npm_installs():
    assert LOCK["packages"]["node_modules/pyodide"]["version"] == VERSION
    assert "resolved" not in json.dumps(LOCK)
    assert INSTALL in (ROOT / "docs" / "live.md").read_text()


def test_a_second_run_replaces_the_site(tmp_path, engine, site):
    target = shutil.copytree(site, tmp_path / "site")
    files = written(target, engine, Opened(State("INPUT 8x8x3 -> RELU")))
    assert b"8x8x3 -> RELU" in files["first.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["engine", "site"]


def test_an_empty_folder_and_folders_above_it_are_no_obstacle(tmp_path, engine):
    (tmp_path / "empty").mkdir()
    assert "index.html" in written(tmp_path / "empty", engine)
    assert "index.html" in written(tmp_path / "new" / "deep" / "site", engine)


def added(target: Path) -> str:
    (target / "CNAME").write_text("example.org\n")
    return "CNAME"


def changed(target: Path) -> str:
    (target / "index.html").write_text("my own words")
    return "index.html"


def linked(target: Path) -> str:
    (target / "icon.svg").unlink()
    (target / "icon.svg").symlink_to(target / "live.css")
    return "icon.svg"


def hidden(target: Path) -> str:
    (target / ".git").mkdir()
    (target / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    return ".git/HEAD"


def unlisted(target: Path) -> str:
    (target / LIST).unlink()
    return ""


@pytest.mark.parametrize("spoil", [added, changed, linked, hidden, unlisted])
def test_what_is_not_of_a_site_is_never_replaced(tmp_path, engine, site, spoil):
    target = shutil.copytree(site, tmp_path / "site")
    name = spoil(target)
    before = files_in(target)
    with pytest.raises(ArchcalcError, match="which is not a file of a site as archcalc wrote it") as raised:
        write_site(str(target), Opened(), str(engine))
    assert f": has {name}" in str(raised.value)
    assert files_in(target) == before


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: path.write_text("x"), "is a file, expected a folder to write the site into"),
        (lambda path: path.symlink_to(path.parent), "is a link, which is not followed here"),
        (lambda path: path.mkdir(mode=0o755) or (path / "inside").mkdir(), ""),
    ],
)
def test_a_folder_that_cannot_be_one(tmp_path, engine, make, sentence, monkeypatch):
    target = tmp_path / "site"
    make(target)
    if not sentence:
        monkeypatch.chdir(target / "inside")
        sentence = "is the current folder"
    with pytest.raises(ArchcalcError, match=sentence):
        write_site(str(target), Opened(), str(engine))


def test_a_site_is_written_whole_or_not_at_all(tmp_path, engine, site, monkeypatch):
    target = shutil.copytree(site, tmp_path / "site")
    before = files_in(target)
    monkeypatch.setattr("os.rename", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(ArchcalcError, match="site: cannot be written: no space left on device"):
        write_site(str(target), Opened(State("INPUT 8x8x3 -> RELU")), str(engine))
    assert files_in(target) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["engine", "site"]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda folder: (folder / "pyodide.asm.wasm").unlink(), f"has no pyodide.asm.wasm of Pyodide {VERSION}"),
        (lambda folder: (folder / "package.json").unlink(), f"has no package.json of Pyodide {VERSION}"),
        (
            lambda folder: (folder / "package.json").write_text('{"version": "0.27.7"}'),
            "is Pyodide 0.27.7, and a site needs",
        ),
        (lambda folder: (folder / "package.json").write_text("[]"), "is Pyodide of an unknown version"),
        (lambda folder: (folder / "pyodide.mjs").write_text('"314.0.1"'), "pyodide.mjs is not of Pyodide"),
        (shutil.rmtree, "has no package.json"),
    ],
)
def test_a_pyodide_that_does_not_suit_is_refused_with_the_command_that_helps(tmp_path, engine, spoil, sentence):
    spoil(engine)
    with pytest.raises(ArchcalcError, match=sentence) as raised:
        write_site(str(tmp_path / "site"), Opened(), str(engine))
    assert str(raised.value).endswith(f": npm install pyodide@{VERSION}")
    assert not (tmp_path / "site").exists()


def test_pyodide_is_found_where_npm_installs_it(tmp_path, engine, monkeypatch):
    inside = tmp_path / "project" / "docs"
    inside.mkdir(parents=True)
    shutil.copytree(engine, tmp_path / "project" / "node_modules" / "pyodide")
    monkeypatch.chdir(inside)
    assert set(pyodide(None).files) == set(FILES.values())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--pyodide", "DIR"], "--pyodide is for a site: archcalc live --site DIR --pyodide DIR"),
        (["--site", "s", "--port", "8000"], "--site writes a folder and serves nothing"),
        (["--site", "s", "--no-browser"], "--site writes a folder and serves nothing"),
        (["--site", ""], "a site needs the name of a folder"),
        (["--site", "s", "vgg61"], "unknown network 'vgg61'; did you mean 'vgg16'?"),
        (["--site", "s", "--pyodide", "nowhere"], "nowhere: has no package.json of Pyodide"),
    ],
)
def test_the_command_says_what_does_not_go_together(archcalc, tmp_path, monkeypatch, words, sentence):
    monkeypatch.chdir(tmp_path)
    status, out, err = archcalc("live", *words)
    assert (status, out) == (2, "")
    assert sentence in err
    assert list(tmp_path.iterdir()) == []


def test_a_plugin_cannot_go_along(archcalc, plugin):
    status, out, err = archcalc("live", "--site", "s", "--plugin", plugin(CELU))
    assert (status, out) == (2, "")
    assert "a site cannot take the layer types of a plugin along" in err


def test_the_command_says_where_the_site_is(archcalc, tmp_path, engine):
    status, out, err = archcalc("live", "lenet5", "--site", str(tmp_path / "site"), "--pyodide", str(engine))
    assert (status, err) == (0, "")
    assert out.startswith(f"{tmp_path / 'site'}: ")
    assert f"python -m http.server --directory {tmp_path / 'site'}" in out
