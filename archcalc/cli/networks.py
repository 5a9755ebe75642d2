"""The networks and analyses that a command line asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archcalc.cli.command import Arguments
from archcalc.cli.names import listing, settings
from archcalc.errors import ArchcalcError

if TYPE_CHECKING:
    from archcalc.network import Network


def network(args: Arguments, net: str) -> Network:
    """The network with the command's settings, built at the input that is asked for and at no other."""
    from archcalc.language import load

    return load(net, input=getattr(args, "input", None), **dict(args.set))


def networks(args: Arguments) -> list[Network]:
    """The networks of a command, of which no two are called the same."""
    from archcalc.naming import call, distinct

    nets = [network(args, net) for net in args.net]
    call(nets, distinct(nets))
    return nets


def analysis(args: Arguments, network: Network) -> Any:
    """The analysis of a network for the command's batch, dtype and convention."""
    from archcalc.analysis import analyze

    return analyze(network, batch=args.batch, dtype=args.dtype, convention=args.convention, training=args.training)


def analyses(args: Arguments) -> list[Any]:
    """The analyses of the command's networks."""
    return [analysis(args, network) for network in networks(args)]


def settings_text(args: Arguments) -> str:
    """The parameters of each network's spec with their defaults, as ``--set help`` lists them."""
    from archcalc.language import load

    if not args.net:
        raise ArchcalcError("--set help lists the parameters of a network: name one")
    parts = []
    for net in args.net if isinstance(args.net, list) else [args.net]:
        values = settings(net)
        count = f"{len(values) or 'no'} parameter{'' if len(values) == 1 else 's'} to set"
        parts.append(f"{load(net).full_name}: {count}\n{listing(values)}")
    return "\n".join(parts)
