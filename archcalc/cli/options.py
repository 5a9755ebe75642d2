"""Arguments and options that several commands share. Each is declared once."""

from __future__ import annotations

from collections.abc import Mapping

from archcalc.cli import names, values
from archcalc.cli.command import Argument, Arguments, Names, Option
from archcalc.named_inputs import read_inputs

NET = Argument(
    "NET",
    "a name in the zoo; a spec file (FILE.yaml, or FILE.yaml:NAME if the file holds several networks); a network of Caffe "
    "(FILE.prototxt), darknet (FILE.cfg) or ONNX (FILE.onnx); - for standard input; a one-line pattern; or a PyTorch model, "
    "whose code is imported and run: torchvision:NAME, timm:NAME or torch:MODULE:NAME (a module, its class or a function). "
    "Settings follow an @: resnet50@option=c,classes=10",
    names.networks,
    most=None,
    shared=True,
)
SET = Option(
    "--set",
    "set a parameter of the spec, for every network of the command; may be given several times; --set help lists the "
    "parameters",
    "KEY=VALUE",
    values.setting,
    repeats=True,
    shared=True,
)
PLUGIN = Option(
    "--plugin",
    "import MODULE, a Python module that defines layer types, before specs are read; may be given several times; this "
    "runs the code of MODULE",
    "MODULE",
    names=names.modules,
    free=True,
    repeats=True,
    shared=True,
)
ALLOW_MISSING = Option(
    "--allow-missing",
    "read a network of another tool without the layers that have no counterpart; every count is then a lower bound",
    shared=True,
)
TRACEBACK = Option(
    "--traceback",
    "with an error, the lines of code that it comes from: those of a PyTorch model whose code fails, or those of archcalc",
    shared=True,
)
NET_OPTIONS = (SET, PLUGIN, ALLOW_MISSING, TRACEBACK)
"""Options of every command that accepts networks."""
INPUT = Option(
    "--input",
    "compute at this input, for example 3x320x320; several inputs have names: image=3x320x320,mask=1x80x80",
    "CxHxW",
    read_inputs,
    repeats=True,
    shared=True,
)
BATCH = Option("--batch", "number of images (1)", "N", values.whole, 1, shared=True)
DTYPE = Option(
    "--dtype",
    "type of a value in memory (float32); --dtype help lists all",
    "TYPE",
    default="float32",
    names=names.dtypes,
    shared=True,
)
CONVENTION = Option(
    "--as",
    "counting convention: cs231n, fvcore, thop ... (archcalc); --as help lists all",
    "CONVENTION",
    default="archcalc",
    names=names.conventions,
    key="convention",
    shared=True,
)
TRAINING = Option("--training", "count side heads too; they run in training only", shared=True)
COUNTING = (INPUT, BATCH, DTYPE, CONVENTION, TRAINING)
"""Options that define an analysis."""

ON = Option(
    "--on",
    "the device: a name, or a file of a device (FILE.yaml); archcalc devices lists the names",
    "DEVICE",
    names=names.known_devices,
    free=True,
    shared=True,
)
RUNNING = (
    Option("--compiled", "operators fused into kernels, as by torch.compile, instead of eager mode", shared=True),
    Option("--channels-last", "maps and weights channels-last", shared=True),
    Option("--tf32", "matrix products of float32 in TF32", shared=True),
)
"""Options that say how a network runs on a device."""
TIMING = (
    ON._replace(about="add the time on this device: a name, or a file of a device (FILE.yaml)", shared=False),
    Option("--amp", "with --on: mixed precision, as autocast to half precision"),
    *(option._replace(about=f"with --on: {option.about}", shared=False) for option in RUNNING),
)
"""Options that add the time on a device to a table of other figures."""

ZOO = Option("--all", "every network of the zoo", shared=True)
FORMAT = Option(
    "--format",
    "text, markdown, csv, latex, html or json; without --format, the extension of FILE decides (text)",
    "FORMAT",
    names=names.formats,
    shared=True,
)
EXACT = Option("--exact", "print all digits instead of K, M and G", shared=True)
VERBOSE = Option("--verbose", "explain the convention, the columns and the signs below the table", shared=True)
OUTPUT = Option("--output", "write to FILE instead of standard output", "FILE", short="-o", shared=True)
WHERE = Option(
    "--where",
    "only the networks that meet a condition, such as 'params < 5M and memory <= 8GiB'; --where help lists all figures",
    "CONDITION",
    names=names.figures,
    shared=True,
)
SORT = Option(
    "--sort",
    "sort by this column; with a - before it, the largest first; --sort help lists all",
    "COLUMN",
    shared=True,
    signed=True,
)
COLUMNS = Option(
    "--columns",
    "the columns to show, in this order, by name or by heading; --columns help lists all",
    "NAME,...",
    values.names,
    shared=True,
)


def columns(known: Names) -> Option:
    """The option ``--columns`` for a table with these columns."""
    return COLUMNS._replace(names=known)


def table_extensions(_: Arguments) -> Mapping[str, str]:
    """The formats of tables, by the extension of the output file."""
    from archcalc.report.formats import EXTENSIONS

    return EXTENSIONS
