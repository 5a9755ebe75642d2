"""The engine imports no framework, and the calculation does not know about output.

The first claim is checked in a fresh interpreter; a second test shows that the check can fail.
"""

import re
import shutil
import subprocess
import sys

import pytest

from archcalc.export.file import SOURCES
from tests.architecture import (
    CORE,
    DRAWING,
    FRAMEWORKS,
    PACKAGE,
    ROOMS,
    arrows,
    arrows_up,
    circles,
    draw,
    imported,
    modules_of,
    room,
    source,
    source_in,
    too_large,
)

USE = "import archcalc; archcalc.load('vgg16').analyze(batch=2).totals"


def frameworks_imported(code):
    """Which frameworks a fresh interpreter has imported after the code."""
    probe = f"{code}\nimport sys\nprint(*[name for name in {FRAMEWORKS} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_the_engine_imports_no_framework():
    assert frameworks_imported(USE) == []


def modules_after(code):
    """Every module that a fresh interpreter has loaded after the code."""
    probe = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_a_table_of_one_network_loads_what_it_uses():
    """A command starts in a blink: what serves files, folders, mistakes or other views is loaded by those."""
    unused = {"heapq", "json", "pathlib", "shutil", "archcalc.field.pixels_read", "archcalc.analysis.stages"}
    unused |= {"archcalc.plot.look", "archcalc.files", "archcalc.language.pattern", "archcalc.language.synonyms"}
    loaded = modules_after("from archcalc.cli.main import main; main(['table', 'vgg16'])")
    unused |= {"argparse", "archcalc.cli.help_text", "archcalc.cli.commands.memory", "archcalc.plot.kinds"}
    unused |= {"archcalc.memory.training", "archcalc.memory.backward"}
    assert "archcalc.report.layers" in loaded
    assert not unused & (loaded - modules_after("import yaml"))


def test_every_use_of_the_engine_stays_free_of_frameworks():
    assert (
        frameworks_imported("""
import archcalc
net = archcalc.load('vgg11')
analysis = net.analyze(input=(3, 64, 64), convention='cs231n', training=True)
analysis.fold(by='type'), analysis.fold(by='stage'), analysis.fold(depth=1)
try:
    net.analyze(input=(3, 1.5, 8))
except archcalc.ArchcalcError:
    pass
""")
        == []
    )


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_the_check_can_fail(name):
    pytest.importorskip(name)
    assert name in frameworks_imported(f"import {name}; {USE}")


SOURCE_TEXT = {PACKAGE / "export" / f"{name}.py" for name in SOURCES}
"""Layers that torch.nn lacks: to the export they are text, and modules to the witnesses alone."""


def test_every_room_has_its_place():
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert rooms == {*ROOMS, "__init__", "__main__"}


def test_every_folder_of_code_is_a_package():
    """A folder without an __init__.py would be left out of the wheel and of these tests."""
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert [folder.name for folder in folders if not (folder / "__init__.py").exists()] == []


def test_the_table_of_rooms_in_the_docs_is_whole():
    table = (PACKAGE.parent / "docs" / "design.md").read_text(encoding="utf-8").partition("| room | holds |")[2]
    listed = re.findall(r"`(\w+)(?:\.py|/)`", "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))
    assert sorted(listed) == sorted(ROOMS)


def test_the_drawing_shows_the_imports(overwrite):
    """Where it does not: python -m tests.architecture, which needs Graphviz."""
    if overwrite and shutil.which("dot"):
        draw()
    assert source_in(DRAWING.read_text(encoding="utf-8")) == source()


LARGE: set[str] = set()
"""What is still too large: this list only gets shorter."""


def test_modules_and_functions_are_small():
    """At most 300 lines in a module, 60 in a function, and 8 parameters (12 attributes in a constructor)."""
    assert too_large(PACKAGE) == LARGE


def test_what_is_too_large_is_seen(tmp_path):
    (tmp_path / "long.py").write_text("\n" * 301)
    (tmp_path / "functions.py").write_text(
        "def lines():\n"
        + "    pass\n" * 60
        + "def parameters(a, b, c, /, d, e, f, *, g, h, i): pass\ndef fits(): pass\n"
    )
    assert too_large(tmp_path) == {"long", "functions.lines", "functions.parameters"}


def test_numbers_flow_one_way():
    """Imports inside functions and those for a type checker included."""
    assert arrows_up(PACKAGE) == []


def test_no_modules_import_each_other():
    assert circles(PACKAGE) == []


@pytest.mark.parametrize("name", CORE)
def test_the_core_never_names_a_framework(name):
    """Not even inside a function: NumPy arrays pass through, the core does not make them."""
    paths = [path for module, path in modules_of(PACKAGE).items() if room(module) == name and path not in SOURCE_TEXT]
    assert paths
    for path in paths:
        reached = {module.partition(".")[0] for module in imported(path)} & set(FRAMEWORKS)
        assert not reached, f"{path.name} imports {reached}"


def test_the_text_of_missing_layers_is_imported_by_witnesses_alone():
    users = [name for name, targets in arrows(PACKAGE).items() if "export.missing_layers" in targets]
    assert {room(name) for name in users} == {"witness"}


@pytest.mark.parametrize(
    ("files", "up", "loop"),
    [
        ({"sizes.py": "from archcalc.cli import main", "cli/main.py": ""}, ["sizes -> cli.main"], []),
        ({"sizes.py": "def f():\n    import archcalc.cli.main", "cli/main.py": ""}, ["sizes -> cli.main"], []),
        (
            {"field/deep/a.py": "if TYPE_CHECKING:\n    from archcalc.report import table", "report/table.py": ""},
            ["field.deep.a -> report.table"],
            [],
        ),
        (
            {
                "report/a.py": "from archcalc.report import b",
                "report/b.py": "def f():\n    from archcalc.report.a import x",
            },
            [],
            ["report.a", "report.b"],
        ),
        (
            {"report/__init__.py": "from archcalc.report.a import x", "report/a.py": "from archcalc.report import y"},
            [],
            ["report", "report.a"],
        ),
        ({"report/a.py": "from archcalc.sizes import Shape", "sizes.py": ""}, [], []),
    ],
)
def test_each_kind_of_breach_is_seen(tmp_path, files, up, loop):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for folder in {path.parent for path in tmp_path.rglob("*.py")} - {tmp_path}:
        (folder / "__init__.py").touch()
    assert (arrows_up(tmp_path), circles(tmp_path)) == (up, loop)


def test_layers_do_without_math():
    """math.ceil and its like round through floats and do not survive arrays."""
    for path in (PACKAGE / "layers").rglob("*.py"):
        assert not [module for module in imported(path) if module.partition(".")[0] == "math"], path
