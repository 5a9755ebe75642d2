"""What writing out a spec may take: a budget of operations, with the place where it is used up."""

from __future__ import annotations

import time

import pytest

from archcalc import Network, analyze
from archcalc.errors import ArchcalcError
from archcalc.language.evaluator import MAX_OPERATIONS
from archcalc.language.expand import expand
from archcalc.language.zoo import read_text

LIMIT = f"writing out the spec takes more than {MAX_OPERATIONS:,} operations, used up here; "
LONG = "+".join(["k"] * 149)
ZEROS = "[" + ",".join(["0"] * 4000) + "]"


def build(text: str) -> Network:
    family = read_text(text, "spec.yaml", "spec")
    return expand(family, next(iter(family.networks)))


def problems(text: str) -> list[str]:
    with pytest.raises(ArchcalcError) as caught:
        build(text)
    return list(map(str, caught.value.problems))


USED_UP = {
    "sums of a list": (
        f"input: [1, 8]\nparams: {{x: {ZEROS}}}\nlayers:\n  - {{relu: , when: {'+'.join(['sum(x)'] * 9)} == 0, "
        "repeat: 40000}\n",
        "spec.yaml:4",
        "(at layers[0].relu.when, i = ",
    ),
    "long names of a let": (
        f"input: [1, 8]\nblocks: {{b: {{params: {{k: 1}}, let: {{l0: {LONG}, l1: {LONG}}}, layers: [relu]}}}}\n"
        "layers:\n  - {b: , repeat: 40000}\n",
        "spec.yaml:2",
        "(at blocks.b.let.l",
    ),
    "lists that are compared": (
        f"input: [1, 8]\nparams: {{x: {ZEROS}, y: {ZEROS}}}\nlayers:\n"
        "  - {relu: , when: x == y and x == y, repeat: 40000}\n",
        "spec.yaml:4",
        "(at layers[0].relu.when, i = ",
    ),
    "lists that are made": (
        f"input: [1, 8]\nparams: {{x: {ZEROS}}}\nlayers:\n  - {{relu: , when: 'len([x, x]) == 2', repeat: 40000}}\n",
        "spec.yaml:4",
        "(at layers[0].relu.when, i = ",
    ),
    "a table for every layer": (
        f"input: [1, 8, 8]\nparams: {{x: [{','.join(['[0]'] * 4000)}]}}\nlayers:\n"
        "  - {conv_table: {table: x, kernel: 1}, from: input, repeat: 40000}\n",
        "spec.yaml:4",
        "(at layers[0].conv_table, i = ",
    ),
    "names as long as names may be": (
        "input: [1, 8]\nblocks: {b: {params: [n], layers: [{b: {n: n - 1}, when: n > 0, name: "
        + "n" * 80
        + "}, {relu: , repeat: 600}]}}\nlayers: [{b: {n: 80}}]\n",
        "spec.yaml:2",
        "(at blocks.b.layers[",
    ),
    "a sum of one map": (
        f"input: [1, 8]\nlayers:\n  - {{relu: , name: a}}\n  - {{add: , from: [{', '.join(['a'] * 900)}], repeat: 40000}}\n",
        "spec.yaml:4",
        "(at layers[1].add, i = ",
    ),
    "empty branches": (
        f"input: [1, 8]\nlayers:\n  - {{add: [{', '.join(['[]'] * 900)}], repeat: 40000}}\n",
        "spec.yaml:3",
        "(at layers[0].add, i = ",
    ),
    "names in every scope": (
        f"input: [1, 8]\nparams: {{{', '.join(f'p{i}: 0' for i in range(500))}}}\n"
        f"let: {{{', '.join(f'q{i}: 0' for i in range(500))}}}\nlayers:\n  - {{relu: , repeat: 50000}}\n",
        "spec.yaml:5",
        "(at layers[0].relu, i = ",
    ),
}


@pytest.mark.parametrize(("text", "line", "where"), USED_UP.values(), ids=USED_UP)
def test_the_budget_ends_with_a_sentence_that_says_where(text: str, line: str, where: str) -> None:
    start = time.process_time()
    (said,) = problems(text)
    assert said.startswith(f"{line}: {LIMIT}")
    assert where in said
    assert time.process_time() - start < 4


FAILS_OFTEN = {
    "unfound": (
        "input: [1, 8]\nlayers:\n  - {relu: , name: 'r{i}', repeat: 10000}\n  - {add: , from: [nosuchx, r1], repeat: 10000}\n"
    ),
    "unfound in deep scopes": (
        "input: [1, 8]\nblocks: {b: {params: [n], layers: [{b: {n: n - 1}, when: n > 0, name: u}, "
        "{relu: , name: 'r{i}', repeat: 300}, {relu: , from: nosuchx}]}}\nlayers: [{b: {n: 90}}]\n"
    ),
    "weights of none": "input: [1, 8]\nlayers:\n  - {linear: {out: 4}, weights: nosuchx, repeat: 40000}\n",
    "a setting that is a list": (
        f"input: [1, 8, 8]\nparams: {{x: {ZEROS}}}\nlayers:\n  - {{conv: {{out: x, kernel: 1}}, repeat: 40000}}\n"
    ),
    "a repeat that is a list": (
        f"input: [1, 8]\nparams: {{x: {ZEROS}}}\nlayers:\n"
        "  - {layers: [{relu: , repeat: x}], repeat: 40000}\n"
    ),
    "a name that is a list": (
        f"input: [1, 8]\nparams: {{x: {ZEROS}}}\nlayers:\n  - {{relu: , name: '{{x}}', repeat: 40000}}\n"
    ),
    "a division by zero": "input: [1, 8]\nlayers:\n  - {linear: {out: 1 // (i - i)}, repeat: 40000}\n",
    "a kernel too large": "input: [1, 8]\nlayers:\n  - {max_pool: {kernel: i + 9, stride: 1}, repeat: 40000}\n",
    "an alias of unknown names": (
        "input: [1, 8]\nparams: {" + ", ".join(f"p{i}abcdefghabcdefgh: 1" for i in range(300)) + "}\nlayers:\n"
        "  - conv: {out: 1, kernel: [&a [zzzz, zzzz, zzzz], "
        + ", ".join(["*a"] * 3000)
        + "]}\n"
    ),
    "an alias of unknown layers": (
        "input: [1, 8]\nblocks: {" + ", ".join(f"p{i}abcdefghabcdefgh: {{layers: [relu]}}" for i in range(300)) + "}\n"
        "layers: [&a {qabcdefghabcdefgh: }, " + ", ".join(["*a"] * 3000) + "]\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", FAILS_OFTEN.values(), ids=FAILS_OFTEN)
def test_what_is_wrong_often_is_refused_soon(text: str) -> None:
    start = time.process_time()
    said = problems(text)
    assert len(said) <= 21
    assert all(len(line) < 500 for line in said)
    assert time.process_time() - start < 3


def test_a_wide_and_deep_network_is_within_the_budget() -> None:
    """50,000 layers, each with a name and a setting that are computed."""
    text = (
        "input: [4, 8, 8]\nparams: {width: 4}\nlayers:\n"
        "  - {conv: {out: width * (1 + i % 2), kernel: 1}, name: 'conv{i}', repeat: 50000}\n"
    )
    start = time.process_time()
    network = build(text)
    assert len(network.nodes) == 50_001
    # Half of the layers take 8 maps to 4, half 4 maps to 8: 8*4 weights each; biases 8 and 4; the first takes 4 to 8.
    assert analyze(network).totals.params == 50_000 * 32 + 25_000 * 12
    assert time.process_time() - start < 15


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("input: [3, 8, 8]\nlayers:\n  - leaky_relu: {slope: 1e999}\n", "spec.yaml:3: 1e999 is beyond the numbers"),
        ("input: [3, 8, 8]\nparams: {x: 1e999}\nlayers: [relu]\n", "spec.yaml:2: 1e999 is beyond the numbers"),
        ("input: [3, 8, 8]\nparams: {x: [1, -1.5e309]}\nlayers: [relu]\n", "spec.yaml:2: -1.5e309 is beyond"),
        ("input: [3, 8, 8]\ntitle: 1e400\nlayers: [relu]\n", "spec.yaml:2: 1e400 is beyond the numbers"),
        (
            "input: [3, 8, 8]\nparams: {x: 1e300}\nlayers:\n  - scale: {factor: x * x}\n",
            "spec.yaml:4: a number beyond 1,000,000,000,000,000 (at layers[0].scale.factor)",
        ),
        (
            "input: [3, 8, 8]\nparams: {x: 1e300}\nlayers:\n  - scale: {factor: x * x - x * x}\n",
            "spec.yaml:4: a number beyond 1,000,000,000,000,000 (at layers[0].scale.factor)",
        ),
        (
            "input: [3, 8, 8]\nlayers:\n  - scale: {factor: 1e999 - 1e999}\n",
            "spec.yaml:3: a number beyond 1,000,000,000,000,000 (at layers[0].scale.factor)",
        ),
        (
            "input: [3, 8, 8]\nparams: {x: 1e-300}\nlayers:\n  - scale: {factor: 1 / x}\n",
            "spec.yaml:4: a number beyond 1,000,000,000,000,000 (at layers[0].scale.factor)",
        ),
        (
            "input: [3, 8, 8]\nparams: {x: 1e-300}\nlayers:\n  - scale: {factor: 1e15 // x}\n",
            "spec.yaml:4: a number beyond 1,000,000,000,000,000 (at layers[0].scale.factor)",
        ),
    ],
)
def test_numbers_that_are_not_finite_are_refused_where_they_are_made(text: str, said: str) -> None:
    assert problems(text)[0].startswith(said)


def test_words_for_numbers_that_are_not_finite_are_words() -> None:
    assert "unknown name 'nan'" in problems("input: [1, 8]\nlayers:\n  - scale: {factor: nan}\n")[0]
    assert ".inf" in problems("input: [1, 8]\nlayers:\n  - scale: {factor: .inf}\n")[0]
    assert build("input: [1, 8]\ntitle: .nan\nlayers: [relu]\n").title == ".nan"
