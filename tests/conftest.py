"""Options and fixtures for all tests."""

from __future__ import annotations

import gc
import math
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from archcalc.analysis import formulas, prepare
from archcalc.cli import main
from archcalc.layers import base
from archcalc.layers.known import kept
from archcalc.pytorch import record
from tests.live.browser import CHROMIUM, OFFLINE

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # else a thread of torch that waits for another takes a whole core
if "PYTEST_XDIST_WORKER" in os.environ:  # torch takes every core by itself; set before anything imports it
    os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each program that a test starts compiles archcalc again
sys.dont_write_bytecode = False  # else every run of pytest compiles all tests again
gc.set_threshold(
    50_000, 20, 20
)  # few of the objects that tests make are garbage: a seventh of all time went into looking

settings.register_profile("repeatable", derandomize=True, database=None)
settings.register_profile(
    "thorough", max_examples=10_000, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
if settings.get_current_profile_name() == "default":  # every run draws the same examples, unless a profile is asked for
    settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--overwrite", action="store_true", help="write the golden outputs and the docs' outputs anew")


def pytest_collection_finish() -> None:
    """What is loaded now stays to the end: the collector of cycles need not walk through it again."""
    gc.freeze()


@pytest.fixture
def overwrite(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--overwrite"))


@pytest.fixture(scope="session", autouse=True)
def _no_width() -> Iterator[None]:
    """No table is cut to the width of the terminal that the tests were started in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COLUMNS", raising=False)
        yield


@pytest.fixture(autouse=True)
def own_numbers() -> None:
    """No test has the numbers of layers from another test, because some tests change the facts of a layer."""
    kept.cache_clear()


@pytest.fixture(autouse=True)
def layer_by_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every network is computed layer by layer, which is what formulas are compared with."""
    monkeypatch.setattr(prepare, "sums_of", lambda case: None)
    monkeypatch.setattr(formulas, "FIRST", math.inf)


@pytest.fixture
def archcalc(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command in this process: its exit status, standard output and standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(arguments)
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A browser, started once: each test has a page with nothing in its store."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install playwright")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=OFFLINE.split())
        yield opened
        opened.close()


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Write a module that Python finds; its name. What the module registers is gone after the test."""
    monkeypatch.syspath_prepend(tmp_path)
    registries = (base._registry, record._records)
    before = [set(registry) for registry in registries]
    names: list[str] = []

    def write(text: str) -> str:
        names.append(f"plugin_{tmp_path.name}_{len(names)}")
        (tmp_path / f"{names[-1]}.py").write_text(text)
        return names[-1]

    yield write
    for registry, types in zip(registries, before, strict=True):
        for type in registry.keys() - types:
            del registry[type]
    for name in names:
        sys.modules.pop(name, None)
