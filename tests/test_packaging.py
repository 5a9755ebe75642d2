"""What a user installs: a wheel that has the specs, light dependencies, and a command that works outside a checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel, built from the checkout and unpacked in a folder of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    target = folder / "site"
    zipfile.ZipFile(next(folder.glob("*.whl"))).extractall(target)
    return target


def run(installed: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, *command], cwd=installed.parent, env=environment, check=True, capture_output=True, text=True
    )
    assert done.stderr == ""
    return done.stdout


def test_the_wheel_has_every_spec(installed):
    def specs(folder):
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.yaml"))

    assert specs(installed / "archcalc" / "specs") == specs(ROOT / "specs")


def test_the_wheel_can_write_an_html_page(installed):
    page = run(installed, "-c", "from archcalc.report.html_parts import document; print(document('t', ''))")
    assert "addEventListener" in page
    assert "prefers-color-scheme: dark" in page


def test_the_wheel_works_outside_the_checkout(installed):
    where = run(
        installed, "-c", "import archcalc, archcalc.spec.zoo as zoo; print(archcalc.__file__); print(zoo.specs())"
    )
    assert [Path(line).is_relative_to(installed) for line in where.split()] == [True, True]
    assert "138,357,544" in run(installed, "-m", "archcalc", "table", "vgg16")
    assert len(run(installed, "-m", "archcalc", "list", "--columns", "name", "--format", "csv").splitlines()) > 100


def test_the_wheel_has_nothing_but_the_package(installed):
    names = {path.name for path in installed.iterdir()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"archcalc"}
    assert any((installed / name / "licenses" / "LICENSE").exists() for name in names)


def test_a_plain_install_is_light():
    names = {dependency.split(">")[0].split("=")[0].strip().lower() for dependency in PROJECT["dependencies"]}
    assert names == {"pyyaml", "tabulate", "pandas"}
    assert any(d.startswith("torch>=") for d in PROJECT["optional-dependencies"]["torch"])


def test_the_version_is_said_once(archcalc, capsys):
    import archcalc as package

    with pytest.raises(SystemExit) as stop:
        archcalc("--version")
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"archcalc {package.__version__}\n"
    assert f"## {package.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_public_page_lists_what_there_is():
    import archcalc as package

    for name in package.__all__:
        assert getattr(package, name) is not None
    assert dir(package) == sorted(package.__all__)
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        package.laod  # noqa: B018
