"""Networks from the text of a spec."""

from __future__ import annotations

import pytest

from archcalc import load
from tests.report.shortcut import SHORTCUT


@pytest.fixture
def spec(tmp_path):
    """The network of a spec's text."""

    def loaded(text, name="net"):
        (tmp_path / f"{name}.yaml").write_text(text)
        return load(str(tmp_path / f"{name}.yaml"))

    return loaded


@pytest.fixture
def shortcut(spec):
    return spec(SHORTCUT, "shortcut")
