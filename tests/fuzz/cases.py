"""A case is a command line with the files that it reads."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from tests.fuzz.specs import NAMES, spec
from tests.fuzz.texts import NASTY, TINY, damaged_text, damaged_tree, letters, pattern

FORMATS = ["text", "text", "markdown", "csv", "latex", "html", "json"]
EXTENSIONS = {"txt": "text", "md": "markdown", "csv": "csv", "tex": "latex", "html": "html", "json": "json"}
ZOO = ["lenet5", "alexnet", "vgg11", "resnet18", "squeezenet", "resnet_cifar20", "shufflenet_v2_x0_5"]
ELEMENTS = ["CONV3-8", "RELU", "POOL2", "[RELU -> POOL2]*2", "[CONV3-4 -> RELU]*3", "BN", "CONV3-4 s2 p1", "GAP"]
SETTINGS = [
    "width=3",
    "width=6",
    "deep=false",
    "width=2",
    "width=4",
    "width=1e999",
    "xs=[1]",
    "xs=[]",
    "width=99999999999999999999",
    "w=1",
    "=",
    "xs=[[1]]",
]
INPUTS = [
    "3x32x32",
    "3x32x32",
    "3x16x16",
    "3x64x64",
    "3x8x8",
    "1x16",
    "3x224x224",
    "32x32x3",
    "3",
    "1x3x8x8",
    "3x60000x60000",
    "3x999999999x2",
    "0x1x1",
    "x",
    "in0=3x16x16,in1=3x16x16",
    "in1=8",
    "in0=16x16,,=x",
    "input=3x8x8",
]
SIZES = ["24GiB", "1B", "100MB", "0B", "1e999GiB", "-1GiB", "99999999999999999999TiB", "nanB", "5", "", "1GB"]


class Case(NamedTuple):
    """What is run: the arguments, the text of the files and of standard input, and the format that is to come out."""

    arguments: list[str]
    files: dict[str, str]
    stdin: str
    format: str


def case(random: Random) -> Case:
    """A random case."""
    files = {"case.yaml": text(random)}
    command = random.choices(list(COMMANDS), [weight for weight, _ in COMMANDS.values()])[0]
    arguments, format = COMMANDS[command][1](random, files)
    if random.random() < 0.03:
        arguments.insert(random.randint(0, len(arguments)), random.choice([*NASTY, "--help", "-h", "help"]))
        format = ""
    if random.random() < 0.02:
        del arguments[random.randrange(len(arguments) + 1) :]
        format = ""
    arguments = [argument.replace("\0", "") for argument in arguments]  # no system passes it on
    return Case([command, *arguments], files, files["case.yaml"], format)


def text(random: Random) -> str:
    """What stands in a spec: mostly a network, at times one that is damaged, at times noise."""
    draw = random.random()
    if draw < 0.76:
        return spec(random)
    if draw < 0.79:
        return damaged_text(random, spec(random))
    if draw < 0.82:
        return damaged_tree(random, spec(random))
    if draw < 0.86:
        return damaged_text(random, TINY)
    if draw < 0.92:
        return damaged_tree(random, TINY)
    if draw < 0.96:
        return damaged_text(random) if draw < 0.95 else damaged_tree(random)
    return letters(random, 300)


def net(random: Random, files: dict[str, str]) -> str:
    """What is given as NET."""
    draw = random.random()
    if draw < 0.72:
        return "case.yaml"
    if draw < 0.76:
        return "-"
    if draw < 0.8:
        return f"case.yaml@{random.choice(SETTINGS)}"
    if draw < 0.82:
        return f"case.yaml:{random.choice(['small', 'large', 'case', 'a', *NASTY])}"
    if draw < 0.88:
        chain = " -> ".join(random.choices(ELEMENTS, k=random.randint(1, 5)))
        return f"INPUT {random.choice(['32x32x3', '32x32x3', '3x32x32', '8x8x4'])} -> {chain} -> FC-10"
    if draw < 0.92:
        return f"INPUT 32x32x3 -> {pattern(random)}"
    if draw < 0.94:
        files["more.yaml"] = text(random)
        return "more.yaml"
    if draw < 0.98:
        return random.choice(ZOO)
    return random.choice(
        [*NASTY, "nosuch", "no/such.yaml", "model.onnx", ".", "case.yaml/", letters(random, 12) or "x"]
    )


def some(random: Random, **options: list[str] | None) -> list[str]:
    """Some of the options, each with one of its values, at times a nasty one; None for a flag."""
    found: list[str] = []
    for name, values in options.items():
        if random.random() < 0.1:
            found.append("--" + name.strip("_").replace("_", "-"))
            if values is not None:
                found.append(random.choice(values if random.random() < 0.93 else NASTY))
    return found


def printed(random: Random, arguments: list[str], extra: tuple[str, ...] = ()) -> tuple[list[str], str]:
    """The arguments with a format, by name or by the extension of a file."""
    draw = random.random()
    if draw < 0.3:
        return arguments, "text"
    if draw < 0.9:
        format = random.choice([*FORMATS, *extra])
        return [*arguments, "--format", format], format
    extension = random.choice(list(EXTENSIONS))
    return [*arguments, "-o", f"out.{extension}"], EXTENSIONS[extension]


COUNTS = ["1", "1", "2", "8", "3", "64", "0", "-1", "999999999", "99999999999999999999"]
WAYS = ["type", "stage"]
DTYPES = ["float16", "float32", "float64", "int8", "bfloat16"]
CONVENTIONS = ["cs231n", "fvcore", "thop", "torchinfo", "torchsummary", "ptflops", "archcalc"]
COLUMNS = [
    "layer,output,params",
    "params",
    "params,macs",
    "macs",
    "layer,field,step",
    "name",
    "network,params",
    "memory,type",
    "help",
    "a,,b",
]
OPTIMIZERS = ["sgd", "momentum", "adam", "adamw"]
LAYERS = [*NAMES, "n1", "n2", "conv", "relu", "conv1", "block1"]


def _counting(random: Random) -> list[str]:
    return some(random, input=INPUTS, batch=COUNTS, dtype=DTYPES, _as=CONVENTIONS, training=None, set=SETTINGS)


def _table(random: Random, files: dict[str, str]) -> tuple[list[str], str]:
    arguments = [
        net(random, files),
        *_counting(random),
        *some(random, by=WAYS, depth=COUNTS, columns=COLUMNS, exact=None),
    ]
    return printed(random, arguments, ("notes",))


def _rf(random: Random, files: dict[str, str]) -> tuple[list[str], str]:
    options = some(
        random, input=INPUTS, all_layers=None, set=SETTINGS, layer=LAYERS, summary=None, columns=COLUMNS, exact=None
    )
    if random.random() < 0.1:
        options = [
            "--layer",
            random.choice(LAYERS),
            "--unit",
            random.choice(["0,0", "3,4", "-1,-1", "2", "999999999,0"]),
        ]
    return printed(random, [net(random, files), *options])


def _memory(random: Random, files: dict[str, str]) -> tuple[list[str], str]:
    options = some(
        random,
        input=INPUTS,
        batch=COUNTS,
        dtype=DTYPES,
        set=SETTINGS,
        training=None,
        optimizer=OPTIMIZERS,
        amp=None,
        checkpoint=LAYERS,
        fold_bn=None,
        overhead=SIZES,
        fit=SIZES,
        batches=["1,2", "1,8,64", "0", "1,,2"],
        columns=COLUMNS,
        exact=None,
    )
    return printed(random, [net(random, files), *options])


def _explain(random: Random, files: dict[str, str]) -> tuple[list[str], str]:
    options = some(random, input=INPUTS, _as=CONVENTIONS, set=SETTINGS)
    return printed(random, [net(random, files), *options])


def _compare(random: Random, files: dict[str, str]) -> tuple[list[str], str]:
    nets = [net(random, files) for _ in range(random.randint(1, 3))]
    options = [*_counting(random), *some(random, columns=COLUMNS, baseline=["case.yaml", "lenet5"], exact=None)]
    return printed(random, [*nets, *options])


def _diff(random: Random, files: dict[str, str]) -> tuple[list[str], str]:
    files["more.yaml"] = text(random) if random.random() < 0.3 else damaged_text(random, files["case.yaml"])
    return printed(random, ["case.yaml", random.choice(["more.yaml", net(random, files)]), *_counting(random)])


def _list(random: Random, files: dict[str, str]) -> tuple[list[str], str]:
    patterns = random.choices(["lenet*", "vgg1?", "nosuch", "*", "[", "alexnet"], [5, 5, 2, 0.2, 1, 5], k=1)
    return printed(random, [*patterns, *some(random, sort=["macs", "name", "x"], columns=COLUMNS, exact=None)])


def _show(random: Random, files: dict[str, str]) -> tuple[list[str], str]:
    if random.random() < 0.8:
        return [net(random, files), "--expanded", *some(random, set=SETTINGS)], "expanded"
    return [net(random, files)], "yaml"


def _export(random: Random, files: dict[str, str]) -> tuple[list[str], str]:
    return [net(random, files), *some(random, to=["torch", "onnx"], input=INPUTS, set=SETTINGS)], "python"


def _report(random: Random, files: dict[str, str]) -> tuple[list[str], str]:
    nets = [net(random, files) for _ in range(random.randint(1, 2))]
    format = random.choice(["html", "markdown", "csv"])
    options = [*nets, "--figures", "none", "-o", "pages", "--format", format]
    return [*options, *some(random, input=INPUTS, set=SETTINGS)], "pages"


def _audit(random: Random, files: dict[str, str]) -> tuple[list[str], str]:
    return printed(random, [random.choice([*ZOO, "lenet5", "nosuch*", "alex?et"]), *some(random, all=None)])


def _rest(random: Random, files: dict[str, str]) -> tuple[list[str], str]:
    return random.choices([*NASTY, "--help", "--version", "table", "case.yaml"], k=random.randint(0, 4)), "text"


COMMANDS: dict[str, tuple[float, Callable[[Random, dict[str, str]], tuple[list[str], str]]]] = {
    "table": (25, _table),
    "rf": (14, _rf),
    "memory": (16, _memory),
    "explain": (6, _explain),
    "compare": (7, _compare),
    "diff": (6, _diff),
    "show": (10, _show),
    "export": (7, _export),
    "report": (1.5, _report),
    "list": (0.4, _list),
    "schema": (0.1, _rest),
    "help": (0.3, _rest),
    "completion": (0.2, _rest),
    "audit": (0.1, _audit),
    "tabel": (0.3, _rest),
    "": (0.2, _rest),
}
"""Every command with its share; verify and plot, which need PyTorch and matplotlib, have tests of their own."""
