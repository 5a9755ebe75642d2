"""YAML text to a tree: YAML 1.2's scalars, lines, and bounds on what a text may cost."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml

from archcalc.errors import ArchcalcError
from archcalc.language.tree import parse, scalar
from archcalc.trees import MAX_DEPTH


def message(text: str) -> str:
    with pytest.raises(ArchcalcError) as caught:
        parse(text, "a.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("True", True),
        ("false", False),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("3", 3),
        ("-3", -3),
        ("+3", 3),
        ("007", 7),
        ("0.5", 0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-5", 1e-5),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("1:30", "1:30"),
        ("2020-01-01", "2020-01-01"),
        ("1" * 19, "1" * 19),
        (".inf", ".inf"),
        ("3\n", "3\n"),
    ],
)
def test_plain_scalars_follow_the_core_schema(text: str, value: Any) -> None:
    got = scalar(text)
    assert got == value
    assert type(got) is type(value)


def test_lines_are_those_of_the_keys() -> None:
    tree = parse("a:\n  b:\n    - 1\n    - {c: 2}\nd:\n\n  3\n", "a.yaml").value
    assert (tree["a"].line, tree["a"].value["b"].line, tree["d"].line) == (1, 2, 5)
    assert [child.line for child in tree["a"].value["b"].value] == [3, 4]


def test_a_scalar_keeps_its_text() -> None:
    tree = parse("a: 1.10\n1e3: [007]\n'true': x\n", "a.yaml").value
    assert tree["a"].text == "1.10"
    assert tree["1e3"].value[0].text == "007"
    assert list(tree) == ["a", "1e3", "true"]


def test_aliases_share_their_value_and_stand_on_their_own_line() -> None:
    tree = parse("a: &x [1, 2]\nb: *x\n", "a.yaml")
    assert tree.data() == {"a": [1, 2], "b": [1, 2]}
    assert tree.value["b"].line == 2


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb: [x]\n",
        "\ufeffa: 1\r\nb: [x]\r\n",
        "{a: 1, b: [x]}",
        "---\na: 1\nb: [x]\n...\n",
        "%YAML 1.2\n---\na: 1\nb: [x]\n",
        '{"a": 1, "b": ["x"]}',
        "a: 1 # note\nb:\n- x",
        "? a\n: 1\n? b\n: [x]\n",
    ],
)
def test_texts_that_say_the_same(text: str) -> None:
    assert parse(text.removeprefix("\ufeff"), "a.yaml").data() == {"a": 1, "b": ["x"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a: [1\nb: 2\n\n",
            "a.yaml:2: not valid YAML: while parsing a flow sequence from line 1 on did not find expected ',' or ']'",
        ),
        ("a: [1", "a.yaml:1: not valid YAML: while parsing a flow sequence did not find expected ',' or ']'"),
        (
            "a: 1\nb: c: d",
            (
                "a.yaml:2: not valid YAML: mapping values are not allowed in this context; a step with settings needs "
                "a colon after its type, as in '- batch_norm:', and a text that holds a colon is quoted"
            ),
        ),
        (
            "a:\n\t- b",
            (
                "a.yaml:2: not valid YAML: while scanning for the next token found character that cannot start any token; "
                "lines are indented with spaces, not tabs, and a text that starts with a special character is quoted"
            ),
        ),
        (
            "a: b\n\tc: d",
            (
                "a.yaml:2: not valid YAML: while scanning a plain scalar from line 1 on found a tab character that "
                "violates indentation; lines are indented with spaces"
            ),
        ),
        ("a: 1\n  b: 2", "a.yaml:2: not valid YAML: mapping values are not allowed in this context; "),
        ("a: 1\nb: 2\na: 3", "a.yaml:3: the key 'a' is given twice"),
        ("a: 1\n[b]: 2", "a.yaml:2: a key must be a word, got a list or mapping"),
        (
            "a: &x {b: 1}\nc:\n  <<: *x",
            "a.yaml:3: merge keys (<<) are not part of the language; parameters and blocks share what is common",
        ),
        ("a: *x", "a.yaml:1: the alias *x has no anchor before it"),
        ("a: &x [*x]", "a.yaml:1: the alias *x has no anchor before it"),
        (
            "a: !!python/object/apply:os.system [ls]",
            "a.yaml:1: tags such as 'tag:yaml.org,2002:python/object/apply:os.system' are not part of the language",
        ),
        ("a: !!int '3'", "a.yaml:1: tags such as 'tag:yaml.org,2002:int' are not part of the language"),
        ("!x {a: 1}", "a.yaml:1: tags such as '!x' are not part of the language"),
        ("a: 1\n---\nb: 2", "a.yaml:2: more than one YAML document in the file"),
        ("", "a.yaml: the spec is empty"),
        ("# nothing\n", "a.yaml: the spec is empty"),
        ("null\n", "a.yaml: the spec is empty"),
        ("a: 1\nb: \x07", "a.yaml:2: not valid YAML: the character '\\x07' is not allowed"),
        ("a: \udcff", "a.yaml:1: not valid YAML: the character '\\udcff' is not allowed"),
        ("a: é\xa0\x00", "a.yaml:1: not valid YAML: the character '\\x00' is not allowed"),
        ("[" * 100, f"a.yaml:1: nested deeper than {MAX_DEPTH} levels"),
        ("- " * 100, f"a.yaml:1: nested deeper than {MAX_DEPTH} levels"),
        ("a:\n  " + "[" * 999 + "]" * 999, f"a.yaml:2: nested deeper than {MAX_DEPTH} levels"),
        ("a:\n  " + "[" * 1001 + "]" * 1001, f"a.yaml:2: nested deeper than {MAX_DEPTH} levels"),
    ],
)
def test_messages(text: str, said: str) -> None:
    assert message(text).startswith(said) if said.endswith(" ") else message(text) == said


@pytest.fixture(scope="module")
def largest() -> float:
    """The seconds for a text with nearly as many values as one may have."""
    start = time.process_time()
    parse("a: [" + "1, " * 99_000 + "]", "a.yaml").data()
    return time.process_time() - start


CHAIN = "a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 400))
BOMB = "a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 40))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CHAIN, "a.yaml:50: nested deeper than 50 levels, aliases written out"),
        (BOMB, "a.yaml:5: more than 100,000 values, aliases written out"),
        ("[" + "1, " * 200_000 + "]", "a.yaml:1: more than 100,000 values, aliases written out"),
        ("[" * 900_000, "a.yaml:1: nested deeper than 50 levels"),
        ("{a: " * 200_000, "a.yaml:1: nested deeper than 50 levels"),
        ("? " * 400_000, "a.yaml:1: nested deeper than 50 levels"),
        ("- " * 400_000, "a.yaml:1: nested deeper than 50 levels"),
        ("a: 1\nb: " + "[{a: " * 600, "a.yaml:2: nested deeper than 50 levels"),
        ("\n".join(" " * i + "-" for i in range(1200)), "a.yaml:51: nested deeper than 50 levels"),
        ("k" * 900_000 + ": 1", "a.yaml:1: not valid YAML: mapping values are not allowed in this context"),
        ("!!" + "x" * 500_000 + " 1", "a.yaml:1: tags such as"),
        ("*" + "x" * 500_000, "a.yaml:1: the alias *xxx"),
        ("&a " * 300_000, "a.yaml:1: not valid YAML: did not find expected <document start>"),
    ],
    ids=[
        "chain",
        "bomb",
        "list",
        "brackets",
        "braces",
        "keys",
        "dashes",
        "mixed",
        "steps",
        "key",
        "tag",
        "alias",
        "anchors",
    ],
)
def test_bombs_are_refused_soon(text: str, said: str, largest: float) -> None:
    start = time.process_time()
    found = message(text)
    assert time.process_time() - start < 4 * largest
    assert found.startswith(said)
    assert len(found) < 500


def test_the_slow_loader_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: &x [1, two, 0.5, true]\nb: {c: *x}\n"
    fast = parse(text, "a.yaml").data()
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert parse(text, "a.yaml").data() == fast
    assert message("a: 1\na: 2") == "a.yaml:2: the key 'a' is given twice"
