"""What may be a name, in any script, and the places that take one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from archcalc import ArchcalcError, analyze, load
from archcalc.export.file import class_name
from archcalc.language.expand import expand
from archcalc.language.zoo import read_text
from archcalc.letters import as_name, is_name, normal
from archcalc.memory.checkpoint import block_runs

WORDS = ["卷积1", "слой", "café", "हिन्दी", "ไทย", "עברית", "عربي", "한국어", "Ω_2", "1", "_x", "x²"]


@pytest.mark.parametrize("word", WORDS)
def test_letters_and_digits_of_any_script(word: str) -> None:
    """As names of layers, blocks, their uses, labels, branches, networks and in titles, `from` and `weights`."""
    block = word if not word[0].isdigit() else f"b{word}"
    text = f"""
title: {word}
input: [3, 4, 4]
outputs: ["{word}s", "{word}1.{word}"]
blocks:
  {block}: {{layers: [{{conv: {{out: 3, kernel: 1}}, name: "{word}"}}]}}
networks:
  "{word}": {{}}
layers:
  - {{{block}: , name: "{word}{{i}}", repeat: 2}}
  - {{{block}: , label: "{word}"}}
  - {{conv: {{out: 3, kernel: 1}}, name: "{word}s", from: "{word}1", weights: "{word}1.{word}"}}
  - add: {{"{word}a": [relu], "{word}b": []}}
"""
    net = expand(read_text(text, "net.yaml", "net"), word)
    assert [net.nodes[i].name for i in net.outputs] == [f"{word}s", f"{word}1.{word}"]
    assert net.title == word
    assert analyze(net)[f"{word}1.{word}"].name == f"{word}1.{word}"
    assert len(block_runs(net, net.running(), f"{word}1")) == 1


@pytest.mark.parametrize(
    "word",
    [
        *("a\u200bb", "a\u202eb", "\u2066a\u2069", "a\u00adb", "\ufeffa", "a\u200db", "a\u0007b"),  # unseen, directions
        *("\u3164", "a\u115f", "a\ufe0f", "\U000e0101a", "a\u034fb"),  # letters and marks that are not drawn
        *("\u0301a", "a b", "a\tb", "a\u00a0b", "a\u3000b", "", ".a", "-a", "/", "a:b", "a,b", "😀", "a$", "a" * 81),
    ],
)
def test_what_is_no_name(word: str) -> None:
    assert not is_name(word, 80, "./+-")
    escaped = "".join(f"\\U{ord(letter):08x}" for letter in word)
    with pytest.raises(ArchcalcError, match=r"a name is at most 80 letters, digits and _ \. / \+ -, got") as caught:
        expand(read_text(f'input: [3, 4, 4]\nlayers: [{{relu: , name: "{escaped}"}}]\n', "net.yaml", "net"), "net")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(("typed", "other"), [("cafe\u0301", "caf\u00e9"), ("\u1112\u1161\u11ab", "\ud55c")])
def test_a_name_may_be_typed_in_either_form(typed: str, other: str) -> None:
    assert normal(typed) == other
    text = f"input: [3, 4, 4]\nblocks: {{{typed}: {{layers: [relu]}}}}\nlayers: [{{{other}: , name: {typed}}}, {{relu: , from: {other}}}]\n"
    net = expand(read_text(text, "net.yaml", "net"), "net")
    assert net.nodes[1].name == f"{other}.relu"
    assert analyze(net)[f"{typed}.relu"].node is net.nodes[1]
    assert len(block_runs(net, net.running(), typed)) == 1
    twice = f"input: [3, 4, 4]\nlayers: [{{relu: , name: {typed}}}, {{relu: , name: {other}}}]\n"
    with pytest.raises(ArchcalcError, match=f"two things are called {other}"):
        expand(read_text(twice, "net.yaml", "net"), "net")


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("卷积", "卷积"),
        ("हिन्दी net", "हिन्दी_net"),
        ("cafe\u0301", "caf\u00e9"),
        ("a\u202eb\u200b", "a_b_"),
        ("my net (2)", "my_net_2_"),
    ],
)
def test_a_network_is_called_as_its_file(
    tmp_path: Path, archcalc: Callable[..., tuple[int, str, str]], stem: str, name: str
) -> None:
    path = tmp_path / f"{stem}.yaml"
    path.write_text("input: [3, 8, 8]\nlayers: [{conv: {out: 2, kernel: 3}, name: caf\u00e9}]\n", encoding="utf-8")
    assert as_name(stem, 80) == load(path).name == name
    status, out, err = archcalc("rf", str(path), "--layer", "cafe\u0301")
    assert (status, err) == (0, "")
    assert out.startswith(f"{name}\n")
    assert "caf\u00e9" in out
    assert archcalc("report", str(path), "--figures", "none", "-o", str(tmp_path / "pages"))[0] == 0
    assert (tmp_path / "pages" / f"{name.strip('_')}.html").exists()
    source = archcalc("export", str(path))[1]
    assert f"class {class_name(load(path))}(nn.Module)" in source
    compile(source, "net.py", "exec")
