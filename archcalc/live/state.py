"""What the page shows, as the page sends it: the text and the choices around it. Nothing in it is trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from archcalc.dtypes import itemsize
from archcalc.errors import ArchcalcError, clipped, unknown
from archcalc.layers.settings import message_text
from archcalc.trees import MAX_BYTES

MOST_SETTINGS, MOST_ITEMS, MOST_LEVELS = 500, 10_000, 5
"""The most settings of a state, and the most values and levels of the list that a setting holds."""
LONGEST = 400
"""The most characters of a short text, such as the name of a network."""


class State(NamedTuple):
    """The text of a spec or a one-line pattern, and what is asked of it.

    file: the name of the file that the text comes from; it names a network that has no name. network: the chosen
    network ("": the first). settings: spec parameters, by name. input: the sizes as a text ("": those of the spec).
    compare: a network of the zoo, or a pattern, to compare with ("": none).
    """

    text: str
    file: str = ""
    network: str = ""
    settings: Mapping[str, Any] = {}
    input: str = ""
    batch: int = 1
    dtype: str = "float32"
    convention: str = "archcalc"
    training: bool = False
    optimizer: str = "sgd"
    compare: str = ""

    @property
    def key(self) -> str:
        """A text that two states share if they are equal."""
        return repr(self)


def state_of(given: Any) -> State:
    """The state that a page sent; ArchcalcError for anything else."""
    if not isinstance(given, Mapping):
        raise ArchcalcError(f"a state is a mapping with a text, got {message_text(given)}")
    for key in given:
        if key not in State._fields:
            raise ArchcalcError(unknown("part of a state", str(key), State._fields))
    if not isinstance(given.get("text"), str):
        raise ArchcalcError("a state needs the text of a spec, or a one-line pattern")
    if len(given["text"].encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ArchcalcError(f"the text is larger than {MAX_BYTES:,} bytes, the largest a spec may be")
    state = State(**given)
    for key in ("file", "network", "input", "dtype", "convention", "optimizer", "compare"):
        value = getattr(state, key)
        most = 5_000 if key == "compare" else LONGEST
        if not isinstance(value, str) or len(value) > most:
            raise ArchcalcError(f"{key}: expected a text of at most {most:,} characters, got {message_text(value)}")
    if not isinstance(state.training, bool):
        raise ArchcalcError(f"training: expected true or false, got {message_text(state.training)}")
    if isinstance(state.batch, bool) or not isinstance(state.batch, int):
        raise ArchcalcError(f"batch: expected a whole number, got {message_text(state.batch)}")
    if not isinstance(state.settings, Mapping) or len(state.settings) > MOST_SETTINGS:
        raise ArchcalcError(f"settings: expected at most {MOST_SETTINGS} values by name")
    for key, value in state.settings.items():
        if not isinstance(key, str) or not _is_setting(value, MOST_LEVELS):
            raise ArchcalcError(
                f"{clipped(str(key), 60)}: expected a number, true or false, a word or a list of these, "
                f"got {message_text(value)}"
            )
    itemsize(state.dtype)
    check_optimizer(state.optimizer)
    return state


def _is_setting(value: Any, levels: int) -> bool:
    """Whether a value can be the setting of a spec parameter, and is of bounded size."""
    if isinstance(value, (list, tuple)):
        return levels > 0 and len(value) <= MOST_ITEMS and all(_is_setting(one, levels - 1) for one in value)
    if isinstance(value, str):
        return len(value) <= LONGEST
    if isinstance(value, int):
        return abs(value) < 10**18
    return value is None or isinstance(value, float)


def line_and_column(text: str, at: int) -> tuple[int, int]:
    """The line and the column of a character of a text; all three begin with 1.

    >>> line_and_column("ab\\ncd", 5)
    (2, 2)
    """
    before = text[: at - 1]
    return before.count("\n") + 1, at - before.rfind("\n") - 1


def check_optimizer(name: str) -> None:
    """ArchcalcError with the nearest name if there is no such optimizer."""
    from archcalc.memory.budget import OPTIMIZERS

    if name not in OPTIMIZERS:
        raise ArchcalcError(unknown("optimizer", name, OPTIMIZERS))
