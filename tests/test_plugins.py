"""Layer types from a module of the user: what is registered, and what is refused, each in a sentence."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from archcalc import load
from archcalc.conventions import conventions
from archcalc.errors import ArchcalcError
from archcalc.language.schema import schema
from archcalc.layers import base
from archcalc.plugins import load_plugin

ROOT = Path(__file__).parent.parent
SECTION = (ROOT / "docs" / "library.md").read_text().partition("## A layer type of your own")[2]
CELU, USE = re.findall(r"^```python\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)[:2]
"""The module of the docs, and its use."""
SPEC = "input: [3, 32, 32]\nlayers:\n- conv: {out: 8, kernel: 3, pad: 1}\n- celu\n"

LAYER = """
from archcalc.layers.base import Pointwise
from archcalc.sizes import Work


class {name}(Pointwise, type="{type}"):
    def work(self, out, x):
        return Work(mul=x.values)
"""


RECORD = """
from archcalc.pytorch.rearrange import IdentityRecord
class {name}Record(IdentityRecord, type="{type}"):
    pass
"""
MINE = LAYER.format(name="Mine", type="mine")
REFUSED = [
    ("import no_such_module", "the module imports 'no_such_module', which is not installed"),
    ("\n1 / 0", "ZeroDivisionError (line 2): division by zero"),
    ("x = ", "SyntaxError: invalid syntax"),
    ("raise SystemExit(3)", "SystemExit (line 1): 3"),
    ("", "the module registers no layer type"),
    (LAYER.format(name="Relu", type="relu"), "two layers are called 'relu': Relu and Relu"),
    (LAYER.format(name="Mine", type="when"), "a layer cannot have the type 'when'"),
    (LAYER.format(name="Mine", type="my type"), "a layer cannot have the type 'my type'"),
    (MINE.partition("    def")[0] + "    pass", "layer 'mine' does not state its work"),
    (MINE, "the layer type 'mine' (Mine) has no PyTorch record: add class MineRecord(Record, type='mine')"),
    (MINE + RECORD.format(name="Other", type="other"), "OtherRecord is of 'other', and no layer is called so"),
    (MINE + RECORD.format(name="Relu", type="relu"), "two PyTorch records are of 'relu': ReluRecord and ReluRecord"),
    (
        MINE + "from archcalc.pytorch import Record\nclass MineRecord(Record, type='mine'):\n    in_place = False",
        "the PyTorch record of 'mine' does not state its code, run, saves_input, saves_output, keeps_format, stand_in",
    ),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[message[:30] for _, message in REFUSED])
def test_what_is_no_plugin(plugin, text, message):
    name = plugin(text)
    with pytest.raises(ArchcalcError) as raised:
        load_plugin(name)
    assert str(raised.value).startswith(f"plugin {name}: ")
    assert message in str(raised.value)


def test_a_module_that_does_not_exist():
    with pytest.raises(ArchcalcError, match="plugin no_such_module: there is no module 'no_such_module' on Python's"):
        load_plugin("no_such_module")


@pytest.mark.parametrize("name", ["my_layers.py", "./my_layers", "my layers", ".my_layers", ""])
def test_a_plugin_is_named_as_a_module(name):
    with pytest.raises(ArchcalcError) as raised:
        load_plugin(name)
    message = "expected the name of a Python module, such as my_layers for my_layers.py"
    assert str(raised.value) == f"plugin {name}: {message}"


@pytest.fixture
def spec(tmp_path) -> str:
    (tmp_path / "net.yaml").write_text(SPEC)
    return str(tmp_path / "net.yaml")


def test_the_layer_type_of_the_docs(plugin, spec):
    with pytest.raises(ArchcalcError, match="has no layer 'celu'"):
        load(spec)
    assert load_plugin(plugin(CELU)) == ("celu",)
    network = load(spec)
    row = network.analyze()["celu"]
    assert (row.work.exp, row.work.mul) == (8 * 32 * 32, 0)
    # In training it saves its output, 8 x 32 x 32 values of 4 bytes.
    assert network.analyze().memory().training.saved_bytes() == 8 * 32 * 32 * 4
    assert "celu" in schema()["$defs"]


def test_no_convention_of_others_knows_the_layer_type(plugin, spec):
    load_plugin(plugin(CELU))
    network = load(spec)
    for name, convention in conventions.items():
        analysis = network.analyze(convention=convention)
        covers = name in ("archcalc", "paper", "cs231n")
        assert analysis.unknown_types == (() if covers else ("celu",)), name


def test_the_layer_type_of_the_docs_as_pytorch_has_it(plugin, spec):
    torch = pytest.importorskip("torch")
    from archcalc.memory.lifetime import overwritten
    from archcalc.memory.training import training
    from archcalc.witness import memory
    from archcalc.witness.built import Built

    load_plugin(plugin(CELU))
    network = load(spec)
    module, image = Built(network, overwritten(network)), torch.zeros(2, 3, 32, 32)
    assert isinstance(module.get_submodule("celu"), torch.nn.CELU)
    schedule = training(network, sums_in_place=False)
    assert memory.saved_bytes(module, image) == schedule.saved_bytes(2)
    assert memory.moment_difference(schedule, memory.training_live(module, image), 2) == ""


def test_an_import_is_enough(tmp_path, spec):
    """In a fresh interpreter, as the docs have it; and a layer without a record is refused when a spec is read."""
    (tmp_path / "celu.py").write_text(CELU)
    (tmp_path / "half.py").write_text(CELU.partition("class CeluRecord")[0])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}

    def run(code: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    assert "8x32x32" in run(USE).stdout
    done = run(USE.replace("import celu", "import half"))
    sentence = "the layer type 'celu' (Celu) has no PyTorch record: add class CeluRecord(Record, type='celu')"
    assert done.stderr.splitlines()[-1].endswith(sentence)


def test_a_spec_cannot_load_a_plugin(tmp_path):
    (tmp_path / "net.yaml").write_text("plugin: os\n" + SPEC.replace("celu", "relu"))
    with pytest.raises(ArchcalcError, match="plugin"):
        load(str(tmp_path / "net.yaml"))
    assert "plugin" not in json.dumps(schema())


def test_a_module_that_runs_again_takes_the_place_of_its_first_run(plugin):
    name = plugin(CELU)
    load_plugin(name)
    first = base.registry["celu"]
    del sys.modules[name]
    assert load_plugin(name) == ("celu",)
    assert base.registry["celu"] is not first
