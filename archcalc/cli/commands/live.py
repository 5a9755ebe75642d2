"""``archcalc live``: the page that is edited live."""

from __future__ import annotations

from collections.abc import Callable

from archcalc.cli import names, values
from archcalc.cli.command import Argument, Arguments, Command, Option
from archcalc.cli.options import ALLOW_MISSING, PLUGIN, TRACEBACK
from archcalc.cli.streams import print_text
from archcalc.errors import ArchcalcError


def run(args: Arguments) -> str:
    from archcalc.live.desk import Desk, Opened
    from archcalc.live.server import Server

    _check(args)
    opened = Opened()
    if args.net is not None:
        from archcalc.live.opened import opened_net

        opened = opened_net(args.net, args.allow_missing)
    if args.site is not None:
        from archcalc.live.site import write_site

        return write_site(args.site, opened, args.pyodide)
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


def _check(args: Arguments) -> None:
    """ArchcalcError if two options exclude each other."""
    if args.site is None and args.pyodide is not None:
        raise ArchcalcError("--pyodide is for a site: archcalc live --site DIR --pyodide DIR")
    if args.site is not None and (args.port or args.no_browser):
        raise ArchcalcError("--site writes a folder and serves nothing, so it takes neither --port nor --no-browser")
    if args.site is not None and args.plugin:
        raise ArchcalcError(
            "--plugin: a site cannot take the layer types of a plugin along; archcalc live without --site has them"
        )


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
        Option("--site", "write the page into the folder DIR, with the calculator in it, for any web host", "DIR"),
        Option("--pyodide", "with --site, take Pyodide from this folder, not from npm's node_modules", "DIR"),
        PLUGIN,
        ALLOW_MISSING,
        TRACEBACK,
    ),
    page="live.md",
    waits=True,
)
