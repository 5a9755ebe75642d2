"""A few of the random edits of ``python -m tests.live.edits``, and that their check sees what is wrong."""

from __future__ import annotations

import pytest

from tests.live.browser import BUNDLE
from tests.live.edits import Run
from tests.live.watching import Watched


@pytest.mark.parametrize(("plain", "seed"), [(True, 1), (False, 2)], ids=["text area", "CodeMirror"])
def test_after_random_edits_the_page_shows_what_the_library_says(browser, server, plain, seed):
    if not plain and not BUNDLE.exists():
        pytest.skip("no editor bundle: npm ci && npm run build, in live/")
    page = Watched(browser, server.link, plain=plain)
    run = Run(page, seed)
    run.type(5)
    run.hands.preset("lenet5")
    run.check()
    assert run.faults == []
    assert run.tables > 0
    page.close()


def test_a_wrong_number_and_a_mistake_are_seen(browser, server):
    page = Watched(browser, server.link)
    run = Run(page, 1)
    with page.between(
        lambda route: route.fulfill(body=route.fetch().text().replace("138,357,544", "138,357,545")),
    ):
        page.write(run.hands.text + "\n")
        run.check()
    assert len(run.faults) == 1
    assert "138,357,545" in run.faults[0]
    page.page.evaluate("watch.faults.push('a mistake of archcalc')")
    page.write(run.hands.text + "\n")
    run.check()
    assert "a mistake of archcalc" in run.faults[1]
    page.close()
