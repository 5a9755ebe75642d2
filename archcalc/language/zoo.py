"""Finding specs: the zoo's files, a path, standard input or a one-line pattern."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, TextIO

from archcalc.errors import ArchcalcError, Problem, clipped, unknown
from archcalc.importing.formats import BINARY, FORMATS, MODELS_READER, format_of, format_of_text, is_model
from archcalc.language.expand import network_of
from archcalc.language.family import Family
from archcalc.language.foreign import extension_of, refuse_bytes, refuse_name, refuse_text
from archcalc.language.reader import family_of
from archcalc.language.settings import read_settings
from archcalc.language.tree import parse
from archcalc.layers.settings import message_text
from archcalc.letters import MOST_LETTERS, NETWORK_SIGNS, as_name
from archcalc.named_inputs import given_inputs
from archcalc.network import AnyNetwork, Network
from archcalc.trees import MAX_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from archcalc.inputs import Sizes
    from archcalc.types import InputSizes, Setting

STDIN = "standard input"
SUFFIXES = (".yaml", ".yml", ".json", *FORMATS)
_SETTINGS = r"@\s*[A-Za-z_][A-Za-z0-9_]*\s*="


_read: dict[TextIO, str] = {}
"""The text of standard input, after it was read."""


@lru_cache(maxsize=1)
def folder() -> str:
    """The folder of the zoo's specs: inside an installed package, or next to the package in a checkout."""
    package = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    for place in (package, os.path.dirname(package)):
        specs_folder = os.path.join(place, "specs")
        if os.path.isdir(specs_folder):
            return specs_folder
    raise ArchcalcError(
        f"the specs of the zoo are not beside {package}: archcalc runs from a folder and not from a zip; "
        "unpack it, or pip install it"
    )


def specs() -> Path:
    """The folder of the zoo's specs as a Path. Imports ``pathlib`` here: a table of one network does not need it."""
    from pathlib import Path

    return Path(folder())


def families() -> list[str]:
    """The names of the zoo's spec files."""
    return sorted([name.removesuffix(".yaml") for name in os.listdir(folder()) if name.endswith(".yaml")])


def networks() -> dict[str, Family]:
    """Every network of the zoo by name, with its family."""
    return {name: family for stem in families() for family in [zoo_family(stem)] for name in family.networks}


def zoo_family(stem: str) -> Family:
    path = os.path.join(folder(), f"{stem}.yaml")
    return _cached(path, stem, os.stat(path).st_mtime_ns)


@lru_cache(maxsize=256)
def _cached(path: str, stem: str, changed: int) -> Family:
    family = read_text(text_of(path), path, stem)
    family.in_zoo = True
    return family


def read_text(text: str, file: str, name: str) -> Family:
    """The family in a spec's text. Messages name ``file`` as the place."""
    try:
        return family_of(parse(text, file), file, name)
    except ArchcalcError:
        refuse_text(text, file)
        raise


def load(
    net: str | os.PathLike[str],
    /,
    *,
    input: InputSizes | None = None,
    allow_missing: bool = False,
    **settings: Setting,
) -> Network:
    """The network called ``net``: see ``archcalc.load``."""
    return load_as(Network, net, input, settings, allow_missing)


def load_as(
    kind: type[AnyNetwork],
    net: str | os.PathLike[str],
    input: InputSizes | None,
    settings: dict[str, Setting],
    allow_missing: bool = False,
) -> AnyNetwork:
    """The network called ``net``, as an object of the class ``kind``: see ``archcalc.load``."""
    if isinstance(net, os.PathLike):
        net = os.fspath(net)
    if not isinstance(net, str) or not net.strip():
        raise ArchcalcError(f"expected the name of a network, a path or a pattern, got {message_text(net)}")
    sizes = None if input is None else given_inputs(input)
    net, text = split_settings(net)
    settings = {**settings, **(read_settings(text) if text else {})}
    if is_pattern(net):
        from archcalc.language.pattern import pattern_as

        if settings:
            raise ArchcalcError("a one-line pattern has no parameters to set")
        return pattern_as(kind, net, sizes)
    if is_model(net):
        family = read_model(net, sizes, allow_missing)
        return network_of(kind, family, next(iter(family.networks)), settings, sizes)
    if not is_path(net):
        return network_of(kind, find(net), net, settings, sizes)
    path, wanted = file_and_name(net)
    family = read_file(path, sizes, allow_missing)
    return network_of(kind, family, wanted or _only(family, path), settings, sizes)


def read_file(path: str, input: Sizes | Mapping[str, Sizes] | None = None, allow_missing: bool = False) -> Family:
    """The family in a file, or in standard input for ``-``: a spec, or a network of another tool.

    ``input`` and ``allow_missing`` are for networks of other tools: see ``archcalc.importing.imported``.
    """
    name = as_name(os.path.splitext(os.path.basename(path))[0], MOST_LETTERS, NETWORK_SIGNS)
    module = format_of(path)
    text = "" if module in BINARY else text_of(path)
    file, name = (STDIN, "stdin") if path == "-" else (path, name)
    module = module or format_of_text(text)
    if not module:
        return read_text(text, file, name)
    from archcalc.language.imports import import_text

    return import_text(text, file, name, module, input, allow_missing)


def read_model(net: str, input: Sizes | Mapping[str, Sizes] | None = None, allow_missing: bool = False) -> Family:
    """The family of a PyTorch model such as ``torchvision:resnet50``. This imports and runs the code of the model."""
    from archcalc.language.imports import import_text

    name = as_name(net.rpartition(":")[2].strip(), MOST_LETTERS, NETWORK_SIGNS)
    return import_text(net, net, name, MODELS_READER, input, allow_missing)


def split_settings(net: str) -> tuple[str, str]:
    """A network's name without its settings, and the text of the settings ('': no settings).

    An @ in a path belongs to the path, unless a spec file stands before the @ and KEY= stands after the @.

    >>> split_settings("resnet50@option=c"), split_settings("me@home/net.yaml")
    (('resnet50', 'option=c'), ('me@home/net.yaml', ''))
    """
    if "@" not in net:
        return net, ""
    for match in re.finditer(_SETTINGS, net):
        name = net[: match.start()]
        path, _ = file_and_name(name)
        if os.sep not in name or path == "-" or path.endswith(SUFFIXES) or os.path.isfile(name):
            return name, net[match.start() + 1 :]
    name, at, text = net.rpartition("@")
    if at and not is_pattern(net) and (not is_path(net) or name.endswith(SUFFIXES)):
        raise ArchcalcError(
            f"{clipped(net, 120)}: settings follow the @ as KEY=VALUE with commas between, got {message_text(text)}"
        )
    return net, ""


def source(net: str) -> str:
    """The text of the spec that ``load`` would read."""
    if is_pattern(net):
        raise ArchcalcError("a one-line pattern is its own spec; add --expanded to see its layers")
    if not is_path(net) and not is_model(net):
        return text_of(os.path.join(folder(), f"{find(net).name}.yaml"))
    path, _ = file_and_name(net)
    text = "" if is_model(net) or format_of(path) in BINARY else text_of(path)
    if not text or format_of(path) or format_of_text(text):
        raise ArchcalcError(Problem("is no spec; archcalc import prints it as one, and --expanded every layer", path))
    return text


def is_pattern(net: str) -> bool:
    return "->" in net or "→" in net or net.strip().upper().startswith("INPUT ")


def is_path(net: str) -> bool:
    """Whether ``net`` is the path of a spec, and not a name in the zoo. ``-`` is standard input."""
    path, _ = file_and_name(net)
    return path == "-" or os.sep in path or path.lower().endswith(SUFFIXES) or bool(extension_of(path))


def file_and_name(net: str) -> tuple[str, str]:
    """The path, and the name of the network after a colon."""
    path, _, wanted = net.rpartition(":")
    return (path, wanted) if path == "-" or path.lower().endswith(SUFFIXES) else (net, "")


def _only(family: Family, path: str) -> str:
    first, *others = family.networks
    if others:
        names = ", ".join([first, *others][:12]) + (", ..." if len(others) > 11 else "")
        raise ArchcalcError(Problem(f"holds several networks ({names}); add one, as in {path}:{first}", family.file))
    return first


def text_of(path: str, what: str = "the spec") -> str:
    """The text of a file, or of standard input for ``-``; ArchcalcError if it cannot be the text of a spec, or of ``what``."""
    file = STDIN if path == "-" else path
    try:
        if path == "-":
            if sys.stdin is None:
                raise ArchcalcError(Problem("is closed", file))
            if sys.stdin not in _read:  # a command may name standard input twice, with other settings
                _read.clear()
                _read[sys.stdin] = decoded(sys.stdin.buffer.read(MAX_BYTES + 1), file)
            return _read[sys.stdin]
        if os.path.isdir(path):
            raise ArchcalcError(Problem("is a directory, expected a spec file", file))
        refuse_name(path)
        with open(path, "rb") as opened:
            return decoded(opened.read(MAX_BYTES + 1), file, what)
    except OSError as error:
        raise ArchcalcError(Problem(f"cannot be read: {(error.strerror or 'unknown reason').lower()}", file)) from None
    except ValueError:
        raise ArchcalcError(f"not a path: {message_text(path)}") from None


def decoded(raw: bytes, file: str, what: str = "the spec") -> str:
    """The text of a spec, or of ``what``, in the bytes of a file; ArchcalcError if they are no such text."""
    refuse_bytes(raw, file)
    if len(raw) > MAX_BYTES:
        raise ArchcalcError(Problem(f"is larger than {MAX_BYTES:,} bytes, the largest a spec may be", file))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ArchcalcError(Problem("is not UTF-8 text", file, line)) from None
    if "\0" in text:
        raise ArchcalcError(Problem("is binary, expected text", file, text[: text.index("\0")].count("\n") + 1))
    if not text.strip():
        raise ArchcalcError(Problem(f"{what} is empty", file))
    return text


def find(net: str) -> Family:
    """The zoo's family that holds the network. Reads one file only.

    Every network's name starts with the name of its file. If several file names fit, the longest is the file.
    """
    for end in range(min(len(net), MOST_LETTERS), 0, -1):
        if (
            os.path.isfile(os.path.join(folder(), f"{net[:end]}.yaml"))
            and net in (family := zoo_family(net[:end])).networks
        ):
            return family
    text = unknown("network", net, networks())
    raise ArchcalcError(f"{text}; archcalc list shows them all, a path needs a / or .yaml")
