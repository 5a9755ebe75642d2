"""Layer types from a user's module: a layer class with four facts, and a record of what PyTorch does with the layer.

The import of the module registers both. A spec cannot load a plugin. Only ``load_plugin`` or an import can.
"""

from __future__ import annotations

import sys
from importlib import import_module

from archcalc.errors import ArchcalcError
from archcalc.language.keywords import FAMILY, KINDS, OPTIONS, PARAM, RESERVED
from archcalc.layers import BUILT_IN, registry

WORDS = frozenset((*OPTIONS, *KINDS, *FAMILY, *RESERVED))
"""Words of the spec language. No layer type can have one of these names."""


def load_plugin(name: str) -> tuple[str, ...]:
    """Import a module that registers layer types; returns these types.

    ArchcalcError if there is no such module, if the module has an error or no layer type, if a type exists already, or
    if a type lacks a fact.
    """
    if name.endswith(".py") or not all(part.isidentifier() for part in name.split(".")):
        raise ArchcalcError(f"plugin {name}: expected the name of a Python module, such as my_layers for my_layers.py")
    before = dict(registry)
    try:
        import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if name == missing or name.startswith(f"{missing}."):
            raise ArchcalcError(f"plugin {name}: there is no module {missing!r} on Python's path") from None
        raise ArchcalcError(f"plugin {name}: the module imports {missing!r}, which is not installed") from None
    except ArchcalcError as error:
        raise ArchcalcError(f"plugin {name}: {error}") from None
    except (Exception, SystemExit) as error:
        place = f" (line {line})" if (line := _line(error, name)) else ""
        raise ArchcalcError(f"plugin {name}: {type(error).__name__}{place}: {error}") from None
    types = tuple(
        type
        for type, layer in registry.items()
        if type not in BUILT_IN
        and (before.get(type) is not layer or layer.__module__ == name or layer.__module__.startswith(f"{name}."))
    )
    if not types:
        raise ArchcalcError(f"plugin {name}: the module registers no layer type (class Mine(Layer, type='mine'))")
    try:
        check_plugins()
    except ArchcalcError as error:
        raise ArchcalcError(f"plugin {name}: {error}") from None
    return types


def check_plugins() -> None:
    """ArchcalcError unless every layer type of a plugin is complete and has a valid name."""
    if len(registry) == len(BUILT_IN):
        return
    from archcalc.pytorch import gaps

    plugins = [type for type in registry if type not in BUILT_IN]
    problems = gaps(plugins)
    for type in plugins:
        if type in WORDS or not PARAM.fullmatch(type):
            problems.append(
                f"a layer cannot have the type {type!r}: a type is a word of letters, digits and _ that specs do not use "
                "for anything else"
            )
    if problems:
        raise ArchcalcError("; ".join(problems))


def _line(error: BaseException, name: str) -> int:
    """The line of the plugin that led to the error; 0 if the plugin has no such line."""
    file = getattr(sys.modules.get(name), "__file__", None)
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == name or trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
