"""What a user installs: a wheel that has the specs, light dependencies, and a command that works outside a checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

from archcalc.version import __version__

ROOT = Path(__file__).parent.parent
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
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
    run(installed, "-m", "archcalc", "report", "lenet5", "-o", str(installed.parent / "report"), "--figures", "none")
    page = (installed.parent / "report" / "lenet5.html").read_text()
    assert "<h1>LeNet-5 (lenet5)</h1>" in page
    assert "addEventListener" in page
    assert "prefers-color-scheme: dark" in page


def test_the_wheel_works_outside_the_checkout(installed):
    where = run(
        installed, "-c", "import archcalc, archcalc.language.zoo as zoo; print(archcalc.__file__); print(zoo.specs())"
    )
    assert [Path(line).is_relative_to(installed) for line in where.split()] == [True, True]
    assert "138,357,544" in run(installed, "-m", "archcalc", "table", "vgg16")
    assert len(run(installed, "-m", "archcalc", "list", "--columns", "network", "--format", "csv").splitlines()) > 100


def test_the_wheel_has_nothing_but_the_package(installed):
    names = {path.name for path in installed.iterdir()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"archcalc"}
    assert any((installed / name / "licenses" / "LICENSE").exists() for name in names)


def test_a_plain_install_is_light():
    names = {dependency.split(">")[0].split("=")[0].strip().lower() for dependency in PROJECT["dependencies"]}
    assert names == {"pyyaml", "tabulate"}
    assert any(d.startswith("torch>=") for d in PROJECT["optional-dependencies"]["torch"])
    assert PROJECT["optional-dependencies"]["dataframe"] == ["pandas>=2.0"]


def test_all_brings_every_extra_of_a_user():
    extras = PROJECT["optional-dependencies"]
    named = re.fullmatch(r"archcalc\[([\w,]+)\]", extras["all"][0])[1].split(",")
    assert set(named) == set(extras) - {"all", "test"}


def without(installed: Path, module: str, code: str) -> str:
    """What the code prints where a module is not installed."""
    return run(installed, "-c", f"import sys; sys.modules[{module!r}] = None\n{code}")


@pytest.mark.parametrize(
    ("module", "code", "said"),
    [
        ("pandas", "analysis.to_dataframe()", "a data frame needs pandas: pip install 'archcalc[dataframe]'"),
        ("numpy", "print(analysis.totals.params)", "60000"),
        ("jinja2", "print(analysis._repr_html_()[:7])", "<table>"),
        (
            "jinja2",
            "from archcalc.pages.folder import plan; plan('pages', 'html', ['lenet5'])",
            "HTML pages need jinja2: pip install 'archcalc[report]'; or write Markdown: --format markdown",
        ),
        ("pandas", "print(len(str(analysis)) > 1000)", "True"),
    ],
)
def test_what_is_not_installed_is_said(installed, module, code, said):
    printed = without(
        installed,
        module,
        "import archcalc\nanalysis = archcalc.load('lenet5').analyze()\n"
        f"try:\n    {code}\nexcept archcalc.ArchcalcError as error:\n    print(error)",
    )
    assert printed == f"{said}\n"


USER = """
import archcalc

network = archcalc.load("vgg16", classes=10, norm=True)
analysis = network.analyze(input=(3, 224, 224), batch=2, dtype="float16", convention="cs231n")
reveal_type(network)
reveal_type(analysis)
reveal_type(analysis.totals.params)
reveal_type(analysis.totals.flops)
reveal_type(analysis["conv1_1"].shape)
reveal_type(analysis["conv1_1"].macs)
reveal_type(analysis.fold(depth=1)[0].name)
reveal_type(analysis.memory("adam").inference.peak(8))
reveal_type(network.about)
reveal_type(network.settings["classes"])
reveal_type(archcalc.networks())
reveal_type(archcalc.conventions["fvcore"].about)
reveal_type(archcalc.analyze(network, input=archcalc.Shape(3, (64, 64))).input)
try:
    archcalc.load("vgg61")
except archcalc.ArchcalcError as error:
    reveal_type(error.problems[0].line)
"""
REVEALED = [
    "archcalc.front.Network",
    "archcalc.front.Analysis",
    "int",
    "int | None",
    "archcalc.sizes.Shape | None",
    "int | None",
    "str",
    "int",
    "dict[str, str | float]",
    "bool | float | str | typing.Sequence[...] | typing.SupportsIndex | archcalc.types.Array | None",
    "dict[str, archcalc.language.family.Family]",
    "str",
    "archcalc.sizes.Shape",
    "int",
]
WRONG = {
    "archcalc.laod('vgg16')": 'Module has no attribute "laod"',
    "archcalc.load(16)": 'Argument 1 to "load" has incompatible type "int"',
    "archcalc.load('vgg16').analyze(input=3.5)": 'Argument "input" to "analyze" of "Network" has incompatible type',
    "archcalc.load('vgg16').analyze(batch='two')": 'Argument "batch" to "analyze" of "Network" has incompatible type',
    "archcalc.load('vgg16').analyze().totals.parms": '"Totals" has no attribute "parms"',
}


def checked(installed: Path, tmp_path: Path, script: str) -> str:
    """What mypy says, in strict mode, of a user's script where archcalc is installed."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    shutil.copytree(installed / "archcalc", site / "archcalc")
    (tmp_path / "script.py").write_text(script)
    python = tmp_path / "venv" / "bin" / "python"
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(python), "script.py"]
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "MYPYPATH")}
    return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False).stdout


def test_a_users_script_is_typed(installed, tmp_path):
    pytest.importorskip("mypy")
    out = checked(installed, tmp_path, USER)
    shape = "tuple[int, tuple[int, ...], fallback=archcalc.sizes.Shape]"  # how mypy writes a named tuple
    plain = out.replace(shape, "archcalc.sizes.Shape").replace("builtins.", "")
    types = re.findall(r'Revealed type is "(.*)"', plain)
    assert "Success" in out, out
    assert types == REVEALED


def test_a_users_slips_are_seen(installed, tmp_path):
    pytest.importorskip("mypy")
    out = checked(installed, tmp_path, "import archcalc\n" + "\n".join(WRONG))
    for line, said in enumerate(WRONG.values(), 2):
        assert f"script.py:{line}: error: {said}" in out


def test_the_public_functions_are_typed_without_any():
    """Nor are the attributes of the public classes; the data frame is typed though pandas need not be installed."""
    import typing

    import archcalc as package
    from archcalc import Analysis, Network, analysis, network

    for public in (
        package.load,
        package.networks,
        package.analyze,
        package.convention,
        package.ArchcalcError,
        network.Network,
        Network.__init__,
        Network.analyze,
        Network.at,
        analysis.Analysis,
        Analysis.memory,
        Analysis.to_dataframe,
    ):
        assert public.__annotations__
        assert not [said for said in map(str, public.__annotations__.values()) if re.search(r"\bAny\b", said)], public
    assert Analysis.to_dataframe.__annotations__["return"] == "DataFrame"
    assert typing.get_type_hints(package.networks)


def test_the_version_is_said_once(archcalc):
    import archcalc as package

    assert archcalc("--version") == (0, f"archcalc {package.__version__}\n", "")
    assert f"## {package.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_public_page_lists_what_there_is():
    import archcalc as package

    for name in package.__all__:
        assert getattr(package, name) is not None
    assert dir(package) == sorted(package.__all__)
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        package.laod  # noqa: B018


def test_a_citation_names_this_version():
    """The file was checked with cffconvert; what changes with a release is the version."""
    assert (CITATION["version"], CITATION["license"]) == (__version__, PROJECT["license"])
    assert CITATION["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(CITATION)
