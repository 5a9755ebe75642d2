"""Tests name what archcalc has: in ``module.name`` and in ``monkeypatch.setattr(module, "name", ...)``, also inside functions.

A type checker does not read the name in a string, and a test that does not run everywhere would not miss it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

TESTS = Path(__file__).parent


def missing(tree: ast.Module) -> Iterator[str]:
    """The names that modules of archcalc lack, with their lines."""
    nodes = list(ast.walk(tree))
    modules: dict[str, ModuleType] = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "archcalc":
            home = import_module(str(node.module))
            for name in node.names:
                if not hasattr(home, name.name):
                    with suppress(ModuleNotFoundError):
                        import_module(f"{node.module}.{name.name}")  # a module that nothing has imported yet
                if not hasattr(home, name.name):
                    yield f"{node.lineno}: {node.module}.{name.name}"
                elif isinstance(found := getattr(home, name.name), ModuleType):
                    modules[name.asname or name.name] = found
    set_here = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    set_here |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    for node in nodes:
        match node:
            case ast.Attribute(ast.Name(module), name):
                pass
            case ast.Call(ast.Attribute(_, "setattr" | "delattr"), [ast.Name(module), ast.Constant(str(name)), *_]):
                pass
            case _:
                continue
        if module in modules and module not in set_here and not hasattr(modules[module], name):
            yield f"{node.lineno}: {module}.{name}"


def test_tests_name_what_there_is() -> None:
    for framework in ("torch", "matplotlib"):
        pytest.importorskip(framework)
    files = {path: list(missing(ast.parse(path.read_text(encoding="utf-8")))) for path in TESTS.rglob("*.py")}
    assert {str(path): names for path, names in files.items() if names} == {}


def test_a_name_that_is_gone_is_seen() -> None:
    text = """
from archcalc.live import calculator
def test(monkeypatch):
    from archcalc.sizes import Shape, Shapes
    monkeypatch.setattr(calculator, "NET", ())
    monkeypatch.setattr(calculator, "MISTAKES", ())
    calculator.net
"""
    assert list(missing(ast.parse(text))) == ["4: archcalc.sizes.Shapes", "5: calculator.NET", "7: calculator.net"]
