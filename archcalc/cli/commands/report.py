"""``archcalc report``: a page per network, and an index."""

from __future__ import annotations

import os

from archcalc.cli import names, values
from archcalc.cli.command import Answer, Arguments, Command, Option
from archcalc.cli.networks import networks, time_request
from archcalc.cli.options import INPUT, NET, NET_OPTIONS, TIMING, ZOO
from archcalc.cli.printing import progress, warnings_said
from archcalc.errors import ArchcalcError, Problem


def run(args: Arguments) -> Answer:
    from archcalc import language
    from archcalc.pages import folder

    _check(args)
    nets = networks(args)
    full_names = list(language.networks()) if args.all else [net.full_name for net in nets]
    request = time_request(args)
    plan = folder.plan(
        args.folder, args.format, full_names, folder.figure_names(args.figures, nets), args.verification, request
    )
    jobs = min(args.jobs or os.cpu_count() or 1, len(full_names))
    steps = folder.write_pages(full_names, plan, jobs) if args.all else folder.write_pages(nets, plan)
    with warnings_said():
        pages = list(progress(steps, len(full_names)))
    problems = [str(Problem(f"{page.network}: {page.problem}")) for page in pages if page.problem]
    text = ""
    if len(problems) < len(pages):  # without a page, an index would look like a report
        try:
            text = f"{folder.write_index(pages, plan)}\n"
        except ArchcalcError as error:
            problems += map(str, error.problems)
    return Answer(text, problems, status=2 if problems else 0)


def _check(args: Arguments) -> None:
    """ArchcalcError if two options exclude each other."""
    if not args.folder:
        raise ArchcalcError("a report goes into a directory: add -o DIR, such as -o report")
    if args.folder == "-":
        raise ArchcalcError("a report is several files: -o takes a directory, such as -o report, not standard output")
    if args.all == bool(args.net):
        raise ArchcalcError("report takes networks, or --all for the whole zoo")
    if args.all and (args.set or args.input):
        raise ArchcalcError("--all reports every network as it stands; --set and --input are for single ones")
    if args.jobs is not None and args.jobs < 1:
        raise ArchcalcError(f"--jobs: expected at least 1, got {args.jobs}")


COMMAND = Command(
    "report",
    "a page for each network with all of archcalc's figures, and an index that compares the networks",
    "archcalc report alexnet vgg16 resnet50 -o report",
    run,
    arguments=(NET._replace(least=0),),
    options=(
        *NET_OPTIONS,
        ZOO,
        INPUT,
        Option(
            "--format",
            "html, markdown (with CSV) or csv (html)",
            "FORMAT",
            default="html",
            names=names.page_formats,
        ),
        Option("--figures", "the networks to draw pictures of; none for no pictures (all)", "NET,...", values.names),
        Option("--verification", "show the results of this table of archcalc verify --all", "FILE"),
        *TIMING,
        Option("--jobs", "networks at once, with --all (one per core)", "N", values.whole),
        Option("--output", "the directory to write the pages into", "DIR", key="folder", short="-o"),
    ),
    page="reports.md",
)
