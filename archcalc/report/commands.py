"""Commands in texts: who types one gets the same numbers."""

from __future__ import annotations

import re

from archcalc.network import Network
from archcalc.settings_text import full_name


def command_text(command: str, network: Network, more: str = "", *, batch: int = 1, dtype: str = "float32") -> str:
    """The command for a network at its input. NET stands for a network that is not in the zoo.

    >>> from archcalc import load
    >>> command_text("memory", load("vgg16", input=(3, 64, 64)), batch=8, dtype="float16")
    'archcalc memory vgg16 --input 3x64x64 --batch 8 --dtype float16'
    """
    name = full_name(network.name, network.settings_changed) if network.zoo_name else "NET"
    words = ["archcalc", command, name if re.fullmatch(r"[\w@=,.+-]+", name) else f"'{name}'"]
    words += [] if network.at_own_input else ["--input", network.input_text]
    words += [] if batch == 1 else ["--batch", str(batch)]
    words += [] if dtype == "float32" else ["--dtype", dtype]
    return " ".join([*words, *filter(None, [more])])
