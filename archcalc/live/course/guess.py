"""A guess as a student types it, compared with the answer.

A guess is read like a printed figure, and there is no tolerance: the answer must round to the digits that were typed.
A product such as 3*3*64 is computed.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, NamedTuple

from archcalc.errors import clipped
from archcalc.language.expression import parse
from archcalc.language.grammar import ExpressionError
from archcalc.layers.settings import message_text
from archcalc.live.course.lesson import Asked, Unit
from archcalc.published.printed import PrintedNumber, read_number
from archcalc.units import bytes_text, count_text, counted

LONGEST, MOST = 100, 10**30
"""The most characters of a guess, and the largest number that is compared."""
SMALL, MILLION, DIGITS = 10_000, 10**6, 2
"""A smaller answer must be exact. A larger one may be rounded, to at least this number of digits; M is for millions."""
SIDES = ("position", "pixel")
"""What is counted along one side: 55x55 then stands for 55."""
HOW = "Write a number such as 12, 1,234, 5.6 M or 7.8 GB, or a product such as 2*3*4."
_NOUN = re.compile(
    r"\s*\b(?:(?:position|pixel|value|weight|mac|channel|parameter)s?|px|x|times|percent)$", re.IGNORECASE
)
_UNITS = {
    "": "",
    **{name.lower(): name for name in ("K", "M", "G", "T", "thousand", "million", "billion", "B", "bytes")},
    **{f"{letter}{of}".lower(): f"{letter}{of}" for letter in "KMGT" for of in ("B", "iB")},
    "byte": "bytes",
}
"""The units of a guess in small letters, each as a printed figure has it."""
_SIGNS = str.maketrans({"×": "*", "·": "*", "−": "-", "²": "^2", "~": ""})
_ARITHMETIC = re.compile(r"[-0-9.+*/() ]+")
_WITH_UNIT = re.compile(r"(.*[0-9.)])\s*([A-Za-z]+)")


class Verdict(NamedTuple):
    """What a guess is: right, wrong, or not a number; and a sentence."""

    kind: str
    text: str


def judged(given: Any, asked: Asked) -> Verdict:
    """The verdict on a guess."""
    guess = _read(given, asked)
    if guess is None:
        what = "Type your guess first." if given == "" else f"{_quoted(given)} cannot be read as an answer."
        return Verdict("unread", f"{what} {HOW}")
    if _fits(guess, asked.value, asked.unit):
        exact = guess.manner(Fraction(asked.value)) == "exact"
        return Verdict("right", f"Right: {value_text(asked.value, asked)}." if exact else _rounded(asked))
    if guess.unit.bytes and not guess.unit.binary and _fits(_binary(guess), asked.value, asked.unit):
        return Verdict("wrong", "Nearly. MB are powers of a thousand. With powers of 1024, write MiB.")
    for mistake in asked.mistakes:
        readings = (guess, _binary(guess)) if guess.unit.bytes else (guess,)
        if mistake.value != asked.value and any(_fits(one, mistake.value, asked.unit) for one in readings):
            return Verdict("wrong", f"Not quite. {mistake.text}")
    return Verdict("wrong", _unexplained(guess, asked))


def _binary(guess: PrintedNumber) -> PrintedNumber:
    """The guess with K, M, G and T as powers of 1024."""
    return guess._replace(unit=guess.unit._replace(binary=True))


def _rounded(asked: Asked) -> str:
    exactly = value_text(asked.value, asked)
    return f"Right, rounded. The answer is {exactly}." if isinstance(asked.value, int) else f"Right: {exactly}."


def _quoted(given: Any) -> str:
    return repr(clipped(given, 40)) if isinstance(given, str) else message_text(given)


def _read(given: Any, asked: Asked) -> PrintedNumber | None:
    """The number that was typed; None if there is none."""
    if not isinstance(given, str) or len(given) > LONGEST:
        return None
    text = _NOUN.sub("", given.strip().replace("%", "").translate(_SIGNS).strip())
    text = re.sub(r"(?<=\d)[ _\u00a0\u202f](?=\d{3}(?!\d))", ",", text)
    side = re.fullmatch(r"(\d{1,9}) ?x ?\1", text)
    if side and asked.noun in SIDES:
        text = side[1]
    number, unit = _parted(re.sub(r"(?<=\d) ?[xX] ?(?=\d)", "*", text))
    number = re.sub(r"(?<=\d)[eE]\+?(?=\d{1,2}$)", " × 10^", number)
    name = _UNITS.get(unit.lower())
    if name is None:
        return None
    try:
        found = read_number(f"{number}{name}")
    except ValueError:
        return _computed(number, name)
    return None if found.undefined or found.sign in ("<", ">") else _short(found)


def _parted(text: str) -> tuple[str, str]:
    """A number and its unit."""
    found = _WITH_UNIT.fullmatch(text)
    return (found[1].strip(), found[2]) if found else (text, "")


def _short(number: PrintedNumber) -> PrintedNumber | None:
    """The number with its zeros at the end taken as rounding: 15,200,000 has three digits."""
    significand, last = number.significand, number.last_digit
    while significand and significand % 10 == 0 and last >= 1:
        significand, last = significand // 10, last * 10
    return number._replace(significand=significand, last_digit=last) if significand * last < MOST else None


def _computed(text: str, unit: str) -> PrintedNumber | None:
    """The value of a product or a sum, to three digits behind the point."""
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    text = re.sub(r"(\d{1,9}) ?(?:\^|\*\*) ?2(?!\d)", r"(\1*\1)", text)
    if not _ARITHMETIC.fullmatch(text):
        return None
    try:
        value = parse(text).evaluate({})
    except (ExpressionError, ArithmeticError, ValueError):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < MOST:
        return None
    digits = f"{value}" if isinstance(value, int) or value == int(value) else f"{value:.3f}"
    try:
        return read_number(f"{digits.removesuffix('.0')}{unit}")
    except ValueError:
        return None


def _fits(guess: PrintedNumber, value: int | Fraction, unit: Unit) -> bool:
    """Whether a value would be printed as the guess."""
    if guess.unit.bytes and unit != "bytes":
        return False
    manner = guess.manner(Fraction(value))
    rough = isinstance(value, Fraction) or value >= SMALL
    return manner == "exact" or (manner == "rounded" and rough and len(str(guess.significand)) >= DIGITS)


def _unexplained(guess: PrintedNumber, asked: Asked) -> str:
    """The sentence for a wrong guess that no mistake explains."""
    if guess.unit.bytes and asked.unit != "bytes":
        return f"The question asks for {asked.noun}s, not for bytes."
    if guess.manner(Fraction(asked.value)) == "rounded":
        rough = isinstance(asked.value, Fraction) or asked.value >= SMALL
        return f"That is rounded too much. {'Give one digit more.' if rough else 'This answer is exact.'}"
    size = guess.significand * guess.last_digit * guess.unit.size(binary=False)
    for prefix in ("K", "M", "G", "T"):
        for name in (f"{prefix}B", f"{prefix}iB") if asked.unit == "bytes" else (prefix,):
            if guess.unit.power == 0 and guess.significand and _fits(_in(guess, name), asked.value, asked.unit):
                return f"Add the unit, and it is right: {guess.text} {name}."
    direction = "small" if size < asked.value else "large"
    near = asked.value and abs(size - asked.value) * 20 <= asked.value
    return f"{'Close, but too' if near else 'Too'} {direction}."


def _in(guess: PrintedNumber, name: str) -> PrintedNumber:
    return guess._replace(unit=read_number(f"1{name}").unit)


def value_text(value: int | Fraction, asked: Asked) -> str:
    """An answer for readers."""
    if asked.unit == "%":
        return f"{float(value):.2f} %"
    if isinstance(value, Fraction):
        return f"{float(value):.2f} times"
    if asked.unit == "bytes":
        return f"{counted(value, 'byte')}, {bytes_text(value)}" if value >= 1000 else counted(value, "byte")
    short = f", {count_text(value)}" if value >= MILLION else ""
    return f"{counted(value, asked.noun)}{short}"
