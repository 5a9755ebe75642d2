"""Layer types from a module of the user: what is registered, and what is refused, each in a sentence."""

from __future__ import annotations

import pytest

from archcalc.errors import ArchcalcError
from archcalc.plugins import load_plugin

LAYER = """
from archcalc.layers.base import Pointwise
from archcalc.sizes import Work


class {name}(Pointwise, type="{type}"):
    def work(self, out, x):
        return Work(mul=x.values)
"""


REFUSED = [
    ("import no_such_module", "the module imports 'no_such_module', which is not installed"),
    ("\n1 / 0", "ZeroDivisionError (line 2): division by zero"),
    ("x = ", "SyntaxError: invalid syntax"),
    ("raise SystemExit(3)", "SystemExit (line 1): 3"),
    ("", "the module registers no layer type"),
    (LAYER.format(name="Relu", type="relu"), "two layers are called 'relu': Relu and Relu"),
    (LAYER.format(name="Mine", type="when"), "a layer cannot have the type 'when'"),
    (LAYER.format(name="Mine", type="my type"), "a layer cannot have the type 'my type'"),
    (LAYER.format(name="Mine", type="mine").partition("    def")[0] + "    pass", "does not state its work"),
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
