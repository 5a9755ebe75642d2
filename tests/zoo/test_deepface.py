"""DeepFace against its paper: Taigman et al. 2014, section 3.1 and Figure 2."""

import archcalc

MAPS = {"C1": (32, 142), "M2": (32, 71), "C3": (16, 63), "L4": (16, 55), "L5": (16, 25), "L6": (16, 21)}
"""As Figure 2 prints them: channels, and height and width."""
LOCAL = {"L4": 16 * 9 * 9, "L5": 16 * 7 * 7, "L6": 16 * 5 * 5}
"""The values that a unit reads."""


def test_deepface() -> None:
    rows = {row.name: row for row in archcalc.load("deepface").analyze().rows}
    assert {name: (rows[name].shape.channels, *rows[name].shape.axes) for name in MAPS} == {
        name: (channels, size, size) for name, (channels, size) in MAPS.items()
    }
    params = {
        "C1": 32 * (3 * 11 * 11 + 1),
        "C3": 16 * (32 * 9 * 9 + 1),
        **{name: MAPS[name][0] * MAPS[name][1] ** 2 * (values + 1) for name, values in LOCAL.items()},
        "F7": 4096 * (16 * 21 * 21 + 1),
        "F8": 4030 * (4096 + 1),
    }
    assert {name: row.param_count for name, row in rows.items() if row.param_count} == params
    assert sum(params[name] for name in (*LOCAL, "F7", "F8")) > 0.95 * sum(params.values())  # section 3.1
