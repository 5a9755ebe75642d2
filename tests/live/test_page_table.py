"""The table of layers in the page: sorted, searched, folded, with chosen columns, the graph beside it, and many rows."""

from __future__ import annotations

MANY = """\
input: [4, 8, 8]
blocks:
  pair:
    layers:
      - conv: {out: 4, kernel: 3, pad: 1}
      - relu
layers:
  - repeat: 500
    layers:
      - pair:
        name: "b{i}"
"""


def column(live, key):
    at = live.page.evaluate(
        "k => [...document.querySelectorAll('#layer-table thead th')].findIndex(t => t.querySelector('button')?.dataset.key === k)",
        key,
    )
    return live.page.locator(f"#layer-table tr[data-item] > :nth-child({at + 1})").all_inner_texts()


def test_numbers_sort_by_the_number_down_then_up_then_not(open_page):
    live = open_page(viewport={"width": 1280, "height": 1600}).ready()
    before = live.names()
    title = live.page.locator("#layer-table thead th", has_text="params")
    title.get_by_role("button").click()
    assert title.get_attribute("aria-sort") == "descending"
    # fc6 of VGG-16 has 7 * 7 * 512 * 4096 weights and 4096 biases.
    assert live.names()[:3] == ["fc6", "fc7", "fc8"]
    assert column(live, "params")[0] == f"{7 * 7 * 512 * 4096 + 4096:,}"
    title.get_by_role("button").click()
    assert title.get_attribute("aria-sort") == "ascending"
    title.get_by_role("button").click()
    assert title.get_attribute("aria-sort") is None
    assert live.names()[:20] == before[:20]


def test_what_is_not_counted_comes_last(open_page):
    live = open_page(viewport={"width": 1280, "height": 2400}).ready()
    button = live.page.locator("#layer-table thead th", has_text="MACs").get_by_role("button")
    for _ in range(2):
        button.click()
        live.page.locator("#layer-table").locator("..").evaluate("e => e.scrollTop = 1e6")
        live.page.evaluate("new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
        assert column(live, "macs")[-1] == "-"


def test_a_search_shows_the_layers_with_every_word(open_page):
    live = open_page().ready()
    live.choose("googlenet")
    search = live.page.locator("#search")
    search.fill("inception_4 RELU2")
    # Figure 2(b): the branches of 3x3 and 5x5 have a reduction each, so two of a block's ReLUs come second; 4a to 4e.
    assert len(live.names()) == 2 * 5
    assert live.page.locator("#layers-status").inner_text() == "10 of 143 layers"
    search.press("Escape")
    assert "input" in live.names()


def test_blocks_fold_and_a_folded_block_has_the_sums(open_page):
    live = open_page().ready()
    live.choose("googlenet")
    block = live.page.locator("#layer-table tr.block", has_text="inception_3a")
    assert block.get_attribute("aria-expanded") == "false"
    # Szegedy et al., Table 1: inception (3a) has 159K parameters; with biases, by hand: each branch's convolutions.
    branches = [(192, 64, 1), (192, 96, 1), (96, 128, 3), (192, 16, 1), (16, 32, 5), (192, 32, 1)]
    params = sum(inputs * outputs * side * side + outputs for inputs, outputs, side in branches)
    assert f"{params:,}" in block.inner_text()
    block.click()
    assert block.get_attribute("aria-expanded") == "true"
    live.page.get_by_role("button", name="Unfold all").click()
    assert live.page.locator("#layers-status").inner_text() == "143 layers"
    live.page.get_by_role("button", name="Fold all", exact=True).click()
    assert not [name for name in live.names() if name.startswith("inception")]


def test_columns_are_chosen_and_remembered(open_page):
    live = open_page().ready()
    live.page.locator("summary", has_text="Columns").click()
    live.page.locator(".menu").get_by_label("weights", exact=True).check()
    live.page.locator(".menu").get_by_label("MACs", exact=True).uncheck()
    titles = "#layer-table thead th button"
    assert "weights" in live.page.locator(titles).all_inner_texts()
    live.page.reload()
    live.ready()
    found = live.page.locator(titles).all_inner_texts()
    assert "weights" in found
    assert "MACs" not in found


def test_a_thousand_layers_draw_only_the_rows_that_are_seen(open_page):
    live = open_page().ready()
    live.write(MANY)
    live.wait_for("() => document.getElementById('layers-status').textContent.startsWith('1,001 layers')")
    live.page.get_by_role("button", name="Unfold all").click()
    live.page.locator("#layer-table tr[data-item]").first.focus()
    live.page.keyboard.press("End")
    live.wait_for("() => document.activeElement.textContent.includes('relu')")
    assert live.page.evaluate("document.activeElement.getAttribute('aria-rowindex')") == str(1 + 1001 + 500)
    assert live.page.locator("#layer-table tr[data-item]").count() < 80
    assert live.page.locator("#layer-table").get_attribute("aria-rowcount") == str(2 + 1001 + 500)


def test_all_rows_are_there_on_paper(open_page):
    live = open_page().ready()
    live.page.get_by_role("button", name="Unfold all").click()
    live.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert len(live.names()) == 40
    live.page.emulate_media(media="print")
    assert live.page.locator("#editor").is_hidden()
    assert live.page.locator("#cards").is_visible()


PLACED = """([reads, wide]) => import('/shape_layout.js').then(m => {
    const volumes = reads.map((one, at) => ({reads: one, wide: wide[at]}));
    return m.placed(volumes, v => v.wide).spots.map(({x, lane}) => [lane, x]);
})"""


def test_branches_lie_in_lanes_beside_each_other(open_page):
    live = open_page().ready()
    # A chain; a join behind the longer of two branches; a shortcut past one volume, which needs no lane of its own.
    assert live.page.evaluate(PLACED, [[[], [0], [1]], [2, 3, 4]]) == [[0, 0], [0, 2], [0, 5]]
    inception = [[[], [0], [0], [2], [1, 3]], [1, 2, 2, 5, 1]]
    assert live.page.evaluate(PLACED, inception) == [[0, 0], [0, 1], [1, 1], [1, 3], [0, 8]]
    assert live.page.evaluate(PLACED, [[[], [0], [0, 1], [2]], [1, 1, 1, 1]]) == [[0, 0], [0, 1], [0, 2], [0, 3]]

    # Szegedy et al., Figure 2(b): four branches; the 1x1 convolution and the last of each other branch end in the concat.
    live.choose("googlenet")
    live.page.get_by_role("tab", name="Shapes").click()
    branch = live.page.locator("#picture .volume", has_text="inception_3a")
    tops = {volume.locator("rect").get_attribute("y") for volume in branch.all()}
    assert len(tops) == 4
    branch.last.locator("rect").hover()
    lit = live.page.locator("#picture .volume.lit title").text_content()
    branch.nth(2).locator("rect").click()
    assert lit.startswith("inception_3a")
    chosen = live.page.locator("#picture .volume.lit title").text_content()
    assert chosen.startswith("inception_3a")
    assert chosen != lit


def test_lanes_hold_an_output_until_its_last_reader(open_page):
    live = open_page()
    for sources, lanes, width in (
        ([[], [0], [1], [2]], [0, 0, 0, 0], 1),  # a chain
        ([[], [0], [1], [0, 2]], [0, 1, 1, 0], 2),  # a shortcut: 0 waits in its lane; 3 ends both, and takes the first
        ([[], [0], [0], [0], [1, 2, 3]], [0, 1, 2, 0, 0], 3),  # three branches; the last one takes over the lane of 0
        ([[], [], [0], [1]], [0, 1, 0, 1], 2),  # two inputs, two outputs
    ):
        found = live.page.evaluate(
            "s => import('/lanes.js').then(m => { const g = m.lanesOf(s, s.map(() => false)); "
            "return [g.steps.map(x => x.lane), g.width]; })",
            sources,
        )
        assert found == [lanes, width]
