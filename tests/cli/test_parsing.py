"""Words of a command line become values of the declared options: in any order and spelling, and all mistakes are said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from archcalc.cli import values
from archcalc.cli.command import Argument, Command, Option
from archcalc.cli.parsing import parse, wants_help
from archcalc.cli.registry import NAMES, commands
from archcalc.errors import ArchcalcError


def kinds() -> Mapping[str, str]:
    return {"large": "", "small": ""}


DRAW = Command(
    "draw",
    "a picture",
    "archcalc draw small one",
    lambda args: "",
    arguments=(Argument("KIND", "", kinds, free=False), Argument("NET", "", kinds, least=0, most=None)),
    options=(
        Option("--batch", "", "N", values.whole, 1),
        Option("--dark", ""),
        Option("--as", "", "NAME", names=kinds, key="convention"),
        Option("--base", "", "NET", names=kinds, free=True),
        Option("--set", "", "KEY=VALUE", values.setting, repeats=True),
        Option("--output", "", "FILE", short="-o"),
    ),
)
UNSET = {"batch": 1, "dark": False, "convention": None, "base": None, "set": [], "output": None, "net": []}


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ("small", {}),
        ("small one two", {"net": ["one", "two"]}),
        ("--batch 2 small one --dark two", {"batch": 2, "dark": True, "net": ["one", "two"]}),
        ("small --batch=2", {"batch": 2}),
        ("small --batch 2 --batch 3", {"batch": 3}),
        ("small --batch -3", {"batch": -3}),
        ("small -o x", {"output": "x"}),
        ("small -ox", {"output": "x"}),
        ("small -o=x", {"output": "x"}),
        ("small -o -", {"output": "-"}),
        ("small --output=", {"output": ""}),
        ("small --output=a=b", {"output": "a=b"}),
        ("small - -:one -@w=5", {"net": ["-", "-:one", "-@w=5"]}),
        ("small -- --dark -o", {"net": ["--dark", "-o"]}),
        ("small --set a=1 --set b=2", {"set": [("a", 1), ("b", 2)]}),
        ("small --as large", {"convention": "large"}),
        ("small --base help", {"base": "help"}),
        ("small help", {"net": ["help"]}),
    ],
)
def test_values(words: str, changed: dict[str, Any]) -> None:
    args, listing = parse(DRAW, words.split())
    assert vars(args) == {**UNSET, "kind": "small", **changed}
    assert listing is None


@pytest.mark.parametrize("words", ["help", "--as help", "small --as=help", "--as help small --batch 2"])
def test_help_in_place_of_a_name_needs_no_other_word(words: str) -> None:
    assert parse(DRAW, words.split()).listing is kinds


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "draw needs KIND"),
        ("small --bach 2", "unknown option --bach; did you mean --batch?"),
        ("small --bach=2", "unknown option --bach; did you mean --batch?"),
        ("small -x", "unknown option -x"),
        ("small --helf", "unknown option --helf; did you mean --help?"),
        ("small --help=batch", "--help takes no value, got 'batch'"),
        ("small --dark=no", "--dark takes no value, got 'no'"),
        ("small --batch", "--batch needs a value: --batch N"),
        ("small --batch --dark", "--batch needs a value: --batch N"),
        ("small --batch two", "--batch: expected a whole number, got 'two'"),
        ("small --as help --bach", "unknown option --bach; did you mean --batch?"),
    ],
)
def test_mistakes(words: str, said: str) -> None:
    with pytest.raises(ArchcalcError) as raised:
        parse(DRAW, words.split())
    assert str(raised.value) == f"{said}; see archcalc draw --help"


@pytest.mark.parametrize(
    ("words", "wanted"), [("-h", True), ("a --help b", True), ("a -- --help", False), ("--title=--help", False)]
)
def test_help_among_the_options(words: str, wanted: bool) -> None:
    assert wants_help(words.split()) is wanted


def test_every_command_is_declared_whole() -> None:
    for command in commands():
        assert command.name in NAMES
        assert command.example.startswith(f"archcalc {command.name}")
        attributes = [part.attribute for part in command.parts]
        assert len(attributes) == len(set(attributes)), command.name
        assert all(part.about for part in command.parts), command.name
        counts = [argument.most for argument in command.arguments]
        assert None not in counts[:-1], "only the last argument may take any number of words"


def test_an_option_of_one_name_means_one_thing() -> None:
    """Several commands describe an option in one way, but for the options that a command declares itself."""
    shared: dict[str, set[str]] = {}
    for command in commands():
        for option in command.options:
            if option.shared:
                shared.setdefault(option.name, set()).add(f"{option.heading}: {option.about}")
    assert [name for name, texts in shared.items() if len(texts) > 1] == []
