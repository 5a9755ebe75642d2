"""``python -m tests.analysis.random_formulas --seed 1 --seconds 60``: networks of the zoo with random numbers, by formulas and by layers."""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from typing import Any

import archcalc
from archcalc.analysis import formulas
from archcalc.errors import ArchcalcError
from archcalc.language.zoo import networks

SECONDS = 15
"""The longest that one network is drawn."""


def varied(value: Any, drawn: random.Random) -> Any:
    """A number near a number, and now and then another one."""
    if isinstance(value, list):
        return [varied(one, drawn) for one in value]
    if type(value) is int:
        near = [value, value + 1, value - 1, value * 2, value // 2, value + 8]
        return max(0, drawn.choice([*near, drawn.randint(1, 2 * value + 2), drawn.randint(0, 6)]))
    return drawn.choice([value, value * 2 * drawn.random(), 1.0]) if type(value) is float else value


def drawn_input(own: archcalc.Shape, drawn: random.Random) -> tuple[int, ...]:
    sides = [drawn.randint(1, 300) for _ in own.axes]
    return own.channels, *(sides if drawn.random() < 0.4 else sides[:1] * len(sides))


def sums(net: str, case: dict[str, Any], how: dict[str, Any], by_layers: bool) -> tuple[object, bool]:
    """The totals and activations, or the error; and whether the layers were made."""
    try:
        network = archcalc.load(net, **case)
        if by_layers:
            network.formulas = None
        analysis = network.analyze(**how)
        return (analysis.totals, analysis.activations), network.built
    except ArchcalcError as error:
        return str(error), True


def compare(net: str, drawn: random.Random) -> tuple[Counter[str], list[str]]:
    """Counts of the sums of random cases of a network by formulas and by layers, and the cases that differ."""
    network = archcalc.load(net)
    numbers = [key for key, value in network.settings.items() if type(value) in (int, float, list)]
    keys = drawn.sample(numbers, drawn.randint(0, min(len(numbers), 3)))
    resized = not keys or drawn.random() < 0.5
    convention = drawn.choice(["archcalc", "archcalc", "fvcore", "thop", "torchinfo", "ptflops"])
    batches, training = drawn.choice([1, 64]), drawn.random() < 0.2
    counts, wrong, end = Counter[str](), [], time.monotonic() + SECONDS
    for _ in range(80):
        case = {key: varied(network.settings[key], drawn) for key in keys}
        if resized:
            case["input"] = drawn_input(network.input, drawn)
        how = {"batch": drawn.randint(1, batches), "convention": convention, "training": training}
        found, built = sums(net, case, how, by_layers=False)
        counts["by layers" if built else "by a formula"] += 1
        if not built and repr(found) != repr(sums(net, case, how, by_layers=True)[0]):
            wrong.append(f"{net} {case} {how}")
        if time.monotonic() > end:
            break
    return counts, wrong


def main() -> int:
    """Draw networks until the time is over; 1 if a formula has other sums than the layers."""
    parser = argparse.ArgumentParser(prog="python -m tests.analysis.random_formulas", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="another seed, other cases (1)")
    parser.add_argument("--seconds", type=float, default=60, help="how long (60)")
    given = parser.parse_args()
    formulas.FIRST = 10
    drawn, names = random.Random(given.seed), sorted(networks())
    counts, faults, end = Counter[str](), 0, time.monotonic() + given.seconds
    while time.monotonic() < end:
        found, wrong = compare(drawn.choice(names), drawn)
        counts += found
        faults += len(wrong)
        for one in wrong:
            print(one, flush=True)
    print(
        f"seed {given.seed}: " + ", ".join(f"{count:,} {what}" for what, count in counts.items()) + f", {faults} differ"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
