"""``archcalc live``: the page that is edited live."""

from __future__ import annotations

from collections.abc import Callable

from archcalc.cli import names, values
from archcalc.cli.command import Argument, Arguments, Command, Option
from archcalc.cli.options import ALLOW_MISSING, PLUGIN, TRACEBACK
from archcalc.cli.streams import print_text


def run(args: Arguments) -> str:
    from archcalc.live.desk import Desk, Opened
    from archcalc.live.server import Server

    opened = Opened()
    if args.net is not None:
        from archcalc.live.opened import opened_net

        opened = opened_net(args.net, args.allow_missing)
    with Server(Desk(opened), args.port) as server:
        print_text(f"{server.link}\nThe page is served until Ctrl+C.\n")
        _start(server.desk.warm)
        if not args.no_browser:
            _start(_open_browser, server.link)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print_text("\n")
    return ""


def _start(run: Callable[..., object], *args: object) -> None:
    """Run a function beside the server."""
    from threading import Thread

    Thread(target=run, args=args, daemon=True).start()


def _open_browser(link: str) -> None:
    """Open the page in the user's browser."""
    import webbrowser

    webbrowser.open(link)


COMMAND = Command(
    "live",
    "a page in the browser: a spec is edited, and all numbers follow",
    "archcalc live vgg16",
    run,
    arguments=(
        Argument(
            "NET",
            "the network to start from: a name in the zoo, a file (a spec can be saved back), - for standard input, a "
            "one-line pattern, or a PyTorch model, whose code is imported and run",
            names.networks,
            least=0,
        ),
    ),
    options=(
        Option("--port", "serve at this port of 127.0.0.1 (a free one)", "N", values.whole, 0),
        Option("--no-browser", "print the link only"),
        PLUGIN,
        ALLOW_MISSING,
        TRACEBACK,
    ),
    page="live.md",
    waits=True,
)
