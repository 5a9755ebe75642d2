"""What a user may choose of every picture: width, title, caption, ground; and texts that no picture trips over."""

from __future__ import annotations

import csv
import re
import shutil
import warnings
from functools import cache
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("matplotlib")

from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from archcalc import ArchcalcError, Network, Shape, plot
from archcalc.layers import registry
from archcalc.layers.convolution import Conv
from archcalc.layers.join import Add
from archcalc.plot import fonts
from archcalc.plot.colours import DARK, INK, WHITE, shade
from archcalc.plot.kinds import Picture, element, file, picture
from archcalc.plot.labels import one_line, short_names, shortened, text_width
from archcalc.plot.style import applied
from archcalc.plot.style import file_of as content_of
from archcalc.spaces.sheet import Sheet
from tests.nets import CLIP, FPN, SIAMESE, SSD, THREE_INPUTS, UNET, network
from tests.plot.pictures import analysis

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
EVERY = [pytest.param(kind, marks=needs_dot) if kind == "graph" else kind for kind in plot.KINDS]
FIGURES = [kind for kind in plot.KINDS if kind != "graph"]
SVG = "{http://www.w3.org/2000/svg}"


NEEDED: dict[str, dict[str, str]] = {"roofline": {"on": "a100"}}
"""The options without which a kind is not drawn."""


def needed(kind: str) -> dict[str, str]:
    return NEEDED.get(kind, {})


def shown(kind: str) -> list[object]:
    subject = "vgg11" if kind == "compare" else "front" if plot.KINDS[kind].of_table else "lenet5"
    return [] if kind == "pattern" else [analysis(subject)]


def file_of(sheet: Sheet, folder: Path) -> str:
    """The file of a table."""
    path = folder / sheet.name
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([list(sheet.columns), *zip(*sheet.columns.values(), strict=True)])
    return str(path)


def text_of(svg: str) -> str:
    return " ".join("".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text"))


TITLED = {"dark": True, "title": "My own $title$"}
ALL = {"width": "page", "title": "A & B", "dark": True, "transparent": True, "caption": False}
"""The choices of the command that is given all of them."""


@cache
def figure_of(kind: str, **options: object) -> Figure:
    return plot.figure(kind, shown(kind), **needed(kind), **options)


@cache
def drawn(kind: str, format: str, **options: object) -> Picture:
    """The picture that several tests look at, drawn once. Its figure is the same in every file: see test_images.py."""
    if kind == "graph":
        return picture(kind, shown(kind), format, **options)
    with applied(" ".join([kind, *(a.network.full_name for a in shown(kind) if not isinstance(a, Sheet))])):
        figure = figure_of(kind, **options)
        return Picture(content_of(figure, format), str(figure.get_label()))


def svg(kind: str, **options: object) -> str:
    return element(drawn(kind, "svg", **options).content)


def pixels(kind: str, **options: object) -> Image.Image:
    return Image.open(BytesIO(drawn(kind, "png", **options).content))


@pytest.mark.parametrize("kind", FIGURES)
def test_every_figure_is_as_wide_as_asked(kind):
    assert pixels(kind).width == 300 * 3.5
    assert pixels(kind, **ALL).width == 300 * 7


@pytest.mark.parametrize(("width", "inches"), [(5, 5), ("7.25", 7.25), ("column", 3.5)])
def test_a_width_is_a_number_or_a_name(width, inches):
    assert plot.figure("rf", shown("rf"), width=width).get_figwidth() == inches
    assert pixels("rf", width=width).width == 300 * inches


@needs_dot
def test_a_graph_is_no_wider_than_asked():
    assert pixels("graph", caption=False).width > 200 * 1.5
    svg = plot.svg(
        "graph", shown("graph"), width=2.5, title="a title that is far wider than the graph of a network" * 3
    )
    assert float(re.search(r'width="([\d.]+)pt"', svg)[1]) <= 2.5 * 72 + 1


@pytest.mark.parametrize("kind", EVERY)
def test_every_kind_has_a_title_and_its_caption_can_be_left_out(kind):
    plain, titled, bare = (text_of(svg(kind, **options)) for options in ({}, TITLED, {"caption": False}))
    caption = drawn(kind, "svg").caption
    assert "My own $title$" in titled
    assert "My own" not in plain
    assert caption.split()[-1] in plain
    for sentence in (caption[:12], caption[-12:]):
        assert sentence not in bare
    assert drawn(kind, "svg", caption=False).caption == caption


@pytest.mark.parametrize("kind", EVERY)
def test_every_kind_has_a_dark_ground(kind):
    def colours(svg: str) -> set[str]:
        return set(re.findall(r"#[0-9a-f]{6}", svg)) | (
            {INK} if re.search('"black"|<text (?![^>]*fill)', svg) else set()
        )

    light, dark = svg(kind), svg(kind, **TITLED)
    if kind != "graph":
        assert WHITE in colours(light)
    assert DARK[WHITE] in colours(dark)
    assert not colours(dark) & ({"#f0f0f0"} if kind == "graph" else {WHITE, INK, "#f0f0f0"})  # nodes keep their text
    image = pixels(kind, **TITLED).convert("RGB")
    assert image.getpixel((1, 1)) == tuple(bytes.fromhex(DARK[WHITE][1:]))
    ink = tuple(bytes.fromhex(DARK[INK][1:]))
    assert any(colour == ink for _, colour in image.getcolors(2**24))


@pytest.mark.parametrize(
    ("kind", "dark"),
    [
        *((kind, True) for kind in FIGURES),
        ("cost", False),
        *(pytest.param("graph", dark, marks=needs_dot) for dark in (False, True)),
    ],
)
def test_every_kind_can_go_without_a_ground(kind, dark):
    """Figures have one ground: one of them is enough for a light picture without it."""
    image = pixels(kind, **(ALL if dark else {"transparent": True}))
    assert image.mode == "RGBA"
    assert image.getpixel((1, 1))[3] == 0
    assert image.getextrema()[3] == (0, 255)
    assert pixels(kind, **(TITLED if dark else {})).convert("RGBA").getpixel((1, 1))[3] == 255


@pytest.mark.parametrize("kind", EVERY)
def test_the_command_takes_all_of_them_and_writes_the_caption_beside(kind, tmp_path, archcalc):
    nets = [file_of(a, tmp_path) if isinstance(a, Sheet) else a.network.name for a in shown(kind)]
    nets += [text for key, value in needed(kind).items() for text in (f"--{key}", value)]
    out, text, tex = (tmp_path / name for name in ("p.svg", "p.txt", "p.tex"))
    options = ("--width", "page", "--title", "A & B", "--dark", "--transparent")
    assert archcalc("plot", kind, *nets, *options, "--caption", str(text), "-o", str(out)) == (0, "", "")
    made = drawn(kind, "svg", **ALL)
    assert out.read_bytes() == made.content
    assert "A & B" in text_of(element(made.content))
    assert text.read_text() == made.caption + "\n"
    assert archcalc("plot", kind, *nets, "--caption", str(tex), "-o", str(out)) == (0, "", "")
    assert out.read_bytes() == drawn(kind, "svg", caption=False).content
    assert made.caption.split()[0] in tex.read_text()
    assert not re.search(r"(?<!\\)[&%_#$]", tex.read_text())


def test_a_command_leaves_the_caption_out(tmp_path, archcalc):
    out = tmp_path / "p.svg"
    assert archcalc("plot", "rf", "lenet5", "--no-caption", "-o", str(out)) == (0, "", "")
    assert out.read_bytes() == drawn("rf", "svg", caption=False).content


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--width", "wide"], "width: expected 2.5 to 20 inches, or one of column (3.5), page (7); got wide"),
        (["--width", "0.5"], "width: expected 2.5 to 20 inches, or one of column (3.5), page (7); got 0.5"),
        (["--width", "nan"], "width: expected 2.5 to 20 inches, or one of column (3.5), page (7); got nan"),
        (["--caption", "x.svg"], "--caption: expected a file of its own"),
    ],
)
def test_what_cannot_be_is_one_sentence(arguments, said, archcalc, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert archcalc("plot", "cost", "lenet5", *arguments, "-o", "x.svg") == (2, "", f"archcalc: {said}\n")
    assert not list(tmp_path.iterdir())


WIDE = "CONV3-4 p1 -> CONV3-8 s2 p1 -> [CONV3-8 s3 p1]*8"


@pytest.mark.parametrize(
    ("sizes", "width", "room"),
    [
        ("1000000000x1000000000", "2.5", False),
        ("2000000000x2000000000", "2.5", False),
        ("1000000000x1000000000", "7", True),
        ("1x20000", "2.5", True),
        ("20000x1", "2.5", True),
    ],
)
def test_labels_that_leave_no_room_for_the_drawing_are_one_sentence(sizes, width, room, archcalc, tmp_path):
    """A frame of any form is drawn; labels of many digits may be wider than a narrow page."""
    out = str(tmp_path / "map.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = archcalc("plot", "rf-map", f"INPUT {sizes}x1 (HxWxC) -> {WIDE}", "--width", width, "-o", out)
    said = "a width of 2.5 inches leaves no room for the drawing beside its labels; use a larger --width"
    assert found == ((0, "", "") if room else (2, "", f"archcalc: {said}\n"))


def test_axes_of_the_user_s_can_be_dark_and_nothing_else():
    figure = Figure()
    ax = figure.subplots()
    plot.rf(analysis("lenet5"), ax=ax, dark=True)
    assert to_hex(ax.xaxis.label.get_color()) == DARK[INK]
    with pytest.raises(ArchcalcError, match=r"^title belongs to a whole figure; with ax, the caller decides$"):
        plot.rf(analysis("lenet5"), ax=ax, title="no")
    with pytest.raises(ArchcalcError, match=r"^cost: unknown option 'widht'; did you mean 'width'\?$"):
        plot.figure("cost", [analysis("lenet5")], widht=3)


def test_shades_have_their_counterparts():
    assert DARK[shade("#56b4e9", 0.92)] == shade(DARK["#56b4e9"], 0.92)


# Texts


HOSTILE = {
    "mathematics": "$\\frac{1}{$ $x_2$",
    "control characters": "a\x00b\x1b[31mc\x07\x7f\u0085",
    "lines": "one\ntwo\r\nthree\ttabs",
    "directions": "abc\u202egnp.exe\u2066x",
    "markup": "<b>&amp;\"'</text><script>alert(1)</script> ]]>",
    "TeX": "\\input{/etc/passwd} %_#^~{}",
    "Graphviz": 'x" ]; } digraph { \\N \\G \\l \\n <table>',
    "length": "long " * 100,
    "a word": "w" * 700,
    "nothing": " ",
    "surrogates": "a\ud800b",
}


def hostile(name: str, *texts: str) -> object:
    """A network that has the name as its title too, and blocks and layers with the texts in their names."""
    made = Network(name, Shape(3, (16, 16)), title=name)
    for text in texts:
        text, first = text if text.isprintable() else "layer", len(made.nodes)
        made.add(f"{text}.a", Conv(out=4, kernel=3, pad=1), scopes=(text,))
        made.add(f"{text}.b", Conv(out=4, kernel=3, pad=1), scopes=(text, text))
        made.add(f"{text}.c", Add(), inputs=(first, first + 1), scopes=(text,))
        made.add(f"{text}.d", registry["relu"]())
    return made.analyze()


WITH_NAMES = [kind for kind in plot.KINDS if kind not in ("compare", "pattern") and not plot.KINDS[kind].of_table]
ROTATED = [(WITH_NAMES[at % len(WITH_NAMES)], text) for at, text in enumerate(HOSTILE.values())]


@pytest.mark.parametrize("kind", WITH_NAMES)
def test_no_text_of_a_spec_breaks_a_picture(kind, recwarn):
    """All texts as names of layers; as the network's name and title, each in some kind, and all in Graphviz's language."""
    alone = [text for at, text in ROTATED if kind in (at, "graph")]
    for name, texts in [("net", list(HOSTILE.values())), *((text, [text]) for text in alone)]:
        analysed = hostile(name, *texts)
        made = picture(kind, [analysed], "svg", title=name, **needed(kind))
        root = ElementTree.fromstring(made.content)
        assert not [e.tag for e in root.iter() if e.tag.split("}")[-1] in ("script", "b", "table", "image", "a")]
        if name == "net":  # the letters of a PNG are those that the layout of an SVG measures: one is enough
            assert file(kind, [analysed], "png", title=name, **needed(kind)).startswith(b"\x89PNG")
        assert not [c for c in text_of(made.content.decode()) if not c.isprintable()]
        assert made.caption.isprintable()
        assert not [w for w in recwarn.list if "Glyph" in str(w.message)]


def test_control_characters_are_shown_and_long_texts_shortened():
    assert one_line("a\tb\n\x1b[0m") == "a b \\x1b[0m"
    assert len(one_line("x" * 10_000)) <= 200


def test_names_stay_apart_when_they_are_shortened():
    names = [f"bottlenecks{i}.bottleneck{j}.expand.conv" for i in (1, 2) for j in (1, 2, 12)]
    short = short_names(names, 0.8)
    assert len(set(short)) == len(names)
    assert max(map(text_width, short)) <= 0.8
    assert short_names(["conv1", "fc"], 0.8) == ["conv1", "fc"]
    same = short_names(["x" * 50 + "y" * 50, "x" * 50 + "z" + "y" * 50], 0.5)
    assert len(set(same)) == 2
    assert text_width(shortened("w" * 99, 0.6)) <= 0.6


# Fonts

CHINESE = "卷积网络"


def test_a_script_that_no_font_has_is_said_once(monkeypatch, archcalc, tmp_path):
    monkeypatch.setattr(fonts, "_others", lambda: iter(()))
    fonts.families.cache_clear()
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        plot.figure("cost", [analysis("lenet5")], title=CHINESE)
    assert [str(one.message) for one in found] == [
        "no installed font has 卷, 积, 络, 网: these characters are drawn as boxes; install a font that has them, such as Noto"
    ]
    status, _, err = archcalc("plot", "rf", "lenet5", "--title", CHINESE, "-o", str(tmp_path / "x.png"))
    assert (status, len(err.splitlines())) == (0, 1)
    assert err.startswith("archcalc: no installed font has 卷")
    fonts.families.cache_clear()


def test_a_font_that_has_the_glyphs_is_taken_from_those_installed(monkeypatch):
    wanted = frozenset(CHINESE)
    monkeypatch.setattr(fonts, "_others", lambda: iter(["Poor", "Rich"]))
    monkeypatch.setattr(
        fonts, "lacking", lambda c, name: c - {"Poor": frozenset("卷"), "Rich": wanted}.get(name, frozenset())
    )
    fonts.families.cache_clear()
    assert fonts.families(wanted) == ("DejaVu Sans", "Poor", "Rich")
    fonts.families.cache_clear()


def test_where_the_font_is_installed_it_is_drawn_and_the_same_each_time():
    families = fonts.families(frozenset(CHINESE))
    if len(families) == 1:
        pytest.skip("no installed font has Chinese characters")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, second = (file("cost", [analysis("lenet5")], "svg", title=CHINESE) for _ in range(2))
        file("cost", [analysis("lenet5")], "png", title=CHINESE)
    assert first == second
    assert families[1] in first.decode()
    assert CHINESE in first.decode()


# Networks that are no classifiers


@pytest.mark.parametrize("kind", ["rf", "rf-map", "cost", "shape", "memory", "budget"])
@pytest.mark.parametrize(
    ("text", "name"),
    [(UNET, "unet"), (FPN, "fpn"), (SSD, "ssd"), (CLIP, "clip"), (SIAMESE, "siamese"), (THREE_INPUTS, "three")],
)
def test_encoders_detectors_and_clips_are_drawn_or_one_sentence_says_why_not(kind, text, name):
    made = network(text, name).analyze()
    if name == "clip" and kind == "rf-map":
        with pytest.raises(ArchcalcError, match="no height and width"):
            plot.figure(kind, [made])
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot.svg(kind, [made])
