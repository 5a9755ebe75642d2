"""The names that options and arguments accept, with short descriptions: for completion and for ``help`` as a name.

The names come from the modules that define them. Such a module is imported only when its names are needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archcalc.report.table import Heading


def listing(names: Mapping[str, str]) -> str:
    """The names as text, one name per line."""
    wide = max(map(len, names), default=0)
    return "".join(f"{name:<{wide}}  {about}".rstrip() + "\n" for name, about in names.items())


def networks(start: str = "") -> Mapping[str, str]:
    """Networks of the zoo, at least all whose name begins with ``start``. A name begins with its file's name."""
    from archcalc.language.zoo import families, zoo_family

    chosen = [zoo_family(stem) for stem in families() if stem.startswith(start) or start.startswith(stem)]
    return {
        name: str((family.about | family.networks[name].about).get("title", ""))
        for family in chosen
        for name in family.networks
    }


def conventions() -> Mapping[str, str]:
    from archcalc.conventions import conventions

    return {name: convention.about for name, convention in conventions.items()}


def dtypes() -> Mapping[str, str]:
    from archcalc.dtypes import DTYPES

    return {name: f"{size} byte{'s' if size > 1 else ''}" for name, size in DTYPES.items()}


def optimizers() -> Mapping[str, str]:
    from archcalc.memory.budget import OPTIMIZERS

    return dict.fromkeys(OPTIMIZERS, "")


def known_devices() -> Mapping[str, str]:
    from archcalc.timing.reading import devices

    return {one.name: one.title for one in devices()}


def timed_devices() -> Mapping[str, str]:
    return {**known_devices(), "all": "all of them, side by side"}


def time_columns() -> Mapping[str, str]:
    from archcalc.report.energy import ENERGY
    from archcalc.report.fastest import BATCHES
    from archcalc.report.time import DEVICES, LAYERS, PASSES

    return _titles((*LAYERS, *PASSES, ENERGY, *DEVICES, *BATCHES))


def attention_forms() -> Mapping[str, str]:
    from archcalc.pytorch.runner import ATTENTION_FORMS

    return dict.fromkeys(ATTENTION_FORMS, "")


def formats() -> Mapping[str, str]:
    from archcalc.report.formats import EXTENSIONS, FORMATS

    return {
        name: ", ".join(f".{extension}" for extension, format in EXTENSIONS.items() if format == name)
        for name in FORMATS
    }


def layer_formats() -> Mapping[str, str]:
    return {**formats(), "notes": "the lines of the CS231n course"}


def check_formats() -> Mapping[str, str]:
    from archcalc.report.check_formats import EXTENSIONS, FORMATS

    return {
        name: ", ".join(f".{extension}" for extension, format in EXTENSIONS.items() if format == name)
        for name in FORMATS
    }


def page_formats() -> Mapping[str, str]:
    from archcalc.pages.folder import FORMATS

    return dict.fromkeys(FORMATS, "")


def picture_formats() -> Mapping[str, str]:
    from archcalc.plot.kinds import FORMATS

    return {name: f".{name}" for name in FORMATS}


def kinds() -> Mapping[str, str]:
    from archcalc.plot.kinds import KINDS

    return {kind.name: kind.listed for kind in KINDS.values()}


def layer_columns() -> Mapping[str, str]:
    from archcalc.report.layers import CELLS

    return _titles(heading for heading, _ in CELLS.values())


def list_columns() -> Mapping[str, str]:
    from archcalc.report.zoo import HEADINGS

    return _titles(HEADINGS.values())


def compare_columns() -> Mapping[str, str]:
    from archcalc.report.compare import COLUMNS
    from archcalc.report.timed import RATES

    return _titles((*(heading for heading, _ in COLUMNS.values()), *RATES))


def figures() -> Mapping[str, str]:
    """What a condition can name."""
    from archcalc.conditions.figures import FIGURES, FUNCTIONS, LAYER
    from archcalc.conditions.reader import SETTING

    layers = {f"any(layer.{name} ...)": figure.about for name, figure in LAYER.items()}
    functions = {
        f"{name}({', '.join([*function.needs, *function.options])})": function.about
        for name, function in FUNCTIONS.items()
    }
    settings = {f"{SETTING}NAME": "a setting of the networks; its name alone if no figure has this name"}
    return {name: figure.about for name, figure in FIGURES.items()} | settings | functions | layers


def field_columns() -> Mapping[str, str]:
    from archcalc.report.receptive_field import HEADINGS

    return _titles(HEADINGS)


def memory_columns() -> Mapping[str, str]:
    """The columns of all tables of ``archcalc memory``. The other options decide which table is printed."""
    from archcalc.language import load
    from archcalc.report.budget import MemoryRequest, memory_table

    net = load("lenet5")
    requests = (
        MemoryRequest(),
        MemoryRequest(training=True),
        MemoryRequest(batches=[1], training=True),
        MemoryRequest(fit="1GiB", overhead="1B"),
    )
    return _titles(heading for request in requests for heading in memory_table(net, request).headings)


def _titles(headings: Iterable[Heading]) -> Mapping[str, str]:
    titles_of: dict[str, list[str]] = {}
    for heading in headings:
        titles = titles_of.setdefault(heading.name, [])
        if heading.title.casefold() != heading.name and heading.title not in titles:
            titles.append(heading.title)
    return {name: f"headed {', '.join(titles)}" if titles else "" for name, titles in titles_of.items()}


def folds() -> Mapping[str, str]:
    return {"type": "a row per layer type", "stage": "a row per run of layers on maps of one size"}


def devices() -> Mapping[str, str]:
    return dict.fromkeys(("auto", "cpu", "cuda", "meta"), "")


def run_devices() -> Mapping[str, str]:
    return dict.fromkeys(("auto", "cpu", "cuda"), "")


def measured_columns() -> Mapping[str, str]:
    from archcalc.report.measured import BESIDE, MEASURED, RELATIVE, SUMMARY

    return _titles((*MEASURED, *SUMMARY, *BESIDE, RELATIVE))


def targets() -> Mapping[str, str]:
    return {"torch": "PyTorch source"}


def modules() -> Mapping[str, str]:
    """The Python modules in the working directory: any of them may define layer types."""
    from pathlib import Path

    return {path.stem: "" for path in sorted(Path().glob("*.py")) if path.stem.isidentifier()}


def settings(net: str) -> Mapping[str, str]:
    """The spec parameters of a network, with their defaults."""
    from archcalc.language import load
    from archcalc.settings_text import setting_text

    return {key: setting_text(value) for key, value in load(net).settings.items()}


def commands() -> Mapping[str, str]:
    from archcalc.cli.registry import commands

    return {command.name: command.about for command in commands()}


def shells() -> Mapping[str, str]:
    from archcalc.cli.shells import PLACES

    return {name: f"save the script as {place}" for name, place in PLACES.items()}
