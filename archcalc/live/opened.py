"""The network that ``archcalc live`` was started with. The user named it, so files and models are read here."""

from __future__ import annotations

import os

from archcalc.importing.formats import format_of, format_of_text, is_model
from archcalc.language.settings import read_settings
from archcalc.language.zoo import file_and_name, is_path, is_pattern, split_settings, text_of
from archcalc.live.desk import Opened
from archcalc.live.opening import state_of_net
from archcalc.live.state import State


def opened_net(net: str, allow_missing: bool = False) -> Opened:
    """What the page shows first. A spec with mistakes is opened too: the page shows them.

    ArchcalcError for a network that does not exist, and for a file that cannot be read.
    """
    if is_pattern(net):
        return Opened(state_of_net(net))
    name, text = split_settings(net)
    settings = read_settings(text) if text else {}
    if is_model(name):
        return _imported(name, allow_missing)
    if not is_path(name):
        return Opened(state_of_net(net))
    path, wanted = file_and_name(name)
    text = "" if format_of(path) else text_of(path)
    if not text or format_of_text(text):
        return _imported(path, allow_missing)
    file = "" if path == "-" else os.path.basename(path)
    state = State(text, file, wanted, settings)
    return Opened(state, "" if path == "-" else os.path.abspath(path), file)


def _imported(net: str, allow_missing: bool) -> Opened:
    """A network of another tool as a spec, which has no file of its own."""
    from archcalc.language.written import import_spec

    stem = os.path.splitext(os.path.basename(net.rpartition(":")[2] if is_model(net) else net))[0]
    return Opened(State(import_spec(net, None, allow_missing), "" if stem in ("", "-") else f"{stem}.yaml"))
