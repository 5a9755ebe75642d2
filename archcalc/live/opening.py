"""What the page shows first: the choices of its lists, and the networks of the zoo."""

from __future__ import annotations

import os
from typing import Any

from archcalc.conventions import FILES, convention
from archcalc.dtypes import DTYPES
from archcalc.errors import ArchcalcError
from archcalc.language.expand import network_of
from archcalc.language.settings import read_settings
from archcalc.language.zoo import find, folder, is_pattern, networks, split_settings, text_of
from archcalc.layers.settings import message_text
from archcalc.live.columns import columns
from archcalc.live.documents import refuse_files
from archcalc.live.exports import FORMATS
from archcalc.live.state import State
from archcalc.memory.budget import OPTIMIZERS
from archcalc.network import Network
from archcalc.version import __version__


def started() -> dict[str, Any]:
    """The answer of the operation ``start``."""
    return {
        "version": __version__,
        "dtypes": list(DTYPES),
        "conventions": [{"name": name, "about": convention(name).about} for name in FILES],
        "optimizers": list(OPTIMIZERS),
        "columns": columns(),
        "formats": list(FORMATS),
    }


def zoo() -> dict[str, Any]:
    """The answer of the operation ``zoo``: every network of the zoo."""
    found = []
    for name, family in networks().items():
        about = family.about | family.networks[name].about
        input = network_of(Network, family, name).input_text
        found.append(
            {
                "name": name,
                "title": str(about.get("title", name)),
                "year": about.get("year", ""),
                "input": input,
                "family": family.name,
            }
        )
    return {"networks": found}


def spec(net: Any) -> dict[str, Any]:
    """The answer of the operation ``spec``: the state of a network of the zoo, or of a pattern."""
    return {"state": state_of_net(net)._asdict()}


def state_of_net(net: Any) -> State:
    """The state that shows a network of the zoo with its settings, or a pattern."""
    if not isinstance(net, str) or not net.strip() or len(net) > 5_000:
        raise ArchcalcError(f"expected the name of a network of the zoo or a pattern, got {message_text(net)}")
    net = net.strip()
    if is_pattern(net):
        return State(net)
    refuse_files(net)
    name, text = split_settings(net)
    family = find(name)
    settings = read_settings(text) if text else {}
    network_of(Network, family, name, settings)  # refuses unknown settings
    path = os.path.join(folder(), f"{family.name}.yaml")
    return State(text_of(path), f"{family.name}.yaml", name, settings)
