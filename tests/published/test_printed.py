"""What a number is printed as, by arithmetic written here."""

from fractions import Fraction

import pytest

from archcalc.published.printed import read_number


@pytest.mark.parametrize(
    ("text", "heading", "value", "manner"),
    [
        ("1,728", "", 3 * 3 * 3 * 64, "exact"),
        ("1,728", "", 1727, None),
        ("1,728", "", Fraction(3455, 2), "rounded"),  # 1727.5: a half may go up
        ("1,728", "", Fraction(3457, 2), "rounded"),  # 1728.5: or down
        ("138M", "", 138_357_544, "rounded"),  # 137.5 to 138.5 million
        ("138M", "", 137_500_000, "rounded"),
        ("138M", "", 137_499_999, None),
        ("138M", "", 138_999_999, "truncated"),
        ("138M", "", 139_000_000, None),
        ("3.6 × 10^9", "", 3_663_761_408, "truncated"),  # rounds to 3.7
        ("7.6 × 10^9", "", 7_569_747_968, "rounded"),
        ("1.5 billion", "", 1_582_671_872, "truncated"),
        ("133", "million", 132_863_336, "rounded"),
        ("112", "K", 112 * 1000, "exact"),
        ("112", "K", 112 * 1024, None),  # 114.7 thousand
        ("58", "MiB", 60_950_432, "rounded"),  # 58.13 * 2^20
        ("61MB", "", 60_950_432, "rounded"),
        ("784", "KiB", 4 * 64 * 56 * 56, "exact"),  # 802,816 / 1024
        ("0", "k", 0, "exact"),
        ("0", "k", 499, "rounded"),
        ("<25 million", "", 23_834_568, "within"),
        ("<25 million", "", 25_000_000, None),
        (">25 million", "", 25_000_001, "within"),
        ("about 30", "", Fraction(297, 10), "rounded"),
        ("2.7", "", Fraction(27), None),
        ("25%", "", 25, "exact"),
    ],
)
def test_how_a_number_comes_to_be_printed(text, heading, value, manner):
    assert read_number(text, heading).manner(Fraction(value)) == manner


@pytest.mark.parametrize(
    ("text", "unit", "value", "manner"),
    [
        ("112", "K", 112 * 1024, "exact"),
        ("112", "K", 112 * 1000, None),  # 109.4 * 1024
        ("93MB", "", 4 * 24_319_464, "rounded"),  # 92.77 * 2^20
        ("16 GFLOPs", "", 16 * 2**30, "exact"),
    ],
)
def test_k_m_and_g_as_powers_of_1024(text, unit, value, manner):
    assert read_number(text, unit).manner(Fraction(value), binary=True) == manner


@pytest.mark.parametrize(
    ("text", "digits", "value", "manner"),
    [
        ("800K", None, 802_816, None),  # all three digits are meant: 803K
        ("800K", 1, 802_816, "rounded"),
        ("800K", 1, 750_000, "rounded"),
        ("800K", 2, 794_999, None),
        ("800K", 2, 795_000, "rounded"),
        ("150K", 1, 150_528, "rounded"),  # the 5 is no zero at the end, so it is meant
        ("150K", 1, 144_000, None),
        ("4096", 1, 4096, "exact"),
        ("4096", 1, 4000, None),
        ("650,000", 2, 659_272, "truncated"),
        ("0", 1, 0, "exact"),
    ],
)
def test_how_many_digits_are_meant(text, digits, value, manner):
    assert read_number(text, digits=digits).manner(Fraction(value)) == manner


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("224x224x64", (224, 224, 64)),
        ("112x112", (112, 112)),
        ("6@28x14", (28, 14, 6)),
        ("4096", (1, 1, 4096)),
    ],
)
def test_sizes(text, sizes):
    assert read_number(text).manner(sizes) == "exact"
    assert read_number(text).manner((*sizes[:-1], sizes[-1] + 1)) is None


def test_sizes_are_no_number():
    assert read_number("112x112").manner(Fraction(12544)) is None


@pytest.mark.parametrize(
    ("text", "heading", "digits", "said"),
    [
        ("12 parsecs", "", None, "unknown unit 'parsecs'"),
        ("12", "lightyears", None, "unknown unit 'lightyears'"),
        ("many", "", None, "cannot read 'many' as a figure"),
        ("1,23", "", None, "cannot read '1,23'"),
        ("", "", None, "cannot read ''"),
        ("3.2M", "", 3, "impossible precision: '3.2M' does not have 3 digits"),
        ("3.2M", "", 0, "impossible precision"),
    ],
)
def test_what_cannot_be_read(text, heading, digits, said):
    with pytest.raises(ValueError, match="^" + said):
        read_number(text, heading, digits)
