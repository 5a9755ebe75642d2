"""The engine imports no framework, and the calculation does not know about output.

The first claim is checked in a fresh interpreter; a second test shows that the check can fail.
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import archcalc

PACKAGE = Path(archcalc.__file__).parent
FRAMEWORKS = ("torch", "torchvision", "numpy", "pandas", "matplotlib", "tabulate")
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
    assert "archcalc.report.layers" in loaded
    assert not unused & (loaded - modules_after("import argparse, yaml, tabulate"))


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


ROOMS = (
    *("errors", "version", "letters", "units", "files", "dtypes", "sizes", "types"),
    *("layers", "inputs", "settings_text", "network", "naming", "outputs", "language", "conventions"),
    *("pytorch", "field", "memory", "analysis", "export", "published", "witness", "report"),
    *("plugins", "front", "plot", "pages", "cli"),
)
"""The rooms from the ground up: each may import those before it, and none that comes after."""
CORE = ROOMS[: ROOMS.index("published")]
"""What calculates: it names no framework."""
SOURCE_TEXT = PACKAGE / "export" / "missing_layers.py"
"""Layers that torch.nn lacks: to the export it is text, and a module to the witnesses alone."""


def modules_of(package):
    """Every module of a package, by its dotted name below the package."""
    return {
        ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__"): path
        for path in package.rglob("*.py")
    }


def imported(path):
    """The modules that a file imports, wherever in it: at its top, in a function, or for a type checker."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a module comes from"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def arrows(package):
    """For every module of a package, the modules of the package that it imports."""
    modules = modules_of(package)
    found = {}
    for name, path in modules.items():
        targets = set()
        for full in imported(path):
            target = full.removeprefix("archcalc.") if full.startswith("archcalc.") else ""
            while target and target not in modules:
                target = target.rpartition(".")[0]
            targets |= {target} - {"", name}
        found[name] = targets
    return found


def room(module):
    return module.partition(".")[0]


def arrows_up(package, rooms=ROOMS):
    """The imports that run from a room to one above it."""
    place = {name: at for at, name in enumerate((*rooms, "__init__", "__main__"))}
    return [
        f"{module} -> {target}"
        for module, targets in sorted(arrows(package).items())
        for target in sorted(targets)
        if place[room(target)] > place[room(module)]
    ]


def circles(package):
    """The modules that import each other in a loop, of every loop once."""
    graph = {module: set(targets) for module, targets in arrows(package).items()}
    while free := [module for module, targets in graph.items() if not targets & graph.keys()]:
        for module in free:
            del graph[module]
    used = {target for targets in graph.values() for target in targets}
    return sorted(module for module in graph if module in used)


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


def test_numbers_flow_one_way():
    """Imports inside functions and those for a type checker included."""
    assert arrows_up(PACKAGE) == []


def test_no_modules_import_each_other():
    assert circles(PACKAGE) == []


@pytest.mark.parametrize("name", CORE)
def test_the_core_never_names_a_framework(name):
    """Not even inside a function: NumPy arrays pass through, the core does not make them."""
    paths = [path for module, path in modules_of(PACKAGE).items() if room(module) == name and path != SOURCE_TEXT]
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
