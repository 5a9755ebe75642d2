"""What comes into the page and leaves it: links, presets, files, exports. Nothing that comes is trusted."""

from __future__ import annotations

import base64
import json
import zlib
from xml.etree import ElementTree

import pytest

from archcalc.cli import main

CAFFE = """\
name: "Small"
input: "data"
input_dim: 1
input_dim: 3
input_dim: 16
input_dim: 16
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
        convolution_param { num_output: 8 kernel_size: 3 pad: 1 } }
"""
DARKNET = """\
[net]
width=16
height=16
channels=3

[convolutional]
filters=10
size=3
stride=1
pad=1
activation=leaky
"""
EVIL = '<img src=x onerror="alert(1)"><script>alert(2)</script>'


def fragment(value, *, raw=None):
    """A fragment as the page writes it: deflated JSON, base64 for URLs."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(raw if raw is not None else json.dumps(value).encode()) + packer.flush()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def printed(capsys, *arguments):
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def download(live, button):
    with live.page.expect_download() as waiting:
        live.page.locator(button).click()
    with open(waiting.value.path(), encoding="utf-8", newline="") as file:
        return waiting.value.suggested_filename, file.read()


def test_every_export_is_that_of_the_command_line(open_page, capsys):
    live = open_page().ready()
    live.choose("alexnet")
    for format in ("yaml", "markdown", "csv", "latex", "json", "text", "torch"):
        live.page.locator("#format").select_option(format)
        name, text = download(live, "#download")
        assert name.startswith("alexnet")
        if format == "torch":
            assert text == printed(capsys, "export", "alexnet", "--to", "torch")
        elif format == "yaml":
            assert text == printed(capsys, "show", "alexnet")
        else:
            assert text == printed(capsys, "table", "alexnet", "--format", format)


def test_an_export_is_copied(open_page, capsys):
    live = open_page(permissions=["clipboard-read", "clipboard-write"]).ready()
    live.page.locator("#format").select_option("csv")
    live.page.locator("#copy").click()
    live.page.wait_for_selector("#notice")
    assert live.page.evaluate("navigator.clipboard.readText()") == printed(capsys, "table", "vgg16", "--format", "csv")


def test_every_picture_is_a_file_that_needs_no_style_sheet(open_page):
    live = open_page().ready()
    files = {"graph": download(live, "#download-graph")}
    for picture in ("Shapes", "Field", "Memory", "Cost"):
        live.draw(picture)
        files[picture] = download(live, "#download-picture")
    assert len({text for _, text in files.values()}) == 5
    for _, text in files.values():
        root = ElementTree.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        shapes = [e for e in root.iter() if e.tag.rpartition("}")[2] in ("path", "rect", "circle", "polygon", "line")]
        assert len(shapes) > 5
        assert all(e.get("fill") and "var(" not in e.get("fill") and "light-dark" not in e.get("fill") for e in shapes)
        assert not [e for e in root.iter() if e.get("class") or e.tag.endswith(("script", "style"))]


def test_a_link_restores_the_whole_state(open_page):
    live = open_page(permissions=["clipboard-read", "clipboard-write"]).ready()
    live.choose("resnet50")
    live.page.locator("#batch").fill("8")
    live.page.locator("#input").fill("3x320x320")
    live.page.locator("#dtype").select_option("float16")
    live.page.locator("#convention").select_option("fvcore")
    live.page.get_by_label("training").check()
    live.page.locator("#optimizer").select_option("adam")
    live.page.get_by_label("classes", exact=True).fill("10")
    # He et al.: 25.6 million parameters; fc has 2048 weights and a bias for each of the 990 other classes.
    live.wait_for_footer(f"parameters: {25_557_032 - 990 * 2049:,} ")
    live.page.locator("#copy-link").click()
    live.page.wait_for_selector("#notice")
    link = live.page.evaluate("navigator.clipboard.readText()")
    assert "token" not in link
    footer = live.page.locator("#footer").inner_text()

    other = open_page(fragment=link.partition("#")[2]).ready()
    other.wait_for("() => document.getElementById('about').textContent.includes('batch 8')")
    assert other.page.locator("#footer").inner_text() == footer
    assert other.text() == live.text()
    for name, value in {
        "batch": "8",
        "input": "3x320x320",
        "dtype": "float16",
        "convention": "fvcore",
        "optimizer": "adam",
    }.items():
        assert other.page.locator(f"#{name}").input_value() == value
    assert other.page.get_by_label("training").is_checked()
    assert other.page.get_by_label("classes", exact=True).input_value() == "10"


def test_a_second_link_in_the_same_page_is_followed(open_page):
    live = open_page().ready()
    live.page.evaluate("f => { location.hash = f; }", fragment({"text": "INPUT 8x8x3 -> FC-10"}))
    live.wait_for_footer(f"parameters: {8 * 8 * 3 * 10 + 10:,} ")


def test_a_page_that_is_loaded_again_while_it_computes_keeps_the_text(open_page):
    live = open_page().ready()
    before = live.page.evaluate("location.hash")
    with live.between(lambda route: None):  # no answer comes
        live.write("INPUT 8x8x3 -> FC-20")
        live.wait_for("h => location.hash !== h", before)
    live.page.reload()
    live.wait_for_footer(f"parameters: {8 * 8 * 3 * 20 + 20:,} ")
    assert live.text() == "INPUT 8x8x3 -> FC-20"


UNREADABLE = {
    "!!!": "letters that no link has",
    "AAAA": "cut off or changed",
    fragment({"text": "INPUT 8x8x3 -> FC-1" * 50})[:20]: "cut off or changed",
    fragment(None, raw=b"\xff\xfe"): "cut off or changed",  # not JSON
    fragment([1, 2]): "it holds no state",
    fragment(None): "it holds no state",
    fragment({"text": "x" * 10_000_000}): "too large",  # a bomb
    "A" * 500_000: "too long",
}


def test_a_link_that_cannot_be_read_is_named_and_the_page_works(open_page):
    """The page is opened with the first one; the others are followed in the page."""
    first, *others = UNREADABLE
    live = open_page(fragment=first).ready()
    assert UNREADABLE[first] in live.page.locator("#notice").inner_text()
    for given in others:
        live.page.get_by_role("button", name="Close the message").click()
        live.page.evaluate("f => { location.hash = f; }", given)
        live.page.wait_for_selector("#notice.bad")
        assert UNREADABLE[given] in live.page.locator("#notice").inner_text()
    assert live.card("parameters") == "138.358 M"
    live.choose("lenet5")


def test_a_hostile_link_sets_only_what_a_state_has(open_page):
    state = {
        "text": "title: " + json.dumps(EVIL) + "\ninput: [3, 8, 8]\nlayers:\n  - relu\n    name: a\n  - conv: {out: 2, kernel: 1}\n",
        "settings": {"__proto__": {"polluted": 1}, EVIL: 1, "good": {"a": 1}},
        "batch": "<b>1</b>", "dtype": 5, "training": "yes", "network": EVIL, "compare": EVIL, "input": None, "polluted": 1,
    }  # fmt: skip
    raw = json.dumps(state).replace('"text": "title', '"__proto__": {"polluted": 1}, "text": "title').encode()
    live = open_page(fragment=fragment(None, raw=raw))
    live.page.wait_for_selector("#problems li, #layer-table tr[data-item]")
    live.page.wait_for_timeout(300)
    assert live.page.evaluate("({}).polluted") is None
    assert live.page.locator("#batch").input_value() == "1"
    assert live.page.locator("main img, main script, header img").count() == 0


@pytest.mark.parametrize("plain", [True, False])
def test_a_title_of_html_is_shown_as_text(open_page, plain):
    live = open_page(plain=plain).ready()
    live.write("title: " + json.dumps(EVIL) + "\ninput: [3, 8, 8]\nlayers:\n  - conv: {out: 2, kernel: 1}\n")
    live.wait_for("() => document.getElementById('title').textContent.includes('<img')")
    assert live.page.locator("main img, main script").count() == 0
    live.write(f"input: [3, 8, 8]\nlayers:\n  - {json.dumps(EVIL)}: 3\n")
    live.page.wait_for_selector("#problems li")
    assert live.page.locator("main img, main script").count() == 0


def test_presets_are_searched_and_chosen_with_the_keyboard(open_page):
    live = open_page().ready()
    field = live.page.locator("#preset input")
    field.fill("inception 2015")
    live.page.locator("#preset [role=option] b").first.wait_for()
    options = live.page.locator("#preset [role=option]").all_inner_texts()
    assert all("2015" in text for text in options)
    field.fill("squeezenet")
    live.page.keyboard.press("ArrowDown")
    chosen = live.page.locator("#preset [aria-selected=true] b").inner_text()
    live.page.keyboard.press("Enter")
    live.wait_for("n => document.getElementById('title').textContent.includes(`(${n})`)", chosen)
    field.fill("no such network")
    live.page.keyboard.press("Enter")
    assert live.page.locator("#preset [role=option]").inner_text() == "No network of the zoo."


def test_a_comparison_shows_the_differences_of_the_command_line(open_page):
    live = open_page().ready()
    compare = live.page.get_by_role("combobox", name="Compare with")
    compare.fill("vgg16@classes=10")
    compare.press("Enter")
    row = live.page.locator("#difference tbody tr")
    row.wait_for()
    assert row.count() == 1
    # fc8 has 4096 weights and a bias for each of the 990 other classes.
    assert row.locator("td", has_text=f"+{990 * 4097:,}").count() == 1
    compare.fill("vgg17")
    compare.press("Enter")
    live.page.wait_for_selector("#difference .bad-text")
    compare.fill("")
    compare.press("Enter")
    live.wait_for("() => document.getElementById('difference').hidden")


def drop(live, name, text):
    live.page.evaluate(
        """([name, text]) => {
            const data = new DataTransfer();
            data.items.add(new File([typeof text === "string" ? text : new Uint8Array(text)], name));
            for (const type of ['dragenter', 'dragover', 'drop'])
                document.body.dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        [name, text if isinstance(text, str) else list(text)],
    )


def test_dropped_files_are_opened(open_page):
    live = open_page().ready()
    for name, text, out in [
        ("small.yaml", "input: [3, 16, 16]\nlayers:\n  - conv: {out: 6, kernel: 3, pad: 1}\n", 6),
        ("small.prototxt", CAFFE, 8),
        ("small.cfg", DARKNET, 10),
    ]:
        drop(live, name, text)
        live.wait_for_footer(f"parameters: {3 * 3 * 3 * out + out:,} ")
        assert live.page.locator("#drop").is_hidden()
        assert "input 3x16x16" in live.page.locator("#about").inner_text()


def test_a_file_that_cannot_be_read_is_named(open_page):
    live = open_page().ready()
    drop(live, "photo.png", b"\x89PNG\r\n\x1a\n\0\0\0")
    live.page.wait_for_selector("#notice.bad")
    assert "photo.png" in live.page.locator("#notice").inner_text()
    assert live.card("parameters") == "138.358 M"


def test_a_file_is_opened_with_the_button(open_page, tmp_path):
    path = tmp_path / "small.prototxt"
    path.write_text(CAFFE, encoding="utf-8")
    live = open_page().ready()
    live.page.locator("#file-input").set_input_files(path)
    live.wait_for_footer(f"parameters: {3 * 3 * 3 * 8 + 8:,} ")


def test_layers_that_are_not_known_can_be_left_out(open_page):
    live = open_page().ready()
    drop(live, "strange.prototxt", CAFFE + 'layer { name: "x" type: "Strange" bottom: "conv" top: "x" }\n')
    live.page.get_by_role("button", name="Read without these layers").click()
    live.wait_for_footer(f"parameters: {3 * 3 * 3 * 8 + 8:,} ")


def test_an_input_that_a_file_leaves_open_is_asked_for(open_page):
    live = open_page().ready()
    drop(live, "open.prototxt", CAFFE.replace("input_dim: 16\n", "").replace("input_dim: 1\ninput_dim: 3\n", ""))
    live.page.locator("#file-size").fill("3x24x24")
    live.page.get_by_role("button", name="Read again").click()
    live.wait_for_footer(f"parameters: {3 * 3 * 3 * 8 + 8:,} ")
    assert "input 3x24x24" in live.page.locator("#about").inner_text()


def test_a_dropped_onnx_file_is_opened(open_page):
    onnx = pytest.importorskip("onnx", reason="no onnx: pip install onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    weight = helper.make_tensor("w", kind, [8, 3, 3, 3], [0.0] * (8 * 3 * 3 * 3))
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="conv", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    sizes = [helper.make_tensor_value_info(name, kind, [1, c, 16, 16]) for name, c in (("x", 3), ("y", 8))]
    model = helper.make_model(helper.make_graph([node], "g", sizes[:1], sizes[1:], [weight]))
    live = open_page().ready()
    drop(live, "small.onnx", model.SerializeToString())
    live.wait_for_footer(f"parameters: {3 * 3 * 3 * 8:,} ")
