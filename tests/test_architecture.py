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
    unused = {"heapq", "json", "pathlib", "shutil", "archcalc.analysis.positions", "archcalc.analysis.stages"}
    unused |= {"archcalc.plot.look", "archcalc.report.files", "archcalc.spec.pattern", "archcalc.spec.synonyms"}
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


def imports(path, everywhere):
    """The modules that a file imports: when it is imported itself, or everywhere."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    if not everywhere:
        inside = {
            id(n)
            for f in nodes
            if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for n in ast.walk(f)
        }
        inside |= {
            id(n)
            for i in nodes
            if isinstance(i, ast.If) and ast.unparse(i.test) == "TYPE_CHECKING"
            for n in ast.walk(i)
        }
        nodes = [n for n in nodes if id(n) not in inside]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a module comes from"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files(room):
    """The files of a room, those of folders inside it included."""
    return [PACKAGE / f"{room}.py"] if (PACKAGE / f"{room}.py").exists() else sorted((PACKAGE / room).rglob("*.py"))


def within(module, room):
    return module == room or module.startswith(f"{room}.")


# What each room of the core may import of the others: one direction, no way back.
BELOW = {
    "errors": (),
    "letters": (),
    "sizes": ("errors",),
    "field": ("errors", "sizes"),
    "types": ("sizes",),
    "layers": ("errors", "sizes"),
    "naming": ("errors", "sizes"),
    "inputs": ("errors", "sizes", "layers"),
    "network": ("errors", "sizes", "layers", "naming", "inputs"),
    "outputs": ("errors", "naming", "network"),
    "conventions": ("errors", "sizes", "layers"),
    "spec": ("errors", "sizes", "layers", "letters", "naming", "inputs", "network", "outputs"),
    "analysis": ("errors", "sizes", "field", "layers", "letters", "inputs", "network", "conventions"),
}
CORE = tuple(BELOW)
OUTPUT = ("archcalc.report", "archcalc.cli", "archcalc.plot", "archcalc.witness", "archcalc.published")
ENTRANCES = ("__init__", "__main__", "version")


def test_every_room_is_listed():
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert rooms == {*CORE, *(room.removeprefix("archcalc.") for room in OUTPUT), *ENTRANCES}


def test_the_table_of_rooms_in_the_docs_is_whole():
    table = (PACKAGE.parent / "docs" / "design.md").read_text(encoding="utf-8").partition("| room | holds |")[2]
    listed = re.findall(r"^\| `(\w+)(?:\.py|/)` \|", table, re.MULTILINE)
    assert sorted(listed) == sorted((*CORE, *(room.removeprefix("archcalc.") for room in OUTPUT)))


@pytest.mark.parametrize("room", CORE)
def test_the_core_does_not_know_about_output(room):
    assert files(room)
    for path in files(room):
        reached = [m for m in imports(path, everywhere=False) if any(within(m, room) for room in OUTPUT)]
        assert not reached, f"{path.name} imports {reached}"


@pytest.mark.parametrize("room", CORE)
def test_the_core_never_names_a_framework(room):
    """Not even inside a function: numpy arrays pass through, the core does not make them."""
    for path in files(room):
        reached = [m for m in imports(path, everywhere=True) if any(within(m, name) for name in FRAMEWORKS)]
        assert not reached, f"{path.name} imports {reached}"


@pytest.mark.parametrize("room", BELOW)
def test_numbers_flow_one_way(room):
    allowed = (f"archcalc.{room}", *(f"archcalc.{name}" for name in BELOW[room]))
    for path in files(room):
        upward = [
            m
            for m in imports(path, everywhere=False)
            if m.startswith("archcalc.") and not any(within(m, name) for name in allowed)
        ]
        assert not upward, f"{path.name} imports {upward}"


def test_layers_do_without_math():
    """math.ceil and its like round through floats and do not survive arrays."""
    for path in files("layers"):
        assert not [m for m in imports(path, everywhere=True) if within(m, "math")], path
