"""The networks to check: those of a folder, all of a file, or those that a name stands for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from archcalc.errors import ArchcalcError, Problem
from archcalc.importing.formats import FORMATS, is_model
from archcalc.language.expand import network_of
from archcalc.language.settings import read_settings
from archcalc.language.zoo import (
    file_and_name,
    is_path,
    is_pattern,
    load_as,
    networks,
    read_file,
    split_settings,
)
from archcalc.network import Network

SPECS = (".yaml", ".yml", *FORMATS)
"""The files of a folder that are read."""


class Target(NamedTuple):
    """A network to check, and its settings as they were given."""

    network: Network
    settings: dict[str, Any]


def targets(
    net: str, input: Any, settings: Mapping[str, Any], allow_missing: bool, without: str = ""
) -> Iterator[Target]:
    """The networks of a folder of specs, of a file, or of a name. ``without``: a file of the folder that is no spec.

    ArchcalcError with the problems of all files of a folder.
    """
    if os.path.isdir(net):
        paths = [path for path in spec_files(net) if not without or not os.path.samefile(path, without)]
        if not paths:
            raise ArchcalcError(Problem(f"holds no specs; archcalc check reads {', '.join(SPECS)}", net))
        problems: list[Problem] = []
        for path in paths:
            try:
                yield from _of_file(path, input, settings, allow_missing)
            except ArchcalcError as error:
                problems += error.problems
        if problems:
            raise ArchcalcError(problems)
        return
    name, text = split_settings(net)
    given = {**settings, **(read_settings(text) if text else {})}
    if is_pattern(name) or is_model(name) or not is_path(name) or file_and_name(name)[1]:
        yield Target(load_as(Network, net, input, dict(settings), allow_missing), given)
    else:
        yield from _of_file(name, input, given, allow_missing)


def _of_file(path: str, input: Any, settings: Mapping[str, Any], allow_missing: bool) -> Iterator[Target]:
    family = read_file(path, input, allow_missing)
    for name in family.networks:
        network = network_of(Network, family, name, dict(settings), input)
        network.nodes  # noqa: B018  builds the layers, and raises their problems here
        yield Target(network, dict(settings))


def spec_files(folder: str) -> list[str]:
    """The specs, and the networks of other tools, in a folder itself."""
    names = sorted(name for name in os.listdir(folder) if name.lower().endswith(SPECS))
    return [path for path in (os.path.join(folder, name) for name in names) if os.path.isfile(path)]


def names_known(files: Iterable[str]) -> Iterator[str]:
    """The names of the zoo's networks, and of those in the folders of these files. What is no spec is passed over."""
    yield from networks()
    for folder in dict.fromkeys(os.path.dirname(os.path.abspath(file)) for file in files):
        for path in spec_files(folder):
            try:
                yield from read_file(path).networks
            except ArchcalcError:
                continue
