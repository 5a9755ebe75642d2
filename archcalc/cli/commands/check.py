"""``archcalc check``: networks against budgets, and against a baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from archcalc.cli import names
from archcalc.cli.command import Answer, Arguments, Command, Option
from archcalc.cli.networks import analysis, input_of
from archcalc.cli.options import COUNTING, NET, NET_OPTIONS, OUTPUT
from archcalc.errors import ArchcalcError, unknown

if TYPE_CHECKING:
    from archcalc.budgets.baseline import Baseline
    from archcalc.budgets.check import Question
    from archcalc.budgets.targets import Target
    from archcalc.report.check import Results


def run(args: Arguments) -> Answer:
    from archcalc.budgets.baseline import Baseline
    from archcalc.budgets.check import check
    from archcalc.conventions import convention
    from archcalc.report.check import Results
    from archcalc.report.check_formats import FORMATS
    from archcalc.report.header import Header

    if args.format not in FORMATS:
        raise ArchcalcError(unknown("format", args.format, FORMATS))
    _writable(args)
    with Baseline(args.baseline or "", args.allow_missing) as baseline:
        question = _question(args, baseline if args.baseline else None)
        found = _targets(args)
        if question.file is not None:
            _known(args, question, found)
        checked = check(found, question, lambda network: analysis(args, network), input_of(args))
    if not any(one.budgets for one in checked) and not (args.budget or args.baseline):
        raise ArchcalcError(
            "there is no budget to check: write budgets: into the spec, or add --budget FILE, --require CONDITION or "
            "--baseline git:REVISION"
        )
    header = Header(
        batch=args.batch, dtype=args.dtype, side_heads=args.training, convention=convention(args.convention)
    )
    results = Results(checked, header)
    _write(args, results)
    failed = bool(results.findings)
    said = [results.summary] if failed and args.output not in (None, "-") else []
    return Answer(FORMATS[args.format](results), said, status=1 if failed else 0)


def _question(args: Arguments, baseline: Baseline | None) -> Question:
    from archcalc.budgets.check import Question
    from archcalc.budgets.finding import Budget
    from archcalc.budgets.growth import growths, read_growth
    from archcalc.budgets.reading import BudgetFile

    if args.may_grow and baseline is None:
        raise ArchcalcError("--may-grow is a limit of growth since a baseline: add --baseline git:REVISION")
    limits = growths([read_growth(text) for text in args.may_grow]) if baseline is not None else []
    file = BudgetFile(args.budget) if args.budget else None
    return Question([Budget(text) for text in args.require], file, baseline, limits)


def _targets(args: Arguments) -> list[Target]:
    """The networks, each with another name. ArchcalcError with the problems of all files."""
    from archcalc.budgets.targets import Target, targets
    from archcalc.cli.networks import matching
    from archcalc.errors import Problem
    from archcalc.naming import call, distinct

    found, problems = list[Target](), list[Problem]()
    for net in (one for given in args.net for one in matching(given)):
        try:
            found += targets(net, input_of(args), dict(args.set), args.allow_missing, args.budget or "")
        except ArchcalcError as error:
            problems += error.problems
    if problems:
        raise ArchcalcError(problems)
    call([one.network for one in found], distinct([one.network for one in found]))
    return found


def _known(args: Arguments, question: Question, found: list[Target]) -> None:
    from archcalc.budgets.targets import names_known

    assert question.file is not None
    networks = [one.network for one in found]
    files = [args.budget, *(network.file for network in networks if network.origin == "file")]
    question.file.check(networks, lambda: names_known(files))


def _writable(args: Arguments) -> None:
    """Before any work, ArchcalcError if a file cannot be written."""
    from archcalc.files import check_writable

    for path in (args.output, args.junit, args.summary):
        if path not in (None, "-"):
            check_writable(path)


def _write(args: Arguments, results: Results) -> None:
    from archcalc.files import append, write
    from archcalc.report.check_formats import junit, markdown

    if args.junit is not None:
        write(args.junit, junit(results))
    if args.summary is not None:
        append(args.summary, markdown(results))


def _extensions(_: Arguments) -> Mapping[str, str]:
    from archcalc.report.check_formats import EXTENSIONS

    return EXTENSIONS


COMMAND = Command(
    "check",
    "networks against budgets and against a baseline, for CI; status 1 if something is over",
    "archcalc check resnet18 --require 'macs < 2G and peak < 8MB'",
    run,
    arguments=(
        NET._replace(
            about=f"a folder of specs, or {NET.about}. A file stands for all of its networks",
            shared=False,
        ),
    ),
    options=(
        Option("--budget", "a file of budgets: names of networks, with * and ?, and their conditions", "FILE"),
        Option(
            "--require",
            "a condition that every network must meet, such as 'macs < 4G'; may be given several times; --require help "
            "lists all figures",
            "CONDITION",
            names=names.figures,
            repeats=True,
        ),
        Option(
            "--baseline",
            "compare with the same files of a revision (git:main; no checkout is made), with a file or with a folder; "
            "params, macs, memory and peak must not grow",
            "BASELINE",
        ),
        Option(
            "--may-grow",
            "with --baseline: how much a figure may grow, such as macs=1%, peak=1MiB or params=any; may be given several "
            "times",
            "FIGURE=GROWTH",
            repeats=True,
        ),
        *NET_OPTIONS,
        *COUNTING,
        Option(
            "--format",
            "text, markdown, json, junit (XML) or github (annotations); without --format, the extension of FILE decides "
            "(text)",
            "FORMAT",
            names=names.check_formats,
        ),
        Option("--junit", "also write the result as JUnit XML to this file", "FILE"),
        Option("--summary", "also append the result as Markdown to this file, such as $GITHUB_STEP_SUMMARY", "FILE"),
        OUTPUT,
    ),
    extensions=_extensions,
    usual="text",
    page="check.md",
)
