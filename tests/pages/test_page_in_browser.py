"""The HTML report in a real browser: it sorts, searches and folds, by mouse and by keyboard, and asks for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from archcalc.cli import main
from tests.live.browser import CHROMIUM
from tests.nets import SSD, UNET

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    drawn = ["lenet5", "vgg16", "googlenet", "resnet152"]  # the page of AlexNet is opened by no test
    assert main(["report", *drawn, "alexnet", "--figures", ",".join(drawn), "-o", str(folder)]) == 0
    return folder


class Watched:
    """A tab of the browser, with all that its page asked for and all that it complained about."""

    def __init__(self, browser: Any, **settings: Any) -> None:
        self.context = browser.new_context(**settings)
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, path: Path) -> Watched:
        self.asked.clear()
        self.complaints.clear()
        self.page.goto(path.as_uri())
        return self

    def shown(self, table: str = "layer-table") -> list[str]:
        """The names of the rows that are seen, from top to bottom."""
        names: list[str] = self.page.evaluate(
            "id => [...document.getElementById(id).tBodies[0].rows].filter(r => r.offsetParent !== null)"
            ".map(r => r.cells[0].innerText.trim())",
            table,
        )
        return names

    def column(self, at: int, table: str = "layer-table") -> list[str]:
        cells: list[str] = self.page.evaluate(
            "([id, at]) => [...document.getElementById(id).tBodies[0].rows].filter(r => r.offsetParent !== null)"
            ".map(r => r.cells[at].innerText.trim())",
            [table, at],
        )
        return cells

    def title(self, name: str, table: str = "layer-table") -> Any:
        return self.page.locator(f"#{table} thead th", has_text=name)

    def paper(self) -> tuple[int, ...]:
        """The colour behind the text."""
        return rgb(self.page.evaluate("getComputedStyle(document.body).backgroundColor"))

    def status(self, table: str = "layer-table") -> str:
        return str(self.page.locator(f'.tools[data-for="{table}"] [role=status]').inner_text())


@pytest.fixture(scope="module")
def tab(browser: Any) -> Iterator[Watched]:
    """The tab of most tests. A page of the report keeps nothing from one opening to the next."""
    tab = Watched(browser)
    yield tab
    tab.context.close()


@pytest.fixture
def open_page(browser: Any, tab: Watched, report: Path) -> Iterator[Any]:
    """Opens pages, with settings in a tab of their own; none may complain or ask for anything but itself."""
    opened: list[Watched] = []

    def start(name: str, **settings: Any) -> Watched:
        opened.append(Watched(browser, **settings) if settings else tab)
        return opened[-1].open(report / f"{name}.html")

    yield start
    for one in opened:
        if one is not tab:
            one.context.close()
        assert one.complaints == []
        assert [url for url in one.asked if not url.startswith(("file:", "data:"))] == []


def whole(text: str) -> int:
    return int(text.replace(",", ""))


def rgb(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.removeprefix("rgb(").removesuffix(")").split(",")))


def luminance(colour: tuple[int, ...]) -> float:
    """As the Web Content Accessibility Guidelines define it."""
    parts = [n / 255 / 12.92 if n <= 10 else ((n / 255 + 0.055) / 1.055) ** 2.4 for n in colour]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize("name", ["lenet5", "vgg16", "googlenet", "resnet152", "index"])
def test_a_page_opens_without_a_complaint_and_asks_for_nothing_but_itself(open_page, name):
    page = open_page(name, color_scheme="dark")
    papers = [page.paper()]
    page.page.emulate_media(color_scheme="light")
    papers.append(page.paper())
    dark, light = map(luminance, papers)
    assert dark < 0.1
    assert light > 0.9
    assert [url for url in page.asked if url.startswith("file:")] == [page.page.url]


def test_a_column_of_numbers_sorts_by_the_numbers(open_page):
    page = open_page("vgg16")
    before = page.shown()
    title = page.title("params")
    title.get_by_role("button").click()
    assert title.get_attribute("aria-sort") == "ascending"
    numbers = [whole(text) for text in page.column(3)]
    assert numbers == sorted(numbers)
    title.get_by_role("button").click()
    assert title.get_attribute("aria-sort") == "descending"
    # Simonyan and Zisserman's layers: fc6 has 7 * 7 * 512 * 4096 weights and 4096 biases, conv1_1 has 3 * 3 * 3 * 64 + 64.
    assert page.column(3)[0] == "102,764,544" == f"{7 * 7 * 512 * 4096 + 4096:,}"
    assert page.shown()[:3] == ["fc6", "fc7", "fc8"]
    weighted = [name for name in page.shown() if name.startswith(("conv", "fc"))]
    assert weighted[-1] == "conv1_1"
    title.get_by_role("button").click()
    assert title.get_attribute("aria-sort") is None
    assert page.shown() == before


def test_what_is_not_counted_comes_last_both_ways(open_page):
    page = open_page("vgg16")
    button = page.title("MACs").get_by_role("button")
    for _ in range(2):
        button.click()
        cells = page.column(4)
        assert "-" in cells
        assert set(cells[cells.index("-") :]) == {"-"}


def test_a_second_title_takes_over_the_sorting(open_page):
    page = open_page("vgg16")
    page.title("params").get_by_role("button").click()
    page.title("field").get_by_role("button").click()
    assert page.page.locator("#layer-table [aria-sort]").count() == 1
    fields = [whole(text) for text in page.column(6)]
    assert fields == sorted(fields)


def test_sorting_works_with_the_keyboard_alone(open_page):
    page = open_page("vgg16")
    page.page.locator("#layer-table-search").focus()
    for _ in range(20):
        page.page.keyboard.press("Tab")
        if page.page.evaluate("document.activeElement.closest('th')?.innerText.startsWith('MACs') ?? false"):
            break
    page.page.keyboard.press("Enter")
    page.page.keyboard.press("Space")
    assert page.title("MACs").get_attribute("aria-sort") == "descending"
    assert page.shown()[0] == "conv1_2"  # of equal work with conv2_2 and others, and the first of them


def test_searching_shows_the_layers_with_every_word(open_page):
    page = open_page("googlenet")
    page.page.locator("#layer-table-search").fill("inception_4 RELU2")
    names = page.shown()
    # Figure 2(b): the branches of 3x3 and 5x5 have a reduction each, so two of a block's ReLUs come second; 4a to 4e.
    assert len(names) == 2 * 5
    assert all(name.startswith("inception_4") and name.endswith("relu2") for name in names)
    assert page.status() == "10 of 143 layers"
    page.page.locator("#layer-table-search").press("Escape")
    assert "input" in page.shown()
    page.page.locator("#layer-table-search").fill("no such layer")
    assert page.shown() == []
    assert page.status() == "0 of 143 layers"


def test_blocks_fold_and_unfold(open_page):
    page = open_page("googlenet")
    block = page.page.locator("#layer-table tr.block", has_text="inception_3a").get_by_role("button")
    assert block.get_attribute("aria-expanded") == "false"
    assert not [name for name in page.shown() if name.startswith("inception_3a.")]
    block.press("Enter")
    assert block.get_attribute("aria-expanded") == "true"
    # The blocks inside stay folded: three branches with several layers. The layers beside them are shown.
    assert "inception_3a.concat" in page.shown()
    assert not [name for name in page.shown() if name.startswith("inception_3a.b5.")]
    page.page.get_by_role("button", name="Unfold all").click()
    assert page.status() == "143 layers"
    page.page.get_by_role("button", name="Fold all", exact=True).click()
    assert not [name for name in page.shown() if "." in name]


def test_searching_finds_what_is_folded_and_folding_comes_back(open_page):
    page = open_page("resnet152")
    folded = page.shown()
    page.page.locator("#layer-table-search").fill("conv4_36.main.conv3")  # He et al., Table 1: 36 blocks in conv4_x
    assert page.shown() == ["conv4_36.main.conv3"]
    page.page.locator("#layer-table-search").fill("")
    assert page.shown() == folded


def test_a_block_has_the_sums_of_its_layers(open_page):
    page = open_page("googlenet")
    page.page.get_by_role("button", name="Unfold all").click()
    names, params = page.shown(), page.column(3)
    inside = [whole(n) for name, n in zip(names, params, strict=True) if name.startswith("inception_3a.")]
    block = next(whole(n) for name, n in zip(names, params, strict=True) if name.startswith("inception_3a "))
    # Table 1: 64; 96, 128; 16, 32; 32 filters on 192 channels, and a bias for each.
    filters = 192 * 64 + 192 * 96 + 9 * 96 * 128 + 192 * 16 + 25 * 16 * 32 + 192 * 32
    assert sum(inside) == block == filters + 64 + 96 + 128 + 16 + 32 + 32


def test_the_index_sorts_by_what_is_rounded_in_print(open_page):
    page = open_page("index")
    page.title("MACs", "networks").get_by_role("button").click()
    assert page.shown("networks") == ["lenet5", "alexnet", "googlenet", "resnet152", "vgg16"]
    page.title("year", "networks").get_by_role("button").click()
    assert page.column(2, "networks") == ["1998", "2012", "2014", "2014", "2015"]
    page.page.locator("#networks-search").fill("net")
    assert page.shown("networks") == ["lenet5", "alexnet", "googlenet", "resnet152"]
    page.page.get_by_role("link", name="googlenet").click()
    assert page.page.locator("h1").inner_text() == "GoogLeNet (googlenet)"


def test_without_a_script_everything_can_be_read(open_page):
    page = open_page("resnet152", java_script_enabled=False)
    rows = page.page.locator("#layer-table tbody tr")
    assert rows.count() == page.page.locator("#layer-table tbody tr:visible").count() > 515
    assert page.page.locator("button:visible, input:visible").count() == 0


def test_pictures_follow_the_scheme_and_can_be_read_on_it(open_page):
    page = open_page("googlenet", color_scheme="light")
    papers = []
    for scheme in ("light", "dark"):
        page.page.emulate_media(color_scheme=scheme)
        papers.append(luminance(page.paper()))
        grounds, pairs = colours(page, papers[-1])
        assert all(abs(ground - papers[-1]) < 0.01 for ground in grounds)
        assert len(pairs) > 200
        assert min((max(pair) + 0.05) / (min(pair) + 0.05) for pair in pairs) >= 3
    assert papers[0] > papers[1]


def colours(page: Watched, paper: float) -> tuple[list[float], list[tuple[float, ...]]]:
    """The luminance of the grounds of pictures, and of each text in a picture beside that of what is behind it."""
    grounds, inks, nodes = page.page.evaluate("""() => [
        [...document.querySelectorAll("figure svg > g > path, figure svg > g > g > path:first-child")].slice(0, 1)
            .concat([...document.querySelectorAll("#picture-graph svg polygon")].slice(0, 1))
            .map((e) => getComputedStyle(e).fill),
        [...document.querySelectorAll("figure svg text")].filter((e) => !e.closest(".node"))
            .map((e) => getComputedStyle(e).fill),
        [...document.querySelectorAll("#picture-graph .node")].map((e) => [
            getComputedStyle(e.querySelector("polygon")).fill, getComputedStyle(e.querySelector("text")).fill]),
    ]""")
    return [luminance(rgb(ground)) for ground in grounds], [
        *((paper, luminance(rgb(ink))) for ink in inks),
        *(tuple(luminance(rgb(n)) for n in node) for node in nodes),
    ]


def test_gaps_between_pictures_are_even(open_page):
    page = open_page("vgg16", viewport={"width": 1280, "height": 900})
    boxes = page.page.evaluate(
        "[...document.querySelectorAll('figure')].map(e => { const r = e.getBoundingClientRect(); return [r.left, r.top, r.bottom]; })"
    )
    columns: dict[int, list[tuple[float, float]]] = {}
    for left, top, bottom in boxes:
        columns.setdefault(round(left), []).append((top, bottom))
    gaps = [b[0] - a[1] for found in columns.values() for a, b in pairwise(found)]
    assert len(columns) == 2
    assert len(gaps) >= 3
    assert max(gaps) - min(gaps) < 2


def test_the_index_shows_all_columns_or_a_cue_that_there_are_more(open_page):
    page = open_page("index", viewport={"width": 1280, "height": 900})
    for width, beyond in ((1280, False), (420, True)):
        page.page.set_viewport_size({"width": width, "height": 900})
        inside, shown = page.page.evaluate(
            "(e => [e.scrollWidth, e.clientWidth])(document.querySelector('#networks').closest('.scroll'))"
        )
        assert (inside > shown) == beyond
    # A shadow stands where the table goes on: two layers stay with the frame, two move with the table.
    kinds = page.page.evaluate("getComputedStyle(document.querySelector('.scroll')).backgroundAttachment")
    assert kinds == "local, local, scroll, scroll"


def test_wrong_figures_are_shown_and_right_ones_fold(open_page):
    page = open_page("vgg16")
    verdicts = page.column(5, "figure-table")
    assert verdicts[0] == "wrong"
    assert not [verdict for verdict in verdicts if verdict.startswith("match")]
    rows = page.page.locator("#match-table tbody tr:visible")
    assert rows.count() == 0
    summary = page.page.locator("summary")
    assert summary.inner_text().endswith("figures that match")
    summary.focus()
    page.page.keyboard.press("Enter")
    assert rows.count() == int(summary.inner_text().split()[0])
    assert page.page.locator("#match-table thead th", has_text="at").count() >= 1


@pytest.mark.parametrize("name", ["googlenet", "index"])
def test_a_narrow_screen_scrolls_tables_and_not_the_page(open_page, name):
    page = open_page(name, viewport={"width": 360, "height": 700})
    assert page.page.evaluate("document.documentElement.scrollWidth") == 360


def test_a_screen_reader_finds_its_way(open_page):
    page = open_page("googlenet")
    faults = page.page.evaluate("""() => {
        const faults = [];
        const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
        if (new Set(ids).size !== ids.length) faults.push("an id is there twice");
        for (const t of document.querySelectorAll("table"))
            if (!t.caption || [...t.tHead.rows[0].cells].some((c) => c.scope !== "col")
                || [...t.tBodies[0].rows].some((r) => r.cells[0].tagName !== "TH" || r.cells[0].scope !== "row"))
                faults.push(`table ${t.id} has no caption or no scopes`);
        for (const e of document.querySelectorAll("[aria-labelledby]"))
            if (!document.getElementById(e.getAttribute("aria-labelledby"))) faults.push("a label leads nowhere");
        for (const e of document.querySelectorAll('svg use, svg [clip-path]')) {
            const to = e.getAttribute("xlink:href") ?? e.getAttribute("href") ?? e.getAttribute("clip-path").slice(4, -1);
            if (!document.getElementById(to.slice(1))) faults.push(`${to} leads nowhere`);
        }
        for (const e of document.querySelectorAll("svg"))
            if (e.getAttribute("role") !== "img" || !e.querySelector("title")) faults.push("a picture has no name");
        for (const a of document.querySelectorAll('a[href^="#"]'))
            if (!document.getElementById(a.hash.slice(1))) faults.push(`${a.hash} leads nowhere`);
        const levels = [...document.querySelectorAll("h1, h2, h3")].map((h) => Number(h.tagName[1]));
        if (levels.filter((n) => n === 1).length !== 1) faults.push("not one h1");
        if (levels.some((n, i) => i && n > levels[i - 1] + 1)) faults.push("a level of headings is left out");
        for (const e of document.querySelectorAll("button, a"))
            if (!e.textContent.trim()) faults.push("a control has no name");
        return faults;
    }""")
    assert faults == []
    assert page.page.get_by_role("main").count() == 1
    assert page.page.get_by_role("searchbox", name="Search").count() == 2  # the third is folded
    assert page.page.get_by_role("navigation").count() == 2


def test_it_prints_on_white_without_the_controls(open_page):
    page = open_page("vgg16", color_scheme="dark")
    page.page.emulate_media(media="print")
    assert page.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.page.locator(".tools:visible, nav:visible").count() == 0
    assert page.page.evaluate("getComputedStyle(document.querySelector('.scroll')).overflow") == "visible"
    pdf = page.page.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    page.page.emulate_media(media="screen")


@pytest.fixture(scope="module")
def report_of_specs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of a decoder and of a detector, unet.html and ssd.html."""
    folder = tmp_path_factory.mktemp("specs")
    for name, text in (("unet", UNET), ("ssd", SSD)):
        (folder / f"{name}.yaml").write_text(text)
    assert main(["report", str(folder / "unet.yaml"), str(folder / "ssd.yaml"), "-o", str(folder / "out")]) == 0
    return folder / "out"


@pytest.mark.parametrize(
    ("name", "stages"),
    [("unet", ["32x32", "16x16", "8x8", "16x16", "32x32"]), ("ssd", ["32x32", "16x16", "8x8", "4x4", "heads"])],
)
def test_pages_of_decoders_and_detectors_have_their_stages_and_pictures(browser, report_of_specs, name, stages):
    page = Watched(browser).open(report_of_specs / f"{name}.html")
    for width in (1280, 420):
        page.page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.page.emulate_media(color_scheme=scheme)
            assert page.shown("stage-table") == stages
            assert page.page.evaluate("document.documentElement.scrollWidth") == width
            assert page.page.locator("figure svg").count() == page.page.locator("figure").count() >= 5
    page.context.close()
    assert page.complaints == []


HOSTILE = """
title: "<script>document.title = 'run'</script> & </title><img src=x onerror=alert(1)>"
paper: "<a href=javascript:alert(1)>paper</a> ]]> --> '\\" onmouseover=alert(1)"
note: "</style></svg><script>throw 1</script>"
input: [3, 32, 32]
layers:
  - conv: {out: 8, kernel: 3}
"""


def test_what_comes_from_a_spec_is_text(browser, tmp_path):
    spec = tmp_path / "hostile.yaml"
    spec.write_text(HOSTILE)
    assert main(["report", str(spec), "-o", str(tmp_path / "out")]) == 0
    page = Watched(browser).open(tmp_path / "out" / "hostile.html")
    assert page.page.title().startswith("<script>document.title = 'run'</script> & </title>")
    assert page.page.locator("script").count() == 1
    assert page.page.locator("img, [onerror], [onmouseover], [onfocus], a[href^=javascript]").count() == 0
    assert page.complaints == []
    assert len(page.asked) <= 2
    page.context.close()
