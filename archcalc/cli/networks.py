"""The networks and analyses for the values of a command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from archcalc.cli.command import Arguments
from archcalc.cli.names import listing, settings
from archcalc.errors import ArchcalcError, unknown

if TYPE_CHECKING:
    from archcalc.network import Network


def load_plugins(modules: Sequence[str]) -> None:
    """Import the modules of --plugin. Modules in the working directory are found too."""
    if not modules:
        return
    from archcalc.plugins import load_plugin

    with suppress(OSError):  # the working directory was deleted
        if "" not in sys.path and os.getcwd() not in sys.path:
            sys.path.append(os.getcwd())
    for module in modules:
        load_plugin(module)


def network(args: Arguments, net: str) -> Network:
    """The network with the command's settings. It is built only once, at the input size of the command."""
    from archcalc.language import load

    return load(net, input=input_of(args), allow_missing=getattr(args, "allow_missing", False), **dict(args.set))


def input_of(args: Arguments) -> Any:
    """The input of the command; None without ``--input``. Inputs with names add up, sizes alone replace earlier sizes."""
    found: Any = None
    for given in getattr(args, "input", ()):
        both = isinstance(found, dict) and isinstance(given, dict)
        found = {**found, **given} if both else given
    return found


def networks(args: Arguments) -> list[Network]:
    """The networks of a command. No two networks have the same name."""
    from archcalc.naming import call, distinct

    nets = [network(args, net) for given in args.net for net in matching(given)]
    call(nets, distinct(nets))
    return nets


def matching(net: str) -> list[str]:
    """The networks that a name with ``*`` or ``?`` stands for, each with the settings behind the ``@``; else the name.

    ArchcalcError if no network of the zoo, of timm or of torchvision has such a name.
    """
    from archcalc.language.zoo import is_pattern, networks, split_settings

    if is_pattern(net) or not set("*?") & set(net) or os.path.exists(net):
        return [net]
    names, settings = split_settings(net)
    origin, colon, pattern = names.rpartition(":")
    if colon and origin not in ("timm", "torchvision"):
        raise ArchcalcError(f"{net}: * and ? stand for names of the zoo, of timm: and of torchvision:")
    from fnmatch import fnmatchcase

    from archcalc.report.order import natural

    known: Iterable[str] = networks()
    if colon:
        from archcalc.language.imports import reader_module

        known = reader_module("capture.models", net).model_names(origin, net)
    found = sorted((name for name in known if fnmatchcase(name, pattern)), key=natural)
    if not found:
        raise ArchcalcError(unknown("network" if not colon else f"model of {origin}", pattern, known))
    return [f"{origin}{colon}{name}{'@' if settings else ''}{settings}" for name in found]


def analysis(args: Arguments, network: Network) -> Any:
    """The analysis of a network for the command's batch, dtype and convention."""
    from archcalc.analysis import analyze

    return analyze(network, batch=args.batch, dtype=args.dtype, convention=args.convention, training=args.training)


def analyses(args: Arguments) -> list[Any]:
    """The analyses of the command's networks."""
    return [analysis(args, network) for network in networks(args)]


def timing(args: Arguments) -> list[str]:
    """The options about a time that are given. ArchcalcError if the command has no device."""
    given = [name for name in ("amp", "compiled", "channels_last", "tf32") if getattr(args, name)]
    if given and args.on is None:
        raise ArchcalcError(f"--{given[0].replace('_', '-')} is about the time on a device: add --on DEVICE")
    return given


def time_request(args: Arguments) -> Any:
    """The request for a time that the command's options make; None without ``--on``."""
    timing(args)
    if args.on is None:
        return None
    if args.on == "all":
        raise ArchcalcError("this table has one device: --on rtx4090; archcalc time NET --on all shows all devices")
    from archcalc.report.time import TimeRequest

    return TimeRequest(**{name: getattr(args, name) for name in TimeRequest._fields if hasattr(args, name)})


def settings_text(args: Arguments) -> str:
    """The text for ``--set help``: the spec parameters of each network, with their defaults."""
    from archcalc.language import load

    if not args.net:
        raise ArchcalcError("--set help lists the parameters of a network: name one")
    parts = []
    for net in args.net if isinstance(args.net, list) else [args.net]:
        values = settings(net)
        count = f"{len(values) or 'no'} parameter{'' if len(values) == 1 else 's'} to set"
        parts.append(f"{load(net).full_name}: {count}\n{listing(values)}")
    return "\n".join(parts)
