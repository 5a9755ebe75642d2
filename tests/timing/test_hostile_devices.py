"""Files of devices that would give an endless rate, a bound of nothing, or text that commands a terminal."""

from __future__ import annotations

import pytest

from archcalc import ArchcalcError
from archcalc.timing.reading import device
from tests.timing.test_reading import written


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"bandwidth": "1e999 GB/s"}, "mine.yaml:4: bandwidth is more than any device has, got '1e999 GB/s'"),
        ({"bandwidth": f"{'1' * 5000} GB/s"}, "bandwidth is more than any device has, got '1111"),
        ({"vector": "{float32: 1e308 PFLOPS}"}, "vector float32 is more than any device has"),
        ({"cache": "999999999999999999999 TiB"}, "cache is more than any device has"),
        ({"highest_clock": "5 GHz"}, "highest_clock needs clock, the clock of the peaks"),
        ({"title": "[1, 2]"}, "mine.yaml:1: title is a line of signs that can be printed"),
        ({"title": '"a\\e[31m"'}, "title is a line of signs that can be printed"),
        ({"errors": "{inference amp: [5, -1, 2, 0.9, here]}"}, "errors inference amp is a list"),
        ({"errors": "{inference amp: [5, .nan, 2, 0.9, here]}"}, "errors inference amp is a list"),
        ({"errors": "{inference amp: [5, 0.1, 0.2, 7, here]}"}, "errors inference amp is a list"),
    ],
)
def test_a_hostile_figure_is_a_sentence(tmp_path, changes, text):
    with pytest.raises(ArchcalcError) as error:
        device(written(tmp_path, **changes))
    assert text in str(error.value)
